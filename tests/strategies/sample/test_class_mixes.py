"""Strategies that draw items: their laws, what they declare, and that the two agree."""

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from strategies import (
    IGNORED,
    ClassBalancedSampler,
    Labels,
    NotationError,
    RepeatFactorSampler,
    SentenceSampler,
    StrategyWarning,
    get,
    parse,
)
from strategies.draw.by_weight import ByWeight
from strategies.draw.class_aware import ClassAware
from strategies.draw.epochs import drawn_epochs
from strategies.draw.repeat_factor import RepeatFactor

COUNTS = [600, 250, 100, 50]
LABELS = Labels.of(
    torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))[
        torch.randperm(1000, generator=torch.Generator().manual_seed(0))
    ],
    ("a", "b", "c", "d", "absent"),
)
SENTENCES = Labels.packed([[0] * 9, [0] * 8 + [1], [0, 2] * 3, [1, IGNORED], [0]] * 40)
SHARES = {
    "class-balanced-sampling": [1, 1, 1, 1],
    "square-root-sampling": [600**0.5, 250**0.5, 10, 50**0.5],
    "square-root-sampling(power=1.5)": [600**1.5, 250**1.5, 1000, 50**1.5],
    "reverse-sampling": [1 / 600, 1 / 250, 1 / 100, 1 / 50],
    "effective-number-sampling(beta=0.99)": [n * 0.01 / (1 - 0.99**n) for n in COUNTS],
    "effective-number-sampling(beta=0.0)": COUNTS,
}
"""By hand, up to a factor."""
ONE_EACH = ["class-balanced-sampling", "square-root-sampling", "reverse-sampling", "effective-number-sampling"]
ONE_EACH += ["class-aware-sampling", "progressive-sampling"]


def drawn(strategy, labels, batches, batch_size=100, seed=0, steps=None):
    stream = strategy.index_stream(labels, labels.counts(), batch_size=batch_size, steps=steps or batches, seed=seed)
    return torch.cat(list(islice(stream, batches)))


def p_value(items, shares):
    """Of the classes drawn under these shares."""
    seen = torch.bincount(items, minlength=len(shares)).numpy()
    shares = np.asarray(shares, dtype=float)
    assert not seen[shares == 0].any()
    return chisquare(seen[shares > 0], shares[shares > 0] / shares.sum() * seen.sum()).pvalue


# Laws and declarations


@pytest.mark.parametrize("name", SHARES)
def test_classes_are_declared_and_sampled_by_their_shares_and_items_of_a_class_uniformly(name):
    strategy, shares = parse(name), np.array([*SHARES[name], 0.0])
    declared = strategy.effective_prior(LABELS, LABELS.counts())
    assert declared.tolist() == pytest.approx((shares / shares.sum()).tolist(), rel=1e-12)
    items = drawn(strategy, LABELS, 400)
    assert p_value(LABELS.values[items], declared.numpy()) > 1e-4
    for c, members in enumerate(COUNTS):
        of_class = torch.nonzero(LABELS.values == c).flatten()
        assert len(of_class) == members
        assert chisquare(torch.bincount(items, minlength=1000)[of_class].numpy()).pvalue > 1e-4
    weights = strategy.item_weights(LABELS, LABELS.counts())
    assert p_value(items, weights.numpy()) > 1e-4


def test_effective_number_sampling_is_class_balanced_for_small_classes_as_published():
    # By hand, of CIFAR-10-LT: the weights of classes of 5000 and 50 items, beta 0.9999.
    labels = Labels.of([0] * 5000 + [1] * 50)
    prior = get("effective-number-sampling").effective_prior(labels, labels.counts())
    shares = np.array([5000 * 1e-4 / (1 - 0.9999**5000), 50 * 1e-4 / (1 - 0.9999**50)])
    assert prior.tolist() == pytest.approx((shares / shares.sum()).tolist(), rel=1e-9)
    assert prior.tolist() == pytest.approx([0.56, 0.44], abs=0.005)


