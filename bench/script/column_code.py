"""What is done to the columns of a table, as Python source: the lines and functions that its kinds of columns need, no others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from bench.script.source_code import literal
from bench.user_data import column_values
from bench.user_data.column_plan import ColumnPlan, PlannedColumn
from bench.user_data.column_values import (
    date_parts,
    mark_missing,
    to_categories,
    to_dates,
    to_numbers,
    to_text,
    to_truth,
)

_NOTE_VALUES = '''\
def note_values(table: pd.DataFrame, columns: pd.DataFrame) -> None:
    """Say which values of new rows do not count: those that cannot be read, and those that are no category."""
    for name in columns:
        values, given = columns[name], to_text(table[name])
        unread = given[values.isna() & given.notna()]
        notes = [(unread, "cannot be read", "as missing")]
'''
_NOTE_CATEGORIES = """\
        if name in CATEGORIES:
            unseen = values[values.notna() & ~values.isin(CATEGORIES[name])]
            notes.append((unseen, "are new or rare", "as no category"))
"""
_PRINT_NOTES = """\
        for rows, what, counted in notes:
            if count := len(rows):
                few = name_few(rows.unique().tolist())
                text = f"{count:,} row{'s' * (count > 1)}: {name} has values that {what} ({few})"
                print(f"{text}; they count {counted}", file=sys.stderr)"""

_IMPUTE = 'SimpleImputer(strategy="median", keep_empty_features=True)'


def column_code(plan: ColumnPlan) -> str:
    """Return the source of `prepare_columns(table)` and `make_preprocessing()`: `ColumnPlan.prepare` and its `transformer`.

    The steps are those of `bench.user_data.column_values.make_transformer`, in its order.
    """
    numbers, truths, codes = plan.of_kind("number"), plan.of_kind("true or false"), plan.of_kind("codes")
    strings, dates, texts = plan.of_kind("categories"), plan.of_kind("date"), plan.of_kind("text")
    encoded = {column.column: list(column.categories) for column in (*codes, *strings)}
    missing = [c.column for c in plan.used if c.has_missing and c.kind not in ("categories", "text")]
    constants: dict[str, Any] = {
        "NUMBERS": _names(numbers),
        "TRUE_OR_FALSE": _names(truths),
        "CODES": _names(codes),
        "STRINGS": _names(strings),
        "DATES": {column.column: column.formats for column in dates},
        "CATEGORIES": encoded,
        "WITH_MISSING": missing,
    }
    marks = {c.column: (c.decimal, c.thousands) for c in (*numbers, *codes) if c.is_marked}
    if marks:
        constants["NUMBER_MARKS"] = marks
    of_numbers = " + ".join(name for name, columns in (("NUMBERS", numbers), ("CODES", codes)) if columns)
    arguments = ", *NUMBER_MARKS.get(name, ())" if marks else ""
    prepared = {
        f"{{name: to_numbers(table[name]{arguments}) for name in {of_numbers}}}": numbers or codes,
        "{name: to_truth(table[name]) for name in TRUE_OR_FALSE}": truths,
        "{name: to_categories(table[name]) for name in STRINGS}": strings,
        "{name: to_dates(table[name], formats) for name, formats in DATES.items()}": dates,
        f"{{name: table[name].astype(object) for name in {literal(_names(texts))}}}": texts,
    }
    lines = [line for line, columns in prepared.items() if columns]
    scaled = " + ".join(name for name, columns in (("NUMBERS", numbers), ("TRUE_OR_FALSE", truths)) if columns)
    steps = {
        f'("numbers", make_pipeline({_IMPUTE}, StandardScaler()), {scaled})': numbers or truths,
        f'("dates", make_pipeline(FunctionTransformer(date_parts), {_IMPUTE}, StandardScaler()), list(DATES))': dates,
        '("categories", encoder, list(CATEGORIES))': encoded,
        '("missing", FunctionTransformer(mark_missing), WITH_MISSING)': missing,
        **{f"({literal(f'text {name}')}, text_transformer(), {literal(name)})": [name] for name in _names(texts)},
    }
    body = [f"        {step}," for step, columns in steps.items() if columns]
    encoder = (
        "    encoder = OneHotEncoder(\n"
        '        categories=list(CATEGORIES.values()), handle_unknown="ignore", sparse_output=False\n    )\n'
    )
    needed: dict[Callable[..., Any], bool] = {
        to_text: any(column.kind != "text" for column in plan.used),
        to_numbers: bool(numbers or codes),
        to_truth: bool(truths),
        to_categories: bool(strings),
        to_dates: bool(dates),
        date_parts: bool(dates),
        mark_missing: bool(missing),
    }
    functions = [function for function, is_needed in needed.items() if is_needed]
    sources = [inspect.getsource(function) for function in functions]
    values = [name for name in ("MISSING_WORDS", "MISSING_CATEGORY", "TRUTH", "LARGEST") if name in "".join(sources)]
    constants = {name: getattr(column_values, name) for name in values} | {
        name: value for name, value in constants.items() if value
    }
    return "\n\n\n".join(
        [
            *([plan.text_code()] if texts else []),
            "\n".join(f"{name} = {literal(value)}" for name, value in constants.items()),
            *sources,
            "def prepare_columns(table: pd.DataFrame) -> pd.DataFrame:\n"
            '    """Return the columns that are predicted from, with their types."""\n'
            f"    columns = {lines[0]}\n"
            + "".join(f"    columns |= {line}\n" for line in lines[1:])
            + "    return pd.DataFrame(columns)",
            *([_NOTE_VALUES + (_NOTE_CATEGORIES if encoded else "") + _PRINT_NOTES] if needed[to_text] else []),
            "def make_preprocessing() -> ColumnTransformer:\n"
            '    """Return what makes numbers of the columns, not fitted yet."""\n'
            + (encoder if encoded else "")
            + "    steps = [\n"
            + "\n".join(body)
            + "\n    ]\n    return ColumnTransformer(steps, sparse_threshold=0)",
        ]
    )


def _names(columns: Sequence[PlannedColumn]) -> list[str]:
    return [column.column for column in columns]
