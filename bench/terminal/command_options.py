"""Options that several commands share, and what is read from them."""

from __future__ import annotations

import shlex
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bench.errors import InputError

if TYPE_CHECKING:
    import torch

Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what was asked for, no progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto takes a GPU if there is one.")]
Corpus = Annotated[
    Path | None,
    typer.Option("--conll2003", envvar="IMBENCH_CONLL2003", help="A directory with CoNLL-2003, in place of the cache."),
]


def _check_margin(margin: float | None) -> float | None:
    if margin is not None and not 0 < margin < float("inf"):
        raise typer.BadParameter(f"--margin {margin:g}: give a number above 0, in the unit of the metric")
    return margin


def check_margin_of(metric: str, margin: float | None) -> None:
    """Raise an InputError if a margin is as large as the whole range of the metric, such as percent in place of shares."""
    from bench.metrics.metric import SELECTABLE

    if margin is not None and margin >= 1 and (metric in SELECTABLE or metric.startswith("recall-at-precision")):
        raise InputError(
            f"--margin {margin:g}: {metric} is between 0 and 1; give a margin below 1, such as 0.01 for one percentage point"
        )


Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        metavar="NAME|COSTS.csv",
        help="Metric that chooses checkpoints and the winner: macro-f1, balanced-accuracy, worst-class-recall, entity-f1; of the "
        "rarer of two classes positive-f1, average-precision, recall-at-precision(0.9); or a CSV file with the cost of each "
        "mistake. macro-f1 if not given, or the one that the results directory was run with.",
    ),
]
Objective = Annotated[str | None, typer.Option("--objective", hidden=True)]
"""The old name of --metric."""
Margin = Annotated[
    float | None,
    typer.Option(
        "--margin",
        metavar="NUMBER",
        callback=_check_margin,
        help="The difference in the metric, up or down, that is too small to matter: a remedy whose interval lies within it is "
        "equivalent to plain training. .01 if not given; for a file of costs 1% of the cost of plain training.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="A Python file that registers further strategies or tasks."),
]


def load_plugins(plugins: list[Path] | None) -> None:
    """Register all strategies and tasks: those of the package, of installed packages, and of these files."""
    from strategies import NotationError, names

    try:
        names()
    except NotationError as error:
        raise InputError(str(error)) from None
    if plugins:
        from bench.tasks.plugin_file import load_plugin

        for path in plugins:
            load_plugin(path)


def choose_metric(metric: str | None, objective: str | None) -> str | None:
    """Return the metric that was given under its new or its old name; a file as its whole path, valid in any directory."""
    if metric is not None and objective is not None and metric != objective:
        raise InputError(
            f"--metric {metric} --objective {objective}: --objective is the old name of --metric; give one"
        )
    given = metric if metric is not None else objective
    return str(Path(given).resolve()) if given is not None and Path(given).is_file() else given


def choose_device(name: str) -> torch.device:
    import torch

    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this torch sees no CUDA device; use --device cpu or auto")
    return torch.device("cuda" if name != "cpu" and torch.cuda.is_available() else "cpu")


def typed_command(context: typer.Context, name: str, left_out: Container[str]) -> str:
    """Return the command that is run, as it can be typed, without the options that are `left_out` or have their defaults."""
    words = ["imbench", name]
    for parameter in context.command.params:
        value = context.params[parameter.name or ""]
        if parameter.name in left_out or value is None or value == parameter.default:
            continue
        values = list(value) if isinstance(value, list | tuple) else [value]
        option = [parameter.opts[0]] if parameter.param_type_name == "option" else []
        words += [word for each in values for word in (*option, str(each))]
    return shlex.join(words)
