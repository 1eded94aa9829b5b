"""A run's record does not depend on its neighbours in a stack: bit for bit on the CPU."""

import dataclasses

import numpy as np
import pytest
import torch

from bench.models.variant import ModelVariant
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.loop import train
from bench.train.step import StackRunner
from strategies import get, names, parse

INTERPLAY = {
    "synthetic-conll(windows, scale=0.01)": [
        "none",
        "ignore-index",
        "loss-weights",
        "random-oversampling",
        "weighted-random-sampler",
        "class-balanced-sampling",
        "seesaw",
        "equalisation(threshold=0.1)",
        "lade",
        "deferred-reweighting",
        "classifier-retraining",
        "ldam",
        "ldam+deferred-resampling",
        "influence-balanced",
        "mixup",
        "remix",
        "learnable-weight-scaling",
    ],
    "synthetic-conll(windows-tags, scale=0.01)": [
        "none",
        "sentence-weights",
        "sentence-weights(product)",
        "loss-weights",
        "majority-or-minority",
        "ldam",
        "influence-balanced",
        "mixup",
        "remix",
    ],
    "synthetic-conll(sentences, scale=0.01)": [
        "none",
        "sentence-weights",
        "random-oversampling",
        "loss-weights(reduction=mean)",
        "equalisation(threshold=0.1)",
        "seesaw",
        "lade",
        "deferred-reweighting",
        "ldam",
        "influence-balanced",
        "mixup",
        "remix",
    ],
    "digits-lt": [
        "none",
        "smote",
        "weighted-random-sampler(0.5)",
        "loss-weights(0.5)",
        "self-adjusting-dice",
        "classifier-retraining",
        "ldam",
        "mixup+deferred-reweighting",
        "learnable-weight-scaling",
    ],
}
"""Stacks of many different strategies, and of combinations. Every registered strategy is tested apart, below."""


pytestmark = pytest.mark.usefixtures("one_thread")


def runs(name, strategies, seeds=(0, 1), **changes):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=24, validate_every=8, **changes)
    return [Run(task, parse(strategy), protocol, seed, "fingerprint") for strategy in strategies for seed in seeds]


def without_times(record):
    assert isinstance(record, Record), record
    return dataclasses.replace(record, times={})


def train_together(members):
    """Records in the order of the runs, which are trained in one stack per variant of the model."""
    records = {}
    for variant in {ModelVariant.of(run.strategy) for run in members}:
        positions = [i for i, run in enumerate(members) if ModelVariant.of(run.strategy) == variant]
        outcomes = train([members[i] for i in positions], device=torch.device("cpu"), clock=Clock())
        records |= dict(zip(positions, map(without_times, outcomes), strict=True))
    return [records[i] for i in range(len(members))]


def train_alone(run):
    return train_together([run])[0]


@pytest.mark.parametrize("name", list(INTERPLAY))
def test_alone_and_in_any_stack_of_any_order_a_run_leaves_the_same_record(name):
    members = runs(name, INTERPLAY[name])
    together = train_together(members)
    backwards = train_together(members[::-1])[::-1]
    alone = [train_alone(run) for run in members[::3]]
    assert together == backwards
    assert together[::3] == alone
    assert len({record.evaluation("last", "test").nll for record in together}) == len(members), (
        "runs that should differ do not"
    )


def first_task_for(strategy):
    """The first of two tasks, one of numbers and one of sentences, on which the strategy is applicable."""
    for name in ("digits-lt", "synthetic-conll(sentences, scale=0.01)"):
        task = find_task(name).load(np.random.default_rng(0))
        if strategy.why_not_applicable(task.train.labels, task.inputs) is None:
            return name
    return pytest.skip("not applicable to either task")


@pytest.mark.parametrize("strategy", [name for name in names() if get(name).folder != "ensemble"])
def test_a_run_of_every_registered_strategy_leaves_the_same_record_alone_and_in_a_stack(strategy):
    task = first_task_for(get(strategy))
    # An odd batch size: where a tensor's end does not fill a vector, a processor rounds powers and exponentials differently.
    members = runs(task, [strategy], seeds=(0, 1), batch_size=37)
    neighbours = [
        run for run in runs(task, ["loss-weights"], seeds=(2,), batch_size=37) if same_variant(run, members[0])
    ]
    together = train_together([*neighbours, *members])[len(neighbours) :]
    assert together == [train_alone(run) for run in members], (
        f"a record of {strategy} depends on the other runs of its stack. If it has a loss of its own: use steep_power instead "
        "of `x ** p`, sequential_sum instead of sum() or mean() over items, and log_softmax or cross_entropy of "
        "strategies.loss_function instead of torch's; draw random numbers from the run's own generator"
    )


def same_variant(run, other):
    return ModelVariant.of(run.strategy) == ModelVariant.of(other.strategy)


def test_the_same_run_twice_in_a_stack_leaves_the_same_record_twice():
    one = runs("synthetic-conll(sentences, scale=0.01)", ["none"], seeds=[3])
    first, second = train_together(
        [*one, *runs("synthetic-conll(sentences, scale=0.01)", ["loss-weights"], [1]), *one]
    )[::2]
    assert first == second


def test_a_diverged_neighbour_is_recorded_and_harms_nobody(monkeypatch):
    members = runs("digits-lt", ["none"], seeds=(0, 1, 2))
    healthy = train_together(members)
    begin = StackRunner.__init__

    def poisoned(program, *arguments):
        begin(program, *arguments)
        with torch.no_grad():
            program.stack.leaf[1] = torch.nan

    monkeypatch.setattr(StackRunner, "__init__", poisoned)
    first, second, third = train(members, device=torch.device("cpu"), clock=Clock())
    assert [without_times(first), without_times(third)] == [healthy[0], healthy[2]]
    assert "diverged" in second.reason
    assert "step 8" in second.reason


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", list(INTERPLAY))
def test_on_cuda_the_same_code_comes_near_the_cpus_numbers(name):
    members = runs(name, INTERPLAY[name], seeds=[0])
    on_cpu = train_together(members)
    on_cuda = [train([each], device=torch.device("cuda"), clock=Clock())[0] for each in members]
    for here, there in zip(on_cpu, on_cuda, strict=True):
        assert there.sampling == here.sampling
        assert there.evaluation("last", "test").nll == pytest.approx(here.evaluation("last", "test").nll, rel=0.02)
