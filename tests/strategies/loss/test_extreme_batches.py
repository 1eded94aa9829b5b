"""No loss gives a number that is not finite: not for empty batches, empty classes, certain logits or classes of one label."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, get, names, parse
from strategies.strategy import Strategy

REGISTERED = [
    name
    for name in names()
    if type(get(name)).loss is not Strategy.loss or type(get(name)).class_weights is not Strategy.class_weights
]
"""Every registered strategy that changes the loss."""
VARIANTS = [
    "class-balanced-loss(beta=0, reduction=mean)",
    "focal(gamma=0.5)",
    "focal(gamma=1.7)",
    "focal(gamma=0)",
    "asymmetric(gamma_pos=0.5, gamma_neg=0.5)",
    "asymmetric(gamma_pos=0, gamma_neg=0)",
    "dice(squared=false)",
    "self-adjusting-dice(alpha=1, squared=false)",
    "equalisation(threshold=0.2)",
    "focal(gamma=0.5) + class-balanced-loss",
    "self-adjusting-dice + loss-weights",
    "majority-or-minority + cost-sensitive-weights(reduction=mean)",
]
"""Other hyper-parameters, and combinations."""
LOSSES = [*REGISTERED, *VARIANTS]
COUNTS = ClassCounts(torch.tensor([60, 25, 15]), ("a", "b", "c"))

every_loss = pytest.mark.parametrize("text", LOSSES)
every_type = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


class LossOf:
    """A strategy's loss, called with features if it reads them."""

    def __init__(self, text, counts):
        strategy = parse(text)
        runs = 1 if counts.values.ndim == 1 else len(counts.values)
        self.loss = strategy.loss(counts, generators=[torch.Generator().manual_seed(0) for _ in range(runs)])
        self.needs_features = strategy.needs_features

    def features(self, logits):
        return {"features": logits.detach().float().nan_to_num().clamp(-1, 1)} if self.needs_features else {}

    def __call__(self, logits, targets):
        return self.loss(logits, targets, **self.features(logits))

    def per_run(self, logits, targets):
        return self.loss.per_run(logits, targets, **self.features(logits))


def value_and_gradient(loss, logits, targets):
    logits = logits.clone().requires_grad_()
    value = loss(logits, targets)
    value.backward()
    assert logits.grad is not None
    return value.item(), logits.grad


@every_loss
@every_type
def test_a_batch_without_a_valid_target_has_loss_0_and_gradient_0(text, dtype):
    for logits in (torch.full((4, 3), 1e4, dtype=dtype), torch.tensor([[1e4, -1e4, 0.0]] * 4, dtype=dtype)):
        value, gradient = value_and_gradient(LossOf(text, COUNTS), logits, torch.full((4,), IGNORED))
        assert value == 0
        assert bool((gradient == 0).all())


@every_loss
@every_type
@pytest.mark.parametrize("counts", [[2, 1, 0], [3, 0, 0], [1, 1, 1], [10**9, 1, 1]])
def test_certain_logits_right_and_wrong_give_finite_losses_and_gradients(text, dtype, counts):
    loss = LossOf(text, ClassCounts(torch.tensor(counts), ("a", "b", "c")))
    for scale in (0.0, 1e-6, 1.0, 8.0, 16.0, 17.0, 30.0, 90.0, 1e4):
        logits = scale * torch.tensor([[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0], [0.0, 1.0, -1.0]], dtype=dtype)
        for targets in ([0, 1, 1], [1, 0, IGNORED], [2, 2, 2]):
            value, gradient = value_and_gradient(loss, logits, torch.tensor(targets))
            assert torch.tensor(value).isfinite(), (scale, targets)
            assert bool(gradient.isfinite().all()), (scale, targets)


@every_loss
def test_a_task_of_one_class_gives_finite_losses(text):
    """In a stack; a call with one logit is refused, because it is nearly always a binary model's."""
    loss = LossOf(text, ClassCounts(torch.tensor([[5]]), ("a",)))
    logits = torch.tensor([[[3.0], [-2.0]]], requires_grad=True)
    value = loss.per_run(logits, torch.tensor([[0, IGNORED]]))
    value.backward()
    assert bool(value.isfinite().all())
    assert bool(logits.grad.isfinite().all())


@given(st.integers(0, 10_000), st.sampled_from(LOSSES))
@example(28, "self-adjusting-dice+loss-weights")  # powers at the end of a vector
@example(100, "self-adjusting-dice+loss-weights")
def test_a_stack_of_losses_is_the_losses_one_by_one(seed, text):
    generator = torch.Generator().manual_seed(seed)
    counts = [COUNTS, ClassCounts(torch.tensor([5, 90, 0]), ("a", "b", "c")), ClassCounts.of([0, 1, 1, 2, 2, 2], "abc")]
    logits = 3 * torch.randn(3, 40, 3, generator=generator)
    targets = torch.randint(3, (3, 40), generator=generator)
    targets[torch.rand(3, 40, generator=generator) < 0.2] = IGNORED
    together = LossOf(text, ClassCounts.stack(counts)).per_run(logits, targets)
    alone = [LossOf(text, own)(*batch) for own, *batch in zip(counts, logits, targets, strict=True)]
    assert torch.equal(together, torch.stack(alone))


@given(st.integers(0, 10_000), st.sampled_from(LOSSES))
def test_padding_changes_nothing(seed, text):
    generator = torch.Generator().manual_seed(seed)
    logits, targets = torch.randn(20, 3, generator=generator), torch.randint(3, (20,), generator=generator)
    padded = torch.cat([logits, torch.full((7, 3), torch.nan)]), torch.cat([targets, torch.full((7,), IGNORED)])
    assert LossOf(text, COUNTS)(*padded).item() == LossOf(text, COUNTS)(logits, targets).item()
