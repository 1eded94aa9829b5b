"""What tuned adjustments do to validation labels that they were not tuned on: scores that are not too good."""

import numpy as np
import pytest
import torch
from scipy.stats import ttest_rel
from sklearn.metrics import f1_score

from strategies import AdjustmentInputs, Head, get
from strategies.adjust.coordinate_ascent import tune_offsets
from strategies.adjust.fitted_thresholds import SHARES, cross_fit_thresholds
from strategies.adjust.tau_normalisation import TAUS
from strategies.adjust.threshold_metric import macro_f1
from strategies.adjust.validation_folds import FOLDS, assign_folds
from strategies.strategy import CrossFitted

pytestmark = [pytest.mark.filterwarnings("ignore::strategies.StrategyWarning"), pytest.mark.usefixtures("one_thread")]


def draw(seed, counts):
    """Logits (L, C) float64 and targets (L,), `counts` of each class, in random order."""
    generator = torch.Generator().manual_seed(seed)
    targets = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    targets = targets[torch.randperm(len(targets), generator=generator)]
    logits = torch.randn(len(targets), len(counts), generator=generator, dtype=torch.float64)
    logits[torch.arange(len(targets)), targets] += 1.5
    return logits, targets


def score(logits, targets):
    return f1_score(targets, logits.argmax(-1), average="macro", zero_division=0)


def test_scores_of_held_out_labels_are_those_of_new_labels_and_scores_of_tuned_ones_are_too_good():
    counts = [300, 60, 20]
    gains = []
    for seed in range(20):
        (logits, targets), (new, new_targets) = draw(seed, counts), draw(1000 + seed, [10 * count for count in counts])
        prior = (torch.tensor(counts) / sum(counts)).log()
        logits, new = logits + prior, new + prior
        thresholds, held_out = cross_fit_thresholds(logits, targets)
        gains.append(
            [
                score(thresholds.adjust(logits), targets) - score(logits, targets),
                score(held_out, targets) - score(logits, targets),
                score(thresholds.adjust(new), new_targets) - score(new, new_targets),
            ]
        )
    on_tuned, on_held_out, on_new = np.transpose(gains)
    assert on_new.mean() > 0.03
    assert abs(ttest_rel(on_held_out, on_new).statistic) < 2.5
    assert ttest_rel(on_tuned, on_held_out).statistic > 4


def test_each_fold_is_adjusted_by_a_share_of_the_offsets_that_are_tuned_on_the_others():
    logits, targets = draw(0, [200, 50, 25])
    _, held_out = cross_fit_thresholds(logits, targets)
    fold, every = assign_folds(targets, FOLDS), torch.ones(3, dtype=torch.bool)
    for left_out in range(FOLDS):
        seen = fold != left_out
        offsets = tune_offsets(logits[seen], targets[seen], "macro-f1", torch.ones(int(seen.sum())), ~every)
        offsets -= offsets.mean()
        moved = (held_out - logits)[~seen]
        assert any(torch.allclose(moved, (share * offsets).expand_as(moved)) for share in (0.0, *SHARES))


def test_labels_that_are_not_tuned_on_are_adjusted_as_new_ones_are():
    logits, targets = draw(3, [200, 50, 25])
    targets[:10], logits[10, 0] = -100, torch.nan
    thresholds, held_out = cross_fit_thresholds(logits.reshape(5, 55, 3), targets.reshape(5, 55))
    assert any(thresholds.offsets)
    assert held_out.shape == (5, 55, 3)
    adjusted = thresholds.adjust(logits)
    assert torch.equal(held_out.reshape(-1, 3)[:10], adjusted[:10])
    assert torch.equal(held_out.reshape(-1, 3)[10].isnan(), adjusted[10].isnan())


def test_too_few_labels_to_tune_on_leave_the_logits_as_they_are():
    logits, targets = draw(0, [20, 4])
    assert torch.equal(cross_fit_thresholds(logits, targets)[1], logits)


def test_tau_of_each_fold_is_the_best_of_the_others():
    logits, targets = draw(1, [120, 30, 15])
    weight, uniform = torch.tensor([[3.0, 0.0], [0.0, 1.5], [1.0, 0.2]]), torch.full((3,), 1 / 3)
    head = Head(weight, torch.tensor([0.5, 0.0, -0.5]))

    def adjust(tau):
        return get("tau-normalisation", tau=tau).adjust(AdjustmentInputs(head, None, uniform, logits, targets))(logits)

    tuned = get("tau-normalisation").adjust(AdjustmentInputs(head, None, uniform, logits, targets))
    assert isinstance(tuned, CrossFitted)
    weights = (len(targets) / 3 / torch.bincount(targets))[targets].double()
    fold = assign_folds(targets, FOLDS)
    expected = torch.empty_like(logits)
    for left_out in range(FOLDS):
        seen = fold != left_out
        scores = [macro_f1(targets[seen], adjust(tau)[seen].argmax(-1), 3, weights[seen]) for tau in TAUS]
        expected[~seen] = adjust(TAUS[int(np.argmax(scores))])[~seen]
    assert torch.equal(tuned.held_out, expected)
    assert torch.equal(tuned(logits[:7]), tuned(logits)[:7])
