import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from strategies import ClassCounts, Labels, NotationError, get, parse

CIFAR = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]


def counted(values):
    return ClassCounts(torch.tensor(values), tuple(map(str, range(len(values)))))


def batch(seed, classes, items=30):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (items,), generator=generator)


def test_smoothing_of_cifar_10_lt_100_is_the_published_one():
    smoothing = get("label-aware-smoothing").loss(counted(CIFAR)).smoothing[0].tolist()
    assert smoothing[:5] == pytest.approx([0.3, 0.2414, 0.1578, 0.096, 0.0563], abs=6e-5)
    assert smoothing[-1] == 0
    expected = [0.1 + 0.3 * math.sin(math.pi * (n - 50) / (2 * 4950)) for n in CIFAR]
    assert get("label-aware-smoothing", head=0.4, tail=0.1).loss(counted(CIFAR)).smoothing[0].tolist() == pytest.approx(
        expected
    )


def test_smoothed_loss_of_worked_probabilities():
    logits = torch.tensor([[0.5, 0.3, 0.2]] * 2, dtype=torch.float64).log()
    loss = get("label-aware-smoothing").loss(counted([9, 3, 1]))
    # class 0 is the head: .7 on it and .15 on each other; class 2 is the tail
    head = -0.7 * math.log(0.5) - 0.15 * math.log(0.3) - 0.15 * math.log(0.2)
    assert loss(logits[:1], torch.tensor([0])).item() == pytest.approx(head, rel=1e-6)
    assert loss(logits[:1], torch.tensor([2])).item() == pytest.approx(-math.log(0.2), rel=1e-6)
    assert loss(logits, torch.tensor([0, 2])).item() == pytest.approx((head - math.log(0.2)) / 2, rel=1e-6)


@given(st.integers(0, 10_000), st.lists(st.integers(0, 1000), min_size=2, max_size=6).filter(any))
def test_it_is_cross_entropy_with_the_smoothed_targets(seed, values):
    classes, occurring = len(values), [n for n in values if n]
    logits, targets = batch(seed, classes)
    low, high = min(occurring), max(occurring)
    rows = []
    for y in targets.tolist():
        place = (values[y] - low) / (high - low) if high > low and values[y] else 0.0
        smoothing = 0.4 * math.sin(math.pi / 2 * place)
        rows.append([1 - smoothing if c == y else smoothing / (classes - 1) for c in range(classes)])
    expected = F.cross_entropy(logits, torch.tensor(rows, dtype=torch.float64))
    ours = get("label-aware-smoothing", head=0.4).loss(counted(values))(logits, targets)
    assert ours.item() == pytest.approx(expected.item(), rel=1e-6)


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 100))
def test_for_equal_counts_and_for_head_and_tail_0_it_is_plain(seed, classes, n):
    logits, targets = batch(seed, classes)
    plain = F.cross_entropy(logits, targets).item()
    equal = counted([n] * classes)
    assert get("label-aware-smoothing").loss(equal)(logits, targets).item() == pytest.approx(plain)
    uneven = counted(list(range(n, n + classes)))
    assert get("label-aware-smoothing", head=0.0).loss(uneven)(logits, targets).item() == pytest.approx(plain)


def test_no_prior_is_claimed():
    labels = Labels.of([0, 0, 1])
    assert get("label-aware-smoothing").effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("argument", ["head=1", "head=-0.1", "tail=1.5"])
def test_parameters_without_a_meaning_are_refused(argument):
    parameter, _, value = argument.partition("=")
    with pytest.raises(NotationError, match=f"{parameter} must be from 0 to below 1; given: {value}"):
        parse(f"label-aware-smoothing({argument})")
