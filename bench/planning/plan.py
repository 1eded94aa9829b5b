"""From a suite to trainings: what applies, what is declined and why, what stands in for data that cannot be had."""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np
import torch
from torch import Tensor

from bench.errors import InputError
from bench.machine.facts import processor
from bench.metrics.classification import measures
from bench.metrics.part_evaluation import Predictions
from bench.metrics.selection_metric import DEFAULT
from bench.metrics.selection_metric import parse_metric as objective_of
from bench.models.model import Model
from bench.models.user_module import UserModule
from bench.models.variant import ModelVariant
from bench.planning.grid import Configuration
from bench.planning.phase_steps import too_short
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.planning.seeds import sub_seed
from bench.planning.suite import Block, Suite
from bench.records.merge import two_corpora
from bench.records.record import RAW, PlannedConfiguration, PlannedStrategy, Study, TaskFacts
from bench.tasks.conll2003 import MissingData
from bench.tasks.leakage import refuse_held_out_rows
from bench.tasks.part import Pool
from bench.tasks.tagged import Conll2003, ConllFiles, SyntheticConll
from bench.tasks.task import Task, TaskSpec
from strategies import Strategy, parse
from strategies.adjust.threshold_metric import ThresholdMetric
from strategies.adjust.thresholds import Thresholds
from strategies.combination import combine, split_adjustment


@dataclass(frozen=True)
class Plan:
    """The study and its trainings, in the order of the suite."""

    study: Study
    runs: tuple[Run, ...]

    def evaluating(self, study: Study) -> Plan:
        """The same trainings, evaluated under every adjustment that a row of the study asks for."""
        asked: dict[str, list[str]] = {}
        for row in study.strategies:
            for _, id, adjustments in row.planned_runs():
                asked.setdefault(id, []).extend(adjustments)
        under = {id: tuple(map(parse, dict.fromkeys(adjustments))) for id, adjustments in asked.items()}
        each = tuple(dataclasses.replace(t, adjustments=under.get(t.id, ())) for t in self.runs)
        return dataclasses.replace(self, runs=each)


def make_plan(suite: Suite, device: torch.device, objective: str = DEFAULT) -> Plan:
    """Expands the suite; tasks are prepared here once, so that bad data is found before anything is trained.

    `objective` is what `bench.metrics.selection_metric` reads; `InputError` where a task cannot be judged by it.
    """
    notes: list[str] = []
    blocks = [_with_data(block, notes) for block in suite.blocks]
    tasks = [block.task.load(_split_seed(block.task, 0)) for block in blocks]
    models = [_model(*each) for each in zip(blocks, tasks, strict=True)]
    _check_labels(suite, blocks)
    for block, task in zip(blocks, tasks, strict=True):
        _check(block, task, objective)
    rows: list[PlannedStrategy] = []
    runs: dict[str, Run] = {}
    for block, task, model in zip(blocks, tasks, models, strict=True):
        for strategy in block.strategies:
            row, each = _row(block, task, model, strategy, suite.seeds, objective)
            runs |= {t.id: runs.get(t.id, t) for t in each}
            rows.append(row)
    study = Study(
        suite.name,
        [_facts(block, task) for block, task in zip(blocks, tasks, strict=True)],
        rows,
        _environment(device),
        list(dict.fromkeys(notes)),
        {block.task.label: block.protocol.identity() for block in blocks},
        metric=objective,
        primary={block.task.label: list(map(str, block.primary)) for block in blocks if block.primary is not None},
    )
    return Plan(study, tuple(runs.values())).evaluating(study)


