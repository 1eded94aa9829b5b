"""Each column is recognised for what it is, becomes the features that the plan says, and the plan's code does the same."""

from __future__ import annotations

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest
from column_program import run_column_code
from numpy.testing import assert_allclose

from bench.user_data.column_plan import PlannedColumn
from bench.user_data.column_recognition import plan_columns

N = 200
RNG = np.random.default_rng(0)


def planned(values, **options) -> PlannedColumn:
    return plan_columns(pd.DataFrame({"c": pd.Series(values)}), "", **options).columns[0]


def strings(*values: str) -> list[str]:
    return [values[place] for place in RNG.permutation(N) % len(values)]


def with_missing(values, missing=np.nan, share: float = 0.1):
    return pd.Series(values).astype(object).where(RNG.random(len(values)) > share, missing)


DAYS = pd.Timestamp("2024-01-15 10:30") + pd.to_timedelta(RNG.integers(0, 900, N), "D")
FLOATS = RNG.normal(size=N).round(3)


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        (FLOATS, "number", "from"),
        (FLOATS.astype(str), "number", "from"),
        (with_missing(FLOATS.astype(str), "?"), "number", "missing"),
        (with_missing(FLOATS.astype(str), "unknown", 0.03), "number", "values such as 'unknown' no finite number"),
        (with_missing(FLOATS, np.inf, 0.03), "number", "no finite number"),
        (with_missing(FLOATS.astype(str), "-inf", 0.03), "number", "such as '-inf' no finite number"),
        ([f"{x:,.2f}" for x in RNG.normal(size=N) * 1e6], "number", "',' left out of its numbers"),
        ([f"${x:,.2f}" for x in RNG.normal(size=N) * 1e4 + 9e4], "number", "'$' and ',' left out of its numbers"),
        ([f"{x:.1f}%" for x in FLOATS], "number", "'%' left out of its numbers"),
        ([f"{x:.2f} €".replace(".", ",") for x in FLOATS], "number", "comma; ' ' and '€' left out of its numbers"),
        ([f"{x:.2f}".replace(".", ",") for x in FLOATS], "number", "the decimal mark is a comma"),
        ([f"{x:,.1f}".replace(",", " ") for x in FLOATS + 5000], "number", "' ' left out of its numbers"),
        ([decimal.Decimal("1.5"), None] * 100, "number", "missing"),
        (pd.to_timedelta(RNG.integers(0, 10**6, N), "s"), "number", "from"),
        (pd.array([1, None, *range(90, 138)] * 4, dtype="Int64"), "number", "4 missing"),
        (RNG.integers(0, 2, N), "number", "from 0 to 1"),
        (RNG.integers(1, 9, N), "codes", "8 different whole numbers from 1 to 8: perhaps codes"),
        (strings("10", "20", "40"), "codes", "3 different whole numbers"),
        (strings("1.0", "2.0", "4.0"), "number", "from 1 to 4"),
        (RNG.integers(1, 9, N).astype(float), "number", "from 1 to 8"),
        (pd.array([1.0, 2.0, 3.0, None] * 50, dtype="Float64"), "number", "50 missing"),
        (strings("00123", "04711", "10115"), "categories", "3 different strings"),
        (strings("red", "green", "blue"), "categories", "3 different strings"),
        (with_missing(strings("red", "green", "blue"), ""), "categories", "missing"),
        (pd.Categorical(RNG.integers(0, 50, N)), "categories", "different strings"),
        ([True, False] * 100, "true or false", "50.0% true"),
        ([True, None] * 100, "true or false", "100 missing"),
        (strings("Yes", "no"), "true or false", "50.0% true"),
        (strings("t", "f", ""), "true or false", "missing"),
        (DAYS, "date", "from 2024-01"),
        (DAYS.tz_localize("Asia/Tokyo"), "date", "from 2024-01"),
        ([datetime.date(2024, 1, 1 + n % 28) for n in range(N)], "date", "from 2024-01-01 to 2024-01-28"),
        (DAYS.strftime("%Y-%m-%dT%H:%M:%SZ"), "date", "from 2024-01"),
        (DAYS.strftime("%d/%m/%Y"), "date", "read as %d/%m/%Y"),
        (DAYS.strftime("%m/%d/%Y %H:%M"), "date", "read as %m/%d/%Y %H:%M"),
        (DAYS.strftime("%d.%m.%Y"), "date", "read as %d.%m.%Y"),
        (DAYS.strftime("%d %b %Y"), "date", "read as %d %b %Y"),
        (DAYS.strftime("%Y%m%d"), "date", "read as %Y%m%d"),
        ([*DAYS.strftime("%Y-%m-%d")[:150], *DAYS.strftime("%d.%m.%Y")[150:]], "date", "read as ISO8601 or %d.%m.%Y"),
        (with_missing(DAYS.strftime("%Y-%m-%d"), "someday", 0.03), "date", "no date, so missing"),
        (strings("Jan", "Feb"), "categories", "2 different strings"),
        (range(N), "not used", "an id"),
        ([f"u{n}" for n in range(N)], "not used", "an id or a name"),
        ([f"street {n // 1.2:.0f}" for n in range(N)], "not used", "different strings in 200 rows: an id or a name"),
        ([f"the {n} things that I saw on that day" for n in range(N)], "not used", "text, 9 words per value; to predict"),
        (["same"] * N, "not used", "the same value in every row: same"),
        ([1.0] * N, "not used", "the same value in every row"),
        (["", "NA"] * 100, "not used", "no value in any row"),
        ([None] * N, "not used", "no value in any row"),
        ([[1, 2], [3]] * 100, "not used", "lists, objects or bytes"),
        ([b"a", b"b"] * 100, "not used", "lists, objects or bytes"),
    ],
)  # fmt: skip
def test_what_a_column_is(values, kind, said):
    column = planned(values)
    assert column.kind == kind
    assert said in column.reason


