"""Embedding tables are updated as by PyTorch's own optimisers, each run independently."""

import pytest
import torch
from torch import nn

from bench.train.adam import Rate
from bench.train.embedding import DenseTables, MaskedTables, RowLazyTables

S, V, D = 3, 20, 5
RATES = [Rate(0.1), Rate(0.03), Rate(0.1)]
ROW_LAZY = pytest.mark.parametrize("kind", [RowLazyTables, MaskedTables])
DTYPES = pytest.mark.parametrize("dtype", [torch.float64, torch.float32])


def start(dtype=torch.float32):
    return torch.randn(S, V, D, generator=torch.Generator().manual_seed(0), dtype=dtype)


def batches(count, dtype=torch.float32):
    """Words of the first half of the vocabulary, some of them several times in a batch, and the vectors that they should get."""
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        words = torch.randint(V // 2, (S, 4, 3), generator=generator)
        yield words, torch.randn(S, 4, 3, D, generator=generator, dtype=dtype)


def lost(tables, words, goal):
    """Return the tables, with the gradient of a loss set."""
    loss = ((tables.lookup(words) - goal) ** 2).sum()
    (tables.gradient,) = torch.autograd.grad(loss, tables.leaf)
    return tables


def stepped(tables, given):
    for each in given:
        lost(tables, *each).step()
    return tables.weights


def textbook(table, optimiser, given, row):
    for words, goal in given:
        optimiser.zero_grad()
        ((table(words[row]) - goal[row]) ** 2).sum().backward()
        optimiser.step()
    return table.weight.detach()


def sparse(row, given, dtype, rate):
    table = nn.Embedding(V, D, sparse=True, _weight=start(dtype)[row].clone())
    return textbook(table, torch.optim.SparseAdam(list(table.parameters()), lr=rate), given, row)


@ROW_LAZY
@DTYPES
def test_row_lazy_tables_are_updated_as_by_pytorchs_sparse_adam(kind, dtype):
    given = list(batches(20, dtype))
    weights = stepped(kind(start(dtype), RATES), given)
    expected = torch.stack([sparse(row, given, dtype, rate.learning_rate) for row, rate in enumerate(RATES)])
    assert torch.allclose(weights, expected, rtol=0, atol=1e-12 if dtype is torch.float64 else 1e-5)
    assert torch.equal(weights[:, V // 2 :], start(dtype)[:, V // 2 :]), "words that were never looked up moved"


@DTYPES
def test_dense_tables_are_updated_as_by_pytorchs_adam_with_weight_decay(dtype):
    given = list(batches(20, dtype))
    rates = [Rate(0.1), Rate(0.03, weight_decay=0.2), Rate(0.1, weight_decay=0.2)]
    weights = stepped(DenseTables(start(dtype), rates), given)
    for row, rate in enumerate(rates):
        table = nn.Embedding(V, D, _weight=start(dtype)[row].clone())
        adam = torch.optim.Adam(table.parameters(), lr=rate.learning_rate, weight_decay=rate.weight_decay)
        expected = textbook(table, adam, given, row)
        assert torch.allclose(weights[row], expected, rtol=0, atol=1e-12 if dtype is torch.float64 else 1e-5)


def test_only_under_the_row_lazy_rule_words_outside_the_batch_keep_their_vectors():
    first, second = list(batches(1)), [(torch.full((S, 4, 3), V - 1), torch.zeros(S, 4, 3, D))]
    for kind, moves in ((RowLazyTables, False), (MaskedTables, False), (DenseTables, True)):
        tables = kind(start(), RATES)
        before = stepped(tables, first).clone()
        after = stepped(tables, second)
        assert bool((before[:, : V // 2] != after[:, : V // 2]).any()) == moves, kind


@pytest.mark.parametrize("kind", [RowLazyTables, MaskedTables, DenseTables])
def test_gradient_norms_and_scales_are_those_of_the_gradient_of_the_weights(kind):
    (words, goal), *_ = given = list(batches(1, torch.float64))
    tables = lost(kind(start(torch.float64), RATES), words, goal)
    weight = start(torch.float64).requires_grad_()
    row = torch.arange(S).view(S, 1, 1)
    ((weight[row, words] - goal) ** 2).sum().backward()
    assert torch.allclose(tables.squared_grad_norm(), weight.grad.square().sum((1, 2)))
    tables.step(torch.tensor([1.0, 1e-12, 1.0], dtype=torch.float64))
    unscaled = stepped(kind(start(torch.float64), RATES), given)
    assert torch.allclose(tables.weights[[0, 2]], unscaled[[0, 2]], rtol=0, atol=1e-15)
    assert (tables.weights[1] - start(torch.float64)[1]).abs().max() < 0.1 * RATES[1].learning_rate


@pytest.mark.parametrize("kind", [RowLazyTables, MaskedTables, DenseTables])
def test_a_frozen_table_keeps_its_weights_and_its_neighbours_are_trained_as_before(kind):
    given = list(batches(6))
    free = stepped(kind(start(), RATES), given).clone()
    tables = kind(start(), RATES)
    stepped(tables, given[:3])
    tables.set_trainable(1, False)
    between = tables.weights.clone()
    squares = lost(tables, *given[3]).squared_grad_norm()
    assert squares[1] == 0, "a gradient that moves nothing is not to be clipped"
    assert squares[0] > 0
    tables.step()
    stepped(tables, given[4:])
    assert torch.equal(tables.weights[1], between[1])
    assert torch.equal(tables.weights[[0, 2]], free[[0, 2]])


@pytest.mark.parametrize("kind", [RowLazyTables, MaskedTables, DenseTables])
def test_a_table_is_updated_alike_alone_and_in_a_stack_to_the_bit(kind):
    given = list(batches(8))
    together = stepped(kind(start(), RATES), given)
    for row, rate in enumerate(RATES):
        alone = kind(start()[row : row + 1], [rate])
        stepped(alone, [(words[row : row + 1], goal[row : row + 1]) for words, goal in given])
        assert torch.equal(alone.weights[0], together[row])


@pytest.mark.parametrize("kind", [RowLazyTables, MaskedTables, DenseTables])
def test_a_lookup_without_gradients_reads_the_tables_and_prepares_no_step(kind):
    tables = kind(start(), RATES)
    words = torch.tensor([[0, 1], [2, 3], [4, 4]])
    with torch.no_grad():
        assert torch.equal(tables.lookup(words), torch.stack([start()[s, words[s]] for s in range(S)]))


@pytest.mark.parametrize("kind", [RowLazyTables, MaskedTables, DenseTables])
def test_a_table_that_is_trained_again_begins_without_momentum(kind):
    given = list(batches(6))
    tables = kind(start(), RATES)
    stepped(tables, given[:3])
    tables.set_trainable(1, False)
    tables.set_trainable(1, True)
    fresh = kind(tables.weights.clone(), RATES)
    stepped(tables, given[3:])
    stepped(fresh, given[3:])
    assert torch.equal(tables.weights[1], fresh.weights[1])
    assert not torch.equal(tables.weights[0], fresh.weights[0]), "its neighbour keeps its momentum"
