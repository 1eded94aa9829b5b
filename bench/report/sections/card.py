"""The card of a task on the first screen: what to use, what it gains, what it costs, and what to know about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bench.records.record import RAW, VALIDATION_LABELS_ADDED
from bench.report import wording
from bench.report.recommendation import Recommendation
from bench.report.sections.metric_comparison import compare_metrics, explain_disagreement
from bench.report.sections.model_warnings import warn_of_model
from bench.report.task_results import THRESHOLDS, TaskResults, adjustment_name, thresholds_metric
from bench.report.titles import BASELINE, display_name
from bench.stats import (
    BETTER,
    EQUIVALENT,
    FEWEST_SEEDS,
    INCONCLUSIVE,
    MOST_SEEDS,
    TOO_FEW_SEEDS,
    WORSE,
    Verdict,
    seeds_to_decide,
)
from bench.text.command_lines import with_seeds
from bench.text.numbers import plural

DEFAULT_BATCH_SIZE, DEFAULT_STEPS = 256, 1000
"""What the code uses where the study has no protocol."""


@dataclass(frozen=True)
class CodeExample:
    """Lines of code to use a remedy, and what to know about them."""

    code: str
    note: str
    language: str = "python"


@dataclass(frozen=True)
class Card:
    """What the first screen says about one task, in reading order."""

    anchor: str
    task: str
    style: str
    """`use`, `keep` or `open`: the colour of the card."""
    summary: str
    recommended: str
    description: str
    """What the recommended remedy does, where its name does not say it; empty otherwise."""
    effect: str
    cost: str
    """Empty where no remedy is recommended."""
    others: list[str]
    alarms: list[str]
    """What the recommended model, or plain training where none is recommended, fails at."""
    next_step: str
    """What would decide an open question; empty where there is none."""
    commands: list[str]
    """What to type for it."""
    notes: list[str]
    code: list[CodeExample]
    details: list[str]
    columns: list[str]
    measures: list[list[str]]
    disagreement: str


def build_card(
    task: TaskResults, recommendation: Recommendation | None, details: list[str], warnings: list[str]
) -> Card:
    """Return the card of one task; `details` are the sentences of "Why, and how sure"."""
    is_recommended = recommendation is not None and recommendation.decision == "use the remedy"
    columns, measures = compare_metrics(task, recommendation)
    return Card(
        task.anchor,
        task.facts.task,
        _style(recommendation),
        _summary(task),
        _headline(recommendation),
        _description(task, recommendation.best.strategy) if recommendation and is_recommended else "",
        _effect(task, recommendation),
        _cost(task, recommendation.best.strategy) if recommendation and is_recommended else "",
        [*_list_others(task, recommendation), *_labels_added(task, recommendation.best)] if recommendation else [],
        list(warn_of_model(task, recommendation.best.strategy if recommendation and is_recommended else BASELINE)),
        *_next_step(task, recommendation),
        [*task.facts.notes, *warnings],
        code_examples(task, recommendation.best.strategy) if recommendation and is_recommended else [],
        details,
        columns,
        measures,
        explain_disagreement(task),
    )


def _summary(task: TaskResults) -> str:
    facts = task.facts
    training = wording.task_summary(facts.items, facts.class_counts)
    return "; ".join(filter(None, [training, wording.validation_labels(facts.valid_counts)]))


def _style(recommendation: Recommendation | None) -> str:
    if recommendation is None or recommendation.decision == "no conclusion":
        return "open"
    return "use" if recommendation.decision == "use the remedy" else "keep"


def _headline(recommendation: Recommendation | None) -> str:
    if recommendation is None:
        return wording.NO_CONCLUSION
    if recommendation.decision == "keep plain training":
        return wording.KEEP_BASELINE
    if recommendation.decision == "use the remedy":
        if recommendation.best.strategy == VALIDATION_LABELS_ADDED:
            return wording.RECOMMENDED_LABELS_ADDED
        return wording.RECOMMENDED.format(remedy=display_name(recommendation.best.strategy))
    headlines = {INCONCLUSIVE: wording.UNDECIDED, TOO_FEW_SEEDS: wording.NOT_ENOUGH_SEEDS}
    return headlines.get(recommendation.best.outcome, wording.NO_CONCLUSION)


def _description(task: TaskResults, strategy: str) -> str:
    if strategy == VALIDATION_LABELS_ADDED:
        return wording.LABELS_ADDED_TITLE
    if not task.is_post_hoc(strategy):
        return ""
    return wording.POST_HOC_TITLES.get(adjustment_name(task.outcomes[strategy].planned.adjustment), "")


def _effect(task: TaskResults, recommendation: Recommendation | None) -> str:
    if recommendation is None:
        return wording.sentence(task.comparison.reason or wording.NO_FAMILY)
    best, family = recommendation.best, task.family
    metric = task.metric_title
    is_use = recommendation.decision == "use the remedy"
    effect = wording.effect(
        wording.capitalised(metric) if is_use else metric, task.means[BASELINE], task.means[best.strategy], best
    )
    words = {
        "effect": effect,
        "remedy": display_name(best.strategy),
        "remedies": plural(len(family), "remedy"),
        "best": wording.place(len(family)),
        "place": wording.capitalised(wording.place(len(family), wording.LEADING)),
        "conclusion": wording.conclusion(best),
    }
    if is_use and best.outcome != BETTER:
        return wording.USE_BY_RIVAL.format(rival=display_name(recommendation.rival), **words)
    if is_use and best.strategy == VALIDATION_LABELS_ADDED:
        outdone = recommendation.outdone
        return effect + (wording.LABELS_ADDED_OUTDOES.format(remedy=display_name(outdone)) if outdone else "")
    if is_use:
        is_best = all(task.gain(verdict) <= task.gain(best) for verdict in family)
        place = wording.place(len(family), wording.BEST_OF if is_best else wording.CHOSEN_FROM)
        small = wording.SMALL.format(margin=wording.format_margin(best.margin)) if best.is_within_margin else ""
        return wording.USE.format(effect=effect, place=place) + small
    if recommendation.decision == "keep plain training":
        return _why_keep(family).format(**words)
    if best.reason:
        return wording.NO_TEST.format(reason=wording.sentence(best.reason), **words)
    template = wording.LEADING_REMEDY if best.outcome == INCONCLUSIVE else wording.OTHERS_UNFINISHED
    return template.format(**words)


def _why_keep(family: list[Verdict]) -> str:
    """Return the sentence for a family that is worse or equivalent."""
    if all(verdict.outcome == WORSE for verdict in family):
        return wording.KEEP_ONE_WORSE if len(family) == 1 else wording.KEEP_ALL_WORSE
    return wording.KEEP_ONE_EQUIVALENT if len(family) == 1 else wording.KEEP


def _next_step(task: TaskResults, recommendation: Recommendation | None) -> tuple[str, list[str]]:
    """Return how many seeds would decide about the leading remedy, and the commands for it; empty where nothing is open.

    Where no number can be named, the commands double the seeds.
    """
    if recommendation is None or recommendation.decision != "no conclusion":
        return "", []
    best = recommendation.best
    if best.outcome == TOO_FEW_SEEDS:
        return wording.MORE_SEEDS.format(seeds=plural(FEWEST_SEEDS, "seed")), _commands(task, FEWEST_SEEDS)
    if best.outcome != INCONCLUSIVE or best.reason:
        return "", []
    seeds = seeds_to_decide(
        best.difference,
        best.sd,
        best.n,
        margin=best.margin,
        comparisons=len({*task.primary, *task.baselines_to_beat}),
        split=task.split,
    )
    words = {
        "remedy": display_name(best.strategy),
        "plain": wording.PLAIN_TRAINING.lower(),
        "margin": wording.format_margin(best.margin),
    }
    if seeds is None:
        sentence = wording.NO_NEXT_STEP.format(seeds=plural(best.n, "seed"), most=MOST_SEEDS, **words)
        return sentence, _commands(task, 2 * best.n) if 2 * best.n <= MOST_SEEDS else []  # twice as many tell more
    return wording.NEXT_STEP.format(seeds=plural(seeds, "seed"), **words), _commands(task, seeds)


def _commands(task: TaskResults, seeds: int) -> list[str]:
    """Return the commands that resume the study with more seeds."""
    return [with_seeds(command, seeds) for command in task.results.study.commands]


def _cost(task: TaskResults, strategy: str) -> str:
    planned = task.outcomes[strategy].planned
    if strategy == VALIDATION_LABELS_ADDED:
        return wording.COST_LABELS_ADDED
    if task.is_post_hoc(strategy):
        return wording.post_hoc_cost(adjustment_name(planned.adjustment))
    return wording.training_cost(task.relative_step_time(strategy).ratio, planned.extra_cost)


def _list_others(task: TaskResults, recommendation: Recommendation) -> list[str]:
    """Return the other remedies of the family by verdict, the largest gain first, of those that are worse the largest loss."""
    others = [verdict for verdict in task.family if verdict.strategy != recommendation.best.strategy]
    others.sort(key=lambda verdict: -task.gain(verdict))
    lines = {
        BETTER: wording.ALSO_BETTER,
        WORSE: wording.WORSE,
        EQUIVALENT: wording.EQUIVALENT,
        INCONCLUSIVE: wording.INCONCLUSIVE,
    }
    grouped = {kind: [verdict for verdict in others if verdict.outcome == kind] for kind in lines}
    grouped[WORSE].reverse()
    return [
        line.format(differences=wording.short_differences(grouped[kind]))
        for kind, line in lines.items()
        if grouped[kind]
    ]


def _labels_added(task: TaskResults, best: Verdict) -> Iterator[str]:
    """Return what training on the validation labels gains, where it gains anything, or more than the card's remedy."""
    added = task.validation_labels_added
    if added is None or added.outcome == TOO_FEW_SEEDS or added is best:
        return
    is_more = task.gain(added) > task.gain(best)
    if is_more or added.outcome == BETTER:
        against_best = {verdict.strategy: verdict for verdict in task.compare(task.values, best.strategy).verdicts}
        is_better = against_best[added.strategy].outcome == BETTER
        than = wording.LABELS_ADDED_BETTER if is_better else wording.LABELS_ADDED_MORE if is_more else ""
        yield wording.LABELS_ADDED.format(
            difference=f"{added.difference:+.2f}", than=than.format(remedy=display_name(best.strategy))
        )


