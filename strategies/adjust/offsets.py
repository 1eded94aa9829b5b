"""Offsets on logits, one a class."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.strategy import Adjustment


def plus(offsets: Tensor) -> Adjustment:
    """Logits `(..., C)` plus `offsets (C,)`, in the logits' type, but never in fewer than 32 bits."""

    def adjusted(logits: Tensor) -> Tensor:
        wide = torch.promote_types(logits.dtype, torch.float32)
        return logits.to(wide) + offsets.to(logits.device, wide)

    return adjusted
