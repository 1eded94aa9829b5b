"""Records of runs, failures and costs, and the study that plans them: plain data, stored as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal

SCHEMA = 1
"""Raised when the meaning of a field changes; a record of another schema does not count as done."""

LARGEST_FAMILY = 10
"""The most strategies that a primary family may hold, the baseline not counted."""

Checkpoint = Literal["chosen", "last"]
Split = Literal["valid", "test"]

EVALUATIONS = {("chosen", "valid"), ("chosen", "test"), ("last", "test")}
"""(checkpoint, split) that a record must hold to count as done."""


RAW = "raw"
"""Name of the evaluation without an adjustment of the logits."""

VALIDATION_LABELS_ADDED = "none+validation-labels"
"""Name of plain training on the training and the validation part together, for as many steps as the baseline's validation chose.

It is a baseline next to the post-hoc baselines: whoever tunes on validation labels could have trained on them instead."""

RECALIBRATIONS = ("temperature-scaling", "dirichlet-calibration")
"""Adjustments that are tuned for log loss, whatever the metric: in a primary family only where the suite declares them so.

They would take power from the comparisons that the suite asks about, and a temperature cannot even change a prediction."""

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
"""Names of fields in files, where they differ from the names here: files keep the names of schema 1."""


def _name_in_files(field: str) -> str:
    return _SCHEMA_1_NAMES.get(field, field)


LATER = {"later": True}
"""Marks a field that was added later: files leave it out while it has its default, so older ones stay as they were."""

_FILES: dict[str, Any] = {"alias_generator": _name_in_files, "serialize_by_alias": True}
"""Options by which pydantic reads and writes these classes; a plain dictionary, so that training needs no pydantic."""


@dataclass(frozen=True)
class EntityCounts:
    """Entities of one type: correctly predicted, predicted, and in the truth, as seqeval's default (conlleval) mode counts."""

    correct: int
    predicted: int
    actual: int


@dataclass(frozen=True)
class Reliability:
    """How often the likeliest class is right, by bins of its probability, of equal width from 0 to 1."""

    labels: list[int]
    confidence: list[float]
    """Sum of the probabilities over the labels of each bin."""
    correct: list[int]


@dataclass(frozen=True)
class Probabilities:
    """Calibration and ranking quality of the probabilities of an evaluation; lists have one entry per class.

    AUROC and average precision compare one class with all others; None for a class that all labels have, or no label.
    """

    brier: float
    """Mean over labels of the squared differences summed over classes: 0 to 2."""
    reliability: Reliability
    class_errors: list[float]
    """Calibration error of the probability of each class."""
    auroc: list[float | None]
    average_precision: list[float | None]
    found_at_precision: list[int] | None = field(default=None, metadata=LATER)
    """The most labels of the positive class that are found at a precision of at least 1%, 2%, ..., 100%, where there are two
    classes; None for more classes, and in older records."""


@dataclass(frozen=True)
class Evaluation:
    """One checkpoint on one part: `confusion[truth][predicted]` in labels, and the mean negative log-likelihood per label.

    An adjustment may rule a class out; then the negative log-likelihood is infinite, and stored so.
    """

    __pydantic_config__: ClassVar[dict[str, str]] = {"ser_json_inf_nan": "constants"}

    checkpoint: Checkpoint
    split: Split
    confusion: list[list[int]]
    nll: float
    entities: dict[str, EntityCounts] | None = None
    adjustment: str = RAW
    probabilities: Probabilities | None = None
    """None for the last checkpoint, and in records from before probabilities were evaluated."""
    version: int = field(default=1, metadata=LATER)
    """Version of the adjustment, which is raised when its numbers change."""
    notes: list[str] = field(default_factory=list, metadata=LATER)
    """Warnings of the adjustment."""


@dataclass(frozen=True)
class SamplingStats:
    """What a run was trained on: items and labels sampled, labels by class, and the share of items sampled at least once."""

    items: int
    labels: int
    by_class: list[int]
    coverage: float
    effective_sample_size: float | None = None


