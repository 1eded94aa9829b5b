"""A stacked model is the textbook's module, once per run, and no run depends on its neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bench.models.bilstm import BiLSTMTagger
from bench.models.mlp import MLP
from bench.models.model import Model, Params, Shape
from bench.models.window import WindowTagger

IGNORED = -100


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# The textbook's modules: one run, `forward(x, lengths)`


class TextbookWindow(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.hidden = nn.Linear(shape.positions * 50, 128)
        self.head = nn.Linear(128, shape.labelled_positions * shape.classes)

    def forward(self, x: Tensor, lengths: None) -> Tensor:
        logits: Tensor = self.head(F.relu(self.hidden(x.flatten(1))))
        return logits


class TextbookMLP(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.layer1 = nn.Linear(shape.features, 64)
        self.layer2 = nn.Linear(64, 64)
        self.head = nn.Linear(64, shape.classes)

    def forward(self, x: Tensor, lengths: None) -> Tensor:
        logits: Tensor = self.head(F.relu(self.layer2(F.relu(self.layer1(x)))))
        return logits


class TextbookBiLSTM(nn.Module):
    def __init__(self, shape: Shape, embedding: int = 50) -> None:
        super().__init__()
        self.rnn = nn.LSTM(embedding, 64, bidirectional=True)
        self.head = nn.Linear(128, shape.classes)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        states = self.rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))[0]
        logits: Tensor = self.head(pad_packed_sequence(states, total_length=len(x))[0])
        return logits.flatten(0, 1)


# A stack of runs and one step of it


@dataclass(frozen=True)
class Stack:
    """`flat (S, P)` parameters, rows of whole 64 floats; `x (S, ...)`; `lengths (S, B)` of sentences; `targets (S, M)`."""

    flat: Tensor
    x: Tensor
    lengths: Tensor | None
    targets: Tensor

    def pick(self, *rows: int) -> Stack:
        index = list(rows)
        lengths = None if self.lengths is None else self.lengths[index]
        return Stack(self.flat[index], self.x[index], lengths, self.targets[index])

    def alone(self, row: int) -> Stack:
        """One run, padded to its own longest sentence."""
        one = self.pick(row)
        if one.lengths is None:
            return one
        longest, batch = int(one.lengths.max()), one.lengths.shape[1]
        return replace(one, x=one.x[:, :longest], targets=one.targets[:, : longest * batch])

    def lengthened(self, extra: int) -> Stack:
        """As if a neighbour's sentence were `extra` words longer than the longest; what pads x is arbitrary."""
        S, _, B, D = self.x.shape
        x = torch.cat([self.x, torch.full((S, extra, B, D), 7.0, dtype=self.x.dtype)], 1)
        return replace(self, x=x, targets=F.pad(self.targets, (0, extra * B), value=IGNORED))

    def double(self) -> Stack:
        return replace(self, flat=self.flat.double(), x=self.x.double())

    def cuda(self) -> Stack:
        return replace(self, flat=self.flat.cuda(), x=self.x.cuda(), targets=self.targets.cuda())

    @property
    def valid(self) -> Tensor | None:
        if self.lengths is None:
            return None
        return (torch.arange(self.x.shape[1])[:, None] < self.lengths[:, None]).to(self.x.device)


@dataclass(frozen=True)
class Step:
    """What each run of a stack gets: logits and gradients of x at real positions, gradients of parameters."""

    logits: tuple[Tensor, ...]
    d_flat: tuple[Tensor, ...]
    d_x: tuple[Tensor, ...]

    def pick(self, *rows: int) -> Step:
        return Step(*(tuple(each[row] for row in rows) for each in (self.logits, self.d_flat, self.d_x)))


