"""Files that hold a table: delimited text, Parquet, JSON lines; and tables that Python holds, as such a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from bench.errors import InputError
from bench.text.lines import one_line
from bench.user_data.delimited_text import DelimitedTable, parse_delimited, quote_start
from bench.user_data.file_content import GZIP, PARQUET, FileContent, decode, read_file

_BEGINNING = 1 << 18
"""Bytes of a file in which the names of its columns are looked for."""
_FIRST_ROWS = 10_000
"""Rows that are read of a Parquet file in their place."""
_EACH_LINE = 'each line must be an object, {"column": value}'
_PARQUET_NAMES = (".parquet", ".pq")


@dataclass(frozen=True)
class TableFile:
    """The table of a file: strings from text, types from Parquet and JSON lines; no column occurs twice, none lacks a name."""

    path: Path
    frame: pd.DataFrame
    notes: tuple[str, ...]
    code: str
    """A Python expression that reads the file `path`: `pd` is pandas, other names are modules of Python."""

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(map(str, self.frame.columns))

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.frame)

    def column(self, name: str) -> pd.Series:
        """Return all values of a column."""
        return self.frame[name]

    def chunks(self, names: Sequence[str]) -> Iterator[pd.DataFrame]:
        """Yield all rows, with these columns, at once."""
        yield self.frame[list(names)]


def read_table(path: Path, wanted: Collection[str] = ()) -> TableFile:
    """Read a table from a file, which may be packed by gzip.

    Parameters
    ----------
    path
        The file: delimited text, Parquet, or JSON lines. Its content decides which, not its name.
    wanted
        Names of columns that the user asked for, which tell a line of names from a row.

    Raises
    ------
    InputError
        If the file is missing, empty, cut off or no table.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "fraud.csv"
    >>> _ = path.write_text("amount;is_fraud\\n12,5;no\\n900;yes\\n")
    >>> table = read_table(path)
    >>> list(table.frame), len(table.frame), table.notes
    (['amount', 'is_fraud'], 2, ('the columns are separated by semicolons',))
    """
    if path.is_dir():
        raise InputError(f"{path}: a directory; name a file in it")
    content, packed = read_file(path)
    return _read_content(path, content, wanted, packed=packed)


def read_column_names(path: Path) -> list[str]:
    """Return the names of a table's columns, from the beginning of its file where that is enough.

    Raises an InputError as `read_table` does.
    """
    with suppress(InputError, OSError, pa.ArrowException):
        if is_parquet(path):
            return [str(name) for name in pa.parquet.read_schema(path).names]
    return list(map(str, read_first_rows(path)))


def read_first_rows(path: Path) -> pd.DataFrame:
    """Return a table's first rows, from the beginning of its file where that is enough, else all rows.

    Raises an InputError as `read_table` does.
    """
    with suppress(InputError, OSError, pa.ArrowException):  # a row or an array is cut off, for example
        if is_parquet(path):
            with pa.parquet.ParquetFile(path) as parquet:
                return pd.DataFrame(next(parquet.iter_batches(_FIRST_ROWS)).to_pandas())
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
        if not beginning.startswith(GZIP):
            return _read_content(path, beginning[: beginning.rfind(b"\n") + 1], packed=False).frame
    return read_table(path).frame


def _read_content(path: Path, content: bytes, wanted: Collection[str] = (), *, packed: bool) -> TableFile:
    if content.startswith(PARQUET):
        return _read_parquet(path, content)
    if path.name.lower().endswith(_PARQUET_NAMES):
        raise InputError(
            f"{path}: the file is no Parquet, whatever its name: it begins with {content[:8]!r}; check the file"
        )
    text = decode(path, content)
    if text.utf8.lstrip()[:1] in (b"{", b"["):
        return _read_json(path, text, packed=packed)
    table = parse_delimited(path, text, wanted)
    code = _delimited_code(table, text, packed=packed)
    return TableFile(path, table.frame, (*text.notes, *table.notes), code)


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a data frame as Parquet, with the types that it has; an InputError if two columns have the same name.

    Names that are no strings become strings, and values of an object column that Parquet cannot hold together do so too. The
    index is not written.
    """
    names = [one_line("_".join(map(str, name)) if isinstance(name, tuple) else str(name)) for name in frame.columns]
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(
            f"the data frame has {len(repeated)} names that occur twice, such as {repeated[0]!r}; rename the columns"
        )
    frame = frame.set_axis(names, axis=1).reset_index(drop=True)
    columns = []
    for name in names:
        try:
            columns.append(pa.Array.from_pandas(frame[name]))
        except (pa.ArrowException, TypeError, ValueError):
            text = frame[name].map(str, na_action="ignore")
            columns.append(pa.Array.from_pandas(text.astype(object)))
    pa.parquet.write_table(pa.table(columns, names=names), path)


