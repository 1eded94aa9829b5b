"""A results directory: one JSON file per run, failure and cost, and files of predictions; written whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from pydantic import TypeAdapter, ValidationError

from bench.errors import InputError
from bench.records import npz
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import LATER, SCHEMA, Cost, Failure, Record, Study

Stored = TypeVar("Stored", Record, Failure, Cost, Study)

RUNS, OLD_RUNS = "runs", "trainings"
"""The folder of records, and its name in older results directories, whose records are still read.

Records are written to `runs/` only; one that replaces an older file removes it, so that a run has one file.
"""

_FOLDERS = (RUNS, "failures", "costs", "predictions", "truths", "tables", "figures")
_UNREADABLE = "its record cannot be read; running the suite again replaces it"


class Store:
    """The files of one study, written by one command or by several that resume or extend it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def study(self) -> Study:
        """Return the study of the directory; `InputError` if there is none, or it is damaged."""
        if not (self.directory / "study.json").is_file():
            raise InputError(
                f"{self.directory} holds no study (no study.json); give a directory that `imbench run` wrote, "
                "such as results/quick-cpu"
            )
        study = self.find_study()
        assert study is not None
        return study

    def find_study(self) -> Study | None:
        """Return the study of the directory, None if there is none; `InputError` if it is damaged."""
        path = self.directory / "study.json"
        study = _read(path, Study)
        if path.is_file() and (study is None or study.schema_version != SCHEMA):
            raise InputError(
                f"{path}: cannot be read as a study of this version; move it away and run the suite again: finished runs are kept"
            )
        return study

    def begin(self, study: Study) -> None:
        """Write down the study that is about to be run. A directory is bound to one kind of device and one torch version."""
        self.check_environment(study.environment)
        _write(self.directory / "study.json", study)
        _write_text(self.directory / "environment.json", json.dumps(study.environment, indent=1, sort_keys=True) + "\n")

    def check_environment(self, environment: Mapping[str, str]) -> None:
        """Raise an `InputError` if the directory holds runs of another kind of device or torch version."""
        known = self.find_study()  # refuses a damaged study rather than overwriting it
        bound_to = self._environment() if known is None else known.environment
        for key in ("device", "torch"):
            if bound_to.get(key, environment[key]) != environment[key]:
                raise InputError(
                    f"{self.directory} was run with {key} {bound_to[key]}, this is {environment[key]}: "
                    "their numbers must not be mixed; choose another directory with --out"
                )

    def check_place(self) -> None:
        """Raise an `InputError` if results cannot be written here: before training, so that nothing is lost."""
        check_place(self.directory, self.directory, *(self.directory / name for name in _FOLDERS))

    def _environment(self) -> dict[str, str]:
        """Return the environment of the directory's runs, kept even if the study is moved away; empty before the first run."""
        path = self.directory / "environment.json"
        try:
            environment: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError:
            raise InputError(f"{path}: cannot be read; choose another directory with --out") from None
        return environment

    def add(self, outcome: Record | Failure, predicted: PredictedClasses | None = None) -> None:
        """Store the outcome of a run; a record replaces an earlier failure of the same run.

        Predictions are written first, because a run counts as done as soon as its record exists.
        """
        if predicted is not None:
            self._write_predictions(outcome.id, predicted)
        file = f"{outcome.id}.json"
        if isinstance(outcome, Failure):
            _write(self.directory / "failures" / file, outcome)
            return
        _write(self.directory / RUNS / file, outcome)
        for folder in (OLD_RUNS, "failures"):
            (self.directory / folder / file).unlink(missing_ok=True)

    def _write_predictions(self, id: str, predicted: PredictedClasses) -> None:
        """Write predictions, and the truth once for all runs that share it, under its hash: some splits depend on the seed."""
        truth, classes = predicted.truth, predicted.classes
        content = {"classes": truth.classes, "num_classes": np.array(truth.num_classes)}
        content |= {} if truth.sentences is None else {"sentences": truth.sentences}
        content |= {} if truth.rows is None else {"rows": truth.rows}
        # As bytes: an array of strings would give each as much room as the longest.
        content |= {} if truth.texts is None else {"texts": np.frombuffer(_join_lines(truth.texts), np.uint8)}
        name = npz.content_hash(content)
        if self._truth(name) is None:
            _write_bytes(self._truth_path(name), npz.to_npz(content))
        by_adjustment = {"adjustments": np.array(list(classes)), "classes": np.stack(list(classes.values()))}
        if predicted.probabilities is not None:
            by_adjustment["probabilities"] = predicted.probabilities
        _write_bytes(self._predictions_path(id), npz.to_npz({"truth": np.array(name), **by_adjustment}))

    def load_predictions(self, id: str) -> PredictedClasses | None:
        """Return the predictions of a run's chosen checkpoint on test; None if they were not kept, or cannot be read."""
        arrays = npz.read_npz(self._predictions_path(id), "truth", "adjustments", "classes")
        truth = None if arrays is None else self._truth(str(arrays["truth"]))
        if arrays is None or truth is None:
            return None
        classes = dict(zip(arrays["adjustments"].tolist(), arrays["classes"], strict=True))
        return PredictedClasses(truth, classes, arrays.get("probabilities"))

    def _truth(self, name: str) -> TrueClasses | None:
        arrays = npz.read_npz(self._truth_path(name), "classes", "num_classes")
        if arrays is None or npz.content_hash(arrays) != name:
            return None
        texts = None if "texts" not in arrays else tuple(arrays["texts"].tobytes().decode().split("\n"))
        return TrueClasses(
            arrays["classes"], int(arrays["num_classes"]), arrays.get("sentences"), arrays.get("rows"), texts
        )

    def _predictions_path(self, id: str) -> Path:
        return self.directory / "predictions" / f"{id}.npz"

    def _truth_path(self, name: str) -> Path:
        return self.directory / "truths" / f"{name}.npz"

    def add_cost(self, key: str, cost: Cost) -> None:
        """Store a cost measurement under the id of the run whose cost it is."""
        _write(self.directory / "costs" / f"{key}.json", cost)

    def record(
        self, id: str, adjustments: Iterable[str] = (), versions: Mapping[str, int] | None = None
    ) -> Record | None:
        """Return the record of a run, None unless it exists, can be read, and holds an evaluation under each adjustment.

        Evaluations under other versions of the adjustments than `versions` are left out, where these are given.
        """
        record = _read(self._record_path(id), Record)
        if record is None or record.id != id or record.schema_version != SCHEMA:
            return None
        record = record if versions is None else record.of_versions(versions)
        return record if record.is_complete and all(map(record.has_adjustment, adjustments)) else None

    def unreadable(self, study: Study) -> dict[Path, Failure]:
        """Return the files of records that exist but do not count, and the failure of the run that each of them stands for."""
        return {
            self._record_path(id): Failure(id, row.task, row.strategy, seed, _UNREADABLE)
            for row in study.strategies
            for seed, id, _ in row.planned_runs()
            if self._record_path(id).is_file() and self.record(id) is None
        }

    def _record_path(self, id: str) -> Path:
        """Return the file of a record, in the older folder if it is only there."""
        path, old = (self.directory / folder / f"{id}.json" for folder in (RUNS, OLD_RUNS))
        return old if old.is_file() and not path.is_file() else path

    def failure(self, id: str) -> Failure | None:
        """Return why a run failed, None if it did not."""
        return _read(self.directory / "failures" / f"{id}.json", Failure)

    def cost(self, key: str) -> Cost | None:
        """Return a cost measurement, None if there is none."""
        return _read(self.directory / "costs" / f"{key}.json", Cost)


