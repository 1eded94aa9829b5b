"""What validation chooses in simulated comparisons: plain training, thresholds or a trained remedy, each where it is right.

A population of items has logits that every model shares, and every run adds its own noise; each seed splits the population anew,
as tables are split. Thresholds are tuned by `strategies.adjust.Thresholds` itself.
"""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from bench.report.validation_choice import KINDS, Candidate, Choice, choose
from bench.stats import Resplit, best_ties, compare_pairs
from strategies import AdjustmentInputs, Head, get
from strategies.adjust.threshold_metric import macro_f1
from strategies.strategy import CrossFitted

pytestmark = [pytest.mark.filterwarnings("ignore::strategies.StrategyWarning"), pytest.mark.usefixtures("one_thread")]

ITEMS, VALID, TEST, SEEDS, REMEDIES = 3000, 600, 600, 5, 8
MARGIN = 1e-6
"""So small that only the statistics decide."""


@dataclass(frozen=True)
class World:
    """Shares of the classes, and the signal of plain training, of seven remedies, and of one that may be better."""

    shares: tuple[float, ...]
    right: str
    plain: float = 2.0
    remedies: float = 2.0
    best: float = 2.0


WORLDS = {
    "plain training, and remedies that are equal to it": World((1 / 3, 1 / 3, 1 / 3), "plain training"),
    "plain training, and remedies that are worse": World((1 / 3, 1 / 3, 1 / 3), "plain training", 2.0, 1.8, 1.8),
    "thresholds": World((0.95, 0.05), "post-hoc baseline"),
    "a trained remedy": World((0.7, 0.2, 0.1), "trained remedy", 2.0, 2.0, 3.2),
}


def simulate(world: World, study: int) -> tuple[Choice, dict[str, np.ndarray]]:
    """Return the choice of a simulated study, and the scores of every candidate on test, by seed."""
    rng = np.random.default_rng([study, len(world.shares)])
    classes = len(world.shares)
    truth = rng.choice(classes, ITEMS, p=world.shares)
    shared = rng.standard_normal((ITEMS, classes))
    valid: dict[str, list[float]] = {}
    test: dict[str, list[float]] = {}
    signals = {"none": world.plain, **{f"remedy {k}": world.remedies for k in range(REMEDIES - 1)}, "best": world.best}
    for _ in range(SEEDS):
        order = rng.permutation(ITEMS)
        parts = {"valid": order[:VALID], "test": order[VALID : VALID + TEST]}
        for name, signal in signals.items():
            noise = 0.7 * shared + 0.7 * rng.standard_normal(shared.shape)
            logits = torch.from_numpy(signal * np.eye(classes)[truth] * 0.7 + noise + np.log(world.shares))
            on = {part: (logits[rows], torch.from_numpy(truth[rows])) for part, rows in parts.items()}
            valid.setdefault(name, []).append(score(*on["valid"]))
            test.setdefault(name, []).append(score(*on["test"]))
            if name == "none":
                prior = torch.tensor(world.shares, dtype=torch.float64)
                head = Head(torch.eye(classes), torch.zeros(classes))
                adjust = get("thresholds").adjust(AdjustmentInputs(head, prior, prior, *on["valid"]))
                assert isinstance(adjust, CrossFitted)
                valid.setdefault("thresholds", []).append(score(adjust.held_out, on["valid"][1]))
                test.setdefault("thresholds", []).append(score(adjust(on["test"][0]), on["test"][1]))
    candidates = [candidate(name, scores) for name, scores in valid.items()]
    choice = choose(candidates, "up", Resplit(VALID, ITEMS - VALID), MARGIN)
    return choice, {name: np.array(scores) for name, scores in test.items()}


def score(logits: torch.Tensor, truth: torch.Tensor) -> float:
    return macro_f1(truth, logits.argmax(-1), logits.shape[-1])


def candidate(name: str, scores: list[float]) -> Candidate:
    kind = {"none": KINDS[0], "thresholds": KINDS[1]}.get(name, KINDS[2])
    return Candidate("t", "mlp", name, kind, name, "", "raw", {}, dict(enumerate(scores)))


def run_world(world: World, studies: int) -> tuple[float, float]:
    """Return how often the right kind is chosen, and how often the test interval of what is chosen covers the true difference."""
    simulated = [simulate(world, study) for study in range(studies)]
    right = [choice.chosen.kind == world.right for choice, _ in simulated]
    true = {
        name: np.mean([scores[name].mean() - scores["none"].mean() for _, scores in simulated])
        for name in simulated[0][1]
    }
    covered = []
    for choice, scores in simulated:
        name = choice.chosen.strategy if choice.chosen.kind != "plain training" else choice.leader.strategy
        if name != "none":
            pair = compare_pairs(scores[name], scores["none"], split=Resplit(TEST, ITEMS - TEST))
            covered.append(bool(pair.low <= true[name] <= pair.high))
    return float(np.mean(right)), float(np.mean(covered))


@pytest.mark.parametrize(
    "name", ["plain training, and remedies that are equal to it", "thresholds", "a trained remedy"]
)
def test_validation_mostly_chooses_what_is_right(name):
    right, covered = run_world(WORLDS[name], studies=8)
    assert right >= 6 / 8
    assert covered >= 6 / 8


@pytest.mark.slow
@pytest.mark.parametrize("name", WORLDS)
def test_validation_chooses_what_is_right_and_the_test_interval_of_the_choice_covers_the_true_difference(name):
    """The choice has not seen test, so its test interval needs no correction: there is no winner's curse."""
    right, covered = run_world(WORLDS[name], studies=200)
    print(f"\n{name}: right kind chosen in {right:.1%} of 200 studies, intervals cover {covered:.1%}")
    assert right > 0.75
    assert covered > 0.95 - 2 * (0.95 * 0.05 / 200) ** 0.5


@pytest.mark.slow
def test_without_the_lead_by_luck_equal_remedies_would_often_be_chosen(monkeypatch):
    world = WORLDS["plain training, and remedies that are equal to it"]
    monkeypatch.setattr(best_ties, "lead_by_luck", lambda candidates: 0.0)
    right, _ = run_world(world, studies=200)
    print(f"\nplain training is kept in {right:.1%} of 200 studies by one standard error alone")
    assert right < 0.8
