"""A training step as a CUDA graph: the hundreds of small kernels of a step are launched together."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.train.batches import BatchPlan

WARM_UP = 3
"""Steps that run eagerly before the graph is captured, as torch requires. They are training steps like all others."""


class GraphedStep:
    """Runs `step(plan)`: captures it once and replays it from then on. The tensors of a plan must keep their shapes.

    Capturing executes nothing, so no step is taken twice. A graph repeats the kernels that it captured: after any change other
    than of numbers on the device (a new phase, a run that is frozen), build a new `GraphedStep`.
    """

    def __init__(self, step: Callable[[BatchPlan], None]) -> None:
        self._step, self._warmed_up = step, 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._plan: BatchPlan | None = None
        """The plan whose memory the graph reads."""

    def __call__(self, plan: BatchPlan) -> None:
        """Take one step."""
        if self._warmed_up < WARM_UP:
            self._warm_up(plan)
            return
        if self._graph is None or self._plan is None:
            self._graph = torch.cuda.CUDAGraph()
            self._plan = _clone(plan)
            with torch.cuda.graph(self._graph):
                self._step(self._plan)
        _copy_into(self._plan, plan)
        self._graph.replay()

    def _warm_up(self, plan: BatchPlan) -> None:
        """Take one step eagerly on a side stream: torch captures only what ran on one before."""
        side, current = torch.cuda.Stream(), torch.cuda.current_stream()
        side.wait_stream(current)
        with torch.cuda.stream(side):
            self._step(plan)
        current.wait_stream(side)
        self._warmed_up += 1


def _clone(plan: BatchPlan) -> BatchPlan:
    return BatchPlan(plan.row_ids.clone(), None if plan.unk_mask is None else plan.unk_mask.clone())


def _copy_into(target: BatchPlan, plan: BatchPlan) -> None:
    target.row_ids.copy_(plan.row_ids, non_blocking=True)
    if target.unk_mask is not None and plan.unk_mask is not None:
        target.unk_mask.copy_(plan.unk_mask, non_blocking=True)
