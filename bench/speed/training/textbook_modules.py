"""The models as modules that anyone would write with torch.nn; their parameters have the names of the project's models."""

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

ModuleBuilder = Callable[[Shape, bool], nn.Module]
"""Builds a module of a shape; the second argument is whether gradients of its embedding are sparse."""


class TextbookWindow(nn.Module):
    """Words `(B, W)` to logits `(B, C)`."""

    def __init__(self, shape: Shape, sparse: bool = False) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, EMBEDDING, sparse=sparse)
        self.hidden = nn.Linear(shape.positions * EMBEDDING, WINDOW_HIDDEN)
        self.head = nn.Linear(WINDOW_HIDDEN, shape.classes)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(F.relu(self.hidden(self.words(x).flatten(1))))
        return logits


class TextbookMLP(nn.Module):
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
    """Padded words `(B, T)` of sentences of `lengths (B,)`, the longest T, to logits `(B, T, C)`: packed, as in tutorials."""

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
    """The same function as `PackedBiLSTM` without packing.

    One nn.LSTM reads each sentence forwards and another reads it reversed, so that padding comes last for both and cannot
    change the states of words.
    """

    def __init__(self, shape: Shape, sparse: bool = False) -> None:
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, EMBEDDING, sparse=sparse)
        self.forwards = nn.LSTM(EMBEDDING, LSTM_HIDDEN)
        self.backwards = nn.LSTM(EMBEDDING, LSTM_HIDDEN)
        self.head = nn.Linear(2 * LSTM_HIDDEN, shape.classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        words = self.words(x.T)
        reversal = _reversal_index(x.shape[1], lengths.to(x.device))
        forward_states = self.forwards(words)[0]
        backward_states = _reorder(self.backwards(_reorder(words, reversal))[0], reversal)
        logits: Tensor = self.head(torch.cat([forward_states, backward_states], 2))
        return logits.transpose(0, 1)


def _reversal_index(T: int, lengths: Tensor) -> Tensor:
    """Return for each position of `(T, B)`, flattened, the position that reversing each sentence moves there.

    Padding stays behind the sentences, so reversing twice restores the order.
    """
    time, B = torch.arange(T, device=lengths.device).unsqueeze(1), len(lengths)
    reversed_time = torch.where(time < lengths, lengths - 1 - time, time)
    return (reversed_time * B + torch.arange(B, device=lengths.device)).flatten()


def _reorder(x: Tensor, index: Tensor) -> Tensor:
    """Return `x (T, B, ...)` with its first two dimensions reordered by a flat index."""
    return x.flatten(0, 1).index_select(0, index).view_as(x)


MODULES: dict[str, ModuleBuilder] = {
    "window-tagger": TextbookWindow,
    "bilstm-tagger": PackedBiLSTM,
    "mlp": TextbookMLP,
}


def build_module(
    build: ModuleBuilder, shape: Shape, protocol: Protocol, *, sparse: bool, device: torch.device
) -> nn.Module:
    """Build a module whose initial weights are those of the project's model with seed 0."""
    model, generator = find_model(protocol.model), Generator().manual_seed(0)
    parameters = dict(model.init(shape, generator))
    if model.embedding:
        words = torch.randn(shape.vocabulary, model.embedding, generator=generator)
        parameters["words.weight"] = words * protocol.embedding_scale
    with torch.device("meta"):  # without weights: nn.Module would sample some only to have them replaced
        module = build(shape, sparse)
    module.to_empty(device=device)
    load_parameters(module, parameters)
    return module


def load_parameters(module: nn.Module, parameters: Mapping[str, Tensor]) -> None:
    """Set a module's parameters, which are given by the names of the project's models."""
    module.load_state_dict({own_name: parameters[name] for own_name, name in project_names(module).items()})


def project_names(module: nn.Module) -> dict[str, str]:
    """Map a module's own names of its parameters to those of the project's models."""
    return {own_name: _project_name(own_name) for own_name, _ in module.named_parameters()}


def _project_name(own_name: str) -> str:
    layer, _, name = own_name.partition(".")
    return {"forwards": f"rnn.{name}", "backwards": f"rnn.{name}_reverse"}.get(layer, own_name)
