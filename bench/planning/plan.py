"""From a suite to the runs it asks for, and to the study that the report compares the records with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot

from bench.errors import InputError
from bench.estimators.check_classifier import check_estimator
from bench.estimators.estimator import Estimator
from bench.machine.facts import study_environment
from bench.metrics.classification import compute_metrics
from bench.metrics.part_evaluation import Predictions
from bench.metrics.selection_metric import DEFAULT, SelectionMetric, parse_metric
from bench.models.model import Model
from bench.planning.applicability import why_not_applicable
from bench.planning.grid import Configuration
from bench.planning.run import Run
from bench.planning.seeds import split_generator
from bench.planning.suite import Block, Suite
from bench.records.merge import two_corpora
from bench.records.record import RAW, VALIDATION_LABELS_ADDED, PlannedConfiguration, PlannedStrategy, Study, TaskFacts
from bench.tasks.leakage import note_shared_rows, refuse_held_out_rows
from bench.tasks.part import Pool
from bench.tasks.task import MissingData, Task, load_task
from strategies import IGNORED, ClassCounts, Strategy, parse
from strategies.adjust.threshold_metric import ThresholdMetric
from strategies.adjust.thresholds import Thresholds
from strategies.combination import combine, split_adjustment
from strategies.none import Plain


@dataclass(frozen=True)
class Plan:
    """The study and its runs, in the order of the suite."""

    study: Study
    runs: tuple[Run, ...]

    def with_seeds_below(self, seed: int) -> Plan:
        """Return the plan with only the runs of the seeds before `seed`."""

        def fewer(runs: dict[int, str]) -> dict[int, str]:
            return {own: id for own, id in runs.items() if own < seed}

        strategies = [
            dataclasses.replace(
                row,
                runs=fewer(row.runs),
                configurations=[dataclasses.replace(one, runs=fewer(one.runs)) for one in row.configurations],
            )
            for row in self.study.strategies
        ]
        study = dataclasses.replace(self.study, strategies=strategies)
        return Plan(study, tuple(run for run in self.runs if run.seed < seed))

    def with_adjustments(self, study: Study) -> Plan:
        """Return the plan with its runs evaluated under every adjustment that a strategy of the study asks for."""
        adjustments_by_id: dict[str, list[str]] = {}
        for planned in study.strategies:
            for _, id, adjustments in planned.planned_runs():
                adjustments_by_id.setdefault(id, []).extend(adjustments)
        parsed = {id: tuple(map(parse, dict.fromkeys(names))) for id, names in adjustments_by_id.items()}
        runs = tuple(dataclasses.replace(run, adjustments=parsed.get(run.id, ())) for run in self.runs)
        return dataclasses.replace(self, runs=runs)


@dataclass(frozen=True)
class _PreparedBlock:
    """A block of the suite with its task and its model, loaded to check them and to describe them in the study."""

    block: Block
    task: Task
    model: Model | Estimator
    metric: SelectionMetric


def make_plan(
    suite: Suite, device: torch.device, metric: str = DEFAULT, say: Callable[[str, str], None] = lambda what, on: None
) -> Plan:
    """Expand the suite; tasks are loaded here once, so that bad data are found before anything is trained.

    `say` is called with what is about to be done, and on which task. `metric` is what `bench.metrics.selection_metric` reads.
    Raises an InputError where a task has no such metric.
    """
    notes: list[str] = []
    blocks, prepared_blocks = [], []
    for block in suite.blocks:
        say("loading data", block.label)
        blocks.append(_replace_missing_data(block, notes))
        prepared_blocks.append(_prepare(blocks[-1], metric))
    _check_labels(suite, blocks)
    for prepared in prepared_blocks:
        say("checking the data for rows that training and test share", prepared.block.label)
        _check_data_and_metric(prepared)
        _check_losses(prepared)
    strategies: list[PlannedStrategy] = []
    runs: dict[str, Run] = {}
    for prepared in prepared_blocks:
        for strategy in prepared.block.strategies:
            planned, new_runs = _plan_strategy(prepared, strategy, suite.seeds)
            runs |= {run.id: runs.get(run.id, run) for run in new_runs}
            strategies.append(planned)
            if prepared.block.post_hoc and strategy == Plain():
                with_validation, new_runs = _add_validation_labels(planned, new_runs)
                runs |= {run.id: run for run in new_runs}
                strategies.append(with_validation)
    study = Study(
        suite.name,
        [_describe_task(prepared) for prepared in prepared_blocks],
        strategies,
        study_environment(device),
        list(dict.fromkeys(notes)),
        {prepared.block.label: _describe_protocol(prepared) for prepared in prepared_blocks},
        metric=metric,
        primary={block.label: list(map(str, block.primary)) for block in blocks if block.primary is not None},
    )
    plan = Plan(study, tuple(runs.values())).with_adjustments(study)
    versions = {str(adjustment): adjustment.version for run in plan.runs for adjustment in run.adjustments}
    return dataclasses.replace(plan, study=dataclasses.replace(study, adjustment_versions=versions))


def _prepare(block: Block, metric: str) -> _PreparedBlock:
    task = load_task(block.task, split_generator(block.task.label, 0))
    try:
        return _PreparedBlock(
            block, task, _load_learner(block, task), parse_metric(metric, task.train.labels.class_names)
        )
    except InputError as error:
        raise InputError(f"{block.label}: {error}") from None


def _load_learner(block: Block, task: Task) -> Model | Estimator:
    if not block.protocol.is_estimator:
        return block.protocol.load_model(task.shape)
    if task.inputs != "numbers":
        raise InputError(
            f"{block.protocol.model_name} is fitted to rows of numbers, and this task has words; give tasks of rows, such as "
            "--task digits-lt, or leave --model out"
        )
    estimator = block.protocol.load_estimator()
    if block.protocol.model_source:
        estimator = check_estimator(estimator, task.shape.features, task.shape.classes)
    return estimator


def _describe_protocol(prepared: _PreparedBlock) -> dict[str, Any]:
    """Return the protocol as the study keeps it: of an estimator with the hyper-parameters that it was built with."""
    identity = prepared.block.protocol.identity()
    model = prepared.model
    return {**identity, "estimator": model.description} if isinstance(model, Estimator) else identity


def _check_losses(prepared: _PreparedBlock) -> None:
    """Call the loss of every phase on two targets, so that a plug-in's mistake is found before anything is trained."""
    if isinstance(prepared.model, Estimator):
        return
    counts = ClassCounts.stack([prepared.task.train.labels.counts()])
    logits, targets = torch.zeros(1, 2, counts.num_classes), torch.tensor([[0, IGNORED]])
    for strategy in prepared.block.strategies:
        for phase in strategy.phases():
            try:
                loss = phase.strategy.training_loss(counts, generators=[Generator().manual_seed(0)])
                value = loss.per_run(logits, targets, features=torch.zeros(1, 2, 1))
            except Exception as error:
                raise InputError(f"{strategy} cannot be trained: {type(error).__name__}: {error}") from None
            if not isinstance(value, Tensor) or value.shape != (1,):
                raise InputError(
                    f"{strategy} cannot be trained: per_run(logits (S, M, C), targets (S, M)) of its loss must return one "
                    f"value per run, (S,); given for S = 1: {getattr(value, 'shape', type(value).__name__)}"
                )