def code_examples(task: TaskResults, strategy: str) -> list[CodeExample]:
    """Return code for what is trained and for what is adjusted afterwards, each where it differs from the baseline."""
    planned = task.outcomes[strategy].planned
    if strategy == VALIDATION_LABELS_ADDED:
        return [CodeExample(_code_of_labels_added(task), wording.CODE_LABELS_ADDED_NOTE)]
    trained = planned.trained_as or planned.strategy
    examples = []
    if trained != BASELINE:
        examples.append(_code_of_training(task, trained, is_ensemble=planned.is_ensemble))
    if planned.adjustment != RAW:
        if adjustment_name(planned.adjustment) == THRESHOLDS:
            code = _code_of_thresholds(task, planned.adjustment)
        else:
            code = wording.CODE_ADJUSTED.format(
                head=wording.CODE_NO_HEAD if task.is_of_estimator else wording.CODE_HEAD,
                train_prior=wording.CODE_PLAIN_PRIOR if trained == BASELINE else wording.CODE_REMEDY_PRIOR,
                target_prior=wording.CODE_TARGET_PRIORS[task.facts.prior],
                adjustment=planned.adjustment,
            )
        note = wording.CODE_FITTED_ADJUSTED_NOTE if task.is_of_estimator else wording.CODE_ADJUSTED_NOTE
        if task.is_of_estimator:
            code = _after_imports(code, wording.CODE_LOG_PROBABILITIES)
        examples.append(CodeExample(code, note if trained == BASELINE else ""))
    return examples


