"""The first screen says which remedy to use, how sure that is, and nothing that the seeds cannot tell."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from simulated_study import NOTES, better_by, cost, study, study_with_levels, task_facts, training
from written_page import rows_of, text_of, written

from bench.metrics.classification import macro_f1
from bench.records.record import Record, Study
from bench.report import nothing_kept
from bench.report.frame import results
from bench.report.page.judged import Judged
from bench.report.page.overall import diagram, said
from bench.report.page.svg import inline


def first_screen(page: str) -> str:
    """What stands before the tasks' own sections."""
    return text_of(page[: page.index('<section class="task"')])


def test_the_declared_family_is_primary(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    page = written(replace(planned, primary={"tags": ["smote"]}), records, [], [], tmp_path)
    families = {row["strategy"]: row["family"] for row in rows_of(page, "ranking-1-tags")}
    assert families == {"focal": "exploratory", "smote": "primary"}
    assert "Use smote. Better than none:" in first_screen(page)
    assert "Exploratory, so only a lead: focal +0.3" in first_screen(page)


def test_the_verdict_says_what_to_use_how_sure_that_is_and_what_it_costs(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70, "ignore-index": 30})
    rows = [replace(row, extra_cost="a pass" if row.strategy == "focal" else "") for row in planned.strategies]
    found = first_screen(written(replace(planned, strategies=rows), records, [], [cost("tags", "focal")], tmp_path))
    assert re.search(
        r"Use focal\. Better than none: macro-f1 0\.9\d\d against 0\.6\d\d of none, \+0\.3\d\d \[\+0\.2\d\d, \+0\.3\d\d\]\.",
        found,
    )
    assert "Step cost of focal: 1.25 times that of none (1.20 to 1.30 by round). Adds: a pass." in found
    assert re.search(r"Also better than none: smote \+0\.\d+ \[.*?\]\.", found)
    assert "Of 3 remedies: 2 better, 1 worse." in found
    assert all(f"Note: {note}" in found for note in [*NOTES, "a note of tags"])
    assert all(each in found for each in ("accuracy", "balanced accuracy", "worst-class recall"))


def test_what_the_seeds_could_find_is_said_with_how_roughly_they_tell_it(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    page = written(planned, records, [], [], tmp_path)
    least = next(
        float(row["minimum detectable effect"]) for row in rows_of(page, "ranking-1-tags") if row["strategy"] == "focal"
    )
    said = re.search(r"difference of about (.*?) \(90% interval (.*?) to (.*?)\) for focal", first_screen(page))
    assert said is not None
    found, low, high = map(float, said.groups())
    assert found == least
    assert low == pytest.approx(least * np.sqrt(4 / stats.chi2.ppf(0.95, 4)), abs=1e-3)
    assert high == pytest.approx(least * np.sqrt(4 / stats.chi2.ppf(0.05, 4)), abs=1e-3)


def with_f1(planned: Study, records: list[Record], strategy: str, right: list[int]) -> list[Record]:
    """A strategy with so many of 100 labels of each class right, by seed."""
    return [
        replace(each, evaluations=[better_by(planned.tasks[0], right[each.seed], 0)])
        if each.strategy == strategy
        else each
        for each in records
    ]


def test_a_better_mean_that_the_seeds_cannot_tell_is_not_the_verdict(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 70, "smote": 60})
    found = first_screen(written(planned, with_f1(planned, records, "smote", [60, 97, 60, 97, 60]), [], [], tmp_path))
    assert "Use focal. Better than none" in found
    assert re.search(r"With a better mean: smote \+0\.1\d\d \[-0\.\d+, \+0\.\d+\], not significant\.", found)


def test_an_interval_without_0_that_does_not_outlast_holm_is_no_verdict_and_that_is_said(tmp_path: Path) -> None:
    names = {"none": 60, **{f"focal(gamma={i}.0)": 60 for i in range(9)}, "smote": 60}
    planned, records = study_with_levels(names)
    records = with_f1(planned, records, "none", [60, 60, 60, 60, 60])
    records = with_f1(planned, records, "smote", [62, 66, 61, 64, 62])
    page = written(planned, records, [], [], tmp_path)
    row = next(each for each in rows_of(page, "ranking-1-tags") if each["strategy"] == "smote")
    assert float(row["low"]) > 0
    assert 0.05 / 10 < float(row["p"]) < 0.05 < float(row["adjusted p"])
    assert (
        "Keep plain training (none). No remedy is detectably better after Holm's adjustment. The best, smote: macro-f1"
        in first_screen(page)
    )
    assert re.search(r"0 is outside the interval of (\S+, )*smote", first_screen(page))


