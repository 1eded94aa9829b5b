import pytest
import torch
from torch import nn

from bench.train.stack import RowLazyAdam

S, V, D = 3, 20, 5


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_every_table_moves_as_under_pytorchs_sparse_adam(dtype):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(S, V, D, generator=generator, dtype=dtype)
    ours = RowLazyAdam(start, learning_rate=0.1)
    theirs = [nn.Embedding(V, D, sparse=True, _weight=start[s].clone()) for s in range(S)]
    adams = [torch.optim.SparseAdam(list(table.parameters()), lr=0.1) for table in theirs]
    for _ in range(20):
        words = torch.randint(V // 2, (S, 4, 3), generator=generator)
        goal = torch.randn(S, 4, 3, D, generator=generator, dtype=dtype)
        ((ours.lookup(words) - goal) ** 2).sum().backward()
        ours.step()
        for s, (table, adam) in enumerate(zip(theirs, adams, strict=True)):
            adam.zero_grad()
            ((table(words[s]) - goal[s]) ** 2).sum().backward()
            adam.step()
    together = torch.stack([table.weight.detach() for table in theirs])
    assert torch.allclose(ours.weights, together, rtol=0, atol=1e-12 if dtype is torch.float64 else 1e-5)
    assert torch.equal(ours.weights[:, V // 2 :], start[:, V // 2 :]), "rows that were never looked up moved"


def test_a_lookup_without_gradients_reads_the_tables_and_prepares_no_step():
    start = torch.randn(S, V, D, generator=torch.Generator().manual_seed(1))
    tables = RowLazyAdam(start, learning_rate=0.1)
    words = torch.tensor([[0, 1], [2, 3], [4, 4]])
    with torch.no_grad():
        assert torch.equal(tables.lookup(words), torch.stack([start[s, words[s]] for s in range(S)]))
