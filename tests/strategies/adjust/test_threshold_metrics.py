"""Thresholds tuned for each metric, compared with all possible offsets in small cases, and with scikit-learn."""

import itertools
import math
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, recall_score

from strategies import AdjustmentInputs, Head, NotationError, get, parse
from strategies.adjust.coordinate_ascent import tune_offsets
from strategies.adjust.threshold_metric import ThresholdMetric, recalls, score_predictions
from strategies.adjust.threshold_search import METRIC_AFTER_MOVES

OBJECTIVES = get_args(ThresholdMetric)
OF_RECALL = OBJECTIVES[1:]


def draw(seed, items, classes):
    """Logits (L, C) and targets (L,), long-tailed, so that the tail may be missing."""
    generator = torch.Generator().manual_seed(seed)
    prior = torch.tensor([1.0, 0.4, 0.3, 0.1, 0.05][:classes], dtype=torch.float64)
    targets = torch.multinomial(prior, items, replacement=True, generator=generator)
    logits = torch.randn(items, classes, generator=generator, dtype=torch.float64) + prior.log()
    logits[torch.arange(items), targets] += 1.0
    return logits, targets


def random_weights(seed, items):
    return torch.rand(items, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.01


def textbook(objective, targets, predicted, classes, weights=None):
    """In plain loops: recall = found / there are, over the classes that occur; F1 = 2 hits / (predicted + there are), over the
    classes that occur or are predicted."""
    weights = [1.0] * len(targets) if weights is None else weights.tolist()
    pairs = list(zip(targets.tolist(), predicted.tolist(), weights, strict=True))
    hits = [sum(w for t, p, w in pairs if t == p == c) for c in range(classes)]
    there = [sum(w for t, _, w in pairs if t == c) for c in range(classes)]
    if objective == "macro-f1":
        said = [sum(w for _, p, w in pairs if p == c) for c in range(classes)]
        f1 = [2 * hits[c] / (said[c] + there[c]) for c in range(classes) if said[c] + there[c]]
        return sum(f1) / len(f1)
    recall = [hits[c] / there[c] for c in range(classes) if there[c]]
    return min(recall) if objective == "worst-class-recall" else sum(recall) / len(recall)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(1, 40), st.booleans())
def test_metrics_equal_scikit_learns(seed, classes, items, weighted):
    logits, targets = draw(seed, items, classes)
    predicted = logits.argmax(-1)
    occurring = np.unique(targets)
    weights = random_weights(seed, items) if weighted else None
    theirs = {"sample_weight": weights, "zero_division": 0}
    each = recall_score(targets, predicted, labels=occurring, average=None, **theirs)
    assert recalls(targets, predicted, classes, weights)[occurring].tolist() == pytest.approx(each.tolist())
    expected = {
        "macro-f1": f1_score(targets, predicted, average="macro", **theirs),
        "balanced-accuracy": each.mean(),
        "worst-class-recall": each.min(),
    }
    found = {of: score_predictions(of, targets, predicted, classes, weights) for of in OBJECTIVES}
    assert found == pytest.approx(expected)


@settings(deadline=None)
@given(
    objective=st.sampled_from(OBJECTIVES),
    seed=st.integers(0, 10_000),
    classes=st.integers(2, 5),
    items=st.integers(1, 20),
    weighted=st.booleans(),
)
# A class that is only predicted: its sums of weights end at a rounding error, not at 0.
@example(objective="macro-f1", seed=6, classes=4, items=6, weighted=True)
def test_the_metric_after_each_move_equals_that_of_moving_the_items_one_by_one(
    objective, seed, classes, items, weighted
):
    logits, targets = draw(seed, items, classes)
    weights = random_weights(seed, items) if weighted else torch.ones(items, dtype=torch.float64)
    one = seed % classes
    others = logits.masked_fill(torch.arange(classes) == one, -math.inf)
    predicted = rival = others.argmax(-1)
    found = METRIC_AFTER_MOVES[objective](targets, rival, one, classes, weights)
    assert len(found) == items + 1
    for moved, value in enumerate(found.tolist()):
        predicted = torch.where(torch.arange(items) < moved, one, rival)
        assert value == pytest.approx(textbook(objective, targets, predicted, classes, weights), abs=1e-12)


def between(values):
    """A number between each two neighbours, one below all and one above."""
    values = sorted(set(values))
    return [values[0] - 1, *((a + b) / 2 for a, b in itertools.pairwise(values)), values[-1] + 1]


def reached(objective, logits, targets, offsets):
    return textbook(objective, targets, (logits + offsets).argmax(-1), logits.shape[-1])


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(OBJECTIVES), st.integers(0, 10_000), st.integers(1, 20), st.booleans())
def test_for_two_classes_the_best_of_all_cuts_is_found(objective, seed, items, rounded):
    logits, targets = draw(seed, items, 2)
    if rounded:
        logits = logits.round()  # equal margins cannot be told apart, but by chance where a sum is rounded
    cuts = [torch.tensor([cut, 0.0], dtype=torch.float64) for cut in between(float(b - a) for a, b in logits)]
    best = max(reached(objective, logits, targets, each) for each in cuts)
    found = reached(objective, logits, targets, tune_offsets(logits, targets, objective))
    assert found >= best - 1e-9
    assert rounded or found <= best + 1e-9


