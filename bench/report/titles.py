"""Titles and meanings of everything that tables and figures show, keyed by the columns of the CSV files."""

from __future__ import annotations

from bench.metrics.metric import TITLES
from bench.records.record import VALIDATION_LABELS_ADDED

STRATEGY = "strategy"

BASELINE = "none"
"""The id of plain training, which every remedy is compared with."""


def display_name(strategy: str) -> str:
    """Return the name of a strategy in prose, tables and figures; command lines, records and CSV files keep its id.

    >>> display_name("none"), display_name("focal")
    ('baseline', 'focal')
    """
    return _DISPLAY_NAMES.get(strategy, strategy)


_DISPLAY_NAMES = {BASELINE: "baseline", VALIDATION_LABELS_ADDED: "baseline (validation labels added to training)"}


def short_name(strategy: str) -> str:
    """Return the name of a strategy where a line has room for some 25 letters.

    >>> short_name("none+validation-labels"), short_name("focal")
    ('validation labels added', 'focal')
    """
    return "validation labels added" if strategy == VALIDATION_LABELS_ADDED else display_name(strategy)


MOST_FREQUENT_TAG = "most-frequent-tag baseline"
MOST_FREQUENT_TAG_MEANING = "no model: each word gets the tag that it has most often in training"

MEASURES = TITLES
"""Titles of metrics by column."""

MEANINGS = {
    "macro-F1": "mean of the F1 scores of the classes that occur in test or are predicted",
    "macro-F1 without majority": "the same without the most frequent class in training",
    "accuracy": "share of labels that are predicted correctly",
    "balanced accuracy": "mean recall over the classes that occur in test",
    "worst-class recall": "lowest recall of a class that occurs in test",
    "positive F1, average precision, recall at precision 0.9": (
        "on tasks with two classes, of the one with fewer labels in training: its F1; the mean of its precision over the ranks "
        "of its labels; the highest recall of a threshold at which at least 90% of its predictions are right"
    ),
    "entity precision, recall, F1": (
        'over whole entities of all types, counted by seqeval in its default mode, which is that of "conlleval"'
    ),
    "NLL, ECE": (
        "of the probabilities: the mean negative log-likelihood (log loss) per label, and the expected calibration error, which "
        "is how far the probability of the likeliest class is from how often it is right; lower is better, whereas higher is "
        "better for all other metrics"
    ),
    "instability": (
        "share of test labels whose predicted class changes from one seed to another, mean over pairs of seeds; where each seed "
        "has a test part of its own, on the rows that two of them share; one number, without a standard deviation"
    ),
}

INSTABILITY = "instability"

BY_CLASS = {"recall": "Recall", "precision": "Precision"}

COSTS = {
    "setup_seconds": "set-up (s)",
    "draws_per_second": "draws per second",
    "slowest_draws_per_second": "slowest round",
    "fastest_draws_per_second": "fastest round",
    "batches_per_second": "batches per second",
    "items_per_second": "training items per second",
    "step_ratio": "relative step time (baseline = 1)",
    "lowest_step_ratio": "lowest round",
    "highest_step_ratio": "highest round",
    "evaluation_seconds": "evaluation (s)",
    "peak_bytes": "peak memory (bytes)",
}

EXTRA_COST = "extra cost (declared)"

COST_MEANINGS = {
    "set-up": "resampling the rows and starting the sampler, up to its first batch",
    "draws per second": "items sampled per second by the sampler alone; median, slowest and fastest of the rounds",
    "batches per second": "batches sampled and gathered per second",
    "training items per second": "items sampled, gathered and trained on per second",
    "relative step time": (
        "seconds per training step, including sampling and gathering, divided by those of the baseline; median, lowest and "
        "highest of the rounds. The baseline is measured against a second run of itself, so its own value need not be 1.00. "
        "Strategies that sample shorter sentences have cheaper steps. Of an estimator: seconds of resampling and of the whole "
        "fit, divided by those of the baseline under the same seed; median, lowest and highest of the seeds"
    ),
    "evaluation": "one evaluation of the validation part",
    "peak memory": (
        "most memory held during set-up and the first steps of one run, without the task's data; memory that the allocator "
        "keeps in reserve makes it inexact"
    ),
    EXTRA_COST: "passes, memory and set-up in addition to plain training, as the strategy declares them; not measured",
}

SAMPLING = {
    "items": "items sampled",
    "labels": "labels sampled",
    "coverage": "coverage",
    "effective_sample_size": "effective sample size",
    "effective_sample_size_share": "as share of training items",
}

PRIORS = {
    "natural": "Validation and test keep the class mix of the source.",
    "balanced": (
        "Training is long-tailed; test is balanced: every class has equally many labels. Equal shares are what adjustments "
        "for a class mix aim at."
    ),
}

UNTESTED = "Differences between strategies are not tested here, and means hold for this number of training steps."
NOT_MEASURED = "not measured"
NOTHING = "No strategy has finished all its seeds yet."