def _plan_strategy(prepared: _PreparedBlock, strategy: Strategy, seeds: int) -> tuple[PlannedStrategy, list[Run]]:
    """Return a strategy on a task as planned, and its runs under every configuration that it is tuned over."""
    block, task = prepared.block, prepared.task
    is_ensemble = any(part.folder == "ensemble" for part in strategy.parts)
    planned = PlannedStrategy(block.label, str(strategy), extra_cost=_extra_cost(strategy), is_ensemble=is_ensemble)
    configurations = [Configuration("", strategy, block.protocol)]
    if block.tuning is not None:
        configurations = block.tuning.configurations(strategy, block.protocol)
    if (reason := _why_not(prepared, [configuration.strategy for configuration in configurations])) is not None:
        return dataclasses.replace(planned, skipped=reason), []
    planned_configurations, runs = [], []
    for configuration in configurations:
        trained, adjustment = split_adjustment(configuration.strategy)
        own_runs = [
            Run(
                block.task,
                trained,
                configuration.protocol,
                seed,
                task.fingerprint,
                metric=prepared.metric,
                block_name=block.name,
            )
            for seed in range(seeds)
        ]
        runs += own_runs
        planned_configurations.append(
            PlannedConfiguration(
                configuration.label,
                {run.seed: run.id for run in own_runs},
                RAW if adjustment is None else str(_tune_for(prepared.metric.name, adjustment)),
                "" if str(trained) == planned.strategy else str(trained),
                at_edge=configuration.at_edge,
            )
        )
    if block.tuning is None:
        planned = planned.with_configuration(planned_configurations[0])
    else:
        planned = dataclasses.replace(planned, configurations=planned_configurations)
    if split_adjustment(strategy)[1] is None:
        planned = dataclasses.replace(planned, post_hoc=_plan_post_hoc(prepared, configurations))
    return planned, runs


