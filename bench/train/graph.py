"""A training step as a CUDA graph: the hundreds of small kernels of a step are launched as one."""

from __future__ import annotations

from collections.abc import Callable

import torch

from bench.train.batches import BatchPlan

WARM_UP = 3
"""Steps that are run one kernel after another before a graph is captured, as torch asks for; they count as any other."""


class GraphedStep:
    """Runs `step(order)`, captured once and replayed from then on; what an order holds must keep its shapes.

    Capturing runs nothing, so no step is taken twice. After a change of anything that is not a number on the device (a phase,
    a training that stands still) it must be made anew.
    """

    def __init__(self, step: Callable[[BatchPlan], None]) -> None:
        self._step, self._warmed_up = step, 0
        self._graph: torch.cuda.CUDAGraph | None = None
        self._order: BatchPlan | None = None

    def __call__(self, order: BatchPlan) -> None:
        """One step."""
        if self._warmed_up < WARM_UP:
            self._warm_up(order)
            return
        if self._graph is None or self._order is None:
            self._graph = torch.cuda.CUDAGraph()
            self._order = _held(order)
            with torch.cuda.graph(self._graph):
                self._step(self._order)
        _refill(self._order, order)
        self._graph.replay()

    def _warm_up(self, order: BatchPlan) -> None:
        """On a stream of its own, where what is captured later must have run before."""
        stream, here = torch.cuda.Stream(), torch.cuda.current_stream()
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            self._step(order)
        here.wait_stream(stream)
        self._warmed_up += 1


def _held(order: BatchPlan) -> BatchPlan:
    """A copy whose memory the graph reads from then on."""
    return BatchPlan(order.places.clone(), None if order.hidden is None else order.hidden.clone())


def _refill(held: BatchPlan, order: BatchPlan) -> None:
    held.places.copy_(order.places, non_blocking=True)
    if held.hidden is not None and order.hidden is not None:
        held.hidden.copy_(order.hidden, non_blocking=True)
