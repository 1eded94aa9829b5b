"""Post-hoc adjustments: further evaluations of the same run, tuned on validation only."""

import dataclasses

import numpy as np
import pytest
import torch

from bench.metrics.part_evaluation import Predictions
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.records.store import Store
from bench.tasks import find_task
from bench.tasks.digits_lt import DigitsLT
from bench.train.clock import Clock
from bench.train.evaluation import compute_logits, evaluate_run
from bench.train.loop import train
from bench.train.step import StackRunner
from strategies import Labels, get, parse

CPU = torch.device("cpu")
ADJUSTMENTS = tuple(map(get, ("post-hoc-adjustment", "prior-correction", "tau-normalisation", "thresholds")))


pytestmark = pytest.mark.usefixtures("one_thread")


def make_run(strategy="none", adjustments=ADJUSTMENTS, steps=300):
    task = find_task("digits-lt(factor=50)")
    protocol = dataclasses.replace(reference_protocol(task), steps=steps, validate_every=steps)
    return Run(task, parse(strategy), protocol, 0, "fingerprint", adjustments)


def test_a_record_holds_an_evaluation_on_both_parts_under_each_adjustment():
    (record,) = train([make_run()], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    raw = record.evaluation("chosen", "test")
    for each in map(str, ADJUSTMENTS):
        assert record.has_adjustment(each)
        assert np.sum(record.evaluation("chosen", "valid", each).confusion) == sum(DigitsLT().valid_counts())
        assert record.evaluation("chosen", "test", each).confusion != raw.confusion
    assert not record.has_adjustment("thresholds(other)")


def test_an_adjustment_that_rules_a_class_out_changes_no_other_evaluation(tmp_path):
    hopeless = get("post-hoc-adjustment", tau=1e30)
    (record,) = train([make_run(adjustments=(hopeless, get("thresholds")), steps=20)], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    Store(tmp_path).add(record)
    held = Store(tmp_path).record(record.id, [str(hopeless), "thresholds"])
    assert held is not None
    assert held.evaluation("chosen", "test").nll == record.evaluation("chosen", "test").nll
    assert held.evaluation("chosen", "test", str(hopeless)).nll > 1e20


def test_the_prior_to_correct_to_is_that_of_a_balanced_test_part_not_that_of_long_tailed_validation():
    (record,) = train([make_run()], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    corrected, balanced = (
        record.evaluation("chosen", "test", name) for name in ("prior-correction", "post-hoc-adjustment")
    )
    assert corrected.confusion == balanced.confusion


def test_adjustments_do_not_change_the_id_of_a_run():
    assert make_run().id == make_run(adjustments=()).id


def test_post_hoc_adjustment_subtracts_the_log_prior_of_the_training_part():
    runner = StackRunner([make_run(adjustments=(get("post-hoc-adjustment"),))], CPU)
    for _ in range(40):
        runner.step(Clock())
    (task,) = runner.tasks
    valid, test = (compute_logits(runner.stack, [part])[0] for part in (task.valid, task.test))
    counts = task.train.labels.counts().values.double()
    expected = Predictions.of(test.double() - (counts / counts.sum()).log(), task.test)
    found = evaluate_run(runner.runs[0], task, runner.stack.head(0), valid, test, test).evaluations[3]
    assert (found.split, found.adjustment) == ("test", "post-hoc-adjustment")
    assert found.confusion == expected.evaluation(task.test, "chosen", "test").confusion
    assert found.nll == pytest.approx(expected.nll, rel=1e-6)


def test_adjusted_predictions_do_not_depend_on_the_test_labels():
    runner = StackRunner([make_run(steps=60)], CPU)
    for _ in range(60):
        runner.step(Clock())
    (task,) = runner.tasks
    valid, test = (compute_logits(runner.stack, [part])[0] for part in (task.valid, task.test))
    other = Labels.of(task.test.truth.roll(11), task.test.labels.class_names)
    elsewhere = dataclasses.replace(task, test=dataclasses.replace(task.test, labels=other))
    here, there = (
        evaluate_run(runner.runs[0], each, runner.stack.head(0), valid, test, test).evaluations
        for each in (task, elsewhere)
    )
    for one, two in zip(here, there, strict=True):
        if one.split == "valid":
            assert one == two
        else:
            assert np.sum(one.confusion, 0).tolist() == np.sum(two.confusion, 0).tolist()
            assert one.confusion != two.confusion


def test_the_head_that_is_handed_to_adjustments_gives_the_logits():
    for strategy in ("none", "ldam", "learnable-weight-scaling"):
        runner = StackRunner([make_run(strategy, ())], CPU)
        for _ in range(5):
            runner.step(Clock())
        stack, x = runner.stack, runner.tasks[0].test.x[:9].unsqueeze(0)
        features = stack.model.features(stack.params, x, None)[0]
        if strategy == "ldam":
            features = torch.nn.functional.normalize(features, dim=-1)
        head = stack.head(0)
        assert torch.allclose(features @ head.weight.T + head.bias, stack.forward(x).logits[0], atol=1e-5)
