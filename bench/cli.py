"""The command line: `imbench`."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from bench.errors import InputError
from bench.terminal.console import counted, declined, screen, warn_of_unreadable

app = typer.Typer(
    name="imbench",
    help="Which remedy for class imbalance to use on your data, what it costs, and the code: measured.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what was asked for, no progress.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Corpus = Annotated[
    Path | None,
    typer.Option("--conll2003", envvar="IMBENCH_CONLL2003", help="A directory with CoNLL-2003; wins over the cache."),
]
Objective = Annotated[
    str | None,
    typer.Option(
        metavar="MEASURE|COSTS.csv",
        help="What decides: macro-f1, balanced-accuracy, worst-class-recall, entity-f1, or a file with the cost of each "
        "mistake; macro-f1 if not given, or what the results directory was run with.",
    ),
]
Plugins = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="A Python file that registers strategies of yours."),
]

_RAW = "Value error, "
"""What a checker of arguments says before its own words."""


def main() -> None:
    """Runs the command; what a user can mend is one line on standard error and exit code 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except InputError as error:
        print(f"imbench: {error}", file=sys.stderr)
    except OSError as error:
        print(
            f"imbench: {error.filename or 'a file'}: {error.strerror}; give a place that can be used", file=sys.stderr
        )
    except TyperException as error:
        if message := error.format_message().rstrip("."):  # none after the help that stands for a missing command
            print(
                f"imbench: {message.replace(_RAW, '')}; see imbench --help, or imbench COMMAND --help", file=sys.stderr
            )
    sys.exit(2)


@app.command("list")
def list_(
    what: Annotated[Literal["strategies", "tasks", "models", "suites"], typer.Argument()] = "strategies",
    as_json: AsJson = False,
    plugin: Plugins = None,
) -> None:
    """List what there is; strategies with formula, paper, defaults and cost: --json, and strategies/CONTENTS.md.

    Example: imbench list strategies
    """
    _load(plugin)
    if as_json:
        print(json.dumps(_described(what), indent=1))
        return
    rows = _known(what)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for row in rows:
        table.add_row(*row)
    screen().print(table)


def _load(plugins: list[Path] | None) -> None:
    """Finds all strategies: those of the package, of installed packages, of these files."""
    from strategies import NotationError, names
    from strategies.registry import load_file

    try:
        names()
        for path in plugins or ():
            load_file(path)
    except NotationError as error:
        raise InputError(str(error)) from None


def _described(what: str) -> list[dict[str, Any]]:
    from strategies.contents import entries

    if what == "strategies":
        return [dataclasses.asdict(each) for each in entries()]
    return [{"name": name, "description": description} for name, description in _known(what)]


