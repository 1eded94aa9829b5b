"""The page of the check: how each step ended, and the figures next to what others have published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.gpu_check.check_steps import CheckSize, sampling_folder, training_folder
from bench.gpu_check.step_runner import StepResult
from bench.gpu_check.study_agreement import MEAN_TOLERANCE, RUN_TOLERANCE, TaskAgreement
from bench.speed.measurement import Measurement
from bench.speed.measurement_files import read_measurement
from bench.speed.samplers.sampler_measurement import SamplerMeasurement, SamplerTiming
from bench.speed.samplers.variants import ALL_CORES
from bench.speed.training.training_measurement import TrainingMeasurement, TrainingTiming
from bench.text.markdown import escape_markdown, markdown_table
from bench.text.numbers import MISSING, format_amount, format_ratio

FUSED_TRAINING = (
    "For comparison: fused training on a GPU is published with up to 15.1 times the throughput of one run at a time "
    "(HFTA, Wang et al., MLSys 2021; on V100, RTX 6000 and A100)."
)
ALIAS_SAMPLING = (
    "For comparison: alias sampling on a GPU is published with up to 24 times the throughput of a CPU of 16 cores "
    "(Lehmann, Hübschle-Schneider and Sanders, arXiv:2106.12270)."
)


def render_check(
    machine: Mapping[str, str],
    results: Sequence[StepResult],
    agreements: Sequence[TaskAgreement],
    size: CheckSize,
    out: Path,
) -> str:
    """Return the Markdown page of all steps that have ended so far; measurements are read from `out`."""
    parts = [
        "# GPU check",
        "`./run_all.sh gpu-check`",
        ", ".join(f"{name} {value}" for name, value in machine.items()),
        markdown_table(
            ["step", "result", "seconds", "last line"],
            [[step.name, step.status, f"{step.seconds:.0f}", escape_markdown(step.last_line)] for step in results],
        ),
        *_agreement_section(agreements),
        *_training_section(size, out),
        *_sampling_section(size, out),
    ]
    return "\n\n".join(parts) + "\n"


def _agreement_section(agreements: Sequence[TaskAgreement]) -> Iterator[str]:
    if not agreements:
        return
    yield "## The same runs on CPU and GPU"
    yield (
        "Differences are GPU minus CPU, in macro-F1 on test. A task passes if all runs sampled the same number of labels of each "
        f"class, no run differs by more than {RUN_TOLERANCE}, and the mean by no more than {MEAN_TOLERANCE}."
    )
    rows = [
        [
            escape_markdown(task.task),
            f"{task.compared} of {task.planned}",
            f"{task.same_items} of {task.compared}",
            f"{task.largest_difference:+.4f}",
            f"{task.mean_difference:+.4f}",
            "passes" if task.ok else "FAILS",
        ]
        for task in agreements
    ]
    yield markdown_table(["task", "runs", "same labels", "largest", "mean", ""], rows)


def _read_rows(kind: type[Measurement], paths: Sequence[Path]) -> list[Any]:
    """Return the rows of the measurements that have been made so far."""
    return [row for path in paths if path.is_file() for row in read_measurement(kind, path).rows]


def _training_section(size: CheckSize, out: Path) -> Iterator[str]:
    rows = _read_rows(TrainingMeasurement, [training_folder(out, model) / "train-bench.json" for model in size.models])
    if rows:
        yield "## Training"
        yield f"Milliseconds per step and run; ratios: how many times the throughput. {FUSED_TRAINING}"
        header = ["model", "variant", "ms", "over naive", "over well-written", "over a stack of 1"]
        yield markdown_table(header, [_training_row(row, rows) for row in rows])


def _training_row(row: TrainingTiming, rows: Sequence[TrainingTiming]) -> list[str]:
    alone = next((other for other in rows if (other.model, other.variant) == (row.model, "stack of 1")), None)
    over_alone = MISSING if alone is None or row.kind != "stack" else format_ratio(alone.step_ms / row.step_ms)
    ratios = format_ratio(row.naive_ratio), format_ratio(row.well_written_ratio), over_alone
    return [row.model, row.variant, format_amount(row.step_ms), *ratios]


def _sampling_section(size: CheckSize, out: Path) -> Iterator[str]:
    rows = _read_rows(SamplerMeasurement, [sampling_folder(out, items) / "samplers.json" for items in size.sizes])
    if rows:
        yield "## Sampling"
        yield f"Ratios: how many times as fast, but / bound: time relative to the lower bound. {ALIAS_SAMPLING}"
        header = ["items", "variant", "ns per draw", "/ bound", "over torch.multinomial", "over all CPU cores"]
        yield markdown_table(header, [_sampling_row(row, rows) for row in rows if row.draw_ns is not None])


def _sampling_row(row: SamplerTiming, rows: Sequence[SamplerTiming]) -> list[str]:
    key = row.items, f"{row.variant}, {ALL_CORES}"
    on_all_cores = next((other.draw_ns for other in rows if (other.items, other.variant) == key), None)
    over_cores = MISSING if on_all_cores is None or row.draw_ns is None else format_ratio(on_all_cores / row.draw_ns)
    return [
        f"{row.items:,}",
        row.variant,
        format_amount(row.draw_ns),
        format_ratio(row.over_floor),
        format_ratio(row.draw_ratio),
        over_cores,
    ]
