"""Which files of a directory hold the parts of a corpus, by their names."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from bench.errors import InputError
from bench.tasks.corpus import PARTS

SUFFIXES = (
    *(".txt", ".conll", ".tsv", ".bio", ".iob", ".words"),
    *(".bio2", ".iob1", ".iob2", ".ioe1", ".ioe2", ".bioes", ".iobes", ".bilou", ".biluo", ".bmes", ".bmewo"),
    *(
        ".conllu",
        ".conllup",
        ".cupt",
        ".conllx",
        ".conll03",
        ".conll2003",
        ".col",
        ".data",
        ".dat",
        ".csv",
        ".annotated",
    ),
    *(".pos", ".tag", ".tags", ".ner", ".tok", ".gold"),
)
"""The endings of data files; next to a file `.words` there is a file `.labels`."""
STEMS = {
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("valid", "dev", "testa", "val", "validation", "devel", "development"), "valid"),
    **dict.fromkeys(("test", "testb", "testing", "tst"), "test"),
}
"""The part of the corpus that a file holds, by a word of its name."""
_COMPRESSED = (".gz", ".bz2", ".xz", ".zip", ".tar", ".tgz", ".7z")
_ABOUT = re.compile(
    r"(read|licen[cs]e|notice|citation|changelog|copying|authors|metadata|stats|labels?$|classes$|tags$)"
)
_WORD = re.compile(r"[a-z]+")
NAMES = "train, valid, dev, testa, test, testb with .txt, .conll, .tsv, .bio, .iob or another ending of such files"


def find_part_files(directory: Path) -> dict[str, Path]:
    """Return the files of the parts train, valid and test, in this order; the only data file of a directory is train alone.

    A name is searched for a word that names a part: `train.txt`, `eng.testa`, `en_ewt-ud-dev.conllu`, `wnut17train.conll`. Only
    valid may be missing next to train and test.

    Raises an InputError where a part has no file or more than one.
    """
    if not directory.is_dir():
        found, fix = ("a file", "give its directory") if directory.exists() else ("nothing", "correct the path")
        raise InputError(f"{directory}: expected a directory of {NAMES}; found {found}; {fix}")
    files = [path for path in sorted(directory.iterdir()) if _may_hold_data(path)]
    if len(files) == 1:
        return {"train": files[0]}
    found_files = {part: path for part in PARTS if (path := _part_file(directory, part, files))}
    if missing := [part for part in ("train", "test") if part not in found_files]:
        raise _no_part(directory, missing[0])
    return found_files


def _may_hold_data(path: Path) -> bool:
    named = STEMS.get(path.suffix[1:].lower()) or not path.suffix
    fits = path.suffix.lower() in SUFFIXES or (
        named and any(parts_named_in(path, glued=glued) for glued in (False, True))
    )
    return bool(fits) and path.is_file() and not _ABOUT.match(path.stem.lower())


def _part_file(directory: Path, part: str, files: list[Path]) -> Path | None:
    """Return the part's file: by a name that is the word for it, else holds it, else holds it without a border before it."""
    ways: list[Callable[[Path], set[str]]] = [
        lambda path: {STEMS[path.stem]} if path.stem in STEMS else set(),
        lambda path: parts_named_in(path, glued=False),
        lambda path: parts_named_in(path, glued=True),
    ]
    for way in ways:
        matching = [path for path in files if way(path) == {part}]
        # Treebanks come with the raw text next to the annotated file.
        matching = [path for path in matching if path.suffix == ".conllu"] or matching
        if len(matching) > 1:
            names = ", ".join(path.name for path in matching)
            raise InputError(f"{directory}: expected one file for the part {part}; found {names}; move the others away")
        if matching:
            return matching[0]
    return None


def parts_named_in(path: Path, *, glued: bool) -> set[str]:
    """Return the parts that a file's name speaks of; `train_dev.tsv` speaks of two and holds neither alone.

    Words of the name are compared, or, if they may be `glued`, their ends: `wnut17train`.
    """
    found = set()
    for word in _WORD.findall(path.name.lower()):
        for stem, part in STEMS.items():
            if word == stem or (glued and word.endswith(stem) and word.removesuffix(stem) not in STEMS):
                found.add(part)
    return found


def _no_part(directory: Path, part: str) -> InputError:
    present = sorted(directory.iterdir())
    listed = ", ".join([path.name for path in present[:9]] + ["..."] * (len(present) > 9)) or "nothing"
    fix = "rename or add the file"
    if packed := [path.name for path in present if path.suffix.lower() in _COMPRESSED]:
        fix = f"unpack {packed[0]}" if len(packed) == 1 else f"unpack {packed[0]} and the others"
    elif inner := [path for path in present if path.is_dir() and any(map(_may_hold_data, path.iterdir()))]:
        fix = f"give the folder that holds the files: {inner[0]}"
    return InputError(
        f"{directory}: expected a file {part} with {', '.join(SUFFIXES[:6])} or the like, or one data file alone to be split; "
        f"found {listed}; {fix}"
    )
