"""From a suite to runs: what is skipped, what replaces missing data, how studies are merged, and what an id depends on."""

import dataclasses
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split

from bench.errors import InputError
from bench.models.model import Shape
from bench.planning.plan import make_plan
from bench.planning.protocol import ROWS, Protocol, reference_protocol
from bench.planning.run import Run
from bench.planning.seeds import sub_seed
from bench.planning.suite import Block, Suite, filter_suite, read_suite
from bench.records.merge import merge_studies
from bench.records.record import VALIDATION_LABELS_ADDED
from bench.tasks import Task, TaskSpec, find_task
from bench.tasks.digits_lt import DigitsLT
from bench.tasks.part import Rows
from bench.tasks.tagged_corpora import forget_prepared_tasks
from strategies import Labels, get, parse

CPU = torch.device("cpu")
WORDS = "synthetic-conll(scale=0.01)"


def block(task: str, *strategies: str, **changes) -> Block:
    spec = find_task(task)
    return Block(spec, tuple(map(parse, strategies)), dataclasses.replace(reference_protocol(spec), **changes))


def planned(*blocks: Block, seeds: int = 2, name: str = "small"):
    return make_plan(Suite(name, "For a test", seeds, blocks), CPU)


def ids(study) -> dict[tuple[str, str], dict[int, str]]:
    return {(row.task, row.strategy): row.runs for row in study.strategies}


# What is planned, skipped, replaced


def test_every_strategy_has_a_run_for_each_seed_in_the_order_of_the_suite():
    plan = planned(block("digits-lt", "none", "smote"), block(WORDS, "loss-weights"), seeds=3)
    assert [(each.task.label, str(each.strategy), each.seed) for each in plan.runs] == [
        (task, strategy, seed)
        for task, strategy in (("digits-lt", "none"), ("digits-lt", "smote"), (WORDS, "loss-weights"))
        for seed in range(3)
    ]
    assert [id for row in plan.study.strategies for id in row.runs.values()] == [each.id for each in plan.runs]
    assert len({each.id for each in plan.runs}) == len(plan.runs)


@pytest.mark.parametrize(
    ("task", "strategy", "because"),
    [
        ("digits-lt", "sentence-weights", "one label"),
        (WORDS, "smote", "token ids cannot be interpolated"),
        ("synthetic-conll(sentences, scale=0.01)", "sentence-weights(product)", "equally many positions"),
        ("synthetic-conll(windows-tags, scale=0.01)", "weighted-random-sampler", "many labels"),
        ("digits-lt", "balanced-random-forest", "an ensemble of scikit-learn estimators, and mlp is a neural network"),
        (WORDS, "rus-boost", "rows of numbers, not token ids"),
    ],
)
def test_a_strategy_that_is_not_applicable_is_listed_with_the_reason_and_has_no_runs(task, strategy, because):
    plan = planned(block(task, "none", strategy))
    plain, skipped = plan.study.strategies
    assert (plain.skipped, len(plain.runs)) == (None, 2)
    assert skipped.strategy == strategy
    assert skipped.runs == {}
    assert because in skipped.skipped
    assert {str(each.strategy) for each in plan.runs} == {"none"}


@dataclasses.dataclass(frozen=True)
class TwoClasses(TaskSpec):
    label: ClassVar[str] = "two-classes"
    kind: ClassVar[str] = "rows"

    def load(self, rng: np.random.Generator) -> Task:
        labels = Labels.of([0] * 30 + [1] * 10, ("usual", "rare"))
        parts = [Rows(torch.from_numpy(rng.normal(size=(40, 3)).astype(np.float32)), labels) for _ in range(3)]
        return Task("made up", "rows", "natural", Shape(2, features=3), *parts, fingerprint="made up")


@pytest.mark.parametrize("metric", ["average-precision", "recall-at-precision(0.9)", "positive-f1", "macro-f1"])
def test_thresholds_are_skipped_where_the_metric_depends_on_the_order_of_items_alone(metric):
    spec = TwoClasses()
    post_hoc = (parse("thresholds"), parse("prior-correction"))
    compared = Block(spec, (parse("none"), parse("focal+thresholds")), reference_protocol(spec), post_hoc=post_hoc)
    plan = make_plan(Suite("small", "For a test", 1, (compared,)), CPU, metric)
    baseline, *_, combined = plan.study.strategies
    reason = f"no threshold moves {metric}, which depends on the order of the items alone"
    expected = reason if metric in ("average-precision", "recall-at-precision(0.9)") else None
    assert baseline.post_hoc == {"thresholds": expected, "prior-correction": None}
    assert combined.skipped == expected


