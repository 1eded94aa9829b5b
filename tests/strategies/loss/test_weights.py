import math
from fractions import Fraction

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import ClassCounts, Labels, NotationError, get

CIFAR = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
COUNTS = st.lists(st.integers(1, 10**6), min_size=2, max_size=8)
WEIGHTS = ["loss-weights", "class-balanced-loss", "cost-sensitive-weights", "one-minus-share-weights"]


def counted(values):
    return ClassCounts(torch.tensor(values), tuple(map(str, range(len(values)))))


def batch(seed, classes=3, items=40):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (items,), generator=generator)


def weighted(name, counts, **parameters):
    return get(name, **parameters).class_weights(counts).values


def test_effective_numbers_of_cifar_10_lt_100_are_the_published_ones():
    published = [0.0506, 0.0769, 0.1211, 0.195, 0.3188, 0.5246, 0.8683, 1.4426, 2.4092, 3.9927]
    weights = counted(CIFAR).effective_number(0.9999)
    assert weights.dtype == torch.float64
    assert weights.tolist() == pytest.approx(published, abs=6e-5)
    assert weighted("class-balanced-loss", counted(CIFAR)).tolist() == weights.tolist()


@given(COUNTS, st.sampled_from([0.0, 0.3, 0.9, 0.999, 0.9999]))
def test_effective_numbers_are_those_of_the_formula_and_sum_to_the_classes(values, beta):
    raw = [(1 - beta) / (1 - beta**n) for n in values]
    expected = [len(values) * each / sum(raw) for each in raw]
    assert counted(values).effective_number(beta).tolist() == pytest.approx(expected, rel=1e-9)


def test_effective_numbers_keep_their_digits_where_beta_is_nearly_one():
    beta, values = 1 - 1e-10, [1, 3, 1000]
    raw = [(1 - Fraction(beta)) / (1 - Fraction(beta) ** n) for n in values]
    expected = [float(3 * each / sum(raw)) for each in raw]
    assert counted(values).effective_number(beta).tolist() == pytest.approx(expected, rel=1e-14)


def test_effective_numbers_of_huge_counts_are_plain():
    assert counted([10**15, 10**17]).effective_number(0.9999).tolist() == [1, 1]


@given(COUNTS, st.integers(0, 10_000))
def test_with_beta_0_the_loss_is_plain(values, seed):
    logits, targets = batch(seed, len(values))
    plain = get("none").loss(counted(values))(logits, targets)
    for reduction in ("weighted-mean", "mean"):
        loss = get("class-balanced-loss", beta=0.0, reduction=reduction).loss(counted(values))
        assert loss(logits, targets).item() == pytest.approx(plain.item(), rel=1e-12)


def test_a_class_that_does_not_occur_weighs_nothing_and_the_others_average_1():
    weights = counted([0, 10, 1000]).effective_number(0.99)
    assert weights[0] == 0
    assert weights.sum().item() == pytest.approx(2)
    assert counted([0, 0]).effective_number(0.99).tolist() == [0, 0]
    assert weighted("cost-sensitive-weights", counted([0, 10, 1000])).tolist() == [0, 1, 0.01]


@given(COUNTS, st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_cost_sensitive_weights_are_the_rarest_class_over_each(values, gamma):
    expected = [(min(values) / n) ** gamma for n in values]
    assert weighted("cost-sensitive-weights", counted(values), gamma=gamma).tolist() == pytest.approx(expected)


def test_one_minus_share_weights_are_what_the_other_classes_share_and_their_softmax():
    shares = [1 - n / 12406 for n in CIFAR]
    assert weighted("one-minus-share-weights", counted(CIFAR), softmax=False).tolist() == pytest.approx(shares)
    total = sum(math.exp(each) for each in shares)
    soft = [math.exp(each) / total for each in shares]
    assert weighted("one-minus-share-weights", counted(CIFAR)).tolist() == pytest.approx(soft)


@given(st.integers(0, 10_000))
def test_in_a_weighted_mean_cost_sensitive_weights_are_inverse_frequency_and_in_a_mean_they_are_not(seed):
    logits, targets = batch(seed)
    counts = counted([60, 25, 15])
    inverse = get("loss-weights").loss(counts)(logits, targets).item()
    assert get("cost-sensitive-weights").loss(counts)(logits, targets).item() == pytest.approx(inverse, rel=1e-6)
    # N / (C n_c) is 100 / (3 * 15) times n_min / n_c
    mean = get("loss-weights", reduction="mean").loss(counts)(logits, targets).item()
    ours = get("cost-sensitive-weights", reduction="mean").loss(counts)(logits, targets).item()
    assert ours * 100 / 45 == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_of_a_stack_are_those_of_its_members(name):
    members = [counted([60, 25, 15]), counted([1, 0, 7]), counted([5, 5, 5])]
    together = weighted(name, ClassCounts.stack(members))
    assert torch.equal(together, torch.stack([weighted(name, each) for each in members]))


@pytest.mark.parametrize("name", WEIGHTS)
def test_the_prior_that_is_learnt_is_the_shares_times_the_weights(name):
    labels = Labels.of([0] * 60 + [1] * 25 + [2] * 15)
    strategy, counts = get(name), labels.counts()
    products = [n * w for n, w in zip([60, 25, 15], weighted(name, counts).tolist(), strict=True)]
    expected = [each / sum(products) for each in products]
    assert strategy.effective_prior(labels, counts).tolist() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("class-balanced-loss", {"beta": 1.0}),
        ("class-balanced-loss", {"beta": -0.1}),
        ("cost-sensitive-weights", {"gamma": -1.0}),
    ],
)
def test_parameters_without_a_meaning_are_refused(name, parameters):
    (parameter, value), *_ = parameters.items()
    with pytest.raises(NotationError, match=f"{name}: {parameter} .*{value}"):
        get(name, **parameters)
