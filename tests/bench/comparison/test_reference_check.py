"""The reference classifier is scikit-learn's, fitted to the same rows and scored on the same test rows."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score

from bench.comparison.reference_check import FEWEST_RARE_ROWS, TABLES, render
from bench.comparison.reference_classifier import ReferenceComparison, score_reference
from bench.metrics.selection_metric import MACRO_F1
from bench.planning.seeds import split_generator
from bench.stats import Resplit, compare
from bench.tasks.fetched_files import cache_root
from bench.tasks.keel_files import BINARY, KEEL
from bench.user_data.source import find_source


def write_table(path):
    rng = np.random.default_rng(1)
    size, colour = rng.normal(size=300), rng.choice(["red", "green", "blue"], 300)
    fraud = size + 2 * (colour == "red") + rng.normal(size=300) > 2.5
    frame = pd.DataFrame({"size": size.round(3).astype(str), "colour": colour, "fraud": fraud})
    frame.loc[::17, "size"] = ""
    frame.to_csv(path, index=False)
    return find_source(path, target="fraud")


@pytest.mark.parametrize("add_validation", [False, True])
def test_the_reference_scores_as_scikit_learn_on_the_rows_of_each_seed(tmp_path, add_validation):
    spec = write_table(tmp_path / "fraud.csv")
    table = pd.read_csv(tmp_path / "fraud.csv", dtype={"colour": "category"})
    expected = []
    for seed in (0, 3):
        rows = spec.load(split_generator(spec.label, seed)).rows
        fitted = table.iloc[np.concatenate([rows.train, rows.valid]) if add_validation else rows.train]
        trees = HistGradientBoostingClassifier(
            class_weight="balanced", categorical_features="from_dtype", random_state=seed
        )
        trees.fit(fitted[["size", "colour"]], fitted["fraud"])
        test = table.iloc[rows.test]
        expected.append(f1_score(test["fraud"], trees.predict(test[["size", "colour"]]), average="macro"))
    assert score_reference(spec, [0, 3], MACRO_F1, add_validation=add_validation) == pytest.approx(expected)


def verdict(*differences):
    scores = pd.DataFrame([differences, [0.0] * len(differences)], index=["choice", "other"])
    return compare(scores, baseline="other", primary=["choice"], split=Resplit(20, 80)).verdicts[0]


def test_the_summary_counts_tables_below_and_above_by_more_than_the_interval():
    clear, open_, constant = verdict(-0.1, -0.11, -0.1), verdict(0.1, -0.1, 0.2), verdict(-0.1, -0.1, -0.1)
    assert np.isnan(constant.high)
    done = [
        ReferenceComparison(f"keel:{name}", 100, 9.0, "mlp", "none", 0.5, against, open_)
        for name, against in (("a", clear), ("b", open_), ("c", constant))
    ]
    page = render(done)
    first, second = page.split("\n\n")[1:]
    assert re.search(r"of 3 tables, .* on 2 \(keel:a, keel:c\), above by more on 0", first)
    assert "on 0, above by more on 0. The mean over seeds is higher on 3" in second
    assert "| keel:a | 100 | 9.0 | plain training, mlp | 0.500 | -0.103 (-0.122 to -0.084) |" in re.sub(" +", " ", page)


def test_the_tables_are_the_most_imbalanced_of_each_source_with_enough_rare_rows():
    if not KEEL.is_here():
        pytest.skip("needs imbench fetch keel")
    best: dict[str, tuple[float, str]] = {}
    for name in BINARY:
        counts = pd.read_csv(cache_root() / "keel" / f"{name}.csv")["class"].value_counts()
        source = re.match(r"led7digit|kr-vs-k|new-thyroid|page-blocks|winequality-[a-z]+|[a-z]+", name)[0]
        if counts.min() >= FEWEST_RARE_ROWS:
            best[source] = max(best.get(source, (0.0, "")), (counts.max() / counts.min(), f"keel:{name}"))
    assert sorted(name for _, name in best.values()) == sorted(TABLES)


@pytest.mark.slow
def test_the_check_runs_on_a_table(tmp_path):
    if not KEEL.is_here():
        pytest.skip("needs imbench fetch keel")
    command = [sys.executable, "-m", "bench.comparison.reference_check", "keel:iris0", "--budget", "20s"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "keel:iris0" in (tmp_path / "reference-check.md").read_text()
