"""The first screen reports which remedy to use and how sure that is, and concludes no more than the seeds allow."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from simulated_study import (
    NOTES,
    evaluation_with_correct,
    simulate_cost,
    simulate_record,
    simulate_study,
    study_with_levels,
    task_facts,
)
from written_page import rows_of, text_of, written

from bench.metrics.classification import macro_f1
from bench.records.record import PlannedStrategy, Record, Study
from bench.report.frame import collect_results
from bench.report.html.inline_svg import render_svg
from bench.report.sections.across_data_sets import draw_ranks, summarise
from bench.report.task_results import TaskResults

THRESHOLDS = r"Recommended: thresholds \(tune per-class thresholds after training\)"


def first_screen(page: str) -> str:
    """Return the text before the tasks' own sections."""
    return text_of(page[: page.index('<section class="task"')])


def test_the_declared_family_is_primary(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    page = written(replace(planned, primary={"tags": ["smote"]}), records, [], [], tmp_path)
    families = {row["strategy"]: row["family"] for row in rows_of(page, "ranking-tags")}
    assert families == {"focal": "exploratory", "smote": "primary"}
    assert "Recommended: smote Macro-F1 0.6" in first_screen(page)
    assert "Exploratory, so only a lead: focal +0.3" in first_screen(page)


def test_a_card_reports_what_to_use_its_effect_and_its_cost(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70, "ignore-index": 30})
    rows = [replace(row, extra_cost="a pass" if row.strategy == "focal" else "") for row in planned.strategies]
    found = first_screen(
        written(replace(planned, strategies=rows), records, [], [simulate_cost("tags", "focal")], tmp_path)
    )
    assert re.search(
        r"Recommended: focal Macro-F1 0\.6\d\d → 0\.9\d\d "
        r"\(\+0\.3\d\d, 95% interval \+0\.2\d\d to \+0\.3\d\d, 5 seeds\); best of 3 remedies",
        found,
    )
    assert "Cost: training with the remedy, relative step time 1.25; adds: a pass" in found
    assert "Relative step time of focal: 1.25 (baseline = 1; 1.20 to 1.30 over rounds). Adds: a pass." in found
    assert re.search(
        r"Also better than plain training: smote \(\+0\.\d\d\) Worse than .*: ignore-index \(-0\.\d\d\) ", found
    )
    assert re.search(r"Also better than plain training: smote \+0\.\d+ \(95% interval .*?\)\.", found)
    assert "3 remedies compared: 2 better, 1 worse." in found
    assert all(f"Note: {note}" in found for note in [*NOTES, "a note of tags"])
    assert all(each in found for each in ("accuracy", "balanced accuracy", "worst-class recall"))


def test_the_minimum_detectable_effect_is_reported_with_its_interval(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    page = written(planned, records, [], [], tmp_path)
    least = next(
        float(row["minimum detectable effect"]) for row in rows_of(page, "ranking-tags") if row["strategy"] == "focal"
    )
    match = re.search(
        r"Minimum detectable effect with 5 seeds \(80% power\): about (.*?) for focal \(90% interval (.*?) to (.*?)\)\.",
        first_screen(page),
    )
    assert match is not None
    found, low, high = map(float, match.groups())
    assert found == least
    assert low == pytest.approx(least * np.sqrt(4 / stats.chi2.ppf(0.95, 4)), abs=1e-3)
    assert high == pytest.approx(least * np.sqrt(4 / stats.chi2.ppf(0.05, 4)), abs=1e-3)


def with_f1(planned: Study, records: list[Record], strategy: str, right: list[int]) -> list[Record]:
    """A strategy with so many of 100 labels of each class right, by seed."""
    return [
        replace(each, evaluations=[evaluation_with_correct(planned.tasks[0], right[each.seed], 0)])
        if each.strategy == strategy
        else each
        for each in records
    ]


def test_a_higher_mean_that_is_not_significant_is_not_recommended(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 70, "smote": 60})
    found = first_screen(written(planned, with_f1(planned, records, "smote", [60, 97, 60, 97, 60]), [], [], tmp_path))
    assert "Recommended: focal Macro-F1" in found
    assert "chosen from 2 remedies" in found
    assert re.search(
        r"Better on average than \S+: smote \+0\.1\d\d \(95% interval -0\.\d+ to \+0\.\d+\), inconclusive\.", found
    )


