"""Metrics against scikit-learn's functions on label vectors, entity counts against seqeval's scores."""

import warnings
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score as entity_f1
from seqeval.metrics import precision_score as entity_precision
from seqeval.metrics import recall_score as entity_recall
from seqeval.metrics.sequence_labeling import get_entities
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    confusion_matrix,
    f1_score,
    precision_score,
    recall_score,
)

from bench.metrics.classification import (
    compute_class_metrics,
    compute_metrics,
    compute_third_metrics,
    macro_f1,
    macro_f1_scores,
    split_in_thirds,
)
from bench.metrics.entity_counts import entity_counts
from bench.metrics.part_evaluation import Predictions
from bench.records.record import EntityCounts
from bench.tasks.part import Rows, TaggedSentences
from strategies import Labels

TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-MISC")
ANY = [[1, 0], [0, 1]]
"""A confusion matrix where only entities matter."""


@st.composite
def label_vectors(draw, least_classes=2, most_classes=6):
    """(classes, truth, predicted): some classes may be missing from either vector."""
    classes = draw(st.integers(least_classes, most_classes))
    labels = st.integers(0, classes - 1)
    truth, predicted = zip(*draw(st.lists(st.tuples(labels, labels), min_size=1, max_size=60)), strict=True)
    return classes, np.array(truth), np.array(predicted)


def matrix(classes, truth, predicted):
    return confusion_matrix(truth, predicted, labels=range(classes)).tolist()


@settings(deadline=None)
@given(label_vectors())
def test_metrics_of_each_class_are_those_of_scikit_learn_on_the_labels(vectors):
    classes, truth, predicted = vectors
    found = compute_class_metrics(matrix(*vectors))
    options = {"labels": range(classes), "average": None, "zero_division": 0}
    assert found.precision == pytest.approx(precision_score(truth, predicted, **options))
    assert found.recall == pytest.approx(recall_score(truth, predicted, **options))
    assert found.f1 == pytest.approx(f1_score(truth, predicted, **options))
    assert found.support.tolist() == np.bincount(truth, minlength=classes).tolist()


