"""The choice among the configurations of a tuned strategy: the best mean on validation over seeds, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from bench.records.record import (
    RAW,
    Evaluation,
    Failure,
    PlannedConfiguration,
    PlannedStrategy,
    Record,
    SamplingStats,
    Study,
    TaskFacts,
)
from bench.report.configuration_choice import choose_configurations
from bench.report.task_metrics import resolve_metrics

RIGHT, WRONG = [[9, 1], [1, 9]], [[5, 5], [5, 5]]


def facts() -> TaskFacts:
    return TaskFacts("small", "", "natural", ["a", "b"], [10, 10], 20, None, [], resplit=None)


def record(id: str, valid: list[list[int]], test: list[list[int]] = RIGHT, adjustment: str = RAW) -> Record:
    each = [
        Evaluation("chosen", "valid", valid, 1.0, None, adjustment),
        Evaluation("chosen", "test", test, 1.0, None, adjustment),
    ]
    drawn = SamplingStats(1, 1, [1, 0], 1.0)
    return Record(id, "small", "none", 0, {}, ["a", "b"], each, [], 1, True, drawn, [], {})


def study(*configurations: PlannedConfiguration, metric: str = "macro-f1") -> Study:
    return Study(
        "small",
        [facts()],
        [PlannedStrategy("small", "focal", configurations=list(configurations))],
        {},
        [],
        metric=metric,
    )


def configuration(name: str, **more: str) -> PlannedConfiguration:
    return PlannedConfiguration(name, {0: f"{name}0", 1: f"{name}1"}, **more)


def choose(study: Study, records: list[Record], failed: tuple[str, ...] = ()) -> Study:
    failures = [Failure(id, "small", "focal", 0, "diverged") for id in failed]
    return choose_configurations(study, records, failures, resolve_metrics(study))


def chosen(study: Study, records: list[Record], failed: tuple[str, ...] = ()) -> PlannedStrategy:
    (planned,) = choose(study, records, failed).strategies
    return planned


def test_the_best_mean_validation_score_over_seeds_is_chosen_and_test_has_no_say():
    two = study(configuration("a"), configuration("b", trained_as="focal(gamma=1.0)"))
    good_on_test = [record(f"a{seed}", WRONG, RIGHT) for seed in (0, 1)]
    row = chosen(two, [*good_on_test, record("b0", RIGHT, WRONG), record("b1", WRONG, WRONG)])
    assert (row.strategy, row.configuration, row.runs) == ("focal", "b", {0: "b0", 1: "b1"})
    assert row.trained_as == "focal(gamma=1.0)"


def test_one_good_seed_does_not_win_over_a_better_mean():
    records = [
        record("a0", RIGHT),
        record("a1", [[0, 10], [10, 0]]),
        record("b0", [[8, 2], [2, 8]]),
        record("b1", WRONG),
    ]
    assert chosen(study(configuration("a"), configuration("b")), records).configuration == "b"


def test_of_equals_the_first_is_chosen():
    records = [
        record(f"{name}{seed}", valid) for name, valid in (("a", WRONG), ("b", RIGHT), ("c", RIGHT)) for seed in (0, 1)
    ]
    assert chosen(study(*map(configuration, "abc")), records).configuration == "b"


def test_configurations_are_compared_under_their_adjustment():
    two = study(configuration("a", adjustment="thresholds"), configuration("b", adjustment="thresholds"))
    raw = [record(f"a{seed}", RIGHT) for seed in (0, 1)]
    under = {
        f"{name}{seed}": record(f"{name}{seed}", WRONG if name == "a" else RIGHT, adjustment="thresholds")
        for name in "ab"
        for seed in (0, 1)
    }
    for each in raw:
        under[each.id] = dataclasses.replace(each, evaluations=each.evaluations + under[each.id].evaluations)
    row = chosen(two, list(under.values()))
    assert (row.configuration, row.adjustment) == ("b", "thresholds")


def test_under_another_metric_another_configuration_may_be_chosen_and_costs_are_minimised(tmp_path: Path):
    (tmp_path / "costs.csv").write_text(",a,b\na,0,1\nb,100,0\n")
    careful, accurate = [[4, 6], [0, 10]], [[10, 0], [2, 8]]
    records = [record(f"{name}{seed}", valid) for name, valid in (("a", accurate), ("b", careful)) for seed in (0, 1)]
    two = (configuration("a"), configuration("b"))
    assert chosen(study(*two), records).configuration == "a"
    assert chosen(study(*two, metric=str(tmp_path / "costs.csv")), records).configuration == "b"


def test_where_a_task_does_not_have_the_metric_macro_f1_chooses_and_a_note_says_so():
    records = [record(f"{name}{seed}", valid) for name, valid in (("a", WRONG), ("b", RIGHT)) for seed in (0, 1)]
    found = choose(study(configuration("a"), configuration("b"), metric="entity-f1"), records)
    assert found.strategies[0].configuration == "b"
    assert [note for note in found.notes if note.startswith("settings on small are chosen by macro-f1: ")]


def test_a_configuration_that_failed_under_a_seed_is_not_chosen_and_the_label_says_so():
    records = [record("a0", RIGHT), record("b0", WRONG), record("b1", WRONG)]
    row = chosen(study(configuration("a"), configuration("b")), records, failed=("a1",))
    assert (row.runs, row.configuration) == ({0: "b0", 1: "b1"}, "b (not to be had: a)")
    assert chosen(study(configuration("a")), [record("a0", RIGHT)], failed=("a1",)).runs == {0: "a0", 1: "a1"}


def test_nothing_is_chosen_while_a_run_is_missing():
    records = [record("a0", RIGHT), record("a1", RIGHT), record("b0", WRONG)]
    assert chosen(study(configuration("a"), configuration("b")), records).runs == {0: "b0", 1: "b1"}
    lacking = [*records, record("b1", WRONG)]
    two = study(configuration("a"), configuration("b", adjustment="thresholds"))
    assert chosen(two, lacking).runs == {0: "b0", 1: "b1"}


def test_strategies_that_were_not_tuned_are_noted():
    plain, skipped = PlannedStrategy("small", "none", {0: "n"}), PlannedStrategy("small", "smote", skipped="words")
    one = study(configuration("a"))
    records = [record("a0", RIGHT), record("a1", RIGHT)]
    assert choose(one, records).notes == []
    assert choose(dataclasses.replace(one, strategies=[plain, skipped]), []).notes == [
        "untuned: every strategy ran with one setting of its hyper-parameters and one learning rate"
    ]
    mixed = dataclasses.replace(one, strategies=[*one.strategies, plain, skipped], notes=["first"])
    assert choose(mixed, records).notes == ["first", "untuned on small: none"]
