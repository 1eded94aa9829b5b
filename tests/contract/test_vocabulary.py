"""One word for one thing: what users read, and what help() shows, uses the words of the field and none of the retired ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

import bench
from bench.cli import app

ROOT = Path(bench.__file__).parents[1]
DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "strategies/CONTENTS.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "results" / "reference").rglob("*.md")),
]

RETIRED = {
    r"\bobjectives?\b": "metric (what decides) or loss (what training minimises)",
    r"\bdeclin(?:e|es|ed|ing)\b": "skipped, not applicable",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\btold\b": "reported",
    r"\bdrawn\b": "sampled; class mix",
    r"\bmade[ -](?:up )?(?:corpus|items?|rows?|sentences|words)\b": "synthetic",
    r"\bbeside\b": "next to, alongside, compared with",
    r"\breaders?(?:'s?)? own\b|\bof yours\b|\bof the reader's\b": "user's",
    r"\bdetectabl[ey]\b|\bsmallest resolvable\b": "significant; minimum detectable effect",
    r"\bstep costs?\b": "relative step time, overhead",
    r"\bwiring\b|\bmis-?wir(?:ed|ing)\b": "audit; misconfigured",
    r"\btrainings\b|\ba training(?=[.,;:)]|$| (?:is|was|has|that|which|of|and|leaves|did|under)\b)": "run, runs",
    r"\b(?:what|who) (?:is|are) free\b|\bbeat free\b|\bfree (?:remed|adjust|evaluation|row)|\bFree:|\bfree ones\b": (
        "post-hoc baselines"
    ),
    r"\b(?:of|than|as|to|against|beat|from|minus) none\b(?! of\b)": "baseline, plain training",
    r"\bgo(?:es)? on (?:where|from|with|as)\b": "resume, continue",
}
"""Retired words and what is written in their place."""

MEANT = re.compile(r"minimum\s+detectable\s+effect|\bobjective ?[=:]|--objective\b|\bdeclines\(", re.IGNORECASE)
"""Where a retired word is right: a term of statistics, the hyper-parameter of `thresholds` whose name is in record ids, and
names of earlier versions in messages that say what has replaced them."""


def without_code(text: str) -> str:
    """Prose alone: no code blocks, no `code`, no links' targets, no terms of the field."""
    text = re.sub(r"```.*?```|^(?: {4}|\t).*$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`|\]\([^)]*\)", "", text)
    return MEANT.sub("", text)


def retired_in(text: str) -> list[str]:
    prose = without_code(text)
    return [
        f"{match[0]!r}: write {better}"
        for word, better in RETIRED.items()
        for match in re.finditer(word, prose, re.IGNORECASE)
    ]


def docstrings() -> Iterator[tuple[str, str]]:
    """Where a docstring or the string below a name is, and its text without its examples."""
    for package in ("bench", "strategies"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                for statement in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
                    text = getattr(getattr(statement, "value", None), "value", None)
                    if isinstance(statement, ast.Expr) and isinstance(text, str):
                        prose = "\n".join(line.strip() for line in text.splitlines() if ">>>" not in line)
                        yield f"{path.relative_to(ROOT)}:{statement.lineno}", prose


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_use_no_retired_word(path):
    assert retired_in(path.read_text(encoding="utf-8")) == []


def test_docstrings_use_no_retired_word():
    found = {place: words for place, text in docstrings() if (words := retired_in(text))}
    assert found == {}


def sentences() -> Iterator[tuple[str, str]]:
    """Where a string of several words is, and its text: the report's sentences, messages, and help."""
    for package in ("bench", "strategies"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                text = node.value if isinstance(node, ast.Constant) else None
                if isinstance(text, str) and re.search(r"\w\W* \W*\w", text):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_sentences_and_messages_use_no_retired_word():
    found = {place: words for place, text in sentences() if (words := retired_in(text))}
    assert found == {}


def test_help_uses_no_retired_word():
    """The texts themselves: formatted, Typer prints them in boxes and returns nothing."""
    command = get_command(app)
    texts = {"imbench": command.help}
    for name, sub in command.commands.items():
        texts[name] = sub.help
        texts |= {f"{name} {parameter.name}": parameter.help for parameter in sub.params if not parameter.hidden}
    assert texts["run metric"]
    assert {name: words for name, text in texts.items() if (words := retired_in(text or ""))} == {}


@pytest.mark.parametrize(
    "sentence",
    [
        "0.799 against 0.794 of none",
        "Did it beat free?",
        "It is better than none.",
        "No remedy is detectably better.",
        "two trainings of a stack",
        "a module of yours",
        "what is free",
        "Declined: smote",
        "Objective",
    ],
)
def test_the_search_finds(sentence):
    assert retired_in(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "none of the remedies",
        "the id `none`",
        "free memory",
        "minimum detectable effect",
        "a training step",
        "training rows",
    ],
)
def test_the_search_leaves_alone(sentence):
    assert not retired_in(sentence)
