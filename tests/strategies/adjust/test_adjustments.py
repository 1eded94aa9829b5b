import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from strategies import IGNORED, AdjustmentInputs, Head, Labels, NotationError, StrategyWarning, get
from strategies.adjust.coordinate_ascent import best_offset, tune_offsets
from strategies.adjust.offsets import plus
from strategies.adjust.threshold_metric import macro_f1

HEAD = Head(torch.eye(3), torch.zeros(3))
UNIFORM = torch.full((3,), 1 / 3, dtype=torch.float64)
NOTHING = {"valid_logits": torch.zeros(0, 3), "valid_targets": torch.zeros(0, dtype=torch.int64)}


def adjusted(strategy, logits, *, head=HEAD, train=None, target=UNIFORM, valid=None):
    known = NOTHING if valid is None else dict(zip(("valid_logits", "valid_targets"), valid, strict=True))
    return strategy.adjust(AdjustmentInputs(head, train_prior=train, target_prior=target, **known))(logits)


def draw(seed, items=60, classes=3):
    generator = torch.Generator().manual_seed(seed)
    prior = torch.tensor([1.0, 0.3, 0.15, 0.1, 0.05][:classes], dtype=torch.float64)
    targets = torch.multinomial(prior, items, replacement=True, generator=generator)
    logits = torch.randn(items, classes, generator=generator, dtype=torch.float64) + prior.log()
    logits[torch.arange(items), targets] += 1.0
    return logits, targets


def macro(targets, logits, weights=None):
    """Macro-F1 from the confusion matrix, in NumPy, because scikit-learn's takes milliseconds."""
    classes = logits.shape[-1]
    pairs = targets.numpy() * classes + logits.argmax(-1).numpy()
    confusion = np.bincount(pairs, weights, minlength=classes**2).reshape(classes, classes)
    counts = confusion.sum(0) + confusion.sum(1)
    return (2 * confusion.diagonal()[counts > 0] / counts[counts > 0]).mean()


@given(st.integers(0, 10_000), st.integers(1, 8))
@settings(max_examples=20)
def test_macro_f1_is_scikit_learns(seed, items):
    logits, targets = draw(seed, items)
    predicted = logits.argmax(-1)
    theirs = f1_score(targets, predicted, average="macro", zero_division=0)
    assert macro_f1(targets, predicted, 3) == pytest.approx(theirs)
    assert macro(targets, logits) == pytest.approx(theirs)


# Known densities: three Gaussians on a line

MEANS, SPREADS = (-1.0, 0.5, 2.0), (1.0, 0.7, 1.5)


def densities(x):
    return np.array(
        [
            math.exp(-(((x - m) / s) ** 2) / 2) / (s * math.sqrt(2 * math.pi))
            for m, s in zip(MEANS, SPREADS, strict=True)
        ]
    )


priors = st.lists(st.floats(0.01, 1.0), min_size=3, max_size=3).map(lambda each: np.array(each) / sum(each))


@given(priors, st.floats(-5, 5))
def test_post_hoc_adjustment_of_bayes_scores_is_the_balanced_bayes_rule(train, x):
    posterior = train * densities(x) / (train * densities(x)).sum()
    logits = torch.from_numpy(np.log(posterior))
    found = adjusted(get("post-hoc-adjustment"), logits, train=torch.from_numpy(train)).softmax(-1)
    assert found.numpy() == pytest.approx(densities(x) / densities(x).sum(), rel=1e-9)


@given(priors, priors, st.floats(-5, 5), st.floats(-50, 50))
def test_prior_correction_is_bayes_rule_under_the_target_prior(train, target, x, shift):
    logits = torch.from_numpy(np.log(train * densities(x)) + shift)
    found = adjusted(
        get("prior-correction"), logits, train=torch.from_numpy(train), target=torch.from_numpy(target)
    ).softmax(-1)
    bayes = target * densities(x)
    assert found.numpy() == pytest.approx(bayes / bayes.sum(), rel=1e-9)