def best_of_three(objective, logits, targets):
    """The largest value over all that offsets (x, y, 0) can make of the predictions.

    In the plane of x and y these change where two logits of an item meet; between the crossings of such lines, along y alone.
    """
    a, b, c = logits.T.numpy()
    crossings = ((c - b)[:, None] - (a - b)).ravel().tolist()
    offsets = [
        [x, y, 0.0] for x in between(crossings) for y in between((np.maximum(a + x, c) - b).tolist())
    ]  # fmt: skip
    predicted = (logits + torch.tensor(offsets, dtype=torch.float64).unsqueeze(1)).argmax(-1)
    return max(textbook(objective, targets, each, 3) for each in torch.unique(predicted, dim=0))


@pytest.mark.parametrize(
    ("objective", "optimal"), [("macro-f1", 17), ("balanced-accuracy", 17), ("worst-class-recall", 20)]
)
def test_for_three_classes_the_best_of_all_offsets_is_nearly_always_found(objective, optimal):
    short, gain = [], []
    for seed in range(20):
        logits, targets = draw(seed, 9, 3)
        best = best_of_three(objective, logits, targets)
        short.append(best - reached(objective, logits, targets, tune_offsets(logits, targets, objective)))
        gain.append(best - reached(objective, logits, targets, torch.zeros(3)))
    assert min(short) >= -1e-9
    assert sum(each < 1e-9 for each in short) >= optimal
    assert sum(short) < 0.1 * sum(gain)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(OBJECTIVES), st.integers(0, 10_000), st.integers(2, 5))
def test_the_metric_is_never_lower_on_validation_and_no_class_alone_can_raise_it(objective, seed, classes):
    logits, targets = draw(seed, 60, classes)
    offsets = tune_offsets(logits, targets, objective)
    best = reached(objective, logits, targets, offsets)
    assert best >= reached(objective, logits, targets, torch.zeros(classes)) - 1e-12
    for c, step in itertools.product(range(classes), np.linspace(-3, 3, 13)):
        moved = offsets.clone()
        moved[c] += step
        assert score_predictions(objective, targets, (logits + moved).argmax(-1), classes) <= best + 1e-9


def test_each_metric_is_highest_with_thresholds_tuned_for_it():
    logits, targets = draw(3, 500, 5)
    values = {
        of: [reached(of, logits, targets, tune_offsets(logits, targets, objective)) for objective in OBJECTIVES]
        for of in OBJECTIVES
    }
    assert [np.argmax(found) for found in values.values()] == [0, 1, 2]


def test_classes_without_a_hit_are_raised_together():
    logits, targets = draw(0, 400, 5)
    # Classes 0 to 2 are all predicted as 0, 3 and 4 as 3: no class alone can raise the worst recall.
    logits[targets <= 2, 0] += 20.0
    logits[targets > 2, 3] += 20.0
    assert reached("worst-class-recall", logits, targets, torch.zeros(5)) == 0.0
    assert reached("worst-class-recall", logits, targets, tune_offsets(logits, targets, "worst-class-recall")) > 0.25


def test_the_default_is_macro_f1_and_keeps_its_name():
    assert str(get("thresholds")) == str(get("thresholds", objective="macro-f1")) == "thresholds"
    assert str(get("thresholds", objective="balanced-accuracy")) == "thresholds(balanced-accuracy)"
    assert get("thresholds", objective="balanced-accuracy") == parse("thresholds(balanced-accuracy)")


@pytest.mark.filterwarnings("ignore:thresholds. 1 validation label:strategies.StrategyWarning")
@pytest.mark.parametrize("objective", OF_RECALL)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e38, -1e38])
def test_one_extreme_logit_leaves_the_offsets_finite_and_useful(objective, bad):
    logits, targets = draw(5, 200, 3)
    extreme = logits.clone()
    extreme[7, 1] = bad
    head, uniform = Head(torch.eye(3), torch.zeros(3)), torch.full((3,), 1 / 3)
    inputs = AdjustmentInputs(head, None, uniform, valid_logits=extreme.requires_grad_(), valid_targets=targets)
    adjust = get("thresholds", objective=objective).adjust(inputs)
    assert adjust(logits).isfinite().all()
    alone = reached(objective, logits, targets, tune_offsets(logits, targets, objective))
    assert score_predictions(objective, targets, adjust(logits).argmax(-1), 3) > alone - 0.15


def test_an_unknown_metric_is_refused_with_the_known_ones():
    with pytest.raises(
        NotationError, match=r"'macro-f1' or 'balanced-accuracy' or 'worst-class-recall'; given: 'entity-f1'"
    ):
        get("thresholds", objective="entity-f1")
