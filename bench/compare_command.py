"""The command `imbench compare`: a user's data in, a verdict out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.terminal.command_options import (
    Device,
    Margin,
    Metric,
    Plugins,
    Quiet,
    check_margin_of,
    choose_device,
    choose_metric,
    load_strategies,
)
from bench.terminal.console import Activity, make_console

if TYPE_CHECKING:
    from rich.console import Console

    from bench.comparison.comparison_run import Options
    from bench.tasks.task import TaskSpec


def compare(
    data: Annotated[str, typer.Argument(help="A table, a tagged corpus, or arrays: a file or a directory.")],
    target: Annotated[str | None, typer.Option(help="The column to predict.")] = None,
    metric: Metric = None,
    margin: Margin = None,
    budget: Annotated[str, typer.Option(help="The time that the whole command may take: 90s, 5m, 1h.")] = "5m",
    strategy: Annotated[list[str] | None, typer.Option(help="Compare these strategies, and plain training.")] = None,
    seeds: Annotated[
        int | None, typer.Option(min=2, help="Seeds 0 to N-1; by default what the budget affords.")
    ] = None,
    device: Device = "auto",
    workers: Annotated[int | None, typer.Option(min=1, help="Stacks trained at a time; one per core.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Results directory; results/FILE-COLUMN-DEVICE if not given.")
    ] = None,
    plugin: Plugins = None,
    quiet: Quiet = False,
) -> None:
    """Say which remedy for class imbalance to use on your data, and with which learner; the report shows what it gains and costs.

    Examples: imbench compare fraud.csv --target is_fraud;
    imbench compare path/to/corpus
    """
    console = make_console(quiet=quiet)
    with Activity(console) as activity:
        activity("starting")
        import torch

        from bench.comparison.budget import parse_budget
        from bench.comparison.comparison_run import Options
        from bench.metrics.selection_metric import DEFAULT
        from bench.user_data.source import find_source

        torch.set_num_threads(1)  # as in the workers: costs are measured in this process
        load_strategies(plugin)
        chosen_metric = choose_metric(metric, None)
        check_margin_of(chosen_metric or DEFAULT, margin)
        options = Options(
            metric=chosen_metric,
            margin=margin,
            budget_seconds=parse_budget(budget),
            seeds=seeds,
            strategies=tuple(strategy or ()),
            out=out,
            device=choose_device(device),
            workers=workers,
        )
        _run(find_source(data, target=target or ""), options, console, activity)


def _run(spec: TaskSpec, options: Options, console: Console, activity: Activity) -> None:
    """Compare, write the report, and print the verdict; exit code 1 if a run failed."""
    from bench.comparison.comparison_run import prepare_comparison, run_comparison
    from bench.terminal.progress import StudyDisplay
    from bench.terminal.study_summary import format_result

    try:
        with StudyDisplay(console, activity, summarise=lambda task: []) as display:
            prepared = prepare_comparison(spec, options, activity, display)
            finished = run_comparison(prepared, activity, display)
        lines = [*format_result(finished.result), *finished.summary]
    except KeyboardInterrupt:
        activity.end()
        print("imbench: stopped; run the same command again to resume", file=sys.stderr)
        raise typer.Exit(130) from None
    activity.end()
    for line in lines:
        console.print(line)
    console.print(f"report: {finished.page}", soft_wrap=True)
    if finished.result.failures:
        raise typer.Exit(1)
