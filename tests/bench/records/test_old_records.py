"""Records written by earlier versions stay readable: real files, kept as they were written."""

import shutil
from pathlib import Path

import pytest

from bench.metrics.classification import compute_metrics, compute_probability_metrics
from bench.records.store import Store

RECORDS = Path(__file__).parent / "schema_1"


@pytest.mark.parametrize(
    ("file", "id", "macro_f1", "entity_f1"),
    [
        ("schema-1-digits.json", "424f2b3d7b0fa138ee64", 0.861530, None),
        ("schema-1-sentences.json", "381f6a9e97349d338069", 0.732490, 0.668446),
    ],
)
def test_a_record_of_schema_1_is_read_and_measured_as_when_it_was_written(tmp_path, file, id, macro_f1, entity_f1):
    (tmp_path / "trainings").mkdir()
    shutil.copy(RECORDS / file, tmp_path / "trainings" / f"{id}.json")
    record = Store(tmp_path).record(id)
    assert record is not None
    test = record.evaluation("chosen", "test")
    found = compute_metrics(test.confusion, test.nll, test.entities)
    assert found["macro_f1"] == pytest.approx(macro_f1, abs=1e-6)
    assert found.get("entity_f1") == pytest.approx(entity_f1, abs=1e-6)
    assert compute_probability_metrics(test.probabilities) == {}, "what was not measured then has a value"
    assert Store(tmp_path).predicted(id) is None
