"""What a loader really draws, and what is wrong with the way it is wired."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import torch
from torch import Tensor, distributed

from strategies.labels import Labels
from strategies.loader_audit import check_loader as loaders
from strategies.loader_audit import check_loss as losses
from strategies.loader_audit import check_padding as padding
from strategies.loader_audit import check_weights as weights
from strategies.loader_audit.audit_text import format_audit
from strategies.loader_audit.batch_labels import labels_from_targets
from strategies.loader_audit.context import AuditContext, Role
from strategies.loader_audit.finding import AuditFinding
from strategies.loader_audit.item_labels import find_label_mismatch, labels_of_source, parse_labels
from strategies.loader_audit.loader_source import LoaderSource, find_source
from strategies.loader_audit.loader_statistics import LoaderStatistics, compute_statistics
from strategies.loader_audit.loss_introspection import inspect_loss
from strategies.loader_audit.mix_test import FEWEST, OWN, Intended, MixTest, intended_mix
from strategies.loader_audit.observed import LIMIT, Observation, observe

LEAST_DRAWS = 2_000
"""Items drawn at least, where there are as many: further epochs are read for them."""

Diagnosis = Callable[[AuditContext], AuditFinding | None]
DIAGNOSES: tuple[Diagnosis, ...] = (
    weights.not_finite,
    weights.per_class,
    weights.of_a_subset,
    weights.number,
    weights.out_of_range,
    weights.class_order,
    weights.item_order,
    weights.no_op,
    weights.precision,
    loaders.validation_resampled,
    loaders.sampler_dropped,
    loaders.sampler_repeated,
    losses.double_correction,
    losses.majority_ignored,
    padding.pad_counted,
)
BY_LABELS: tuple[Diagnosis, ...] = (weights.class_order, weights.item_order)
"""Those that would blame the weights for labels that are not the data set's."""
OF_THE_MIX: tuple[Diagnosis, ...] = (loaders.natural_mix, loaders.other_mix)
"""What is said of a mix that no other finding accounts for; the first that applies."""


OWN_MIX = "the mix is the sampler's own; give intended=... to test it"


