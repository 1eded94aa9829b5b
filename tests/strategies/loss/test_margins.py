import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import ClassCounts, CosineHead, NotationError, get
from strategies.loss.cosine import cosine_logits

few = settings(max_examples=25, deadline=None)
CIFAR = ClassCounts(torch.tensor([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]), tuple("0123456789"))


def test_margins_on_cifar_10_lt():
    golden = [0.1581, 0.1797, 0.2042, 0.2321, 0.2638, 0.2998, 0.3407, 0.3872, 0.4405, 0.5]
    assert get("ldam").loss(CIFAR).margins[0].tolist() == pytest.approx(golden, abs=5e-5)


def test_the_loss_is_the_papers_term_by_term():
    generator = torch.Generator().manual_seed(0)
    cosines = 2 * torch.rand(30, 10, generator=generator, dtype=torch.float64) - 1
    targets = torch.randint(10, (30,), generator=generator)
    total = 0.0
    for cosine, y in zip(cosines.tolist(), targets.tolist(), strict=True):
        margin = 0.4 * (50 / int(CIFAR.values[y])) ** 0.25
        own = math.exp(20 * (cosine[y] - margin))
        total -= math.log(own / (own + sum(math.exp(20 * each) for k, each in enumerate(cosine) if k != y)))
    loss = get("ldam", scale=20.0, max_margin=0.4).loss(CIFAR)
    assert loss(20 * cosines, targets).item() == pytest.approx(total / 30, rel=1e-6)


def test_a_class_without_items_has_no_margin_and_leaves_those_of_the_others():
    loss = get("ldam").loss(ClassCounts(torch.tensor([16 * 81, 81, 0]), tuple("abc")))
    assert loss.margins[0].tolist() == pytest.approx([0.25, 0.5, 0])


def test_the_head_it_wants_has_its_scale():
    assert get("ldam").cosine_scale == 30
    assert get("ldam", scale=12.0).cosine_scale == 12
    assert get("none").cosine_scale is None


@few
@given(st.integers(0, 10_000), st.floats(0.1, 100), st.floats(0.1, 100))
def test_cosine_logits_are_cosines_whatever_the_lengths(seed, stretch, widen):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(3, 5, 4, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, 6, 4, generator=generator, dtype=torch.float64)
    logits = cosine_logits(stretch * features, widen * weight, 30.0)
    for s, m, c in [(0, 0, 0), (1, 4, 5), (2, 3, 2)]:
        f, w = features[s, m].tolist(), weight[s, c].tolist()
        cosine = sum(a * b for a, b in zip(f, w, strict=True)) / math.hypot(*f) / math.hypot(*w)
        assert logits[s, m, c].item() == pytest.approx(30 * cosine, rel=1e-9, abs=1e-9)


def test_the_scale_may_be_one_per_class_or_one_per_run():
    features, weight = torch.ones(2, 3, 4), torch.ones(2, 5, 4)
    by_class = cosine_logits(features, weight, torch.arange(5.0))
    assert torch.allclose(by_class, torch.arange(5.0).expand(2, 3, 5))
    by_training = cosine_logits(features, weight, torch.tensor([1.0, 7.0]).view(2, 1, 1))
    assert torch.allclose(by_training, torch.tensor([1.0, 7.0]).view(2, 1, 1).expand(2, 3, 5))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_zero_feature_gives_zero_logits_and_finite_gradients(dtype):
    features = torch.zeros(2, 4, dtype=dtype, requires_grad=True)
    weight = torch.eye(3, 4, dtype=dtype, requires_grad=True)
    logits = cosine_logits(features, weight, 30.0)
    assert (logits == 0).all()
    get("ldam").loss(ClassCounts.of([0, 1, 2]))(logits, torch.tensor([0, 2])).backward()
    assert features.grad.isfinite().all()
    assert weight.grad.isfinite().all()


def test_a_cosine_head_uses_the_given_generator_and_starts_with_unit_weights():
    before = torch.get_rng_state()
    one, same, other = (CosineHead(8, 5, generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)
    assert torch.allclose(one.weight.norm(dim=1), torch.ones(5))
    assert torch.equal(CosineHead(8, 5).weight, CosineHead(8, 5).weight)
    assert torch.equal(before, torch.get_rng_state())
    assert [name for name, _ in one.named_parameters()] == ["weight"]


@pytest.mark.parametrize(
    ("parameters", "allowed"), [({"scale": 0.0}, "more than 0"), ({"max_margin": -0.1}, "0 or more")]
)
def test_senseless_margins_and_scales_are_refused(parameters, allowed):
    with pytest.raises(NotationError, match=allowed):
        get("ldam", **parameters)
