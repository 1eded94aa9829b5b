"""What thresholds gain or lose on test by the number of validation labels, with and without their guard.

`pytest tests/strategies/adjust/test_gain_by_validation_size.py -m slow -s` prints the table of docs/evidence.md.
"""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from strategies import fit_thresholds, get
from strategies.adjust.coordinate_ascent import tune_offsets
from strategies.adjust.threshold_metric import macro_f1

SIZES = (50, 100, 200, 400, 800, 1600, 3200, 6400)
MOST_LOST = 0.005
"""Macro-F1 that thresholds with their guard may lose on average, at any number of validation labels."""
TABLES = Path(__file__).parents[4] / "shared" / "data" / "tables"

pytestmark = pytest.mark.filterwarnings("ignore::strategies.StrategyWarning")


@dataclass(frozen=True)
class Pool:
    """Logits and classes of one trained model: labels that validation parts are drawn from, and a large test part."""

    valid_logits: Tensor
    valid_targets: Tensor
    test_logits: Tensor
    test_targets: Tensor
    sentences: Tensor | None = None
    """Offsets of sentences in validation, which are drawn whole; None for independent rows."""

    def draw(self, labels: int, rng: np.random.Generator) -> Tensor:
        """The indices of a validation part of about so many labels."""
        if self.sentences is None:
            return torch.from_numpy(rng.permutation(len(self.valid_targets))[:labels])
        order = torch.from_numpy(rng.permutation(len(self.sentences) - 1))
        enough = int((self.sentences.diff()[order].cumsum(0) < labels).sum()) + 1
        drawn = order[:enough].sort().values
        return torch.cat([torch.arange(*self.sentences[place : place + 2].tolist()) for place in drawn.tolist()])


def fitted_pool(x: np.ndarray, y: np.ndarray, classes: int, train: int, valid: int) -> Pool:
    """The log probabilities of logistic regression that is trained on the first rows; the last ones are test."""
    model = LogisticRegression(max_iter=500).fit(x[:train], y[:train])
    logits = np.full((len(x) - train, classes), -20.0)
    logits[:, model.classes_] = model.predict_log_proba(x[train:]).clip(-20)
    z, targets = torch.from_numpy(logits), torch.from_numpy(y[train:])
    return Pool(z[:valid], targets[:valid], z[valid:], targets[valid:])


def gaussians(prior: np.ndarray, features: int, seed: int) -> Pool:
    rng = np.random.default_rng(seed)
    means = 0.8 * rng.normal(size=(len(prior), features))
    y = rng.choice(len(prior), 40_400, p=prior / prior.sum())
    return fitted_pool(means[y] + rng.normal(size=(len(y), features)), y, len(prior), 400, 20_000)


