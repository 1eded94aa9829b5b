"""The tables agree with the records, in whatever order these come, and average complete strategies only."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_study import NOTES, Simulated, study, task_facts, training
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_score, recall_score

from bench.planning.protocol import ROWS, SENTENCES, WINDOWS
from bench.records.record import Cost, Evaluation, Failure, PlannedStrategy, Record, Study
from bench.report.frame import collect_results
from bench.report.tables import TABLES, write_latex_tables, write_tables


def tables(
    out: Path, study: Study, records: list[Record], failures: Sequence[Failure] = (), costs: Sequence[Cost] = ()
) -> dict[str, str]:
    paths = write_tables(collect_results(study, records, failures, costs), out)
    return {path.name: path.read_text(encoding="utf-8") for path in paths}


def csv(out: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(out / f"{name}.csv", dtype={"class": str}, keep_default_na=True)


def rows_of(page: str) -> list[list[str]]:
    """The cells of all Markdown tables of a page."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def truth_and_predictions(record: Record) -> tuple[np.ndarray, np.ndarray]:
    confusion = np.array(record.evaluation("chosen", "test").confusion)
    pairs = [(i, j) for i, j in np.ndindex(*confusion.shape) for _ in range(confusion[i, j])]
    truth, predicted = np.array(pairs).T
    return truth, predicted


