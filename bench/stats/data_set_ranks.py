"""Strategies over many data sets: mean ranks, Friedman's test and Nemenyi's critical difference, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from bench.metrics.metric import Direction
from bench.stats.complete_table import drop_incomplete
from bench.stats.power import ALPHA
from bench.text.numbers import plural

FEWEST_DATA_SETS = 6
FEWEST_STRATEGIES, MOST_STRATEGIES = 3, 10


@dataclass(frozen=True)
class DataSetRanks:
    """Mean ranks over independent data sets, 1 the best; incomplete strategies are in `missing` with the tasks they lack."""

    data_sets: list[str]
    mean_ranks: pd.Series[float]
    """By strategy, the best first."""
    friedman_p: float
    """p value of Friedman's test that all strategies rank alike; where it is 5% or more, the pairs below mean nothing."""
    critical_difference: float
    """Smallest significant difference of mean ranks, Nemenyi at 5%."""
    pairwise_p: pd.DataFrame
    """Nemenyi's p value of each pair of strategies."""
    missing: dict[str, list[str]]

    @property
    def has_differences(self) -> bool:
        """Whether Friedman's test finds any difference."""
        return self.friedman_p < ALPHA


@dataclass(frozen=True)
class NoRanks:
    """The reason why there is no overall verdict."""

    reason: str
    missing: dict[str, list[str]]


def rank_over_data_sets(
    table: pd.DataFrame, data_sets: Mapping[str, str], *, direction: Direction
) -> DataSetRanks | NoRanks:
    """Rank strategies over independent data sets.

    `table` (strategy x task) holds means over seeds, `data_sets` the data set of each task; variants of one data set are
    averaged first. Needs six data sets, and three to ten strategies with a value on every task: with fewer data sets the
    chi-square approximation of Friedman's test is wrong, with more strategies no difference reaches the critical one.
    Demsar (2006), JMLR 7.
    """
    if unknown := [task for task in table.columns if task not in data_sets]:
        raise ValueError(f"of which data set are the tasks {', '.join(unknown)}?")
    complete = drop_incomplete(table)
    missing = {name: [str(task) for task in tasks] for name, tasks in complete.missing.items()}
    data_set_of_column = [data_sets[task] for task in table.columns]
    by_data_set = complete.values.T.groupby(data_set_of_column, sort=False).mean()
    ranks = by_data_set.rank(axis=1, ascending=direction == "down")
    if reason := _why_no_ranks(ranks):
        return NoRanks(f"no overall verdict: {reason}", missing)
    return DataSetRanks(
        [str(name) for name in by_data_set.index],
        ranks.mean().sort_values(kind="stable"),
        float(stats.friedmanchisquare(*ranks.to_numpy().T).pvalue),
        critical_difference(*reversed(ranks.shape)),
        nemenyi_p(ranks),
        missing,
    )


def critical_difference(strategies: int, data_sets: int) -> float:
    """Return by how much mean ranks must differ at the 5% level: Nemenyi's test, Demsar (2006), section 3.2.2.

    >>> round(critical_difference(strategies=4, data_sets=14), 2)
    1.25
    """
    quantile = stats.studentized_range.isf(ALPHA, strategies, np.inf) / np.sqrt(2)
    return float(quantile * np.sqrt(strategies * (strategies + 1) / (6 * data_sets)))


def nemenyi_p(ranks: pd.DataFrame) -> pd.DataFrame:
    """Return Nemenyi's p value of each pair of strategies for `ranks` (data set x strategy): Demsar (2006), section 3.2.2."""
    data_sets, strategies = ranks.shape
    mean_ranks = ranks.mean().to_numpy()
    differences = np.abs(np.subtract.outer(mean_ranks, mean_ranks))
    standard_error = np.sqrt(strategies * (strategies + 1) / (6 * data_sets))
    p = stats.studentized_range.sf(differences / standard_error * np.sqrt(2), strategies, np.inf)
    np.fill_diagonal(p, 1.0)
    return pd.DataFrame(p, index=ranks.columns, columns=ranks.columns)


def _why_no_ranks(ranks: pd.DataFrame) -> str:
    data_sets, strategies = ranks.shape
    if data_sets < FEWEST_DATA_SETS:
        return f"{plural(data_sets, 'independent data set')}, but at least {FEWEST_DATA_SETS} are needed"
    if not FEWEST_STRATEGIES <= strategies <= MOST_STRATEGIES:
        return f"{strategies} strategies have results on every task, but {FEWEST_STRATEGIES} to {MOST_STRATEGIES} are needed"
    return "all strategies are equal on every data set" if ranks.nunique(axis=1).max() == 1 else ""
