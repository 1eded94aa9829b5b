"""Remedies for class imbalance, each usable alone in a PyTorch program.

Every remedy is a class that can be imported from here, and a name that `get` and `parse` know.

>>> import torch
>>> from strategies import ClassCounts, LossWeights, get
>>> loss_fn = LossWeights(power=0.5).loss(ClassCounts.of([0, 0, 0, 1]))
>>> loss_fn(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])).shape
torch.Size([])
>>> get("loss-weights", power=0.5) == LossWeights(power=0.5)
True
"""

import importlib
from typing import TYPE_CHECKING, Any

from strategies.adjust.fitted_thresholds import FittedThresholds, fit_thresholds
from strategies.draw.index_sampler import IndexSampler
from strategies.draw.streams import SlowSamplingWarning
from strategies.draw.weights import effective_sample_size
from strategies.labels import IGNORED, ClassCounts, Labels
from strategies.loader_audit.audit import Audit, audit
from strategies.loader_audit.finding import AuditFinding
from strategies.loss.cosine import CosineHead
from strategies.loss_function import ClassWeights, Loss, LossContext
from strategies.notation import NotationError
from strategies.parsing import parse
from strategies.registry import get, names, register
from strategies.samplers import ClassBalancedSampler, RepeatFactorSampler, SentenceSampler, WeightedSampler
from strategies.strategy import AdjustmentInputs, Head, Mixed, Phase, Resampled, Strategy
from strategies.strategy_warning import StrategyWarning

if TYPE_CHECKING:
    from strategies.adjust.priors import PostHocAdjustment, PriorCorrection
    from strategies.adjust.recalibration import DirichletCalibration, TemperatureScaling
    from strategies.adjust.tau_normalisation import TauNormalisation
    from strategies.adjust.thresholds import Thresholds
    from strategies.ensemble.balanced_bagging import BalancedBagging
    from strategies.ensemble.balanced_boosting import EasyEnsemble, RusBoost
    from strategies.ensemble.balanced_random_forest import BalancedRandomForest
    from strategies.loss.asymmetric import Asymmetric
    from strategies.loss.cdt import ClassDependentTemperatures
    from strategies.loss.cost_sensitive import CostSensitiveWeights
    from strategies.loss.dice import Dice, SelfAdjustingDice
    from strategies.loss.effective_number_weights import ClassBalancedLoss
    from strategies.loss.equalisation import Equalisation
    from strategies.loss.focal import ClassBalancedFocal, Focal
    from strategies.loss.ignore_index import IgnoreIndex
    from strategies.loss.influence_balanced import InfluenceBalanced
    from strategies.loss.label_aware_smoothing import LabelAwareSmoothing
    from strategies.loss.lade import LADE
    from strategies.loss.ldam import LDAM
    from strategies.loss.logit_adjustment import LogitAdjustment
    from strategies.loss.loss_weights import LossWeights
    from strategies.loss.majority_or_minority import MajorityOrMinority
    from strategies.loss.one_minus_share import OneMinusShareWeights
    from strategies.loss.seesaw import Seesaw
    from strategies.loss.vs import VectorScaling
    from strategies.mix.mixup import Mixup, Remix
    from strategies.none import Plain
    from strategies.resample.adasyn import Adasyn
    from strategies.resample.random_resampling import RandomOversampling, RandomUndersampling
    from strategies.resample.sentence_duplication import SentenceDuplication
    from strategies.resample.smote import BorderlineSmote, Smote
    from strategies.resample.smote_cleaned import SmoteEnn, SmoteTomek
    from strategies.sample.class_aware import ClassAwareSampling
    from strategies.sample.class_shares import (
        ClassBalancedSampling,
        EffectiveNumberSampling,
        ReverseSampling,
        SquareRootSampling,
    )
    from strategies.sample.progressive import ProgressiveSampling
    from strategies.sample.repeat_factor import RepeatFactorSampling
    from strategies.sample.sentence_weights import SentenceWeights
    from strategies.sample.weighted_random_sampler import WeightedRandomSampler
    from strategies.schedule.decoupled import ClassifierRetraining, LearnableWeightScaling
    from strategies.schedule.deferred import DeferredResampling, DeferredReweighting
    from strategies.tuned_thresholds import TunedThresholds

