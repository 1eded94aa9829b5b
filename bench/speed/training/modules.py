"""The models as modules that anyone would write with torch.nn; parameters are named as the project's models name them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bench.models import find_model
from bench.models.model import Shape
from bench.planning.protocol import Protocol

EMBEDDING, WINDOW_HIDDEN, LSTM_HIDDEN, MLP_HIDDEN = 50, 128, 64, 64

Build = Callable[[Shape, bool], nn.Module]
"""A module for these sizes; whether gradients of its embedding are sparse."""


class Window(nn.Module):
    """Words `(B, W)` to logits `(B, C)`."""

    def __init__(self, shape: Shape, sparse: bool = False) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, EMBEDDING, sparse=sparse)
        self.hidden = nn.Linear(shape.positions * EMBEDDING, WINDOW_HIDDEN)
        self.head = nn.Linear(WINDOW_HIDDEN, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(F.relu(self.hidden(self.words(x).flatten(1))))
        return logits


class Perceptron(nn.Module):
    """Rows `(B, F)` to logits `(B, C)`."""

    def __init__(self, shape: Shape, sparse: bool = False) -> None:
        super().__init__()
        self.layer1 = nn.Linear(shape.features, MLP_HIDDEN)
        self.layer2 = nn.Linear(MLP_HIDDEN, MLP_HIDDEN)
        self.head = nn.Linear(MLP_HIDDEN, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(F.relu(self.layer2(F.relu(self.layer1(x)))))
        return logits


class PackedBiLSTM(nn.Module):
    """Words `(B, T)` of sentences of `lengths (B,)`, the longest T, to logits `(B, T, C)`: packed, as tutorials do it."""

    def __init__(self, shape: Shape, sparse: bool = False) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, EMBEDDING, sparse=sparse)
        self.rnn = nn.LSTM(EMBEDDING, LSTM_HIDDEN, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * LSTM_HIDDEN, shape.classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(self.words(x), lengths, batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        logits: Tensor = self.head(states)
        return logits


class UnpackedBiLSTM(nn.Module):
    """The same without packing: one nn.LSTM reads each sentence forwards, one backwards, so that padding comes last for both."""

    def __init__(self, shape: Shape, sparse: bool = False) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, EMBEDDING, sparse=sparse)
        self.before = nn.LSTM(EMBEDDING, LSTM_HIDDEN)
        self.behind = nn.LSTM(EMBEDDING, LSTM_HIDDEN)
        self.head = nn.Linear(2 * LSTM_HIDDEN, shape.classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        words, turned = self.words(x.T), _turned(x.shape[1], lengths.to(x.device))
        states = torch.cat([self.before(words)[0], _taken(self.behind(_taken(words, turned))[0], turned)], 2)
        logits: Tensor = self.head(states)
        return logits.transpose(0, 1)


def _turned(T: int, lengths: Tensor) -> Tensor:
    """Where each place of `(T, B)`, flattened, lies when sentences are turned round and their padding stays behind them."""
    time, B = torch.arange(T, device=lengths.device).unsqueeze(1), len(lengths)
    place = torch.where(time < lengths, lengths - 1 - time, time)
    return (place * B + torch.arange(B, device=lengths.device)).flatten()


def _taken(x: Tensor, places: Tensor) -> Tensor:
    return x.flatten(0, 1).index_select(0, places).view_as(x)


MODULES: dict[str, Build] = {"window-tagger": Window, "bilstm-tagger": PackedBiLSTM, "mlp": Perceptron}


def made(build: Build, shape: Shape, protocol: Protocol, *, sparse: bool, device: torch.device) -> nn.Module:
    """A module with first weights of seed 0; none are drawn that are not kept."""
    model, generator = find_model(protocol.model), Generator().manual_seed(0)
    first = dict(model.init(shape, generator))
    if model.embedding:
        words = torch.randn(shape.vocabulary, model.embedding, generator=generator)
        first["words.weight"] = words * protocol.embedding_scale
    with torch.device("meta"):
        module = build(shape, sparse)
    module.to_empty(device=device)
    load(module, first)
    return module


def load(module: nn.Module, params: Mapping[str, Tensor]) -> None:
    """Gives a module parameters by the names of the project's models."""
    module.load_state_dict({own: params[name] for own, name in textbook_names(module).items()})


def textbook_names(module: nn.Module) -> dict[str, str]:
    """A module's own names of its parameters to those of the project's models."""
    return {own: _textbook_name(own) for own, _ in module.named_parameters()}


def _textbook_name(own: str) -> str:
    reader, _, name = own.partition(".")
    return {"before": f"rnn.{name}", "behind": f"rnn.{name}_reverse"}.get(reader, own)
