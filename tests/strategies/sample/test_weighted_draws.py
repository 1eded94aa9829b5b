import math
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import WeightedRandomSampler

from strategies import Labels, StrategyWarning, effective_sample_size, get
from strategies.draw.epochs import shuffled_epochs, weighted_epochs
from strategies.draw.sentence_weights import geometric_means, segment_means

THREAD = Labels.packed([[0, 1], [0, 1, 1, 1, 1, 1], [1]])


def drawn(stream, batches):
    return torch.cat(list(islice(stream, batches)))


def test_the_threads_sentences_get_the_weights_written_there():
    weights = geometric_means(torch.tensor([0.1, 0.01]), THREAD)
    assert weights.tolist() == pytest.approx([0.0316, 0.0147, 0.01], abs=5e-5)


@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=30), min_size=1, max_size=8))
def test_geometric_means_are_those_of_a_plain_loop(items):
    class_weights = [0.5, 2e-3, 7.0, 1e-6]
    expected = [math.exp(math.fsum(math.log(class_weights[c]) for c in item) / len(item)) for item in items]
    labels, weights = Labels.packed(items, class_names="abcd"), torch.tensor(class_weights, dtype=torch.float64)
    assert geometric_means(weights, labels).tolist() == pytest.approx(expected, rel=1e-12)
    assert segment_means(weights.log(), labels).exp().tolist() == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.lists(st.integers(0, 2), min_size=9, max_size=9), min_size=2, max_size=6))
def test_the_product_is_the_geometric_mean_to_the_power_of_the_positions(items):
    labels = Labels.packed(items, class_names="abc")
    mean = get("sentence-weights").item_weights(labels, labels.counts())
    product = get("sentence-weights", reduction="product").item_weights(labels, labels.counts())
    assert torch.allclose(product, (mean / mean.max()) ** 9, rtol=1e-9)


def test_a_product_of_long_items_does_not_underflow_to_nothing():
    rare, common = [1] * 400, [0] * 400
    labels = Labels.packed([common] * 50 + [rare])
    weights = get("sentence-weights", reduction="product").item_weights(labels, labels.counts())
    assert weights[-1] == 1
    assert 0 <= weights[0] < 1e-300


def test_an_item_without_a_label_is_never_sampled():
    labels = Labels.packed([[0, 0], [-100, -100], [1, 0]])
    assert get("sentence-weights").item_weights(labels, labels.counts())[1] == 0
    assert segment_means(torch.zeros(2), labels).tolist() == [0, -math.inf, 0]


def test_product_is_refused_where_numbers_of_positions_differ_and_single_labels_are_sent_elsewhere():
    assert "numbers differ" in (get("sentence-weights", reduction="product").why_not_applicable(THREAD, "tokens") or "")
    assert get("sentence-weights").why_not_applicable(THREAD, "tokens") is None
    assert "class-balanced-sampling" in (get("sentence-weights").why_not_applicable(Labels.of([0, 1]), "numbers") or "")
    assert "sentence-weights" in (get("weighted-random-sampler").why_not_applicable(THREAD, "tokens") or "")


def test_a_tiny_effective_sample_size_is_warned_of():
    labels = Labels.packed([[0] * 9] * 500 + [[1] * 9])
    with pytest.warns(StrategyWarning, match=r"effective sample size of 1\.0 of 501"):
        next(
            get("sentence-weights", reduction="product").index_stream(
                labels, labels.counts(), batch_size=4, steps=1, seed=0
            )
        )


@given(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=50))
def test_effective_sample_size_is_kishs(weights):
    expected = math.fsum(weights) ** 2 / math.fsum(w * w for w in weights)
    assert effective_sample_size(torch.tensor(weights, dtype=torch.float64)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0])
def test_classes_are_sampled_in_proportion_to_n_to_the_1_minus_power(power):
    counts = np.array([600, 300, 80, 20])
    labels = Labels.of(np.repeat(np.arange(4), counts))
    stream = get("weighted-random-sampler", power=power).index_stream(
        labels, labels.counts(), batch_size=500, steps=40, seed=3
    )
    seen = torch.bincount(labels.values[drawn(stream, 40)], minlength=4).numpy()
    expected = counts ** (1 - power)
    assert chisquare(seen, expected / expected.sum() * seen.sum()).pvalue > 1e-3


def test_weighted_epochs_are_pytorchs_own_sampler_laid_end_to_end():
    weights = torch.tensor([0.2, 1.0, 5.0, 0.1])
    generator = torch.Generator().manual_seed(7)
    sampler = WeightedRandomSampler(weights.double(), 4, generator=generator)
    expected = [index for _ in range(3) for index in sampler]
    assert drawn(weighted_epochs(weights, batch_size=3, seed=7), 4).tolist() == expected


@given(st.integers(1, 20), st.integers(1, 30), st.integers(0, 1000))
def test_shuffled_epochs_hold_every_item_once_an_epoch_whatever_the_batch_size(items, batch_size, seed):
    batches = -(-3 * items // batch_size)
    stream = drawn(shuffled_epochs(items, batch_size=batch_size, seed=seed), batches)
    for epoch in torch.split(stream[: 3 * items], items):
        assert sorted(epoch.tolist()) == list(range(items))


def test_streams_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    labels = Labels.of([0, 0, 1])
    for name in ("none", "weighted-random-sampler"):
        next(get(name).index_stream(labels, labels.counts(), batch_size=2, steps=1, seed=0))
    assert torch.equal(before, torch.random.get_rng_state())


def test_more_items_than_pytorchs_sampler_takes_are_not_applicable():
    many = Labels.of(torch.zeros(2**24 + 1, dtype=torch.int64), ("one",))
    assert "2^24" in get("weighted-random-sampler").why_not_applicable(many, "numbers")
