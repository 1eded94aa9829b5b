"""Split rows into training, validation and test part: by class, in whole groups, or in the order of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.errors import InputError

Ids = NDArray[np.int64]
TRAIN, TEST, VALID = range(3)
"""The parts in the order in which a class gets its first items."""
SHARE = 0.2
"""The share of validation, and of test."""


@dataclass(frozen=True)
class Split:
    """Numbers of the rows of each part, int64, in ascending order."""

    train: Ids
    valid: Ids
    test: Ids


def split_rows(
    classes: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: ArrayLike | None = None,
    time: ArrayLike | None = None,
    twins: ArrayLike | None = None,
    valid: float = SHARE,
    test: float = SHARE,
) -> Split:
    """Split rows so that each part has its share of every class, as far as whole groups and twins allow; or by time.

    The first item of a class is in training, a second one in test, a third one in validation. In the order of time, training
    has the earliest rows and test the latest, whatever their classes.

    Parameters
    ----------
    classes
        Class ids `(N,)`, from 0.
    rng
        The source of randomness; a split by time ignores it.
    groups
        Values `(N,)`: rows with the same one stay in one part.
    time
        Values `(N,)` that can be sorted: rows with the same one stay in one part.
    twins
        Values `(N,)`: rows with the same one, which are identical, stay in one part, unless groups or times part them.
    valid, test
        Shares of the rows; 0 makes an empty part.

    Raises
    ------
    InputError
        If groups and time are both given, or if there are fewer times than parts.

    Examples
    --------
    >>> split = split_rows([0] * 10 + [1] * 5, rng=np.random.default_rng(0))
    >>> len(split.train), len(split.valid), len(split.test)
    (9, 3, 3)
    """
    classes = np.asarray(classes, np.int64)
    shares = np.zeros(3)
    shares[[TRAIN, VALID, TEST]] = 1 - valid - test, valid, test
    if groups is not None and time is not None:
        raise InputError("groups and time are both given, but a group can span all times; give one of the two")
    if time is not None:
        part = _parts_by_time(np.asarray(time), shares)
    else:
        together = twins if groups is None else groups
        units = np.arange(len(classes)) if together is None else np.unique(together, return_inverse=True)[1].ravel()
        part = _parts_of_units(classes, units, shares, rng)[units]
    return Split(*(np.flatnonzero(part == number) for number in (TRAIN, VALID, TEST)))


def complete_split(
    given: Split,
    classes: ArrayLike,
    *,
    rng: np.random.Generator,
    groups: ArrayLike | None = None,
    time: ArrayLike | None = None,
    twins: ArrayLike | None = None,
) -> Split:
    """Return a split whose validation and test part, where they are empty, are split off its training part.

    The arguments are those of `split_rows`, for all rows of the source; each new part takes a fifth of the training part.

    Raises an InputError if a row is in two parts or does not exist.
    """
    classes = np.asarray(classes, np.int64)
    rows = np.concatenate([given.train, given.valid, given.test])
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(classes):
        raise InputError(
            f"split names the rows {rows.min()} to {rows.max()}; expected rows from 0 to {len(classes) - 1}"
        )
    if len(np.unique(rows)) < len(rows):
        raise InputError(
            f"split puts {len(rows) - len(np.unique(rows)):,} rows into more than one part; name each row once"
        )
    if len(given.valid) and len(given.test):
        return given
    rest = given.train

    def of_rest(values: ArrayLike | None) -> NDArray[Any] | None:
        return None if values is None else np.asarray(values)[rest]

    split = split_rows(
        classes[rest],
        rng=rng,
        groups=of_rest(groups),
        time=of_rest(time),
        twins=of_rest(twins),
        valid=0.0 if len(given.valid) else SHARE,
        test=0.0 if len(given.test) else SHARE,
    )
    return Split(
        rest[split.train],
        given.valid if len(given.valid) else rest[split.valid],
        given.test if len(given.test) else rest[split.test],
    )


def _parts_by_time(time: NDArray[Any], shares: NDArray[np.float64]) -> Ids:
    """Return the part of each row; each cut between two times is the one that comes nearest to the shares."""
    times, time_of_row, counts = np.unique(time, return_inverse=True, return_counts=True)
    parts = [number for number in (TRAIN, VALID, TEST) if shares[number] > 0]
    if len(times) < len(parts):
        raise InputError(
            f"{len(parts)} parts in the order of time need {len(parts)} different times; given: {len(times)}; give finer times, "
            "or split without them"
        )
    rows_before = counts.cumsum() - counts
    part_of_time = np.full(len(times), parts[0])
    begin = 0
    for place, number in enumerate(parts[1:], 1):
        wanted = shares[parts[:place]].sum() * len(time)
        possible = slice(begin + 1, len(times) - len(parts) + place + 1)  # no part stays empty
        begin += 1 + int(np.abs(rows_before[possible] - wanted).argmin())
        part_of_time[begin:] = number
    return part_of_time[time_of_row.ravel()]


def _parts_of_units(classes: Ids, units: Ids, shares: NDArray[np.float64], rng: np.random.Generator) -> Ids:
    """Return the part of each unit, the rows that stay together; `units (N,)` holds the unit of each row.

    Every class gets a unit in training, then one in test and in validation while it has any left. The rest is spread over the
    parts, large units first, and units with equal counts of every class at once.
    """
    num_units, num_classes = int(units.max(initial=-1)) + 1, int(classes.max(initial=-1)) + 1
    pairs, counts = np.unique(units * num_classes + classes, return_counts=True)
    unit_of_pair, class_of_pair = np.divmod(pairs, num_classes)
    first_pair = np.searchsorted(unit_of_pair, np.arange(num_units + 1))
    # Sizes are compared by their power of two, so that chance has a say in the order of large units too.
    small_first = np.lexsort((rng.permutation(num_units), np.frexp(np.bincount(units))[1]))
    part = np.full(num_units, -1)
    filling = _Filling(np.bincount(classes), shares)

    def class_counts(unit: int) -> tuple[Ids, Ids]:
        pairs_of_unit = slice(first_pair[unit], first_pair[unit + 1])
        return class_of_pair[pairs_of_unit], counts[pairs_of_unit]

    rank = np.empty(num_units, np.int64)
    rank[small_first] = np.arange(num_units)
    by_class = unit_of_pair[np.lexsort((rank[unit_of_pair], class_of_pair))]
    units_of_class = np.split(by_class, np.bincount(class_of_pair, minlength=num_classes).cumsum()[:-1])
    for number in filling.parts:
        for class_id in sorted(range(num_classes), key=lambda c: len(units_of_class[c])):
            candidates = units_of_class[class_id]
            free = candidates[part[candidates] < 0]
            if len(free) and not filling.rows[number, class_id]:
                part[free[0]] = number
                filling.add(number, 1, *class_counts(free[0]))

    rest = small_first[::-1][part[small_first[::-1]] < 0]
    _, first, kind = np.unique(
        _hash_counts(class_of_pair, counts, first_pair)[rest], return_index=True, return_inverse=True
    )
    for alike in _runs_of(first[kind], rest):
        begin = 0
        for number, how_many in enumerate(filling.spread(len(alike), *class_counts(alike[0]))):
            part[alike[begin : begin + how_many]] = number
            begin += how_many
    return part


def _runs_of(keys: Ids, values: Ids) -> list[Ids]:
    """Return the values of each key, by ascending key."""
    order = np.argsort(keys, kind="stable")
    return np.split(values[order], np.flatnonzero(np.diff(keys[order])) + 1) if len(values) else []


def _hash_counts(classes: Ids, counts: Ids, first_pair: Ids) -> NDArray[np.uint64]:
    """Return a hash of each unit's classes and counts."""
    mixed = (classes.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29)) ^ counts.astype(np.uint64)) * np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    return np.add.reduceat(mixed, first_pair[:-1]) if len(mixed) else mixed


