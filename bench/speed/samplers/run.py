"""One measurement of samplers, from sizes to a result."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from bench.machine.facts import facts
from bench.speed.samplers.items import SENTENCE
from bench.speed.samplers.measure import TOGETHER, measure
from bench.speed.samplers.result import Result
from bench.speed.samplers.sentence_cost import sentence_weights_cost
from bench.speed.samplers.timing import LONGEST, ROUNDS, SHORTEST

METHOD = (
    f"one thread; all variants in turn in one process, {ROUNDS} rounds, medians (of ratios: of each round's ratio); a timed run "
    f"repeats epochs for at least {SHORTEST * 1e3:.0f} ms, right after a pass that is not timed; an epoch that takes longer "
    f"than {LONGEST:g} s after its first piece is cut there, and what passed before its first piece is shared by all its draws; "
    f"past {TOGETHER:,} items each variant takes turns with the floor alone"
)
MOST_TOKENS = 20_000_000
"""That weighing sentences is timed on."""


def run(sizes: Sequence[int], device: torch.device, command: str, say: Callable[[str], None]) -> Result:
    """All variants at all sizes, on one thread."""
    torch.set_num_threads(1)
    rows = [row for size in sizes for row in measure(size, device, say)]
    say("sentence weights")
    cost = sentence_weights_cost(min(SENTENCE * max(sizes), MOST_TOKENS)) if device.type == "cpu" else None
    return Result(command, facts(device, "torch", "numba", "numpy"), METHOD, rows, cost)
