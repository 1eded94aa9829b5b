import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import ClassCounts, Labels, NotationError, get
from strategies.class_mix import expected_mix

few = settings(max_examples=25, deadline=None)
CIFAR = ClassCounts(torch.tensor([5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]), tuple("0123456789"))


def batch(seed, classes=10, items=20):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(items, classes, generator=generator, dtype=torch.float64)
    return logits, torch.randint(classes, (items,), generator=generator)


def by_hand(logits, targets, adjusted):
    """Mean of log(sum_k exp(adjusted(z, k))) - adjusted(z, y), term by term."""
    total = 0.0
    for z, y in zip(logits.tolist(), targets.tolist(), strict=True):
        each = [adjusted(z, k) for k in range(len(z))]
        total += math.log(sum(math.exp(value) for value in each)) - each[y]
    return total / len(targets)


def share(k):
    return int(CIFAR.values[k]) / 12_406


def ratio(k):
    return 5000 / int(CIFAR.values[k])


@pytest.mark.parametrize(
    ("text", "adjusted"),
    [
        ("logit-adjustment", lambda z, k: z[k] + math.log(share(k))),
        ("logit-adjustment(tau=1.5)", lambda z, k: z[k] + 1.5 * math.log(share(k))),
        ("vs", lambda z, k: z[k] / ratio(k) ** 0.3 + math.log(share(k))),
        ("vs(gamma=0.1, tau=0.5)", lambda z, k: z[k] / ratio(k) ** 0.1 + 0.5 * math.log(share(k))),
        ("cdt", lambda z, k: z[k] / ratio(k) ** 0.2),
    ],
)
def test_the_loss_is_the_papers_term_by_term(text, adjusted):
    import strategies

    logits, targets = batch(0)
    loss = strategies.parse(text).loss(CIFAR)
    assert loss(logits, targets).item() == pytest.approx(by_hand(logits, targets, adjusted), rel=1e-6)


def test_log_priors_and_temperatures_on_cifar_10_lt():
    shift = get("balanced-softmax").loss(CIFAR).shift.flatten()
    assert shift[[0, -1]].tolist() == pytest.approx([-0.9087, -5.5139], abs=5e-5)
    assert get("cdt").loss(CIFAR).temperature.flatten()[[0, -1]].tolist() == pytest.approx([1, 2.5119], abs=5e-5)
    assert get("vs").loss(CIFAR).temperature.flatten()[[0, -1]].tolist() == pytest.approx([1, 3.9811], abs=5e-5)
    assert (get("cdt").loss(CIFAR).shift == 0).all()


@few
@given(st.integers(0, 10_000), st.floats(0, 2))
def test_vector_scaling_holds_logit_adjustment_and_temperatures(seed, number):
    logits, targets = batch(seed)
    without_gamma, adjustment = get("vs", gamma=0.0, tau=number), get("logit-adjustment", tau=number)
    assert torch.equal(without_gamma.loss(CIFAR)(logits, targets), adjustment.loss(CIFAR)(logits, targets))
    without_tau, temperatures = get("vs", gamma=number, tau=0.0), get("cdt", gamma=number)
    assert torch.equal(without_tau.loss(CIFAR)(logits, targets), temperatures.loss(CIFAR)(logits, targets))


@few
@given(st.integers(0, 10_000))
def test_without_tau_and_gamma_nothing_is_left(seed):
    logits, targets = batch(seed)
    plain = get("none").loss(CIFAR)(logits, targets)
    for strategy in (get("logit-adjustment", tau=0.0), get("cdt", gamma=0.0), get("vs", gamma=0.0, tau=0.0)):
        assert torch.equal(strategy.loss(CIFAR)(logits, targets), plain)


@pytest.mark.parametrize(("tau", "prior"), [(0.0, [0.8, 0.2, 0]), (0.5, [2 / 3, 1 / 3, 0]), (1.0, [0.5, 0.5, 0])])
def test_the_raw_logits_learn_the_prior_to_the_power_of_one_less_tau(tau, prior):
    labels = Labels.of([0] * 80 + [1] * 20, class_names=("a", "b", "absent"))
    assert get("logit-adjustment", tau=tau).effective_prior(labels, labels.counts()).tolist() == pytest.approx(prior)


@pytest.mark.parametrize("tau", [0.5, 1.0])
def test_a_model_of_biases_alone_learns_the_effective_prior(tau):
    # The best constant logits b have softmax(b + tau log pi) = pi.
    labels = Labels.of([0] * 70 + [1] * 20 + [2] * 10)
    strategy = get("logit-adjustment", tau=tau)
    bias = strategy.effective_prior(labels, labels.counts()).log().requires_grad_()
    loss = strategy.loss(labels.counts())
    loss(bias.expand(100, 3), labels.values).backward()
    assert bias.grad.abs().max() < 1e-7
    assert not torch.allclose(expected_mix(labels).log(), bias)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("logit-adjustment", {"tau": -1.0}),
        ("cdt", {"gamma": -0.1}),
        ("vs", {"gamma": -0.1}),
        ("vs", {"tau": -0.1}),
    ],
)
def test_negative_powers_are_refused(name, parameters):
    with pytest.raises(NotationError, match=r"0 or more; given: -"):
        get(name, **parameters)
