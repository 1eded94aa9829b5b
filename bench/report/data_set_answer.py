"""One answer per data set: tasks that are forms of one data set are one piece of evidence, not several."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from bench.records.record import VALIDATION_LABELS_ADDED
from bench.report import wording
from bench.report.frame import StudyResults
from bench.report.recommendation import Recommendation, recommend
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.stats import BETTER, INCONCLUSIVE, TOO_FEW_SEEDS, WORSE, Outcome

_WITH_LEARNER = re.compile(r" with ([\w-]+|\S+\.py:\w+)$")
"""The end of a block's name that says its learner: a model's name, or a user's FILE.py:NAME."""

Answer = Literal["use the remedy", "keep plain training", "depends on the form", "no conclusion"]
TaskAnswer: TypeAlias = tuple[TaskResults, Recommendation | None]


@dataclass(frozen=True)
class DataSetAnswer:
    """What to use on a data set, and the tasks that are forms of it: windows or sentences of one corpus, for example."""

    data_set: str
    answer: Answer
    text: str
    """The answer in words, such as "use thresholds: better on 2 of 3 forms"."""
    forms: list[TaskAnswer]

    @property
    def line(self) -> str:
        """The data set and its answer."""
        return f"{self.data_set}: {self.text}"


def data_set_of(task: str) -> str:
    """Return the data set of a task: tasks with other items, parameters or learners are forms of one set.

    >>> data_set_of("conll2003-windows"), data_set_of("digits-lt(factor=50.0)"), data_set_of("conll:news(kind=sentences)")
    ('conll2003', 'digits-lt', 'conll:news')
    >>> data_set_of("fraud.csv with mlp"), data_set_of("fraud (2024).csv with mlp"), data_set_of("sales with tax.csv")
    ('fraud.csv', 'fraud (2024).csv', 'sales with tax.csv')
    """
    name = _WITH_LEARNER.sub("", task)
    name = name.partition("(")[0] if name.endswith(")") else name
    return "conll2003" if name.startswith("conll2003-") else name


def answer_by_data_set(pairs: Sequence[TaskAnswer]) -> list[DataSetAnswer]:
    """Return one answer per data set, in the order of their first tasks.

    A data set with one form has the recommendation for it. Where there are several,

    1. a remedy is the answer if it is recommended for one form and worse than plain training on none: of several, the one that
       is recommended for most forms, then better on most, and then gains most; if every recommended remedy is worse on another
       form, the answer depends on the form;
    2. plain training is the answer if it is that of every form;
    3. in all other cases there is no conclusion.
    """
    forms_by_data_set: dict[str, list[TaskAnswer]] = {}
    for task, recommendation in pairs:
        forms_by_data_set.setdefault(data_set_of(task.facts.task), []).append((task, recommendation))
    return [_answer(data_set, forms) for data_set, forms in forms_by_data_set.items()]


def describe_answers(results: StudyResults) -> list[str]:
    """Return a line per data set with the answer: what a study says in a terminal."""
    tasks = [TaskResults(results, facts, {}) for facts in results.study.tasks]
    pairs = [(task, recommend(task)) for task in tasks if not task.metric_error]
    return [answer.line for answer in answer_by_data_set(pairs)]


def describe_decision(recommendation: Recommendation | None) -> str:
    """Return the recommendation for one task in a few words."""
    if recommendation is None:
        return wording.OVERVIEW_OPEN
    if recommendation.decision == "keep plain training":
        return wording.OVERVIEW_KEEP
    if recommendation.decision == "use the remedy":
        return _describe_use(recommendation.best.strategy)
    decisions = {INCONCLUSIVE: wording.OVERVIEW_UNDECIDED, TOO_FEW_SEEDS: wording.OVERVIEW_NOT_ENOUGH_SEEDS}
    return decisions.get(recommendation.best.outcome, wording.OVERVIEW_OPEN)


def _describe_use(strategy: str) -> str:
    if strategy == VALIDATION_LABELS_ADDED:
        return wording.OVERVIEW_USE_LABELS
    return wording.OVERVIEW_USE.format(remedy=display_name(strategy))


def _answer(data_set: str, forms: list[TaskAnswer]) -> DataSetAnswer:
    if len(forms) == 1:
        (task, recommendation) = forms[0]
        answer: Answer = "no conclusion" if recommendation is None else recommendation.decision
        return DataSetAnswer(task.facts.task, answer, describe_decision(recommendation), forms)
    decisions = {"no conclusion" if found is None else found.decision for _, found in forms}
    recommended = Counter(
        found.best.strategy for _, found in forms if found is not None and found.decision == "use the remedy"
    )
    harmless = [name for name in recommended if WORSE not in _outcomes(forms, name)]
    if harmless:
        remedy = max(
            harmless,
            key=lambda name: (recommended[name], _outcomes(forms, name).count(BETTER), _mean_gain(forms, name)),
        )
        text = wording.ANSWER_USE.format(
            use=_describe_use(remedy), outcomes=wording.count_outcomes(_outcomes(forms, remedy))
        )
        return DataSetAnswer(data_set, "use the remedy", text, forms)
    if recommended:
        by_form = ", ".join(f"{describe_decision(found)} ({task.facts.task})" for task, found in forms)
        return DataSetAnswer(data_set, "depends on the form", wording.ANSWER_DEPENDS.format(forms=by_form), forms)
    if decisions == {"keep plain training"}:
        text = wording.ANSWER_KEEP.format(forms=len(forms))
        return DataSetAnswer(data_set, "keep plain training", text, forms)
    by_decision = list(dict.fromkeys(describe_decision(found) for _, found in forms))
    text = by_decision[0] if len(by_decision) == 1 else wording.ANSWER_OPEN.format(decisions=", ".join(by_decision))
    return DataSetAnswer(data_set, "no conclusion", text, forms)


def _outcomes(forms: list[TaskAnswer], strategy: str) -> list[Outcome]:
    """Return a strategy's outcomes on the forms that have it."""
    return [task.verdicts[strategy].outcome for task, _ in forms if strategy in task.verdicts]


def _mean_gain(forms: list[TaskAnswer], strategy: str) -> float:
    gains = [task.gain(task.verdicts[strategy]) for task, _ in forms if strategy in task.verdicts]
    return float(np.mean(gains))
