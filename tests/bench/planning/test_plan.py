"""From a suite to trainings: what is declined, what stands in, which trainings go together, and what an id depends on."""

import dataclasses
from pathlib import Path

import pytest
import torch

from bench.errors import InputError
from bench.planning.plan import filter_suite, make_plan
from bench.planning.protocol import Protocol, reference_protocol
from bench.planning.run import Run
from bench.planning.suite import Block, Suite, read_suite
from bench.records.merge import merge_studies
from bench.tasks import find_task
from bench.tasks.tagged import _prepared
from strategies import parse

CPU = torch.device("cpu")
WORDS = "synthetic-conll(scale=0.01)"


def block(task: str, *strategies: str, **changes) -> Block:
    spec = find_task(task)
    return Block(spec, tuple(map(parse, strategies)), dataclasses.replace(reference_protocol(spec), **changes))


def planned(*blocks: Block, seeds: int = 2, name: str = "made"):
    return make_plan(Suite(name, "Made for a test", seeds, blocks), CPU)


def ids(study) -> dict[tuple[str, str], dict[int, str]]:
    return {(row.task, row.strategy): row.runs for row in study.strategies}


# What is planned, declined, replaced


def test_every_strategy_has_a_training_for_each_seed_in_the_order_of_the_suite():
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
    ],
)
def test_a_declined_strategy_is_listed_with_the_reason_and_has_no_trainings(task, strategy, because):
    plan = planned(block(task, "none", strategy))
    plain, declined = plan.study.strategies
    assert (plain.skipped, len(plain.runs)) == (None, 2)
    assert declined.strategy == strategy
    assert declined.runs == {}
    assert because in declined.skipped
    assert {str(each.strategy) for each in plan.runs} == {"none"}


def test_a_row_tells_what_each_part_of_its_strategy_adds_to_plain_training():
    rows = planned(block("digits-lt", "none", "smote", "smote+mixup", "thresholds")).study.strategies
    assert [row.extra_cost for row in rows] == [
        "",
        "set-up: a neighbour search; memory: C n_max rows",
        "set-up: a neighbour search; memory: C n_max rows; the loss of every batch is computed twice, against both targets",
        "after training: a few sorts of the validation logits for each class",
    ]


def test_trainings_follow_the_protocol_of_their_block_and_know_the_data_they_were_planned_on():
    digits, words = block("digits-lt", "none", steps=200), block(WORDS, "none", learning_rate=1e-2)
    plan = planned(digits, words, seeds=1)
    assert [each.protocol for each in plan.runs] == [digits.protocol, words.protocol]
    assert [each.fingerprint for each in plan.runs] == [each.task.load(0).fingerprint for each in (digits, words)]
    assert [facts.fingerprint for facts in plan.study.tasks] == [each.fingerprint for each in plan.runs]


def test_the_study_tells_what_the_report_says_of_a_task():
    spec = find_task(WORDS)
    task = spec.load(0)
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
    assert digits.baseline is None
    assert (
        plan.study.protocols[WORDS]
        == dataclasses.replace(reference_protocol(spec), steps=40, validate_every=20).identity()
    )
    assert {"device", "torch", "python"} <= plan.study.environment.keys()


def test_two_blocks_of_one_task_are_refused():
    with pytest.raises(InputError, match="two blocks are called digits-lt; give one block all its strategies"):
        planned(block("digits-lt", "none"), block("digits-lt(factor=50)", "loss-weights"))


def test_two_corpora_of_one_name_are_refused_with_their_directories_and_the_mend(tmp_path: Path):
    a, b = (corpus(tmp_path / place / "mine") for place in "ab")
    with pytest.raises(InputError) as refusal:
        planned(block(f"conll:{a}", "none"), block(f"conll:{b}", "none"))
    assert str(refusal.value) == (
        f"{a} and {b} are both called conll:mine, so one would replace the other; "
        "give each an --out of its own, or rename one of the directories"
    )


