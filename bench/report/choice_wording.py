"""Every sentence about what validation chose, as templates and small functions: the prose of a comparison's verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bench.text.numbers import format_imbalance, plural

INTRODUCTION = (
    "{adjustments} of finished logits and {trained} with {learners} on {data_set}, {seeds}: chosen by {metric}{lower} on "
    "validation, and measured on test."
)
NO_CHOICE = "No verdict: no learner has finished all its seeds with plain training or any remedy"
ANSWER_REMEDY = "use {learner} with {remedy}"
ANSWER_PLAIN = "keep plain training, with {learner}"
NO_TRAINED_REMEDY = "{answer}; no trained remedy was tried, only adjustments of plain training"
NOTHING_ELSE = "{answer}; no remedy was tried"
WITH_LEARNER, PLAIN_OF_LEARNER = "{strategy} with {learner}", "plain training of {learner}"
SAME_UNDER_EVERY_SEED = (
    "The difference is the same under every seed, since all share one split and these models draw no random numbers: there is no "
    "interval, and more seeds would tell no more; more test rows would."
)
LARGER_BUDGET = "A larger --budget tries trained remedies too."
FEWEST_LABELS = 3
"""With fewer labels of a class in a part, one label more or less found changes its recall there by more than a third."""
TOO_FEW_ROWS = "too few rows to decide: {classes}"
LABELS_OF_CLASS = "{name} has {validation} labels in validation and {test} in test"
TOO_FEW_ROWS_RULE = (
    "No recommendation: {rare} of {classes} have fewer than {fewest} labels in validation or test (mean over seeds), where one "
    "label more or less found changes the recall of the class by more than a third. A verdict needs more rows: {fewest} labels "
    "in both parts of more than half of the classes."
)
FEW_LABELS = "{classes}: fewer than {fewest} say little about a class (means over seeds)."

IS_LEADER = "the best of {candidates} on validation"
IS_SIMPLEST = (
    "{tied} of {candidates} are as good on validation as the best, which is {leader}; this is the simplest of them"
)
COMBINATIONS = "{combinations} of learner and remedy"
RULE = (
    "The rule: of all that are as good as the best mean on validation, the simplest is chosen: plain training, then post-hoc "
    "baselines, then trained remedies, then ensembles. As good is what lies, compared with the best of all and with the best of "
    "its own learner, within one standard error of the paired difference, plus the lead that the best of {candidates} equals "
    "would have by luck, or within the margin of {margin}. Thresholds are scored there on labels that they were not tuned on. "
    "Test decided nothing."
)
RULE_ONE_SEED = "One seed shows no spread, so only what lies within the margin of the best counts as good as it."
AS_GOOD = "As good as the best on validation: {candidates}."

COMPARED_WITH_PLAIN = "compared with plain training of {learner}"
EFFECT_ON_TEST = "{metric} on test {before} → {after} ({difference}, {interval}, {seeds}) {compared}"
CONFIRMED = "Confirmed on test. {effect}"
NOT_CONFIRMED = "Not confirmed on test: {conclusion}. {effect}"
CONTRADICTED = "Contradicted on test: significantly worse. {effect}"
TOO_FEW = "{reason} {effect}"
NO_PLAIN = "{metric} on test {after}; no comparison, because plain training of {learner} has not finished all its seeds"
PLAIN_ALONE = "{metric} on test {after}; no {other} is better on validation"
PLAIN_UNCOMPARED = "{metric} on test {after}"
PLAIN_CONFIRMED = (
    "Confirmed on test: {leader}, the best on validation, is not better there: {difference}, {conclusion}. {mean}"
)
PLAIN_NOT_CONFIRMED = (
    "Open on test: {leader} is the best on validation, but not clearly; its difference on test is {difference}, "
    "{conclusion}. {mean}"
)
PLAIN_CONTRADICTED = (
    "Contradicted on test: {leader}, the best on validation, but not clearly, is better there: {difference}. {mean}"
)
PLAIN_TOO_FEW = "{reason} {leader}, the best on validation, minus plain training on test: {difference}. {mean}"
PLAIN_MEAN = "{metric} of plain training on test {after}"

COMPARED_WITH = "compared with {rival}"
RIVAL = "{compared}: {difference}, {conclusion}"
SAME = "The same {metric} at every seed: {rivals}"
RIVAL_NAMES = {
    "best plain learner": "plain training of {learner}",
    "post-hoc baseline": "{strategy} after plain training",
    "validation labels added": "plain training on the validation labels too",
}
COST_FIT = "Cost: a run takes {ratio} times as long as plain training{adds}"

PROBABILITIES_UNTOUCHED = "Only predictions change: take probabilities from the model before the adjustment."
PROBABILITIES_WORSE = (
    "Its probabilities are less reliable than those of plain training (ECE {before} → {after}): use its predictions, not its "
    "probabilities."
)
PROBABILITIES_BETTER = "Its probabilities are more reliable than those of plain training (ECE {before} → {after})."
PROBABILITIES_SAME = "Its probabilities are about as reliable as those of plain training (ECE {before} → {after})."
MATTERING_ECE = 0.01
"""A change of the expected calibration error that is worth a sentence."""

COLUMNS = "What was done to each column"
COLUMNS_LEAD = (
    "The kind of a column and its features are found from all rows; medians, means and standard deviations are measured on the "
    "training part of each seed alone. --drop leaves a column out."
)
COLUMN_TITLES = ("Column", "Kind", "Treatment", "Reason")

LEADERBOARD = "All learners and remedies"
LEADERBOARD_LEAD = (
    "Sorted by {metric} on validation, which decides{lower}; ★: the choice; ≈: as good as the best there. Test is only reported: "
    "the difference is that to plain training of the same learner, with its 95% interval; a dash instead of the interval: "
    "all seeds agree exactly, or there are too few for one. Time: of a run, relative to plain training; a dash: not measured. "
    "The baseline with the validation labels added comes last: it has no score on validation, and is never chosen."
)
LOWER = " (lower is better)"
LEFT_OUT = "Left out, because not all seeds have finished: {strategies}."
LEFT_OUT_STRATEGY = "{strategy} with {learner} ({finished} seeds: {reason})"
NOT_APPLICABLE = "Not applicable: {strategies}."
NOT_APPLICABLE_STRATEGY = "{strategy} with {learner} ({reason})"

IMBALANCE = "{classes}, {counts}; {ratio}; effective number of classes {effective}"
PARTS = "{training} training items, {validation} for validation, {test} for test in each seed's own split"
RAREST_ON_TEST = "{labels} test labels, {count} of {name}, the rarest class in training"
MOST_CLASSES = 4
"""Classes that the summary names with their counts."""
RECALL = "recall of {name}"

SCRIPT = "use_it.py"
SCRIPT_NOTE = (
    "The complete program lies next to this report: it trains the choice on your data, saves it with its preprocessing, and "
    "predicts a new file."
)
SCRIPT_CODE = """\
python {script}                       # trains and saves
python {script} train-all             # trains on all rows, for production
python {script} predict NEW OUT       # predicts a new file
"""
CODE_ENSEMBLE = """\
from strategies import parse

