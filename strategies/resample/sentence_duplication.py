"""Copy sentences by the entities that they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from strategies.class_mix import expected_mix
from strategies.labels import ClassCounts, Labels
from strategies.registry import register
from strategies.strategy import Inputs, Resampled, Strategy

_TAG = re.compile(r"[BIESLUM]-(?P<kind>.+)")


@register
@dataclass(frozen=True)
class SentenceDuplication(Strategy):
    """Copy a sentence more often if it has more entity tokens, if their types are rarer, and if it is shorter.

    With c_t the tokens of entity type t in a sentence of L tokens, and w_t = -log2 of t's share of all tokens, the number of
    copies is the ceiling of

    - "sc": 1 + sum c_t
    - "sCR": sqrt(1 + sum c_t w_t)
    - "sCRD": (1 + sum c_t w_t) / sqrt(L)
    - "nsCRD": (1 + sum sqrt(c_t) w_t) / sqrt(L)

    A sentence without entities stays once. Types are class names without their BIO prefix; positions without a label (PAD) are
    skipped. Applicable to sentences with classes such as B-PER only.

    Parameters
    ----------
    kind : {"sc", "sCR", "sCRD", "nsCRD"}, default "nsCRD"
        How copies are counted. The default is the last of the paper's four; it weighs number, rarity and density, and many
        tokens of one type less.

    References
    ----------
    Wang & Wang (2022), "Sentence-level resampling for named entity recognition", NAACL.

    Examples
    --------
    >>> labels = Labels.packed([[0, 1, 2, 0], [0, 0]], class_names=("O", "B-PER", "I-PER"))
    >>> SentenceDuplication("sc").resample(None, labels, seed=0).index.tolist()
    [0, 0, 0, 1]
    """

    kind: Literal["sc", "sCR", "sCRD", "nsCRD"] = "nsCRD"
    name: ClassVar[str] = "sentence-duplication"
    title: ClassVar[str] = "sentences are copied by the number, rarity and density of their entities"
    formula: ClassVar[str] = "copies = ceil((1 + sum sqrt(c_t) w_t) / sqrt(L)), w_t = -log2 f_t"
    paper: ClassVar[str] = "Wang & Wang (2022), NAACL"
    cost: ClassVar[str] = "memory: one row number per copy"
    folder: ClassVar[str] = "resample"

    def why_not_applicable(self, labels: Labels, inputs: Inputs) -> str | None:
        if labels.one_each:
            return "an item has one label, so there is no sentence whose entities could be counted (see random-oversampling)"
        if not any(map(_TAG.fullmatch, labels.class_names)):
            return "no class is an entity tag such as B-PER or I-PER, so there are no entity types to count"
        return None

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled:
        return Resampled(torch.repeat_interleave(self.copies(labels)))

    def copies(self, labels: Labels) -> Tensor:
        """Return how often each item is in the pool, `(N,)` int64."""
        tokens, length = _tokens_by_type(labels)
        rarity = -(tokens.sum(0) / length.sum()).log2()
        weight = torch.where(tokens.sum(0) > 0, rarity, 0.0)
        if self.kind == "sc":
            copies = 1 + tokens.sum(1)
        else:
            importance = 1 + (tokens.sqrt() if self.kind == "nsCRD" else tokens) @ weight
            copies = importance.sqrt() if self.kind == "sCR" else importance / length.clamp_min(1).sqrt()
        return torch.where(tokens.sum(1) > 0, copies.ceil(), 1.0).to(torch.int64)

    def effective_prior(self, labels: Labels, counts: ClassCounts) -> Tensor:
        return expected_mix(labels, self.copies(labels).double())


def _tokens_by_type(labels: Labels) -> tuple[Tensor, Tensor]:
    """Return the tokens of each entity type per item, `(N, T)`, and the labelled tokens per item, `(N,)`, float64."""
    tags = [_TAG.fullmatch(name) for name in labels.class_names]
    types = sorted({tag["kind"] for tag in tags if tag is not None})
    type_of_class = torch.tensor([len(types) if tag is None else types.index(tag["kind"]) for tag in tags])
    labelled = labels.values >= 0
    item, entity_type = labels.item_of_position()[labelled], type_of_class[labels.values[labelled]]
    width = len(types) + 1  # the last column counts tokens outside of entities
    tokens = torch.bincount(item * width + entity_type, minlength=len(labels) * width).view(-1, width).double()
    return tokens[:, :-1], tokens.sum(1)
