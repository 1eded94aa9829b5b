"""Clipping, weight decay, dropout and divergence belong to each run alone: its neighbours keep every bit."""

import dataclasses

import pytest
import torch
from torch import nn

from bench.models.layers import drop_features
from bench.models.mlp import MLP
from bench.models.model import Shape
from bench.models.variant import ModelVariant
from bench.planning.protocol import ROWS, reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.loop import RunProgress, evaluate_checkpoints, train, validate
from bench.train.stack import StackedModel
from bench.train.step import StackRunner
from strategies import get, parse

CPU = torch.device("cpu")
DIGITS, WINDOWS = "digits-lt", "synthetic-conll(windows, scale=0.01)"
SENTENCES = "synthetic-conll(sentences, scale=0.01)"


pytestmark = pytest.mark.usefixtures("one_thread")


def make_run(name, strategy="none", seed=0, **changes):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=24, validate_every=8, **changes)
    return Run(task, parse(strategy), protocol, seed, "fingerprint")


def trained(members):
    records = train(members, device=CPU, clock=Clock())
    assert all(isinstance(each, Record) for each in records), records
    return [dataclasses.replace(each, times={}) for each in records]


@pytest.mark.parametrize("name", [DIGITS, WINDOWS, SENTENCES])
@pytest.mark.parametrize("rule", ["row-lazy", "dense"])
def test_a_grid_of_rates_and_decays_in_one_stack_is_each_run_alone(name, rule):
    grid = [
        make_run(
            name, strategy, embedding_adam=rule, clip_norm=0.5, dropout=0.3, learning_rate=rate, weight_decay=decay
        )
        for strategy in ("none", "focal")
        for rate, decay in ((1e-3, 0.0), (1e-2, 0.0), (1e-2, 0.1))
    ]
    together = trained(grid)
    assert together == [trained([each])[0] for each in grid]
    assert together[::-1] == trained(grid[::-1])
    assert len({each.evaluation("last", "test").nll for each in together}) == len(grid)


@pytest.mark.parametrize("change", [{"clip_norm": 0.01}, {"dropout": 0.5}, {"weight_decay": 0.1}])
def test_what_a_protocol_asks_for_changes_what_is_learnt(change):
    plain, changed = trained([make_run(DIGITS)])[0], trained([make_run(DIGITS, **change)])[0]
    assert plain.curve != changed.curve


def test_clipping_is_pytorchs_for_each_run_alone():
    shape, seeds = Shape(classes=3, features=7), [0, 1, 2]
    protocol = dataclasses.replace(ROWS, clip_norm=0.05)
    stack = StackedModel(MLP(), shape, seeds, [protocol] * 3, CPU, ModelVariant.of(get("none")), [1.0] * 3, [])
    generator = torch.Generator().manual_seed(0)
    batches = [
        (torch.randn(3, 16, 7, generator=generator), torch.randint(3, (3, 16), generator=generator)) for _ in range(9)
    ]
    larger = torch.tensor([1.0, 100.0, 1e-3])  # the second is always clipped, the third never
    modules = []
    for seed in seeds:
        module = nn.Sequential(nn.Linear(7, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
        fresh = MLP().init(shape, torch.Generator().manual_seed(seed)).values()
        with torch.no_grad():
            for parameter, value in zip(module.parameters(), fresh, strict=True):
                parameter.copy_(value)
        modules.append((module, torch.optim.Adam(module.parameters(), lr=protocol.learning_rate)))
    for x, targets in batches:
        logits = stack.forward(x).logits
        losses = torch.stack([nn.functional.cross_entropy(*each) for each in zip(logits, targets, strict=True)])
        stack.step(losses * larger)
        for row, (module, adam) in enumerate(modules):
            adam.zero_grad()
            (larger[row] * nn.functional.cross_entropy(module(x[row]), targets[row])).backward()
            norm = nn.utils.clip_grad_norm_(module.parameters(), protocol.clip_norm)
            assert row != 1 or norm > protocol.clip_norm
            adam.step()
    for row, (module, _) in enumerate(modules):
        flat = torch.cat([each.detach().flatten() for each in module.parameters()])
        assert torch.allclose(stack.leaf[row, : len(flat)], flat, rtol=0, atol=1e-5)


def test_dropout_keeps_the_mean_and_drops_the_same_features_at_all_words_of_a_sentence():
    ones, noise = torch.ones(2, 4000, 8), [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    kept = drop_features(ones, 0.25, noise)
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert kept.mean((1, 2)).tolist() == pytest.approx([1, 1], abs=0.02)
    sentences = drop_features(torch.ones(2, 5, 40, 8), 0.25, noise)
    assert torch.equal(sentences, sentences[:, :1].expand_as(sentences))
    assert torch.equal(drop_features(ones, 0.25, None), ones)


@pytest.mark.parametrize("name", [DIGITS, WINDOWS, SENTENCES])
def test_a_diverged_run_is_frozen_and_its_neighbours_keep_every_bit(name, monkeypatch):
    members = [make_run(name, seed=seed) for seed in (0, 1, 2)]
    healthy = trained(members)
    begin, runners = StackRunner.__init__, []

    def poisoned(runner, *arguments):
        begin(runner, *arguments)
        runners.append(runner)
        with torch.no_grad():
            runner.stack.leaf[1] = torch.inf

    monkeypatch.setattr(StackRunner, "__init__", poisoned)
    first, second, third = train(members, device=CPU, clock=Clock())
    assert [dataclasses.replace(each, times={}) for each in (first, third)] == [healthy[0], healthy[2]]
    assert "not finite, or above 10,000, at step 8" in second.reason
    stack = runners[0].stack
    before = stack.snapshot(1)
    runners[0].step(Clock())
    assert torch.equal(before.dense.isnan(), stack.leaf[1].isnan())
    if before.table is not None:
        assert torch.equal(before.table, stack.snapshot(1).table) or before.table.isnan().any()


def test_a_run_without_a_checkpoint_leaves_those_of_the_others():
    members = [make_run(DIGITS, "none"), make_run(DIGITS, "deferred-reweighting"), make_run(DIGITS, "focal")]
    runner = StackRunner(members, CPU)
    progress = [RunProgress() for _ in members]
    for _ in range(8):
        runner.step(Clock())
    validate(runner, progress, 8)
    assert [each.best is None for each in progress] == [False, True, False], "it is not in its last phase yet"
    before = runner.stack.leaf.clone()
    for _ in range(3):
        runner.step(Clock())
    own = runner.stack.leaf[1].clone()
    evaluate_checkpoints(runner, progress)
    assert torch.equal(runner.stack.leaf[[0, 2]], before[[0, 2]])
    assert torch.equal(runner.stack.leaf[1], own)


def test_a_diverged_run_is_a_failure_that_names_its_learning_rate():
    sane, blown = train([make_run(DIGITS), make_run(DIGITS, learning_rate=1e30)], device=CPU, clock=Clock())
    assert dataclasses.replace(sane, times={}) == trained([make_run(DIGITS)])[0]
    assert blown.reason.startswith("diverged at a learning rate of 1e+30: ")
