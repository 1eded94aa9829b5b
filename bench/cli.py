"""The command line: `imbench`."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table
from typer.exceptions import TyperException

from bench.compare_command import compare
from bench.errors import InputError
from bench.terminal.command_options import (
    AsJson,
    Corpus,
    Device,
    Margin,
    Metric,
    Objective,
    Plugins,
    Quiet,
    check_margin_of,
    choose_device,
    choose_metric,
    load_plugins,
    typed_command,
)
from bench.terminal.console import (
    Activity,
    count_table,
    format_skipped,
    make_console,
    make_progress_console,
    print_error,
    warn_of_unreadable,
)
from bench.text.file_names import file_stem

if TYPE_CHECKING:
    import torch
    from rich.console import Console

    from bench.engine.events import TrainStacks
    from bench.engine.study_runner import StudyRunner
    from bench.planning.suite import Suite
    from bench.records.record import Study
    from bench.records.store import Store

app = typer.Typer(
    name="imbench",
    help="Which remedy for class imbalance to use on your data, what it costs, and the code: measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _print_version(asked: bool) -> None:
    """Print the versions of this package and of what its numbers depend on, and end."""
    if asked:
        from bench.machine.facts import package

        print(f"imbench {package('imbalance-bench')} (Python {sys.version.split()[0]}, torch {package('torch')})")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


app.command()(compare)

_TYPER_PREFIX = "Value error, "
"""What Typer writes before the message of a parameter check."""


def main() -> None:
    """Run the command; an error that the user can fix is one line on standard error and exit code 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except InputError as error:
        print_error(f"imbench: {error}")
    except OSError as error:
        print_error(f"imbench: {error.filename or 'a file'}: {error.strerror}; give a path that can be used")
    except TyperException as error:
        if message := error.format_message().rstrip("."):  # empty where the help was printed for a missing command
            message = message.replace(_TYPER_PREFIX, "")
            print_error(f"imbench: {message}; see imbench --help, or imbench COMMAND --help")
    sys.exit(2)


@app.command("list")
def list_(
    what: Annotated[
        Literal["strategies", "tasks", "keel", "models", "suites"],
        typer.Argument(help="What to list; keel: the tables of KEEL, which are tasks too."),
    ] = "strategies",
    as_json: AsJson = False,
    plugin: Plugins = None,
) -> None:
    """List strategies, tasks, models or suites; of each task its size, imbalance and licence, and whether its data are here.

    --json adds formula, paper, defaults and cost of each strategy. Examples: imbench list strategies; imbench list tasks
    """
    load_plugins(plugin)
    if as_json:
        print(json.dumps(_entries(what), indent=1))
    elif what == "tasks":
        from bench.terminal.task_table import print_tasks

        print_tasks(make_console())
    else:
        make_console().print(_table(_descriptions(what)))


