"""Write `use_it.py`: a program of its own that trains what one run of a study trained, and predicts new data with it."""

from __future__ import annotations

from pathlib import Path

from bench.errors import InputError
from bench.planning.run import Run
from bench.records.record import RAW, Record

SCRIPT = "use_it.py"


def write_script(run: Run, record: Record, directory: Path, *, adjustment: str = RAW) -> Path:
    """Write the program that repeats a run, and what it reads, to a directory; return its path.

    Parameters
    ----------
    run
        A run of the chosen learner and remedy; the program has its seed.
    record
        What that run left: the steps it was trained for, and the score on test that the program is to reach.
    directory
        Where `use_it.py` and `use_it_parts.csv` are written; what they replace is lost.
    adjustment
        How the logits are adjusted, as the record names it; `raw` for not at all.

    Raises
    ------
    InputError
        If there is no program for such a run; the message says why.
    """
    raise InputError(f"there is no program for {run.task.label} with {run.protocol.model} yet")
