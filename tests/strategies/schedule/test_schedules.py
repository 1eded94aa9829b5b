import pytest

import strategies
from strategies import Labels, NotationError, get

LABELS = Labels.of([0] * 90 + [1] * 10)
SCHEDULES = ["deferred-reweighting", "deferred-resampling", "classifier-retraining", "learnable-weight-scaling"]


@pytest.mark.parametrize(
    ("name", "second", "trains", "reset"),
    [
        ("deferred-reweighting", "class-balanced-loss(reduction=weighted-mean)", "all", False),
        ("deferred-resampling", "class-balanced-sampling", "all", False),
        ("classifier-retraining", "class-balanced-sampling", "head", True),
        ("learnable-weight-scaling", "class-balanced-sampling", "scale", False),
    ],
)
def test_plain_training_for_four_fifths_then_the_second_phase_of_the_paper(name, second, trains, reset):
    first, then = get(name).phases()
    assert (first.until, first.strategy, first.trains, first.reset_head) == (0.8, get("none"), "all", False)
    assert (then.until, then.strategy, then.trains, then.reset_head) == (1.0, strategies.parse(second), trains, reset)


@pytest.mark.parametrize("alias", ["crt", "lws", "drw", "drs"])
def test_short_names_are_known(alias):
    assert get(alias, start=0.5).phases()[0].until == 0.5


def test_deferred_reweighting_weighs_by_the_effective_number_of_samples():
    counts = LABELS.counts()
    weights = get("deferred-reweighting", beta=0.9).phases()[1].strategy.class_weights(counts)
    assert weights.reduction == "weighted-mean"
    head, rare = ((1 - 0.9) / (1 - 0.9**n) for n in (90, 10))
    assert (weights.values[1] / weights.values[0]).item() == pytest.approx(rare / head)


def test_a_combined_loss_is_in_force_in_both_phases():
    first, then = strategies.parse("deferred-reweighting(start=0.6) + ignore-index").phases()
    assert (first.until, str(first.strategy)) == (0.6, "ignore-index")
    assert get("ignore-index") in then.strategy.parts
    assert {part.name for part in then.strategy.parts} == {"ignore-index", "class-balanced-loss"}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules_declare_no_prior_because_their_phases_differ(name):
    assert get(name).effective_prior(LABELS, LABELS.counts()) is None


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("start", [0.0, 1.0, -0.5])
def test_a_phase_without_steps_is_refused(name, start):
    with pytest.raises(NotationError, match=f"{name}: start, .* given: {start}"):
        get(name, start=start)


def test_a_beta_that_makes_no_sense_is_refused_at_once():
    with pytest.raises(NotationError, match="beta"):
        get("deferred-reweighting", beta=1.5)


@pytest.mark.parametrize("name", SCHEDULES)
def test_is_not_applicable_where_its_second_phase_is_not(name):
    many = Labels.packed([[0, 0, 1], [0, 1]])
    for labels in (LABELS, many):
        second = get(name).phases()[1].strategy
        assert get(name).why_not_applicable(labels, "tokens") == second.why_not_applicable(labels, "tokens")
