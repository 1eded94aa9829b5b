"""How a model is trained: the same for every strategy that a table compares."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.models import load_model
from bench.models.model import Model, Shape
from bench.models.user_module import locate_module
from bench.tasks.task import TaskSpec

EMBEDDING_ADAMS = ("row-lazy", "dense")


@dataclass(frozen=True)
class Protocol:
    """Model, optimiser and budget; `version` is raised when the meaning of a field changes.

    Its numbers mean the same on every device. `length_group` batches of sentences are drawn together and sorted by length
    before they are cut.
    """

    model: str
    batch_size: int
    steps: int
    validate_every: int
    learning_rate: float
    unk_rate: float = 0.0
    """Share of training words replaced by UNK, so that the model meets unknown words."""
    embedding_scale: float = 0.1
    """Standard deviation of a word's first vector. nn.Embedding's 1 drowns what a rare word learns in a few visits: plain
    training on conll2003-windows then reaches .72 macro-F1 in place of .79."""
    length_group: int = 1
    version: int = 1
    weight_decay: float = 0.0
    """Added to the gradient times the parameter, as in torch.optim.Adam; a row-lazy embedding has none, as in SparseAdam."""
    clip_norm: float = 0.0
    """The longest that a training's gradient may be, all its parameters together; 0: as long as it is."""
    dropout: float = 0.0
    """Share of what the last layer reads that is dropped in a training step."""
    embedding_adam: str = "row-lazy"
    """"row-lazy": only the words of a batch move, as under torch.optim.SparseAdam; "dense": all, as under torch.optim.Adam."""
    model_source: str = ""
    """A hash of the file, where the model is a reader's own module, `ABSOLUTE.py:NAME`."""

    def check(self) -> None:
        """Refuses what cannot be trained, with what is allowed."""
        for key in ("batch_size", "steps", "validate_every", "length_group"):
            if getattr(self, key) < 1:
                raise InputError(f"protocol: {key} must be 1 or more; given: {getattr(self, key)}")
        for key in ("learning_rate", "embedding_scale"):
            if not 0 < getattr(self, key) < float("inf"):
                raise InputError(f"protocol: {key} must be above 0; given: {getattr(self, key)}")
        for key in ("weight_decay", "clip_norm"):
            if not 0 <= getattr(self, key) < float("inf"):
                raise InputError(f"protocol: {key} must be 0 or more; given: {getattr(self, key)}")
        for key in ("unk_rate", "dropout"):
            if not 0 <= getattr(self, key) < 1:
                raise InputError(f"protocol: {key} must be from 0 to below 1; given: {getattr(self, key)}")
        if self.embedding_adam not in EMBEDDING_ADAMS:
            raise InputError(
                f"protocol: embedding_adam must be {' or '.join(EMBEDDING_ADAMS)}; given: {self.embedding_adam!r}"
            )
        for key in ("dropout", "embedding_scale", "embedding_adam") if self.model_source else ():
            if getattr(self, key) != _DEFAULTS[key]:
                raise InputError(
                    f"protocol: {key} does not reach into a module of yours; leave it out, and write it into "
                    f"{Path(self.model).name}; given: {getattr(self, key)!r}"
                )
        if self.steps % self.validate_every:
            raise InputError(
                f"protocol: steps must be a multiple of validate_every, so that the last step is validated; "
                f"given: steps={self.steps}, validate_every={self.validate_every}"
            )

    def identity(self) -> dict[str, Any]:
        """Its fields, for ids and for studies. One that came later is left out while it changes nothing, so that records
        from before it are still found."""
        later = {
            key: _DEFAULTS[key] for key in ("weight_decay", "clip_norm", "dropout", "embedding_adam", "model_source")
        }
        fields = {**dataclasses.asdict(self), "model": Path(self.model).name}  # not where a reader's file lies
        return {key: value for key, value in fields.items() if later.get(key, ...) != value}

    @property
    def adapted(self) -> str:
        """What a reader of the results must know of a module of their own; empty for models of this package."""
        name = Path(self.model).name
        return f"model {name}, trained row by row by the adapter for readers' modules" if self.model_source else ""

    @property
    def shared(self) -> Protocol:
        """What trainings of one stack have in common: each has its own learning rate and weight decay."""
        return dataclasses.replace(self, learning_rate=1.0, weight_decay=0.0)

    def load_model(self, shape: Shape) -> Model:
        """Its model for a task of this shape; `InputError` says why a user's module cannot be trained."""
        return load_model(self.model, shape, source=self.model_source, dropout=self.dropout)

    @property
    def work(self) -> float:
        """About how long a training takes, in steps of the window tagger on a CPU: for packing and for the time left."""
        return self.steps * _STEP_WORK.get(self.model, 1.0)


_DEFAULTS = {each.name: each.default for each in dataclasses.fields(Protocol)}
_STEP_WORK = {"window-tagger": 1.0, "bilstm-tagger": 2.6, "mlp": 0.12}

WINDOWS = Protocol("window-tagger", batch_size=256, steps=3200, validate_every=400, learning_rate=3e-3, unk_rate=0.05)
SENTENCES = Protocol(
    "bilstm-tagger", batch_size=32, steps=1000, validate_every=200, learning_rate=1e-2, unk_rate=0.05, length_group=16
)
ROWS = Protocol("mlp", batch_size=64, steps=1600, validate_every=100, learning_rate=1e-3)

_REFERENCE = {"windows": WINDOWS, "windows-tags": WINDOWS, "sentences": SENTENCES, "rows": ROWS}


def with_user_module(protocol: Protocol, text: str) -> Protocol:
    """The protocol with the user's module `FILE.py:NAME` as its model; `InputError` if there is no such file."""
    model, source = locate_module(text)
    return dataclasses.replace(protocol, model=model, model_source=source)


def reference_protocol(task: TaskSpec) -> Protocol:
    """The protocol that a task is trained under unless a suite says otherwise: it follows from the kind of its items."""
    return _REFERENCE[task.kind]