model = parse("{trained}").ensemble(estimator, seed=0)  # estimator: {learner}, not fitted
model.fit(train_x, train_y)
"""


def effective_classes(counts: Sequence[int]) -> float:
    """Return how many equally frequent classes are as diverse as these: the exponential of the entropy of their shares.

    >>> round(effective_classes([50, 50]), 2), round(effective_classes([99, 1]), 2)
    (2.0, 1.06)
    """
    shares = np.array([count for count in counts if count]) / max(sum(counts), 1)
    return float(np.exp(-(shares * np.log(shares)).sum()))


def imbalance(names: Sequence[str], counts: Sequence[int]) -> str:
    """Return the classes of the training part with their labels, the ratio of largest to smallest, and how diverse they are.

    >>> imbalance(["genuine", "fraud"], [990, 10])
    '2 classes, genuine (990), fraud (10); 99 : 1; effective number of classes 1.06'
    """
    pairs = list(zip(names, counts, strict=True))
    shown = pairs if len(pairs) <= MOST_CLASSES else [*pairs[: MOST_CLASSES - 1], pairs[-1]]
    listed = [f"{name} ({count:,})" for name, count in shown]
    if len(shown) < len(pairs):
        listed.insert(-1, "…")
    return IMBALANCE.format(
        classes=plural(len(pairs), "class"),
        counts=", ".join(listed),
        ratio=format_imbalance(counts),
        effective=f"{effective_classes(counts):.2f}",
    )
