"""The page says the verdict with its uncertainty, leaves nothing out unsaid, and works in a real browser without a network."""

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
from simulated_study import Simulated, better_by, cost, study, study_with_levels, task_facts, training
from written_page import f1_of, rows_of, text_of, written

from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import Study, TaskFacts
from bench.report import nothing_kept
from bench.report.figures import draw_figures
from bench.report.frame import results
from bench.report.page import write_page

HOSTILE = ["O\n", "<script>pwned = 1</script>", '"><img src=x onerror="pwned = 2">', "a&amp;b", "$x_1$"]
STRATEGIES = ["none", *(f"focal(gamma={i}.0)" for i in range(12))]


@pytest.fixture(scope="module")
def page(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page")
    return written(simulated.study, simulated.records, simulated.failures, simulated.costs, path)


def ranked(facts: TaskFacts, strategies: list[str], path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """The page of these strategies on one task, five seeds each, and their macro-F1 by seed."""
    records = [training(facts, name, seed) for name in strategies for seed in range(5)]
    page = written(study([facts], strategies, 5), records, [], [], path)
    shown = {(each.strategy, each.seed): each.evaluation("chosen", "test").confusion for each in records}
    return page, {name: np.array([f1_of(shown[name, seed]) for seed in range(5)]) for name in strategies}


@pytest.fixture(scope="module")
def of_thirteen(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, np.ndarray]]:
    return ranked(task_facts("tags", ["O", "PER", "LOC"]), STRATEGIES, tmp_path_factory.mktemp("thirteen"))


def test_differences_intervals_and_p_are_those_of_the_paired_t_test(of_thirteen) -> None:
    page, f1 = of_thirteen
    rows = {row["strategy"]: row for row in rows_of(page, "ranking-1-tags")}
    assert len(rows) == 12
    for name, row in rows.items():
        test = stats.ttest_rel(f1[name], f1["none"])
        low, high = test.confidence_interval()
        expected = [(f1[name] - f1["none"]).mean(), low, high]
        assert [row["difference to none"], row["low"], row["high"]] == [f"{each:+.3f}" for each in expected]
        assert row["p"] == f"{test.pvalue:.3g}"
    assert "intervals cover training seeds, not new text" in text_of(page)


def test_intervals_are_wider_where_each_seed_splits_the_data_anew(tmp_path: Path) -> None:
    facts = replace(task_facts("digits-lt", ["0", "1", "2"], prior="balanced"), resplit=(20, 60))
    page, f1 = ranked(facts, ["none", "focal"], tmp_path)
    (row,) = rows_of(page, "ranking-1-digits-lt")
    differences = f1["focal"] - f1["none"]
    margin = stats.t.ppf(0.975, 4) * np.sqrt((1 / 5 + 20 / 60) * differences.var(ddof=1))
    assert row["high"] == f"{differences.mean() + margin:+.3f}"
    assert "Nadeau and Bengio" in text_of(page)


def test_the_first_ten_are_primary_where_the_suite_declares_none(of_thirteen) -> None:
    page, _ = of_thirteen
    families = {row["strategy"]: row["family"] for row in rows_of(page, "ranking-1-tags")}
    assert {name for name, family in families.items() if family == "exploratory"} == set(STRATEGIES[-2:])
    assert "Family: 10 primary strategies, the first of the suite, which declares none." in text_of(page)


def test_what_is_missing_is_listed_with_the_reason_and_not_ranked(page: str) -> None:
    missing = {row["strategy"]: row for row in rows_of(page, "missing-1-tags") if row["what"] != "warning"}
    assert missing["focal"]["seeds finished"] == "1 of 3"
    assert "seed 2: the loss became nan at step 812" in missing["focal"]["why"]
    assert missing["smote"] == {
        "strategy": "smote",
        "what": "declined",
        "seeds finished": "0 of 0",
        "why": "word ids cannot be mixed",
    }
    assert [row["strategy"] for row in rows_of(page, "ranking-1-tags")] == ["random-oversampling"]
    assert "Reliability: not measured." in text_of(page)


def test_nothing_is_compared_without_the_plain_row(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "PER"])
    records = [training(facts, "focal", seed) for seed in range(3)]
    page = text_of(written(study([facts], ["focal"]), records, [], [], tmp_path))
    assert "the task has no row none to compare with" in page


