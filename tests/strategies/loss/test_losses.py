import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, get
from strategies.loss_function import sequential_sum

COUNTS = ClassCounts.of([0] * 60 + [1] * 25 + [2] * 15)


def batch(seed, items=40, classes=3):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    targets = torch.randint(classes, (items,), generator=generator)
    targets[torch.rand(items, generator=generator) < 0.2] = IGNORED
    return logits, targets


@given(st.integers(0, 10_000))
def test_plain_loss_is_pytorchs(seed):
    logits, targets = batch(seed)
    assert get("none").loss(COUNTS)(logits, targets).item() == pytest.approx(F.cross_entropy(logits, targets).item())


@given(st.integers(0, 10_000), st.sampled_from([0.5, 1.0, 2.0]))
def test_weighted_mean_is_pytorchs_and_mean_divides_by_the_labels(seed, power):
    logits, targets = batch(seed)
    weights = (100 / (3 * torch.tensor([60, 25, 15], dtype=torch.float64))) ** power
    loss = get("loss-weights", power=power).loss(COUNTS).double()
    weighted = F.cross_entropy(logits, targets, weight=weights)
    assert loss(logits, targets).item() == pytest.approx(weighted.item(), rel=1e-6)
    plain_mean = get("loss-weights", power=power, reduction="mean").loss(COUNTS).double()
    summed = F.cross_entropy(logits, targets, weight=weights, reduction="sum") / (targets != IGNORED).sum()
    assert plain_mean(logits, targets).item() == pytest.approx(summed.item(), rel=1e-6)


def test_weighted_cross_entropy_of_a_published_example():
    # pytorch issue 25571: elements 5.6390 and 4.9593 with weights 6 and 4, so 10.5983 / 10.
    class Fixed(type(get("loss-weights"))):
        def class_weights(self, counts):
            return type(super().class_weights(counts))(torch.tensor([2.0, 4.0, 6.0]))

    loss = Fixed().loss(COUNTS)(torch.tensor([[0.2, 0.3, 0.5], [0.5, 0.2, 0.3]]), torch.tensor([2, 1]))
    assert loss.item() == pytest.approx(1.0598, abs=1e-4)


@given(st.integers(0, 10_000))
def test_ignore_index_is_pytorchs_on_the_other_classes(seed):
    logits, targets = batch(seed)
    theirs = F.cross_entropy(logits, targets.masked_fill(targets == 0, IGNORED))
    assert get("ignore-index").loss(COUNTS)(logits, targets).item() == pytest.approx(theirs.item())


@pytest.mark.parametrize("name", ["none", "ignore-index", "loss-weights"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_batch_without_a_valid_target_costs_nothing_and_moves_nothing(name, dtype):
    logits = torch.full((4, 3), 1e4, dtype=dtype, requires_grad=True)
    loss = get(name).loss(COUNTS)(logits, torch.full((4,), IGNORED))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None
    assert bool((logits.grad == 0).all())


@pytest.mark.parametrize("name", ["none", "ignore-index", "loss-weights"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_empty_class_and_extreme_logits_give_finite_losses(name, dtype):
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], dtype=dtype, requires_grad=True)
    loss = get(name).loss(ClassCounts.of([0, 0, 1], class_names="abc"))(logits, torch.tensor([0, 1]))
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


@given(st.integers(0, 10_000), st.sampled_from(["none", "ignore-index", "loss-weights", "loss-weights(power=0.5)"]))
def test_a_stack_of_losses_is_the_losses_one_by_one(seed, text):
    import strategies

    counts = [COUNTS, ClassCounts.of([0] * 5 + [1] * 90 + [2] * 5), ClassCounts.of([0, 1, 1, 2, 2, 2])]
    logits, targets = (torch.stack(each) for each in zip(*(batch(seed + i) for i in range(3)), strict=True))
    strategy = strategies.parse(text)
    together = strategy.loss(ClassCounts.stack(counts)).per_run(logits, targets)
    alone = [strategy.loss(each)(*one) for each, *one in zip(counts, logits, targets, strict=True)]
    assert torch.equal(together, torch.stack(alone))


@given(st.integers(0, 10_000), st.integers(0, 70))
def test_trailing_zeros_do_not_change_a_bit_of_a_sequential_sum(seed, padding):
    x = torch.randn(3, 37, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(sequential_sum(x), sequential_sum(F.pad(x, (0, padding))))


def test_logits_with_classes_in_second_place_are_refused_with_the_fix():
    with pytest.raises(ValueError, match=r"logits\.movedim\(1, -1\)"):
        get("none").loss(COUNTS)(torch.zeros(8, 3, 5), torch.zeros(8, 5, dtype=torch.int64))


@pytest.mark.parametrize("shape", [(7,), (4, 5), (2, 3, 4)])
def test_public_losses_take_any_leading_shape(shape):
    logits = torch.randn(*shape, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.zeros(shape, dtype=torch.int64)
    assert get("none").loss(COUNTS)(logits, targets).item() == pytest.approx(
        F.cross_entropy(logits.flatten(0, -2), targets.flatten()).item()
    )
