"""A run of the real harness, and the program that repeats it: written, run in a fresh process, and used on a new file."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from bench.metrics.selection_metric import parse_metric
from bench.planning.protocol import reference_protocol, with_learner
from bench.planning.run import Run
from bench.planning.seeds import split_generator
from bench.records.record import RAW, Record
from bench.script.script_file import write_script
from bench.script.script_process import run_script
from bench.tasks.task import TaskSpec
from bench.train.clock import Clock
from bench.train.fit_run import fit_run
from bench.train.loop import train
from strategies import parse

HARNESS = ("bench", "numba", "pydantic", "typer", "jinja2", "seaborn", "seqeval")


@dataclass(frozen=True)
class RepeatedRun:
    """What a run scored and predicted on test, and its program."""

    score: float
    classes: np.ndarray
    """Predicted class ids of the test part."""
    class_names: tuple[str, ...]
    test_rows: np.ndarray
    path: Path

    def call(self, *arguments: object) -> str:
        """Run the program with arguments where the harness and what it needs are not installed; return what it prints."""
        code = f"import runpy, sys\nsys.modules.update(dict.fromkeys({HARNESS}))\nsys.argv = sys.argv[1:]\n"
        code += "runpy.run_path(sys.argv[0], run_name='__main__')"
        command = [sys.executable, "-W", "ignore", "-c", code, str(self.path), *map(str, arguments)]
        finished = subprocess.run(command, capture_output=True, text=True, check=False)
        return finished.stdout + finished.stderr

    def run(self) -> float:
        """Train and score as the program does without arguments."""
        return run_script(self.path)


def repeat_run(
    spec: TaskSpec,
    directory: Path,
    strategy: str = "none",
    *,
    learner: str = "",
    adjustment: str = RAW,
    metric: str = "macro-f1",
    steps: int = 40,
    adds_validation: bool = False,
) -> RepeatedRun:
    """Train a run of seed 0, and write its program to a directory."""
    protocol = reference_protocol(spec)
    protocol = with_learner(protocol, learner) if learner else protocol
    if not protocol.is_estimator:
        protocol = replace(protocol, steps=steps, validate_every=steps // 4)
    task = spec.load(split_generator(spec.label, 0))
    adjustments = () if adjustment == RAW else (parse(adjustment),)
    adjustment = str(adjustments[0]) if adjustments else RAW
    chooses = parse_metric(metric, task.train.labels.class_names)
    run = Run(spec, parse(strategy), protocol, 0, task.fingerprint, adjustments, adds_validation, chooses)
    predictions = {}

    def keep(id: str, predicted):
        predictions[id] = predicted

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the workers of a study
    try:
        if protocol.is_estimator:
            record = fit_run(run, Clock(), keep)
        else:
            [record] = train([run], device=torch.device("cpu"), clock=Clock(), on_predictions=keep)
    finally:
        torch.set_num_threads(threads)
    assert isinstance(record, Record), record
    return RepeatedRun(
        run.metric.value(record.evaluation("chosen", "test", adjustment)),
        predictions[run.id].classes[adjustment],
        task.train.labels.class_names,
        np.array([]) if task.rows is None else task.rows.test,
        write_script(run, record, directory, adjustment=adjustment),
    )
