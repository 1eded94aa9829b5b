"""The measurement as tables: for the terminal, as Markdown, as CSV."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from bench.speed.training.result import Result, Row, TwoProcesses, well_written
from bench.text.markdown import escape_markdown, markdown_list
from bench.text.markdown import markdown_table as markdown_table
from bench.text.numbers import MISSING, format_amount, format_fields, format_ratio

COLUMNS: tuple[tuple[str, Callable[[Row], str]], ...] = (
    ("ms", lambda row: format_amount(row.step_ms)),
    ("fastest", lambda row: format_amount(row.fastest_ms)),
    ("slowest", lambda row: format_amount(row.slowest_ms)),
    ("over naive", lambda row: format_ratio(row.naive_ratio)),
    ("over well-written", lambda row: format_ratio(row.well_written_ratio)),
    ("peak MB", lambda row: MISSING if row.peak_bytes is None else format_amount(row.peak_bytes / 1e6)),
)

MEANINGS = (
    "ms: milliseconds a step and training, the median over rounds; fastest, slowest: of a round",
    "over naive, over well-written: how many times faster than these loops; below 1x it is slower",
    "naive: DataLoader(TensorDataset, shuffle=True), a torch.nn module, CrossEntropyLoss, Adam as it comes",
    "well-written: batches taken straight from tensors by a permutation, sentences of like length together, Adam(fused=True); "
    "words by nn.Embedding(sparse=True) and SparseAdam, or by Adam(fused=True) as all else (dense Adam: another rule, since it "
    "also moves words that a batch does not hold); sentences by an nn.LSTM for either direction without packing, or by a "
    "packed one; ratios are to the fastest of them",
    "stack: plain trainings of this project, as one program; stack of 5 strategies: none, loss-weights, "
    "weighted-random-sampler (of sentences: sentence-weights), logit-adjustment, focal",
    "peak MB: memory held at the peak of training, data not counted, but for the padded copies of sentences that loops by hand "
    "make; on a GPU: memory of the GPU",
)


def frame(result: Result) -> pd.DataFrame:
    """One line a model and variant."""
    return pd.DataFrame([dataclasses.asdict(row) for row in result.rows])


def page(result: Result) -> str:
    """The tables in Markdown, with what they hold for."""
    parts = [
        "# Training",
        f"`{result.command}`",
        f"Machine: {escape_markdown(format_fields(result.machine))}.",
        f"Method: {escape_markdown(result.method)}.",
        markdown_list(map(escape_markdown, [*result.notes, *MEANINGS])),
    ]
    for model in models(result):
        rows = [row for row in result.rows if row.model == model]
        cells = ([escape_markdown(row.variant), *(cell(row) for _, cell in COLUMNS)] for row in rows)
        parts.append(f"## {escape_markdown(model)}")
        parts.append(markdown_table([model, *(name for name, _ in COLUMNS)], cells))
        parts.append(markdown_list(map(escape_markdown, _said(result, model))))
    return "\n\n".join(parts) + "\n"


def shown(result: Result) -> RenderableType:
    """The tables for a terminal of 100 columns."""
    parts: list[RenderableType] = []
    for model in models(result):
        table = Table(box=None, pad_edge=False)
        table.add_column(model, no_wrap=True)
        for name, _ in COLUMNS:
            table.add_column(name, justify="right")
        for row in result.rows:
            if row.model == model:
                table.add_row(row.variant, *(cell(row) for _, cell in COLUMNS))
        parts += [table, *_said(result, model), ""]
    return Group(*parts, *result.notes)


def models(result: Result) -> list[str]:
    """The models that were measured, in their order."""
    return list(dict.fromkeys(row.model for row in result.rows))


def _said(result: Result, model: str) -> Iterator[str]:
    rows = result.rows
    if sum((row.model, row.kind) == (model, "well-written") for row in rows) > 1:
        yield f"ratios to well-written are to: {well_written(rows, model).variant}"
    yield from (_of_two(each) for each in result.two_processes if each.model == model)


def _of_two(each: TwoProcesses) -> str:
    what = f"two processes, a stack of {each.width} each"
    if each.note:
        return f"{what}: not measured: {each.note}"
    return f"{what}: {format_amount(each.step_ms)} ms a step and training, {format_ratio(each.ratio)} of one process"
