"""What a report says about its metric: which tasks lack it, and what chose the checkpoints; and scores by entity type."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from simulated_study import Simulated, simulate_record, simulate_study, task_facts
from sklearn.metrics import f1_score
from written_page import rows_of, written

from bench.errors import InputError
from bench.metrics.part_evaluation import Predictions
from bench.records.record import EntityCounts, Evaluation, Record, Study
from bench.records.store import Store
from bench.report.frame import collect_results
from bench.report.results_directory import load_study, report_study
from bench.report.tables import write_tables
from bench.tasks.part import Rows
from strategies import Labels


def with_metric(record: Record, metric: str) -> Record:
    """The record of a run whose checkpoint this metric chose."""
    return replace(record, identity={**record.identity, "metric": metric})


def store_of(study: Study, records: list[Record], path: Path) -> Store:
    store = Store(path)
    store.begin(replace(study, environment={"device": "cpu", "torch": torch.__version__}))
    for record in records:
        store.add(record)
    return store


def on_valid_too(record: Record) -> Record:
    """The record with an evaluation on validation, which a complete one has."""
    (chosen,) = (each for each in record.evaluations if each.checkpoint == "chosen")
    return replace(record, evaluations=[*record.evaluations, replace(chosen, split="valid")])


def test_a_metric_that_no_task_has_is_an_error_and_one_that_some_lack_names_them(tmp_path: Path) -> None:
    words, digits = task_facts("tags", ["O", "B-PER"]), task_facts("digits-lt", ["0", "1", "2"])
    records = [
        on_valid_too(simulate_record(facts, strategy, seed, entities=facts is words))
        for facts in (words, digits)
        for strategy in ("none", "focal")
        for seed in range(3)
    ]
    only_digits = store_of(simulate_study([digits], ["none", "focal"]), records[6:], tmp_path / "digits")
    refused = {
        "entity-f1": "^metric entity-f1: this task has no entities; give macro-f1",
        "average-precision": "two classes, and this one has 3",
    }
    for metric, message in refused.items():
        with pytest.raises(InputError, match=message):
            report_study(only_digits, metric)
    assert not (only_digits.directory / "report.html").exists()
    both = store_of(simulate_study([words, digits], ["none", "focal"]), records, tmp_path / "both")

    def say(line: str) -> None:
        raise RuntimeError(line)  # so that no report is written, which would take long

    with pytest.raises(RuntimeError, match="no verdict on digits-lt: metric entity-f1: this task has no entities"):
        report_study(both, "entity-f1", warn=say)
    with pytest.raises(
        InputError, match=r"tags: metric average-precision: not recorded.*digits-lt: .*only for tasks with two"
    ):
        report_study(both, "average-precision")
    assert load_study(both, "positive-f1").metrics["tags"].name == "positive-f1"


def test_the_page_says_what_chose_the_checkpoints(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "PER", "LOC"])
    records = [simulate_record(facts, strategy, seed) for strategy in ("none", "focal") for seed in range(3)]
    study = simulate_study([facts], ["none", "focal"])

    def page(metric: str, records: list[Record]) -> str:
        return written(replace(study, metric=metric), records, [], [], tmp_path)

    rerun = "a run with --metric balanced-accuracy chooses them by the metric of this report"
    assert f"checkpoints were chosen by macro-F1; {rerun}" in page("balanced-accuracy", records)
    chosen = [with_metric(record, "balanced-accuracy") for record in records]
    found = page("balanced-accuracy", chosen)
    assert "Checkpoints were chosen on validation by balanced accuracy" in found
    assert "Validation balanced accuracy by step" in found
    assert rerun not in found
    mixed = [with_metric(each, "balanced-accuracy") if each.strategy == "focal" else each for each in records]
    assert f"chosen by macro-F1 (baseline), balanced accuracy (focal); {rerun}" in page("balanced-accuracy", mixed)


def test_scores_by_entity_type_are_those_of_the_counts(simulated: Simulated, tmp_path: Path) -> None:
    write_tables(collect_results(simulated.study, simulated.records, [], []), tmp_path)
    lines = pd.read_csv(tmp_path / "entities.csv")
    assert set(lines["task"]) == {"tags"}, "digits have no entities"
    line = lines.query("strategy == 'none' and entity_type == 'PER'").squeeze()
    counts = [
        record.evaluation("chosen", "test").entities["PER"]  # type: ignore[index]
        for record in simulated.records
        if (record.task, record.strategy) == ("tags", "none")
    ]
    assert line["precision_mean"] == pytest.approx(
        np.mean([each.correct / each.predicted for each in counts]), abs=1e-6
    )
    assert line["recall_mean"] == pytest.approx(np.mean([each.correct / each.actual for each in counts]), abs=1e-6)
    f1 = [2 * each.correct / (each.predicted + each.actual) for each in counts]
    assert line["f1_mean"] == pytest.approx(np.mean(f1), abs=1e-6)
    assert line["f1_sd"] == pytest.approx(np.std(f1, ddof=1), abs=1e-6)
    page = (tmp_path / "entities.md").read_text(encoding="utf-8")
    assert "no entities, or they were not recorded" in page.split("## digits-lt")[1]


def test_a_type_that_test_lacks_has_no_recall_and_one_that_is_neither_found_nor_there_no_scores(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "B-PER", "B-LOC"])
    by_seed = [{"LOC": EntityCounts(0, 2, 0), "PER": EntityCounts(3, 4, 3)}, {"PER": EntityCounts(2, 2, 4)}]
    records = [
        replace(
            simulate_record(facts, "none", seed),
            evaluations=[Evaluation("chosen", "test", np.eye(3, dtype=int).tolist(), 0.1, entities)],
        )
        for seed, entities in enumerate(by_seed)
    ]
    rows = rows_of(written(simulate_study([facts], ["none"], 2), records, [], [], tmp_path), "entities-tags")
    assert [list(row.values()) for row in rows] == [
        ["LOC", "baseline", "0.000 ± -", "-", "0.000 ± -", "0"],
        ["PER", "baseline", "0.875 ± 0.177", "0.750 ± 0.354", "0.762 ± 0.135", "4"],
    ]


def test_the_positive_class_has_columns_on_tasks_with_two_classes_alone(tmp_path: Path) -> None:
    binary, digits = task_facts("frauds", ["genuine", "fraud"]), task_facts("digits-lt", ["0", "1", "2"])
    generator = torch.Generator().manual_seed(0)
    records = [simulate_record(digits, "none", seed) for seed in range(3)]
    expected = []
    for seed in range(3):
        truth = (torch.rand(200, generator=generator) < 0.1).long()
        logits = torch.randn(200, 2, generator=generator) + torch.stack([-truth, truth], 1) / 2
        part = Rows(torch.zeros(200, 1), Labels.of(truth.numpy(), binary.class_names))
        evaluation = Predictions.with_probabilities(logits, part).evaluation(part, "chosen", "test")
        records.append(replace(simulate_record(binary, "none", seed), evaluations=[evaluation]))
        expected.append(f1_score(truth, logits.argmax(1)))
    write_tables(collect_results(simulate_study([binary, digits], ["none"]), records, [], []), tmp_path)
    lines = pd.read_csv(tmp_path / "quality.csv").set_index("task")
    assert lines.loc["frauds", "positive_f1_mean"] == pytest.approx(np.mean(expected), abs=1e-6)
    assert lines.loc["frauds", ["average_precision_mean", "recall_at_precision_mean"]].notna().all()
    assert lines.loc["digits-lt", ["positive_f1_mean", "average_precision_mean"]].isna().all()
    frauds, rest = (tmp_path / "quality.md").read_text(encoding="utf-8").split("## frauds")[1].split("## digits-lt")
    assert "| positive F1 | average precision | recall at precision 0.9 |" in " ".join(frauds.split())
    assert "Positive class: fraud" in frauds
    assert "average precision |" not in rest