def test_no_remedy_is_better_where_seeds_cannot_tell(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    found = first_screen(written(planned, records, [], [], tmp_path))
    assert "Keep plain training (none). No remedy is detectably better. The best," in found
    assert re.search(r"Step cost of (focal|smote): not measured\.", found)


def test_one_seed_cannot_tell(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90}, seeds=1)
    found = first_screen(written(planned, records, [], [], tmp_path))
    assert "Cannot tell. There is one seed. The best, focal" in found


def with_thresholds(planned: Study, records: list[Record], right: int) -> tuple[Study, list[Record]]:
    """Plain training with thresholds behind it, which have so many of 100 labels of each class right."""
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    facts = planned.tasks[0]
    return planned, [
        replace(
            each, evaluations=[*each.evaluations, replace(better_by(facts, right, each.seed), adjustment="thresholds")]
        )
        if each.strategy == "none"
        else each
        for each in records
    ]


def test_a_remedy_has_to_beat_what_is_free(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 80, "smote": 60})

    def said(right: int) -> tuple[str, str]:
        """What the first screen says, and the difference between focal and thresholds as it should be told."""
        (ours,) = (
            [macro_f1(each.evaluations[0].confusion) for each in records if each.strategy == "focal"] for _ in "1"
        )
        free = [macro_f1(better_by(planned.tasks[0], right, seed).confusion) for seed in range(5)]
        test = stats.ttest_rel(ours, free).confidence_interval()
        change = f"{np.mean(np.subtract(ours, free)):+.3f} [{test.low:+.3f}, {test.high:+.3f}]"
        return first_screen(written(*with_thresholds(planned, records, right), [], [], tmp_path)), change

    beaten, change = said(70)
    assert "Use focal. Better than none: macro-f1 0.8" in beaten
    assert f"Against thresholds, which only adjusts finished logits: {change}, better." in beaten
    unbeaten, change = said(90)
    assert "Use thresholds. Better than none by adjusting finished logits alone: macro-f1 0.9" in unbeaten
    assert (
        f"Of the trained remedies that are better than none the best, focal, against it: {change}, worse." in unbeaten
    )
    assert "Step cost of thresholds: 1.00 times that of none." in unbeaten
    confusions = [better_by(planned.tasks[0], 90, seed).confusion for seed in range(5)]
    accuracy = np.mean([np.trace(each) / np.sum(each) for each in confusions])
    assert re.search(rf"thresholds \S+ {accuracy:.3f} .* focal \S+ .* none ", unbeaten)


def test_of_several_better_ones_that_which_beats_what_is_free_is_used_though_another_has_the_better_mean(
    tmp_path: Path,
) -> None:
    planned, records = study_with_levels({"none": 40, "focal": 72, "smote": 75})
    shaky = with_f1(planned, records, "smote", [64, 64, 97, 64, 97])
    found = first_screen(written(*with_thresholds(planned, shaky, 66), [], [], tmp_path))
    assert "Use focal." in found
    assert "Also better than none: smote" in found


def test_where_no_remedy_is_better_what_is_free_may_be(tmp_path: Path) -> None:
    levels = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    found = first_screen(written(*with_thresholds(*levels, 90), [], [], tmp_path))
    assert "Use thresholds. Better than none by adjusting finished logits alone: macro-f1 0.9" in found
    assert "Of 3 remedies (1 of them free): 2 not significant, 1 better." in found
    assert "Keep plain training (none)." in first_screen(written(*with_thresholds(*levels, 60), [], [], tmp_path))


def test_what_is_free_is_judged_where_nothing_else_was_run(tmp_path: Path) -> None:
    found = first_screen(written(*with_thresholds(*study_with_levels({"none": 60}), 90), [], [], tmp_path))
    assert "Use thresholds." in found
    assert "Of 1 remedies (1 of them free): 1 better." in found


def shaky_thresholds(right: list[int], planned: Study, records: list[Record]) -> tuple[Study, list[Record]]:
    """What is free has so many of 100 labels of each class right, by seed."""
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    facts = planned.tasks[0]
    return planned, [
        replace(
            each,
            evaluations=[*each.evaluations, replace(better_by(facts, right[each.seed], 0), adjustment="thresholds")],
        )
        if each.strategy == "none"
        else each
        for each in records
    ]


def test_a_remedy_is_weighed_against_what_is_free_though_that_is_not_detectably_better_itself(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 64})
    undecided = first_screen(written(*shaky_thresholds([60, 90, 58, 92, 60], planned, records), [], [], tmp_path))
    assert "Use focal. Better than none: macro-f1" in undecided
    assert re.search(
        r"Against thresholds, which only adjusts finished logits: -0\.\d+ \[-.*?\], not significant", undecided
    )
    assert "With a better mean: thresholds" in undecided


