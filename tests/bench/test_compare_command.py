"""`imbench compare` and `bench.compare` as a user runs them: real processes on small data, and what they refuse."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command_line import Answer, Imbench, Place, assert_refused, wait_for_answer

import bench

ROWS = 400


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table with a rare class that one column predicts, and with what real tables have."""
    rng = np.random.default_rng(0)
    amount = rng.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "id": np.arange(ROWS),
            "amount": np.where(rng.random(ROWS) < 0.05, np.nan, amount),
            "country": rng.choice(["AT", "NL"], ROWS),
            "is fraud": np.where(amount + rng.normal(scale=0.3, size=ROWS) > 1.2, "yes", "no"),
        }
    )
    path = tmp_path_factory.mktemp("data") / "cards.csv"
    frame.to_csv(path, index=False)
    return path


OPTIONS = ("--target", "is fraud", "--strategy", "loss-weights", "--seeds", "2", "--budget", "5s")


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, table: Path) -> tuple[Path, Answer]:
    """The directory in which the table was compared, and the answer."""
    place = Place(tmp_path_factory.mktemp("work"))
    return place.directory, wait_for_answer(place.start("compare", table, *OPTIONS))


def test_a_table_gets_a_verdict_a_page_and_a_script(compared):
    directory, answer = compared
    results = directory / "results" / "cards-is_fraud-cpu"
    assert (answer.code, answer.err) == (0, "")
    assert (results / "report.html").is_file()
    assert "affords 2 seeds of 1 remedy with mlp and 1 remedy with hist-gradient-boosting" in answer.out
    assert f"report: {(results / 'report.html').relative_to(directory)}" in answer.out
    scored = re.search(r"the script scored (\S+) on test with seed 0, as the comparison did \((\S+)\)", answer.out)
    assert scored
    assert scored[1] == scored[2]
    assert "note: columns left out: 'id'" in answer.out
    records = [json.loads(path.read_text()) for path in (results / "runs").iterdir()]
    assert {record["task"] for record in records} == {"cards.csv with mlp", "cards.csv with hist-gradient-boosting"}
    columns = (results / "report.md").read_text().partition("## What was done to each column")[2]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in columns.splitlines() if line.startswith("|")]
    assert {row[0].replace("\\", ""): row[1] for row in cells[2:6]} == {
        "id": "not used",
        "amount": "number",
        "country": "categories",
        "is fraud": "target",
    }
    assert cells[3][2].startswith("median for missing values, an indicator of them, scaled")


def test_the_same_command_again_trains_nothing_and_says_the_same(compared, table):
    directory, first = compared
    runs = directory / "results" / "cards-is_fraud-cpu" / "runs"
    before = {path.name: path.stat().st_mtime_ns for path in runs.iterdir()}
    again = wait_for_answer(Place(directory).start("compare", table, *OPTIONS, "--json"))
    assert {path.name: path.stat().st_mtime_ns for path in runs.iterdir()} == before
    answer = json.loads(again.out)
    assert {one["learner"] for one in answer["candidates"]} == {"mlp", "hist-gradient-boosting"}
    assert all(line in first.out for line in answer["verdict"])


SCRIPT = """
import numpy as np
import pandas as pd

import bench

rng = np.random.default_rng(0)
frame = pd.DataFrame(rng.normal(size=(120, 3)), columns=["a", "b", "c"])
options = {"models": ["logistic-regression"], "strategies": ["loss-weights"], "seeds": 2, "budget": "5s"}
verdict = bench.compare(frame, frame["a"] > 0.9, progress=False, **options)
answer = f"learner={verdict.learner!r}, strategy={verdict.strategy!r}, page={str(verdict.page)!r}"
assert repr(verdict) == f"ComparisonResult({answer})"
print(verdict.learner, len(verdict.table), verdict.page.is_file())
"""


def test_a_script_needs_no_guard_against_being_run_again_by_workers(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "mine.py"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(bench.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split()[0], done.stdout.split()[-1], done.stderr) == ("logistic-regression", "True", "")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["nowhere.csv", "--target", "y"], "nowhere.csv"),
        (["{table}"], "--target"),
        (["{table}", "--target", "fraud"], "is fraud"),
        (["{table}", "--target", "is fraud", "--budget", "5"], "--budget 5: give a number with its unit"),
        (["{table}", "--target", "is fraud", "--model", "forest"], "random-forest"),
        (["{table}", "--target", "is fraud", "--strategy", "fokal"], "focal"),
        (["{table}", "--target", "is fraud", "--metric", "f1"], "unknown metric"),
        (["{table}", "--target", "is fraud", "--seeds", "1"], "seeds"),
        (["{table}", "--target", "is fraud", "--group", "who"], "who"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_what_cannot_be_compared_is_refused_in_one_line(
    imbench: Imbench, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(imbench("compare", *(argument.format(table=table) for argument in arguments)), why)
    assert not (tmp_path / "results").exists()
