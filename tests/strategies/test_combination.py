import itertools
import json
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, Labels, NotationError, StrategyWarning, get, parse
from strategies.class_mix import log_slope
from strategies.combination import Combination, combine, split_adjustment
from strategies.parsing import split_terms
from strategies.strategy import FOLDERS

LABELS = Labels.of([0] * 80 + [1] * 15 + [2] * 5, ("O", "B", "rare"))
COUNTS = LABELS.counts()
NAMES = ["loss-weights(power=0.5)", "square-root-sampling", "focal", "mixup", "deferred-reweighting", "thresholds"]


def stream(strategy, labels=LABELS, steps=4):
    drawn = strategy.index_stream(labels, labels.counts(), batch_size=16, steps=steps, seed=3)
    return torch.stack(list(itertools.islice(drawn, steps)))


# Names


@given(st.permutations(NAMES), st.integers(1, len(NAMES)))
@settings(max_examples=50)
def test_order_makes_neither_a_new_name_nor_a_new_strategy(names, many):
    one, other = parse("+".join(names[:many])), parse(" + ".join(reversed(names[:many])))
    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == str(other)
    assert one.identity() == other.identity()
    folders = [FOLDERS.index(part.folder) for part in one.parts]
    assert folders == sorted(folders)
    assert parse(str(one)) == one


@given(st.floats(0, 1e300), st.floats(1e-300, 10))
def test_any_number_reads_back_as_itself(gamma, power):
    both = get("focal", gamma=gamma) + get("loss-weights", power=power)
    assert parse(str(both)) == both


def test_plus_signs_in_parentheses_part_nothing():
    assert split_terms("a(x=1e+3)+b + c(2e+1, y=-1)") == ["a(x=1e+3)", "b", "c(2e+1, y=-1)"]
    assert parse("focal(gamma=1e+1)+loss-weights").parts[0] == get("focal", gamma=10.0)


def test_python_and_text_give_equal_combinations_and_sums_are_flat():
    left = (get("focal") + get("loss-weights")) + get("square-root-sampling")
    right = get("focal") + (get("loss-weights") + get("square-root-sampling"))
    assert left == right == parse("square-root-sampling+focal+loss-weights")
    assert len(left.parts) == 3


def test_plain_training_adds_nothing_and_a_single_part_is_itself():
    assert parse("none + focal") == get("focal")
    assert parse("focal + none + thresholds") == parse("focal+thresholds")
    assert parse("none+none") == get("none") == combine([])
    assert get("none") + get("none") == get("none")


def test_its_identity_is_that_of_its_parts_and_goes_through_json():
    both = parse("loss-weights(power=0.5) + mixup(alpha=0.2)")
    assert json.loads(json.dumps(both.identity())) == {
        "strategy": "mixup+loss-weights",
        "strategy_version": [1, 1],
        "parameters": [{"alpha": 0.2}, {"power": 0.5, "reduction": "weighted-mean"}],
    }
    assert both.identity() != parse("loss-weights(power=0.5) + mixup").identity()


# What cannot be combined


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ("random-oversampling", "smote", "both change the rows"),
        ("square-root-sampling", "weighted-random-sampler", "both choose which items are sampled"),
        ("mixup", "remix", "both mix items"),
        ("focal", "ldam", "both replace the loss"),
        ("classifier-retraining", "deferred-reweighting", "both are schedules"),
        ("thresholds", "post-hoc-adjustment", "both adjust finished logits"),
        ("focal", "focal(gamma=1.0)", "both replace the loss"),
        ("loss-weights", "loss-weights", "is given twice"),
    ],
)
def test_two_of_a_kind_are_refused_and_named(first, second, both):
    for text in (f"{first} + one-minus-share-weights + {second}", f"{second} + {first}"):
        with pytest.raises(NotationError, match=both) as refusal:
            parse(text)
        assert str(get(first)) in str(refusal.value)
        assert str(parse(second)) in str(refusal.value)


@pytest.mark.parametrize(
    ("schedule", "other", "reason"),
    [
        ("deferred-resampling", "square-root-sampling", "both choose which items are sampled"),
        ("classifier-retraining", "weighted-random-sampler", "both choose which items are sampled"),
        ("deferred-reweighting", "class-balanced-loss", "is given twice"),
    ],
)
def test_a_phase_that_cannot_be_combined_is_refused_by_the_names_that_were_given(schedule, other, reason):
    with pytest.raises(NotationError, match=f"{schedule} and {other}: .*{reason}"):
        parse(f"{other} + {schedule}")


