"""A task: a data set prepared for one kind of prediction; and its specification, which a suite names and a run carries."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bench.errors import InputError
from bench.models.model import Shape
from bench.tasks.imbalance import Imbalance
from bench.tasks.part import Part, Rows, join_parts, tensors
from bench.tasks.row_arrays import hash_content, hash_rows, read_groups, read_labels, read_times, take, to_floats
from bench.tasks.row_chunks import RowChunks, choose_fitted, transform_chunks
from bench.tasks.row_split import RowSplit
from bench.tasks.splitting import Ids, Split
from bench.user_code.module_loader import describe_error, last_line
from strategies import Labels
from strategies.notation import write
from strategies.strategy import Inputs


class MissingData(InputError):  # noqa: N818  (the data is missing, the user made no error)
    """The data set is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Task:
    """One data set, ready to train on; classes are ordered by their counts in the training part, the most frequent first."""

    description: str
    inputs: Inputs
    prior: Literal["natural", "balanced"]
    """Class mix of test: as in the source, or equal."""
    shape: Shape
    train: Part
    valid: Part
    test: Part
    fingerprint: str
    """A hash of the data it was prepared from."""
    baseline: Tensor | None = None
    """Class ids (L,) that the most-frequent-tag baseline predicts on test; None where there are no words to look up."""
    notes: tuple[str, ...] = ()
    """What a user of the results should know about the data."""
    resplit: tuple[int, int] | None = None
    """Numbers of test items and of all other items, where each seed splits the same data differently; None where all seeds
    share one split. Without it, intervals of a task that splits by the seed are too narrow."""
    trains_on_valid: bool = False
    """Whether the validation part is in the training part too, so that nothing may be chosen on it."""
    may_share_rows: bool = False
    """Whether equal rows of two parts are no sign of rows that were resampled before the split: it was made with identical rows
    in one part, so that only their features are equal, or groups or times part them. They are noted all the same."""
    rows: Split | None = None
    """Numbers of the rows of each part in the source; None where the source is not rows."""
    preprocessing: Any = field(default=None, compare=False)
    """The fitted scikit-learn transformer that made the rows of all parts; None if there is none."""
    columns: tuple[tuple[str, str, str, str], ...] = ()
    """Of a table: name, kind, treatment and reason of each column."""
    test_texts: tuple[str, ...] | None = field(default=None, repr=False, compare=False)
    """The word, or the beginning of the text, of each label of test, for people; None where there is none."""

    @classmethod
    def from_arrays(
        cls,
        x: Any,
        y: Any,
        *,
        rng: np.random.Generator,
        groups: Any = None,
        time: Any = None,
        split: Split | None = None,
        names: Sequence[str] | None = None,
        preprocessing: Any = None,
        description: str = "",
        notes: Sequence[str] = (),
    ) -> Task:
        """Make a task of rows, split by class, in whole groups, in the order of time, or as given.

        Identical rows stay in one part, unless groups, times or a given split part them. So leave out of `x` what the model
        does not see, such as ids, which make every row different.

        Parameters
        ----------
        x
            Rows `(N, F)`: an array, a sparse matrix, a data frame, or `RowChunks`; without preprocessing, finite numbers.
        y
            Labels `(N,)`: text, whole numbers or truth values.
        rng
            The source of randomness of the split: the one that `TaskSpec.load` is given.
        groups
            Groups `(N,)`, such as patients: each is in one part. A row without one is a group of its own.
        time
            Numbers, datetimes or ISO dates `(N,)`: training gets the earliest rows, test the latest.
        split
            The user's own split. Where its validation or its test part is empty, that part is split off the training part.
        names
            Names of the classes 0, 1 and so on; by default their values in `y`.
        preprocessing
            An unfitted scikit-learn transformer with dense output. It is fitted on the training part alone, where it is given the
            class ids too; of `RowChunks` on a million of its rows at most. The number of its outputs must not depend on the rows
            that it is fitted on, as runs of several seeds are trained in one stack: name all categories of a OneHotEncoder.
        description
            What the data are, for the report.
        notes
            What a user of the results should know about the data.

        Raises
        ------
        InputError
            If a label is missing or no class, if values cannot be used, or if a part has fewer than two classes.

        Examples
        --------
        >>> from sklearn.datasets import load_wine
        >>> from sklearn.preprocessing import StandardScaler
        >>> x, y = load_wine(return_X_y=True)
        >>> task = Task.from_arrays(x, y, rng=np.random.default_rng(0), preprocessing=StandardScaler())
        >>> task.train.labels.class_names, task.train.labels.counts().values.tolist(), task.resplit
        (('1', '0', '2'), [43, 35, 29], (36, 142))
        """
        x = x if hasattr(x, "shape") else np.asarray(x)
        notes = list(notes)
        classes, class_names = read_labels(y, names)
        if len(classes) != x.shape[0]:
            raise InputError(f"x has {x.shape[0]:,} rows, and y {len(classes):,} labels; give one label per row")
        if isinstance(x, RowChunks) and preprocessing is None:
            raise InputError("rows that are read in chunks need a preprocessing, such as FunctionTransformer()")
        if preprocessing is None:
            x = to_floats(x, "x", "give a preprocessing that makes finite numbers, such as SimpleImputer()")
        made = RowSplit.make(
            classes,
            class_names,
            x.hash_rows() if isinstance(x, RowChunks) else hash_rows(x),
            None if groups is None else read_groups(groups, len(classes)),
            None if time is None else read_times(time, len(classes)),
            split,
            rng,
        )
        order = made.head_first()
        place = np.argsort(order)
        class_names = tuple(class_names[class_id] for class_id in order)
        classes = place[classes]
        parts = [made.rows.train, made.rows.valid, made.rows.test]
        fitted, rows_of_parts = _preprocess(preprocessing, x, classes, parts)
        if isinstance(x, RowChunks) and len(parts[0]) > len(fitted_on := choose_fitted(parts[0])):
            notes.append(
                f"preprocessing (medians, means, standard deviations) was fitted on {len(fitted_on):,} of the "
                f"{len(parts[0]):,} training rows, at equal distances"
            )
        train, valid, test = (
            Rows(torch.from_numpy(floats), Labels.of(classes[rows], class_names))
            for floats, rows in zip(rows_of_parts, parts, strict=True)
        )
        features = train.x.shape[1]
        return cls(
            description=description or f"{len(classes):,} rows of {features:,} numbers",
            inputs="numbers",
            prior="natural",
            shape=Shape(classes=len(class_names), features=features),
            train=train,
            valid=valid,
            test=test,
            fingerprint=hash_content(
                made.twins, classes, class_names, made.groups, made.time, *made.given_rows(), preprocessing
            ),
            notes=(*notes, *made.notes()),
            resplit=made.resplit,
            may_share_rows=split is None or not len(split.test),
            rows=made.rows,
            preprocessing=fitted,
        )

    @cached_property
    def with_validation_added(self) -> Task:
        """The task with its validation part in its training part too: one object, which the runs of a stack share."""
        return replace(self, train=join_parts(self.train, self.valid), trains_on_valid=True)

    @property
    def target_prior(self) -> Tensor:
        """Shares (C,) of the classes in the data to predict, as far as they are known without a look at test: equal where test
        is balanced by design, else those of validation."""
        classes = self.train.labels.num_classes
        if self.prior == "balanced":
            return torch.full((classes,), 1 / classes, dtype=torch.float64)
        counts = self.valid_counts.double()
        return counts / counts.sum()

    @property
    def imbalance(self) -> Imbalance:
        """Its size, and its class counts in training."""
        items = sum(len(part.labels) for part in (self.train, self.valid, self.test))
        return Imbalance(items, tuple(self.train.labels.counts().values.tolist()))

    @property
    def valid_counts(self) -> Tensor:
        """Labels (C,) of each class that validation is scored on."""
        return torch.bincount(self.valid.truth, minlength=self.train.labels.num_classes)

    def note_absent_classes(self) -> Iterator[str]:
        """Yield a note on each held-out part that lacks classes."""
        names = self.train.labels.class_names
        for part, truth, consequence in (
            ("validation", self.valid.truth, "nothing can be tuned for them"),
            ("test", self.test.truth, "nothing is measured on them"),
        ):
            counts = torch.bincount(truth, minlength=len(names)).tolist()
            if absent := [name for name, count in zip(names, counts, strict=True) if not count]:
                yield f"no item of {', '.join(absent)} in {part}: {consequence}"

    @cached_property
    def digest(self) -> str:
        """A hash of the parts as they were when it was first asked for."""
        return self.compute_digest()

    def compute_digest(self) -> str:
        """Hash the parts as they are now."""
        digest = hashlib.blake2b(digest_size=16)
        for part in (self.train, self.valid, self.test):
            for tensor in tensors(part):
                digest.update(tensor.contiguous().numpy().data)
        return digest.hexdigest()


