"""`strategies` needs torch and numpy alone; the command line names the packages that it lacks."""

import os
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from bench.__main__ import HARNESS_PACKAGES

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("use_strategies.py")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

WARNINGS = ("-W", "error", "-W", "ignore:numba is not installed")
"""Warnings are errors, except for the one that samplers are slower without numba."""

HIDE_OTHER_PACKAGES = """
import runpy, sys

BASE = {"torch", "torchgen", "functorch", "numpy", "triton", "strategies", "bench"}
OF_TORCH = {"typing_extensions", "sympy", "mpmath", "networkx", "jinja2", "markupsafe", "fsspec", "filelock", "setuptools"}
ALLOWED = BASE | OF_TORCH | sys.stdlib_module_names


class OnlyAllowed:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        package = name.split(".")[0]
        if package in ALLOWED or package.startswith("_sysconfigdata"):  # part of the standard library, named by platform
            return self.finder.find_spec(name, path, target)
        return None


sys.meta_path[:] = [OnlyAllowed(finder) for finder in sys.meta_path if hasattr(finder, "find_spec")]
"""


def run_without_other_packages(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a fresh process that finds torch, numpy, what torch needs, and this project, but nothing else."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *WARNINGS, "-c", HIDE_OTHER_PACKAGES + code]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_strategies_work_without_other_packages():
    done = run_without_other_packages(f"runpy.run_path({str(PROGRAM)!r}, run_name='__main__')")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "strategies work with numpy, torch\n"


def test_the_command_line_names_the_extra_that_it_needs():
    done = run_without_other_packages("sys.argv = ['imbench', 'list']\nrunpy.run_module('bench', run_name='__main__')")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert 'pip install "imbalance-bench[bench]"' in done.stderr
    assert "typer" in done.stderr


def requirement_names(requirements):
    """Names without versions and extras, as `pip` compares them."""
    return {name.split(">=")[0].split("[")[0].lower().replace("_", "-") for name in requirements}


def test_the_base_requirements_are_torch_and_numpy():
    assert requirement_names(PYPROJECT["dependencies"]) == {"torch", "numpy"}


def test_the_command_line_looks_for_every_package_of_its_extra():
    distributions = packages_distributions()
    looked_for = {distributions[package][0].lower().replace("_", "-") for package in HARNESS_PACKAGES}
    assert looked_for == requirement_names(PYPROJECT["optional-dependencies"]["bench"])