def test_formulas_in_figures():
    z, train = torch.tensor([[1.0, 2.0, 3.0]], dtype=torch.float64), torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    # log .5 = -.693147, log .3 = -1.203973, log .2 = -1.609438
    post_hoc = adjusted(get("post-hoc-adjustment", tau=2.0), z, train=train)
    assert post_hoc.tolist()[0] == pytest.approx([2.386294, 4.407946, 6.218876], abs=1e-6)
    target = torch.tensor([0.2, 0.3, 0.5], dtype=torch.float64)
    corrected = adjusted(get("prior-correction"), z, train=train, target=target)
    assert corrected.tolist()[0] == pytest.approx([0.083709, 2.0, 3.916291], abs=1e-6)
    uniform = adjusted(get("prior-correction", target="uniform"), z, train=train, target=target)
    assert (uniform - adjusted(get("post-hoc-adjustment"), z, train=train)).tolist()[0] == pytest.approx(
        [-1.098612] * 3, abs=1e-6
    )


@pytest.mark.parametrize("name", ["post-hoc-adjustment", "prior-correction"])
@pytest.mark.parametrize("train", [None, torch.tensor([0.5, 0.5, 0.0])])
def test_an_undefined_or_not_positive_prior_is_refused_with_an_alternative(name, train):
    assert get(name).needs_prior
    with pytest.raises(ValueError, match=r"above 0 for every class; given: .*thresholds"):
        adjusted(get(name), torch.zeros(3), train=train)


def test_a_class_that_is_not_in_the_data_to_predict_is_never_predicted():
    target = torch.tensor([0.0, 0.5, 0.5])
    found = adjusted(get("prior-correction"), torch.tensor([9.0, 0.0, 0.0]), train=UNIFORM, target=target)
    assert found[0] == -math.inf
    assert found[1:].isfinite().all()


# tau-normalisation


def features_and_head(seed):
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(3, 4, generator=generator, dtype=torch.float64) * torch.tensor([[5.0], [1.0], [0.5]])
    return torch.randn(40, 4, generator=generator, dtype=torch.float64), Head(weight, torch.tensor([2.0, -1.0, 0.0]))


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.5, 1.0, 1.7]), st.booleans())
def test_tau_normalisation_on_logits_is_that_of_the_weights(seed, tau, keep_bias):
    features, head = features_and_head(seed)
    logits = features @ head.weight.T + head.bias
    rows = [[w / math.sqrt(sum(v * v for v in row)) ** tau for w in row] for row in head.weight.tolist()]
    expected = features.numpy() @ np.array(rows).T + (head.bias.numpy() if keep_bias else 0.0)
    found = adjusted(get("tau-normalisation", tau=tau, keep_bias=keep_bias), logits, head=head)
    assert found.numpy() == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.integers(0, 1000))
def test_tau_is_the_first_of_the_best_on_validation(seed):
    features, head = features_and_head(seed)
    logits = features @ head.weight.T + head.bias
    targets = torch.randint(3, (40,), generator=torch.Generator().manual_seed(seed))
    fixed = [adjusted(get("tau-normalisation", tau=tau / 10), logits, head=head) for tau in range(21)]
    weights = (1 / torch.bincount(targets).double())[targets]  # the data to predict have equal classes
    scores = [round(macro(targets, each, weights), 9) for each in fixed]
    ignored = targets.clone()
    ignored[-3:] = IGNORED
    found = adjusted(get("tau-normalisation"), logits, head=head, valid=(logits, targets))
    assert torch.equal(found, fixed[scores.index(max(scores))])
    with_padding = adjusted(get("tau-normalisation"), logits, head=head, valid=(logits, ignored))
    without = adjusted(get("tau-normalisation"), logits, head=head, valid=(logits[:-3], targets[:-3]))
    assert torch.equal(with_padding, without)


def test_a_class_without_weights_stays_finite():
    head = Head(torch.tensor([[0.0, 0.0], [3.0, 4.0]]), torch.zeros(2))
    found = adjusted(get("tau-normalization", tau=2.0), torch.tensor([0.0, 25.0]), head=head)
    assert found.tolist() == pytest.approx([0.0, 1.0])


# Thresholds


