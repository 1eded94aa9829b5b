"""What the report's page contains, before it is HTML or Markdown: the first screen, then each task by topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib

from bench.plotting.style import STYLE
from bench.records.record import Study
from bench.report import choice_wording, wording
from bench.report.choice_on_test import task_of
from bench.report.data_set_answer import DataSetAnswer, answer_by_data_set
from bench.report.figures import Figures
from bench.report.frame import StudyResults
from bench.report.page_parts import Chart, Part, Section
from bench.report.recommendation import Recommendation, recommend
from bench.report.sections import (
    across_data_sets,
    class_recall,
    comparison_verdict,
    configurations,
    convergence,
    cost_benefit,
    differing_items,
    entity_types,
    forum_thread,
    missing_runs,
    post_hoc,
    precision_recall,
    probability_average,
    probability_calibration,
    ranking,
    run_info,
    sampling_speed,
    sentence_bootstrap,
    table_columns,
    training_mix,
)
from bench.report.sections.card import Card, build_card
from bench.report.sections.caveats import list_caveats
from bench.report.sections.overview import Overview, draw_overview
from bench.report.sentence_resampling import resample_test_sentences
from bench.report.task_results import TaskResults
from bench.report.validation_choice import ON_VALIDATION, Choice, choose_on_validation
from bench.stats import Interval
from bench.text.file_names import anchor_of
from bench.text.numbers import plural


@dataclass(frozen=True)
class TaskPage:
    """One task: what is the same for all its strategies, and its sections."""

    anchor: str
    name: str
    facts: list[tuple[str, str]]
    sections: Sequence[Section]


@dataclass(frozen=True)
class CardGroup:
    """The cards of one data set, and its answer, where it has several forms; empty where it has one."""

    anchor: str
    answer: str
    note: str
    cards: list[Card]


@dataclass(frozen=True)
class Page:
    """The whole page, in reading order."""

    study: Study
    introduction: list[str]
    overview: Overview | None
    card_groups: list[CardGroup]
    comparison: list[Section]
    """Of a study that is chosen on validation: all learners and remedies, and what was done to the columns of a table."""
    tasks_without_metric: list[tuple[str, str]]
    """Tasks on which the metric is not defined, and why."""
    across_data_sets: str
    ranks: Chart | None
    tasks: list[TaskPage]
    forum_thread: Section
    environment: list[tuple[str, str]]


def build_page(results: StudyResults, figures: Figures) -> Page:
    """Return the page of a study; equal results give an equal page."""
    all_tasks = [TaskResults(results, facts, figures) for facts in results.study.tasks]
    tasks = [task for task in all_tasks if not task.metric_error]
    is_chosen = results.study.chosen_on == ON_VALIDATION
    choice = choose_on_validation(results) if is_chosen else None
    recommendations = [_chosen_verdict(task, choice) if is_chosen else recommend(task) for task in tasks]
    answers = answer_by_data_set(list(zip(tasks, recommendations, strict=True)))
    with matplotlib.rc_context(STYLE):
        analysed = [
            (task, recommendation, resample_test_sentences(task, recommendation))
            for task, recommendation in zip(tasks, recommendations, strict=True)
        ]
        if is_chosen:
            card_groups = [] if choice is None else [CardGroup("", "", "", [_verdict_card(results, choice)])]
        else:
            cards = {
                task.facts.task: _card(task, recommendation, bootstrap) for task, recommendation, bootstrap in analysed
            }
            card_groups = _group_cards(answers, cards)
        return Page(
            results.study,
            _introduce(results, tasks, choice),
            None if is_chosen else draw_overview(answers),
            card_groups,
            [] if choice is None else _comparison(results, choice),
            [(task.facts.task, task.metric_error) for task in all_tasks if task.metric_error],
            (choice_wording.NO_CHOICE if choice is None else "") if is_chosen else across_data_sets.summarise(tasks),
            None if is_chosen else across_data_sets.draw_ranks(tasks),
            [
                TaskPage(
                    task.anchor,
                    task.facts.task,
                    run_info.describe_task(task),
                    _sections(task, recommendation, bootstrap),
                )
                for task, recommendation, bootstrap in analysed
            ],
            Section("claims", forum_thread.TITLE, forum_thread.build(results)),
            run_info.environment(results),
        )


def _introduce(results: StudyResults, tasks: list[TaskResults], choice: Choice | None) -> list[str]:
    compared, *how = run_info.describe_study(results, tasks)
    return [compared if choice is None else comparison_verdict.introduce(results, choice), *how]


def _chosen_verdict(task: TaskResults, choice: Choice | None) -> Recommendation | None:
    """Return what validation chose as the recommendation for its learner, where that is a remedy; None for other learners."""
    if choice is None or choice.chosen.block != task.facts.task or choice.chosen.strategy not in task.verdicts:
        return None
    return Recommendation("use the remedy", task.verdicts[choice.chosen.strategy])


def _verdict_card(results: StudyResults, choice: Choice) -> Card:
    task = task_of(results, choice.chosen)
    warnings = [run_info.warn_of_checkpoints(task), run_info.warn_of_thresholds(results)]
    return comparison_verdict.build_verdict(results, choice, list(filter(None, warnings)))


def _comparison(results: StudyResults, choice: Choice) -> list[Section]:
    columns = table_columns.build(task_of(results, choice.chosen).facts)
    leaderboard = comparison_verdict.build_leaderboard(results, choice)
    return [leaderboard, *([Section("columns", table_columns.TITLE, columns)] if columns else [])]


def _group_cards(answers: list[DataSetAnswer], cards: dict[str, Card]) -> list[CardGroup]:
    """Return the cards in groups: those of each data set with several forms, and the others in a row."""
    groups: list[CardGroup] = []
    for answer in answers:
        members = [cards[task.facts.task] for task, _ in answer.forms]
        if len(members) > 1:
            note = wording.FORMS_OF_ONE.format(forms=plural(len(members), "form"))
            groups.append(CardGroup(f"data-set-{anchor_of(answer.data_set)}", answer.line, note, members))
        elif groups and not groups[-1].answer:
            groups[-1].cards.extend(members)
        else:
            groups.append(CardGroup("", "", "", members))
    return groups


def _card(task: TaskResults, recommendation: Recommendation | None, bootstrap: list[Interval]) -> Card:
    summaries = [sentence_bootstrap.summarise(recommendation, bootstrap), post_hoc.summarise(task)]
    details = [*list_caveats(task, recommendation), *filter(None, summaries)]
    warnings = [run_info.warn_of_checkpoints(task), run_info.warn_of_thresholds(task.results)]
    return build_card(task, recommendation, details, list(filter(None, warnings)))


def _sections(task: TaskResults, recommendation: Recommendation | None, bootstrap: list[Interval]) -> list[Section]:
    """Return the sections that have something to show, in reading order."""
    sections: list[tuple[str, str, list[Part]]] = [
        ("ranking", ranking.TITLE, ranking.build(task)),
        (
            "sentence-bootstrap",
            sentence_bootstrap.TITLE,
            sentence_bootstrap.build(task, recommendation, bootstrap),
        ),
        ("differing-items", differing_items.TITLE, differing_items.build(task, recommendation)),
        ("configurations", configurations.TITLE, configurations.build(task)),
        ("post-hoc", post_hoc.TITLE, post_hoc.build(task)),
        ("average", probability_average.TITLE, probability_average.build(task)),
        ("class-recall", class_recall.TITLE, class_recall.build(task)),
        ("entities", entity_types.TITLE, entity_types.build(task)),
        ("precision-recall", precision_recall.TITLE, precision_recall.build(task, recommendation)),
        ("cost-benefit", cost_benefit.TITLE, cost_benefit.build(task)),
        ("curves", convergence.TITLE, convergence.build(task)),
        ("calibration", probability_calibration.TITLE, probability_calibration.build(task)),
        ("throughput", sampling_speed.TITLE, sampling_speed.build(task)),
        ("class-mix", training_mix.TITLE, training_mix.build(task)),
        ("missing", missing_runs.TITLE, missing_runs.build(task)),
    ]
    return [Section(task.part_name(topic), title, parts) for topic, title, parts in sections if parts]
