"""The figures that are only in the page: outliers do not hide the others, and noise does not look like evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from types import ModuleType

import matplotlib
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from simulated_study import simulate_cost, simulate_record, simulate_study, task_facts
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from bench.metrics.calibration import BINS
from bench.metrics.part_evaluation import evaluate_probabilities
from bench.plotting.limits import distance_limit
from bench.plotting.style import COLOURS, GREY, INK, LIGHT, STYLE
from bench.records.record import RAW, Cost, Evaluation, PlannedStrategy, Probabilities, Record, Reliability, Study
from bench.report.data_set_answer import answer_by_data_set
from bench.report.frame import collect_results
from bench.report.html.inline_svg import render_svg
from bench.report.page_parts import Chart, Table
from bench.report.recommendation import recommend
from bench.report.sections import cost_benefit, overview, precision_recall, probability_calibration, ranking
from bench.report.task_results import TaskResults

FACTS = task_facts("tags", ["O", "PER", "LOC"])
LEVELS = {"none": 60, "focal": 62, "mixup": 58, "smote": 64, "resampling": 61, "ignore-index": 5}


def right_of_100(right: int, wrongly: int, seed: int) -> Evaluation:
    """So many of 100 labels of each class are right, a few more at higher seeds; all others are taken for one class."""
    confusion = np.zeros((3, 3), dtype=int)
    confusion[:, wrongly] = 100 - right - seed
    confusion += (right + seed) * np.eye(3, dtype=int)
    return Evaluation("chosen", "test", confusion.tolist(), 0.1)


def task_results(levels: dict[str, int], costs: list[Cost] | None = None) -> TaskResults:
    """One task under two seeds; places in `levels` make the seeds differ a little."""
    records = [
        replace(simulate_record(FACTS, name, seed), evaluations=[right_of_100(right, 0, seed * (1 + place % 3))])
        for place, (name, right) in enumerate(levels.items())
        for seed in range(2)
    ]
    return _task(simulate_study([FACTS], list(levels), seeds=2), records, costs or [])


def _task(planned: Study, records: list[Record], costs: list[Cost]) -> TaskResults:
    return TaskResults(collect_results(planned, records, [], costs), FACTS, {})


def chart(task: TaskResults, section: ModuleType) -> Chart:
    """The chart of a section."""
    with matplotlib.rc_context(STYLE):
        parts = section.build(task, recommend(task)) if section is precision_recall else section.build(task)
        (found,) = (part for part in parts if isinstance(part, Chart))
    return found


def head(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def marks(axes: Axes, *markers: str) -> list[Line2D]:
    return [each for each in axes.lines if each.get_marker() in markers]


def test_a_far_outlier_is_drawn_at_the_edge_and_the_others_fill_the_axis() -> None:
    of = task_results(LEVELS)
    figure = chart(of, ranking).figure
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    off = of.verdicts["ignore-index"].difference
    others = [each for each in of.verdicts.values() if each.strategy != "ignore-index"]
    assert off < low < min(each.low for each in others) < max(each.high for each in others) < high
    (arrow,) = marks(axes, "<", ">")
    assert (arrow.get_marker(), arrow.get_ydata()[0]) == ("<", list(of.means.index.drop("none")).index("ignore-index"))
    assert low < arrow.get_xdata()[0] < low + 0.05 * (high - low)
    assert sorted(
        each.get_xdata()[0] for each in marks(axes, "^", "v", "s", "o", "D") if len(each.get_xdata())
    ) == sorted(each.difference for each in others)
    assert f"an arrow head at its edge: ignore-index ({off:+.3f})." in head(figure)
    assert f"{off:+.3f}" in [text.get_text() for text in axes.texts]


def test_a_far_better_strategy_is_drawn_at_the_other_edge() -> None:
    (axes,) = chart(task_results({**LEVELS, "ignore-index": 99}), ranking).figure.axes
    assert [each.get_marker() for each in marks(axes, "<", ">")] == [">"]


def test_no_strategy_is_beyond_an_axis_that_shows_all_well() -> None:
    figure = chart(task_results({**LEVELS, "ignore-index": 57}), ranking).figure
    assert marks(figure.axes[0], "<", ">") == []
    assert "eyond the axis" not in head(figure)


def test_an_interval_cut_by_the_axis_is_reported() -> None:
    of = task_results({name: 60 + place for place, name in enumerate(LEVELS)})
    wide = replace(of.verdicts["smote"], low=-3.0, high=3.0)
    of.verdicts["smote"] = wide
    figure = chart(of, ranking).figure
    assert figure.axes[0].get_xlim()[1] < 1
    assert "The interval extends beyond the axis: smote." in head(figure)


@pytest.mark.parametrize(
    ("distances", "furthest"),
    [
        ([1, 2, 3, 4, 5, 6, 7, 100], 7),
        ([1, 2, 3, 4, 5, 6, 50, 101], 6),  # a quarter of eight
        ([1, 2, 3, 4, 5, 50, 60, 70], 70),  # three are more than a quarter
        ([1, 2, 3, 6], 6),  # just twice
        ([0, 0, 0, 1], 1),
        ([5], 5),
    ],
)
def test_an_axis_leaves_a_quarter_beyond_at_most(distances: list[float], furthest: float) -> None:
    assert distance_limit(distances[::-1]) == furthest


def with_probabilities(of: Callable[[int], Probabilities]) -> TaskResults:
    """A strategy with these probabilities by seed."""
    name = "class-balanced-sampler"
    records = [
        replace(each, evaluations=[replace(each.evaluation("chosen", "test", "raw"), probabilities=of(each.seed))])
        for each in (simulate_record(FACTS, name, seed) for seed in range(2))
    ]
    return _task(simulate_study([FACTS], [name], seeds=2), records, [])


def with_reliability(labels: Callable[[int], list[int]], right: Callable[[int], list[int]]) -> TaskResults:
    """A strategy whose reliability is these labels by bin and seed."""

    def reliability(seed: int) -> Reliability:
        confidence = [n * p for n, p in zip(labels(seed), (0.1, 0.3, 0.5, 0.7, 0.9), strict=True)]
        return Reliability(labels(seed), confidence, right(seed))

    return with_probabilities(lambda seed: Probabilities(0.1, reliability(seed), [0.0] * 3, [0.9] * 3, [0.9] * 3))


def test_calibration_and_ranks_are_means_over_classes_and_then_over_seeds() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 200, 3))
    given = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    truth = np.array([[0, 1] * 100, [0, 1, 2, 0] * 50])  # the first seed has no label of the last class
    of = with_probabilities(lambda seed: evaluate_probabilities(torch.tensor(logits[seed]), torch.tensor(truth[seed])))
    (row,) = next(each for each in probability_calibration.build(of) if isinstance(each, Table)).rows

    def mean(of_class: Callable[[np.ndarray, np.ndarray], float], classes: Sequence[range]) -> float:
        each = [[of_class(truth[s] == c, given[s, :, c]) for c in classes[s]] for s in (0, 1)]
        return float(np.mean([np.mean(of_seed) for of_seed in each]))

    every, there = [range(3), range(3)], [range(2), range(3)]
    briers = [brier_score_loss(truth[s], given[s], labels=range(3), scale_by_half=False) for s in (0, 1)]
    assert float(row["Brier"]) == pytest.approx(np.mean(briers), abs=5e-4)
    assert float(row["class-wise error"]) == pytest.approx(mean(binned_error, every), abs=5e-4)
    assert float(row["AUROC"]) == pytest.approx(mean(roc_auc_score, there), abs=5e-4)
    assert float(row["average precision"]) == pytest.approx(mean(average_precision_score, there), abs=5e-4)
    top = [(given[s].argmax(1) == truth[s], given[s].max(1)) for s in (0, 1)]
    assert float(row["ECE"]) == pytest.approx(np.mean([binned_error(*each) for each in top]), abs=5e-4)


def binned_error(came_true: np.ndarray, stated: np.ndarray) -> float:
    """Over bins of equal width, the share of labels times |mean probability - share that came true|."""
    bins = np.ceil(stated * BINS).astype(int)
    gaps = {b: abs(stated[bins == b].mean() - came_true[bins == b].mean()) for b in np.unique(bins)}
    return float(sum((bins == b).mean() * gap for b, gap in gaps.items()))


def test_figure_table_and_description_have_the_same_calibration_error() -> None:
    of = with_reliability(lambda _: [0, 0, 0, 0, 100], lambda seed: [0, 0, 0, 0, 80 if seed else 100])
    table = next(each for each in probability_calibration.build(of) if isinstance(each, Table))
    found = chart(of, probability_calibration)
    # one seed is too sure by 0.1, the other not sure enough by 0.1: pooled they would be right
    assert table.rows[0]["ECE"] == "0.100"
    assert found.figure.axes[0].get_title("left") == "class-balanced-sampler\nECE 0.100"
    assert "class-balanced-sampler 0.100" in found.alt
    assert "ECE: mean over seeds" in head(found.figure)


def test_bins_of_few_labels_are_open_and_not_joined() -> None:
    labels, right = [12, 9, 0, 10, 300], [2, 9, 0, 6, 270]
    found = chart(with_reliability(lambda _: labels, lambda _: right), probability_calibration).figure
    joined, open_ = (each for each in found.axes[0].lines if each.get_marker() == "o")
    assert joined.get_ydata() == pytest.approx([2 / 12, np.nan, np.nan, 0.6, 0.9], nan_ok=True)
    assert open_.get_linestyle() == "None"
    assert (open_.get_xdata()[0], open_.get_ydata()[0]) == pytest.approx((0.3, 1.0))
    assert np.isnan(open_.get_ydata()[1:]).all()
    assert open_.get_markerfacecolor() == "white"
    assert "Open points, not joined: fewer than 10 labels per seed." in head(found)


@pytest.mark.parametrize("adjustment", ["thresholds", "thresholds(balanced-accuracy)"])
def test_panels_name_the_strategies_that_stand_out_and_why(adjustment: str) -> None:
    thresholds = PlannedStrategy(
        "tags",
        "thresholds",
        {seed: f"tags/thresholds/{seed}" for seed in range(2)},
        adjustment=adjustment,
        trained_as="none",
    )
    levels = {"none": 50, "focal": 55, "thresholds": 52, "careful": 40, "eager": 58, "other": 20}
    confusions = {
        "careful": [[100, 0, 0], [40, 60, 0], [40, 0, 60]],  # no false alarm for the rare classes
        "eager": [[50, 25, 25], [5, 95, 0], [5, 0, 95]],  # hardly a miss
    }
    under = {name: adjustment if name == "thresholds" else RAW for name in levels}
    records = [
        replace(
            simulate_record(FACTS, name, seed), evaluations=[_counted(confusions.get(name), under[name], right, seed)]
        )
        for name, right in levels.items()
        for seed in range(2)
    ]
    planned = simulate_study([FACTS], list(levels), seeds=2)
    rows = [thresholds if row.strategy == "thresholds" else row for row in planned.strategies]
    of = _task(replace(planned, strategies=rows, primary={"tags": ["focal", "other"]}), records, [])
    found = chart(of, precision_recall)
    per_class = {name: [np.array(r.evaluations[0].confusion) for r in records if r.strategy == name] for name in levels}
    recall = {name: np.mean([np.diag(c) / c.sum(1) for c in each]) for name, each in per_class.items()}
    precision = {name: np.mean([np.diag(c) / c.sum(0) for c in each]) for name, each in per_class.items()}
    expected = [
        "baseline",
        "focal (best of the family)",
        "thresholds (post-hoc thresholds)",
        f"{max(recall, key=lambda name: recall[name])} (highest mean recall)",
        f"{max(precision, key=lambda name: precision[name])} (highest mean precision)",
    ]
    (legend,) = found.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [*expected, "other strategies"]
    assert f"Named: {'; '.join(expected)}." in found.alt
    looks = {(each.get_marker(), each.get_color()) for each in legend.legend_handles}
    assert len(looks) == 6
    named = [
        each for each in found.figure.axes[0].lines if each.get_markeredgecolor() == "white" and len(each.get_xdata())
    ]
    assert named[4].get_xdata()[0] == pytest.approx(
        np.mean([c[0, 0] / c[0].sum() for c in per_class[expected[4].split()[0]]])
    )


def _counted(confusion: list[list[int]] | None, adjustment: str, right: int, seed: int) -> Evaluation:
    found = replace(right_of_100(right, 0, seed), adjustment=adjustment)
    return found if confusion is None else replace(found, confusion=confusion)


def test_relative_step_times_have_a_bar_from_the_lowest_to_the_highest_round() -> None:
    costs = [
        replace(simulate_cost("tags", name), step_ratio=1.1, lowest_step_ratio=0.9, highest_step_ratio=1.6)
        for name in LEVELS
    ]
    figure = chart(task_results(LEVELS, costs), cost_benefit).figure
    (axes,) = figure.axes
    bars = [each.get_segments()[0] for each in axes.collections]
    ends = sorted((bar[0][0], bar[1][0]) for bar in bars)
    assert ends == [(0.9, 1.6)] * 4 + [(1.0, 1.0)]  # none's own cost is 1
    assert "Thin bar: lowest to highest round of the relative step time." in head(figure)
    assert axes.get_xlim()[0] < 0.9
    assert axes.get_xlim()[1] > 1.6
    assert re.search(r"Beyond the axis: ignore-index \(0\.\d{3}\)\.", head(figure))
    assert axes.get_ylim()[0] > 0.5


def test_neutral_colours_become_variables_and_colours_of_data_and_text_on_cells_stay() -> None:
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        axes = figure.add_subplot()
        axes.text(0.1, 0.1, "on a dark cell", color="white")
        axes.text(0.5, 0.1, "on a bright cell", color="black")
        axes.text(0.1, 0.5, "next to a cell", color=INK)
        axes.plot([0.4], [0.5], "o", color=COLOURS["green"], markeredgecolor="white")
        axes.plot([0, 1], [0, 1], color=LIGHT)
        axes.plot([0, 1], [1, 0], color=GREY)
        page = str(render_svg(Chart(figure, "sample", "a sample")))
    of = {text: style for style, text in re.findall(r'<text style="([^"]*)"[^>]*>([^<]+)</text>', page)}
    assert "fill: #ffffff" in of["on a dark cell"]
    assert "fill" not in of["on a bright cell"]
    assert "fill: var(--figure-ink)" in of["next to a cell"]
    assert "fill: #029e73; stroke: var(--figure-ground)" in page
    assert {"stroke: var(--figure-light)", "stroke: var(--figure-grey)"} <= set(re.findall(r"stroke: [^;\"]*", page))
    left = set(re.findall(r"#[0-9a-f]{6}\b", page))
    assert left == {"#ffffff", "#029e73"}


def test_unused_places_go_to_the_next_strategies_by_the_metric() -> None:
    of = task_results(LEVELS)
    texts = [text.get_text().replace("\n", " ") for text in chart(of, precision_recall).figure.legends[0].get_texts()]
    best, *others = (name for name in of.means.index if name != "none")
    assert texts[:2] == ["baseline", f"{best} (best of the family, highest mean recall, highest mean precision)"]
    assert texts[2:] == [*(f"{name} (next by macro-F1)" for name in others[:3]), "other strategies"]


def overview_axes(task: TaskResults) -> Axes:
    with matplotlib.rc_context(STYLE):
        drawn = overview.draw_overview(answer_by_data_set([(task, recommend(task))]))
    assert drawn is not None
    (panel,) = drawn.panels
    (axes,) = panel.chart.figure.axes
    return axes


def test_the_overview_marks_the_recommended_strategy_and_names_every_outlier_with_its_number() -> None:
    of = task_results(LEVELS)
    axes = overview_axes(of)
    recommendation = recommend(of)
    assert recommendation is not None
    names = [text.get_text().replace("\n", "") for text in axes.get_yticklabels()]
    expected = [name for name in of.means.index if name != "none"]
    is_recommended = recommendation.decision == "use the remedy"
    assert names == [
        f"★ {name}" if is_recommended and name == recommendation.best.strategy else name for name in expected
    ]
    assert [each.get_marker() for each in marks(axes, "<", ">")] == ["<"]
    assert f"{of.verdicts['ignore-index'].difference:+.3f}" in [text.get_text() for text in axes.texts]


def test_panels_of_the_overview_share_their_axis() -> None:
    with matplotlib.rc_context(STYLE):
        tasks = [task_results(LEVELS), task_results({**LEVELS, "focal": 90})]
        drawn = overview.draw_overview(answer_by_data_set([(task, recommend(task)) for task in tasks]))
    assert drawn is not None
    first, second = (panel.chart.figure.axes[0] for panel in drawn.panels)
    assert first.get_xlim() == second.get_xlim()
    assert first.get_position().x0 == second.get_position().x0


def test_titles_of_the_overview_fit_whatever_tasks_are_called() -> None:
    name = "conll:corpora/人名-" + "a-long-name/" * 9 + "(kind=sentences, tag_column=3)"
    with matplotlib.rc_context(STYLE):
        study = simulate_study([task_facts(name, ["O", "PER", "LOC"])], list(LEVELS), 2)
        facts = study.tasks[0]
        records = [simulate_record(facts, strategy, seed) for strategy in LEVELS for seed in range(2)]
        task = TaskResults(collect_results(study, records, [], []), facts, {})
        drawn = overview.draw_overview(answer_by_data_set([(task, recommend(task))] * 2))
        assert drawn is not None
        poster = drawn.poster
        poster.draw_without_rendering()
    texts = [*poster.texts, *(axes.xaxis.label for axes in poster.axes)]
    half = poster.bbox.width / 2
    headings = [text for text in texts if "U+4EBA" in text.get_text() and text.get_fontweight() == "bold"]
    assert len(headings) == 2
    for text in texts:
        box = text.get_window_extent()
        if text in headings:
            assert box.width < half
        assert 0 <= box.x0 < box.x1 <= poster.bbox.width
