"""What a budget affords follows from the times of runs: laws, and the order in which things are given up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.comparison.budget import FEWEST_SEEDS, RunTime, afford, describe, parse_budget
from bench.errors import InputError

NAMES = ("none", "weights", "sampler", "oversampling", "focal", "undersampling", "smote", "ensemble")


def times(*seconds: float) -> dict[str, RunTime]:
    return {name: RunTime(0.0, taken) for name, taken in zip(NAMES, seconds, strict=False)}


def needed(learners: dict[str, dict[str, RunTime]], seeds: int, workers: int, share: float = 1.0) -> float:
    """The seconds of all strategies of all learners, plain training twice."""
    runs = [time for of in learners.values() for name, time in of.items() for _ in range(2 if name == "none" else 1)]
    return sum(seeds * time.seconds(share) for time in runs) / workers


def test_all_is_afforded_where_there_is_time():
    learners = {"mlp": times(1, 1, 1), "trees": times(2, 2)}
    afforded = afford(learners, needed(learners, 5, 2), workers=2)
    assert (afforded.seeds, afforded.step_share, afforded.fits) == (5, 1.0, True)
    assert afforded.strategies == {"mlp": NAMES[:3], "trees": NAMES[:2]}


def test_remedies_beyond_six_are_given_up_before_a_seed_and_seeds_before_steps():
    learners = {"mlp": times(*[1.0] * 8)}  # 9 seconds per seed
    found = [afford(learners, seconds, workers=1) for seconds in (45, 40, 39, 24, 12, 6)]
    assert [(one.seeds, len(one.strategies["mlp"]) - 1, one.step_share) for one in found] == [
        (5, 7, 1.0),
        (5, 6, 1.0),
        (4, 7, 1.0),
        (4, 4, 1.0),
        (3, 2, 1.0),
        (3, 2, 0.5),
    ]


def test_a_slow_remedy_is_left_out_for_those_after_it():
    afforded = afford({"mlp": times(1, 1, 100, 1)}, 30, workers=1)
    assert afforded.strategies["mlp"] == ("none", "weights", "oversampling")
    assert afforded.left_out["mlp"] == ("sampler",)


def test_what_is_too_slow_is_left_out_but_not_if_it_was_asked_for():
    learners = {"mlp": times(1, 1000)}
    assert afford(learners, 100, workers=1).strategies["mlp"] == ("none",)
    asked = afford(learners, 100, workers=1, keep_all=True)
    assert asked.strategies["mlp"] == ("none", "weights")
    assert describe(asked, 100, 90).endswith("; even that takes longer than the budget, by about 11 min 16 s")


def test_what_is_done_already_takes_no_time():
    done = {"mlp": {"none": RunTime(9.0, done=5), "weights": RunTime(9.0, done=5), "sampler": RunTime(1.0)}}
    afforded = afford(done, 5, workers=1)
    assert (afforded.seeds, afforded.strategies["mlp"], afforded.seconds) == (5, ("none", "weights", "sampler"), 5)


def test_what_the_user_fixes_is_kept():
    afforded = afford({"mlp": times(1, 1, 1)}, 3, workers=1, seeds=7, keep_all=True, keep_steps=True)
    assert (afforded.seeds, afforded.step_share, afforded.strategies["mlp"]) == (7, 1.0, NAMES[:3])
    assert not afforded.fits


@given(
    seconds=st.lists(st.floats(0.01, 100), min_size=1, max_size=8),
    budget=st.floats(1, 1000),
    workers=st.integers(1, 8),
)
def test_what_is_afforded_takes_no_longer_than_there_is_time(seconds, budget, workers):
    learners = {"mlp": times(*seconds)}
    afforded = afford(learners, budget, workers)
    assert afforded.seeds >= FEWEST_SEEDS
    assert set(afforded.strategies["mlp"]) | set(afforded.left_out["mlp"]) == set(learners["mlp"])
    kept = {"mlp": {name: learners["mlp"][name] for name in afforded.strategies["mlp"]}}
    least_seconds = needed(kept, afforded.seeds, workers, afforded.step_share)
    assert not afforded.fits or least_seconds <= budget * (1 + 1e-9)


def test_the_sentence_names_what_is_left_out():
    text = describe(afford({"mlp": times(1, 1, 100)}, 30, workers=1), 60, 55)
    assert text == (
        "a budget of 1 min 0 s affords 5 seeds of 1 remedy with mlp; left out: sampler with mlp (a larger --budget adds them)"
    )


def test_more_seeds_keep_the_remedies_that_were_begun():
    begun = {"none": RunTime(1.0, done=3), "weights": RunTime(1.0, done=3), "sampler": RunTime(1.0)}
    afforded = afford({"mlp": begun}, 3.0, workers=1, seeds=100)
    assert (afforded.strategies["mlp"], afforded.left_out["mlp"], afforded.fits) == (
        ("none", "weights"),
        ("sampler",),
        False,
    )


def test_the_sentence_tells_of_steps_that_an_earlier_command_saved():
    afforded = afford({"mlp": times(1, 1)}, 100.0, workers=1)
    assert "trained for" not in describe(afforded, 300.0, 100.0)
    assert "trained for 50% of the usual steps, as the runs that are there" in describe(afforded, 300.0, 100.0, 0.5)


@pytest.mark.parametrize("text", ["", "5", "m", "0m", "-1m", "5 hours", "nan"])
def test_a_budget_without_a_unit_is_refused(text):
    with pytest.raises(InputError, match="give a number with its unit"):
        parse_budget(text)
