"""Tables that scikit-learn downloads: Covertype, KDD Cup 99, and any data set of OpenML by its number."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from http.client import HTTPException
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bench.errors import InputError
from bench.tasks.fetched_files import FetchedFiles
from bench.tasks.keel_files import TARGET
from bench.text.lines import one_line

if TYPE_CHECKING:
    import pandas as pd

OPENML = "openml:"
FILE = "table.parquet"


@dataclass(frozen=True)
class ScikitLearnTable:
    """A table that one of scikit-learn's functions downloads and verifies; its label becomes the last column, `TARGET`."""

    files: FetchedFiles
    notice: str
    download: Callable[..., Any]
    """Is called with `as_frame` and `data_home`, and returns scikit-learn's Bunch."""
    name: str

    @classmethod
    def of_openml(cls, text: str) -> ScikitLearnTable:
        """Return the data set `openml:ID`; raises an InputError where ID is no number."""
        number = text.removeprefix(OPENML).strip()
        if not number.isdecimal():
            raise InputError(f"{text}: OpenML's data sets have numbers; write {OPENML}ID, such as {OPENML}31")
        return cls(
            FetchedFiles(f"{OPENML}{number}", f"OpenML's data set {number}", (FILE,)),
            f"the licence and whom to cite are on the page of the data set: https://www.openml.org/d/{number}",
            partial(_fetch_openml, int(number)),
            f"https://www.openml.org/d/{number} (scikit-learn)",
        )

    def read(self) -> dict[str, bytes]:
        with TemporaryDirectory() as directory, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of retries, for example
            try:
                bunch = self.download(as_frame=True, data_home=directory)
            except (OSError, ValueError, HTTPException) as error:
                reason = one_line(str(error)) or type(error).__name__
                raise InputError(f"scikit-learn could not download it: {reason}") from None
        table = _plain_types(bunch.data.rename(columns={TARGET: f"{TARGET}_"}))
        if bunch.target is None:
            raise InputError("it names no column to predict")
        table[TARGET] = _plain_types(bunch.target.to_frame(TARGET))[TARGET]
        content = BytesIO()
        table.to_parquet(content, index=False)
        return {FILE: content.getvalue()}


def _plain_types(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns of bytes and mixed objects are numbers or strings."""
    columns = {}
    for name in table:
        values = table[name]
        if values.dtype == object:
            values = values.map(lambda value: value.decode() if isinstance(value, bytes) else value).infer_objects()
            values = values.map(str, na_action="ignore") if values.dtype == object else values
        columns[str(name)] = values
    return type(table)(columns)


def _fetch_openml(number: int, **arguments: Any) -> Any:
    from sklearn.datasets import fetch_openml

    return fetch_openml(data_id=number, parser="auto", **arguments)


def _fetch_covertype(**arguments: Any) -> Any:
    from sklearn.datasets import fetch_covtype

    return fetch_covtype(**arguments)


def _fetch_kddcup99(**arguments: Any) -> Any:
    from sklearn.datasets import fetch_kddcup99

    return fetch_kddcup99(**arguments)


TABLES = (
    ScikitLearnTable(
        FetchedFiles("covertype", "Covertype", (FILE,)),
        "covertype: CC BY 4.0; please cite Blackard (1998), Covertype, UCI Machine Learning Repository",
        _fetch_covertype,
        "scikit-learn's fetch_covtype",
    ),
    ScikitLearnTable(
        FetchedFiles("kddcup99", "KDD Cup 99", (FILE,)),
        "kddcup99: CC BY 4.0; please cite Stolfo et al. (1999), KDD Cup 1999 Data, UCI Machine Learning Repository",
        _fetch_kddcup99,
        "scikit-learn's fetch_kddcup99",
    ),
)