def _read_parquet(path: Path, content: bytes) -> TableFile:
    try:
        table = pa.parquet.read_table(pa.BufferReader(content))
    except (pa.ArrowException, OSError) as error:
        raise damaged_parquet(path, error) from None
    frame, code = table.to_pandas(), "pd.read_parquet(path)"
    if not isinstance(frame.index, pd.RangeIndex):
        frame, code = frame.reset_index(), f"{code}.reset_index()"
    return TableFile(path, _name_columns(path, frame), (), code)


def is_parquet(path: Path) -> bool:
    """Return whether a file begins as Parquet does."""
    with path.open("rb") as file:
        return file.read(len(PARQUET)) == PARQUET


def damaged_parquet(path: Path, error: Exception) -> InputError:
    """Return the error for a Parquet file that cannot be read."""
    return InputError(
        f"{path}: the Parquet file is cut off or damaged ({quote_start(str(error))}); copy or download it again"
    )


def _read_json(path: Path, text: FileContent, *, packed: bool) -> TableFile:
    """Read one object per line, or one array of objects."""
    content = text.utf8.decode()
    lines = not content.lstrip().startswith("[")
    try:
        records = [_parse_line(path, *item) for item in _numbered(content)] if lines else json.loads(content)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":  # after the array of the first line
            raise InputError(f"{path}:1: an array; {_EACH_LINE}") from None
        raise InputError(
            f"{path}:{error.lineno}: no JSON: {error.msg}; write one object per line, such as "
            '{"amount": 12.5, "fraud": false}'
        ) from None
    first = records[0] if len(records) == 1 and isinstance(records[0], Mapping) else {}
    if any(isinstance(value, list | dict) for value in first.values()):
        raise InputError(
            f"{path}: a single object, which holds whole columns; write one object per row, as "
            "pandas.DataFrame(...).to_json(path, orient='records', lines=True) does"
        )
    if not records or not all(isinstance(record, Mapping) for record in records):
        raise InputError(f"{path}: the file holds other values than objects; {_EACH_LINE}")
    whole = f"pathlib.Path(path).read_text({text.encoding!r})"
    if packed:
        whole = f"gzip.decompress(pathlib.Path(path).read_bytes()).decode({text.encoding!r})"
    objects = f"map(json.loads, filter(str.strip, {whole}.split('\\n')))" if lines else f"json.loads({whole})"
    code = f"pd.DataFrame({objects})"
    try:
        frame = pd.DataFrame.from_records(records)
    except UnicodeEncodeError as error:
        raise InputError(
            f"{path}: a string holds {error.object[error.start]!r}, half of a character; correct it, such as with "
            'text.encode("utf-8", "replace").decode()'
        ) from None
    return TableFile(path, _name_columns(path, frame), text.notes, code)


def _numbered(content: str) -> list[tuple[int, str]]:
    lines = content.split("\n")  # not splitlines: strings may hold line separators of Unicode
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _parse_line(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path}:{number}: no JSON: {error.msg} at character {error.colno}; write one object per line, "
            'such as {"amount": 12.5, "fraud": false}'
        ) from None


def _name_columns(path: Path, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose columns have names that are strings; an InputError if it has none, or no rows, or a name twice."""
    names = check_names(path, list(map(str, frame.columns)))
    if frame.empty:
        raise InputError(f"{path}: the file has columns ({', '.join(names[:5])}) but no rows; add them")
    return frame.set_axis(names, axis=1)


def check_names(path: Path, names: Sequence[str]) -> list[str]:
    """Return names of columns, each on one line and not empty; an InputError if one occurs twice, or if there is only one."""
    names = [one_line(name) or f"column{place}" for place, name in enumerate(names, start=1)]
    if len(names) < 2:
        raise InputError(
            f"{path}: {len(names)} columns; a table needs a column to predict and others to predict it from"
        )
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError(f"{path}: more than one column is called {repeated[0]!r}; give each a name of its own")
    return names


def _delimited_code(table: DelimitedTable, text: FileContent, *, packed: bool) -> str:
    """Return the call of pandas that reads delimited text as it was read here."""
    named = table.header_line > 0  # then a new file may have its columns in another order
    skipped = (table.header_line if named else table.first_line) - 1
    arguments: dict[str, Any] = {"sep": r"\s+" if table.delimiter == " " else table.delimiter}
    arguments |= {"header": 0} if named else {"header": None, "names": list(table.frame), "index_col": False}
    if skipped or table.skipped:
        arguments["skiprows"] = [*range(skipped), *(line - 1 for line in table.skipped)] if table.skipped else skipped
    arguments |= {"dtype": "str", "keep_default_na": False}
    if text.encoding != "utf-8":
        arguments["encoding"] = text.encoding
    if packed:
        arguments["compression"] = "gzip"
    call = f"pd.read_csv(path, {', '.join(f'{name}={value!r}' for name, value in arguments.items())})"
    return f"{call}.rename(columns=lambda name: ' '.join(name.split()))" if named else call
