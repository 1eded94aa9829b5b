"""The command `imbench compare`: a user's data in, a verdict and a program out."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.terminal.command_options import (
    AsJson,
    Device,
    Margin,
    Metric,
    Plugins,
    Quiet,
    check_margin_of,
    choose_device,
    choose_metric,
    load_plugins,
    typed_command,
)
from bench.terminal.console import Activity, make_console

if TYPE_CHECKING:
    from rich.console import Console

    from bench.comparison.comparison_run import FinishedComparison, Options
    from bench.tasks.task import TaskSpec

_NOT_OF_THE_STUDY = {"out", "quiet", "as_json", "dry_run", "workers"}
"""Options that do not change what is compared, or that the report gives anew."""


def compare(
    context: typer.Context,
    data: Annotated[
        str,
        typer.Argument(
            help="A table (CSV, TSV, Parquet, JSON lines), a tagged corpus (a file or directory), arrays (.npz), hf:NAME, or a "
            "task of imbench list tasks, such as keel:yeast4."
        ),
    ],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict.")] = "",
    text: Annotated[str, typer.Option(metavar="COLUMN", help="Predict from this column of texts.")] = "",
    group: Annotated[
        str, typer.Option(metavar="COLUMN", help="Rows with the same value stay in one part: patients, customers.")
    ] = "",
    time: Annotated[
        str, typer.Option(metavar="COLUMN", help="Train on the earliest rows and test on the latest.")
    ] = "",
    valid: Annotated[str, typer.Option(metavar="FILE", help="The validation part; split off if not given.")] = "",
    test: Annotated[str, typer.Option(metavar="FILE", help="The test part; split off if not given.")] = "",
    drop: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Do not use this column.")] = None,
    sample_by_class: Annotated[
        int | None,
        typer.Option(metavar="N", help="Use N rows of a table, chosen at random so that each class keeps its share."),
    ] = None,
    features: Annotated[
        str,
        typer.Option(
            metavar="ngrams|minilm",
            help="How --text becomes numbers: hashed words and pairs, or sentence embeddings (imbench fetch minilm).",
        ),
    ] = "ngrams",
    metric: Metric = None,
    margin: Margin = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="What the whole command may take: 90s, 5m, 1h.")] = "5m",
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|FILE.py:NAME",
            help="Compare these learners in place of those for the kind of data: mlp, hist-gradient-boosting, "
            "logistic-regression, random-forest, or a function that returns a scikit-learn classifier or an nn.Module.",
        ),
    ] = None,
    strategy: Annotated[
        list[str] | None, typer.Option(help="Compare these strategies with plain training, in place of the usual ones.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=2, help="Seeds 0 to N-1; by default 5, or what the budget affords, 3 at least.")
    ] = None,
    device: Device = "auto",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Stacks trained at a time; by default one per core, one on a GPU.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Results directory; results/FILE-COLUMN-DEVICE if not given.")
    ] = None,
    plugin: Plugins = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Measure, and print what the budget affords; compare nothing.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Say which remedy for class imbalance to use on your data, with which learner, and write the program that uses it.

    Examples: imbench compare fraud.csv --target is_fraud;
    imbench compare reviews.csv --text review --target stars;
    imbench compare path/to/corpus
    """
    console = make_console(quiet=quiet or as_json)
    with Activity(console) as activity:
        activity("starting")
        import torch

        from bench.comparison.budget import parse_budget
        from bench.comparison.comparison_run import Options, default_directory
        from bench.comparison.given_data import keep_data
        from bench.metrics.selection_metric import DEFAULT
        from bench.user_data.source import find_source

        torch.set_num_threads(1)  # as in the workers: costs are measured in this process
        load_plugins(plugin)
        chosen_metric = choose_metric(metric, None)
        check_margin_of(chosen_metric or DEFAULT, margin)
        options = Options(
            metric=chosen_metric,
            margin=margin,
            budget_seconds=parse_budget(budget),
            seeds=seeds,
            strategies=tuple(strategy or ()),
            models=tuple(model or ()),
            out=out,
            device=choose_device(device),
            workers=workers,
            command=typed_command(context, "compare", _NOT_OF_THE_STUDY),
        )
        given = keep_data(
            data,
            target or None,
            group or None,
            time or None,
            lambda name, of: options.out or default_directory(name, of, options.device),
        )
        spec = find_source(
            given.path,
            target=given.target,
            text=text,
            group=given.group,
            time=given.time,
            valid=valid,
            test=test,
            drop=drop or (),
            sample_by_class=sample_by_class,
            features=features,
            given=given.name,
            notes=given.notes,
        )
        if dry_run:
            _preview(spec, options, console, activity)
        else:
            _compare(spec, options, console, activity, as_json=as_json)


def _preview(spec: TaskSpec, options: Options, console: Console, activity: Activity) -> None:
    """Print what the budget affords."""
    from bench.comparison.comparison_run import prepare_comparison
    from bench.terminal.progress import StudyDisplay

    with StudyDisplay(console, activity, summarise=lambda task: []) as display:
        prepared = prepare_comparison(spec, options, activity, display)
    activity.end()
    asked_for = make_console()
    for row in prepared.runner.plan.study.strategies:
        asked_for.print(f"{row.task}: {row.strategy}" + (f", skipped: {row.skipped}" if row.skipped else ""))
    asked_for.print(prepared.afforded)


def _compare(spec: TaskSpec, options: Options, console: Console, activity: Activity, *, as_json: bool) -> None:
    """Compare, write the report and the program, and print the verdict; exit code 1 if a run failed."""
    from bench.comparison.comparison_run import prepare_comparison, run_comparison
    from bench.terminal.progress import StudyDisplay
    from bench.terminal.study_summary import format_result

    try:
        with StudyDisplay(console, activity, summarise=lambda task: []) as display:
            prepared = prepare_comparison(spec, options, activity, display)
            finished = run_comparison(prepared, activity, display)
    except KeyboardInterrupt:
        activity.end()
        print("imbench: stopped; run the same command again to resume", file=sys.stderr)
        raise typer.Exit(130) from None
    activity.end()
    for line in format_result(finished.result):
        console.print(line)
    if as_json:
        print(json.dumps(_as_json(finished), indent=1))
    else:
        asked_for = make_console()
        for line in [*finished.summary, *finished.files]:
            asked_for.print(line, soft_wrap=True)
    if finished.result.failures:
        raise typer.Exit(1)


def _as_json(finished: FinishedComparison) -> dict[str, object]:
    choice = finished.choice
    return {
        "learner": None if choice is None else choice.chosen.learner,
        "strategy": None if choice is None else choice.chosen.strategy,
        "verdict": finished.summary,
        "candidates": [
            {"learner": one.learner, "strategy": one.strategy, "validation": one.validation_mean}
            for one in ([] if choice is None else choice.candidates)
        ],
        "page": str(finished.page),
        "script": None if finished.script is None else str(finished.script),
    }
