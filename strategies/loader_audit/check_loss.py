"""Mistakes between a sampler and a loss."""

from __future__ import annotations

import torch

from strategies.class_mix import corrects_twice, favours_rare, normalise
from strategies.loader_audit.context import Wiring
from strategies.loader_audit.finding import Finding
from strategies.loader_audit.mix_test import compare

SHOWN = 12
"""Classes of the effective prior that are shown."""


def double_correction(wiring: Wiring) -> Finding | None:
    """Sampler and loss both correct for the imbalance: together they turn it round."""
    factors = wiring.loss.factors
    if factors is None or wiring.drawn is None or len(factors) != wiring.labels.num_classes:
        return None
    by_sampling = torch.where(wiring.natural > 0, wiring.realised / wiring.natural, 0.0)
    if not corrects_twice(wiring.natural, [by_sampling, factors]) and not _pos_weight_on_balanced(wiring):
        return None
    effective = normalise(wiring.realised * torch.nan_to_num(factors, posinf=0.0))
    kept = (wiring.natural > 0) & (effective > 0)
    rarest = int(torch.where(kept, wiring.natural, torch.inf).argmin())
    listed = ", ".join(f"{c}: {share:.3f}" for c, share in enumerate(effective.tolist()[:SHOWN]))
    cut = ", ..." if len(effective) > SHOWN else ""
    return Finding(
        "double-correction",
        f"the draws are rebalanced and {_named(wiring)} corrects again: {wiring.name_of(rarest)}, "
        f"{wiring.natural[rarest]:.2%} of the data, counts as {effective[rarest]:.1%}. Effective prior: {listed}{cut}.",
        f"loss_fn = nn.{_plain(wiring)}()\n"
        f"# or keep the loss, and drop the sampler: DataLoader(dataset{wiring.batch_argument}, shuffle=True)",
    )


def _pos_weight_on_balanced(wiring: Wiring) -> bool:
    """Whether a binary loss still favours the rarer class, however little, though the draws are balanced."""
    pos_weight = wiring.loss.pos_weight
    if pos_weight is None or wiring.drawn is None or not wiring.natural_test.rejects:
        return False
    if compare(wiring.drawn, torch.full_like(wiring.natural, 0.5)).rejects:
        return False
    return (pos_weight > 1) == bool(wiring.natural[1] < 0.5) and abs(pos_weight - 1) > 1e-3


def _named(wiring: Wiring) -> str:
    pos_weight = wiring.loss.pos_weight
    return wiring.loss.name if pos_weight is None else f"{wiring.loss.name}(pos_weight={pos_weight:g})"


def _plain(wiring: Wiring) -> str:
    return "CrossEntropyLoss" if wiring.loss.pos_weight is None else "BCEWithLogitsLoss"


def corrected_by_loss(wiring: Wiring) -> bool:
    """Whether the loss makes up for the imbalance of classes that come as they are in the data set."""
    factors = wiring.loss.factors
    if factors is None or len(factors) != wiring.labels.num_classes or wiring.natural_test.rejects:
        return False
    return favours_rare(factors, wiring.natural)


def majority_ignored(wiring: Wiring) -> Finding | None:
    """A real class is ignored in the loss, and it fills most of the batches."""
    ignored = wiring.loss.ignored
    if (
        ignored is None
        or wiring.drawn is None
        or not 0 <= ignored < wiring.labels.num_classes
        or ignored in wiring.pads
    ):
        return None
    share = float(wiring.realised[ignored])
    if share <= 0.5 and int(wiring.natural.argmax()) != ignored:
        return None
    return Finding(
        "majority-ignored",
        f"the loss ignores {wiring.name_of(ignored)}, {share:.0%} of the labels drawn: nothing is learnt from these, and "
        "nothing stops the model from predicting that class.",
        "loss_fn = nn.CrossEntropyLoss(ignore_index=-100)  # ignore padding only\n"
        "sampler = strategies.ClassBalancedSampler(labels, seed=0)\n"
        "# or class weights in the loss, but not both",
    )
