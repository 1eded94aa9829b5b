import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import ClassCounts, Labels, NotationError, get, parse

COUNTS = ClassCounts.of([0] * 60 + [1] * 25 + [2] * 15)


def batch(seed, items=30):
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(items, 3, generator=generator, dtype=torch.float64)
    return logits, torch.randint(3, (items,), generator=generator)


def textbook(logits, targets, alpha, smooth, squared):
    losses = []
    for row, target in zip(logits.tolist(), targets.tolist(), strict=True):
        total = sum(math.exp(z) for z in row)
        loss = 0.0
        for c, z in enumerate(row):
            p = math.exp(z) / total
            p = (1 - p) ** alpha * p
            y = 1.0 if c == target else 0.0
            below = p * p + y * y if squared else p + y
            loss += 1 - (2 * p * y + smooth) / (below + smooth)
        losses.append(loss)
    return sum(losses) / len(losses)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # p = .6 for the target, .4 and 0 for the others
        ("dice", (1 - 2.2 / 2.36) + (1 - 1 / 1.16)),
        ("dice(squared=false)", (1 - 2.2 / 2.6) + (1 - 1 / 1.4)),
        ("self-adjusting-dice(alpha=1, squared=false)", (1 - 1.48 / 2.24) + (1 - 1 / 1.24)),
    ],
)
def test_dice_of_worked_probabilities(text, expected):
    logits = torch.tensor([[0.6, 0.4, 1e-300]], dtype=torch.float64).log()
    assert parse(text).loss(COUNTS)(logits, torch.tensor([0])).item() == pytest.approx(expected)


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.01, 0.5, 1.0, 2.0]),
    st.sampled_from([1e-4, 1.0, 3.0]),
    st.booleans(),
)
def test_self_adjusting_dice_is_the_formula(seed, alpha, smooth, squared):
    logits, targets = batch(seed)
    strategy = get("self-adjusting-dice", alpha=alpha, smooth=smooth, squared=squared)
    expected = textbook(logits, targets, alpha, smooth, squared)
    assert strategy.loss(COUNTS)(logits, targets).item() == pytest.approx(expected)


@given(st.integers(0, 10_000), st.booleans())
def test_with_alpha_0_self_adjusting_dice_is_dice(seed, squared):
    logits, targets = batch(seed)
    dice = get("dice", squared=squared).loss(COUNTS)(logits, targets).item()
    assert dice == pytest.approx(textbook(logits, targets, 0.0, 1.0, squared))
    adjusting = get("self-adjusting-dice", alpha=0.0, squared=squared).loss(COUNTS)(logits, targets).item()
    assert adjusting == dice


def test_a_perfect_prediction_costs_nothing():
    logits = torch.tensor([[50.0, 0.0, 0.0]])
    assert get("dice").loss(COUNTS)(logits, torch.tensor([0])).item() == pytest.approx(0, abs=1e-6)


def test_with_alpha_1_a_target_is_pushed_no_further_than_to_a_half():
    loss = get("self-adjusting-dice", alpha=1.0).loss(ClassCounts.of([0, 1]))
    values = [loss(torch.tensor([[p, 1 - p]]).log(), torch.tensor([0])).item() for p in (0.3, 0.5, 0.7)]
    assert values[1] == min(values)


def test_no_prior_is_claimed():
    labels = Labels.of([0, 0, 1])
    for name in ("dice", "self-adjusting-dice"):
        assert get(name).effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("text", ["dice(smooth=0)", "self-adjusting-dice(smooth=-1)", "self-adjusting-dice(alpha=-1)"])
def test_parameters_without_a_meaning_are_refused(text):
    with pytest.raises(NotationError, match=r"must be .*given: "):
        parse(text)
