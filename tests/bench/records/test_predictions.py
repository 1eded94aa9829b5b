"""Predictions on test, stored next to the record: whole or not at all, and counted per sentence as by a plain loop."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics.classification import macro_f1
from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import EVALUATIONS, RAW, Evaluation, Failure, Record, SamplingStats
from bench.records.store import Store
from bench.stats import macro_f1_intervals
from bench.tasks import find_task
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import get, parse

ADJUSTMENTS = (get("post-hoc-adjustment"), get("thresholds"))


def record(id="a1"):
    evaluations = [Evaluation(checkpoint, split, [[3, 1], [0, 2]], 0.5) for checkpoint, split in sorted(EVALUATIONS)]
    drawn = SamplingStats(items=10, labels=10, by_class=[7, 3], coverage=0.7)
    return Record(id, "digits-lt", "none", 0, {}, ["0", "1"], evaluations, [], 0, True, drawn, [], {})


@st.composite
def predicted(draw):
    """Predictions under some adjustments, on text or without it."""
    classes, labels = draw(st.sampled_from([2, 3, 300])), draw(st.integers(1, 30))
    of_a_label = st.lists(st.integers(0, classes - 1), min_size=labels, max_size=labels).map(np.array)
    cuts = draw(st.none() | st.lists(st.integers(0, labels), max_size=6).map(sorted))
    rows = draw(st.none() | st.just(np.arange(labels) * 7919 + 3))
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=5)
    texts = draw(st.none() | st.lists(text, min_size=labels, max_size=labels))
    offsets = None if cuts is None else np.array([0, *cuts, labels])
    truth = TrueClasses.of(draw(of_a_label), classes, offsets, rows, texts)
    names = [RAW, *draw(st.lists(st.text("ab-(=1.5)+/ö", min_size=1), max_size=3, unique=True))]
    by_name = {name: draw(of_a_label).astype(truth.classes.dtype) for name in dict.fromkeys(names)}
    probabilities = draw(st.none() | st.just(np.full((labels, classes), 1 / classes, np.float16)))
    return PredictedClasses(truth, by_name, probabilities)


def same(one, two):
    def equal(of):
        return np.array_equal(*(np.array([-1]) if of(each) is None else of(each) for each in (one, two)))

    return (
        equal(lambda each: each.truth.rows)
        and one.truth.texts == two.truth.texts
        and equal(lambda each: each.probabilities)
        and one.truth.num_classes == two.truth.num_classes
        and np.array_equal(one.truth.classes, two.truth.classes)
        and equal(lambda each: each.truth.sentences)
        and list(one.classes) == list(two.classes)
        and all(np.array_equal(one.classes[name], two.classes[name]) for name in one.classes)
    )


# Counts by sentence


@settings(deadline=None)
@given(predicted())
def test_counts_per_sentence_are_those_of_a_loop_and_without_text_those_per_item(example):
    truth = example.truth
    offsets = range(len(truth.classes) + 1) if truth.sentences is None else truth.sentences
    for name, classes in example.classes.items():
        found = example.counts(name)
        assert found.shape == (len(offsets) - 1, truth.num_classes**2)
        expected = np.zeros((len(offsets) - 1, truth.num_classes, truth.num_classes), dtype=int)
        for sentence in range(len(offsets) - 1):
            for place in range(offsets[sentence], offsets[sentence + 1]):
                expected[sentence, truth.classes[place], classes[place]] += 1
        assert found.toarray().reshape(expected.shape).tolist() == expected.tolist()


def test_the_bootstrap_reads_them():
    truth = TrueClasses.of(np.arange(60) % 3, 3, np.arange(0, 61, 4))
    worse = np.where(np.arange(60) % 5 == 0, 0, truth.classes)
    one, two = (PredictedClasses(truth, {RAW: each}) for each in (truth.classes, worse))
    found = macro_f1_intervals([one.counts()], [two.counts()], rng=np.random.default_rng(0), resamples=100)[0]
    total = two.counts().sum(axis=0).reshape(3, 3)
    assert found.difference == pytest.approx(1 - macro_f1(total))
    assert found.low < found.difference < found.high


# Kept in files


@settings(deadline=None, max_examples=30)
@given(predicted())
def test_predictions_come_back_as_they_were(tmp_path_factory, example):
    store = Store(tmp_path_factory.mktemp("store"))
    store.add(record(), example)
    assert same(store.load_predictions("a1"), example)
    assert store.record("a1") == record()


def small(shift=0):
    truth = TrueClasses.of(np.arange(8) % 2, 2, np.array([0, 3, 8]))
    return PredictedClasses(truth, {RAW: np.roll(truth.classes, shift)})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_record_without_predictions_is_done(store: Store):
    store.add(record())
    assert store.record("a1") is not None
    assert store.load_predictions("a1") is None


def test_the_truth_is_kept_once_for_all_runs_that_share_it(store: Store):
    for number in range(3):
        store.add(record(f"{number}"), small(number))
    assert len(list((store.directory / "truths").iterdir())) == 1
    other = dataclasses.replace(small(), truth=TrueClasses.of(1 - np.arange(8) % 2, 2, np.array([0, 3, 8])))
    store.add(record("other"), other)
    assert len(list((store.directory / "truths").iterdir())) == 2
    assert same(store.load_predictions("other"), other)
    assert [store.load_predictions(f"{number}").classes[RAW].tolist()[:2] for number in range(2)] == [[0, 1], [1, 0]]


@pytest.mark.parametrize("folder", ["predictions", "truths"])
@pytest.mark.parametrize("damage", [b"", b"no archive", None, 0.5, 0.99])
def test_damaged_or_missing_predictions_are_missing_and_written_again(store: Store, folder, damage):
    store.add(record(), small())
    (path,) = (store.directory / folder).iterdir()
    if damage is None:
        path.unlink()
    else:
        content = path.read_bytes()
        path.write_bytes(damage if isinstance(damage, bytes) else content[: int(len(content) * damage)])
    assert store.load_predictions("a1") is None
    assert store.record("a1") == record()
    store.add(record(), small())
    assert same(store.load_predictions("a1"), small())


def test_every_byte_that_was_changed_on_the_disk_is_noticed_or_harmless(store: Store):
    store.add(record(), small())
    for path in [*(store.directory / "predictions").iterdir(), *(store.directory / "truths").iterdir()]:
        content = path.read_bytes()
        for place in range(len(content)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
            found = store.load_predictions("a1")
            assert found is None or same(found, small()), place
        path.write_bytes(content)


def test_predictions_are_on_the_disk_before_their_record(store: Store, monkeypatch: pytest.MonkeyPatch):
    named, rename = [], Path.replace
    monkeypatch.setattr(Path, "replace", lambda path, target: (named.append(target.parent.name), rename(path, target)))
    store.add(record(), small())
    assert named == ["truths", "predictions", "runs"]


def test_a_failure_leaves_no_predictions(store: Store):
    store.add(Failure("a1", "digits-lt", "none", 0, "diverged"))
    assert [each.name for each in store.directory.iterdir()] == ["failures"]


# What training returns


@pytest.mark.parametrize("name", ["digits-lt", "synthetic-conll(scale=0.01)", "synthetic-conll(sentences, scale=0.01)"])
def test_predictions_are_of_the_chosen_checkpoint_on_test_under_each_adjustment(name, store: Store):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=30, validate_every=10)
    stack = [Run(task, parse("none"), protocol, seed, "fingerprint", ADJUSTMENTS) for seed in (0, 1)]
    kept: dict[str, PredictedClasses] = {}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        records = train(stack, device=torch.device("cpu"), clock=Clock(), on_predictions=kept.__setitem__)
    finally:
        torch.set_num_threads(threads)
    for each in records:
        store.add(each, kept[each.id])
        found = store.load_predictions(each.id)
        assert list(found.classes) == [RAW, "post-hoc-adjustment", "thresholds"]
        for adjustment in found.classes:
            evaluation, counts = each.evaluation("chosen", "test", adjustment), found.counts(adjustment)
            assert counts.sum(axis=0).reshape(np.shape(evaluation.confusion)).tolist() == evaluation.confusion
            assert evaluation.probabilities is not None
            assert sum(evaluation.probabilities.reliability.correct) == np.trace(evaluation.confusion)
        assert found.probabilities is not None
        label, predicted = np.arange(len(found.probabilities)), found.classes[RAW]
        assert (found.probabilities[label, predicted] == found.probabilities.max(axis=1)).all()
        assert found.truth.texts == stack[0].load_task().test_texts
        assert each.evaluation("last", "test").probabilities is None
        read = store.record(each.id)
        assert read == each
    part = stack[0].load_task().test
    assert found.counts().shape[0] == len(part.truth if part.sentences is None else part.sentences[1:])


def test_probabilities_are_those_of_the_logits_and_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    logits = torch.tensor([[0.0, 2.0, -1.0], [-torch.inf, 0.0, 0.0]])
    kept = PredictedClasses.keep(logits.numpy())
    np.testing.assert_allclose(kept, logits.softmax(-1).numpy(), atol=8e-4)
    monkeypatch.setattr("bench.records.predictions.MOST_PROBABILITIES", 5)
    assert PredictedClasses.keep(logits.numpy()) is None
