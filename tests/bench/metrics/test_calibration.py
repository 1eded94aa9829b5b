"""Calibration and AUROC against scikit-learn and textbook loops, and for infinite logits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, precision_recall_curve, roc_auc_score

from bench.metrics.auroc import auroc_and_average_precision
from bench.metrics.calibration import (
    BINS,
    brier_score,
    class_calibration_errors,
    compute_reliability,
    expected_calibration_error,
)
from bench.metrics.classification import compute_probability_metrics
from bench.metrics.part_evaluation import Predictions, evaluate_probabilities
from bench.metrics.precision_curve import count_found
from bench.records.record import Evaluation, Probabilities, Reliability
from bench.tasks.part import Rows
from strategies import Labels


@st.composite
def predictions(draw):
    """(probabilities (L, C), truth (L,)): some scores are equal, some classes may be missing."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    classes, labels = draw(st.integers(2, 5)), draw(st.integers(1, 60))
    given = generator.dirichlet(np.full(classes, draw(st.sampled_from([0.1, 1.0, 10.0]))), labels)
    if draw(st.booleans()):
        given = given.round(1) + 1e-3
        given /= given.sum(1, keepdims=True)
    return given, generator.choice(classes, labels, p=generator.dirichlet(np.full(classes, 0.5)))


def textbook_bin(p):
    """The number of the bin whose bounds hold p, in a loop."""
    return next(b for b in range(BINS) if p <= (b + 1) / BINS or b == BINS - 1)


def textbook_calibration_error(stated, came_true):
    """Bin by bin, the share of labels in it times |mean stated probability - share that came true|."""
    error = 0.0
    for b in range(BINS):
        inside = [i for i, p in enumerate(stated) if textbook_bin(p) == b]
        if inside:
            mean = sum(stated[i] for i in inside) / len(inside)
            share = sum(came_true[i] for i in inside) / len(inside)
            error += len(inside) / len(stated) * abs(mean - share)
    return error


@settings(deadline=None)
@given(predictions())
def test_brier_is_scikit_learns(example):
    given, truth = example
    classes = np.arange(given.shape[1])
    theirs = brier_score_loss(classes[truth], given, labels=classes, scale_by_half=False)
    assert brier_score(given, truth) == pytest.approx(theirs, abs=1e-12)


@settings(deadline=None)
@given(predictions())
def test_reliability_and_its_error_are_those_of_a_loop(example):
    given, truth = example
    found = compute_reliability(given, truth)
    top, stated = given.argmax(1), given.max(1)
    for b in range(BINS):
        inside = [i for i, p in enumerate(stated) if textbook_bin(p) == b]
        assert found.labels[b] == len(inside)
        assert found.correct[b] == sum(top[i] == truth[i] for i in inside)
        assert found.confidence[b] == pytest.approx(sum(stated[i] for i in inside))
    expected = textbook_calibration_error(stated, top == truth)
    assert expected_calibration_error(found) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None)
@given(predictions())
def test_errors_of_each_class_are_those_of_a_loop(example):
    given, truth = example
    expected = [textbook_calibration_error(given[:, c], truth == c) for c in range(given.shape[1])]
    assert class_calibration_errors(given, truth) == pytest.approx(expected, abs=1e-12)


def test_calibrated_probabilities_have_no_error_and_overconfident_ones_have_the_difference():
    truth = np.array([0] * 8 + [1] * 2)
    honest, boasting = np.tile([0.8, 0.2], (10, 1)), np.tile([0.9, 0.1], (10, 1))
    assert expected_calibration_error(compute_reliability(honest, truth)) == pytest.approx(0)
    assert class_calibration_errors(honest, truth) == pytest.approx([0, 0])
    assert expected_calibration_error(compute_reliability(boasting, truth)) == pytest.approx(0.1)
    assert class_calibration_errors(boasting, truth) == pytest.approx([0.1, 0.1])


@settings(deadline=None)
@given(predictions())
def test_auroc_and_average_precision_are_scikit_learns_and_none_where_they_are_undefined(example):
    given, truth = example
    for c in range(given.shape[1]):
        area, precision = auroc_and_average_precision(given[:, c], truth == c)
        if 0 < sum(truth == c) < len(truth):
            assert area == pytest.approx(roc_auc_score(truth == c, given[:, c]), abs=1e-12)
            assert precision == pytest.approx(average_precision_score(truth == c, given[:, c]), abs=1e-12)
        else:
            assert (area, precision) == (None, None)


@settings(deadline=None)
@given(predictions(), st.integers(1, 100))
def test_labels_found_at_a_precision_are_those_of_scikit_learns_curve(example, percent):
    given, truth = example
    scores, positive = given[:, 1], truth == 1
    if positive.any():
        precision, recall, _ = precision_recall_curve(positive, scores)
        expected = recall[precision >= percent / 100].max()
        assert count_found(scores, positive)[percent - 1] / positive.sum() == pytest.approx(expected)
    else:
        assert count_found(scores, positive) == [0] * 100


