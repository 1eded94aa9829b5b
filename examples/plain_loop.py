"""A sampler or a loss in a plain training loop, without a DataLoader: what each does to the recall of rare classes.

Run: python examples/plain_loop.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from strategies import ClassBalancedSampler, ClassCounts, get

EPOCHS, BATCH = 10, 64


def make_data(items_per_class: tuple[int, ...], seed: int) -> tuple[Tensor, Tensor]:
    """Features `(N, 8)` of overlapping classes, and class ids `(N,)`."""
    labels = torch.arange(len(items_per_class)).repeat_interleave(torch.tensor(items_per_class))
    noise = torch.randn(len(labels), 8, generator=torch.Generator().manual_seed(seed))
    return noise + nn.functional.one_hot(labels, 8) * 2, labels


def train(
    features: Tensor, labels: Tensor, batches: Iterable[Tensor], loss_fn: Callable[[Tensor, Tensor], Tensor]
) -> tuple[nn.Module, Tensor]:
    """Train on `batches` of indices; return the model and how often each class was sampled, `(C,)`."""
    torch.manual_seed(0)  # every run starts from the same weights
    model, sampled = nn.Linear(8, 3), torch.zeros(3, dtype=torch.int64)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(EPOCHS):
        for index in batches:  # each pass over the batches of a sampler is the next epoch
            loss = loss_fn(model(features[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            sampled += labels[index].bincount(minlength=3)
    return model, sampled


def main() -> None:
    features, labels = make_data((2000, 100, 40), seed=0)
    test_features, test_labels = make_data((500, 500, 500), seed=1)

    # What the loop iterates over: batches of indices, shuffled once, or sampled anew for each epoch.
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).split(BATCH)
    balanced = ClassBalancedSampler(labels, seed=0).batches(BATCH)  # instead of WeightedRandomSampler, without weights
    adjusted = get("logit-adjustment").loss(ClassCounts.of(labels))  # instead of cross-entropy with class weights
    plain = nn.CrossEntropyLoss()

    # A sampler or a loss: with both, the imbalance would be corrected twice.
    runs = {
        "plain training": (shuffled, plain),
        "balanced sampler": (balanced, plain),
        "adjusted loss": (shuffled, adjusted),
    }
    for name, (batches, loss_fn) in runs.items():
        model, sampled = train(features, labels, batches, loss_fn)
        correct = model(test_features).argmax(1) == test_labels
        recall = [round(float(correct[test_labels == c].double().mean()), 2) for c in range(3)]
        print(f"{name}: sampled {sampled.tolist()}, recall by class {recall}")


if __name__ == "__main__":
    main()
