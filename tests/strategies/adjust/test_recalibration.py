"""Recalibration: the minimum is the one that SciPy finds, a temperature changes no prediction, and new labels gain."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import log_softmax

from strategies import IGNORED, AdjustmentInputs, Head, get

NAMES = ("temperature-scaling", "dirichlet-calibration")
pytestmark = pytest.mark.usefixtures("one_thread")


def draw(seed, items, classes=3, sharpness=3.0):
    """Logits (L, C) that are too sure, and targets (L,), the first class the most frequent."""
    generator = torch.Generator().manual_seed(seed)
    shares = torch.tensor([0.6, 0.25, 0.1, 0.05][:classes], dtype=torch.float64)
    targets = torch.multinomial(shares, items, replacement=True, generator=generator)
    logits = torch.randn(items, classes, generator=generator) + shares.log()
    logits[torch.arange(items), targets] += 1.0
    return (sharpness * logits).float(), targets


def tune(name, logits, targets, target_prior=None):
    prior = torch.bincount(targets[targets != IGNORED], minlength=logits.shape[1]).double()
    prior = prior / prior.sum().clamp_min(1) if target_prior is None else torch.tensor(target_prior).double()
    head = Head(torch.eye(logits.shape[1]), torch.zeros(logits.shape[1]))
    return get(name).adjust(AdjustmentInputs(head, None, prior, logits, targets))


def log_loss(logits, targets, weights=None):
    return float(np.average(-log_softmax(logits, axis=1)[np.arange(len(targets)), targets], weights=weights))


def scipy_parameters(name, logits, targets, weights):
    """What SciPy finds for the loss as a textbook writes it, with the prior of one label."""
    log_p, C = log_softmax(logits.double().numpy(), axis=1), logits.shape[1]
    truth, weights = targets.numpy(), weights.numpy()

    def loss(parameters):
        scale, offset = (parameters, 0.0) if name == NAMES[0] else (parameters[:C], parameters[C:])
        away = np.square(scale - 1).sum() + np.square(offset).sum()
        return weights.sum() * log_loss(scale * log_p + offset, truth, weights) + away / 2

    start = np.ones(1) if name == NAMES[0] else np.concatenate([np.ones(C), np.zeros(C)])
    bounds = [(0.01, None)] * (1 if name == NAMES[0] else C) + [(None, None)] * (0 if name == NAMES[0] else C)
    parameters = minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-14, "gtol": 1e-9}).x
    return (parameters, 0.0) if name == NAMES[0] else (parameters[:C], parameters[C:])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("items", "sharpness", "target"), [(200, 3.0, None), (60, 0.3, [0.5, 0.25, 0.25]), (9, 8, None)]
)
def test_the_parameters_are_those_that_scipy_finds(name, items, sharpness, target):
    logits, targets = draw(1, items, sharpness=sharpness)
    weights = torch.ones(items).double()
    if target is not None:
        weights = (torch.tensor(target) / (torch.bincount(targets, minlength=3) / items))[targets].double()
    scale, offset = scipy_parameters(name, logits, targets, weights)
    log_p = log_softmax(logits.double().numpy(), axis=1)
    adjusted = log_softmax(tune(name, logits, targets, target)(logits).numpy(), axis=1)
    np.testing.assert_allclose(adjusted, log_softmax(scale * log_p + offset, axis=1), rtol=1e-3, atol=1e-3)


@given(st.integers(0, 10_000), st.integers(1, 30), st.sampled_from([0.1, 1.0, 30.0]))
@settings(max_examples=40)
def test_a_temperature_changes_no_prediction(seed, items, sharpness):
    logits, targets = draw(seed, items, sharpness=sharpness)
    new, _ = draw(seed + 1, 1000)
    new[::3] = torch.nextafter(new[::3, :1], torch.tensor(9.0)).repeat(1, 3)  # equal logits
    new[::3, 1] = torch.nextafter(new[::3, 1], torch.tensor(9.0))  # and the closest that are not
    adjusted = tune("temperature-scaling", logits, targets)(new)
    assert adjusted.isfinite().all()
    assert adjusted.argmax(-1).equal(new.argmax(-1))


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_that_are_too_sure_get_better_on_new_labels(name):
    gains = []
    for seed in range(5):
        (logits, targets), (new, new_targets) = draw(seed, 300), draw(100 + seed, 3000)
        before, after = (
            log_loss(z.double().numpy(), new_targets.numpy()) for z in (new, tune(name, logits, targets)(new))
        )
        gains.append(before - after)
    assert min(gains) > 0.2


def test_scales_and_offsets_change_predictions_where_a_class_is_foretold_too_seldom():
    logits, targets = draw(0, 2000, sharpness=1.0)
    logits[:, 2] -= 3.0
    adjusted = tune("dirichlet-calibration", logits, targets)(logits)
    assert (logits.argmax(-1) == 2).sum() < 5
    assert (adjusted.argmax(-1) == 2).sum() > 50


@pytest.mark.parametrize("name", NAMES)
def test_few_labels_classes_without_any_and_logits_that_rule_a_class_out_are_no_trouble(name):
    logits, targets = draw(0, 40)
    for few in (0, 1, 2):
        assert tune(name, logits[:few], targets[:few], [0.6, 0.3, 0.1])(logits).isfinite().all()
    right = torch.eye(3)[targets] * 20
    assert tune(name, right[:4], targets[:4])(right).softmax(-1).max() < 1 - 1e-12
    ruled_out = logits.clone()
    ruled_out[::2, 2] = -torch.inf
    probabilities = tune(name, ruled_out, targets)(ruled_out).softmax(-1)
    assert probabilities.isfinite().all()
    assert (probabilities[::2, 2] == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_held_out_labels_are_adjusted_by_what_was_fitted_without_them_and_padding_is_no_label(name):
    logits, targets = draw(3, 200, sharpness=6.0)
    tuned = tune(name, logits, targets)
    on_seen, on_held_out = (log_loss(z.numpy(), targets.numpy()) for z in (tuned(logits), tuned.held_out))
    assert on_seen < on_held_out < log_loss(logits.double().numpy(), targets.numpy())
    padded = torch.cat([targets, torch.full((50,), IGNORED)])
    with_padding = tune(name, torch.cat([logits, torch.randn(50, 3)]), padded)
    torch.testing.assert_close(with_padding(logits), tuned(logits))
    torch.testing.assert_close(with_padding.held_out[:200], tuned.held_out)
