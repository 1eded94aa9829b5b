"""What the numbers of several seeds, test items and tasks allow to be said: pure functions of arrays and frames.

- `compare(table, baseline=, primary=, split=)`: a `Verdict` for each strategy of one task, from a frame strategy x seed
- `complete_rows(table)`: the strategies with a value at every seed, and the seeds that the others lack
- `spread_factors(n)`: how far a smallest resolvable difference, which rests on a spread of n seeds, may be off
- `paired(values, baseline, split=)`, `holm(p)`, `smallest_resolvable(sd, n, ...)`: what a verdict is made of, on arrays
- `Resplit(n_test, n_rest)` or `"fixed"`: whether each seed splits the data anew
- `macro_f1_intervals(counts, baseline, rng=)`: a bootstrap over the sentences or items of one test part
- `overall(table, data_sets, direction=)`: Friedman test and critical difference over data sets, or the reason for none
- `objective(text, class_names)`: the measure that decides, by name or from a cost matrix
- `pareto_front(measure, low, high)`: which points no other beats in measure and cost
"""

from bench.metrics.selection_metric import Direction, SelectionMetric, parse_metric
from bench.stats.bootstrap import Interval, macro_f1_intervals
from bench.stats.complete_table import CompleteTable, drop_incomplete
from bench.stats.data_set_ranks import DataSetRanks, NoRanks, critical_difference, rank_over_data_sets
from bench.stats.holm import holm
from bench.stats.paired import Paired, Resplit, Split, paired, split_of
from bench.stats.pareto_front import pareto_front
from bench.stats.power import minimum_detectable_effect, spread_factors
from bench.stats.verdict import Comparison, Verdict, compare

__all__ = [
    "Comparison",
    "CompleteTable",
    "DataSetRanks",
    "Direction",
    "Interval",
    "NoRanks",
    "Paired",
    "Resplit",
    "SelectionMetric",
    "Split",
    "Verdict",
    "compare",
    "critical_difference",
    "drop_incomplete",
    "holm",
    "macro_f1_intervals",
    "minimum_detectable_effect",
    "paired",
    "pareto_front",
    "parse_metric",
    "rank_over_data_sets",
    "split_of",
    "spread_factors",
]
