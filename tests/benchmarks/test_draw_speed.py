"""How fast strategies sample: `pytest tests/benchmarks --benchmark-only` prints the times; no test fails for them."""

import warnings
from itertools import islice

import pytest
import torch

import strategies
from strategies import Labels, StrategyWarning

CONLL2003_COUNTS = [169_578, 7_140, 6_600, 6_321, 4_528, 3_704, 3_438, 1_157, 1_155]
BATCH = 256

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def windows():
    return Labels.of(torch.repeat_interleave(torch.arange(len(CONLL2003_COUNTS)), torch.tensor(CONLL2003_COUNTS)))


@pytest.fixture(scope="module")
def sentences(windows):
    shuffled = windows.values[torch.randperm(len(windows), generator=torch.Generator().manual_seed(0))]
    ends = torch.arange(0, len(windows) + 1, 15)
    return Labels(shuffled[: int(ends[-1])], ends, windows.class_names)


@pytest.mark.parametrize("name", ["none", "weighted-random-sampler", "sentence-weights"])
def test_one_epoch_of_indices(benchmark, name, windows, sentences):
    labels = sentences if name == "sentence-weights" else windows
    batches = len(labels) // BATCH
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrategyWarning)
        stream = strategies.get(name).index_stream(labels, labels.counts(), batch_size=BATCH, steps=batches, seed=0)
        indices = benchmark(lambda: torch.cat(list(islice(stream, batches))))
    benchmark.extra_info["items"] = len(indices)
    assert len(indices) == batches * BATCH