@pytest.fixture
def no_corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and no memory of one that was full."""
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path))
    _prepared.cache_clear()
    yield tmp_path
    _prepared.cache_clear()


def test_where_conll2003_cannot_be_had_synthetic_conll_stands_in_and_a_note_says_so(no_corpus: Path):
    quick = read_suite("quick")
    plan = make_plan(dataclasses.replace(quick, blocks=quick.blocks[:2], seeds=1), CPU)
    assert [facts.task for facts in plan.study.tasks] == ["synthetic-conll", "synthetic-conll(windows-tags)"]
    assert [row.strategy for row in plan.study.strategies] == [str(s) for b in quick.blocks[:2] for s in b.strategies]
    assert plan.study.protocols["synthetic-conll"] == quick.blocks[0].protocol.identity()
    (note,) = plan.study.notes
    assert note.startswith("synthetic-conll, a made corpus, stands in for conll2003: ")
    assert str(no_corpus) in note
    assert "imbench fetch conll2003" in note


@pytest.mark.usefixtures("no_corpus")
def test_a_directory_that_is_given_for_conll2003_and_is_not_there_is_refused_not_replaced(tmp_path: Path):
    suite = read_suite("quick", tmp_path / "nowhere")
    with pytest.raises(InputError, match="nowhere: expected a directory"):
        make_plan(suite, CPU)


# Narrowed


def quick() -> Suite:
    return read_suite("quick")


def test_narrowed_by_nothing_a_suite_stays_as_it_is():
    assert filter_suite(quick(), [], [], None) == quick()


def test_narrowed_keeps_the_asked_for_tasks_in_the_order_asked_for_with_their_protocols():
    asked = [find_task("digits-lt"), find_task("conll2003-windows-tags")]
    blocks = quick().blocks
    assert filter_suite(quick(), asked, [], None).blocks == (blocks[3], blocks[1])


def test_narrowed_runs_other_strategies_and_seeds_in_place_of_the_suites():
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
    assert found == dataclasses.replace(quick().blocks[like], task=spec)


def test_a_corpus_is_read_where_it_is_asked_for_though_the_suite_has_one_of_its_name():
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
        "what identifies a training changed, so no record of before counts any more: say so in CHANGELOG.md"
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


def test_ids_do_not_depend_on_where_a_corpus_lies_but_on_what_is_in_it(tmp_path: Path):
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


# Extended: a later run of the same directory


def test_a_first_study_stands_alone():
    study = planned(block("digits-lt", "none")).study
    assert merge_studies(None, study) is study


def test_the_same_run_again_changes_nothing():
    study = planned(block("digits-lt", "none", "sentence-weights"), block(WORDS, "none")).study
    assert merge_studies(study, study) == study


def test_a_later_strategy_joins_the_rows_of_the_same_task_and_protocol():
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


def test_fewer_seeds_keep_those_that_were_planned_and_more_add_to_them():
    two, three = (planned(block("digits-lt", "none"), seeds=seeds).study for seeds in (2, 3))
    assert ids(merge_studies(three, two)) == ids(merge_studies(two, three)) == ids(three)


def test_rows_of_a_changed_protocol_are_dropped_and_those_of_other_tasks_stay():
    known = planned(block("digits-lt", "none", "loss-weights"), block(WORDS, "none")).study
    new = planned(block("digits-lt", "none", steps=800)).study
    both = merge_studies(known, new)
    assert ids(both) == {(WORDS, "none"): ids(known)[WORDS, "none"]} | ids(new)
    assert both.protocols == known.protocols | new.protocols
    assert sorted(facts.task for facts in both.tasks) == sorted(["digits-lt", WORDS])


def test_a_changed_task_is_described_as_it_is_now_and_its_old_rows_are_dropped(tmp_path: Path):
    known = planned(block(f"conll:{corpus(tmp_path / 'a' / 'mine')}", "none", "loss-weights")).study
    (tmp_path / "a" / "mine" / "train.txt").write_text("Ada B-PER\nsmiled O\n\nsmiled O\n")
    _prepared.cache_clear()
    new = planned(block(f"conll:{tmp_path / 'a' / 'mine'}", "none")).study
    both = merge_studies(known, new)
    assert ids(both) == ids(new)
    assert both.tasks == new.tasks != known.tasks


def test_earlier_notes_are_kept_once_for_as_long_as_a_task_is_shown_that_only_the_earlier_run_had():
    digits, words = (planned(block(task, "none")).study for task in ("digits-lt", WORDS))
    known = dataclasses.replace(digits, notes=["a", "b"])
    assert merge_studies(known, dataclasses.replace(words, notes=["b", "c"])).notes == ["a", "b", "c"]
    assert merge_studies(known, dataclasses.replace(digits, notes=["b", "c"])).notes == ["b", "c"]


def test_rows_of_changed_data_are_dropped_even_where_its_facts_are_the_same(tmp_path: Path):
    known = planned(block(f"conll:{corpus(tmp_path / 'a' / 'mine')}", "none", "loss-weights"), seeds=2).study
    (tmp_path / "a" / "mine" / "valid.txt").write_text("smiled O\nAda B-PER\n")
    _prepared.cache_clear()
    new = planned(block(f"conll:{tmp_path / 'a' / 'mine'}", "none"), seeds=1).study
    assert ids(known)["conll:mine", "none"][0] != ids(new)["conll:mine", "none"][0]
    assert ids(merge_studies(known, new)) == ids(new)


def test_another_corpus_of_the_same_name_is_refused_not_put_in_the_place_of_the_first(tmp_path: Path):
    first = corpus(tmp_path / "a" / "mine")
    other = corpus(tmp_path / "b" / "mine", "smiled O\nAda B-PER\n")
    known, new = (planned(block(f"conll:{each}", "none")).study for each in (first, other))
    with pytest.raises(InputError, match=f"{first} and {other} are both called conll:mine.* --out of its own"):
        merge_studies(known, new)


def test_a_corpus_that_was_moved_stays_the_same_and_is_known_by_its_new_place(tmp_path: Path):
    known = planned(block(f"conll:{corpus(tmp_path / 'a' / 'mine')}", "none", "loss-weights")).study
    moved = (tmp_path / "a" / "mine").rename(tmp_path / "mine")
    both = merge_studies(known, planned(block(f"conll:{moved}", "none")).study)
    assert ids(both) == ids(known)
    assert [facts.directory for facts in both.tasks] == [str(moved)]


def test_trainings_of_an_older_version_of_a_strategy_are_dropped(monkeypatch):
    known = planned(block("digits-lt", "none", "loss-weights"), seeds=2).study
    monkeypatch.setattr(type(parse("loss-weights")), "version", 99)
    new = planned(block("digits-lt", "loss-weights"), seeds=1).study
    assert ids(merge_studies(known, new)) == {("digits-lt", "none"): ids(known)["digits-lt", "none"]} | ids(new)