def test_square_root_shares_of_cifar_10_lt_are_the_published_ones():
    counts = torch.tensor([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50])
    labels = Labels.of(torch.repeat_interleave(torch.arange(10), counts))
    prior = get("square-root-sampling").effective_prior(labels, labels.counts())
    assert prior[[0, 9]].tolist() == pytest.approx([0.2447, 0.0245], abs=5e-5)


@given(st.lists(st.integers(0, 50), min_size=2, max_size=6).filter(lambda counts: sum(counts) > 0))
def test_power_shares_nest_and_classes_that_do_not_occur_have_none(counts):
    labels = Labels.of(
        torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts)), [str(c) for c in range(len(counts))]
    )

    def prior(text):
        return parse(text).effective_prior(labels, labels.counts()).tolist()

    occurs = sum(n > 0 for n in counts)
    assert prior("square-root-sampling(power=1)") == pytest.approx([n / sum(counts) for n in counts])
    assert prior("square-root-sampling(power=0)") == prior("class-balanced-sampling")
    assert prior("class-balanced-sampling") == pytest.approx([(n > 0) / occurs for n in counts])
    assert prior("square-root-sampling(power=-1)") == pytest.approx(prior("reverse-sampling"))
    assert prior("effective-number-sampling(beta=0.0)") == pytest.approx(prior("square-root-sampling(power=1)"))


def test_shares_are_those_of_the_pool_not_of_the_data_before_resampling():
    pool = LABELS.take(torch.nonzero(LABELS.values > 0).flatten().repeat(2))
    for name in ONE_EACH:
        strategy = get(name)
        assert torch.equal(
            strategy.effective_prior(pool, LABELS.counts()), strategy.effective_prior(pool, pool.counts())
        )
        before, own = (strategy.item_weights(pool, counts) for counts in (LABELS.counts(), pool.counts()))
        assert before is own is None or torch.equal(before, own)
        stream = strategy.index_stream(pool, LABELS.counts(), batch_size=50, steps=10, seed=0)
        assert torch.equal(torch.cat(list(islice(stream, 10))), drawn(strategy, pool, 10, 50))


def test_sentences_are_sampled_by_their_weights_and_the_mix_of_their_labels_is_declared():
    strategy = get("sentence-weights")
    weights = strategy.item_weights(SENTENCES, SENTENCES.counts())
    items = drawn(strategy, SENTENCES, 400)
    assert p_value(items, weights.numpy()) > 1e-4
    found = SENTENCES.take(items).counts().prior()
    declared = strategy.effective_prior(SENTENCES, SENTENCES.counts())
    assert found.tolist() == pytest.approx(declared.tolist(), abs=0.01)


def test_progressive_sampling_goes_from_the_natural_to_the_balanced_mix_over_the_steps_of_a_run():
    strategy, natural = get("progressive-sampling"), LABELS.counts().prior()
    balanced = torch.tensor([0.25, 0.25, 0.25, 0.25, 0.0], dtype=torch.float64)
    stream = drawn(strategy, LABELS, 400, 500, steps=300)
    classes = LABELS.values[stream].view(400, 500)
    for tenth in range(10):
        t = (tenth + 0.5) / 10  # the average of a tenth of the training
        part = classes[tenth * 30 : (tenth + 1) * 30].flatten()
        assert p_value(part, ((1 - t) * natural + t * balanced).numpy()) > 1e-4
    assert p_value(classes[300:].flatten(), balanced.numpy()) > 1e-4
    declared = strategy.effective_prior(LABELS, LABELS.counts())
    assert declared.tolist() == pytest.approx(((natural + balanced) / 2).tolist(), abs=1e-12)
    assert p_value(classes[:300].flatten(), declared.numpy()) > 1e-4
    assert strategy.item_weights(LABELS, LABELS.counts()) is None


# Draws that are not independent: whole cycles


