"""How the rows of a task were split, what a user of the results should know about it, and whether it can be measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from bench.tasks.row_arrays import count_repeats
from bench.tasks.splitting import Ids, Split, complete_split
from bench.text.numbers import plural

_SHARED = "all seeds share this split: they differ in initial weights and sampling only"


@dataclass(frozen=True)
class RowSplit:
    """The split of rows, and all that it was made from; `given` is the user's own, None where there is none.

    Classes are ids, and `names` their names, in any order.
    """

    rows: Split
    classes: Ids
    names: tuple[str, ...]
    twins: NDArray[Any]
    groups: Ids | None = None
    time: NDArray[Any] | None = None
    given: Split | None = None

    @classmethod
    def make(
        cls,
        classes: Ids,
        names: tuple[str, ...],
        twins: NDArray[Any],
        groups: Ids | None,
        time: NDArray[Any] | None,
        given: Split | None,
        rng: np.random.Generator,
    ) -> RowSplit:
        """Split rows; raises an InputError where a part would have fewer than two classes, so that it measures nothing."""
        none = np.zeros(0, np.int64)
        start = given or Split(np.arange(len(classes)), none, none)
        rows = complete_split(start, classes, rng=rng, groups=groups, time=time, twins=twins)
        split = cls(rows, classes, names, twins, groups, time, given)
        split._refuse_lone_classes()
        return split

    @property
    def test_is_redrawn(self) -> bool:
        """Whether each seed has another test part."""
        return self.time is None and not (self.given and len(self.given.test))

    @property
    def resplit(self) -> tuple[int, int] | None:
        """Numbers of test rows and of all other rows where each seed has another test part, else None."""
        rest = len(self.rows.train) + len(self.rows.valid)
        return (len(self.rows.test), rest) if self.test_is_redrawn else None

    def head_first(self) -> Ids:
        """Return the class ids, the most frequent in training first; the order is the same for all seeds.

        Where each seed has other training rows, classes are counted in all rows that can be among them.
        """
        counted = self.rows.train
        if self.time is None:
            counted = np.arange(len(self.classes)) if self.given is None else self.given.train
        return np.argsort(-np.bincount(self.classes[counted], minlength=len(self.names)), kind="stable")

    def given_rows(self) -> list[Ids]:
        """Return the rows of each part of the user's own split; none where there is none."""
        return [] if self.given is None else [self.given.train, self.given.valid, self.given.test]

    def notes(self) -> Iterator[str]:
        """Yield what a user of the results should know about the split."""
        yield self._describe()
        repeated, contradicting = count_repeats(self.twins, self.classes)
        if repeated:
            kept = "" if self.groups is not None or self.time is not None or self.given else ", and stay in one part"
            yield f"{repeated:,} of {len(self.classes):,} rows are identical to another row{kept}"
        if contradicting:
            yield (
                f"{contradicting:,} rows are identical to a row of another class: no model can get all of them right"
            )
        counts = np.bincount(self.classes, minlength=len(self.names))
        if self.given is None and self.time is None and self.groups is None:
            for few, where in (
                (1, "one item, which is in training"),
                (2, "two items, one in training and one in test"),
            ):
                if names := [name for name, count in zip(self.names, counts, strict=True) if count == few]:
                    yield f"{_list(names)}: {where}"
        train_counts = np.bincount(self.classes[self.rows.train], minlength=len(self.names))
        if names := [name for name, count in zip(self.names, train_counts, strict=True) if not count]:
            yield f"train has no {_list(names)}: no model can learn a class without an item, so such rows count as errors"

    def _describe(self) -> str:
        train, valid, test = (len(rows) for rows in (self.rows.train, self.rows.valid, self.rows.test))
        sizes = f"{train:,} rows in training, {valid:,} in validation, {test:,} in test"
        parts = [name for name in ("valid", "test") if self.given is not None and len(getattr(self.given, name))]
        if len(parts) == 2:
            return f"the split is the one given: {sizes}; {_SHARED}"
        how = "by class"
        if self.time is not None:
            borders = (self.time[rows].min() for rows in (self.rows.valid, self.rows.test))
            how = "in the order of time, {} from {}, {} from {}".format(
                "validation", _show_time(next(borders)), "test", _show_time(next(borders))
            )
        elif self.groups is not None:
            how = f"in whole groups ({len(np.unique(self.groups)):,})"
        given = "the test part is given, the rest is" if parts == ["test"] else ""
        given = "the validation part is given, the rest is" if parts == ["valid"] else given
        seeds = "each seed splits anew" if self.time is None else _SHARED
        return f"{given or 'rows are'} split {how}: {sizes}; {seeds}"

    def _refuse_lone_classes(self) -> None:
        trained = np.unique(self.classes[self.rows.train])
        for part, rows in (("training", self.rows.train), ("test", self.rows.test), ("validation", self.rows.valid)):
            present = np.unique(self.classes[rows])
            known = np.isin(present, trained)
            if len(present) < 2:
                has = f"{plural(len(rows), 'row')}, all of class {self.names[present[0]]}" if len(present) else "no row"
                lacks = "" if known.all() else ", which training lacks"
                raise InputError(f"the {part} part has {has}{lacks}, so nothing can be measured; {self._advise(part)}")
            if not known.any():
                new, of_training = (_list([self.names[c] for c in classes]) for classes in (present, trained))
                alike = "write the labels of both alike, or give parts of the same classes"
                raise InputError(
                    f"training lacks all classes of the {part} part, which are {new}, and those of training are {of_training}; "
                    f"{alike if self.given else self._advise(part)}"
                )

    def _advise(self, part: str) -> str:
        counts = np.bincount(self.classes, minlength=len(self.names))
        rare = self.names[int(counts.argmin())]
        if self.given is not None and len({"validation": self.given.valid, "test": self.given.test}.get(part, ())):
            return "give a part with items of at least two classes, or have it split off the training part"
        if self.time is not None:
            return "two classes need to occur in each period; leave time out, or give data of a longer time"
        if self.groups is not None:
            of_rare = len(np.unique(self.groups[self.classes == counts.argmin()]))
            return (
                f"class {rare} occurs in {of_rare:,} of {len(np.unique(self.groups)):,} groups, and three parts need three "
                "groups with two classes each; give finer groups, or leave them out"
            )
        distinct = len(np.unique(self.twins[self.classes == counts.argmin()]))
        return (
            f"class {rare} has {plural(int(counts.min()), 'item')} ({distinct:,} different; identical rows stay in one part), "
            "and three parts need three; collect more, or give files of validation and test items"
        )


def _show_time(time: Any) -> str:
    return (
        str(np.datetime_as_string(time, unit="s")).removesuffix("T00:00:00")
        if hasattr(time, "dtype") and time.dtype.kind == "M"
        else f"{time:g}"
    )


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:9]) + (f" and {len(names) - 9} more" if len(names) > 9 else "")
