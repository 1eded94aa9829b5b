"""Index streams against independent references (enumeration, exact fractions, SciPy), and compiled against plain PyTorch."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from strategies import Labels
from strategies.draw import streams as streams_module
from strategies.draw.alias import alias_table
from strategies.draw.by_class import ByClass
from strategies.draw.by_weight import ByWeight
from strategies.draw.counter_rng import hash_key, uniforms, words
from strategies.draw.progressive import Progressive
from strategies.draw.repeat_factor import RepeatFactor, repeat_factors
from strategies.draw.streams import compiled_loops
from strategies.draw.systematic import Systematic
from strategies.draw.without_replacement import WithoutReplacement, WithoutReplacementByClass

SEEDS = range(24)
CONLL = torch.tensor([169_578, 7_140, 6_600, 6_321, 4_528, 3_704, 3_438, 1_157, 1_155])
needs_numba = pytest.mark.skipif(compiled_loops() is None, reason="numba is not installed")


def classes_of(counts, seed=0):
    classes = torch.repeat_interleave(torch.arange(len(counts)), torch.as_tensor(counts))
    return classes[torch.randperm(len(classes), generator=torch.Generator().manual_seed(seed))]


def by_class(classes, shares, **how):
    return ByClass(classes, torch.bincount(classes, minlength=len(shares)), shares, **how)


def skewed(n, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).gamma(0.3, size=n))


def splitmix(key, counter):
    """The random words of the textbook, in whole numbers."""
    mask = 2**64 - 1
    z = (key + counter * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**62), min_size=1, max_size=20))
def test_words_are_those_of_splitmix64(key, counters):
    assert [word % 2**64 for word in words(key, torch.tensor(counters)).tolist()] == [
        splitmix(key, c) for c in counters
    ]


def test_uniforms_have_53_bits_and_never_reach_1():
    numbers = uniforms(7, torch.arange(200_000))
    assert numbers.min() >= 0
    assert numbers.max() < 1
    scaled = numbers * 2**53
    assert torch.equal(scaled, scaled.floor())
    assert (scaled.long() % 2).double().mean() == pytest.approx(0.5, abs=0.01)


def test_keys_of_neighbouring_seeds_and_epochs_share_no_words():
    """`seed + epoch` as key would make epoch 1 of seed 0 equal to epoch 0 of seed 1, and streams shifted copies."""
    streams = [set(words(hash_key("draw", s, e), torch.arange(5000)).tolist()) for s in range(4) for e in range(4)]
    assert len(set().union(*streams)) == 16 * 5000


# Alias tables


def probabilities(table):
    """The probabilities of an alias table, in exact fractions."""
    n = len(table)
    mass = [Fraction(0)] * n
    for row, (kept, other) in enumerate(table.tolist()):
        mass[row] += Fraction(kept)
        mass[int(other)] += 1 - Fraction(kept)
    return [share / n for share in mass]


@example([1.0, 1.0 - 2**-53])
@given(st.lists(st.one_of(st.just(0.0), st.just(1.0), st.floats(1e-12, 1e12)), min_size=1, max_size=60).filter(any))
@settings(max_examples=300)
def test_alias_tables_reproduce_their_probabilities(weights):
    total = sum(map(Fraction, weights))
    for got, weight in zip(
        probabilities(alias_table(torch.tensor(weights, dtype=torch.float64))), weights, strict=True
    ):
        wanted = Fraction(weight) / total
        assert abs(got - wanted) <= wanted * Fraction(1, 10**10)


@pytest.mark.parametrize(
    "make", [skewed, lambda n: torch.rand(n, dtype=torch.float64), lambda n: 1.0 / torch.arange(1, n + 1)]
)
def test_alias_tables_of_a_million_items_reproduce_their_probabilities(make):
    weights = make(1_000_000).double()
    table = alias_table(weights)
    assert bool(((table[:, 0] >= 0) & (table[:, 0] <= 1)).all())
    mass = table[:, 0].numpy().astype(np.longdouble)
    np.add.at(mass, table[:, 1].long().numpy(), 1 - table[:, 0].numpy().astype(np.longdouble))
    wanted = weights.numpy().astype(np.longdouble)
    wanted *= len(wanted) / wanted.sum()
    assert float(np.abs(mass / wanted - 1)[wanted > 0].max()) < 1e-10


# Every way of drawing: the right law


def class_and_item_draws():
    counts = [600, 300, 80, 20]
    classes = classes_of(counts)
    shares = torch.tensor([0.1, 0.2, 0.3, 0.4])
    per_item = shares / torch.tensor(counts)
    weights = skewed(400)
    halfway = [
        Progressive(
            by_class(classes, torch.tensor(counts).double(), num_samples=40_000, seed=seed),
            by_class(classes, shares, num_samples=40_000, seed=seed),
            over=1,
        )
        for seed in SEEDS
    ]
    return {
        "class": ([by_class(classes, shares, num_samples=40_000, seed=s) for s in SEEDS], per_item[classes]),
        "equal classes": (
            [by_class(classes, torch.ones(4), num_samples=40_000, seed=s) for s in SEEDS],
            (0.25 / torch.tensor(counts))[classes],
        ),
        "weight": ([ByWeight(weights, num_samples=40_000, seed=s) for s in SEEDS], weights),
        "progressive, at its end": (halfway, per_item[classes]),
    }


@pytest.mark.parametrize("plain", [True, False], ids=["plain torch", "compiled"])
@pytest.mark.parametrize("way", ["class", "equal classes", "weight", "progressive, at its end"])
def test_sampling_with_replacement_follows_its_law_and_the_p_values_are_uniform(way, plain, monkeypatch):
    if plain:
        monkeypatch.setattr(streams_module, "compiled_loops", lambda: None)
    streams, weights = class_and_item_draws()[way]
    expected = (weights.double() / weights.double().sum()).numpy()
    likely = expected * 40_000 >= 5
    p_values = []
    for stream in streams:
        seen = np.bincount(stream.indices_at(1, range(40_000)).numpy(), minlength=len(expected))
        cells = np.append(seen[likely], seen[~likely].sum())
        wanted = np.append(expected[likely], expected[~likely].sum()) * 40_000
        cells, wanted = cells[wanted > 0], wanted[wanted > 0]
        p_values.append(chisquare(cells, wanted).pvalue)
    assert min(p_values) > 1e-4
    assert kstest(p_values, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("way", ["class", "equal classes", "weight"])
def test_a_million_items_follow_their_law_by_class_and_within_one(way):
    counts = CONLL * 5
    classes = classes_of(counts)
    shares = (
        torch.ones(9) if way == "equal classes" else torch.tensor([0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05])
    )
    weights = (shares / counts)[classes].double() * (skewed(len(classes)) if way == "weight" else 1)
    cells = classes * 20 + torch.arange(len(classes)) % 20  # twenty parts of each class
    expected = torch.zeros(180, dtype=torch.float64).index_add_(0, cells, weights)
    expected = (expected / expected.sum()).numpy() * 50_000
    stream = (
        ByWeight(weights, num_samples=1, seed=0)
        if way == "weight"
        else by_class(classes, shares, num_samples=1, seed=0)
    )
    p_values = []
    for stream.stream_key in SEEDS:
        seen = np.bincount(cells[stream.indices_at(0, range(50_000))].numpy(), minlength=180)
        p_values.append(chisquare(seen, expected).pvalue)
    assert min(p_values) > 1e-4
    assert kstest(p_values, "uniform").pvalue > 1e-3


def test_positions_are_independent_of_one_another():
    """Pairs of neighbours, and of positions half an epoch apart, against the product of their laws."""
    stream = by_class(classes_of([50, 30, 20]), torch.tensor([0.2, 0.3, 0.5]), num_samples=60_000, seed=5)
    label = classes_of([50, 30, 20])[stream.indices_at(0, range(60_000))].numpy()
    law = np.outer([0.2, 0.3, 0.5], [0.2, 0.3, 0.5]).ravel()
    for first, second in ((label[0::2], label[1::2]), (label[:30_000], label[30_000:])):
        assert chisquare(np.bincount(first * 3 + second, minlength=9), law * 30_000).pvalue > 1e-3


def test_progressive_sampling_moves_from_the_natural_mix_to_the_other():
    classes = classes_of([900, 100])
    before, after = (by_class(classes, torch.tensor(s), num_samples=20_000, seed=1) for s in ([0.9, 0.1], [0.5, 0.5]))
    stream = Progressive(before, after, over=40_000)
    shares = [(classes[stream.indices_at(epoch, range(20_000))] == 1).double().mean().item() for epoch in range(3)]
    assert shares == pytest.approx([0.1 + 0.4 * 0.25, 0.1 + 0.4 * 0.75, 0.5], abs=0.015)


# One stream, everywhere the same


@needs_numba
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any),
    st.integers(0, 10**6),
    st.integers(0, 10**9),
    st.integers(1, 7),
    st.floats(0, 1),
)
@settings(max_examples=60, deadline=None)
def test_compiled_loops_equal_plain_torch(counts, seed, start, step, power):
    classes = classes_of(counts)
    shares = torch.where(torch.tensor(counts) > 0, torch.tensor(counts).double() ** power, 0)
    positions = range(start, start + 500 * step, step)
    for stream in (
        by_class(classes, shares, num_samples=1, seed=seed),
        ByWeight(skewed(len(classes), seed), num_samples=1, seed=seed),
    ):
        reference = stream.torch_indices(
            hash_key(stream.stream_key, 3), torch.arange(positions.start, positions.stop, step)
        )
        assert torch.equal(stream.indices_at(3, positions), reference)


@needs_numba
def test_compiled_loops_equal_plain_torch_across_blocks_and_chunks(monkeypatch):
    streams = [
        by_class(classes_of(CONLL), CONLL.double() ** 0.5, num_samples=1, seed=1),
        by_class(classes_of(CONLL), torch.ones(9), num_samples=1, seed=1),
        ByWeight(skewed(100_000), num_samples=1, seed=1),
    ]
    compiled = [stream.indices_at(0, range(3, 200_000, 2)) for stream in streams]
    monkeypatch.setattr(streams_module, "compiled_loops", lambda: None)
    for stream, expected in zip(streams, compiled, strict=True):
        assert torch.equal(stream.indices_at(0, range(3, 200_000, 2)), expected)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_cuda_computes_the_same_indices():
    positions = torch.arange(1_000_000)
    for stream in (
        by_class(classes_of(CONLL), CONLL.double() ** 0.5, num_samples=1, seed=1),
        ByWeight(skewed(100_000), num_samples=1, seed=1),
    ):
        assert torch.equal(stream.torch_indices(99, positions.cuda()).cpu(), stream.torch_indices(99, positions))
        assert torch.equal(
            stream.indices_at(1, range(3, 500_000, 2), torch.device("cuda")).cpu(),
            stream.indices_at(1, range(3, 500_000, 2)),
        )


def test_more_than_2_to_the_24_items():
    """Where `WeightedRandomSampler` fails: every item can be sampled, the last as well as the first."""
    n = 2**24 + 10
    classes = torch.zeros(n, dtype=torch.int8)
    classes[-5:] = 1
    index = by_class(classes.long(), torch.tensor([0.5, 0.5]), num_samples=n, seed=0).indices_at(0, range(100_000))
    rare = index >= n - 5
    assert rare.double().mean() == pytest.approx(0.5, abs=0.01)
    assert chisquare(torch.bincount(index[rare] - (n - 5)).numpy()).pvalue > 1e-3
    assert kstest((index[~rare].double() / (n - 5)).numpy(), "uniform").pvalue > 1e-3
    weights = torch.ones(n)
    weights[-1] = n
    index = ByWeight(weights, num_samples=n, seed=0).indices_at(0, range(100_000))
    assert (index == n - 1).double().mean() == pytest.approx(0.5, abs=0.01)
    assert kstest((index[index < n - 1].double() / (n - 1)).numpy(), "uniform").pvalue > 1e-3


# Without replacement


def successive(weights, draws):
    """The law of successive draws without replacement, by enumeration: {ordered draws: probability}."""
    law = {}
    for order in itertools.permutations(range(len(weights)), draws):
        probability, left = 1.0, sum(weights)
        for item in order:
            probability *= weights[item] / left
            left -= weights[item]
        if probability > 0:
            law[order] = probability
    return law


@pytest.mark.parametrize("draws", [1, 2, 3])
@pytest.mark.parametrize("by_class", [False, True])
def test_sampling_without_replacement_follows_the_enumerated_law_of_successive_draws(draws, by_class):
    classes, rates = torch.tensor([0, 1, 1, 2]), torch.tensor([5.0, 2.0, 0.5])
    weights = rates[classes]
    law = successive(weights.tolist(), draws)
    seen = dict.fromkeys(law, 0)
    stream = (
        WithoutReplacementByClass(classes, rates, num_samples=draws, seed=1)
        if by_class
        else WithoutReplacement(weights, num_samples=draws, seed=1)
    )
    for epoch in range(6000):
        seen[tuple(stream.indices_at(epoch, range(draws)).tolist())] += 1
    assert chisquare(list(seen.values()), [p * 6000 for p in law.values()]).pvalue > 1e-3


@given(st.lists(st.integers(1, 300), min_size=1, max_size=5), st.floats(0.01, 1), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_sampling_without_replacement_repeats_nothing_and_is_complete(counts, share, seed):
    classes = classes_of(counts)
    draws = max(1, int(share * len(classes)))
    rates = torch.linspace(1, 100, len(counts))
    for stream in (
        WithoutReplacementByClass(classes, rates, num_samples=draws, seed=seed),
        WithoutReplacement(rates[classes], num_samples=draws, seed=seed),
    ):
        index = stream.indices_at(0, range(draws))
        assert len(index.unique()) == draws
        assert 0 <= int(index.min()) <= int(index.max()) < len(classes)


def test_sampling_by_class_equals_sampling_by_item_weights_though_few_items_are_timed():
    """The filter by horizon changes no arrival: the same uniform numbers give the same winners in the same order."""
    classes, rates = classes_of([5000, 400, 20]), torch.tensor([1.0, 10.0, 300.0])
    few, every = (
        WithoutReplacementByClass(classes, rates, num_samples=200, seed=3),
        WithoutReplacement(rates[classes], num_samples=200, seed=3),
    )
    few.stream_key = every.stream_key
    assert few.horizon < float("inf")
    assert torch.equal(few.indices_at(4, range(200)), every.indices_at(4, range(200)))


# Low variance


def test_systematic_sampling_gives_the_floor_or_ceiling_and_is_right_on_average():
    weights = skewed(50)
    expected = weights / weights.sum() * 1000
    total = torch.zeros(50)
    stream = Systematic(weights, num_samples=1000, seed=2)
    for epoch in range(400):
        times = torch.bincount(stream.indices_at(epoch, range(1000)), minlength=50)
        assert int(times.sum()) == 1000
        assert bool(((times >= expected.floor()) & (times <= expected.ceil())).all())
        total += times
    assert torch.allclose(total / 400, expected.float(), atol=0.12)


def test_repeat_factors_are_those_of_lvis():
    items = [[0], [0, 1], [0, 0, 2], [0], [], [-100]]
    got = repeat_factors(Labels.packed(items, class_names="abc"), threshold=0.5)
    rare = (0.5 / (1 / 6)) ** 0.5
    assert got.tolist() == pytest.approx([1, rare, rare, 1, 1, 1])


def test_repeat_factors_at_threshold_0_change_nothing_and_are_rounded_at_random_to_their_mean():
    assert repeat_factors(Labels.packed([[0], [0, 1]]), 0.0).tolist() == [1, 1]
    stream = RepeatFactor(torch.tensor([1.0, 2.25]), seed=0)
    lengths = [stream.length(epoch) for epoch in range(500)]
    assert set(lengths) == {3, 4}
    assert np.mean(lengths) == pytest.approx(3.25, abs=0.08)
