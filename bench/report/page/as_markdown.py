"""The page as Markdown, for where nobody opens HTML: all its text and tables, and its figures in words or as files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bench.report.page.content import OfTask, Page
from bench.report.page.part import Drawing, Part, Section, Table
from bench.report.page.verdict import Card
from bench.text.numbers import bullets, markdown, table


def text(page: Page) -> str:
    """The whole file."""
    return "\n\n".join(_blocks(page)) + "\n"


def _blocks(page: Page) -> Iterator[str]:
    study = page.study
    yield f"# Which remedy, at what cost? Suite {markdown(study.suite)}, by {markdown(page.objective)}"
    yield markdown(page.judged_by)
    yield from (f"**Note:** {markdown(note)}" for note in study.notes)
    for card in page.cards:
        yield from _card(card)
    yield from (f"**{markdown(task)}:** {markdown(reason)}" for task, reason in page.left_out)
    yield f"**{markdown(page.overall)}**"
    yield from _parts([page.ranks] if page.ranks is not None else [])
    for task in page.tasks:
        yield from _task(task)
    if page.claims.parts:
        yield from _section(page.claims, 2)
    yield "## Environment"
    yield _terms(page.environment)


def _card(card: Card) -> Iterator[str]:
    yield f"## {markdown(card.task)}"
    yield f"**{markdown(card.advice)}** {markdown(card.headline)}"
    yield from (f"**Note:** {markdown(note)}" for note in card.notes)
    if card.sentences:
        yield bullets(map(markdown, card.sentences))
    if card.measures:
        yield table([*map(markdown, card.columns)], [[*map(markdown, row)] for row in card.measures])
        yield markdown(card.disagreement)


def _task(task: OfTask) -> Iterator[str]:
    yield f"## {markdown(task.name)}: the evidence"
    yield _terms(task.setting)
    for section in task.sections:
        yield from _section(section, 3)


def _section(section: Section, level: int) -> Iterator[str]:
    yield f"{'#' * level} {markdown(section.title)}"
    yield from _parts(section.parts)


def _parts(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, Table):
            yield table([*map(markdown, part.rows[0])], [[*map(markdown, row.values())] for row in part.rows])
        elif isinstance(part, Drawing):
            yield (
                f"![{markdown(part.alt)}]({part.file})"
                if part.file
                else f"*Figure in report.html.* {markdown(part.alt)}"
            )
        else:
            yield markdown(part)


def _terms(pairs: Iterable[tuple[str, str]]) -> str:
    return bullets(f"{markdown(term)}: {markdown(meaning)}" for term, meaning in pairs)
