"""One of two gloo processes that train with another library: prints the items of each epoch. Run by test_outer_shards.py."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from sharding_wrappers import WRAPPERS, make_prepared
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from strategies import ClassBalancedSampler, audit

warnings.simplefilter("ignore")
LABELS = torch.tensor([0] * 90 + [1] * 24 + [2] * 6)
DATA = TensorDataset(torch.arange(120), LABELS)
BATCH, EPOCHS = 10, 2


def make_loader() -> DataLoader[Any]:
    return DataLoader(DATA, sampler=ClassBalancedSampler(LABELS, seed=0), batch_size=BATCH)


def with_simulated_wrappers() -> Iterator[tuple[Any, list[list[int]]]]:
    torch.distributed.init_process_group("gloo")
    yield make_loader(), read(make_loader())
    for wrapper in WRAPPERS:
        loader = make_prepared(wrapper, DATA, ClassBalancedSampler(LABELS, seed=0), BATCH)
        yield loader, read(loader)


def with_accelerate(**options: Any) -> Iterator[tuple[Any, list[list[int]]]]:
    from accelerate import Accelerator, DataLoaderConfiguration

    loader = Accelerator(cpu=True, dataloader_config=DataLoaderConfiguration(**options)).prepare(make_loader())
    yield loader, read(loader)


def with_fabric() -> Iterator[tuple[Any, list[list[int]]]]:
    from lightning.fabric import Fabric

    fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp")
    fabric.launch()
    loader = fabric.setup_dataloaders(make_loader())
    yield loader, read(loader)


def with_lightning(use_distributed_sampler: bool = True) -> Iterator[tuple[Any, list[list[int]]]]:
    import lightning

    class Model(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layer, self.seen = nn.Linear(1, 3), [[] for _ in range(EPOCHS)]

        def train_dataloader(self) -> DataLoader[Any]:
            return make_loader()

        def training_step(self, batch: Any, i: int) -> torch.Tensor:
            self.seen[self.current_epoch] += batch[0].tolist()
            return nn.functional.cross_entropy(self.layer(batch[0].float().unsqueeze(1)), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.0)

    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=2,
        strategy="ddp",
        max_epochs=EPOCHS,
        use_distributed_sampler=use_distributed_sampler,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Model()
    trainer.fit(model)
    yield trainer.train_dataloader, model.seen


def with_transformers() -> Iterator[tuple[Any, list[list[int]]]]:
    from transformers import PretrainedConfig, PreTrainedModel, Trainer, TrainerCallback, TrainingArguments

    seen: list[list[int]] = [[] for _ in range(EPOCHS)]

    class Model(PreTrainedModel):  # type: ignore[misc]
        config_class = PretrainedConfig

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.layer = nn.Linear(1, 3)

        def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
            seen[int(trainer.state.epoch + 1e-6)].extend(x.tolist())
            logits = self.layer(x.float().unsqueeze(1))
            return {"loss": nn.functional.cross_entropy(logits, labels), "logits": logits}

    class Balanced(Trainer):  # type: ignore[misc]
        def _get_train_sampler(self, train_dataset: Any = None) -> ClassBalancedSampler:
            return ClassBalancedSampler(LABELS, seed=0)

    class Keep(TrainerCallback):  # type: ignore[misc]
        def on_train_begin(self, *_: Any, train_dataloader: Any = None, **__: Any) -> None:
            self.loader = train_dataloader

    keep = Keep()
    arguments = TrainingArguments(
        output_dir=sys.argv[3],
        per_device_train_batch_size=BATCH,
        num_train_epochs=EPOCHS,
        use_cpu=True,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        logging_strategy="no",
    )
    items = [{"x": i, "labels": int(label)} for i, label in enumerate(LABELS)]
    trainer = Balanced(Model(PretrainedConfig()), arguments, train_dataset=items, callbacks=[keep])
    trainer.train()
    yield keep.loader, seen


def read(loader: Any) -> list[list[int]]:
    return [[i for batch in loader for i in batch[0].tolist()] for _ in range(EPOCHS)]


WAYS = {
    "simulated wrappers": with_simulated_wrappers,
    "accelerate": with_accelerate,
    "accelerate, split batches": lambda: with_accelerate(split_batches=True),
    "accelerate, dispatched batches": lambda: with_accelerate(dispatch_batches=True),
    "fabric": with_fabric,
    "lightning": with_lightning,
    "lightning, use_distributed_sampler=False": lambda: with_lightning(use_distributed_sampler=False),
    "transformers": with_transformers,
}

if __name__ == "__main__":
    results = []
    for loader, epochs in WAYS[sys.argv[1]]():
        findings = [finding.name for finding in audit(loader, LABELS).findings]
        results.append({"length": len(loader), "epochs": epochs, "findings": findings})
    print(json.dumps(results), flush=True)
    os._exit(0)  # the libraries' own threads may outlive the training
