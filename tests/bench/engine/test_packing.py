"""Runs in stacks: only runs of one key, within width and memory, no worker idle next to a wide stack, and the same numbers."""

import dataclasses
from collections import Counter
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.random import default_rng

from bench.engine.packing import Packing, StackKey, Width, limit_width, pack_stacks
from bench.engine.stack_memory import measure_run_bytes
from bench.machine.fresh_process import in_fresh_process
from bench.machine.memory import is_reported
from bench.models import find_facts
from bench.models.variant import ModelVariant
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.record import Record
from bench.tasks import find_task
from bench.terminal.study_summary import format_packing
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import parse

DIGITS = find_task("digits-lt")
WORDS = "synthetic-conll(scale=0.01)"


def some(number: int, strategy: str = "none", task: str = "digits-lt", **changes) -> list[Run]:
    spec = find_task(task)
    protocol = dataclasses.replace(reference_protocol(spec), **changes)
    return [Run(spec, parse(strategy), protocol, seed, "data") for seed in range(number)]


def widths(stacks) -> list[int]:
    return [len(stack) for stack in stacks]


def kind(stack):
    (found,) = {(each.task.label, each.protocol.without_rates, ModelVariant.of(each.strategy)) for each in stack}
    return found


pytestmark = pytest.mark.usefixtures("one_thread")


few = settings(deadline=None, max_examples=40)


@st.composite
def cases(draw):
    """Runs of some tasks, protocols and variants, some left out because they are done; workers; a width for each stack key."""
    found = []
    names, steps = st.sampled_from(["digits-lt", WORDS, "digits-lt(factor=10)"]), st.sampled_from([100, 200, 400])
    for task, length in draw(st.lists(st.tuples(names, steps), unique=True)):
        for strategy in draw(st.lists(st.sampled_from(["none", "ldam", "loss-weights", "mixup"]), unique=True)):
            found += some(draw(st.integers(1, 9)), strategy, task, steps=length, validate_every=length)
    left = [each for each in found if draw(st.integers(0, 3))]
    return left, draw(st.integers(1, 9)), {StackKey.of(each): draw(st.integers(1, 6)) for each in left}


@few
@given(cases())
def test_every_run_is_in_one_stack_of_its_key_no_wider_than_allowed(case):
    runs, workers, most = case
    stacks = pack_stacks(runs, workers, most)
    assert Counter(each.id for stack in stacks for each in stack) == Counter(each.id for each in runs)
    for stack in stacks:
        kind(stack)
        assert 1 <= len(stack) <= most[StackKey.of(stack[0])]
    assert stacks == pack_stacks(runs, workers, most)


@few
@given(cases())
def test_no_worker_is_idle_next_to_a_stack_that_could_be_divided_and_none_has_more_than_its_share(case):
    runs, workers, most = case
    stacks = pack_stacks(runs, workers, most)
    assert len(stacks) >= workers or all(width == 1 for width in widths(stacks))
    share = sum(each.protocol.work for each in runs) / workers
    for stack in stacks:
        narrower = sum(each.protocol.work for each in stack[1:])
        assert narrower < share, "one of its runs could have been in another stack"


@few
@given(cases())
def test_the_last_round_of_a_key_is_as_full_as_the_others(case):
    runs, workers, most = case
    of_kind = {}
    for stack in pack_stacks(runs, workers, most):
        of_kind.setdefault(kind(stack), []).append(len(stack))
    for found in of_kind.values():
        assert max(found) - min(found) <= 1
        assert len(found) < workers or len(found) % workers == 0 or set(found) == {1}


