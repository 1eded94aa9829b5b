"""The measurement of samplers as tables, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType

from bench.speed.samplers.sampler_measurement import SamplerMeasurement, SamplerTiming
from bench.speed.timing_table import Column, TimingTable, page_head
from bench.text.markdown import escape_markdown, markdown_list
from bench.text.numbers import MISSING, format_amount, format_ratio


def _format_scaled(value: float | None, factor: float) -> str:
    return MISSING if value is None else format_amount(value * factor)


DRAW_COLUMNS: Sequence[Column[SamplerTiming]] = (
    Column("set-up ms", lambda row: _format_scaled(row.setup_seconds, 1e3)),
    Column("ns per draw", lambda row: format_amount(row.draw_ns)),
    Column("M draws/s", lambda row: MISSING if row.draw_ns is None else format_amount(1e3 / row.draw_ns)),
    Column("speed-up", lambda row: format_ratio(row.draw_ratio)),
    Column("/ bound", lambda row: format_ratio(row.over_floor)),
    Column("peak MB", lambda row: _format_scaled(row.peak_bytes, 1e-6)),
)
BATCH_COLUMNS: Sequence[Column[SamplerTiming]] = (
    Column("ns", lambda row: format_amount(row.batch_ns)),
    Column("speed-up", lambda row: format_ratio(row.batch_ratio)),
    Column("loader ns", lambda row: format_amount(row.loader_ns)),
    Column("speed-up", lambda row: format_ratio(row.loader_ratio)),
    Column("first ms", lambda row: _format_scaled(row.first_batch_seconds, 1e3)),
    Column("resume ms", lambda row: _format_scaled(row.resume_seconds, 1e3)),
)

NOTES = (
    "set-up ms: time to build the sampler from labels or weights",
    "ns per draw: time per draw over whole epochs, in chunks of 65,536; M draws/s: million draws per second; speed-up: how many "
    "times faster than torch.multinomial in float64",
    "/ bound: time per draw relative to the lower bound, which is one random number of the same compiled generator and one read "
    "of 4 bytes at a random place of a table of N; a sampler whose table is smaller, or in huge pages, can be faster",
    "peak MB: memory that an epoch holds at its peak, the sampler's tables included, labels and weights excluded, measured in a "
    "process of its own",
    "ns, loader ns: time per item sampled in batches of 256 and gathered from 9 columns of int64, without and with a DataLoader; "
    "speed-up: how many times faster than DataLoader(TensorDataset(rows), sampler=WeightedRandomSampler(weights, N), "
    "batch_size=256)",
    "first ms: time from a built sampler to its first batch; resume ms: time from restoring a state half-way into an epoch to "
    "the next batch",
    "N/10 once: a tenth of the items, sampled without replacement; ratios are still to sampling with replacement",
    "SentenceSampler, RepeatFactorSampler, and strategies that are not applicable to items of one label sample sentences: the N "
    "labels form about N / 20 of them",
)


def render_page(measurement: SamplerMeasurement) -> str:
    """Return the Markdown page: command, machine, method, what the columns mean, and two tables per size."""
    parts = page_head("Samplers", measurement, NOTES)
    for size in _sizes(measurement):
        rows = _measured_rows(measurement, size)
        parts += [
            f"## {size:,} items",
            TimingTable("Draws", DRAW_COLUMNS, rows).to_markdown(),
            TimingTable("Batches of 256", BATCH_COLUMNS, rows).to_markdown(),
            markdown_list(map(escape_markdown, _unmeasured_variants(measurement, size))),
        ]
    parts += map(escape_markdown, _sentence_weights_cost(measurement))
    return "\n\n".join(filter(None, parts)) + "\n"


def render_terminal(measurement: SamplerMeasurement) -> RenderableType:
    """Return the tables for a terminal of at least 100 columns."""
    parts: list[RenderableType] = []
    for size in _sizes(measurement):
        rows = _measured_rows(measurement, size)
        parts += [
            TimingTable(f"{size:,} items", DRAW_COLUMNS, rows).to_terminal(),
            TimingTable("batches of 256", BATCH_COLUMNS, rows).to_terminal(),
            *_unmeasured_variants(measurement, size),
        ]
    return Group(*parts, *_sentence_weights_cost(measurement))


def _sizes(measurement: SamplerMeasurement) -> list[int]:
    return list(dict.fromkeys(row.items for row in measurement.rows))


def _measured_rows(measurement: SamplerMeasurement, size: int) -> list[SamplerTiming]:
    return [row for row in measurement.rows if row.items == size and row.draw_ns is not None]


def _unmeasured_variants(measurement: SamplerMeasurement, size: int) -> Iterator[str]:
    for row in measurement.rows:
        if row.items == size and row.note:
            yield f"not measured: {row.label}: {row.why_not_measured}"


def _sentence_weights_cost(measurement: SamplerMeasurement) -> Iterator[str]:
    if (cost := measurement.sentence_weights) is not None:
        speed_up = format_ratio(cost.loop_ns / cost.vectorised_ns)
        yield (
            f"Sentence weights of {cost.tokens:,} tokens take {format_amount(cost.vectorised_ns)} ns per token; "
            f"a Python loop takes {format_amount(cost.loop_ns)} ns per token (on {cost.loop_tokens:,} tokens): {speed_up}"
        )
