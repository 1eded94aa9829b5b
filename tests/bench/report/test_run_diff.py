"""Two runs beside each other: what changed, and whether it is more than noise."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from simulated_study import study, task_facts, training

from bench.cli import main
from bench.records.record import PlannedConfiguration, PlannedStrategy
from bench.records.store import Store
from bench.report.frame import results
from bench.report.run_diff import changes

CLASSES = ["O", "B-PER", "B-LOC"]
STRATEGIES = ["none", "focal", "loss-weights"]


def run(shift=None, seeds=6, facts=None, strategies=STRATEGIES, noise=0, **settings):
    """A run in which `shift[strategy]` labels of each class more are right, give or take as many as `noise`."""
    facts = facts or task_facts("tags", CLASSES)
    planned = replace(study([facts], strategies, seeds), **settings)
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
    return results(planned, records, [], [])


def by_strategy(found):
    return {row.strategy: row for row in found.rows}


def test_a_run_beside_itself_has_the_same_numbers_and_nothing_to_tell():
    found = changes(run(), run())
    assert {row.kind for row in found.rows} == {"the same numbers"}
    assert found.settings == found.left_out == []
    assert "0 of 3 rows differ by more than noise, 3 have the same numbers" in str(found)


def test_what_rose_and_what_fell_is_told_from_noise():
    before, after = run({"focal": 40}, noise=3), run({"none": 200}, noise=4)
    kinds = {strategy: row.kind for strategy, row in by_strategy(changes(before, after)).items()}
    assert kinds == {"none": "higher", "focal": "lower", "loss-weights": "within noise"}


def test_intervals_and_p_values_are_scipys_adjusted_by_holm():
    before, after = run(noise=3), run({"none": 20, "focal": 1}, noise=9)
    found = by_strategy(changes(before, after))
    tests = {}
    for strategy in STRATEGIES:
        numbers = (each.runs[each.runs["strategy"] == strategy]["macro_f1"] for each in (after, before))
        tests[strategy] = stats.ttest_rel(*(each.to_numpy() for each in numbers))
    ordered = sorted(tests, key=lambda strategy: tests[strategy].pvalue)
    expected, highest = {}, 0.0
    for rank, strategy in enumerate(ordered):
        highest = max(highest, min(1.0, (len(ordered) - rank) * tests[strategy].pvalue))
        expected[strategy] = highest
    for strategy, row in found.items():
        assert row.adjusted_p == pytest.approx(expected[strategy])
        interval = tests[strategy].confidence_interval(0.95)
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high))


def test_where_seeds_split_the_data_anew_intervals_and_p_values_are_nadeaus_and_bengios():
    facts = replace(task_facts("tags", CLASSES), resplit=(20, 80))
    before, after = (run(facts=facts, strategies=["none"], noise=noise) for noise in (3, 9))
    (row,) = changes(before, after).rows
    differences = after.runs["macro_f1"].to_numpy() - before.runs["macro_f1"].to_numpy()
    error = np.sqrt((1 / 6 + 20 / 80) * differences.var(ddof=1))
    margin = stats.t.ppf(0.975, 5) * error
    assert (row.low, row.high) == pytest.approx((differences.mean() - margin, differences.mean() + margin))
    assert row.adjusted_p == pytest.approx(2 * stats.t.sf(abs(differences.mean()) / error, 5))


def test_only_seeds_of_both_runs_count():
    row = by_strategy(changes(run(seeds=3), run({"none": 30}, seeds=6)))["none"]
    assert row.seeds == 3


def test_one_seed_cannot_tell():
    assert by_strategy(changes(run(seeds=1), run({"none": 30}, seeds=1)))["none"].kind == "cannot tell"


def test_other_data_other_rows_and_other_settings_are_told():
    facts = task_facts("tags", CLASSES)
    before = run(facts=facts, environment={"device": "cpu", "torch": "2.12"})
    after = run(facts=replace(facts, fingerprint="other"), environment={"device": "cpu", "torch": "2.13"})
    found = changes(before, after)
    assert found.rows == []
    assert "tags: the data are not the same in both runs" in found.left_out
    assert ("environment: torch", "2.12", "2.13") in found.settings
    fewer = changes(run(strategies=["none", "focal"]), run(strategies=["none", "loss-weights"]))
    assert {row.strategy for row in fewer.rows} == {"none"}
    assert set(fewer.left_out) == {"tags, focal: only in the first run", "tags, loss-weights: only in the second run"}


def test_another_suite_objective_family_and_choice_are_told():
    before, after = run(), run(suite="full", metric="balanced-accuracy", primary={"tags": ["focal"]})
    rows = [
        replace(row, configuration="learning_rate=0.01")
        if row.strategy == "none"
        else replace(row, adjustment="thresholds")
        for row in after.study.strategies
        if row.strategy != "loss-weights"
    ]
    after = replace(after, study=replace(after.study, strategies=[*rows, *after.study.strategies[2:]]))
    assert changes(before, after).settings == [
        ("suite", "quick", "full"),
        ("objective", "macro-f1", "balanced-accuracy"),
        ("primary family of tags", "focal, loss-weights", "focal"),
        ("setting of none on tags", "\N{EN DASH}", "learning_rate=0.01"),
        ("setting of focal on tags", "\N{EN DASH}", "thresholds"),
    ]
    same_family = run(primary={"tags": ["loss-weights", "focal"]})
    assert changes(before, same_family).settings == [], "the first ten, declared in another order"


def test_markup_in_names_shows_as_text():
    facts = task_facts("tags|<script>", CLASSES)
    text = str(changes(run(facts=facts), run({"none": 30}, facts=facts)))
    assert "<script>" not in text
    assert r"tags\|&lt;script&gt;" in text


def kept(directory, facts, shift=0, best="", **settings):
    """A results directory with a study's records; with `best`, `none` is tuned over two trainings, of which this is best."""
    store = Store(directory)
    planned = replace(study([facts], STRATEGIES, 3), environment={"device": "cpu", "torch": "2.13"}, **settings)
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