@dataclass(frozen=True)
class Record:
    """One finished run; `id` is the hash of `identity`, which holds everything that its numbers depend on."""

    __pydantic_config__: ClassVar[dict[str, Any]] = {**_FILES, "ser_json_inf_nan": "constants"}

    id: str
    task: str
    strategy: str
    seed: int
    identity: dict[str, Any]
    class_names: list[str]
    """Ordered by their counts in the training part, the most frequent one (the head) first."""
    evaluations: list[Evaluation]
    curve: list[tuple[int, float]]
    """The metric that chooses the checkpoint (`chosen_by`) on validation, by step; empty if validation labels are trained on."""
    chosen_step: int
    converged: bool
    """False if the last checkpoint is better than all before: more steps might have helped."""
    sampling: SamplingStats
    notes: list[str]
    """Warnings of the strategy."""
    provenance: dict[str, str]
    times: dict[str, float] = field(default_factory=dict)
    """Seconds; those of a stack belong to all its runs together, so they are never compared between strategies."""
    schema_version: int = SCHEMA

    @property
    def chosen_by(self) -> str:
        """The metric that chose the checkpoint, as `SelectionMetric.identity` names it."""
        return str(self.identity.get("metric", "macro-f1"))

    def evaluation(self, checkpoint: Checkpoint, split: Split, adjustment: str = RAW) -> Evaluation:
        """Return the evaluation of one checkpoint on one part under one adjustment."""
        key = (checkpoint, split, adjustment)
        return next(
            evaluation
            for evaluation in self.evaluations
            if (evaluation.checkpoint, evaluation.split, evaluation.adjustment) == key
        )

    @property
    def is_complete(self) -> bool:
        """Whether all parts were evaluated that a run is evaluated on; where validation is trained on, test alone, once."""
        evaluated = {(evaluation.checkpoint, evaluation.split) for evaluation in self.evaluations}
        return evaluated >= ({("chosen", "test")} if self.strategy == VALIDATION_LABELS_ADDED else EVALUATIONS)

    def of_versions(self, versions: Mapping[str, int]) -> Record:
        """Return the record without evaluations under other versions of the adjustments than these; 1 where none is given."""
        return replace(
            self,
            evaluations=[
                evaluation
                for evaluation in self.evaluations
                if evaluation.adjustment == RAW or evaluation.version == versions.get(evaluation.adjustment, 1)
            ],
        )

    def has_adjustment(self, adjustment: str) -> bool:
        """Whether the chosen checkpoint was evaluated under this adjustment."""
        return any(evaluation.adjustment == adjustment for evaluation in self.evaluations)

    def adjustment_notes(self, adjustment: str) -> list[str]:
        """Return what an adjustment warned of, each warning once."""
        of_adjustment = (evaluation for evaluation in self.evaluations if evaluation.adjustment == adjustment)
        return list(dict.fromkeys(note for evaluation in of_adjustment for note in evaluation.notes))


@dataclass(frozen=True)
class Failure:
    """A run that did not finish: it never counts as done, and is never averaged."""

    id: str
    task: str
    strategy: str
    seed: int
    reason: str
    schema_version: int = SCHEMA


@dataclass(frozen=True)
class Cost:
    """The cost of one strategy on one task, measured alone, in rounds interleaved with rounds of plain training.

    An estimator is fitted alone in any case, so its cost is that of its runs, seed by seed next to those of plain training."""

    task: str
    strategy: str
    setup_seconds: float
    """Resampling the rows and setting up the index stream, its first batch included."""
    draws_per_second: float | None
    """Items sampled per second by the index stream alone: median of the rounds; None for an estimator, which samples nothing."""
    slowest_draws_per_second: float | None
    """`draws_per_second` of the slowest round."""
    fastest_draws_per_second: float | None
    """`draws_per_second` of the fastest round."""
    batches_per_second: float | None
    """Batches sampled and gathered per second."""
    items_per_second: float | None
    """Items per second in training: sampling, gathering and step."""
    step_ratio: float
    """Relative step time: seconds per step, sampling and gathering included, over those of plain training; median of rounds.

    Of an estimator: seconds of a fit, resampling included, over those of plain training under the same seed; median of seeds."""
    lowest_step_ratio: float
    """`step_ratio` of the round where it was lowest."""
    highest_step_ratio: float
    """`step_ratio` of the round where it was highest."""
    evaluation_seconds: float
    """Seconds of one evaluation of the validation part."""
    identity: dict[str, Any] = field(default_factory=dict)
    peak_bytes: int | None = None
    """Peak memory of set-up and the first steps, the task and plain training not counted; None where it cannot be measured."""
    schema_version: int = SCHEMA


@dataclass(frozen=True)
class TaskFacts:
    """Facts of a task for the report: its classes, head first, with their counts in training, and how its parts were made."""

    task: str
    description: str
    prior: Literal["natural", "balanced"]
    """Class mix of test: as in the source, or equal."""
    class_names: list[str]
    class_counts: list[int]
    items: int
    baseline: dict[str, float] | None
    """Metrics of the most-frequent-tag baseline on test; None for tasks without words."""
    notes: list[str]
    fingerprint: str = ""
    """Hash of the data that the task was prepared from: runs of one task are comparable only if it is the same."""
    directory: str = field(default="", compare=False)
    """Directory of a user's own corpus when the study was planned, which distinguishes two of one name; empty for other tasks."""
    resplit: tuple[int, int] | None = field(kw_only=True, compare=False)
    """Items in test and outside test, where each seed splits the same data anew; None where all seeds share one split.

    It has no default: a study without it cannot be read, because its intervals would be too narrow."""
    valid_counts: list[int] = field(default_factory=list, kw_only=True, compare=False, metadata=LATER)
    """Validation labels by class, in the order of `class_names`; empty in older studies."""
    learner: str = field(default="", kw_only=True, metadata=LATER)
    """The model, where `task` is the name of a block that says so: blocks with other learners stand on the same task."""
    columns: list[tuple[str, str, str, str]] = field(default_factory=list, kw_only=True, compare=False, metadata=LATER)
    """Of a user's table: name, kind, treatment and reason of each column, in the order of the table."""


