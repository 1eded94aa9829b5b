"""Rounds in turn, and ratios between the times of a round."""

import pytest

from bench.speed.timing import measure_in_turn, median_ratio, time_call


def test_measurements_take_turns_and_every_round_is_reported():
    calls, messages = [], []

    def measurement(name):
        calls.append(name)
        return len(calls)

    values = measure_in_turn(
        {"a": lambda: measurement("a"), "b": lambda: measurement("b")}, rounds=3, progress=messages.append
    )
    assert calls == ["a", "b"] * 3
    assert values == {"a": [1, 3, 5], "b": [2, 4, 6]}
    assert messages == ["round 1 of 3", "round 2 of 3", "round 3 of 3"]


def test_a_ratio_is_the_median_of_each_rounds_ratio():
    busy_second_round = [0.008, 0.016, 0.010], [0.002, 0.004, 0.004]
    assert median_ratio(*busy_second_round) == pytest.approx(4.0)


def test_a_call_is_timed_by_the_clock_that_is_given():
    times = iter([10.0, 12.5])
    assert time_call(lambda: None, lambda: next(times)) == 2.5