def _code_of_training(task: TaskResults, trained: str, *, is_ensemble: bool) -> CodeExample:
    if task.is_of_estimator:
        template = wording.CODE_ENSEMBLE if is_ensemble else wording.CODE_FITTED
        return CodeExample(template.format(trained=trained), "" if is_ensemble else wording.CODE_FITTED_NOTE)
    protocol = task.results.study.protocols.get(task.facts.task, {})
    has_one_label = sum(task.facts.class_counts) == task.facts.items
    code = wording.CODE_TRAINED.format(
        trained=trained,
        labels=wording.CODE_ONE_LABEL if has_one_label else wording.CODE_MANY_LABELS,
        batch_size=protocol.get("batch_size", DEFAULT_BATCH_SIZE),
        steps=protocol.get("steps", DEFAULT_STEPS),
    )
    return CodeExample(code, wording.CODE_TRAINED_NOTE)


def _code_of_labels_added(task: TaskResults) -> str:
    if task.is_of_estimator:
        return wording.CODE_FITTED_LABELS_ADDED
    protocol = task.results.study.protocols.get(task.facts.task, {})
    return wording.CODE_LABELS_ADDED.format(batch_size=protocol.get("batch_size", DEFAULT_BATCH_SIZE))


def _after_imports(code: str, first: str) -> str:
    """Return the code with other lines before its first statement that is no import."""
    imports, blank, rest = code.rpartition("import ")
    line, newline, statements = rest.partition("\n\n")
    torch = "" if "import torch" in imports else "import torch\n\n"
    return f"{torch}{imports}{blank}{line}{newline}{first}{statements}"


def _code_of_thresholds(task: TaskResults, adjustment: str) -> str:
    """Return code that tunes thresholds for the metric, on labels weighted to the class prior of test where that is known."""
    balanced = wording.CODE_BALANCED_TARGET.format(classes=len(task.facts.class_names))
    return wording.CODE_THRESHOLDS.format(
        metric=thresholds_metric(adjustment), target_prior=balanced if task.facts.prior == "balanced" else ""
    )
