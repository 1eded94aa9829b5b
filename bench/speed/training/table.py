"""The measurement of training as tables, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from bench.speed.timing_table import Column, TimingTable, page_head
from bench.speed.training.training_measurement import (
    TrainingMeasurement,
    TrainingTiming,
    TwoProcesses,
    fastest_well_written,
)
from bench.text.numbers import NONE, amount, bullets, markdown, times

COLUMNS: Sequence[Column[TrainingTiming]] = (
    Column("ms", lambda row: amount(row.step_ms)),
    Column("fastest", lambda row: amount(row.fastest_ms)),
    Column("slowest", lambda row: amount(row.slowest_ms)),
    Column("over naive", lambda row: times(row.naive_ratio)),
    Column("over well-written", lambda row: times(row.well_written_ratio)),
    Column("peak MB", lambda row: NONE if row.peak_bytes is None else amount(row.peak_bytes / 1e6)),
)

NOTES = (
    "ms: milliseconds per step and run, the median over rounds; fastest, slowest: in the fastest and the slowest round",
    "over naive, over well-written: how many times faster than these loops; below 1x it is slower",
    "naive: DataLoader(TensorDataset, shuffle=True), a torch.nn module, CrossEntropyLoss, Adam in its default implementation",
    "well-written: batches indexed from tensors by a permutation, sentences of similar length together, Adam(fused=True); word "
    "vectors either by nn.Embedding(sparse=True) and SparseAdam, or by Adam(fused=True) like all other parameters (dense Adam: "
    "a different rule, since it also moves vectors of words that a batch does not hold); sentences by one nn.LSTM per direction "
    "without packing, or by a packed one; ratios are to the fastest of these loops",
    "stack: baseline runs of this project, trained together as one program; stack of 5 strategies: none (the baseline), "
    "loss-weights, weighted-random-sampler (for sentences: sentence-weights), logit-adjustment, focal",
    "peak MB: memory held at the peak of training, without the data, but with the padded copies of sentences that loops by hand "
    "make; on a GPU: memory of the GPU",
)


def render_page(measurement: TrainingMeasurement) -> str:
    """Return the Markdown page: command, machine, method, what the columns mean, and a table per model."""
    parts = page_head("Training", measurement, [*measurement.notes, *NOTES])
    for model in list_models(measurement):
        parts += [
            f"## {markdown(model)}",
            TimingTable(model, COLUMNS, _rows_of(measurement, model)).to_markdown(),
            bullets(map(markdown, _model_notes(measurement, model))),
        ]
    return "\n\n".join(parts) + "\n"


def render_terminal(measurement: TrainingMeasurement) -> RenderableType:
    """Return the tables for a terminal of at least 100 columns."""
    parts: list[RenderableType] = []
    for model in list_models(measurement):
        table = TimingTable(model, COLUMNS, _rows_of(measurement, model)).to_terminal()
        parts += [table, *_model_notes(measurement, model), ""]
    return Group(*parts, *measurement.notes)


def list_models(measurement: TrainingMeasurement) -> list[str]:
    """Return the models that were measured, in their order."""
    return list(dict.fromkeys(row.model for row in measurement.rows))


def _rows_of(measurement: TrainingMeasurement, model: str) -> list[TrainingTiming]:
    return [row for row in measurement.rows if row.model == model]


def _model_notes(measurement: TrainingMeasurement, model: str) -> Iterator[str]:
    rows = _rows_of(measurement, model)
    if sum(row.kind == "well-written" for row in rows) > 1:
        yield f"ratios to well-written are to: {fastest_well_written(rows, model).variant}"
    yield from (_describe_two_processes(pair) for pair in measurement.two_processes if pair.model == model)


def _describe_two_processes(pair: TwoProcesses) -> str:
    subject = f"two processes, a stack of {pair.width} each"
    if pair.note:
        return f"{subject}: not measured: {pair.note}"
    return f"{subject}: {amount(pair.step_ms)} ms per step and run, {times(pair.ratio)} as fast as one process"
