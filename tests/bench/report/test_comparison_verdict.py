"""The verdict of a comparison: what validation chooses, what test says of it, and what page and terminal show."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score

from bench.metrics.selection_metric import SELECTABLE
from bench.records.record import VALIDATION_LABELS_ADDED, Failure
from bench.report import choice_wording
from bench.report.choice_description import describe_choice
from bench.report.choice_on_test import report_on_test
from bench.report.frame import collect_results
from bench.report.sections.comparison_verdict import build_leaderboard, build_verdict, introduce, tabulate_candidates
from bench.report.study_diff import diff_studies
from bench.report.task_results import TaskResults
from bench.report.validation_choice import Candidate, choose_on_validation
from bench.report.validation_choice import choose as choose_candidate
from tests.bench.report.simulated_comparison import simulate_comparison
from tests.bench.report.written_page import rows_of, text_of, written

MLP, TREES = "mlp", "hist-gradient-boosting"
PLAIN = {(MLP, "none"): (1.5, 1.5), (TREES, "none"): (2.0, 2.0)}
FOCAL_WINS = {
    **PLAIN,
    (TREES, "focal"): (3.5, 3.5),
    (TREES, "thresholds"): (2.1, 2.1),
    (MLP, "focal"): (1.6, 1.6),
    (TREES, VALIDATION_LABELS_ADDED): (0.0, 2.2),
}


def choose(signals, **options):
    study, records = simulate_comparison(signals, **options)
    results = collect_results(study, records, [], [])
    return results, choose_on_validation(results)


def test_the_choice_names_learner_strategy_runs_and_kind():
    results, choice = choose(FOCAL_WINS)
    chosen = choice.chosen
    assert (chosen.block, chosen.learner, chosen.strategy) == (f"fraud.csv with {TREES}", TREES, "focal")
    assert (chosen.kind, chosen.adjustment, chosen.trained_as) == ("trained remedy", "raw", "focal")
    assert chosen.runs == {seed: f"fraud.csv with {TREES}/focal/{seed}" for seed in range(5)}
    confusions = [
        record.evaluation("chosen", "valid").confusion
        for outcome in results.outcomes
        if (outcome.planned.task, outcome.strategy) == (chosen.block, "focal")
        for record in outcome.records.values()
    ]
    expected = [
        f1_score(
            np.repeat([0, 0, 1, 1], np.ravel(confusion)), np.repeat([0, 1, 0, 1], np.ravel(confusion)), average="macro"
        )
        for confusion in confusions
    ]
    assert list(chosen.validation.values()) == pytest.approx(expected)
    assert {candidate.strategy for candidate in choice.candidates} == {"none", "focal", "thresholds"}
    kinds = {candidate.strategy: candidate.kind for candidate in choice.candidates}
    assert kinds == {"none": "plain training", "focal": "trained remedy", "thresholds": "post-hoc baseline"}


def test_test_decides_nothing():
    study, records = simulate_comparison(FOCAL_WINS)
    spoilt = [
        replace(
            record,
            evaluations=[
                each if each.split == "valid" else replace(each, confusion=[[0, 1], [1, 0]])
                for each in record.evaluations
            ],
        )
        for record in records
    ]
    (before, after) = (choose_on_validation(collect_results(study, of, [], [])) for of in (records, spoilt))
    assert before == after


@pytest.mark.parametrize("strategy", ["thresholds", "focal", "balanced-random-forest"])
def test_of_what_is_as_good_as_the_best_the_simplest_is_chosen(strategy):
    _, choice = choose({**PLAIN, (TREES, strategy): (2.02, 2.02)})
    assert choice.chosen.strategy == "none"
    assert strategy in {candidate.strategy for candidate in choice.tied}


def test_an_ensemble_is_the_last_resort():
    signals = {**PLAIN, (TREES, "focal"): (3.5, 3.5), (TREES, "balanced-random-forest"): (3.52, 3.52)}
    _, choice = choose(signals)
    assert (choice.chosen.strategy, choice.chosen.kind) == ("focal", "trained remedy")
    assert "balanced-random-forest" in {candidate.strategy for candidate in choice.tied}


def test_test_confirms_a_choice_and_compares_it_with_everything_simpler():
    results, choice = choose(FOCAL_WINS)
    report = report_on_test(results, choice)
    assert report.confirmation == "confirmed"
    assert [(each.role, each.learner, each.strategy) for each in report.differences] == [
        ("plain training", TREES, "none"),
        ("post-hoc baseline", TREES, "thresholds"),
        ("validation labels added", TREES, VALIDATION_LABELS_ADDED),
    ]
    task = TaskResults(results, results.study.tasks[1], {})
    difference = task.values.loc["focal"] - task.values.loc["none"]
    assert report.decisive.verdict.difference == pytest.approx(difference.mean())
    factor = 1 / 5 + 800 / 3200  # Nadeau and Bengio: test parts of 800 items, 3,200 others
    width = 2.776 * difference.std(ddof=1) * factor**0.5
    assert report.decisive.verdict.high == pytest.approx(difference.mean() + width, rel=1e-3)


@pytest.mark.parametrize(
    ("on_test", "confirmation", "words"),
    [
        (3.5, "confirmed", "Confirmed on test. Macro-F1 on test"),
        (2.0, "not confirmed", "Not confirmed on test: "),
        (0.5, "contradicted", "Contradicted on test: significantly worse."),
    ],
)
def test_what_test_says_of_a_remedy(on_test, confirmation, words):
    results, choice = choose({**PLAIN, (TREES, "focal"): (3.5, on_test)})
    assert choice.chosen.strategy == "focal"
    assert report_on_test(results, choice).confirmation == confirmation
    _, answer, said, *more = describe_choice(results, choice)
    assert (
        answer == f"fraud.csv: use {TREES} with focal (the best of 3 combinations of learner and remedy on validation)"
    )
    assert said.startswith(words)
    if "inconclusive" in said:
        sentence, command = more
        suggested = re.search(r"(\d+) seeds would decide", sentence)
        seeds = suggested[1] if suggested else 10  # twice as many, where no number can be named
        assert command == f"imbench compare fraud.csv --out results/fraud --seeds {seeds}"


def test_plain_training_is_kept_and_says_what_led():
    results, choice = choose({**PLAIN, (TREES, "focal"): (2.02, 2.0)})
    _, answer, said, *_ = describe_choice(results, choice)
    assert answer.startswith(f"fraud.csv: keep plain training, with {TREES} (2 of 3 combinations")
    assert f"focal with {TREES} is the best on validation, but not clearly" in said
    results, choice = choose({**PLAIN, (TREES, "focal"): (1.0, 1.0)})
    assert "no remedy is better on validation" in describe_choice(results, choice)[2]


@pytest.mark.parametrize("seeds", [1, 2])
def test_fewer_than_three_seeds_confirm_nothing_and_name_the_command(seeds):
    results, choice = choose({**PLAIN, (TREES, "focal"): (3.5, 3.5)}, seeds=seeds)
    assert choice.chosen.strategy == "focal"
    assert report_on_test(results, choice).confirmation == "too few seeds"
    *_, said, sentence, command = describe_choice(results, choice)
    assert "at least 3 are needed" in said
    assert "3 seeds" in sentence
    assert command.endswith("--seeds 3")


def test_one_seed_takes_the_margin_for_the_standard_error():
    study, records = simulate_comparison({**PLAIN, (TREES, "focal"): (3.5, 3.5)}, seeds=1)
    for margin, chosen in (0.05, "focal"), (0.9, "none"):
        results = collect_results(replace(study, margin=margin), records, [], [])
        assert choose_on_validation(results).chosen.strategy == chosen


def test_strategies_with_failed_runs_are_no_candidates_and_are_named():
    study, records = simulate_comparison(FOCAL_WINS)
    failed = f"fraud.csv with {TREES}/focal/3"
    records = [record for record in records if record.id != failed]
    failures = [Failure(failed, f"fraud.csv with {TREES}", "focal", 3, "out of memory")]
    results = collect_results(study, records, failures, [])
    choice = choose_on_validation(results)
    assert (TREES, "focal") not in {(candidate.learner, candidate.strategy) for candidate in choice.candidates}
    section = build_leaderboard(results, choice)
    assert f"focal with {TREES} (4 of 5 seeds: seed 3: out of memory)" in str(section.parts)


def test_a_choice_without_its_plain_training_says_that_nothing_can_be_compared():
    study, records = simulate_comparison(
        {(MLP, "none"): (1.0, 1.0), (TREES, "none"): (1.0, 1.0), (TREES, "focal"): (3.5, 3.5)}
    )
    records = [record for record in records if record.id != f"fraud.csv with {TREES}/none/0"]
    results = collect_results(study, records, [], [])
    choice = choose_on_validation(results)
    assert choice.chosen.strategy == "focal"
    assert "no comparison, because plain training" in describe_choice(results, choice)[2]


def test_nothing_that_has_finished_is_no_verdict(tmp_path):
    study, _ = simulate_comparison(PLAIN)
    results = collect_results(study, [], [], [])
    assert choose_on_validation(results) is None
    assert describe_choice(results, None) == [choice_wording.NO_CHOICE]
    assert choice_wording.NO_CHOICE in text_of(written(study, [], [], [], tmp_path))


def test_a_metric_that_test_does_not_have_is_no_verdict_and_says_why():
    study, records = simulate_comparison(FOCAL_WINS, metric="recall-at-precision(0.9)")
    records = [
        replace(record, evaluations=[replace(each, confusion=[[9, 0], [0, 0]]) for each in record.evaluations])
        for record in records
    ]
    results = collect_results(study, records, [], [])
    choice = choose_on_validation(results)
    assert choice is None
    assert "not defined without labels of both classes" in describe_choice(results, choice)[1]


@pytest.mark.parametrize("metric", SELECTABLE)
def test_every_metric_chooses(metric):
    study, records = simulate_comparison({**PLAIN, (TREES, "focal"): (4.0, 4.0)}, metric=metric)
    results = collect_results(study, records, [], [])
    choice = choose_on_validation(results)
    assert choice.chosen.strategy == "focal"
    assert describe_choice(results, choice)[2].startswith("Confirmed on test. ")
    assert build_leaderboard(results, choice).parts


def test_a_cost_is_better_where_it_is_lower(tmp_path):
    costs = tmp_path / "costs.csv"
    costs.write_text(",genuine,fraud\ngenuine,0,1\nfraud,20,0\n")
    study, records = simulate_comparison({**PLAIN, (TREES, "focal"): (4.0, 4.0)}, metric=str(costs))
    results = collect_results(study, records, [], [])
    choice = choose_on_validation(results)
    assert choice.chosen.strategy == "focal"
    assert choice.chosen is min(choice.candidates, key=lambda candidate: candidate.validation_mean)
    assert report_on_test(results, choice).confirmation == "confirmed"
    assert "(lower is better)" in build_leaderboard(results, choice).parts[0]


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """A comparison, its folder, and its page."""
    folder = tmp_path_factory.mktemp("page")
    study, records = simulate_comparison(FOCAL_WINS)
    return collect_results(study, records, [], []), folder, written(study, records, [], [], folder)


def test_the_page_opens_with_the_choice_and_shows_one_table_of_all(comparison):
    _, _, page = comparison
    text = text_of(page)
    assert text.index(f"Use {TREES} with focal") < text.index("the budget affords all")
    assert "Recommended:" not in text
    assert 'id="overview"' not in page
    assert "2 classes, genuine (901), fraud (226); 4.0 : 1" in text
    assert "2,400 training items, 800 for validation, 800 for test" in text
    assert re.search(r"400 test labels, \d+ of fraud, the rarest class in training", text)
    assert (
        "1 adjustment of finished logits and 1 trained remedy with 2 learners on fraud.csv, 5 seeds: chosen by" in text
    )
    assert "Cost: a run takes 1.50 times as long as plain training" in text
    assert "python use_it.py predict" in text
    rows = rows_of(page, "leaderboard")
    assert rows[0]["remedy"] == f"★ focal with {TREES}"
    assert rows[0]["time"] == "1.50"
    *candidates, added = rows
    validation = [float(row["validation"]) for row in candidates]
    assert validation == sorted(validation, reverse=True)
    assert len(candidates) == 5
    assert (added["remedy"], added["validation"]) == (
        f"baseline (validation labels added to training) with {TREES}",
        "-",
    )
    assert float(added["difference"]) > 0


def test_markdown_and_terminal_say_the_same_as_the_page(comparison):
    results, folder, page = comparison
    markdown = (folder / "report.md").read_text(encoding="utf-8").replace("\\", "")
    said = describe_choice(results, choose_on_validation(results))[2]
    assert said in text_of(page)
    assert said in markdown
    assert "★ focal with" in markdown
    assert markdown.index(f"**Use {TREES} with focal**") < markdown.index("the budget affords all")


def test_what_a_remedy_does_to_recall_and_probabilities_is_next_to_plain_training():
    study, records = simulate_comparison(FOCAL_WINS)
    results = collect_results(study, records, [], [])
    card = build_verdict(results, choose_on_validation(results), [])
    assert card.columns == ["mean on test", "plain training", "focal"]
    rows = {row[0]: row[1:] for row in card.measures}
    assert list(rows) == ["recall of genuine", "recall of fraud", "NLL", "Brier", "ECE"]
    confusions = np.array(
        [
            record.evaluation("chosen", "test").confusion
            for record in records
            if record.id.startswith(f"fraud.csv with {TREES}/focal/")
        ]
    )
    recall = np.mean(confusions[:, 1, 1] / confusions[:, 1].sum(axis=1))
    assert rows["recall of fraud"][1] == f"{recall:.3f}"
    assert any(line.startswith("Its probabilities are") for line in card.others)


def test_two_comparisons_differ_in_what_they_choose():
    (before, _), (after, _) = choose(PLAIN), choose({**PLAIN, (TREES, "focal"): (3.5, 3.5)})
    diff = diff_studies(before, after)
    assert ("chosen on validation", f"keep plain training, with {TREES}", f"use {TREES} with focal") in diff.conditions


def test_the_code_of_an_ensemble_runs_and_that_of_thresholds_is_about_thresholds():
    results, choice = choose({**PLAIN, (TREES, "balanced-random-forest"): (4.0, 4.0)})
    script, example = build_verdict(results, choice, []).code
    assert script.language == "sh"
    x, y = make_classification(200, weights=[0.9], random_state=0)
    names = {"estimator": HistGradientBoostingClassifier(), "train_x": x, "train_y": y}
    exec(example.code, names)
    assert names["model"].predict(x).shape == (200,)
    results, choice = choose({**PLAIN, (TREES, "thresholds"): (4.0, 4.0)})
    assert "fit_thresholds(" in build_verdict(results, choice, []).code[1].code


def scaled(records, labels):
    """Return the records with confusion matrices of two classes that hold so many labels of each, a third of them missed."""
    confusion = [
        [2 * labels[0] // 3, labels[0] - 2 * labels[0] // 3],
        [labels[1] - 2 * labels[1] // 3, 2 * labels[1] // 3],
    ]
    return [
        replace(record, evaluations=[replace(each, confusion=confusion) for each in record.evaluations])
        for record in records
    ]


def test_where_no_trained_remedy_was_tried_the_answer_says_so_and_what_to_type():
    study, records = simulate_comparison({**PLAIN, (TREES, "thresholds"): (0.5, 0.5)})
    study = replace(study, commands=["imbench compare fraud.csv --budget 20s"])
    results = collect_results(study, records, [], [])
    choice = choose_on_validation(results)
    _, answer, said, sentence, command = describe_choice(results, choice)
    untried = f"eep plain training, with {TREES}; no trained remedy was tried, only adjustments of plain training"
    assert untried in answer
    assert "no adjustment is better on validation" in said
    assert "no remedy is better" not in said
    assert (sentence, command) == (choice_wording.LARGER_BUDGET, "imbench compare fraud.csv --budget 120s")
    card = build_verdict(results, choice, [])
    assert card.recommended == f"K{untried}"
    assert card.commands == [command]
    assert introduce(results, choice).startswith(
        "1 adjustment of finished logits and 0 trained remedies with 2 learners"
    )
    only_plain, choice = choose(PLAIN)
    _, answer, said, *_ = describe_choice(only_plain, choice)
    assert "no remedy was tried" in answer
    assert "better" not in said


@pytest.mark.parametrize(("labels", "is_decided"), [((60, 2), False), ((60, 3), True)])
def test_fewer_than_three_labels_of_a_class_decide_nothing(labels, is_decided):
    study, records = simulate_comparison(FOCAL_WINS)
    results = collect_results(study, scaled(records, labels), [], [])
    choice = choose_on_validation(results)
    imbalance, answer, *_ = describe_choice(results, choice)
    card = build_verdict(results, choice, [])
    assert imbalance == "fraud.csv: 2 classes, genuine (901), fraud (226); 4.0 : 1; effective number of classes 1.65"
    assert tabulate_candidates(results, choice)["chosen"].any() == is_decided
    if not is_decided:
        assert answer == "fraud.csv: too few rows to decide: fraud has 2 labels in validation and 2 in test"
        assert (card.style, card.code, card.others) == ("open", [], [])
        assert "more than a third" in card.effect
        assert len(build_leaderboard(results, choice).parts[1].rows) == 6
    else:
        assert "too few rows" not in answer
        assert card.code


def test_a_model_below_the_trivial_one_is_called_worse():
    study, records = simulate_comparison(PLAIN)
    wrong = [
        replace(record, evaluations=[replace(each, confusion=[[0, 30], [30, 0]]) for each in record.evaluations])
        for record in records
    ]
    results = collect_results(study, wrong, [], [])
    alarms = build_verdict(results, choose_on_validation(results), []).alarms
    assert any("is worse than always predicting genuine" in alarm for alarm in alarms)


def test_no_interval_goes_beyond_what_a_difference_of_shares_can_be():
    study, records = simulate_comparison({**PLAIN, (TREES, "focal"): (3.5, 3.5)}, seeds=3)
    swung = [
        replace(
            record,
            evaluations=[
                each if each.split == "valid" or "focal" not in record.id else replace(each, confusion=confusion)
                for each in record.evaluations
            ],
        )
        for record in records
        for confusion in [[[50, 0], [0, 50]] if record.seed else [[0, 50], [50, 0]]]
    ]
    results = collect_results(study, swung, [], [])
    choice = choose_on_validation(results)
    table = tabulate_candidates(results, choice).set_index(["learner", "strategy"]).loc[TREES, "focal"]
    assert (table["low"], table["high"]) == (-1, 1)
    assert "interval -1.000 to +1.000" in describe_choice(results, choice)[2]


def test_the_page_names_no_script_for_a_module_of_the_user(tmp_path):
    study, records = simulate_comparison({(MLP, "none"): (1.5, 1.5), (MLP, "focal"): (3.5, 3.5)}, seeds=3)
    block = study.tasks[0].task
    (tmp_path / "own").mkdir()
    (tmp_path / "users").mkdir()
    assert "use_it.py" in text_of(written(study, records, [], [], tmp_path / "own"))
    users = replace(study, protocols={block: {**study.protocols[block], "model_source": "0" * 64}})
    assert "use_it.py" not in text_of(written(users, records, [], [], tmp_path / "users"))


def test_what_its_own_learner_beats_is_not_as_good_as_a_noisy_leader_of_another():
    rng = np.random.default_rng(0)
    share, noise = rng.normal(0, 0.05, 6), rng.normal(0, 0.2, 6)
    scores = {
        (MLP, "none", "plain training"): 0.70 + share,
        (MLP, "thresholds", "post-hoc baseline"): 0.80 + share + rng.normal(0, 0.002, 6),
        (TREES, "focal", "trained remedy"): 0.82 + share + noise - noise.mean(),
    }
    candidates = [
        Candidate(learner, learner, name, kind, name, "", "raw", {}, dict(enumerate(values)))
        for (learner, name, kind), values in scores.items()
    ]
    choice = choose_candidate(candidates, "up", "fixed", 0.01)
    assert choice.leader.learner == TREES
    assert choice.chosen.strategy == "thresholds"
    assert {candidate.strategy for candidate in choice.tied} == {"focal", "thresholds"}


FOUND_OF_FIVE = ((0, 3), (0, 6), (2, 9))
"""Of 5 frauds on validation: found, and called fraud, by the leader under three seeds; plain training finds none."""


def spoil_validation(records, learner, found):
    """The records with other confusion matrices on validation, 295 genuine and 5 fraudulent rows, for one learner."""
    changed = []
    for record in records:
        hits, called = found[record.seed] if record.task.endswith(learner) else (0, 0)
        confusion = [[295 - (called - hits), called - hits], [5 - hits, hits]]
        evaluations = [
            replace(each, confusion=confusion) if each.split == "valid" else each for each in record.evaluations
        ]
        changed.append(replace(record, evaluations=evaluations))
    return changed


@pytest.mark.parametrize(("seeds", "learner"), [(3, TREES), (1, MLP)])
def test_what_finds_no_item_of_a_class_is_not_as_good_as_what_finds_some(seeds, learner):
    study, records = simulate_comparison({(MLP, "none"): (1.5, 1.5), (TREES, "none"): (1.5, 1.5)}, seeds=seeds)
    found = (
        FOUND_OF_FIVE if seeds == 3 else ((0, 1),)
    )  # five labels in all tell nothing: MLP is not worse for finding none
    results = collect_results(study, spoil_validation(records, TREES, found), [], [])
    choice = choose_on_validation(results)
    assert choice.chosen.learner == learner
    if seeds == 3:
        assert [candidate.learner for candidate in choice.tied] == [TREES]
        assert choice.candidates[1].missed == {"fraud"}