_REMEDIES = {
    "Plain": "strategies.none",
    "Adasyn": "strategies.resample.adasyn",
    "RandomOversampling": "strategies.resample.random_resampling",
    "RandomUndersampling": "strategies.resample.random_resampling",
    "SentenceDuplication": "strategies.resample.sentence_duplication",
    "Smote": "strategies.resample.smote",
    "BorderlineSmote": "strategies.resample.smote",
    "SmoteEnn": "strategies.resample.smote_cleaned",
    "SmoteTomek": "strategies.resample.smote_cleaned",
    "ClassAwareSampling": "strategies.sample.class_aware",
    "ClassBalancedSampling": "strategies.sample.class_shares",
    "SquareRootSampling": "strategies.sample.class_shares",
    "ReverseSampling": "strategies.sample.class_shares",
    "EffectiveNumberSampling": "strategies.sample.class_shares",
    "ProgressiveSampling": "strategies.sample.progressive",
    "RepeatFactorSampling": "strategies.sample.repeat_factor",
    "SentenceWeights": "strategies.sample.sentence_weights",
    "WeightedRandomSampler": "strategies.sample.weighted_random_sampler",
    "Mixup": "strategies.mix.mixup",
    "Remix": "strategies.mix.mixup",
    "Asymmetric": "strategies.loss.asymmetric",
    "ClassDependentTemperatures": "strategies.loss.cdt",
    "CostSensitiveWeights": "strategies.loss.cost_sensitive",
    "Dice": "strategies.loss.dice",
    "SelfAdjustingDice": "strategies.loss.dice",
    "ClassBalancedLoss": "strategies.loss.effective_number_weights",
    "Equalisation": "strategies.loss.equalisation",
    "Focal": "strategies.loss.focal",
    "ClassBalancedFocal": "strategies.loss.focal",
    "IgnoreIndex": "strategies.loss.ignore_index",
    "InfluenceBalanced": "strategies.loss.influence_balanced",
    "LabelAwareSmoothing": "strategies.loss.label_aware_smoothing",
    "LADE": "strategies.loss.lade",
    "LDAM": "strategies.loss.ldam",
    "LogitAdjustment": "strategies.loss.logit_adjustment",
    "LossWeights": "strategies.loss.loss_weights",
    "MajorityOrMinority": "strategies.loss.majority_or_minority",
    "OneMinusShareWeights": "strategies.loss.one_minus_share",
    "Seesaw": "strategies.loss.seesaw",
    "VectorScaling": "strategies.loss.vs",
    "ClassifierRetraining": "strategies.schedule.decoupled",
    "LearnableWeightScaling": "strategies.schedule.decoupled",
    "DeferredReweighting": "strategies.schedule.deferred",
    "DeferredResampling": "strategies.schedule.deferred",
    "BalancedBagging": "strategies.ensemble.balanced_bagging",
    "EasyEnsemble": "strategies.ensemble.balanced_boosting",
    "RusBoost": "strategies.ensemble.balanced_boosting",
    "BalancedRandomForest": "strategies.ensemble.balanced_random_forest",
    "PostHocAdjustment": "strategies.adjust.priors",
    "PriorCorrection": "strategies.adjust.priors",
    "DirichletCalibration": "strategies.adjust.recalibration",
    "TemperatureScaling": "strategies.adjust.recalibration",
    "TauNormalisation": "strategies.adjust.tau_normalisation",
    "Thresholds": "strategies.adjust.thresholds",
}
"""The class of every remedy and its module, which is imported when the class is first used."""

__all__ = [
    "IGNORED",
    "LADE",
    "LDAM",
    "Adasyn",
    "AdjustmentInputs",
    "Asymmetric",
    "Audit",
    "AuditFinding",
    "BalancedBagging",
    "BalancedRandomForest",
    "BorderlineSmote",
    "ClassAwareSampling",
    "ClassBalancedFocal",
    "ClassBalancedLoss",
    "ClassBalancedSampler",
    "ClassBalancedSampling",
    "ClassCounts",
    "ClassDependentTemperatures",
    "ClassWeights",
    "ClassifierRetraining",
    "CosineHead",
    "CostSensitiveWeights",
    "DeferredResampling",
    "DeferredReweighting",
    "Dice",
    "DirichletCalibration",
    "EasyEnsemble",
    "EffectiveNumberSampling",
    "Equalisation",
    "FittedThresholds",
    "Focal",
    "Head",
    "IgnoreIndex",
    "IndexSampler",
    "InfluenceBalanced",
    "LabelAwareSmoothing",
    "Labels",
    "LearnableWeightScaling",
    "LogitAdjustment",
    "Loss",
    "LossContext",
    "LossWeights",
    "MajorityOrMinority",
    "Mixed",
    "Mixup",
    "NotationError",
    "OneMinusShareWeights",
    "Phase",
    "Plain",
    "PostHocAdjustment",
    "PriorCorrection",
    "ProgressiveSampling",
    "RandomOversampling",
    "RandomUndersampling",
    "Remix",
    "RepeatFactorSampler",
    "RepeatFactorSampling",
    "Resampled",
    "ReverseSampling",
    "RusBoost",
    "Seesaw",
    "SelfAdjustingDice",
    "SentenceDuplication",
    "SentenceSampler",
    "SentenceWeights",
    "SlowSamplingWarning",
    "Smote",
    "SmoteEnn",
    "SmoteTomek",
    "SquareRootSampling",
    "Strategy",
    "StrategyWarning",
    "TauNormalisation",
    "TemperatureScaling",
    "Thresholds",
    "TunedThresholds",
    "VectorScaling",
    "WeightedRandomSampler",
    "WeightedSampler",
    "audit",
    "effective_sample_size",
    "fit_thresholds",
    "get",
    "names",
    "parse",
    "register",
]


def __getattr__(name: str) -> Any:
    if name == "TunedThresholds":  # its module imports scikit-learn, which this package does not need
        return importlib.import_module("strategies.tuned_thresholds").TunedThresholds
    if name not in _REMEDIES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    remedy = getattr(importlib.import_module(_REMEDIES[name]), name)
    globals()[name] = remedy  # from now on this function is not called for it
    return remedy


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
