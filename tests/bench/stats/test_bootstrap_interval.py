"""The bootstrap over sentences against plain loops, and its memory."""

import tracemalloc

import numpy as np
import pytest
from scipy import sparse

from bench.metrics.classification import macro_f1
from bench.stats import bootstrap, macro_f1_intervals

CLASSES = 3


def sentence_counts(generator, sentences, *, right):
    """Confusion counts (N, C, C) of sentences of 5 to 15 labels, of which about this share is right; and a rival's."""
    counts = np.zeros((2, sentences, CLASSES, CLASSES), dtype=int)
    for sentence in range(sentences):
        for _ in range(generator.integers(5, 16)):
            truth = generator.choice(CLASSES, p=[0.8, 0.15, 0.05])
            for each, share in zip(counts[:, sentence], right, strict=True):
                each[truth, truth if generator.random() < share else generator.integers(CLASSES)] += 1
    return counts


def textbook_macro_f1(confusion):
    scores = []
    for c in range(CLASSES):
        hits, predicted, actual = confusion[c][c], sum(row[c] for row in confusion), sum(confusion[c])
        scores.append(2 * hits / (predicted + actual) if predicted + actual else 0.0)
    return sum(scores) / CLASSES


def test_it_is_the_loop_over_the_same_resamples():
    ours, theirs = sentence_counts(np.random.default_rng(0), 40, right=(0.9, 0.7))
    found = macro_f1_intervals([ours], [theirs], rng=np.random.default_rng(5), resamples=150)[0]
    drawing, differences = np.random.default_rng(5), []
    for _ in range(150):
        times = drawing.multinomial(40, [1 / 40] * 40)
        totals = [sum(times[i] * counts[i] for i in range(40)) for counts in (ours, theirs)]
        differences.append(macro_f1(totals[0]) - macro_f1(totals[1]))
    assert found.difference == pytest.approx(macro_f1(ours.sum(axis=0)) - macro_f1(theirs.sum(axis=0)))
    assert (found.low, found.high) == pytest.approx(tuple(np.percentile(differences, [2.5, 97.5])), rel=1e-12)


def test_several_runs_are_counted_on_the_same_resamples_together_and_each():
    pairs = [sentence_counts(np.random.default_rng(seed), 40, right=(0.9, 0.7 + 0.05 * seed)) for seed in range(3)]
    ours, theirs = zip(*pairs, strict=True)
    found = macro_f1_intervals(ours, theirs, rng=np.random.default_rng(5), resamples=150)
    drawing, differences = np.random.default_rng(5), []
    for _ in range(150):
        chosen = np.repeat(np.arange(40), drawing.multinomial(40, [1 / 40] * 40))
        differences.append(
            [textbook_macro_f1(a[chosen].sum(0)) - textbook_macro_f1(b[chosen].sum(0)) for a, b in pairs]
        )
    expected = np.column_stack([np.mean(differences, axis=1), differences])
    assert [[each.low, each.high] for each in found] == pytest.approx(
        np.percentile(expected, [2.5, 97.5], axis=0).T, rel=1e-12
    )
    with pytest.raises(ValueError, match="3 and 2 runs"):
        macro_f1_intervals(ours, theirs[:2], rng=np.random.default_rng(0))


def test_it_agrees_with_resampling_sentences_one_by_one():
    ours, theirs = sentence_counts(np.random.default_rng(1), 30, right=(0.9, 0.8))
    found = macro_f1_intervals([ours], [theirs], rng=np.random.default_rng(2), resamples=8000)[0]
    drawing, differences = np.random.default_rng(3), []
    for _ in range(8000):
        chosen = drawing.integers(0, 30, 30)
        differences.append(textbook_macro_f1(ours[chosen].sum(0)) - textbook_macro_f1(theirs[chosen].sum(0)))
    low, high = np.percentile(differences, [2.5, 97.5])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low))


@pytest.mark.parametrize("as_sparse", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array])
def test_sparse_counts_give_the_same(as_sparse):
    ours, theirs = sentence_counts(np.random.default_rng(4), 25, right=(0.8, 0.8))
    flat = [as_sparse(each.reshape(25, -1)) for each in (ours, theirs)]
    assert macro_f1_intervals(flat[:1], flat[1:], rng=np.random.default_rng(0)) == macro_f1_intervals(
        [ours], [theirs], rng=np.random.default_rng(0)
    )


def test_the_size_of_a_block_changes_nothing(monkeypatch):
    ours, theirs = sentence_counts(np.random.default_rng(6), 20, right=(0.9, 0.6))
    whole = macro_f1_intervals([ours], [theirs], rng=np.random.default_rng(0), resamples=101)
    monkeypatch.setattr(bootstrap, "_BLOCK_BYTES", 7 * 8 * (20 + 2 * CLASSES**2))
    assert macro_f1_intervals([ours], [theirs], rng=np.random.default_rng(0), resamples=101) == whole


def test_memory_does_not_grow_with_the_resamples():
    ours, theirs = np.tile(sentence_counts(np.random.default_rng(7), 100, right=(0.9, 0.8)), (1, 200, 1, 1))
    tracemalloc.start()
    macro_f1_intervals([ours], [theirs], rng=np.random.default_rng(0), resamples=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * bootstrap._BLOCK_BYTES < 1000 * len(ours) * 8


def test_equal_counts_have_no_difference_even_if_a_class_never_occurs():
    counts = np.array([[[2, 1, 0], [0, 3, 0], [0, 0, 0]], [[1, 0, 0], [1, 1, 0], [0, 0, 0]]])
    found = macro_f1_intervals([counts], [counts], rng=np.random.default_rng(0))[0]
    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_intervals_hold_the_true_difference_in_about_95_of_100_test_parts():
    rng = np.random.default_rng(8)
    population = sentence_counts(rng, 4000, right=(0.85, 0.8))
    truth = macro_f1(population[0].sum(0)) - macro_f1(population[1].sum(0))
    covered = 0
    for _ in range(400):
        ours, theirs = population[:, rng.integers(0, 4000, 150)]
        found = macro_f1_intervals([ours], [theirs], rng=rng, resamples=400)[0]
        covered += found.low <= truth <= found.high
    assert 0.91 < covered / 400 < 0.98


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.ones((4, 2, 2)), np.ones((5, 2, 2))),
        (np.ones((4, 2, 2)), np.ones((4, 3, 3))),
        (np.ones((4, 2, 3)), np.ones((4, 2, 3))),
        (np.ones((0, 2, 2)), np.ones((0, 2, 2))),
        (np.ones((4, 4)), np.ones((4, 4))),
        (sparse.csr_array(np.ones((4, 5))), sparse.csr_array(np.ones((4, 5)))),
    ],
)
def test_counts_that_do_not_fit_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="counts"):
        macro_f1_intervals([ours], [theirs], rng=np.random.default_rng(0))
