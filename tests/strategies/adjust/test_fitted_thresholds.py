"""Thresholds and their guard: classes with few validation labels, offsets that gain nothing, weights, files."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from strategies import FittedThresholds, StrategyWarning, fit_thresholds
from strategies.adjust.coordinate_ascent import tune_offsets
from strategies.adjust.fitted_thresholds import LARGE, MIN_LABELS
from strategies.adjust.offsets import reorder
from strategies.adjust.validation_folds import assign_folds
from strategies.adjust.validation_weights import effective_labels, weigh_to_prior

SILENT = pytest.mark.filterwarnings("ignore::strategies.StrategyWarning")


def draw(seed, counts, signal=1.5):
    """Logits (L, C) float64 of a model that knows the prior, and targets (L,), `counts` of each class, in random order."""
    generator = torch.Generator().manual_seed(seed)
    counts = torch.tensor(counts)
    targets = torch.arange(len(counts)).repeat_interleave(counts)
    targets = targets[torch.randperm(len(targets), generator=generator)]
    logits = torch.randn(len(targets), len(counts), generator=generator, dtype=torch.float64)
    logits[torch.arange(len(targets)), targets] += signal
    return logits + (counts + 1.0).log(), targets


def macro(targets, predicted):
    return f1_score(targets, predicted, average="macro", zero_division=0)


# Classes with few validation labels


def test_a_class_without_validation_labels_is_not_silenced():
    logits = torch.tensor([[4.0, 0, 0]] * 60 + [[0, 4.0, 0]] * 20 + [[0, 0, 3.0]] * 2)
    with pytest.warns(StrategyWarning, match=r"fewer than 5 validation labels: I-MISC"):
        thresholds = fit_thresholds(logits, [0] * 60 + [1] * 20 + [0] * 2, class_names=("O", "I-PER", "I-MISC"))
    assert thresholds.predict(torch.tensor([[0, 0, 2.5]] * 100)).tolist() == [2] * 100
    # Without the guard, no such label is predicted as that class any more.
    naive = tune_offsets(logits, torch.tensor([0] * 60 + [1] * 20 + [0] * 2))
    assert (torch.tensor([0, 0, 2.5]) + naive).argmax() != 2


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_a_class_with_one_validation_label_is_predicted_as_before_and_not_all_over_the_place(seed):
    logits, targets = draw(seed, [500, 100, 1])
    margins = logits[:, 2] - logits[:, :2].max(-1).values
    logits[targets == 2, 2] += (
        margins[targets < 2].quantile(0.99) - margins[targets == 2]
    )  # higher than 99% of the others
    with pytest.warns(StrategyWarning, match=r"validation labels: 2"):
        thresholds = fit_thresholds(logits, targets)
    assert thresholds.neutral == (2,)
    test_logits, test_targets = draw(seed + 100, [5000, 1000, 10])
    test_logits += torch.tensor([501.0, 101, 2]).log() - torch.tensor([5001.0, 1001, 11]).log()  # the prior of training
    raw, guarded = test_logits.argmax(-1), thresholds.predict(test_logits)
    assert torch.equal(raw == 2, guarded == 2)
    naive = (test_logits + tune_offsets(logits, targets)).argmax(-1)
    assert (naive == 2).sum() > 15
    assert (test_targets[naive == 2] == 2).double().mean() < 0.15


@given(
    st.integers(0, 10_000),
    st.integers(2, 6),
    st.booleans(),
    st.sampled_from([torch.float64, torch.float32, torch.float16]),
)
@settings(deadline=None)
def test_neutral_classes_are_predicted_where_they_were_and_the_others_by_their_offsets(seed, classes, rounded, dtype):
    generator = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(50, classes, generator=generator, dtype=torch.float64)
    offsets = 3 * torch.randn(classes, generator=generator, dtype=torch.float64)
    neutral = torch.rand(classes, generator=generator) < 0.5
    logits = (logits.round() if rounded else logits).to(dtype)  # whole numbers have ties
    offsets[neutral] = 0
    raw, found = logits.argmax(-1), reorder(offsets, neutral)(logits).argmax(-1)
    kept = neutral[raw]
    assert torch.equal(found[kept], raw[kept])
    others = logits.to(torch.promote_types(dtype, torch.float32)) + offsets.float().to(
        torch.promote_types(dtype, torch.float32)
    )
    expected = others.masked_fill(neutral, -math.inf).argmax(-1)
    if dtype == torch.float64:
        expected = (logits + offsets).masked_fill(neutral, -math.inf).argmax(-1)
    assert torch.equal(found[~kept], expected[~kept])


def test_adjusted_logits_agree_with_the_predictions_and_treat_each_label_alone():
    logits, targets = draw(0, [300, 60, 30, 2])
    with pytest.warns(StrategyWarning):
        thresholds = fit_thresholds(logits, targets)
    assert any(thresholds.offsets)
    adjusted = thresholds.adjust(logits)
    assert torch.equal(adjusted.argmax(-1), thresholds.predict(logits))
    assert torch.equal(thresholds.adjust(logits[::3]), adjusted[::3])
    assert adjusted.isfinite().all()


def test_many_classes_most_of_them_rare_keep_their_predictions():
    counts = [200, 100, 50, *[1] * 300]
    logits, targets = draw(1, counts)
    with pytest.warns(StrategyWarning, match="validation labels: 3, 4, 5"):
        thresholds = fit_thresholds(logits, targets)
    assert thresholds.neutral == tuple(range(3, 303))
    assert torch.equal(thresholds.predict(logits) > 2, logits.argmax(-1) > 2)


def test_the_limit_is_a_number_of_labels():
    for few in (MIN_LABELS - 1, MIN_LABELS):
        logits, targets = draw(2, [200, 50, few])
        if few < MIN_LABELS:
            with pytest.warns(StrategyWarning, match="fewer than"):
                assert fit_thresholds(logits, targets).neutral == (2,)
        else:
            assert fit_thresholds(logits, targets).neutral == ()


@SILENT
@pytest.mark.parametrize(
    ("metric", "counts"),
    [
        *(
            ("macro-f1", counts)
            for counts in ([], [0, 0], [1, 1], [30, 0], [30, 4], [6, 6], [0, 40, 8], [1, 40, 2, 30])
        ),
        ("balanced-accuracy", [1, 40, 2, 30]),
        ("worst-class-recall", [0, 40, 8]),
    ],
)
def test_no_mix_of_classes_is_too_small(metric, counts):
    logits, targets = draw(3, counts or [0, 0, 0])
    thresholds = fit_thresholds(logits, targets, metric)
    assert len(thresholds.offsets) == logits.shape[-1]
    few = [c for c, count in enumerate(counts) if count < MIN_LABELS]
    raw, found = logits.argmax(-1), thresholds.predict(logits)
    assert all(torch.equal(raw == c, found == c) for c in few)


# Acceptance


@SILENT
def test_where_nothing_can_be_gained_little_is_lost():
    lost, lost_without_guard, kept = [], [], 0
    test_logits, test_targets = draw(100, [3000, 3000, 3000])
    raw = macro(test_targets, test_logits.argmax(-1))  # the best there is: the logits are symmetric
    for seed in range(20):
        logits, targets = draw(seed, [40, 40, 40])
        thresholds = fit_thresholds(logits, targets)
        lost.append(raw - macro(test_targets, thresholds.predict(test_logits)))
        naive = test_logits + tune_offsets(logits, targets)
        lost_without_guard.append(raw - macro(test_targets, naive.argmax(-1)))
        kept += any(thresholds.offsets)
        if not any(thresholds.offsets):
            assert thresholds.notes == ("offsets gained no macro-f1 on held-out folds of validation, so none is used",)
    assert kept < 15
    assert np.mean(lost) < 0.005 < np.mean(lost_without_guard)


def test_a_prior_that_hides_the_rare_class_is_corrected():
    gains = []
    for seed in range(5):
        thresholds = fit_thresholds(*draw(seed, [1000, 60, 30]))
        logits, targets = draw(seed + 50, [4000, 240, 120])
        gains.append(macro(targets, thresholds.predict(logits)) - macro(targets, logits.argmax(-1)))
        assert thresholds.gain > 0
    assert np.mean(gains) > 0.03


@SILENT
def test_equal_logits_and_ties_are_left_alone():
    targets = torch.tensor([0] * 30 + [1] * 20 + [2] * 10)
    alike = torch.zeros(60, 3)
    assert fit_thresholds(alike, targets).predict(torch.zeros(4, 3)).tolist() == [0] * 4
    rounded = draw(4, [100, 40, 20])[0].round()
    thresholds = fit_thresholds(rounded, draw(4, [100, 40, 20])[1])
    assert thresholds.predict(rounded).max() <= 2


def test_folds_hold_equal_shares_of_each_class_and_keep_neighbours_together():
    targets = draw(5, [50, 23, 7, 1])[1]
    fold = assign_folds(targets, 5)
    for c in range(4):
        sizes = torch.bincount(fold[targets == c], minlength=5)
        assert sizes.max() - sizes.min() <= 1
        assert torch.equal(fold[targets == c], fold[targets == c].sort().values)


@SILENT
def test_nothing_depends_on_the_global_generator_or_changes_what_is_given():
    logits, targets = draw(6, [200, 40, 20])
    state, given = torch.get_rng_state(), logits.clone()
    first = fit_thresholds(logits, targets)
    torch.manual_seed(1)
    assert fit_thresholds(logits, targets) == first
    torch.set_rng_state(state)
    fit_thresholds(logits, targets)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(logits, given)


# Weights


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(deadline=None, max_examples=20)
def test_a_label_of_weight_n_is_n_labels(seed, classes):
    logits, targets = draw(seed, [30, 10, 5, 5][:classes])
    times = torch.randint(1, 4, targets.shape, generator=torch.Generator().manual_seed(seed))
    repeated = tune_offsets(logits.repeat_interleave(times, 0), targets.repeat_interleave(times))
    weighted = tune_offsets(logits, targets, weights=times.double())
    assert weighted.tolist() == pytest.approx(repeated.tolist())


def test_a_target_prior_weights_labels_as_its_shares_over_theirs():
    logits, targets = draw(7, [300, 100, 50])
    prior = torch.tensor([1, 1, 1]) / 3
    by_hand = (450 / 3 / torch.tensor([300.0, 100.0, 50.0]).double())[targets]
    assert weigh_to_prior(targets, prior).tolist() == pytest.approx(by_hand.tolist())
    by_prior, by_weights = (
        fit_thresholds(logits, targets, target_prior=prior),
        fit_thresholds(logits, targets, weights=by_hand),
    )
    assert by_prior.predict(logits).tolist() == by_weights.predict(logits).tolist()
    # More of the rare classes is predicted for data where they are not rare.
    natural = fit_thresholds(logits, targets)
    assert (by_prior.predict(logits) == 2).sum() > (natural.predict(logits) == 2).sum()
    # The class mix of validation itself changes nothing, to the bit.
    assert fit_thresholds(logits, targets, target_prior=torch.tensor([300, 100, 50]) / 450) == natural


def test_weighting_a_class_up_gives_it_no_more_labels():
    logits, targets = draw(8, [300, 100, 2])
    with pytest.warns(StrategyWarning, match="validation labels: 2"):
        assert fit_thresholds(logits, targets, target_prior=np.ones(3) / 3).neutral == (2,)
    # Forty labels of which one has nearly all the weight are one.
    logits, targets = draw(8, [300, 100, 40])
    weights = torch.ones(440)
    weights[(targets == 2).nonzero()[0]] = 1000.0
    assert effective_labels(targets, weights, 3).tolist() == pytest.approx([300, 100, (1039**2) / (1000**2 + 39)])
    with pytest.warns(StrategyWarning, match="validation labels: 2"):
        assert fit_thresholds(logits, targets, weights=weights).neutral == (2,)
    with pytest.warns(StrategyWarning, match="validation labels: 2"):
        assert fit_thresholds(logits, targets, target_prior=[0.5, 0.5, 0.0]).neutral == (2,)


# What goes in, and what comes out


@SILENT
def test_arrays_tensors_shapes_and_ignored_labels_give_the_same():
    logits, targets = draw(9, [200, 60, 20])
    expected = fit_thresholds(logits, targets)
    assert any(expected.offsets)
    assert fit_thresholds(logits.numpy(), targets.numpy()) == expected
    assert fit_thresholds(logits.requires_grad_(), targets.tolist()) == expected
    logits = logits.detach()
    assert fit_thresholds(logits.reshape(40, 7, 3), targets.reshape(40, 7)) == expected
    padded = torch.cat([logits, torch.full((9, 3), 1e9)]), torch.cat([targets, torch.full((9,), -100)])
    assert fit_thresholds(*padded) == expected
    found = expected.predict(logits.reshape(40, 7, 3).numpy())
    assert isinstance(found, np.ndarray)
    assert found.tolist() == expected.predict(logits).reshape(40, 7).tolist()


@SILENT
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_short_floats_are_enough(dtype):
    logits, targets = draw(10, [300, 60, 30])
    thresholds = fit_thresholds(logits.to(dtype), targets)
    assert macro(targets, thresholds.predict(logits.to(dtype))) > macro(targets, logits.argmax(-1))
    if dtype == torch.float16:
        assert fit_thresholds(logits.half().numpy(), targets) == thresholds


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_do_no_harm(bad):
    logits, targets = draw(11, [300, 60, 30])
    broken = logits.clone()
    broken[:3, 1] = bad
    broken[3, :] = bad
    if math.isnan(bad):
        with pytest.warns(StrategyWarning, match="4 validation labels with NaN"):
            thresholds = fit_thresholds(broken, targets)
    else:
        thresholds = fit_thresholds(broken, targets)
    assert all(map(math.isfinite, thresholds.offsets))
    assert max(map(abs, thresholds.offsets)) < 20
    expected = fit_thresholds(logits, targets)
    assert abs(macro(targets, thresholds.predict(logits)) - macro(targets, expected.predict(logits))) < 0.05
    assert thresholds.predict(broken).shape == targets.shape


def test_large_validation_parts_are_tuned_on_fewer_folds():
    logits, targets = draw(12, [LARGE, 2000, 400])
    thresholds = fit_thresholds(logits, targets)
    assert macro(targets, thresholds.predict(logits)) > macro(targets, logits.argmax(-1)) + 0.02


@SILENT
def test_saved_thresholds_are_read_back_to_the_bit(tmp_path):
    for counts in ([300, 60, 30], [300, 60, 2], [3, 3]):
        thresholds = fit_thresholds(*draw(13, counts))
        thresholds.save(tmp_path / "thresholds.json")
        assert FittedThresholds.load(tmp_path / "thresholds.json") == thresholds
        assert json.loads((tmp_path / "thresholds.json").read_text())["metric"] == "macro-f1"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "thresholds 1"}', '{"format": "other"}', "\x00\x80"])
def test_a_file_without_thresholds_is_refused(tmp_path, content):
    (tmp_path / "file").write_text(content)
    with pytest.raises(ValueError, match=r"no thresholds; give a file that FittedThresholds.save wrote"):
        FittedThresholds.load(tmp_path / "file")


@pytest.mark.parametrize(
    ("logits", "targets", "options", "message"),
    [
        (torch.zeros(3, 2), [0, 1], {}, r"one class id for each.*given: torch.float32 of shape \(3, 2\) and .* \(2,\)"),
        (torch.zeros(2, 2), [[0], [1]], {}, r"targets of shape \(2, 1\)"),
        (torch.zeros(2, 2, dtype=torch.int64), [0, 1], {}, "torch.int64"),
        (torch.zeros(2, 2), [0, 2], {}, r"class ids from 0 to 1, or -100 .*given: 0 to 2"),
        (torch.zeros(2, 2), [0, -1], {}, r"given: -1 to 0"),
        (torch.zeros(2, 2), [0, 1], {"weights": [1.0, -1.0]}, "finite and not negative"),
        (torch.zeros(2, 2), [0, 1], {"weights": [1.0, math.nan]}, "finite and not negative"),
        (torch.zeros(2, 2), [0, 1], {"weights": [1.0]}, "a weight for each label"),
        (torch.zeros(2, 2), [0, 1], {"weights": [1.0, 1.0], "target_prior": [0.5, 0.5]}, "either weights, or"),
        (torch.zeros(2, 2), [0, 1], {"target_prior": [1.0]}, "one share per class"),
        (torch.zeros(2, 2), [0, 1], {"target_prior": [1.0, -1.0]}, "not negative"),
        (
            torch.zeros(2, 2),
            [0, 1],
            {"metric": "f1"},
            "'macro-f1', 'balanced-accuracy' or 'worst-class-recall'; given: 'f1'",
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_given(logits, targets, options, message):
    with pytest.raises(ValueError, match=message):
        fit_thresholds(logits, targets, **options)


def test_logits_of_another_number_of_classes_are_refused():
    thresholds = fit_thresholds(*draw(14, [300, 60, 30]))
    with pytest.raises(ValueError, match=r"thresholds of 3 classes; given: logits of shape \(5, 2\)"):
        thresholds.predict(torch.zeros(5, 2))


# What is given in other forms, or wrong


def test_lists_and_pandas_objects_are_taken_and_logits_of_lists_are_predicted_as_arrays():
    pd = pytest.importorskip("pandas")
    logits, targets = draw(0, [300, 100, 40])
    expected = fit_thresholds(logits, targets)
    shuffled = pd.Series(targets.numpy(), index=range(7, 7 + len(targets)))
    assert fit_thresholds(pd.DataFrame(logits.numpy()), shuffled) == expected
    assert fit_thresholds(logits.tolist(), targets.tolist()) == expected
    assert expected.predict(logits.tolist()).tolist() == expected.predict(logits).tolist()


@pytest.mark.parametrize(
    ("logits", "targets", "options", "complaint"),
    [
        (torch.zeros(8, 1), [0, 1] * 4, {}, "two logits of a binary model"),
        (torch.zeros(8), [0, 1] * 4, {}, "two logits of a binary model"),
        (torch.zeros(8, 2), [0.5, 1.0] * 4, {}, "integer type; given: torch.float64"),
        (torch.zeros(8, 2), ["a", "b"] * 4, {}, "targets that are a tensor or an array of numbers"),
        (torch.zeros(8, 2), [0, 1] * 4, {"class_names": ["O"]}, "a name for each of 2 classes; given: 1"),
        (torch.zeros(8, 2), [0, 1] * 4, {"target_prior": [0.5, 0.3, 0.2]}, r"per class, \(2,\); given: \(3,\)"),
    ],
)
def test_what_does_not_fit_is_refused(logits, targets, options, complaint):
    with pytest.raises(ValueError, match=complaint):
        fit_thresholds(logits, targets, **options)


def test_one_number_is_no_row_of_logits():
    with pytest.raises(ValueError, match=r"thresholds of 2 classes; given: logits of shape \(\)"):
        FittedThresholds((0.0, 0.0), (), "macro-f1", None).predict(torch.tensor(1.0))


@pytest.mark.parametrize(
    "changed", [{"neutral": [7]}, {"neutral": [-1]}, {"metric": "f1"}, {"offsets": [math.nan, 0.0]}, {"offsets": []}]
)
def test_a_changed_file_is_no_file_of_thresholds(tmp_path, changed):
    path = tmp_path / "thresholds.json"
    FittedThresholds((0.0, 0.0), (1,), "macro-f1", None).save(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(ValueError, match="no thresholds"):
        FittedThresholds.load(path)
