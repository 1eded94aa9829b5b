"""Add rows of the rarer classes until every class has as many as the largest."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from strategies.draw.weights import StrategyWarning
from strategies.labels import Labels
from strategies.registry import register
from strategies.strategy import Inputs, Resampled, Strategy

_NEIGHBOURS, _DANGER = 5, 10
"""imbalanced-learn's defaults: neighbours to interpolate with, and to judge danger by (borderline-smote)."""


@register
@dataclass(frozen=True)
class Oversampling(Strategy):
    """Every class is brought to the size of the largest, by imbalanced-learn: duplicated ("random") or interpolated rows.

    "smote": Chawla et al. (2002), JAIR 16; "adasyn": He et al. (2008), IJCNN; "borderline-smote": Han et al. (2005),
    ICIC. An item with many labels counts as its rarest class; token ids are never interpolated. A class with fewer than
    six rows lowers the number of neighbours, a class of one row, or one for which the method finds nothing to
    interpolate, is duplicated: either is said by a `StrategyWarning`.

    >>> pool = Oversampling().resample(None, Labels.of([0, 0, 0, 1]), seed=0)
    >>> pool.index.tolist()
    [0, 1, 2, 3, 3, 3]
    """

    kind: Literal["random", "smote", "adasyn", "borderline-smote"] = "random"
    name: ClassVar[str] = "oversampling"
    title: ClassVar[str] = "rows of the rarer classes are duplicated or interpolated up to the largest class"
    folder: ClassVar[str] = "resample"

    def declines(self, labels: Labels, inputs: Inputs) -> str | None:
        if self.kind != "random" and inputs == "tokens":
            return f"{self.kind} interpolates rows, and token ids are names, not numbers"
        if self.kind != "random" and not labels.one_each:
            return f"{self.kind} interpolates between rows of one class, and an item here has many labels"
        return None

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled:
        classes = labels.values if labels.one_each else labels.rarest(labels.counts())
        if self.kind == "random":
            return Resampled(_duplicated(classes, seed))
        if x is None:
            raise ValueError(
                f"{self} interpolates rows: it needs x (N, F) of numbers; given: None. Use kind='random' for token ids."
            )
        return self._interpolated(x, classes, labels.class_names, seed)

    def _interpolated(self, x: Tensor, classes: Tensor, names: tuple[str, ...], seed: int) -> Resampled:
        """One class at a time, because each may need its own number of neighbours; the draws run through one generator."""
        rows, target = x.to(torch.float64).numpy(), classes.numpy()
        counts = np.bincount(target, minlength=len(names))
        random = np.random.RandomState(seed % 2**32)
        index, made, fewer, duplicated = [torch.arange(len(classes))], [], [], []
        for rare in np.flatnonzero((counts > 0) & (counts < counts.max())):
            neighbours = min(_NEIGHBOURS, int(counts[rare]) - 1)
            new = self._of_class(rows, target, int(rare), int(counts.max()), neighbours, random) if neighbours else None
            if new is None:
                members = np.flatnonzero(target == rare)
                index.append(torch.from_numpy(random.choice(members, counts.max() - counts[rare])))
                duplicated.append(f"{names[rare]} ({counts[rare]})")
                continue
            if neighbours < _NEIGHBOURS:
                fewer.append(f"{names[rare]} (k={neighbours})")
            made.append((torch.from_numpy(new).to(x.dtype), torch.full((len(new),), int(rare))))
        for what, said in (("fewer neighbours, for want of rows", fewer), ("duplicated, not interpolated", duplicated)):
            if said:
                warnings.warn(f"{what}: {', '.join(said)}", StrategyWarning, stacklevel=3)
        if not made:
            return Resampled(torch.cat(index))
        return Resampled(torch.cat(index), *(torch.cat(parts) for parts in zip(*made, strict=True)))

    def _of_class(
        self, rows: np.ndarray, target: np.ndarray, rare: int, size: int, neighbours: int, random: np.random.RandomState
    ) -> np.ndarray | None:
        """The rows imbalanced-learn makes for one class, None where it makes none."""
        sampler = _samplers()[self.kind](
            sampling_strategy={rare: size},
            random_state=random,
            neighbours=neighbours,
            others=min(_DANGER, len(rows) - 1),
        )
        try:
            made = np.asarray(sampler.fit_resample(rows, target)[0])[len(rows) :]
        except (ValueError, RuntimeError) as refusal:
            if "majority class" not in str(refusal) and "No samples will be generated" not in str(refusal):
                raise
            return None
        return made if len(made) else None


def _duplicated(classes: Tensor, seed: int) -> Tensor:
    from imblearn.over_sampling import RandomOverSampler

    sampler = RandomOverSampler(random_state=seed % 2**32)
    sampler.fit_resample(np.arange(len(classes)).reshape(-1, 1), classes.numpy())
    return torch.from_numpy(sampler.sample_indices_)


def _samplers() -> dict[str, Callable[..., Any]]:
    """imbalanced-learn's samplers under our names; it is imported here because only resampling needs it."""
    from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE

    def smote(*, neighbours: int, others: int, **options: Any) -> Any:
        return SMOTE(k_neighbors=neighbours, **options)

    def adasyn(*, neighbours: int, others: int, **options: Any) -> Any:
        return ADASYN(n_neighbors=neighbours, **options)

    def borderline_smote(*, neighbours: int, others: int, **options: Any) -> Any:
        return BorderlineSMOTE(k_neighbors=neighbours, m_neighbors=others, **options)

    return {"smote": smote, "adasyn": adasyn, "borderline-smote": borderline_smote}