def _table(rows: list[tuple[str, str]]) -> Table:
    """Return names and descriptions as a table without lines."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    for name, description in rows:
        table.add_row(name, description)
    return table


def _entries(what: str) -> list[dict[str, Any]]:
    from strategies.contents import entries

    if what == "strategies":
        return [dataclasses.asdict(entry) for entry in entries()]
    if what == "tasks":
        from bench.tasks.task_list import list_tasks

        return [dataclasses.asdict(entry) for entry in list_tasks()]
    return [{"name": name, "description": description} for name, description in _descriptions(what)]


def _descriptions(what: str) -> list[tuple[str, str]]:
    from bench.estimators.estimator_table import ESTIMATORS
    from bench.models import MODELS
    from bench.planning.suite import read_suite, suites
    from bench.tasks.keel_files import describe_tables
    from strategies.contents import entries

    if what == "strategies":
        return [(entry.name, f"{entry.description} [{entry.folder}]") for entry in entries()]
    if what == "keel":
        return describe_tables()
    if what == "models":
        return [(model.name, str(model)) for model in (*MODELS, *ESTIMATORS)]
    return [(name, read_suite(name).title) for name in suites()]


@app.command()
def run(
    context: typer.Context,
    suite: Annotated[
        str | None,
        typer.Argument(help="quick, full, tuned, learning, or the path of a .toml file.", show_default=False),
    ] = None,
    strategy: Annotated[list[str] | None, typer.Option(help="Run these strategies in place of the suite's.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Run these tasks only.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds 0 to N-1 in place of the suite's.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps in place of the suite's.")] = None,
    device: Device = "auto",
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Processes of this machine, or Ray.")] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Stacks trained at a time; by default one per core, one on a GPU.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Ray: a running cluster, such as auto or HOST:6379.")] = None,
    gpus_per_worker: Annotated[float, typer.Option(min=0.0, help="Ray: the share of a GPU that a stack takes.")] = 1.0,
    out: Annotated[
        Path | None,
        typer.Option(help="Results directory; results/SUITE-DEVICE if not given, with the name of your data or model."),
    ] = None,
    metric: Metric = None,
    objective: Objective = None,
    margin: Margin = None,
    retry: Annotated[Literal["failed"] | None, typer.Option(help="Train runs again that failed before.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan with its estimated time; train nothing.")
    ] = False,
    conll2003: Corpus = None,
    plugin: Plugins = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE.py:NAME",
            help="hist-gradient-boosting, logistic-regression or random-forest on rows of numbers, or a function that returns "
            "your nn.Module or your scikit-learn classifier.",
        ),
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Print where the time of every worker went, and every file written.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Train the missing runs of a suite, measure costs, and write the report. A stopped study is resumed.

    Example: imbench run quick --task digits-lt --strategy "loss-weights(power=0.5)" --seeds 3
    """
    if suite is None:
        make_console().print(_table(_descriptions("suites")))
        raise InputError("run needs a suite: one of these or the path of a .toml file, as in imbench run quick")
    console = make_console(quiet=quiet)
    with Activity(console) as activity:
        if console.is_terminal:
            activity("starting")
        import torch

        from bench.engine.study_runner import StudyRunner
        from bench.machine.cores import default_workers
        from bench.metrics.selection_metric import DEFAULT
        from bench.planning.plan import make_plan
        from bench.records.store import Store
        from bench.tasks.fetch import fetch_missing
        from bench.train.clock import Clock

        torch.set_num_threads(1)  # as in the workers: costs are measured in this process
        load_plugins(plugin)
        chosen_suite = _choose_suite(suite, task, strategy, seeds, steps, conll2003, model)
        for block in chosen_suite.blocks:
            fetch_missing(block.task, say=partial(print, file=sys.stderr))
        chosen_device = choose_device(device)
        store = Store(out or _default_directory(chosen_suite, chosen_device, steps, model))
        store.check_place()
        clock = Clock()
        study_before = store.find_study()
        chosen_metric = choose_metric(metric, objective) or (DEFAULT if study_before is None else study_before.metric)
        check_margin_of(chosen_metric, margin)
        with clock("planning"):
            plan = make_plan(chosen_suite, chosen_device, chosen_metric, activity)
        if margin is None and study_before is not None and study_before.metric == chosen_metric:
            margin = study_before.margin
        plan = dataclasses.replace(
            plan,
            study=dataclasses.replace(
                plan.study, margin=margin, commands=[typed_command(context, "run", _NOT_OF_THE_STUDY)]
            ),
        )
        at_once = workers or default_workers(chosen_device.type)
        train_stacks = _choose_engine(engine, chosen_device, at_once, workers, address, gpus_per_worker)
        runner = StudyRunner(plan, store, chosen_device, train_stacks, at_once, clock)
        if dry_run:
            _print_plan(runner, console, activity, retry_failed=retry == "failed")
        else:
            _run_study(runner, console, activity, retry_failed=retry == "failed", verbose=verbose)


_NOT_OF_THE_STUDY = {"seeds", "out", "retry", "dry_run", "quiet", "verbose", "workers"}
"""Options that do not change what a study is, or that the report gives anew in a command that resumes it."""


def _choose_suite(
    name: str,
    tasks: list[str] | None,
    strategies: list[str] | None,
    seeds: int | None,
    steps: int | None,
    conll2003: Path | None,
    model: str | None,
) -> Suite:
    """Read a suite, and put what the command line asks for in place of its own tasks, strategies, seeds, steps and model."""
    from bench.planning.suite import filter_suite, read_suite, with_model, with_steps
    from bench.tasks import find_task
    from strategies import NotationError, parse

    whole_suite = read_suite(name, conll2003)  # first, since its plug-ins may register strategies that are asked for
    try:
        asked_strategies = [parse(text) for text in strategies or ()]
    except NotationError as error:
        raise InputError(str(error)) from None
    asked_tasks = [find_task(text, conll2003) for text in tasks or ()]
    suite = filter_suite(whole_suite, asked_tasks, asked_strategies, seeds)
    suite = suite if model is None else with_model(suite, model)
    return suite if steps is None else with_steps(suite, steps)


