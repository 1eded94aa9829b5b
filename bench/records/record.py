"""What one training leaves behind, what a failure leaves, what a cost measurement leaves: plain data, stored as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

SCHEMA = 1
"""Raised when the meaning of a field changes; a record of another schema is not taken for done."""

LARGEST_FAMILY = 10
"""Strategies that a primary family may hold beside the baseline."""

Checkpoint = Literal["chosen", "last"]
Split = Literal["valid", "test"]


RAW = "raw"
"""Logits as they are: no adjustment."""

_SCHEMA_1_NAMES = {
    "runs": "trainings",
    "skipped": "declined",
    "post_hoc": "free",
    "configurations": "candidates",
    "configuration": "setting",
    "label": "setting",
    "at_edge": "edge",
    "extra_cost": "adds",
    "strategies": "rows",
    "metric": "objective",
    "sampling": "drawn",
}
"""What fields are called in files where it is another name than here: files keep the names of schema 1."""


def _name_in_files(field: str) -> str:
    return _SCHEMA_1_NAMES.get(field, field)


_FILES: dict[str, Any] = {"alias_generator": _name_in_files, "serialize_by_alias": True}
"""How pydantic writes these classes; a plain dictionary, so that training needs no pydantic."""


@dataclass(frozen=True)
class EntityCounts:
    """Entities of one type found right, predicted, and really there, as seqeval's default (conlleval's) mode counts them."""

    correct: int
    predicted: int
    actual: int


@dataclass(frozen=True)
class Reliability:
    """The likeliest class's probability and how often it is right, by bins of that probability, of equal width from 0 to 1."""

    labels: list[int]
    confidence: list[float]
    """Summed over the labels of a bin."""
    correct: list[int]


@dataclass(frozen=True)
class Probabilities:
    """What an evaluation's probabilities are worth; lists go by class.

    Ranks are one class against all others, None for a class that every label has, or none.
    """

    brier: float
    """Mean over labels of the squared differences summed over classes: 0 to 2."""
    reliability: Reliability
    class_errors: list[float]
    """Calibration error of each class's probability."""
    auroc: list[float | None]
    average_precision: list[float | None]


@dataclass(frozen=True)
class Evaluation:
    """One checkpoint on one part: `confusion[truth][predicted]` in labels, mean negative log-likelihood a label.

    An adjustment may give a class no chance at all: then the likelihood is infinite, and kept so.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_inf_nan": "constants"}

    checkpoint: Checkpoint
    split: Split
    confusion: list[list[int]]
    nll: float
    entities: dict[str, EntityCounts] | None = None
    adjustment: str = RAW
    probabilities: Probabilities | None = None
    """None where they were not measured: of the last checkpoint, and in records of before there were any."""


@dataclass(frozen=True)
class SamplingStats:
    """What a training really saw: items and labels drawn, labels by class, and the share of distinct items ever drawn."""

    items: int
    labels: int
    by_class: list[int]
    coverage: float
    effective_sample_size: float | None = None


@dataclass(frozen=True)
class Record:
    """One finished training; `id` is the hash of `identity`, which holds all that its numbers depend on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {**_FILES, "ser_json_inf_nan": "constants"}

    id: str
    task: str
    strategy: str
    seed: int
    identity: dict[str, Any]
    class_names: list[str]
    """Head first: by their counts in the training part."""
    evaluations: list[Evaluation]
    curve: list[tuple[int, float]]
    """Validation macro-F1 by step."""
    chosen_step: int
    converged: bool
    """False if the best checkpoint is the last one: more steps might have helped."""
    sampling: SamplingStats
    notes: list[str]
    """What the strategy warned of."""
    provenance: dict[str, str]
    times: dict[str, float] = field(default_factory=dict)
    """Seconds; those of a stack belong to all its trainings and are never compared between strategies."""
    schema_version: int = SCHEMA

    def evaluation(self, checkpoint: Checkpoint, split: Split, adjustment: str = RAW) -> Evaluation:
        """The evaluation of one checkpoint on one part under one adjustment."""
        asked = (checkpoint, split, adjustment)
        return next(each for each in self.evaluations if (each.checkpoint, each.split, each.adjustment) == asked)

    def has_adjustment(self, adjustment: str) -> bool:
        """Whether the chosen checkpoint was evaluated under this adjustment."""
        return any(each.adjustment == adjustment for each in self.evaluations)


@dataclass(frozen=True)
class Failure:
    """A training that did not finish: never counted as done, never averaged."""

    id: str
    task: str
    strategy: str
    seed: int
    reason: str
    schema_version: int = SCHEMA


