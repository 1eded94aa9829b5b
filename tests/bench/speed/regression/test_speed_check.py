"""The check records a baseline, then compares; it calls slower what is slower twice, and says so by its exit code."""

import json
import subprocess
import sys
from contextlib import contextmanager
from functools import partial

import pytest

from bench import cli
from bench.errors import InputError
from bench.speed.regression import baseline as kept
from bench.speed.regression import check as checking
from bench.speed.regression import rounds as measuring
from bench.speed.regression.check import check
from bench.speed.regression.verdict import compare
from bench.speed.samplers.peers import Unavailable
from strategies.draw.streams import CPU

STEADY = [1.4 + 0.01 * (i % 5) for i in range(15)]


def slowed(rounds, factor):
    return [factor * each for each in rounds]


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    """A cache and a source tree of the test's own."""
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "REFERENCE", tmp_path / "reference")
    return tmp_path


@pytest.fixture
def processes(monkeypatch):
    """Says what the measuring processes find, one after another; the last again and again."""

    def say(*found):
        found = list(found)

        def measure(function, *arguments):
            measure.runs += 1
            this = found.pop(0) if len(found) > 1 else found[0]
            if isinstance(this, Exception):
                raise this
            return {"ClassBalancedSampler": this, "WeightedSampler": STEADY}

        measure.runs = 0
        monkeypatch.setattr(checking, "in_fresh_process", measure)
        return measure

    return say


