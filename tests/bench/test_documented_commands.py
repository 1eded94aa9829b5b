"""Every command of README, CONTRIBUTING and docs is run, on small suites with every feature of the shipped ones.

A new command in a document runs here by itself; one that cannot is named in NOT_RUN, with the reason.
"""

from __future__ import annotations

import io
import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from command_line import Imbench, InProcessEngine

import bench
from bench.comparison.budget import RunTime
from bench.records.store import Store
from bench.tasks import known_tasks
from bench.tasks.fetch import DATA_SETS
from bench.tasks.keel_files import KEEL
from strategies.registry import _REGISTERED, names

ROOT = Path(bench.__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/*.md"))]
TEXTS = {path: path.read_text(encoding="utf-8") for path in DOCUMENTS}

PROGRAMS = r"(?:\.venv/bin/)?(?:imbench|pytest|pip|mkdocs|python) |\./run_all\.sh"

NOT_RUN = {
    "python use_it.py": "tests/bench/script runs what this page's command writes",
    "python use_it.py predict NEW.csv OUT.csv": "the same",
    "mkdocs serve": "never ends; tests/test_site.py builds the same site",
    "python -m strategies.contents > strategies/CONTENTS.md": "tests/strategies/test_contents.py compares them",
    "imbench speed-check": "a minute of measuring; tests/bench/speed/regression runs it on small sizes",
    "imbench speed-check --baseline ci/sampler-speed": "the same",
    "imbench speed-check --baseline ci/sampler-speed --record": "the same",
    "imbench train-bench": "five minutes of measuring; tests/bench/speed/training runs it on small models",
    "imbench samplers": "half a minute of measuring; tests/bench/speed/samplers runs it on small sizes",
    "imbench samplers --sizes 1e6": "the same",
    "imbench compare hf:GateNLP/broad_twitter_corpus": "needs the hub; tests/bench/user_data/test_hugging_face.py has a stand-in",
    "python -m bench.comparison.reference_check": "half an hour; its own slow test runs it on a table",
}

PLACEHOLDERS = {
    "DIR": "results/quick-cpu",
    "OTHER": "results/tuned-cpu",
    "TASK": "digits-lt",
    "SUITE": "quick",
    "COMMAND": "run",
    "MODULE:FUNCTION": "train.py:make_loader",
}

BLOCK = """
[[block]]
task = "{task}"
protocol = {{ steps = 20, validate_every = 10, batch_size = 16 }}
strategies = ["none", "focal", "sentence-weights", "thresholds"]
primary = ["focal", "thresholds"]
post_hoc = ["thresholds", "prior-correction"]
"""
TUNING = """
[block.tuning]
size = 2
learning_rate = [1e-3, 1e-2]
"focal" = ["focal(gamma=1)", "focal"]
"""
CORPUS = "Ada B-PER\nLovelace I-PER\nsmiled O\n\nParis B-LOC\nsmiled O\n\n" * 4
FRAUD = "amount,country,is_fraud\n" + "".join(
    f"{place % 37},{'AT' if place % 3 else 'NL'},{int(place % 37 > 30)}\n" for place in range(300)
)
REVIEWS = "review,stars\n" + "".join(
    f"{'awful' if place % 5 else 'great'} film about tale{place},{1 if place % 5 else 5}\n" for place in range(200)
)
TABLE = "x1,x2,class\n" + "".join(f"{place % 67},{place},{place % 6}\n" for place in range(4000))
PROGRAM = """
import torch
from torch.utils.data import DataLoader, TensorDataset

from strategies import ClassBalancedSampler


def make_loader():
    labels = torch.arange(60) % 3
    return DataLoader(TensorDataset(labels), batch_size=10, sampler=ClassBalancedSampler(labels, seed=0)), labels
"""


def commands_in(text: str) -> Iterator[str]:
    """Yield the commands of a document: code spans, and lines of indented or fenced code, without their comments."""
    text = re.sub(r"^ *```(?:python|toml|yaml|text)\n.*?```", "", text, flags=re.S | re.M)
    for span in re.findall(r"`([^`]+)`", text):
        if re.match(PROGRAMS, command := " ".join(span.split())):
            yield command
    for line in re.findall(rf"^(?: {{4}}|)((?:{PROGRAMS}).*)$", text, re.M):
        yield re.split(r" +# ", line)[0].strip()


def same_command(command: str) -> str:
    """Return a command without its folder, and with names of the workplace for what stands for a user's names."""
    words = re.split(r"( +)", command.removeprefix(".venv/bin/"))
    return "".join(PLACEHOLDERS.get(word, word) for word in words)


COMMANDS = list(dict.fromkeys(same_command(command) for text in TEXTS.values() for command in commands_in(text)))


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's directory: data, a model, a remedy, a program; and in place of the shipped suites small ones of all features."""
    folder = tmp_path_factory.mktemp("workplace")
    for corpus in ("path/to/corpus", "conll2003"):
        (folder / corpus).mkdir(parents=True)
        for part in ("train", "valid", "test"):
            (folder / corpus / f"{part}.txt").write_text(CORPUS)
    weights, poly_focal, wine = python_blocks("CONTRIBUTING.md")
    (folder / "square_root_weights.py").write_text(weights)
    (folder / "poly_focal.py").write_text(poly_focal)
    (folder / "wine.py").write_text(wine)
    (folder / "mymodel.py").write_text(python_blocks("docs/own-model.md")[0])
    (folder / "mylearner.py").write_text(python_blocks("docs/own-model.md")[-1])
    (folder / "train.py").write_text(PROGRAM)
    (folder / "fraud.csv").write_text(FRAUD)
    (folder / "reviews.csv").write_text(REVIEWS)
    clicks = pd.read_csv(io.StringIO(FRAUD)).rename(columns={"is_fraud": "bought"})
    clicks.to_parquet(folder / "clicks.parquet")
    (folder / "suites").mkdir()
    head, digits = 'title = "Small"\nseeds = 2\n', BLOCK.format(task="digits-lt")
    words = 'task = "conll2003-windows"\nprotocol = { steps = 20, validate_every = 10 }\nstrategies = ["none", "thresholds"]\n'
    blocks = {"quick": f"{digits}[[block]]\n{words}", "tuned": digits + TUNING}
    for name in ("quick", "full", "tuned", "learning"):
        (folder / "suites" / f"{name}.toml").write_text(head + blocks.get(name, digits))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMBENCH_CACHE", str(folder / "cache"))
        KEEL.store({name: (TABLE).encode() for name in KEEL.files}, "made up")
        wnut17 = DATA_SETS["wnut17"].files
        wnut17.store({name: CORPUS.encode() for name in wnut17.files}, "made up")
    return folder


def python_blocks(document: str) -> list[str]:
    blocks = re.findall(r"```python\n(.*?)```", TEXTS[ROOT / document], re.S)
    return [re.sub(r"^   ", "", block, flags=re.M) if document == "CONTRIBUTING.md" else block for block in blocks]


@pytest.fixture
def at_work(
    imbench: Imbench, engine: InProcessEngine, workplace: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Imbench]:
    """Runs commands in the user's directory, which holds a study with a failed run, and a tuned one."""
    monkeypatch.chdir(workplace)
    monkeypatch.setattr("bench.planning.suite._directory", lambda: workplace / "suites")
    monkeypatch.setenv("IMBENCH_CACHE", str(workplace / "cache"))
    monkeypatch.setenv("IMBENCH_CONLL2003", str(workplace / "conll2003"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    names()  # registers those of the package: only what the commands add is removed afterwards
    monkeypatch.setattr("bench.tasks.task_registry._REGISTERED", known_tasks())
    known, modules = set(_REGISTERED), set(sys.modules)
    if not (workplace / "results").exists():
        engine.fails = lambda run: (str(run.strategy), run.seed) == ("focal", 1)
        assert imbench("run", "quick").code == 1
        engine.fails = lambda run: False
        assert imbench("run", "tuned").code == 0
    yield imbench
    for name in set(_REGISTERED) - known:
        del _REGISTERED[name]
    for name in set(sys.modules) - modules:
        if str(workplace) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def test_every_command_that_is_not_run_is_in_a_document():
    assert [command for command in NOT_RUN if command not in COMMANDS] == []


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("imbench ")])
def test_commands_of_the_documents_work(at_work, workplace, monkeypatch, command):
    if command in NOT_RUN:
        pytest.skip(NOT_RUN[command])
    if command.endswith(".toml"):
        (suite,) = re.findall(r"```toml\n(.*?)```", TEXTS[ROOT / "docs" / "suite-file.md"], re.S)
        (workplace / command.split()[-1]).write_text(suite)
        command += " --steps 4 --seeds 1"
    arguments = shlex.split(command)[1:]
    if "poly-focal" in arguments:  # the document has it in the package by now
        arguments += ["--plugin", "poly_focal.py"]
    if arguments[0] == "compare":
        arguments += ["--strategy", "loss-weights", "--seeds", "2"]
        leave_out_what_takes_long(monkeypatch)
    if arguments[0] in ("run", "compare"):  # the page of studies with the same features is written by `imbench report`
        monkeypatch.setattr("bench.report.results_directory.write_report", lambda *_, **__: [Path("report.html")])
    answer = at_work(*arguments)
    failed = "failed: focal on" in answer.out
    assert (answer.code, answer.err) == (int(failed), "")
    assert answer.out


def leave_out_what_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `compare` find that there is time for a quarter of the steps, and write its script without running it.

    tests/bench/test_compare_command.py measures times and runs the script.
    """
    monkeypatch.setattr(
        "bench.comparison.comparison_run.time_neural",
        lambda runs, *_: {str(run.strategy): RunTime(0.0, 1e6) for run in runs},
    )
    monkeypatch.setattr("bench.comparison.comparison_run.run_script", lambda path: 0.5)


def test_the_studies_that_commands_run_on_have_every_feature(at_work, workplace):
    failed, tuned = (Store(workplace / "results" / name) for name in ("quick-cpu", "tuned-cpu"))
    rows = failed.study().strategies
    assert any(row.skipped for row in rows)
    assert any(row.post_hoc for row in rows)
    assert list((failed.directory / "failures").iterdir())
    assert any(len(row.configurations) == 2 for row in tuned.study().strategies)
    assert {facts.task for facts in failed.study().tasks} == {
        "digits-lt",
        "conll2003-windows",
        "wine",
        "satimage-lt",
        "wnut17",
    }


STUB = """#!/usr/bin/env bash
echo "$(basename "$0") $*" >>"$(dirname "$0")/../../calls"
"""


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("./run_all.sh")])
def test_the_script_calls_commands_that_work(tmp_path, command):
    """The script itself runs, in a copy whose environment holds stubs of what it calls."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    for name in ("run_all.sh", "pyproject.toml", "constraints.txt"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for name in ("python", "imbench", "pytest", "ruff", "mypy", "mkdocs"):
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    words = ["bash", *shlex.split(command)]
    environment = {**os.environ, "PYTHON": str(folder / "python")}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    calls = (tmp_path / "calls").read_text().splitlines()
    asked = shlex.split(command)[1:] or ["quick"]
    expected = {"test": "pytest", "speed": "imbench speed-check", "gpu-check": "python -m bench.gpu_check"}
    assert any(call.startswith(expected.get(asked[0], f"imbench run {asked[0]}")) for call in calls)
    for call in calls:
        check_call(call)


@pytest.mark.parametrize("command", [command for command in COMMANDS if re.match("pytest |pip ", command)])
def test_what_pytest_and_pip_are_asked_for_exists(command):
    check_call(command)


def check_call(call: str) -> None:
    """Check that the paths, markers and extras that a call of pytest or pip names exist, and the commands of imbench."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    program, *words = shlex.split(call)
    if program == "pytest":
        paths = [word for word in words if "/" in word]
        assert [path for path in paths if not (ROOT / path).exists()] == []
        if "-m" in words:
            markers = project["tool"]["pytest"]["ini_options"]["markers"]
            assert any(marker.startswith(f"{words[words.index('-m') + 1]}:") for marker in markers)
    if "pip" in (program, *words):
        for extras in re.findall(r"\[(.*?)\]", call):
            assert set(extras.split(",")) <= set(project["project"]["optional-dependencies"])


def test_every_command_is_run_by_a_test_or_named_with_a_reason():
    kinds = ("imbench ", "./run_all.sh", "pytest ", "pip ")
    assert [command for command in COMMANDS if not command.startswith(kinds) and command not in NOT_RUN] == []