def test_every_strategy_is_compared_with_what_is_free(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    facts = planned.tasks[0]
    free = [
        replace(
            each, evaluations=[*each.evaluations, replace(better_by(facts, 80, each.seed), adjustment="thresholds")]
        )
        if each.strategy == "none"
        else each
        for each in records
    ]
    assert "Not measured: none with thresholds, post-hoc-adjustment, prior-correction." in text_of(
        written(planned, records, [], [], tmp_path)
    )
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    page = written(planned, free, [], [], tmp_path)
    rows = {row["strategy"]: row for row in rows_of(page, "free-1-tags")}
    of = {
        (each.strategy, e.adjustment): [
            f1_of(one.evaluations[i].confusion) for one in free if one.strategy == each.strategy
        ]
        for each in free
        for i, e in enumerate(each.evaluations)
    }
    expected = np.mean(np.subtract(of["focal", "raw"], of["none", "thresholds"]))
    assert rows["focal"]["free"] == "thresholds"
    assert rows["focal"]["difference"] == f"{expected:+.3f}"
    gained = np.mean(np.subtract(of["none", "thresholds"], of["none", "raw"]))
    assert f"Free, finished logits adjusted: thresholds {gained:+.3f} [" in text_of(page)
    assert {name: row["verdict"] for name, row in rows.items()} == {"focal": "better", "smote": "worse"}
    assert "Better than thresholds: focal; 1 worse." in text_of(page)
    assert "Not measured: none with post-hoc-adjustment, prior-correction." in text_of(page)


def test_strategies_are_compared_with_the_same_adjustment_behind_both(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70})
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    behind = {"none": 80, "focal": 95, "smote": 70}
    adjusted = [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(better_by(planned.tasks[0], behind[each.strategy], each.seed), adjustment="thresholds"),
            ],
        )
        for each in records
    ]
    page = written(planned, adjusted, [], [], tmp_path)
    f1 = {
        name: [f1_of(better_by(planned.tasks[0], right, seed).confusion) for seed in range(5)]
        for name, right in behind.items()
    }
    for row in rows_of(page, "free-1-tags"):
        test = stats.ttest_rel(f1[row["strategy"]], f1["none"]).confidence_interval()
        assert row["both with it: difference"] == f"{np.mean(np.subtract(f1[row['strategy']], f1['none'])):+.3f}"
        if not np.isnan(test.low):
            assert (row["both with it: low"], row["both with it: high"]) == (f"{test.low:+.3f}", f"{test.high:+.3f}")
    assert "With thresholds behind both, better than none: focal; 1" in text_of(page)
    lost = [
        replace(each, evaluations=each.evaluations[:1]) if (each.strategy, each.seed) == ("smote", 2) else each
        for each in adjusted
    ]
    lacking = {row["strategy"]: row for row in rows_of(written(planned, lost, [], [], tmp_path), "free-1-tags")}
    assert lacking["focal"] == next(row for row in rows_of(page, "free-1-tags") if row["strategy"] == "focal")
    assert lacking["smote"]["both with it: difference"] == "-"


def test_what_is_free_and_a_row_too_has_one_verdict(tmp_path: Path) -> None:
    """It is one of ten comparisons either way, and its p has to outlast them."""
    planned, records = study_with_levels({"none": 60, **{f"focal(gamma={i}.0)": 60 for i in range(9)}})
    facts, right = planned.tasks[0], [62, 66, 61, 64, 62]
    free = [
        replace(
            each,
            evaluations=[
                better_by(facts, 60, 0),
                replace(better_by(facts, right[each.seed], 0), adjustment="thresholds"),
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
    assert re.search(r"Free, finished logits adjusted: thresholds \+0\.\d+ \[\+.*?\], not significant after Holm", both)
    alone = text_of(written(planned, free, [], [], tmp_path))
    said = re.search(r"Free, finished logits adjusted: (.*?)\.  ?", both + " ")
    assert said is not None
    assert said[0].strip() in alone


def test_test_sentences_are_resampled_where_predictions_were_kept(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90}, seeds=2)
    found = results(planned, records, [], [])

    def kept(id: str) -> PredictedClasses:
        """Labels that give the record's confusion, ten to a sentence."""
        (confusion,) = (each.evaluations[0].confusion for each in records if each.id == id)
        cells = np.array([(t, p) for t, row in enumerate(confusion) for p, n in enumerate(row) for _ in range(n)])
        order = np.random.default_rng(0).permutation(len(cells))
        truth = TrueClasses(cells[order, 0], 3, np.append(np.arange(0, len(cells), 10), len(cells)))
        return PredictedClasses(truth, {"raw": cells[order, 1]})

    drawn = draw_figures(found)
    page = write_page(found, drawn, kept, tmp_path)[1].read_text(encoding="utf-8")
    f1 = {(each.strategy, each.seed): f1_of(each.evaluations[0].confusion) for each in records}
    rows = {row["seed"]: row for row in rows_of(page, "new-text-1-tags")}
    differences = {str(seed): f1["focal", seed] - f1["none", seed] for seed in range(2)}
    differences["mean of seeds"] = np.mean(list(differences.values()))
    for seed, difference in differences.items():
        assert rows[seed]["difference to none"] == f"{difference:+.3f}"
        assert 0 < float(rows[seed]["low"]) < difference < float(rows[seed]["high"])
    whole = rows["mean of seeds"]
    assert f"the same trainings) focal: {whole['difference to none']} [{whole['low']}, {whole['high']}]." in text_of(
        page
    )
    without = write_page(found, drawn, nothing_kept, tmp_path)[1].read_text(encoding="utf-8")
    assert "Bootstrap over test sentences: not measured" in text_of(without)
    other = results(replace(planned, metric="balanced-accuracy"), records, [], [])
    page = write_page(other, draw_figures(other), kept, tmp_path)[1].read_text(encoding="utf-8")
    assert "made for macro-f1 only, not for balanced-accuracy" in text_of(page)


@pytest.mark.parametrize("lower", [False, True])
def test_the_front_holds_what_nothing_beats_for_no_more_and_rounds_that_overlap_cost_the_same(
    tmp_path: Path, lower: bool
) -> None:
    """`focal` gains most and costs more, `smote` costs as much as `none` within its rounds, `mixup` is dearer for less."""
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70, "mixup": 65})
    (tmp_path / "costs.csv").write_text(",O,PER,LOC\nO,0,1,1\nPER,1,0,1\nLOC,1,1,0\n")
    planned = replace(planned, metric=str(tmp_path / "costs.csv")) if lower else planned
    rounds = {"focal": (1.3, 1.2, 1.4), "smote": (1.02, 0.97, 1.05), "mixup": (1.5, 1.45, 1.6)}
    costs = [
        replace(cost("tags", name), step_ratio=ratio, lowest_step_ratio=low, highest_step_ratio=high)
        for name, (ratio, low, high) in rounds.items()
    ]
    rows = rows_of(written(planned, records, [], costs, tmp_path), "pareto-1-tags")
    assert {row["strategy"] for row in rows if row["on the front"] == "yes"} == {"focal", "smote"}


