"""A comparison of learners and remedies on a user's data, from its task to the report."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import takewhile
from pathlib import Path

import torch

from bench.comparison.budget import (
    AFTER_TRAINING_SECONDS,
    FEWEST_SEEDS,
    SEEDS,
    Afforded,
    RunTime,
    Times,
    afford,
    describe,
    pilot_seconds,
    training_seconds,
)
from bench.comparison.pilot import time_estimator, time_neural
from bench.comparison.suite_for_data import is_trained, suite_for_data
from bench.comparison.table_memory import available_memory, choose_workers
from bench.engine import local_workers
from bench.engine.events import Observer, TrainStacks, ignore
from bench.engine.study_runner import StudyResult, StudyRunner
from bench.errors import InputError
from bench.machine.cores import default_workers
from bench.metrics.selection_metric import DEFAULT
from bench.planning.plan import Plan, make_plan
from bench.planning.run import Run
from bench.planning.seeds import split_generator
from bench.planning.suite import Block, Suite
from bench.records.record import RAW, Study
from bench.records.store import Store
from bench.report.results_directory import load_study, report_study, summarise_verdicts
from bench.report.validation_choice import ON_VALIDATION, Candidate, Choice, choose_on_validation
from bench.script.script_file import write_script
from bench.script.script_process import run_script
from bench.tasks.loaded_tasks import forget_loaded_tasks
from bench.tasks.task import TaskSpec
from bench.text.file_names import file_stem
from bench.train.clock import Clock

Say = Callable[[str, str], None]
"""Is called with what is about to be done, and on what."""


@dataclass(frozen=True)
class Options:
    """What a user may ask of a comparison; None or empty where the comparison decides."""

    metric: str | None = None
    margin: float | None = None
    budget_seconds: float = 300.0
    seeds: int | None = None
    strategies: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    out: Path | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    workers: int | None = None
    command: str = ""
    """The command that the report names."""
    began: float = field(default_factory=time.monotonic)
    """When the user's command began, on the monotonic clock."""

    @property
    def at_once(self) -> int:
        """How many stacks are trained at a time."""
        return self.workers or default_workers(self.device.type)

    @property
    def seconds_left(self) -> float:
        """What is left of the budget."""
        return self.budget_seconds - (time.monotonic() - self.began)


@dataclass(frozen=True)
class PreparedComparison:
    """What a budget affords, and the runner that trains it."""

    runner: StudyRunner
    afforded: str
    """What the budget affords, in a sentence."""


@dataclass(frozen=True)
class FinishedComparison:
    """What a comparison came to."""

    store: Store
    result: StudyResult
    page: Path
    script: Path | None = None
    """The script that trains and uses the winner; None where there is none."""
    script_note: str = ""
    """What the script scored when it was run, or why there is none."""

    @cached_property
    def choice(self) -> Choice | None:
        """The learner and the strategy that were chosen on validation; None if no strategy has finished."""
        return choose_on_validation(load_study(self.store).results())

    @property
    def summary(self) -> list[str]:
        """The verdict in a few lines."""
        return [*summarise_verdicts(self.store), *filter(None, [self.result.left_out])]

    @property
    def files(self) -> list[str]:
        """What was written, and what the script scored."""
        script = [] if self.script is None else [f"script: {self.script}"]
        return [f"report: {self.page}", *script, *filter(None, [self.script_note])]