def _known(what: str) -> list[tuple[str, str]]:
    from bench.models import MODELS
    from bench.planning.suite import read_suite, suites
    from bench.tasks import KNOWN
    from strategies.contents import entries

    if what == "strategies":
        return [(each.name, f"{each.description} [{each.folder}]") for each in entries()]
    if what == "tasks":
        return list(KNOWN.items())
    if what == "models":
        return [(model.name, str(model)) for model in MODELS]
    return [(name, read_suite(name).title) for name in suites()]


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help="quick, full, tuned, learning, or the path of a .toml file.")],
    strategy: Annotated[list[str] | None, typer.Option(help="Run these strategies in place of the suite's.")] = None,
    task: Annotated[list[str] | None, typer.Option(help="Run these tasks only.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Seeds 0 to N-1 in place of the suite's.")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto takes a GPU if there is one.")] = "auto",
    engine: Annotated[Literal["local", "ray"], typer.Option(help="Processes of this machine, or Ray.")] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Stacks at a time; as many as cores, one on a GPU.")
    ] = None,
    address: Annotated[str | None, typer.Option(help="Ray: a running cluster, such as auto or HOST:6379.")] = None,
    gpus_per_worker: Annotated[float, typer.Option(min=0.0, help="Ray: the share of a GPU that a stack takes.")] = 1.0,
    out: Annotated[Path | None, typer.Option(help="Where results go; results/SUITE-DEVICE if not given.")] = None,
    objective: Objective = None,
    retry: Annotated[Literal["failed"] | None, typer.Option(help="Train again what failed before.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan with predicted time; train nothing.")
    ] = False,
    conll2003: Corpus = None,
    plugin: Plugins = None,
    model: Annotated[
        str | None, typer.Option(metavar="FILE.py:NAME", help="An nn.Module of yours, as this function makes it.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Train what is missing, measure costs, write tables and figures. A stopped run goes on where it stopped.

    Example: imbench run quick --task digits-lt --strategy "loss-weights(power=0.5)" --seeds 3
    """
    import torch

    from bench.engine.local_workers import run_stacks as local_stacks
    from bench.engine.ray_workers import run_stacks as ray_stacks
    from bench.engine.study_runner import StudyRunner
    from bench.metrics.selection_metric import DEFAULT
    from bench.planning.plan import filter_suite, make_plan
    from bench.planning.suite import read_suite, with_model
    from bench.records.store import Store
    from bench.tasks import find_task
    from bench.terminal.study_summary import ended, planned
    from bench.train.clock import Clock
    from strategies import NotationError, parse

    torch.set_num_threads(1)  # as in the workers: costs are measured in this process
    console = screen(quiet=quiet)
    _load(plugin)
    try:
        strategies = [parse(each) for each in strategy or ()]
    except NotationError as error:
        raise InputError(str(error)) from None
    chosen = filter_suite(
        read_suite(suite, conll2003), [find_task(each, conll2003) for each in task or ()], strategies, seeds
    )
    if model is not None:
        chosen = with_model(chosen, model)
    on = _device(device)
    store = Store(out or Path("results") / f"{chosen.name}-{on.type}")
    store.check_place()
    clock = Clock()
    known = store.known()
    goal = _objective(objective) or (DEFAULT if known is None else known.metric)
    with clock("planning"):
        plan = make_plan(chosen, on, goal)
    at_once = workers or (1 if on.type == "cuda" else os.cpu_count() or 1)
    if engine == "ray":
        train = partial(ray_stacks, workers=workers, device=str(on), address=address, gpus_per_worker=gpus_per_worker)
    else:
        train = partial(local_stacks, workers=at_once, device=str(on))
    running = StudyRunner(plan, store, on, train, at_once, console, clock)
    if dry_run:
        running.say_notes()
        asked = screen()
        asked.print(planned(running, asked, retry_failed=retry == "failed"))
        return
    try:
        written = running.go(retry_failed=retry == "failed")
    except KeyboardInterrupt:
        print("imbench: stopped; the same command goes on from here", file=sys.stderr)
        raise typer.Exit(130) from None
    for line in ended(running, written):
        console.print(line, soft_wrap=True)
    if running.failures():
        raise typer.Exit(1)


@app.command()
def status(directory: Annotated[Path, typer.Argument()], as_json: AsJson = False) -> None:
    """Say what a results directory holds and what is missing.

    Example: imbench status results/quick-cpu
    """
    from bench.records.store import Store

    store = Store(directory)
    warn_of_unreadable(store)
    rows = []
    for row in store.study().strategies:
        each = list(row.planned_runs())
        missing = [id for _, id, asked in each if store.record(id, asked) is None]
        failed = sum(store.failure(id) is not None for id in missing)
        rows.append(
            {"task": row.task, "strategy": row.strategy, "planned": len(each), "done": len(each) - len(missing)}
            | {"failed": failed, "missing": len(missing) - failed, "declined": row.skipped or ""}
        )
    if as_json:
        print(json.dumps(rows, indent=1))
        return
    console, header = screen(), [key for key in rows[0] if key != "declined"]
    cells = [[str(row[key]) for key in header] for row in rows]
    console.print(counted(console, header, cells, declined(store.study())))


@app.command()
def report(
    directory: Annotated[Path, typer.Argument(help="What a run wrote.")],
    other: Annotated[Path | None, typer.Argument(help="What a later run wrote, to be compared with the first.")] = None,
    objective: Objective = None,
    quiet: Quiet = False,
) -> None:
    """Write tables, figures and page again from what a results directory holds; or say what changed from it to another.

    Nothing is trained. Examples: imbench report results/quick-cpu --objective balanced-accuracy;
    imbench report results/quick-cpu results/quick-cuda
    """
    from bench.engine.study_runner import compared
    from bench.engine.study_runner import report as write
    from bench.records.store import Store

    store = Store(directory)
    warn_of_unreadable(store)
    if other is not None:
        warn_of_unreadable(Store(other))
        print(compared(store, Store(other), objective))
        return
    for path in write(store, _objective(objective)):
        screen(quiet=quiet).print(path, soft_wrap=True)


@app.command()
def audit(
    function: Annotated[
        str, typer.Argument(metavar="MODULE:FUNCTION", help="A function of yours, or FILE.py:FUNCTION.")
    ],
    quiet: Quiet = False,
) -> None:
    """Say what a loader really draws and what is wrong with its wiring: exit code 0 nothing, 1 something.

    FUNCTION takes nothing and returns (loader_or_sampler, labels), or a dictionary of the arguments of strategies.audit,
    or a list of these. Example: imbench audit train:loader
    """
    from bench.user_code.audit_function import audit_function

    found = audit_function(function)
    audits = found if isinstance(found, list) else [found]
    if not quiet:
        print("\n\n".join(map(str, audits)))
    if not all(each.ok for each in audits):
        raise typer.Exit(1)


@app.command()
def samplers(
    sizes: Annotated[str, typer.Option(help="Numbers of items, such as 1e5,1e6,1e7,1e8.")] = "1e6",
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto takes a GPU if there is one.")] = "cpu",
    out: Annotated[
        Path | None, typer.Option(help="Where tables and figure go; results/samplers-DEVICE if not given.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure how fast every sampler is, compared with installed samplers of other packages and with a lower bound.

    Example: imbench samplers --sizes 1e6,1e7
    """
    from bench.records.store import check_place
    from bench.speed.samplers.measure import measure_samplers
    from bench.speed.samplers.table import render_terminal
    from bench.speed.samplers.write import write_files

    item_counts, torch_device = _sizes(sizes), _device(device)
    folder = out or Path("results") / f"samplers-{torch_device.type}"
    check_place(folder, folder)
    command = f"imbench samplers --sizes {sizes} --device {torch_device.type}"
    progress = Console(stderr=True, quiet=quiet or as_json, highlight=False, markup=False)
    measurement = measure_samplers(item_counts, torch_device, command, progress.print)
    _tell(render_terminal(measurement), write_files(measurement, folder), as_json=as_json, quiet=quiet)


@app.command("train-bench")
def train_bench(
    model: Annotated[list[str] | None, typer.Option(help="Measure these models only.")] = None,
    widths: Annotated[
        str | None, typer.Option(help="Numbers of runs in a stack; 1,2,5,10,20 if not given, on a GPU 40 too.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto takes a GPU if there is one.")] = "auto",
    out: Annotated[
        Path | None, typer.Option(help="Where tables and figure go; results/train-bench-DEVICE if not given.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Measure how fast stacks train, compared with naive and well-written loops by hand.

    Example: imbench train-bench --model mlp
    """
    from bench.records.store import check_place
    from bench.speed.training.measure import measure_training
    from bench.speed.training.table import render_terminal
    from bench.speed.training.write import write_files

    torch_device, models = _device(device), _models(model)
    asked_widths = (
        widths if widths is not None else ("1,2,5,10,20,40" if torch_device.type == "cuda" else "1,2,5,10,20")
    )
    stack_widths = _widths(asked_widths)
    folder = out or Path("results") / f"train-bench-{torch_device.type}"
    check_place(folder, folder)
    model_options = "".join(f" --model {name}" for name in model or ())
    command = f"imbench train-bench{model_options} --widths {asked_widths} --device {torch_device.type}"
    progress = Console(stderr=True, quiet=quiet or as_json, highlight=False, markup=False)
    measurement = measure_training(models, stack_widths, torch_device, command, progress.print)
    _tell(render_terminal(measurement), write_files(measurement, folder), as_json=as_json, quiet=quiet)


@app.command("speed-check")
def speed_check(
    baseline: Annotated[
        Path | None, typer.Option(help="A baseline file to compare with, in place of the one known for this machine.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Check whether samplers have become slower: exit code 0 fine, 1 slower, 2 could not measure.

    Without a baseline for this processor, torch and numba, one is recorded. Example: imbench speed-check
    """
    from bench.speed.regression.check import check_speed
    from bench.speed.regression.table import render_terminal

    progress = Console(stderr=True, quiet=quiet, highlight=False, markup=False)
    check = check_speed(baseline, progress.print)
    screen().print(render_terminal(check), soft_wrap=True)
    if check.slower:
        raise typer.Exit(1)


def _objective(given: str | None) -> str | None:
    """The name of a measure, or a file's whole path, so that it is found from any directory."""
    return str(Path(given).resolve()) if given is not None and Path(given).is_file() else given


def _models(given: list[str] | None) -> list[str]:
    from bench.speed.training.synthetic_tasks import TASKS

    for name in given or ():
        if name not in TASKS:
            raise InputError(f"--model {name}: there is no model of this name; known: {', '.join(TASKS)}")
    return list(dict.fromkeys(given or TASKS))


def _widths(given: str) -> list[int]:
    try:
        widths = [int(each) for each in given.split(",")]
    except ValueError:
        widths = []
    if not widths or min(widths) < 1 or max(widths) > 1000:
        raise InputError(f"--widths {given}: give numbers of runs from 1 to 1000, such as 1,5,20")
    return sorted(set(widths))


def _tell(shown: Any, paths: list[Path], *, as_json: bool, quiet: bool) -> None:
    """Prints a measurement that was written: its table and the paths of its files, or its JSON alone."""
    if as_json:
        print(next(path for path in paths if path.suffix == ".json").read_text(encoding="utf-8"), end="")
        return
    console = screen()
    console.print(shown)
    for path in paths if not quiet else ():
        console.print(path, soft_wrap=True)


def _sizes(given: str) -> list[int]:
    try:
        sizes = [int(float(each)) for each in given.split(",")]
    except (ValueError, OverflowError):
        sizes = []
    if not sizes or min(sizes) < 100 or max(sizes) >= 2**31:
        raise InputError(f"--sizes {given}: give numbers of items from 100 to 2e9, such as 1e6,1e7")
    return sorted(set(sizes))


@app.command()
def fetch(datasets: Annotated[list[str], typer.Argument(help="conll2003")], quiet: Quiet = False) -> None:
    """Fetch a data set into the per-user cache.

    Example: imbench fetch conll2003
    """
    from bench.tasks.fetch import fetch as fetch_one

    for name in datasets:
        fetch_one(name, say=(lambda line: None) if quiet else print)


def _device(asked: str) -> Any:
    import torch

    if asked == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: this torch sees no CUDA device; use --device cpu or auto")
    return torch.device("cuda" if asked != "cpu" and torch.cuda.is_available() else "cpu")
