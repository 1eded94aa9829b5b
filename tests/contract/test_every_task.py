"""Properties of every registered task; a new one is covered as soon as it is registered."""

import inspect
import pickle
from functools import cache

import numpy as np
import pytest
import torch

from bench.tasks import find_task, known_tasks
from bench.tasks.part import Rows
from bench.tasks.task import MissingData, Task

SMALL = {"synthetic-conll": "synthetic-conll(scale=0.01)"}
"""Tasks whose full size would take long."""
CASES = [
    pytest.param(SMALL.get(name, name), marks=pytest.mark.slow if name.startswith("conll2003") else (), id=name)
    for name in known_tasks()
    if ":" not in name
]
every_task = pytest.mark.parametrize("name", CASES)


@cache
def load(name: str, seed: int) -> Task:
    """The task under a seed, loaded anew."""
    from bench.tasks.tagged_corpora import forget_prepared_tasks

    forget_prepared_tasks()
    try:
        return find_task(name).load(np.random.default_rng(seed))
    except MissingData as missing:
        pytest.skip(str(missing))


def parts(task: Task):
    return (task.train, task.valid, task.test)


@every_task
def test_is_named_described_and_found_again_by_its_label(name):
    spec = find_task(name)
    assert known_tasks()[name.partition("(")[0]].description
    assert spec.kind in ("rows", "windows", "windows-tags", "sentences")
    assert find_task(spec.label) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(spec) == hash(find_task(name))


@every_task
def test_the_same_seed_gives_the_same_task(name):
    first, again = load(name, 0), load.__wrapped__(name, 0)
    assert again.compute_digest() == first.compute_digest(), "load must take all randomness from its rng"
    assert (again.fingerprint, again.notes, again.resplit) == (first.fingerprint, first.notes, first.resplit)


@every_task
def test_other_seeds_have_the_same_data_classes_and_sizes(name):
    first, other = load(name, 0), load(name, 1)
    assert other.fingerprint == first.fingerprint, "the fingerprint is a hash of the data, not of their split"
    assert other.train.labels.class_names == first.train.labels.class_names, "classes must have one order for all seeds"
    assert other.shape == first.shape, "runs of several seeds are trained in one stack, so sizes must be the same"


@every_task
def test_its_resplit_facts_are_those_of_the_split(name):
    first, other = load(name, 0), load(name, 1)
    sizes = len(first.test.labels), len(first.train.labels) + len(first.valid.labels)
    if first.resplit is None:
        same = first.test.labels.values.equal(other.test.labels.values)
        assert same, "seeds split the data differently, so resplit must hold the items in test and outside it"
    else:
        assert first.resplit[0] == sizes[0]
        assert first.resplit[1] >= sizes[1]  # items outside test may be left out of training
        assert first.compute_digest() != other.compute_digest(), "all seeds have one split, so resplit must be None"


@every_task
def test_no_row_is_in_two_parts(name):
    task = load(name, 0)
    if task.rows is not None:
        rows = np.concatenate([task.rows.train, task.rows.valid, task.rows.test])
        assert len(np.unique(rows)) == len(rows)
        assert [len(part.labels) for part in parts(task)] == [
            len(rows) for rows in (task.rows.train, task.rows.valid, task.rows.test)
        ]


@every_task
def test_classes_come_head_first_and_two_can_be_measured_in_each_part(name):
    task = load(name, 0)
    labels = task.train.labels
    train = labels.counts().values.tolist()
    everywhere = sum(part.labels.counts().values for part in parts(task)).tolist()
    in_order = train == sorted(train, reverse=True) or everywhere == sorted(everywhere, reverse=True)
    assert in_order, f"order the classes by their counts, the most frequent first; given: {train}"
    assert len(set(labels.class_names)) == len(labels.class_names) == task.shape.classes
    for part in parts(task):
        assert part.labels.class_names == labels.class_names
        assert len(part.truth.unique()) >= 2


@every_task
def test_its_parts_have_the_shapes_that_models_are_built_for(name):
    task = load(name, 0)
    kind = find_task(name).kind
    for part in parts(task):
        if isinstance(part, Rows):
            assert part.x.shape[1] == (task.shape.features if task.inputs == "numbers" else task.shape.positions)
            assert part.targets.shape == (len(part.labels), task.shape.labelled_positions)
        assert isinstance(part, Rows) == (kind != "sentences")
        if task.inputs == "numbers":
            assert part.x.dtype == torch.float32
            assert part.x.isfinite().all()
    assert (task.inputs == "numbers") == (kind == "rows")


@every_task
def test_what_is_listed_of_it_is_true(name):
    spec = find_task(name)
    if spec.imbalance is not None:
        assert spec.imbalance == load(name, 0).imbalance


def test_the_listed_sizes_of_the_synthetic_corpus_are_true():
    for kind in ("windows", "sentences"):
        spec = find_task(f"synthetic-conll({kind})")
        assert spec.imbalance == spec.load(np.random.default_rng(0)).imbalance


def test_every_task_is_a_class_with_documentation():
    for name in known_tasks():
        if ":" not in name:
            assert inspect.getdoc(type(find_task(name)))
