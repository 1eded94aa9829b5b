"""What measures, costs and draws are called in tables and figures, in one place, keyed by the columns of the CSV files."""

from __future__ import annotations

from bench.metrics.metric import TITLES

STRATEGY = "strategy"


def display_name(strategy: str) -> str:
    """What tables and figures call a strategy: `none`, its id on the command line and in CSV files, is the baseline.

    >>> display_name("none"), display_name("focal")
    ('baseline', 'focal')
    """
    return "baseline" if strategy == "none" else strategy


BASELINE = "most-frequent-tag baseline"

MEASURES = TITLES
"""Titles of metrics by column."""

MEANINGS = {
    "macro-F1": "mean F1 over all classes, each counting the same",
    "macro-F1 without majority": "the same over all classes but the most frequent one in training",
    "accuracy": "share of labels predicted right",
    "balanced accuracy": "mean recall over the classes that occur in test",
    "worst-class recall": "the lowest of these recalls",
    "entity precision, recall, F1": (
        'over whole entities of all types, counted by seqeval in its default mode, which is that of "conlleval"'
    ),
    "NLL": "mean negative log-likelihood a label; lower is closer to the truth, for all other measures higher is",
}

BY_CLASS = {"recall": "Recall", "precision": "Precision"}

COSTS = {
    "setup_seconds": "set-up (s)",
    "draws_per_second": "draws a second",
    "slowest_draws_per_second": "slowest round",
    "fastest_draws_per_second": "fastest round",
    "batches_per_second": "batches a second",
    "items_per_second": "training items a second",
    "step_ratio": "step cost (none = 1)",
    "lowest_step_ratio": "lowest round",
    "highest_step_ratio": "highest round",
    "evaluation_seconds": "evaluation (s)",
    "peak_bytes": "peak memory (bytes)",
}

ADDS = "adds"

COST_MEANINGS = {
    "set-up": "resampling the rows and making the index stream, its first batch included",
    "draws a second": "items drawn by the index stream alone: median, slowest and fastest of the rounds",
    "batches a second": "batches drawn and gathered",
    "training items a second": "drawn, gathered and trained on",
    "step cost": (
        "seconds a training step, draw and gather included, over those of none; median, lowest and highest of the rounds. None "
        "itself is measured against a second run of none, so it need not read 1.00; a strategy that draws shorter sentences "
        "has cheaper steps"
    ),
    "evaluation": "one evaluation of the validation part",
    "peak memory": (
        "what set-up and the first steps of one training held at most, its task's data not counted, rounded by what the "
        "allocator keeps"
    ),
    ADDS: "passes, memory and set-up beside plain training, as the strategy says itself; not measured",
}

DRAWN = {
    "items": "items drawn",
    "labels": "labels drawn",
    "coverage": "coverage",
    "effective_sample_size": "effective sample size",
    "effective_sample_size_share": "as share of training items",
}

BASELINE_MEANING = "no model: each word gets the tag that it has most often in training"

PRIORS = {
    "natural": "Validation and test keep the class mix of the source.",
    "balanced": "Training is long-tailed; validation and test are balanced: every class has equally many labels.",
}

UNTESTED = "Differences between strategies are not tested here, and means hold at this budget of steps."
NOT_MEASURED = "not measured"
NOTHING = "No strategy has finished all its seeds yet."
