"""Delimited text: which character parts the columns, where their names are, and its rows as columns of strings."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.csv

from bench.errors import InputError
from bench.text.lines import one_line
from bench.text.numbers import plural
from bench.user_data.file_content import FileContent

DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", "^": "carets", "~": "tildes", ":": "colons"}
"""Characters that part columns, the more common first, and their names."""
_BLANKS = " "
_SAMPLE = 1 << 18
"""Characters from which the delimiter and the names of the columns are found."""
_LONGEST_FIELD, _BLOCK = 1 << 30, 1 << 22
_LINE_END = re.compile(r"\r\n|\n|\r")
_NUMBER = re.compile(r"[+-]?(\d+([.,]\d*)*|[.,]\d+)([eE][+-]?\d+)?%?")


class DelimitedRow(NamedTuple):
    """The values of a row, the number of its first line, and of the line after it."""

    line: int
    end: int
    values: list[str]

    @property
    def is_blank(self) -> bool:
        return not any(value.strip() for value in self.values) and len(self.values) <= 1

    @property
    def is_comment(self) -> bool:
        return self.values[0].lstrip().startswith("#")


@dataclass(frozen=True)
class DelimitedTable:
    """A table of strings, and how its file is written."""

    frame: pd.DataFrame
    delimiter: str
    header_line: int
    """Number of the line that holds exactly the names of the columns, from 1; 0 if the names were made or changed."""
    first_line: int
    """Number of the first line with values."""
    skipped: tuple[int, ...]
    """Numbers of the lines after it that are no rows, where there are comments or lines of blanks."""
    notes: tuple[str, ...]


def parse_delimited(path: Path, content: FileContent, wanted: Collection[str] = ()) -> DelimitedTable:
    """Return the table that is written in delimited text.

    Parameters
    ----------
    path
        The file, for messages and for its ending.
    content
        Its text.
    wanted
        Names of columns that the user asked for: a first line that holds one of them names the columns.

    Raises
    ------
    InputError
        If there are less than two columns, no rows, names twice, rows of another width, or a quote that is never closed.
    """
    text = content.utf8[:_SAMPLE].decode(errors="ignore")
    if len(content.utf8) > _SAMPLE:
        text = text[: max(text.rfind("\n"), text.rfind("\r")) + 1] or text
    if re.match(r"(\s*%.*\n)*\s*@relation\b", text, re.IGNORECASE):
        raise InputError(
            f"{path}: the file is ARFF: pandas.DataFrame(scipy.io.arff.loadarff(path)[0]).to_parquet(...) converts it"
        )
    if all(line.lstrip().startswith("#") for line in text.splitlines() if line.strip()):
        raise InputError(f"{path}: the file holds comments alone; add rows")
    notes = []
    delimiter = ""
    if match := re.match(r"sep=(.)\r?\n", text):  # Excel's own line
        delimiter = match[1]
    delimiter = delimiter or _find_delimiter(path, text)
    if delimiter not in (",", "\t") or (delimiter == "\t") == (path.name.lower().removesuffix(".gz").endswith(".csv")):
        notes.append(f"the columns are separated by {DELIMITERS.get(delimiter, 'blanks')}")
    header = _find_header(path, text, delimiter, skip=1 if match else 0, wanted=wanted)
    notes += header.notes
    body = _cut_lines(content.utf8, header.first_line - 1)
    if delimiter == _BLANKS:
        body = _separate_by_tabs(body)
    comments: list[int] = []
    left_out: list[int] = []
    try:
        frame = _parse_rows(body, header.names, "\t" if delimiter == _BLANKS else delimiter)
        if content.utf8.count(b'"') % 2:
            _check_rows(path, body, delimiter, header)
    except pa.ArrowInvalid:
        comments, left_out = _check_rows(path, body, delimiter, header)
        frame = _parse_rows(_without_lines(body, left_out), header.names, "\t" if delimiter == _BLANKS else delimiter)
        if comments:
            notes.append(
                f"comments in the table skipped: {plural(len(comments), 'line')}, the first is line {comments[0]}"
            )
    if frame.empty:
        raise InputError(f"{path}: the file names columns ({', '.join(header.names[:5])}) but holds no rows; add them")
    first = frame.iloc[:, 0] == header.names[0]
    if first.any() and (frame[first] == header.names).all(axis=1).any():
        line = next(
            r.line for r in read_records(body.decode(), delimiter) if list(map(one_line, r.values)) == header.names
        )
        raise InputError(f"{path}:{header.first_line - 1 + line}: the line repeats the names of the columns; delete it")
    skipped = tuple(header.first_line - 1 + number for number in left_out)
    return DelimitedTable(frame, delimiter, header.line, header.first_line, skipped, tuple(notes))


def read_records(text: str, delimiter: str) -> Iterator[DelimitedRow]:
    """Yield the rows of delimited text; a quoted value may hold delimiters and line ends."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=delimiter == _BLANKS)
    line = 1
    for values in reader:
        if delimiter == _BLANKS and values and not values[-1]:
            values = values[:-1]  # blanks at the end of the line
        yield DelimitedRow(line, reader.line_num + 1, values or [""])
        line = reader.line_num + 1


