"""The steps of the check, most important first: each is a command of its own, with the most seconds that it may take."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from math import inf
from pathlib import Path

TESTS = "tests"
STUDIES = {"cpu": "study on the CPU", "cuda": "study on the GPU"}
MODELS = ("mlp", "window-tagger", "bilstm-tagger")


@dataclass(frozen=True)
class CheckStep:
    """A command, its name on the page, and the most seconds that it may take."""

    name: str
    command: Sequence[str]
    limit_seconds: float


@dataclass(frozen=True)
class CheckSize:
    """How much is measured."""

    device: str
    """The device that stands for the GPU."""
    study: Sequence[str]
    """Options of `imbench run` that make the suite smaller."""
    models: Sequence[str]
    widths: str
    """Runs per stack."""
    sizes: Sequence[str]
    """Numbers of items to sample from."""
    has_limits: bool = True
    """Whether a step that takes too long is stopped."""


FULL = CheckSize("cuda", (), MODELS, "1,2,5,10,20,40", ("1e6", "1e7", "1e8"))
TINY = CheckSize(
    "cpu",
    ("--task", "digits-lt(factor=50)", "--strategy", "none", "--strategy", "focal", "--seeds", "1"),
    ("mlp",),
    "1",
    ("1e3",),
    has_limits=False,
)
"""The same steps in a minute on a CPU: a rehearsal that shows that the check itself works."""


def list_steps(size: CheckSize, out: Path, studies: Path) -> list[CheckStep]:
    """Return the steps; tables go to `out`, results directories that are only compared go to `studies`."""
    steps = [
        CheckStep(TESTS, _python("pytest", "-m", "gpu", "-q", "-rf", "-p", "no:cacheprovider", *_test_files()), 150),
        *(
            CheckStep(title, _study(size, device, studies / side), 120)
            for (side, title), device in zip(STUDIES.items(), ("cpu", size.device), strict=True)
        ),
        *(
            CheckStep(f"training, {model}", _train_bench(size, model, training_folder(out, model)), 75)
            for model in size.models
        ),
        *(
            CheckStep(f"sampling, {items} items", _samplers(size, items, sampling_folder(out, items)), 75)
            for items in size.sizes
        ),
    ]
    return steps if size.has_limits else [replace(step, limit_seconds=inf) for step in steps]


def training_folder(out: Path, model: str) -> Path:
    """Return where the measurement of a model's training is written."""
    return out / f"train-bench-{model}"


def sampling_folder(out: Path, items: str) -> Path:
    """Return where the measurement of samplers at a number of items is written."""
    return out / f"samplers-{items}"


def _python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def _study(size: CheckSize, device: str, out: Path) -> list[str]:
    suite = str(resources.files("bench") / "gpu_check" / "gpu-check.toml")
    return _python("bench", "run", suite, *size.study, "--device", device, "--out", str(out), "--quiet")


def _train_bench(size: CheckSize, model: str, out: Path) -> list[str]:
    options = ["--model", model, "--widths", size.widths, "--device", size.device, "--out", str(out), "--quiet"]
    return _python("bench", "train-bench", *options)


def _samplers(size: CheckSize, items: str, out: Path) -> list[str]:
    options = ["--sizes", items, "--draws-only", "--device", size.device, "--out", str(out), "--quiet"]
    return _python("bench", "samplers", *options)


def _test_files() -> list[str]:
    """Return the files with tests marked `gpu`: collecting all others takes longer than running these."""
    tests = Path(__file__).parents[2] / "tests"
    return sorted(str(path) for path in tests.rglob("test_*.py") if "mark.gpu" in path.read_text(encoding="utf-8"))
