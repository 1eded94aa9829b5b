"""What losses that read class counts, features or chance have in common."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, Labels, get

NAMES = ["logit-adjustment", "vs", "cdt", "ldam", "lade", "seesaw", "equalisation", "influence-balanced"]
STACK = [
    ClassCounts(torch.tensor([600, 250, 3, 0, 20]), tuple("abcde")),
    ClassCounts(torch.tensor([5, 90, 5, 7, 1000]), tuple("abcde")),
    ClassCounts(torch.tensor([1, 2, 3, 0, 900]), tuple("abcde")),
]

few = settings(max_examples=15, deadline=None)
every_loss = pytest.mark.parametrize("name", NAMES)
float_types = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


def stack(seed, trainings=3, items=23, classes=5, dtype=torch.float32):
    """Logits, targets and features of a stack, with ignored positions."""
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(trainings, items, classes, generator=generator)
    targets = torch.randint(classes, (trainings, items), generator=generator)
    targets[torch.rand(trainings, items, generator=generator) < 0.2] = IGNORED
    features = torch.randn(trainings, items, 4, generator=generator)
    return logits.to(dtype), targets, features.to(dtype)


def steps(loss, logits, targets, features, times=3):
    """Losses and gradients of a few calls in a row, by one loss with its state."""
    found = []
    for _ in range(times):
        leaf = logits.clone().requires_grad_()
        value = loss.per_run(leaf, targets, features=features)
        value.sum().backward()
        found.append((value.detach(), leaf.grad))
    return torch.stack([value for value, _ in found]), torch.stack([grad for _, grad in found])


def generators(seeds):
    return [torch.Generator().manual_seed(seed) for seed in seeds]


@every_loss
@float_types
@few
@given(seed=st.integers(0, 10_000))
def test_a_stack_of_losses_is_the_losses_one_by_one(name, dtype, seed):
    logits, targets, features = stack(seed, dtype=dtype)
    together = get(name).loss(ClassCounts.stack(STACK), generators=generators(range(3)))
    values, gradients = steps(together, logits, targets, features)
    for s in range(3):
        alone = get(name).loss(STACK[s], generators=generators([s]))
        value, gradient = steps(alone, logits[s : s + 1], targets[s : s + 1], features[s : s + 1])
        assert torch.equal(values[:, s], value[:, 0])
        assert torch.equal(gradients[:, s], gradient[:, 0])


@every_loss
@few
@given(seed=st.integers(0, 10_000), padding=st.integers(1, 40))
def test_trailing_ignored_positions_do_not_change_a_bit(name, seed, padding):
    logits, targets, features = stack(seed)
    padded = F.pad(logits, (0, 0, 0, padding), value=5.0), F.pad(targets, (0, padding), value=IGNORED)
    counts = ClassCounts.stack(STACK)
    values, gradients = steps(get(name).loss(counts), logits, targets, features)
    padded_values, padded_gradients = steps(get(name).loss(counts), *padded, F.pad(features, (0, 0, 0, padding)))
    assert torch.equal(values, padded_values)
    assert torch.equal(gradients, padded_gradients[:, :, : targets.shape[1]])
    assert (padded_gradients[:, :, targets.shape[1] :] == 0).all()


@every_loss
@float_types
@pytest.mark.parametrize("items", [0, 4])
def test_a_batch_without_a_valid_target_costs_nothing_and_moves_nothing(name, dtype, items):
    logits = torch.full((items, 5), 1e4, dtype=dtype, requires_grad=True)
    loss = get(name).loss(STACK[0])
    value = loss(logits, torch.full((items,), IGNORED), features=torch.ones(items, 2, dtype=dtype))
    value.backward()
    assert value.item() == 0
    assert (logits.grad == 0).all()


@every_loss
@float_types
def test_an_empty_class_and_extreme_logits_give_finite_losses(name, dtype):
    logits = (1e4 * torch.tensor([[1, -1, 0, 1, 0], [-1, 1, 0, 0, 1], [0, 0, -1, 1, 0.0]])).to(dtype).requires_grad_()
    features = torch.tensor([[0.0, 0], [1e4, -1e4], [1, 1]], dtype=dtype, requires_grad=True)
    value = get(name).loss(STACK[0])(logits, torch.tensor([0, 0, 2]), features=features)
    value.backward()
    assert value.isfinite()
    assert value.dtype == torch.float32
    assert logits.grad.isfinite().all()
    assert features.grad is None or features.grad.isfinite().all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "logit-adjustment"])
def test_no_prior_is_claimed_for_logits_that_learn_none(name):
    labels = Labels.of([0, 0, 1])
    assert get(name).effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("name", [name for name in NAMES if name != "influence-balanced"])
def test_class_weights_of_another_remedy_weigh_it(name):
    import strategies

    labels = torch.tensor([0, 0, 1])
    counts = ClassCounts.of([0, 0, 0, 1, 1])
    logits = torch.tensor([[1.0, 0], [0, 1], [2, 0]])
    plain = get(name).loss(counts)(logits[:2], labels[:2])
    weighted = strategies.parse(f"{name} + loss-weights(power=0)").loss(counts)(logits[:2], labels[:2])
    assert weighted.item() == pytest.approx(plain.item())
    both = strategies.parse(f"{name} + loss-weights").loss(counts)(logits, labels)
    assert both.item() != pytest.approx(get(name).loss(counts)(logits, labels).item())
