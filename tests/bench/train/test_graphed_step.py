"""A step replayed as a CUDA graph is the step run one kernel after another."""

import dataclasses

import pytest
import torch

from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.graph import GraphedStep
from bench.train.step import StackRunner
from strategies import parse

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]

WINDOWS, DIGITS = "synthetic-conll(windows, scale=0.01)", "digits-lt"


def program(name, strategies):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=24, validate_every=8)
    return StackRunner(
        [Run(task, parse(each), protocol, 0, "fingerprint") for each in strategies], torch.device("cuda")
    )


@pytest.mark.parametrize("name", [WINDOWS, DIGITS])
def test_replayed_and_run_eagerly_a_stack_comes_to_the_same_parameters(name):
    strategies = ["none", "focal", "loss-weights", "deferred-reweighting", "weighted-random-sampler"]
    graphed, eager = program(name, strategies), program(name, strategies)
    for _ in range(24):
        graphed.step(Clock())
        eager._run = eager._run_eagerly
        eager.step(Clock())
    assert isinstance(graphed._run, GraphedStep)
    assert torch.allclose(graphed.stack.leaf, eager.stack.leaf, rtol=1e-4, atol=1e-5)
    if graphed.stack.tables is not None:
        assert torch.allclose(graphed.stack.tables.weights, eager.stack.tables.weights, rtol=1e-4, atol=1e-5)


def test_a_training_that_is_frozen_in_the_middle_stands_still_and_the_others_go_on():
    made = program(DIGITS, ["none", "focal"])
    for _ in range(8):
        made.step(Clock())
    made.freeze(0)
    before = made.stack.leaf.detach().clone()
    for _ in range(8):
        made.step(Clock())
    assert torch.equal(made.stack.leaf[0], before[0])
    assert not torch.equal(made.stack.leaf[1], before[1])
