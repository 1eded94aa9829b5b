"""The command of the check: `python -m bench.gpu_check`, which `./run_all.sh gpu-check` calls."""

from __future__ import annotations

import argparse
import sys
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from bench.errors import InputError
from bench.gpu_check.check_page import render_check
from bench.gpu_check.check_steps import FULL, STUDIES, TINY, list_steps
from bench.gpu_check.step_runner import LIMIT_SECONDS, StepResult, run_steps
from bench.gpu_check.study_agreement import TaskAgreement, compare_devices
from bench.machine.facts import facts
from bench.records.store import Store, check_place

PACKAGES = ("torch", "triton", "numba", "numpy", "scikit-learn", "pandas")


def main() -> None:
    """Run the check; exit code 0 everything passed, 1 something failed or was cut off, 2 it could not be started."""
    arguments = _parse_arguments()
    size = TINY if arguments.dry_run else FULL
    try:
        if size.device == "cuda" and not torch.cuda.is_available():
            raise InputError("gpu-check: this torch sees no CUDA device; --dry-run rehearses the check on the CPU")
        check_place(arguments.out, arguments.out)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    machine = facts(torch.device(size.device), *PACKAGES)
    results: list[StepResult] = []
    agreements: list[TaskAgreement] = []
    page = arguments.out / "gpu-check.md"
    with TemporaryDirectory() as studies:
        limit_seconds = LIMIT_SECONDS if size.has_limits else inf
        steps = list_steps(size, arguments.out, Path(studies))
        for result in run_steps(steps, arguments.out / "logs", limit_seconds):
            results.append(result)
            print(f"{result.name}: {result.status} after {result.seconds:.0f} s; {result.last_line}", flush=True)
            if result.name == STUDIES["cuda"]:
                agreements = _compare_studies(Path(studies), arguments.out)
            page.write_text(render_check(machine, results, agreements, size, arguments.out), encoding="utf-8")
    print(page)
    passed = agreements and all(task.ok for task in agreements) and all(result.status == "ok" for result in results)
    sys.exit(0 if passed else 1)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gpu-check", description="What a GPU must show, in less than eight minutes.")
    parser.add_argument("--out", type=Path, default=Path("results/gpu-check"), help="folder (default: %(default)s)")
    parser.add_argument("--dry-run", action="store_true", help="the same steps, tiny, on the CPU")
    return parser.parse_args()


def _compare_studies(studies: Path, out: Path) -> list[TaskAgreement]:
    """Compare both studies as far as they have come; write one row per run to `study.csv`."""
    cpu, gpu = (Store(studies / side) for side in STUDIES)
    if cpu.find_study() is None:
        return []
    frame, agreements = compare_devices(cpu, gpu)
    frame.to_csv(out / "study.csv", index=False, lineterminator="\n")
    return agreements


if __name__ == "__main__":
    main()
