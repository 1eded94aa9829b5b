"""A run, stopped in every way and gone on with: nothing is trained twice, nothing lost, and mistakes are told in one line."""

import dataclasses
import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from numpy.random import default_rng

import bench
from bench import cli
from bench.engine.events import Finished, WorkerTime
from bench.engine.local_workers import _Worker, run_stacks
from bench.planning.protocol import ROWS
from bench.planning.run import Run
from bench.planning.suite import suites
from bench.records.record import Failure, Record
from bench.records.store import Store
from bench.tasks import KNOWN, find_task
from bench.tasks.task import Task
from bench.terminal.progress import Progress
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import names, parse

SUITE = """\
title = "Small, on two tasks"
seeds = 3

[[block]]
task = "digits-lt"
protocol = { steps = 200, validate_every = 20 }
strategies = ["none", "smote", "sentence-weights"]

[[block]]
task = "synthetic-conll(scale=0.01)"
protocol = { steps = 40, validate_every = 10 }
strategies = ["none", "weighted-random-sampler"]
"""
ROWS_OF_SUITE = [
    ("digits-lt", "none"),
    ("digits-lt", "smote"),
    ("digits-lt", "sentence-weights"),
    ("synthetic-conll(scale=0.01)", "none"),
    ("synthetic-conll(scale=0.01)", "weighted-random-sampler"),
]
TRAININGS = 12
STOPPED = "imbench: stopped; the same command goes on from here\n"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
PATIENCE_SECONDS = 120.0
"""What nothing here takes on a machine that is busy with something else; more is a hang."""


def until(what: Callable[[], bool], said: str, process: subprocess.Popen[str] | None = None) -> float:
    """Seconds until it holds."""
    begin = time.monotonic()
    while not what():
        assert time.monotonic() - begin < PATIENCE_SECONDS, f"in vain: {said}"
        assert process is None or process.poll() is None, f"the run ended before: {said}: {process.communicate()}"
        time.sleep(0.005)
    return time.monotonic() - begin


@contextmanager
def patience() -> Iterator[None]:
    """A hang becomes a failure."""

    def late(*_: object) -> None:
        raise TimeoutError(f"not done after {PATIENCE_SECONDS:.0f} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module", autouse=True)
def ctrl_c_is_heard() -> Iterator[None]:
    """A shell makes what it starts in the background deaf to Ctrl-C, and processes inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


# Real processes


@dataclass(frozen=True)
class Place:
    """Where real runs are made: the suite's file, and an empty cache."""

    directory: Path

    @property
    def suite(self) -> Path:
        return self.directory / "small.toml"

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """`python -m bench` in a process group of its own, as a shell would start it."""
        return subprocess.Popen(
            [sys.executable, "-m", "bench", *map(str, arguments)],
            cwd=self.directory,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("IMBENCH")},
                "PYTHONPATH": str(Path(bench.__file__).parents[1]),
                "IMBENCH_CACHE": str(self.directory / "empty"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, out: str, *options: object, workers: int = 2) -> subprocess.Popen[str]:
        return self.start("run", self.suite, "--workers", workers, "--out", self.directory / out, *options)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    directory = tmp_path_factory.mktemp("runs")
    (directory / "small.toml").write_text(SUITE)
    return Place(directory)


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


def ended(process: subprocess.Popen[str]) -> Answer:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    return Answer(process.returncode, out, err)


@pytest.fixture(scope="module")
def uninterrupted(place: Place) -> tuple[Path, Answer]:
    """The results directory of a run from beginning to end."""
    return place.directory / "whole", ended(place.run("whole", workers=1))


def written_times(directory: Path, folder: str = "trainings") -> dict[str, int]:
    """When each whole file was written."""
    return {path.name: path.stat().st_mtime_ns for path in (directory / folder).glob("[!.]*.json")}


def quality(directory: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in (directory / "tables").glob("quality.*")}
    assert set(found) >= {"quality.md", "quality.csv"}
    return found


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    """Pids of its worker processes, the first made first."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return sorted(int(pid) for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text())


def alive(pid: int) -> bool:
    """Whether there is such a process and it is not only waiting to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclass(frozen=True)
class Interrupted:
    """One results directory: Ctrl-C, go on, a worker killed and then the run itself, go on to the end."""

    directory: Path
    ctrl_c: Answer
    after_ctrl_c: dict[str, int]
    seconds_until_orphans_were_gone: float
    after_kill: dict[str, int]
    failed_after_kill: list[str]
    last: Answer


