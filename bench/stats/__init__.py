"""Statistics of a study: what the numbers of several seeds, test items and tasks allow to conclude. Pure functions.

- `compare(table, baseline=, primary=, split=)`: a `Verdict` per strategy of one task, from a frame strategy x seed
- `drop_incomplete(table)`: the strategies with a value at every seed, and the seeds that the others lack
- `compare_pairs(values, baseline, split=)`, `holm(p)`, `hochberg(p)`, `minimum_detectable_effect(sd, n, ...)`: the parts of a
  verdict, on arrays
- `decide_outcome(gain, p=, ...)`: from these parts to `BETTER`, `WORSE`, `EQUIVALENT`, `INCONCLUSIVE` or `TOO_FEW_SEEDS`
- `Resplit(n_test, n_rest)` or `"fixed"`: whether each seed splits the data anew
- `seeds_to_decide(difference, sd, n, ...)`: how many seeds would decide an inconclusive comparison
- `ties_with_best(scores, split=, margin=)`: which of several candidates are as good as the best one
- `spread_factors(n)`: a 90% interval of the sd that a minimum detectable effect is computed from
- `macro_f1_intervals(counts, baseline, rng=)`: a bootstrap over the sentences or items of one test part
- `rank_over_data_sets(table, data_sets, direction=)`: Friedman's test and Nemenyi's critical difference over data sets
- `pareto_front(metric, low, high)`: the strategies that no other strategy beats in metric and cost
"""

from bench.stats.best_ties import ties_with_best
from bench.stats.bootstrap import Interval, macro_f1_intervals
from bench.stats.complete_table import CompleteTable, drop_incomplete
from bench.stats.data_set_ranks import DataSetRanks, NoRanks, critical_difference, nemenyi_p, rank_over_data_sets
from bench.stats.hochberg import hochberg
from bench.stats.holm import holm
from bench.stats.outcome import (
    BETTER,
    DEFAULT_MARGIN,
    EQUIVALENT,
    FEWEST_SEEDS,
    INCONCLUSIVE,
    OUTCOMES,
    TOO_FEW_SEEDS,
    WORSE,
    Outcome,
    decide_outcome,
)
from bench.stats.paired_difference import PairedDifference, Resplit, Split, compare_pairs, split_of
from bench.stats.pareto_front import pareto_front
from bench.stats.power import minimum_detectable_effect, spread_factors
from bench.stats.seeds_to_decide import MOST_SEEDS, seeds_to_decide
from bench.stats.verdict import Comparison, Verdict, compare

__all__ = [
    "BETTER",
    "DEFAULT_MARGIN",
    "EQUIVALENT",
    "FEWEST_SEEDS",
    "INCONCLUSIVE",
    "MOST_SEEDS",
    "OUTCOMES",
    "TOO_FEW_SEEDS",
    "WORSE",
    "Comparison",
    "CompleteTable",
    "DataSetRanks",
    "Interval",
    "NoRanks",
    "Outcome",
    "PairedDifference",
    "Resplit",
    "Split",
    "Verdict",
    "compare",
    "compare_pairs",
    "critical_difference",
    "decide_outcome",
    "drop_incomplete",
    "hochberg",
    "holm",
    "macro_f1_intervals",
    "minimum_detectable_effect",
    "nemenyi_p",
    "pareto_front",
    "rank_over_data_sets",
    "seeds_to_decide",
    "split_of",
    "spread_factors",
    "ties_with_best",
]