def prepare_comparison(spec: TaskSpec, options: Options, say: Say, observe: Observer = ignore) -> PreparedComparison:
    """Measure what the budget affords, and return what trains it; only first fits of estimators are kept.

    Raises an InputError for data, models, strategies and options that cannot be used.
    """
    store = Store(
        options.out
        or default_directory(Path(spec.data_location).stem or spec.label, getattr(spec, "target", ""), options.device)
    )
    store.check_place()
    before = store.find_study()
    metric = options.metric or (DEFAULT if before is None else before.metric)
    say("loading data", spec.label)
    workers, memory_note = choose_workers(spec, options.at_once, available_memory())
    options = dataclasses.replace(options, workers=workers)
    task = spec.load(split_generator(spec.label, 0))
    usual = suite_for_data(
        spec, task, models=options.models, strategies=options.strategies, seeds=options.seeds or SEEDS
    )
    wish = _with_steps_of(before, usual)
    first_seeds = make_plan(dataclasses.replace(wish, seeds=1), options.device, metric, say)
    store.check_environment(first_seeds.study.environment)
    train_stacks: TrainStacks = partial(local_workers.run_stacks, workers=options.at_once, device=str(options.device))
    done = _count_done(before, first_seeds, store)
    times = _measure_times(first_seeds, done, wish.seeds, store, options, train_stacks, observe)
    seconds_left = options.seconds_left
    afforded = afford(
        times,
        training_seconds(seconds_left),
        options.at_once,
        seeds=options.seeds,
        keep_all=bool(options.strategies),
        keep_steps=before is not None,
    )
    sentence = describe(afforded, options.budget_seconds, seconds_left, _step_share(wish, usual))
    plan = make_plan(_afforded_suite(wish, first_seeds, afforded), options.device, metric)
    study = dataclasses.replace(
        plan.study,
        margin=options.margin,
        commands=[options.command] if options.command else [],
        chosen_on=ON_VALIDATION,
        notes=[*plan.study.notes, sentence, *filter(None, [memory_note])],
    )
    runner = StudyRunner(
        dataclasses.replace(plan, study=study),
        store,
        options.device,
        train_stacks,
        options.at_once,
        Clock(),
        first_seeds=None if options.seeds else FEWEST_SEEDS,
        deadline=options.began + options.budget_seconds - AFTER_TRAINING_SECONDS,
    )
    return PreparedComparison(runner, sentence)


def run_comparison(prepared: PreparedComparison, say: Say, observe: Observer = ignore) -> FinishedComparison:
    """Train what is missing, and write the report."""
    result = prepared.runner.run(observe)
    say("writing the report", "")
    written = report_study(prepared.runner.store)
    finished = FinishedComparison(prepared.runner.store, result, page=written[-1])
    if finished.choice is None:
        return finished
    say("writing the script for the winner, and running it", "")
    return _with_script(finished, finished.choice.chosen, prepared.runner.plan.runs)


def _with_script(finished: FinishedComparison, chosen: Candidate, runs: Sequence[Run]) -> FinishedComparison:
    """Write the script that repeats the first run of the winner, and run it once, to see that it scores the same."""
    store, id = finished.store, chosen.runs[min(chosen.runs)]
    run, record = next((run for run in runs if run.id == id), None), store.record(id)
    if run is None or record is None:
        note = (
            f"no script: an earlier command compared {chosen.strategy} with {chosen.learner}; run that one again for it"
        )
        return dataclasses.replace(finished, script_note=note)
    expected = run.metric.value(record.evaluation("chosen", "test", chosen.adjustment))
    try:
        script = write_script(run, record, store.directory, adjustment=chosen.adjustment)
    except InputError as error:
        return dataclasses.replace(finished, script_note=f"no script: {error}")
    forget_loaded_tasks()  # the script loads the data anew: of a large table, memory is too small for both
    try:
        scored = run_script(script)
    except InputError as error:
        return dataclasses.replace(finished, script=script, script_note=f"the script could not be checked: {error}")
    found = "as the comparison did" if abs(scored - expected) < 1e-3 else "unlike the comparison"
    note = f"run once, the script scored {scored:.4f} on test with seed {run.seed}, {found} ({expected:.4f})"
    return dataclasses.replace(finished, script=script, script_note=note)


def default_directory(name: str, target: str, device: torch.device) -> Path:
    """Return the results directory of a user's data: named for the file, the target and the kind of device.

    >>> default_directory("fraud", "is fraud", torch.device("cpu")).name
    'fraud-is_fraud-cpu'
    >>> default_directory("keel:yeast4", "class", torch.device("cpu")).name
    'keel_yeast4-class-cpu'
    """
    words = "-".join(filter(None, [name, target, device.type]))
    return Path("results") / file_stem(re.sub(r"[\s:]+", "_", words))


