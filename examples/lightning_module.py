"""A balanced sampler in Lightning with two processes: one epoch is one epoch, in the intended class mix.

Lightning shares out the samples of any sampler by itself; the samplers of this package see that, and sample whole epochs.

Run: python examples/lightning_module.py    (it starts the second process itself)
"""

from __future__ import annotations

import lightning
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from strategies import ClassBalancedSampler


class Classifier(lightning.LightningModule):
    """A linear model that counts the classes it is trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 3)
        self.loss_fn = nn.CrossEntropyLoss()  # plain: the sampler balances already

    def train_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        labels = torch.arange(3).repeat_interleave(torch.tensor([500, 80, 20]))
        noise = torch.randn(len(labels), 8, generator=torch.Generator().manual_seed(0))
        data = TensorDataset(noise + nn.functional.one_hot(labels, 8) * 2, labels)
        # `sampler=`, not `batch_sampler=`: Lightning cannot share out batches of tensors.
        return DataLoader(data, batch_size=20, sampler=ClassBalancedSampler(labels, seed=0))

    def on_train_epoch_start(self) -> None:
        self.sampled = torch.zeros(3, dtype=torch.int64)

    def training_step(self, batch: tuple[Tensor, Tensor], batch_index: int) -> Tensor:
        x, y = batch
        self.sampled += y.bincount(minlength=3)
        loss: Tensor = self.loss_fn(self.layer(x), y)
        return loss

    def on_train_epoch_end(self) -> None:
        items, classes = int(self.sampled.sum()), self.sampled.tolist()
        print(f"epoch {self.current_epoch}, process {self.global_rank}: {items} items, by class {classes}", flush=True)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=0.02)


def main() -> None:
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_epochs=2,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(Classifier())


if __name__ == "__main__":
    main()
