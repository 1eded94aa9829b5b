"""Selection metrics against scikit-learn and a textbook sum of costs, and what is refused."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, recall_score

from bench.errors import InputError
from bench.metrics.selection_metric import parse_metric
from bench.records.record import EntityCounts

CLASSES = ["O", "PER", "LOC"]
CONFUSION = [[50, 3, 2], [4, 9, 0], [1, 2, 5]]
TRUTH, PREDICTED = (
    np.repeat([i for i in range(3) for _ in range(3)], np.ravel(CONFUSION)),
    np.repeat([0, 1, 2] * 3, np.ravel(CONFUSION)),
)
ENTITIES = {"PER": EntityCounts(6, 10, 8), "LOC": EntityCounts(1, 2, 6)}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("macro-f1", f1_score(TRUTH, PREDICTED, average="macro")),
        ("balanced-accuracy", balanced_accuracy_score(TRUTH, PREDICTED)),
        ("worst-class-recall", recall_score(TRUTH, PREDICTED, average=None).min()),
        ("entity-f1", 2 * 7 / (12 + 14)),
    ],
)
@pytest.mark.parametrize("kind", [list, np.array])
def test_named_metrics(name, expected, kind):
    found = parse_metric(name, CLASSES)
    assert (found.name, found.direction) == (name, "up")
    assert found.value(kind(CONFUSION), ENTITIES) == pytest.approx(expected)


def test_costs_are_read_by_the_names_of_classes(tmp_path):
    file = tmp_path / "costs.csv"
    file.write_text("\ufefftruth,PER,O,LOC\nLOC, 7,20,0\nO,1,0,2.5\nPER,0,10,3\n\n", encoding="utf-8")
    found = parse_metric(str(file), CLASSES)
    assert (found.name, found.direction) == ("cost (costs.csv)", "down")
    total = 3 * 1 + 2 * 2.5 + 4 * 10 + 0 * 3 + 1 * 20 + 2 * 7
    assert found.value(CONFUSION, None) == pytest.approx(total / 76)


def test_entity_f1_needs_entities():
    with pytest.raises(InputError, match="no entities; give macro-f1"):
        parse_metric("entity-f1", CLASSES).value(CONFUSION, None)


def test_text_that_is_neither_a_name_nor_a_file_is_refused(tmp_path):
    for text in ("macrof1", str(tmp_path), str(tmp_path / "nowhere.csv"), "", "a\0b"):
        with pytest.raises(
            InputError, match="give macro-f1, balanced-accuracy, worst-class-recall, entity-f1, or the path"
        ):
            parse_metric(text, CLASSES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "first line must name each class of the task once, O, PER, LOC; found: nothing"),
        (b",O,PER\nO,0,1\nPER,1,0\n", "first line must name each class"),
        (b",O,PER,LOC\nO,0,1,1\nPER,1,0,1\n", "first column must name each class"),
        (b",O,PER,LOC\nO,0,1,1\nPER,1,0,1\nPER,1,1,0\n", "first column must name each class"),
        (b",O,PER,LOC\nO,0,1,1\nPER,1,0\nLOC,1,1,0\n", "row PER must have a cost for each of 3"),
        (b",O,PER,LOC\nO,0,1,1\nPER,1,much,1\nLOC,1,1,0\n", "finite number; found: 'much'"),
        (b",O,PER,LOC\nO,0,1,1\nPER,1,0,nan\nLOC,1,1,0\n", "finite number; found: 'nan'"),
        (b"\xff\xfe\x00\x01", "not a readable CSV file"),
        (b'"', "first line must name"),
    ],
)
def test_files_that_are_no_cost_matrix_of_these_classes_are_refused(tmp_path, content, message):
    file = tmp_path / "costs.csv"
    file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        parse_metric(str(file), CLASSES)