@pytest.fixture(scope="module")
def interrupted(place: Place) -> Interrupted:
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    directory = place.directory / "cut"

    def some_more_than(before: int) -> Callable[[], bool]:
        return lambda: before < len(written_times(directory)) < TRAININGS

    process = place.run("cut")
    until(some_more_than(0), "some records", process)
    os.killpg(process.pid, signal.SIGINT)
    ctrl_c = ended(process)
    after_ctrl_c = written_times(directory)

    process = place.run("cut")
    until(lambda: len(workers_of(process)) == 2, "two workers", process)
    os.kill(workers_of(process)[0], signal.SIGKILL)
    until(some_more_than(len(after_ctrl_c)), "some more records", process)
    orphans = workers_of(process)
    process.kill()
    process.communicate()
    seconds = until(lambda: not any(map(alive, orphans)), "the end of the workers")
    after_kill = written_times(directory)
    failed = sorted(written_times(directory, "failures"))

    # A worker that was killed over a single training leaves a failure; over several, each is tried again.
    retry = ["--retry", "failed"] if failed else []
    last = ended(place.run("cut", *retry, workers=1))
    return Interrupted(directory, ctrl_c, after_ctrl_c, seconds, after_kill, failed, last)


def test_a_run_ends_well_and_prints_paths_that_exist(uninterrupted):
    directory, answer = uninterrupted
    assert (answer.code, answer.err) == (0, "")
    listed = [Path(line.strip()) for line in answer.out.partition("wrote:\n")[2].splitlines()]
    assert {directory / "tables" / name for name in quality(directory)} <= set(listed)
    assert {path.parent for path in listed} == {directory / "tables", directory / "figures", directory}
    assert listed[-1] == directory / "report.html"
    assert all(path.is_file() and path.stat().st_size for path in listed)


def test_a_run_leaves_a_record_of_every_training_and_one_cost_of_every_strategy(uninterrupted):
    store = Store(uninterrupted[0])
    rows = store.study().strategies
    assert [(row.task, row.strategy) for row in rows] == ROWS_OF_SUITE
    assert sum(len(row.runs) for row in rows) == TRAININGS == len(written_times(store.directory))
    for row in rows:
        if row.skipped:
            continue
        for seed, id in row.runs.items():
            record = store.record(id)
            assert (record.task, record.strategy, record.seed) == (row.task, row.strategy, seed)
            assert 0.0 < record.evaluation("chosen", "test").nll < 5.0
        cost = store.cost(row.runs[0])
        assert 0 < cost.lowest_step_ratio <= cost.step_ratio <= cost.highest_step_ratio
        assert [store.cost(id) for seed, id in row.runs.items() if seed] == [None, None]


def test_what_workers_predicted_on_test_lies_beside_every_record(uninterrupted):
    store = Store(uninterrupted[0])
    for id in (id for row in store.study().strategies for id in row.runs.values()):
        confusion = store.record(id).evaluation("chosen", "test").confusion
        assert store.predicted(id).counts().sum(axis=0).tolist() == [count for row in confusion for count in row]


def test_ctrl_c_ends_a_run_with_one_line_and_keeps_what_was_done(interrupted):
    assert (interrupted.ctrl_c.code, interrupted.ctrl_c.err) == (130, STOPPED)
    assert 0 < len(interrupted.after_ctrl_c) < TRAININGS


def test_after_a_kill_the_workers_are_gone_within_seconds(interrupted):
    assert interrupted.seconds_until_orphans_were_gone < 5.0


def test_a_stopped_run_goes_on_and_trains_only_what_was_missing(interrupted):
    assert len(interrupted.after_ctrl_c) < len(interrupted.after_kill) < TRAININGS
    at_the_end = written_times(interrupted.directory)
    assert len(at_the_end) == TRAININGS
    assert interrupted.after_ctrl_c.items() <= interrupted.after_kill.items() <= at_the_end.items()
    assert (interrupted.last.code, interrupted.last.err) == (0, "")
    assert not written_times(interrupted.directory, "failures")


def test_a_stopped_run_leaves_the_quality_tables_of_one_that_was_not(interrupted, uninterrupted):
    assert quality(interrupted.directory) == quality(uninterrupted[0])
    assert written_times(interrupted.directory).keys() == written_times(uninterrupted[0]).keys()


@pytest.mark.parametrize(
    "arguments", [("status", "nothing"), ("run", "small.toml", "--sedes", "2"), ("train",)], ids=" ".join
)
def test_in_a_process_of_its_own_a_mistake_is_one_line_and_exit_code_2(place: Place, arguments):
    answer = ended(place.start(*arguments))
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("imbench: ")
    assert answer.err.count("\n") == 1


# Worker processes


@dataclass(frozen=True)
class Troubled:
    """Digits that cannot be had: loading them raises, kills the process, kills it the first time, or never ends."""

    trouble: str
    directory: str = ""
    label: ClassVar[str] = "digits-lt"
    kind: ClassVar[str] = "rows"

    def load(self, seed: int) -> Task:
        if self.trouble == "raises":
            raise RuntimeError("these digits are cursed")
        if self.trouble == "sleeps":
            Path(self.directory, "asleep").touch()
            time.sleep(600)
        first = Path(self.directory, "was here")
        if self.trouble == "kills" or not first.exists():
            if self.trouble == "kills once":
                first.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return find_task("digits-lt").load(default_rng(seed))


