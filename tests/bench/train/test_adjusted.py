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
from bench.train.adjustment import tune_adjustments
from bench.train.clock import Clock
from bench.train.evaluation import compute_logits, evaluate_run
from bench.train.loop import train
from bench.train.step import StackRunner
from strategies import Labels, StrategyWarning, fit_thresholds, get, parse
from strategies.adjust.fitted_thresholds import cross_fit_thresholds

CPU = torch.device("cpu")
BALANCED = "digits-lt(factor=50,valid=balanced)"
ADJUSTMENTS = tuple(map(get, ("post-hoc-adjustment", "prior-correction", "tau-normalisation", "thresholds")))


pytestmark = pytest.mark.usefixtures("one_thread")


def make_run(strategy="none", adjustments=ADJUSTMENTS, steps=300, task="digits-lt(factor=50)"):
    task = find_task(task)
    protocol = dataclasses.replace(reference_protocol(task), steps=steps, validate_every=steps)
    return Run(task, parse(strategy), protocol, 0, "fingerprint", adjustments)


def test_a_record_holds_an_evaluation_on_both_parts_under_each_adjustment():
    (record,) = train([make_run(task=BALANCED)], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    raw = record.evaluation("chosen", "test")
    for each in map(str, ADJUSTMENTS):
        assert record.has_adjustment(each)
        assert np.sum(record.evaluation("chosen", "valid", each).confusion) == 370
        assert record.evaluation("chosen", "test", each).confusion != raw.confusion
    assert not record.has_adjustment("thresholds(other)")


def test_a_record_holds_the_version_of_an_adjustment_and_what_it_warned_of():
    (record,) = train([make_run(steps=20)], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    assert record.evaluation("chosen", "test", "thresholds").version == get("thresholds").version == 4
    assert record.evaluation("chosen", "test", "prior-correction").version == 1
    (note,) = record.adjustment_notes("thresholds")
    assert "fewer than 5 validation labels: 5, 6, 7, 8, 9" in note
    assert record.adjustment_notes("raw") == record.notes == []


def test_evaluations_under_an_earlier_version_of_an_adjustment_are_made_again(tmp_path):
    run = make_run(adjustments=(get("thresholds"), get("prior-correction")), steps=20)
    (record,) = train([run], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    versions = {"thresholds": get("thresholds").version}
    old = dataclasses.replace(record, evaluations=[dataclasses.replace(each, version=1) for each in record.evaluations])
    store = Store(tmp_path)
    for written, done in (old, False), (record, True):
        store.add(written)
        assert (store.record(record.id, ["thresholds"], versions) is not None) == done
        assert store.record(record.id, ["prior-correction"], versions) is not None
        # A study that was planned with the earlier version is still read as it was.
        assert (store.record(record.id, ["thresholds"], {}) is not None) == (not done)


def test_thresholds_are_tuned_for_the_classes_of_a_balanced_test_part():
    """On validation labels weighted to equal classes, as if each class had been repeated as often as the others."""
    run = make_run(adjustments=(get("thresholds"),), task="digits-lt(factor=10)")
    (task,) = StackRunner([run], CPU).tasks
    logits = torch.randn(len(task.valid.truth), 10, generator=torch.Generator().manual_seed(0))
    logits[torch.arange(len(logits)), task.valid.truth] += 1.5
    logits += (task.valid_counts + 1.0).log()
    head = StackRunner([run], CPU).stack.head(0)
    (tuned,) = tune_adjustments(run, task, head, logits)
    with pytest.warns(StrategyWarning):
        by_hand = fit_thresholds(logits, task.valid.truth, weights=(1 / task.valid_counts)[task.valid.truth])
    assert any(by_hand.offsets)
    assert torch.equal(tuned.adjust(logits).argmax(-1), by_hand.predict(logits))


def test_validation_is_evaluated_with_offsets_that_were_not_tuned_on_the_label():
    run = make_run(adjustments=(get("thresholds"),), task=BALANCED)
    runner = StackRunner([run], CPU)
    (task,) = runner.tasks
    logits = torch.randn(len(task.valid.truth), 10, generator=torch.Generator().manual_seed(0))
    logits[torch.arange(len(logits)), task.valid.truth] += 2.5
    logits[:, 0] += 3  # one class is predicted far too often
    (tuned,) = tune_adjustments(run, task, runner.stack.head(0), logits)
    held_out = cross_fit_thresholds(logits, task.valid.truth, target_prior=task.target_prior)[1]
    assert torch.equal(tuned.valid_logits, held_out)
    assert not torch.equal(tuned.valid_logits, tuned.adjust(logits))
    test_logits = torch.zeros(len(task.test.truth), 10)
    final = evaluate_run(run, task, runner.stack.head(0), logits, test_logits, test_logits)
    (on_valid,) = (each for each in final.evaluations if (each.split, each.adjustment) == ("valid", "thresholds"))
    right = Predictions.of(held_out, task.valid).evaluation(task.valid, "chosen", "valid")
    assert on_valid.confusion == right.confusion


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