def _join_lines(texts: Iterable[str]) -> bytes:
    return "\n".join(text.replace("\n", " ") for text in texts).encode(errors="backslashreplace")


_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {kind: TypeAdapter(kind) for kind in (Record, Failure, Cost, Study)}


def _read(path: Path, kind: type[Stored]) -> Stored | None:
    """Return what a file holds, None if it is missing or not valid: then it is produced again."""
    try:
        read: Stored = _ADAPTERS[kind].validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return read


def _write(path: Path, value: Any) -> None:
    text = _ADAPTERS[type(value)].dump_json(value, indent=1, exclude=_later_defaults(value)).decode()
    _write_text(path, text + "\n")


def _later_defaults(value: Any) -> dict[Any, Any]:
    """Return the fields of a value, and of its parts, that are left out of its file (see `LATER`), as pydantic's `exclude`."""
    within: dict[Any, Any] = {}
    if is_dataclass(value):
        within = {field.name: _left_out(value, field) for field in fields(value)}
    elif isinstance(value, list):
        within = {place: _later_defaults(item) for place, item in enumerate(value) if is_dataclass(item)}
    return {key: excluded for key, excluded in within.items() if excluded}


def _left_out(owner: Any, field: Field[Any]) -> bool | dict[Any, Any]:
    """Return whether a field is left out or, where it is not, what is left out within it."""
    value = getattr(owner, field.name)
    default = field.default if field.default_factory is MISSING else field.default_factory()
    return True if field.metadata == LATER and value == default else _later_defaults(value)


def _write_text(path: Path, text: str) -> None:
    _write_bytes(path, text.encode())


def _write_bytes(path: Path, content: bytes) -> None:
    """Write to a temporary file, flush it to the disk and rename it: others see the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def drop_none(values: Iterable[Stored | None]) -> list[Stored]:
    """Return the values that are not None."""
    return [value for value in values if value is not None]


def check_place(given: Path, *folders: Path) -> None:
    """Raise an `InputError` if `folders` of the directory `given` cannot be written to."""
    for folder in folders:
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        why = "read-only" if existing.is_dir() else "a file"
        if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
            raise InputError(
                f"{given}: results cannot be written here: {existing} is {why}; give another directory with --out"
            )
