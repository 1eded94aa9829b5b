"""The command that checks comparisons against a reference classifier: `python -m bench.comparison.reference_check`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from math import isfinite
from operator import attrgetter
from pathlib import Path
from statistics import fmean

import torch

from bench.comparison.budget import parse_budget
from bench.comparison.comparison_run import Options, prepare_comparison, run_comparison
from bench.comparison.reference_classifier import ReferenceComparison, compare_with_reference
from bench.errors import InputError
from bench.report.titles import BASELINE
from bench.stats import Verdict
from bench.terminal.console import Activity, make_console
from bench.text.markdown import escape_markdown, markdown_table
from bench.text.numbers import format_signed, plural
from bench.user_data.source import find_source
from bench.user_data.table_task import TableTask

FEWEST_RARE_ROWS = 20
TABLES = tuple(
    f"keel:{name}"
    for name in (
        *("abalone19", "car-vgood", "dermatology-6", "ecoli4", "flare-F", "glass6", "haberman", "iris0"),
        *("kddcup-rootkit-imap_vs_back", "kr-vs-k-zero_vs_fifteen", "led7digit-0-2-4-5-6-7-8-9_vs_1", "new-thyroid2"),
        *("page-blocks-1-3_vs_4", "pima", "poker-8-9_vs_5", "segment0", "shuttle-2_vs_5", "vehicle0", "vowel0"),
        *("winequality-red-4", "winequality-white-3-9_vs_5", "wisconsin", "yeast6"),
    )
)
"""Of each source of KEEL, the most imbalanced table with at least `FEWEST_RARE_ROWS` rows of the rarer class."""

_COLUMNS = ("table", "rows", "ratio", "chosen", "score", "minus reference", "minus reference with validation rows")


def main() -> None:
    """Compare on each table, and print how the choice stands to the reference; exit code 1 if it is below on any."""
    arguments = _parse_arguments()
    done: list[ReferenceComparison] = []
    try:
        for name in arguments.tables or TABLES:
            done.append(_check(name, arguments.out, parse_budget(arguments.budget)))
            arguments.out.mkdir(parents=True, exist_ok=True)
            (arguments.out / "reference-check.md").write_text(render(done), encoding="utf-8")
            print("  ".join(_cells(done[-1])), flush=True)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(f"\n{render(done)}")
    sys.exit(1 if any(_is_below(one.against_training) for one in done) else 0)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.comparison.reference_check",
        description="Compare on tables, and say whether what was chosen on validation falls below scikit-learn's "
        "HistGradientBoostingClassifier(class_weight='balanced') on the same test rows.",
    )
    parser.add_argument(
        "tables", nargs="*", help="public tables such as keel:yeast4; by default 23 of different sources"
    )
    parser.add_argument("--budget", default="1m", help="of each comparison (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=Path("results/reference-check"), help="folder (default: %(default)s)"
    )
    return parser.parse_args()


def _check(name: str, out: Path, budget_seconds: float) -> ReferenceComparison:
    """Compare on a table; what an earlier command did of it is kept."""
    options = Options(
        budget_seconds=budget_seconds,
        out=out / name.replace(":", "-"),
        device=torch.device("cpu"),
        command=f"imbench compare {name} --budget {budget_seconds:g}s",
    )
    spec = find_source(name)
    if not isinstance(spec, TableTask):
        raise InputError(f"{name}: no table; give names such as keel:yeast4")
    with Activity(make_console(quiet=True)) as activity:
        finished = run_comparison(prepare_comparison(spec, options, activity), activity)
    return compare_with_reference(spec, finished)


def render(done: Sequence[ReferenceComparison]) -> str:
    """Return the table in Markdown, and a summary."""
    table = markdown_table(_COLUMNS, [list(map(escape_markdown, _cells(one))) for one in done])
    return f"{table}\n\n{_summarise(done)}\n"


def _cells(one: ReferenceComparison) -> list[str]:
    remedy = "plain training" if one.strategy == BASELINE else one.strategy
    return [
        one.table,
        f"{one.rows:,}",
        f"{one.ratio:.1f}",
        f"{remedy}, {one.learner}",
        f"{one.mean:.3f}",
        *map(_format_difference, (one.against_training, one.against_all)),
    ]


def _format_difference(verdict: Verdict) -> str:
    return f"{format_signed(verdict.difference)} ({format_signed(verdict.low)} to {format_signed(verdict.high)})"


def _summarise(done: Sequence[ReferenceComparison]) -> str:
    return "\n\n".join(
        _summarise_against(fitted, {one.table: of(one) for one in done})
        for fitted, of in (
            ("training rows", attrgetter("against_training")),
            ("training and validation rows", attrgetter("against_all")),
        )
    )


def _summarise_against(fitted: str, verdicts: Mapping[str, Verdict]) -> str:
    below = [table for table, verdict in verdicts.items() if _is_below(verdict)]
    above = [table for table, verdict in verdicts.items() if _is_above(verdict)]
    means = [verdict.difference for verdict in verdicts.values()]
    named = f" ({', '.join(below)})" if below else ""
    return (
        f"Reference fitted to {fitted}: of {plural(len(verdicts), 'table')}, the choice is below it by more than the 95% "
        f"interval on {len(below)}{named}, above by more on {len(above)}. The mean over seeds is higher on "
        f"{sum(mean > 0 for mean in means)}, lower on {sum(mean < 0 for mean in means)}; mean difference "
        f"{format_signed(fmean(means))}."
    )


def _is_below(verdict: Verdict) -> bool:
    """Whether the whole interval of a difference is below 0; without spread over seeds, the difference itself."""
    return verdict.high < 0 if isfinite(verdict.high) else verdict.difference < 0


def _is_above(verdict: Verdict) -> bool:
    return verdict.low > 0 if isfinite(verdict.low) else verdict.difference > 0


if __name__ == "__main__":
    main()
