"""One answer per data set, whether its forms agree or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from simulated_study import evaluation_with_correct, simulate_record, simulate_study, task_facts
from written_page import text_of, written

from bench.records.record import Record, Study
from bench.report.data_set_answer import DataSetAnswer, answer_by_data_set, describe_answers
from bench.report.frame import collect_results
from bench.report.recommendation import recommend
from bench.report.task_results import TaskResults

UNCLEAR = [60, 66, 58, 66, 60]
Levels = dict[str, list[int] | int]


def study(forms: dict[str, Levels]) -> tuple[Study, list[Record]]:
    """A study of these tasks: each strategy has so many of 100 labels of each class right, by seed or about so many at each."""
    facts = [task_facts(name, ["O", "PER", "LOC"]) for name in forms]
    strategies = list(dict.fromkeys(name for levels in forms.values() for name in levels))
    planned = simulate_study(facts, strategies, seeds=5)

    def evaluated(record: Record, level: list[int] | int) -> Record:
        right = level[record.seed] if isinstance(level, list) else level + (record.seed * len(record.strategy)) % 3
        task = next(each for each in facts if each.task == record.task)
        return replace(record, evaluations=[evaluation_with_correct(task, right, 0)])

    records = [
        evaluated(simulate_record(task, name, seed), level)
        for task in facts
        for name, level in forms[task.task].items()
        for seed in range(5)
    ]
    rows = [row for row in planned.strategies if row.strategy in forms[row.task]]
    return replace(planned, strategies=rows), records


def answers(forms: dict[str, Levels]) -> list[DataSetAnswer]:
    planned, records = study(forms)
    tasks = [TaskResults(collect_results(planned, records, [], []), facts, {}) for facts in planned.tasks]
    found = answer_by_data_set([(task, recommend(task)) for task in tasks])
    assert [answer.line for answer in found] == describe_answers(collect_results(planned, records, [], []))
    return found


GOOD: Levels = {"none": 60, "focal": 90}
BAD: Levels = {"none": 90, "focal": 60}
OPEN: Levels = {"none": 60, "focal": UNCLEAR}


@pytest.mark.parametrize(
    ("forms", "answer", "text"),
    [
        ([GOOD, GOOD], "use the remedy", "use focal (better on 2 of 2 forms)"),
        ([OPEN, GOOD, OPEN], "use the remedy", "use focal (better on 1 of 3 forms, inconclusive on 2)"),
        ([BAD, BAD, BAD], "keep plain training", "keep plain training (on all 3 forms)"),
        (
            [GOOD, BAD],
            "depends on the form",
            "it depends on the form: use focal (conll2003-0), keep plain training (conll2003-1)",
        ),
        ([OPEN, OPEN], "no conclusion", "inconclusive"),
        ([OPEN, BAD], "no conclusion", "no conclusion (inconclusive, keep plain training)"),
        (
            [{"none": 60, "focal": 70, "smote": 80}, {"none": 60, "focal": 70, "smote": 40}],
            "use the remedy",
            "use focal (better on 2 of 2 forms)",
        ),
        (
            [{"none": 60, "focal": 80, "smote": 70}, {"none": 60, "smote": 70}, {"none": 60, "smote": 70}],
            "use the remedy",
            "use smote (better on 3 of 3 forms)",
        ),
        (  # what most cards recommend is the answer, though another remedy is better than plain training on more forms
            [*[{"none": 60, "focal": 80, "smote": 70}] * 2, {"none": 60, "focal": UNCLEAR, "smote": 70}],
            "use the remedy",
            "use focal (better on 2 of 3 forms, inconclusive on 1)",
        ),
        (
            [{"none": 60, "none+validation-labels": 80, "focal": 50}] * 2,
            "use the remedy",
            "train on the validation labels too (better on 2 of 2 forms)",
        ),
    ],
)
def test_forms_of_one_data_set_have_one_answer(forms: list[Levels], answer: str, text: str) -> None:
    (found,) = answers({f"conll2003-{number}": levels for number, levels in enumerate(forms)})
    assert (found.data_set, found.answer, found.text) == ("conll2003", answer, text)


def test_each_data_set_has_an_answer_in_the_order_of_their_first_tasks() -> None:
    found = answers({"conll2003-windows": GOOD, "digits-lt(factor=50.0)": BAD, "conll2003-sentences": GOOD})
    assert [answer.line for answer in found] == [
        "conll2003: use focal (better on 2 of 2 forms)",
        "digits-lt(factor=50.0): keep plain training",
    ]


def test_the_page_shows_the_answer_above_the_forms(tmp_path: Path) -> None:
    planned, records = study({"conll2003-windows": GOOD, "digits-lt": BAD, "conll2003-sentences": GOOD})
    page = text_of(written(planned, records, [], [], tmp_path))
    assert "on 3 tasks from 2 data sets" in page
    report = (tmp_path / "report.md").read_text()
    answer = "conll2003: use focal (better on 2 of 2 forms)"
    for text in (page, report):
        positions = [text.index(part) for part in (answer, "2 forms of one data set")]
        assert positions == sorted(positions)
    headings = [line for line in report.splitlines() if line.startswith("## ")]
    assert headings[:4] == [f"## {answer}", "## conll2003-windows", "## conll2003-sentences", "## digits-lt"]
