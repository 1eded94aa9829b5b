"""Offsets of logits that were tuned on validation labels, with what guards them against too few of these."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args

import numpy as np
import torch
from torch import Tensor

from strategies.adjust.coordinate_ascent import EQUAL, tune_offsets
from strategies.adjust.offsets import reorder
from strategies.adjust.threshold_metric import ThresholdMetric, check_threshold_metric, score_predictions
from strategies.adjust.validation_folds import FOLDS, assign_folds
from strategies.adjust.validation_weights import effective_labels, weigh_to_prior
from strategies.labels import IGNORED
from strategies.strategy_warning import warn_user

MIN_LABELS = 5
"""Validation labels of a class, in effective number, below which its offset is not tuned."""
SHARES = (0.25, 0.5, 0.75, 1.0)
"""Shares of the tuned offsets that are tried on the folds."""
CLEAR = 0.6
"""Standard errors from which on a difference between shares, or from no offsets, counts."""
LARGE, FOLDS_IF_LARGE = 20_000, 3
"""From so many labels on, fewer folds are enough, and the search takes seconds."""
FORMAT = "thresholds 1"
"""Marks a file of `FittedThresholds.save`."""

Logits = TypeVar("Logits", Tensor, np.ndarray)


@dataclass(frozen=True)
class FittedThresholds:
    """An offset per class for finished logits; made by `fit_thresholds`.

    Parameters
    ----------
    offsets : tuple of float
        What is added to the logit of each class, 0 for neutral ones; the others have mean 0. All 0 if nothing is changed.
    neutral : tuple of int
        Classes with too few validation labels: they are predicted where the raw logits predict them, and nowhere else.
    metric : {"macro-f1", "balanced-accuracy", "worst-class-recall"}
        What the offsets were tuned for.
    gain : float or None
        What the offsets gain of the metric on validation labels that they were not tuned on (cross-fitted), accepted or not;
        None where there were too few labels to tune any.
    notes : tuple of str
        What a user should know: which classes are neutral, and whether the offsets were accepted.
    """

    offsets: tuple[float, ...]
    neutral: tuple[int, ...]
    metric: ThresholdMetric
    gain: float | None
    notes: tuple[str, ...] = ()

    def adjust(self, logits: Logits) -> Logits:
        """Return the adjusted logits `(..., C)`, a tensor or an array as given, of at least 32 bits."""
        if not isinstance(logits, Tensor):
            return self.adjust(_as_tensor(logits, "logits")).numpy()
        if logits.ndim == 0 or logits.shape[-1] != len(self.offsets):
            raise ValueError(f"thresholds of {len(self.offsets)} classes; given: logits of shape {tuple(logits.shape)}")
        neutral = torch.zeros(len(self.offsets), dtype=torch.bool)
        neutral[list(self.neutral)] = True
        return reorder(torch.tensor(self.offsets, dtype=torch.float64), neutral)(logits)

    def predict(self, logits: Logits) -> Logits:
        """Return the class ids `(...)` that are predicted from logits `(..., C)`, a tensor or an array as given."""
        classes: Logits = self.adjust(logits).argmax(-1)
        return classes

    def save(self, path: str | Path) -> None:
        """Write the thresholds to a JSON file."""
        Path(path).write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> FittedThresholds:
        """Read the thresholds that `save` wrote; a ValueError if the file holds none."""
        try:
            content: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
            if content["format"] != FORMAT:
                raise KeyError("format")
            offsets, neutral = tuple(map(float, content["offsets"])), tuple(map(int, content["neutral"]))
            gain = None if content["gain"] is None else float(content["gain"])
            if content["metric"] not in get_args(ThresholdMetric) or not all(map(math.isfinite, offsets)):
                raise ValueError("metric or offsets")
            if not set(neutral) <= set(range(len(offsets))):
                raise ValueError("neutral")
            return cls(offsets, neutral, content["metric"], gain, tuple(map(str, content["notes"])))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ValueError(f"{path}: no thresholds; give a file that FittedThresholds.save wrote") from None


def fit_thresholds(
    valid_logits: Tensor | np.ndarray,
    valid_targets: Tensor | np.ndarray | Sequence[int],
    metric: ThresholdMetric = "macro-f1",
    *,
    weights: Tensor | np.ndarray | Sequence[float] | None = None,
    target_prior: Tensor | np.ndarray | Sequence[float] | None = None,
    folds: Tensor | np.ndarray | Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
) -> FittedThresholds:
    """Tune an offset per class on validation labels, where there are enough of them.

    Offsets are tuned on four of five folds of validation in turn, and averaged. They are kept, in full or in part, only as far as
    they gain on the folds that each of them did not see; without a gain, predictions stay those of the raw logits. A class with
    fewer than five labels is neutral: it is predicted where the raw logits predict it, and nowhere else. A `StrategyWarning`
    says both, and so do `notes`.

    Parameters
    ----------
    valid_logits : Tensor or array
        `(..., C)`, logits (or log probabilities) of a trained model at labels that it was not trained on.
    valid_targets : Tensor, array or sequence
        `(...)` class ids; -100 is ignored.
    metric : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        What the offsets are to raise; means are over the classes that occur in truth or prediction, as in scikit-learn.
    weights : Tensor, array or sequence, optional
        `(...)`, 0 or more, how much each label counts; by default, all count alike.
    target_prior : Tensor, array or sequence, optional
        `(C,)`, the class prior of the data to predict, where it is not that of validation: labels are weighted to it.
    folds : Tensor, array or sequence, optional
        `(...)`, the number of the fold that each label is left out with, of at least three: labels that stand together,
        such as those of one day or one patient, belong in one. By default, the labels of each class are cut into five.
    class_names : sequence of str, optional
        Names of the classes, for the notes; by default, their ids.

    Returns
    -------
    FittedThresholds
        With `predict(logits)`, `offsets`, `notes`, `save(path)` and `load(path)`.

    Raises
    ------
    ValueError
        If there is a single logit, shapes do not fit, a class id is not one of C, there is not one name or share of the prior
        per class, a weight is negative or not finite, both weights and a prior are given, or there are fewer than three
        folds.

    Examples
    --------
    >>> logits = torch.tensor([[3.0, 0.0]] * 40 + [[1.0, 0.0]] * 10)
    >>> thresholds = fit_thresholds(logits, [0] * 40 + [1] * 10)
    >>> thresholds.predict(torch.tensor([[1.2, 0.0], [2.9, 0.0]])).tolist()
    [1, 0]
    """
    thresholds, _ = cross_fit_thresholds(
        valid_logits,
        valid_targets,
        metric,
        weights=weights,
        target_prior=target_prior,
        folds=folds,
        class_names=class_names,
    )
    return thresholds


def cross_fit_thresholds(
    valid_logits: Tensor | np.ndarray,
    valid_targets: Tensor | np.ndarray | Sequence[int],
    metric: ThresholdMetric = "macro-f1",
    *,
    weights: Tensor | np.ndarray | Sequence[float] | None = None,
    target_prior: Tensor | np.ndarray | Sequence[float] | None = None,
    folds: Tensor | np.ndarray | Sequence[int] | None = None,
    class_names: Sequence[str] | None = None,
) -> tuple[FittedThresholds, Tensor]:
    """Return what `fit_thresholds` does, and the validation logits `(..., C)` adjusted without their own labels.

    The labels of each fold are adjusted by the offsets of the other folds, as far as these gain on the other folds. So scores of
    these logits are those of labels that were not tuned on.
    """
    check_threshold_metric(metric)
    labels = _ValidationLabels.of(valid_logits, valid_targets, weights, target_prior, folds)
    if class_names is not None and len(class_names) != labels.classes:
        raise ValueError(f"thresholds need a name for each of {labels.classes} classes; given: {len(class_names)}")
    counts = effective_labels(labels.targets, labels.weights, labels.classes)
    neutral = counts < MIN_LABELS
    notes = list(labels.notes)
    if bool(neutral.any()):
        few = neutral.nonzero().flatten().tolist()
        names = ", ".join(str(c if class_names is None else class_names[c]) for c in few)
        notes.append(f"no offset for classes with fewer than {MIN_LABELS} validation labels: {names}")
    offsets, gain, left_out = torch.zeros(labels.classes, dtype=torch.float64), None, labels.logits
    if int((~neutral).sum()) >= 2:
        offsets, gain, left_out = _cross_fit(labels, neutral, metric)
        if not bool(offsets.any()):
            notes.append(f"offsets gained no {metric} on held-out folds of validation, so none is used")
    else:
        notes.append("fewer than two classes have enough validation labels, so no offset is used")
    if notes:
        warn_user(f"thresholds: {'; '.join(notes)}")
    thresholds = FittedThresholds(
        tuple(offsets.tolist()), tuple(neutral.nonzero().flatten().tolist()), metric, gain, tuple(notes)
    )
    adjusted = thresholds.adjust(_as_tensor(valid_logits, "logits"))  # right for labels that were not tuned on at all
    held_out = adjusted.reshape(-1, labels.classes).index_copy(0, labels.rows, left_out.to(adjusted.dtype))
    return thresholds, held_out.view(adjusted.shape)


def _cross_fit(labels: _ValidationLabels, neutral: Tensor, metric: ThresholdMetric) -> tuple[Tensor, float, Tensor]:
    """Return the offsets `(C,)` float64, what they gain of the metric on labels that they were not tuned on, and the logits
    `(L, C)` of each fold, adjusted without it.

    Each fold in turn is left out when tuning, and the offsets are the mean over folds, times a share. Of the shares that gain
    clearly on the left-out folds, the largest is taken whose gain is not clearly below the best one's; 0 if there is none.
    """
    logits, targets, weights, classes = labels.logits, labels.targets, labels.weights, labels.classes
    fold, folds = labels.folds, int(labels.folds.max()) + 1
    raw = logits.argmax(-1)
    predicted = torch.empty(len(SHARES), len(targets), dtype=torch.int64)
    offsets = torch.zeros(folds, classes, dtype=torch.float64)
    for left_out in range(folds):
        seen, unseen = fold != left_out, fold == left_out
        offsets[left_out] = tune_offsets(logits[seen], targets[seen], metric, weights[seen], neutral)
        offsets[left_out, ~neutral] -= offsets[left_out, ~neutral].mean()
        for row, share in enumerate(SHARES):
            predicted[row, unseen] = reorder(share * offsets[left_out], neutral)(logits[unseen]).argmax(-1)

    def gains(kept: Tensor) -> list[float]:
        """Return what each share gains on the labels that are kept."""
        before, *after = (
            score_predictions(metric, targets[kept], ids[kept], classes, weights[kept]) for ids in (raw, *predicted)
        )
        return [score - before for score in after]

    def choose_share(among: Tensor, of_folds: list[int]) -> tuple[float, float]:
        """Return the share to use, by these labels of these folds, and what it gains on them, accepted or not."""
        gained = gains(among)
        without_one = [gains(among & (fold != k)) for k in of_folds]
        errors = [jackknife_error(of_share) for of_share in zip(*without_one, strict=True)]
        # Few folds tell an error only roughly. Of n changed predictions, right and wrong ones differ by sqrt(n) by chance alone.
        weighted = weights[among]
        chances = [float((weighted * (row != raw)[among]).norm() / weighted.sum()) for row in predicted]
        best = gained.index(max(gained))
        accepted = [
            row
            for row, gain in enumerate(gained)
            if gain > max(CLEAR * errors[row], chances[row], EQUAL) and gain >= gained[best] - CLEAR * errors[best]
        ]
        chosen = max(accepted, default=best)
        return SHARES[chosen] if accepted else 0.0, gained[chosen]

    every = list(range(folds))
    share, gain = choose_share(torch.ones(len(targets), dtype=torch.bool), every)
    held_out = torch.empty_like(logits, dtype=torch.promote_types(logits.dtype, torch.float32))
    for left_out in every:
        seen, unseen = fold != left_out, fold == left_out
        share_of_others, _ = choose_share(seen, [k for k in every if k != left_out])
        held_out[unseen] = reorder(share_of_others * offsets[left_out], neutral)(logits[unseen])
    return share * offsets.mean(0), gain, held_out


def jackknife_error(values: Sequence[float]) -> float:
    """Return the standard error of a statistic from its values without each of n groups.

    >>> jackknife_error([1.0, 2.0, 3.0])  # sqrt(2 / 3 * (1 + 0 + 1))
    1.154...
    """
    mean = sum(values) / len(values)
    return math.sqrt((len(values) - 1) / len(values) * sum((value - mean) ** 2 for value in values))


@dataclass(frozen=True)
class _ValidationLabels:
    """Checked labels on the CPU: `logits (L, C)` without NaN, `targets (L,)`, `weights (L,)` float64 above 0.

    `rows (L,)` are their positions among all labels that were given, and `folds (L,)` the numbers of their folds, from 0.
    """

    logits: Tensor
    targets: Tensor
    weights: Tensor
    rows: Tensor
    folds: Tensor
    notes: tuple[str, ...]

    @property
    def classes(self) -> int:
        return self.logits.shape[-1]

    @classmethod
    def of(
        cls,
        logits: Tensor | np.ndarray,
        targets: Tensor | np.ndarray | Sequence[int],
        weights: Tensor | np.ndarray | Sequence[float] | None,
        target_prior: Tensor | np.ndarray | Sequence[float] | None,
        folds: Tensor | np.ndarray | Sequence[int] | None,
    ) -> _ValidationLabels:
        z, y = _as_tensor(logits, "logits"), _as_tensor(targets, "targets")
        if z.dim() < 1 or z.shape[-1] == 1 or (z.dim() == 1 and z.shape == y.shape):
            raise ValueError(
                f"thresholds need two logits of a binary model, one per class; given: logits of shape {tuple(z.shape)}. Use "
                "torch.stack([torch.zeros_like(z), z], -1) for a single logit z of shape (...)"
            )
        if y.is_floating_point() or y.is_complex():
            raise ValueError(f"targets are class ids, of an integer type; given: {y.dtype}")
        if z.shape[:-1] != y.shape or not z.is_floating_point():
            raise ValueError(
                f"thresholds need logits (..., C) and one class id for each, (...); given: {z.dtype} of shape "
                f"{tuple(z.shape)} and targets of shape {tuple(y.shape)}"
            )
        if weights is not None and target_prior is not None:
            raise ValueError("give either weights, or the target_prior that they are derived from; given: both")
        classes = z.shape[-1]
        z, y = z.reshape(-1, classes), y.reshape(-1).long()
        w = torch.ones(len(y), dtype=torch.float64)
        if weights is not None:
            w = _as_tensor(weights, "weights").double().reshape(-1)
            if len(w) != len(y) or not bool((w.isfinite() & (w >= 0)).all()):
                raise ValueError(f"thresholds need a weight for each label, finite and not negative; given: {weights}")
        given_folds = None if folds is None else _as_tensor(folds, "folds").reshape(-1)
        if given_folds is not None and (len(given_folds) != len(y) or given_folds.is_floating_point()):
            raise ValueError(f"thresholds need the number of a fold for each label; given: {folds}")
        is_label = y != IGNORED
        if bool(((y < 0) | (y >= classes))[is_label].any()):
            raise ValueError(
                f"targets must be class ids from 0 to {classes - 1}, or {IGNORED} where there is no label; given: "
                f"{y[is_label].min()} to {y[is_label].max()}"
            )
        without_nan = ~z.isnan().any(-1)
        dropped = int((is_label & ~without_nan).sum())
        usable = is_label & without_nan & (w > 0)
        z, y, w, rows = z[usable], y[usable], w[usable], usable.nonzero().flatten()
        if target_prior is not None:
            prior = _as_tensor(target_prior, "target_prior")
            if prior.shape != (classes,):
                raise ValueError(f"a target prior has one share per class, ({classes},); given: {tuple(prior.shape)}")
            w = weigh_to_prior(y, prior)
        notes = (f"{dropped:,} validation labels with NaN among their logits are left out",) if dropped else ()
        z, y, rows, w = z[w > 0], y[w > 0], rows[w > 0], w[w > 0]
        if given_folds is None:
            fold = assign_folds(y, FOLDS if len(y) < LARGE else FOLDS_IF_LARGE)
        else:
            fold = given_folds[rows].unique(return_inverse=True)[1]
            if len(fold) and int(fold.max()) < 2:
                raise ValueError(f"thresholds need labels in at least three folds; given: {len(fold.unique())}")
        return cls(z, y, w, rows, fold, notes)


def _as_tensor(values: Any, what: str) -> Tensor:
    """Return numbers of any form, also a pandas object, as a tensor on the CPU; a ValueError if they are none."""
    if isinstance(values, Tensor):
        return values.detach().cpu()
    try:
        return torch.as_tensor(np.require(values, requirements="W"))
    except (TypeError, ValueError):
        raise ValueError(
            f"thresholds need {what} that are a tensor or an array of numbers; given: {type(values)}"
        ) from None
