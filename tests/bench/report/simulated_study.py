"""Small simulated studies: what a results directory would hold, without any training."""

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

NOTES = ["conll2003 was not found: synthetic-conll was used instead", "200 of 3,200 steps"]


def task_facts(name: str, classes: list[str], *, baseline: float | None = None, prior: str = "natural") -> TaskFacts:
    """Facts of a long-tailed task; `baseline` is the macro-F1 of the most-frequent-tag baseline."""
    counts = [900 // (i + 1) ** 2 + 1 for i in range(len(classes))]
    most_frequent_tag = None if baseline is None else {"macro_f1": baseline, "accuracy": 0.9}
    notes = [f"a note of {name}"]
    facts = TaskFacts(name, f"About {name}.", prior, classes, counts, 1000, most_frequent_tag, notes, resplit=None)  # type: ignore[arg-type]
    return replace(facts, valid_counts=[count // 10 + 1 for count in counts])


def run_id(task: str, strategy: str, seed: int) -> str:
    """The id of a run and of its record."""
    return f"{task}/{strategy}/{seed}"


def simulate_record(
    facts: TaskFacts, strategy: str, seed: int, *, entities: bool = False, converged: bool = True
) -> Record:
    """A record with random numbers that depend on task, strategy and seed alone."""
    rng = np.random.default_rng([seed, *strategy.encode(), *facts.task.encode()])
    classes = len(facts.class_names)
    confusion = (rng.integers(0, 10, (classes, classes)) + np.diag(rng.integers(20, 90, classes))).tolist()
    counts = {"PER": EntityCounts(int(rng.integers(20, 60)), 80, 90), "LOC": EntityCounts(5, 20, 10)}
    chosen = Evaluation("chosen", "test", confusion, float(rng.random()), counts if entities else None)
    last = Evaluation("last", "test", np.eye(classes, dtype=int).tolist(), 9.0, None)
    sampled = rng.integers(1, 100, classes).tolist()
    return Record(
        id=run_id(facts.task, strategy, seed),
        identity={},
        task=facts.task,
        strategy=strategy,
        seed=seed,
        class_names=facts.class_names,
        evaluations=[last, chosen],
        curve=[(step, float(rng.random())) for step in (100, 200, 300)],
        chosen_step=200 if converged else 300,
        converged=converged,
        sampling=SamplingStats(sum(sampled), sum(sampled), sampled, float(rng.random()), float(rng.integers(1, 1000))),
        notes=["few rows"] if strategy == "random-oversampling" else [],
        provenance={"host": f"machine {seed}"},
        times={"train_seconds": float(rng.random())},
    )


def simulate_cost(task: str, strategy: str, draws: float = 1e6) -> Cost:
    """The cost of a strategy whose sampler makes this many draws per second."""
    return Cost(task, strategy, 0.012, draws, draws * 0.9, draws * 1.05, 4000.0, 123456.0, 1.25, 1.2, 1.3, 0.5)


def simulate_study(tasks: list[TaskFacts], strategies: list[str], seeds: int = 3) -> Study:
    """A study that plans every strategy on every task."""
    planned = [
        PlannedStrategy(facts.task, strategy, {seed: run_id(facts.task, strategy, seed) for seed in range(seeds)})
        for facts in tasks
        for strategy in strategies
    ]
    protocols = {facts.task: {"steps": 300, "batch_size": 256, "learning_rate": 0.003} for facts in tasks}
    return Study("quick", tasks, planned, {"device": "cpu"}, NOTES, protocols)


def evaluation_with_correct(facts: TaskFacts, correct: int, seed: int) -> Evaluation:
    """An evaluation that has `correct` of the 100 labels of each class right, and a few more under some seeds."""
    classes = len(facts.class_names)
    correct += seed % 3
    wrong = (100 - correct) // (classes - 1)
    confusion = np.full((classes, classes), wrong)
    np.fill_diagonal(confusion, correct)
    return Evaluation("chosen", "test", confusion.tolist(), 0.1)


def study_with_levels(levels: dict[str, int], seeds: int = 5) -> tuple[Study, list[Record]]:
    """A study with its records, in which each strategy has about so many of 100 labels of each class right."""
    facts = task_facts("tags", ["O", "PER", "LOC"])
    records = [
        replace(
            simulate_record(facts, strategy, seed),
            evaluations=[evaluation_with_correct(facts, correct, seed * (place + 1))],
        )
        for place, (strategy, correct) in enumerate(levels.items())
        for seed in range(seeds)
    ]
    return simulate_study([facts], list(levels), seeds), records


class Simulated:
    """Two tasks, four strategies, three seeds; on `tags`, two seeds of "focal" are missing and "smote" is skipped."""

    def __init__(self) -> None:
        self.tags = task_facts("tags", ["O", "B-PER", "B-LOC"], baseline=0.87)
        self.digits = task_facts("digits-lt", ["0", "1", "2", "3"], prior="balanced")
        planned = simulate_study([self.tags, self.digits], ["random-oversampling", "none", "focal"])
        skipped = PlannedStrategy("tags", "smote", skipped="word ids cannot be mixed")
        self.study = replace(planned, strategies=[*planned.strategies, skipped])
        self.records = [
            simulate_record(
                facts, strategy, seed, entities=facts is self.tags, converged=(strategy, seed) != ("none", 1)
            )
            for facts in (self.tags, self.digits)
            for strategy in ("none", "random-oversampling", "focal")
            for seed in range(3)
            if (facts, strategy) != (self.tags, "focal") or seed == 0
        ]
        self.failures = [
            Failure(run_id("tags", "focal", 2), "tags", "focal", 2, "the loss became nan\n at step 812"),
            Failure(run_id("tags", "none", 0), "tags", "none", 0, "interrupted"),  # but finished later
        ]
        self.costs = [
            simulate_cost("tags", "none"),
            simulate_cost("tags", "random-oversampling", 2e5),
            simulate_cost("elsewhere", "none"),
        ]


# The old names, until the last test uses the new ones.
better_by, cost, study, training = evaluation_with_correct, simulate_cost, simulate_study, simulate_record
