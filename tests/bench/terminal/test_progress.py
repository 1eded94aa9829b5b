"""What a study shows while it runs, on a terminal's screen and in a pipe."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from rich.console import Console

from bench.engine.events import Advanced, Finished
from bench.planning.protocol import ROWS
from bench.planning.run import Run
from bench.records.record import Failure
from bench.tasks import find_task
from bench.terminal import progress
from bench.terminal.console import Activity
from bench.terminal.progress import Progress
from strategies import parse

RUNS = [Run(find_task("digits-lt"), parse("none"), ROWS, seed, "data") for seed in range(4)]


def on_screen(output: str) -> list[str]:
    """The lines that a terminal shows after this output: it knows carriage return, line feed, cursor up and erase line."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[[?\d;]*[A-Za-z]|\r|\n|[^\x1b\r\n]+", output):
        if token == "\r":
            column = 0
        elif token == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif token.endswith("A"):
            row -= int(token[2:-1] or 1)
        elif token == "\x1b[2K":
            lines[row] = ""
        elif not token.startswith("\x1b"):
            lines[row] = lines[row][:column].ljust(column) + token + lines[row][column + len(token) :]
            column += len(token)
    return [line.rstrip() for line in lines if line.strip()]


@pytest.mark.parametrize("columns", [80, 200])
def test_in_a_terminal_an_activity_leaves_nothing_of_a_longer_one_and_is_gone_at_its_end(columns):
    console = Console(file=StringIO(), force_terminal=True, width=columns, color_system=None)
    with Activity(console) as activity:
        activity(
            "measuring costs", "3 of 5, weighted-random-sampler on synthetic-conll(windows-tags, scale=0.01) and more"
        )
        assert len(on_screen(console.file.getvalue())) == 1
        activity("measuring costs", "4 of 5, focal on digits-lt")
        (line,) = on_screen(console.file.getvalue())
        assert line[2:] == "measuring costs: 4 of 5, focal on digits-lt"
        console.print("a line above")
    assert on_screen(console.file.getvalue()) == ["a line above"]


def test_in_a_pipe_an_activity_is_one_line_per_kind_of_work():
    console = Console(file=StringIO(), width=1000)
    with Activity(console) as activity:
        for what, subject in (("loading data", "a"), ("loading data", "b"), ("measuring costs", "a")):
            activity(what, subject)
    assert console.file.getvalue() == "loading data ...\nmeasuring costs ...\n"


def test_a_quiet_activity_prints_nothing():
    for is_terminal in (True, False):
        console = Console(file=StringIO(), quiet=True, force_terminal=is_terminal)
        with Activity(console) as activity:
            activity("loading data")
        assert console.file.getvalue() == ""


@pytest.fixture
def clock(monkeypatch):
    """Seconds that a test sets, in place of the machine's."""
    seconds = [1000.0]
    monkeypatch.setattr(progress, "perf_counter", lambda: seconds[0])
    return seconds


def test_the_rest_is_estimated_from_the_first_step_on_and_only_where_it_means_something(clock):
    shown = Progress(RUNS, done_before=0)

    def after(seconds: float, share: float) -> str:
        clock[0] += seconds
        steps = int(share * ROWS.steps * len(RUNS))
        shown.update(Advanced(steps, steps * ROWS.work / ROWS.steps))
        return shown.line()

    assert shown.line() == "0 of 4 runs done, 0 running, 0 failed, 0 s elapsed"
    assert after(20, 0.01) == "0 of 4 runs done, 0 running, 0 failed, 20 s elapsed"  # the workers have just started
    assert "left" not in after(5, 0.2)  # too short a time
    assert "left" in after(10, 0.1)
    line = after(45, 0.19)  # half of the work in a minute
    assert line == (
        "0 of 4 runs done, 0 running, 0 failed, 53 steps/s, 1 min 20 s elapsed, about 1 min left, then costs are measured"
    )
    done = shown.done
    shown.update(Finished([Failure(run.id, "digits-lt", "none", run.seed, "out of luck") for run in RUNS]))
    assert shown.done == done
    assert "left" not in after(60, 0.2)
