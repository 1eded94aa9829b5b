"""`bench.load`: the numbers of a results directory as data frames."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from bench.records.store import Store
from bench.report.frame import StudyResults
from bench.report.results_directory import load_study
from bench.report.tables import cost_table, per_seed_table, quality_table, recall_table
from bench.report.task_results import TaskResults

_VERDICT = (
    *("family", "outcome", "difference", "sd", "low", "high", "p", "adjusted_p", "equivalence_p", "margin"),
    *("minimum_detectable_effect", "n"),
)


@dataclass(frozen=True, repr=False)
class StudyFrames:
    """The numbers of a study as pandas data frames, computed from its records when it was loaded.

    Strategies have their ids, and the baseline is `none`. In a comparison of own data each learner has a task of its own.
    """

    per_seed: pd.DataFrame
    """A row per run and metric on test: task, learner, strategy, configuration, seed, metric, value. All other frames but `cost`
    follow from it, and from the split of the task."""
    quality: pd.DataFrame
    """A row per strategy: mean and standard deviation over seeds of every metric, as in `tables/quality.csv`."""
    differences: pd.DataFrame
    """A row per strategy with its difference to the baseline in the study's metric: the interval from `low` to `high`, p values
    and outcome of the report's ranking; `n` is the number of seeds."""
    recall: pd.DataFrame
    """A row per strategy and class: mean and standard deviation of recall and precision, as in `tables/recall.csv`."""
    cost: pd.DataFrame
    """A row per strategy: its cost, measured apart from the runs, as in `tables/cost.csv`."""

    def __repr__(self) -> str:
        rows = ", ".join(f"{name}: {len(frame)} rows" for name, frame in vars(self).items())
        return f"StudyFrames({rows})"


def load(directory: str | os.PathLike[str]) -> StudyFrames:
    """Load a results directory, and return its numbers as data frames; nothing is trained, and nothing written.

    Parameters
    ----------
    directory
        What `imbench run` or `imbench compare` wrote, such as `results/quick-cpu`. Runs that are missing are left out.

    Raises
    ------
    bench.errors.InputError
        If the directory holds no study, or one that this version cannot read.

    Examples
    --------
    ::

        study = bench.load("results/quick-cpu")
        study.per_seed.query("metric == 'macro_f1'").pivot_table("value", ["task", "strategy"], "seed")
        study.differences.query("outcome == 'better'")
    """
    results = load_study(Store(Path(directory))).results()
    return StudyFrames(
        per_seed=per_seed_table.csv_table(results),
        quality=quality_table.csv_table(results),
        differences=_differences(results),
        recall=recall_table.csv_table(results),
        cost=cost_table.csv_table(results),
    )


def _differences(results: StudyResults) -> pd.DataFrame:
    rows = [
        {
            "task": facts.task,
            "learner": results.learner(facts),
            "strategy": verdict.strategy,
            "metric": task.metric.name,
        }
        | {name: value for name, value in asdict(verdict).items() if name in _VERDICT}
        for facts in results.study.tasks
        if not (task := TaskResults(results, facts, {})).metric_error
        for verdict in task.verdicts.values()
    ]
    return pd.DataFrame(rows, columns=["task", "learner", "strategy", "metric", *_VERDICT])