def test_costs_turn_what_is_free_round_too(tmp_path: Path) -> None:
    """The lower the cost, the better: thresholds that are right more often are to be used, and others not."""
    planned, records = study_with_levels({"none": 60, "focal": 70})
    (tmp_path / "COSTS.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,5,0,1\nLOC,5,1,0\n")
    planned = replace(planned, metric=str(tmp_path / "COSTS.csv"))
    assert "Use thresholds." in first_screen(written(*with_thresholds(planned, records, 90), [], [], tmp_path))
    assert "Use focal." in first_screen(written(*with_thresholds(planned, records, 30), [], [], tmp_path))


def test_two_seeds_cannot_tell_that_nothing_is_to_be_gained(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 60}, seeds=2)
    found = first_screen(written(planned, records, [], [], tmp_path))
    assert "Cannot tell. No remedy is detectably better with 2 seeds." in found
    planned, records = study_with_levels({"none": 90, "focal": 60}, seeds=2)
    found = first_screen(written(planned, records, [], [], tmp_path))
    assert "Keep plain training (none). Every remedy is worse." in found


def test_a_family_without_a_verdict_is_said_and_what_is_exploratory_is_a_lead(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90})
    found = first_screen(written(replace(planned, primary={"tags": []}), records, [], [], tmp_path))
    assert "Cannot tell. No remedy of the family has finished all its seeds." in found
    assert "Exploratory, so only a lead: focal +0.3" in found


def test_what_has_not_finished_counts_in_its_family_by_every_measure(tmp_path: Path) -> None:
    """Holm's factor stays that of the family as declared, so that a lost seed makes no other verdict easier."""
    planned, records = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    records = with_f1(planned, records, "focal", [59, 57, 60, 58, 57])
    lost = [each for each in records if (each.strategy, each.seed) != ("smote", 3)]
    found = results(planned, lost, [], [])
    judged = Judged(found, planned.tasks[0], {}, nothing_kept)
    for comparison in (judged.comparison, judged.by_measure("balanced_accuracy")):
        (verdict,) = comparison.verdicts
        assert verdict.strategy == "focal"
        assert verdict.adjusted_p == pytest.approx(2 * verdict.p)
    assert re.search(
        r"Of 2 remedies: 1 [a-z ]+, 1 not finished\.", first_screen(written(planned, lost, [], [], tmp_path))
    )


def test_only_where_every_remedy_is_worse_is_that_said(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 90, "focal": 60, "smote": 50})
    assert "Every remedy is worse. The least bad, focal" in first_screen(written(planned, records, [], [], tmp_path))
    undecided = with_f1(planned, records, "smote", [20, 95, 20, 95, 20])
    assert "No remedy is detectably better." in first_screen(written(planned, undecided, [], [], tmp_path))