@dataclass(frozen=True)
class Audit:
    """What was found, and what was seen; `print` it."""

    findings: tuple[AuditFinding, ...]
    test: MixTest
    intended: str
    evidence: LoaderStatistics | None
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, as far as could be seen."""
        return not self.findings

    @property
    def p_value(self) -> float | None:
        """Of the class mix drawn, were it the intended one; None where that could not be told."""
        return self.test.p_value

    def __str__(self) -> str:
        return format_audit(self.findings, self.test, self.intended, self.evidence, self.notes)


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
    """Draws from a loader or sampler, at most 1e5 items, and names what is wrong with its wiring; nothing of it is changed.

    `labels` are the class ids of every item of the data set that is read, packed `Labels` where items have many. The class
    mix drawn is tested against `intended` (see `intended_mix`) by chi-square at 1e-3; if that is not given, a mix that a sampler
    of this package was asked for, such as the square root, is only shown. `loss` or `class_weights (C,)`, and
    `loss_prior (C,)` that a loss corrects for, are checked together with the draws. `num_replicas` and `rank` default to
    `torch.distributed`'s. A running generator is spent by being read: give the function that makes it.

    >>> from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler
    >>> labels = torch.tensor([0] * 90 + [1] * 10)
    >>> class_weights = 1.0 / labels.bincount()
    >>> sampler = WeightedRandomSampler(class_weights, len(labels))
    >>> found = audit(DataLoader(TensorDataset(torch.zeros(100, 3), labels), sampler=sampler, batch_size=10), labels)
    >>> [finding.name for finding in found.findings]
    ['weights-per-class']
    """
    if role not in get_args(Role):
        raise ValueError(f"role must be {' or '.join(map(repr, get_args(Role)))}; given: {role!r}")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"batch_size must be a whole number from 1; given: {batch_size!r}")
    replicas, rank = _place(num_replicas, rank)
    source = find_source(loader_or_sampler)
    read = labels_of_source(parse_labels(labels, class_names, _length(getattr(loss, "weight", None))), source)
    pads = padding.find_pad_classes(read, pad)
    kept = padding.mask_padding(read, pads)
    if not int(kept.counts().values.sum()):
        raise ValueError("audit needs labels of at least one class; given: none but padding. Give class ids from 0.")
    name, mix = intended_mix("natural" if intended is None and role == "validation" else intended, kept)
    seen = inspect_loss(loss, class_weights, loss_prior, kept.counts())
    draws, notes = _draws(source, mix, batch_size)
    drawn = None if draws is None else _labels_drawn(draws, source, kept, pads)
    wiring = AuditContext(source, kept, read, mix, role, replicas, rank, seen, pads, pad is not None, draws, drawn)
    if intended is None:
        name, wiring = _told_by_the_wiring(name, wiring)
        notes += (OWN_MIX,) if name == OWN else ()
    findings = tuple(_diagnosed(wiring))
    if draws is None and not findings:
        raise ValueError(f"audit could not draw: {'; '.join(notes)}. Iterate over the sampler alone to see the error.")
    shown = None if draws is None or drawn is None else compute_statistics(wiring, draws, drawn)
    return Audit(findings, wiring.test, name, shown, notes)


def _told_by_the_wiring(name: str, wiring: AuditContext) -> tuple[str, AuditContext]:
    """The mix where none is given: the data set's if the loss corrects for it, a sampler's own if it is not the usual one."""
    if losses.corrected_by_loss(wiring):
        return "natural", replace(wiring, intended=wiring.natural)
    if wiring.role == "training" and wiring.test.rejects and wiring.source.has_own_mix(wiring.labels.single_label):
        return OWN, replace(wiring, intended=torch.full_like(wiring.intended, torch.nan))
    return name, wiring


def _diagnosed(wiring: AuditContext) -> Iterator[AuditFinding]:
    differ = find_label_mismatch(wiring.given, wiring.source, wiring.draws)
    asked = DIAGNOSES if differ is None else [each for each in DIAGNOSES if each not in BY_LABELS]
    found = [finding for diagnose in asked if (finding := diagnose(wiring)) is not None]
    found += [] if differ is None else [differ]
    yield from found
    if not any(finding.moves_mix for finding in found):
        yield from [finding for diagnose in OF_THE_MIX if (finding := diagnose(wiring)) is not None][:1]


def _draws(source: LoaderSource, mix: Tensor, batch_size: int | None) -> tuple[Observation | None, tuple[str, ...]]:
    """What was drawn, None where the sampler cannot; and notes on it."""
    fewest = math.ceil(FEWEST / float(mix[mix > 0].min()))
    try:
        draws = observe(source, min(LIMIT, max(LEAST_DRAWS, fewest)), batch_size)
    except (RuntimeError, IndexError) as error:  # torch's own answers to weights that it cannot draw by
        return None, (f"nothing could be drawn: {str(error).splitlines()[0]}",)
    if not len(draws):
        raise ValueError("audit drew nothing: the loader or sampler is empty, or a generator that was read before")
    spent = "the generator that was given is spent; make a new one for training, or give the function that makes it"
    return draws, (spent,) if source.once else ()


def _labels_drawn(draws: Observation, source: LoaderSource, kept: Labels, pads: tuple[int, ...]) -> Labels | None:
    """The labels of what was drawn, item by item; None where the labels known are not of the data set that is read."""
    if draws.targets:
        return padding.mask_padding(labels_from_targets(draws.targets, kept.class_names), pads)
    dataset: Any = source.dataset
    if dataset is not None and hasattr(dataset, "__len__") and len(dataset) != len(kept):
        return None
    index = torch.tensor(draws.index, dtype=torch.int64)
    return kept.take(index[(index >= 0) & (index < len(kept))])


def _place(num_replicas: int | None, rank: int | None) -> tuple[int, int | None]:
    together = distributed.is_available() and distributed.is_initialized()
    if num_replicas is None:
        num_replicas = distributed.get_world_size() if together else 1
    if rank is None and together:
        rank = distributed.get_rank()
    if num_replicas < 1 or (rank is not None and not 0 <= rank < num_replicas):
        raise ValueError(
            f"num_replicas must be at least 1 and rank from 0 to num_replicas - 1; given: {num_replicas=}, {rank=}"
        )
    return num_replicas, rank


def _length(weights: Any) -> int:
    return len(weights) if isinstance(weights, Tensor) and weights.ndim == 1 else 0
