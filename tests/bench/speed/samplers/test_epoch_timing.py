"""Timed runs are long enough and warmed up, and the time of an epoch that was cut is extrapolated correctly."""

import sys

import pytest

from bench.machine.fresh_process import in_fresh_process
from bench.speed.samplers import epoch_timing
from bench.speed.samplers.epoch_memory import epoch_peak_bytes
from bench.speed.samplers.epoch_timing import EpochPass, WarmedUpPasses, time_pass, time_passes
from bench.speed.timing import measure_in_turn


@pytest.fixture
def make_pass(monkeypatch):
    """Return a function that makes passes through epochs, which alone advance the clock."""
    now = [0.0]
    monkeypatch.setattr(epoch_timing, "perf_counter", lambda: now[0])

    def make_pass(opening, per_chunk, chunks, log=None, name=""):
        def start():
            if log is not None:
                log.append(name)
            now[0] += opening
            for _ in range(chunks):
                now[0] += per_chunk
                yield [0] * 100

        return EpochPass(start, len, lambda: 100 * chunks)

    return make_pass


def test_a_whole_epoch_is_its_seconds_divided_by_its_draws(make_pass):
    timing = time_pass(make_pass(opening=0.2, per_chunk=0.01, chunks=10))
    assert timing.draws == 1000
    assert timing.seconds_per_draw == pytest.approx(0.3 / 1000)


def test_an_epoch_cut_after_a_second_divides_its_opening_by_all_its_draws(make_pass):
    timing = time_pass(make_pass(opening=5.0, per_chunk=0.3, chunks=1000))
    assert timing.draws == 500
    assert timing.seconds_per_draw == pytest.approx((5.3 / 1000 + 0.3) / 100)


def test_short_epochs_are_repeated(make_pass):
    timing = time_passes(make_pass(opening=0.0, per_chunk=0.001, chunks=10))
    assert timing.seconds == pytest.approx(0.05, rel=0.3)
    assert timing.draws == pytest.approx(5000, rel=0.3)
    assert timing.seconds_per_draw == pytest.approx(0.00001)


def test_passes_take_turns_and_short_ones_are_warmed_up_each_time(make_pass):
    log = []
    passes = {
        "short": WarmedUpPasses(make_pass(opening=0.0, per_chunk=0.1, chunks=1, log=log, name="short")),
        "long": WarmedUpPasses(make_pass(opening=0.0, per_chunk=0.9, chunks=1, log=log, name="long")),
    }
    timings = measure_in_turn(passes, rounds=3)
    assert log == ["short", "short", "long", "long", "short", "short", "long", "short", "short", "long"]
    assert {name: len(rounds) for name, rounds in timings.items()} == {"short": 3, "long": 3}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reports the highest resident size")
def test_the_memory_of_an_epoch_is_that_of_its_indices_or_tables():
    items, integer, pointer, index = 500_000, 32, 8, 8
    theirs = in_fresh_process(epoch_peak_bytes, "torch WeightedRandomSampler", items)
    ours = in_fresh_process(epoch_peak_bytes, "ClassBalancedSampler", items)
    assert theirs == pytest.approx(items * (integer + pointer + index), rel=0.35)
    assert 4 * items * 0.7 < ours < 4 * items + 3e6
