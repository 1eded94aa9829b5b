"""The store: whole files are read back, anything else counts as missing, and no part of a file is ever visible."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bench
from bench.errors import InputError
from bench.records.record import (
    EVALUATIONS,
    SCHEMA,
    Cost,
    EntityCounts,
    Evaluation,
    Failure,
    PlannedStrategy,
    Record,
    SamplingStats,
    Study,
    TaskFacts,
)
from bench.records.store import Store, drop_none

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(max_size=12)
COUNTS = st.integers(0, 2**62)


def evaluations(**of):
    return [Evaluation(checkpoint, split, [[3, 1], [0, 2]], 0.5, **of) for checkpoint, split in sorted(EVALUATIONS)]


def record(id: str = "a1") -> Record:
    return Record(
        id=id,
        task="digits-lt",
        strategy="loss-weights(power=0.5)",
        seed=3,
        identity={"schema": SCHEMA, "parameters": {"power": 0.5, "kind": "ä"}, "seed": 3},
        class_names=["O", "B-PER"],
        evaluations=evaluations(entities={"PER": EntityCounts(1, 2, 3)}),
        curve=[(20, 0.1), (40, 1 / 3)],
        chosen_step=40,
        converged=False,
        sampling=SamplingStats(items=10, labels=10, by_class=[7, 3], coverage=0.7, effective_sample_size=None),
        notes=["one line\nand another"],
        provenance={"torch": "2"},
        times={"stack_step_seconds": 0.1},
    )


def failure(id: str = "a1") -> Failure:
    return Failure(id, "digits-lt", "none", 3, "diverged")


def study(**environment: str) -> Study:
    facts = TaskFacts(
        "digits-lt", "digits", "balanced", ["0", "1"], [9, 1], 10, {"accuracy": 0.9}, ["a note"], resplit=None
    )
    return Study(
        "quick",
        [facts, replace(facts, task="other", baseline=None)],
        [
            PlannedStrategy("digits-lt", "none", {0: "a1", 1: "b2"}),
            PlannedStrategy("digits-lt", "sentence-weights", skipped="one label"),
        ],
        {"device": "cpu", "torch": "2.13.0", **environment},
        ["a note"],
        {"digits-lt": {"steps": 40, "learning_rate": 0.003, "model": "mlp"}},
    )


def file_of(store: Store, id: str = "a1", folder: str = "runs") -> Path:
    return store.directory / folder / f"{id}.json"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "results" / "deep")


# What is written comes back


@st.composite
def records(draw):
    classes = draw(st.integers(1, 3))
    matrix = st.lists(st.lists(COUNTS, min_size=classes, max_size=classes), min_size=classes, max_size=classes)
    entities = st.none() | st.dictionaries(TEXTS, st.builds(EntityCounts, COUNTS, COUNTS, COUNTS), max_size=2)
    plain = st.none() | st.booleans() | COUNTS | NUMBERS | TEXTS
    return Record(
        id="a1",
        task=draw(TEXTS),
        strategy=draw(TEXTS),
        seed=draw(COUNTS),
        identity=draw(st.dictionaries(TEXTS, plain | st.dictionaries(TEXTS, plain, max_size=2), max_size=3)),
        class_names=draw(st.lists(TEXTS, min_size=classes, max_size=classes)),
        evaluations=[
            Evaluation(checkpoint, split, draw(matrix), draw(NUMBERS), draw(entities))
            for checkpoint, split in sorted(EVALUATIONS)
        ],
        curve=draw(st.lists(st.tuples(COUNTS, NUMBERS), max_size=3)),
        chosen_step=draw(COUNTS),
        converged=draw(st.booleans()),
        sampling=SamplingStats(draw(COUNTS), draw(COUNTS), [draw(COUNTS)], draw(NUMBERS), draw(st.none() | NUMBERS)),
        notes=draw(st.lists(TEXTS, max_size=2)),
        provenance=draw(st.dictionaries(TEXTS, TEXTS, max_size=2)),
        times=draw(st.dictionaries(TEXTS, NUMBERS, max_size=2)),
    )


@settings(max_examples=50, deadline=None)
@given(records())
def test_a_record_comes_back_as_it_was_to_the_last_bit(tmp_path_factory, written):
    store = Store(tmp_path_factory.mktemp("store"))
    store.add(written)
    assert store.record("a1") == written


def test_a_study_a_failure_and_a_cost_come_back_as_they_were(store: Store):
    cost = Cost("digits-lt", "none", 1e-4, 1e7, 9e6, 1.1e7, 7e4, 8.5e4, 0.98, 0.97, 1.01, 1.2e-3, {"seed": 0})
    store.begin(study())
    store.add(failure())
    store.add_cost("a1", cost)
    assert store.study() == store.find_study() == study()
    assert store.failure("a1") == failure()
    assert store.cost("a1") == cost
    assert json.loads((store.directory / "environment.json").read_text()) == study().environment


def test_files_that_were_never_written_are_missing(store: Store):
    assert (store.record("a1"), store.failure("a1"), store.cost("a1"), store.find_study()) == (None, None, None, None)
    assert not store.directory.exists(), "asking made a directory"


def test_drop_none_leaves_out_missing_records(store: Store):
    store.add(record("b2"))
    assert drop_none(map(store.record, ["a1", "b2", "c3"])) == [record("b2")]


# What is not a whole record of this schema is missing, and replaced


def changed(**fields):
    def change(path: Path) -> None:
        path.write_text(json.dumps(json.loads(path.read_text()) | fields))

    return change


def without(field: str):
    def change(path: Path) -> None:
        content = json.loads(path.read_text())
        del content[field]
        path.write_text(json.dumps(content))

    return change


def cut(share: float):
    return lambda path: path.write_bytes(path.read_bytes()[: int(len(path.read_bytes()) * share)])


def filled(content: bytes):
    return lambda path: path.write_bytes(content)


def lacking(evaluation: tuple[str, str]):
    kept = [each for each in evaluations() if (each.checkpoint, each.split) != evaluation]
    return changed(evaluations=[each.__dict__ for each in kept])


DAMAGE = {
    "empty": filled(b""),
    "not JSON": filled(b"{"),
    "zeros": filled(b"\0" * 4096),
    "not UTF-8": filled(b'{"id": "\xff"}'),
    "another kind of JSON": filled(b"[]"),
    "null": filled(b"null"),
    "an empty object": filled(b"{}"),
    **{f"cut at {share:.0%}": cut(share) for share in (0.01, 0.3, 0.6, 0.99)},
    "an older schema": changed(schema_version=SCHEMA - 1),
    "a later schema": changed(schema_version=SCHEMA + 1),
    "another run's record": changed(id="b2"),
    "a field of a wrong type": changed(curve="none"),
    "no evaluations": changed(evaluations=[]),
    **{f"without {' '.join(each)}": lacking(each) for each in sorted(EVALUATIONS)},
    **{f"without {field}": without(field) for field in ("identity", "drawn", "chosen_step")},
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_record_is_missing_and_is_replaced(store: Store, damage):
    store.add(record())
    DAMAGE[damage](file_of(store))
    assert store.record("a1") is None
    store.add(record())
    assert store.record("a1") == record()


def test_a_record_with_more_evaluations_than_required_counts(store: Store):
    more = [*evaluations(), Evaluation("last", "valid", [[1]], 0.1, adjustment="tau")]
    store.add(replace(record(), evaluations=more))
    assert len(store.record("a1").evaluations) == len(more)


def test_a_damaged_study_is_refused_with_the_fix_and_never_replaced(store: Store):
    store.begin(study())
    (store.directory / "study.json").write_text('{"suite": "quick"')
    for use in (store.study, store.find_study, lambda: store.begin(study())):
        with pytest.raises(
            InputError, match=r"study\.json: cannot be read as a study of this version; .* finished runs are kept"
        ):
            use()
    assert (store.directory / "study.json").read_text() == '{"suite": "quick"'


@pytest.mark.parametrize(
    "change", [lambda study: study["tasks"][0].pop("resplit"), lambda study: study.update(schema_version=0)]
)
def test_a_study_of_an_earlier_version_is_refused(store: Store, change):
    """One that does not say whether seeds split the data anew would have intervals that are too narrow."""
    store.begin(study())
    path = store.directory / "study.json"
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="cannot be read as a study of this version"):
        store.study()


def test_the_binding_to_a_torch_version_outlives_a_study_that_was_moved_away(store: Store):
    store.begin(study())
    (store.directory / "study.json").unlink()
    other = study()
    with pytest.raises(InputError, match="must not be mixed"):
        store.begin(replace(other, environment={**other.environment, "torch": "0.0"}))
    store.begin(other)


def test_a_directory_without_a_study_is_refused_with_the_fix(tmp_path: Path):
    with pytest.raises(
        InputError, match=r"holds no study \(no study.json\); give a directory that `imbench run` wrote"
    ):
        Store(tmp_path).study()


# Failures


def test_a_failure_never_counts_as_done(store: Store):
    store.add(failure())
    assert store.record("a1") is None
    file_of(store).parent.mkdir()
    file_of(store, folder="failures").rename(file_of(store))
    assert store.record("a1") is None, "a failure was read as a record"


def test_a_record_removes_the_failure_of_the_same_run_and_of_no_other(store: Store):
    store.add(failure("a1"))
    store.add(failure("b2"))
    store.add(record("a1"))
    assert store.failure("a1") is None
    assert store.failure("b2") == failure("b2")
    assert store.record("a1") == record("a1")


@pytest.mark.parametrize("damage", ["empty", "not JSON", "cut at 60%", "an empty object"])
def test_a_damaged_failure_or_cost_is_missing(store: Store, damage):
    store.add(failure())
    store.add_cost("a1", Cost("digits-lt", "none", 1, 1, 1, 1, 1, 1, 1, 1, 1, 1))
    for folder in ("failures", "costs"):
        DAMAGE[damage](file_of(store, folder=folder))
    assert (store.failure("a1"), store.cost("a1")) == (None, None)


# One device kind and one torch version


@pytest.mark.parametrize(("key", "other"), [("device", "cuda"), ("torch", "2.14.0")])
def test_a_directory_of_another_device_or_torch_is_refused_with_the_fix_and_left_as_it_is(store: Store, key, other):
    store.begin(study())
    before = {path: path.read_bytes() for path in store.directory.iterdir()}
    with pytest.raises(InputError) as error:
        store.begin(study(**{key: other}))
    here = study().environment[key]
    assert str(error.value) == (
        f"{store.directory} was run with {key} {here}, this is {other}: their numbers must not be mixed; "
        "choose another directory with --out"
    )
    assert {path: path.read_bytes() for path in store.directory.iterdir()} == before


@pytest.mark.parametrize("key", ["python", "numpy", "machine", "device_name"])
def test_other_differences_between_machines_are_no_reason_to_refuse(store: Store, key):
    store.begin(study(**{key: "old"}))
    store.begin(study(**{key: "new"}))
    assert store.study().environment[key] == "new"


# Nothing but whole files is ever visible

WRITER = """
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_store import large
from bench.records.store import Store
store = Store(Path(sys.argv[1]))
for number in count():
    store.add(large(f"{number % 3}", number))
    if number == 3:
        print("writing", flush=True)