@pytest.mark.parametrize("each", [1, 4])
def test_class_aware_rounds_hold_every_class_and_an_item_comes_again_when_its_class_is_through(each):
    counts = [13, 6, 2, 1]
    classes = torch.repeat_interleave(torch.tensor([3, 0, 2, 1]), torch.tensor(counts))
    labels = Labels.of(classes, "abcde")
    strategy = get("class-aware-sampling", samples_per_class=each)
    rounds = 13 * 6 * 3
    stream = drawn(strategy, labels, rounds, each * 4).view(rounds, 4, each)
    by_turn = classes[stream]
    assert bool((by_turn == by_turn[..., :1]).all())  # a turn is one class's
    assert bool((by_turn[..., 0].sort(dim=1).values == torch.arange(4)).all())  # a round has each class once
    assert len({tuple(order) for order in by_turn[..., 0].tolist()}) == 24  # in all orders
    for c in range(4):
        handed, members = stream[by_turn == c], torch.nonzero(classes == c).flatten()
        cycles = handed.view(-1, len(members))
        assert bool((cycles.sort(dim=1).values == members).all())  # a cycle has each item once
        assert len(members) < 3 or len({tuple(cycle) for cycle in cycles.tolist()}) > 1
    declared = strategy.effective_prior(labels, labels.counts())
    assert declared.tolist() == pytest.approx([0.25, 0.25, 0.25, 0.25, 0.0])
    assert torch.bincount(by_turn.flatten(), minlength=5).tolist() == [rounds * each] * 4 + [0]


def test_class_orders_and_first_items_of_class_aware_sampling_are_uniform():
    labels = Labels.of([0] * 5 + [1] * 2 + [2])
    draws = [ClassAware(labels.values, each=1, seed=seed).take(0, range(3)) for seed in range(2000)]
    first = torch.stack(draws)
    assert chisquare(torch.bincount(labels.values[first[:, 0]]).numpy()).pvalue > 1e-4
    of_head = first[first < 5]
    assert chisquare(torch.bincount(of_head).numpy()).pvalue > 1e-4


def test_class_aware_leaves_out_items_without_a_label():
    draws = ClassAware(torch.tensor([0, -100, 0, 1]), each=2, seed=0)
    assert 1 not in draws.take(0, range(draws.length(0)))
    assert draws.items == 4