# From logits


def evaluated(logits, truth):
    """The evaluation of logits (L, C)."""
    part = Rows(torch.zeros(len(truth), 1), Labels.of(truth.numpy(), [str(c) for c in range(logits.shape[1])]))
    return Predictions.with_probabilities(logits, part).evaluation(part, "chosen", "test")


def of_logits(logits, truth):
    return evaluate_probabilities(torch.tensor(logits), torch.tensor(truth))


def test_metrics_of_logits_are_those_of_their_softmax():
    generator = torch.Generator().manual_seed(0)
    logits, truth = torch.randn(200, 4, generator=generator), torch.randint(3, (200,), generator=generator)
    found, given = evaluate_probabilities(logits, truth), logits.double().softmax(-1).numpy()
    assert found.brier == pytest.approx(brier_score_loss(truth, given, labels=range(4), scale_by_half=False))
    assert found.auroc[:3] == pytest.approx([roc_auc_score(truth == c, given[:, c]) for c in range(3)])
    assert (found.auroc[3], found.average_precision[3]) == (None, None)
    named = compute_probability_metrics(evaluated(logits, truth))
    assert named["auroc"] == pytest.approx(roc_auc_score(truth.eq(torch.arange(3).unsqueeze(1)).T, given[:, :3]))
    assert named["calibration_error"] == pytest.approx(
        textbook_calibration_error(given.max(1), given.argmax(1) == truth.numpy())
    )
    assert named["class_calibration_error"] == pytest.approx(np.mean(found.class_errors)), "class 3 is predicted"
    assert list(named) == ["brier", "calibration_error", "class_calibration_error", "auroc", "average_precision"]


@pytest.mark.parametrize(
    ("logits", "as_probabilities"),
    [
        ([-math.inf, 0.0, 0.0], [0, 1 / 2, 1 / 2]),
        ([math.inf, 0.0, 5.0], [1, 0, 0]),
        ([math.inf, -math.inf, math.inf], [1 / 2, 0, 1 / 2]),
        ([-math.inf, -math.inf, -math.inf], [1 / 3, 1 / 3, 1 / 3]),
        ([3e38, -3e38, 0.0], [1, 0, 0]),
        ([0.0, math.nan, 5.0], [0, 1, 0]),
    ],
)
def test_infinite_logits_are_certain_and_nothing_breaks(logits, as_probabilities):
    found = of_logits([logits, [1.0, 0.0, 0.0]], [2, 0])
    plain = of_logits([[math.log(p) if p else -9e30 for p in as_probabilities], [1.0, 0.0, 0.0]], [2, 0])
    assert found.brier == pytest.approx(plain.brier)
    assert found.reliability.labels == plain.reliability.labels
    assert found.class_errors == pytest.approx(plain.class_errors)
    assert (found.auroc, found.average_precision) == (plain.auroc, plain.average_precision)


def test_a_class_that_an_adjustment_rules_out_has_an_auroc_of_chance():
    generator = torch.Generator().manual_seed(0)
    logits, truth = torch.randn(50, 3, generator=generator), torch.randint(3, (50,), generator=generator)
    logits[:, 1] = -torch.inf
    found = evaluate_probabilities(logits, truth)
    assert found.auroc[1] == 0.5
    assert found.average_precision[1] == pytest.approx(float((truth == 1).double().mean()))


def test_the_mean_class_calibration_error_leaves_out_a_class_that_neither_occurs_nor_is_predicted():
    logits = torch.tensor([[1.0, 0.0, -9.0], [0.0, 2.0, -9.0], [1.5, 0.0, -9.0]])
    found = evaluated(logits, torch.tensor([0, 0, 1]))
    errors = found.probabilities.class_errors
    assert compute_probability_metrics(found)["class_calibration_error"] == pytest.approx(np.mean(errors[:2]))


def test_with_one_class_there_is_calibration_and_no_auroc():
    named = compute_probability_metrics(evaluated(torch.tensor([[1.0, 0.0], [2.0, 0.0]]), torch.tensor([0, 0])))
    assert list(named) == ["brier", "calibration_error", "class_calibration_error"]


def test_probabilities_that_were_not_evaluated_have_no_metrics():
    assert compute_probability_metrics(Evaluation("chosen", "test", [[1]], 0.0)) == {}
    empty = [0] * BINS
    perfect = Reliability([*empty[:-1], 4], [*empty[:-1], 4.0], [*empty[:-1], 4])
    probabilities = Probabilities(0.0, perfect, [0.0], [1.0], [1.0])
    assert compute_probability_metrics(Evaluation("chosen", "test", [[4]], 0.0, probabilities=probabilities)) == {
        **dict.fromkeys(["brier", "calibration_error", "class_calibration_error"], 0.0),
        **dict.fromkeys(["auroc", "average_precision"], 1.0),
    }
