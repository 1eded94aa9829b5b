"""How fast every sampler draws an epoch of a million, beside peers and the floor; `imbench speed-check` decides, not this."""

from collections import deque

import pytest
import torch

from bench.speed.samplers.items import Items
from bench.speed.samplers.peers import Unavailable
from bench.speed.samplers.variants import variants
from strategies.draw.sentence_weights import sentence_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def items(request):
    return Items(10_000 if request.config.getoption("benchmark_disable") else 1_000_000)


@pytest.mark.parametrize("variant", variants(torch.device("cpu")), ids=lambda variant: variant.name)
def test_one_epoch_of_draws(benchmark, variant, items):
    try:
        stream = variant.build(items)
    except Unavailable as reason:
        pytest.skip(str(reason))
    benchmark.group = "an epoch of draws"
    benchmark.extra_info["items"] = items.items
    benchmark(lambda: deque(stream.chunks(), maxlen=0))


def test_sentence_weights(benchmark, items):
    class_weights = items.sentences.counts().inverse()
    weights = benchmark(lambda: sentence_weights(items.sentences, class_weights))
    assert len(weights) == len(items.sentences)
