"""Phases: which parameters are trained, which items are sampled, and which checkpoint is chosen."""

import dataclasses

import pytest
import torch

from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.loop import train
from bench.train.step import StackRunner
from bench.train.strategy_slices import slice_by_strategy
from strategies import get, parse

CPU = torch.device("cpu")
WINDOWS, DIGITS = "synthetic-conll(windows, scale=0.01)", "digits-lt"
STEPS, BORDER = 20, 16


pytestmark = pytest.mark.usefixtures("one_thread")


def make_run(name, strategy, seed=0, **changed):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), **{"steps": STEPS, "validate_every": 4, **changed})
    return Run(task, parse(strategy), protocol, seed, "fingerprint")


def take_steps(runner, steps):
    for _ in range(steps):
        runner.step(Clock())
    return runner


def parameters(runner, row):
    named = {name: value[row].detach().clone() for name, value in runner.stack.params.items()}
    if runner.stack.tables is not None:
        named["embedding"] = runner.stack.tables.weights[row].clone()
    return named


def test_a_phase_is_as_long_as_its_share_of_the_steps():
    plain, retrained = slice_by_strategy(
        [get("none"), get("none"), get("classifier-retraining", start=0.75)], steps=100
    )
    assert (plain.rows, plain.first_steps) == (slice(0, 2), (1,))
    assert (retrained.rows, retrained.first_steps) == (slice(2, 3), (1, 76))
    assert [retrained.phase_starting_at(step) for step in (1, 75, 76, 77)] == [0, None, 1, None]


@pytest.mark.parametrize("name", [WINDOWS, DIGITS])
@pytest.mark.parametrize(
    ("strategy", "moving"),
    [
        ("classifier-retraining", {"head.weight", "head.bias"}),
        ("learnable-weight-scaling", {"head.scale"}),
        ("deferred-reweighting", None),
    ],
)
def test_only_what_a_phase_trains_moves(name, strategy, moving):
    runner = take_steps(StackRunner([make_run(name, strategy)], CPU), BORDER)
    before = parameters(runner, 0)
    after = parameters(take_steps(runner, STEPS - BORDER), 0)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == (set(before) if moving is None else moving)


def test_a_scale_stays_one_until_it_is_trained_and_then_multiplies_the_logits():
    runner = take_steps(StackRunner([make_run(DIGITS, "learnable-weight-scaling")], CPU), BORDER)
    assert torch.equal(parameters(runner, 0)["head.scale"], torch.ones(10))
    x = runner.tasks[0].test.x[:5].unsqueeze(0)
    before = runner.stack.forward(x).logits
    scale = parameters(take_steps(runner, STEPS - BORDER), 0)["head.scale"]
    assert torch.allclose(runner.stack.forward(x).logits, before * scale, atol=1e-6)


def test_a_new_head_begins_from_its_own_seed_and_without_momentum():
    runner = take_steps(StackRunner([make_run(DIGITS, "classifier-retraining")], CPU), BORDER)
    trained = parameters(runner, 0)["head.weight"]
    fresh = runner.stack.model.init(runner.stack.shape, torch.Generator().manual_seed(runner.runs[0].seed_for("head")))[
        "head.weight"
    ]
    begun = parameters(take_steps(runner, 1), 0)["head.weight"]
    assert not torch.allclose(begun, trained, atol=0.05)
    # Adam's first step moves every weight by the learning rate at most.
    assert (begun - fresh).abs().max() <= runner.protocol.learning_rate * 1.001


def test_in_its_first_phase_a_schedule_is_plain_training():
    plain, scheduled = (
        take_steps(StackRunner([make_run(DIGITS, each)], CPU), BORDER) for each in ("none", "deferred-reweighting")
    )
    assert torch.equal(plain.stack.leaf, scheduled.stack.leaf)
    take_steps(plain, 1), take_steps(scheduled, 1)
    assert not torch.equal(plain.stack.leaf, scheduled.stack.leaf)


def test_the_later_phase_samples_as_its_sampler_does():
    records = train(
        [make_run(DIGITS, each, steps=400, validate_every=100) for each in ("none", "deferred-resampling(start=0.5)")],
        device=CPU,
        clock=Clock(),
    )
    plain, resampled = (torch.tensor(record.sampling.by_class) / record.sampling.items for record in records)
    expected = (plain + 0.1) / 2
    assert torch.allclose(resampled, expected, atol=0.01)


def test_a_checkpoint_is_chosen_in_the_last_phase_only():
    (record,) = train([make_run(DIGITS, "classifier-retraining", validate_every=2)], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    assert record.chosen_step > BORDER
    assert [step for step, _ in record.curve] == list(range(2, STEPS + 1, 2))


def test_strategies_combined_with_a_schedule_hold_in_every_phase():
    runner = StackRunner([make_run(DIGITS, "ldam+deferred-reweighting+square-root-sampling")], CPU)
    (each,) = runner.slices
    assert [str(phase.strategy) for phase in each.phases] == [
        "square-root-sampling+ldam",
        "square-root-sampling+class-balanced-loss+ldam",
    ]
    assert runner.stack.variant.cosine
