"""A training's record does not depend on its neighbours in a stack: bit for bit on the CPU."""

import dataclasses

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
from strategies import parse

TASKS = {
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


pytestmark = pytest.mark.usefixtures("one_thread")


def runs(name, strategies, seeds=(0, 1)):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=24, validate_every=8)
    return [Run(task, parse(each), protocol, seed, "fingerprint") for each in strategies for seed in seeds]


def numbers(record):
    assert isinstance(record, Record), record
    return dataclasses.replace(record, times={})


def trained(members):
    """Records in the order of the members, which are trained in a stack for each build."""
    found = {}
    for build in {ModelVariant.of(each.strategy) for each in members}:
        alike = [place for place, each in enumerate(members) if ModelVariant.of(each.strategy) == build]
        outcomes = train([members[place] for place in alike], device=torch.device("cpu"), clock=Clock())
        found |= dict(zip(alike, map(numbers, outcomes), strict=True))
    return [found[place] for place in range(len(members))]


@pytest.mark.parametrize("name", list(TASKS))
def test_alone_and_in_any_stack_of_any_order_a_training_leaves_the_same_record(name):
    members = runs(name, TASKS[name])
    together = trained(members)
    backwards = trained(members[::-1])[::-1]
    alone = [trained([each])[0] for each in members[::3]]
    assert together == backwards
    assert together[::3] == alone
    assert len({record.evaluation("last", "test").nll for record in together}) == len(members), (
        "trainings that should differ do not"
    )


def test_the_same_training_twice_in_a_stack_is_twice_the_same():
    one = runs("synthetic-conll(sentences, scale=0.01)", ["none"], seeds=[3])
    first, second = trained([*one, *runs("synthetic-conll(sentences, scale=0.01)", ["loss-weights"], [1]), *one])[::2]
    assert first == second


def test_a_diverged_neighbour_is_recorded_and_harms_nobody(monkeypatch):
    members = runs("digits-lt", ["none"], seeds=(0, 1, 2))
    healthy = trained(members)
    begin = StackRunner.__init__

    def poisoned(program, *arguments):
        begin(program, *arguments)
        with torch.no_grad():
            program.stack.leaf[1] = torch.nan

    monkeypatch.setattr(StackRunner, "__init__", poisoned)
    first, second, third = train(members, device=torch.device("cpu"), clock=Clock())
    assert [numbers(first), numbers(third)] == [healthy[0], healthy[2]]
    assert "diverged" in second.reason
    assert "step 8" in second.reason


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", list(TASKS))
def test_on_cuda_the_same_code_comes_near_the_cpus_numbers(name):
    members = runs(name, TASKS[name], seeds=[0])
    on_cpu = trained(members)
    on_cuda = [train([each], device=torch.device("cuda"), clock=Clock())[0] for each in members]
    for here, there in zip(on_cpu, on_cuda, strict=True):
        assert there.sampling == here.sampling
        assert there.evaluation("last", "test").nll == pytest.approx(here.evaluation("last", "test").nll, rel=0.02)