def best_by_enumeration(logits, targets):
    """The largest macro-F1 of two classes over every cut of the difference of their logits, one at a time."""
    margins = sorted({round(float(z[0] - z[1]), 12) for z in logits})
    cuts = [margins[0] - 1, *((a + b) / 2 for a, b in itertools.pairwise(margins)), margins[-1] + 1]
    difference = logits[:, 0] - logits[:, 1]
    return max(macro(targets, torch.stack([difference, torch.full_like(difference, cut)], -1)) for cut in cuts)


@given(st.integers(0, 10_000), st.integers(1, 25))
def test_thresholds_of_two_classes_are_the_best_there_are(seed, items):
    logits, targets = draw(seed, items, 2)
    if seed % 2:
        logits = logits.round()  # equal margins cannot be told apart
    found = macro(targets, logits + tune_offsets(logits, targets))
    assert found == pytest.approx(best_by_enumeration(logits, targets), abs=1e-9)


def best_of_three_classes(logits, targets):
    """The largest macro-F1 of three classes over all offsets: predictions change only at the crossings of two ties."""
    ties = [logits[:, 0] - logits[:, 1], logits[:, 0] - logits[:, 2], logits[:, 1] - logits[:, 2]]
    crossings = [
        *((a, b) for a in ties[0] for b in ties[1]),
        *((a, a + c) for a in ties[0] for c in ties[2]),
        *((b - c, b) for b in ties[1] for c in ties[2]),
    ]
    around = 1e-7 * torch.tensor([(1, 0.5), (0.5, 1), (1, -1), (-1, 1), (-1, -0.5), (-0.5, -1)], dtype=torch.float64)
    offsets = (torch.tensor(crossings, dtype=torch.float64)[:, None] + around).reshape(-1, 2)
    predicted = (logits + torch.nn.functional.pad(offsets, (1, 0))[:, None]).argmax(-1).unique(dim=0)
    return max(macro(targets, torch.nn.functional.one_hot(classes, 3)) for classes in predicted)


def test_of_three_classes_one_after_another_reaches_nearly_all_that_all_offsets_together_can():
    possible, reached, best_found = 0.0, 0.0, 0
    for seed in range(12):
        logits, targets = draw(seed, 20)
        raw, found = macro(targets, logits), macro(targets, logits + tune_offsets(logits, targets))
        best = best_of_three_classes(logits, targets)
        assert raw <= found <= best + 1e-9
        possible, reached, best_found = possible + best - raw, reached + found - raw, best_found + (found > best - 1e-9)
    assert reached > 0.9 * possible
    assert best_found >= 8


@given(st.integers(0, 10_000), st.integers(2, 5), st.sampled_from([torch.float32, torch.float64, torch.bfloat16]))
def test_thresholds_never_lower_macro_f1_on_validation_and_no_class_can_improve_it_alone(seed, classes, dtype):
    logits, targets = draw(seed, 60, classes)
    logits = logits.to(dtype)
    found = plus(tune_offsets(logits, targets))(logits)
    best = macro(targets, found)
    assert best >= macro(targets, logits) - 1e-12
    if dtype == torch.float64:
        for c, step in itertools.product(range(classes), np.linspace(-4, 4, 33)):
            moved = found.clone()
            moved[:, c] += step
            assert macro(targets, moved) <= best + 1e-9


