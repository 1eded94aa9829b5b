"""Data sets prepared for one kind of prediction, by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.errors import InputError
from bench.tasks.digits_lt import DigitsLT
from bench.tasks.tagged import Conll2003, ConllFiles, SyntheticConll
from bench.tasks.task import Task, TaskSpec
from strategies.notation import NotationError, build, did_you_mean, parse_call

__all__ = ["KNOWN", "Task", "TaskSpec", "find_task"]

KNOWN = {
    "conll2003-windows": "CoNLL-2003, nine-word windows, label: the tag of the middle word",
    "conll2003-windows-tags": "CoNLL-2003, nine-word windows, labels: the tags of all nine words",
    "conll2003-sentences": "CoNLL-2003, whole sentences, a tag a word",
    "synthetic-conll": "a made corpus with the statistics of CoNLL-2003 (kind=windows|windows-tags|sentences, scale, seed)",
    "digits-lt": "scikit-learn's digits, training part long-tailed (factor)",
    "conll:DIR": "your own tagged files (kind, token_column, tag_column, scheme=bio|iob1)",
}


def find_task(text: str, conll2003: Path | None = None) -> TaskSpec:
    """The task that a suite or the command line names; `conll2003` is a directory with that corpus.

    >>> find_task("digits-lt(factor=100)").label
    'digits-lt(factor=100.0)'
    """
    try:
        if text.strip().startswith("conll:"):
            return _own_files(text.strip())
        name, unnamed, named = parse_call(text)
        if name == "synthetic-conll":
            return build(SyntheticConll, name, unnamed, named)
        if name == "digits-lt":
            return build(DigitsLT, name, unnamed, named)
        if name in KNOWN:
            if unnamed or named:
                raise NotationError(f"{name} has no parameters")
            return Conll2003(name.removeprefix("conll2003-"), conll2003)  # type: ignore[arg-type]
    except NotationError as error:
        raise InputError(f"task {text!r}: {error}") from None
    raise InputError(f"unknown task {name!r}; {did_you_mean(name, KNOWN)}")


def _own_files(text: str) -> ConllFiles:
    """`conll:DIR` or `conll:DIR(parameters)`; a directory's name may hold brackets, so only the last ones are read."""
    name, bracket, parameters = text, "", ""
    if "(" in text and not _directory(text).is_dir():
        name, bracket, parameters = text.rpartition("(")
    _, unnamed, named = parse_call(f"conll{bracket}{parameters}")
    if name.strip() == "conll:":
        raise NotationError("the directory is missing; write conll:DIR, for example conll:path/to/corpus")
    return replace(build(ConllFiles, name, unnamed, named), directory=_directory(name))


def _directory(name: str) -> Path:
    return Path(name.strip().removeprefix("conll:")).expanduser()