def _find_delimiter(path: Path, text: str) -> str:
    """Return the delimiter that gives most rows the same number of columns, two at least; the more common of equals."""

    def score(delimiter: str) -> tuple[float, int]:
        records = [record for record in read_records(text, delimiter) if not record.is_blank]
        widths = Counter(len(record.values) for record in records if not record.is_comment) or Counter({1: 1})
        width, count = max(widths.items(), key=lambda item: (item[1], item[0]))
        # The first row names the columns, so a delimiter that it lacks parts something else, such as decimals.
        share = count / widths.total() if width > 1 else 0.0
        return round(share, 2), width

    scores = {delimiter: score(delimiter) for delimiter in DELIMITERS}
    best = max(list(scores)[:4], key=scores.__getitem__)
    if scores[best][0] > 0.8:
        return best
    best = max([*scores, _BLANKS], key=lambda delimiter: scores.get(delimiter) or score(delimiter))
    if best in scores and scores[best][0] > 0.5:
        return best
    if score(_BLANKS)[0] > 0.95:
        return _BLANKS
    raise InputError(
        f"{path}: no columns found: no comma, tab, semicolon, bar or blank parts the lines alike; the first line is "
        f"{quote_start(text)}; separate the columns by commas"
    )


@dataclass(frozen=True)
class _Header:
    names: list[str]
    line: int
    first_line: int
    notes: list[str]


def _find_header(path: Path, text: str, delimiter: str, *, skip: int, wanted: Collection[str]) -> _Header:
    """Return the names of the columns and the line after them; names of their places where the file has none."""
    notes = []
    records = [record for record in read_records(text, delimiter) if not record.is_blank and record.line > skip]
    comments = 0
    while comments < len(records) and records[comments].is_comment:
        comments += 1
    rest = records[comments:]
    width = Counter(len(record.values) for record in rest).most_common(1)[0][0] if rest else 0
    if comments and (not rest or len(records[comments - 1].values) == width > 1):
        comments -= 1  # the names are in a line that begins with #
        rest = records[comments:]
    if comments:
        notes.append(f"{plural(comments, 'line')} of comments skipped")
    head, rows = rest[0], rest[1:]
    cells = [head.values[0].lstrip()[1:], *head.values[1:]] if head.is_comment else head.values
    names = [one_line(cell) for cell in cells]
    if not set(names) & set(wanted) and any(_NUMBER.fullmatch(name) for name in names):
        notes.append(
            f"line {head.line} holds numbers ({quote_start(delimiter.join(names))}), so it is read as a row, and the columns are "
            f"called column1 to column{len(names)}"
        )
        return _Header([f"column{place}" for place in range(1, len(names) + 1)], 0, head.line, notes)
    if rows and len(names) == width - 1 and all(len(row.values) in (width, 1) for row in rows):
        at_end = all(not row.values[-1].strip() for row in rows if len(row.values) == width)
        names = [*names, ""] if at_end else ["", *names]  # R writes no name above the names of rows
    if len(names) < 2:
        raise InputError(
            f"{path}: a single column, {names[0]!r}; a table needs a column to predict and others to predict it from"
        )
    repeated = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if repeated:
        places = [str(place) for place, name in enumerate(names, start=1) if name == repeated[0]]
        raise InputError(
            f"{path}: {len(places)} columns are called {repeated[0]!r} (columns {', '.join(places)}); give each a name of its "
            f"own in line {head.line}"
        )
    # Programs for users name columns by the blanks in them alone.
    line = head.line if names == [" ".join(value.split()) for value in head.values] and all(names) else 0
    return _Header([name or f"column{place}" for place, name in enumerate(names, start=1)], line, head.end, notes)


