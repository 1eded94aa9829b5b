"""The adjustments of one run's logits, tuned on validation alone and checked to treat each label by itself."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from bench.errors import InputError
from bench.planning.run import Run
from bench.tasks.task import Task
from strategies import AdjustmentInputs, Head
from strategies.strategy import Adjustment


def adjustments_of(training: Run, task: Task, head: Head, valid_logits: Tensor) -> Iterator[tuple[str, Adjustment]]:
    """What the training asks to be done to its finished logits, by name; tuned on validation alone."""
    labels = task.train.labels
    prior = training.strategy.effective_prior(labels, labels.counts())
    target_prior = torch.bincount(task.valid.truth, minlength=labels.num_classes).double() / len(task.valid.truth)
    inputs = AdjustmentInputs(head, prior, target_prior, valid_logits, task.valid.truth)
    for strategy in training.adjustments:
        adjust = strategy.adjust(inputs)
        assert adjust is not None, f"{strategy} adjusts nothing"
        yield str(strategy), one_by_one(adjust, str(strategy))


def one_by_one(adjust: Adjustment, name: str) -> Adjustment:
    """The same adjustment, which raises an InputError where a label's logits come out otherwise in other company."""

    def checked(logits: Tensor) -> Tensor:
        together, apart = adjust(logits), adjust(logits[::2].flip(0)).flip(0)
        if apart.shape != together[::2].shape or not torch.allclose(
            apart, together[::2], rtol=1e-4, atol=1e-4, equal_nan=True
        ):
            raise InputError(
                f"{name} changes a label's logits by which others stand beside it, so it learns from the part that it is "
                "judged on; adjust each label's logits alone"
            )
        return together

    return checked
