import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import ClassCounts, NotationError, get

few = settings(max_examples=25, deadline=None)
COUNTS = ClassCounts(torch.tensor([600, 396, 4, 0]), tuple("abcd"))
CIFAR = ClassCounts(torch.tensor([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]), tuple("0123456789"))


def batch(seed, classes=4, items=30):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(3, (items,), generator=generator)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_the_loss_is_the_papers_term_by_term_where_chance_has_no_part(gamma):
    logits, targets = batch(0)
    total = 0.0
    for z, y in zip(logits.tolist(), targets.tolist(), strict=True):
        weights = [
            1 - gamma * (k in (2, 3)) * (k != y) for k in range(4)
        ]  # classes 2 and 3 have less than 0.005 of all
        total -= math.log(math.exp(z[y]) / sum(w * math.exp(each) for w, each in zip(weights, z, strict=True)))
    loss = get("equalisation", gamma=gamma).loss(COUNTS)
    assert loss(logits, targets).item() == pytest.approx(total / 30, rel=1e-9)


def test_one_class_of_cifar_10_lt_is_rare():
    assert get("seql").loss(CIFAR).rare.flatten().tolist() == [False] * 9 + [True]


def test_rare_classes_are_left_out_in_a_share_gamma_of_cases_each_on_its_own():
    # With logits 0, an item of class 0 costs the log of how many classes stay: 2, and each of the rare ones by chance.
    items = 20_000
    loss = get("equalisation", gamma=0.9).loss(COUNTS)
    stay = loss.elementwise(torch.zeros(1, items, 4), torch.zeros(1, items, dtype=torch.int64), None).exp().round()
    shares = [float((stay == n).double().mean()) for n in (2, 3, 4)]
    assert shares == pytest.approx([0.81, 0.18, 0.01], abs=0.01)


def test_every_call_draws_new_numbers_and_equal_generators_draw_equal_ones():
    logits, targets = batch(1)
    first, second = get("equalisation", gamma=0.5).loss(COUNTS), get("equalisation", gamma=0.5).loss(COUNTS)
    values = [[loss(logits, targets).item() for _ in range(5)] for loss in (first, second)]
    assert values[0] == values[1]
    assert len(set(values[0])) == 5
    other = get("equalisation", gamma=0.5).loss(COUNTS, generators=[torch.Generator().manual_seed(1)])
    assert other(logits, targets).item() not in values[0]


@few
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_the_random_numbers_of_a_run_do_not_depend_on_the_length_of_its_neighbours_batches(seed, padding):
    logits, targets = batch(seed)
    strategy = get("equalisation", gamma=0.5)
    short, long = (strategy.loss(COUNTS, generators=[torch.Generator().manual_seed(seed)]) for _ in range(2))
    for _ in range(3):
        padded = (
            torch.nn.functional.pad(logits, (0, 0, 0, padding)),
            torch.nn.functional.pad(targets, (0, padding), value=-100),
        )
        assert torch.equal(short(logits, targets), long(*padded))


@pytest.mark.parametrize("parameter", ["gamma", "threshold"])
@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_shares_beyond_0_and_1_are_refused(parameter, value):
    with pytest.raises(NotationError, match=f"{parameter} must be from 0 to 1; given: {value}"):
        get("equalisation", **{parameter: value})