def asked(monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["imbench", "report", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code


@pytest.fixture
def facts(monkeypatch):
    """Of a task whose ids can be names of files."""
    monkeypatch.setattr("simulated_study.training_id", lambda task, strategy, seed: f"{task}-{strategy}-{seed}")
    return task_facts("tags", CLASSES)


def test_the_command_compares_two_directories_by_the_measure_that_is_asked_for(facts, tmp_path, monkeypatch, capsys):
    before, after = kept(tmp_path / "a", facts), kept(tmp_path / "b", facts, shift=5 * np.eye(3, dtype=int))
    assert not asked(monkeypatch, before, after, "--objective", "balanced-accuracy")
    said = capsys.readouterr().out
    assert said.startswith("balanced accuracy on test")
    assert all(strategy in said for strategy in STRATEGIES)
    assert asked(monkeypatch, before, after, "--objective", "nonsense") == 2
    assert "give one of macro-f1" in capsys.readouterr().err
    assert asked(monkeypatch, before, tmp_path / "nowhere") == 2
    assert "nowhere holds no study" in capsys.readouterr().err


def test_the_settings_that_validation_chose_in_either_run_are_told(facts, tmp_path, monkeypatch, capsys):
    before, after = kept(tmp_path / "a", facts, best="none"), kept(tmp_path / "b", facts, best="focal")
    assert not asked(monkeypatch, before, after)
    told = [[cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines()]
    assert ["setting of none on tags", "none", "focal"] in told


def test_a_cost_file_that_is_gone_is_an_error_and_another_objective_mends_it(facts, tmp_path, monkeypatch, capsys):
    costs = tmp_path / "costs.csv"
    costs.write_text(",O,B-PER,B-LOC\nO,0,1,1\nB-PER,9,0,1\nB-LOC,9,1,0\n")
    before, after = kept(tmp_path / "a", facts, metric=str(costs)), kept(tmp_path / "b", facts)
    assert not asked(monkeypatch, before, after), "while it is there"
    costs.unlink()
    capsys.readouterr()
    for directories in ([before], [before, after]):
        assert asked(monkeypatch, *directories) == 2
        said = capsys.readouterr()
        assert (said.out, said.err.count("\n")) == ("", 1)
        assert "no longer available; give another --metric" in said.err
        assert str(costs) in said.err
    assert not (before / "report.html").exists()
    assert not asked(monkeypatch, before, after, "--objective", "macro-f1")
    assert Store(before).study().metric == str(costs)
