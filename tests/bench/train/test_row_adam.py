"""Each row of the stacked Adam is updated as by PyTorch's Adam, whatever its neighbours do."""

import pytest
import torch

from bench.train.adam import Rate, RowAdam

S, P = 3, 70


def textbook(start, gradients, columns, rate=0.01, decay=0.0):
    """torch.optim.Adam on these columns of one row."""
    leaf = start.clone().requires_grad_()
    adam = torch.optim.Adam([leaf], lr=rate, weight_decay=decay)
    for gradient in gradients:
        leaf.grad = gradient[columns].clone()
        adam.step()
    return leaf.detach()


@pytest.fixture
def numbers():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(S, P, generator=generator), torch.randn(12, S, P, generator=generator)


def stepped(adam, gradients):
    for gradient in gradients:
        adam.gradient.copy_(gradient)
        adam.step()


def test_whole_rows_are_updated_as_by_pytorchs_adam(numbers):
    start, gradients = numbers
    leaf = start.clone()
    adam = RowAdam(leaf, [Rate(0.01)] * S, slice(0, P))
    stepped(adam, gradients)
    for row in range(S):
        expected = textbook(start[row], gradients[:, row], slice(0, P))
        assert torch.allclose(leaf[row], expected, rtol=0, atol=1e-6)


def test_columns_set_trainable_alone_are_updated_and_begin_without_momentum(numbers):
    start, gradients = numbers
    leaf = start.clone()
    adam = RowAdam(leaf, [Rate(0.01)] * S, slice(0, P))
    alone = start.clone()
    undisturbed = RowAdam(alone, [Rate(0.01)] * S, slice(0, P))
    stepped(adam, gradients[:6])
    between = leaf[1].clone()
    head = slice(20, 50)
    adam.set_trainable(1, head)
    stepped(adam, gradients[6:])
    stepped(undisturbed, gradients)
    assert torch.equal(leaf[[0, 2]], alone[[0, 2]]), "a neighbour's restart was felt"
    assert torch.equal(leaf[1, :20], between[:20])
    assert torch.equal(leaf[1, 50:], between[50:])
    expected = textbook(between[head], gradients[6:, 1], head)
    assert torch.allclose(leaf[1, head], expected, rtol=0, atol=1e-6)


def test_each_row_has_a_rate_and_a_decay_of_its_own(numbers):
    start, gradients = numbers
    rates = [Rate(0.01), Rate(0.1, weight_decay=0.5), Rate(0.01, weight_decay=0.5)]
    leaf = start.clone()
    adam = RowAdam(leaf, rates, slice(0, P))
    stepped(adam, gradients)
    for row, rate in enumerate(rates):
        expected = textbook(start[row], gradients[:, row], slice(0, P), rate.learning_rate, rate.weight_decay)
        assert torch.allclose(leaf[row], expected, rtol=0, atol=1e-6)


def test_only_trainable_columns_count_in_the_norm_of_a_gradient(numbers):
    start, gradients = numbers
    leaf = start.clone()
    adam = RowAdam(leaf, [Rate(0.01)] * S, slice(0, P))
    adam.set_trainable(1, slice(20, 50))
    adam.gradient.copy_(gradients[0])
    expected = [gradients[0, 0].square().sum(), gradients[0, 1, 20:50].square().sum(), gradients[0, 2].square().sum()]
    assert torch.allclose(adam.squared_grad_norm(), torch.stack(expected))
