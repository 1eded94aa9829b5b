"""Files written by earlier versions stay readable: real files of schema 1, kept as they were written."""

import json
import shutil
from pathlib import Path

import pytest

from bench.metrics.classification import compute_metrics, compute_probability_metrics
from bench.records.record import Cost, Failure, Record
from bench.records.store import Store

FILES = Path(__file__).parent / "schema_1"
DIGITS, SENTENCES, TUNED = "424f2b3d7b0fa138ee64", "381f6a9e97349d338069", "03c7091bf1bb5bd351f8"


@pytest.fixture
def old(tmp_path: Path) -> Store:
    """A results directory of an earlier version, whose records are in `trainings/`."""
    folder = tmp_path / "trainings"
    folder.mkdir()
    shutil.copy(FILES / "schema-1-study.json", tmp_path / "study.json")
    shutil.copy(FILES / "schema-1-digits.json", folder / f"{DIGITS}.json")
    shutil.copy(FILES / "schema-1-sentences.json", folder / f"{SENTENCES}.json")
    shutil.copy(FILES / "schema-1-record.json", folder / f"{TUNED}.json")
    return Store(tmp_path)


@pytest.mark.parametrize(("id", "macro_f1", "entity_f1"), [(DIGITS, 0.861530, None), (SENTENCES, 0.732490, 0.668446)])
def test_a_record_of_schema_1_is_read_and_evaluated_as_when_it_was_written(old, id, macro_f1, entity_f1):
    record = old.record(id)
    assert record is not None
    test = record.evaluation("chosen", "test")
    metrics = compute_metrics(test.confusion, test.nll, test.entities)
    assert metrics["macro_f1"] == pytest.approx(macro_f1, abs=1e-6)
    assert metrics.get("entity_f1") == pytest.approx(entity_f1, abs=1e-6)
    assert compute_probability_metrics(test) == {}, "probabilities were not evaluated then"
    assert old.load_predictions(id) is None


def test_files_of_schema_1_are_written_again_byte_for_byte(old, tmp_path):
    new = Store(tmp_path / "new")
    study, record = old.study(), old.record(TUNED)
    new.begin(study)
    new.add(record)
    assert (new.directory / "study.json").read_bytes() == (FILES / "schema-1-study.json").read_bytes()
    assert (new.directory / "runs" / f"{TUNED}.json").read_bytes() == (FILES / "schema-1-record.json").read_bytes()


@pytest.mark.parametrize(("name", "folder", "kind"), [("cost", "costs", Cost), ("failure", "failures", Failure)])
def test_costs_and_failures_of_schema_1_are_written_again_byte_for_byte(tmp_path, name, folder, kind):
    (tmp_path / folder).mkdir()
    path = tmp_path / folder / "a1.json"
    shutil.copy(FILES / f"schema-1-{name}.json", path)
    value = getattr(Store(tmp_path), name)("a1")
    assert isinstance(value, kind)
    new = Store(tmp_path / "new")
    if isinstance(value, Cost):
        new.add_cost("a1", value)
    else:
        new.add(value)
    (written,) = (new.directory / folder).iterdir()
    assert written.read_bytes() == path.read_bytes()


def test_what_schema_1_calls_differently_is_read_into_the_fields_of_today(old):
    study = old.study()
    rows = {row.strategy: row for row in study.strategies}
    assert rows["sentence-weights"].skipped is not None
    assert list(rows["none"].post_hoc) == ["thresholds", "prior-correction"]
    assert [one.label for one in rows["focal"].configurations] == ["focal(gamma=0.5)", "focal"]
    assert rows["none"].configurations[0].at_edge
    assert study.metric == "macro-f1"
    assert set(json.loads((FILES / "schema-1-record.json").read_text())) >= {"drawn", "evaluations", "identity"}


def test_a_record_of_an_old_directory_is_one_record_wherever_it_is_written_again(old):
    record = old.record(TUNED)
    assert isinstance(record, Record)
    old.add(record)
    assert [path.parent.name for path in old.directory.rglob(f"{TUNED}.json")] == ["runs"]
    assert old.record(TUNED) == record
    assert old.record(DIGITS) is not None, "the other records of the old directory are still read"


def test_a_damaged_record_of_an_old_directory_is_named_and_replaced(old):
    record = old.record(TUNED)
    path = old.directory / "trainings" / f"{TUNED}.json"
    path.write_text("{")
    assert old.record(TUNED) is None
    assert list(old.unreadable(old.study())) == [path]
    old.add(record)
    assert old.unreadable(old.study()) == {}
    assert old.record(TUNED) == record


def test_a_damaged_new_record_is_not_mistaken_for_an_old_one(old):
    record = old.record(TUNED)
    old.add(record)
    (old.directory / "runs" / f"{TUNED}.json").write_text("{")
    assert old.record(TUNED) is None
    assert list(old.unreadable(old.study())) == [old.directory / "runs" / f"{TUNED}.json"]
