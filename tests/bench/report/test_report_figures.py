"""Every figure is written, has the notes, shows every label as text, and cuts nothing off."""

from __future__ import annotations

import html
import random
import re
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from simulated_study import NOTES, Simulated, cost, study, task_facts, training

from bench.plotting.points import point_styles
from bench.plotting.style import STYLE
from bench.records.record import Cost, Evaluation, Record, Study
from bench.report import write_report
from bench.report.figures import FIGURES, draw_figures, write_figures
from bench.report.frame import StudyResults, collect_results
from bench.report.titles import display_name

LONG = [f"class-balanced-sampler(beta=0.99{i})+focal-loss(gamma={i}.0, alpha=0.25)" for i in range(11)] + ["none"]
WORDS = [
    "O",
    "B-geo$political$entity",
    "I-<b>bold</b>",
    "a|b",
    "日本",
    "two\nlines",
    *(f"B-TYPE{i}" for i in range(12)),
]


def svg_text(path: Path) -> str:
    """All text of an SVG, whose letters are outlines, on one line: matplotlib writes each as a comment next to them."""
    return " ".join(
        html.unescape(text) for text in re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"), re.S)
    )


def crowded(classes: list[str], strategies: list[str]) -> tuple[Study, list[Record], list[Cost]]:
    facts = task_facts("conll:some/dir(tag_column=3)", classes, baseline=0.9)
    records = [training(facts, strategy, seed) for strategy in strategies for seed in (0, 1)]
    notes = ["WHY " * 60, "/a/path" * 30]
    costs = [cost(facts.task, strategy, 1e6) for strategy in strategies[1:]]
    return replace(study([facts], strategies, seeds=2), notes=notes), records, costs


def drawn(found: StudyResults, name: str) -> Figure:
    with matplotlib.rc_context(STYLE):
        figure = FIGURES[name].draw_figure(found, found.study.tasks[0])
        figure.set_dpi(150)
        figure.draw_without_rendering()
    return figure


def boxes(figure: Figure, of: list[Text]) -> list[tuple[str, Bbox]]:
    return [(text.get_text(), Text.get_window_extent(text)) for text in of if text.get_text() and text.get_visible()]


