"""Plain training with the validation labels added: what it is trained on, when it ends, and what its record holds."""

import dataclasses
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch

from bench.engine.packing import StackKey, pack_stacks
from bench.metrics.part_evaluation import Predictions
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import RAW, VALIDATION_LABELS_ADDED, Failure, Record
from bench.records.store import Store
from bench.tasks import find_task
from bench.tasks.part import TaggedSentences, join_parts
from bench.train.clock import Clock
from bench.train.evaluation import compute_logits
from bench.train.loop import train
from bench.train.step import StackRunner
from strategies import parse

CPU = torch.device("cpu")
TASK = find_task("digits-lt")

pytestmark = pytest.mark.usefixtures("one_thread")


def plain(seed: int = 0, task=TASK, **changes) -> Run:
    protocol = dataclasses.replace(reference_protocol(task), **{"steps": 200, "validate_every": 20, **changes})
    return Run(task, parse("none"), protocol, seed, "fingerprint")


def added(run: Run) -> Run:
    return dataclasses.replace(run, adds_validation=True)


def train_all(*runs: Run) -> list[Record | Failure]:
    return train(runs, device=CPU, clock=Clock())


def test_it_is_the_baselines_training_loop_on_both_parts_until_the_baselines_best_step():
    baseline, record = train_all(plain(), added(plain()))
    assert isinstance(baseline, Record)
    assert isinstance(record, Record)
    assert (record.chosen_step, record.converged) == (baseline.chosen_step, baseline.converged)
    # Independently: a run of exactly that many steps on a task whose training part holds both parts.
    steps = baseline.chosen_step
    alone = StackRunner([added(plain())], CPU)
    assert torch.equal(alone.stack.leaf[0], alone.stack.leaf[1])  # the initial weights of the baseline
    for _ in range(steps):
        alone.step(Clock())
    logits = compute_logits(alone.stack, [task.test for task in alone.tasks])[0]
    test = alone.tasks[0].test
    expected = Predictions.of(logits, test).evaluation(test, "chosen", "test").confusion
    assert record.evaluation("chosen", "test").confusion == expected
    assert record.evaluation("chosen", "test").confusion != baseline.evaluation("chosen", "test").confusion


@pytest.mark.parametrize("name", ["digits-lt", "synthetic-conll(scale=0.01)", "synthetic-conll(sentences, scale=0.01)"])
def test_it_samples_the_items_of_both_parts_and_no_others(name):
    task = find_task(name).load(np.random.default_rng(0))
    both = task.with_validation_added
    assert both is task.with_validation_added
    assert (both.valid, both.test) == (task.valid, task.test)

    def items(part):
        words = part.words if isinstance(part, TaggedSentences) else part.x
        cuts = part.labels.offsets.tolist() if isinstance(part, TaggedSentences) else range(len(part.labels) + 1)
        labels = part.labels
        return Counter(
            (words[a:b].numpy().tobytes(), tuple(labels.values[labels.offsets[i] : labels.offsets[i + 1]].tolist()))
            for i, (a, b) in enumerate(pairwise(cuts))
        )

    assert items(both.train) == items(task.train) + items(task.valid)
    assert len(both.train.truth) == len(task.train.truth) + len(task.valid.truth)
    if task.train.sentences is not None:
        lengths = [part.sentences.diff().tolist() for part in (task.train, task.valid)]
        assert both.train.sentences.diff().tolist() == lengths[0] + lengths[1]


def test_joining_keeps_items_with_many_labels_apart():
    task = find_task("synthetic-conll(windows-tags, scale=0.01)").load(np.random.default_rng(0))
    joined = join_parts(task.train, task.valid)
    n = len(task.train.labels)
    assert torch.equal(joined.targets[:n], task.train.targets)
    assert torch.equal(joined.targets[n:], task.valid.targets)


def test_its_record_says_what_it_is_and_holds_one_evaluation_on_test(tmp_path):
    run = added(plain())
    (record,) = train_all(run)
    assert isinstance(record, Record)
    assert record.strategy == VALIDATION_LABELS_ADDED
    assert record.identity["trained on"] == "training and validation part"
    assert record.id == run.id != plain().id
    assert [(each.checkpoint, each.split, each.adjustment) for each in record.evaluations] == [("chosen", "test", RAW)]
    assert record.curve == []
    store = Store(tmp_path)
    store.add(record)
    assert store.record(run.id) == record  # it counts as done
    pretender = dataclasses.replace(record, strategy="none")
    store.add(pretender)
    assert store.record(run.id) is None  # any other strategy owes its evaluations on validation


def test_the_id_of_a_plain_run_stays():
    assert "trained on" not in plain().identity()
    assert added(plain()).baseline.id == plain().id


@pytest.mark.parametrize("others", ["with its baseline", "without it", "with other seeds"])
def test_its_numbers_do_not_depend_on_whether_its_baseline_is_in_the_stack(others):
    run = added(plain(1))
    stacks = {
        "with its baseline": [plain(0), run, plain(1)],
        "without it": [run],
        "with other seeds": [plain(0), added(plain(0)), run],
    }
    alone = train_all(run)[0]
    stack = stacks[others]
    outcomes = train_all(*stack)
    assert [outcome.id for outcome in outcomes] == [each.id for each in stack]  # no record of a run not asked for
    record = outcomes[stack.index(run)]
    assert isinstance(alone, Record)
    assert isinstance(record, Record)
    assert dataclasses.replace(record, times={}) == dataclasses.replace(alone, times={})


def test_where_the_baseline_diverges_it_fails_with_the_baselines_reason():
    wild = plain(learning_rate=1e6)
    for stack in ([wild, added(wild)], [added(wild)]):
        failure = train_all(*stack)[-1]
        assert isinstance(failure, Failure)
        assert failure.strategy == VALIDATION_LABELS_ADDED
        assert failure.reason.startswith("the baseline, which decides the number of steps, failed: diverged")


def test_a_stack_holds_a_run_next_to_its_baseline():
    runs = [plain(seed) for seed in range(5)]
    mixed = [*runs, *map(added, runs)]
    stacks = pack_stacks(mixed, 1, dict.fromkeys(map(StackKey.of, mixed), 4))
    apart = sum(run.adds_validation and run.baseline not in stack for stack in stacks for run in stack)
    assert sum(map(len, stacks)) == 10
    assert apart <= len(stacks) - 1  # at most one pair is cut at the end of a stack
