"""`audit`: what a loader really samples, and what is misconfigured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import torch
from torch import Tensor

from strategies.class_mix import expected_mix
from strategies.draw.outer_shards import ShardedTwiceError
from strategies.draw.process_rank import resolve_place
from strategies.labels import Labels
from strategies.loader_audit import check_loader, check_loss, check_padding, check_weights
from strategies.loader_audit.audit_text import format_audit
from strategies.loader_audit.batch_labels import labels_from_targets
from strategies.loader_audit.context import AuditContext, Role
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.item_labels import find_label_mismatch, labels_of_source, parse_labels
from strategies.loader_audit.loader_source import LoaderSource, find_source
from strategies.loader_audit.loader_statistics import LoaderStatistics, compute_statistics
from strategies.loader_audit.loss_introspection import LossFacts, inspect_loss
from strategies.loader_audit.mix_significance import CUSTOM, MIN_EXPECTED, Intended, MixTest, intended_mix
from strategies.loader_audit.observation import MAX_ITEMS, Observation, observe

MIN_ITEMS = 2_000
"""Items that are read at least; several epochs are read if one has fewer."""

Check = Callable[[AuditContext], AuditFinding | None]
CHECKS: tuple[Check, ...] = (
    check_weights.find_weights_not_finite,
    check_weights.find_weights_per_class,
    check_weights.find_subset_against_parent,
    check_weights.find_weights_number,
    check_weights.find_index_out_of_range,
    check_weights.find_weights_class_order,
    check_weights.find_weights_item_order,
    check_weights.find_replacement_false,
    check_weights.find_weights_precision,
    check_loader.find_validation_resampled,
    check_loader.find_sampler_dropped,
    check_loader.find_sharded_twice,
    check_loader.find_sampler_repeated,
    check_loss.find_double_correction,
    check_loss.find_majority_ignored,
    check_padding.find_pad_counted,
)
LABEL_ORDER_CHECKS: tuple[Check, ...] = (
    check_weights.find_weights_class_order,
    check_weights.find_weights_item_order,
)
"""Checks that would blame the weights if the given labels are not those of the data set."""
MIX_CHECKS: tuple[Check, ...] = (check_loader.find_not_resampled, check_loader.find_mix_differs)
"""Checks of a mix that no other finding explains; the first that reports something is used."""

CUSTOM_MIX_NOTE = "the sampler is configured for a class mix of its own; give intended=... to test it"
UNREAD_NOTE = (
    "{loss} could not be read ({problem}); give audit() what it does about the classes, class_weights=... or loss_prior=..., or "
    "a function of logits (N, C) and targets (N,) that calls it"
)
SPENT_NOTE = (
    "the generator that was given is used up; make a new one for training, or give audit() the function that makes it"
)


@dataclass(frozen=True)
class Audit:
    """The result of `audit`; print it to read it.

    Parameters
    ----------
    findings
        The problems that were found, each with `name`, `message` and `fix`.
    mix_test
        The chi-square test of the sampled class mix: its p value, and the classes that were pooled for it.
    intended
        The name of the mix that was tested, such as "balanced"; "the sampler's own" if a sampler was asked for another mix than
        equal classes, which is then not tested.
    statistics
        What was sampled, by class, item and batch. None where nothing could be sampled.
    notes
        Remarks on how the audit was done.
    loss
        What is known about the loss.

    Examples
    --------
    >>> from strategies import ClassBalancedSampler, audit
    >>> labels = [0] * 90 + [1] * 10
    >>> result = audit(ClassBalancedSampler(labels, seed=0), labels)
    >>> result.ok, result.statistics.classes.intended
    (True, (0.5, 0.5))
    """

    findings: tuple[AuditFinding, ...]
    mix_test: MixTest
    intended: str
    statistics: LoaderStatistics | None
    notes: tuple[str, ...] = ()
    loss: LossFacts = field(default_factory=LossFacts)

    @property
    def ok(self) -> bool:
        """Whether no problem was found."""
        return not self.findings

    @property
    def p_value(self) -> float | None:
        """The p value of the sampled class mix under the intended one; None where it was not tested."""
        return self.mix_test.p_value

    def __str__(self) -> str:
        return format_audit(self.findings, self.mix_test, self.intended, self.statistics, self.notes, self.loss)


def audit(
    loader_or_sampler: Any,
    labels: Any,
    *,
    class_names: Sequence[str] | None = None,
    intended: Intended | None = None,
    role: Role = "training",
    loss: Any = None,
    class_weights: Any = None,
    loss_prior: Any = None,
    pad: int | str | None = None,
    batch_size: int | None = None,
    num_replicas: int | None = None,
    rank: int | None = None,
) -> Audit:
    """Measure what a loader or sampler really samples, and report what is misconfigured, each problem with the code to fix it.

    It reads at most 100,000 items. Sampler, loader and random states are left as they were.

    Parameters
    ----------
    loader_or_sampler
        A `DataLoader`; a sampler or batch sampler; an iterable of indices, of batches of indices, or of batches (x, y); or a
        function without arguments that returns one. Of a `DataLoader` the sampler is read, not the data. A running generator is
        used up: give the function that makes it.
    labels
        The class id of every item of the data set, in its order, `(N,)`; one sequence of class ids per item, or packed
        `Labels`, where items have many; or the data set itself. -100 for no label.
    class_names
        One name per class, in the order of the ids. By default "0", "1", ...
    intended
        The class mix that the loader should have: "balanced", "natural" or "square-root"; a power p, for shares proportional to
        n_c^p; one share per class, `(C,)`; or one weight per item, `(N,)`. By default: "natural" for a validation loader, or
        if the loss corrects for the imbalance; not tested, if a sampler of this package was asked for another mix than equal
        classes; in all other cases "balanced" for items with one label, and for items with many the mix of `SentenceSampler`.
    role
        "training" (default), or "validation" for a loader that should read every item exactly once.
    loss
        The loss function, to check it together with the sampler: a loss of PyTorch, a loss or strategy of this package, or any
        function of logits `(N, C)`, or `(N,)` of two classes, and targets `(N,)`. What it does about the classes is measured
        where it is not known; if that fails too, the text says so.
    class_weights
        Class weights in the loss, `(C,)`, if the loss itself does not have them.
    loss_prior
        The class prior that the loss corrects for, `(C,)`, if the loss itself does not have it.
    pad
        Class id or name of the padding. By default classes with a name such as "PAD", or that only fill up the ends of items,
        are taken to be padding; -100 if there is none.
    batch_size
        Batch size of the training loop, to describe batches where single items are read.
    num_replicas, rank
        Number of processes that share the training, and number of this one, from 0. By default those of
        `torch.distributed`.

    Returns
    -------
    Audit
        `ok`, `findings`, `statistics`, `p_value`; its text if printed.

    Raises
    ------
    ValueError
        If an argument is not as described, or there is nothing to read. The message says what is allowed.

    Notes
    -----
    The class mix is tested by chi-square at a level of 0.001: one correct loader in a thousand is reported as wrong. Labels of
    one item are sampled together; the test accounts for it (Rao and Scott 1984).

    The problems that it knows, by `finding.name`: weights-not-finite, weights-per-class, subset-against-parent, weights-number,
    index-out-of-range, weights-class-order, weights-item-order, replacement-false, weights-precision, validation-resampled,
    sampler-dropped, sharded-twice, sampler-repeated, double-correction, majority-ignored, pad-counted, labels-differ,
    not-resampled, mix-differs.

    References
    ----------
    Rao and Scott (1984), "On chi-squared tests for multiway contingency tables with cell proportions estimated from survey
    data", Annals of Statistics 12.

    Examples
    --------
    >>> from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler
    >>> labels = torch.tensor([0] * 90 + [1] * 10)
    >>> class_weights = 1.0 / labels.bincount()
    >>> sampler = WeightedRandomSampler(class_weights, len(labels))  # wrong: one weight per class
    >>> loader = DataLoader(TensorDataset(torch.zeros(100, 3), labels), sampler=sampler, batch_size=10)
    >>> result = audit(loader, labels)  # print(result) shows everything
    >>> result.ok, result.findings[0].name
    (False, 'weights-per-class')
    >>> print(result.findings[0].fix)
    sample_weights = class_weights[labels]  # 100 weights, one per item
    sampler = WeightedRandomSampler(sample_weights, len(sample_weights), replacement=True)
    """
    if role not in get_args(Role):
        raise ValueError(f"role must be {' or '.join(map(repr, get_args(Role)))}; given: {role!r}")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"batch_size must be a whole number of at least 1; given: {batch_size!r}")
    place = resolve_place(num_replicas, rank)
    source = find_source(loader_or_sampler)
    parsed = parse_labels(labels, class_names, _vector_length(getattr(loss, "weight", None)))
    given_labels = labels_of_source(parsed, source)
    pad_classes = check_padding.find_pad_classes(given_labels, pad)
    item_labels = check_padding.mask_padding(given_labels, pad_classes)
    if not int(item_labels.counts().values.sum()):
        raise ValueError("audit needs labels of at least one class; given: only padding. Give class ids from 0.")
    if intended is None and role == "validation":
        intended_name, mix = intended_mix("natural", item_labels)
    else:
        intended_name, mix = intended_mix(intended, item_labels)
    observation, notes = _observe(source, mix, batch_size)
    sampled_labels = None
    if observation is not None:
        sampled_labels = _sampled_labels(observation, source, item_labels, pad_classes)
    batches = item_labels if sampled_labels is None or not len(sampled_labels) else sampled_labels
    loss_facts = inspect_loss(loss, class_weights, loss_prior, item_labels, expected_mix(batches), pad_classes)
    if loss_facts.problem is not None:
        notes += (UNREAD_NOTE.format(loss=loss_facts.name, problem=loss_facts.problem),)
    context = AuditContext(
        source=source,
        labels=item_labels,
        given_labels=given_labels,
        intended_mix=mix,
        stated_mix=mix,
        role=role,
        num_replicas=place.num_replicas,
        rank=place.rank,
        loss=loss_facts,
        pad_classes=pad_classes,
        pad_declared=pad is not None,
        observation=observation,
        sampled_labels=sampled_labels,
    )
    if intended is None:
        intended_name, context = _infer_intended_mix(intended_name, context)
        if intended_name == CUSTOM:
            notes += (CUSTOM_MIX_NOTE,)
    findings = tuple(_run_checks(context))
    if observation is None and not findings:
        raise ValueError(
            f"audit could not sample: {'; '.join(notes)}. Iterate over the sampler by itself to see the error."
        )
    statistics = None
    if observation is not None and context.sampled_labels is not None:
        statistics = compute_statistics(context, observation, context.sampled_labels)
    return Audit(findings, context.mix_test, intended_name, statistics, notes, loss_facts)


def _infer_intended_mix(name: str, context: AuditContext) -> tuple[str, AuditContext]:
    """Return the intended mix where the user gives none, as its name and the context with it.

    It is the natural one if the loss corrects for the imbalance, and unknown if a sampler was asked for a mix of its own;
    in all other cases that of the context.
    """
    if check_loss.is_corrected_by_loss(context):
        return "natural", replace(context, intended_mix=context.natural_mix)
    has_custom_mix = context.source.has_custom_mix(context.labels.single_label)
    if context.role == "training" and context.mix_test.rejects and has_custom_mix:
        return CUSTOM, replace(context, intended_mix=torch.full_like(context.intended_mix, torch.nan))
    return name, context


def _run_checks(context: AuditContext) -> list[AuditFinding]:
    mismatch = find_label_mismatch(context.given_labels, context.source, context.observation)
    checks = CHECKS if mismatch is None else [check for check in CHECKS if check not in LABEL_ORDER_CHECKS]
    findings = [finding for check in checks if (finding := check(context)) is not None]
    if mismatch is not None:
        findings.append(mismatch)
    if not any(finding.explains_mix for finding in findings):
        mix_findings = (finding for check in MIX_CHECKS if (finding := check(context)) is not None)
        findings += [finding for finding in [next(mix_findings, None)] if finding is not None]
    return findings


def _observe(source: LoaderSource, mix: Tensor, batch_size: int | None) -> tuple[Observation | None, tuple[str, ...]]:
    """Return what was sampled, None if the sampler raises an error; and notes on it."""
    needed_for_rarest_class = math.ceil(MIN_EXPECTED / float(mix[mix > 0].min()))
    try:
        observation = observe(source, min(MAX_ITEMS, max(MIN_ITEMS, needed_for_rarest_class)), batch_size)
    except (
        RuntimeError,
        IndexError,
        ShardedTwiceError,
    ) as error:  # PyTorch's response to weights that it cannot sample by
        return None, (f"the sampler raises an error: {str(error).splitlines()[0]}",)
    if not len(observation):
        raise ValueError("audit read nothing: the loader or sampler is empty, or a generator that is used up already")
    return observation, (SPENT_NOTE,) if source.single_use else ()


def _sampled_labels(
    observation: Observation, source: LoaderSource, labels: Labels, pad_classes: tuple[int, ...]
) -> Labels | None:
    """Return the labels of the sampled items; None where the known labels are not those of the data set that is read."""
    if observation.targets:
        sampled = labels_from_targets(observation.targets, labels.class_names)
        return check_padding.mask_padding(sampled, pad_classes)
    if source.dataset_length not in (None, len(labels)):
        return None
    index = torch.tensor(observation.indices, dtype=torch.int64)
    return labels.take(index[(index >= 0) & (index < len(labels))])


def _vector_length(weights: Any) -> int:
    return len(weights) if isinstance(weights, Tensor) and weights.ndim == 1 else 0