def digits(strategy: str, seed: int = 0, task: object = None) -> Run:
    protocol = dataclasses.replace(ROWS, steps=40, validate_every=20)
    return Run(task or find_task("digits-lt"), parse(strategy), protocol, seed, f"data {task}")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[list[Run]], list[object]]:
    """Stacks some of whose trainings are in trouble, and what two workers made of them."""
    once = str(tmp_path_factory.mktemp("once"))
    stacks = [
        [digits("none", 0), digits("loss-weights", 0, Troubled("raises")), digits("ignore-index", 0)],
        [digits("none", 1), digits("loss-weights", 1, Troubled("kills once", once)), digits("ignore-index", 1)],
        [digits("loss-weights", 2, Troubled("kills"))],
        [digits("none", 3, Troubled("raises"))],
        [digits("none", 4)],
    ]
    with patience():
        return stacks, list(run_stacks(stacks, workers=2, device="cpu"))


def outcomes_of(events: list[object]) -> list[Record | Failure]:
    return [outcome for event in events if isinstance(event, Finished) for outcome in event.outcomes]


def test_every_training_ends_once_and_every_worker_says_where_its_time_went(troubled):
    stacks, events = troubled
    outcomes = outcomes_of(events)
    assert Counter(each.id for each in outcomes) == Counter(each.id for stack in stacks for each in stack)
    assert [type(each) for each in events[-2:]] == [WorkerTime, WorkerTime]
    assert not multiprocessing.active_children()


def test_what_raises_or_dies_alone_is_a_failure_with_its_reason(troubled):
    failures = {(each.strategy, each.seed): each for each in outcomes_of(troubled[1]) if isinstance(each, Failure)}
    assert set(failures) == {("loss-weights", 0), ("loss-weights", 2), ("none", 3)}
    for place in (("loss-weights", 0), ("none", 3)):
        assert failures[place].reason.startswith("RuntimeError: these digits are cursed (")
    assert "exit code -9" in failures["loss-weights", 2].reason
    assert "out of memory, or killed" in failures["loss-weights", 2].reason


def test_neighbours_of_what_breaks_and_what_broke_once_have_the_numbers_of_a_quiet_run(troubled):
    stacks, events = troubled
    records = {each.id: each for each in outcomes_of(events) if isinstance(each, Record)}
    assert {(each.strategy, each.seed) for each in records.values()} == {
        *(("none", seed) for seed in (0, 1, 4)),
        *(("ignore-index", seed) for seed in (0, 1)),
        ("loss-weights", 1),
    }
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for training in (each for stack in stacks for each in stack if each.id in records):
        (quiet,) = train([training], device=torch.device("cpu"), clock=Clock())
        assert dataclasses.replace(records[training.id], times={}) == dataclasses.replace(quiet, times={})
    torch.set_num_threads(threads)


def test_when_all_has_ended_nothing_is_said_to_run(troubled):
    stacks, events = troubled
    progress = Progress([each for stack in stacks for each in stack], already=0)
    for event in events:
        progress.see(event)
    assert (progress.running, progress.done, progress.failed) == (0, 6, 3)
    assert "6 of 9 trainings done, 0 running, 3 failed" in progress.line()


def test_without_stacks_no_worker_is_started():
    assert list(run_stacks([], workers=2, device="cpu")) == []


PARENT = """
import os, sys
sys.path.insert(0, sys.argv[1])
from test_run_resume import Troubled, digits
from bench.engine.local_workers import run_stacks
if __name__ == "__main__":
    list(run_stacks([[digits("none", 0, Troubled("sleeps", sys.argv[2]))]], workers=1, device="cpu"))
"""


@on_linux
def test_a_worker_that_is_busy_when_its_parent_is_killed_is_gone_within_seconds(place: Place, tmp_path: Path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path(bench.__file__).parents[1])}
    command = [sys.executable, str(script), str(Path(__file__).parent), str(tmp_path)]
    with subprocess.Popen(command, env=environment, text=True) as parent:
        until((tmp_path / "asleep").exists, "a worker at work", parent)
        (worker,) = workers_of(parent)
        parent.kill()
    deadline = time.monotonic() + 3
    while alive(worker) and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        assert not alive(worker)
    finally:
        if alive(worker):
            os.kill(worker, signal.SIGKILL)


@on_linux
def test_a_worker_ignores_ctrl_c_from_its_first_moment_on():
    worker = _Worker("cpu")
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    worker.process.kill()
    worker.process.join()
    ignored = next(line for line in status.splitlines() if line.startswith("SigIgn:"))
    assert int(ignored.split()[1], 16) & (1 << signal.SIGINT - 1)