def test_an_interval_without_0_that_is_not_significant_after_holm_is_reported_as_such(tmp_path: Path) -> None:
    names = {"none": 60, **{f"focal(gamma={i}.0)": 60 for i in range(9)}, "smote": 60}
    planned, records = study_with_levels(names)
    records = with_f1(planned, records, "none", [60, 60, 60, 60, 60])
    records = with_f1(planned, records, "smote", [62, 66, 61, 64, 62])
    page = written(planned, records, [], [], tmp_path)
    row = next(each for each in rows_of(page, "ranking-tags") if each["strategy"] == "smote")
    assert float(row["low"]) > 0
    assert 0.05 / 10 < float(row["p"]) < 0.05 < float(row["adjusted p"])
    assert re.search(
        r"Inconclusive: no recommendation yet Leading of 10 remedies, smote: macro-F1 .*?, "
        r"inconclusive: not significant after Holm's correction",
        first_screen(page),
    )
    assert re.search(r"smote: the 95% interval excludes 0, but the difference is not significant", first_screen(page))


def test_plain_training_is_kept_only_where_every_remedy_is_worse_or_equivalent(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    inconclusive = first_screen(written(planned, records, [], [], tmp_path))
    assert re.search(
        r"Inconclusive: no recommendation yet Leading of 2 remedies, (focal|smote): .*?, inconclusive ", inconclusive
    )
    assert re.search(r"Relative step time of (focal|smote): not measured\.", inconclusive)
    kept = first_screen(written(replace(planned, margin=0.1), records, [], [], tmp_path))
    assert re.search(
        r"Recommended: keep plain training All 2 remedies are worse or equivalent; best of 2 remedies, (focal|smote): "
        r"macro-F1 .*?, equivalent \(within ±0\.1\)",
        kept,
    )
    one_worse = with_f1(planned, records, "smote", [30, 30, 31, 30, 30])
    assert "Recommended: keep plain training All 2 remedies are worse or equivalent" in first_screen(
        written(replace(planned, margin=0.1), one_worse, [], [], tmp_path)
    )


def test_plain_training_is_not_kept_while_a_remedy_is_unfinished(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 90, "focal": 60, "smote": 60})
    lost = [record for record in records if (record.strategy, record.seed) != ("smote", 3)]
    found = first_screen(written(planned, lost, [], [], tmp_path))
    assert "No recommendation Not all remedies have finished. The only remedy, focal: macro-F1" in found


def test_one_seed_allows_no_conclusion(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90}, seeds=1)
    found = first_screen(written(planned, records, [], [], tmp_path))
    assert re.search(
        r"Too few seeds for a recommendation There is one seed, and at least 3 are needed\. The only remedy, focal: macro-F1",
        found,
    )


def with_thresholds(planned: Study, records: list[Record], right: int) -> tuple[Study, list[Record]]:
    """The baseline with thresholds, which get so many of 100 labels of each class right."""
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    facts = planned.tasks[0]
    return planned, [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(evaluation_with_correct(facts, right, each.seed), adjustment="thresholds"),
            ],
        )
        if each.strategy == "none"
        else each
        for each in records
    ]


def test_a_remedy_has_to_beat_the_post_hoc_baselines(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 80, "smote": 60})

    def report_with(right: int) -> tuple[str, str]:
        """Return the first screen, and the difference between focal and thresholds as it should be reported."""
        (ours,) = (
            [macro_f1(each.evaluations[0].confusion) for each in records if each.strategy == "focal"] for _ in "1"
        )
        free = [macro_f1(evaluation_with_correct(planned.tasks[0], right, seed).confusion) for seed in range(5)]
        test = stats.ttest_rel(ours, free).confidence_interval()
        change = f"{np.mean(np.subtract(ours, free)):+.3f} (95% interval {test.low:+.3f} to {test.high:+.3f})"
        return first_screen(written(*with_thresholds(planned, records, right), [], [], tmp_path)), change

    beaten, change = report_with(70)
    assert re.search(r"Recommended: focal Macro-F1 0\.\d+ → 0\.8", beaten)
    assert f"Compared with thresholds, the best post-hoc baseline: {change}, better." in beaten
    unbeaten, change = report_with(90)
    assert re.search(rf"{THRESHOLDS} Macro-F1 0\.6\d+ → 0\.9", unbeaten)
    assert f"The best trained remedy, focal, compared with thresholds: {change}, worse." in unbeaten
    assert "Cost: no extra training; uses the validation labels" in unbeaten
    assert "Relative step time of thresholds: 1.00 (baseline = 1)." in unbeaten
    confusions = [evaluation_with_correct(planned.tasks[0], 90, seed).confusion for seed in range(5)]
    accuracy = np.mean([np.trace(each) / np.sum(each) for each in confusions])
    assert re.search(rf"thresholds \S+ {accuracy:.3f} .* focal \S+ .* baseline ", unbeaten)


