"""Every sentence of the report's cards and section leads, as templates and small functions: prose is edited here only.

Sentences on what validation chose in a comparison are in `choice_wording.py`. The other modules of the report compute numbers and
choose a sentence. Text in braces is filled in by them. Groups follow the page from top to bottom: words and numbers, first
screen, cards, details of a card, sections.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.metrics.metric import find_title
from bench.report.titles import COST_MEANINGS, display_name
from bench.stats import BETTER, OUTCOMES, Outcome, Verdict
from bench.stats import EQUIVALENT as EQUIVALENT_OUTCOME
from bench.stats import WORSE as WORSE_OUTCOME
from bench.text.numbers import format_imbalance, format_signed, plural

# Words

POST_HOC_TITLES = {
    "thresholds": "tune per-class thresholds after training",
    "post-hoc-adjustment": "subtract the logarithm of the class prior from the logits after training",
    "prior-correction": "correct the logits for the class mix of the data to predict, after training",
}
"""What the post-hoc baselines do, for those who do not know their names."""


def metric_title(name: str) -> str:
    """Return a metric's name as prose writes it.

    >>> metric_title("macro-f1"), metric_title("cost (costs.csv)")
    ('macro-F1', 'cost (costs.csv)')
    """
    return find_title(name)


def names(strategies: Iterable[str]) -> str:
    """Return the display names of strategies in a row.

    >>> names(["none", "focal"])
    'baseline, focal'
    """
    return ", ".join(map(display_name, strategies))


def capitalised(text: str) -> str:
    """Return the text with its first letter in upper case; unlike `str.capitalize`, the rest stays."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return a reason as a sentence of its own.

    >>> sentence("one seed has no spread")
    'One seed has no spread.'
    """
    return f"{capitalised(text)}."


# Differences

INTERVAL = "95% interval {low} to {high}"
NO_INTERVAL = "no interval"
AFTER_HOLM = "inconclusive: not significant after Holm's correction"
EQUIVALENT_WITHIN = "equivalent (within ±{margin})"
BY_LESS_THAN_THE_MARGIN = "{outcome}, but by less than the margin of {margin}"


def interval(verdict: Verdict) -> str:
    """Return "95% interval +0.012 to +0.031", or that there is none."""
    if math.isnan(verdict.low):
        return NO_INTERVAL
    return INTERVAL.format(low=format_signed(verdict.low), high=format_signed(verdict.high))


def difference(verdict: Verdict) -> str:
    """Return a difference, never without its interval: "+0.021 (95% interval +0.012 to +0.031)"."""
    return f"{format_signed(verdict.difference)} ({interval(verdict)})"


def named_difference(verdict: Verdict) -> str:
    """Return a strategy with its difference and interval."""
    return f"{display_name(verdict.strategy)} {difference(verdict)}"


MOST_NAMES = 3
"""How many remedies a line of a card names; all of them are in the ranking."""
AND_MORE = " and {count} more"


def short_differences(verdicts: Iterable[Verdict]) -> str:
    """Return the first names with their differences to two decimals: "focal (+0.05), smote (-0.01) and 3 more"."""
    return shorten([f"{display_name(verdict.strategy)} ({verdict.difference:+.2f})" for verdict in verdicts])


def shorten(parts: Sequence[str]) -> str:
    """Return the first parts in a row, and how many more there are.

    >>> shorten(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    more = len(parts) - MOST_NAMES
    return ", ".join(parts[:MOST_NAMES]) + (AND_MORE.format(count=more) if more > 0 else "")


def conclusion(verdict: Verdict) -> str:
    """Return the words for an outcome: with the margin where it matters, and why an interval without 0 is inconclusive."""
    if verdict.is_overruled_by_holm:
        return AFTER_HOLM
    if verdict.outcome == EQUIVALENT_OUTCOME:
        return EQUIVALENT_WITHIN.format(margin=format_margin(verdict.margin))
    if verdict.outcome in (BETTER, WORSE_OUTCOME) and verdict.is_within_margin:
        return BY_LESS_THAN_THE_MARGIN.format(outcome=verdict.outcome, margin=format_margin(verdict.margin))
    return verdict.outcome


def format_margin(margin: float) -> str:
    """Return a margin as it was given.

    >>> format_margin(0.01), format_margin(2.0), format_margin(0.00123456)
    ('0.01', '2', '0.00123')
    """
    return f"{margin:.3g}"


# First screen

PAGE_TITLE = "Which remedy for class imbalance, at what cost?"
COMPARED = "Suite {suite}: {strategies} on {tasks}, {seeds}, compared with plain training by {metric} on test{lower}."
LOWER_IS_BETTER = " (lower is better)"
CHOSEN_ON_VALIDATION = "Checkpoints were chosen on validation by {metric}{thresholds}."
THRESHOLDS_TUNED = "; thresholds were tuned there for {metrics}"
MARGIN = "Differences below {margins} do not matter (--margin)."
MARGIN_OF_TASK = "{margin} ({task})"
OVERVIEW_TITLE = "Difference to plain training in {metric}"
OVERVIEW_NOTE = (
    "Vertical line: plain training (the baseline). Point and number: mean difference over seeds; bar: 95% interval; arrow head: "
    "beyond the axis."
)
OVERVIEW_ALT = "{task}: differences to plain training in {metric}, with 95% intervals: {differences}"
OVERVIEW_USE, OVERVIEW_KEEP, OVERVIEW_OPEN = "use {remedy}", "keep plain training", "no conclusion"
OVERVIEW_UNDECIDED, OVERVIEW_NOT_ENOUGH_SEEDS = "inconclusive", "too few seeds"
OVERVIEW_USE_LABELS = "train on the validation labels too"
ANSWER_USE = "{use} ({outcomes})"
ANSWER_KEEP = "keep plain training (on all {forms} forms)"
ANSWER_DEPENDS = "it depends on the form: {forms}"
ANSWER_OPEN = "no conclusion ({decisions})"
FORMS_OF_ONE = (
    "{forms} of one data set: they share their data, so where they agree, it is not independent confirmation."
)
FROM_DATA_SETS = " from {data_sets}"
OVERVIEW_RECOMMENDED = "recommended"
OVERVIEW_EXPLORATORY = "open: exploratory"
OVERVIEW_POSTER_KEY = "Open marks: exploratory; star: recommended; bars: 95% intervals."


def count_outcomes(outcomes: Sequence[Outcome]) -> str:
    """Return how often each outcome occurs among the forms of a data set.

    >>> count_outcomes(["inconclusive", "better", "inconclusive"])
    'better on 1 of 3 forms, inconclusive on 2'
    """
    (first, count), *others = sorted(Counter(outcomes).items(), key=lambda item: list(OUTCOMES).index(item[0]))
    parts = [f"{first} on {count} of {plural(len(outcomes), 'form')}", *(f"{name} on {n}" for name, n in others)]
    return ", ".join(parts)


def describe_comparison(
    suite: str, strategies: int, tasks: int, data_sets: int, seeds: Sequence[int], metric: str, lower: bool
) -> str:
    """Return the line below the page's title."""
    if not seeds:
        count = "no seeds"
    elif min(seeds) == max(seeds):
        count = f"{plural(seeds[0], 'seed')} each"
    else:
        count = f"{min(seeds)} to {max(seeds)} seeds"
    return COMPARED.format(
        suite=suite,
        strategies=plural(strategies, "remedy"),
        tasks=plural(tasks, "task")
        + (FROM_DATA_SETS.format(data_sets=plural(data_sets, "data set")) if data_sets != tasks else ""),
        seeds=count,
        metric=metric,
        lower=LOWER_IS_BETTER if lower else "",
    )


# Cards: one task each

ONLY_HELD_OUT = " ({number} of them only in validation or test)"
TASK_SUMMARY = "{items}, {classes}, largest to smallest {ratio}"
VALIDATION_LABELS = "{labels}, {rarest} of the rarest class"
RECOMMENDED = "Recommended: {remedy}"
RECOMMENDED_LABELS_ADDED = "Recommended: plain training, with the validation labels added"
KEEP_BASELINE = "Recommended: keep plain training"
NO_CONCLUSION = "No recommendation"
UNDECIDED, NOT_ENOUGH_SEEDS = "Inconclusive: no recommendation yet", "Too few seeds for a recommendation"

EFFECT = "{metric} {before} → {after} ({difference}, {interval}, {seeds})"
USE = "{effect}; {place}"
USE_BY_RIVAL = (
    "{effect}; {conclusion} compared with plain training, but better than {rival}, which is better than plain training"
)
BEST_OF, CHOSEN_FROM, THE_ONLY, LEADING = (
    "best of {remedies}",
    "chosen from {remedies}",
    "the only remedy",
    "leading of {remedies}",
)
SMALL = "; the whole interval lies within the margin of {margin}"
KEEP = "All {remedies} are worse or equivalent; {best}, {remedy}: {effect}, {conclusion}"
KEEP_ONE_EQUIVALENT = "The only remedy, {remedy}: {effect}, {conclusion}"
LEADING_REMEDY = "{place}, {remedy}: {effect}, {conclusion}"
NEXT_STEP = (
    "{seeds} would decide with 80% probability whether {remedy} is better than {plain}, worse, or equivalent "
    "(within ±{margin})."
)
NO_NEXT_STEP = (
    "{seeds} do not show how many are needed to decide whether {remedy} is better than {plain}; it may be more than "
    "{most}."
)
MORE_SEEDS = "At least {seeds} are needed for a conclusion."
COMMAND, WARNING = "Command", "Warning"
NEVER_PREDICTED = "{model} never predicts {classes}."
NEVER_FOUND = "{model} finds no label of {classes}."
SILENT_CLASS = "{name} ({seeds} of {total} seeds)"
HARDLY_BETTER = "{model} is {hardly_better} {trivial}: {metric} {ours} against {theirs} on test."
HARDLY_BETTER_THAN, WORSE_THAN = "hardly better than", "worse than"
ALWAYS_PREDICT = "always predicting {name}, the most frequent class"
MOST_FREQUENT_TAG_OF_WORD = "giving each word its most frequent tag"
PLAIN_TRAINING = "Plain training"
OTHERS_UNFINISHED = "Not all remedies have finished. {place}, {remedy}: {effect}, {conclusion}"
KEEP_ALL_WORSE = "All {remedies} are significantly worse; the least harmful, {remedy}: {effect}"
KEEP_ONE_WORSE = "The only remedy, {remedy}, is significantly worse: {effect}"
NO_TEST = "{reason} {place}, {remedy}: {effect}"
NO_FAMILY = "no remedy of the primary family has finished all its seeds"

COST_POST_HOC = "Cost: no extra training{labels}"
COST_OF_THRESHOLDS = "; uses the validation labels"
COST_LABELS_ADDED = "Cost: one more training run; leaves no labels to validate on afterwards"
COST_TRAINED = "Cost: training with the remedy, relative step time {ratio}{adds}"
COST_NOT_MEASURED = "Cost: training with the remedy, relative step time not measured{adds}"
COST_ADDS = "; adds: {adds}"

ALSO_BETTER = "Also better than plain training: {differences}"
WORSE = "Worse than plain training: {differences}"
EQUIVALENT = "Equivalent to plain training: {differences}"
INCONCLUSIVE = "Inconclusive: {differences}"

LABELS_ADDED = "Spending the validation labels on plain training instead: {difference}{than}"
LABELS_ADDED_TITLE = (
    "choose the number of steps on validation, then train anew for so many steps on training and validation data "
    "together"
)
LABELS_ADDED_OUTDOES = "; better than {remedy}, the best remedy"
LABELS_ADDED_BETTER = ", better than {remedy}"
LABELS_ADDED_MORE = ", on average more than {remedy}"

CODE, WHY, ALL_REMEDIES = "Code", "Why, and how sure", "All remedies"


def task_summary(items: int, classes: Sequence[int]) -> str:
    """Return the size and the imbalance of a task's training part: `classes` are label counts.

    >>> task_summary(276, [100, 50, 2])
    '276 training items, 3 classes, largest to smallest 50 : 1'
    >>> task_summary(276, [100, 50, 0])
    '276 training items, 3 classes (1 of them only in validation or test), largest to smallest 2.0 : 1'
    """
    occurring = [count for count in classes if count]
    of_classes = plural(len(classes), "class")
    if elsewhere := len(classes) - len(occurring):
        of_classes += ONLY_HELD_OUT.format(number=elsewhere)
    return TASK_SUMMARY.format(
        items=plural(items, "training item"), classes=of_classes, ratio=format_imbalance(classes)
    )


def validation_labels(counts: Sequence[int]) -> str:
    """Return how many labels validation has: `counts` are label counts by class; empty where they are not known.

    >>> validation_labels([37, 23, 1])
    '61 validation labels, 1 of the rarest class'
    """
    if not counts:
        return ""
    return VALIDATION_LABELS.format(labels=plural(sum(counts), "validation label"), rarest=f"{min(counts):,}")


def place(remedies: int, template: str = BEST_OF) -> str:
    """Return where a remedy comes among those of its family.

    >>> place(11), place(11, CHOSEN_FROM), place(1)
    ('best of 11 remedies', 'chosen from 11 remedies', 'the only remedy')
    """
    return (THE_ONLY if remedies == 1 else template).format(remedies=plural(remedies, "remedy"))


def effect(metric: str, before: float, after: float, verdict: Verdict) -> str:
    """Return what a remedy does to the metric, from the baseline's mean to its own."""
    return EFFECT.format(
        metric=metric,
        before=f"{before:.3f}",
        after=f"{after:.3f}",
        difference=format_signed(verdict.difference),
        interval=interval(verdict),
        seeds=plural(verdict.n, "seed"),
    )


def post_hoc_cost(adjustment: str) -> str:
    """Return the cost line of a post-hoc baseline."""
    return COST_POST_HOC.format(labels=COST_OF_THRESHOLDS if adjustment == "thresholds" else "")


def training_cost(ratio: float, adds: str) -> str:
    """Return the cost line of a trained remedy; NaN where its relative step time was not measured."""
    added = COST_ADDS.format(adds=adds) if adds else ""
    template = COST_NOT_MEASURED if math.isnan(ratio) else COST_TRAINED
    return template.format(ratio=f"{ratio:.2f}", adds=added)


# Code of a card. `{...}` are filled in, doubled braces are braces.

CODE_TRAINED = """\
from itertools import islice

from strategies import Labels, parse

remedy = parse("{trained}")
{labels}
counts = labels.counts()
loss_fn = remedy.training_loss(counts)  # loss_fn(logits (..., C), targets (...)); targets of -100 are ignored
batches = remedy.index_stream(labels, counts, batch_size={batch_size}, steps={steps}, seed=0)
for index in islice(batches, {steps}):
    loss = loss_fn(model(train_x[index]), targets[index])
    optimizer.zero_grad(); loss.backward(); optimizer.step()
"""
CODE_ONE_LABEL = "labels, targets = Labels.of(train_y, class_names), train_y  # train_y: (N,) class ids"
CODE_MANY_LABELS = (
    "labels = Labels.packed(train_y, class_names)  # class ids of each item; targets: the same, padded with -100"
)
CODE_TRAINED_NOTE = (
    "Enough for remedies that act in the loss or in sampling. Remedies that resample rows, mix batches or train in phases also "
    "need their methods resample, mix or phases: see strategies.Strategy."
)
CODE_FITTED = """\
import torch

from strategies import Labels, parse

remedy = parse("{trained}")
labels = Labels.of(train_y, class_names)  # train_x: (N, F) numbers, train_y: (N,) class ids, both tensors
x, y, pool = train_x, train_y, remedy.resample(train_x, labels, seed=0)
if pool is not None:  # rows that are kept or repeated, and synthetic rows
    x, y = x[pool.index], y[pool.index]
    if pool.synthetic_x is not None:
        x, y = torch.cat([x, pool.synthetic_x]), torch.cat([y, pool.synthetic_y])
weights = torch.ones(len(y), dtype=torch.float64)
if (of_items := remedy.item_weights(Labels.of(y, class_names), labels.counts())) is not None:
    weights = weights * of_items
if (of_classes := remedy.class_weights(labels.counts())) is not None:
    weights = weights * of_classes.values[y]
estimator.fit(x.numpy(), y.numpy(), sample_weight=(weights / weights.mean()).numpy())
"""
CODE_FITTED_NOTE = (
    "A pipeline takes the weights under the name of its last step, such as logisticregression__sample_weight."
)
CODE_ENSEMBLE = """\
from strategies import parse

estimator = parse("{trained}").ensemble(estimator, seed=0)  # around the estimator, or in place of it; not fitted
estimator.fit(train_x, train_y)
"""
CODE_LOG_PROBABILITIES = """\
valid_logits, logits = (
    torch.from_numpy(estimator.predict_proba(x)).clamp_min(torch.finfo(torch.float64).eps).log() for x in (valid_x, new_x)
)
"""
CODE_FITTED_LABELS_ADDED = """\
import numpy as np

estimator.fit(np.concatenate([train_x, valid_x]), np.concatenate([train_y, valid_y]))
"""
CODE_FITTED_ADJUSTED_NOTE = (
    "The estimator is fitted as before; only its probabilities change, whose logarithms are the logits."
)
CODE_HEAD = "Head(model.head.weight, model.head.bias),  # the last layer of the trained model"
CODE_NO_HEAD = "Head(torch.empty(0, 0), torch.empty(0)),  # an estimator has no last layer"
CODE_ADJUSTED = """\
import torch

from strategies import AdjustmentInputs, ClassCounts, Head, parse

train = ClassCounts.of(train_y, class_names)  # class ids of all training labels, and a name per class
valid = ClassCounts.of(valid_y, class_names)  # the same for the L labels of validation
inputs = AdjustmentInputs(
    head={head}
    train_prior={train_prior},
    target_prior={target_prior},  # the class prior of the data to predict
    valid_logits=valid_logits,  # (L, C)
    valid_targets=valid_y,
)
adjust = parse("{adjustment}").adjust(inputs)
predicted = adjust(logits).argmax(-1)
"""
CODE_TARGET_PRIORS = {
    "natural": "valid.values.double() / valid.values.sum()",
    "balanced": "torch.full((len(class_names),), 1 / len(class_names))",
}
CODE_THRESHOLDS = """\
from strategies import fit_thresholds

thresholds = fit_thresholds(  # valid_logits (L, C) and valid_y (L,) of validation labels, none of them trained on
    valid_logits, valid_y, "{metric}", class_names=class_names{target_prior}
)
print(*thresholds.notes, sep="\\n")  # classes with too few labels, and offsets that gained nothing
predicted = thresholds.predict(logits)
thresholds.save("thresholds.json")  # read it with strategies.FittedThresholds.load
"""
CODE_BALANCED_TARGET = ", target_prior=[1 / {classes}] * {classes}"
CODE_PLAIN_PRIOR = "train.values.double() / train.values.sum()"
CODE_REMEDY_PRIOR = "remedy.effective_prior(labels, counts)"
CODE_LABELS_ADDED = """\
import torch

x, y = torch.cat([train_x, valid_x]), torch.cat([train_y, valid_y])
generator = torch.Generator().manual_seed(0)
for _ in range(best_step):  # the step that was best on validation when only train_x was trained on; a new model and optimiser
    index = torch.randint(len(x), ({batch_size},), generator=generator)
    loss = torch.nn.functional.cross_entropy(model(x[index]), y[index])
    optimizer.zero_grad(); loss.backward(); optimizer.step()
"""
CODE_LABELS_ADDED_NOTE = "Nothing may be chosen on these validation labels any more: the model has seen them."
CODE_ADJUSTED_NOTE = "The model is trained as before; only its logits change."

# Details of a card: why, and how sure

AGAINST_POST_HOC = "Compared with {rival}, the best post-hoc baseline: {difference}, {conclusion}."
AGAINST_TRAINED = "The best trained remedy, {rival}, compared with {best}: {difference}, {conclusion}."
STEP_TIME = "Relative step time of {strategy}: {ratio} (baseline = 1{rounds}).{adds}"
STEP_TIME_ROUNDS = "; {low} to {high} over rounds"
STEP_TIME_MISSING = "Relative step time of {strategy}: not measured.{adds}"
STEP_TIME_ADDS = " Adds: {adds}."
ALSO_BETTER_DETAIL = "Also better than plain training: {differences}."
HIGHER_MEAN = "Better on average than {best}: {differences}."
EXPLORATORY_LEAD = "Exploratory, so only a lead: {difference}, {conclusion}."
FAMILY_COUNT = "{remedies} compared{post_hoc}: {outcomes}."
FAMILY_POST_HOC = " ({count} of them post-hoc)"
UNFINISHED_COUNT = "{count} unfinished"
HOLM_OVERRULES = (
    "{strategies}: the 95% interval excludes 0, but the difference is not significant after Holm's correction."
)
DETECTABLE_EFFECT = (
    "Minimum detectable effect with {seeds} (80% power): about {effect} for {strategy} (90% interval {low} to {high})."
)
NOT_CONVERGED = "Not converged, so more steps may change this: {late} of {total} runs ({by_strategy})."
NOT_CONVERGED_OF = "{late} of {seeds} of {strategy}"
UNFINISHED = "No verdict, because not all seeds have finished: {strategies}."
UNFINISHED_STRATEGY = "{strategy} ({finished} seeds)"
COVERAGE_FIXED = "All seeds share one split: intervals cover training seeds, not new test data."
COVERAGE_RESPLIT = (
    "Each seed splits the data anew: intervals are widened for the overlap of the splits (Nadeau and Bengio) and cover "
    "seeds and splits of this data set."
)
TUNED = "Tuned on validation: {tuned} of {planned} strategies{edge}."
TUNED_AT_EDGE = "; best configuration at the edge of the grid, so a better one may be outside: {strategies}"
BOOTSTRAP_SHORT = "Bootstrap over test sentences (same runs), {strategy}: {difference} (95% interval {low} to {high})."
POST_HOC_SHORT = "Post-hoc baselines compared with plain training: {differences}."
NO_BASELINE = "this task has no results of the {baseline} to compare with"

MEANS_ON_TEST = "mean on test"
BALANCED_TEST = (
    "Test is balanced, so accuracy equals balanced accuracy, and a remedy that finds more of the rare classes gains in both. "
    "On data with its natural class mix it may lose accuracy and macro-F1."
)
NATURAL_TEST = (
    "Test keeps its natural class mix.{counts} Balanced accuracy only rewards recall; macro-F1 and accuracy also penalise "
    "false positives, most of which come from the frequent classes."
)
METRICS_DISAGREE = (
    " Significantly better in balanced accuracy and worse in macro-F1: {count} of {remedies}{strategies}."
)

CHECKPOINTS_BY_OTHER_METRIC = (
    "checkpoints were chosen by {chosen}; a run with --metric {metric} chooses them by the metric of this report and may change "
    "the recommendation"
)
CHECKPOINTS_BY_METRICS = "{metric} ({strategies})"
THRESHOLDS_FOR_OTHER_METRIC = "thresholds were tuned for {tuned}"
THRESHOLDS_RERUN = (
    "; a run with --metric {metric} tunes them for the metric of this report and may change the recommendation"
)
THRESHOLDS_NOT_TUNABLE = "; they cannot be tuned for the metric of this report"

# Over all tasks

NO_TASKS = "No overall verdict: the study has no tasks."
EACH_TASK_ALONE = (
    " Error rates are controlled per task: "
    "across {tasks} tasks the chance of at least one false verdict is up to {chance}."
)
OVER_DATA_SETS = (
    "Over {data_sets} data sets: {verdict} (Friedman p = {p}). Mean ranks: {ranks}; differences in rank below {critical} are "
    "not significant (Nemenyi, 5%).{missing}"
)
STRATEGIES_DIFFER, STRATEGIES_DO_NOT_DIFFER = "strategies differ", "differences between strategies are not significant"
LEFT_OUT = " Left out: {strategies}."
LEFT_OUT_STRATEGY = "{strategy} (no results on {tasks})"
RANKS_TITLE = (
    "Mean ranks over data sets, 1 is best; a bar joins strategies without a significant difference (Nemenyi, 5%)"
)
RANKS_ALT = "Mean ranks: {ranks}. Critical difference: {critical}"

# Sections of a task

RANKING = "Ranking"
RANKING_FAMILY = (
    "Primary family: {count}, {declared}{post_hoc}. Verdicts for this family control the family-wise error rate at 5% (Holm). "
    "Exploratory strategies are not corrected: expect some false positives among them."
)
RANKING_DECLARED, RANKING_FIRST = "declared by the suite", "the first of the suite, which declares no family"
RANKING_POST_HOC = ", and the post-hoc baselines ({strategies})"
RANKING_ALT = "Differences to the baseline in {metric}, with 95% intervals: {differences}"
RANKING_INTERVALS = "Each interval is for one difference alone, without correction. {coverage}"
RANKING_EMPTY = "No strategy besides the baseline has finished all its seeds."
RANKING_FIGURE = "Bar: 95% interval. Filled: primary family and post-hoc baselines; open: exploratory."
RANKING_BEYOND = "Beyond the axis, an arrow head at its edge: {strategies}."
RANKING_CUT = "The interval extends beyond the axis: {strategies}."

INSTABILITY = (
    "From one seed to another, {share} of the test predictions of {strategy} change (mean over pairs of seeds)."
)
INSTABILITY_OF_BOTH = (
    "From one seed to another, {share} of the test predictions of {strategy} change, and {plain} of those of plain training "
    "(means over pairs of seeds)."
)

AVERAGE = "Average of baseline and remedy"
AVERAGE_LEAD = (
    "The mean of the baseline's and the remedy's probabilities, seed by seed, predicts here: two models, so twice the time "
    "of a prediction. A gain over both may come from models that err differently, or from a remedy that shifts predictions "
    "too far and is halved here, as thresholds would do at no cost. Computed from probabilities on test that were kept to a "
    "thousandth; nothing is tuned. Intervals are 95%, exploratory and corrected for nothing, so expect some false positives "
    "among many rows. Logits that are adjusted on validation are left out."
)

DIFFERING_ITEMS = "Test items on which strategy and baseline differ"
DIFFERING_COUNTS = (
    "Of {labels} test labels, {strategy} gets {gained} right that the {baseline} gets wrong, and {lost} wrong that the "
    "{baseline} gets right (means over seeds)."
)
DIFFERING_LEAD = (
    "The {items} on which {strategy} and the {baseline} differ most: first those that {strategy} gets right under more "
    "seeds than the {baseline}, then the other way round. In each direction, those come first that differ under the largest "
    "share of seeds and, among equals, whose truth differs most in the probability that the trained models give it; adjusted "
    "logits keep no probability of their own, and come by row. These are extreme examples; how often each strategy is right "
    "is in the ranking."
)
DIFFERING_ROWS = (
    "Rows are counted from 0, without the line of column names; those of files for validation and test continue the count. "
    "Where each seed splits the data anew, only some of the seeds have a row in test."
)
DIFFERING_NOT_KEPT = "Not shown: test predictions were not kept, or seeds have test parts that cannot be matched."

SENTENCE_BOOTSTRAP = "Bootstrap over test sentences"
BOOTSTRAP_LEAD = (
    "Resampling test sentences with the trained models fixed: macro-F1 of {strategy} minus that of the baseline, for each "
    "seed's two runs and for the mean over seeds. The intervals cover new text of the same kind, not other training seeds."
)
BOOTSTRAP_OTHER_METRIC = "Not computed: only available for macro-F1, not for {metric}."
BOOTSTRAP_NO_PREDICTIONS = "Not computed: test predictions were not kept."

CONFIGURATIONS = "Configurations tried"
CONFIGURATIONS_LEAD = (
    "Every strategy, including the baseline, gets the same number of configurations; the best is chosen by its mean over seeds "
    "on validation, never on test. Strategies with hyper-parameters of their own keep the protocol's learning rate; the others "
    "are tuned over learning rates. At the edge: the chosen value is the lowest or highest of its grid, so a better one may be "
    "outside."
)

POST_HOC_SECTION = "Post-hoc baselines"
POST_HOC_LEAD = (
    "Post-hoc baselines adjust the baseline's logits on validation data: they cost no training, but those that are tuned use "
    "up validation labels. The first columns compare "
    "each strategy with a post-hoc baseline; the columns “on both sides” compare the two after the same adjustment: the "
    "adjusted strategy with the adjusted baseline. Differences are paired by seed. p values are Holm-corrected within the "
    "family of each comparison, but not for exploratory strategies: expect some false positives among those."
)
POST_HOC_LABELS_ADDED = (
    "What the {labels} are worth in training: “{strategy}” is trained on both, for as many steps as the baseline's validation "
    "chose, with nothing selected. Whatever is tuned on validation labels has to beat it too."
)
POST_HOC_LABELS_FITTED = (
    "What the {labels} are worth in training: “{strategy}” is fitted to both, with nothing selected. Whatever is tuned on "
    "validation labels has to beat it too."
)
POST_HOC_BETTER = "Better than {post_hoc}: {strategies}."
POST_HOC_WITH_BOTH = "With {post_hoc} on both sides, better than the baseline: {strategies}."
POST_HOC_NOT_MEASURED = "With {post_hoc} on both sides: not measured."
POST_HOC_NO_REMEDY = "no remedy of the family"
POST_HOC_TUNED_APART = (
    "Tuned over configurations of their own, so not based on the runs chosen for the baseline: {strategies}."
)
POST_HOC_UNDEFINED = "{adjustment} cannot be applied after {strategies}: {reason}."
POST_HOC_MISSING = "Not measured: baseline with {adjustments}."
POST_HOC_UNFINISHED = "Not all seeds have finished: {strategies}."

CLASS_RECALL = "Recall and precision by class"
CLASS_RECALL_ALT = "Heat map of recall by strategy and class. From {head} (most labels) to {tail} (fewest): {recalls}"
CLASS_THIRDS = (
    "Head, middle and tail: classes sorted by their labels in training and cut into three groups, a third each for head and "
    "tail (rounded). Recalls are means over the classes of a group that occur in test, precisions over those that occur or are "
    "predicted; mean ± standard deviation over seeds."
)
ABSENT_FROM_TEST = (
    "Without a label in test: {classes}. Macro-F1 and other means of F1 or precision count such a class, with 0, only where it "
    "is predicted; means of recall never do."
)

ENTITY_TYPES = "Precision, recall and F1 by entity type"
ENTITY_TYPES_LEAD = (
    "Whole entities on test, counted by seqeval in its default mode (conlleval); mean ± standard deviation over seeds. A dash: "
    "no such entity in test or, for precision, none predicted either."
)
ENTITIES_NOT_RECORDED = "Not recorded, or the task has no entities."

POSITIVE_CLASS = (
    "{name}, the rarer class in training; positive F1, average precision and recall at a precision are its own"
)

PRECISION_RECALL = "Precision against recall"
PRECISION_RECALL_ALT = (
    "Precision against recall: one panel per class, one point per strategy. Higher: fewer false positives; further right: "
    "fewer misses. Named: {strategies}. The numbers are in the table of recall and precision by class."
)
PRECISION_RECALL_FIGURE = "Point: a strategy, mean over seeds. Lines: equal F1."
PRECISION_RECALL_CLASSES = "{count} of {classes} classes: head, middle and tail."
MARKED_BEST, MARKED_THRESHOLDS = "best of the family", "post-hoc thresholds"
MARKED_RECALL, MARKED_PRECISION = "highest mean recall", "highest mean precision"
MARKED_NEXT = "next by {metric}"
OTHER_STRATEGIES = "other strategies"

COST_BENEFIT = "Cost and benefit (Pareto)"
COST_BENEFIT_LEAD = (
    "Pareto-optimal strategies: {strategies}. Costs whose ranges over rounds overlap count as equal; the metric is compared by "
    "its mean only, so strategies with overlapping intervals in the ranking may be interchangeable."
)
COST_BENEFIT_ALT = "{metric} against relative step time. Pareto-optimal: {strategies}."
COST_BENEFIT_FIGURE = "Thin bar: lowest to highest round of the relative step time. Steps: the Pareto front."
COST_BENEFIT_BEYOND = "Beyond the axis: {strategies}."
COST_NONE_MEASURED = "Relative step time: not measured."
COST_UNMEASURED = "Relative step time not measured: {strategies}."


def explain_costs(*titles: str) -> str:
    """Return what these costs mean, in one paragraph.

    >>> explain_costs("batches per second", "evaluation")
    'Batches per second: batches sampled and gathered per second. Evaluation: one evaluation of the validation part.'
    """
    return " ".join(f"{capitalised(title)}: {COST_MEANINGS[title]}." for title in titles)


CONVERGENCE = "Validation curves"
CONVERGENCE_ALT = "Validation {metric} by step, one panel per strategy. {strategies}"
CONVERGENCE_OF = "{strategy}: {late} of {seeds} seeds not converged"

CALIBRATION = "Calibration"
CALIBRATION_LEAD = (
    "NLL: mean negative log-likelihood per label. Brier: mean squared error of the probabilities, 0 to 2. ECE: mean distance "
    "between the highest probability and the share of correct predictions; class-wise: the same for the probability of each "
    "class, mean over the classes that occur or are predicted. AUROC and average precision: one class against all others, mean "
    "over classes; of two classes, average precision is that of the rarer one. All are means over seeds."
)
CALIBRATION_MISSING = "Reliability: not measured."
CALIBRATION_ALT = "Reliability, one panel per strategy; expected calibration error, mean over seeds: {errors}"
CALIBRATION_FIGURE = (
    "Share of correct predictions by highest probability, labels of all seeds. Below the line: overconfident. Grey bars: share "
    "of the labels in each bin. Open points, not joined: fewer than {fewest} labels per seed. ECE: mean over seeds."
)

SAMPLING_SPEED = "Sampling throughput"
SAMPLING_SPEED_ALT = (
    "Macro-F1 against items sampled per second. Fastest: {fastest}; slowest: {slowest}. The numbers are in the table."
)
NOT_MEASURED = "Not measured."
ESTIMATOR_SAMPLES_NOTHING = "An estimator is fitted at once: nothing is sampled while it trains."
ESTIMATOR_HAS_NO_STEPS = "An estimator is fitted at once: it has no steps or checkpoints to choose from."

TRAINING_MIX = "Class mix seen in training"
TRAINING_MIX_LEAD = (
    "Share of all labels that were sampled in training, mean over seeds. Remedies that act in the loss leave the class mix "
    "as it is."
)
TRAINING_PART = "(the training part)"

MISSING = "Missing, skipped and warnings"
NOTHING_MISSING = "Nothing is missing, and no strategy warned."

FORUM_THREAD = "Claims of a forum thread"
FORUM_THREAD_LEAD = (
    "A forum thread on imbalanced tagging reports these results of its own attempts on CoNLL-2003. A claim holds here if every "
    "number that it rests on is as claimed. “More” and “less” mean that the whole 95% interval of the difference, paired by "
    "seed, is on that side; “the same” means within {tolerance} of the reference at every seed, which is not a statistical test."
)
FORUM_THREAD_MISSING = "“{claim}”: not measured here; {reason}."

ENVIRONMENT = "Environment"
CONTENTS = "Contents"
