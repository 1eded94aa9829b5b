"""Data sets prepared for one kind of prediction, by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import InputError
from bench.tasks.digits_lt import DigitsLT
from bench.tasks.tagged_corpora import Conll2003, ConllFiles, SyntheticConll
from bench.tasks.tagging_task import Kind
from bench.tasks.task import Task, TaskSpec
from strategies.notation import NotationError, build, did_you_mean, parse_call

__all__ = ["KNOWN", "Task", "TaskSpec", "find_task"]

BuildTask = Callable[[str, Path | None], TaskSpec]
"""Makes a specification from a task's text, such as "digits-lt(factor=100)", and a directory with CoNLL-2003 or None."""


@dataclass(frozen=True)
class KnownTask:
    """A task that suites and the command line can name, or a family of tasks with parameters."""

    description: str
    build: BuildTask


def find_task(text: str, conll2003: Path | None = None) -> TaskSpec:
    """Return the task that a suite or the command line names; `conll2003` is a directory with that corpus.

    >>> find_task("digits-lt(factor=100)").label
    'digits-lt(factor=100.0)'
    """
    try:
        # The name of a directory may hold brackets, so this text is not read as a name with parameters.
        name = "conll:DIR" if text.strip().startswith("conll:") else parse_call(text)[0]
        if name in KNOWN:
            return KNOWN[name].build(text.strip(), conll2003)
    except NotationError as error:
        raise InputError(f"task {text!r}: {error}") from None
    raise InputError(f"unknown task {name!r}; {did_you_mean(name, KNOWN)}")


def _conll2003(kind: Kind) -> BuildTask:
    def build_task(text: str, conll2003: Path | None) -> TaskSpec:
        name, unnamed, named = parse_call(text)
        if unnamed or named:
            raise NotationError(f"{name} has no parameters")
        return Conll2003(kind, conll2003)

    return build_task


def _with_parameters(spec: type[TaskSpec]) -> BuildTask:
    def build_task(text: str, conll2003: Path | None) -> TaskSpec:
        return build(spec, *parse_call(text))

    return build_task


def _conll_files(text: str, conll2003: Path | None) -> TaskSpec:
    """Build a task from `conll:DIR` or `conll:DIR(parameters)`; only the last brackets can be parameters."""
    name, bracket, parameters = text, "", ""
    if "(" in text and not _directory(text).is_dir():
        name, bracket, parameters = text.rpartition("(")
    _, unnamed, named = parse_call(f"conll{bracket}{parameters}")
    if name.strip() == "conll:":
        raise NotationError("the directory is missing; write conll:DIR, for example conll:path/to/corpus")
    return replace(build(ConllFiles, name, unnamed, named), directory=_directory(name))


def _directory(name: str) -> Path:
    return Path(name.strip().removeprefix("conll:")).expanduser()


KNOWN = {
    "conll2003-windows": KnownTask(
        "CoNLL-2003, nine-word windows, label: the tag of the middle word", _conll2003("windows")
    ),
    "conll2003-windows-tags": KnownTask(
        "CoNLL-2003, nine-word windows, labels: the tags of all nine words", _conll2003("windows-tags")
    ),
    "conll2003-sentences": KnownTask("CoNLL-2003, whole sentences, one tag per word", _conll2003("sentences")),
    "synthetic-conll": KnownTask(
        "a synthetic corpus with the statistics of CoNLL-2003 (kind=windows|windows-tags|sentences, scale, seed)",
        _with_parameters(SyntheticConll),
    ),
    "digits-lt": KnownTask(
        "scikit-learn's digits, long-tailed, test balanced (factor, valid=long-tailed|balanced)",
        _with_parameters(DigitsLT),
    ),
    "conll:DIR": KnownTask("your own tagged files (kind, token_column, tag_column, scheme)", _conll_files),
}
