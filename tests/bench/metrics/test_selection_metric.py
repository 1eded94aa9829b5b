"""Selection metrics against scikit-learn and a textbook sum of costs, and what is refused."""

import dataclasses
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import (
    average_precision_score,
    balanced_accuracy_score,
    f1_score,
    precision_recall_curve,
    recall_score,
)

from bench.errors import InputError
from bench.metrics.part_evaluation import Predictions
from bench.metrics.selection_metric import parse_metric
from bench.records.record import EntityCounts, Evaluation
from bench.tasks.part import Rows
from strategies import Labels

CLASSES = ["O", "PER", "LOC"]
CONFUSION = [[50, 3, 2], [4, 9, 0], [1, 2, 5]]
TRUTH, PREDICTED = (
    np.repeat([i for i in range(3) for _ in range(3)], np.ravel(CONFUSION)),
    np.repeat([0, 1, 2] * 3, np.ravel(CONFUSION)),
)
ENTITIES = {"PER": EntityCounts(6, 10, 8), "LOC": EntityCounts(1, 2, 6)}
EVALUATION = Evaluation("chosen", "test", CONFUSION, 0.1, ENTITIES)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("macro-f1", f1_score(TRUTH, PREDICTED, average="macro")),
        ("balanced-accuracy", balanced_accuracy_score(TRUTH, PREDICTED)),
        ("worst-class-recall", recall_score(TRUTH, PREDICTED, average=None).min()),
        ("entity-f1", 2 * 7 / (12 + 14)),
    ],
)
def test_named_metrics(name, expected):
    found = parse_metric(name, CLASSES)
    assert (found.name, found.direction) == (name, "up")
    assert found.value(EVALUATION) == pytest.approx(expected)


def test_costs_are_read_by_the_names_of_classes(tmp_path):
    file = tmp_path / "costs.csv"
    file.write_text("\ufefftruth,PER,O,LOC\nLOC, 7,20,0\nO,1,0,2.5\nPER,0,10,3\n\n", encoding="utf-8")
    found = parse_metric(str(file), CLASSES)
    assert (found.name, found.direction) == ("cost (costs.csv)", "down")
    total = 3 * 1 + 2 * 2.5 + 4 * 10 + 0 * 3 + 1 * 20 + 2 * 7
    assert found.value(dataclasses.replace(EVALUATION, entities=None)) == pytest.approx(total / 76)


def test_a_file_of_costs_is_known_by_its_costs_and_not_by_its_place(tmp_path):
    texts = {"a.csv": ",O,P\nO,0,1\nP,5,0\n", "b.csv": ",P,O\nP,0.0,5\nO,1,0\n", "c.csv": ",O,P\nO,0,1\nP,6,0\n"}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    same, reordered, other = (parse_metric(str(tmp_path / name), ["O", "P"]) for name in texts)
    assert same.identity == reordered.identity != other.identity
    assert pickle.loads(pickle.dumps(same)) == same


def test_entity_f1_needs_entities():
    with pytest.raises(InputError, match="no entities; give macro-f1"):
        parse_metric("entity-f1", CLASSES).value(dataclasses.replace(EVALUATION, entities=None))


BINARY = ["positive-f1", "average-precision", "recall-at-precision(0.5)", "recall-at-precision(0.85)"]


@st.composite
def rankings(draw):
    """(logits (L, 2), truth (L,)) with both classes; many scores are equal."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    truth = generator.permutation(np.append(generator.integers(0, 2, draw(st.integers(0, 60))), [0, 1]))
    logits = generator.normal(size=(len(truth), 2)).round(draw(st.sampled_from([0, 1, 6]))) + truth[:, None] * [0, 0.5]
    return torch.from_numpy(logits), torch.from_numpy(truth)


@settings(deadline=None, max_examples=60)
@given(rankings())
def test_metrics_of_the_positive_class_are_scikit_learns(example):
    logits, truth = example
    part = Rows(torch.zeros(len(truth), 1), Labels.of(truth.numpy(), ["genuine", "fraud"]))
    evaluation = Predictions.with_probabilities(logits, part).evaluation(part, "chosen", "test")
    score, predicted = logits.softmax(-1)[:, 1], logits.argmax(-1)
    precision, recall, _ = precision_recall_curve(truth, score)
    found = [parse_metric(name, ["genuine", "fraud"]).value(evaluation) for name in BINARY]
    assert found == pytest.approx(
        [
            f1_score(truth, predicted, zero_division=0),
            average_precision_score(truth, score),
            recall[precision >= 0.5].max(),
            recall[precision >= 0.85].max(),
        ]
    )


@pytest.mark.parametrize("name", BINARY)
def test_metrics_of_the_positive_class_need_two_classes(name):
    with pytest.raises(InputError, match="only for tasks with two classes, and this one has 3; give macro-f1"):
        parse_metric(name, CLASSES)


@pytest.mark.parametrize("name", BINARY[1:])
def test_what_was_not_recorded_or_is_not_defined_is_said(name):
    metric = parse_metric(name, ["genuine", "fraud"])
    with pytest.raises(InputError, match="not recorded"):
        metric.value(Evaluation("chosen", "test", [[5, 1], [1, 3]], 0.1))
    part = Rows(torch.zeros(4, 1), Labels.of(np.zeros(4, dtype=int), ["genuine", "fraud"]))
    with pytest.raises(InputError, match="not defined without labels of both classes"):
        metric.value(Predictions.with_probabilities(torch.randn(4, 2), part).evaluation(part, "chosen", "test"))


@pytest.mark.parametrize(
    "argument", ["", "()", "(0)", "(1.01)", "(0.999)", "(much)", "(nan)", "(-0.5)", "(90)", "(inf)"]
)
def test_a_precision_that_cannot_be_stated_is_refused(argument):
    with pytest.raises(InputError, match="at most two decimals, above 0 and up to 1, such as recall-at-precision"):
        parse_metric(f"recall-at-precision{argument}", ["genuine", "fraud"])


@pytest.mark.parametrize(
    ("text", "name"), [(".9", "0.9"), ("0.90", "0.9"), ("1", "1"), ("1e-2", "0.01"), ("0.29", "0.29")]
)
def test_a_precision_has_one_name(text, name):
    metric = parse_metric(f"recall-at-precision({text})", ["genuine", "fraud"])
    assert metric.name == metric.identity == f"recall-at-precision({name})"


def test_text_that_is_neither_a_name_nor_a_file_is_refused(tmp_path):
    for text in ("macrof1", str(tmp_path), str(tmp_path / "nowhere.csv"), "", "a\0b"):
        with pytest.raises(InputError, match=r"give macro-f1, .*, average-precision, .*, entity-f1, or the path"):
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


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("macro-f2", "macro-f1"),
        ("Average-Precision", "average-precision"),
        ("recall_at_precision(0.9)", "recall-at-precision"),
    ],
)
def test_a_misspelt_metric_is_told_the_nearest(typed, meant):
    with pytest.raises(InputError, match=f"unknown metric .*; did you mean {meant}"):
        parse_metric(typed, ["genuine", "fraud"])
