"""The page reports every verdict with its uncertainty, and lists what it leaves out."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from simulated_study import (
    Simulated,
    evaluation_with_correct,
    simulate_cost,
    simulate_record,
    simulate_study,
    study_with_levels,
    task_facts,
)
from written_page import f1_of, rows_of, text_of, written

from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import Study, TaskFacts
from bench.report.figures import draw_figures
from bench.report.frame import collect_results
from bench.report.page_files import write_page

HOSTILE = ["O\n", "<script>pwned = 1</script>", '"><img src=x onerror="pwned = 2">', "a&amp;b", "$x_1$"]
STRATEGIES = ["none", *(f"focal(gamma={i}.0)" for i in range(12))]


@pytest.fixture(scope="module")
def page(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page")
    return written(simulated.study, simulated.records, simulated.failures, simulated.costs, path)


def ranked(facts: TaskFacts, strategies: list[str], path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """The page of these strategies on one task, five seeds each, and their macro-F1 by seed."""
    records = [simulate_record(facts, name, seed) for name in strategies for seed in range(5)]
    page = written(simulate_study([facts], strategies, 5), records, [], [], path)
    shown = {(each.strategy, each.seed): each.evaluation("chosen", "test").confusion for each in records}
    return page, {name: np.array([f1_of(shown[name, seed]) for seed in range(5)]) for name in strategies}


@pytest.fixture(scope="module")
def of_thirteen(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, np.ndarray]]:
    return ranked(task_facts("tags", ["O", "PER", "LOC"]), STRATEGIES, tmp_path_factory.mktemp("thirteen"))


def test_differences_intervals_and_p_are_those_of_the_paired_t_test(of_thirteen) -> None:
    page, f1 = of_thirteen
    rows = {row["strategy"]: row for row in rows_of(page, "ranking-tags")}
    assert len(rows) == 12
    for name, row in rows.items():
        test = stats.ttest_rel(f1[name], f1["none"])
        low, high = test.confidence_interval()
        expected = [(f1[name] - f1["none"]).mean(), low, high]
        assert [row["difference to baseline"], row["low"], row["high"]] == [f"{each:+.3f}" for each in expected]
        assert row["p"] == f"{test.pvalue:.3g}"
    assert "intervals cover training seeds, not new test data" in text_of(page)


def test_intervals_are_wider_where_each_seed_splits_the_data_anew(tmp_path: Path) -> None:
    facts = replace(task_facts("digits-lt", ["0", "1", "2"], prior="balanced"), resplit=(20, 60))
    page, f1 = ranked(facts, ["none", "focal"], tmp_path)
    (row,) = rows_of(page, "ranking-digits-lt")
    differences = f1["focal"] - f1["none"]
    margin = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + 20 / 60) * differences.var(ddof=1))
    assert row["high"] == f"{differences.mean() + margin:+.3f}"
    assert "Nadeau and Bengio" in text_of(page)


def test_the_first_ten_are_primary_where_the_suite_declares_none(of_thirteen) -> None:
    page, _ = of_thirteen
    families = {row["strategy"]: row["family"] for row in rows_of(page, "ranking-tags")}
    assert {name for name, family in families.items() if family == "exploratory"} == set(STRATEGIES[-2:])
    assert "Primary family: 10 strategies, the first of the suite, which declares no family." in text_of(page)


def test_missing_and_skipped_strategies_are_listed_with_the_reason_and_not_ranked(page: str) -> None:
    missing = {row["strategy"]: row for row in rows_of(page, "missing-tags") if row["status"] != "warning"}
    assert missing["focal"]["seeds finished"] == "1 of 3"
    assert "seed 2: the loss became nan at step 812" in missing["focal"]["reason"]
    assert missing["smote"] == {
        "strategy": "smote",
        "status": "skipped",
        "seeds finished": "0 of 0",
        "reason": "word ids cannot be mixed",
    }
    assert [row["strategy"] for row in rows_of(page, "ranking-tags")] == ["random-oversampling"]
    assert "Reliability: not measured." in text_of(page)


def test_nothing_is_compared_without_the_baseline(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "PER"])
    records = [simulate_record(facts, "focal", seed) for seed in range(3)]
    page = text_of(written(simulate_study([facts], ["focal"]), records, [], [], tmp_path))
    assert "This task has no results of the baseline to compare with." in page


def test_every_strategy_is_compared_with_the_post_hoc_baselines(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    facts = planned.tasks[0]
    free = [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(evaluation_with_correct(facts, 80, each.seed), adjustment="thresholds"),
            ],
        )
        if each.strategy == "none"
        else each
        for each in records
    ]
    assert "Not measured: baseline with thresholds, post-hoc-adjustment, prior-correction." in text_of(
        written(planned, records, [], [], tmp_path)
    )
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    page = written(planned, free, [], [], tmp_path)
    rows = {row["strategy"]: row for row in rows_of(page, "post-hoc-tags")}
    of = {
        (each.strategy, e.adjustment): [
            f1_of(one.evaluations[i].confusion) for one in free if one.strategy == each.strategy
        ]
        for each in free
        for i, e in enumerate(each.evaluations)
    }
    expected = np.mean(np.subtract(of["focal", "raw"], of["none", "thresholds"]))
    assert rows["focal"]["post-hoc baseline"] == "thresholds"
    assert rows["focal"]["difference"] == f"{expected:+.3f}"
    gained = np.mean(np.subtract(of["none", "thresholds"], of["none", "raw"]))
    assert f"Post-hoc baselines compared with plain training: thresholds {gained:+.3f} (95% interval" in text_of(page)
    assert {name: row["verdict"] for name, row in rows.items()} == {"focal": "better", "smote": "worse"}
    assert "Better than thresholds: focal; 1 worse." in text_of(page)
    assert "Not measured: baseline with post-hoc-adjustment, prior-correction." in text_of(page)


def test_strategies_are_compared_with_the_same_adjustment_on_both_sides(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    behind = {"none": 80, "focal": 95, "smote": 70}
    adjusted = [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(
                    evaluation_with_correct(planned.tasks[0], behind[each.strategy], each.seed), adjustment="thresholds"
                ),
            ],
        )
        for each in records
    ]
    page = written(planned, adjusted, [], [], tmp_path)
    f1 = {
        name: [f1_of(evaluation_with_correct(planned.tasks[0], right, seed).confusion) for seed in range(5)]
        for name, right in behind.items()
    }
    for row in rows_of(page, "post-hoc-tags"):
        test = stats.ttest_rel(f1[row["strategy"]], f1["none"]).confidence_interval()
        assert row["on both sides: difference"] == f"{np.mean(np.subtract(f1[row['strategy']], f1['none'])):+.3f}"
        if not np.isnan(test.low):
            assert (row["on both sides: low"], row["on both sides: high"]) == (f"{test.low:+.3f}", f"{test.high:+.3f}")
    assert "With thresholds on both sides, better than the baseline: focal; 1" in text_of(page)
    lost = [
        replace(each, evaluations=each.evaluations[:1]) if (each.strategy, each.seed) == ("smote", 2) else each
        for each in adjusted
    ]
    lacking = {row["strategy"]: row for row in rows_of(written(planned, lost, [], [], tmp_path), "post-hoc-tags")}
    assert lacking["focal"] == next(row for row in rows_of(page, "post-hoc-tags") if row["strategy"] == "focal")
    assert lacking["smote"]["on both sides: difference"] == "-"


def test_a_post_hoc_baseline_that_is_a_planned_strategy_too_has_one_verdict(tmp_path: Path) -> None:
    """It is one of ten comparisons either way, and its p value is corrected for all of them."""
    planned, records = study_with_levels({"none": 60, **{f"focal(gamma={i}.0)": 60 for i in range(9)}})
    facts, right = planned.tasks[0], [62, 66, 61, 64, 62]
    free = [
        replace(
            each,
            evaluations=[
                evaluation_with_correct(facts, 60, 0),
                replace(evaluation_with_correct(facts, right[each.seed], 0), adjustment="thresholds"),
            ],
        )
        if each.strategy == "none"
        else each
        for each in records
    ]
    plain = replace(planned.strategies[0], post_hoc={"thresholds": None})
    planned = replace(planned, strategies=[plain, *planned.strategies[1:]])
    row = replace(plain, strategy="thresholds", adjustment="thresholds", trained_as="none")
    both = text_of(written(replace(planned, strategies=[*planned.strategies, row]), free, [], [], tmp_path))
    assert re.search(
        r"compared with plain training: thresholds \+0\.\d+ \(95% interval \+.*?\), inconclusive: not significant after Holm",
        both,
    )
    alone = text_of(written(planned, free, [], [], tmp_path))
    said = re.search(r"Post-hoc baselines compared with plain training: (.*?)\.  ?", both + " ")
    assert said is not None
    assert said[0].strip() in alone


def test_sentences_of_the_test_part_are_resampled_where_predictions_were_kept(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90}, seeds=2)
    found = collect_results(planned, records, [], [])

    def kept(id: str) -> PredictedClasses:
        """Labels that give the record's confusion, ten to a sentence."""
        (confusion,) = (each.evaluations[0].confusion for each in records if each.id == id)
        cells = np.array([(t, p) for t, row in enumerate(confusion) for p, n in enumerate(row) for _ in range(n)])
        order = np.random.default_rng(0).permutation(len(cells))
        truth = TrueClasses(cells[order, 0], 3, np.append(np.arange(0, len(cells), 10), len(cells)))
        return PredictedClasses(truth, {"raw": cells[order, 1]})

    drawn = draw_figures(found)
    page = write_page(replace(found, predictions=kept), drawn, tmp_path)[-1].read_text(encoding="utf-8")
    f1 = {(each.strategy, each.seed): f1_of(each.evaluations[0].confusion) for each in records}
    rows = {row["seed"]: row for row in rows_of(page, "sentence-bootstrap-tags")}
    differences = {str(seed): f1["focal", seed] - f1["none", seed] for seed in range(2)}
    differences["mean of seeds"] = np.mean(list(differences.values()))
    for seed, difference in differences.items():
        assert rows[seed]["difference to baseline"] == f"{difference:+.3f}"
        assert 0 < float(rows[seed]["low"]) < difference < float(rows[seed]["high"])
    whole = rows["mean of seeds"]
    assert (
        f"Bootstrap over test sentences (same runs), focal: {whole['difference to baseline']} "
        f"(95% interval {whole['low']} to {whole['high']})."
    ) in text_of(page)
    without = write_page(found, drawn, tmp_path)[-1].read_text(encoding="utf-8")
    assert "Not computed: test predictions were not kept." in text_of(without)
    other = collect_results(replace(planned, metric="balanced-accuracy"), records, [], [], predictions=kept)
    page = write_page(other, draw_figures(other), tmp_path)[-1].read_text(encoding="utf-8")
    assert "only available for macro-F1, not for balanced accuracy" in text_of(page)


