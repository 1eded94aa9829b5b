"""Run `use_it.py` as its user does: in a fresh process."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from bench.errors import InputError

_SCORE = re.compile(r"^.* on test: (-?[\d.]+)", re.MULTILINE)


def run_script(path: Path, *, timeout_seconds: float | None = None) -> float:
    """Run a program that `write_script` wrote, and return the score on test that it prints.

    Raises an InputError with the last line of what went wrong, if it fails or takes too long.
    """
    try:
        finished = subprocess.run(
            [sys.executable, str(path)], capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{path} took longer than {timeout_seconds:.0f} seconds; run it yourself") from None
    if finished.returncode or not (score := _SCORE.search(finished.stdout)):
        reason = (finished.stderr or finished.stdout).strip().splitlines()[-1:]
        raise InputError(f"{path} failed: {''.join(reason)}")
    return float(score[1])