def test_many_categories_share_what_is_rare():
    values = [f"common{n % 5}" for n in range(1000)] + [f"rare{n}" for n in range(100)] + ["twice"] * 2
    column = planned(RNG.permutation(values))
    assert column.categories == (*(f"common{n}" for n in range(5)), "twice")
    assert column.treatment == "a feature for each of the 6 most frequent of 106 values; the others have none"
    many = planned([f"city{n % 90}" for n in range(1000)])
    assert len(many.categories) == 30


def test_rare_codes_keep_a_feature_and_columns_of_which_the_same_is_said_are_joined():
    values = [*range(3)] * 1000 + [7]
    plan = plan_columns(pd.DataFrame({"a": values, "b": values[::-1], "c": [1.5, 2.5, 3.5] * 1000 + [0.5]}), "")
    assert plan.columns[0].categories == (0.0, 1.0, 2.0, 7.0)
    assert plan.notes()[0] == "columns used: 'a', 'b' (codes); 'c' (numbers)"
    assert plan.rows()[0][1:3] == plan.rows()[1][1:3] == ("codes", "a feature for each of 4 values")
    assert plan.notes()[1].startswith("please check: 'a', 'b' (integers of few values are taken as codes")
    assert "write 1.0 in place of 1" in plan.notes()[1]
    as_said = pd.DataFrame({"a": [f"{value}.0" for value in values]})
    assert plan_columns(as_said, "").columns[0].kind == "number"


MIXED = pd.DataFrame(
    {
        "float": with_missing(FLOATS.astype(str), ""),
        "price": [f"{x:.2f}".replace(".", ",") for x in FLOATS],
        "flag": with_missing(strings("yes", "no"), ""),
        "code": with_missing(strings("1", "2", "3"), ""),
        "city": with_missing(strings("Rome", "Oslo", 'a "b", c'), ""),
        "day": with_missing(DAYS.strftime("%d/%m/%Y"), ""),
        "review": strings("late again", "on time", ""),
        "id": [f"u{n}" for n in range(N)],
        "y": strings("a", "b"),
    }
)
PLAN = plan_columns(MIXED, "y", text="review")


def test_features_by_hand():
    """The features of every kind, against numbers that pandas alone computes."""
    prepared = PLAN.without({"review": "no text"}).prepare(MIXED)
    train = prepared[:120]
    features = PLAN.without({"review": "no text"}).transformer().fit(train).transform(prepared)

    def scaled(values: pd.Series) -> np.ndarray:
        filled = values.astype(float).fillna(values[:120].median())
        return (filled - filled[:120].mean()) / (filled[:120].std(ddof=0) or 1)

    floats = pd.to_numeric(MIXED["float"])
    prices = pd.to_numeric(MIXED["price"].str.replace(",", "."))
    flags = MIXED["flag"].map({"yes": 1.0, "no": 0.0})
    codes = pd.to_numeric(MIXED["code"])
    dates = pd.to_datetime(MIXED["day"].replace("", None), format="%d/%m/%Y")
    by_hand = [
        *(scaled(floats), scaled(prices), scaled(flags)),
        *(scaled(dates.dt.year), scaled(dates.dt.month), scaled(dates.dt.day_of_week), scaled(dates.dt.hour)),
        scaled((dates - dates.min()).dt.days),  # counted from another day, which scaling takes out
        *(codes == code for code in (1, 2, 3)),
        *(MIXED["city"] == city for city in ("", "Oslo", "Rome", 'a "b", c')),
        *(floats.isna(), flags.isna(), codes.isna(), dates.isna()),
    ]
    assert_allclose(features, np.array(by_hand, dtype=float).T, atol=1e-9)