def _add_validation_labels(
    baseline: PlannedStrategy, baseline_runs: Sequence[Run]
) -> tuple[PlannedStrategy, list[Run]]:
    """Return the planned baseline with its validation labels added to training, and its runs, one for each of the baseline's."""
    runs = {run.id: dataclasses.replace(run, adds_validation=True) for run in baseline_runs}

    def ids(planned: dict[int, str]) -> dict[int, str]:
        return {seed: runs[id].id for seed, id in planned.items()}

    planned = dataclasses.replace(
        baseline,
        strategy=VALIDATION_LABELS_ADDED,
        runs=ids(baseline.runs),
        configurations=[dataclasses.replace(each, runs=ids(each.runs)) for each in baseline.configurations],
        post_hoc={},
        extra_cost="a second run, on training and validation labels",
    )
    return planned, list(runs.values())


def _plan_post_hoc(prepared: _PreparedBlock, configurations: Sequence[Configuration]) -> dict[str, str | None]:
    """Return the block's post-hoc adjustments, each with the reason why it cannot follow the strategy, None if it can."""
    reasons = {}
    for declared in prepared.block.post_hoc:
        adjustment = _tune_for(prepared.metric.name, declared)
        adjusted = [combine([configuration.strategy, adjustment]) for configuration in configurations]
        reasons[str(adjustment)] = _why_not(prepared, adjusted)
    return reasons


def _extra_cost(strategy: Strategy) -> str:
    """Return what a strategy, or each part of a combination, adds to the cost of plain training; empty for nothing."""
    return "; ".join(part.cost for part in strategy.parts if part.cost != "none")


def _tune_for(metric: str, adjustment: Strategy) -> Strategy:
    """Return thresholds tuned for the selection metric where they can be; other adjustments, and thresholds with a metric of
    their own, stay as they are."""
    tunable = metric in get_args(ThresholdMetric)
    return Thresholds(cast(ThresholdMetric, metric)) if tunable and adjustment == Thresholds() else adjustment


def _why_not(prepared: _PreparedBlock, strategies: Sequence[Strategy]) -> str | None:
    if prepared.metric.needs_probabilities and any(
        isinstance(part, Thresholds) for strategy in strategies for part in strategy.parts
    ):
        return f"no threshold moves {prepared.metric.name}, which depends on the order of the items alone"
    return why_not_applicable(strategies, prepared.task, prepared.model, prepared.block.protocol.steps)


def _check_data_and_metric(prepared: _PreparedBlock) -> None:
    """Refuse a task whose parts share many rows, and a metric that even perfect predictions have no value of."""
    task, metric = prepared.task, prepared.metric
    evaluate = Predictions.with_probabilities if metric.needs_probabilities else Predictions.of
    try:
        refuse_held_out_rows(Pool(task.train), task)
        for part in (task.valid, task.test):
            perfect = evaluate(one_hot(part.truth, task.train.labels.num_classes).double(), part)
            metric.value(perfect.evaluation(part, "last", "valid"))
    except InputError as error:
        raise InputError(f"{prepared.block.label}: {error}") from None


def _check_labels(suite: Suite, blocks: Sequence[Block]) -> None:
    """Refuse two blocks with one label, and two corpora of one name."""
    first_blocks: dict[str, Block] = {}
    for block in blocks:
        label = block.label
        first = first_blocks.setdefault(label, block)
        if first.task.data_location != block.task.data_location:
            raise two_corpora(label, first.task.data_location, block.task.data_location)
        if first is not block:
            raise InputError(f"suite {suite.name}: two blocks are called {label}; give one block all its strategies")


def _replace_missing_data(block: Block, notes: list[str]) -> Block:
    """Return the block, on the substitute of its task where the data are missing; a note is added to `notes`."""
    if (substitute := block.task.substitute) is None:
        return block
    try:
        block.task.load(split_generator(block.task.label, 0))
    except MissingData as missing:
        notes.append(f"{substitute.note}: {missing}")
        return dataclasses.replace(block, task=substitute.task)
    return block


def _describe_task(prepared: _PreparedBlock) -> TaskFacts:
    block, task = prepared.block, prepared.task
    labels = task.train.labels
    return TaskFacts(
        block.label,
        task.description,
        task.prior,
        list(labels.class_names),
        labels.counts().values.tolist(),
        len(labels),
        None if task.baseline is None else _measure_lookup(task, task.baseline),
        [
            *task.notes,
            *task.note_absent_classes(),
            *note_shared_rows(task),
            *filter(None, [block.protocol.user_module_note]),
        ],
        task.fingerprint,
        block.task.data_location,
        resplit=task.resplit,
        valid_counts=task.valid_counts.tolist(),
        learner=Path(block.protocol.model).name if block.name else "",
        columns=list(task.columns),
    )


def _measure_lookup(task: Task, classes: Tensor) -> dict[str, float]:
    """Return the metrics on test of the most-frequent-tag lookup, without a likelihood: it gives no probabilities."""
    evaluation = Predictions(classes, nll=float("nan")).evaluation(task.test, "chosen", "test")
    values = compute_metrics(evaluation.confusion, 0.0, evaluation.entities)
    return {name: value for name, value in values.items() if name != "nll"}