def _preprocess(
    preprocessing: Any, x: Any, classes: Ids, parts: Sequence[Ids]
) -> tuple[Any, list[NDArray[np.float32]]]:
    """Return a transformer fitted on the first part, None if there is none, and the rows of all parts as float32."""
    if preprocessing is None:
        return None, [x[rows] for rows in parts]
    from sklearn.base import clone

    fitted = clone(preprocessing)
    try:
        if isinstance(x, RowChunks):
            rows = choose_fitted(parts[0])
            return fitted.fit(x.take(rows), classes[rows]), transform_chunks(fitted, x, list(parts))
        outputs = [fitted.fit_transform(take(x, parts[0]), classes[parts[0]])]
        outputs += [fitted.transform(take(x, rows)) for rows in parts[1:]]
    except (ValueError, TypeError) as error:
        raise InputError(f"the preprocessing cannot be applied: {' '.join(str(error).split())}") from error
    return fitted, [to_floats(output, "the output of the preprocessing", "correct it") for output in outputs]


@dataclass(frozen=True)
class Substitute:
    """The task that replaces one whose data are missing, and the note that the report prints about it."""

    task: TaskSpec
    note: str


class TaskSpec(Protocol):
    """A task as a suite names it: a frozen dataclass that inherits from this class; its fields are the task's parameters.

    It is sent to worker processes, which load the task themselves. A subclass defines `load`; `@register_task` makes its `name`
    known.

    Examples
    --------
    Split the same data differently under each seed::

        @register_task
        @dataclass(frozen=True)
        class Wine(TaskSpec):
            name: ClassVar[str] = "wine"
            description: ClassVar[str] = "13 measurements of wines, label: the cultivar"

            def load(self, rng: numpy.random.Generator) -> Task:
                x, y = load_wine(return_X_y=True)
                return Task.from_arrays(x, y, rng=rng, preprocessing=StandardScaler())
    """

    @property
    def name(self) -> str:
        """What suites and the command line call it: lower-case words with hyphens; a class variable of registered tasks."""
        return ""

    @property
    def description(self) -> str:
        """One line for `imbench list tasks`, the data, the label and the parameters; a class variable of registered tasks."""
        return ""

    @property
    def licence(self) -> str:
        """The licence of the data; a class variable, or empty."""
        return ""

    @property
    def label(self) -> str:
        """Its name in tables, from which seeds are derived too; two tasks of a suite cannot have the same.

        By default it is the name, with the parameters that differ from their defaults.
        """
        return write(self.name, self)

    @property
    def kind(self) -> str:
        """The kind of its items, which decides the reference protocol: rows (the default), windows, windows-tags, sentences."""
        return "rows"

    @property
    def imbalance(self) -> Imbalance | None:
        """The size and the class counts of the task where they are known without loading it, else None."""
        return None

    @property
    def how_to_get(self) -> str:
        """How to get the data; empty where they are on this machine, or where only `load` can tell."""
        return ""

    @property
    def data_set(self) -> str:
        """What `imbench fetch` calls the data; empty where they are not fetched."""
        return ""

    def load(self, rng: np.random.Generator) -> Task:
        """Load and prepare the data.

        Parameters
        ----------
        rng
            The source of all randomness of the split; the same state must give the same task. It depends on the label and on
            the run's seed, so all strategies get the same split. A task with a fixed split ignores it.

        Raises
        ------
        MissingData
            If the data are not on this machine.
        InputError
            If the data cannot be read, or cannot be a task.
        """
        ...

    @property
    def data_location(self) -> str:
        """Where the user's files are, if the same label can mean different files; empty where the label determines the data."""
        return ""

    @property
    def substitute(self) -> Substitute | None:
        """What to run if `load` raises MissingData; None to stop with that error."""
        return None


def load_task(spec: TaskSpec, rng: np.random.Generator) -> Task:
    """Load a task; what goes wrong in a class of the user's is an InputError with the task's label and the line at fault."""
    if type(spec).__module__.partition(".")[0] == "bench":
        return spec.load(rng)
    try:
        task = spec.load(rng)
    except MissingData:
        raise
    except InputError as error:
        raise InputError(f"{spec.label}: {error}") from None
    except (Exception, SystemExit) as error:
        line = last_line(error, None)
        raise InputError(
            f"{spec.label} cannot be loaded: {f'{line}: ' if line else ''}{describe_error(error)}"
        ) from error
    if not isinstance(task, Task):
        raise InputError(
            f"{spec.label}: load returns {type(task).__name__}; return a Task, for example Task.from_arrays(...)"
        )
    return task
