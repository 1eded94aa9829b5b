"""Small simulated studies: what a results directory would hold, without a training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bench.records.record import (
    Cost,
    EntityCounts,
    Evaluation,
    Failure,
    PlannedStrategy,
    Record,
    SamplingStats,
    Study,
    TaskFacts,
)

NOTES = ["conll2003 was not found: the run went on with synthetic-conll", "200 of 3,200 steps"]


def task_facts(name: str, classes: list[str], *, baseline: float | None = None, prior: str = "natural") -> TaskFacts:
    counts = [900 // (i + 1) ** 2 + 1 for i in range(len(classes))]
    measured = None if baseline is None else {"macro_f1": baseline, "accuracy": 0.9}
    return TaskFacts(
        name, f"About {name}.", prior, classes, counts, 1000, measured, [f"a note of {name}"], resplit=None
    )  # type: ignore[arg-type]


def training_id(task: str, strategy: str, seed: int) -> str:
    return f"{task}/{strategy}/{seed}"


def training(facts: TaskFacts, strategy: str, seed: int, *, entities: bool = False, converged: bool = True) -> Record:
    rng = np.random.default_rng([seed, *strategy.encode(), *facts.task.encode()])
    classes = len(facts.class_names)
    confusion = (rng.integers(0, 10, (classes, classes)) + np.diag(rng.integers(20, 90, classes))).tolist()
    found = {"PER": EntityCounts(int(rng.integers(20, 60)), 80, 90), "LOC": EntityCounts(5, 20, 10)}
    chosen = Evaluation("chosen", "test", confusion, float(rng.random()), found if entities else None)
    last = Evaluation("last", "test", np.eye(classes, dtype=int).tolist(), 9.0, None)
    drawn = rng.integers(1, 100, classes).tolist()
    return Record(
        id=training_id(facts.task, strategy, seed),
        identity={},
        task=facts.task,
        strategy=strategy,
        seed=seed,
        class_names=facts.class_names,
        evaluations=[last, chosen],
        curve=[(step, float(rng.random())) for step in (100, 200, 300)],
        chosen_step=200 if converged else 300,
        converged=converged,
        sampling=SamplingStats(sum(drawn), sum(drawn), drawn, float(rng.random()), float(rng.integers(1, 1000))),
        notes=["few rows"] if strategy == "random-oversampling" else [],
        provenance={"host": f"machine {seed}"},
        times={"train_seconds": float(rng.random())},
    )


def cost(task: str, strategy: str, draws: float = 1e6) -> Cost:
    return Cost(task, strategy, 0.012, draws, draws * 0.9, draws * 1.05, 4000.0, 123456.0, 1.25, 1.2, 1.3, 0.5)


def study(facts: list[TaskFacts], strategies: list[str], seeds: int = 3) -> Study:
    rows = [
        PlannedStrategy(each.task, strategy, {seed: training_id(each.task, strategy, seed) for seed in range(seeds)})
        for each in facts
        for strategy in strategies
    ]
    protocols = {each.task: {"steps": 300, "batch_size": 256, "learning_rate": 0.003} for each in facts}
    return Study("quick", facts, rows, {"device": "cpu"}, NOTES, protocols)


def better_by(facts: TaskFacts, right: int, seed: int) -> Evaluation:
    """An evaluation with so many of 100 labels of each class right, a little different under each seed."""
    classes = len(facts.class_names)
    right += seed % 3
    confusion = np.full((classes, classes), (100 - right) // (classes - 1)) * (1 - np.eye(classes, dtype=int))
    return Evaluation("chosen", "test", (confusion + right * np.eye(classes, dtype=int)).astype(int).tolist(), 0.1)


def study_with_levels(levels: dict[str, int], seeds: int = 5) -> tuple[Study, list[Record]]:
    facts = task_facts("tags", ["O", "PER", "LOC"])
    records = [
        replace(training(facts, name, seed), evaluations=[better_by(facts, right, seed * (place + 1))])
        for place, (name, right) in enumerate(levels.items())
        for seed in range(seeds)
    ]
    return study([facts], list(levels), seeds), records


class Simulated:
    """Two tasks, four strategies, three seeds; "focal" lacks two seeds of `tags`, "smote" is declined there."""

    def __init__(self) -> None:
        self.tags = task_facts("tags", ["O", "B-PER", "B-LOC"], baseline=0.87)
        self.digits = task_facts("digits-lt", ["0", "1", "2", "3"], prior="balanced")
        planned = study([self.tags, self.digits], ["random-oversampling", "none", "focal"])
        self.study = replace(
            planned,
            strategies=[*planned.strategies, PlannedStrategy("tags", "smote", skipped="word ids cannot be mixed")],
        )
        self.records = [
            training(facts, strategy, seed, entities=facts is self.tags, converged=(strategy, seed) != ("none", 1))
            for facts in (self.tags, self.digits)
            for strategy in ("none", "random-oversampling", "focal")
            for seed in range(3)
            if (facts, strategy) != (self.tags, "focal") or seed == 0
        ]
        self.failures = [
            Failure(training_id("tags", "focal", 2), "tags", "focal", 2, "the loss became nan\n at step 812"),
            Failure(training_id("tags", "none", 0), "tags", "none", 0, "interrupted"),  # finished since
        ]
        self.costs = [cost("tags", "none"), cost("tags", "random-oversampling", 2e5), cost("elsewhere", "none")]
