"""Tasks of a user's file or of an installed package: registered, refused with the fix, and trained in worker processes."""

import os
import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from numpy.random import default_rng

from bench.engine.events import Finished
from bench.engine.local_workers import run_stacks
from bench.errors import InputError
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.planning.suite import read_suite
from bench.records.record import Record
from bench.tasks import TaskSpec, find_task, known_tasks, register_task
from bench.tasks.plugin_file import load_plugin
from bench.tasks.task import load_task
from strategies import parse

ROOT = Path(__file__).parents[3]
TASK = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from bench.tasks import Task, TaskSpec, register_task


@register_task
@dataclass(frozen=True)
class Blobs(TaskSpec):
    """Two clouds of points, one rare."""

    name: ClassVar[str] = "{name}"
    description: ClassVar[str] = "two clouds of points (distance)"
    distance: float = 3.0

    def load(self, rng: np.random.Generator) -> Task:
        generator = np.random.default_rng(0)
        y = generator.random(300) < 0.1
        x = generator.normal(size=(300, 2)) + self.distance * y[:, None]
        {body}
'''
GOOD = "return Task.from_arrays(x, y, rng=rng)"


def write_plugin(folder: Path, name: str, body: str = GOOD) -> Path:
    path = folder / f"{name.replace('-', '_')}_task.py"
    path.write_text(TASK.format(name=name, body=body))
    return path


@pytest.fixture
def registry(monkeypatch, tmp_path):
    """The registry of tasks, as it was afterwards; the modules of plug-ins are forgotten."""
    from bench.tasks import task_registry

    monkeypatch.setattr(task_registry, "_REGISTERED", dict(known_tasks()))
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if name.endswith("_task"):
            del sys.modules[name]


def imbench(*arguments: object, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    search = os.pathsep.join(filter(None, [str(ROOT), path and str(path)]))
    environment = {**os.environ, "PYTHONPATH": search, "COLUMNS": "200"}
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_task_of_a_file_is_trained_in_a_worker_process(tmp_path, registry):
    load_plugin(write_plugin(tmp_path, "worker-blobs"))
    task = find_task("worker-blobs(distance=4)")
    protocol = replace(reference_protocol(task), steps=10, validate_every=5)
    run = Run(task, parse("none"), protocol, 0, load_task(task, default_rng(0)).fingerprint)
    finished = [event for event in run_stacks([[run]], workers=1, device="cpu") if isinstance(event, Finished)]
    (record,) = finished[0].outcomes
    assert isinstance(record, Record), record
    assert record.task == "worker-blobs(distance=4.0)"


def test_a_task_of_a_file_is_listed(tmp_path):
    listed = imbench("list", "tasks", "--plugin", write_plugin(tmp_path, "blobs"))
    assert listed.returncode == 0, listed.stderr
    described, sizes = (line.split() for line in listed.stdout.splitlines() if line.startswith("blobs"))
    assert " ".join(described) == "blobs two clouds of points (distance)"
    assert sizes[1:3] == ["300", "2"]


def test_an_installed_package_brings_a_task(tmp_path):
    information = tmp_path / "their_tasks-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: their_tasks\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[imbalance_bench.tasks]\ntheirs = theirs_task\n")
    write_plugin(tmp_path, "theirs")
    done = imbench("list", "tasks", path=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\ntheirs " in done.stdout
    (tmp_path / "theirs_task.py").write_text("import no_such_module\n")
    broken = imbench("list", "tasks", path=tmp_path)
    assert broken.returncode == 2
    assert broken.stderr.startswith(
        "imbench: theirs_task, which an installed package names as a task (theirs), cannot be"
    )
    assert broken.stderr.count("\n") == 1


def test_a_suite_names_the_file_of_its_tasks(tmp_path, registry):
    write_plugin(tmp_path, "suite-blobs")
    suite = tmp_path / "own.toml"
    suite.write_text(
        'title = "Own"\nseeds = 2\nplugins = ["suite_blobs_task.py"]\n[[block]]\ntask = "suite-blobs"\nstrategies = ["none"]\n'
    )
    (block,) = read_suite(str(suite)).blocks
    assert block.task.label == "suite-blobs"
    assert block.task.load(default_rng(0)).shape.features == 2


def test_a_parameter_is_checked_and_part_of_the_label(tmp_path, registry):
    load_plugin(write_plugin(tmp_path, "own-blobs"))
    assert find_task("own-blobs(distance=4)").label == "own-blobs(distance=4.0)"
    assert find_task("own-blobs").label == "own-blobs"
    with pytest.raises(InputError, match="own-blobs: distance must be a finite number; given: 'far'"):
        find_task("own-blobs(distance=far)")
    with pytest.raises(InputError, match="did you mean own-blobs"):
        find_task("own-blob")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x", r"broken-\d+: load returns ndarray; return a Task, for example Task.from_arrays"),
        ("return Task.from_arrays(x, y)", r"broken-\d+ cannot be loaded: .*_task.py:23: TypeError: .*rng"),
        ("return Task.from_arrays(x[:5], y, rng=rng)", r"broken-\d+: x has 5 rows, and y 300 labels"),
        ("raise SystemExit(3)", r"broken-\d+ cannot be loaded: .*_task.py:23: it ends the program with exit code 3"),
        ("return Task.from_arrays(x / 0, y, rng=rng)", r"broken-\d+: x holds (inf|-inf|nan) in row 0, column 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_mistake_in_load_is_one_line_with_the_tasks_name(tmp_path, registry, body, message):
    name = f"broken-{abs(hash(body)) % 10**9}"
    load_plugin(write_plugin(tmp_path, name, body))
    with pytest.raises(InputError, match=message) as error:
        load_task(find_task(name), default_rng(0))
    assert "\n" not in str(error.value)


def test_a_file_that_registers_nothing_and_a_name_that_is_taken_are_refused(tmp_path, registry):
    empty = tmp_path / "empty_task.py"
    empty.write_text("x = 3\n")
    with pytest.raises(
        InputError, match=r"empty_task.py: registers nothing; put @register before a strategy, or @register"
    ):
        load_plugin(empty)
    with pytest.raises(InputError, match=r"two tasks are named 'digits-lt', bench.tasks.digits_lt.DigitsLT and"):
        load_plugin(write_plugin(tmp_path, "digits-lt"))


def test_what_a_registered_class_lacks_is_said():
    def make(frozen=True, **members):
        return dataclass(frozen=frozen)(type("Odd", (TaskSpec,), {"load": lambda self, rng: None, **members}))

    named = {"name": "odd", "description": "odd"}
    with pytest.raises(ValueError, match="is registered without name and description"):
        register_task(make())
    with pytest.raises(ValueError, match="is no frozen dataclass"):
        register_task(make(frozen=False, **named))
    with pytest.raises(ValueError, match="a name is lower-case words with hyphens"):
        register_task(make(name="Odd One", description="odd"))
    with pytest.raises(ValueError, match="task odd: size has no default"):
        register_task(make(**named, size=field(), __annotations__={"size": int}))
    with pytest.raises(ValueError, match="has no load"):
        register_task(dataclass(frozen=True)(type("Odd", (TaskSpec,), named)))
    with pytest.raises(ValueError, match="is no task; put @register_task before a class"):
        register_task(dict)
    assert "odd" not in known_tasks()