def test_repeated_items_come_their_factors_floor_or_ceiling_an_epoch_and_the_mix_is_declared():
    strategy = get("repeat-factor-sampling", threshold=0.9)
    # By hand: O is in four of five sentences, the others in two fifths and one fifth.
    factors = [max(1, (0.9 / f) ** 0.5) for f in (0.8, 0.4, 0.2, 0.4, 0.8)]
    assert strategy.item_weights(SENTENCES, SENTENCES.counts()).tolist() == pytest.approx(factors * 40)
    draws = RepeatFactor(strategy.item_weights(SENTENCES, SENTENCES.counts()), seed=0)
    total = sum(draws.length(epoch) for epoch in range(200))
    items = drawn(strategy, SENTENCES, total // 100 + 1)[:total]
    at, times = 0, torch.zeros(200)
    for epoch in range(200):
        found = torch.bincount(items[at : at + draws.length(epoch)], minlength=200)
        at, times = at + draws.length(epoch), times + found
        assert all(int(f) <= n <= int(f) + 1 for f, n in zip(factors * 40, found.tolist(), strict=True))
    assert times.view(40, 5).mean(0).div(200).tolist() == pytest.approx(factors, rel=0.01)
    expected = np.zeros(3)
    for factor, of in zip(factors, ([9, 0, 0], [8, 1, 0], [3, 0, 3], [0, 1, 0], [1, 0, 0]), strict=True):
        expected += factor * np.array(of)
    declared = strategy.effective_prior(SENTENCES, SENTENCES.counts())
    assert declared.tolist() == pytest.approx((expected / expected.sum()).tolist(), rel=1e-9)
    assert SENTENCES.take(items).counts().prior().tolist() == pytest.approx(declared.tolist(), abs=0.003)


def test_repeat_factors_of_single_labels_and_at_the_published_threshold():
    strategy = get("repeat-factor-sampling")
    assert strategy.item_weights(LABELS, LABELS.counts()).unique().tolist() == [1]  # no class is rarer than 0.001
    fifth = get("repeat-factor-sampling", threshold=0.2)
    assert fifth.item_weights(LABELS, LABELS.counts()).unique().tolist() == pytest.approx([1, 2**0.5, 2])
    declared = fifth.effective_prior(LABELS, LABELS.counts())
    shares = np.array([600, 250, 100 * 2**0.5, 100, 0])
    assert declared.tolist() == pytest.approx((shares / shares.sum()).tolist())


# Streams


@pytest.mark.parametrize(
    ("name", "sampler", "labels"),
    [
        ("class-balanced-sampling", lambda: ClassBalancedSampler(LABELS, seed=7), LABELS),
        ("square-root-sampling", lambda: ClassBalancedSampler(LABELS, power=0.5, seed=7), LABELS),
        ("progressive-sampling", lambda: ClassBalancedSampler(LABELS, progressive=2400, seed=7), LABELS),
        ("sentence-weights", lambda: SentenceSampler(SENTENCES, seed=7), SENTENCES),
        ("repeat-factor-sampling(0.9)", lambda: RepeatFactorSampler(SENTENCES, threshold=0.9, seed=7), SENTENCES),
    ],
)
def test_a_strategy_samples_exactly_the_items_of_its_sampler_class(name, sampler, labels):
    sampler = sampler()
    epochs = [item for _ in range(20) for item in sampler]
    assert drawn(parse(name), labels, 50, 48, seed=7).tolist() == epochs[: 50 * 48]


@given(st.integers(1, 40), st.integers(1, 30), st.integers(1, 25))
def test_batches_lie_across_the_borders_of_pieces_and_epochs(epoch, batch_size, chunk):
    draws = ByWeight(torch.ones(5), draws=epoch, seed=0)
    epochs = torch.cat([draws.take(e, range(epoch)) for e in range(-(-7 * batch_size // epoch))])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("strategies.draw.epochs.CHUNK", chunk)
        batches = list(islice(drawn_epochs(draws, batch_size=batch_size), 7))
    assert [len(batch) for batch in batches] == [batch_size] * 7
    assert torch.cat(batches).tolist() == epochs[: 7 * batch_size].tolist()


def test_streams_of_the_projects_own_leave_the_global_generator_alone():
    before = torch.random.get_rng_state()
    for name in (*ONE_EACH, "repeat-factor-sampling"):
        drawn(get(name), LABELS, 2)
    drawn(get("sentence-weights"), SENTENCES, 2)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_tiny_effective_sample_size_of_a_class_mix_is_warned_of():
    labels = Labels.of([0] * 5000 + [1])
    for name in ("class-balanced-sampling", "reverse-sampling"):
        with pytest.warns(StrategyWarning, match="effective sample size"):
            drawn(get(name), labels, 1)


# Refusals


@pytest.mark.parametrize("name", ONE_EACH)
def test_items_of_many_labels_are_sent_to_the_strategies_that_take_them(name):
    reason = get(name).why_not_applicable(SENTENCES, "tokens")
    assert "many labels" in reason
    for other in ("sentence-weights", "repeat-factor-sampling"):
        assert other in reason
        assert get(other).why_not_applicable(SENTENCES, "tokens") is None
    assert get(name).why_not_applicable(LABELS, "numbers") is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("effective-number-sampling(beta=1.0)", r"beta must be from 0 to below 1; given: 1.0"),
        ("effective-number-sampling(beta=-0.1)", r"beta must be from 0 to below 1; given: -0.1"),
        ("class-aware-sampling(0)", "samples_per_class must be 1 or more; given: 0"),
        ("repeat-factor-sampling(-1)", "threshold must be 0 or more; given: -1"),
    ],
)
def test_hyper_parameters_without_a_meaning_are_refused(text, complaint):
    with pytest.raises(NotationError, match=complaint):
        parse(text)
