"""Time an epoch of a million items for every sampler, peer and the lower bound; `imbench speed-check` finds slowdowns."""

from collections import deque

import pytest
import torch

from bench.speed.samplers.peers import Unavailable
from bench.speed.samplers.synthetic_items import SyntheticItems
from bench.speed.samplers.variants import list_variants
from strategies.draw.sentence_weights import sentence_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def items(request):
    return SyntheticItems(10_000 if request.config.getoption("benchmark_disable") else 1_000_000)


@pytest.mark.parametrize("variant", list_variants(torch.device("cpu")), ids=lambda variant: variant.name)
def test_one_epoch_of_indices(benchmark, variant, items):
    try:
        stream = variant.build(items)
    except Unavailable as reason:
        pytest.skip(str(reason))
    benchmark.group = "an epoch of indices"
    benchmark.extra_info["items"] = items.count
    benchmark(lambda: deque(stream.chunks(), maxlen=0))


def test_sentence_weights(benchmark, items):
    class_weights = items.sentences.counts().inverse()
    weights = benchmark(lambda: sentence_weights(items.sentences, class_weights))
    assert len(weights) == len(items.sentences)
