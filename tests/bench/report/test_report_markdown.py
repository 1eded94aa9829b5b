"""`report.md` has every table and sentence of the page, and labels with markup in them stay text."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from simulated_study import Simulated, simulate_cost, simulate_record, simulate_study, task_facts
from written_page import rows_of, text_of

from bench.records.record import Cost, Failure, PlannedConfiguration, PlannedStrategy, Record, Study
from bench.report import no_predictions, write_report
from bench.report.configuration_choice import choose_configurations
from bench.report.task_metrics import resolve_metrics


def both(
    planned: Study, records: list[Record], failures: list[Failure], costs: list[Cost], out: Path
) -> tuple[str, str]:
    """The page, and its twin as a Markdown renderer makes it."""
    write_report(planned, records, failures, costs, out, no_predictions)
    twin = (out / "report.md").read_text(encoding="utf-8")
    return (out / "report.html").read_text(encoding="utf-8"), MarkdownIt("commonmark").enable("table").render(twin)


def tables_of(rendered: str) -> list[list[dict[str, str]]]:
    found = []
    for table in re.findall(r"<table>(.*?)</table>", rendered, re.S):
        header, *rows = [
            [text_of(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
            for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)
        ]
        found.append([dict(zip(header, row, strict=True)) for row in rows])
    return found


def names_of(page: str) -> list[str]:
    return re.findall(r'<div id="table-([^"]*)_fallback">', page)


def test_every_table_of_the_page_is_there_with_the_same_cells(simulated: Simulated, tmp_path: Path) -> None:
    page, twin = both(simulated.study, simulated.records, simulated.failures, simulated.costs, tmp_path)
    found = tables_of(twin)
    assert len(names_of(page)) > 10
    for name in names_of(page):
        assert rows_of(page, name) in found, name


def test_every_sentence_of_the_page_is_there_and_figures_are_in_words_or_files(
    simulated: Simulated, tmp_path: Path
) -> None:
    page, twin = both(simulated.study, simulated.records, simulated.failures, simulated.costs, tmp_path)
    said = [text_of(each) for each in re.findall(r"<li>(.*?)</li>|<p>(.*?)</p>", page, re.S) for each in each if each]
    assert len(said) > 20
    for sentence in said:
        assert sentence in text_of(twin), sentence
    images = re.findall(r'<img src="([^"]*)" alt="([^"]*)"', twin)
    assert len(images) == 6  # the overview, recall and curves of both tasks, throughput of the one with costs
    for source, words in images:
        assert (tmp_path / source).is_file()
        assert len(words) > 20
    assert "Figure in report.html. Differences to the baseline in macro-F1" in text_of(twin)


def test_labels_with_markup_in_them_are_text(tmp_path: Path) -> None:
    names = ["O\n", "<script>pwned()</script>", "a|b", "$x_1$", "[link](javascript:pwned())", "**bold**", "a&amp;b"]
    facts = task_facts("<b>tags</b>", names)
    strategies = ["none", "</td><script>", "focal"]
    records = [simulate_record(facts, name, seed) for name in strategies for seed in range(3)]
    _, twin = both(
        simulate_study([facts], strategies),
        records,
        [],
        [simulate_cost(facts.task, name) for name in strategies],
        tmp_path,
    )
    assert not re.search(r"<script|<b>|<a |<strong>bold", twin)
    cells = {cell for table in tables_of(twin) for row in table for cell in row.values()}
    assert {" ".join(name.split()) for name in names} <= cells
    assert {"baseline", *strategies[1:]} <= cells


@pytest.fixture
def of_three_configurations() -> tuple[Study, list[Record]]:
    """`focal` over three configurations, the last the best on validation; `none` over three, the middle one the best."""
    facts = task_facts("tags", ["O", "PER"])
    right = {"none": [60, 80, 70], "focal": [70, 75, 90]}
    rows, records = [], []
    for strategy, levels in right.items():
        candidates = []
        for place, level in enumerate(levels):
            made = [simulate_record(facts, f"{strategy} {place}", seed) for seed in range(2)]
            for record in made:
                valid = [[level + record.seed, 40], [40, level]]
                evaluated = replace(record.evaluations[1], split="valid", confusion=valid)
                records.append(replace(record, strategy=strategy, evaluations=[*record.evaluations, evaluated]))
            ids = {record.seed: record.id for record in made}
            candidates.append(PlannedConfiguration(f"configuration {place}", ids, at_edge=place != 1))
        rows.append(PlannedStrategy("tags", strategy, configurations=candidates))
    planned = replace(simulate_study([facts], []), strategies=rows)
    return choose_configurations(planned, records, [], resolve_metrics(planned)), records


def test_a_tuned_page_shows_every_configuration_and_says_which_was_chosen_and_that_one_is_at_the_edge(
    of_three_configurations: tuple[Study, list[Record]], tmp_path: Path
) -> None:
    page, twin = both(*of_three_configurations, [], [], tmp_path)
    rows = rows_of(page, "configurations-tags")
    assert [(row["strategy"], row["configuration"], row["chosen"]) for row in rows if row["chosen"] != "no"] == [
        ("baseline", "configuration 1", "yes"),
        ("focal", "configuration 2", "yes, at the edge"),
    ]
    recall = [(90 + seed) / (130 + seed) for seed in (0, 1)]
    assert len(rows) == 6
    scores = [float(row["macro-F1 on validation"]) for row in rows if row["strategy"] == "focal"]
    assert scores == sorted(scores)
    assert scores[2] == pytest.approx(sum(recall) / 2, abs=0.01)  # both classes are about as easy
    assert "Tuned on validation: 2 of 2 strategies; best configuration at the edge of the grid" in text_of(page)
    assert "may be outside: focal." in text_of(twin)
    assert "3 configurations per strategy" in text_of(page)