def test_a_planned_strategy_names_the_cost_that_each_of_its_parts_adds_to_plain_training():
    rows = planned(block("digits-lt", "none", "smote", "smote+mixup", "thresholds")).study.strategies
    smote, mixup, thresholds = (get(name).cost for name in ("smote", "mixup", "thresholds"))
    assert [row.extra_cost for row in rows] == ["", smote, f"{smote}; {mixup}", thresholds]


def test_runs_have_the_protocol_of_their_block_and_the_fingerprint_of_their_data():
    digits, words = block("digits-lt", "none", steps=200), block(WORDS, "none", learning_rate=1e-2)
    plan = planned(digits, words, seeds=1)
    assert [each.protocol for each in plan.runs] == [digits.protocol, words.protocol]
    assert [each.fingerprint for each in plan.runs] == [
        each.task.load(default_rng(0)).fingerprint for each in (digits, words)
    ]
    assert [facts.fingerprint for facts in plan.study.tasks] == [each.fingerprint for each in plan.runs]


def test_the_study_holds_what_the_report_prints_about_a_task():
    spec = find_task(WORDS)
    task = spec.load(default_rng(0))
    plan = planned(block(WORDS, "none", steps=40, validate_every=20), block("digits-lt", "none"))
    words, digits = plan.study.tasks
    assert (words.task, words.prior, digits.prior) == (WORDS, "natural", "balanced")
    assert words.class_names == list(task.train.labels.class_names)
    assert words.class_counts == sorted(words.class_counts, reverse=True)
    assert sum(words.class_counts) == words.items == len(task.train.labels)
    assert set(words.baseline) == {
        *("macro_f1", "macro_f1_minority", "accuracy", "balanced_accuracy", "worst_class_recall"),
        *("entity_precision", "entity_recall", "entity_f1"),
    }
    assert words.baseline["accuracy"] == pytest.approx(float((task.baseline == task.test.truth).double().mean()))
    assert words.valid_counts == np.bincount(task.valid.truth.numpy(), minlength=len(words.class_names)).tolist()
    assert digits.valid_counts == DigitsLT().valid_counts()
    assert digits.baseline is None
    assert (
        plan.study.protocols[WORDS]
        == dataclasses.replace(reference_protocol(spec), steps=40, validate_every=20).identity()
    )
    assert {"device", "torch", "python"} <= plan.study.environment.keys()


@dataclasses.dataclass(frozen=True)
class WithoutAClass(TaskSpec):
    """Digits whose validation and test part lack classes."""

    label: ClassVar[str] = "digits-without"
    kind: ClassVar[str] = "rows"
    valid: tuple[int, ...] = ()
    test: tuple[int, ...] = ()

    def load(self, rng: np.random.Generator) -> Task:
        task = DigitsLT(valid="balanced").load(rng)
        return dataclasses.replace(task, valid=drop(task.valid, self.valid), test=drop(task.test, self.test))


def drop(part: Rows, classes: tuple[int, ...]) -> Rows:
    kept = ~torch.isin(part.truth, torch.tensor(classes))
    return dataclasses.replace(part, x=part.x[kept], labels=Labels.of(part.truth[kept], part.labels.class_names))


@pytest.mark.parametrize(
    ("spec", "notes"),
    [
        (WithoutAClass(), []),
        (WithoutAClass(valid=(9,)), ["no item of 9 in validation: nothing can be tuned for them"]),
        (WithoutAClass(test=(0, 9)), ["no item of 0, 9 in test: nothing is measured on them"]),
        (
            WithoutAClass(valid=(8,), test=(7,)),
            [
                "no item of 8 in validation: nothing can be tuned for them",
                "no item of 7 in test: nothing is measured on them",
            ],
        ),
    ],
)
def test_a_class_that_validation_or_test_lacks_is_noted(spec, notes):
    (facts,) = planned(Block(spec, (parse("none"),), ROWS)).study.tasks
    assert facts.notes == notes
    assert [count == 0 for count in facts.valid_counts] == [digit in spec.valid for digit in range(10)]


