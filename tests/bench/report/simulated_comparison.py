"""A simulated comparison: two learners with remedies on one table, with scores that a test chooses."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import torch

from bench.metrics.part_evaluation import confusion_counts, evaluate_probabilities, mean_nll
from bench.records.record import RAW, VALIDATION_LABELS_ADDED, EntityCounts, Evaluation, PlannedStrategy, Record, Study
from tests.bench.report.simulated_study import run_id, simulate_record, simulate_study, task_facts

LEARNERS = ("mlp", "hist-gradient-boosting")
CLASSES = ["genuine", "fraud"]
ITEMS = 400

Signals = dict[tuple[str, str], tuple[float, float]]
"""By learner and strategy: how well it separates the classes on validation and on test."""


def simulate_comparison(signals: Signals, seeds: int = 5, metric: str = "macro-f1") -> tuple[Study, list[Record]]:
    """A study that is chosen on validation, with its records; `thresholds` are an adjustment of plain training."""
    learners = list(dict.fromkeys(learner for learner, _ in signals))
    tasks = [
        replace(
            task_facts(f"fraud.csv with {learner}", CLASSES),
            learner=learner,
            items=6 * ITEMS,
            resplit=(2 * ITEMS, 8 * ITEMS),
            notes=["columns left out: id"],
        )
        for learner in learners
    ]
    planned, records = [], []
    for facts, learner in zip(tasks, learners, strict=True):
        strategies = [strategy for of, strategy in signals if of == learner]
        for strategy in strategies:
            of_run = "none" if strategy == "thresholds" else strategy
            runs = {seed: run_id(facts.task, of_run, seed) for seed in range(seeds)}
            is_adjusted = of_run != strategy
            planned.append(
                PlannedStrategy(
                    facts.task,
                    strategy,
                    runs,
                    adjustment="thresholds" if is_adjusted else RAW,
                    trained_as="none" if is_adjusted else "",
                    is_ensemble=strategy == "balanced-random-forest",
                )
            )
            if is_adjusted:
                continue
            for seed in range(seeds):
                evaluations = _evaluations(*signals[learner, strategy], learner, strategy, RAW, seed)
                if strategy == "none" and "thresholds" in strategies:
                    evaluations += _evaluations(
                        *signals[learner, "thresholds"], learner, "thresholds", "thresholds", seed
                    )
                record = replace(simulate_record(facts, strategy, seed), evaluations=list(evaluations))
                records.append(replace(record, times={"stack_step_seconds": 2.0 if strategy == "none" else 3.0}))
    study = simulate_study(tasks, [], seeds)
    protocols = {
        facts.task: {
            "model": facts.learner,
            **({"steps": 300} if facts.learner == "mlp" else {"estimator": "as built"}),
        }
        for facts in tasks
    }
    return (
        replace(
            study,
            strategies=planned,
            chosen_on="validation",
            protocols=protocols,
            commands=["imbench compare fraud.csv --out results/fraud"],
            notes=["the budget affords all"],
            metric=metric,
        ),
        records,
    )


@cache
def _evaluations(
    on_valid: float, on_test: float, learner: str, strategy: str, adjustment: str, seed: int
) -> tuple[Evaluation, ...]:
    rng = np.random.default_rng([seed, len(learner), len(strategy), *strategy.encode()[:3]])
    evaluations = []
    for split, signal in zip(("valid", "test"), (on_valid, on_test), strict=True):
        shared = np.random.default_rng([seed, len(split)])
        truth = torch.from_numpy((shared.random(ITEMS) < 0.2).astype(np.int64))
        noise = torch.from_numpy(shared.standard_normal((ITEMS, 2)) + 0.2 * rng.standard_normal((ITEMS, 2)))
        logits = noise + signal * torch.nn.functional.one_hot(truth, 2)
        confusion = confusion_counts(logits.argmax(-1), truth, 2).tolist()
        entities = {"PER": EntityCounts(confusion[1][1], confusion[0][1] + confusion[1][1], int(truth.sum()))}
        probabilities = evaluate_probabilities(logits, truth)
        nll = float(mean_nll(logits, truth))
        evaluations.append(Evaluation("chosen", split, confusion, nll, entities, adjustment, probabilities))  # type: ignore[arg-type]
    return tuple(evaluations[1:] if strategy == VALIDATION_LABELS_ADDED else evaluations)
