"""Token tagging with whole sentences as items: sampled by weight, padded, packed for an LSTM, and PAD left out of everything.

Run: python examples/sentence_tagging.py
"""

from __future__ import annotations

import random

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset

from strategies import IGNORED, Labels, SentenceSampler, get

TAGS = ["O", "B-PER", "I-PER", "B-LOC"]


class Sentences(Dataset[tuple[list[int], list[int]]]):
    """Word and tag ids of sentences of 2 to 10 words, most of them without a name; word 0 is padding."""

    def __init__(self, number: int, seed: int) -> None:
        rng = random.Random(seed)
        names = rng.choices(([], [1, 2], [3]), weights=(90, 7, 3), k=number)
        self.labels = [[0] * rng.randint(2, 6) + name + [0] * rng.randint(0, 2) for name in names]
        # Three words of ten say nothing about their tag.
        self.words = [[rng.randrange(1, 121) if rng.random() < 0.3 else 1 + 30 * c for c in row] for row in self.labels]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[list[int], list[int]]:
        return self.words[index], self.labels[index]


def collate(batch: list[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor]:
    """Words `(B, T)`, tags `(B, T)`, IGNORED where padding is, so that it has no loss and no metric, and lengths `(B,)`."""
    words, tags = ([torch.tensor(row) for row in rows] for rows in zip(*batch, strict=True))
    padded_tags = pad_sequence(tags, batch_first=True, padding_value=IGNORED)
    return pad_sequence(words, batch_first=True), padded_tags, torch.tensor([len(row) for row in words])


class Tagger(nn.Module):
    """A bidirectional LSTM over packed sentences."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(121, 16, padding_idx=0)
        self.lstm = nn.LSTM(16, 16, batch_first=True, bidirectional=True)
        self.output = nn.Linear(32, len(TAGS))

    def forward(self, words: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.embedding(words), lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        logits: Tensor = self.output(states)
        return logits


def main() -> None:
    data, test = Sentences(2000, seed=0), Sentences(1000, seed=1)
    labels = Labels.packed(data.labels, TAGS)  # if PAD is a tag with an id in your data: ignore_index=PAD
    # The weight of a sentence is the geometric mean of its tags' weights, so that its length does not matter.
    sampled = DataLoader(data, batch_size=32, sampler=SentenceSampler(labels, seed=0), collate_fn=collate)
    shuffled = DataLoader(data, batch_size=32, shuffle=True, collate_fn=collate)
    plain = nn.CrossEntropyLoss(ignore_index=IGNORED)
    weighted = get("loss-weights", power=0.5).loss(labels.counts())  # skips IGNORED too; PAD has no weight

    runs = {
        "plain training": (shuffled, plain),
        "sentence weights": (sampled, plain),
        "loss weights": (shuffled, weighted),
    }
    for name, (loader, loss_fn) in runs.items():
        torch.manual_seed(0)
        model = Tagger()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        seen = torch.zeros(len(TAGS), dtype=torch.int64)
        for words, tags, lengths in loader:
            loss = loss_fn(model(words, lengths).flatten(0, 1), tags.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            seen += tags[tags != IGNORED].bincount(minlength=len(TAGS))
        words, tags, lengths = collate([test[i] for i in range(len(test))])
        correct = model(words, lengths).argmax(-1) == tags
        recall = [round(float(correct[tags == c].double().mean()), 2) for c in range(len(TAGS))]
        print(f"{name}: share of tags {[round(float(share), 3) for share in seen / seen.sum()]}, recall {recall}")


if __name__ == "__main__":
    main()