@pytest.mark.parametrize("lower", [False, True])
def test_costs_count_as_equal_on_the_pareto_front_where_their_rounds_overlap(tmp_path: Path, lower: bool) -> None:
    """`focal` gains most and costs more, `smote` costs as much as the baseline within its rounds, `mixup` costs more for less."""
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70, "mixup": 65})
    (tmp_path / "costs.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,1,0,1\nLOC,1,1,0\n")
    planned = replace(planned, metric=str(tmp_path / "costs.csv")) if lower else planned
    rounds = {"focal": (1.3, 1.2, 1.4), "smote": (1.02, 0.97, 1.05), "mixup": (1.5, 1.45, 1.6)}
    costs = [
        replace(simulate_cost("tags", name), step_ratio=ratio, lowest_step_ratio=low, highest_step_ratio=high)
        for name, (ratio, low, high) in rounds.items()
    ]
    rows = rows_of(written(planned, records, [], costs, tmp_path), "cost-benefit-tags")
    assert {row["strategy"] for row in rows if row["Pareto-optimal"] == "yes"} == {"focal", "smote"}


def test_the_claims_of_the_thread_are_compared_with_the_study(tmp_path: Path) -> None:
    facts = task_facts("conll2003-windows", ["O", "PER", "LOC"])
    levels = {"none": 90, "ignore-index": 30}
    records = [
        replace(
            simulate_record(facts, name, seed), evaluations=[evaluation_with_correct(facts, right, seed * (place + 1))]
        )
        for place, (name, right) in enumerate(levels.items())
        for seed in range(3)
    ]
    page = written(simulate_study([facts], list(levels)), records, [], [], tmp_path)
    accuracy = next(row for row in rows_of(page, "claims") if row["what"] == "accuracy")
    assert accuracy["claim"].startswith("ignoring the dominant class lowers accuracy")
    assert (accuracy["claimed"], accuracy["as claimed"]) == ("less than baseline", "yes")
    assert "“a weighted sampler equalises the batches”: not measured here; weighted-random-sampler" in text_of(page)