def test_weights_that_are_divided_differently_are_refused_and_named():
    three = parse("class-balanced-loss + cost-sensitive-weights + loss-weights(reduction=mean)")
    for ask in (three.loss, three.class_weights):
        with pytest.raises(NotationError, match=r"cost-sensitive-weights and loss-weights\(reduction=mean\) divide"):
            ask(COUNTS)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("focal + los-weights", "did you mean loss-weights"),
        ("focal +", "cannot read 'focal \\+'"),
        ("focal ++ mixup", "cannot read 'focal \\+\\+ mixup'"),
        ("", "cannot read ''"),
        ("focal + loss-weights(powr=1)", "did you mean power"),
        ("focal(1 + mixup", "cannot read"),
    ],
)
def test_text_that_cannot_be_parsed_is_refused_with_a_hint(text, complaint):
    with pytest.raises(NotationError, match=complaint):
        parse(text)


# What a combination does


@pytest.mark.parametrize(
    "loss", ["focal", "focal(gamma=0.5)", "logit-adjustment", "label-aware-smoothing", "ignore-index"]
)
@pytest.mark.parametrize("reduction", ["mean", "weighted-mean"])
def test_class_weights_multiply_each_label_of_whatever_loss(loss, reduction):
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(30, 3, generator=generator).double(), torch.randint(3, (30,), generator=generator)
    targets[::5] = IGNORED
    both = parse(
        f"{loss} + loss-weights(power=0.5, reduction={reduction}) + cost-sensitive-weights(reduction={reduction})"
    )
    alone = parse(loss).loss(COUNTS).double()
    total = divisor = 0.0
    for z, y in zip(logits, targets.tolist(), strict=True):
        if y != IGNORED and not (loss == "ignore-index" and y == 0):
            n = [80, 15, 5]
            weight = (100 / (3 * n[y])) ** 0.5 * (5 / n[y])
            total += weight * alone(z.unsqueeze(0), torch.tensor([y])).item()
            divisor += weight if reduction == "weighted-mean" else 1.0
    assert both.loss(COUNTS).double()(logits, targets).item() == pytest.approx(total / divisor, rel=1e-5)


def test_its_class_weights_are_the_product():
    both = parse("loss-weights(power=0.5) + cost-sensitive-weights")
    expected = [(100 / (3 * n)) ** 0.5 * 5 / n for n in (80, 15, 5)]
    assert both.class_weights(COUNTS).values.tolist() == pytest.approx(expected)
    assert parse("focal + mixup").class_weights(COUNTS) is None


def test_a_loss_with_weights_of_its_own_does_not_weigh_twice():
    logits, targets = torch.tensor([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.5]]), torch.tensor([0, 1, 2])
    focal = get("class-balanced-focal")
    both = focal + get("loss-weights", power=0.0, reduction=focal.class_weights(COUNTS).reduction)
    assert both.loss(COUNTS)(logits, targets).item() == pytest.approx(focal.loss(COUNTS)(logits, targets).item())


def test_each_hook_is_its_parts():
    text = "random-oversampling + square-root-sampling + mixup + ldam + thresholds"
    parts = dict(zip(("rows", "draws", "mixes", "loss", "adjusts"), map(get, text.split(" + ")), strict=True))
    whole = parse(text)
    assert torch.equal(whole.resample(None, LABELS, seed=1).index, parts["rows"].resample(None, LABELS, seed=1).index)
    assert torch.equal(whole.item_weights(LABELS, COUNTS), parts["draws"].item_weights(LABELS, COUNTS))
    assert torch.equal(stream(whole), stream(parts["draws"]))
    targets = torch.zeros(8, 1, dtype=torch.int64)
    pairs = [each.mix(targets, COUNTS, generator=torch.Generator().manual_seed(1)) for each in (whole, parts["mixes"])]
    assert torch.equal(pairs[0].partner, pairs[1].partner)
    assert whole.cosine_scale == parts["loss"].cosine_scale == 30.0
    assert whole.order_matters
    assert not whole.needs_prior
    assert parse("post-hoc-adjustment + mixup").needs_prior
    many = Labels.packed([[0, 1], [0]])
    assert whole.why_not_applicable(many, "tokens").startswith("square-root-sampling: ")
    assert whole.why_not_applicable(LABELS, "numbers") is None


def test_next_to_a_schedule_the_other_parts_hold_in_every_phase():
    first, then = parse("classifier-retraining(start=0.6) + focal + mixup").phases()
    assert (first.until, str(first.strategy), first.trains) == (0.6, "mixup+focal", "all")
    assert (then.until, str(then.strategy)) == (1.0, "class-balanced-sampling+mixup+focal")
    assert (then.trains, then.reset_head) == ("head", True)
    whole = parse("focal + mixup")
    assert [(phase.until, phase.strategy) for phase in whole.phases()] == [(1.0, whole)]


