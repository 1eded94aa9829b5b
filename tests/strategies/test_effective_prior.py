"""Effective priors of every strategy, pinned: post-hoc adjustments start from them, so a change changes results."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from torch import Generator

from strategies import IGNORED, ClassCounts, Labels, Strategy, parse
from strategies.loss_function import CrossEntropy, Loss

NAMES = ("O", "B-PER", "rare", "absent")
LABELS = {
    "one label per item": Labels.of([0] * 60 + [1] * 20 + [2] * 3, NAMES),
    "many labels per item": Labels.packed(
        [[0, 0, 1], [0, 0, 0], [0, 2, 0], [0, IGNORED, IGNORED]] * 15,
        NAMES,
    ),
}
PINNED = json.loads((Path(__file__).parent / "effective_priors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("text", PINNED)
def test_effective_priors_stay_as_they_are(text):
    for kind, expected in PINNED[text].items():
        prior = parse(text).effective_prior(LABELS[kind], LABELS[kind].counts())
        if expected is None:
            assert prior is None
        else:
            assert prior.tolist() == pytest.approx(expected, abs=1e-11)


@dataclass(frozen=True)
class OwnLoss(Strategy):
    def loss(self, counts: ClassCounts, *, generators: Sequence[Generator] | None = None) -> Loss:
        return CrossEntropy()


@dataclass(frozen=True)
class Child(OwnLoss):
    power: float = 1.0


def test_a_loss_of_its_own_teaches_no_known_prior_unless_it_is_declared():
    labels = LABELS["one label per item"]
    assert Strategy().effective_prior(labels, labels.counts()) is not None
    assert OwnLoss().effective_prior(labels, labels.counts()) is None
    assert dataclasses.replace(Child(), power=0.5).effective_prior(labels, labels.counts()) is None