def _default_directory(suite: Suite, device: torch.device, steps: int | None, model: str | None) -> Path:
    """Return the results directory of a suite: another one for a user's data or model, or another number of steps.

    So one study never takes the place of another.
    """
    own_data = dict.fromkeys(Path(block.task.data_location).name for block in suite.blocks if block.task.data_location)
    own_model = [] if model is None else [Path(model.partition(":")[0]).stem]
    own_steps = [] if steps is None else [f"{steps}-steps"]
    return Path("results") / file_stem("-".join([suite.name, *own_data, *own_model, *own_steps, device.type]))


def _choose_engine(
    engine: str,
    device: torch.device,
    workers: int,
    ray_workers: int | None,
    address: str | None,
    gpus_per_worker: float,
) -> TrainStacks:
    """Return the function that trains stacks; Ray takes as many workers as the cluster has cores where none are asked for."""
    from bench.engine.local_workers import run_stacks as run_local_stacks
    from bench.engine.ray_workers import run_stacks as run_ray_stacks

    if engine == "local":
        return partial(run_local_stacks, workers=workers, device=str(device))
    return partial(
        run_ray_stacks, workers=ray_workers, device=str(device), address=address, gpus_per_worker=gpus_per_worker
    )


def _print_plan(runner: StudyRunner, console: Console, activity: Activity, *, retry_failed: bool) -> None:
    """Print what a study would train, in which stacks, and for how long."""
    from bench.terminal.progress import StudyDisplay, print_notes
    from bench.terminal.study_summary import format_preview

    with StudyDisplay(console, activity, summarise=lambda task: []) as display:
        print_notes(console, runner.notes())
        preview = runner.preview(display, retry_failed=retry_failed)
    activity.end()
    asked_for = make_console()
    asked_for.print(format_preview(preview, asked_for))


def _run_study(runner: StudyRunner, console: Console, activity: Activity, *, retry_failed: bool, verbose: bool) -> None:
    """Train and measure what is missing, write the report, and print the answer; exit code 1 if a run failed."""
    from bench.report.results_directory import report_study, summarise_verdicts
    from bench.terminal.progress import StudyDisplay
    from bench.terminal.study_summary import format_result, format_times

    try:
        with StudyDisplay(console, activity, partial(summarise_verdicts, runner.store)) as display:
            result = runner.run(display, retry_failed=retry_failed)
        activity("writing the report")
        with runner.clock("writing the report"):
            written = report_study(runner.store)
        verdicts = summarise_verdicts(runner.store)
    except KeyboardInterrupt:
        activity.end()
        print("imbench: stopped; run the same command again to resume", file=sys.stderr)
        raise typer.Exit(130) from None
    activity.end()
    for line in dict.fromkeys(line for worker in result.workers for line in worker.written.splitlines()):
        print(line, file=sys.stderr)
    lines = [*format_result(result)]
    if verbose:
        lines += [*format_times(result, runner.clock.seconds), "wrote:", *(f"  {path}" for path in written[:-1])]
    for line in [*lines, *verdicts]:
        console.print(line)
    console.print(f"report: {written[-1]}", soft_wrap=True)
    if result.failures:
        raise typer.Exit(1)


@app.command()
def status(directory: Annotated[Path, typer.Argument(help="A results directory.")], as_json: AsJson = False) -> None:
    """Print how many runs of a results directory are done, failed and missing, and which strategies were skipped.

    Example: imbench status results/quick-cpu
    """
    from bench.records.compared_seeds import with_compared_seeds
    from bench.records.store import Store

    store = Store(directory)
    warn_of_unreadable(store)
    study = with_compared_seeds(store.study())
    rows = _count_runs(store, study)
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    console, header = make_console(), [key for key in rows[0] if key != "skipped"]
    cells = [[str(row[key]) for key in header] for row in rows]
    notes = (f"note: {note}" for note in study.notes if note not in store.study().notes)
    console.print(count_table(console, header, cells, [*format_skipped(study), *notes]))