def test_class_weights_of_a_phase_weight_the_combined_loss():
    first, then = parse("deferred-reweighting(beta=0.9) + focal").phases()
    weights = get("class-balanced-loss", beta=0.9).class_weights(COUNTS).values
    assert first.strategy.loss(COUNTS).class_weights is None
    assert then.strategy.loss(COUNTS).class_weights.flatten().tolist() == pytest.approx(weights.tolist())


@pytest.mark.parametrize(
    ("text", "trained", "adjustment"),
    [
        ("focal + thresholds", "focal", "thresholds"),
        ("thresholds", "none", "thresholds"),
        ("focal", "focal", "None"),
        ("mixup + post-hoc-adjustment(tau=0.5) + focal", "mixup+focal", "post-hoc-adjustment(tau=0.5)"),
    ],
)
def test_the_adjustment_is_split_off_so_that_one_run_serves_many(text, trained, adjustment):
    assert tuple(map(str, split_adjustment(parse(text)))) == (trained, adjustment)


# The prior that training saw


def expectation(labels, item_weights, class_weights):
    """The weighted share of each class among the labels drawn, label by label."""
    total = [0.0] * labels.num_classes
    for item in range(len(labels)):
        for label in labels.values[labels.offsets[item] : labels.offsets[item + 1]].tolist():
            if label != IGNORED:
                total[label] += float(item_weights[item]) * float(class_weights[label])
    return [each / sum(total) for each in total]


SENTENCES = Labels.packed(
    [[0, 0, 1], [0, 0], [0, 2, IGNORED], [0, 0, 0, 0], [1, 1, 0]] * 4, ("O", "B", "rare", "absent")
)


@pytest.mark.parametrize("weights", ["loss-weights(power=0.5)", "class-balanced-loss(beta=0.9)"])
@pytest.mark.parametrize(
    ("sampling", "labels"),
    [
        ("weighted-random-sampler(power=0.5)", LABELS),
        ("square-root-sampling", LABELS),
        ("sentence-weights", SENTENCES),
        ("repeat-factor-sampling(threshold=0.9)", SENTENCES),
    ],
)
def test_the_effective_prior_of_sampling_and_weights_is_the_expectation_label_by_label(sampling, weights, labels):
    counts = labels.counts()
    both = parse(f"{sampling} + mixup + {weights} + thresholds")
    drawn = parse(sampling).item_weights(labels, counts)
    values = parse(weights).class_weights(counts).values
    expected = expectation(labels, drawn, values)
    assert both.effective_prior(labels, counts).tolist() == pytest.approx(expected, rel=1e-9)


def test_sampling_from_a_resampled_pool_and_an_adjusted_loss_enter_the_prior():
    both = parse("random-oversampling + square-root-sampling(power=2.0)")
    assert both.effective_prior(LABELS, COUNTS).tolist() == pytest.approx([1 / 3] * 3, rel=0.02)
    natural = torch.tensor([0.8, 0.15, 0.05])
    prior = parse("square-root-sampling + logit-adjustment(tau=0.5)").effective_prior(LABELS, COUNTS)
    assert prior.tolist() == pytest.approx((natural**0.5 / natural**0.5 / 3).tolist(), rel=1e-6)
    assert parse("focal + square-root-sampling").effective_prior(LABELS, COUNTS) is None
    assert parse("deferred-resampling + loss-weights").effective_prior(LABELS, COUNTS) is None


def test_log_slope_is_the_power_of_the_natural_mix_that_is_left():
    natural = torch.tensor([0.8, 0.15, 0.05, 0.0], dtype=torch.float64)
    for power in (1.0, 0.5, 0.0, -1.0):
        prior = torch.where(natural > 0, natural**power, 0.0)
        assert log_slope(prior / prior.sum(), natural) == pytest.approx(power, abs=1e-12)
    assert log_slope(torch.ones(2) / 2, torch.ones(2) / 2) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Balanced draws times inverse frequency: the mix turned round, 1/80 : 1/15 : 1/5.
        ("class-balanced-sampling + loss-weights", "rare 71.6%, B 23.9%, O 4.5%"),
        ("weighted-random-sampler + logit-adjustment", "rare 71.6%, B 23.9%, O 4.5%"),
        ("loss-weights + logit-adjustment", "rare 71.6%, B 23.9%, O 4.5%"),
    ],
)
def test_a_double_correction_is_warned_of_with_the_prior_that_it_teaches(text, shown):
    with pytest.warns(StrategyWarning, match="correct it twice") as caught:
        stream(parse(text))
    said = [str(each.message) for each in caught if "twice" in str(each.message)]
    assert len(said) == 1
    assert shown in said[0]
    assert "where the data have O 80.0%, B 15.0%, rare 5.0%" in said[0]
    assert all(name in said[0] for name in text.split(" + "))


