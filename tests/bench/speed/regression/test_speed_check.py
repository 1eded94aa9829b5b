"""The check records a baseline, then compares; only samplers that are slower twice are called slower, by exit code 1."""

import json
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import pytest

from bench.errors import InputError
from bench.speed.regression import baseline as baselines
from bench.speed.regression import check as checking
from bench.speed.regression import measure as measuring
from bench.speed.regression.check import check_speed
from bench.speed.regression.slowdown import compare_ratios
from bench.speed.samplers.peers import Unavailable
from bench.speed.timing import ignore_progress
from strategies.draw.streams import CPU

STEADY = [1.4 + 0.01 * (i % 5) for i in range(15)]


def slow_down(rounds, factor):
    return [factor * ratio for ratio in rounds]


@pytest.fixture(autouse=True)
def folders(tmp_path, monkeypatch):
    """A cache and a folder of reference baselines that are the test's own."""
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(baselines, "REFERENCE", tmp_path / "reference")
    return tmp_path


@pytest.fixture
def processes(monkeypatch):
    """Return a function that sets what the measuring processes return, one after another; the last one repeatedly."""

    def set_results(*results):
        remaining = list(results)

        def measure(function, *arguments):
            measure.calls += 1
            result = remaining.pop(0) if len(remaining) > 1 else remaining[0]
            if isinstance(result, Exception):
                raise result
            return {"ClassBalancedSampler": result, "WeightedSampler": STEADY}

        measure.calls = 0
        monkeypatch.setattr(checking, "in_fresh_process", measure)
        return measure

    return set_results


def record_steady_baseline():
    return baselines.record_baseline({"ClassBalancedSampler": [STEADY] * 3, "WeightedSampler": [STEADY] * 3})


# The comparison


@pytest.mark.parametrize(("factor", "slower"), [(1.5, True), (1.2, True), (1.14, False), (1.0, False), (0.7, False)])
def test_a_sampler_is_slower_only_above_the_factor(factor, slower):
    comparison = compare_ratios("it", [slow_down(STEADY, factor)] * 3, [STEADY] * 3)
    assert comparison.factor == pytest.approx(factor)
    assert comparison.slower is slower


def test_a_difference_that_chance_explains_is_not_slower():
    comparison = compare_ratios("it", [[1.2, 2.4, 4.8]], [[1.0, 2.0, 4.0]])
    assert comparison.factor > 1.15
    assert not comparison.slower


def test_one_disturbed_process_makes_nothing_slower():
    assert not compare_ratios("it", [STEADY, slow_down(STEADY, 3), slow_down(STEADY, 2)], [STEADY] * 3).slower


# The check


def test_the_first_check_records_the_baseline_that_the_second_compares_with(processes, imbench):
    processes(STEADY)
    code, out, _ = imbench("speed-check")
    assert code == 0
    assert f"Recorded as the baseline of this machine and these versions: {baselines.cached_path()}" in out
    code, out, _ = imbench("speed-check")
    assert code == 0
    assert "Fine" in out
    assert "factor 1.000" in out


def test_a_baseline_holds_the_ratios_of_the_least_disturbed_processes(processes):
    disturbed = slow_down(STEADY, 2)
    processes(disturbed, STEADY, disturbed, STEADY, disturbed, STEADY)
    check_speed(None, ignore_progress)
    assert baselines.read_baseline(baselines.cached_path()).ratios["ClassBalancedSampler"] == [STEADY] * 3


def test_a_slowdown_ends_with_exit_code_1_and_names_the_sampler_and_the_fix(processes, imbench):
    record_steady_baseline()
    measure = processes(slow_down(STEADY, 1.5))
    code, out, _ = imbench("speed-check")
    assert code == 1
    assert next(line for line in out.splitlines() if "SLOWER" in line).startswith("  ClassBalancedSampler: 2.1")
    assert f"imbench speed-check --baseline {baselines.cached_path()} --record" in out
    assert measure.calls == 6


def test_a_sampler_that_is_slower_only_once_was_disturbed(processes):
    record_steady_baseline()
    measure = processes(*[slow_down(STEADY, 1.5)] * 3, STEADY)
    assert not check_speed(None, ignore_progress).slower
    assert measure.calls == 6


def test_a_baseline_of_the_source_tree_is_preferred_to_the_cache(processes, folders):
    record_steady_baseline()
    (folders / "reference").mkdir()
    baselines.cached_path().rename(folders / "reference" / "here.json")
    baselines.record_baseline({"ClassBalancedSampler": [slow_down(STEADY, 9)] * 3, "WeightedSampler": [STEADY] * 3})
    processes(STEADY)
    assert check_speed(None, ignore_progress).baseline == folders / "reference" / "here.json"


def test_a_baseline_of_another_machine_is_not_compared_with(processes, folders, imbench):
    path = record_steady_baseline()
    content = json.loads(path.read_text())
    content["key"]["cpu"] = "another"
    path.write_text(json.dumps(content))
    processes(slow_down(STEADY, 1.5))
    code, _, err = imbench("speed-check", "--baseline", path)
    assert code == 2
    assert "was measured on another" in err
    assert imbench("speed-check")[0] == 0


