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


def reorder(offsets: Tensor, neutral: Tensor) -> Adjustment:
    """Return the adjustment that adds `offsets (C,)` to all classes but the `neutral (C,)` ones, which change their logits only
    so far that they are predicted where they were, and nowhere else.

    No fixed offset does that: whichever it is, a neutral class gains on classes of a lower offset and loses to those of a
    higher one. So its logit moves with the highest of the others, label by label.

    >>> adjust = reorder(torch.tensor([0.0, 3.0, 0.0]), torch.tensor([False, False, True]))
    >>> adjust(torch.tensor([[2.0, 0.0, 1.0], [2.0, 0.0, 2.5]])).tolist()
    [[2.0, 3.0, 2.0], [2.0, 0.0, 2.5]]
    """
    add = plus(offsets)
    if not bool(neutral.any()) or not bool(offsets.any()):
        return add

    def adjusted(logits: Tensor) -> Tensor:
        is_neutral = neutral.to(logits.device)
        moved = add(logits)
        raw = logits.to(moved.dtype)
        before, after = (z.masked_fill(is_neutral, -torch.inf).max(-1, keepdim=True).values for z in (raw, moved))
        lower = torch.nextafter(after, after.new_tensor(-torch.inf))  # a tie would be decided by the classes' order
        follows = torch.where((after - before).isfinite(), torch.minimum(raw + (after - before), lower), raw)
        keeps = is_neutral[logits.argmax(-1, keepdim=True)]
        return torch.where(keeps, raw, torch.where(is_neutral, follows, moved))

    return adjusted