@pytest.fixture(scope="module")
def out(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables")
    tables(out, simulated.study, simulated.records, simulated.failures, simulated.costs)
    return out


def test_means_and_sds_are_those_of_scikit_learn_and_numpy(simulated: Simulated, out: Path) -> None:
    line = csv(out, "quality").query("task == 'tags' and strategy == 'random-oversampling'").squeeze()
    own = [r for r in simulated.records if (r.task, r.strategy) == ("tags", "random-oversampling")]
    pairs = [truth_and_predictions(record) for record in own]
    expected = {
        "macro_f1": [f1_score(*pair, average="macro") for pair in pairs],
        "macro_f1_minority": [f1_score(*pair, labels=[1, 2], average="macro") for pair in pairs],
        "accuracy": [accuracy_score(*pair) for pair in pairs],
        "balanced_accuracy": [balanced_accuracy_score(*pair) for pair in pairs],
        "worst_class_recall": [recall_score(*pair, average=None).min() for pair in pairs],
        "nll": [record.evaluation("chosen", "test").nll for record in own],
        "entity_precision": [(r.evaluation("chosen", "test").entities["PER"].correct + 5) / 100 for r in own],
        "entity_recall": [(r.evaluation("chosen", "test").entities["PER"].correct + 5) / 100 for r in own],
    }
    for measure, values in expected.items():
        assert line[f"{measure}_mean"] == pytest.approx(np.mean(values), abs=1e-6), measure
        assert line[f"{measure}_sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-6), measure
    assert (line["seeds_finished"], line["seeds_planned"], line["not_converged"]) == (3, 3, 0)


def test_recall_and_precision_by_class(simulated: Simulated, out: Path) -> None:
    lines = csv(out, "recall").query("task == 'digits-lt' and strategy == 'focal'")
    own = [r for r in simulated.records if (r.task, r.strategy) == ("digits-lt", "focal")]
    pairs = [truth_and_predictions(record) for record in own]
    assert list(lines["class"]) == ["0", "1", "2", "3"]
    assert list(lines["training_labels"]) == simulated.digits.class_counts
    for measure, score in (("recall", recall_score), ("precision", precision_score)):
        values = np.array([score(*pair, average=None) for pair in pairs])
        np.testing.assert_allclose(lines[f"{measure}_mean"], values.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(lines[f"{measure}_sd"], values.std(axis=0, ddof=1), atol=1e-6)


def test_class_mix_and_amounts_sampled(simulated: Simulated, out: Path) -> None:
    lines = csv(out, "class_mix").query("task == 'digits-lt' and strategy == 'none'").set_index(["quantity", "class"])
    sampled = [r.sampling for r in simulated.records if (r.task, r.strategy) == ("digits-lt", "none")]
    share = np.mean([stats.by_class[3] / sum(stats.by_class) for stats in sampled])
    coverage = np.mean([stats.coverage for stats in sampled])
    size = np.mean([stats.effective_sample_size / 1000 for stats in sampled])
    assert lines["mean"]["share_of_labels", "3"] == pytest.approx(share, abs=1e-6)
    assert lines["mean"]["coverage"].item() == pytest.approx(coverage, abs=1e-6)
    assert lines["mean"]["effective_sample_size_share"].item() == pytest.approx(size, abs=1e-6)
    page = (out / "class_mix.md").read_text(encoding="utf-8").split("## ")[2]
    amounts, mix = (row for row in rows_of(page) if row[0] == "baseline")
    assert (amounts[3], mix[4]) == (f"{coverage:.2%}", f"{share:.2%}")


def test_classes_are_matched_by_name_if_a_record_lists_them_in_another_order(tmp_path: Path) -> None:
    facts = task_facts("digits-lt", ["0", "1"])
    record = replace(
        training(facts, "none", 0),
        class_names=["1", "0"],
        evaluations=[Evaluation("chosen", "test", [[10, 0], [5, 5]], 0.1)],
    )
    tables(tmp_path, study([facts], ["none"], seeds=1), [record])
    assert csv(tmp_path, "recall").set_index("class")["recall_mean"].to_dict() == {"0": 0.5, "1": 1.0}


def test_the_order_of_records_does_not_matter(simulated: Simulated, out: Path, tmp_path: Path) -> None:
    shuffled = random.Random(0)
    records, failures, costs = list(simulated.records), list(simulated.failures), list(simulated.costs)
    for each in (records, failures, costs):
        shuffled.shuffle(each)
    assert records != simulated.records
    written = tables(tmp_path, simulated.study, records, failures, costs)
    assert written == {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}
    assert len(written) == 2 * len(TABLES) + 1  # per_seed.csv has no page


def test_times_are_in_no_quality_table(simulated: Simulated, out: Path, tmp_path: Path) -> None:
    slower = [replace(record, times={"train_seconds": 1e9}, provenance={}) for record in simulated.records]
    written = tables(tmp_path, simulated.study, slower, simulated.failures, simulated.costs)
    assert written["quality.csv"] == (out / "quality.csv").read_text(encoding="utf-8")


def test_an_incomplete_strategy_is_listed_with_its_reasons_and_not_averaged(out: Path) -> None:
    line = csv(out, "quality").query("task == 'tags' and strategy == 'focal'").squeeze()
    assert line["status"] == "incomplete"
    assert (line["seeds_finished"], line["seeds_planned"]) == (1, 3)
    assert line.filter(like="_mean").isna().all()
    why = "seed 1: not trained yet; seed 2: the loss became nan at step 812"
    assert line["reason"] == why
    page = (out / "quality.md").read_text(encoding="utf-8")
    assert [row for row in rows_of(page.split("## digits-lt")[0]) if row[0] == "focal"] == [
        ["focal", "incomplete", "1 of 3", why]
    ]
    assert "interrupted" not in page  # that seed has finished since
    assert csv(out, "recall").query("task == 'tags' and strategy == 'focal'")["recall_mean"].isna().all()


def test_classes_that_test_lacks_are_named_and_lower_no_mean(tmp_path: Path) -> None:
    facts = task_facts("tags", ["O", "PER", "LOC", "MISC"])
    records = []
    for record in [training(facts, "none", seed) for seed in range(3)]:
        confusion = np.diag([60, 9, 4, 0])
        confusion[2, 2] = 0 if record.seed == 1 else 4
        records.append(replace(record, evaluations=[Evaluation("chosen", "test", confusion.tolist(), 0.1)]))
    pages = tables(tmp_path, study([facts], ["none"]), records)
    for name in ("quality.md", "recall.md"):
        assert "Without a label in test: LOC (seed 1), MISC." in pages[name]
    assert csv(tmp_path, "quality")["macro_f1_mean"].tolist() == [1.0]
    by_class = csv(tmp_path, "recall").set_index("class")
    assert by_class.loc["MISC", ["recall_mean", "precision_mean"]].isna().all()
    assert by_class.loc["LOC", ["recall_mean", "precision_mean"]].tolist() == [1.0, 1.0]


def test_a_skipped_strategy_is_listed_with_its_reason(out: Path) -> None:
    line = csv(out, "quality").query("strategy == 'smote'").squeeze()
    assert (line["status"], line["reason"]) == ("declined", "word ids cannot be mixed")
    page = (out / "quality.md").read_text(encoding="utf-8")
    assert ["smote", "skipped", "0 of 0", "word ids cannot be mixed"] in rows_of(page)


def test_the_page_ranks_by_macro_f1_with_the_most_frequent_tag_in_its_place(out: Path) -> None:
    tags, digits = (out / "quality.md").read_text(encoding="utf-8").split("## ")[1:]
    scores = {row[0]: float(row[1].split()[0]) for row in rows_of(tags.split("Left out")[0])[1:]}
    assert set(scores) == {"baseline", "random-oversampling", "most-frequent-tag baseline"}
    assert list(scores)[1] == "most-frequent-tag baseline"
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    means = csv(out, "quality").set_index(["task", "strategy"])["macro_f1_mean"]
    assert scores["baseline"] == pytest.approx(means["tags", "none"], abs=5e-4)
    assert "most-frequent-tag" not in digits


def test_the_page_describes_task_protocol_and_limits(out: Path) -> None:
    page = (out / "quality.md").read_text(encoding="utf-8")
    for text in (
        "About tags.",
        "Note: a note of tags",
        "Protocol: steps 300, batch size 256, learning rate 0.003.",
        "keep the class mix of the source",
        "test is balanced",
        "125 validation labels, 11 of the rarest class.",
        'seqeval in its default mode, which is that of "conlleval"',
        "not tested here",
        "| 1 of 3 |",  # the baseline did not converge in seed 1
        "| few rows (every seed) |",
    ):
        assert re.sub(r" +", " ", text) in re.sub(r" +", " ", page), text
    assert "best" not in page.lower()


def test_a_protocol_is_described_by_the_fields_that_its_model_uses(tmp_path: Path) -> None:
    facts = [task_facts(name, ["0", "1"]) for name in ("digits-lt", "windows", "sentences")]
    protocols = dict(zip(("digits-lt", "windows", "sentences"), map(asdict, (ROWS, WINDOWS, SENTENCES)), strict=True))
    page = tables(tmp_path, replace(study(facts, ["none"]), protocols=protocols), [])["quality.md"]
    rows, windows, sentences = re.findall(r"Protocol: .*", page)
    assert not re.search(r"unk rate|embedding scale|length group", rows)
    assert "unk rate 0.05, embedding scale 0.1, version" in windows
    assert "length group 16" in sentences


def test_the_page_of_costs_says_why_the_baseline_need_not_be_1(out: Path) -> None:
    page = (out / "cost.md").read_text(encoding="utf-8")
    assert "The baseline is measured against a second run of itself" in page


def test_every_table_has_the_notes(out: Path) -> None:
    paths = [path for path in out.iterdir() if path.name != "per_seed.csv"]  # that one has numbers alone, for programs
    assert len(paths) == 2 * len(TABLES)
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for note in NOTES:
            lines = text.splitlines()[1:] if path.suffix == ".csv" else [text]
            assert all(note in line for line in lines), (path.name, note)


def test_costs_are_matched_by_strategy_and_a_missing_one_is_marked(out: Path) -> None:
    lines = csv(out, "cost").set_index(["task", "strategy"])
    assert lines["draws_per_second"]["tags", "random-oversampling"] == 2e5
    assert lines["status"]["tags", "focal"] == "not measured"
    assert lines["status"]["tags", "smote"] == "declined"
    assert "elsewhere" not in lines.index
    tags, digits = (out / "cost.md").read_text(encoding="utf-8").split("## ")[1:]
    assert re.search(
        r"\| baseline +\| +0.012 +\| +1,000,000 +\| +900,000 +\| +1,050,000 +\| +4,000 +\| +123,000 +\| +1.25 +\| +1.20 +"
        r"\| +1.30 \| +0.5 +\|",
        tags,
    )
    assert re.search(r"\| focal +(\| +not measured ){6}", tags)
    assert digits.strip().endswith("Not measured.")


def test_records_that_the_study_does_not_plan_are_left_out(simulated: Simulated, out: Path, tmp_path: Path) -> None:
    strange = [replace(record, id="another protocol") for record in simulated.records[:1]]
    written = tables(tmp_path, simulated.study, simulated.records + strange, simulated.failures, simulated.costs)
    assert written["quality.csv"] == (out / "quality.csv").read_text(encoding="utf-8")


def test_one_seed_has_no_sd(tmp_path: Path) -> None:
    facts = task_facts("digits-lt", ["0", "1"])
    written = tables(tmp_path, study([facts], ["none"], seeds=1), [training(facts, "none", 0)])
    assert csv(tmp_path, "quality").filter(like="_sd").isna().all(axis=None)
    assert " ± - |" in written["quality.md"]
    assert "nan" not in written["quality.md"] + written["recall.md"] + written["class_mix.md"]


def test_a_class_that_test_lacks_has_no_recall(tmp_path: Path) -> None:
    facts = task_facts("digits-lt", ["0", "1"])
    record = replace(training(facts, "none", 0), evaluations=[Evaluation("chosen", "test", [[3, 1], [0, 0]], 0.1)])
    tables(tmp_path, study([facts], ["none"], seeds=1), [record])
    lines = csv(tmp_path, "recall").set_index("class")
    assert np.isnan(lines["recall_mean"]["1"])
    assert lines["recall_mean"]["0"] == 0.75


def test_markup_and_line_breaks_show_as_text(tmp_path: Path) -> None:
    nasty = "a|b <script>$x$</script>\n*c* `d` _e_ [f](g) # h"
    facts = task_facts(nasty, [nasty, "I-X\r\nY|"])
    planned = replace(study([facts], [nasty], seeds=1), notes=[nasty])
    written = tables(
        tmp_path,
        replace(planned, strategies=[*planned.strategies, PlannedStrategy(nasty, "x", skipped=nasty)]),
        [training(facts, nasty, 0)],
    )
    shown = r"a\|b &lt;script&gt;\$x\$&lt;/script&gt; \*c\* \`d\` \_e\_ \[f\](g) \# h"
    for name in TABLES:
        page = written[f"{name}.md"]
        assert page.count("\n## ") == 1
        assert f"## {shown}\n" in page
        assert f"> **Note:** {shown}\n" in page
        assert "<" not in page
        assert "\r" not in page
        rows = [len(re.findall(r"(?<!\\)\|", line)) for line in page.splitlines() if line.startswith("|")]
        assert all(rows)
    assert re.search(
        rf"\| x +\| skipped \| +0 of 0 \| +{re.escape(shown)} \|\n", re.sub(" +", " ", written["quality.md"])
    )
    assert set(csv(tmp_path, "recall")["class"].dropna()) == set(facts.class_names)


def test_nothing_has_finished(simulated: Simulated, tmp_path: Path) -> None:
    written = tables(tmp_path, simulated.study, [])
    assert ["focal", "incomplete", "0 of 3", "seeds 0, 1, 2: not trained yet"] in rows_of(written["quality.md"])
    for name in ("quality", "recall", "class_mix"):
        assert written[f"{name}.md"].count("No strategy has finished all its seeds yet.") == 2
    assert written["cost.md"].count("Not measured.") == 2
    assert set(csv(tmp_path, "quality")["status"]) == {"incomplete", "declined", "baseline"}


def test_an_empty_study(tmp_path: Path) -> None:
    written = tables(tmp_path, Study("quick", [], [], {}, []), [])
    assert all("The study has no tasks." in text for name, text in written.items() if name.endswith(".md"))


def test_rows_need_facts_of_their_task() -> None:
    with pytest.raises(ValueError, match="tasks of which it has no facts: lost"):
        collect_results(Study("quick", [], [PlannedStrategy("lost", "none")], {}, []), [], [], [])


def test_tables_for_latex_hold_the_same_rows_with_every_special_letter_escaped(
    simulated: Simulated, tmp_path: Path
) -> None:
    special = replace(simulated.tags, task="50% of a_b & {c}", class_names=["O", "B-PER", "^~\\#$<|>"])
    planned = study([special], ["none", "random-oversampling"])
    records = [training(special, strategy, seed) for strategy in ("none", "random-oversampling") for seed in range(3)]
    results = collect_results(planned, records, [], [])
    texts = {path.name: path.read_text(encoding="utf-8") for path in write_latex_tables(results, tmp_path)}
    assert texts.keys() == {f"{name}.tex" for name in TABLES}
    quality = texts["quality.tex"]
    assert r"\caption{Quality on test, 50\% of a\_b \& \{c\}}" in quality
    assert (
        r"\textasciicircum{}\textasciitilde{}\textbackslash{}\#\$\textless{}\textbar{}\textgreater{} ("
        in texts["recall.tex"]
    )
    for rule in (r"\toprule", r"\midrule", r"\bottomrule"):
        assert quality.count(rule) == quality.count(r"\begin{table}") == 2  # the second one lists the warnings
    markdown = next(row for row in rows_of(tables(tmp_path, planned, records)["quality.md"]) if row[0] == "baseline")
    line = next(line for line in quality.splitlines() if line.startswith("baseline"))
    assert [cell.strip() for cell in line.removesuffix(r"\\").replace(r"$\pm$", "±").split("&")] == markdown
    for text in texts.values():
        assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}")
        bare = re.sub(r"\\[&%$#_{}]|\$\\pm\$", "", re.sub(r"^%.*|\\label\{.*\}", "", text, flags=re.M))
        assert not set("%$#^~|_") & set(bare), bare
