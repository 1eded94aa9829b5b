"""The protocol under which a model is trained: the same for every strategy that a table compares."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import InputError
from bench.estimators.estimator import Estimator, load_estimator, returns_estimator
from bench.estimators.estimator_table import ESTIMATORS, ESTIMATORS_VERSION, find_estimator, fit_work
from bench.models import find_facts, load_model
from bench.models.model import Model, Shape
from bench.models.user_module import locate_module
from bench.tasks.task import TaskSpec

EMBEDDING_ADAMS = ("row-lazy", "dense")


@dataclass(frozen=True)
class Protocol:
    """Model, optimiser and budget; `version` is raised when the meaning of a field changes.

    Its numbers mean the same on every device. `length_group` batches of sentences are sampled together and sorted by length
    before they are divided into batches.
    """

    model: str
    batch_size: int
    steps: int
    validate_every: int
    learning_rate: float
    unk_rate: float = 0.0
    """Share of training words replaced by UNK, so that the model learns to handle unknown words."""
    embedding_scale: float = 0.1
    """Standard deviation of a word's initial vector. With 1, the default of nn.Embedding, the initial noise outweighs what a
    rare word learns in its few steps: the baseline on conll2003-windows then reaches a macro-F1 of .72 instead of .79."""
    length_group: int = 1
    version: int = 1
    weight_decay: float = 0.0
    """Times the parameter, added to the gradient, as in torch.optim.Adam; a row-lazy embedding has none, as in SparseAdam."""
    clip_norm: float = 0.0
    """Largest norm of a run's gradient over all its parameters; 0: not clipped."""
    dropout: float = 0.0
    """Share of the last layer's inputs that is dropped in a training step."""
    embedding_adam: str = "row-lazy"
    """"row-lazy": only the words of a batch move, as under torch.optim.SparseAdam; "dense": all, as under torch.optim.Adam."""
    model_source: str = ""
    """A hash of the file, where the model is a user's module or estimator, `ABSOLUTE.py:NAME`; empty for others."""
    is_estimator: bool = False
    """Whether the model is an estimator of scikit-learn, fitted at once: then only model, source and version mean anything."""

    def check(self) -> None:
        """Raise an InputError that says what is allowed, if a field has a value that cannot be trained with."""
        for key, value in _ESTIMATOR_FIELDS.items() if self.is_estimator else ():
            if getattr(self, key) != value:
                raise InputError(
                    f"protocol: {key} has no effect on {self.model_name}, an estimator; leave it out; "
                    f"given: {getattr(self, key)!r}"
                )
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
                    f"protocol: {key} has no effect inside a user's module; leave it out, and implement it in "
                    f"{Path(self.model).name}; given: {getattr(self, key)!r}"
                )
        if self.steps % self.validate_every:
            raise InputError(
                f"protocol: steps must be a multiple of validate_every, so that the last step is validated; "
                f"given: steps={self.steps}, validate_every={self.validate_every}"
            )

    def identity(self) -> dict[str, Any]:
        """Return the fields, for ids and for studies.

        Fields that were added later are left out while they have their defaults, so that earlier records are still found.
        """
        if self.is_estimator:
            source = {"model_source": self.model_source} if self.model_source else {}
            return {"model": self.model_name, **source, "version": self.version}
        later = {
            key: _DEFAULTS[key]
            for key in ("weight_decay", "clip_norm", "dropout", "embedding_adam", "model_source", "is_estimator")
        }
        fields = {**dataclasses.asdict(self), "model": self.model_name}
        return {key: value for key, value in fields.items() if later.get(key, ...) != value}

    @property
    def model_name(self) -> str:
        """Name of the model in records and report: without the folder of the user's file."""
        return Path(self.model).name

    @property
    def user_module_note(self) -> str:
        """A note on a user's module for the report; empty for models of this package."""
        if not self.model_source or self.is_estimator:
            return ""
        return f"model {self.model_name}, a user's module, trained by the adapter one run of a stack at a time"

    @property
    def without_rates(self) -> Protocol:
        """What the runs of one stack have in common; learning rate and weight decay may differ."""
        return dataclasses.replace(self, learning_rate=1.0, weight_decay=0.0)

    def load_estimator(self) -> Estimator:
        """Return the estimator that the model names; raises an InputError if a user's file cannot be run."""
        return load_estimator(self.model, self.model_source)

    def load_model(self, shape: Shape) -> Model:
        """Return the model for a task of this shape; raises an InputError if a user's module cannot be trained."""
        return load_model(self.model, shape, source=self.model_source, dropout=self.dropout)

    @property
    def work(self) -> float:
        """About how long a run takes, in steps of the window tagger on a CPU: for packing and for the time left."""
        if self.is_estimator:
            return fit_work(self.model)
        return self.steps * find_facts(self.model).step_work


_DEFAULTS = {field.name: field.default for field in dataclasses.fields(Protocol)}

WINDOWS = Protocol("window-tagger", batch_size=256, steps=3200, validate_every=400, learning_rate=3e-3, unk_rate=0.05)
SENTENCES = Protocol(
    "bilstm-tagger", batch_size=32, steps=1000, validate_every=200, learning_rate=1e-2, unk_rate=0.05, length_group=16
)
ROWS = Protocol("mlp", batch_size=64, steps=1600, validate_every=100, learning_rate=1e-3)

_REFERENCE = {"windows": WINDOWS, "windows-tags": WINDOWS, "sentences": SENTENCES, "rows": ROWS}


_ESTIMATOR = Protocol(
    "", batch_size=1, steps=1, validate_every=1, learning_rate=1.0, version=ESTIMATORS_VERSION, is_estimator=True
)
"""A fit counts as one step."""

_ESTIMATOR_FIELDS = {
    key: value
    for key, value in dataclasses.asdict(_ESTIMATOR).items()
    if key not in ("model", "model_source", "version", "is_estimator")
}


def with_user_module(protocol: Protocol, text: str) -> Protocol:
    """Return the protocol with the user's module `FILE.py:NAME` as its model; raises an InputError if there is no such file."""
    model, source = locate_module(text)
    return dataclasses.replace(protocol, model=model, model_source=source)


def with_learner(protocol: Protocol, text: str) -> Protocol:
    """Return the protocol with another model: an estimator by name, or what `FILE.py:NAME` returns, a module or an estimator.

    Raises an InputError if there is no such estimator or file, or if the file cannot be run.
    """
    if text == protocol.model:
        return protocol
    if find_estimator(text) is not None:
        return dataclasses.replace(_ESTIMATOR, model=text)
    if not text.rpartition(":")[0].endswith(".py"):
        raise InputError(
            f"model {text!r}: give FILE.py:NAME, a function that returns an nn.Module or a classifier of scikit-learn, or "
            f"{', '.join(estimator.name for estimator in ESTIMATORS)}; leave it out for the model that fits the task"
        )
    changed = with_user_module(protocol, text)
    if returns_estimator(changed.model, changed.model_source):
        return dataclasses.replace(_ESTIMATOR, model=changed.model, model_source=changed.model_source)
    return changed


def reference_protocol(task: TaskSpec) -> Protocol:
    """Return the protocol for the kind of a task's items, which a suite may change."""
    return _REFERENCE[task.kind]