def _count_runs(store: Store, study: Study) -> list[dict[str, Any]]:
    """Return a row for each strategy and task of the study."""
    rows = []
    for planned in study.strategies:
        runs = list(planned.planned_runs())
        missing = [
            id for _, id, adjustments in runs if store.record(id, adjustments, study.adjustment_versions) is None
        ]
        failed = sum(store.failure(id) is not None for id in missing)
        rows.append(
            {
                "task": planned.task,
                "strategy": planned.strategy,
                "planned": len(runs),
                "done": len(runs) - len(missing),
                "failed": failed,
                "missing": len(missing) - failed,
                "skipped": planned.skipped or "",
            }
        )
    return rows


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="A results directory.")],
    other: Annotated[Path | None, typer.Argument(help="A later one, to be compared with the first.")] = None,
    metric: Metric = None,
    objective: Objective = None,
    margin: Margin = None,
    latex: Annotated[bool, typer.Option("--latex", help="Write the tables as tables/*.tex too.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write the report of a results directory again, or print what changed from it to another; train nothing.

    Examples: imbench report results/quick-cpu --metric balanced-accuracy; imbench report results/quick-cpu --latex;
    imbench report results/quick-cpu results/quick-cuda
    """
    console = make_console(quiet=quiet)
    with Activity(console) as activity:
        if console.is_terminal:
            activity("reading the records and writing the report" if other is None else "reading the records")
        from bench.records.store import Store
        from bench.report.results_directory import compare_studies, report_study

        store, chosen_metric = Store(directory), choose_metric(metric, objective)
        check_margin_of(chosen_metric or Store(other or directory).study().metric, margin)
        warn_of_unreadable(store)
        warnings: list[str] = []
        if latex and other is not None:
            raise InputError("--latex writes the tables of one results directory; give one, or leave --latex out")
        if other is None:
            answer = [str(path) for path in report_study(store, chosen_metric, margin, warnings.append, latex=latex)]
        else:
            warn_of_unreadable(Store(other))
            answer = [str(compare_studies(store, Store(other), chosen_metric, margin))]
    for line in warnings:
        print(f"imbench: {line}", file=sys.stderr)
    for text in answer:
        (console if other is None else make_console()).print(text, soft_wrap=True)


@app.command()
def audit(
    function: Annotated[
        str, typer.Argument(metavar="MODULE:FUNCTION", help="A function of your program, or FILE.py:FUNCTION.")
    ],
    quiet: Quiet = False,
) -> None:
    """Report what a loader really samples and how it is misconfigured: exit code 0 nothing found, 1 something found.

    FUNCTION takes no arguments and returns (loader_or_sampler, labels), or a dictionary of the arguments of
    strategies.audit, or a list of these. Example: imbench audit train:loader
    """
    from bench.user_code.audit_function import audit_function

    result = audit_function(function)
    audits = result if isinstance(result, list) else [result]
    if not quiet:
        print("\n\n".join(map(str, audits)))
    if not all(loader_audit.ok for loader_audit in audits):
        raise typer.Exit(1)


@app.command()
def samplers(
    sizes: Annotated[str, typer.Option(help="Numbers of items, such as 1e5,1e6,1e7,1e8.")] = "1e6",
    device: Device = "cpu",
    out: Annotated[
        Path | None, typer.Option(help="Directory for tables and figure; results/samplers-DEVICE if not given.")
    ] = None,
    draws_only: Annotated[
        bool, typer.Option("--draws-only", help="Time draws alone, not batches and memory; on a GPU always so.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure how fast every sampler is, compared with installed samplers of other packages and with a lower bound.

    Example: imbench samplers --sizes 1e6,1e7
    """
    from bench.speed.samplers.measure import measure_samplers
    from bench.speed.samplers.table import render_terminal
    from bench.speed.samplers.write import write_files

    chosen_sizes, on = _parse_sizes(sizes), choose_device(device)
    command = f"imbench samplers --sizes {sizes} --device {on.type}{' --draws-only' if draws_only else ''}"
    _measure_and_print(
        partial(measure_samplers, chosen_sizes, on, command, draws_only=draws_only),
        render_terminal,
        write_files,
        out or Path("results") / f"samplers-{on.type}",
        as_json=as_json,
        quiet=quiet,
    )


@app.command("train-bench")
def train_bench(
    model: Annotated[list[str] | None, typer.Option(help="Measure these models only.")] = None,
    widths: Annotated[
        str | None, typer.Option(help="Runs per stack; 1,2,5,10,20 if not given, on a GPU also 40.")
    ] = None,
    device: Device = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Directory for tables and figure; results/train-bench-DEVICE if not given.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure how fast stacks train, compared with naive and well-written loops by hand.

    Example: imbench train-bench --model mlp
    """
    from bench.speed.training.measure import measure_training
    from bench.speed.training.table import render_terminal
    from bench.speed.training.write import write_files

    on, models = choose_device(device), _choose_models(model)
    widths_text = widths if widths is not None else ("1,2,5,10,20,40" if on.type == "cuda" else "1,2,5,10,20")
    chosen_widths = _parse_widths(widths_text)
    model_options = "".join(f" --model {name}" for name in model or ())
    command = f"imbench train-bench{model_options} --widths {widths_text} --device {on.type}"
    _measure_and_print(
        partial(measure_training, models, chosen_widths, on, command),
        render_terminal,
        write_files,
        out or Path("results") / f"train-bench-{on.type}",
        as_json=as_json,
        quiet=quiet,
    )


def _measure_and_print(
    measure: Callable[[Callable[..., None]], Any],
    render: Callable[[Any], Any],
    write: Callable[[Any, Path], list[Path]],
    folder: Path,
    *,
    as_json: bool,
    quiet: bool,
) -> None:
    """Measure, with progress on standard error; write the result; print its table and its files' paths, or its JSON alone."""
    from bench.records.store import check_place

    check_place(folder, folder)
    result = measure(make_progress_console(quiet=quiet or as_json).print)
    rendered, paths = render(result), write(result, folder)
    if as_json:
        print(next(path for path in paths if path.suffix == ".json").read_text(encoding="utf-8"), end="")
        return
    console = make_console()
    console.print(rendered)
    for path in paths if not quiet else ():
        console.print(path, soft_wrap=True)


@app.command("speed-check")
def speed_check(
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="A baseline file, or a folder with one file per machine, in place of the one known for this machine.",
        ),
    ] = None,
    record: Annotated[
        bool, typer.Option("--record", help="Record a new baseline, at --baseline if it is given.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Report whether samplers have become slower: exit code 0 fine, 1 slower, 2 could not measure.

    Where no baseline is given or known for this processor, torch and numba, one is recorded; one that is given must exist.
    Examples: imbench speed-check; imbench speed-check --baseline speed/ --record
    """
    from bench.speed.regression.check import check_speed
    from bench.speed.regression.table import render_terminal

    check = check_speed(baseline, make_progress_console(quiet=quiet).print, record=record)
    make_console().print(render_terminal(check), soft_wrap=True)
    if check.slower:
        raise typer.Exit(1)


@app.command()
def fetch(
    datasets: Annotated[
        list[str],
        typer.Argument(
            help="conll2003, keel, keel-many-classes, covertype, kddcup99, openml:ID, wnut17, wikigold, or minilm."
        ),
    ],
    quiet: Quiet = False,
) -> None:
    """Fetch data sets into the per-user cache, verify them, and print their terms; compare and run do so where data are missing.

    Example: imbench fetch keel wnut17
    """
    from bench.tasks.fetch import fetch as fetch_one

    for name in datasets:
        fetch_one(name, say=(lambda line: None) if quiet else print)


def _choose_models(names: list[str] | None) -> list[str]:
    from bench.speed.training.synthetic_tasks import TASKS
    from strategies.notation import did_you_mean

    for name in names or ():
        if name not in TASKS:
            raise InputError(f"--model {name}: no model of this name; {did_you_mean(name, TASKS)}")
    return list(dict.fromkeys(names or TASKS))


def _parse_widths(text: str) -> list[int]:
    try:
        widths = [int(number) for number in text.split(",")]
    except ValueError:
        widths = []
    if not widths or min(widths) < 1 or max(widths) > 1000:
        raise InputError(f"--widths {text}: give numbers of runs from 1 to 1000, such as 1,5,20")
    return sorted(set(widths))


def _parse_sizes(text: str) -> list[int]:
    try:
        sizes = [int(float(number)) for number in text.split(",")]
    except (ValueError, OverflowError):
        sizes = []
    if not sizes or min(sizes) < 100 or max(sizes) >= 2**31:
        raise InputError(f"--sizes {text}: give numbers of items from 100 to 2e9, such as 1e6,1e7")
    return sorted(set(sizes))
