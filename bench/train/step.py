"""A stack ready to run: what its trainings draw, their parameters, their losses, and what holds when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from bench.models.variant import ModelVariant
from bench.planning.run import Run
from bench.tasks.leakage import is_changed
from bench.tasks.part import Batch, MixedBatch
from bench.tasks.tagged import forget_prepared_tasks
from bench.tasks.task import Task
from bench.train.batches import BatchLoader, BatchPlan
from bench.train.clock import Clock
from bench.train.graph import GraphedStep
from bench.train.stack import Mixing, StackedModel
from bench.train.stack_loss import StackLoss
from bench.train.strategy_slices import StrategySlice, slices


class StackRunner:
    """Trainings of one protocol and build whose models have one shape; row s of everything belongs to training s."""

    def __init__(self, runs: Sequence[Run], device: torch.device) -> None:
        """Splits and initial weights depend on the task and the seed, never on the strategy."""
        self.runs, self.protocol = runs, runs[0].protocol
        build = ModelVariant.of(runs[0].strategy)
        assert all(ModelVariant.of(each.strategy) == build for each in runs), "a stack's trainings are of one build"
        self.tasks = self._loaded()
        if is_changed(self.tasks):  # by a strategy that this process trained before
            forget_prepared_tasks()
            self.tasks = self._loaded()
        self.feeds = BatchLoader(runs, self.tasks, device)
        self.stack = StackedModel(
            self.protocol.load_model(self.tasks[0].shape),
            self.tasks[0].shape,
            [each.seed_for("init") for each in runs],
            [each.protocol for each in runs],
            device,
            build,
            [each.strategy.cosine_scale or 1.0 for each in runs],
            [Generator().manual_seed(each.seed_for("dropout")) for each in runs],
        )
        self.slices = slices([each.strategy for each in runs], self.protocol.steps)
        self.objective = StackLoss(
            self.slices,
            [task.train.labels.counts() for task in self.tasks],
            [Generator().manual_seed(each.seed_for("loss")) for each in runs],
            device,
        )
        self.steps = 0
        self._enter_phases()

    def _loaded(self) -> list[Task]:
        return [each.load_task() for each in self.runs]

    def freeze(self, training: int) -> None:
        """From now on one training stands still in its place; its neighbours go on."""
        self.stack.freeze(training)
        self._run = self._runner()

    def step(self, clock: Clock) -> None:
        """One training step of every training."""
        with clock("draw"):
            if self.steps:
                self._enter_phases()
            items = self.feeds.draw()
        with clock("gather"):
            order = self.feeds.order(items)
        with clock("step"):
            self._run(order)
        self.steps += 1

    def in_last_phase(self, training: int) -> bool:
        """Whether what is trained now is what is evaluated: a checkpoint is chosen among those of the last phase."""
        return any(training in each.members and self.steps >= each.first_steps[-1] for each in self.slices)

    def _run_eagerly(self, order: BatchPlan) -> None:
        self.stack.step(self._losses(self.feeds.gather(order)))

    def _losses(self, batch: Batch) -> Tensor:
        targets = batch.targets.flatten(1)
        if not isinstance(batch, MixedBatch):
            return self.objective(self.stack.forward(batch.x), targets)
        share = batch.lambda_y.flatten(1)
        outputs = self.stack.forward(batch.x, Mixing(batch.partner, batch.lambda_x))
        own = self.objective(outputs, targets, weight=share)
        return own + self.objective(outputs, batch.partner_targets.flatten(1), weight=1 - share)

    def _runner(self) -> Callable[[BatchPlan], None]:
        """How a step is run until something else than numbers changes: as a graph where shapes are static, on a GPU."""
        draws = self.stack.draws or self.objective.draws
        static = not (draws or self.feeds.time_first or self.stack.build.mixes)
        return GraphedStep(self._run_eagerly) if static and self.stack.device.type == "cuda" else self._run_eagerly

    def _enter_phases(self) -> None:
        begun = [(number, each, each.begins(self.steps + 1)) for number, each in enumerate(self.slices)]
        for number, each, phase in begun:
            if phase is not None:
                self._enter(number, each, phase)
        if any(phase is not None for _, _, phase in begun):
            self._run = self._runner()

    def _enter(self, number: int, each: StrategySlice, phase: int) -> None:
        entered, trained = each.phases[phase], each.phases[phase - 1].trains if phase else "all"
        self.objective.enter(number, entered.strategy)
        for row in each.members:
            self.feeds.each[row].enter(phase, entered.strategy)
            if entered.reset_head or entered.trains != trained:
                new_head = self.runs[row].seed_for("head") if entered.reset_head else None
                self.stack.enter(row, entered.trains, new_head)