@dataclass(frozen=True)
class Cost:
    """One strategy alone on one task, measured in rounds interleaved with rounds of `none`."""

    task: str
    strategy: str
    setup_seconds: float
    """Resampling the rows and making the index stream, first batch included."""
    draws_per_second: float
    """Items drawn a second by the index stream alone: median of the rounds."""
    slowest_draws_per_second: float
    """The same in the slowest round."""
    fastest_draws_per_second: float
    """The same in the fastest round."""
    batches_per_second: float
    """Batches drawn and gathered a second."""
    items_per_second: float
    """Items trained on a second: draw, gather, step."""
    step_ratio: float
    """Seconds a training step, draw and gather included, over those of `none`: median of interleaved rounds."""
    lowest_step_ratio: float
    """The same in the round where it was lowest."""
    highest_step_ratio: float
    """The same in the round where it was highest."""
    evaluation_seconds: float
    """One evaluation of the validation part."""
    identity: dict[str, Any] = field(default_factory=dict)
    peak_bytes: int | None = None
    """The most that set-up and the first steps held beside the task and plain training; None where the system does not tell."""
    schema_version: int = SCHEMA


@dataclass(frozen=True)
class TaskFacts:
    """What the report says of a task: classes head first with their training counts, priors, and what is free."""

    task: str
    description: str
    prior: Literal["natural", "balanced"]
    """Class mix of validation and test: as in the source, or equal."""
    class_names: list[str]
    class_counts: list[int]
    items: int
    baseline: dict[str, float] | None
    """Measures of the most-frequent-tag baseline on test; None where there are no words to look up."""
    notes: list[str]
    fingerprint: str = ""
    """Of the data it was prepared from: rows of one task are comparable only where these agree."""
    directory: str = field(default="", compare=False)
    """Where a reader's own corpus lay when it was planned: two of one name are told apart by it; empty for other tasks."""
    resplit: tuple[int, int] | None = field(kw_only=True, compare=False)
    """Items tested on and not tested on, where each seed splits the same data anew; None where all seeds share one split.

    Without a default: a study that does not say it cannot be read, since its intervals would be too narrow."""


@dataclass(frozen=True)
class PlannedConfiguration:
    """One setting of a row: the id of each seed's training, and how their logits are evaluated."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FILES

    label: str
    runs: dict[int, str]
    adjustment: str = RAW
    trained_as: str = ""
    score: float | None = None
    """The objective on validation, mean over seeds; None until all of them have finished."""
    at_edge: bool = False
    """Whether its value is the lowest or the highest of the grid: a better one may lie beyond."""


@dataclass(frozen=True)
class PlannedStrategy:
    """One strategy on one task as planned: the id of each seed's training, or the reason why there is none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FILES

    task: str
    strategy: str
    runs: dict[int, str] = field(default_factory=dict)
    skipped: str | None = None
    adjustment: str = RAW
    """Under which the trainings' finished logits are evaluated."""
    trained_as: str = ""
    """The strategy that was trained; empty where it is the row's own."""
    post_hoc: dict[str, str | None] = field(default_factory=dict)
    """Adjustments that its trainings are evaluated under beside, for that needs no training: None, or why it is not defined."""
    configurations: list[PlannedConfiguration] = field(default_factory=list)
    """The settings it is tuned over; `runs` is empty until records tell which is chosen (`bench.planning.grid.tuned`)."""
    configuration: str = ""
    """The chosen one; empty where the row is not tuned, or nothing is chosen yet."""
    extra_cost: str = ""
    """What the strategy says that it adds to plain training: passes, memory, set-up; empty for nothing."""

    def with_configuration(self, candidate: PlannedConfiguration) -> PlannedStrategy:
        """The row as one of its settings."""
        return replace(
            self,
            runs=candidate.runs,
            adjustment=candidate.adjustment,
            trained_as=candidate.trained_as,
            configuration=candidate.label,
        )

    def planned_runs(self) -> Iterator[tuple[int, str, list[str]]]:
        """Seed and id of every training, of all settings, and the adjustments that it is to be evaluated under."""
        post_hoc = [adjustment for adjustment, reason in self.post_hoc.items() if reason is None]
        configurations: Sequence[PlannedConfiguration | PlannedStrategy] = self.configurations or [self]
        for each in configurations:
            asked = post_hoc if each.adjustment == RAW else [each.adjustment, *post_hoc]
            yield from ((seed, id, asked) for seed, id in each.runs.items())


@dataclass(frozen=True)
class Study:
    """What a results directory is meant to hold; the report compares the records with it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FILES

    suite: str
    tasks: list[TaskFacts]
    strategies: list[PlannedStrategy]
    environment: dict[str, str]
    notes: list[str]
    """Said on every table and figure: a substituted data set, a shortened budget."""
    protocols: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By task: model, optimiser, batch size, steps."""
    schema_version: int = SCHEMA
    metric: str = "macro-f1"
    """The measure that decides, as `bench.metrics.selection_metric` reads it."""
    primary: dict[str, list[str]] = field(default_factory=dict)
    """By task: the strategies that the suite declared as its primary family; none where it declared none."""

    def primary_family(self, task: str) -> list[str]:
        """The primary family on a task: the declared strategies, or else the first ten; never `none` nor what is declined."""
        there = [
            row.strategy
            for row in self.strategies
            if row.task == task and row.skipped is None and row.strategy != "none"
        ]
        declared = self.primary.get(task)
        return there[:LARGEST_FAMILY] if declared is None else [each for each in declared if each in there]
