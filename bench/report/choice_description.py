"""The choice of validation in words: the answer, what test says of it, and what would decide."""

from __future__ import annotations

import math
import re

from bench.report import choice_wording, wording
from bench.report.choice_on_test import (
    ChoiceOnTest,
    LabelsOfClass,
    RivalDifference,
    has_enough_rows,
    rare_classes,
    report_on_test,
    task_of,
)
from bench.report.data_set_answer import data_set_of
from bench.report.frame import StudyResults
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.report.validation_choice import Candidate, Choice
from bench.stats import FEWEST_SEEDS, INCONCLUSIVE, MOST_SEEDS, TOO_FEW_SEEDS, Verdict
from bench.text.command_lines import with_seeds
from bench.text.numbers import plural


def describe_choice(results: StudyResults, choice: Choice | None) -> list[str]:
    """Return the choice in a few lines of text: what a study says in a terminal."""
    if choice is None:
        errors = {TaskResults(results, facts, {}).metric_error for facts in results.study.tasks}
        return [choice_wording.NO_CHOICE, *sorted(filter(None, errors))]
    facts, data_set = task_of(results, choice.chosen).facts, data_set_of(choice.chosen.block)
    imbalance = f"{data_set}: {choice_wording.imbalance(facts.class_names, facts.class_counts)}"
    if not has_enough_rows(results, choice):
        return [imbalance, f"{data_set}: {answer(results, choice)}", too_few_rows(results, choice)]
    report = report_on_test(results, choice)
    sentence, commands = next_step(results, report)
    return [
        imbalance,
        f"{data_set}: {answer(results, choice)} ({place(choice)})",
        confirmation(results, report),
        *filter(None, [sentence]),
        *commands,
    ]


def name_of(candidate: Candidate) -> str:
    """Return learner and strategy of a candidate in prose."""
    return f"{display_name(candidate.strategy)} with {candidate.learner}"


def headline(results: StudyResults, choice: Choice) -> str:
    """Return the answer as a sentence's beginning."""
    return wording.capitalised(answer(results, choice))


def answer(results: StudyResults, choice: Choice) -> str:
    """Return what to use in a few words, and what was not tried; or that there are too few rows for it."""
    if not has_enough_rows(results, choice):
        return choice_wording.TOO_FEW_ROWS.format(classes=_list_labels(rare_classes(results, choice)))
    words = name_choice(choice.chosen)
    if choice.has_trained_remedy:
        return words
    has_adjustments = any(candidate.kind == "post-hoc baseline" for candidate in choice.candidates)
    template = choice_wording.NO_TRAINED_REMEDY if has_adjustments else choice_wording.NOTHING_ELSE
    return template.format(answer=words)


def too_few_rows(results: StudyResults, choice: Choice) -> str:
    """Return why nothing is recommended where parts have too few labels."""
    return choice_wording.TOO_FEW_ROWS_RULE.format(
        rare=len(rare_classes(results, choice)),
        classes=plural(len(task_of(results, choice.chosen).facts.class_names), "class"),
        fewest=choice_wording.FEWEST_LABELS,
    )


def warn_of_rare_classes(results: StudyResults, choice: Choice) -> list[str]:
    """Return a sentence on the classes with few labels in validation or test; none where there is no such class."""
    if not (rare := rare_classes(results, choice)):
        return []
    return [
        choice_wording.FEW_LABELS.format(
            classes=wording.capitalised(_list_labels(rare)), fewest=choice_wording.FEWEST_LABELS
        )
    ]


def _list_labels(classes: list[LabelsOfClass]) -> str:
    return wording.shorten(
        [
            choice_wording.LABELS_OF_CLASS.format(
                name=each.name, validation=f"{each.validation:.3g}", test=f"{each.test:.3g}"
            )
            for each in classes
        ]
    )


def name_choice(chosen: Candidate) -> str:
    """Return what validation chose in a few words."""
    template = choice_wording.ANSWER_PLAIN if chosen.kind == "plain training" else choice_wording.ANSWER_REMEDY
    return template.format(learner=chosen.learner, remedy=display_name(chosen.strategy))


def place(choice: Choice) -> str:
    """Return from how many candidates it was chosen, and why it."""
    if len(choice.learners) > 1:
        combinations = plural(len(choice.candidates), "combination")
        candidates = choice_wording.COMBINATIONS.format(combinations=combinations)
    else:
        candidates = plural(len(choice.candidates), "candidate")
    if choice.chosen is choice.leader:
        return choice_wording.IS_LEADER.format(candidates=candidates)
    return choice_wording.IS_SIMPLEST.format(
        candidates=candidates, tied=len(choice.tied), leader=name_of(choice.leader)
    )


def confirmation(results: StudyResults, report: ChoiceOnTest) -> str:
    """Return what test says of the choice, with the difference that confirms it and its interval."""
    chosen, decisive = report.choice.chosen, report.decisive
    metric = wording.capitalised(task_of(results, chosen).metric_title)
    after = f"{report.mean:.3f}"
    if chosen.kind == "plain training":
        return _confirm_plain(metric, after, report.choice, report)
    if decisive is None:
        return choice_wording.NO_PLAIN.format(metric=metric, after=after, learner=chosen.learner)
    verdict = decisive.verdict
    effect = choice_wording.EFFECT_ON_TEST.format(
        metric=metric,
        before=f"{report.plain_mean:.3f}",
        after=after,
        difference=f"{verdict.difference:+.3f}",
        interval=wording.interval(verdict),
        seeds=plural(verdict.n, "seed"),
        compared=choice_wording.COMPARED_WITH_PLAIN.format(learner=chosen.learner),
    )
    template = {
        "confirmed": choice_wording.CONFIRMED,
        "contradicted": choice_wording.CONTRADICTED,
        "too few seeds": choice_wording.TOO_FEW,
    }.get(report.confirmation, choice_wording.NOT_CONFIRMED)
    return template.format(effect=effect, conclusion=wording.conclusion(verdict), reason=reason_of(verdict))


