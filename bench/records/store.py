"""A results directory: one JSON file a training, a failure, a cost, and what was predicted; written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from bench.errors import InputError
from bench.records import npz as arrays
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import SCHEMA, Cost, Failure, Record, Study

Stored = TypeVar("Stored", Record, Failure, Cost, Study)

EVALUATIONS = {("chosen", "valid"), ("chosen", "test"), ("last", "test")}
"""(checkpoint, split) that a record must hold to count as done."""


_FOLDERS = ("trainings", "failures", "costs", "predictions", "truths", "tables", "figures")
_UNREADABLE = "its record cannot be read; the next run trains it again"


class Store:
    """The files of one run, and of the runs that go on where it stopped."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def study(self) -> Study:
        """What the directory is meant to hold; `InputError` if no run has begun here."""
        if not (self.directory / "study.json").is_file():
            raise InputError(
                f"{self.directory} holds no run (no study.json); give a directory that `imbench run` wrote, "
                "such as results/quick-cpu"
            )
        study = self.known()
        assert study is not None
        return study

    def known(self) -> Study | None:
        """What an earlier run wrote down, None if there was none; `InputError` if it is damaged."""
        path = self.directory / "study.json"
        study = _read(path, Study)
        if path.is_file() and (study is None or study.schema_version != SCHEMA):
            raise InputError(
                f"{path}: cannot be read as a study of this version; move it away and run the suite again: what was trained is "
                "kept"
            )
        return study

    def begin(self, study: Study) -> None:
        """Writes down what is about to be run. A directory is bound to one device kind and one torch version."""
        known = self.known()  # refuses a damaged study, which must not be replaced unseen
        bound_to = self._environment() if known is None else known.environment
        for key in ("device", "torch"):
            if bound_to.get(key, study.environment[key]) != study.environment[key]:
                raise InputError(
                    f"{self.directory} was run with {key} {bound_to[key]}, this is {study.environment[key]}: "
                    "their numbers must not be mixed; choose another directory with --out"
                )
        _write(self.directory / "study.json", study)
        _write_text(self.directory / "environment.json", json.dumps(study.environment, indent=1, sort_keys=True) + "\n")

    def check_place(self) -> None:
        """`InputError` if results cannot be written here: asked before anything is trained that would be lost."""
        check_place(self.directory, self.directory, *(self.directory / name for name in _FOLDERS))

    def _environment(self) -> dict[str, str]:
        """Where its trainings were run, which outlives a study that was moved away; empty before the first run."""
        path = self.directory / "environment.json"
        try:
            environment: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise InputError(f"{path}: cannot be read; choose another directory with --out") from None
        return environment

    def add(self, outcome: Record | Failure, predicted: PredictedClasses | None = None) -> None:
        """Keeps what a training left; a record replaces an earlier failure of the same training.

        What it predicted comes first, since a training is done as soon as its record is there.
        """
        if predicted is not None:
            self._keep(outcome.id, predicted)
        folder = "trainings" if isinstance(outcome, Record) else "failures"
        _write(self.directory / folder / f"{outcome.id}.json", outcome)
        if isinstance(outcome, Record):
            (self.directory / "failures" / f"{outcome.id}.json").unlink(missing_ok=True)

    def _keep(self, id: str, predicted: PredictedClasses) -> None:
        """The truth once for all that have it, by its hash, since some tasks' splits depend on the seed."""
        truth, classes = predicted.truth, predicted.classes
        content = {"classes": truth.classes, "num_classes": np.array(truth.num_classes)}
        content |= {} if truth.sentences is None else {"sentences": truth.sentences}
        name = arrays.content_hash(content)
        if self._truth(name) is None:
            _write_bytes(self._truth_path(name), arrays.packed(content))
        under = {"adjustments": np.array(list(classes)), "classes": np.stack(list(classes.values()))}
        _write_bytes(self._predictions_path(id), arrays.packed({"truth": np.array(name), **under}))

    def predicted(self, id: str) -> PredictedClasses | None:
        """What a training's chosen checkpoint predicts on test; None where that was not kept, or cannot be read."""
        found = arrays.read(self._predictions_path(id), "truth", "adjustments", "classes")
        truth = None if found is None else self._truth(str(found["truth"]))
        if found is None or truth is None:
            return None
        return PredictedClasses(truth, dict(zip(found["adjustments"].tolist(), found["classes"], strict=True)))

    def _truth(self, name: str) -> TrueClasses | None:
        found = arrays.read(self._truth_path(name), "classes", "num_classes")
        if found is None or arrays.content_hash(found) != name:
            return None
        return TrueClasses(found["classes"], int(found["num_classes"]), found.get("sentences"))

    def _predictions_path(self, id: str) -> Path:
        return self.directory / "predictions" / f"{id}.npz"

    def _truth_path(self, name: str) -> Path:
        return self.directory / "truths" / f"{name}.npz"

    def add_cost(self, key: str, cost: Cost) -> None:
        """Keeps one cost measurement under the id of the training whose cost it is."""
        _write(self.directory / "costs" / f"{key}.json", cost)

    def record(self, id: str, adjustments: Iterable[str] = ()) -> Record | None:
        """The record of a training, None unless it is there, readable, and holds every evaluation asked for."""
        record = _read(self._record_path(id), Record)
        if record is None or record.id != id or record.schema_version != SCHEMA:
            return None
        complete = {(each.checkpoint, each.split) for each in record.evaluations} >= EVALUATIONS
        return record if complete and all(map(record.has_adjustment, adjustments)) else None

    def unreadable(self, study: Study) -> dict[Path, Failure]:
        """The files of records that are there and do not count, and what they mean for the study's trainings."""
        return {
            self._record_path(id): Failure(id, row.task, row.strategy, seed, _UNREADABLE)
            for row in study.strategies
            for seed, id, _ in row.planned_runs()
            if self._record_path(id).is_file() and self.record(id) is None
        }

    def _record_path(self, id: str) -> Path:
        return self.directory / "trainings" / f"{id}.json"

    def failure(self, id: str) -> Failure | None:
        """Why a training failed, None if it did not."""
        return _read(self.directory / "failures" / f"{id}.json", Failure)

    def cost(self, key: str) -> Cost | None:
        """A cost measurement, None if there is none."""
        return _read(self.directory / "costs" / f"{key}.json", Cost)


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Record, Failure, Cost, Study)}


def _read(path: Path, kind: type[Stored]) -> Stored | None:
    """None where there is no file or it is not what it should be: then it is made again."""
    try:
        read: Stored = _ADAPTERS[kind].validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return read


def _write(path: Path, value: Any) -> None:
    _write_text(path, _ADAPTERS[type(value)].dump_json(value, indent=1).decode() + "\n")


def _write_text(path: Path, text: str) -> None:
    _write_bytes(path, text.encode())


def _write_bytes(path: Path, content: bytes) -> None:
    """To a temporary file, flushed to the disk, then renamed: a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def drop_none(values: Iterable[Stored | None]) -> list[Stored]:
    """Those that are there."""
    return [value for value in values if value is not None]


def check_place(given: Path, *folders: Path) -> None:
    """`InputError` if `folders` of the directory `given` cannot be written to."""
    for folder in folders:
        there = next(each for each in (folder, *folder.parents) if each.exists())
        why = "read-only" if there.is_dir() else "a file"
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            raise InputError(
                f"{given}: results cannot be written here: {there} is {why}; give another directory with --out"
            )