@pytest.mark.parametrize("name", ["speed.json", "speed"])
def test_a_baseline_is_recorded_where_it_is_asked_for_and_compared_with_afterwards(name, processes, tmp_path, imbench):
    processes(STEADY)
    path = tmp_path / "in" / name
    code, _, err = imbench("speed-check", "--baseline", path)
    assert code == 2  # a path with a typing error must not pass without a comparison
    assert "add --record" in err
    assert not path.exists()
    code, out, _ = imbench("speed-check", "--baseline", path, "--record")
    assert code == 0
    file = path if name.endswith(".json") else path / baselines.cached_path().name
    assert f"Recorded as the baseline of this machine and these versions: {file}" in out
    assert not baselines.cached_path().exists()
    code, out, _ = imbench("speed-check", "--baseline", path)
    assert code == 0
    assert "Fine" in out
    processes(slow_down(STEADY, 1.5))
    assert imbench("speed-check", "--baseline", path)[0] == 1
    assert imbench("speed-check", "--baseline", path, "--record")[0] == 0  # the new speed is accepted
    assert imbench("speed-check", "--baseline", path)[0] == 0


def test_a_folder_of_other_machines_baselines_is_no_comparison(processes, tmp_path, imbench):
    processes(STEADY)
    path = record_steady_baseline()
    content = json.loads(path.read_text())
    content["key"]["cpu"] = "another"
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "other.json").write_text(json.dumps(content))
    code, _, err = imbench("speed-check", "--baseline", tmp_path / "folder")
    assert code == 2
    assert "no file in it is a baseline of" in err


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read as a baseline"),
        ("no JSON", "is not a baseline"),
        ("[]", "is not a baseline"),
        ('{"schema_version": 99}', "has schema 99, this version reads schema 1"),
        ('{"schema_version": 1}', "is not a baseline"),
        (
            '{"schema_version": 1, "key": {"cpu": "c", "torch": "t", "numba": "n"}, "ratios": {"a": [[]]}}',
            "is not a baseline",
        ),
        (
            '{"schema_version": 1, "key": {"cpu": "c", "torch": "t", "numba": "n"}, "ratios": {"a": []}}',
            "is not a baseline",
        ),
    ],
)
def test_an_invalid_baseline_is_one_line_and_exit_code_2(content, reason, processes, tmp_path, imbench):
    path = tmp_path / "given.json"
    if content is not None:
        path.write_text(content)
    processes(STEADY)
    code, out, err = imbench("speed-check", "--baseline", path)
    assert (code, out) == (2, "")
    assert err.startswith(f"imbench: {path}: {reason}")
    assert err.count("\n") == 1


def test_a_baseline_that_lacks_a_measured_sampler_is_refused(processes):
    baselines.record_baseline({"WeightedSampler": [STEADY] * 3})
    processes(STEADY)
    with pytest.raises(InputError, match="has no rounds of ClassBalancedSampler"):
        check_speed(None, ignore_progress)


def test_samplers_that_cannot_be_measured_are_exit_code_2(processes, imbench):
    processes(Unavailable("needs numba, which is not installed"))
    code, _, err = imbench("speed-check", "--quiet")
    assert code == 2
    assert err == "imbench: sampler speed cannot be measured: needs numba, which is not installed\n"


# The measurement


def test_reference_and_sampler_take_turns_and_the_fastest_of_each_counts(monkeypatch):
    now, turns = [0.0], []

    def work(name, seconds):
        turns.append(name)
        now[0] += seconds * (1 + len(turns) % 5)  # disturbed four times of five

    monkeypatch.setattr(measuring, "process_time", lambda: now[0])
    ratios = measuring.time_against_reference(
        partial(work, "reference", 2), {"a sampler": partial(work, "a sampler", 3)}
    )
    assert ratios == {"a sampler": [pytest.approx(1.5)] * measuring.ROUNDS}
    assert turns[2:] == ["reference", "a sampler"] * measuring.ROUNDS * measuring.TURNS


class SlowStream:
    """A stream that samples half as many indices again, of another epoch: those just read would come from the cache."""

    def __init__(self, stream):
        self.stream, self.items = stream, stream.items

    def length(self, epoch):
        return self.stream.length(epoch)

    def indices_at(self, epoch, positions, device=CPU):
        self.stream.indices_at(epoch + 1, positions[: len(positions) // 2], device)
        return self.stream.indices_at(epoch, positions, device)


def build_slow_samplers():
    samplers = measuring.build_samplers()
    for sampler in samplers.values():
        sampler.stream = SlowStream(sampler.stream)
    return samplers


@contextmanager
def a_busy_process():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


@pytest.mark.slow
def test_ten_of_ten_slowdowns_are_caught_and_ten_of_ten_others_pass_while_another_process_is_busy(capsys):
    pytest.importorskip("numba")
    assert not check_speed(None, print).comparisons
    with a_busy_process():
        unchanged = [check_speed(None, print) for _ in range(10)]
        slowed_down = [check_speed(None, print, build_slow_samplers) for _ in range(10)]
    with capsys.disabled():
        for check in (*unchanged, *slowed_down):
            factors = [f"{comparison.sampler} {comparison.factor:.3f}" for comparison in check.comparisons]
            print(factors, "slower" if check.slower else "fine")
    assert not any(check.slower for check in unchanged)
    assert all(check.slower for check in slowed_down)
