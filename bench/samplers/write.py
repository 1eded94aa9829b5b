"""A measurement as files: tables, figure, and all of it as JSON."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter

from bench.samplers.figure import write_figure
from bench.samplers.result import Result
from bench.samplers.table import frame, page


def write(result: Result, folder: Path) -> list[Path]:
    """`samplers.md`, `.csv`, `.json`, `.png` and `.svg`; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = {
        "md": page(result),
        "csv": frame(result).to_csv(index=False, lineterminator="\n"),
        "json": TypeAdapter(Result).dump_json(result, indent=1).decode() + "\n",
    }
    paths = []
    for suffix, text in texts.items():
        paths.append(folder / f"samplers.{suffix}")
        paths[-1].write_text(text, encoding="utf-8", newline="\n")
    return [*paths, *write_figure(result, folder / "samplers")]
