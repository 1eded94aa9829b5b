import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, Labels, NotationError, get, parse

COUNTS = ClassCounts.of([0] * 25 + [1] * 60 + [2] * 15)


def batch(seed, items=40):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, 3, generator=generator, dtype=torch.float64)
    targets = torch.randint(3, (items,), generator=generator)
    targets[::5] = IGNORED
    return logits, targets


def losses(logits, targets):
    """The cross-entropy of each target that counts, and its class."""
    return [
        (math.log(sum(math.exp(z) for z in row)) - row[y], y)
        for row, y in zip(logits.tolist(), targets.tolist(), strict=True)
        if y != IGNORED
    ]


@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.5, 0.9, 1.0]))
def test_it_mixes_the_mean_of_all_with_the_mean_of_the_majority_class(seed, share):
    logits, targets = batch(seed)
    everything = [loss for loss, _ in losses(logits, targets)]
    majority = [loss for loss, y in losses(logits, targets) if y == 1]
    expected = share * sum(everything) / len(everything) + (1 - share) * sum(majority) / max(len(majority), 1)
    assert get("majority-or-minority", share=share).loss(COUNTS)(logits, targets).item() == pytest.approx(expected)


@given(st.integers(0, 10_000))
def test_with_share_1_it_is_plain(seed):
    logits, targets = batch(seed)
    ours = get("majority-or-minority", share=1.0).loss(COUNTS)(logits, targets).item()
    assert ours == pytest.approx(F.cross_entropy(logits, targets).item())


def test_a_batch_without_the_majority_class_has_the_first_term_alone():
    logits, targets = torch.zeros(2, 3), torch.tensor([0, 2])
    assert get("majority-or-minority").loss(COUNTS)(logits, targets).item() == pytest.approx(0.5 * math.log(3))


@given(st.integers(0, 10_000), st.sampled_from(["weighted-mean", "mean"]))
def test_class_weights_hold_in_both_terms(seed, reduction):
    logits, targets = batch(seed)
    weights = [100 / (3 * n) for n in (25, 60, 15)]
    found = [
        (weights[y] * loss, weights[y] if reduction == "weighted-mean" else 1, y) for loss, y in losses(logits, targets)
    ]
    means = []
    for chosen in (found, [each for each in found if each[2] == 1]):
        means.append(sum(each[0] for each in chosen) / (sum(each[1] for each in chosen) or 1))
    strategy = parse(f"majority-or-minority(share=0.3) + loss-weights(reduction={reduction})")
    assert strategy.loss(COUNTS)(logits, targets).item() == pytest.approx(0.3 * means[0] + 0.7 * means[1], rel=1e-6)


def test_shares_of_mixed_pairs_multiply_and_do_not_divide():
    logits, targets = torch.zeros(1, 4, 3), torch.tensor([[1, 1, 0, IGNORED]])
    loss = get("majority-or-minority").loss(COUNTS)
    whole = loss.per_run(logits, targets)
    assert loss.per_run(logits, targets, weight=torch.full((1, 4), 0.25)).item() == pytest.approx(whole.item() / 4)


def test_no_prior_is_claimed():
    labels = Labels.of([0, 0, 1])
    assert get("majority-or-minority").effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("share", [0, -0.5, 1.5])
def test_a_share_without_a_meaning_is_refused(share):
    with pytest.raises(NotationError, match=f"share must be above 0 and up to 1; given: {share}"):
        parse(f"majority-or-minority(share={share})")
