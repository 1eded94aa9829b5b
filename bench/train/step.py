"""One training step of a stack: sample items, gather the batch, forward, losses, backward, Adam."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor

from bench.models.variant import ModelVariant
from bench.planning.run import Run, add_baselines
from bench.tasks.leakage import is_changed
from bench.tasks.loaded_tasks import forget_loaded_tasks
from bench.tasks.part import Batch, MixedBatch
from bench.tasks.tagged_corpora import forget_prepared_tasks
from bench.tasks.task import Task
from bench.train.batches import BatchLoader, BatchPlan
from bench.train.clock import Clock
from bench.train.graph import GraphedStep
from bench.train.stack import Mixing, StackedModel
from bench.train.stack_loss import StackLoss
from bench.train.strategy_slices import slice_by_strategy


class StackRunner:
    """A stack that is being trained: its data, model and losses, and the phase that each strategy is in.

    All runs share one protocol (but for learning rate and weight decay), one model variant and one shape of model. Row s of
    every tensor belongs to run s. Behind the runs that were asked for stand the baselines that some of them need.
    """

    def __init__(self, runs: Sequence[Run], device: torch.device) -> None:
        runs = add_baselines(runs)
        self.runs, self.protocol = runs, runs[0].protocol
        rows = {run.id: row for row, run in enumerate(runs)}
        self.baseline_rows = {row: rows[run.baseline.id] for row, run in enumerate(runs) if run.adds_validation}
        """Rows of the runs that end where their baseline's best checkpoint is, and the row of each one's baseline."""
        variant = ModelVariant.of(runs[0].strategy)
        assert all(ModelVariant.of(run.strategy) == variant for run in runs), "runs of a stack share one model variant"

        # Data and initial weights depend on the task and the seed, never on the strategy: comparisons are paired.
        self.tasks = self._load_tasks()
        if is_changed(self.tasks):  # by a strategy that this process trained before: cached data was written into
            forget_prepared_tasks()
            forget_loaded_tasks()
            self.tasks = self._load_tasks()
            assert not is_changed(self.tasks), "data are loaded as they are"  # from now on changes are noticed
        self.loader = BatchLoader(runs, self.tasks, device)
        self.stack = StackedModel(
            self.protocol.load_model(self.tasks[0].shape),
            self.tasks[0].shape,
            [run.seed_for("init") for run in runs],
            [run.protocol for run in runs],
            device,
            variant,
            [run.strategy.cosine_scale or 1.0 for run in runs],
            [Generator().manual_seed(run.seed_for("dropout")) for run in runs],
        )
        self.slices = slice_by_strategy([run.strategy for run in runs], self.protocol.steps)
        self.loss = StackLoss(
            self.slices,
            [task.train.labels.counts() for task in self.tasks],
            [Generator().manual_seed(run.seed_for("loss")) for run in runs],
            device,
        )
        self.steps = 0
        """Training steps taken so far."""
        self._start_phases()

    def _load_tasks(self) -> list[Task]:
        return [run.load_task() for run in self.runs]

    def step(self, clock: Clock) -> None:
        """Take one training step of every run."""
        with clock("draw"):
            if self.steps:
                self._start_phases()
            items = self.loader.sample_items()
        with clock("gather"):
            plan = self.loader.plan_batch(items)
        with clock("step"):
            self._train_on(plan)
        self.steps += 1

    def _train_eagerly(self, plan: BatchPlan) -> None:
        self.stack.step(self._losses(self.loader.gather(plan)))

    def _losses(self, batch: Batch) -> Tensor:
        """Return the loss of each run `(S,)`; a mixed batch is compared with both items of each pair, by their shares."""
        targets = batch.targets.flatten(1)
        if not isinstance(batch, MixedBatch):
            return self.loss(self.stack.forward(batch.x), targets)
        share = batch.lambda_y.flatten(1)
        outputs = self.stack.forward(batch.x, Mixing(batch.partner, batch.lambda_x))
        own = self.loss(outputs, targets, weight=share)
        return own + self.loss(outputs, batch.partner_targets.flatten(1), weight=1 - share)

    def _choose_step(self) -> Callable[[BatchPlan], None]:
        """Return how steps are taken until the next phase: on a GPU as a graph, where all shapes are static.

        A graph can repeat neither random numbers from the host nor shapes that differ from batch to batch.
        """
        uses_host_rng = self.stack.uses_host_rng or self.loss.uses_host_rng
        static = not (uses_host_rng or self.loader.time_first or self.stack.variant.mixes)
        return GraphedStep(self._train_eagerly) if static and self.stack.device.type == "cuda" else self._train_eagerly

    def _start_phases(self) -> None:
        """Start the phases that begin with the next step."""
        starting = [
            (number, phase)
            for number, strategy_slice in enumerate(self.slices)
            if (phase := strategy_slice.phase_starting_at(self.steps + 1)) is not None
        ]
        for number, phase in starting:
            self._start_phase(number, phase)
        if starting:
            self._train_on = self._choose_step()

    def _start_phase(self, number: int, phase: int) -> None:
        """Start a phase of one slice: its loss, its samplers, and which parameters of its runs are trained."""
        phases = self.slices[number].phases
        new, trained_before = phases[phase], phases[phase - 1].trains if phase else "all"
        self.loss.start_phase(number, new.strategy)
        for row in self.slices[number].members:
            self.loader.samplers[row].start_phase(phase, new.strategy)
            if new.reset_head or new.trains != trained_before:
                new_head_seed = self.runs[row].seed_for("head") if new.reset_head else None
                self.stack.start_phase(row, new.trains, new_head_seed)

    def freeze(self, row: int) -> None:
        """Stop training one run; it keeps its place, and its neighbours are trained as before."""
        self.stack.freeze(row)
        self._train_on = self._choose_step()

    def in_last_phase(self, row: int) -> bool:
        """Whether a run is in its last phase: its checkpoint is chosen there, after everything has been trained."""
        return any(row in part.members and self.steps >= part.first_steps[-1] for part in self.slices)