def worker_without_process(pipe: object) -> _Worker:
    """The parent's end of a worker that has died."""
    process = type("Dead", (), {"exitcode": -9, "join": lambda self: None, "kill": lambda self: None})()
    worker = _Worker.__new__(_Worker)
    worker.pipe, worker.process, worker.stack, worker.ended = pipe, process, None, False
    return worker


def test_a_worker_that_died_after_its_last_stack_is_dismissed_all_the_same():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    theirs.close()
    assert worker_without_process(ours).dismiss() == WorkerTime(0.0)


def test_a_worker_that_died_in_the_middle_of_a_word_is_noticed_like_any_other():
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    os.write(theirs.fileno(), (1000).to_bytes(4, "big") + b"the first of a thousand bytes")
    theirs.close()
    worker = worker_without_process(ours)
    assert "exit code -9" in worker.receive().reason
    assert worker.ended


# The command line, in this process

Imbench = Callable[..., Answer]


@pytest.fixture
def imbench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Iterator[Imbench]:
    """A command and its answer; it draws no figures, which take seconds and which the real runs above have drawn."""
    threads = torch.get_num_threads()
    monkeypatch.setattr("bench.report.write_figures", lambda *_: [])
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "no cache"))
    monkeypatch.delenv("IMBENCH_CONLL2003", raising=False)

    def answer(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["imbench", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        said = capsys.readouterr()
        return Answer(end.value.code or 0, said.out, said.err)

    yield answer
    torch.set_num_threads(threads)


@pytest.fixture
def earlier(uninterrupted: tuple[Path, Answer], tmp_path: Path) -> Path:
    """A copy of the results of the run from beginning to end."""
    return shutil.copytree(uninterrupted[0], tmp_path / "earlier")


def everything(directory: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in directory.rglob("*") if path.is_file()}


def test_a_second_run_trains_and_measures_nothing_and_writes_the_same_quality_tables(imbench, place, earlier):
    before, tables = {folder: written_times(earlier, folder) for folder in ("trainings", "costs")}, quality(earlier)
    answer = imbench("run", place.suite, "--out", earlier, "--workers", 2)
    assert (answer.code, answer.err) == (0, "")
    assert f"{TRAININGS} of {TRAININGS} trainings done ({TRAININGS} before), 0 running, 0 failed" in answer.out
    assert {folder: written_times(earlier, folder) for folder in before} == before
    assert quality(earlier) == tables


def test_a_failure_that_a_kill_left_beside_the_record_is_no_failure(imbench, place, earlier):
    store = Store(earlier)
    row = store.study().strategies[0]
    store.add(Failure(row.runs[0], row.task, row.strategy, 0, "out of luck"))
    answer = imbench("run", place.suite, "--out", earlier)
    assert (answer.code, "out of luck" in answer.out) == (0, False)


def test_report_writes_the_same_quality_tables_again_and_prints_their_paths(imbench, earlier):
    tables = quality(earlier)
    shutil.rmtree(earlier / "tables")
    answer = imbench("report", earlier)
    assert (answer.code, answer.err) == (0, "")
    assert {str(earlier / "tables" / name) for name in tables} <= set(answer.out.splitlines())
    assert all(Path(line).is_file() for line in answer.out.splitlines())
    assert quality(earlier) == tables


def test_report_refuses_an_objective_that_no_task_has_in_one_line(imbench, earlier):
    (earlier / "costs.csv").write_text(",a,b\na,0,1\nb,1,0\n")
    for objective, why in (
        ("f1", "unknown objective 'f1'"),
        (earlier / "costs.csv", "must name each class of the task"),
    ):
        refused(imbench("report", earlier, "--objective", objective), why)
    assert Store(earlier).study().metric == "macro-f1"


def test_quiet_commands_say_nothing_and_do_the_same(imbench, place, earlier):
    tables = quality(earlier)
    shutil.rmtree(earlier / "tables")
    assert imbench("report", earlier, "--quiet") == Answer(0, "", "")
    assert quality(earlier) == tables
    shutil.rmtree(earlier / "tables")
    assert imbench("run", place.suite, "--out", earlier, "--quiet") == Answer(0, "", "")
    assert quality(earlier) == tables


def test_status_counts_what_is_done_failed_missing_and_declined(imbench, earlier):
    store = Store(earlier)
    first, second, *_ = store.study().strategies
    for seed in (0, 1):
        (earlier / "trainings" / f"{first.runs[seed]}.json").unlink()
    for seed in (1, 2):  # seed 2 has a record too, as after a kill between writing it and taking the failure away
        store.add(Failure(first.runs[seed], first.task, first.strategy, seed, "out of luck"))
    (earlier / "trainings" / f"{second.runs[2]}.json").write_text("{")
    answer = imbench("status", earlier, "--json")
    assert answer.code == 0
    rows = json.loads(answer.out)
    assert [(row["task"], row["strategy"]) for row in rows] == ROWS_OF_SUITE
    assert [tuple(row[key] for key in ("planned", "done", "failed", "missing")) for row in rows] == [
        (3, 1, 1, 1),
        (3, 2, 0, 1),
        (0, 0, 0, 0),
        (3, 3, 0, 0),
        (3, 3, 0, 0),
    ]
    assert [bool(row["declined"]) for row in rows] == [strategy == "sentence-weights" for _, strategy in ROWS_OF_SUITE]
    table = imbench("status", earlier)
    assert table.code == 0
    assert all(word in table.out for word in ("planned", "missing", "digits-lt"))


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_record_that_cannot_be_read_is_said_with_its_file_and_where_the_report_counts(imbench, earlier, command):
    row = Store(earlier).study().strategies[1]
    damaged = earlier / "trainings" / f"{row.runs[2]}.json"
    damaged.write_text("{")
    answer = imbench(command, earlier)
    why = "its record cannot be read; the next run trains it again"
    assert (answer.code, answer.err) == (
        0,
        f"imbench: warning: {damaged}: {row.strategy} on {row.task}, seed 2: {why}\n",
    )
    if command == "report":
        assert f"seed 2: {why}" in (earlier / "tables" / "quality.md").read_text()


@pytest.mark.parametrize("columns", ["80", "30"])
@pytest.mark.parametrize("arguments", [("status",), ("run", "--dry-run"), ("list",)], ids=" ".join)
def test_where_the_output_is_no_terminal_every_name_stands_whole_on_its_line(
    imbench, place, earlier, monkeypatch, arguments, columns
):
    monkeypatch.setenv("COLUMNS", columns)
    command, *options = arguments
    directory = {"status": [earlier], "run": [place.suite, "--out", earlier], "list": []}[command]
    answer = imbench(command, *directory, *options)
    lines = [line.split() for line in answer.out.splitlines()]
    if command == "list":
        assert tuple(line[0] for line in lines) == names()
    else:
        begin = next(place for place, line in enumerate(lines) if line[:2] == ["task", "strategy"])
        assert [tuple(line[:2]) for line in lines[begin + 1 : begin + 6]] == ROWS_OF_SUITE
        assert any(line.startswith("declined: sentence-weights on digits-lt: ") for line in answer.out.splitlines())


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("strategies", names()),
        ("tasks", tuple(KNOWN)),
        ("models", ("window-tagger", "bilstm-tagger", "mlp")),
        ("suites", tuple(suites())),
    ],
)
def test_list_names_what_there_is_as_a_table_and_as_json(imbench, what, expected):
    answer = imbench("list", what, "--json")
    assert (answer.code, answer.err) == (0, "")
    rows = json.loads(answer.out)
    assert tuple(row["name"] for row in rows) == expected
    assert all(row["description"] for row in rows)
    table = imbench("list", what)
    assert (table.code, table.err) == (0, "")
    assert all(name in table.out for name in expected)