def _row(
    block: Block, task: Task, model: Model, strategy: Strategy, seeds: int, objective: str
) -> tuple[PlannedStrategy, list[Run]]:
    """A strategy on a task, with its trainings under every setting that it is tuned over."""
    row = PlannedStrategy(block.task.label, str(strategy), extra_cost=_adds(strategy))
    settings = [Configuration("", strategy, block.protocol)]
    if block.tuning is not None:
        settings = block.tuning.settings(strategy, block.protocol)
    if (declined := _why_not(block, task, model, [each.strategy for each in settings])) is not None:
        return dataclasses.replace(row, skipped=declined), []
    candidates, runs = [], []
    for setting in settings:
        trained, adjustment = split_adjustment(setting.strategy)
        each = [Run(block.task, trained, setting.protocol, seed, task.fingerprint) for seed in range(seeds)]
        runs += each
        under = RAW if adjustment is None else str(_tuned_for(objective, adjustment))
        trained_as = "" if str(trained) == row.strategy else str(trained)
        candidates.append(
            PlannedConfiguration(setting.label, {t.seed: t.id for t in each}, under, trained_as, at_edge=setting.edge)
        )
    row = (
        row.with_configuration(candidates[0])
        if block.tuning is None
        else dataclasses.replace(row, configurations=candidates)
    )
    if split_adjustment(strategy)[1] is None:
        free = {}
        for adjustment in (_tuned_for(objective, each) for each in block.free):
            both = [combine([each.strategy, adjustment]) for each in settings]
            free[str(adjustment)] = _why_not(block, task, model, both)
        row = dataclasses.replace(row, post_hoc=free)
    return row, runs


def _adds(strategy: Strategy) -> str:
    """What a strategy, or each part of a combination, says that it adds to plain training; empty for nothing."""
    return "; ".join(part.cost for part in strategy.parts if part.cost != "none")


def _tuned_for(objective: str, adjustment: Strategy) -> Strategy:
    """Thresholds that are tuned for what decides, where they can be; what says itself what it is tuned for stays so."""
    known = objective in get_args(ThresholdMetric)
    return Thresholds(cast(ThresholdMetric, objective)) if known and adjustment == Thresholds() else adjustment


def _why_not(block: Block, task: Task, model: Model, settings: Sequence[Strategy]) -> str | None:
    """Why one of a strategy's settings cannot be used, None if all can."""
    steps = block.protocol.steps
    reasons = (_declined(each, task) or _declined_by(model, each) or too_short(each, steps) for each in settings)
    return next(filter(None, reasons), None)


def _check(block: Block, task: Task, objective: str) -> None:
    """Refuses a task whose parts share rows, and an objective that its evaluations have no number for."""
    try:
        refuse_held_out_rows(Pool(task.train), task)
        goal = objective_of(objective, task.train.labels.class_names)
        goal.value(np.eye(task.train.labels.num_classes), None if task.test.sentences is None else {})
    except InputError as error:
        raise InputError(f"{block.task.label}: {error}") from None


def _declined(strategy: Strategy, task: Task) -> str | None:
    """Why a strategy cannot be used on a task, None if it can."""
    labels = task.train.labels
    if (reason := strategy.why_not_applicable(labels, task.inputs)) is not None or not strategy.needs_prior:
        return reason
    prior = split_adjustment(strategy)[0].effective_prior(labels, labels.counts())
    if prior is None:
        return "what is trained has no class prior that could be corrected"
    return (
        None if bool((prior > 0).all()) else "a class has no share in what is trained, so its prior cannot be corrected"
    )


def _model(block: Block, task: Task) -> Model:
    try:
        return block.protocol.load_model(task.shape)
    except InputError as error:
        raise InputError(f"{block.task.label}: {error}") from None


def _declined_by(model: Model, strategy: Strategy) -> str | None:
    """Why a strategy cannot be used on a module of the reader's own, None if it can, or the model is none."""
    if not isinstance(model, UserModule):
        return None
    build, phases = ModelVariant.of(strategy), strategy.phases()
    if build.mixes and model.shape.vocabulary:
        return "words are mixed after their embedding, which is inside the module"
    of_head = any(phase.reset_head or phase.trains != "all" for phase in phases) or strategy.needs_head
    if model.has_head or not (of_head or build.cosine or build.features):
        return None
    return (
        f"it acts on the last layer, and {model.name} shows none: name it head, an nn.Linear with bias and parameters of its "
        "own, which is called once, reads a vector an item or a word, and gives the logits as they are returned"
    )