def test_of_several_better_remedies_the_one_that_beats_the_post_hoc_baselines_is_recommended(
    tmp_path: Path,
) -> None:
    planned, records = study_with_levels({"none": 40, "focal": 72, "smote": 75})
    shaky = with_f1(planned, records, "smote", [64, 64, 97, 64, 97])
    found = first_screen(written(*with_thresholds(planned, shaky, 66), [], [], tmp_path))
    assert "Recommended: focal Macro-F1" in found
    assert "Also better than plain training: smote" in found


def test_a_post_hoc_baseline_is_recommended_where_no_trained_remedy_is_better(tmp_path: Path) -> None:
    levels = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    found = first_screen(written(*with_thresholds(*levels, 90), [], [], tmp_path))
    assert re.search(rf"{THRESHOLDS} Macro-F1 0\.6\d+ → 0\.9", found)
    assert re.search(r"3 remedies compared \(1 of them post-hoc\): [a-z0-9 ,]*1 better[^.]*\.", found)
    assert "Inconclusive: no rec" in first_screen(written(*with_thresholds(*levels, 60), [], [], tmp_path))


def test_post_hoc_baselines_are_compared_where_nothing_else_was_run(tmp_path: Path) -> None:
    found = first_screen(written(*with_thresholds(*study_with_levels({"none": 60}), 90), [], [], tmp_path))
    assert re.search(THRESHOLDS, found)
    assert "1 remedy compared (1 of them post-hoc): 1 better." in found


def shaky_thresholds(right: list[int], planned: Study, records: list[Record]) -> tuple[Study, list[Record]]:
    """Thresholds get so many of 100 labels of each class right, by seed."""
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    facts = planned.tasks[0]
    return planned, [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(evaluation_with_correct(facts, right[each.seed], 0), adjustment="thresholds"),
            ],
        )
        if each.strategy == "none"
        else each
        for each in records
    ]


def test_a_remedy_is_compared_with_a_post_hoc_baseline_that_is_not_significantly_better_itself(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 64})
    undecided = first_screen(written(*shaky_thresholds([60, 90, 58, 92, 60], planned, records), [], [], tmp_path))
    assert "Recommended: focal Macro-F1" in undecided
    assert re.search(
        r"Compared with thresholds, the best post-hoc baseline: -0\.\d+ \(95% interval -.*?\), inconclusive\.",
        undecided,
    )
    assert re.search(r"Better on average than \S+: thresholds", undecided)


def test_a_metric_of_costs_recommends_the_post_hoc_baseline_with_the_lower_cost(tmp_path: Path) -> None:
    """Lower is better: thresholds that are right more often are recommended, others are not."""
    planned, records = study_with_levels({"none": 60, "focal": 70})
    (tmp_path / "COSTS.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,5,0,1\nLOC,5,1,0\n")
    planned = replace(planned, metric=str(tmp_path / "COSTS.csv"))
    assert "Recommended: thresholds" in first_screen(written(*with_thresholds(planned, records, 90), [], [], tmp_path))
    assert "Recommended: focal" in first_screen(written(*with_thresholds(planned, records, 30), [], [], tmp_path))


@pytest.mark.parametrize("level", [30, 60, 90])
def test_two_seeds_are_too_few_for_any_conclusion(tmp_path: Path, level: int) -> None:
    planned, records = study_with_levels({"none": 60, "focal": level}, seeds=2)
    page = written(planned, records, [], [], tmp_path)
    assert re.search(
        r"Too few seeds for a recommendation There are 2 seeds, and at least 3 are needed\. The only remedy, focal: macro",
        first_screen(page),
    )
    report = (tmp_path / "report.md").read_text()
    for text in (text_of(page), report):
        assert not re.search(r"\b(better|worse|equivalent)( than|:|;|,|\.| \|)", text.replace("lower is better", "")), (
            text
        )


def test_a_family_without_a_verdict_has_no_recommendation_and_exploratory_strategies_are_leads(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90})
    found = first_screen(written(replace(planned, primary={"tags": []}), records, [], [], tmp_path))
    assert "No recommendation No remedy of the primary family has finished all its seeds." in found
    assert "Exploratory, so only a lead: focal +0.3" in found