def test_a_dry_run_prints_the_plan_with_predicted_time_and_writes_nothing(imbench, place, tmp_path):
    answer = imbench("run", place.suite, "--out", tmp_path / "new", "--workers", 2, "--dry-run")
    assert (answer.code, answer.err) == (0, "")
    assert f"{TRAININGS} trainings, predicted time " in answer.out
    assert "with 2 workers on cpu, and about " in answer.out
    assert "digits-lt: 1 stack of 6: " in answer.out
    assert " MB a training\n" in answer.out
    assert re.search(r"^3 stacks, a worker holds about \d+ MB$", answer.out, re.MULTILINE)
    assert "an item has one" in answer.out
    assert not (tmp_path / "new").exists()


def test_a_quiet_dry_run_prints_the_plan_that_was_asked_for(imbench, place, tmp_path):
    loud, quiet = (
        imbench("run", place.suite, "--out", tmp_path / "new", "--workers", 2, "--dry-run", *option)
        for option in ((), ("--quiet",))
    )
    notes = "".join(line + "\n" for line in loud.out.splitlines() if line.startswith("note: "))
    loud_text, quiet_text = (re.sub(r"[\d.]+ (s|min|MB)\b", "measured", text) for text in (loud.out, notes + quiet.out))
    assert (quiet.code, quiet.err, quiet_text) == (loud.code, loud.err, loud_text)
    assert "predicted time" in quiet.out


def test_a_dry_run_tells_what_is_done(imbench, place, earlier):
    before = everything(earlier)
    answer = imbench("run", place.suite, "--out", earlier, "--dry-run", "--task", "digits-lt", "--seeds", 5)
    assert "4 trainings, predicted time " in answer.out
    lines = [line.split() for line in answer.out.splitlines() if line.startswith("digits-lt")]
    assert [line[1:4] for line in lines[:2]] == [
        ["none", "2", "3"],
        ["smote", "2", "3"],
    ]
    assert everything(earlier) == before


