"""Post-hoc adjustments of one run's logits: tuned on validation only, and checked to adjust each label independently."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.errors import InputError
from bench.planning.run import Run
from bench.tasks.task import Task
from bench.train.warning_notes import collect_notes
from strategies import AdjustmentInputs, Head
from strategies.strategy import Adjustment, CrossFitted


@dataclass(frozen=True)
class TunedAdjustment:
    """An adjustment that a run is evaluated under: its name and version, its function, and what it warned of."""

    name: str
    version: int
    adjust: Adjustment
    valid_logits: Tensor
    """`(L, C)`, adjusted logits of validation: each by what was tuned without its label, where the adjustment offers that."""
    notes: list[str]


def tune_adjustments(run: Run, task: Task, head: Head, valid_logits: Tensor) -> Iterator[TunedAdjustment]:
    """Yield the adjustments that the run is evaluated under, tuned on validation only."""
    labels = task.train.labels
    prior = run.strategy.effective_prior(labels, labels.counts())
    inputs = AdjustmentInputs(head, prior, task.target_prior, valid_logits, task.valid.truth, tuple(labels.class_names))
    for strategy in run.adjustments:
        notes: list[str] = []
        with collect_notes(notes):
            adjust = strategy.adjust(inputs)
        assert adjust is not None, f"{strategy} adjusts nothing"
        checked = check_independence(adjust, str(strategy))
        on_validation = adjust.held_out if isinstance(adjust, CrossFitted) else checked(valid_logits)
        yield TunedAdjustment(str(strategy), strategy.version, checked, on_validation, notes)


def check_independence(adjust: Adjustment, name: str) -> Adjustment:
    """Return the same adjustment with a check: an `InputError` if a label's logits depend on the other labels in the batch.

    Such an adjustment would learn from the part that it is evaluated on. The check adjusts every second label once more, in
    reverse order and without the others.
    """

    def adjust_and_check(logits: Tensor) -> Tensor:
        adjusted = adjust(logits)
        every_second, alone = adjusted[::2], adjust(logits[::2].flip(0)).flip(0)
        if alone.shape != every_second.shape or not torch.allclose(
            alone, every_second, rtol=1e-4, atol=1e-4, equal_nan=True
        ):
            raise InputError(
                f"{name} adjusts a label's logits differently next to other labels, so it learns from the part that it is "
                "evaluated on; adjust each label's logits independently"
            )
        return adjusted

    return adjust_and_check
