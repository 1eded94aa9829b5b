"""What stored predictions tell: items on which strategies differ, stability from seed to seed, averages of two models."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_study import study_with_levels
from sklearn.metrics import balanced_accuracy_score, f1_score
from written_page import rows_of, text_of

from bench.metrics.instability import prediction_instability
from bench.metrics.selection_metric import parse_metric
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.report.figures import draw_figures
from bench.report.frame import StudyResults, collect_results
from bench.report.page_files import write_page
from bench.report.prediction_differences import find_differences
from bench.report.sections.probability_average import average_with_baseline
from bench.report.tables import write_tables
from bench.report.task_results import TaskResults

CLASSES = ["O", "PER", "LOC"]
WORDS = ("Angela", "Merkel", "met", "<b>Bo|b</b>", "in", "Rome")
TRUTH = [1, 1, 0, 1, 0, 2]
RIGHT = {
    ("none", 0): [0, 1, 0, 0, 0, 2],
    ("none", 1): [0, 1, 0, 0, 0, 2],
    ("focal", 0): [1, 1, 0, 1, 0, 0],
    ("focal", 1): [1, 1, 0, 0, 2, 0],
}
"""Predictions by strategy and seed: focal finds Angela under both seeds, Bob under one, and loses Rome under both."""


def probabilities(predicted: list[int], sure: float) -> np.ndarray:
    shares = np.full((len(predicted), 3), (1 - sure) / 2, np.float16)
    shares[np.arange(len(predicted)), predicted] = sure
    return shares


def results(kept: Callable[[str], PredictedClasses | None], seeds: int = 2) -> StudyResults:
    planned, records = study_with_levels({"none": 60, "focal": 90}, seeds)
    return collect_results(planned, records, [], [], predictions=kept)


def of_words(id: str) -> PredictedClasses:
    _, strategy, seed = id.split("/")
    truth = TrueClasses.of(np.array(TRUTH), 3, np.array([0, 3, 6]), texts=WORDS)
    predicted = RIGHT[strategy, int(seed)]
    return PredictedClasses(truth, {"raw": np.array(predicted)}, probabilities(predicted, 0.9))


def resplit(results: StudyResults) -> StudyResults:
    """The same results of a task whose data each seed splits anew."""
    facts = [replace(facts, resplit=(6, 60)) for facts in results.study.tasks]
    return replace(results, study=replace(results.study, tasks=facts))


def task_of(results: StudyResults) -> TaskResults:
    return TaskResults(results, results.study.tasks[0], {})


def test_both_directions_are_counted_and_listed_with_the_words_around() -> None:
    differences = find_differences(task_of(results(of_words)), "focal", most=5)
    assert differences is not None
    assert (differences.gained, differences.lost, differences.labels) == (1.5, 1.5, 6)
    assert [item.text for item in differences.better] == ["[Angela] Merkel met", "[<b>Bo|b</b>] in Rome"]
    assert [(item.truth, item.ours, item.theirs) for item in differences.better] == [
        ("PER", ("PER", 2), ("O", 2)),
        ("PER", ("PER", 1), ("O", 2)),
    ]
    assert [item.text for item in differences.worse] == ["<b>Bo|b</b> in [Rome]", "<b>Bo|b</b> [in] Rome"]
    assert find_differences(task_of(results(of_words)), "focal", most=1).better == differences.better[:1]  # type: ignore[union-attr]


def test_the_page_says_which_items_differ_with_every_text_escaped(tmp_path: Path) -> None:
    found = results(of_words)
    write_page(found, draw_figures(found), tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "The 4 test items on which focal and the baseline differ most" in text_of(page)
    rows = rows_of(page, "differing-items-tags")
    assert [row["right more often"] for row in rows] == ["focal", "focal", "baseline", "baseline"]
    assert rows[1]["text"] == "[<b>Bo|b</b>] in Rome"
    assert rows[1]["focal predicts"] == "PER (1 of 2 seeds)"
    assert "<b>Bo" not in page
    assert r"\[\<b\>Bo\|b\</b\>\]" in (tmp_path / "report.md").read_text(encoding="utf-8").replace(
        "&lt;", r"\<"
    ).replace("&gt;", r"\>")


def test_rows_of_a_file_are_matched_where_each_seed_has_a_test_part_of_its_own() -> None:
    rows = {0: [7, 3, 5], 1: [9, 7, 4]}
    truths = {3: 0, 4: 1, 5: 1, 7: 2, 9: 0}
    wrong = {("none", 0): [7], ("none", 1): [7, 4], ("focal", 0): [3], ("focal", 1): []}

    def kept(id: str) -> PredictedClasses:
        _, strategy, seed = id.split("/")
        of_seed = rows[int(seed)]
        truth = TrueClasses.of(np.array([truths[row] for row in of_seed]), 3, rows=np.array(of_seed))
        predicted = [(truths[row] + (row in wrong[strategy, int(seed)])) % 3 for row in of_seed]
        return PredictedClasses(truth, {"raw": np.array(predicted)})

    found = resplit(results(kept))
    differences = find_differences(task_of(found), "focal", most=5)
    assert differences is not None
    assert differences.are_rows
    assert [(item.number, item.seeds) for item in differences.better] == [(7, 2), (4, 1)]
    assert [(item.number, item.truth, item.ours.name) for item in differences.worse] == [(3, "O", "PER")]
    # Row 7, the only one in both test parts, is wrong twice for one strategy and right twice for the other.
    assert found.instability == {("tags", "none"): 0.0, ("tags", "focal"): 0.0}


def test_among_equals_those_come_first_whose_truth_differs_most_in_probability() -> None:
    sure = {"focal": [0.5, 0.9, 0.7], "none": [0.4, 0.4, 0.4]}

    def kept(id: str) -> PredictedClasses:
        strategy = id.split("/")[1]
        truth = TrueClasses.of(np.array([1, 1, 1]), 3)
        right = strategy == "focal"
        shares = np.array([[1 - p, p, 0] for p in sure[strategy]], np.float16)
        return PredictedClasses(truth, {"raw": np.full(3, int(right))}, shares)

    differences = find_differences(task_of(results(kept)), "focal", most=5)
    assert differences is not None
    assert [item.number for item in differences.better] == [1, 2, 0]


def test_nothing_is_compared_where_predictions_lack_or_items_cannot_be_matched(tmp_path: Path) -> None:
    def of_other_parts(id: str) -> PredictedClasses:
        predicted = of_words(id)
        shifted = np.roll(predicted.truth.classes, int(id[-1]))
        return replace(predicted, truth=replace(predicted.truth, classes=shifted))

    for kept in (lambda id: None, of_other_parts, lambda id: None if id == "tags/none/1" else of_words(id)):
        assert find_differences(task_of(results(kept)), "focal", most=5) is None
    # Test parts of the same size and class mix look alike, and hold other items.
    balanced = resplit(results(of_words))
    assert find_differences(task_of(balanced), "focal", most=5) is None
    assert balanced.instability == {}
    found = results(of_other_parts)
    assert found.instability == {}
    page = write_page(found, draw_figures(found), tmp_path)[-1].read_text(encoding="utf-8")
    assert "test predictions were not kept, or seeds have test parts that cannot be matched" in text_of(page)


def test_instability_is_the_share_of_labels_that_two_seeds_predict_differently(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    truth = TrueClasses.of(rng.integers(0, 3, 50), 3)
    by_seed = [rng.integers(0, 3, 50) for _ in range(4)]
    expected = np.mean(
        [sum(a != b for a, b in zip(one, other, strict=True)) / 50 for one, other in combinations(by_seed, 2)]
    )
    assert prediction_instability([(truth, classes) for classes in by_seed], resplit=False) == pytest.approx(expected)
    assert prediction_instability([(truth, by_seed[0])] * 3, resplit=False) == 0
    assert prediction_instability([(truth, by_seed[0])], resplit=False) is None

    write_tables(results(of_words), tmp_path)
    table = pd.read_csv(tmp_path / "quality.csv").set_index("strategy")["instability"]
    assert table.to_dict() == pytest.approx({"none": 0.0, "focal": 2 / 6}, abs=1e-6)
    assert " 0.333 |" in (tmp_path / "quality.md").read_text(encoding="utf-8")
    write_page(results(of_words), draw_figures(results(of_words)), tmp_path)
    page = (tmp_path / "report.md").read_text(encoding="utf-8")
    assert "33.3% of the test predictions of focal change, and 0.0% of those of plain training" in page


@pytest.mark.parametrize("metric", ["macro-f1", "balanced-accuracy"])
def test_the_average_of_two_models_is_that_of_a_loop_over_labels(tmp_path: Path, metric: str) -> None:
    truth = np.random.default_rng(0).integers(0, 3, 40)

    def kept(id: str) -> PredictedClasses:
        shares = np.random.default_rng([*id.encode()]).dirichlet(np.ones(3), 40)
        shares[np.arange(40), truth] += 0.3
        logits = np.log(shares)
        return PredictedClasses(TrueClasses.of(truth, 3), {"raw": logits.argmax(1)}, PredictedClasses.keep(logits))

    found = results(kept, seeds=3)
    found = replace(found, metrics={"tags": parse_metric(metric, CLASSES)})
    task = task_of(found)
    averages = average_with_baseline(task)
    assert averages.keys() == {"focal"}
    score = {"macro-f1": lambda *pair: f1_score(*pair, average="macro"), "balanced-accuracy": balanced_accuracy_score}
    for seed in range(3):
        plain, focal = (kept(f"tags/{name}/{seed}").probabilities for name in ("none", "focal"))
        assert plain is not None
        assert focal is not None
        predicted = [
            int(np.argmax([(float(p) + float(q)) / 2 for p, q in zip(*both, strict=True)]))
            for both in zip(plain, focal, strict=True)
        ]
        assert averages["focal"][seed] == pytest.approx(score[metric](truth, predicted))
    write_page(found, draw_figures(found), tmp_path)
    (row,) = rows_of((tmp_path / "report.html").read_text(encoding="utf-8"), "average-tags")
    gain = averages["focal"] - task.values.loc["none"]
    assert row["to baseline: difference"] == f"{gain.mean():+.3f}"
    assert float(row["to baseline: low"]) <= gain.mean() <= float(row["to baseline: high"])
    assert average_with_baseline(task_of(results(lambda id: None))) == {}