# Failures and a second try, with an engine of this process


@dataclass
class Engine:
    """Trains in this process, and makes of some trainings a failure."""

    fails: Callable[[Run], bool] = lambda training: False
    trained: list[tuple[str, int]] = dataclasses.field(default_factory=list)

    def __call__(self, stacks: list[list[Run]], *, workers: int, device: str) -> Iterator[object]:
        for stack in stacks:
            self.trained += [(str(each.strategy), each.seed) for each in stack]
            yield Finished(
                [
                    Failure(each.id, each.task.label, str(each.strategy), each.seed, "out of luck")
                    if self.fails(each)
                    else train([each], device=torch.device(device), clock=Clock())[0]
                    for each in stack
                ]
            )


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    engine = Engine()
    monkeypatch.setattr("bench.engine.local_workers.run_stacks", engine)
    return engine


def digits_alone(directory: Path) -> Path:
    """The suite's first block, in fewer steps."""
    (directory / "one.toml").write_text(SUITE.partition('[[block]]\ntask = "synth')[0].replace("200", "20"))
    return directory / "one.toml"


@pytest.fixture
def one_failed(imbench, engine, tmp_path: Path) -> tuple[list[object], Answer]:
    """The arguments of a run of six trainings, and its answer when one of them failed."""
    strategies = ["--strategy", "none", "--strategy", "loss-weights"]
    arguments = ["run", digits_alone(tmp_path), "--out", tmp_path / "out", "--seeds", 3, *strategies]
    engine.fails = lambda training: (str(training.strategy), training.seed) == ("loss-weights", 1)
    answer = imbench(*arguments)
    engine.trained.clear()
    return arguments, answer


def test_a_run_with_a_failure_says_which_and_why_and_ends_with_1(one_failed, imbench, tmp_path):
    answer = one_failed[1]
    assert (answer.code, answer.err) == (1, "")
    assert "failed: loss-weights on digits-lt, seed 1: out of luck" in answer.out
    rows = json.loads(imbench("status", tmp_path / "out", "--json").out)
    assert [(row["done"], row["failed"], row["missing"]) for row in rows] == [(3, 0, 0), (2, 1, 0)]
    assert "out of luck" in (tmp_path / "out" / "tables" / "quality.md").read_text()


def test_what_failed_is_trained_again_only_on_demand(one_failed, imbench, engine, tmp_path):
    arguments, _ = one_failed
    assert imbench(*arguments, "--quiet").code == 1
    assert engine.trained == []
    engine.fails = lambda training: False
    answer = imbench(*arguments, "--retry", "failed")
    assert (answer.code, answer.err) == (0, "")
    assert engine.trained == [("loss-weights", 1)]
    assert not written_times(tmp_path / "out", "failures")
    assert "out of luck" not in (tmp_path / "out" / "tables" / "quality.md").read_text()


def test_what_a_strategy_warned_of_is_said_in_one_line_with_its_seeds(imbench, engine, tmp_path):
    arguments = ["run", digits_alone(tmp_path), "--out", tmp_path / "out", "--strategy", "adasyn"]
    lines = imbench(*arguments, "--task", "digits-lt", "--seeds", 5).out.splitlines()
    (warning,) = [line for line in lines if line.startswith("warning: ")]
    assert warning.startswith("warning: adasyn on digits-lt: fewer neighbours, for want of rows: ")
    assert warning.count("; ") > 0
    assert "(seed 1)" in warning


def test_a_failure_of_before_is_not_said_to_be_done(one_failed, imbench):
    assert "5 of 6 trainings done (5 before)" in imbench(*one_failed[0]).out


def test_a_dry_run_without_retry_does_not_promise_to_train_what_failed(one_failed, imbench):
    assert "0 trainings, predicted time" in imbench(*one_failed[0], "--dry-run").out


def test_a_strategy_that_can_never_be_trained_leaves_its_failures_and_a_report(imbench, engine, monkeypatch, tmp_path):
    def broken(training, device):
        if str(training.strategy) == "loss-weights":
            raise RuntimeError("this strategy is cursed")
        return measure(training, device)

    measure = bench.engine.study_runner.measure_cost
    monkeypatch.setattr("bench.engine.study_runner.measure_cost", broken)
    engine.fails = lambda training: str(training.strategy) == "loss-weights"
    strategies = ["--strategy", "none", "--strategy", "loss-weights"]
    answer = imbench("run", digits_alone(tmp_path), "--out", tmp_path / "out", "--seeds", 1, *strategies)
    assert (answer.code, answer.err) == (1, "")
    assert len(quality(tmp_path / "out")) == 2


