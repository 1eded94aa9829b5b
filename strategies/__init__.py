"""Remedies for class imbalance, each usable alone in a PyTorch program.

>>> import torch
>>> loss_fn = get("loss-weights", power=0.5).loss(ClassCounts.of([0, 0, 0, 1]))
>>> loss_fn(torch.zeros(4, 2), torch.tensor([0, 0, 0, 1])).shape
torch.Size([])
"""

from strategies.draw.index_sampler import IndexSampler
from strategies.draw.streams import SlowSamplingWarning
from strategies.draw.weights import StrategyWarning, effective_sample_size
from strategies.labels import IGNORED, ClassCounts, Labels
from strategies.loader_audit.audit import Audit, audit
from strategies.loader_audit.finding import AuditFinding
from strategies.loss.cosine import CosineHead
from strategies.notation import NotationError
from strategies.parsing import parse
from strategies.registry import get, names, register
from strategies.samplers import ClassBalancedSampler, RepeatFactorSampler, SentenceSampler, WeightedSampler
from strategies.strategy import AdjustmentInputs, Head, Mixed, Phase, Resampled, Strategy

__all__ = [
    "IGNORED",
    "AdjustmentInputs",
    "Audit",
    "AuditFinding",
    "ClassBalancedSampler",
    "ClassCounts",
    "CosineHead",
    "Head",
    "IndexSampler",
    "Labels",
    "Mixed",
    "NotationError",
    "Phase",
    "RepeatFactorSampler",
    "Resampled",
    "SentenceSampler",
    "SlowSamplingWarning",
    "Strategy",
    "StrategyWarning",
    "WeightedSampler",
    "audit",
    "effective_sample_size",
    "get",
    "names",
    "parse",
    "register",
]