def test_unfinished_strategies_count_in_their_family_by_every_metric(tmp_path: Path) -> None:
    """Holm's factor is that of the declared family, so that a lost seed makes no other verdict easier."""
    planned, records = study_with_levels({"none": 60, "focal": 60, "smote": 60})
    records = with_f1(planned, records, "focal", [59, 57, 60, 58, 57])
    lost = [each for each in records if (each.strategy, each.seed) != ("smote", 3)]
    found = collect_results(planned, lost, [], [])
    task = TaskResults(found, planned.tasks[0], {})
    for comparison in (task.comparison, task.compare_by_measure("balanced_accuracy")):
        (verdict,) = comparison.verdicts
        assert verdict.strategy == "focal"
        assert verdict.adjusted_p == pytest.approx(2 * verdict.p)
    assert re.search(
        r"2 remedies compared: 1 [a-z ]+, 1 unfinished\.", first_screen(written(planned, lost, [], [], tmp_path))
    )


def test_all_remedies_are_called_worse_only_if_all_are_significantly_worse(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 90, "focal": 60, "smote": 50})
    assert "All 2 remedies are significantly worse; the least harmful, focal" in first_screen(
        written(planned, records, [], [], tmp_path)
    )
    undecided = with_f1(planned, records, "smote", [20, 95, 20, 95, 20])
    assert "significantly worse" not in first_screen(written(planned, undecided, [], [], tmp_path))


def test_a_card_reports_unfinished_strategies_and_runs_that_have_not_converged(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    kept = [
        replace(each, converged=(each.strategy, each.seed) not in {("none", 0), ("focal", 1), ("focal", 2)})
        for each in records
        if (each.strategy, each.seed) != ("smote", 3)
    ]
    found = first_screen(written(planned, kept, [], [], tmp_path))
    assert "No verdict, because not all seeds have finished: smote (4 of 5 seeds)." in found
    assert "more steps may change this: 3 of 10 runs (1 of 5 of baseline, 2 of 5 of focal)." in found


def test_metrics_disagree_as_often_as_two_paired_tests_do(tmp_path: Path) -> None:
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
    assert "Significantly better in balanced accuracy and worse in macro-F1: 1 of 2 remedies (focal)." in found


def shaken(confusion: list[list[int]], seed: int) -> list[list[int]]:
    return [[confusion[0][0] + seed, *confusion[0][1:]], *confusion[1:]]


CHOSEN = "Checkpoints were chosen on validation by macro-F1"


@pytest.mark.parametrize(
    ("metric", "adjustment", "expected"),
    [
        ("macro-f1", "raw", f"macro-F1 on test. {CHOSEN}."),
        ("macro-f1", "thresholds", f"macro-F1 on test. {CHOSEN}; thresholds were tuned there for macro-F1."),
        (
            "balanced-accuracy",
            "thresholds(balanced-accuracy)",
            f"balanced accuracy on test. {CHOSEN}; thresholds were tuned there for balanced accuracy.",
        ),
        (
            "balanced-accuracy",
            "thresholds",
            f"balanced accuracy on test. {CHOSEN}; thresholds were tuned there for macro-F1.",
        ),
        (
            "COSTS.csv",
            "thresholds",
            f"cost (COSTS.csv) on test (lower is better). {CHOSEN}; thresholds were tuned there for macro-F1.",
        ),
    ],
)
def test_the_introduction_names_the_metric_and_what_validation_chose(
    tmp_path: Path, metric: str, adjustment: str, expected: str
) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90})
    rows = [replace(row, adjustment=adjustment) if row.strategy == "focal" else row for row in planned.strategies]
    evaluated = [
        replace(each, evaluations=[replace(each.evaluations[0], adjustment=under) for under in ("raw", adjustment)])
        for each in records
    ]
    (tmp_path / "COSTS.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,5,0,1\nLOC,5,1,0\n")
    decides = str(tmp_path / metric) if metric.endswith(".csv") else metric
    page = written(replace(planned, strategies=rows, metric=decides), evaluated, [], [], tmp_path)
    lines = " ".join(re.findall('<p class="introduction">(.*?)</p>', page))
    margin = "0.00909" if metric.endswith(".csv") else "0.01"  # of a cost 1% of that of plain training
    assert lines == (
        f"Suite quick: 1 remedy on 1 task, 5 seeds each, compared with plain training by {expected} "
        f"Differences below {margin} do not matter (--margin)."
    )
    warned = "Note: thresholds were tuned for macro-F1" in text_of(page)
    assert warned == (adjustment == "thresholds" and metric != "macro-f1")