def test_the_code_does_the_same():
    prepared = PLAN.prepare(MIXED)
    program = run_column_code(PLAN)
    columns = program["prepare_columns"](MIXED)
    assert_allclose(
        program["make_preprocessing"]().fit(columns[:120]).transform(columns),
        PLAN.transformer().fit(prepared[:120]).transform(prepared),
    )


def test_the_number_of_features_is_that_of_the_plan_and_test_rows_change_nothing():
    prepared = PLAN.without({"review": "no text"}).prepare(MIXED)
    transformer = PLAN.without({"review": "no text"}).transformer()
    width = transformer.fit(prepared).transform(prepared).shape[1]
    one_kind = prepared.iloc[[n for n in range(N) if MIXED["city"][n] == "Rome"]]
    no_value = prepared.assign(float=np.nan, day=pd.NaT)
    for part in (one_kind, no_value, prepared[:3]):
        assert transformer.fit(part).transform(prepared).shape == (N, width)
    changed = prepared.copy()
    changed.loc[150:, "float"] = 1e6
    changed.loc[150:, "city"] = "Atlantis"
    before = transformer.fit(prepared[:150]).transform(prepared[:150])
    after = transformer.fit(changed[:150]).transform(changed)
    assert_allclose(after[:150], before)
    assert np.isfinite(after).all()


def test_extreme_numbers_become_finite_features():
    column = pd.DataFrame({"c": ["1e300", "-1e300", "1e25", "5", "inf", ""] * 20})
    plan = plan_columns(column, "")
    features = plan.transformer().fit_transform(plan.prepare(column)).astype(np.float32)
    assert np.isfinite(features).all()


def test_types_and_text_give_the_same_features():
    typed = pd.DataFrame(
        {
            "n": FLOATS,
            "flag": RNG.random(N) < 0.5,
            "day": DAYS,
            "code": RNG.integers(1, 5, N),
            "city": strings("a", "b"),
        }
    )
    plan = plan_columns(typed, "")
    text = typed.astype(str)
    assert [column.kind for column in plan_columns(text, "").columns] == [column.kind for column in plan.columns]
    assert_allclose(
        plan_columns(text, "").transformer().fit_transform(plan_columns(text, "").prepare(text)),
        plan.transformer().fit_transform(plan.prepare(typed)),
    )


def test_a_new_row_without_what_was_known_is_no_error():
    prepared = PLAN.without({"review": "no text"}).prepare(MIXED)
    fitted = PLAN.without({"review": "no text"}).transformer().fit(prepared)
    new = pd.DataFrame({name: ["???"] for name in MIXED})
    assert np.isfinite(fitted.transform(PLAN.without({"review": "no text"}).prepare(new))).all()


def test_the_plan_is_a_table_and_notes():
    rows = {row[0]: row[1:] for row in PLAN.rows()}
    assert list(rows) == list(MIXED)
    assert rows["y"] == ("target", "the label", "chosen with --target")
    assert rows["review"][:2] == ("text", "TF-IDF of hashed words and pairs, 256 directions")
    assert rows["float"][:2] == ("number", "median for missing values, an indicator of them, scaled")
    assert rows["flag"][:2] == ("true or false", "median for missing values, an indicator of them, scaled")
    assert rows["code"][:2] == ("codes", "a feature for each of 3 values")
    assert rows["city"][:2] == ("categories", "a feature for each of 4 values")
    assert (
        rows["day"][1] == "year, month, weekday, hour and days, median for missing values, an indicator of them, scaled"
    )
    notes = PLAN.notes()
    assert notes[0] == (
        "columns used: 'float', 'price' (numbers); 'flag' (truth values); 'code' (codes); 'city' (categories); 'day' (dates); "
        "'review' (text)"
    )
    assert any(note.startswith("columns left out: 'id' (a different string in every row") for note in notes)
    check = next(note for note in notes if note.startswith("please check: "))
    assert "'price' (the decimal mark is a comma)" in check
    assert "'day' (read as %d/%m/%Y)" in check
