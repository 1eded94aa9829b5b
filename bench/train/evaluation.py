"""What a stack predicts on a part, and what of it a record keeps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.record import Checkpoint, EntityCounts, Evaluation, Split
from bench.tasks.part import Part, Scored
from bench.train.stack import Stack


@dataclass(frozen=True)
class Predictions:
    """One training's predicted classes `(L,)` on a part, and its mean negative log-likelihood a label."""

    classes: Tensor
    nll: float

    def confusion(self, part: Part) -> list[list[int]]:
        """`[truth][predicted]` in labels."""
        C = part.labels.num_classes
        matrix: list[list[int]] = torch.bincount(part.truth * C + self.classes, minlength=C * C).view(C, C).tolist()
        return matrix

    def evaluation(self, part: Part, checkpoint: Checkpoint, split: Split) -> Evaluation:
        """What a record keeps of it."""
        return Evaluation(checkpoint, split, self.confusion(part), self.nll, entity_counts(self.classes, part))


@torch.no_grad()
def predict(stack: Stack, parts: Sequence[Part]) -> list[Predictions]:
    """Every training of the stack on its own part; the parts have equal shapes."""
    labels = len(parts[0].truth)
    classes = torch.empty(len(parts), labels, dtype=torch.int64)
    total = torch.zeros(len(parts), dtype=torch.float64)
    for scored in _side_by_side(parts):
        x = _stacked([each.batch.x for each in scored], len(parts)).to(stack.device)
        targets = _stacked([each.batch.targets.flatten()[each.position] for each in scored], len(parts)).to(
            stack.device
        )
        logits = stack.logits(x)[:, scored[0].position.to(stack.device)]
        classes[:, scored[0].label] = logits.argmax(-1).cpu()
        likelihood = F.log_softmax(logits, -1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
        total -= likelihood.double().sum(1).cpu()
    return [Predictions(row, float(nll)) for row, nll in zip(classes, total / labels, strict=True)]


def _side_by_side(parts: Sequence[Part]) -> Iterator[tuple[Scored, ...]]:
    """Batches of all parts, or of the one part that all share."""
    shared = all(part is parts[0] for part in parts)
    yield from zip(*(part.scored() for part in (parts[:1] if shared else parts)), strict=True)


def _stacked(tensors: Sequence[Tensor], S: int) -> Tensor:
    return torch.stack(tuple(tensors)) if len(tensors) == S else tensors[0].expand(S, *tensors[0].shape)


def entity_counts(classes: Tensor, part: Part) -> dict[str, EntityCounts] | None:
    """Entities by type that `classes (L,)` get right, as seqeval's default mode (conlleval) finds them; None without text."""
    if part.sentences is None:
        return None
    truth, predicted = (_entities(each, part) for each in (part.truth, classes))
    counts = [Counter(kind for _, kind, *_ in found) for found in (truth & predicted, predicted, truth)]
    return {kind: EntityCounts(*(count[kind] for count in counts)) for kind in sorted(counts[1] | counts[2])}


def _entities(classes: Tensor, part: Part) -> set[tuple[int, str, int, int]]:
    """(sentence, type, first word, last word) of every entity."""
    from seqeval.metrics.sequence_labeling import get_entities

    assert part.sentences is not None
    names = part.labels.class_names
    sentences = torch.split(classes, part.sentences.diff().tolist())
    return {
        (number, *entity)
        for number, sentence in enumerate(sentences)
        for entity in get_entities([names[c] for c in sentence.tolist()])
    }