@pytest.fixture(scope="module")
def out(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def paths(simulated: Simulated, out: Path) -> list[Path]:
    return write_report(simulated.study, simulated.records, simulated.failures, simulated.costs, out)


def test_all_paths_are_returned_in_reading_order(paths: list[Path], out: Path) -> None:
    assert sorted(paths) == sorted(path for path in out.rglob("*") if path.is_file())
    assert [path.name for path in paths[:2]] == ["quality.md", "quality.csv"]
    assert [path.name for path in paths[11:15]] == [
        *("macro_f1-tags.png", "macro_f1-tags.svg", "recall-tags.png", "recall-tags.svg")
    ]
    assert len(paths) == 11 + 2 * len(FIGURES) * 2 + 2 + 2
    assert all(path.read_bytes()[:4] == b"\x89PNG" for path in paths if path.suffix == ".png")


def test_every_figure_has_the_notes_and_names_what_it_leaves_out(paths: list[Path]) -> None:
    figures = [path for path in paths if path.suffix == ".svg"]
    assert len(figures) == 2 * len(FIGURES) + 1, "the first screen is a figure too"
    for path in figures:
        text = svg_text(path)
        assert all(f"Note: {note}" in text for note in NOTES), path.name
        assert ("Not shown: focal (1 of 3 seeds), smote (skipped)." in text) == (
            path.stem == "overview" or "tags" in path.name
        )


@pytest.mark.parametrize("name", ["macro_f1", "recall"])
def test_strategies_are_sorted_by_macro_f1(name: str, simulated: Simulated) -> None:
    found = collect_results(simulated.study, simulated.records, [], [])
    means = found.means(simulated.tags)["macro_f1_mean"]
    shown = [text.get_text() for text in drawn(found, name).axes[0].get_yticklabels()]
    expected = sorted(["none", "random-oversampling"], key=lambda strategy: -means[strategy])
    assert shown == [display_name(strategy) for strategy in expected]


def test_every_seed_is_a_point_open_if_not_converged(simulated: Simulated) -> None:
    found = collect_results(simulated.study, simulated.records, [], [])
    closed, opened, means = (points.get_offsets() for points in drawn(found, "macro_f1").axes[0].collections)
    shown = found.runs[found.runs["task"] == "tags"]
    assert sorted(closed[:, 0]) == sorted(shown["macro_f1"][shown["converged"]])
    assert list(opened[:, 0]) == list(shown["macro_f1"][~shown["converged"]])
    assert list(means[:, 0]) == list(found.means(simulated.tags)["macro_f1_mean"])


def test_seeds_far_below_all_others_are_text_and_do_not_squeeze_the_axis(simulated: Simulated) -> None:
    facts, strategies = simulated.digits, ["none", "random-oversampling", "focal", "smote"]
    one_class_right = [[0, 9, 0, 0], [0, 0, 9, 0], [9, 0, 0, 0], [0, 0, 0, 9]]
    lost = Evaluation("chosen", "test", one_class_right, 9.0)
    records = [
        replace(each, evaluations=[lost]) if each.strategy == "none" else each
        for each in simulated.records
        if each.task == facts.task
    ] + [training(facts, "smote", seed) for seed in range(3)]
    costs = [cost(facts.task, strategy) for strategy in strategies]
    found = collect_results(study([facts], strategies), records, [], costs)
    axes = drawn(found, "macro_f1").axes[0]
    assert "← 3 seeds at 0.250" in [text.get_text() for text in axes.texts]
    assert axes.get_xlim()[0] > 0.6
    assert "Below the axis: baseline (0.250)." in [text.get_text() for text in drawn(found, "throughput").texts]


def test_strategies_that_share_their_runs_share_a_panel_of_curves(simulated: Simulated) -> None:
    """Thresholds share the runs of the baseline; a strategy with configurations of its own has runs of its own."""
    facts = simulated.digits
    records = [training(facts, name, seed) for name in ("none", "loss-weights", "focal") for seed in range(3)]
    plain, weighted, focal = study([facts], ["none", "loss-weights", "focal"]).strategies
    rows = [
        replace(plain, strategy="thresholds", adjustment="thresholds", trained_as="none"),
        plain,
        replace(weighted, trained_as="loss-weights(power=0.5)", configuration="loss-weights(power=0.5)"),
        replace(focal, strategy="focal+thresholds", adjustment="thresholds", trained_as="focal"),
    ]
    evaluated = [
        replace(each, evaluations=[*each.evaluations, replace(each.evaluations[1], adjustment="thresholds")])
        for each in records
    ]
    found = collect_results(replace(study([facts], []), strategies=rows), evaluated, [], [])
    assert found.strategies_with_runs(facts) == ["none", "loss-weights", "focal+thresholds"]
    panels = {axes.get_title(loc="left") for axes in draw_figures(found)[facts.task, "curves"].axes} - {""}
    assert panels == {"baseline", "loss-weights", "focal+thresholds"}


def test_the_most_frequent_tag_baseline_is_a_labelled_line_if_the_task_has_one(out: Path, paths: list[Path]) -> None:
    assert "most-frequent-tag baseline 0.870" in svg_text(out / "figures" / "macro_f1-tags.svg")
    assert "most-frequent-tag" not in svg_text(out / "figures" / "macro_f1-digits-lt.svg")


def test_a_figure_without_data_says_why(out: Path, paths: list[Path]) -> None:
    assert "Sampling throughput: not measured." in svg_text(out / "figures" / "throughput-digits-lt.svg")


def test_the_order_of_records_does_not_matter(simulated: Simulated, tmp_path: Path) -> None:
    facts = simulated.digits
    planned = study([facts], ["none", "focal"], seeds=2)
    records = [record for record in simulated.records if record.task == facts.task]
    first = write_report(planned, records, [], [cost(facts.task, "none")], tmp_path / "a")
    random.Random(1).shuffle(records)
    again = write_report(planned, records, [], [cost(facts.task, "none")], tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_no_global_state_is_changed(simulated: Simulated, paths: list[Path]) -> None:
    assert matplotlib.rcParams["text.parse_math"] is True
    assert "pyplot" not in matplotlib.__dict__ or not matplotlib.pyplot.get_fignums()


@pytest.mark.parametrize(("classes", "strategies"), [(WORDS, LONG), (["no", "yes"], ["none", "focal"])])
def test_nothing_is_cut_off(classes: list[str], strategies: list[str], tmp_path: Path) -> None:
    planned, records, costs = crowded(classes, strategies)
    drawn = draw_figures(collect_results(planned, records, [], costs))
    paths = [path for path in write_figures(drawn, tmp_path) if path.suffix == ".png"]
    assert len(paths) == len(FIGURES)
    for path in paths:
        pixels = imread(path)[..., :3]
        for edge in (pixels[:5], pixels[-5:], pixels[:, :5], pixels[:, -5:]):
            assert (edge == 1).all(), path.name


@pytest.mark.parametrize("name", ["macro_f1", "recall", "throughput"])
def test_names_do_not_overlap(name: str) -> None:
    planned, records, costs = crowded(WORDS, LONG)
    figure = drawn(collect_results(planned, records, [], costs), name)
    axes = figure.axes[0]
    written = [text for text in axes.texts if not text.get_text().startswith("most-frequent-tag")]
    for labels in (written, axes.get_yticklabels(), axes.get_xticklabels()):
        for (one, box), (other, other_box) in combinations(boxes(figure, list(labels)), 2):
            assert Bbox.intersection(box, other_box) is None, (one, other)


def curves_of(peaks: dict[str, float]) -> StudyResults:
    """Two seeds of each strategy, whose curves rise to their peak."""
    facts = task_facts("tags", ["O", "B-PER"])
    records = [
        replace(
            training(facts, name, seed), curve=[(step, peak * (0.9 + step / 8000)) for step in range(100, 900, 100)]
        )
        for name, peak in peaks.items()
        for seed in (0, 1)
    ]
    return collect_results(study([facts], list(peaks), seeds=2), records, [], [])


def test_curves_far_below_all_others_are_text_and_do_not_squeeze_the_axis() -> None:
    figure = drawn(curves_of({"none": 0.8, "focal": 0.76, "ignore-index": 0.2}), "curves")
    low, high = figure.axes[0].get_ylim()
    assert 0.65 < low < 0.76 * 0.91
    assert 0.8 < high < 0.85
    assert "Below the axis: ignore-index (2 seeds, 0.200 at most)." in [text.get_text() for text in figure.texts]
    (panel,) = (axes for axes in figure.axes if axes.get_title(loc="left") == "ignore-index")
    assert [text.get_text() for text in panel.texts] == ["below the axis:\n2 seeds, 0.200 at most"]


def test_curves_that_are_close_to_each_other_are_all_on_the_axis() -> None:
    figure = drawn(curves_of({"none": 0.8, "focal": 0.7}), "curves")
    assert figure.axes[0].get_ylim()[0] < 0.7 * 0.91
    assert not any("Below" in text.get_text() for text in figure.texts)


def test_ticks_of_the_curves_are_validation_steps_and_include_the_last() -> None:
    ticks = drawn(curves_of({"none": 0.8}), "curves").axes[0].get_xticks()
    assert list(ticks) == [200, 400, 600, 800]


@pytest.mark.parametrize(
    ("counts", "shown"), [([1_319_783, 48_715], "(1,319,783)"), ([131_978_300, 48_715_000], "(48.7M)")]
)
def test_class_names_under_the_heat_map_are_upright_if_need_be_smaller_or_with_rounded_counts(counts, shown) -> None:
    names = [f"I-{number}" for number in range(9)]
    facts = replace(task_facts("tags", names), class_counts=counts + counts[1:] * 7)
    strategy = "sentence-weights(product)"
    figure = drawn(
        collect_results(study([facts], [strategy], seeds=1), [training(facts, strategy, 0)], [], []), "recall"
    )
    labels = figure.axes[0].get_xticklabels()
    assert {label.get_rotation() for label in labels} == {0.0}
    assert any(shown in label.get_text() for label in labels)


def test_no_two_points_of_a_figure_look_alike() -> None:
    found = [(look["color"], look["marker"]) for look in point_styles(35)]
    assert len(set(found)) == 35
    assert len(set(found[:9])) == 9


def test_labels_of_any_kind_show_as_text_in_files_of_safe_names(tmp_path: Path) -> None:
    planned, records, costs = crowded(WORDS[:6], LONG[-2:])
    paths = write_figures(draw_figures(collect_results(planned, records, [], costs)), tmp_path)
    assert len(set(paths)) == 8
    assert all(
        re.fullmatch(r"[a-z0-9_]+-conll_some_dir_tag_column_3-[0-9a-f]{6}\.(png|svg)", path.name) for path in paths
    )
    text = svg_text(next(path for path in paths if path.name.startswith("recall") and path.suffix == ".svg"))
    for label in ("B-geo$political$entity", "I-<b>bold</b>", "a|b", "U+65E5U+672C", "two lines"):
        assert label.replace(" ", "") in text.replace(" ", "")  # a long one is broken in lines
    assert "conll:some/dir(tag_column=3)" in text
    texts = drawn(collect_results(planned, records, [], costs), "recall").findobj(Text)
    assert not any(text.get_parse_math() for text in texts)  # a `$` is a dollar, not mathematics


def test_tasks_with_similar_names_get_different_files(tmp_path: Path) -> None:
    facts = [task_facts(name, ["0", "1"]) for name in ("a/b", "a:b", "a_b")]
    drawn = draw_figures(collect_results(study(facts, ["none"]), [], [], []))
    assert len(set(write_figures(drawn, tmp_path))) == 3 * 8


def test_nothing_has_finished(simulated: Simulated, tmp_path: Path) -> None:
    for path in write_figures(draw_figures(collect_results(simulated.study, [], [], [])), tmp_path):
        if path.suffix == ".svg":
            assert "No strategy has finished all its seeds yet." in svg_text(path)


def test_an_empty_study_has_no_figures(tmp_path: Path) -> None:
    assert len(write_report(Study("quick", [], [], {}, []), [], [], [], tmp_path)) == 13
