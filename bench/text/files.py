"""Results of a benchmark as files of text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import TypeAdapter


def write_texts(stem: Path, page: str, rows: pd.DataFrame, result: Any) -> list[Path]:
    """Write `stem.md`, `stem.csv` and `stem.json` and return their paths; `result` is a dataclass."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    texts = {
        "md": page,
        "csv": rows.to_csv(index=False, lineterminator="\n"),
        "json": TypeAdapter(type(result)).dump_json(result, indent=1).decode() + "\n",
    }
    paths = [stem.with_name(f"{stem.name}.{suffix}") for suffix in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        path.write_text(text, encoding="utf-8", newline="\n")
    return paths
