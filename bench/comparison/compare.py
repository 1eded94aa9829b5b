"""`bench.compare`: a frame, arrays or a file in, a verdict out."""

from __future__ import annotations

import dataclasses
import html
import os
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from bench.comparison.budget import DEFAULT_BUDGET, parse_budget
from bench.comparison.comparison_run import (
    FinishedComparison,
    Options,
    default_directory,
    prepare_comparison,
    run_comparison,
)
from bench.comparison.given_data import keep_data
from bench.report.choice_on_test import has_enough_rows
from bench.report.results_directory import load_study
from bench.report.sections.comparison_verdict import tabulate_candidates
from bench.report.validation_choice import Candidate, Choice
from bench.terminal.console import Activity, make_console
from bench.terminal.progress import StudyDisplay
from bench.user_data.source import find_source

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class ComparisonResult:
    """What `bench.compare` found: print it, or show it in a notebook."""

    _finished: FinishedComparison

    @property
    def summary(self) -> str:
        """The verdict in a few lines."""
        return "\n".join(self._finished.summary)

    @property
    def choice(self) -> Choice | None:
        """The learner and the strategy that were chosen on validation; None if no strategy has finished."""
        return self._finished.choice

    @property
    def learner(self) -> str | None:
        """The model to use; None if no strategy has finished, or there are too few rows to decide."""
        return None if self._recommended is None else self._recommended.learner

    @property
    def strategy(self) -> str | None:
        """The strategy to use, `none` for plain training; None as for `learner`."""
        return None if self._recommended is None else self._recommended.strategy

    @cached_property
    def _recommended(self) -> Candidate | None:
        choice = self.choice
        is_decided = choice is not None and has_enough_rows(load_study(self._finished.store).results(), choice)
        return choice.chosen if choice is not None and is_decided else None

    @cached_property
    def table(self) -> pd.DataFrame:
        """A row per learner and strategy with its metric on validation and test, the best on validation first.

        `bench.report.sections.comparison_verdict.tabulate_candidates` describes the columns. Empty if no strategy has finished.
        """
        import pandas as pd

        results, choice = load_study(self._finished.store).results(), self._finished.choice
        return pd.DataFrame() if choice is None else tabulate_candidates(results, choice)

    @property
    def script(self) -> Path | None:
        """A program that trains the winner on the data, and uses it on new data; None where there is none."""
        return self._finished.script

    @property
    def page(self) -> Path:
        """The report: one HTML file that opens without a network."""
        return self._finished.page

    def __repr__(self) -> str:
        return f"ComparisonResult(learner={self.learner!r}, strategy={self.strategy!r}, page={str(self.page)!r})"

    def __str__(self) -> str:
        return "\n".join([self.summary, *self._finished.files])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def compare(
    data: Any,
    target: Any = None,
    *,
    text: str = "",
    groups: Any = None,
    time: Any = None,
    valid: str | os.PathLike[str] = "",
    test: str | os.PathLike[str] = "",
    drop: Sequence[str] = (),
    sample_by_class: int | None = None,
    features: str = "ngrams",
    metric: str | None = None,
    margin: float | None = None,
    budget: str | float = DEFAULT_BUDGET,
    seeds: int | None = None,
    models: Sequence[str] = (),
    strategies: Sequence[str] = (),
    device: str = "cpu",
    workers: int | None = None,
    out: str | os.PathLike[str] | None = None,
    progress: bool = True,
) -> ComparisonResult:
    """Compare learners and remedies for class imbalance on data, and say which to use.

    Parameters
    ----------
    data
        A data frame; features `(N, F)` as a numpy array, a scipy sparse matrix or a torch tensor; or the path of a table, an
        `.npz` file or a tagged corpus. What is not a path is written to the results directory, from which workers read it.
    target
        The name of a column, or the labels `(N,)`.
    text
        The name of a column of texts to predict from.
    groups, time
        The name of a column, or values `(N,)`: rows of one group stay in one part; training has the earliest rows.
    valid, test
        Files with the rows of these parts; otherwise they are split off.
    drop
        Columns that are not used.
    sample_by_class
        How many rows are used, chosen at random so that each class keeps its share; all by default.
    features
        How the column of texts becomes numbers: `"ngrams"`, hashed words and pairs; or `"minilm"`, frozen sentence embeddings.
    metric, margin
        What decides, macro-F1 by default, and the difference in it that is too small to matter, .01 by default.
    budget
        The time that all may take: `"5m"`, or seconds.
    seeds
        Seeds 0 to `seeds` - 1; by default what the budget affords, three at least.
    models, strategies
        Learners and remedies in place of those for the kind of data.
    device, workers
        Where the neural models are trained, and how many processes train at a time: one per core by default.
    out
        The results directory. A directory that holds the comparison of the same data is resumed.
    progress
        Whether progress is printed.

    Raises
    ------
    bench.errors.InputError
        If the data or an argument cannot be used; the message says how to fix it.

    Examples
    --------
    ::

        verdict = bench.compare(frame, target="is_fraud", budget="5m")
        print(verdict.summary)
        verdict.table      # a data frame
        verdict.script     # a program that trains and uses the winner
    """
    options = Options(
        metric=metric,
        margin=margin,
        budget_seconds=parse_budget(budget) if isinstance(budget, str) else float(budget),
        seeds=seeds,
        strategies=tuple(strategies),
        models=tuple(models),
        out=None if out is None else Path(out),
        device=torch.device(device),
        workers=workers,
    )
    given = keep_data(
        data, target, groups, time, lambda name, of: options.out or default_directory(name, of, options.device)
    )
    spec = find_source(
        given.path,
        target=given.target,
        text=text,
        group=given.group,
        time=given.time,
        valid=os.fspath(valid),
        test=os.fspath(test),
        drop=drop,
        sample_by_class=sample_by_class,
        features=features,
        given=given.name,
        notes=given.notes,
    )
    # The same comparison as a command, which the report names: workers read what was given from a file, so a command can too.
    asked = {
        "--target": [given.target],
        "--text": [text],
        "--group": [given.group],
        "--time": [given.time],
        "--valid": [os.fspath(valid)],
        "--test": [os.fspath(test)],
        "--drop": drop,
        "--sample-by-class": ["" if sample_by_class is None else str(sample_by_class)],
        "--features": [features if features != "ngrams" else ""],
        "--metric": [metric or ""],
        "--margin": ["" if margin is None else str(margin)],
        "--model": models,
        "--strategy": strategies,
        "--budget": ["" if budget == DEFAULT_BUDGET else budget if isinstance(budget, str) else f"{budget:g}s"],
    }
    words = [word for option, values in asked.items() for value in values if value for word in (option, value)]
    options = dataclasses.replace(options, command=shlex.join(["imbench", "compare", given.path, *words]))
    console = make_console(quiet=not progress)
    with Activity(console) as activity, StudyDisplay(console, activity, summarise=lambda task: []) as display:
        return ComparisonResult(run_comparison(prepare_comparison(spec, options, activity, display), activity, display))