@pytest.mark.parametrize("where", ["bench.engine.study_runner.measure_cost", "bench.engine.study_runner.write_report"])
def test_ctrl_c_after_training_ends_with_one_line_too(imbench, engine, monkeypatch, tmp_path, place, where):
    monkeypatch.setattr(where, interrupts)
    answer = imbench(
        "run", place.suite, "--out", tmp_path / "out", "--task", "digits-lt", "--strategy", "none", "--seeds", 1
    )
    assert (answer.code, answer.err) == (130, STOPPED)


@pytest.mark.parametrize("arguments", [("run",), ("run", "--dry-run"), ("report",)], ids=" ".join)
def test_ctrl_c_before_training_ends_without_a_word(imbench, monkeypatch, earlier, place, arguments):
    for where in ("bench.planning.plan.make_plan", "bench.engine.study_runner.write_report"):
        monkeypatch.setattr(where, interrupts)
    command, *options = arguments
    before = everything(earlier)
    assert imbench(command, *([place.suite, "--out"] if command == "run" else []), earlier, *options).code == 130
    assert everything(earlier) == before


def interrupts(*_: object) -> None:
    raise KeyboardInterrupt


# What a user can mend

GOOD = dict.fromkeys(("train", "valid", "test"), "Ada B-PER\nsmiled O\n\nBob B-PER\n")

BAD_ARGUMENTS = {
    "unknown suite": (["run", "quik"], "no suite 'quik': a suite is full, learning, quick, tuned, or"),
    "suite that is not there": (["run", "quick.toml"], "no suite 'quick.toml'"),
    "unknown strategy": (["run", "SUITE", "--strategy", "los-weights"], "did you mean loss-weights or"),
    "unknown strategy parameter": (["run", "SUITE", "--strategy", "loss-weights(pwr=1)"], "did you mean power?"),
    "unreadable strategy": (["run", "SUITE", "--strategy", "loss-weights(1"], "cannot read 'loss-weights(1'"),
    "unknown task": (["run", "SUITE", "--task", "digit-lt"], "did you mean digits-lt?"),
    "task of another model": (["run", "SUITE", "--task", "conll2003-sentences"], "no task trained with bilstm-tagger"),
    "bad task parameter": (["run", "SUITE", "--task", "digits-lt(factor=0)"], "factor must be from 1 to 100"),
    "bad corpus size": (["run", "SUITE", "--task", "synthetic-conll(scale=99)"], "imbench: synthetic-conll: scale must be"),
    "unknown option": (["run", "SUITE", "--seed", "3"], "No such option: --seed"),
    "unknown command": (["train", "SUITE"], "No such command 'train'"),
    "no suite": (["run"], "Missing argument"),
    "no seeds": (["run", "SUITE", "--seeds", "0"], "greater than or equal to 1"),
    "seeds in words": (["run", "SUITE", "--seeds", "two"], "--seeds"),
    "no workers": (["run", "SUITE", "--workers", "0"], "greater than or equal to 1"),
    "unknown device": (["run", "SUITE", "--device", "tpu"], "'auto', 'cpu', 'cuda'"),
    "no such device": (["run", "SUITE", "--device", "cuda"], "this torch sees no CUDA device; use --device cpu or auto"),
    "unknown retry": (["run", "SUITE", "--retry", "all"], "'--retry': 'all' is not one of 'failed'"),
    "corpus that is not there": (["run", "SUITE", "--conll2003", "nowhere", "--task", "conll2003-windows"], "nowhere"),
    "unknown objective": (["run", "SUITE", "--objective", "f1"], "digits-lt: unknown objective 'f1'; give macro-f1"),
    "objective of words": (["run", "SUITE", "--objective", "entity-f1"], "digits-lt: objective entity-f1: this task has no"),
    "status of nothing": (["status", "nowhere"], "nowhere holds no run (no study.json); give a directory that"),
    "status of no directory": (["status", "SUITE"], "holds no run"),
    "report of nothing": (["report", "nowhere"], "nowhere holds no run (no study.json); give a directory that"),
    "list of nothing": (["list", "task"], "'what': 'task' is not one of 'strategies', 'tasks'"),
    "unknown data set": (["fetch", "conll2004"], "known: conll2003"),
}  # fmt: skip

