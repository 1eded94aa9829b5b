"""A stack of different strategies is, in float64, what plain loops of modules, losses and torch.optim train.

The loop is a reader's: an `nn.Module`, the loss of the strategy, torch's own optimisers, and the batches
that the stack drew. What a loss computes is tested against the papers elsewhere; here it is that a stack adds nothing to it.
"""

from __future__ import annotations

import dataclasses

import pytest
import torch
from numpy.random import default_rng
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from bench.models.variant import ModelVariant
from bench.planning.applicability import why_not_on_task
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.step import StackRunner
from strategies import IGNORED, get, names

CPU, STEPS = torch.device("cpu"), 12
WINDOWS, SENTENCES, DIGITS = (
    "synthetic-conll(windows, scale=0.01)",
    "synthetic-conll(sentences, scale=0.01)",
    "digits-lt",
)
PLAIN = ModelVariant.of(get("none"))


@pytest.fixture(autouse=True)
def float64_on_one_thread():
    threads, before = torch.get_num_threads(), torch.get_default_dtype()
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
    torch.set_num_threads(threads)


class Rows(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.layer1, self.layer2 = nn.Linear(shape.features, 64), nn.Linear(64, 64)
        self.head = nn.Linear(64, shape.classes)

    def forward(self, x):
        return self.head(self.layer2(self.layer1(x).relu()).relu())


class Windows(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, 50, sparse=True)
        self.hidden, self.head = nn.Linear(shape.positions * 50, 128), nn.Linear(128, shape.classes)

    def forward(self, x):
        return self.head(self.hidden(self.words(x).flatten(1)).relu())


class Sentences(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, 50, sparse=True)
        self.rnn, self.head = nn.LSTM(50, 64, bidirectional=True), nn.Linear(128, shape.classes)

    def forward(self, x):
        packed = pack_padded_sequence(self.words(x), (x != 0).sum(0), enforce_sorted=False)
        return self.head(pad_packed_sequence(self.rnn(packed)[0], total_length=len(x))[0])


MODULES = {"mlp": Rows, "window-tagger": Windows, "bilstm-tagger": Sentences}


def strategies_of_one_build(name):
    """Return the strategies of one model variant that change sampling or loss in a single phase."""
    task = find_task(name).load(default_rng(0))
    made = [get(each) for each in names()]
    return [
        each
        for each in made
        if why_not_on_task(each, task) is None
        and ModelVariant.of(each) == PLAIN
        and len(each.phases()) == 1
        and each.folder not in ("ensemble", "adjust")
    ]


class Loop:
    """One run as a textbook loop, from a row of a stack."""

    def __init__(self, runner, row):
        run, stack = runner.runs[row], runner.stack
        self.module = MODULES[run.protocol.model](runner.tasks[row].shape)
        with torch.no_grad():
            for name, value in self.dense().items():
                value.copy_(stack.params[name][row])
            if stack.tables is not None:
                self.module.words.weight.copy_(stack.tables.weights[row])
        rate = run.protocol.learning_rate
        self.optimisers = [torch.optim.Adam(self.dense().values(), lr=rate)]
        if stack.tables is not None:
            self.optimisers.append(torch.optim.SparseAdam([self.module.words.weight], lr=rate))
        counts = runner.tasks[row].train.labels.counts()
        generator = torch.Generator().manual_seed(run.seed_for("loss"))
        self.loss = run.strategy.training_loss(counts, generators=[generator])

    def dense(self):
        return {name: value for name, value in self.module.named_parameters() if not name.startswith("words")}

    def step(self, x, targets):
        for each in self.optimisers:
            each.zero_grad()
        self.loss(self.module(x), targets).backward()
        for each in self.optimisers:
            each.step()


def recorded(runner):
    """Record the batches of the next steps."""
    gather, kept = runner.loader.gather, []

    def gathering(plan):
        batch = gather(plan)
        kept.append(batch if batch.x.dtype == torch.int64 else dataclasses.replace(batch, x=batch.x.double()))
        return kept[-1]

    runner.loader.gather = gathering
    return kept


@pytest.mark.parametrize("name", [DIGITS, WINDOWS, SENTENCES])
def test_every_strategy_in_one_stack_trains_as_its_own_loop(name):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=STEPS, validate_every=STEPS, learning_rate=3e-3)
    strategies = strategies_of_one_build(name)
    assert len(strategies) >= 20
    runner = StackRunner([Run(task, each, protocol, 0, "fingerprint") for each in strategies], CPU)
    loops = [Loop(runner, row) for row in range(len(strategies))]
    batches = recorded(runner)
    for _ in range(STEPS):
        runner.step(Clock())
    for row, (strategy, loop) in enumerate(zip(strategies, loops, strict=True)):
        for batch in batches:
            x, targets = batch.x[row], batch.targets[row]
            if name == SENTENCES:
                longest = int((targets != IGNORED).any(1).sum())
                loop.step(x[:longest], targets[:longest])
            else:
                loop.step(x, targets.squeeze(1))
        found = {key: value[row] for key, value in runner.stack.params.items()}
        for key, value in loop.dense().items():
            torch.testing.assert_close(
                found[key], value, rtol=0, atol=1e-11, msg=lambda said, s=strategy, k=key: f"{s}, {k}: {said}"
            )
        if runner.stack.tables is not None:
            torch.testing.assert_close(runner.stack.tables.weights[row], loop.module.words.weight, rtol=0, atol=1e-11)
