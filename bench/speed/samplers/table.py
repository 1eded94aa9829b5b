"""The measurement as tables: for the terminal, as Markdown, as CSV."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator

import pandas as pd
from rich.console import Group, RenderableType
from rich.table import Table

from bench.speed.samplers.result import Result, Row
from bench.text.markdown import escape_markdown, markdown_list
from bench.text.markdown import markdown_table as markdown_table
from bench.text.numbers import MISSING, format_amount, format_fields, format_ratio

Column = tuple[str, Callable[[Row], str]]


def _scaled(value: float | None, by: float) -> str:
    return MISSING if value is None else format_amount(value * by)


DRAWS: tuple[Column, ...] = (
    ("set-up ms", lambda row: _scaled(row.setup_seconds, 1e3)),
    ("ns a draw", lambda row: format_amount(row.draw_ns)),
    ("M draws/s", lambda row: MISSING if row.draw_ns is None else format_amount(1e3 / row.draw_ns)),
    ("speed-up", lambda row: format_ratio(row.draw_ratio)),
    ("/ floor", lambda row: format_ratio(row.over_floor)),
    ("peak MB", lambda row: _scaled(row.peak_bytes, 1e-6)),
)
BATCHES: tuple[Column, ...] = (
    ("ns", lambda row: format_amount(row.batch_ns)),
    ("speed-up", lambda row: format_ratio(row.batch_ratio)),
    ("loader ns", lambda row: format_amount(row.loader_ns)),
    ("speed-up", lambda row: format_ratio(row.loader_ratio)),
    ("first ms", lambda row: _scaled(row.first_batch_seconds, 1e3)),
    ("resume ms", lambda row: _scaled(row.resume_seconds, 1e3)),
)

MEANINGS = (
    "set-up: building the sampler from labels or weights",
    "ns a draw: whole epochs in pieces of 65,536; speed-up: over torch.multinomial, float64; / floor: times the machine's floor, "
    "which is the same compiled generator and one read of 4 bytes at a random place",
    "peak: memory that an epoch holds at its peak, tables included, labels and weights not, in a process of its own",
    "ns, loader ns: an item in a batch of 256, drawn and gathered from 9 columns of int64, without and through a DataLoader; "
    "speed-up: over DataLoader(TensorDataset(rows), sampler=WeightedRandomSampler(weights, N), batch_size=256)",
    "first: from a built sampler to its first batch; resume: from a state half-way into an epoch to the batch that comes next",
    "N/10 once: a tenth of the items, none twice; all ratios stay those to draws with replacement",
    "SentenceSampler and what declines items of one label draw sentences: N labels in N / 20 of them",
)


def frame(result: Result) -> pd.DataFrame:
    """One line a variant and size."""
    return pd.DataFrame([dataclasses.asdict(row) for row in result.rows])


def page(result: Result) -> str:
    """The tables in Markdown, with what they hold for."""
    parts = [
        "# Samplers",
        f"`{result.command}`",
        f"Machine: {escape_markdown(format_fields(result.machine))}.",
        f"Method: {escape_markdown(result.method)}.",
        markdown_list(map(escape_markdown, MEANINGS)),
    ]
    for size in _sizes(result):
        rows = _measured(result, size)
        parts.append(f"## {size:,} items")
        for title, columns in (("Draws", DRAWS), ("Batches of 256", BATCHES)):
            header = [title, *(name for name, _ in columns)]
            cells = ([escape_markdown(row.variant), *(cell(row) for _, cell in columns)] for row in rows)
            parts.append(markdown_table(header, cells))
        parts.append(markdown_list(map(escape_markdown, _not_measured(result, size))))
    return "\n\n".join([*filter(None, parts), *map(escape_markdown, _sentences(result))]) + "\n"


def shown(result: Result) -> RenderableType:
    """The tables for a terminal of 100 columns."""
    parts: list[RenderableType] = []
    for size in _sizes(result):
        for title, columns in ((f"{size:,} items", DRAWS), ("batches of 256", BATCHES)):
            parts.append(_for_terminal(title, columns, _measured(result, size)))
        parts.extend(_not_measured(result, size))
    return Group(*parts, *_sentences(result))


def _for_terminal(title: str, columns: tuple[Column, ...], rows: list[Row]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(title, no_wrap=True)
    for name, _ in columns:
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(row.variant, *(cell(row) for _, cell in columns))
    return table


def _sizes(result: Result) -> list[int]:
    return list(dict.fromkeys(row.items for row in result.rows))


def _measured(result: Result, size: int) -> list[Row]:
    return [row for row in result.rows if row.items == size and row.draw_ns is not None]


def _not_measured(result: Result, size: int) -> Iterator[str]:
    yield from (f"not measured: {row.variant}: {row.note}" for row in result.rows if row.items == size and row.note)


def _sentences(result: Result) -> Iterator[str]:
    if (cost := result.sentence_weights) is not None:
        yield (
            f"Sentence weights, {cost.tokens:,} tokens: {format_amount(cost.vectorised_ns)} ns a token; the best Python loop "
            f"{format_amount(cost.loop_ns)} ns (on {cost.loop_tokens:,} tokens): {format_ratio(cost.loop_ns / cost.vectorised_ns)}"
        )
