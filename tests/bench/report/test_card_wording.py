"""The text of a card, one for each kind of recommendation, and code that runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from simulated_study import (
    evaluation_with_correct,
    simulate_cost,
    simulate_record,
    simulate_study,
    study_with_levels,
    task_facts,
)

from bench.records.record import Cost, Evaluation, Record, Study
from bench.report import wording
from bench.report.frame import collect_results
from bench.report.recommendation import Recommendation, recommend
from bench.report.sections.card import Card, CodeExample, build_card
from bench.report.task_results import TaskResults
from bench.stats import compare


def card(planned: Study, records: list[Record], costs: list[Cost] | None = None) -> Card:
    task = TaskResults(collect_results(planned, records, [], costs or []), planned.tasks[0], {})
    return build_card(task, recommend(task), [], [])


def with_thresholds(planned: Study, records: list[Record], right: int) -> tuple[Study, list[Record]]:
    """The baseline evaluated with thresholds too, which get so many of 100 labels of each class right."""
    facts = planned.tasks[0]
    planned = replace(planned, strategies=[replace(row, post_hoc={"thresholds": None}) for row in planned.strategies])
    return planned, [
        replace(
            record,
            evaluations=[
                *record.evaluations,
                *(
                    [replace(evaluation_with_correct(facts, right, record.seed), adjustment="thresholds")]
                    if record.strategy == "none"
                    else []
                ),
            ],
        )
        for record in records
    ]


def shaky(planned: Study, records: list[Record], strategy: str, right: list[int]) -> tuple[Study, list[Record]]:
    """A strategy with so many of 100 labels of each class right, by seed."""
    facts = planned.tasks[0]
    return planned, [
        replace(record, evaluations=[evaluation_with_correct(facts, right[record.seed], 0)])
        if record.strategy == strategy
        else record
        for record in records
    ]


def trained() -> Card:
    planned, records = study_with_levels({"none": 60, "focal": 90, "smote": 70, "mixup": 40})
    return card(planned, records, [simulate_cost("tags", "focal")])


def post_hoc() -> Card:
    return card(*with_thresholds(*study_with_levels({"none": 60, "focal": 80}), 90))


def inconclusive(margin: float | None = None) -> Card:
    planned, records = shaky(*study_with_levels({"none": 60, "focal": 60, "smote": 50}), "focal", [60, 66, 58, 66, 60])
    return card(replace(planned, margin=margin), records)


def equivalent() -> Card:
    return inconclusive(margin=0.1)


def labels_added(right: int = 90, thresholds: int = 80, focal: int = 70) -> Card:
    """Plain training with the validation labels added has so many of 100 labels right, and each remedy so many."""
    levels = {"none": 60, "none+validation-labels": right, "focal": focal}
    return card(*with_thresholds(*study_with_levels(levels), thresholds))


def all_worse() -> Card:
    return card(*study_with_levels({"none": 90, "focal": 60, "smote": 50}))


def too_few_seeds() -> Card:
    return card(*shaky(*study_with_levels({"none": 60, "focal": 60}, seeds=2), "focal", [60, 66]))


def no_family() -> Card:
    planned, records = study_with_levels({"none": 60, "focal": 90})
    return card(replace(planned, primary={"tags": []}), records)


def one_seed() -> Card:
    return card(*study_with_levels({"none": 60, "focal": 90}, seeds=1))


@pytest.mark.parametrize(
    ("right", "line"),
    [
        (75, "Spending the validation labels on plain training instead: +0.16"),
        (50, ""),
    ],
)
def test_a_card_says_what_the_validation_labels_are_worth_in_training(right: int, line: str) -> None:
    found = labels_added(right)
    assert found.recommended == "Recommended: thresholds"
    assert "best of 2 remedies" in found.effect  # what the labels are worth is no remedy
    assert [text for text in found.others if "validation" in text] == ([line] if line else [])


def test_a_trained_remedy_stays_recommended_where_the_validation_labels_are_worth_more() -> None:
    found = labels_added(right=90, thresholds=70, focal=80)
    assert found.recommended == "Recommended: focal"
    assert found.others[-1] == "Spending the validation labels on plain training instead: +0.30, better than focal"


def test_labels_added_are_recommended_where_no_remedy_is_better_than_plain_training() -> None:
    found = labels_added(right=90, thresholds=50, focal=50)
    assert found.recommended == "Recommended: plain training, with the validation labels added"
    assert found.effect == "Macro-F1 0.610 → 0.912 (+0.301, 95% interval +0.299 to +0.304, 5 seeds)"


def one_seed_reason() -> str:
    """Why one seed has no verdict, as the statistics say it."""
    reason = compare(pd.DataFrame([[0.6], [0.9]], ["none", "focal"], [0]), baseline="none", primary=[], split="fixed")
    return wording.sentence(reason.verdicts[0].reason)


def better_than_a_better_one() -> Card:
    """Thresholds are not significantly better than plain training, but focal is, and thresholds are better than focal."""
    planned, records = with_thresholds(*study_with_levels({"none": 60, "focal": 61}), 60)
    task = TaskResults(collect_results(planned, records, [], []), planned.tasks[0], {})
    thresholds = replace(task.verdicts["thresholds"], outcome="inconclusive", adjusted_p=0.2)
    against = replace(task.verdicts["focal"], outcome="worse")
    return build_card(task, Recommendation("use the remedy", thresholds, "focal", against), [], [])


CARDS: dict[str, tuple[Callable[[], Card], str, list[str]]] = {
    "a trained remedy": (
        trained,
        "use",
        [
            "Recommended: focal",
            "Macro-F1 0.610 → 0.912 (+0.301, 95% interval +0.299 to +0.304, 5 seeds); best of 3 remedies",
            "Cost: training with the remedy, relative step time 1.25",
            "Also better than plain training: smote (+0.09)",
            "Worse than plain training: mixup (-0.20)",
        ],
    ),
    "a post-hoc baseline": (
        post_hoc,
        "use",
        [
            "Recommended: thresholds",
            "tune per-class thresholds after training",
            "Macro-F1 0.610 → 0.912 (+0.301, 95% interval +0.299 to +0.303, 5 seeds); best of 2 remedies",
            "Cost: no extra training; uses the validation labels",
            "Also better than plain training: focal (+0.20)",
        ],
    ),
    "a post-hoc baseline that only beats a trained remedy": (
        better_than_a_better_one,
        "use",
        [
            "Recommended: thresholds",
            "tune per-class thresholds after training",
            "Macro-F1 0.610 → 0.610 (+0.000, no interval, 5 seeds); inconclusive compared with plain training, but better "
            "than focal, which is better than plain training",
            "Cost: no extra training; uses the validation labels",
            "Also better than plain training: focal (+0.01)",
        ],
    ),
    "validation labels that are worth more in training than for thresholds": (
        labels_added,
        "use",
        [
            "Recommended: plain training, with the validation labels added",
            "choose the number of steps on validation, then train anew for so many steps on training and validation data "
            "together",
            "Macro-F1 0.610 → 0.912 (+0.301, 95% interval +0.299 to +0.304, 5 seeds); better than thresholds, the best remedy",
            "Cost: one more training run; leaves no labels to validate on afterwards",
            "Also better than plain training: thresholds (+0.20), focal (+0.09)",
        ],
    ),
    "nothing is significantly better": (
        inconclusive,
        "open",
        [
            "Inconclusive: no recommendation yet",
            "Leading of 2 remedies, focal: macro-F1 0.610 → 0.620 (+0.010, 95% interval -0.042 to +0.061, 5 seeds), "
            "inconclusive",
            "Worse than plain training: smote (-0.11)",
        ],
    ),
    "remedies are equivalent or worse": (
        equivalent,
        "keep",
        [
            "Recommended: keep plain training",
            "All 2 remedies are worse or equivalent; best of 2 remedies, focal: "
            "macro-F1 0.610 → 0.620 (+0.010, 95% interval -0.042 to +0.061, 5 seeds), equivalent (within ±0.1)",
            "Worse than plain training: smote (-0.11)",
        ],
    ),
    "all remedies are worse": (
        all_worse,
        "keep",
        [
            "Recommended: keep plain training",
            "All 2 remedies are significantly worse; the least harmful, focal: "
            "macro-F1 0.912 → 0.611 (-0.300, 95% interval -0.303 to -0.298, 5 seeds)",
            "Worse than plain training: smote (-0.41)",
        ],
    ),
    "too few seeds": (
        too_few_seeds,
        "open",
        [
            "Too few seeds for a recommendation",
            "There are 2 seeds, and at least 3 are needed. The only remedy, focal: "
            "macro-F1 0.608 → 0.630 (+0.022, 95% interval -0.257 to +0.300, 2 seeds)",
        ],
    ),
    "one seed": (
        one_seed,
        "open",
        [
            "Too few seeds for a recommendation",
            f"{one_seed_reason()} The only remedy, focal: macro-F1 0.600 → 0.900 (+0.300, no interval, 1 seed)",
        ],
    ),
    "no verdict in the family": (
        no_family,
        "open",
        ["No recommendation", "No remedy of the primary family has finished all its seeds."],
    ),
}


@pytest.mark.parametrize("kind", CARDS)
def test_a_card_reads(kind: str) -> None:
    build, style, expected = CARDS[kind]
    found = build()
    assert found.style == style
    assert (
        found.summary
        == "1,000 training items, 3 classes, largest to smallest 8.9 : 1; 125 validation labels, 11 of the rarest class"
    )
    lines = [found.recommended, found.description, found.effect, found.cost, *found.others]
    assert [line for line in lines if line] == expected


def study_with_values(values: dict[str, list[float]]) -> tuple[Study, list[Record]]:
    """A study in which each strategy has these values of macro-F1 and accuracy, by seed."""

    def with_value(record: Record, value: float) -> Record:
        right = round(value * 100_000)
        confusion = np.full((3, 3), (100_000 - right) // 2)
        np.fill_diagonal(confusion, right)
        return replace(record, evaluations=[Evaluation("chosen", "test", confusion.tolist(), 0.1)])

    planned, records = study_with_levels(dict.fromkeys(values, 60), seeds=len(next(iter(values.values()))))
    return planned, [with_value(record, values[record.strategy][record.seed]) for record in records]


WINDOWS = [0.01237, 0.00743, -0.00303, 0.00656, 0.00366, 0.01224, 0.00648, 0.00024, 0.00744, 0.0036]
"""Differences by seed such that five seeds have p = .10 and ten have p = .005, as thresholds had on windows of CoNLL-2003."""


def windows(seeds: int) -> Card:
    plain = [0.790 + 0.002 * (seed % 3) for seed in range(seeds)]
    remedy = [value + difference for value, difference in zip(plain, WINDOWS[:seeds], strict=True)]
    planned, records = study_with_values({"none": plain, "focal": remedy})
    return card(replace(planned, commands=["imbench run quick --task tags --out results/quick-cpu"]), records)


def test_five_seeds_that_do_not_decide_say_what_would() -> None:
    found = windows(5)
    assert (found.style, found.recommended) == ("open", "Inconclusive: no recommendation yet")
    assert found.effect == (
        "The only remedy, focal: macro-F1 0.792 → 0.797 (+0.005, 95% interval -0.002 to +0.012, 5 seeds), inconclusive"
    )
    assert found.next_step == (
        "10 seeds would decide with 80% probability whether focal is better than plain training, worse, or equivalent "
        "(within ±0.01)."
    )
    assert found.commands == ["imbench run quick --task tags --out results/quick-cpu --seeds 10"]


def test_ten_seeds_decide_and_a_gain_within_the_margin_is_called_small() -> None:
    found = windows(10)
    assert (found.style, found.recommended, found.next_step, found.commands) == ("use", "Recommended: focal", "", [])
    assert found.effect == (
        "Macro-F1 0.792 → 0.798 (+0.006, 95% interval +0.002 to +0.009, 10 seeds); the only remedy; "
        "the whole interval lies within the margin of 0.01"
    )


def fraud(right: list[int], *, predicted: int = 0) -> Card:
    """A table of 9,900 and 100 rows, of which a remedy finds so many of the rare ones by seed, and plain training none."""
    facts = replace(task_facts("fraud", ["valid", "fraud"]), class_counts=[9900, 100])
    planned = replace(simulate_study([facts], ["none", "focal"], seeds=len(right)), commands=["imbench run quick"])
    plain = [[9900 - predicted, predicted], [100, 0]]

    def evaluated(record: Record) -> Record:
        hits = right[record.seed]
        confusion = plain if record.strategy == "none" else [[9900 - hits, hits], [100 - hits, hits]]
        return replace(record, evaluations=[Evaluation("chosen", "test", confusion, 0.1)])

    records = [
        evaluated(simulate_record(facts, strategy, seed))
        for strategy in ("none", "focal")
        for seed in range(len(right))
    ]
    return card(planned, records)


def test_plain_training_that_finds_nothing_is_never_recommended_for_want_of_seeds() -> None:
    found = fraud([2, 42, 82])
    assert found.recommended == "Inconclusive: no recommendation yet"
    assert found.alarms == [
        "Plain training never predicts fraud (3 of 3 seeds).",
        "Plain training is hardly better than always predicting valid, the most frequent class: macro-F1 0.497 against 0.497 "
        "on test.",
    ]
    assert fraud([40, 42, 44], predicted=3).alarms == [], "of the recommended model"
    assert fraud([2, 42, 82], predicted=3).alarms[0] == "Plain training finds no label of fraud (3 of 3 seeds)."


def test_few_seeds_that_vary_much_promise_no_number_and_suggest_twice_as_many() -> None:
    found = fraud([2, 42, 82])
    assert found.next_step == (
        "3 seeds do not show how many are needed to decide whether focal is better than plain training; it may be more than 100."
    )
    assert found.commands == ["imbench run quick --seeds 6"]
    assert fraud([60, 62, 70, 66, 64, 70]).recommended == "Recommended: focal", "a few more may decide"


def test_a_recommended_model_that_never_predicts_a_class_under_some_seed_has_a_warning() -> None:
    planned, records = study_with_levels({"none": 30, "focal": 90})
    lost = [[95, 5, 0], [5, 95, 0], [10, 90, 0]]
    records = [
        replace(record, evaluations=[replace(record.evaluations[0], confusion=lost)])
        if (record.strategy, record.seed) == ("focal", 2)
        else record
        for record in records
    ]
    found = card(planned, records)
    assert (found.recommended, found.alarms) == ("Recommended: focal", ["Focal never predicts LOC (1 of 5 seeds)."])


def test_a_tagger_is_compared_with_each_words_most_frequent_tag() -> None:
    planned, records = study_with_levels({"none": 60, "focal": 90})

    def alarms(level: float) -> list[str]:
        facts = replace(planned.tasks[0], baseline={"macro_f1": level, "accuracy": 0.9})
        return card(replace(planned, tasks=[facts]), records).alarms

    assert alarms(0.8) == []
    assert alarms(0.905) == [
        "Focal is hardly better than giving each word its most frequent tag: macro-F1 0.912 against 0.905 on test."
    ]


class Model:
    """A linear model with the last layer that the code names."""

    def __init__(self) -> None:
        self.head = torch.nn.Linear(4, 3)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(x)
        return logits


def post_hoc_on_balanced_data() -> Card:
    planned, records = with_thresholds(*study_with_levels({"none": 60, "focal": 80}), 90)
    return card(replace(planned, tasks=[replace(facts, prior="balanced") for facts in planned.tasks]), records)


def prior_correction() -> Card:
    code = wording.CODE_ADJUSTED.format(
        head=wording.CODE_HEAD,
        train_prior=wording.CODE_PLAIN_PRIOR,
        target_prior=wording.CODE_TARGET_PRIORS["balanced"],
        adjustment="prior-correction",
    )
    return replace(post_hoc(), code=[CodeExample(code, "")])


@pytest.mark.filterwarnings("ignore:thresholds. offsets gained no:strategies.StrategyWarning")
@pytest.mark.parametrize("build", [trained, post_hoc, post_hoc_on_balanced_data, prior_correction, labels_added])
def test_the_code_of_a_card_runs(build: Callable[[], Card], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    generator = torch.Generator().manual_seed(0)
    model = Model()
    names = {
        "model": model,
        "optimizer": torch.optim.SGD(model.head.parameters(), lr=0.1),
        "train_x": torch.randn(60, 4, generator=generator),
        "train_y": torch.arange(60) % 3,
        "class_names": ["a", "b", "c"],
        "valid_x": torch.randn(30, 4, generator=generator),
        "valid_y": torch.arange(30) % 3,
        "best_step": 3,
        "valid_logits": torch.randn(30, 3, generator=generator),
        "logits": torch.randn(10, 3, generator=generator),
    }
    examples = build().code
    assert examples
    if build is post_hoc_on_balanced_data:
        assert "target_prior=[1 / 3] * 3" in examples[0].code
    for example in examples:
        one_label = torch.arange(60) % 3
        many_labels = {"train_y": one_label.unsqueeze(1).tolist(), "targets": one_label}
        exec(example.code, names | (many_labels if "Labels.packed" in example.code else {"train_y": one_label}))
