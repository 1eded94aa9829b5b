"""A balanced sampler in a DataLoader with workers, and the audit, which shows what a loader really samples.

Run: python examples/data_loader.py
"""

from __future__ import annotations

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from strategies import ClassBalancedSampler, audit


def main() -> None:
    labels = torch.arange(3).repeat_interleave(torch.tensor([2000, 100, 40]))
    features = torch.randn(len(labels), 8, generator=torch.Generator().manual_seed(0)) + nn.functional.one_hot(
        labels, 8
    )
    data = TensorDataset(features, labels)
    loss_fn = nn.CrossEntropyLoss()  # plain: the sampler balances already

    # The usual mistake: one weight per class where WeightedRandomSampler needs one per item.
    class_weights = 1.0 / labels.bincount()
    mistaken = DataLoader(data, batch_size=64, sampler=WeightedRandomSampler(class_weights.tolist(), len(labels)))
    print(audit(mistaken, labels, loss=loss_fn))

    # The sampler takes the labels and makes no mistake with weights. Workers do not change what is sampled.
    sampler = ClassBalancedSampler(labels, seed=0)
    loader = DataLoader(data, batch_size=64, sampler=sampler, num_workers=2, persistent_workers=True)
    print(audit(loader, labels, loss=loss_fn))

    model = nn.Linear(8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for epoch in range(3):  # no set_epoch: each pass over the loader samples the next epoch
        sampled = torch.zeros(3, dtype=torch.int64)
        for x, y in loader:
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sampled += y.bincount(minlength=3)
        print(f"epoch {epoch}: {int(sampled.sum())} items, by class {sampled.tolist()}, last loss {loss.item():.2f}")


if __name__ == "__main__":
    main()