class _Filling:
    """Rows of each class in each part so far, and what they should be in the end.

    The parts are filled so that the sum of (rows - target)^2 / (share * total^2) over parts and classes stays small.
    """

    def __init__(self, totals: Ids, shares: NDArray[np.float64]) -> None:
        self.parts = [number for number in (TRAIN, TEST, VALID) if shares[number] > 0]
        self.shares, self.totals = shares, totals
        self.targets = np.outer(shares, totals)
        self.rows = np.zeros((len(shares), len(totals)))

    def add(self, part: int, units: int, classes: Ids, counts: Ids) -> None:
        """Put equal units into a part; each has `counts (K,)` rows of the classes `(K,)`."""
        self.rows[part, classes] += units * counts

    def spread(self, units: int, classes: Ids, counts: Ids) -> list[int]:
        """Put equal units into the parts where they are most wanted; return how many into each."""
        weights = counts / self.totals[classes] ** 2
        lack = (self.targets[:, classes] - self.rows[:, classes]) @ weights / (counts @ weights)  # in such units
        wanted = np.zeros(len(self.shares))
        open_parts = list(self.parts)
        while (wanted[open_parts] <= 0).any():
            shares = self.shares[open_parts]
            level = (units - lack[open_parts].sum()) / shares.sum()
            wanted[:] = 0
            wanted[open_parts] = lack[open_parts] + level * shares
            open_parts = [part for part in open_parts if wanted[part] > 0]
        placed = np.floor(np.maximum(wanted, 0) + 1e-9).astype(int)
        for _ in range(units - placed.sum()):
            excess = [round((placed[part] + 0.5 - lack[part]) / self.shares[part], 9) for part in self.parts]
            placed[self.parts[excess.index(min(excess))]] += 1
        for part in self.parts:
            self.add(part, int(placed[part]), classes, counts)
        return placed.tolist()  # type: ignore[no-any-return]
