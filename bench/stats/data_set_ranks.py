"""Strategies over many data sets: mean ranks, Friedman's test and Nemenyi's critical difference, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from bench.metrics.selection_metric import Direction
from bench.stats.complete_table import drop_incomplete
from bench.stats.power import ALPHA

FEWEST_DATA_SETS = 6
FEWEST_STRATEGIES, MOST_STRATEGIES = 3, 10


@dataclass(frozen=True)
class DataSetRanks:
    """Mean ranks over independent data sets, 1 the best; what is not complete is in `missing` with its tasks."""

    data_sets: list[str]
    mean_ranks: pd.Series[float]
    """By strategy, the best first."""
    friedman_p: float
    """That all strategies rank alike; where it is not below 5%, the pairs below mean nothing."""
    critical_difference: float
    """Of mean ranks, Nemenyi at 5%."""
    pairwise_p: pd.DataFrame
    """Nemenyi's p value of each two strategies."""
    missing: dict[str, list[str]]

    @property
    def differ(self) -> bool:
        """Whether Friedman's test finds any difference."""
        return self.friedman_p < ALPHA


@dataclass(frozen=True)
class NoRanks:
    """No overall verdict, and why."""

    reason: str
    missing: dict[str, list[str]]


def rank_over_data_sets(
    table: pd.DataFrame, data_sets: Mapping[str, str], *, direction: Direction
) -> DataSetRanks | NoRanks:
    """`table` (strategy x task) of means over seeds, `data_sets` the data set of each task: variants of one are averaged first.

    Needs six data sets, and three to ten strategies that have every task: fewer blocks make the Friedman test's chi-square
    wrong, more strategies a critical difference that nothing exceeds. Demsar (2006), JMLR 7.
    """
    if unknown := [task for task in table.columns if task not in data_sets]:
        raise ValueError(f"of which data set are the tasks {', '.join(unknown)}?")
    block = drop_incomplete(table)
    missing = {name: [str(task) for task in tasks] for name, tasks in block.missing.items()}
    of_task = [data_sets[task] for task in table.columns]
    blocks = block.values.T.groupby(of_task, sort=False).mean()
    ranks = blocks.rank(axis=1, ascending=direction == "down")
    if reason := _no_verdict(ranks):
        return NoRanks(f"no overall verdict: {reason}", missing)
    return DataSetRanks(
        [str(name) for name in blocks.index],
        ranks.mean().sort_values(kind="stable"),
        float(stats.friedmanchisquare(*ranks.to_numpy().T).pvalue),
        critical_difference(*reversed(ranks.shape)),
        _nemenyi(ranks),
        missing,
    )


def critical_difference(strategies: int, data_sets: int) -> float:
    """By how much mean ranks must differ at the 5% level: Nemenyi's test, Demsar (2006), section 3.2.2.

    >>> round(critical_difference(strategies=4, data_sets=14), 2)
    1.25
    """
    quantile = stats.studentized_range.isf(ALPHA, strategies, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(strategies * (strategies + 1) / (6 * data_sets)))


def _no_verdict(ranks: pd.DataFrame) -> str:
    data_sets, strategies = ranks.shape
    if data_sets < FEWEST_DATA_SETS:
        return f"{data_sets} independent data set{'s' * (data_sets != 1)}; it takes {FEWEST_DATA_SETS}"
    if not FEWEST_STRATEGIES <= strategies <= MOST_STRATEGIES:
        return f"{strategies} strategies have every task; it takes {FEWEST_STRATEGIES} to {MOST_STRATEGIES}"
    return "all strategies are equal on every data set" if ranks.nunique(axis=1).max() == 1 else ""


def _nemenyi(ranks: pd.DataFrame) -> pd.DataFrame:
    from scikit_posthocs import posthoc_nemenyi_friedman  # brings statsmodels and plotting with it

    found: pd.DataFrame = posthoc_nemenyi_friedman(ranks)
    return found
