"""Waiting for a device."""

from __future__ import annotations

import torch


def synchronize(device: torch.device) -> None:
    """Wait until a GPU has finished all its work; on the CPU there is nothing to wait for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
