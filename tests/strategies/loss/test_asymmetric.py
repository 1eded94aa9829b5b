import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from strategies import ClassCounts, Labels, NotationError, get, parse

COUNTS = ClassCounts.of([0] * 60 + [1] * 25 + [2] * 15)


def batch(seed, items=30):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, 3, generator=generator, dtype=torch.float64)
    return logits, torch.randint(3, (items,), generator=generator)


def textbook(logits, targets, gamma_pos, gamma_neg, smoothing):
    losses = []
    for row, y in zip(logits.tolist(), targets.tolist(), strict=True):
        total = sum(math.exp(z) for z in row)
        loss = 0.0
        for c, z in enumerate(row):
            p = math.exp(z) / total
            if c == y:
                loss -= (1 - smoothing + smoothing / 3) * (1 - p) ** gamma_pos * math.log(p)
            else:
                loss -= smoothing / 3 * p**gamma_neg * math.log(p)
        losses.append(loss)
    return sum(losses) / len(losses)


def test_asymmetric_loss_of_worked_probabilities():
    logits = torch.tensor([[0.5, 0.3, 0.2]], dtype=torch.float64).log()
    # defaults: 1 - .1 + .1/3 for the target, .1/3 for the others, whose powers are .3^4 and .2^4
    expected = (28 * math.log(2) - 0.3**4 * math.log(0.3) - 0.2**4 * math.log(0.2)) / 30
    assert get("asymmetric").loss(COUNTS)(logits, torch.tensor([0])).item() == pytest.approx(expected)


@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([0.0, 0.5, 4.0]),
    st.sampled_from([0.0, 0.1, 0.5]),
)
def test_asymmetric_is_the_formula(seed, gamma_pos, gamma_neg, smoothing):
    logits, targets = batch(seed)
    strategy = get("asymmetric", gamma_pos=gamma_pos, gamma_neg=gamma_neg, smoothing=smoothing)
    expected = textbook(logits, targets, gamma_pos, gamma_neg, smoothing)
    assert strategy.loss(COUNTS)(logits, targets).item() == pytest.approx(expected)


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.1, 0.7]))
def test_without_focusing_it_is_pytorchs_label_smoothing(seed, smoothing):
    logits, targets = batch(seed)
    ours = get("asymmetric", gamma_pos=0.0, gamma_neg=0.0, smoothing=smoothing).loss(COUNTS)(logits, targets)
    assert ours.item() == pytest.approx(F.cross_entropy(logits, targets, label_smoothing=smoothing).item())


@given(st.integers(0, 10_000), st.sampled_from([0.0, 0.5, 2.0]))
def test_without_smoothing_it_is_focal(seed, gamma):
    logits, targets = batch(seed)
    ours = get("asymmetric", gamma_pos=gamma, smoothing=0.0).loss(COUNTS)(logits, targets)
    assert ours.item() == pytest.approx(get("focal", gamma=gamma).loss(COUNTS)(logits, targets).item())


def test_no_prior_is_claimed():
    labels = Labels.of([0, 0, 1])
    assert get("asymmetric").effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("argument", ["gamma_pos=-1", "gamma_neg=-1", "smoothing=1", "smoothing=-0.1"])
def test_parameters_without_a_meaning_are_refused(argument):
    parameter, _, value = argument.partition("=")
    with pytest.raises(NotationError, match=f"asymmetric: {parameter} must be .*given: {value}"):
        parse(f"asymmetric({argument})")