def _with_steps_of(before: Study | None, suite: Suite) -> Suite:
    """Return the suite with the training steps of an earlier study, whose runs it resumes."""

    def as_before(block: Block) -> Block:
        known = {} if before is None else before.protocols.get(block.label, {})
        same = dataclasses.replace(
            block.protocol,
            steps=known.get("steps", block.protocol.steps),
            validate_every=known.get("validate_every", block.protocol.validate_every),
        )
        return dataclasses.replace(block, protocol=same) if same.identity() == known else block

    return dataclasses.replace(suite, blocks=tuple(map(as_before, suite.blocks)))


def _step_share(suite: Suite, usual: Suite) -> float:
    """Return the share of the usual training steps of the neural models; 1 where there are none."""
    shares = [
        block.protocol.steps / of_usual.protocol.steps
        for block, of_usual in zip(suite.blocks, usual.blocks, strict=True)
        if not block.protocol.is_estimator
    ]
    return min(shares, default=1.0)


def _count_done(before: Study | None, first_seeds: Plan, store: Store) -> dict[str, int]:
    """Return how many seeds, from 0 on, an earlier study has done of the strategy that each of the runs trains, by run id."""
    rows = () if before is None else before.strategies
    seeds = {row.runs[0]: row.runs for row in rows if row.adjustment == RAW and 0 in row.runs}
    return {
        run.id: sum(1 for _ in takewhile(lambda id: store.record(id) is not None, seeds[run.id].values()))
        for run in first_seeds.runs
        if run.id in seeds
    }


def _measure_times(
    first_seeds: Plan,
    done: Mapping[str, int],
    seeds: int,
    store: Store,
    options: Options,
    train_stacks: TrainStacks,
    observe: Observer,
) -> Mapping[str, Times]:
    """Return the time of a run of every strategy by learner; nothing is measured where all is done already."""
    runs_by_learner: dict[str, list[Run]] = {}
    for run in first_seeds.runs:
        if not run.adds_validation:
            runs_by_learner.setdefault(run.protocol.model_name, []).append(run)
    times: dict[str, Times] = {}
    for learner, runs in runs_by_learner.items():
        if all(done.get(run.id, 0) >= seeds for run in runs):
            times[learner] = {str(run.strategy): RunTime(0.0) for run in runs}
        elif runs[0].protocol.is_estimator:
            times[learner] = time_estimator(runs, store, train_stacks, pilot_seconds(options.budget_seconds), observe)
        else:
            times[learner] = time_neural(runs, options.device, options.at_once, observe)
        times[learner] = {
            str(run.strategy): dataclasses.replace(times[learner][str(run.strategy)], done=done.get(run.id, 0))
            for run in runs
        }
    return times


def _afforded_suite(wish: Suite, first_seeds: Plan, afforded: Afforded) -> Suite:
    """Return the suite with what the budget affords; what is not applicable stays, to be reported with the reason."""
    skipped = {(row.task, row.strategy) for row in first_seeds.study.strategies if row.skipped}

    def fitted(block: Block) -> Block:
        kept = set(afforded.strategies[block.protocol.model_name])
        strategies = [
            strategy
            for strategy in block.strategies
            if not is_trained(strategy) or str(strategy) in kept or (block.label, str(strategy)) in skipped
        ]
        protocol = block.protocol
        if not protocol.is_estimator:
            protocol = dataclasses.replace(
                protocol,
                steps=int(protocol.steps * afforded.step_share),
                validate_every=int(protocol.validate_every * afforded.step_share),
            )
        return dataclasses.replace(block, strategies=tuple(strategies), protocol=protocol)

    return dataclasses.replace(wish, seeds=afforded.seeds, blocks=tuple(map(fitted, wish.blocks)))