@settings(deadline=None)
@given(label_vectors())
def test_metrics_of_an_evaluation_are_those_of_scikit_learn_on_the_labels(vectors):
    classes, truth, predicted = vectors
    found = compute_metrics(matrix(*vectors), nll=0.25)
    macro = {"average": "macro", "zero_division": 0}
    minority = np.union1d(truth, predicted)
    minority = minority[minority > 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of classes that are predicted and never occur
        balanced = balanced_accuracy_score(truth, predicted)
    assert found == pytest.approx(
        {
            "macro_f1": f1_score(truth, predicted, **macro),
            **({"macro_f1_minority": f1_score(truth, predicted, labels=minority, **macro)} if minority.size else {}),
            "accuracy": accuracy_score(truth, predicted),
            "balanced_accuracy": balanced,
            "worst_class_recall": recall_score(truth, predicted, labels=np.unique(truth), average=None).min(),
            "nll": 0.25,
            **({"positive_f1": f1_score(truth, predicted, zero_division=0)} if classes == 2 else {}),
        }
    )
    assert macro_f1(matrix(*vectors)) == found["macro_f1"]


@pytest.mark.parametrize("absent", [[1], [2], [0], [1, 3], [0, 1, 2]])
def test_a_perfect_run_has_a_macro_f1_of_1_whatever_classes_test_lacks(absent):
    confusion = np.diag([9, 5, 3, 1])
    confusion[absent, absent] = 0
    found = compute_metrics(confusion.tolist(), nll=0.0)
    assert {found[name] for name in ("macro_f1", "balanced_accuracy", "worst_class_recall")} == {1.0}
    assert {*compute_third_metrics(confusion.tolist()).values()} == {1.0}


@settings(deadline=None)
@given(st.lists(label_vectors(3, 3), min_size=1, max_size=5))
def test_macro_f1_of_many_matrices_is_that_of_each_to_the_bit(many):
    matrices = [matrix(*vectors) for vectors in many]
    assert macro_f1_scores(matrices).tolist() == [macro_f1(one) for one in matrices]
    assert macro_f1_scores([matrices, matrices]).shape == (2, len(matrices))


def test_a_class_that_neither_occurs_nor_is_predicted_counts_in_no_mean_and_one_that_is_predicted_in_macro_f1():
    found = compute_metrics([[3, 1, 0], [0, 2, 0], [0, 0, 0]], nll=0.0)
    assert found["macro_f1"] == pytest.approx((6 / 7 + 4 / 5) / 2)
    assert found["macro_f1_minority"] == pytest.approx(4 / 5)
    predicted = compute_metrics([[3, 1, 0], [0, 1, 1], [0, 0, 0]], nll=0.0)
    assert predicted["macro_f1"] == pytest.approx((6 / 7 + 1 / 2 + 0) / 3)
    assert predicted["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found["balanced_accuracy"] == pytest.approx((3 / 4 + 1) / 2)
    assert found["worst_class_recall"] == pytest.approx(3 / 4)


@settings(deadline=None)
@given(label_vectors())
def test_recall_of_thirds_is_over_the_classes_that_occur_and_precision_over_those_predicted_too(vectors):
    classes, truth, predicted = vectors
    found = compute_third_metrics(matrix(*vectors))
    expected = {}
    for third, members in split_in_thirds(classes).items():
        options = {"average": "macro", "zero_division": 0}
        if occurring := sorted({*members} & {*truth.tolist()}):
            expected[f"{third}_recall"] = recall_score(truth, predicted, labels=occurring, **options)
        if present := sorted({*members} & {*truth.tolist(), *predicted.tolist()}):
            expected[f"{third}_precision"] = precision_score(truth, predicted, labels=present, **options)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("classes", "sizes"),
    [(2, [1, 0, 1]), (3, [1, 1, 1]), (4, [1, 2, 1]), (5, [2, 1, 2]), (9, [3, 3, 3]), (10, [3, 4, 3])],
)
def test_head_and_tail_are_a_third_of_the_classes_each_and_the_middle_is_the_rest(classes, sizes):
    found = split_in_thirds(classes)
    assert [len(found.get(third, ())) for third in ("head", "middle", "tail")] == sizes
    assert [c for members in found.values() for c in members] == list(range(classes))


@settings(deadline=None)
@given(label_vectors())
def test_confusion_has_truth_by_row_and_predictions_by_column(vectors):
    classes, truth, predicted = vectors
    part = Rows(torch.zeros(len(truth), 1), Labels.of(truth, [str(c) for c in range(classes)]))
    found = Predictions(torch.from_numpy(predicted), nll=0.0).evaluation(part, "chosen", "test")
    assert found.confusion == matrix(*vectors)


@st.composite
def tagged(draw):
    """(sentences of true tags, the same of predicted ones): any tags in any order, valid BIO or not."""
    tag = st.integers(0, len(TAGS) - 1)
    pairs = draw(st.lists(st.lists(st.tuples(tag, tag), min_size=1, max_size=8), min_size=1, max_size=6))
    return [[truth for truth, _ in each] for each in pairs], [[predicted for _, predicted in each] for each in pairs]


def counted(truth, predicted):
    labels = Labels.packed(truth, TAGS)
    part = TaggedSentences(torch.zeros_like(labels.values), labels)
    return entity_counts(torch.tensor([tag for each in predicted for tag in each]), part)


ODD_TAGS = ("O", "B", "I", "E-PER", "S-PER", "I-PER", "B-A-B", "I-A-B", ".", "X", "NN", "I-")
"""Tags of other schemes, and of none."""


@settings(deadline=None)
@given(
    st.lists(st.lists(st.tuples(*[st.integers(0, len(ODD_TAGS) - 1)] * 2), max_size=8), min_size=1, max_size=6).filter(
        any
    )
)
@pytest.mark.filterwarnings("ignore:.*seems not to be NE tag")
def test_entities_of_any_tags_are_those_that_seqeval_finds(pairs):
    truth, predicted = ([[pair[side] for pair in each] for each in pairs] for side in (0, 1))
    labels = Labels.packed(truth, ODD_TAGS)
    part = TaggedSentences(torch.zeros_like(labels.values), labels)
    found = entity_counts(torch.tensor([tag for each in predicted for tag in each], dtype=torch.int64), part)
    entities = [
        {
            (number, *entity)
            for number, sentence in enumerate(sentences)
            for entity in get_entities([ODD_TAGS[c] for c in sentence])
        }
        for sentences in (truth, predicted)
    ]
    counted = [Counter(kind for _, kind, *_ in each) for each in (entities[0] & entities[1], entities[1], entities[0])]
    kinds = sorted(counted[1] | counted[2])
    assert found == {kind: EntityCounts(*(each[kind] for each in counted)) for kind in kinds}


def named(sentences):
    return [[TAGS[tag] for tag in each] for each in sentences]


@settings(deadline=None)
@given(tagged())
def test_entity_metrics_are_those_of_seqeval_in_its_default_mode(sentences):
    truth, predicted = map(named, sentences)
    found = compute_metrics(ANY, 0.0, counted(*sentences))
    assert found["entity_precision"] == pytest.approx(entity_precision(truth, predicted, zero_division=0))
    assert found["entity_recall"] == pytest.approx(entity_recall(truth, predicted, zero_division=0))
    assert found["entity_f1"] == pytest.approx(entity_f1(truth, predicted, zero_division=0))


@settings(deadline=None)
@given(tagged())
def test_entity_counts_of_each_type_are_those_of_seqeval(sentences):
    truth, predicted = map(named, sentences)
    options = {"average": None, "zero_division": 0}
    counts = counted(*sentences)
    found = [compute_metrics(ANY, 0.0, {kind: counts[kind]}) for kind in sorted(counts)]
    for name, score in (("precision", entity_precision), ("recall", entity_recall), ("f1", entity_f1)):
        assert [each[f"entity_{name}"] for each in found] == pytest.approx(
            np.atleast_1d(score(truth, predicted, **options)).tolist()
        ), name


def test_an_entity_counts_only_with_its_type_and_both_its_ends_right():
    truth = [[1, 2, 0, 3], [1, 2, 2], [3, 4]]  # PER PER . LOC | PER PER PER | LOC LOC
    predicted = [[1, 2, 0, 1], [1, 2, 0], [0, 4]]  # the second is too short, the third begins late
    assert counted(truth, predicted) == {
        "LOC": EntityCounts(correct=0, predicted=1, actual=2),
        "PER": EntityCounts(correct=1, predicted=3, actual=2),
    }


def test_entities_end_with_their_sentence():
    assert counted([[1], [2]], [[1], [2]]) == {"PER": EntityCounts(correct=2, predicted=2, actual=2)}
    assert counted([[1, 2]], [[1, 2]]) == {"PER": EntityCounts(correct=1, predicted=1, actual=1)}


def test_without_true_or_predicted_entities_entity_metrics_are_zero():
    found = compute_metrics(ANY, 0.0, counted([[0, 0]], [[0, 0]]))
    assert [found[f"entity_{name}"] for name in ("precision", "recall", "f1")] == [0.0, 0.0, 0.0]


def test_without_text_there_are_no_entities():
    part = Rows(torch.zeros(2, 1), Labels.of([0, 1], ("O", "B-PER")))
    assert entity_counts(torch.tensor([0, 1]), part) is None
    assert not any(name.startswith("entity") for name in compute_metrics([[1, 0], [0, 1]], 0.0, None))