def command(monkeypatch, capsys, *arguments):
    """Exit code, standard output and standard error of `imbench speed-check`."""
    monkeypatch.setattr(sys, "argv", ["imbench", "speed-check", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    return ended.value.code or 0, said.out, said.err


# The verdict


@pytest.mark.parametrize(("factor", "slower"), [(1.5, True), (1.2, True), (1.14, False), (1.0, False), (0.7, False)])
def test_slower_is_what_exceeds_the_factor(factor, slower):
    found = compare("it", [slowed(STEADY, factor)] * 3, [STEADY] * 3)
    assert found.factor == pytest.approx(factor)
    assert found.slower is slower


def test_a_difference_that_chance_explains_is_not_slower():
    wild = [1.0, 2.0, 4.0]
    found = compare("it", [[1.2, 2.4, 4.8]], [wild])
    assert found.factor > 1.15
    assert not found.slower


def test_one_disturbed_process_makes_nothing_slower():
    assert not compare("it", [STEADY, slowed(STEADY, 3), slowed(STEADY, 2)], [STEADY] * 3).slower


# The check


def test_the_first_check_records_what_the_second_compares_with(processes, monkeypatch, capsys):
    processes(STEADY)
    code, out, _ = command(monkeypatch, capsys)
    assert code == 0
    assert f"No baseline for this machine and these versions yet: recorded {kept.recorded()}" in out
    code, out, _ = command(monkeypatch, capsys)
    assert code == 0
    assert "Fine" in out
    assert "factor 1.000" in out


def test_a_baseline_is_what_the_least_disturbed_processes_measured(processes):
    disturbed = slowed(STEADY, 2)
    processes(disturbed, STEADY, disturbed, STEADY, disturbed, STEADY)
    check(None, lambda line: None)
    assert kept.read(kept.recorded()).ratios["ClassBalancedSampler"] == [STEADY] * 3


def test_slower_ends_with_exit_code_1_and_names_the_sampler_and_the_way_out(processes, monkeypatch, capsys):
    kept.record({"ClassBalancedSampler": [STEADY] * 3, "WeightedSampler": [STEADY] * 3})
    measure = processes(slowed(STEADY, 1.5))
    code, out, _ = command(monkeypatch, capsys)
    assert code == 1
    assert next(line for line in out.splitlines() if "SLOWER" in line).startswith("  ClassBalancedSampler: 2.1")
    assert f"remove {kept.recorded()}" in out
    assert measure.runs == 6


def test_what_is_slower_only_once_was_a_neighbour(processes):
    kept.record({"ClassBalancedSampler": [STEADY] * 3, "WeightedSampler": [STEADY] * 3})
    measure = processes(*[slowed(STEADY, 1.5)] * 3, STEADY)
    assert not check(None, lambda line: None).slower
    assert measure.runs == 6


def test_a_baseline_of_the_source_tree_goes_before_the_cache(processes, places):
    kept.record({"ClassBalancedSampler": [STEADY] * 3, "WeightedSampler": [STEADY] * 3})
    (places / "reference").mkdir()
    kept.recorded().rename(places / "reference" / "here.json")
    kept.record({"ClassBalancedSampler": [slowed(STEADY, 9)] * 3, "WeightedSampler": [STEADY] * 3})
    processes(STEADY)
    assert check(None, lambda line: None).baseline == places / "reference" / "here.json"


def test_a_baseline_of_another_machine_is_not_compared_with(processes, places, monkeypatch, capsys):
    path = kept.record({"ClassBalancedSampler": [STEADY] * 3, "WeightedSampler": [STEADY] * 3})
    content = json.loads(path.read_text())
    content["key"]["cpu"] = "another"
    path.write_text(json.dumps(content))
    processes(slowed(STEADY, 1.5))
    code, _, err = command(monkeypatch, capsys, "--baseline", path)
    assert code == 2
    assert "was measured on another" in err
    assert command(monkeypatch, capsys)[0] == 0


@pytest.mark.parametrize(
    ("content", "because"),
    [
        (None, "cannot be read as a baseline"),
        ("no JSON", "is not a baseline"),
        ("[]", "is not a baseline"),
        ('{"schema_version": 99}', "is of schema 99, this version reads schema 1"),
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
def test_a_file_that_is_no_baseline_is_one_line_and_exit_code_2(
    content, because, processes, tmp_path, monkeypatch, capsys
):
    path = tmp_path / "given.json"
    if content is not None:
        path.write_text(content)
    processes(STEADY)
    code, out, err = command(monkeypatch, capsys, "--baseline", path)
    assert (code, out) == (2, "")
    assert err.startswith(f"imbench: {path}: {because}")
    assert err.count("\n") == 1


def test_a_baseline_without_a_sampler_that_is_measured_is_refused(processes):
    kept.record({"WeightedSampler": [STEADY] * 3})
    processes(STEADY)
    with pytest.raises(InputError, match="has no rounds of ClassBalancedSampler"):
        check(None, lambda line: None)


def test_what_cannot_be_measured_is_exit_code_2(processes, monkeypatch, capsys):
    processes(Unavailable("needs numba, which is not installed"))
    code, _, err = command(monkeypatch, capsys, "--quiet")
    assert code == 2
    assert err == "imbench: sampler speed cannot be measured: needs numba, which is not installed\n"


# The measurement


def test_floor_and_sampler_take_turns_and_the_fastest_of_each_counts(monkeypatch):
    now, turns = [0.0], []

    def work(name, seconds):
        turns.append(name)
        now[0] += seconds * (1 + len(turns) % 5)  # disturbed four times of five

    monkeypatch.setattr(measuring, "process_time", lambda: now[0])
    found = measuring.in_rounds(partial(work, "floor", 2), {"a sampler": partial(work, "a sampler", 3)})
    assert found == {"a sampler": [pytest.approx(1.5)] * measuring.ROUNDS}
    assert turns[2:] == ["floor", "a sampler"] * measuring.ROUNDS * measuring.TURNS


class Slowed:
    """Draws that draw half as much again: of another epoch, for what was just read would come from the cache."""

    def __init__(self, draws):
        self.draws, self.items = draws, draws.items

    def length(self, epoch):
        return self.draws.length(epoch)

    def indices_at(self, epoch, positions, device=CPU):
        self.draws.indices_at(epoch + 1, positions[: len(positions) // 2], device)
        return self.draws.indices_at(epoch, positions, device)


def slowed_samplers():
    found = measuring.samplers()
    for each in found.values():
        each.stream = Slowed(each.stream)
    return found


@contextmanager
def a_busy_process():
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        busy.kill()
        busy.wait()


@pytest.mark.slow
def test_ten_of_ten_slowdowns_are_caught_and_ten_of_ten_others_pass_beside_a_busy_process(capsys):
    pytest.importorskip("numba")
    assert not check(None, print).compared
    with a_busy_process():
        quiet = [check(None, print) for _ in range(10)]
        caught = [check(None, print, slowed_samplers) for _ in range(10)]
    with capsys.disabled():
        for each in (*quiet, *caught):
            print(
                [f"{found.sampler} {found.factor:.3f}" for found in each.compared], "slower" if each.slower else "fine"
            )
    assert (sum(not each.slower for each in quiet), sum(each.slower for each in caught)) == (10, 10)
