"""A balanced sampler under accelerate with two processes: one epoch is one epoch, in the intended class mix.

`prepare` shares out the samples of any sampler by itself; the samplers of this package see that, and sample whole epochs.

Run: torchrun --standalone --nproc-per-node 2 examples/accelerated_loop.py
"""

from __future__ import annotations

import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from strategies import ClassBalancedSampler


def main() -> None:
    # Without a GPU, accelerate sees the other process only if it is told so.
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    labels = torch.arange(3).repeat_interleave(torch.tensor([500, 80, 20]))
    noise = torch.randn(len(labels), 8, generator=torch.Generator().manual_seed(0))
    data = TensorDataset(noise + nn.functional.one_hot(labels, 8) * 2, labels)

    # `sampler=`, and neither num_replicas nor rank: accelerate shares the samples out.
    loader = DataLoader(data, batch_size=20, sampler=ClassBalancedSampler(labels, seed=0))
    model = nn.Linear(8, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    model, optimizer, loader = accelerator.prepare(model, optimizer, loader)
    loss_fn = nn.CrossEntropyLoss()  # plain: the sampler balances already

    for epoch in range(2):
        sampled = torch.zeros(3, dtype=torch.int64)
        for x, y in loader:
            loss = loss_fn(model(x), y)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            sampled += y.bincount(minlength=3).cpu()
        process, items = accelerator.process_index, int(sampled.sum())
        print(f"epoch {epoch}, process {process}: {items} items, by class {sampled.tolist()}", flush=True)
    accelerator.end_training()


if __name__ == "__main__":
    main()
