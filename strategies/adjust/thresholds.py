"""Tune one threshold per class on validation data, for macro-F1 or for recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from strategies.adjust.fitted_thresholds import cross_fit_thresholds
from strategies.adjust.threshold_metric import ThresholdMetric
from strategies.registry import register
from strategies.strategy import Adjustment, AdjustmentInputs, CrossFitted, Strategy


@register
@dataclass(frozen=True)
class Thresholds(Strategy):
    """Predict the class of largest `z_c + b_c`, with offsets b that are tuned on validation data for a metric.

    On four of five folds of validation in turn, and from b = 0, each class gets the offset that is best given those of the
    others, found exactly among all cuts of its margins, until no class improves; the five solutions are averaged. They are
    used, in full or in part, only as far as they gain on the folds that they did not see, and a class with fewer than five
    validation labels keeps the predictions of the raw logits. A `StrategyWarning` says so where it happens. Labels are weighted
    to the prior of the data to predict, where validation has another. For the worst class's recall, recalls are first evened
    out in small steps, all classes at once, because one class alone can seldom raise it.

    `strategies.fit_thresholds` does the same without a harness.

    Parameters
    ----------
    objective : {"macro-f1", "balanced-accuracy", "worst-class-recall"}, default "macro-f1"
        The metric to tune for.

    References
    ----------
    Folklore for several classes. For one threshold of two classes:
    Lipton, Elkan and Narayanaswamy (2014), "Optimal thresholding of classifiers to maximize F1 measure", ECML PKDD.
    Esposito et al. (2021), "GHOST: adjusting the decision threshold to handle imbalanced data in machine learning", JCIM.

    Examples
    --------
    >>> import torch
    >>> from strategies import AdjustmentInputs, Head
    >>> inputs = AdjustmentInputs(
    ...     head=Head(torch.eye(2), torch.zeros(2)),
    ...     train_prior=None,
    ...     target_prior=torch.tensor([0.8, 0.2]),
    ...     valid_logits=torch.tensor([[3.0, 0.0]] * 40 + [[1.0, 0.0]] * 10),
    ...     valid_targets=torch.tensor([0] * 40 + [1] * 10),
    ... )
    >>> adjust = Thresholds().adjust(inputs)
    >>> adjust(torch.tensor([[2.9, 0.0], [1.2, 0.0]])).argmax(-1).tolist()
    [0, 1]
    """

    objective: ThresholdMetric = "macro-f1"
    name: ClassVar[str] = "thresholds"
    version: ClassVar[int] = 4
    title: ClassVar[str] = "an offset on each class's logit, tuned on validation data for macro-F1 or for recall"
    formula: ClassVar[str] = "argmax_c z_c + b_c, b by coordinate ascent on validation macro-F1"
    paper: ClassVar[str] = "Lipton et al. (2014), ECML PKDD"
    cost: ClassVar[str] = "after training: some dozen sorts of the validation logits for each class"
    folder: ClassVar[str] = "adjust"

    def adjust(self, inputs: AdjustmentInputs) -> Adjustment:
        thresholds, held_out = cross_fit_thresholds(
            inputs.valid_logits,
            inputs.valid_targets,
            self.objective,
            target_prior=inputs.target_prior,
            class_names=inputs.class_names or None,
        )
        return CrossFitted(thresholds.adjust, held_out)