def test_a_tag_that_a_users_corpus_has_in_training_alone_is_noted(tmp_path: Path):
    directory = corpus(tmp_path / "mine", valid="smiled O\n")
    (facts,) = planned(block(f"conll:{directory}", "none")).study.tasks
    assert facts.notes == ["no item of B-PER in validation: nothing can be tuned for them"]


def test_two_blocks_of_one_task_are_refused():
    with pytest.raises(InputError, match="two blocks are called digits-lt; give one block all its strategies"):
        planned(block("digits-lt", "none"), block("digits-lt(factor=50)", "loss-weights"))


def test_two_corpora_of_one_name_are_refused_with_their_directories_and_the_way_to_fix_it(tmp_path: Path):
    a, b = (corpus(tmp_path / place / "mine") for place in "ab")
    with pytest.raises(InputError) as refusal:
        planned(block(f"conll:{a}", "none"), block(f"conll:{b}", "none"))
    assert str(refusal.value) == (
        f"{a} and {b} are both called conll:mine, so one would replace the other; "
        "give each an --out of its own, or rename one of the directories"
    )


@pytest.fixture
def no_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no task prepared from a full one."""
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path))
    forget_prepared_tasks()
    yield tmp_path
    forget_prepared_tasks()


def test_where_conll2003_is_missing_synthetic_conll_replaces_it_and_a_note_says_so(no_corpus: Path):
    quick = read_suite("quick")
    plan = make_plan(dataclasses.replace(quick, blocks=quick.blocks[:2], seeds=1), CPU)
    assert [facts.task for facts in plan.study.tasks] == ["synthetic-conll", "synthetic-conll(windows-tags)"]
    assert [row.strategy for row in plan.study.strategies] == [
        name
        for block in quick.blocks[:2]
        for name in ("none", VALIDATION_LABELS_ADDED, *map(str, block.strategies[1:]))
    ]
    assert plan.study.protocols["synthetic-conll"] == quick.blocks[0].protocol.identity()
    (note,) = plan.study.notes
    assert note.startswith("synthetic-conll, a synthetic corpus, replaces conll2003: ")
    assert str(no_corpus) in note
    assert "imbench fetch conll2003" in note


@pytest.mark.usefixtures("no_corpus")
def test_a_given_directory_for_conll2003_that_does_not_exist_is_refused_not_replaced(tmp_path: Path):
    suite = read_suite("quick", tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere: expected a directory"):
        make_plan(suite, CPU)


# Filtered by the command line


def quick() -> Suite:
    return read_suite("quick")


def test_filtered_by_nothing_a_suite_stays_as_it_is():
    assert filter_suite(quick(), [], [], None) == quick()


def test_only_the_tasks_asked_for_are_kept_in_that_order_with_their_protocols():
    asked = [find_task("digits-lt"), find_task("conll2003-windows-tags")]
    blocks = quick().blocks
    assert filter_suite(quick(), asked, [], None).blocks == (blocks[3], blocks[1])


def test_strategies_and_seeds_asked_for_replace_those_of_the_suite():
    some = filter_suite(quick(), [], [parse("none")], 3)
    assert some.seeds == 3
    assert [b.strategies for b in some.blocks] == [(parse("none"),)] * 4
    assert [b.protocol for b in some.blocks] == [b.protocol for b in quick().blocks]


@pytest.mark.parametrize(
    ("task", "like"),
    [("digits-lt(factor=10)", 3), (WORDS, 0), ("synthetic-conll(windows-tags)", 1), ("conll:x(sentences)", 2)],
)
def test_a_task_that_the_suite_does_not_hold_is_run_like_its_first_block_with_the_same_kind_of_item(task, like):
    spec = find_task(task)
    (found,) = filter_suite(quick(), [spec], [], None).blocks
    assert found == dataclasses.replace(quick().blocks[like], task=spec, primary=None)


def test_a_corpus_asked_for_replaces_the_suites_corpus_of_the_same_name():
    there, here = (find_task(f"conll:{place}/mine") for place in ("there", "here"))
    suite = dataclasses.replace(quick(), blocks=(dataclasses.replace(quick().blocks[0], task=there),))
    (found,) = filter_suite(suite, [here], [], None).blocks
    assert found == dataclasses.replace(suite.blocks[0], task=here)


def test_a_task_whose_model_no_block_has_is_refused():
    suite = dataclasses.replace(quick(), blocks=quick().blocks[:1])
    with pytest.raises(InputError, match="suite quick has no task trained with mlp, as digits-lt is"):
        filter_suite(suite, [find_task("digits-lt")], [], None)


def test_a_task_that_is_asked_for_twice_is_run_once():
    asked = [find_task("digits-lt"), find_task("conll2003-windows"), find_task("digits-lt(factor=50)")]
    assert filter_suite(quick(), asked, [], None).blocks == (quick().blocks[3], quick().blocks[0])


def test_a_strategy_that_is_asked_for_twice_is_run_once():
    asked = [parse("loss-weights"), parse("none"), parse("loss-weights(power=1)")]
    assert filter_suite(quick(), [], asked, None).blocks[0].strategies == (parse("loss-weights"), parse("none"))


def test_strategies_asked_for_are_the_primary_family_though_the_suite_declares_another():
    asked = [parse(text) for text in ("none", "smote", "ldam")]
    (block,) = filter_suite(quick(), [find_task("digits-lt")], asked, 1).blocks
    assert "ldam" not in map(str, quick().blocks[3].primary)
    study = make_plan(Suite("asked", "For a test", 1, (block,)), CPU).study
    assert study.primary_family("digits-lt") == ["smote", "ldam"]


def test_a_task_that_the_suite_does_not_hold_has_no_declared_family():
    held, foreign = filter_suite(quick(), [find_task("digits-lt"), find_task("digits-lt(factor=10)")], [], 1).blocks
    assert held.primary == quick().blocks[3].primary is not None
    assert foreign.primary is None


# A task from outside of the package


@dataclasses.dataclass(frozen=True)
class Wine(TaskSpec):
    """A task that is split by scikit-learn."""

    label: ClassVar[str] = "wine"
    kind: ClassVar[str] = "rows"

    def load(self, rng: np.random.Generator) -> Task:
        x, y = load_wine(return_X_y=True)
        seed = int(rng.integers(2**32))
        train, rest = train_test_split(np.arange(len(y)), test_size=0.5, stratify=y, random_state=seed)
        valid, test = train_test_split(rest, test_size=0.5, stratify=y[rest], random_state=seed)

        def part(index: np.ndarray) -> Rows:
            return Rows(torch.from_numpy(x[index]).float(), Labels.of(y[index], ("0", "1", "2")))

        return Task("wine", "numbers", "natural", Shape(3, features=13), *map(part, (train, valid, test)), "wine")


def test_a_task_that_scikit_learn_splits_is_planned_and_split_differently_under_each_seed():
    plan = make_plan(Suite("wine", "For a test", 8, (Block(Wine(), (parse("none"),), ROWS),)), CPU)
    assert [facts.task for facts in plan.study.tasks] == ["wine"]
    splits = [run.load_task().test.x for run in plan.runs]
    assert all(not torch.equal(splits[0], other) for other in splits[1:])
    assert torch.equal(splits[0], plan.runs[0].load_task().test.x)


def test_the_split_of_a_run_is_that_of_its_task_and_seed_whatever_its_strategy():
    runs = [Run(find_task("digits-lt"), parse(name), ROWS, 3, "data") for name in ("none", "smote")]
    digits = [run.load_task() for run in runs]
    assert digits[0].digest == digits[1].digest
    by_hand = find_task("digits-lt").load(default_rng(sub_seed("split", "digits-lt", 3)))
    assert by_hand.digest == digits[0].digest


# Ids

BASE = Run(find_task("digits-lt"), parse("loss-weights"), reference_protocol(find_task("digits-lt")), 0, "fingerprint")
CHANGED = {
    "seed": {"seed": 1},
    "data": {"fingerprint": "another"},
    "task": {"task": find_task(WORDS)},
    "task parameter": {"task": find_task("digits-lt(factor=49)")},
    "strategy": {"strategy": parse("none")},
    "strategy parameter": {"strategy": parse("loss-weights(power=0.5)")},
    "second strategy parameter": {"strategy": parse("loss-weights(reduction=mean)")},
    "block": {"block_name": "digits-lt with mlp"},
    **{
        f"protocol {field}": {"protocol": dataclasses.replace(BASE.protocol, **{field: value})}
        for field, value in {
            "model": "window-tagger",
            "batch_size": 65,
            "steps": 3200,
            "validate_every": 200,
            "learning_rate": 2e-3,
            "unk_rate": 0.1,
            "embedding_scale": 1.0,
            "length_group": 2,
            "version": 2,
            "weight_decay": 0.01,
            "clip_norm": 1.0,
            "dropout": 0.5,
            "embedding_adam": "dense",
            "model_source": "another",
            "is_estimator": True,
        }.items()
    },
}


def test_an_id_changes_with_each_thing_that_the_numbers_depend_on():
    assert {f"protocol {field.name}" for field in dataclasses.fields(Protocol)} <= CHANGED.keys()
    everything = [BASE, *(dataclasses.replace(BASE, **change) for change in CHANGED.values())]
    found = [each.id for each in everything]
    assert len(set(found)) == len(found), [
        name for name, id in zip(["", *CHANGED], found, strict=True) if found.count(id) > 1
    ]


def test_an_id_changes_with_the_version_of_the_strategy_and_of_the_schema(monkeypatch):
    before = BASE.id
    monkeypatch.setattr(type(BASE.strategy), "version", 2)
    newer = BASE.id
    monkeypatch.setattr("bench.planning.run.SCHEMA", 99)
    assert len({before, newer, BASE.id}) == 3


def test_an_id_is_the_same_in_every_process_and_for_every_spelling():
    spelled = Run(
        find_task(" digits-lt( factor=50 ) "), parse("loss-weights(1, weighted-mean)"), BASE.protocol, 0, "fingerprint"
    )
    assert spelled.id == BASE.id
    assert BASE.id == "8eab2036f69a441ecc51", (
        "what identifies a run changed, so earlier records no longer count: say so in CHANGELOG.md"
    )


def test_ids_do_not_depend_on_order_neighbours_names_or_the_number_of_seeds():
    here = planned(block("digits-lt", "none", "loss-weights"), block(WORDS, "none"), seeds=2, name="here")
    there = planned(
        block(WORDS, "none"), block("digits-lt", "loss-weights", "ignore-index", "none"), seeds=3, name="there"
    )
    for row, runs in ids(here.study).items():
        assert runs.items() <= ids(there.study)[row].items()


def corpus(directory: Path, valid: str = "Ada B-PER\nsmiled O\n") -> Path:
    directory.mkdir(parents=True)
    for part, text in {
        "train": "Ada B-PER\nsmiled O\n\nBob B-PER\n",
        "valid": valid,
        "test": "Bob B-PER\nsmiled O\n",
    }.items():
        (directory / f"{part}.txt").write_text(text)
    return directory


def test_ids_depend_on_the_content_of_a_corpus_and_not_on_its_directory(tmp_path: Path):
    first, moved, other = (
        planned(block(f"conll:{corpus(tmp_path / place / 'mine', valid)}", "none"), seeds=1).runs[0]
        for place, valid in (
            ("here", "Ada B-PER\nsmiled O\n"),
            ("there/and/there", "Ada B-PER\nsmiled O\n"),
            ("elsewhere", "smiled O\nAda B-PER\n"),
        )
    )
    assert first.task.label == moved.task.label == other.task.label == "conll:mine"
    assert first.id == moved.id != other.id


# Merged: a later study in the same directory


def test_the_first_study_of_a_directory_is_not_changed():
    study = planned(block("digits-lt", "none")).study
    assert merge_studies(None, study) is study


def test_the_same_study_again_changes_nothing():
    study = planned(block("digits-lt", "none", "sentence-weights"), block(WORDS, "none")).study
    assert merge_studies(study, study) == study


def test_a_later_strategy_is_added_to_those_of_the_same_task_and_protocol():
    known = planned(block("digits-lt", "none", "loss-weights"), block(WORDS, "none")).study
    new = planned(block("digits-lt", "ignore-index", "none"), name="later").study
    both = merge_studies(known, new)
    assert ids(both) == ids(known) | ids(new)
    assert [(row.task, row.strategy) for row in both.strategies] == [
        ("digits-lt", "none"),
        ("digits-lt", "loss-weights"),
        (WORDS, "none"),
        ("digits-lt", "ignore-index"),
    ]
    assert [facts.task for facts in both.tasks] == ["digits-lt", WORDS]
    assert both.protocols == known.protocols


def test_fewer_seeds_keep_the_planned_ones_and_more_seeds_are_added():
    two, three = (planned(block("digits-lt", "none"), seeds=seeds).study for seeds in (2, 3))
    assert ids(merge_studies(three, two)) == ids(merge_studies(two, three)) == ids(three)


def test_strategies_of_a_changed_protocol_are_dropped_and_those_of_other_tasks_stay():
    known = planned(block("digits-lt", "none", "loss-weights"), block(WORDS, "none")).study
    new = planned(block("digits-lt", "none", steps=800)).study
    both = merge_studies(known, new)
    assert ids(both) == {(WORDS, "none"): ids(known)[WORDS, "none"]} | ids(new)
    assert both.protocols == known.protocols | new.protocols
    assert sorted(facts.task for facts in both.tasks) == sorted(["digits-lt", WORDS])


def test_a_changed_task_is_described_as_it_is_now_and_its_old_strategies_are_dropped(tmp_path: Path):
    known = planned(block(f"conll:{corpus(tmp_path / 'a' / 'mine')}", "none", "loss-weights")).study
    (tmp_path / "a" / "mine" / "train.txt").write_text("Ada B-PER\nsmiled O\n\nsmiled O\n")
    forget_prepared_tasks()
    new = planned(block(f"conll:{tmp_path / 'a' / 'mine'}", "none")).study
    both = merge_studies(known, new)
    assert ids(both) == ids(new)
    assert both.tasks == new.tasks != known.tasks


def test_strategies_of_a_task_whose_notes_are_worded_anew_are_kept_under_the_new_notes():
    known, new = planned(block("digits-lt", "none", "loss-weights")).study, planned(block("digits-lt", "none")).study
    known.tasks[0] = dataclasses.replace(known.tasks[0], notes=["as an earlier version put it"])
    both = merge_studies(known, new)
    assert ids(both) == ids(known)
    assert both.tasks == new.tasks != known.tasks


def test_earlier_notes_are_kept_once_while_a_task_is_held_that_only_the_earlier_study_had():
    digits, words = (planned(block(task, "none")).study for task in ("digits-lt", WORDS))
    known = dataclasses.replace(digits, notes=["a", "b"])
    assert merge_studies(known, dataclasses.replace(words, notes=["b", "c"])).notes == ["a", "b", "c"]
    assert merge_studies(known, dataclasses.replace(digits, notes=["b", "c"])).notes == ["b", "c"]


def test_strategies_on_changed_data_are_dropped_even_where_the_facts_are_equal(tmp_path: Path):
    known = planned(block(f"conll:{corpus(tmp_path / 'a' / 'mine')}", "none", "loss-weights"), seeds=2).study
    (tmp_path / "a" / "mine" / "valid.txt").write_text("smiled O\nAda B-PER\n")
    forget_prepared_tasks()
    new = planned(block(f"conll:{tmp_path / 'a' / 'mine'}", "none"), seeds=1).study
    assert ids(known)["conll:mine", "none"][0] != ids(new)["conll:mine", "none"][0]
    assert ids(merge_studies(known, new)) == ids(new)


def test_another_corpus_of_the_same_name_is_refused_and_does_not_replace_the_first(tmp_path: Path):
    first = corpus(tmp_path / "a" / "mine")
    other = corpus(tmp_path / "b" / "mine", "smiled O\nAda B-PER\n")
    known, new = (planned(block(f"conll:{each}", "none")).study for each in (first, other))
    with pytest.raises(InputError, match=f"{first} and {other} are both called conll:mine.* --out of its own"):
        merge_studies(known, new)


def test_a_moved_corpus_stays_the_same_task_with_its_new_directory(tmp_path: Path):
    known = planned(block(f"conll:{corpus(tmp_path / 'a' / 'mine')}", "none", "loss-weights")).study
    moved = (tmp_path / "a" / "mine").rename(tmp_path / "mine")
    both = merge_studies(known, planned(block(f"conll:{moved}", "none")).study)
    assert ids(both) == ids(known)
    assert [facts.directory for facts in both.tasks] == [str(moved)]


def test_runs_of_an_older_version_of_a_strategy_are_dropped(monkeypatch):
    known = planned(block("digits-lt", "none", "loss-weights"), seeds=2).study
    monkeypatch.setattr(type(parse("loss-weights")), "version", 99)
    new = planned(block("digits-lt", "loss-weights"), seeds=1).study
    assert ids(merge_studies(known, new)) == {("digits-lt", "none"): ids(known)["digits-lt", "none"]} | ids(new)
