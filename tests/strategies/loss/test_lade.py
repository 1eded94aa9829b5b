import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, NotationError, get
from strategies.loss.lade import sequential_log_sum_exp

few = settings(max_examples=25, deadline=None)
SHARES = [0.6, 0.25, 0.15]
COUNTS = ClassCounts.of([0] * 60 + [1] * 25 + [2] * 15)


def batch(seed, classes=3, items=17):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    targets = torch.randint(classes, (items,), generator=generator)
    targets[::5] = IGNORED
    return logits, targets


def by_hand(logits, targets, alpha, remine_lambda):
    """PriorCE and the bound, term by term, over valid items alone."""
    items = [(z, y) for z, y in zip(logits.tolist(), targets.tolist(), strict=True) if y != IGNORED]
    prior_ce = 0.0
    for z, y in items:
        prior_ce -= z[y] + math.log(SHARES[y])
        prior_ce += math.log(sum(math.exp(z[k]) * SHARES[k] for k in range(3)))
    bound = 0.0
    for c, share in enumerate(SHARES):
        own = [z[c] for z, y in items if y == c]
        first = sum(own) / len(own) if own else 0.0
        second = math.log(sum(math.exp(z[c]) / (share * 3) for z, _ in items) / len(items))
        bound += share * (first - second - remine_lambda * second**2)
    return prior_ce / len(items) - alpha * bound


@pytest.mark.parametrize(("alpha", "remine_lambda"), [(0.1, 0.01), (0.5, 0.3), (2.0, 0.0)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_loss_is_the_papers_term_by_term(seed, alpha, remine_lambda):
    logits, targets = batch(seed)
    loss = get("lade", alpha=alpha, remine_lambda=remine_lambda).loss(COUNTS)
    assert loss(logits, targets).item() == pytest.approx(by_hand(logits, targets, alpha, remine_lambda), rel=1e-6)


def test_a_class_without_items_in_the_batch_still_counts():
    logits, targets = batch(3)
    targets[targets == 2] = 1
    loss = get("lade", alpha=1.0).loss(COUNTS)
    assert loss(logits, targets).item() == pytest.approx(by_hand(logits, targets, 1.0, 0.01), rel=1e-6)


@few
@given(st.integers(0, 10_000))
def test_without_alpha_it_is_balanced_softmax(seed):
    logits, targets = batch(seed)
    balanced = get("balanced-softmax").loss(COUNTS)(logits, targets)
    assert torch.equal(get("lade", alpha=0.0).loss(COUNTS)(logits, targets), balanced)


@few
@given(st.integers(0, 10_000), st.floats(0, 1))
def test_both_shares_of_a_pair_with_itself_add_up_to_the_loss(seed, share):
    logits, targets = batch(seed)
    loss = get("lade", alpha=1.0).loss(COUNTS)
    logits, targets = logits.unsqueeze(0), targets.unsqueeze(0)
    halves = [loss.per_run(logits, targets, weight=torch.full(targets.shape, w).double()) for w in (share, 1 - share)]
    assert sum(halves).item() == pytest.approx(loss.per_run(logits, targets).item(), rel=1e-5, abs=1e-6)


def test_an_ignored_items_logits_may_be_anything():
    logits, targets = batch(0)
    loss = get("lade", alpha=1.0).loss(COUNTS)
    expected = loss(logits, targets).item()
    wild = torch.where((targets == IGNORED).unsqueeze(-1), torch.inf, logits)
    assert loss(wild, targets).item() == expected


@few
@given(st.integers(0, 10_000), st.integers(0, 40), st.floats(-1e4, 1e4))
def test_log_sums_over_a_row_are_torchs_and_see_no_padding(seed, padding, shift):
    x = torch.randn(2, 9, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + shift
    padded = torch.cat([x, torch.full((2, padding, 4), -torch.inf)], 1)
    assert torch.equal(sequential_log_sum_exp(x), sequential_log_sum_exp(padded))
    assert torch.allclose(sequential_log_sum_exp(x), x.logsumexp(1), rtol=1e-12)


@pytest.mark.parametrize("parameter", ["alpha", "remine_lambda"])
def test_negative_weights_are_refused(parameter):
    with pytest.raises(NotationError, match=f"{parameter} must be 0 or more"):
        get("lade", **{parameter: -0.1})
