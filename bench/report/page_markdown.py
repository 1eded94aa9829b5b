"""The page as Markdown, for places that do not show HTML: all text and tables, and figures as files or in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.report import wording
from bench.report.page_content import Page, TaskPage
from bench.report.page_parts import Chart, Part, RowAnchors, Section, Table
from bench.report.sections.card import Card
from bench.report.sections.overview import OVERVIEW_FILE
from bench.report.text_table import table_as_markdown
from bench.text.markdown import escape_markdown, markdown_list, markdown_table


def render_markdown(page: Page) -> str:
    """Return the whole file."""
    return "\n\n".join(_blocks(page)) + "\n"


def _blocks(page: Page) -> Iterator[str]:
    study = page.study
    yield f"# {escape_markdown(wording.PAGE_TITLE)}"
    yield from map(escape_markdown, page.introduction)
    notes = [f"**Note:** {escape_markdown(note)}" for note in study.notes]
    if not page.comparison:
        yield from notes
    if page.overview is not None:
        yield f"![{escape_markdown(page.overview.title)}]({OVERVIEW_FILE})"
        yield escape_markdown(page.overview.note)
    for group in page.card_groups:
        if group.answer:
            yield f"## {escape_markdown(group.answer)}"
            yield escape_markdown(group.note)
        for card in group.cards:
            yield from _card(card)
    else:
        yield from notes
    for section in page.comparison:
        yield from _section(section, 2)
    yield from (f"**{escape_markdown(task)}:** {escape_markdown(reason)}" for task, reason in page.tasks_without_metric)
    if page.across_data_sets:
        yield f"**{escape_markdown(page.across_data_sets)}**"
    yield from _parts([page.ranks] if page.ranks is not None else [])
    for task in page.tasks:
        yield from _task(task)
    if page.forum_thread.parts:
        yield from _section(page.forum_thread, 2)
    yield f"## {wording.ENVIRONMENT}"
    yield _terms(page.environment)


def _card(card: Card) -> Iterator[str]:
    yield f"## {escape_markdown(card.task)}"
    yield escape_markdown(card.summary)
    yield f"**{escape_markdown(card.recommended)}**" + (
        f" ({escape_markdown(card.description)})" if card.description else ""
    )
    yield markdown_list(map(escape_markdown, filter(None, [card.effect, card.cost, *card.others])))
    yield from (f"**{wording.WARNING}:** {escape_markdown(alarm)}" for alarm in card.alarms)
    if card.next_step:
        yield escape_markdown(card.next_step)
    if card.commands:
        yield "\n".join(["```sh", *card.commands, "```"])
    yield from (f"**Note:** {escape_markdown(note)}" for note in card.notes)
    if card.code:
        yield f"### {wording.CODE}: {escape_markdown(card.task)}"
        for example in card.code:
            yield f"```{example.language}\n{example.code.rstrip()}\n```"
            if example.note:
                yield escape_markdown(example.note)
    if card.details or card.measures:
        yield f"### {wording.WHY}: {escape_markdown(card.task)}"
    if card.details:
        yield markdown_list(map(escape_markdown, card.details))
    if card.measures:
        yield markdown_table(
            [*map(escape_markdown, card.columns)], [[*map(escape_markdown, row)] for row in card.measures]
        )
        if card.disagreement:
            yield escape_markdown(card.disagreement)


def _task(task: TaskPage) -> Iterator[str]:
    yield f"## {escape_markdown(task.name)}: {wording.ALL_REMEDIES.lower()}"
    yield _terms(task.facts)
    for section in task.sections:
        yield from _section(section, 3)


def _section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {escape_markdown(section.title)}"
    yield from _parts(section.parts)


def _parts(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Table):
            yield table_as_markdown(part)
        elif isinstance(part, Chart):
            yield (
                f"![{escape_markdown(part.alt)}]({part.file})"
                if part.file
                else f"*Figure in report.html.* {escape_markdown(part.alt)}"
            )
        elif not isinstance(part, RowAnchors):
            yield escape_markdown(part)


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    return markdown_list(f"{escape_markdown(term)}: {escape_markdown(meaning)}" for term, meaning in pairs)