def long_tailed_digits(seed: int) -> Pool:
    """Digits of which digit c keeps a share of 30^(-c/9) everywhere; a fifth is for training, two fifths are test."""
    rng = np.random.default_rng(seed)
    x, y = load_digits(return_X_y=True)
    kept = rng.permutation(np.flatnonzero(rng.random(len(y)) < 30 ** (-y / 9)))
    return fitted_pool(x[kept] / 16, y[kept], 10, len(kept) // 5, 2 * len(kept) // 5)


def table(name: str, target: str, dropped: list[str], seed: int) -> Pool:
    frame = pd.read_csv(TABLES / name, sep=None, engine="python").drop(columns=dropped)
    y = frame.pop(target).astype(int).to_numpy()
    x = StandardScaler().fit_transform(pd.get_dummies(frame).astype(float))
    order = np.random.default_rng(seed).permutation(len(y))
    return fitted_pool(x[order], y[order], 2, len(y) // 4, 3 * len(y) // 8)


def windows(seed: int) -> Pool:
    """Nine-word windows of CoNLL-2003 under the reference protocol of `imbench run quick`."""
    from bench.planning.protocol import reference_protocol
    from bench.planning.run import Run
    from bench.tasks import find_task
    from bench.tasks.task import MissingData
    from bench.train.clock import Clock
    from bench.train.evaluation import compute_logits
    from bench.train.step import StackRunner

    spec = find_task("conll2003-windows")
    try:
        spec.load(np.random.default_rng(0))
    except MissingData as missing:
        pytest.skip(str(missing))
    protocol = dataclasses.replace(reference_protocol(spec), validate_every=reference_protocol(spec).steps)
    runner = StackRunner([Run(spec, get("none"), protocol, seed, "")], torch.device("cpu"))
    for _ in range(protocol.steps):
        runner.step(Clock())
    (task,) = runner.tasks
    valid, test = (compute_logits(runner.stack, [part])[0] for part in (task.valid, task.test))
    return Pool(valid, task.valid.truth, test, task.test.truth, task.valid.sentences)


def falling(classes: int, factor: float) -> np.ndarray:
    return factor ** (-np.arange(classes) / (classes - 1))


MODELS: dict[str, tuple[int, Callable[[int], Pool]]] = {
    "Gaussians, 98 : 2": (4, lambda seed: gaussians(np.array([98, 2]), 4, seed)),
    "Gaussians, 90 : 8 : 2": (4, lambda seed: gaussians(np.array([90, 8, 2]), 4, seed)),
    "Gaussians, 10 classes, 100 : 1": (4, lambda seed: gaussians(falling(10, 100), 8, seed)),
    "Gaussians, 20 classes, 1 / rank": (4, lambda seed: gaussians(1 / np.arange(1.0, 21), 12, seed)),
    "Gaussians, 4 equal classes": (4, lambda seed: gaussians(np.ones(4), 4, seed)),
    "digits, 30 : 1": (8, long_tailed_digits),
    "machine failures, 28 : 1": (
        4,
        lambda seed: table(
            "ai4i2020.csv", "Machine failure", ["UDI", "Product ID", "TWF", "HDF", "PWF", "OSF", "RNF"], seed
        ),
    ),
    "online shoppers, 5 : 1": (4, lambda seed: table("online_shoppers_intention.csv", "Revenue", [], seed)),
    "CoNLL-2003 windows": (2, windows),
}
"""The number of trained models of each data set, and how to train one."""


def gains(pool: Pool, repeats: int, seed: int, sizes: Sequence[int]) -> Iterator[tuple[int, float, float]]:
    """Yield the number of validation labels, and what thresholds gain on test without their guard and with it."""
    classes = pool.test_logits.shape[-1]
    raw = macro_f1(pool.test_targets, pool.test_logits.argmax(-1), classes)
    for size in sizes:
        if size > len(pool.valid_targets):
            return
        for repeat in range(repeats):
            drawn = pool.draw(size, np.random.default_rng([seed, size, repeat]))
            logits, targets = pool.valid_logits[drawn], pool.valid_targets[drawn]
            without = (pool.test_logits + tune_offsets(logits, targets)).argmax(-1)
            guarded = fit_thresholds(logits, targets).predict(pool.test_logits)
            before, after = (macro_f1(pool.test_targets, found, classes) - raw for found in (without, guarded))
            yield size, before, after


def measure(model: Callable[[int], Pool], models: int, repeats: int, sizes: Sequence[int] = SIZES) -> pd.DataFrame:
    """The gains of every validation part, with the number of its labels."""
    lines = [line for seed in range(models) for line in gains(model(seed), repeats, seed, sizes)]
    return pd.DataFrame(lines, columns=["labels", "without guard", "with guard"])


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_thresholds_with_their_guard_lose_next_to_nothing_at_any_validation_size(name):
    if ("machine" in name or "shoppers" in name) and not TABLES.is_dir():
        pytest.skip("the folder shared/data is not next to the checkout")
    models, model = MODELS[name]
    by_size = measure(model, models, repeats=60 // models).groupby("labels")
    curve = by_size.mean()
    for column in curve:
        cells = [f"{curve[column].get(size, np.nan):+.3f}".replace("+nan", "") for size in SIZES]
        print(f"\n| {name}, {column} | {' | '.join(cells)} |", end="")
    assert (curve["with guard"] > -MOST_LOST).all()


def test_the_guard_prevents_most_of_the_loss_and_little_of_the_gain():
    lossy = measure(lambda seed: gaussians(falling(10, 100), 8, seed), 1, repeats=5, sizes=[100]).mean()
    assert lossy["with guard"] > -2 * MOST_LOST > lossy["without guard"]
    gaining = measure(lambda seed: gaussians(np.array([90, 8, 2]), 4, seed), 1, repeats=3, sizes=[800]).mean()
    assert gaining["with guard"] > 0.8 * gaining["without guard"] > 0