def test_what_has_not_finished_or_not_converged_is_said_beside_the_verdict(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    kept = [
        replace(each, converged=(each.strategy, each.seed) not in {("none", 0), ("focal", 1), ("focal", 2)})
        for each in records
        if (each.strategy, each.seed) != ("smote", 3)
    ]
    found = first_screen(written(planned, kept, [], [], tmp_path))
    assert "No verdict, since not all seeds have finished: smote (4 of 5 seeds)." in found
    assert "more steps may change this: 3 of 10 trainings (1 of 5 of none, 2 of 5 of focal)." in found


def test_measures_disagree_as_often_as_two_paired_tests_do(tmp_path: Path) -> None:
    """More of the rare classes found, with many false alarms: better by balanced accuracy, worse by macro-F1."""
    planned, records = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    plain, alarms = [[950, 25, 25], [20, 30, 0], [20, 0, 30]], [[700, 150, 150], [5, 45, 0], [5, 0, 45]]
    torn = [
        replace(
            each,
            evaluations=[
                replace(each.evaluations[0], confusion=alarms if each.strategy == "focal" else shaken(plain, each.seed))
            ],
        )
        for each in records
    ]
    found = first_screen(written(planned, torn, [], [], tmp_path))
    assert "Detectably better in balanced accuracy and worse in macro-F1: 1 of 2 remedies (focal)." in found


def shaken(confusion: list[list[int]], seed: int) -> list[list[int]]:
    return [[confusion[0][0] + seed, *confusion[0][1:]], *confusion[1:]]


CHOSEN = "on test. Checkpoints were chosen on validation by macro-f1"


@pytest.mark.parametrize(
    ("objective", "adjustment", "expected"),
    [
        ("macro-f1", "raw", f"Judged by macro-f1 {CHOSEN}."),
        ("macro-f1", "thresholds", f"Judged by macro-f1 {CHOSEN}; thresholds were tuned on it for macro-f1."),
        (
            "balanced-accuracy",
            "thresholds(balanced-accuracy)",
            f"Judged by balanced-accuracy {CHOSEN}; thresholds were tuned on it for balanced-accuracy.",
        ),
        (
            "balanced-accuracy",
            "thresholds",
            f"Judged by balanced-accuracy {CHOSEN}; thresholds were tuned on it for macro-f1.",
        ),
        (
            "COSTS.csv",
            "thresholds",
            "Judged by cost (COSTS.csv) on test, the lower the better. Checkpoints were chosen on validation by macro-f1; "
            "thresholds were tuned on it for macro-f1.",
        ),
    ],
)
def test_by_what_validation_chose_is_said(tmp_path: Path, objective: str, adjustment: str, expected: str) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90})
    rows = [replace(row, adjustment=adjustment) if row.strategy == "focal" else row for row in planned.strategies]
    evaluated = [
        replace(each, evaluations=[replace(each.evaluations[0], adjustment=under) for under in ("raw", adjustment)])
        for each in records
    ]
    (tmp_path / "COSTS.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,5,0,1\nLOC,5,1,0\n")
    decides = str(tmp_path / objective) if objective.endswith(".csv") else objective
    page = written(replace(planned, strategies=rows, metric=decides), evaluated, [], [], tmp_path)
    (paragraph,) = re.findall('<p class="judged">(.*?)</p>', page)
    assert paragraph == expected
    warned = "Note: thresholds were tuned for macro-f1" in text_of(page)
    assert warned == (adjustment == "thresholds" and objective != "macro-f1")


def test_costs_decide_the_lower_the_better_and_the_files_place_is_not_shown(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 30})
    (tmp_path / "COSTS.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,5,0,1\nLOC,5,1,0\n")
    page = written(replace(planned, metric=str(tmp_path / "COSTS.csv")), records, [], [], tmp_path)
    costs = np.array([[0, 1, 1], [5, 0, 1], [5, 1, 0]])
    confusions = [(each.strategy, np.array(each.evaluations[0].confusion)) for each in records]
    of = {
        name: np.mean([(each * costs).sum() / each.sum() for strategy, each in confusions if strategy == name])
        for name in ("none", "focal")
    }
    assert (
        f"Use focal. Better than none: cost (COSTS.csv) {of['focal']:.3f} against {of['none']:.3f} of none, -"
        in first_screen(page)
    )
    assert "Of 2 remedies: 1 better, 1 worse." in first_screen(page)
    assert str(tmp_path) not in page


def judged(names: dict[str, list[int]]) -> list[Judged]:
    """Tasks of these names, strategy `best` before `none` before `worst` on each."""
    facts = [task_facts(name, ["O", "PER", "LOC"]) for name in names]
    strategies = ["none", "best", "worst"]
    records = [
        replace(training(each, name, seed), evaluations=[better_by(each, level, seed)])
        for each in facts
        for name, level in zip(strategies, names[each.task], strict=True)
        for seed in range(2)
    ]
    found = results(study(facts, strategies, seeds=2), records, [], [])
    return [Judged(found, each, {}, nothing_kept) for each in facts]


def test_six_data_sets_have_an_overall_verdict_and_variants_of_one_count_once() -> None:
    levels = [60, 90, 30]
    six = judged({f"conll:corpus{number}": levels for number in range(6)})
    ranks = [[2] * 6, [1] * 6, [3] * 6]
    p = stats.friedmanchisquare(*ranks).pvalue
    assert said(six).startswith(f"Over 6 data sets: strategies differ (Friedman p = {p:.3g}). Mean ranks: best")
    drawing = diagram(six)
    assert drawing is not None
    drawn = inline(drawing)
    assert "Critical difference: 1.35" in drawn
    assert all(f"{name} [" in text_of(drawn) or f"] {name}" in text_of(drawn) for name in ("best", "none", "worst"))
    variants = judged({f"conll2003-windows{end}": levels for end in ("", "-tags", "-a", "-b", "-c", "-d")})
    assert diagram(variants) is None
    assert said(variants).startswith(
        "No overall verdict: 1 independent data set; it takes 6. Each task is judged by itself"
    )
    assert "of 6 tasks without any difference, up to 30% have a false verdict" in said(variants)
    assert said(variants[:1]) == "No overall verdict: 1 independent data set; it takes 6."
