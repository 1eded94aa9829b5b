import numpy as np
import pytest
import torch
from imblearn.over_sampling import SMOTE
from sklearn.datasets import make_classification

from strategies import Labels, StrategyWarning, get

COUNTS = [60, 30, 12]


@pytest.fixture(scope="module")
def rows():
    x, y = make_classification(600, 6, n_informative=5, n_redundant=0, n_classes=3, class_sep=0.6, random_state=1)
    keep = np.concatenate([np.flatnonzero(y == c)[:n] for c, n in enumerate(COUNTS)])
    return torch.from_numpy(x[keep]).float(), Labels.of(y[keep])


def classes_of(pool, labels):
    real = labels.values[pool.index]
    return real if pool.synthetic_y is None else torch.cat([real, pool.synthetic_y])


@pytest.mark.parametrize("kind", ["random", "smote", "borderline-smote"])
def test_every_class_is_brought_to_the_size_of_the_largest(rows, kind):
    pool = get("oversampling", kind=kind).resample(*rows, seed=0)
    assert torch.bincount(classes_of(pool, rows[1])).tolist() == [60, 60, 60]
    assert set(range(102)) <= set(pool.index.tolist())


def test_adasyn_comes_near_the_size_of_the_largest(rows):
    # Its counts per row are rounded, so its classes are near the goal, not at it.
    pool = get("oversampling", kind="adasyn").resample(*rows, seed=0)
    assert torch.bincount(classes_of(pool, rows[1])).tolist() == pytest.approx([60, 60, 60], abs=8)


def test_smote_rows_lie_between_rows_of_their_class(rows):
    x, labels = rows
    pool = get("oversampling", kind="smote").resample(x, labels, seed=0)
    for made, c in zip(pool.synthetic_x, pool.synthetic_y, strict=True):
        members = x[labels.values == c]
        a, b = members[:, None], members[None]
        along = ((made - a) * (b - a)).sum(-1) / (b - a).square().sum(-1).clamp_min(1e-12)
        distance = (a + along.clamp(0, 1)[..., None] * (b - a) - made).norm(dim=-1)
        assert distance.min() < 1e-4


def test_one_rare_class_gets_the_very_rows_of_imbalanced_learn(rows):
    x, labels = rows
    two = labels.values < 2
    x, y = x[two], labels.values[two]
    theirs, _ = SMOTE(random_state=5).fit_resample(x.double().numpy(), y.numpy())
    ours = get("oversampling", kind="smote").resample(x, Labels.of(y), seed=5)
    assert np.allclose(ours.synthetic_x.numpy(), theirs[len(x) :])


def test_small_classes_lower_k_and_a_single_row_is_duplicated_and_both_are_said():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(25, 3, generator=generator)
    labels = Labels.of([0] * 20 + [1] * 4 + [2], class_names=("head", "few", "one"))
    with pytest.warns(StrategyWarning) as said:
        pool = get("oversampling", kind="smote").resample(x, labels, seed=0)
    told = " ".join(str(each.message) for each in said)
    assert "few (k=3)" in told
    assert "duplicated, not interpolated: one (1)" in told
    assert torch.bincount(classes_of(pool, labels)).tolist() == [20, 20, 20]
    assert pool.index.tolist().count(24) == 20


@pytest.mark.parametrize("kind", ["adasyn", "borderline-smote"])
def test_a_class_far_from_all_others_is_duplicated_and_that_is_said(kind):
    x = torch.cat([torch.zeros(20, 2), torch.full((8, 2), 100.0)]) + torch.randn(
        28, 2, generator=torch.Generator().manual_seed(0)
    )
    labels = Labels.of([0] * 20 + [1] * 8)
    with pytest.warns(StrategyWarning, match=r"duplicated, not interpolated: 1 \(8\)"):
        pool = get("oversampling", kind=kind).resample(x, labels, seed=0)
    assert torch.bincount(classes_of(pool, labels)).tolist() == [20, 20]


def test_sentences_are_duplicated_by_their_rarest_tag():
    labels = Labels.packed([[0, 0], [0, 0, 0], [0, 1], [0, 0]])
    pool = get("oversampling").resample(None, labels, seed=0)
    assert torch.bincount(pool.index, minlength=4)[2] == 3


def test_token_ids_are_never_interpolated():
    labels = Labels.of([0, 0, 1])
    assert get("oversampling").declines(labels, "tokens") is None
    assert "token ids" in (get("oversampling", kind="smote").declines(labels, "tokens") or "")
    assert "many labels" in (get("oversampling", kind="smote").declines(Labels.packed([[0, 1]]), "numbers") or "")
    with pytest.raises(ValueError, match="kind='random'"):
        get("oversampling", kind="smote").resample(None, labels, seed=0)


@pytest.mark.parametrize("kind", ["random", "smote", "adasyn", "borderline-smote"])
def test_equal_seeds_give_equal_pools_and_a_class_without_rows_is_left_out(rows, kind):
    x, labels = rows
    named = Labels.of(labels.values, class_names=("a", "b", "c", "absent"))
    first, second, other = (get("oversampling", kind=kind).resample(x, named, seed=seed) for seed in (1, 1, 2))
    for field in ("index", "synthetic_x", "synthetic_y"):
        one, two = getattr(first, field), getattr(second, field)
        assert (one is None and two is None) or torch.equal(one, two)
    differs = first.index if first.synthetic_x is None else first.synthetic_x
    assert not torch.equal(differs, other.index if other.synthetic_x is None else other.synthetic_x)
    assert 3 not in classes_of(first, named)
