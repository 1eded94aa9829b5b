"""The page's own figures: one outlier does not hide the others, noise does not look like evidence, names say why."""

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
from simulated_study import cost, study, task_facts, training
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from bench.metrics.calibration import BINS
from bench.metrics.part_evaluation import evaluate_probabilities
from bench.plotting.style import COLOURS, GREY, INK, LIGHT, STYLE, reach
from bench.records.record import RAW, Cost, Evaluation, PlannedStrategy, Probabilities, Record, Reliability, Study
from bench.report import nothing_kept
from bench.report.frame import results
from bench.report.page import calibration, pareto, ranking, trade_off
from bench.report.page.judged import Judged
from bench.report.page.part import Drawing, Table
from bench.report.page.svg import inline

FACTS = task_facts("tags", ["O", "PER", "LOC"])
LEVELS = {"none": 60, "focal": 62, "mixup": 58, "smote": 64, "resampling": 61, "ignore-index": 5}


def right_of_100(right: int, wrongly: int, seed: int) -> Evaluation:
    """So many of 100 labels of each class are right, a few more at higher seeds; all others are taken for one class."""
    confusion = np.zeros((3, 3), dtype=int)
    confusion[:, wrongly] = 100 - right - seed
    confusion += (right + seed) * np.eye(3, dtype=int)
    return Evaluation("chosen", "test", confusion.tolist(), 0.1)


def judged(levels: dict[str, int], costs: list[Cost] | None = None) -> Judged:
    """One task under two seeds; places in `levels` make the seeds differ a little."""
    records = [
        replace(training(FACTS, name, seed), evaluations=[right_of_100(right, 0, seed * (1 + place % 3))])
        for place, (name, right) in enumerate(levels.items())
        for seed in range(2)
    ]
    return _judged(study([FACTS], list(levels), seeds=2), records, costs or [])


def _judged(planned: Study, records: list[Record], costs: list[Cost]) -> Judged:
    return Judged(results(planned, records, [], costs), FACTS, {}, nothing_kept)


def drawing(of: Judged, section: ModuleType) -> Drawing:
    with matplotlib.rc_context(STYLE):
        (found,) = (each for each in section.parts(of) if isinstance(each, Drawing))
    return found