def test_of_equal_cuts_the_nearest_to_no_offset_is_taken():
    logits = torch.tensor([[3.0, 0.0], [2.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    assert tune_offsets(logits, torch.tensor([0, 0, 1])).tolist() == [0.0, 0.0]
    # The third item is right once class 0 loses between 1 and 2: the middle of that.
    logits = torch.tensor([[3.0, 0.0], [2.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    assert tune_offsets(logits, torch.tensor([0, 0, 1])).tolist() == [-1.5, 0.0]
    # With 0, 1, 0, 1 in the order of their margins, one item of class 0 (11/15) is as good as three.
    targets, margins = torch.tensor([0, 1, 0, 1]), torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    assert tune_offsets(torch.stack([-margins, 0 * margins], 1), targets).tolist() == [1.5, 0.0]
    assert tune_offsets(torch.stack([5 - margins, 0 * margins], 1), targets).tolist() == [-1.5, 0.0]


@given(st.integers(0, 10_000))
def test_cuts_that_rounding_moves_do_not_lower_macro_f1(seed):
    logits, targets = draw(seed, 12)
    coarse = (logits + 2**21).float()  # steps of 0.25, so that half of them cannot be added
    found = plus(tune_offsets(coarse, targets))(coarse)
    assert macro(targets, found) >= macro(targets, coarse) - 1e-12


def test_the_same_data_in_another_order_give_the_same_thresholds():
    logits, targets = draw(1, 200)
    order = torch.randperm(200, generator=torch.Generator().manual_seed(2))
    assert torch.equal(tune_offsets(logits, targets), tune_offsets(logits[order], targets[order]))


def test_positions_without_a_label_do_not_count():
    logits, targets = draw(4, 80)
    padded = torch.cat([logits, 50 * torch.ones(5, 3)]), torch.cat([targets, torch.full((5,), IGNORED)])
    alone = adjusted(get("thresholds"), logits, valid=(logits, targets))
    assert torch.equal(adjusted(get("thresholds"), logits, valid=padded), alone)


@pytest.mark.filterwarnings("ignore:thresholds. 1 validation label:strategies.StrategyWarning")
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1e38, -1e38])
def test_one_extreme_logit_in_validation_leaves_thresholds_finite_and_useful(bad):
    logits, targets = draw(5, 200)
    alone = adjusted(get("thresholds"), logits, valid=(logits, targets))
    extreme = logits.float().clone()
    extreme[7, 1] = bad
    found = adjusted(get("thresholds"), logits.float(), valid=(extreme, targets))
    assert found.isfinite().all()
    assert macro(targets, found) > macro(targets, alone) - 0.1


def test_without_validation_data_nothing_is_changed():
    logits, _ = draw(6)
    with pytest.warns(StrategyWarning, match="fewer than two classes have enough validation labels"):
        assert torch.equal(adjusted(get("thresholds"), logits), logits)


@pytest.mark.parametrize("seed", range(3))
def test_many_items_and_classes_are_cut_as_one_by_one(seed):
    logits, targets = draw(seed, 300, 5)
    offsets = torch.zeros(5, dtype=torch.float64)
    for c in range(5):
        offsets[c] = best_offset(logits, targets, offsets, c)
        best = macro(targets, logits + offsets)
        others = (logits + offsets).masked_fill(torch.arange(5) == c, -math.inf).max(-1).values
        for cut in (others - logits[:, c] + 1e-9).tolist():
            tried = offsets.clone()
            tried[c] = cut
            assert macro(targets, logits + tried) <= best + 1e-9


# All of them

ALL = ["post-hoc-adjustment", "prior-correction", "tau-normalisation", "thresholds"]


@pytest.mark.parametrize("name", ALL)
def test_adjustments_do_not_change_the_effective_prior_of_training(name):
    labels = Labels.of([0] * 90 + [1] * 10)
    assert get(name).effective_prior(labels, labels.counts()).tolist() == pytest.approx([0.9, 0.1])


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_logits_of_any_shape_and_type_are_adjusted_alike(name, dtype):
    logits, targets = draw(8)
    train_prior = UNIFORM.flip(0) * torch.tensor([1.5, 1.0, 0.5])
    adjustment = get(name).adjust(AdjustmentInputs(HEAD, train_prior, UNIFORM, logits, targets))
    given = logits.to(dtype)
    found = adjustment(given.reshape(4, 15, 3))
    assert found.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    assert torch.equal(found.reshape(60, 3), adjustment(given))
    assert adjustment(torch.full((1, 3), 1e4, dtype=dtype)).isfinite().all()
    assert torch.equal(given, logits.to(dtype)), "logits that were handed in are changed in place"


@pytest.mark.parametrize("name", ["post-hoc-adjustment", "tau-normalisation"])
def test_a_negative_tau_is_refused(name):
    with pytest.raises(NotationError, match=r"tau must be 0 or more.*given: -1"):
        get(name, tau=-1.0)