def test_thirds_are_of_adjusted_predictions(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60})
    row = replace(planned.strategies[0], strategy="thresholds", adjustment="thresholds", trained_as="none")
    adjusted = [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(evaluation_with_correct(planned.tasks[0], 90, each.seed), adjustment="thresholds"),
            ],
        )
        for each in records
    ]
    page = written(replace(planned, strategies=[*planned.strategies, row]), adjusted, [], [], tmp_path)
    tails = {row["strategy"]: float(row["tail recall"].split()[0]) for row in rows_of(page, "thirds-tags")}
    assert tails["thresholds"] > 0.85 > 0.7 > tails["baseline"]


def test_head_middle_and_tail_are_means_over_their_classes(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "PER", "LOC", "MISC", "ORG"])
    records = [simulate_record(facts, "none", seed) for seed in range(3)]
    page = written(simulate_study([facts], ["none"]), records, [], [], tmp_path)
    (row,) = rows_of(page, "thirds-tags")
    recalls = [np.diag(each) / np.sum(each, axis=1) for each in (record.evaluations[1].confusion for record in records)]
    tails = [each[3:].mean() for each in recalls]  # five classes: two, one and two
    assert row["tail recall"] == f"{np.mean(tails):.3f} ± {np.std(tails, ddof=1):.3f}"
    assert {"head recall", "middle recall", "head precision", "middle precision", "tail precision"} <= row.keys()