"""


def large(id: str, number: int) -> Record:
    """A record of about 200 kB."""
    matrix = [[number] * 100 for _ in range(100)]
    return replace(record(id), seed=number, evaluations=[replace(each, confusion=matrix) for each in evaluations()])


def whole(store: Store) -> int:
    """How many files are there to be seen, each read as a record."""
    names = [path for path in (store.directory / "runs").iterdir() if not path.name.startswith(".")]
    for path in names:
        read = store.record(path.stem)
        assert read is not None, f"a part of {path.name} was visible"
        assert {each.confusion[-1][-1] for each in read.evaluations} == {read.seed}, "two writes were mixed"
    return len(names)


@contextmanager
def writers(store: Store, number: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that write the same records over and over, until they are killed in the middle of it."""
    command = [sys.executable, "-c", WRITER, str(store.directory), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": str(Path(bench.__file__).parents[1])}
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) for _ in range(number)]
    try:
        assert [each.stdout.readline() for each in processes] == [b"writing\n"] * number
        yield processes
    finally:
        for each in processes:
            each.kill()
            each.communicate()


@pytest.mark.parametrize("seconds", [0.0, 0.013, 0.1, 0.37])
def test_whenever_a_writer_is_killed_only_whole_records_are_visible(store: Store, seconds):
    with writers(store, 1):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert whole(store) == 3
    assert whole(store) == 3
    store.add(large("0", 7))
    assert store.record("0").seed == 7


def test_two_processes_in_one_directory_do_not_write_into_each_others_files(store: Store):
    with writers(store, 2) as processes:
        until = time.monotonic() + 0.5
        while time.monotonic() < until:
            assert whole(store) == 3
        assert [each.poll() for each in processes] == [None, None]
    assert whole(store) == 3


def test_a_file_is_on_the_disk_before_it_gets_its_name(store: Store, monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    flush, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("flushed"), flush(file)))
    monkeypatch.setattr(Path, "replace", lambda path, target: (done.append("named"), rename(path, target)))
    store.add(record())
    assert done == ["flushed", "named"]