def _confirm_plain(metric: str, after: str, choice: Choice, report: ChoiceOnTest) -> str:
    if report.decisive is None:
        if all(candidate.kind == "plain training" for candidate in choice.candidates):
            return choice_wording.PLAIN_UNCOMPARED.format(metric=metric, after=after)
        other = "remedy" if choice.has_trained_remedy else "adjustment"
        return choice_wording.PLAIN_ALONE.format(metric=metric, after=after, other=other)
    verdict = report.decisive.verdict
    template = {
        "confirmed": choice_wording.PLAIN_CONFIRMED,
        "contradicted": choice_wording.PLAIN_CONTRADICTED,
        "too few seeds": choice_wording.PLAIN_TOO_FEW,
    }.get(report.confirmation, choice_wording.PLAIN_NOT_CONFIRMED)
    return template.format(
        leader=name_of(choice.leader),
        difference=wording.difference(verdict),
        conclusion=wording.conclusion(verdict),
        reason=reason_of(verdict),
        mean=choice_wording.PLAIN_MEAN.format(metric=metric, after=after),
    )


def reason_of(verdict: Verdict) -> str:
    """Return why nothing was tested, as a sentence; empty where it was."""
    return wording.sentence(verdict.reason) if verdict.reason else ""


def describe_rivals(results: StudyResults, report: ChoiceOnTest) -> list[str]:
    """Return the choice compared with everything simpler, with intervals; those with the same numbers in one line."""
    rivals = [difference for difference in report.differences if difference is not report.decisive]
    same = [rival for rival in rivals if rival.verdict.difference == 0 and rival.verdict.sd == 0]
    lines = [
        choice_wording.RIVAL.format(
            compared=wording.capitalised(choice_wording.COMPARED_WITH.format(rival=_rival_name(rival))),
            difference=wording.difference(rival.verdict),
            conclusion=wording.conclusion(rival.verdict),
        )
        for rival in rivals
        if rival not in same
    ]
    if same:
        metric = task_of(results, report.choice.chosen).metric_title
        lines.append(choice_wording.SAME.format(metric=metric, rivals=", ".join(map(_rival_name, same))))
    return lines


def _rival_name(difference: RivalDifference) -> str:
    return choice_wording.RIVAL_NAMES[difference.role].format(
        learner=difference.learner, strategy=display_name(difference.strategy)
    )


def with_larger_budget(command: str) -> str:
    """Return the command with six times its budget.

    >>> with_larger_budget("imbench compare fraud.csv --budget 20s"), with_larger_budget("imbench compare fraud.csv")
    ('imbench compare fraud.csv --budget 120s', 'imbench compare fraud.csv --budget 30m')
    """
    given = re.search(r" --budget[ =]([\d.]+)([a-zA-Z]+)", command)
    if given is None:
        return f"{command} --budget 30m"
    return f"{command[: given.start()]} --budget {6 * float(given[1]):g}{given[2]}{command[given.end() :]}"


def next_step(results: StudyResults, report: ChoiceOnTest) -> tuple[str, list[str]]:
    """Return what would decide what is open, more remedies or more seeds, and the commands; empty where nothing is open."""
    if not report.choice.has_trained_remedy and not any("--strategy" in command for command in results.study.commands):
        return choice_wording.LARGER_BUDGET, [with_larger_budget(command) for command in results.study.commands[-1:]]
    if report.decisive is None:
        return "", []
    verdict, commands = report.decisive.verdict, results.study.commands[-1:]  # earlier ones asked for less
    if verdict.outcome == TOO_FEW_SEEDS:
        sentence = wording.MORE_SEEDS.format(seeds=plural(FEWEST_SEEDS, "seed"))
        return sentence, [with_seeds(command, FEWEST_SEEDS) for command in commands]
    if verdict.outcome != INCONCLUSIVE or verdict.reason:
        return "", []
    if math.isnan(verdict.low):
        return choice_wording.SAME_UNDER_EVERY_SEED, []
    chosen, leader = report.choice.chosen, report.choice.leader
    better = leader if chosen.kind == "plain training" else chosen
    remedy, plain = display_name(better.strategy), wording.PLAIN_TRAINING.lower()
    if len(report.choice.learners) > 1:
        remedy = choice_wording.WITH_LEARNER.format(strategy=remedy, learner=better.learner)
        plain = choice_wording.PLAIN_OF_LEARNER.format(learner=chosen.learner)
    words = {"remedy": remedy, "plain": plain, "margin": wording.format_margin(verdict.margin)}
    if report.seeds is None:
        seeds = 2 * verdict.n  # twice as many tell more
        sentence = wording.NO_NEXT_STEP.format(seeds=plural(verdict.n, "seed"), most=MOST_SEEDS, **words)
        return sentence, [with_seeds(command, seeds) for command in commands if seeds <= MOST_SEEDS]
    sentence = wording.NEXT_STEP.format(seeds=plural(report.seeds, "seed"), **words)
    return sentence, [with_seeds(command, report.seeds) for command in commands]
