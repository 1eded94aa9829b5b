from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, Labels, StrategyWarning

ITEMS = st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=6), min_size=1, max_size=12)


@given(ITEMS, st.data())
def test_take_returns_the_labels_of_the_chosen_items(items, data):
    index = data.draw(st.lists(st.integers(0, len(items) - 1), max_size=20))
    taken = Labels.packed(items, class_names="abcde").take(torch.tensor(index, dtype=torch.int64))
    pieces = torch.split(taken.values, taken.positions.tolist())
    assert [piece.tolist() for piece in pieces[: len(index)]] == [items[i] for i in index]


@given(ITEMS)
def test_the_rarest_class_of_an_item_has_the_lowest_count_among_its_labels(items):
    labels = Labels.packed(items, class_names="abcde")
    counts = labels.counts()
    everything = [label for item in items for label in item]
    assert counts.values.tolist() == [everything.count(c) for c in range(5)]
    for item, rarest in zip(items, labels.rarest_class(counts).tolist(), strict=True):
        assert rarest in item
        assert everything.count(rarest) == min(everything.count(label) for label in item)


def test_pad_is_neither_counted_nor_the_rarest_class():
    labels = Labels.packed([[IGNORED, 0], [1, IGNORED], [0, 0]], class_names=("O", "B-PER"))
    assert labels.counts().values.tolist() == [3, 1]
    assert labels.rarest_class(labels.counts()).tolist() == [0, 1, 0]


