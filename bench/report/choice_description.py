"""The choice of validation in words: the answer, what test says of it, and what would decide."""

from __future__ import annotations

import math

from bench.report import choice_wording, wording
from bench.report.choice_on_test import ChoiceOnTest, RivalDifference, report_on_test, task_of
from bench.report.data_set_answer import data_set_of
from bench.report.frame import StudyResults
from bench.report.task_results import TaskResults
from bench.report.titles import display_name
from bench.report.validation_choice import Candidate, Choice
from bench.stats import FEWEST_SEEDS, INCONCLUSIVE, MOST_SEEDS, TOO_FEW_SEEDS, Verdict
from bench.text.numbers import plural


def describe_choice(results: StudyResults, choice: Choice | None) -> list[str]:
    """Return the choice in a few lines of text: what a study says in a terminal."""
    if choice is None:
        errors = {TaskResults(results, facts, {}).metric_error for facts in results.study.tasks}
        return [choice_wording.NO_CHOICE, *sorted(filter(None, errors))]
    report = report_on_test(results, choice)
    sentence, commands = next_step(results, report)
    return [
        f"{data_set_of(choice.chosen.block)}: {answer(choice.chosen)} ({place(choice)})",
        confirmation(results, report),
        *filter(None, [sentence]),
        *commands,
    ]


def name_of(candidate: Candidate) -> str:
    """Return learner and strategy of a candidate in prose."""
    return f"{display_name(candidate.strategy)} with {candidate.learner}"


def headline(chosen: Candidate) -> str:
    """Return the answer as a sentence's beginning."""
    return wording.capitalised(answer(chosen))


def answer(chosen: Candidate) -> str:
    """Return what to use in a few words."""
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
        return _confirm_plain(metric, after, report.choice.leader, report)
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


def _confirm_plain(metric: str, after: str, leader: Candidate, report: ChoiceOnTest) -> str:
    if report.decisive is None:
        return choice_wording.PLAIN_ALONE.format(metric=metric, after=after)
    verdict = report.decisive.verdict
    template = {
        "confirmed": choice_wording.PLAIN_CONFIRMED,
        "contradicted": choice_wording.PLAIN_CONTRADICTED,
        "too few seeds": choice_wording.PLAIN_TOO_FEW,
    }.get(report.confirmation, choice_wording.PLAIN_NOT_CONFIRMED)
    return template.format(
        leader=name_of(leader),
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


def next_step(results: StudyResults, report: ChoiceOnTest) -> tuple[str, list[str]]:
    """Return how many seeds would decide whether the choice is confirmed, and the commands; empty where nothing is open."""
    if report.decisive is None:
        return "", []
    verdict, commands = report.decisive.verdict, results.study.commands
    if verdict.outcome == TOO_FEW_SEEDS:
        sentence = wording.MORE_SEEDS.format(seeds=plural(FEWEST_SEEDS, "seed"))
        return sentence, [f"{command} --seeds {FEWEST_SEEDS}" for command in commands]
    if verdict.outcome != INCONCLUSIVE or verdict.reason or math.isnan(verdict.low):
        return "", []
    is_plain = report.choice.chosen.kind == "plain training"
    remedy = display_name((report.choice.leader if is_plain else report.choice.chosen).strategy)
    words = {"remedy": remedy, "margin": wording.format_margin(verdict.margin)}
    if report.seeds is None:
        seeds = 2 * verdict.n  # twice as many tell more
        sentence = wording.NO_NEXT_STEP.format(seeds=plural(verdict.n, "seed"), most=MOST_SEEDS, **words)
        return sentence, [f"{command} --seeds {seeds}" for command in commands if seeds <= MOST_SEEDS]
    sentence = wording.NEXT_STEP.format(seeds=plural(report.seeds, "seed"), **words)
    return sentence, [f"{command} --seeds {report.seeds}" for command in commands]