def test_a_schedule_that_corrects_twice_in_a_phase_is_warned_of_in_that_phase():
    first, then = parse("classifier-retraining + loss-weights").phases()
    stream(first.strategy)
    with pytest.warns(StrategyWarning, match="class-balanced-sampling and loss-weights each correct"):
        stream(then.strategy)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("weighted-random-sampler(power=0.5) + loss-weights(power=0.5)", LABELS),
        ("square-root-sampling + logit-adjustment(tau=0.5)", LABELS),
        ("class-balanced-sampling + mixup", LABELS),
        ("loss-weights + mixup", LABELS),
        ("loss-weights(power=2.0) + mixup", LABELS),
        ("class-balanced-sampling + post-hoc-adjustment", LABELS),
        ("class-balanced-sampling + focal", LABELS),
        ("class-balanced-sampling + loss-weights", Labels.of([0, 1, 2] * 20)),
    ],
)
def test_half_corrections_balanced_data_and_unknown_priors_raise_no_warning(text, labels):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream(parse(text), labels)


def test_many_classes_are_shown_by_the_largest_four():
    labels = Labels.of([0] * 100 + [1] * 50 + [2] * 20 + [3] * 10 + [4] * 5 + [5] * 5)
    with pytest.warns(StrategyWarning, match=r"0 52\.6%, 1 26\.3%, 2 10\.5%, 3 5\.3%, 2 more"):
        stream(parse("class-balanced-sampling + loss-weights"), labels)


def test_a_combination_is_a_frozen_strategy():
    both = parse("focal + mixup")
    assert isinstance(both, Combination)
    with pytest.raises(AttributeError):
        both.members = ()


def test_counts_of_a_stack_give_each_run_its_weights():
    both = parse("focal + loss-weights + cost-sensitive-weights")
    each = [COUNTS, ClassCounts(torch.tensor([10, 20, 30]), COUNTS.class_names)]
    generator = torch.Generator().manual_seed(1)
    logits, targets = torch.randn(2, 12, 3, generator=generator), torch.randint(3, (2, 12), generator=generator)
    together = both.loss(ClassCounts.stack(each)).per_run(logits, targets)
    alone = [both.loss(counts)(z, y) for counts, z, y in zip(each, logits, targets, strict=True)]
    assert together.tolist() == pytest.approx([one.item() for one in alone])
    assert both.class_weights(ClassCounts.stack(each)).values.shape == (2, 3)


@pytest.mark.parametrize(
    ("resampling", "other", "twice"),
    [
        ("random-oversampling", "loss-weights", True),
        ("random-oversampling", "weighted-random-sampler", True),
        ("random-oversampling", "logit-adjustment", True),
        ("random-undersampling", "loss-weights", True),
        ("random-oversampling", "class-balanced-sampling", False),
        ("random-oversampling", "focal", False),
        ("random-oversampling", "square-root-sampling", False),
    ],
)
def test_resampling_counts_as_a_correction(resampling, other, twice):
    labels = Labels.of([0] * 90 + [1] * 10)
    both = get(resampling) + get(other)
    pool = labels.take(both.resample(None, labels, seed=0).index)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StrategyWarning)
        next(both.index_stream(pool, labels.counts(), batch_size=4, steps=1, seed=0))
    assert any("correct it twice" in str(each.message) for each in caught) == twice


@pytest.mark.parametrize(
    "text",
    [
        "class-balanced-focal+loss-weights(reduction=weighted-mean)+class-balanced-sampling",
        "focal+loss-weights+class-balanced-sampling",
    ],
)
def test_a_part_without_a_prior_does_not_hide_that_two_others_correct_twice(text):
    labels = Labels.of([0] * 90 + [1] * 10)
    with pytest.warns(StrategyWarning, match="correct it twice"):
        next(parse(text).index_stream(labels, labels.counts(), batch_size=4, steps=1, seed=0))


def test_a_loss_that_sets_in_later_combines_as_any_other():
    both = parse("influence-balanced(start=0.25)+loss-weights+mixup")
    first, then = both.phases()
    assert (first.until, str(first.strategy)) == (0.25, "mixup+loss-weights")
    assert str(then.strategy) == "mixup+influence-balanced(start=0.0)+loss-weights"
    assert then.strategy.phases()[0].strategy == then.strategy