@dataclass(frozen=True)
class PlannedConfiguration:
    """One configuration of a tuned strategy: the id of each seed's run, and how its logits are evaluated."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FILES

    label: str
    runs: dict[int, str]
    adjustment: str = RAW
    trained_as: str = ""
    score: float | None = None
    """The selection metric on validation, mean over seeds; None until all seeds have finished."""
    at_edge: bool = False
    """Whether its value is the lowest or the highest of the grid, so that a better one may lie beyond it."""


@dataclass(frozen=True)
class PlannedStrategy:
    """One strategy on one task as planned: the id of each seed's run, or the reason why it is skipped."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FILES

    task: str
    strategy: str
    runs: dict[int, str] = field(default_factory=dict)
    skipped: str | None = None
    adjustment: str = RAW
    """The adjustment under which the runs' logits are evaluated."""
    trained_as: str = ""
    """The strategy that was trained; empty where it is `strategy` itself."""
    post_hoc: dict[str, str | None] = field(default_factory=dict)
    """Post-hoc adjustments that its runs are evaluated under as well: None, or why the adjustment is undefined."""
    configurations: list[PlannedConfiguration] = field(default_factory=list)
    """The configurations that it is tuned over; `runs` is empty until the records decide between them."""
    configuration: str = ""
    """Label of the chosen configuration; empty where the strategy is not tuned, or nothing is chosen yet."""
    extra_cost: str = ""
    """What the strategy declares that it adds to plain training: passes, memory, set-up; empty for nothing."""
    is_ensemble: bool = field(default=False, metadata=LATER)
    """Whether it trains an ensemble around, or in place of, the learner."""

    def with_configuration(self, configuration: PlannedConfiguration) -> PlannedStrategy:
        """Return the strategy as one of its configurations."""
        return replace(
            self,
            runs=configuration.runs,
            adjustment=configuration.adjustment,
            trained_as=configuration.trained_as,
            configuration=configuration.label,
        )

    def planned_runs(self) -> Iterator[tuple[int, str, list[str]]]:
        """Yield seed and id of every run, of all configurations, and the adjustments that it is to be evaluated under."""
        post_hoc = [adjustment for adjustment, reason in self.post_hoc.items() if reason is None]
        configurations: Sequence[PlannedConfiguration | PlannedStrategy] = self.configurations or [self]
        for configuration in configurations:
            adjustment = configuration.adjustment
            adjustments = post_hoc if adjustment == RAW else [adjustment, *post_hoc]
            yield from ((seed, id, adjustments) for seed, id in configuration.runs.items())


@dataclass(frozen=True)
class Study:
    """What a results directory is planned to hold; the report compares the records with it."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _FILES

    suite: str
    tasks: list[TaskFacts]
    strategies: list[PlannedStrategy]
    environment: dict[str, str]
    notes: list[str]
    """Notes on every table and figure, such as a substituted data set or a shortened budget."""
    protocols: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Protocol of each task: model, optimiser, batch size, steps."""
    schema_version: int = SCHEMA
    metric: str = "macro-f1"
    """The metric that decides, as `bench.metrics.selection_metric` reads it."""
    primary: dict[str, list[str]] = field(default_factory=dict)
    """The primary family that the suite declares for a task; without an entry where it declares none."""
    margin: float | None = field(default=None, metadata=LATER)
    """The difference that is too small to matter, in the unit of the metric; None where the user gave none."""
    commands: list[str] = field(default_factory=list, metadata=LATER)
    """The commands that ran the study, without `--seeds` and `--out`; empty in older studies."""
    adjustment_versions: dict[str, int] = field(default_factory=dict, metadata=LATER)
    """Version of each adjustment: evaluations under another one do not count; 1 without an entry, as in older studies."""
    chosen_on: str = field(default="", metadata=LATER)
    """The part that chooses between all strategies and learners, "validation"; empty where test recommends per task."""

    def primary_family(self, task: str) -> list[str]:
        """Return the primary family of a task: the declared strategies, or the first ten that are no recalibrations.

        The baseline, and strategies that are skipped, are never among them.
        """
        applicable = [
            row.strategy
            for row in self.strategies
            if row.task == task and row.skipped is None and row.strategy not in ("none", VALIDATION_LABELS_ADDED)
        ]
        declared = self.primary.get(task)
        if declared is None:
            return [strategy for strategy in applicable if strategy not in RECALIBRATIONS][:LARGEST_FAMILY]
        return [strategy for strategy in declared if strategy in applicable]
