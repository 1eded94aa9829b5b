"""Offsets that are added to logits, one per class."""

from __future__ import annotations

import torch
from torch import Tensor

from strategies.strategy import Adjustment


def plus(offsets: Tensor) -> Adjustment:
    """Return the adjustment that adds `offsets (C,)` to logits `(..., C)`, in the logits' type, but at least in 32 bits."""

    def adjusted(logits: Tensor) -> Tensor:
        wide = torch.promote_types(logits.dtype, torch.float32)
        return logits.to(wide) + offsets.to(logits.device, wide)

    return adjusted