def test_the_claims_of_the_thread_are_held_against_the_study(tmp_path: Path) -> None:
    facts = task_facts("conll2003-windows", ["O", "PER", "LOC"])
    levels = {"none": 90, "ignore-index": 30}
    records = [
        replace(training(facts, name, seed), evaluations=[better_by(facts, right, seed * (place + 1))])
        for place, (name, right) in enumerate(levels.items())
        for seed in range(3)
    ]
    page = written(study([facts], list(levels)), records, [], [], tmp_path)
    accuracy = next(row for row in rows_of(page, "claims") if row["what"] == "accuracy")
    assert accuracy["claim"].startswith("ignoring the dominant class lowers accuracy")
    assert (accuracy["said to be"], accuracy["as said"]) == ("less than none", "yes")
    assert "“a weighted sampler equalises the batches”: not measured here; weighted-random-sampler" in text_of(page)


def test_thirds_are_of_what_a_row_predicts_adjusted(tmp_path: Path) -> None:
    planned, records = study_with_levels({"none": 60})
    row = replace(planned.strategies[0], strategy="thresholds", adjustment="thresholds", trained_as="none")
    adjusted = [
        replace(
            each,
            evaluations=[
                *each.evaluations,
                replace(better_by(planned.tasks[0], 90, each.seed), adjustment="thresholds"),
            ],
        )
        for each in records
    ]
    page = written(replace(planned, strategies=[*planned.strategies, row]), adjusted, [], [], tmp_path)
    tails = {row["strategy"]: float(row["tail recall"].split()[0]) for row in rows_of(page, "thirds-1-tags")}
    assert tails["thresholds"] > 0.85 > 0.7 > tails["none"]


def test_head_middle_and_tail_are_means_over_their_classes(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "PER", "LOC", "MISC", "ORG"])
    records = [training(facts, "none", seed) for seed in range(3)]
    page = written(study([facts], ["none"]), records, [], [], tmp_path)
    (row,) = rows_of(page, "thirds-1-tags")
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
from simulated_study import cost, study, task_facts, training
from bench.report import write_report
facts = [task_facts(f"tags{{number}}", list("ABCDEFGHI"), baseline=0.87) for number in range(4)]
names = ["none", *(f"focal(gamma={{number}}.0)" for number in range(24))]
records = [training(each, name, seed) for each in facts for name in names for seed in range(100)]
costs = [cost(each.task, name) for each in facts for name in names]
write_report(study(facts, names, seeds=100), records, [], costs, Path({str(tmp_path)!r}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (tmp_path / "report.html").stat().st_size < 8e6
    assert int(done.stdout) * 1024 < 1e9


def test_an_objective_that_a_task_does_not_have_is_said_there(simulated: Simulated, tmp_path: Path) -> None:
    planned = replace(simulated.study, metric="entity-f1")
    page = text_of(written(planned, simulated.records, [], [], tmp_path))
    assert "digits-lt: metric entity-f1: this task has no entities" in page
    assert "Difference to none in entity-f1: tags" in page


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


def test_every_figure_says_in_words_what_it_shows(page: str) -> None:
    figures = re.findall(r"<svg [^>]*>", page)
    assert len(figures) >= 10
    for figure in figures:
        assert 'role="img"' in figure
        assert re.search(r'aria-label="[^"]{20,}', figure), figure


def test_an_empty_study_is_a_page_too(tmp_path: Path) -> None:
    assert "the study has no tasks" in text_of(written(Study("quick", [], [], {}, []), [], [], [], tmp_path))


def test_nothing_has_finished(simulated: Simulated, tmp_path: Path) -> None:
    page = text_of(written(simulated.study, [], [], [], tmp_path))
    assert "the baseline none has no number for seed 0, 1, 2" in page
