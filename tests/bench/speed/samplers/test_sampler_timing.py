"""Runs are long enough, taken in turn, and an epoch that was cut off is inferred right."""

import sys

import pytest

from bench.machine.fresh_process import in_fresh_process
from bench.speed.samplers import timing
from bench.speed.samplers.memory import peak_bytes
from bench.speed.samplers.timing import Walk, in_turn, run, walked


@pytest.fixture
def clock(monkeypatch):
    """A clock that only what is timed moves."""
    now = [0.0]
    monkeypatch.setattr(timing, "perf_counter", lambda: now[0])

    def walk(opening, piece, pieces, log=None, name=""):
        def begin():
            if log is not None:
                log.append(name)
            now[0] += opening
            for _ in range(pieces):
                now[0] += piece
                yield [0] * 100

        return Walk(begin, len, lambda: 100 * pieces)

    return walk


def test_a_whole_epoch_is_its_seconds_over_its_draws(clock):
    found = walked(clock(opening=0.2, piece=0.01, pieces=10))
    assert found.draws == 1000
    assert found.seconds_a_draw == pytest.approx(0.3 / 1000)


def test_an_epoch_cut_after_a_second_shares_its_opening_among_all_its_draws(clock):
    found = walked(clock(opening=5.0, piece=0.3, pieces=1000))
    assert found.draws == 500
    assert found.seconds_a_draw == pytest.approx((5.3 / 1000 + 0.3) / 100)


def test_a_run_repeats_short_epochs(clock):
    found = run(clock(opening=0.0, piece=0.001, pieces=10))
    assert found.seconds == pytest.approx(0.05, rel=0.3)
    assert found.draws == pytest.approx(5000, rel=0.3)
    assert found.seconds_a_draw == pytest.approx(0.00001)


def test_all_take_turns_and_short_ones_are_warmed_up_each_time(clock):
    log = []
    walks = {
        "short": clock(opening=0.0, piece=0.1, pieces=1, log=log, name="short"),
        "long": clock(opening=0.0, piece=0.9, pieces=1, log=log, name="long"),
    }
    said = []
    runs = in_turn(walks, said.append, rounds=3)
    assert log == ["short", "short", "long", "long", "short", "short", "long", "short", "short", "long"]
    assert {name: len(each) for name, each in runs.items()} == {"short": 3, "long": 3}
    assert said[-1] == "round 3 of 3"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the highest resident size")
def test_the_memory_of_an_epoch_is_what_its_draws_hold():
    items, integer, pointer, index = 500_000, 32, 8, 8
    theirs = in_fresh_process(peak_bytes, "torch WeightedRandomSampler", items)
    ours = in_fresh_process(peak_bytes, "ClassBalancedSampler", items)
    assert theirs == pytest.approx(items * (integer + pointer + index), rel=0.35)
    assert 4 * items * 0.7 < ours < 4 * items + 3e6