BAD_FILES = {
    "missing directory": ({}, "", "mine: expected a directory of"),
    "missing part": ({**GOOD, "valid": None}, "", "mine: expected a file valid"),
    "ragged line": ({**GOOD, "valid": "Ada B-PER\nsmiled a lot O\n"}, "", "valid.txt:2: expected 2 columns"),
    "missing column": (GOOD, "(tag_column=3)", "train.txt:1: expected a column 3 (tag_column)"),
    "column that is no number": (GOOD, "(tag_column=last)", "tag_column must be a whole number; given: 'last'"),
    "unknown tag": ({**GOOD, "test": "Oslo B-LOC\n"}, "", "test.txt:1: expected a tag that train has (B-PER, O)"),
    "not a tag": ({**GOOD, "train": "Ada PER\n"}, "", "train.txt:1: expected a tag O, B-X or I-X; found 'PER'"),
    "broken scheme": ({**GOOD, "train": "Ada O\nL I-PER\n"}, "", "train.txt:2: expected B-PER or I-PER before I-PER"),
    "unknown scheme": (GOOD, "(scheme=bilou)", "scheme must be 'bio' or 'iob1'; given: 'bilou'"),
    "not UTF-8": ({**GOOD, "test": "Zo\u00eb B-PER\n"}, "", "test.txt:1: expected UTF-8 text; found the byte 0xeb"),
    "empty file": ({**GOOD, "test": ""}, "", "test.txt:1: expected at least one sentence"),
}  # fmt: skip


def refused(answer: Answer, why: str) -> None:
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("imbench: ")
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.endswith("\n")
    assert "Traceback" not in answer.err
    assert why in answer.err


@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments_are_refused_in_one_line_and_earlier_results_stay(imbench, place, earlier, monkeypatch, case):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    arguments, why = BAD_ARGUMENTS[case]
    out = ["--out", earlier] if arguments[0] == "run" else []
    before = everything(earlier)
    refused(imbench(*(place.suite if each == "SUITE" else each for each in arguments), *out), why)
    assert everything(earlier) == before


@pytest.mark.parametrize("case", BAD_FILES)
def test_bad_files_are_refused_with_their_line_and_earlier_results_stay(imbench, place, earlier, tmp_path, case):
    parts, options, why = BAD_FILES[case]
    for part, text in parts.items():
        (tmp_path / "mine").mkdir(exist_ok=True)
        if text is not None:
            (tmp_path / "mine" / f"{part}.txt").write_bytes(text.encode("latin-1"))
    before = everything(earlier)
    refused(imbench("run", place.suite, "--task", f"conll:{tmp_path / 'mine'}{options}", "--out", earlier), why)
    assert everything(earlier) == before


@pytest.mark.parametrize(("key", "other"), [("torch", "1.0"), ("device", "cuda")])
def test_results_of_another_torch_or_device_are_not_added_to(imbench, place, earlier, key, other):
    study = json.loads((earlier / "study.json").read_text())
    study["environment"][key] = other
    (earlier / "study.json").write_text(json.dumps(study))
    before = everything(earlier)
    refused(imbench("run", place.suite, "--out", earlier), f"was run with {key} {other}")
    assert everything(earlier) == before


@pytest.mark.parametrize("command", ["status", "report"])
def test_a_damaged_study_is_told_with_the_mend(imbench, earlier, command):
    (earlier / "study.json").write_text("{")
    refused(
        imbench(command, earlier), "cannot be read as a study of this version; move it away and run the suite again"
    )


@pytest.mark.parametrize("below", ["", "deep/down"])
def test_a_file_in_the_place_of_the_results_is_refused_in_one_line(imbench, place, below):
    out = place.suite / below
    refused(
        imbench("run", place.suite, "--task", "digits-lt", "--out", out),
        f"{out}: results cannot be written here: {place.suite} is a file; give another directory with --out\n",
    )


@pytest.mark.parametrize("folder", ["", "trainings", "tables"])
def test_results_that_could_not_be_written_are_refused_before_anything_is_trained(
    imbench, place, earlier, engine, monkeypatch, folder
):
    monkeypatch.setattr("os.access", lambda path, mode: not (mode & os.W_OK and Path(path) == earlier / folder))
    refused(
        imbench("run", place.suite, "--out", earlier, "--seeds", 4),
        f"{earlier}: results cannot be written here: {earlier / folder} is read-only; give another directory",
    )
    assert engine.trained == []


def test_files_that_are_not_those_of_the_published_figures_are_said_once(imbench, tmp_path):
    (tmp_path / "mine").mkdir()
    for part, text in GOOD.items():
        (tmp_path / "mine" / f"{part}.txt").write_text(text)
    tasks = ["--task", "conll2003-windows", "--task", "conll2003-windows-tags"]
    answer = imbench("run", "quick", *tasks, "--conll2003", tmp_path / "mine", "--out", tmp_path / "out", "--dry-run")
    notes = [line for line in answer.out.splitlines() if "other sha256" in line]
    assert len(notes) == 1
    assert notes[0].startswith("note: conll2003-windows, conll2003-windows-tags: the files are not those")


def test_a_corpus_without_a_single_entity_is_refused_in_one_line(imbench, place, tmp_path):
    (tmp_path / "mine").mkdir()
    for part in ("train", "valid", "test"):
        (tmp_path / "mine" / f"{part}.txt").write_text("Ada O\nsmiled O\n")
    refused(imbench("run", place.suite, "--task", f"conll:{tmp_path / 'mine'}", "--out", tmp_path / "out"), "one class")