@pytest.mark.slow
def test_ten_thousand_records_make_a_page_below_8_mb_in_less_than_1_gb(tmp_path: Path) -> None:
    code = f"""
import resource, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from simulated_study import simulate_cost, simulate_study, task_facts, simulate_record
from bench.report import write_report
facts = [task_facts(f"tags{{number}}", list("ABCDEFGHI"), baseline=0.87) for number in range(4)]
names = ["none", *(f"focal(gamma={{number}}.0)" for number in range(24))]
records = [simulate_record(each, name, seed) for each in facts for name in names for seed in range(100)]
costs = [simulate_cost(each.task, name) for each in facts for name in names]
write_report(simulate_study(facts, names, seeds=100), records, [], costs, Path({str(tmp_path)!r}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (tmp_path / "report.html").stat().st_size < 8e6
    assert int(done.stdout) * 1024 < 1e9


def test_a_task_without_the_metric_is_listed_with_the_reason(simulated: Simulated, tmp_path: Path) -> None:
    planned = replace(simulated.study, metric="entity-f1")
    page = text_of(written(planned, simulated.records, [], [], tmp_path))
    assert re.search("digits-lt: .*entity-f1: this task has no entities", page)
    assert "Difference to baseline in entity F1: tags" in page


class Ids(HTMLParser):
    """Every id of a page, and every id that something in it refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.used: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id":
                self.ids.append(value or "")
            elif key in ("href", "xlink:href", "aria-labelledby") and tag != "link":
                self.used.add((value or "").removeprefix("#"))
            else:
                self.used.update(re.findall(r"url\(#([^)]*)\)", value or ""))


def test_ids_are_unique_and_what_is_referred_to_is_there(page: str) -> None:
    found = Ids()
    found.feed(page)
    assert len(found.ids) == len(set(found.ids)) > 20
    assert {each for each in found.used if not each.startswith(("http", "data:"))} <= set(found.ids)


def test_every_figure_has_a_description(page: str) -> None:
    figures = re.findall(r"<svg [^>]*>", page)
    assert len(figures) >= 10
    for figure in figures:
        assert 'role="img"' in figure
        assert re.search(r'aria-label="[^"]{20,}', figure), figure


def test_an_empty_study_is_a_page_too(tmp_path: Path) -> None:
    assert "the study has no tasks" in text_of(written(Study("quick", [], [], {}, []), [], [], [], tmp_path))


def test_nothing_has_finished(simulated: Simulated, tmp_path: Path) -> None:
    page = text_of(written(simulated.study, [], [], [], tmp_path))
    assert re.search(r"[Tt]he baseline .*has no number for seed 0, 1, 2", page)
