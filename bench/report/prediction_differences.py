"""The test labels that a strategy and the baseline predict most differently, over all seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.records.predictions import PredictedClasses, TrueClasses
from bench.records.record import RAW
from bench.report.task_results import TaskResults
from bench.report.titles import BASELINE

AROUND = 4
"""Words of a sentence that are shown on either side of a tagged one."""


class ClassInSeeds(NamedTuple):
    """A class that a strategy predicts for a label, and under how many of the seeds that have the label in test."""

    name: str
    seeds: int


@dataclass(frozen=True)
class DifferingItem:
    """A test label, and what two strategies predict for it."""

    number: int
    """Of the row in the user's file, or the place in test."""
    text: str
    """Empty where there is none."""
    truth: str
    ours: ClassInSeeds
    theirs: ClassInSeeds
    seeds: int
    """How many seeds have it in test."""


@dataclass(frozen=True)
class PredictionDifferences:
    """Where a strategy and the baseline differ on test."""

    gained: float
    """Labels that the strategy gets right and the baseline wrong; mean over seeds."""
    lost: float
    """The other way round."""
    labels: float
    """Labels of a test part; mean over seeds."""
    better: list[DifferingItem]
    """Those that the strategy gets right under most more seeds than the baseline."""
    worse: list[DifferingItem]
    """The other way round."""
    are_rows: bool
    """Whether the items' numbers are those of rows in the user's file."""


class _Pair(NamedTuple):
    truth: TrueClasses
    ours: np.ndarray
    theirs: np.ndarray
    surer: np.ndarray
    """How much more probable the truth is to the strategy than to the baseline, (L,); 0 where that was not kept."""


def find_differences(task: TaskResults, strategy: str, most: int) -> PredictionDifferences | None:
    """Return where a strategy differs from the baseline, and up to `most` labels of either direction.

    None where a seed's predictions were not kept, or where the seeds' test parts differ and their items have no numbers.
    """
    pairs = _pairs(task, strategy)
    if not pairs:
        return None
    by_seed = [_frame(pair) for pair in pairs]
    differing = np.unique(np.concatenate([frame["item"][frame.gain != 0] for frame in by_seed]))
    labels = pd.concat([frame[frame["item"].isin(differing)] for frame in by_seed])
    by_item = labels.groupby("item", sort=True).agg(
        gain=("gain", "mean"), seeds=("gain", "size"), surer=("surer", "mean"), place=("place", "first")
    )
    order = by_item.assign(size=by_item.gain.abs(), clear=by_item.surer * np.sign(by_item.gain)).sort_values(
        ["size", "seeds", "clear"], ascending=False, kind="stable"
    )
    better, worse = order[order.gain > 0].index[:most], order[order.gain < 0].index[:most]
    shown = labels[labels["item"].isin([*better, *worse])].groupby("item")
    items = {int(str(number)): _describe(int(str(number)), rows, pairs, task) for number, rows in shown}
    return PredictionDifferences(
        gained=float(np.mean([(frame.gain > 0).sum() for frame in by_seed])),
        lost=float(np.mean([(frame.gain < 0).sum() for frame in by_seed])),
        labels=float(np.mean([len(frame) for frame in by_seed])),
        better=[items[number] for number in better],
        worse=[items[number] for number in worse],
        are_rows=pairs[0].truth.rows is not None,
    )


def _pairs(task: TaskResults, strategy: str) -> list[_Pair]:
    """Return the predictions of both for every seed of the strategy; none where some are missing, or do not fit together."""
    outcome, baseline = task.outcomes[strategy], task.outcomes.get(BASELINE)
    pairs = []
    for seed, record in outcome.records.items():
        if baseline is None or seed not in baseline.records:
            return []
        ours = task.results.predictions(record.id)
        theirs = task.results.predictions(baseline.records[seed].id)
        adjustment = outcome.planned.adjustment
        if ours is None or theirs is None or adjustment not in ours.classes:
            return []
        if not np.array_equal(ours.truth.classes, theirs.truth.classes):
            return []
        surer = _surer(ours, theirs) if adjustment == RAW else np.zeros(len(ours.truth.classes), np.float32)
        pairs.append(_Pair(ours.truth, ours.classes[adjustment], theirs.classes[RAW], surer))
    # Without rows, items are known to be the same only where all seeds share one test part.
    same_items = all(
        pair.truth.rows is not None
        or (task.facts.resplit is None and np.array_equal(pair.truth.classes, pairs[0].truth.classes))
        for pair in pairs
    )
    return pairs if same_items else []


def _surer(ours: PredictedClasses, theirs: PredictedClasses) -> np.ndarray:
    truth = ours.truth.classes.astype(np.int64)
    if ours.probabilities is None or theirs.probabilities is None:
        return np.zeros(len(truth), np.float32)
    label = np.arange(len(truth))
    difference: np.ndarray = ours.probabilities[label, truth].astype(np.float32) - theirs.probabilities[label, truth]
    return difference


def _frame(pair: _Pair) -> pd.DataFrame:
    """Return the labels of a seed, one a row; `gain` is 1 where only the strategy is right, -1 where only the baseline is."""
    truth = pair.truth.classes
    gain = (pair.ours == truth).astype(np.int8) - (pair.theirs == truth).astype(np.int8)
    return pd.DataFrame(
        {
            "item": pair.truth.items.astype(np.int64),
            "place": np.arange(len(truth)),
            "gain": gain,
            "surer": pair.surer,
            "ours": pair.ours,
            "theirs": pair.theirs,
            "truth": truth,
        }
    )


def _describe(number: int, rows: pd.DataFrame, pairs: Sequence[_Pair], task: TaskResults) -> DifferingItem:
    names, place = task.facts.class_names, int(rows.place.iloc[0])
    truth = next(pair.truth for pair in pairs if place < len(pair.truth.classes) and pair.truth.items[place] == number)
    ours, theirs = (rows[who].value_counts() for who in ("ours", "theirs"))
    return DifferingItem(
        number,
        _text(truth, place),
        names[int(rows.truth.iloc[0])],
        ClassInSeeds(names[int(ours.index[0])], int(ours.iloc[0])),
        ClassInSeeds(names[int(theirs.index[0])], int(theirs.iloc[0])),
        len(rows),
    )


def _text(truth: TrueClasses, place: int) -> str:
    """Return the text of a label: of a tagged word, in brackets, with words of its sentence around it."""
    if truth.texts is None:
        return ""
    if truth.sentences is None:
        return truth.texts[place]
    sentence = int(np.searchsorted(truth.sentences, place, side="right")) - 1
    begin, end = int(truth.sentences[sentence]), int(truth.sentences[sentence + 1])
    first, last = max(begin, place - AROUND), min(end, place + AROUND + 1)
    words = [*truth.texts[first:place], f"[{truth.texts[place]}]", *truth.texts[place + 1 : last]]
    return " ".join([*(["…"] if first > begin else []), *words, *(["…"] if last < end else [])])
