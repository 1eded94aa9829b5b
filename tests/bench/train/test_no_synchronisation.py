"""A training step hands its numbers to the device and reads none back, so that a GPU is never waited for.

Seen without a GPU: on torch's "meta" device tensors have shapes and no numbers, so that whatever reads a number, asks for a
shape that depends on one, or mixes tensors of the host into the device's, raises.
"""

import dataclasses

import pytest
import torch
from numpy.random import default_rng

from bench.planning.applicability import why_not_on_task
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.step import StackRunner
from strategies import get, names, parse

META = torch.device("meta")
TASKS = (
    "synthetic-conll(windows, scale=0.01)",
    "synthetic-conll(windows-tags, scale=0.01)",
    "synthetic-conll(sentences, scale=0.01)",
    "digits-lt",
)


def make_runner(name, strategy, seeds=(0,), **changes):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=8, validate_every=8, **changes)
    return StackRunner([Run(task, strategy, protocol, seed, "fingerprint") for seed in seeds], META)


@pytest.mark.parametrize("name", TASKS)
def test_no_strategy_makes_the_host_wait_for_the_device(name):
    task = find_task(name).load(default_rng(0))
    tried = [
        get(each) for each in names() if why_not_on_task(get(each), task) is None and get(each).folder != "ensemble"
    ]
    assert len(tried) > 15
    for strategy in tried:
        runner = make_runner(name, strategy)
        for _ in range(8):
            runner.step(Clock())


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("rule", ["row-lazy", "dense"])
def test_no_protocol_makes_the_host_wait_for_the_device(name, rule):
    runner = make_runner(
        name, parse("none"), seeds=(0, 1), embedding_adam=rule, clip_norm=1.0, dropout=0.5, weight_decay=0.1
    )
    runner.step(Clock())


def test_reading_a_number_back_is_noticed():
    runner = make_runner("digits-lt", parse("none"))
    with pytest.raises((RuntimeError, NotImplementedError)):
        runner.stack.leaf.sum().item()
