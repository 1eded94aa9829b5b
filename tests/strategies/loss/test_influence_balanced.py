import math

import pytest
import torch

from strategies import ClassCounts, NotationError, get

COUNTS = ClassCounts(torch.tensor([60, 30, 10, 0]), tuple("abcd"))
WEIGHTS = [4 * each / (1 / 60 + 1 / 30 + 1 / 10) for each in (1 / 60, 1 / 30, 1 / 10)]


def batch(seed, items=12):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(items, 4, generator=generator, dtype=torch.float64)
    features = torch.randn(items, 5, generator=generator, dtype=torch.float64)
    return logits, torch.randint(3, (items,), generator=generator), features


def element(z, y, h, alpha):
    whole = sum(math.exp(each) for each in z)
    p = [math.exp(each) / whole for each in z]
    influence = sum(abs(each - (k == y)) for k, each in enumerate(p)) * sum(map(abs, h))
    return -math.log(p[y]) * WEIGHTS[y] * alpha / (influence + 1e-3)


@pytest.mark.parametrize("alpha", [1000.0, 10.0])
def test_the_loss_is_the_papers_term_by_term(alpha):
    logits, targets, features = batch(0)
    each = [
        element(z, y, h, alpha) for z, y, h in zip(logits.tolist(), targets.tolist(), features.tolist(), strict=True)
    ]
    loss = get("influence-balanced", alpha=alpha).loss(COUNTS)
    assert loss(logits, targets, features=features).item() == pytest.approx(sum(each) / 12, rel=1e-6)


def test_weights_are_differentiated_too():
    logits, targets, features = batch(1)
    logits, targets, features = logits[:1], targets[:1], features[:1]
    leaf = logits.clone().requires_grad_()
    get("influence-balanced").loss(COUNTS)(leaf, targets, features=features).backward()
    z, y, h = logits[0].tolist(), int(targets), features[0].tolist()
    for k in range(4):
        more, less = ([each + step * (j == k) for j, each in enumerate(z)] for step in (1e-6, -1e-6))
        slope = (element(more, y, h, 1000) - element(less, y, h, 1000)) / 2e-6
        assert leaf.grad[0, k].item() == pytest.approx(slope, rel=1e-5)


def test_the_loss_is_cross_entropy_until_its_start():
    first, then = get("influence-balanced", start=0.3).phases()
    assert (first.until, first.strategy) == (0.3, get("none"))
    assert (then.until, then.strategy) == (1.0, get("influence-balanced", start=0.0))
    assert [each.until for each in get("influence-balanced", start=0.0).phases()] == [1.0]


def test_missing_features_are_asked_for():
    logits, targets, _ = batch(3)
    with pytest.raises(ValueError, match=r"reads the inputs of the last layer.*features=h"):
        get("influence-balanced").loss(COUNTS)(logits, targets)


def test_a_certain_item_and_a_feature_of_nothing_stay_finite():
    logits = torch.tensor([[1e4, 0.0, 0.0, 0.0], [1e4, 0.0, 0.0, 0.0]], requires_grad=True)
    features = torch.zeros(2, 5, requires_grad=True)
    value = get("influence-balanced").loss(COUNTS)(logits, torch.tensor([0, 1]), features=features)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all()
    assert features.grad.isfinite().all()


@pytest.mark.parametrize(
    ("parameters", "allowed"), [({"alpha": 0.0}, "more than 0"), ({"start": 1.0}, "from 0 to below 1")]
)
def test_senseless_parameters_are_refused(parameters, allowed):
    with pytest.raises(NotationError, match=allowed):
        get("influence-balanced", **parameters)
