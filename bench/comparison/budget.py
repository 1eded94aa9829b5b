"""What a time budget affords: which strategies, how many seeds, and how many training steps, from measured times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from bench.errors import InputError
from bench.text.numbers import format_duration, plural

DEFAULT_BUDGET = "5m"
SEEDS = 5
"""Seeds where the budget affords them."""
FEWEST_SEEDS = 3
"""The fewest seeds with which remedies are compared: with two, no difference is significant."""
LEVELS = ((5, 6), (4, 4), (3, 2))
"""Seeds, and the remedies per learner that are to be tried with them before a seed is given up for more remedies."""
STEP_SHARES = (1.0, 0.5, 0.25)
"""Shares of the training steps; fewer steps are the last thing to save on."""

AFTER_TRAINING_SECONDS = 15.0
"""For the report and the script."""

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


def parse_budget(text: str) -> float:
    """Return the seconds of a budget such as 90s, 5m or 1.5h.

    >>> parse_budget("90s"), parse_budget("5m"), parse_budget("1.5h")
    (90.0, 300.0, 5400.0)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|min|h)\s*", text.lower())
    if match is None or not float(match[1]):
        raise InputError(f"--budget {text}: give a number with its unit, such as 90s, 5m or 1h")
    return float(match[1]) * _UNITS[match[2]]


def pilot_seconds(budget_seconds: float) -> float:
    """Return how long first fits of an estimator may take, whose times decide how many more there are."""
    return 0.15 * budget_seconds


def training_seconds(seconds_left: float) -> float:
    """Return the part of the time that is left for training; the rest is for costs, the report and the script."""
    return 0.8 * (seconds_left - AFTER_TRAINING_SECONDS)


@dataclass(frozen=True)
class RunTime:
    """Seconds that one run of a strategy takes a worker: what does not depend on the steps, and all steps together."""

    fixed_seconds: float
    step_seconds: float = 0.0
    done: int = 0
    """Seeds whose runs an earlier command has done already."""

    def seconds(self, step_share: float) -> float:
        """Return the seconds of a run with this share of the steps."""
        return self.fixed_seconds + step_share * self.step_seconds


Times = Mapping[str, RunTime]
"""The time of a run by strategy, plain training (`none`) first, the others in the order of priority."""


@dataclass(frozen=True)
class Afforded:
    """What a comparison does in its time."""

    seeds: int
    step_share: float
    strategies: Mapping[str, tuple[str, ...]]
    """The trained strategies by learner, plain training first."""
    left_out: Mapping[str, tuple[str, ...]]
    seconds: float
    """How long all runs will take."""
    fits: bool
    """Whether that is within the time."""


def afford(
    times_by_learner: Mapping[str, Times],
    seconds: float,
    workers: int,
    *,
    seeds: int | None = None,
    keep_all: bool = False,
    keep_steps: bool = False,
) -> Afforded:
    """Return the most that the time affords.

    Five seeds are kept as long as six remedies per learner can be tried, then four seeds for four remedies, then three for two,
    and only then are the training steps halved. Of the remedies, the first in the order of priority that still fit are tried.
    `seeds` fixes the seeds, and keeps the strategies that an earlier command has begun; `keep_all` fixes the strategies,
    `keep_steps` the steps. Where nothing fits, the least is returned: plain
    training and what costs no training, with three seeds.

    >>> afford({"mlp": {"none": RunTime(1.0), "focal": RunTime(1.0), "smote": RunTime(9.0)}}, 16.0, workers=1).strategies
    {'mlp': ('none', 'focal')}
    """
    levels: Sequence[tuple[int, int]] = LEVELS if seeds is None else [(seeds, fewest) for _, fewest in LEVELS]
    # Estimators have no steps to save on.
    has_steps = any(time.step_seconds for times in times_by_learner.values() for time in times.values())
    step_shares = STEP_SHARES if has_steps and not keep_steps else STEP_SHARES[:1]
    for step_share, (level_seeds, fewest) in product(step_shares, levels):
        afforded = _fill(
            times_by_learner, seconds, workers, level_seeds, step_share, keep_all=keep_all, keep_done=seeds is not None
        )
        if afforded.fits and all(
            len(afforded.strategies[learner]) > min(fewest, _count_possible(times, seconds, workers))
            for learner, times in times_by_learner.items()
        ):
            return afforded
    return _fill(
        times_by_learner,
        seconds,
        workers,
        seeds or FEWEST_SEEDS,
        step_shares[-1],
        keep_all=keep_all,
        keep_done=seeds is not None,
    )


def _count_possible(times: Times, seconds: float, workers: int) -> int:
    """Return the number of remedies that fit next to plain training with the fewest seeds and steps, each alone.

    One that never fits is no reason to give up seeds or steps.
    """
    share = STEP_SHARES[-1]
    spare = seconds - 2 * FEWEST_SEEDS * times["none"].seconds(share) / workers
    return sum(FEWEST_SEEDS * time.seconds(share) / workers <= spare for name, time in times.items() if name != "none")


def _fill(
    times_by_learner: Mapping[str, Times],
    seconds: float,
    workers: int,
    seeds: int,
    step_share: float,
    *,
    keep_all: bool,
    keep_done: bool,
) -> Afforded:
    """Take strategies in the order of priority, a place of every learner at a time, as long as they fit."""
    taken: dict[str, list[str]] = {learner: [] for learner in times_by_learner}
    left_out: dict[str, list[str]] = {learner: [] for learner in times_by_learner}
    total = 0.0
    for place in range(max(map(len, times_by_learner.values()))):
        for learner, times in times_by_learner.items():
            if place >= len(times):
                continue
            strategy, time = list(times.items())[place]
            left = max(0, seeds - time.done)
            # Plain training is trained with validation labels added, too.
            runs = 2 * left if strategy == "none" else left
            more = runs * time.seconds(step_share) / min(workers, runs) if runs else 0.0
            is_kept = keep_all or strategy == "none" or (keep_done and time.done > 0)
            if is_kept or total + more <= seconds:
                taken[learner].append(strategy)
                total += more
            else:
                left_out[learner].append(strategy)
    return Afforded(
        seeds,
        step_share,
        {learner: tuple(names) for learner, names in taken.items()},
        {learner: tuple(names) for learner, names in left_out.items()},
        total,
        total <= seconds,
    )


def describe(afforded: Afforded, budget_seconds: float, seconds_left: float, share_before: float = 1.0) -> str:
    """Return in a sentence what the budget affords, and what is left out.

    `seconds_left` are those before training; `share_before` is the share of the usual steps of runs that are there already.
    """
    parts = [f"{plural(len(names) - 1, 'remedy')} with {learner}" for learner, names in afforded.strategies.items()]
    text = f"a budget of {format_duration(budget_seconds)} affords {plural(afforded.seeds, 'seed')} of {' and '.join(parts)}"
    if (share := afforded.step_share * share_before) < 1:
        text += f", trained for {share:.0%} of the usual steps"
    if share_before < 1:
        text += ", as the runs that are there (all steps: another --out)"
    left_out = [f"{', '.join(names)} with {learner}" for learner, names in afforded.left_out.items() if names]
    if left_out:
        text += f"; left out: {'; '.join(left_out)} (a larger --budget adds them)"
    if not afforded.fits:
        over = afforded.seconds + AFTER_TRAINING_SECONDS - seconds_left
        text += f"; even that takes longer than the budget, by about {format_duration(max(over, 1.0))}"
    return text
