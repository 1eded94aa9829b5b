"""Token classification with the Trainer of transformers and two processes: sentences sampled by weight, PAD left out.

The Trainer shares out the samples of any sampler by itself; the samplers of this package see that, and sample whole epochs.

Run: torchrun --standalone --nproc-per-node 2 examples/token_trainer.py
"""

from __future__ import annotations

import random
import tempfile
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from transformers import BertConfig, BertForTokenClassification, Trainer, TrainingArguments

from strategies import IGNORED, Labels, SentenceSampler, get

TAGS = ["O", "B-PER", "I-PER"]


def make_sentences(number: int) -> list[dict[str, list[int]]]:
    """Word and tag ids of sentences of different lengths, most of them without a name; word 0 is padding."""
    rng = random.Random(0)
    rows = [[0] * rng.randint(2, 6) + ([1, 2] if rng.random() < 0.1 else []) for _ in range(number)]
    return [{"input_ids": [1 + 20 * tag + rng.randrange(20) for tag in tags], "labels": tags} for tags in rows]


def collate(sentences: list[dict[str, list[int]]]) -> dict[str, Tensor]:
    """Pad a batch, tags with IGNORED (-100); where there is a tokenizer, `DataCollatorForTokenClassification` does this."""
    words = pad_sequence([torch.tensor(sentence["input_ids"]) for sentence in sentences], batch_first=True)
    tags = [torch.tensor(sentence["labels"]) for sentence in sentences]
    padded = pad_sequence(tags, batch_first=True, padding_value=IGNORED)
    return {"input_ids": words, "attention_mask": (words != 0).long(), "labels": padded}


class SamplingTrainer(Trainer):
    """A Trainer with a sampler and a loss of this package; it counts what it is trained on."""

    loss_is_scaled_for_ga = False  # with gradient accumulation the Trainer divides our loss, a mean over the batch

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tags = Labels.packed([sentence["labels"] for sentence in self.train_dataset], TAGS)
        # Focal loss weighs hard words, not rare classes: those the sampler brings already.
        self.loss_fn = get("focal", gamma=1).loss(self.tags.counts()).to(self.args.device)
        self.sentences, self.sampled = 0, torch.zeros(len(TAGS), dtype=torch.int64)

    def _get_train_sampler(self, train_dataset: Any = None) -> SentenceSampler:
        return SentenceSampler(self.tags, seed=0)  # neither num_replicas nor rank: the Trainer shares the samples out

    def compute_loss(
        self, model: Any, inputs: dict[str, Tensor], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        tags = inputs.pop("labels")
        outputs = model(**inputs)
        loss = self.loss_fn(outputs.logits, tags)
        if model.training:
            self.sentences += len(tags)
            self.sampled += tags[tags != IGNORED].bincount(minlength=len(TAGS)).cpu()
        return (loss, outputs) if return_outputs else loss


def main() -> None:
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = BertForTokenClassification(BertConfig(vocab_size=64, num_labels=len(TAGS), **size))
    with tempfile.TemporaryDirectory() as folder:
        options = {"num_train_epochs": 1, "per_device_train_batch_size": 20, "use_cpu": not torch.cuda.is_available()}
        arguments = TrainingArguments(folder, save_strategy="no", report_to=[], disable_tqdm=True, **options)
        trainer = SamplingTrainer(model, arguments, data_collator=collate, train_dataset=make_sentences(600))
        trainer.train()
    process, tags = arguments.process_index, dict(zip(TAGS, trainer.sampled.tolist(), strict=True))
    print(f"process {process}: {trainer.sentences} sentences, tags {tags}", flush=True)


if __name__ == "__main__":
    main()
