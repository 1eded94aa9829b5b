"""A step replayed as a CUDA graph gives the numbers of the same step run eagerly."""

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


def make_runner(name, strategies):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=24, validate_every=8)
    return StackRunner(
        [Run(task, parse(each), protocol, 0, "fingerprint") for each in strategies], torch.device("cuda")
    )


@pytest.mark.parametrize("name", [WINDOWS, DIGITS])
def test_a_replayed_graph_gives_the_parameters_of_eager_steps(name):
    strategies = ["none", "focal", "loss-weights", "deferred-reweighting", "weighted-random-sampler"]
    graphed, eager = make_runner(name, strategies), make_runner(name, strategies)
    for _ in range(24):
        graphed.step(Clock())
        eager._train_on = eager._train_eagerly
        eager.step(Clock())
    assert isinstance(graphed._train_on, GraphedStep)
    assert torch.allclose(graphed.stack.leaf, eager.stack.leaf, rtol=1e-4, atol=1e-5)
    if graphed.stack.tables is not None:
        assert torch.allclose(graphed.stack.tables.weights, eager.stack.tables.weights, rtol=1e-4, atol=1e-5)


def test_a_run_that_is_frozen_keeps_its_parameters_and_the_others_are_trained_further():
    runner = make_runner(DIGITS, ["none", "focal"])
    for _ in range(8):
        runner.step(Clock())
    runner.freeze(0)
    before = runner.stack.leaf.detach().clone()
    for _ in range(8):
        runner.step(Clock())
    assert torch.equal(runner.stack.leaf[0], before[0])
    assert not torch.equal(runner.stack.leaf[1], before[1])