def _parse_rows(body: bytes, names: list[str], delimiter: str) -> pd.DataFrame:
    """Return rows as columns of strings; a row of another width raises ArrowInvalid."""
    if not body.strip():
        return pd.DataFrame(columns=names)
    convert = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False, check_utf8=False
    )
    parse = pa.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)

    def parse_blocks(size: int) -> pa.Table:
        options = pa.csv.ReadOptions(column_names=names, block_size=size)
        return pa.csv.read_csv(pa.BufferReader(body), options, parse, convert)

    try:
        table = parse_blocks(_BLOCK)
    except pa.ArrowInvalid as error:
        if "straddling" not in str(error):
            raise
        table = parse_blocks(len(body) + 1)  # a row is longer than a block
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _check_rows(path: Path, body: bytes, delimiter: str, header: _Header) -> tuple[list[int], list[int]]:
    """Return the numbers of the file's lines that are comments, and of all lines of the body that are no rows.

    Raises an InputError for the first row of another width, and for a quote that is never closed.
    """
    comments: list[int] = []
    left_out: list[int] = []
    width, text = len(header.names), body.decode()
    for record in read_records(text, delimiter):
        if len(record.values) == width:
            continue
        line = header.first_line - 1 + record.line
        if record.is_blank or record.is_comment:
            left_out += range(record.line, record.end)
            comments += [line] if record.is_comment else []
            continue
        if (quote_line := _find_open_quote(text, delimiter)) == record.line:
            raise _open_quote(path, header.first_line - 1 + quote_line)
        given = f"{path}:{line}: the line has {plural(len(record.values), 'value')}, and there are {width} columns"
        if record.end - record.line > 1:
            last = header.first_line - 2 + record.end
            raise InputError(
                f"{given}, up to line {last}: is there a quote that is not closed? close it, or write it twice"
            )
        if len(record.values) < width and record.end > len(_LINE_END.findall(text)) and not text.endswith(("\n", "\r")):
            raise InputError(f"{given}: the file is cut off; copy or download it again, or delete its last line")
        raise InputError(f"{given}; correct it, and put values that hold a separator in quotes")
    if quote_line := _find_open_quote(text, delimiter):
        raise _open_quote(path, header.first_line - 1 + quote_line)
    return comments, left_out


def _open_quote(path: Path, line: int) -> InputError:
    return InputError(f'{path}:{line}: a quote is opened here and not closed; close it, or write it twice ("")')


def _find_open_quote(text: str, delimiter: str) -> int:
    """Return the first line of the row with a quote that ends inside a value or never; 0 if there is none."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for _ in reader:
            line = reader.line_num + 1
    except csv.Error:
        return line
    return 0


def _cut_lines(content: bytes, count: int) -> bytes:
    """Return the content after so many lines, which \\n, \\r\\n or \\r end."""
    at = 0
    for _ in range(count):
        match = re.compile(rb"\r\n|\n|\r").search(content, at)
        at = len(content) if match is None else match.end()
    return content[at:]


def _without_lines(body: bytes, numbers: Collection[int]) -> bytes:
    left_out = set(numbers)
    lines = re.split(rb"(?<=\n)|(?<=\r)(?!\n)", body)
    return b"".join(line for number, line in enumerate(lines, start=1) if number not in left_out)


def _separate_by_tabs(body: bytes) -> bytes:
    """Return rows that runs of blanks part with tabs between their values."""
    out = io.StringIO()
    csv.writer(out, delimiter="\t", lineterminator="\n").writerows(
        record.values for record in read_records(body.decode(), _BLANKS) if not record.is_blank
    )
    return out.getvalue().encode()


def quote_start(text: str) -> str:
    """Return the start of a text's first line in quotes.

    >>> quote_start("a;b\\n1;2")
    "'a;b'"
    """
    line = one_line(text.lstrip().splitlines()[0]) if text.strip() else ""
    return repr(line if len(line) <= 60 else f"{line[:57]}...")
