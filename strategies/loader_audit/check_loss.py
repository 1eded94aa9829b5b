"""Checks of how a sampler and a loss work together."""

from __future__ import annotations

import torch

from strategies.class_mix import corrects_twice, favours_rare, normalise
from strategies.loader_audit.context import AuditContext
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.mix_significance import chi_square_test
from strategies.loader_audit.replacement_code import balancing_sampler, shuffled_loader

MAX_LISTED = 12
"""Classes of the effective prior that are listed in a message."""


def find_double_correction(context: AuditContext) -> AuditFinding | None:
    """Report that sampler and loss both correct for the imbalance: together they reverse it."""
    factors = context.loss.factors
    if factors is None or context.sampled_labels is None or len(factors) != context.labels.num_classes:
        return None
    by_sampling = torch.where(context.natural_mix > 0, context.sampled_mix / context.natural_mix, 0.0)
    if not corrects_twice(context.natural_mix, [by_sampling, factors]) and not _favours_rare_of_two(context):
        return None
    effective = normalise(context.sampled_mix * torch.nan_to_num(factors, posinf=0.0))
    kept = (context.natural_mix > 0) & (effective > 0)
    rarest = int(torch.where(kept, context.natural_mix, torch.inf).argmin())
    listed = ", ".join(f"{c}: {share:.3f}" for c, share in enumerate(effective.tolist()[:MAX_LISTED]))
    more = ", ..." if len(effective) > MAX_LISTED else ""
    loss = "BCEWithLogitsLoss" if context.loss.pos_weight is not None else "CrossEntropyLoss"
    what = "class weights" if context.loss.weights is not None else "correction"
    return AuditFinding(
        "double-correction",
        f"The sampler already rebalances the classes, and {_describe_loss(context)} corrects again: "
        f"{context.describe_class(rarest)}, {context.natural_mix[rarest]:.2%} of the data, counts as "
        f"{effective[rarest]:.1%} in the loss. Effective prior, by class id: {listed}{more}.",
        f"loss_fn = nn.{loss}()  # keep the sampler, drop the {what}\n"
        f"# or keep the loss, and drop the sampler: {shuffled_loader(context)}",
        subject="loss",
    )


def _favours_rare_of_two(context: AuditContext) -> bool:
    """Whether a binary loss still favours the rarer class, however little, although the samples are balanced."""
    pos_weight = context.loss.pos_weight
    if pos_weight is None or context.sampled_labels is None or not context.natural_mix_test.rejects:
        return False
    if chi_square_test(context.sampled_labels, torch.full_like(context.natural_mix, 0.5)).rejects:
        return False
    positive_is_rarer = bool(context.natural_mix[1] < 0.5)
    return (pos_weight > 1) == positive_is_rarer and abs(pos_weight - 1) > 1e-3


def _describe_loss(context: AuditContext) -> str:
    pos_weight = context.loss.pos_weight
    return context.loss.name if pos_weight is None else f"{context.loss.name}(pos_weight={pos_weight:g})"


def is_corrected_by_loss(context: AuditContext) -> bool:
    """Whether the classes are sampled in their natural mix, and it is the loss that deals with the imbalance."""
    if context.natural_mix_test.rejects or context.sampled_labels is None:
        return False
    factors = context.loss.factors
    favours = factors is not None and len(factors) == context.labels.num_classes
    return context.loss.is_remedy or (favours and favours_rare(factors, context.natural_mix))  # type: ignore[arg-type]


def find_majority_ignored(context: AuditContext) -> AuditFinding | None:
    """Report that the loss ignores a real class, which makes up most of the batches."""
    if context.sampled_labels is None:
        return None
    real = [
        c for c in context.loss.ignored_classes if 0 <= c < context.labels.num_classes and c not in context.pad_classes
    ]
    ignored = max(real, key=lambda c: float(context.natural_mix[c]), default=None)
    if ignored is None:
        return None
    share = float(context.sampled_mix[ignored])
    if share <= 0.5 and int(context.natural_mix.argmax()) != ignored:
        return None
    return AuditFinding(
        "majority-ignored",
        f"The loss ignores {context.describe_class(ignored)}, {share:.0%} of the sampled labels: the model learns nothing from "
        "them, and nothing stops it from predicting other classes in their place.",
        "loss_fn = nn.CrossEntropyLoss(ignore_index=-100)  # ignore padding only\n"
        f"sampler = {balancing_sampler(context)}\n"
        "# or class weights in the loss, but not both",
        subject="loss",
    )
