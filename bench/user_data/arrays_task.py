"""Arrays in an `.npz` file as a task: rows of numbers with a label each, or sequences of token ids with a tag per token."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from bench.tasks.corpus import Corpus, Sentences
from bench.tasks.row_arrays import hash_rows, read_groups, read_labels, read_times
from bench.tasks.splitting import Split, complete_split
from bench.tasks.tagging_task import tagging_task
from bench.tasks.task import Task, TaskSpec
from strategies.notation import did_you_mean

ARRAYS = ("X", "y", "lengths", "groups", "time", "split")
_SAVE = "save it with numpy.savez(file, X=X, y=y)"
_PARTS = {
    **dict.fromkeys(("train", "0"), "train"),
    **dict.fromkeys(("valid", "validation", "val", "dev", "1"), "valid"),
    **dict.fromkeys(("test", "2"), "test"),
}


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an `.npz` file by name: X and y, and those of lengths, groups, time and split that it holds.

    Raises an InputError for a file that is none, that lacks X or y, or that holds Python objects, which only pickle can read.
    """
    try:
        with path.open("rb") as stream:  # which numpy leaves open where it fails
            file = np.load(stream, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise InputError(f"{path} holds one array without a name; {_SAVE}")
            arrays = {name: file[name] for name in ARRAYS if name in file.files}
            others = [name for name in file.files if name not in ARRAYS]
    except (ValueError, OSError, BadZipFile, EOFError) as error:
        reason = str(error).splitlines()[0]
        if "Object arrays" in reason:
            reason = "it holds arrays of Python objects, which are not loaded, as they can run code"
            raise InputError(f"{path}: {reason}; save numbers, or text as y.astype(str)") from None
        reason = (
            "it is no archive of arrays" if "pickle" in reason else reason
        )  # what numpy thinks of any other content
        raise InputError(f"{path}: not a readable .npz file ({reason}); {_SAVE}") from None
    if missing := [name for name in ("X", "y") if name not in arrays]:
        near = f"; did you mean to name {' and '.join(others)} so?" if len(others) == len(missing) else ""
        raise InputError(
            f"{path} lacks {' and '.join(missing)}; it holds {', '.join([*arrays, *others]) or 'nothing'}{near}; {_SAVE}"
        )
    if others:
        raise InputError(
            f"{path} holds {others[0]}, which is not read; {did_you_mean(others[0], ARRAYS)}; rename it or leave it out"
        )
    return arrays


def flatten_items(x: NDArray[Any]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Return items of any shape, such as images, as rows of numbers `(N, F)`, and a note where they were not.

    >>> rows, notes = flatten_items(np.zeros((5, 8, 8)))
    >>> rows.shape, notes
    ((5, 64), ('items of the shape 8 x 8 are flattened to 64 numbers each',))
    """
    if x.ndim <= 2:
        return x, ()
    rows = x.reshape(len(x), int(np.prod(x.shape[1:])))
    shape = " x ".join(map(str, x.shape[1:]))
    return rows, (f"items of the shape {shape} are flattened to {rows.shape[1]:,} numbers each",)


@dataclass(frozen=True)
class ArraysTask(TaskSpec):
    """The arrays of an `.npz` file: `X` and `y`, and where they are in it `lengths`, `groups`, `time` and `split`.

    Without lengths, `X (N, F)` are rows of numbers, and `y (N,)` their labels. With `lengths (N,)`, `X (L,)` are the token ids
    of N sequences, one behind the other, and `y (L,)` the tag of each token. `split (N,)` holds train, valid and test, or 0 to 2.
    """

    path: str
    kind: str = "rows"
    notes: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, path: Path) -> ArraysTask:
        """Return the task of a file, with the kind of its items."""
        return cls(str(path), "sentences" if "lengths" in read_arrays(path) else "rows")

    @property
    def label(self) -> str:
        return Path(self.path).name

    @property
    def data_location(self) -> str:
        return str(Path(self.path).resolve())

    def load(self, rng: np.random.Generator) -> Task:
        arrays = read_arrays(Path(self.path))
        try:
            if "lengths" in arrays:
                return _sequences(self.label, arrays)
            split = _read_split(arrays.get("split"), len(arrays["y"]) if arrays["y"].ndim else 0)
            x, notes = flatten_items(arrays["X"])
            return Task.from_arrays(
                x,
                arrays["y"],
                rng=rng,
                groups=arrays.get("groups"),
                time=arrays.get("time"),
                split=split,
                notes=(*self.notes, *notes),
            )
        except InputError as error:
            raise InputError(f"{self.path}: {error}") from None


def _read_split(split: NDArray[Any] | None, items: int) -> Split | None:
    if split is None:
        return None
    if split.shape != (items,):
        raise InputError(f"split has the shape {split.shape}; expected the part of each item, ({items},)")
    names = [str(value) for value in split.tolist()]
    if unknown := [name for name in names if name.lower() not in _PARTS]:
        raise InputError(f"split holds {unknown[0]!r}; name the parts train, valid and test, or 0, 1 and 2")
    parts = np.array([_PARTS[name.lower()] for name in names])
    return Split(*(np.flatnonzero(parts == part) for part in ("train", "valid", "test")))


def _sequences(name: str, arrays: dict[str, NDArray[Any]]) -> Task:
    """Return the task of packed sequences; all seeds share one split, as they share one vocabulary."""
    tokens, lengths = arrays["X"], arrays["lengths"]
    if tokens.dtype.kind == "f":
        raise InputError(
            "X holds floats, and sequences are those of token ids; give whole numbers, or leave lengths out and give one row of "
            "numbers per label"
        )
    if tokens.dtype.kind not in "iuUS" or tokens.ndim != 1:
        raise InputError(
            f"X has the type {tokens.dtype} and the shape {tokens.shape}; with lengths, expected token ids, (L,)"
        )
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or (lengths < 1).any():
        raise InputError("lengths must be whole numbers from 1, one per sequence; leave empty sequences out")
    tags, names = read_labels(arrays["y"])
    if not len(tokens) == len(tags) == lengths.sum():
        raise InputError(
            f"X has {len(tokens):,} tokens and y {len(tags):,} tags, and lengths add up to {lengths.sum():,}; they must be equal"
        )
    ends = lengths.cumsum()
    rarity = np.argsort(np.argsort(np.bincount(tags)))  # a sequence is split by its rarest tag
    rarest = np.minimum.reduceat(rarity[tags], ends - lengths)
    words = [tuple(map(str, part.tolist())) for part in np.split(tokens, ends[:-1])]
    tagged = [tuple(names[tag] for tag in part) for part in np.split(tags, ends[:-1])]
    twins = hash_rows(np.array([" ".join(sentence) for sentence in words], dtype=object))
    count = len(lengths)
    none = np.zeros(0, np.int64)
    split = complete_split(
        _read_split(arrays.get("split"), count) or Split(np.arange(count), none, none),
        rarest,
        rng=np.random.default_rng(0),
        groups=None if "groups" not in arrays else read_groups(arrays["groups"], count),
        time=None if "time" not in arrays else read_times(arrays["time"], count),
        twins=twins,
    )

    def sentences(rows: NDArray[np.int64], part: str) -> Sentences:
        if not len(rows):
            raise InputError(f"the {part} part has no sequence: {count:,} sequences are too few to be split; add some")
        return Sentences(tuple(words[row] for row in rows), tuple(tagged[row] for row in rows))

    note = "sequences are split whole, by their rarest tag: all seeds share one split and one vocabulary"
    train, valid, test = (
        sentences(split.train, "training"),
        sentences(split.valid, "validation"),
        sentences(split.test, "test"),
    )
    return tagging_task(Corpus(name, train, valid, test, notes=(note,), entities=False), "sentences")