@dataclass(frozen=True)
class Case:
    model: Model
    shape: Shape
    textbook: Callable[[Shape], nn.Module]
    batch: int = 32
    words: int = 12

    def stack(self, size: int = 5, *, lengths: list[list[int]] | None = None, seed: int = 0) -> Stack:
        generator = torch.Generator().manual_seed(seed)
        rows = [self.model.init(self.shape, torch.Generator().manual_seed(seed + row)).values() for row in range(size)]
        flat = torch.stack([torch.cat([value.flatten() for value in row]) for row in rows])
        flat = F.pad(flat, (0, -flat.shape[1] % 64))
        B, C = self.batch, self.shape.classes
        if isinstance(self.model, MLP):
            x = torch.randn(size, B, self.shape.features, generator=generator)
        elif isinstance(self.model, WindowTagger):
            x = torch.randn(size, B, self.shape.positions, self.model.embedding, generator=generator)
        else:
            assert self.model.embedding is not None
            if lengths is None:
                lengths = torch.randint(1, self.words + 1, (size, B), generator=generator).tolist()
            long = torch.tensor(lengths)
            x = torch.randn(size, int(long.max()), B, self.model.embedding, generator=generator)
            stack = Stack(flat, x, long, torch.randint(C, (size, x.shape[1] * B), generator=generator))
            assert stack.valid is not None
            return replace(stack, targets=stack.targets.masked_fill(~stack.valid.flatten(1), IGNORED))
        targets = torch.randint(C, (size, B * self.shape.labelled_positions), generator=generator)
        return Stack(flat, x, None, targets)

    def views(self, flat: Tensor) -> Params:
        """The named parameters as strided views into the flat leaf, as the trainer hands them over."""
        params, start = {}, 0
        for name, value in self.model.init(self.shape, torch.Generator()).items():
            params[name] = flat[:, start : start + value.numel()].unflatten(1, value.shape)
            start += value.numel()
        return params

    def step(self, stack: Stack, *, contiguous: bool = False) -> Step:
        flat, x = stack.flat.clone().requires_grad_(), stack.x.clone().requires_grad_()
        params = self.views(flat)
        if contiguous:
            params = {name: value.contiguous() for name, value in params.items()}
        logits = self.model.forward(params, x, stack.valid)
        if logits.shape[1] != stack.targets.shape[1]:  # a window whose every word is labelled
            logits = logits.unflatten(2, (-1, self.shape.classes)).flatten(1, 2)
        _loss(logits, stack.targets).backward()
        assert flat.grad is not None
        assert x.grad is not None
        if stack.valid is None:
            return Step(tuple(logits.detach()), tuple(flat.grad), tuple(x.grad))
        real = stack.valid.flatten(1)
        return Step(
            tuple(row[mask] for row, mask in zip(logits.detach(), real, strict=True)),
            tuple(flat.grad),
            tuple(row[mask] for row, mask in zip(x.grad.flatten(1, 2), real, strict=True)),
        )

    def textbook_step(self, stack: Stack) -> Step:
        """The same step, by one module after another."""
        steps = []
        for row in range(len(stack.flat)):
            one = stack.pick(row)
            module = self.textbook(self.shape).to(one.x.dtype)
            module.load_state_dict({name: value[0] for name, value in self.views(one.flat).items()})
            x = one.x[0].clone().requires_grad_()
            logits = module(x, None if one.lengths is None else one.lengths[0]).reshape(-1, self.shape.classes)
            F.cross_entropy(logits, one.targets[0], ignore_index=IGNORED).backward()
            assert x.grad is not None
            grads = {name: value.grad for name, value in module.named_parameters()}
            flat = torch.cat([grads[name].flatten() for name in self.views(one.flat)])  # type: ignore[union-attr]
            d_x, logits = x.grad, logits.detach()
            if one.valid is not None:
                d_x, logits = d_x.flatten(0, 1)[one.valid.flatten()], logits[one.valid.flatten()]
            steps.append((logits, F.pad(flat, (0, -len(flat) % 64)), d_x))
        return Step(*zip(*steps, strict=True))


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of each run, summed. The mean is taken over real positions alone: a sum over `(M)`
    would associate otherwise for another M, which is the loss's affair and not the model's."""
    means = [
        F.cross_entropy(row[kept], target[kept])
        for row, target, kept in zip(logits, targets, targets != IGNORED, strict=True)
    ]
    return torch.stack(means).sum()


def assert_bitwise(actual: Step, expected: Step) -> None:
    for name in ("logits", "d_flat", "d_x"):
        for row, (ours, theirs) in enumerate(zip(getattr(actual, name), getattr(expected, name), strict=True)):
            same = torch.equal(ours.view(torch.int32), theirs.view(torch.int32))
            assert same, f"{name} of run {row} differ by {(ours - theirs).abs().max():.1e}"


def assert_close(actual: Step, expected: Step, tolerance: float) -> None:
    for name in ("logits", "d_flat", "d_x"):
        for ours, theirs in zip(getattr(actual, name), getattr(expected, name), strict=True):
            torch.testing.assert_close(ours.cpu(), theirs.cpu(), atol=tolerance, rtol=tolerance)


WINDOW = Case(WindowTagger(), Shape(classes=9, positions=9), TextbookWindow, batch=256)
WINDOW_ALL = replace(WINDOW, shape=Shape(classes=9, positions=9, labelled_positions=9))
ROWS = Case(MLP(), Shape(classes=10, features=64), TextbookMLP, batch=256)
SENTENCES = Case(BiLSTMTagger(), Shape(classes=9), TextbookBiLSTM)
CASES = {
    "window": WINDOW,
    "window-all": WINDOW_ALL,
    "mlp": ROWS,
    "mlp-odd": replace(ROWS, shape=Shape(classes=3, features=7)),
    "bilstm": SENTENCES,
    "bilstm-odd": Case(BiLSTMTagger(embedding=49), Shape(classes=2), partial(TextbookBiLSTM, embedding=49)),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


# What a model computes


@every_case
def test_equals_the_textbook(case: Case) -> None:
    stack = case.stack(3).double()
    assert_close(case.step(stack), case.textbook_step(stack), 1e-12)


@every_case
def test_initial_parameters_are_the_textbooks(case: Case) -> None:
    params = case.model.init(case.shape, torch.Generator().manual_seed(0))
    expected = dict(case.textbook(case.shape).named_parameters())
    assert list(params) == list(expected)
    for name, value in params.items():
        assert value.shape == expected[name].shape
        assert value.dtype == torch.float32
        if value.numel() >= 500:  # then the largest is within a few percent of the bound
            torch.testing.assert_close(value.abs().max(), expected[name].abs().max(), rtol=0.03, atol=0)
            assert abs(value.mean()) < 0.1 * value.abs().max()
    again = case.model.init(case.shape, torch.Generator().manual_seed(0))
    assert all(torch.equal(params[name], again[name]) for name in params)


@pytest.mark.parametrize("lengths", [[[1]], [[1, 1, 1]], [[1, 6, 2], [3, 1, 1]]], ids=str)
def test_sentences_of_one_word(lengths: list[list[int]]) -> None:
    case = replace(SENTENCES, batch=len(lengths[0]))
    stack = case.stack(len(lengths), lengths=lengths)
    assert_close(case.step(stack.double()), case.textbook_step(stack.double()), 1e-12)
    whole = case.step(stack)
    for row in range(len(lengths)):
        assert_bitwise(case.step(stack.alone(row).lengthened(3)), whole.pick(row))


def test_without_padding_the_mask_may_be_left_out() -> None:
    case = replace(SENTENCES, batch=3)
    stack = case.stack(2, lengths=[[4] * 3] * 2)
    params = case.views(stack.flat)
    unsaid = case.model.forward(params, stack.x, None)
    assert torch.equal(unsaid, case.model.forward(params, stack.x, stack.valid))


@every_case
def test_backward_can_be_called_twice(case: Case) -> None:
    stack = case.stack(2)
    flat = stack.flat.clone().requires_grad_()
    total = case.model.forward(case.views(flat), stack.x, stack.valid).square().sum()
    once, twice = (torch.autograd.grad(total, flat, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(once, twice)


# What a run must not depend on


@every_case
@pytest.mark.parametrize("contiguous", [False, True], ids=["views", "contiguous"])
@pytest.mark.parametrize("batch", [None, 1, 3, 33], ids=lambda batch: f"batch={batch or 'usual'}")
def test_alone_in_a_stack_or_permuted_the_bits_are_the_same(case: Case, batch: int | None, contiguous: bool) -> None:
    case = replace(case, batch=batch or case.batch)
    stack = case.stack(5)
    whole = case.step(stack)
    for row in range(5):
        assert_bitwise(case.step(stack.alone(row), contiguous=contiguous), whole.pick(row))
    for rows in ((3, 0, 4, 2, 1), (4, 2)):
        assert_bitwise(case.step(stack.pick(*rows), contiguous=contiguous), whole.pick(*rows))


@every_case
def test_a_diverged_neighbour_changes_no_bit(case: Case) -> None:
    stack = case.stack(5)
    whole = case.step(stack)
    stack.flat[1], stack.x[1] = torch.nan, torch.nan
    stack.flat[3] = torch.inf
    broken = case.step(stack)
    assert broken.logits[1].isnan().all()
    assert_bitwise(broken.pick(0, 2, 4), whole.pick(0, 2, 4))


@pytest.mark.parametrize("extra", [4, 40])
def test_a_neighbours_longer_sentence_changes_no_bit(extra: int) -> None:
    case = replace(SENTENCES, words=20)
    stack = case.stack(5)
    whole = case.step(stack)
    assert_bitwise(case.step(stack.lengthened(extra)), whole)
    for row in range(5):
        assert_bitwise(case.step(stack.alone(row)), whole.pick(row))
        assert_bitwise(case.step(stack.alone(row).lengthened(extra)), whole.pick(row))


def test_padding_gets_no_gradient_and_gives_none() -> None:
    stack = SENTENCES.stack(3)
    valid = stack.valid
    assert valid is not None
    grads = []
    for filler, gradient in ((0.0, 0.0), (1e6, torch.nan)):  # even a loss that goes wrong where its targets are ignored
        x = stack.x.masked_fill(~valid.unsqueeze(3), filler).requires_grad_()
        flat = stack.flat.clone().requires_grad_()
        logits = SENTENCES.model.forward(SENTENCES.views(flat), x, valid)
        assert (logits[~valid.flatten(1)] == 0).all()
        logits.backward(torch.ones_like(logits).masked_fill(~valid.flatten(1).unsqueeze(2), gradient))
        assert x.grad is not None
        assert (x.grad[~valid] == 0).all()
        assert x.grad[valid].abs().amin(-1).gt(0).all()
        grads.append((flat.grad, x.grad))
    assert torch.equal(grads[0][0], grads[1][0])  # type: ignore[arg-type]
    assert torch.equal(grads[0][1], grads[1][1])


@st.composite
def some_lengths(draw: st.DrawFn) -> list[list[int]]:
    size, batch = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    sentence = st.integers(1, 7)
    return draw(st.lists(st.lists(sentence, min_size=batch, max_size=batch), min_size=size, max_size=size))


@settings(max_examples=30, deadline=None)
@given(lengths=some_lengths(), extra=st.integers(0, 9), seed=st.integers(0, 99))
def test_whatever_the_lengths(lengths: list[list[int]], extra: int, seed: int) -> None:
    case = replace(SENTENCES, batch=len(lengths[0]))
    stack = case.stack(len(lengths), lengths=lengths, seed=seed)
    double = stack.double()
    assert_close(case.step(double.lengthened(extra)), case.textbook_step(double), 1e-12)
    whole = case.step(stack)
    for row in range(len(lengths)):
        assert_bitwise(case.step(stack.alone(row).lengthened(extra)), whole.pick(row))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("double", [True, False], ids=["float64", "float32"])
@every_case
def test_a_gpu_agrees(case: Case, double: bool) -> None:
    stack = case.stack(3).double() if double else case.stack(3)
    assert_close(case.step(stack.cuda()), case.step(stack), 1e-10 if double else 1e-4)
