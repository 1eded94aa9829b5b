"""A stack ready to run: what its trainings draw, their parameters, their losses, and what holds when."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from bench.models import model_for
from bench.tasks.part import PAD, MixedBatch
from bench.train.build import Build
from bench.train.clock import Clock
from bench.train.feed import Feed
from bench.train.objective import Objective
from bench.train.phases import Slice, slices
from bench.train.stack import Mixing, Stack
from bench.training import Training
from strategies import IGNORED


class Program:
    """Trainings of one protocol and build whose models have one shape; row s of everything belongs to training s."""

    def __init__(self, trainings: Sequence[Training], device: torch.device) -> None:
        """Splits and initial weights depend on the task and the seed, never on the strategy."""
        self.trainings, self.protocol = trainings, trainings[0].protocol
        build = Build.of(trainings[0].strategy)
        assert all(Build.of(each.strategy) == build for each in trainings), "a stack's trainings are of one build"
        self.tasks = [each.task.load(each.seed_for("split")) for each in trainings]
        self.feeds = [Feed(*each) for each in zip(trainings, self.tasks, strict=True)]
        self.stack = Stack(
            model_for(self.protocol, self.tasks[0].shape),
            self.tasks[0].shape,
            [each.seed_for("init") for each in trainings],
            [each.protocol for each in trainings],
            device,
            build,
            [each.strategy.cosine_scale or 1.0 for each in trainings],
            [Generator().manual_seed(each.seed_for("dropout")) for each in trainings],
        )
        self.slices = slices([each.strategy for each in trainings], self.protocol.steps)
        self.objective = Objective(
            self.slices,
            [task.train.labels.counts() for task in self.tasks],
            [Generator().manual_seed(each.seed_for("loss")) for each in trainings],
            device,
        )
        self.steps = 0
        self._enter_phases()

    def step(self, clock: Clock) -> None:
        """One training step of every training."""
        with clock("draw"):
            if self.steps:
                self._enter_phases()
            items = [feed.draw() for feed in self.feeds]
        with clock("gather"):
            batches = [feed.gather(each) for feed, each in zip(self.feeds, items, strict=True)]
            x = side_by_side([batch.x for batch in batches], PAD).to(self.stack.device)
            targets = self._flat([batch.targets for batch in batches], IGNORED)
        with clock("step"):
            mixed = [batch for batch in batches if isinstance(batch, MixedBatch)]
            self.stack.step(
                self._mixed_losses(x, targets, mixed) if mixed else self.objective(self.stack.forward(x), targets)
            )
        self.steps += 1

    def in_last_phase(self, training: int) -> bool:
        """Whether what is trained now is what is evaluated: a checkpoint is chosen among those of the last phase."""
        return any(training in each.members and self.steps >= each.first_steps[-1] for each in self.slices)

    def _mixed_losses(self, x: Tensor, targets: Tensor, batches: Sequence[MixedBatch]) -> Tensor:
        partner, lambda_x = (
            torch.stack([getattr(batch, name) for batch in batches]).to(self.stack.device)
            for name in ("partner", "lambda_x")
        )
        partner_targets = self._flat([batch.partner_targets for batch in batches], IGNORED)
        share = self._flat([batch.lambda_y for batch in batches], 1.0)
        outputs = self.stack.forward(x, Mixing(partner, lambda_x))
        own = self.objective(outputs, targets, weight=share)
        return own + self.objective(outputs, partner_targets, weight=1 - share)

    def _flat(self, tensors: Sequence[Tensor], fill: float) -> Tensor:
        return side_by_side(tensors, fill).to(self.stack.device).flatten(1)

    def _enter_phases(self) -> None:
        for number, each in enumerate(self.slices):
            if (phase := each.begins(self.steps + 1)) is not None:
                self._enter(number, each, phase)

    def _enter(self, number: int, each: Slice, phase: int) -> None:
        entered, trained = each.phases[phase], each.phases[phase - 1].trains if phase else "all"
        self.objective.enter(number, entered.strategy)
        for row in each.members:
            self.feeds[row].enter(phase, entered.strategy)
            if entered.reset_head or entered.trains != trained:
                new_head = self.trainings[row].seed_for("head") if entered.reset_head else None
                self.stack.enter(row, entered.trains, new_head)


def side_by_side(tensors: Sequence[Tensor], fill: float) -> Tensor:
    """Batches of a stack, `(S, ...)`: sentences, time first, are filled up to the longest neighbour's length."""
    longest = max(len(each) for each in tensors)
    if all(len(each) == longest for each in tensors):
        return torch.stack(tuple(tensors))
    stacked = tensors[0].new_full((len(tensors), longest, *tensors[0].shape[1:]), fill)
    for row, each in zip(stacked, tensors, strict=True):
        row[: len(each)] = each
    return stacked