@few
@given(cases())
def test_one_worker_gets_no_more_stacks_than_the_widths_ask_for(case):
    runs, _, most = case
    numbers = Counter(StackKey.of(each) for each in runs)
    stacks = pack_stacks(runs, 1, most)
    assert len(stacks) == sum(-(-number // most[each]) for each, number in numbers.items())


@few
@given(cases())
def test_tasks_follow_one_another_or_else_the_longest_stacks_come_first(case):
    stacks, workers = pack_stacks(*case), case[1]
    work = [sum(each.protocol.work for each in stack) for stack in stacks]
    of_task = Counter()
    for stack, done in zip(stacks, work, strict=True):
        of_task[stack[0].task.label] += done
    keys = [(of_task[stack[0].task.label], -done) for stack, done in zip(stacks, work, strict=True)]
    longest_first = sorted(work, reverse=True)
    if keys != sorted(keys):
        assert work == longest_first
    assert ends_after(work, workers) <= 1.05 * ends_after(longest_first, workers)


def ends_after(work: list[float], workers: int) -> float:
    """When the last of some workers ends, where each idle worker takes the next stack."""
    ends = [0.0] * workers
    for done in work:
        idle = ends.index(min(ends))
        ends[idle] += done
    return max(ends)


def test_of_two_data_sets_the_shorter_one_is_trained_first():
    runs = [*some(10, task=WORDS), *some(10, "focal", task=WORDS), *some(10)]
    stacks = pack_stacks(runs, 2, {StackKey.of(run): 5 for run in runs})
    assert [stack[0].task.label for stack in stacks] == ["digits-lt"] * 2 + [WORDS] * 4


@few
@given(cases())
def test_runs_of_a_strategy_are_adjacent(case):
    for stack in pack_stacks(*case):
        strategies = [each.strategy for each in stack]
        borders = sum(before != after for before, after in pairwise(strategies))
        assert borders + 1 == len(set(strategies))


@pytest.mark.parametrize(
    ("number", "workers", "expected"),
    [
        (3, 2, [2, 1]),
        (5, 1, [5]),
        (5, 2, [3, 2]),
        (5, 9, [1] * 5),
        (12, 2, [3, 3, 3, 3]),
        (65, 2, [5] * 9 + [4] * 5),
        (6, 1, [3, 3]),
    ],
)
def test_runs_of_one_key_are_divided_evenly(number, workers, expected):
    runs = some(number)
    assert widths(pack_stacks(runs, workers, {StackKey.of(runs[0]): 5})) == expected


def test_small_groups_are_not_divided_where_the_others_keep_all_workers_busy():
    small, large = some(5), some(40, task=WORDS)
    found = pack_stacks([*small, *large], 2, {StackKey.of(small[0]): 5, StackKey.of(large[0]): 5})
    assert widths(found) == [5] * 9
    assert kind(found[0])[0] == "digits-lt"


def test_next_to_one_long_run_short_ones_are_divided_until_no_worker_is_idle():
    long, short = some(1, task=WORDS), some(6)
    assert widths(pack_stacks([*long, *short], 4, {StackKey.of(long[0]): 5, StackKey.of(short[0]): 6})) == [2, 2, 2, 1]


def test_runs_of_two_learning_rates_and_weight_decays_share_a_stack_and_those_of_two_batch_sizes_do_not():
    plain, other = some(2), [*some(1, learning_rate=0.1), *some(1, weight_decay=0.01)]
    (stack,) = pack_stacks([*plain, *other], 1, {StackKey.of(plain[0]): 5})
    assert stack == [*plain, *other]
    larger = some(2, batch_size=32)
    assert widths(pack_stacks([*plain, *larger], 1, {StackKey.of(plain[0]): 5, StackKey.of(larger[0]): 5})) == [2, 2]


# Memory


@given(st.integers(1, 100), st.integers(1, 10**9), st.integers(-(10**9), 10**11))
def test_a_stack_fits_into_memory_and_is_narrowed_for_no_other_reason(useful, bytes_per_run, room):
    width = limit_width(useful, "no faster", bytes_per_run, room)
    assert width.runs == 1 or width.runs * bytes_per_run <= room
    assert width.runs == useful or (width.runs + 1) * bytes_per_run > room
    assert (width.because == "no faster") == (useful == 1 or useful * bytes_per_run <= room)


@pytest.mark.skipif(not is_reported(), reason="only Linux reports the memory of a process")
def test_the_measured_memory_holds_the_embedding_its_moments_and_a_checkpoint():
    members = some(2, task="synthetic-conll(scale=0.3)")
    shape = members[0].task.load(default_rng(0)).shape
    table = shape.vocabulary * 50 * 4
    measured = in_fresh_process(measure_run_bytes, members, torch.device("cpu"))
    assert 4 * table < measured < 4 * table + 40e6


def test_a_stack_whose_memory_cannot_be_measured_has_the_useful_width_and_the_reason(monkeypatch):
    from bench.engine import packing

    def broken(*_):
        raise RuntimeError("this strategy is cursed")

    monkeypatch.setattr(packing, "measure_run_bytes", broken)
    found = packing.pack(some(8), 1, torch.device("cpu"))
    assert widths(found.stacks) == [8]
    (width,) = found.widths.values()
    assert width.runs == find_facts("mlp").stack_width
    assert width.because.endswith("memory not measured, RuntimeError: this strategy is cursed")


# As text


def of(runs, workers: int, width: Width) -> list[str]:
    each = StackKey.of(runs[0])
    stacks = pack_stacks(runs, workers, {each: width.runs})
    return list(format_packing(Packing(stacks, {each: width}, process_bytes=400_000_000)))


@pytest.mark.parametrize(
    ("number", "workers", "expected"),
    [
        (3, 1, "digits-lt: 1 stack of 3: all runs in one stack; 2.5 MB per run"),
        (10, 2, "digits-lt: 2 stacks of 5: a wider stack is no faster on cpu; 2.5 MB per run"),
        (5, 2, "digits-lt: 2 stacks of 2 to 3: narrower, so that all workers have an equal share; 2.5 MB per run"),
    ],
)
def test_the_plan_reports_how_wide_stacks_are_and_why(number, workers, expected):
    width = limit_width(5, "a wider stack is no faster on cpu", 2_500_000, 10**9)
    line, total = of(some(number), workers, width)
    assert line == expected
    assert (
        total
        == f"{expected.split()[1]} stack{'s' * (workers > 1)}, a worker takes about {400 + 2.5 * -(-number // workers):.0f} MB"
    )


def test_the_plan_reports_where_memory_limits_the_width():
    line, total = of(some(9, "ldam"), 1, limit_width(5, "a wider stack is no faster on cpu", 100_000_000, 320_000_000))
    assert line == (
        "digits-lt (cosine): 3 stacks of 3: more than 3 do not fit into a worker's 320 MB; 100.0 MB per run"
    )
    assert total == "3 stacks, a worker takes about 700 MB"


# Numbers


def test_packed_for_one_worker_or_for_two_a_run_leaves_the_same_record():
    numbers = {"none": 3, "smote": 2, "ldam": 2}
    runs = [each for name in numbers for each in some(numbers[name], name, steps=40, validate_every=20)]
    most = {StackKey.of(each): 5 for each in runs}
    for_one, for_two = ({}, {})
    for workers, records in ((1, for_one), (2, for_two)):
        for stack in pack_stacks(runs, workers, most):
            for record in train(stack, device=torch.device("cpu"), clock=Clock()):
                assert isinstance(record, Record)
                records[record.id] = dataclasses.replace(record, times={})
    assert [widths(pack_stacks(runs, workers, most)) for workers in (1, 2)] == [[5, 2], [3, 2, 2]]
    assert for_one == for_two
    assert len(for_one) == len(runs)
