import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, Labels, NotationError, get, parse

COUNTS = ClassCounts.of([0] * 60 + [1] * 25 + [2] * 15)


def batch(seed, items=40):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, 3, generator=generator, dtype=torch.float64)
    targets = torch.randint(3, (items,), generator=generator)
    targets[::5] = IGNORED
    return logits, targets


def textbook(logits, targets, gamma, weights=(1.0, 1.0, 1.0)):
    """The sums of w (1 - p)^gamma (-log p), of w, and of targets."""
    loss = total = count = 0.0
    for row, y in zip(logits.tolist(), targets.tolist(), strict=True):
        if y != IGNORED:
            p = math.exp(row[y]) / sum(math.exp(z) for z in row)
            loss += weights[y] * (1 - p) ** gamma * -math.log(p)
            total, count = total + weights[y], count + 1
    return loss, total, count


def test_focal_loss_of_worked_probabilities():
    logits = torch.tensor([[0.9, 0.1], [0.2, 0.8]], dtype=torch.float64).log()
    loss = get("focal").loss(ClassCounts.of([0, 1]))
    assert loss(logits[:1], torch.tensor([0])).item() == pytest.approx(0.1**2 * -math.log(0.9))
    assert loss(logits[1:], torch.tensor([0])).item() == pytest.approx(0.8**2 * -math.log(0.2))
    assert get("focal").gamma == 2


@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 2.0, 5.0]))
def test_focal_is_the_formula(seed, gamma):
    logits, targets = batch(seed)
    loss, _, count = textbook(logits, targets, gamma)
    assert get("focal", gamma=gamma).loss(COUNTS)(logits, targets).item() == pytest.approx(loss / count)


@given(st.integers(0, 10_000), st.sampled_from([0.9, 0.9999]), st.sampled_from([0.5, 1.0, 2.0]))
def test_class_balanced_focal_is_the_formula_under_both_reductions(seed, beta, gamma):
    logits, targets = batch(seed)
    raw = [(1 - beta) / (1 - beta**n) for n in (60, 25, 15)]
    loss, total, count = textbook(logits, targets, gamma, [3 * each / sum(raw) for each in raw])
    for reduction, divisor in (("weighted-mean", total), ("mean", count)):
        ours = get("class-balanced-focal", beta=beta, gamma=gamma, reduction=reduction).loss(COUNTS)
        assert ours(logits, targets).item() == pytest.approx(loss / divisor, rel=1e-6)


@given(st.integers(0, 10_000))
def test_with_gamma_0_focal_is_plain_and_class_balanced_focal_is_the_class_balanced_loss(seed):
    logits, targets = batch(seed)
    for focal, other in [
        ("focal(gamma=0)", "none"),
        ("class-balanced-focal(gamma=0)", "class-balanced-loss"),
        ("class-balanced-focal(gamma=2, beta=0)", "focal"),
    ]:
        values = [parse(each).loss(COUNTS)(logits, targets).item() for each in (focal, other)]
        assert values[0] == pytest.approx(values[1], rel=1e-12)


@given(st.integers(0, 10_000))
def test_class_weights_combined_with_focal_do_not_change_its_probabilities(seed):
    # A published implementation takes p = exp(-w CE), which is p^w.
    logits, targets = batch(seed)
    loss, total, _ = textbook(logits, targets, 2.0, [100 / (3 * n) for n in (60, 25, 15)])
    ours = parse("focal + loss-weights").loss(COUNTS)(logits, targets).item()
    assert ours == pytest.approx(loss / total, rel=1e-6)


def test_no_prior_is_claimed():
    labels = Labels.of([0, 0, 1])
    for name in ("focal", "class-balanced-focal"):
        assert get(name).effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("focal(gamma=-1)", "focal: gamma must be 0 or more; given: -1"),
        ("class-balanced-focal(gamma=-1)", "gamma must be 0 or more"),
        ("class-balanced-focal(beta=1)", "beta must be from 0 to below 1"),
    ],
)
def test_parameters_without_a_meaning_are_refused(text, complaint):
    with pytest.raises(NotationError, match=complaint):
        parse(text)
