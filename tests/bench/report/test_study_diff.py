"""Two studies compared: what differs, and which differences are significant."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulated_study import study, task_facts, training

from bench.cli import main
from bench.records.record import PlannedConfiguration, PlannedStrategy, Probabilities, Reliability
from bench.records.store import Store
from bench.report.frame import collect_results
from bench.report.results_directory import load_study
from bench.report.study_diff import diff_studies

CLASSES = ["O", "B-PER", "B-LOC"]
STRATEGIES = ["none", "focal", "loss-weights"]


def simulate(shift=None, seeds=6, facts=None, strategies=STRATEGIES, noise=0, **fields):
    """Results in which `shift[strategy]` more labels of each class are right, plus up to `noise` by chance."""
    facts = facts or task_facts("tags", CLASSES)
    planned = replace(study([facts], strategies, seeds), **fields)
    rng, records = np.random.default_rng(noise), []
    for strategy in strategies:
        for seed in range(seeds):
            record = training(facts, strategy, seed)
            more = np.eye(3, dtype=int) * (shift or {}).get(strategy, 0)
            jitter = np.diag(rng.integers(0, noise + 1, 3))
            evaluations = [
                replace(each, confusion=(np.array(each.confusion) + more + jitter).tolist())
                for each in record.evaluations
            ]
            records.append(replace(record, evaluations=evaluations))
    return collect_results(planned, records, [], [])


def by_strategy(diff):
    return {change.strategy: change for change in diff.changes}


def test_a_study_does_not_differ_from_itself():
    diff = diff_studies(simulate(), simulate())
    assert {change.kind for change in diff.changes} == {"identical"}
    assert diff.conditions == diff.not_compared == []
    assert "0 of 3 comparisons differ significantly, 3 have identical numbers" in str(diff)


def test_significant_rises_and_falls_are_distinguished_from_noise():
    before, after = simulate({"focal": 40}, noise=3), simulate({"none": 200}, noise=4)
    kinds = {strategy: change.kind for strategy, change in by_strategy(diff_studies(before, after)).items()}
    assert kinds == {"none": "higher", "focal": "lower", "loss-weights": "equivalent"}


def test_intervals_and_p_values_are_scipys_adjusted_by_holm():
    before, after = simulate(noise=3), simulate({"none": 20, "focal": 1}, noise=9)
    changes = by_strategy(diff_studies(before, after))
    tests = {}
    for strategy in STRATEGIES:
        numbers = (each.runs[each.runs["strategy"] == strategy]["macro_f1"] for each in (after, before))
        tests[strategy] = stats.ttest_rel(*(each.to_numpy() for each in numbers))
    ordered = sorted(tests, key=lambda strategy: tests[strategy].pvalue)
    expected, highest = {}, 0.0
    for rank, strategy in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - rank) * tests[strategy].pvalue))
        expected[strategy] = highest
    for strategy, change in changes.items():
        assert change.adjusted_p == pytest.approx(expected[strategy])
        interval = tests[strategy].confidence_interval(0.95)
        assert (change.low, change.high) == pytest.approx((interval.low, interval.high))


def test_if_each_seed_splits_the_data_anew_intervals_and_p_values_are_those_of_nadeau_and_bengio():
    facts = replace(task_facts("tags", CLASSES), resplit=(20, 80))
    before, after = (simulate(facts=facts, strategies=["none"], noise=noise) for noise in (3, 9))
    (change,) = diff_studies(before, after).changes
    differences = after.runs["macro_f1"].to_numpy() - before.runs["macro_f1"].to_numpy()
    error = np.sqrt((1 / 6 + 20 / 80) * differences.var(ddof=1))
    margin = stats.t.ppf(0.975, 5) * error
    assert (change.low, change.high) == pytest.approx((differences.mean() - margin, differences.mean() + margin))
    assert change.adjusted_p == pytest.approx(2 * stats.t.sf(abs(differences.mean()) / error, 5))


def test_only_seeds_of_both_studies_count():
    change = by_strategy(diff_studies(simulate(seeds=3), simulate({"none": 30}, seeds=6)))["none"]
    assert change.seeds == 3


def test_one_seed_is_too_few():
    change = by_strategy(diff_studies(simulate(seeds=1), simulate({"none": 30}, seeds=1)))["none"]
    assert change.kind == "too few seeds"


def test_different_data_strategies_and_conditions_are_reported():
    facts = task_facts("tags", CLASSES)
    before = simulate(facts=facts, environment={"device": "cpu", "torch": "2.12"})
    after = simulate(facts=replace(facts, fingerprint="other"), environment={"device": "cpu", "torch": "2.13"})
    diff = diff_studies(before, after)
    assert diff.changes == []
    assert diff.not_compared == ["tags: the data of the two studies differ"]
    assert ("environment: torch", "2.12", "2.13") in diff.conditions
    fewer = diff_studies(simulate(strategies=["none", "focal"]), simulate(strategies=["none", "loss-weights"]))
    assert {change.strategy for change in fewer.changes} == {"none"}
    assert fewer.not_compared == [
        "tags, focal: only in the first study",
        "tags, loss-weights: only in the second study",
    ]


def test_a_different_suite_metric_family_and_configuration_are_reported():
    before, after = simulate(), simulate(suite="full", metric="balanced-accuracy", primary={"tags": ["focal"]})
    rows = [
        replace(row, configuration="learning_rate=0.01")
        if row.strategy == "none"
        else replace(row, adjustment="thresholds")
        for row in after.study.strategies
        if row.strategy != "loss-weights"
    ]
    after = replace(after, study=replace(after.study, strategies=[*rows, *after.study.strategies[2:]]))
    assert diff_studies(before, after).conditions == [
        ("suite", "quick", "full"),
        ("metric", "macro-f1", "balanced-accuracy"),
        ("primary family of tags", "focal, loss-weights", "focal"),
        ("configuration of baseline on tags", "-", "learning_rate=0.01"),
        ("configuration of focal on tags", "-", "thresholds"),
    ]
    same_family = simulate(primary={"tags": ["loss-weights", "focal"]})
    assert diff_studies(before, same_family).conditions == [], "the first ten, declared in another order"


def test_markup_in_names_shows_as_text():
    facts = task_facts("tags|<script>", CLASSES)
    text = str(diff_studies(simulate(facts=facts), simulate({"none": 30}, facts=facts)))
    assert "<script>" not in text
    assert r"tags\|&lt;script&gt;" in text


def fill_store(directory, facts, shift=0, best="", **fields):
    """A results directory with records; with `best`, `none` is tuned over two configurations, of which this is best."""
    store = Store(directory)
    planned = replace(study([facts], STRATEGIES, 3), environment={"device": "cpu", "torch": "2.13"}, **fields)
    if best:
        names = {row.strategy: row.runs for row in planned.strategies}
        tuned = PlannedStrategy(
            "tags", "none", configurations=[PlannedConfiguration(each, names[each]) for each in ("none", "focal")]
        )
        planned = replace(planned, strategies=[tuned, *planned.strategies[1:]])
    store.begin(planned)
    for strategy in STRATEGIES:
        more = shift + 500 * np.eye(3, dtype=int) * (strategy == best)
        for seed in range(3):
            record = training(facts, strategy, seed)
            checked = [
                replace(each, split=split, checkpoint=checkpoint, confusion=(np.array(each.confusion) + more).tolist())
                for each, split, checkpoint in (
                    (record.evaluations[1], "valid", "chosen"),
                    (record.evaluations[1], "test", "chosen"),
                    (record.evaluations[0], "test", "last"),
                )
            ]
            store.add(replace(record, evaluations=checked, id=record.id.replace("/", "-")))
    return directory


def report(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["imbench", "report", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit:
        main()
    return exit.value.code


@pytest.fixture
def facts(monkeypatch):
    """Facts of a task; ids of its runs can be names of files."""
    monkeypatch.setattr("simulated_study.run_id", lambda task, strategy, seed: f"{task}-{strategy}-{seed}")
    return task_facts("tags", CLASSES)


def test_the_command_compares_two_directories_by_the_metric_that_is_given(facts, tmp_path, monkeypatch, capsys):
    before, after = fill_store(tmp_path / "a", facts), fill_store(tmp_path / "b", facts, shift=5 * np.eye(3, dtype=int))
    assert not report(monkeypatch, before, after, "--objective", "balanced-accuracy")
    text = capsys.readouterr().out
    assert text.startswith("balanced accuracy on test")
    assert all(strategy in text for strategy in ("baseline", "focal", "loss-weights"))
    assert report(monkeypatch, before, after, "--objective", "nonsense") == 2
    assert "unknown metric 'nonsense'; give macro-f1" in capsys.readouterr().err
    assert report(monkeypatch, before, tmp_path / "nowhere") == 2
    assert "nowhere holds no study" in capsys.readouterr().err


def test_the_configurations_that_validation_chose_in_either_study_are_reported(facts, tmp_path, monkeypatch, capsys):
    before, after = fill_store(tmp_path / "a", facts, best="none"), fill_store(tmp_path / "b", facts, best="focal")
    assert not report(monkeypatch, before, after)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert ["configuration of baseline on tags", "none", "focal"] in rows


def test_a_cost_file_that_is_gone_is_an_error_and_another_metric_fixes_it(facts, tmp_path, monkeypatch, capsys):
    costs = tmp_path / "costs.csv"
    costs.write_text(",O,B-PER,B-LOC\nO,0,1,1\nB-PER,9,0,1\nB-LOC,9,1,0\n")
    before, after = fill_store(tmp_path / "a", facts, metric=str(costs)), fill_store(tmp_path / "b", facts)
    assert not report(monkeypatch, before, after), "while it is there"
    costs.unlink()
    capsys.readouterr()
    for directories in ([before], [before, after]):
        assert report(monkeypatch, *directories) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "no longer available; give another --metric" in said.err
        assert str(costs) in said.err
    assert not (before / "report.html").exists()
    assert not report(monkeypatch, before, after, "--objective", "macro-f1")
    assert Store(before).study().metric == str(costs)


def test_directories_are_compared_by_a_file_of_costs_and_the_margin_of_the_second_study(
    facts, tmp_path, monkeypatch, capsys
):
    costs = tmp_path / "costs.csv"
    costs.write_text(",O,B-PER,B-LOC\nO,0,1,1\nB-PER,9,0,1\nB-LOC,9,1,0\n")
    before = fill_store(tmp_path / "a", facts)
    after = fill_store(tmp_path / "b", facts, shift=40 * np.eye(3, dtype=int), metric=str(costs), margin=0.2)
    assert not report(monkeypatch, before, after)
    text = capsys.readouterr().out
    assert text.startswith("cost (costs.csv) on test")
    assert "lies within ±0.2," in text
    (row,) = (
        [cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if "| focal |" in squeezed(line)
    )
    old, new = (load_study(Store(each), str(costs)) for each in (before, after))
    for study_, shown in ((old, row[3]), (new, row[4])):
        confusions = [
            np.array(each.evaluation("chosen", "test").confusion) for each in study_.records if each.strategy == "focal"
        ]
        matrix = np.array([[0, 1, 1], [9, 0, 1], [9, 1, 0]])
        assert float(shown) == pytest.approx(np.mean([(c * matrix).sum() / c.sum() for c in confusions]), abs=0.001)


def squeezed(line):
    return " ".join(line.split())


def test_studies_of_two_classes_are_compared_by_recall_at_any_precision():
    facts = task_facts("tags", ["genuine", "fraud"])
    planned = replace(study([facts], ["none"], 3), metric="recall-at-precision(0.5)")
    score = Probabilities(0.1, Reliability([], [], []), [0.0, 0.0], [0.5, 0.5], [0.5, 0.5], list(range(100, 0, -1)))
    records = []
    for seed in range(3):
        record = training(facts, "none", seed)
        evaluations = [replace(each, probabilities=score) for each in record.evaluations]
        records.append(replace(record, evaluations=evaluations))
    results = collect_results(planned, records, [], [])
    diff = diff_studies(results, results, None)
    assert str(diff).startswith("recall at precision 0.5 on test")
    assert [change.kind for change in diff.changes] == ["identical"]


def test_post_hoc_baselines_are_compared_like_strategies():
    plain = replace(training(task_facts("tags", CLASSES), "none", 0).evaluations[1], adjustment="thresholds")
    facts = task_facts("tags", CLASSES)
    planned = study([facts], ["none"], 2)
    with_post_hoc = replace(planned.strategies[0], post_hoc={"thresholds": None})
    planned = replace(planned, strategies=[with_post_hoc])
    records = [training(facts, "none", seed) for seed in range(2)]
    records = [replace(record, evaluations=[*record.evaluations, plain]) for record in records]
    results = collect_results(planned, records, [], [])
    diff = diff_studies(results, results)
    assert {change.strategy: change.kind for change in diff.changes} == {"none": "identical", "thresholds": "identical"}
    assert diff.conditions == diff.not_compared == []
