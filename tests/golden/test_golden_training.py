"""Numbers of small trainings, pinned: they change only on purpose, and then with a version."""

import dataclasses

import pytest
import torch

from bench.metrics.classification import compute_metrics
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import parse

STEPS = {
    "digits-lt": 120,
    "synthetic-conll(windows, scale=0.01)": 150,
    "synthetic-conll(windows-tags, scale=0.01)": 120,
    "synthetic-conll(sentences, scale=0.01)": 120,
}
GOLDEN = {
    ("digits-lt", "none"): (1.807956, 0.335647),
    ("digits-lt", "ignore-index"): (2.088422, 0.297087),
    ("digits-lt", "loss-weights"): (0.847819, 0.751618),
    ("digits-lt", "weighted-random-sampler"): (0.713990, 0.778003),
    ("digits-lt", "random-oversampling"): (0.718645, 0.768656),
    ("digits-lt", "smote"): (0.725523, 0.762348),
    ("synthetic-conll(windows, scale=0.01)", "none"): (0.790977, 0.188352),
    ("synthetic-conll(windows, scale=0.01)", "loss-weights(power=0.5)"): (0.608375, 0.335933),
    ("synthetic-conll(windows, scale=0.01)", "weighted-random-sampler"): (0.666568, 0.356519),
    ("synthetic-conll(windows-tags, scale=0.01)", "loss-weights"): (0.578706, 0.339731),
    ("synthetic-conll(windows-tags, scale=0.01)", "sentence-weights"): (0.776631, 0.184098),
    ("synthetic-conll(sentences, scale=0.01)", "none"): (0.657617, 0.153049),
    ("synthetic-conll(sentences, scale=0.01)", "sentence-weights"): (0.646966, 0.201653),
}
"""(task, strategy): test NLL and test macro-F1 of the last checkpoint, seed 0, one thread of a CPU."""


@pytest.mark.parametrize("name", STEPS)
def test_small_trainings_give_the_numbers_of_before(name):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=STEPS[name], validate_every=STEPS[name] // 2)
    expected = {strategy: numbers for (of, strategy), numbers in GOLDEN.items() if of == name}
    stack = [Run(task, parse(strategy), protocol, 0, "golden") for strategy in expected]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        outcomes = train(stack, device=torch.device("cpu"), clock=Clock())
    finally:
        torch.set_num_threads(threads)
    found = {each.strategy: numbers(each) for each in outcomes if isinstance(each, Record)}
    assert found == {strategy: pytest.approx(each, rel=1e-3) for strategy, each in expected.items()}, (
        f"{name}: numbers changed: raise Protocol.version or the strategy's version, and say why in CHANGELOG.md"
    )


def numbers(record: Record) -> tuple[float, float]:
    last = record.evaluation("last", "test")
    return last.nll, compute_metrics(last.confusion, last.nll)["macro_f1"]
