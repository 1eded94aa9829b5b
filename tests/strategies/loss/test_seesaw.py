import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, NotationError, get

few = settings(max_examples=25, deadline=None)
COUNTS = ClassCounts(torch.tensor([60, 25, 15, 0]), tuple("abcd"))


def batch(seed, classes=4, items=15):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    targets = torch.randint(classes - 1, (items,), generator=generator)
    targets[::6] = IGNORED
    return logits, targets


def by_hand(logits, targets, seen, p=0.8, q=2.0, eps=0.01):
    """The paper's loss, term by term, with labels `seen` so far."""
    losses = []
    for z, y in zip(logits.tolist(), targets.tolist(), strict=True):
        if y == IGNORED:
            continue
        whole = sum(math.exp(each) for each in z)
        scores = [math.exp(each) / whole for each in z]
        denominator = 0.0
        for j, each in enumerate(z):
            factor = 1.0
            if j != y:
                factor *= min(1.0, (max(seen[j], 1) / max(seen[y], 1)) ** p)
                factor *= max(1.0, (scores[j] / max(scores[y], eps)) ** q)
            denominator += factor * math.exp(each)
        losses.append(-math.log(math.exp(z[y]) / denominator))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("parameters", [{}, {"p": 0.0}, {"q": 0.0}, {"p": 1.5, "q": 1.0, "eps": 0.2}])
def test_the_loss_is_the_papers_term_by_term_as_labels_come_in(parameters):
    loss = get("seesaw", **parameters).loss(COUNTS)
    seen = [0, 0, 0, 0]
    for seed in range(4):
        logits, targets = batch(seed)
        for y in targets.tolist():
            if y != IGNORED:
                seen[y] += 1
        value = loss(logits.requires_grad_(), targets).item()  # the batch itself is counted before it is weighed
        assert value == pytest.approx(by_hand(logits.detach(), targets, seen, **parameters), rel=1e-9)
        assert loss.seen.tolist() == [seen]


def test_only_valid_targets_of_trained_batches_are_counted():
    logits, targets = batch(0)
    loss = get("seesaw").loss(COUNTS)
    loss(logits, targets)
    with torch.no_grad():
        loss(logits.clone().requires_grad_() * 1, targets)
    assert loss.seen.sum() == 0
    loss(logits.requires_grad_(), targets)
    assert loss.seen.sum() == (targets != IGNORED).sum()


def test_scores_are_not_differentiated():
    logits, targets = batch(1)
    logits, targets = logits[1:2].requires_grad_(), targets[1:2]
    get("seesaw", p=0.0).loss(COUNTS)(logits, targets).backward()
    z, y = logits.detach()[0], int(targets)
    scores = z.softmax(0)
    factor = (scores / scores[y].clamp_min(0.01)).clamp_min(1) ** 2
    factor[y] = 1
    weighed = factor * z.exp()
    expected = weighed / weighed.sum()
    expected[y] -= 1
    assert torch.allclose(logits.grad[0], expected)


@few
@given(st.integers(0, 10_000))
def test_without_both_powers_it_is_cross_entropy(seed):
    logits, targets = batch(seed)
    plain = get("none").loss(COUNTS)(logits, targets)
    assert torch.equal(get("seesaw", p=0.0, q=0.0).loss(COUNTS)(logits.requires_grad_(), targets), plain)


def test_counts_survive_saving_and_other_float_types():
    logits, targets = batch(0)
    loss = get("seesaw").loss(COUNTS)
    loss(logits.requires_grad_(), targets)
    again = get("seesaw").loss(COUNTS).half()
    again.load_state_dict(loss.state_dict())
    assert torch.equal(again.seen, loss.seen)


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [({"p": -1.0}, "p must be 0 or more"), ({"q": -1.0}, "q must be 0 or more"), ({"eps": 0.0}, "more than 0")],
)
def test_senseless_powers_are_refused(parameters, allowed):
    with pytest.raises(NotationError, match=allowed):
        get("seesaw", **parameters)
