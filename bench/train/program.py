"""A stack ready to run: what its trainings draw, their parameters, their losses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.models import find_model
from bench.seeds import sub_seed
from bench.tasks.part import PAD
from bench.tasks.task import Task
from bench.train.clock import Clock
from bench.train.feed import Feed
from bench.train.objective import Objective
from bench.train.stack import Stack
from bench.training import Training
from strategies import IGNORED


@dataclass(frozen=True)
class Program:
    """Trainings of one protocol whose models have one shape; row s of everything belongs to training s."""

    tasks: list[Task]
    feeds: list[Feed]
    stack: Stack
    objective: Objective

    @classmethod
    def of(cls, trainings: Sequence[Training], device: torch.device) -> Program:
        """Splits and initial weights depend on the task and the seed, never on the strategy."""
        protocol = trainings[0].protocol
        tasks = [each.task.load(sub_seed("split", each.task.label, each.seed)) for each in trainings]
        seeds = [sub_seed("init", each.task.label, each.seed) for each in trainings]
        return cls(
            tasks,
            [Feed(*each) for each in zip(trainings, tasks, strict=True)],
            Stack(find_model(protocol.model), tasks[0].shape, seeds, protocol, device),
            Objective([each.strategy for each in trainings], [task.train.labels.counts() for task in tasks], device),
        )

    def step(self, clock: Clock) -> None:
        """One training step of every training."""
        with clock("draw"):
            items = [feed.draw() for feed in self.feeds]
        with clock("gather"):
            batches = [feed.gather(each) for feed, each in zip(self.feeds, items, strict=True)]
            x = side_by_side([batch.x for batch in batches], PAD).to(self.stack.device)
            targets = side_by_side([batch.targets for batch in batches], IGNORED).to(self.stack.device)
        with clock("step"):
            self.stack.step(self.objective(self.stack.logits(x), targets.flatten(1)))


def side_by_side(tensors: Sequence[Tensor], fill: int) -> Tensor:
    """Batches of a stack, `(S, ...)`: sentences, time first, are filled up to the longest neighbour's length."""
    longest = max(len(each) for each in tensors)
    if all(len(each) == longest for each in tensors):
        return torch.stack(tuple(tensors))
    stacked = tensors[0].new_full((len(tensors), longest, *tensors[0].shape[1:]), fill)
    for row, each in zip(stacked, tensors, strict=True):
        row[: len(each)] = each
    return stacked