def _check_labels(suite: Suite, blocks: Sequence[Block]) -> None:
    """Refuses two blocks of one label, and of one name two corpora."""
    known: dict[str, Block] = {}
    for block in blocks:
        label = block.task.label
        here, there = _directory(block.task), _directory(known.setdefault(label, block).task)
        if here != there:
            raise two_corpora(label, there, here)
        if known[label] is not block:
            raise InputError(f"suite {suite.name}: two blocks are called {label}; give one block all its strategies")


def filter_suite(suite: Suite, tasks: Sequence[TaskSpec], strategies: Sequence[Strategy], seeds: int | None) -> Suite:
    """The suite with only these tasks, strategies and number of seeds; what is empty or None stays as it is.

    A task that the suite does not hold is run like the first of its blocks with the same kind of item, or else model.
    """
    blocks = list(suite.blocks) if not tasks else [_block_for(suite, task) for task in dict.fromkeys(tasks)]
    if strategies:
        blocks = [dataclasses.replace(block, strategies=tuple(dict.fromkeys(strategies))) for block in blocks]
    return dataclasses.replace(suite, blocks=tuple(blocks), seeds=suite.seeds if seeds is None else seeds)


def _block_for(suite: Suite, task: TaskSpec) -> Block:
    for block in suite.blocks:
        if block.task.label == task.label:
            return dataclasses.replace(block, task=task)  # a corpus of this name may lie elsewhere
    alike = [block for block in suite.blocks if reference_protocol(block.task).model == reference_protocol(task).model]
    for block in sorted(alike, key=lambda each: each.task.kind != task.kind):
        return dataclasses.replace(block, task=task)
    raise InputError(
        f"suite {suite.name} has no task trained with {reference_protocol(task).model}, as {task.label} is"
    )


def _with_data(block: Block, notes: list[str]) -> Block:
    """The block as it is, or on the synthetic corpus where CoNLL-2003 cannot be had."""
    if not isinstance(block.task, Conll2003):
        return block
    try:
        block.task.load(0)
    except MissingData as missing:
        notes.append(f"synthetic-conll, a made corpus, stands in for conll2003: {missing}")
        return dataclasses.replace(block, task=SyntheticConll(block.task.kind))
    return block


def _split_seed(task: TaskSpec, seed: int) -> int:
    return sub_seed("split", task.label, seed)


def _directory(task: TaskSpec) -> str:
    """Where a reader's own corpus lies; empty for tasks whose label alone says which data they are."""
    return str(task.directory.resolve()) if isinstance(task, ConllFiles) else ""


def _facts(block: Block, task: Task) -> TaskFacts:
    spec, labels = block.task, task.train.labels
    return TaskFacts(
        spec.label,
        task.description,
        task.prior,
        list(labels.class_names),
        labels.counts().values.tolist(),
        len(labels),
        None if task.baseline is None else _baseline(task, task.baseline),
        [*task.notes, *filter(None, [block.protocol.adapted])],
        task.fingerprint,
        _directory(spec),
        resplit=task.resplit,
    )


def _baseline(task: Task, classes: Tensor) -> dict[str, float]:
    """The lookup's measures on test, its likelihood left out: it gives no probabilities."""
    found = Predictions(classes, nll=float("nan")).evaluation(task.test, "chosen", "test")
    return {name: value for name, value in measures(found.confusion, 0.0, found.entities).items() if name != "nll"}


def _environment(device: torch.device) -> dict[str, str]:
    import numpy
    import sklearn

    return {
        "device": device.type,
        "device_name": torch.cuda.get_device_name(device) if device.type == "cuda" else processor(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "scikit-learn": sklearn.__version__,
    }