def head(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def marks(axes: Axes, *markers: str) -> list[Line2D]:
    return [each for each in axes.lines if each.get_marker() in markers]


def test_a_far_outlier_stands_at_the_edge_and_the_others_fill_the_axis() -> None:
    of = judged(LEVELS)
    figure = drawing(of, ranking).figure
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    off = of.verdicts["ignore-index"].difference
    others = [each for each in of.verdicts.values() if each.strategy != "ignore-index"]
    assert off < low < min(each.low for each in others) < max(each.high for each in others) < high
    (arrow,) = marks(axes, "<", ">")
    assert (arrow.get_marker(), arrow.get_ydata()[0]) == ("<", list(of.means.index.drop("none")).index("ignore-index"))
    assert low < arrow.get_xdata()[0] < low + 0.05 * (high - low)
    assert sorted(each.get_xdata()[0] for each in marks(axes, "o") if len(each.get_xdata())) == sorted(
        each.difference for each in others
    )
    assert f"an arrow head at its edge: ignore-index ({off:+.3f})." in head(figure)
    assert f"{off:+.3f}" in [text.get_text() for text in axes.texts]


def test_what_is_far_better_stands_at_the_other_edge() -> None:
    (axes,) = drawing(judged({**LEVELS, "ignore-index": 99}), ranking).figure.axes
    assert [each.get_marker() for each in marks(axes, "<", ">")] == [">"]


def test_no_strategy_is_beyond_an_axis_that_shows_all_well() -> None:
    figure = drawing(judged({**LEVELS, "ignore-index": 57}), ranking).figure
    assert marks(figure.axes[0], "<", ">") == []
    assert "eyond the axis" not in head(figure)


def test_an_interval_cut_by_the_axis_is_told() -> None:
    of = judged({name: 60 + place for place, name in enumerate(LEVELS)})
    wide = replace(of.verdicts["smote"], low=-3.0, high=3.0)
    of.verdicts["smote"] = wide
    figure = drawing(of, ranking).figure
    assert figure.axes[0].get_xlim()[1] < 1
    assert "The interval goes on beyond the axis: smote." in head(figure)


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
    assert reach(distances[::-1]) == furthest


def with_probabilities(of: Callable[[int], Probabilities]) -> Judged:
    """A strategy whose probabilities are worth this by seed."""
    name = "class-balanced-sampler"
    records = [
        replace(each, evaluations=[replace(each.evaluation("chosen", "test", "raw"), probabilities=of(each.seed))])
        for each in (training(FACTS, name, seed) for seed in range(2))
    ]
    return _judged(study([FACTS], [name], seeds=2), records, [])


def with_reliability(labels: Callable[[int], list[int]], right: Callable[[int], list[int]]) -> Judged:
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
    (row,) = next(each for each in calibration.parts(of) if isinstance(each, Table)).rows

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


def test_calibration_says_one_ece_in_figure_table_and_words() -> None:
    of = with_reliability(lambda _: [0, 0, 0, 0, 100], lambda seed: [0, 0, 0, 0, 80 if seed else 100])
    table = next(each for each in calibration.parts(of) if isinstance(each, Table))
    found = drawing(of, calibration)
    # one seed is too sure by 0.1, the other not sure enough by 0.1: pooled they would be right
    assert table.rows[0]["ECE"] == "0.100"
    assert found.figure.axes[0].get_title("left") == "class-balanced-sampler\nECE 0.100"
    assert "class-balanced-sampler 0.100" in found.alt
    assert "ECE: mean over seeds" in head(found.figure)


def test_bins_of_few_labels_are_open_and_not_joined() -> None:
    labels, right = [12, 9, 0, 10, 300], [2, 9, 0, 6, 270]
    found = drawing(with_reliability(lambda _: labels, lambda _: right), calibration).figure
    joined, open_ = (each for each in found.axes[0].lines if each.get_marker() == "o")
    assert joined.get_ydata() == pytest.approx([2 / 12, np.nan, np.nan, 0.6, 0.9], nan_ok=True)
    assert open_.get_linestyle() == "None"
    assert (open_.get_xdata()[0], open_.get_ydata()[0]) == pytest.approx((0.3, 1.0))
    assert np.isnan(open_.get_ydata()[1:]).all()
    assert open_.get_markerfacecolor() == "white"
    assert "Open, not joined: fewer than 10 labels a seed." in head(found)


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
        replace(training(FACTS, name, seed), evaluations=[_counted(confusions.get(name), under[name], right, seed)])
        for name, right in levels.items()
        for seed in range(2)
    ]
    planned = study([FACTS], list(levels), seeds=2)
    rows = [thresholds if row.strategy == "thresholds" else row for row in planned.strategies]
    of = _judged(replace(planned, strategies=rows, primary={"tags": ["focal", "other"]}), records, [])
    found = drawing(of, trade_off)
    per_class = {name: [np.array(r.evaluations[0].confusion) for r in records if r.strategy == name] for name in levels}
    recall = {name: np.mean([np.diag(c) / c.sum(1) for c in each]) for name, each in per_class.items()}
    precision = {name: np.mean([np.diag(c) / c.sum(0) for c in each]) for name, each in per_class.items()}
    expected = [
        "none",
        "focal (best of the family)",
        "thresholds (free thresholds)",
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


def test_step_costs_have_a_bar_from_their_lowest_to_their_highest_round() -> None:
    costs = [
        replace(cost("tags", name), step_ratio=1.1, lowest_step_ratio=0.9, highest_step_ratio=1.6) for name in LEVELS
    ]
    figure = drawing(judged(LEVELS, costs), pareto).figure
    (axes,) = figure.axes
    bars = [each.get_segments()[0] for each in axes.collections]
    ends = sorted((bar[0][0], bar[1][0]) for bar in bars)
    assert ends == [(0.9, 1.6)] * 4 + [(1.0, 1.0)]  # none's own cost is 1
    assert "Thin bar: lowest to highest round of the step cost." in head(figure)
    assert axes.get_xlim()[0] < 0.9
    assert axes.get_xlim()[1] > 1.6
    assert re.search(r"Beyond the axis: ignore-index \(0\.\d{3}\)\.", head(figure))
    assert axes.get_ylim()[0] > 0.5


def test_neutral_colours_are_the_pages_and_letters_on_cells_and_colours_of_data_stay() -> None:
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        axes = figure.add_subplot()
        axes.text(0.1, 0.1, "on a dark cell", color="white")
        axes.text(0.5, 0.1, "on a bright cell", color="black")
        axes.text(0.1, 0.5, "beside", color=INK)
        axes.plot([0.4], [0.5], "o", color=COLOURS["green"], markeredgecolor="white")
        axes.plot([0, 1], [0, 1], color=LIGHT)
        axes.plot([0, 1], [1, 0], color=GREY)
        page = str(inline(Drawing(figure, "sample", "a sample")))
    of = {text: style for style, text in re.findall(r'<text style="([^"]*)"[^>]*>([^<]+)</text>', page)}
    assert "fill: #ffffff" in of["on a dark cell"]
    assert "fill" not in of["on a bright cell"]
    assert "fill: var(--figure-ink)" in of["beside"]
    assert "fill: #029e73; stroke: var(--figure-ground)" in page
    assert {"stroke: var(--figure-light)", "stroke: var(--figure-grey)"} <= set(re.findall(r"stroke: [^;\"]*", page))
    left = set(re.findall(r"#[0-9a-f]{6}\b", page))
    assert left == {"#ffffff", "#029e73"}


def test_places_that_one_strategy_takes_go_to_the_next_by_the_objective() -> None:
    of = judged(LEVELS)
    texts = [text.get_text().replace("\n", " ") for text in drawing(of, trade_off).figure.legends[0].get_texts()]
    best, *others = (name for name in of.means.index if name != "none")
    assert texts[:2] == ["none", f"{best} (best of the family, highest mean recall, highest mean precision)"]
    assert texts[2:] == [*(f"{name} (next by macro-f1)" for name in others[:3]), "other strategies"]
