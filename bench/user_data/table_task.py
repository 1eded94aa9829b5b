"""A table of a user as a task: its rows are the items, one of its columns is the label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.tasks.task import Task, TaskSpec


@dataclass(frozen=True)
class TableTask(TaskSpec):
    """The rows of a table, with the column `target` as label; `source.find_source` describes the fields."""

    path: str
    target: str
    text: str = ""
    group: str = ""
    time: str = ""
    valid_file: str = ""
    test_file: str = ""
    drop: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return Path(self.path).name

    @property
    def kind(self) -> str:
        return "rows"

    @property
    def data_location(self) -> str:
        return str(Path(self.path).resolve())

    def prepare(self) -> None:
        """Read and check the data, so that an error is found before anything is planned."""

    def load(self, rng: np.random.Generator) -> Task:
        raise NotImplementedError