def test_lower_costs_are_better_and_the_path_of_the_file_is_not_shown(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 30})
    (tmp_path / "COSTS.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,5,0,1\nLOC,5,1,0\n")
    page = written(replace(planned, metric=str(tmp_path / "COSTS.csv")), records, [], [], tmp_path)
    costs = np.array([[0, 1, 1], [5, 0, 1], [5, 1, 0]])
    confusions = [(each.strategy, np.array(each.evaluations[0].confusion)) for each in records]
    of = {
        name: np.mean([(each * costs).sum() / each.sum() for strategy, each in confusions if strategy == name])
        for name in ("none", "focal")
    }
    assert f"Recommended: focal Cost (COSTS.csv) {of['none']:.3f} → {of['focal']:.3f} (-" in first_screen(page)
    assert "2 remedies compared: 1 better, 1 worse." in first_screen(page)
    assert str(tmp_path) not in page


def task_results(names: dict[str, list[int]]) -> list[TaskResults]:
    """Tasks of these names, strategy `best` before `none` before `worst` on each."""
    facts = [task_facts(name, ["O", "PER", "LOC"]) for name in names]
    strategies = ["none", "best", "worst"]
    records = [
        replace(simulate_record(each, name, seed), evaluations=[evaluation_with_correct(each, level, seed)])
        for each in facts
        for name, level in zip(strategies, names[each.task], strict=True)
        for seed in range(2)
    ]
    found = collect_results(simulate_study(facts, strategies, seeds=2), records, [], [])
    return [TaskResults(found, each, {}) for each in facts]


def test_six_data_sets_have_an_overall_verdict_and_variants_of_one_count_once() -> None:
    levels = [60, 90, 30]
    six = task_results({f"conll:corpus{number}": levels for number in range(6)})
    ranks = [[2] * 6, [1] * 6, [3] * 6]
    p = stats.friedmanchisquare(*ranks).pvalue
    assert summarise(six).startswith(f"Over 6 data sets: strategies differ (Friedman p = {p:.3g}). Mean ranks: best")
    chart = draw_ranks(six)
    assert chart is not None
    svg = render_svg(chart)
    assert "Critical difference: 1.35" in svg
    assert all(f"{name} [" in text_of(svg) or f"] {name}" in text_of(svg) for name in ("best", "baseline", "worst"))
    variants = task_results({f"conll2003-windows{end}": levels for end in ("", "-tags", "-a", "-b", "-c", "-d")})
    assert draw_ranks(variants) is None
    assert summarise(variants).startswith(
        "No overall verdict: 1 independent data set, but at least 6 are needed. Error rates are controlled per task"
    )
    assert "across 6 tasks the chance of at least one false verdict is up to 30%" in summarise(variants)
    assert summarise(variants[:1]) == "No overall verdict: 1 independent data set, but at least 6 are needed."


def test_recalibrations_take_no_power_from_the_family_unless_the_suite_declares_them() -> None:
    planned, records = study_with_levels({"none": 60, "focal": 63, "loss-weights": 61})
    facts = planned.tasks[0]
    recalibrations = ["temperature-scaling", "dirichlet-calibration"]
    adjusted = [replace(row, post_hoc=dict.fromkeys(recalibrations)) for row in planned.strategies]
    with_evaluations = [
        replace(
            record,
            evaluations=[
                *record.evaluations,
                *(replace(record.evaluation("chosen", "test"), adjustment=name) for name in recalibrations),
            ],
        )
        for record in records
    ]

    def results(study: Study) -> TaskResults:
        return TaskResults(collect_results(study, with_evaluations, [], []), facts, {})

    plain, aside = results(planned), results(replace(planned, strategies=adjusted))
    assert {name: aside.verdicts[name] for name in plain.verdicts} == plain.verdicts
    assert aside.family_names == plain.family_names == {"focal", "loss-weights"}
    assert aside.baselines_to_beat == []
    for name in recalibrations:
        assert aside.verdicts[name].family == "exploratory"
        assert aside.verdicts[name].difference == 0
    # As strategies of their own they are the same.
    named = [
        PlannedStrategy(facts.task, name, planned.strategies[0].runs, None, name, "none") for name in recalibrations
    ]
    listed = replace(planned, strategies=[*planned.strategies, *named])
    assert results(listed).family_names == {"focal", "loss-weights"}
    declared = replace(listed, primary={facts.task: ["focal", "temperature-scaling"]})
    assert results(declared).family_names == {"focal", "temperature-scaling"}
