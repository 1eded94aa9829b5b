"""The list of all strategies: `python -m strategies.contents > strategies/CONTENTS.md` writes it anew."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from strategies.registry import find, names
from strategies.strategy import FOLDERS

HEAD = """# Strategies

Written by `python -m strategies.contents > strategies/CONTENTS.md`; `imbench list strategies --json` has the same.

CE is softmax cross-entropy, z logits, p their softmax, y the label, n_c the labels of class c of C in the training part, N all of
them, pi_c = n_c / N. *Costs* is what a remedy adds to plain training: passes, memory, set-up. `a + b` combines two; of each kind
(rows, draws, mixing, loss, schedule, adjustment) there can be one, and class weights multiply into any loss. Schedules whose
later phase draws class-balanced items (all but `deferred-reweighting`) take items of one label each, and no other way of drawing.
"""
WHERE = {
    "none": "No remedy",
    "resample": "resample/: which rows there are, once before training",
    "sample": "sample/: which items are drawn, when",
    "mix": "mix/: pairs within a batch",
    "loss": "loss/: what a prediction costs",
    "schedule": "schedule/: what holds when",
    "adjust": "adjust/: finished logits",
}


@dataclass(frozen=True)
class Entry:
    """What is said of a strategy."""

    name: str
    aliases: tuple[str, ...]
    folder: str
    description: str
    formula: str
    paper: str
    defaults: str
    cost: str


def entries() -> list[Entry]:
    """All strategies, in the order in which a training asks them."""
    return [_entry(name) for name in names()]


def page() -> str:
    """The list in Markdown."""
    return "\n".join([HEAD, *(line for folder in FOLDERS for line in _section(folder))])


def _entry(name: str) -> Entry:
    kind = find(name)
    defaults = ", ".join(f"{field.name}={field.default}" for field in dataclasses.fields(kind))
    return Entry(name, kind.aliases, kind.folder, kind.title, kind.formula, kind.paper, defaults, kind.cost)


def _section(folder: str) -> Iterator[str]:
    yield f"## {WHERE[folder]}\n"
    yield "| name | what it does | formula | paper | defaults | costs |"
    yield "|---|---|---|---|---|---|"
    for each in entries():
        if each.folder == folder:
            names = " or ".join(f"`{name}`" for name in (each.name, *each.aliases))
            cells = (names, each.description, f"`{each.formula}`", each.paper, each.defaults, each.cost)
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    print(page(), end="")
