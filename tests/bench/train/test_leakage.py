"""Planted leaks: what looks at test, trains on it, or spoils the data is refused, in one line with the reason."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.random import Generator
from torch import Tensor

from bench.errors import InputError
from bench.planning.plan import make_plan
from bench.planning.protocol import ROWS, Protocol, reference_protocol
from bench.planning.run import Run, add_baselines
from bench.planning.suite import Block, Suite
from bench.records.record import Record
from bench.tasks import find_task
from bench.tasks.leakage import note_shared_rows
from bench.tasks.part import Rows, tensors
from bench.tasks.task import Task, TaskSpec
from bench.train.clock import Clock
from bench.train.loop import train
from strategies import AdjustmentInputs, ClassCounts, Labels, Mixed, Resampled, Strategy, get

CPU = torch.device("cpu")
DIGITS = find_task("digits-lt")
WORDS = find_task("synthetic-conll(scale=0.01)")


def make_run(strategy: Strategy, spec: Any = DIGITS, adjustments: tuple[Strategy, ...] = ()) -> Run:
    protocol = dataclasses.replace(reference_protocol(spec), steps=4, validate_every=4, batch_size=16)
    return Run(spec, strategy, protocol, 0, "made", adjustments)


def outcome(strategy: Strategy, spec: Any = DIGITS, adjustments: tuple[Strategy, ...] = ()) -> Record:
    (record,) = train([make_run(strategy, spec, adjustments)], device=CPU, clock=Clock())
    assert isinstance(record, Record)
    return record


def test_of_this_seed() -> Task:
    return make_run(get("none")).load_task()


test_of_this_seed.__test__ = False


@dataclass(frozen=True)
class Peeks(Strategy):
    """Adds rows of test or validation to its pool, which it loads by itself."""

    part: str = "test"
    name: ClassVar[str] = "peeks"

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        seen = getattr(test_of_this_seed(), self.part)
        return Resampled(torch.arange(len(labels)), seen.x[:7], seen.truth[:7])


@pytest.mark.parametrize("part", ["test", "valid"])
def test_a_strategy_that_trains_on_rows_of_a_held_out_part_is_refused(part):
    with pytest.raises(InputError, match=rf"7 of \d+ {part} rows are trained on too"):
        outcome(Peeks(part))


@pytest.mark.parametrize(
    "name", ["smote", "adasyn", "borderline-smote", "smoteenn", "smotetomek", "random-oversampling"]
)
def test_a_strategy_that_makes_rows_of_the_training_part_alone_is_not_refused(name):
    assert outcome(get(name)).sampling.items == 64


@dataclass(frozen=True)
class ResampledFirst(TaskSpec):
    """Digits that were oversampled before they were split: a common mistake in notebooks."""

    label: ClassVar[str] = "digits-lt"
    kind: ClassVar[str] = "rows"
    protocol: ClassVar[Protocol] = ROWS

    def load(self, rng: Generator) -> Task:
        task = DIGITS.load(np.random.default_rng(0))
        x, y = torch.cat([task.train.x, task.test.x]), torch.cat([task.train.truth, task.test.truth])
        drawn = torch.from_numpy(rng.permutation(rng.choice(len(y), 2 * len(y))))
        held_out, rest = drawn.split([300, len(drawn) - 300])

        def part(index: Tensor) -> Rows:
            return Rows(x[index], Labels.of(y[index], task.train.labels.class_names))

        return dataclasses.replace(task, train=part(rest), test=part(held_out))


def test_rows_that_were_drawn_before_the_split_are_refused_when_they_are_planned_and_when_they_are_trained_on():
    suite = Suite("made", "", 1, (Block(ResampledFirst(), (get("none"),), ROWS),))
    refusal = r"\d+ of 300 test rows are in train too, more than 10%, so a model can know them by heart: split before"
    with pytest.raises(InputError, match=f"digits-lt: {refusal}"):
        make_plan(suite, CPU)
    with pytest.raises(InputError, match=refusal):
        outcome(get("none"), ResampledFirst())


@dataclass(frozen=True)
class SomeRowsTwice(TaskSpec):
    """Digits whose parts were given with some equal rows: the first rows of one part stand in another."""

    shared: int
    name: str = "test"
    other: str = "train"
    label: ClassVar[str] = "digits-lt"
    kind: ClassVar[str] = "rows"

    def load(self, rng: Generator) -> Task:
        task = DIGITS.load(np.random.default_rng(0))
        part, other = getattr(task, self.name), getattr(task, self.other)
        x = torch.cat([other.x[: self.shared], part.x[self.shared :]])
        return dataclasses.replace(task, **{self.name: dataclasses.replace(part, x=x)})


@pytest.mark.parametrize(("name", "other"), [("test", "train"), ("valid", "train"), ("test", "valid")])
@pytest.mark.parametrize("shared", [1, 37])
def test_a_few_equal_rows_of_given_parts_are_counted_and_noted_and_more_than_a_tenth_refused(name, other, shared):
    size = len(getattr(DIGITS.load(np.random.default_rng(0)), name).labels)
    shared = 1 if shared == 1 else size // 10
    (facts,) = make_plan(suite_of(SomeRowsTwice(shared, name, other)), CPU).study.tasks
    (note,) = [note for note in facts.notes if "by heart" in note]
    assert note.startswith(f"{shared} of {size} {name} rows ({shared / size:.1%}) are in {other} too")
    assert outcome(get("smote"), SomeRowsTwice(shared, name, other)).sampling.items == 64
    more = SomeRowsTwice(size // 10 + 1, name, other)
    with pytest.raises(InputError, match=f"{size // 10 + 1} of {size} {name} rows are in {other} too, more than 10%"):
        make_plan(suite_of(more), CPU)


@pytest.mark.parametrize("spec", [DIGITS, SomeRowsTwice(10, "test", "valid")], ids=["no equal rows", "some equal rows"])
def test_validation_that_is_trained_on_by_design_is_not_refused(spec):
    run = dataclasses.replace(make_run(get("none"), spec), adds_validation=True)
    (record, _) = train(add_baselines([run]), device=CPU, clock=Clock())
    assert isinstance(record, Record)


def test_parts_of_digits_share_no_row():
    assert not any(note_shared_rows(DIGITS.load(np.random.default_rng(seed))) for seed in range(3))


def test_a_row_that_differs_in_the_sign_of_zero_is_the_same_row():
    task = SomeRowsTwice(1).load(np.random.default_rng(0))
    test = dataclasses.replace(task.test, x=torch.where(task.test.x == 0, -0.0, task.test.x))
    assert note_shared_rows(dataclasses.replace(task, test=test)) == note_shared_rows(task) != []


def suite_of(task: TaskSpec) -> Suite:
    return Suite("made", "", 1, (Block(task, (get("none"),), ROWS),))


@dataclass(frozen=True)
class Oracle(Strategy):
    """Predicts the true classes of test, which it holds."""

    name: ClassVar[str] = "oracle"

    def adjust(self, inputs: AdjustmentInputs) -> Any:
        truth = test_of_this_seed().test.truth
        return lambda logits: torch.eye(10)[truth[: len(logits)]]


@dataclass(frozen=True)
class Centred(Strategy):
    """Subtracts from each class the mean of its logits over the part that is evaluated."""

    name: ClassVar[str] = "centred"

    def adjust(self, inputs: AdjustmentInputs) -> Any:
        return lambda logits: logits - logits.mean(0)


@pytest.mark.parametrize("adjustment", [Oracle(), Centred()], ids=str)
def test_an_adjustment_that_looks_at_a_part_as_a_whole_is_refused(adjustment):
    with pytest.raises(InputError, match=f"{adjustment} adjusts a label's logits differently next to other labels"):
        outcome(get("none"), adjustments=(adjustment,))


@pytest.mark.parametrize(
    "name", ["thresholds", "post-hoc-adjustment", "prior-correction", "tau-normalisation", "dirichlet-calibration"]
)
def test_an_adjustment_that_was_tuned_on_validation_is_not_refused(name):
    assert outcome(get("none"), adjustments=(get(name),)).has_adjustment(name)


@dataclass(frozen=True)
class Writes(Strategy):
    """Turns the labels of the most frequent class into those of the rarest, in place."""

    where: str = "resample"
    name: ClassVar[str] = "writes"

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        if self.where == "resample":
            labels.values.numpy()[:5] = labels.num_classes - 1
        elif self.where == "rows" and x is not None:
            x.numpy()[:5] += 1
        return None

    def adjust(self, inputs: AdjustmentInputs) -> Any:
        if self.where == "adjust":
            inputs.valid_targets[:5] = 9 - inputs.valid_targets[:5]
        return lambda logits: logits


@pytest.mark.parametrize("where", ["resample", "rows", "adjust"])
def test_a_strategy_that_writes_into_what_it_is_handed_is_refused(where):
    writes = Writes(where)
    with pytest.raises(InputError, match="a strategy changed the data that it was given"):
        outcome(get("none") if where == "adjust" else writes, adjustments=(writes,) if where == "adjust" else ())


def test_text_that_was_written_into_is_read_again_for_later_stacks():
    before = outcome(get("none"), WORDS)
    with pytest.raises(InputError, match="a strategy changed the data"):
        outcome(Writes(), WORDS)
    assert dataclasses.replace(outcome(get("none"), WORDS), times={}) == dataclasses.replace(before, times={})


HANDED: list[Any] = []


@dataclass(frozen=True)
class Spy(Strategy):
    """Keeps every argument that it is given."""

    name: ClassVar[str] = "spy"

    def resample(self, x: Tensor | None, labels: Labels, *, seed: int) -> Resampled | None:
        HANDED.extend([x, labels])
        return None

    def item_weights(self, labels: Labels, counts: ClassCounts) -> Tensor | None:
        HANDED.extend([labels, counts])
        return None

    def index_stream(self, labels: Labels, counts: ClassCounts, **known: Any) -> Iterator[Tensor]:
        HANDED.extend([labels, counts, known])
        return super().index_stream(labels, counts, **known)

    def mix(self, targets: Tensor, counts: ClassCounts, **known: Any) -> Mixed | None:
        HANDED.extend([targets, counts, known])
        return get("mixup").mix(targets, counts, **known)

    def loss(self, counts: ClassCounts, **known: Any) -> Any:
        HANDED.extend([counts, known])
        return super().loss(counts, **known)

    def adjust(self, inputs: AdjustmentInputs) -> Any:
        HANDED.append(inputs)
        return lambda logits: logits


def reachable(value: Any) -> Iterator[bytes]:
    """Yield the memory of every tensor that can be reached from a value: a view leads to all the memory behind it."""
    if isinstance(value, Tensor):
        yield torch.empty(0, dtype=value.dtype).set_(value.untyped_storage()).numpy().tobytes()
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from reachable(each)
    elif hasattr(value, "__dict__"):
        yield from reachable(vars(value))


@pytest.mark.parametrize("spec", [DIGITS, WORDS, find_task("synthetic-conll(sentences, scale=0.01)")], ids=str)
def test_no_argument_of_a_strategy_leads_to_test_data(spec):
    HANDED.clear()
    train([make_run(Spy(), spec, (Spy(),))], device=CPU, clock=Clock())
    task = make_run(Spy(), spec).load_task()
    found = set(reachable(HANDED))

    def handed(secret: Tensor) -> bool:
        return any(secret.contiguous().numpy().tobytes() in each for each in found)

    assert len(HANDED) > 10
    assert handed(task.train.labels.values)
    assert handed(task.valid.truth)  # adjustments are tuned on it
    assert not handed(tensors(task.test)[0])
    assert handed(task.test.truth) == torch.equal(
        task.test.truth, task.valid.truth
    )  # balanced digits stand in one order