def test_inverse_weights_balance_the_classes_and_are_0_for_a_class_without_items():
    counts = ClassCounts.of([0, 0, 0, 1, 3], class_names="abcd")
    weights = counts.inverse()
    assert (weights * counts.values).tolist() == pytest.approx([1.25, 1.25, 0, 1.25])


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (torch.tensor([0.0, 1.0]), "integer"),
        (torch.tensor([[0, 1]]), "shape"),
        ([0, -1], "ids from -1"),
        (["O", "B-PER"], "given: list. Map class names to ids"),
        (iter([0, 1]), "given: list_iterator. Map"),
        ([[0, 1], [2]], r"given: list.*Labels\.packed"),
    ],
)
def test_labels_that_are_not_one_class_id_per_item_are_refused(labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        Labels.of(labels)


def test_a_read_only_array_is_counted_without_a_warning(recwarn):
    labels = np.array([0, 1, 1])
    labels.setflags(write=False)  # as the values of a pandas Series are
    assert ClassCounts.of(labels).values.tolist() == [1, 2]
    assert not recwarn.list


def test_more_classes_than_names_are_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        Labels.of([0, 1, 2], class_names=("a", "b"))


@pytest.mark.parametrize("numbers", [[9000, 900, 100], [90, 10], list(range(500, 5, -5))], ids=len)
def test_numbers_of_labels_are_not_taken_for_labels(numbers):
    with pytest.raises(ValueError, match=r"more classes than labels.*ClassCounts\.from_counts\(numbers\).*class_names"):
        ClassCounts.of(numbers)
    assert ClassCounts.from_counts(numbers).values.tolist() == numbers
    names = [str(c) for c in range(numbers[0] + 1)]
    assert ClassCounts.of(numbers, names).num_classes == numbers[0] + 1, "with all names, they are labels"


@given(st.lists(st.integers(0, 6), min_size=1, max_size=40))
def test_counts_from_any_form_of_counts_are_those_of_the_labels(labels):
    expected = ClassCounts.of(labels, "abcdefg")
    by_name = Counter("abcdefg"[label] for label in labels)
    for form in (
        expected.values,
        expected.values.to(torch.int16),
        expected.values.numpy(),
        expected.values.tolist(),
        Counter(labels),
        dict(zip(*(values.tolist() for values in np.unique(labels, return_counts=True)), strict=True)),
        pd.Series(labels).value_counts(),
        by_name,
    ):
        counts = ClassCounts.from_counts(form, "abcdefg")
        assert torch.equal(counts.values, expected.values)
        assert counts.class_names == tuple("abcdefg")


@pytest.mark.parametrize(
    ("counts", "names", "complaint"),
    [
        ([], None, "one whole number of labels per class"),
        ([0, 0], None, "not all 0"),
        ([3, -1], None, "none negative"),
        ([2.5, 1.0], None, "one whole number"),
        ([[3, 1]], None, "one whole number"),
        (5, None, "one whole number"),
        ("abc", None, "one whole number"),
        (torch.tensor([True, False]), None, "one whole number"),
        ({"O": 9, "B": 1}, None, "need class_names.*given: O, B"),
        ({"O": 9, "B": 1}, ["O", "I"], "unknown classes: B; known: O, I"),
        ({0: 9, 5: 1}, ["O", "I"], "unknown classes: 5; known: 0, 1"),
        ([3, 1], ["a", "b", "c"], r"one of the 3 class names.*given: \(2,\)"),
    ],
    ids=str,
)
def test_counts_that_are_none_are_refused(counts, names, complaint):
    with pytest.raises(ValueError, match=complaint):
        ClassCounts.from_counts(counts, names)


def test_counts_must_be_a_tensor_with_a_name_per_class():
    with pytest.raises(ValueError, match=r"given: list.*from_counts"):
        ClassCounts([3, 1], ("a", "b"))


# Void labels


def void_masks():
    masks = torch.randint(21, (6, 4, 5), generator=torch.Generator().manual_seed(0))
    masks[:2], masks[2, 0] = 255, 255
    return masks


def test_void_is_a_class_only_where_it_is_not_ignored():
    masks = void_masks()
    expected = torch.bincount(masks[masks < 255], minlength=21)
    forms = {
        "one tensor": Labels.rectangular(masks, ignore_index=255),
        "bytes": Labels.rectangular(masks.to(torch.uint8), ignore_index=255),
        "one mask each": Labels.packed(list(masks), ignore_index=255),
        "arrays": Labels.packed([mask.numpy() for mask in masks], ignore_index=255),
        "one item per pixel": Labels.of(masks.flatten(), ignore_index=255),
    }
    for labels in forms.values():
        assert torch.equal(labels.counts().values, expected)
    assert torch.equal(ClassCounts.of(masks.flatten(), ignore_index=255).values, expected)
    assert forms["one tensor"].positions.tolist() == [20] * 6
    assert Labels.packed([masks[3], masks[4, :2]]).positions.tolist() == [20, 10], "masks may differ in size"
    with pytest.warns(StrategyWarning, match="class 255 is counted.*between it and 20.*ignore_index=255") as warned:
        assert Labels.rectangular(masks).num_classes == 256
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("ids", "warns"),
    [
        ([*range(21), 255], True),
        ([0, 1, 255], True),
        ([0, 255], True),
        (list(range(22)), False),
        ([0, 3, 9], False),
        ([5] * 30, False),
        (list(range(0, 1000, 9)), False),  # some classes of many occur in a small training part
        ([0, 1, 254, 255], False),  # two classes, not one id apart from the others
        ([-100, 0, 1, 40], True),
    ],
    ids=str,
)
def test_only_an_id_after_a_long_gap_is_warned_of(ids, warns, recwarn):
    Labels.of(ids)
    assert [f"class {max(ids)} is counted" in str(warning.message) for warning in recwarn] == [True] * warns
    Labels.of(ids, [str(c) for c in range(max(ids) + 1)])
    assert len(recwarn) == warns, "whoever names the classes knows them"


def test_another_id_may_be_ignored_and_must_be_one_id():
    assert ClassCounts.of([0, -1, 1, 1], ignore_index=-1).values.tolist() == [1, 2]
    for wrong in (None, 2.5, [255, 254], True, "void"):
        with pytest.raises(ValueError, match="ignore_index must be one class id"):
            Labels.of([0, 1], ignore_index=wrong)


@pytest.mark.parametrize("labels", [torch.tensor([0, 1]), torch.zeros(2, 3), torch.tensor(1)], ids=str)
def test_rectangular_labels_have_several_positions_per_item(labels):
    with pytest.raises(ValueError, match=r"\(N, \.\.\.\)"):
        Labels.rectangular(labels)


@given(st.lists(ITEMS, min_size=1, max_size=4))
def test_concatenated_labels_are_those_of_all_items(parts):
    joined = Labels.concatenated([Labels.packed(part) for part in parts])
    expected = Labels.packed([item for part in parts for item in part])
    assert torch.equal(joined.values, expected.values)
    assert torch.equal(joined.offsets, expected.offsets)
    assert joined.class_names == expected.class_names
