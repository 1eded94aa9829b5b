"""A program that uses `strategies` and nothing but torch and numpy: losses, samplers, an adjustment, an audit.

Run by `test_small_install.py`, in this environment with other packages hidden, and by `test_wheel.py`, in a bare one.
"""

import sys

import torch
from torch.utils.data import DataLoader, TensorDataset

import strategies
from strategies import (
    ClassBalancedSampler,
    ClassCounts,
    Labels,
    RepeatFactorSampler,
    SentenceSampler,
    WeightedSampler,
    audit,
    get,
)


def error_of(use):
    """Return the message of the ModuleNotFoundError that `use` raises, or what says that there was none."""
    try:
        use()
    except ModuleNotFoundError as error:
        return str(error)
    return "no error: this program is meant for an environment without other packages"


def main():
    generator = torch.Generator().manual_seed(0)
    y = torch.tensor([0] * 300 + [1] * 30 + [2] * 6)
    x = torch.randn(len(y), 4, generator=generator) + 2 * torch.nn.functional.one_hot(y, 4)
    labels, counts = Labels.of(y), ClassCounts.of(y)

    # A loss of every strategy, with a gradient.
    for name in strategies.names():
        logits = torch.zeros(len(y), 3, requires_grad=True)
        get(name).training_loss(counts)(logits, y, features=x).backward()
        assert logits.grad.isfinite().all(), name

    # Every sampler, with and without a DataLoader.
    data = TensorDataset(x, y)
    sentences = [[0, 0, 1], [0, 2], [0], [0, 0]]
    for sampler in (
        ClassBalancedSampler(y, seed=0),
        ClassBalancedSampler(y, replacement=False, num_samples=20, seed=0),
        WeightedSampler(torch.rand(len(y), generator=generator), seed=0),
        WeightedSampler(torch.rand(len(y), generator=generator), method="systematic", seed=0),
        SentenceSampler(sentences, seed=0),
        RepeatFactorSampler(y, seed=0),
    ):
        assert 0 <= min(sampler) <= max(sampler) < len(y)
        assert sum(len(batch) for batch in sampler.batches(8)) == len(sampler)
    loader = DataLoader(data, batch_size=32, sampler=ClassBalancedSampler(y, seed=0))

    # A loop that trains.
    model = torch.nn.Linear(4, 3)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    loss_fn = (get("focal", gamma=1) + get("loss-weights", power=0.5)).loss(counts)
    losses = []
    for rows, targets in loader:
        optimiser.zero_grad()
        loss = loss_fn(model(rows), targets)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0], losses

    # The audit passes a right loader and finds a wrong one.
    assert not audit(loader, y).findings
    assert audit(DataLoader(data, batch_size=32, shuffle=True), y, intended="balanced").findings

    # Strategies that need another package name it, and the extra that installs it.
    for use, package in [
        (lambda: get("smote").resample(x, labels, seed=0), "imblearn"),
        (lambda: get("random-oversampling").resample(x, labels, seed=0), "imblearn"),
        (lambda: get("mixup").mix(y[:, None], counts, generator=generator), "scipy"),
    ]:
        message = error_of(use)
        assert f'needs {package}, which is not installed: pip install "imbalance-bench[bench]"' in message, message

    print("strategies work with", ", ".join(sorted(name for name in ("numpy", "torch") if name in sys.modules)))


if __name__ == "__main__":
    main()
