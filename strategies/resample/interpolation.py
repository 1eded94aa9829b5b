"""Base class of SMOTE and its variants: synthetic rows between rows of a class, one class at a time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from strategies.labels import Labels
from strategies.notation import NotationError
from strategies.strategy import Inputs, Resampled, Strategy
from strategies.strategy_warning import StrategyWarning

MAX_ROWS = 200_000
"""Most rows to search neighbours among: time grows with their square, 60,000 rows of 64 numbers take 13 s on one core."""


@dataclass(frozen=True)
class Interpolation(Strategy):
    """Bring every class to the size of the largest with synthetic rows between its own, by imbalanced-learn.

    A class of too few rows lowers the number of neighbours; a class of one row, or one for which the method finds nothing to
    interpolate, is copied. Both raise a `StrategyWarning`.
    """

    neighbours: int = 5
    folder: ClassVar[str] = "resample"
    cost: ClassVar[str] = "set-up: a neighbour search; memory: C n_max rows"

    def __post_init__(self) -> None:
        if self.neighbours < 1:
            raise NotationError(f"{self.name}: neighbours must be 1 or more; given: {self.neighbours}")

    def sampler(self, neighbours: int, rows: int, **options: Any) -> Any:
        """Return imbalanced-learn's sampler, given a class's number of possible neighbours and the number of all rows."""
        raise NotImplementedError

    def rows_searched(self, labels: Labels) -> int:
        """Return the number of rows among which neighbours are searched."""
        return len(labels)

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if inputs == "tokens":
            return f"{self.name} interpolates rows, and token ids cannot be interpolated (see random-oversampling)"
        if not labels.single_label:
            return (
                f"{self.name} interpolates between rows of one class, and an item here has many labels "
                "(see random-oversampling)"
            )
        if (rows := self.rows_searched(labels)) > MAX_ROWS:
            return (
                f"{self.name} would search neighbours among {rows:,} rows, in time that grows with the square: "
                f"it stops at {MAX_ROWS:,} (see random-oversampling)"
            )
        return None

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled:
        if x is None:
            raise ValueError(
                f"{self} interpolates rows: it needs x (N, F) of numbers; given: None. Use random-oversampling for token ids."
            )
        return self.interpolate(x, labels, np.random.RandomState(seed % 2**32))

    def interpolate(self, x: Tensor, labels: Labels, random: np.random.RandomState) -> Resampled:
        """Return the pool with synthetic rows, one class after another, because each may need its own number of neighbours.

        All classes share one random state, in order of their ids.
        """
        rows, target, names = x.to(torch.float64).numpy(), labels.values.numpy(), labels.class_names
        counts = labels.counts().values.numpy()
        index, synthetic, fewer, copied = [torch.arange(len(target))], [], [], []
        for rare in np.flatnonzero((counts > 0) & (counts < counts.max())):
            neighbours = min(self.neighbours, int(counts[rare]) - 1)
            new = (
                self._synthetic_rows(rows, target, int(rare), int(counts.max()), neighbours, random)
                if neighbours
                else None
            )
            if new is None:
                members = np.flatnonzero(target == rare)
                index.append(torch.from_numpy(random.choice(members, counts.max() - counts[rare])))
                copied.append(f"{names[rare]} ({counts[rare]})")
                continue
            if neighbours < self.neighbours:
                fewer.append(f"{names[rare]} (k={neighbours})")
            synthetic.append((torch.from_numpy(new).to(x.dtype), torch.full((len(new),), int(rare))))
        for what, classes in (("fewer neighbours, for want of rows", fewer), ("copied, not interpolated", copied)):
            if classes:
                warnings.warn(f"{what}: {', '.join(classes)}", StrategyWarning, stacklevel=4)
        if not synthetic:
            return Resampled(torch.cat(index))
        return Resampled(torch.cat(index), *(torch.cat(parts) for parts in zip(*synthetic, strict=True)))

    def _synthetic_rows(
        self, rows: np.ndarray, target: np.ndarray, rare: int, size: int, neighbours: int, random: np.random.RandomState
    ) -> np.ndarray | None:
        """Return the synthetic rows that imbalanced-learn makes for one class, or None if it makes none."""
        sampler = self.sampler(neighbours, len(rows), sampling_strategy={rare: size}, random_state=random)
        try:
            synthetic = np.asarray(sampler.fit_resample(rows, target)[0])[len(rows) :]
        except (ValueError, RuntimeError) as refusal:
            if "majority class" not in str(refusal) and "No samples will be generated" not in str(refusal):
                raise
            return None
        return synthetic if len(synthetic) else None
