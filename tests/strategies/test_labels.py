import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strategies import IGNORED, ClassCounts, Labels

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
    ],
)
def test_labels_that_are_not_one_class_id_per_item_are_refused(labels, complaint):
    with pytest.raises(ValueError, match=complaint):
        Labels.of(labels)


def test_more_classes_than_names_are_refused():
    with pytest.raises(ValueError, match="from 0 to 1"):
        Labels.of([0, 1, 2], class_names=("a", "b"))
