"""Pools of rows: copied, left out, interpolated, cleaned."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE
from sklearn.datasets import make_classification

from strategies import IGNORED, Labels, NotationError, StrategyWarning, get, parse
from strategies.resample import interpolation

COUNTS = [60, 30, 12]
INTERPOLATING = ["smote", "borderline-smote", "adasyn", "smoteenn", "smotetomek"]
RANDOM = ["random-oversampling", "random-undersampling"]
MIXED = Labels.packed([[0, 0, 1], [0, 0], [0], [2, 0], [0, 1], [IGNORED], [0]], ("O", "B-PER", "B-LOC"))


@pytest.fixture(scope="module")
def rows():
    x, y = make_classification(600, 6, n_informative=5, n_redundant=0, n_classes=3, class_sep=0.6, random_state=1)
    keep = np.concatenate([np.flatnonzero(y == c)[:n] for c, n in enumerate(COUNTS)])
    return torch.from_numpy(x[keep]), Labels.of(y[keep])


def classes_of(pool, labels):
    real = labels.values[pool.index]
    return real if pool.synthetic_y is None else torch.cat([real, pool.synthetic_y])


def sizes(pool, labels):
    return torch.bincount(classes_of(pool, labels), minlength=labels.num_classes).tolist()


# What classes are brought to


@pytest.mark.parametrize("name", ["random-oversampling", "smote", "borderline-smote"])
def test_every_class_is_brought_to_the_size_of_the_largest(rows, name):
    pool = get(name).resample(*rows, seed=0)
    assert sizes(pool, rows[1]) == [60, 60, 60]
    assert set(range(102)) <= set(pool.index.tolist())


def test_undersampling_keeps_different_rows_as_many_as_the_smallest_class_has(rows):
    pool = get("random-undersampling").resample(*rows, seed=0)
    assert sizes(pool, rows[1]) == [12, 12, 12]
    assert len(set(pool.index.tolist())) == 36


def test_adasyn_comes_near_the_size_of_the_largest(rows):
    # Its counts per row are rounded, so its classes are near the goal, not at it.
    assert sizes(get("adasyn").resample(*rows, seed=0), rows[1]) == pytest.approx([60, 60, 60], abs=8)


def test_what_is_declared_is_what_the_pool_holds(rows):
    x, labels = rows
    for name in (*RANDOM, "smote", "borderline-smote"):
        strategy = get(name)
        held = torch.tensor(sizes(strategy.resample(x, labels, seed=3), labels)).double()
        declared = strategy.effective_prior(labels, labels.counts())
        assert declared.tolist() == pytest.approx((held / held.sum()).tolist(), abs=1e-12)
    for name in ("adasyn", "smoteenn", "smotetomek"):
        assert get(name).effective_prior(labels, labels.counts()) is None


@pytest.mark.parametrize("name", ["smote", *RANDOM])
def test_a_class_that_does_not_occur_is_declared_with_no_share(name):
    labels = Labels.of([0, 0, 0, 2], ("a", "b", "c"))
    assert get(name).effective_prior(labels, labels.counts()).tolist() == [0.5, 0, 0.5]


@pytest.mark.parametrize("name", [*RANDOM, *INTERPOLATING])
def test_equal_seeds_give_equal_pools_without_global_random_numbers_and_an_absent_class_stays_absent(rows, name):
    x, labels = rows
    named = Labels.of(labels.values, class_names=("a", "b", "c", "absent"))
    before = np.random.get_state()[1].tolist(), torch.random.get_rng_state()  # noqa: NPY002
    first, second, other = (get(name).resample(x, named, seed=seed) for seed in (1, 1, 2))
    assert before[0] == np.random.get_state()[1].tolist()  # noqa: NPY002
    assert torch.equal(before[1], torch.random.get_rng_state())
    for field in ("index", "synthetic_x", "synthetic_y"):
        one, two = getattr(first, field), getattr(second, field)
        assert (one is None and two is None) or torch.equal(one, two)
    differs = first.index if first.synthetic_x is None else first.synthetic_x
    assert not torch.equal(differs, other.index if other.synthetic_x is None else other.synthetic_x)
    assert 3 not in classes_of(first, named)


@pytest.mark.parametrize("name", [*RANDOM, *INTERPOLATING])
def test_rows_of_one_class_stay_as_they_are(name):
    pool = get(name).resample(torch.arange(8.0).view(4, 2), Labels.of([1, 1, 1, 1]), seed=0)
    assert pool.index.tolist() == [0, 1, 2, 3]
    assert pool.synthetic_x is None


# Items with many labels


def test_items_are_copied_and_left_out_by_their_rarest_class_and_those_without_a_label_stay():
    over = get("random-oversampling").resample(None, MIXED, seed=0)
    times = torch.bincount(over.index, minlength=7)
    assert (times[3].item(), times[5].item(), (times[0] + times[4]).item()) == (3, 1, 3)  # three items have O alone
    under = get("random-undersampling").resample(None, MIXED, seed=0).index.tolist()
    assert len(under) == 4
    assert {3, 5} <= set(under)


@pytest.mark.parametrize("name", RANDOM)
def test_the_declared_mix_of_many_labels_is_the_average_over_pools(name):
    strategy, found = get(name), torch.zeros(3, dtype=torch.float64)
    for seed in range(500):
        found += MIXED.take(strategy.resample(None, MIXED, seed=seed).index).counts().values
    declared = strategy.effective_prior(MIXED, MIXED.counts())
    assert declared.tolist() == pytest.approx((found / found.sum()).tolist(), abs=0.015)
    # By hand: an item's expected copies are in proportion to 1 over the items that share its rarest class.
    copies = {0: 1 / 2, 1: 1 / 3, 2: 1 / 3, 3: 1, 4: 1 / 2, 6: 1 / 3}
    held = [(0, [2, 1, 0]), (1, [2, 0, 0]), (2, [1, 0, 0]), (3, [1, 0, 1]), (4, [1, 1, 0]), (6, [1, 0, 0])]
    by_hand = sum(copies[item] * np.array(labels) for item, labels in held)
    assert declared.tolist() == pytest.approx((by_hand / by_hand.sum()).tolist(), abs=1e-12)


# Rows that are made


@pytest.mark.parametrize("name", INTERPOLATING)
def test_synthetic_rows_lie_between_rows_of_their_class(rows, name):
    x, labels = rows
    pool = get(name).resample(x, labels, seed=0)
    for made, c in zip(pool.synthetic_x, pool.synthetic_y, strict=True):
        members = x[labels.values == c]
        a, b = members[:, None], members[None]
        along = ((made - a) * (b - a)).sum(-1) / (b - a).square().sum(-1).clamp_min(1e-12)
        distance = (a + along.clamp(0, 1)[..., None] * (b - a) - made).norm(dim=-1)
        assert distance.min() < 1e-4


@pytest.mark.parametrize(
    ("name", "theirs"), [("smote", SMOTE), ("borderline-smote", BorderlineSMOTE), ("adasyn", ADASYN)]
)
def test_one_rare_class_gets_the_very_rows_of_imbalanced_learn(rows, name, theirs):
    x, labels = rows
    x, y = x[labels.values < 2], labels.values[labels.values < 2]
    expected, _ = theirs(random_state=5).fit_resample(x.numpy(), y.numpy())
    assert np.allclose(get(name).resample(x, Labels.of(y), seed=5).synthetic_x.numpy(), expected[len(x) :])


def test_small_classes_lower_k_and_a_single_row_is_copied_both_with_a_warning():
    x = torch.randn(25, 3, generator=torch.Generator().manual_seed(0))
    labels = Labels.of([0] * 20 + [1] * 4 + [2], class_names=("head", "few", "one"))
    with pytest.warns(StrategyWarning) as said:
        pool = get("smote").resample(x, labels, seed=0)
    told = " ".join(str(each.message) for each in said)
    assert "few (k=3)" in told
    assert "copied, not interpolated: one (1)" in told
    assert sizes(pool, labels) == [20, 20, 20]
    assert pool.index.tolist().count(24) == 20


@pytest.mark.parametrize("name", ["adasyn", "borderline-smote"])
def test_a_class_far_from_all_others_is_copied_with_a_warning(name):
    x = torch.cat([torch.zeros(20, 2), torch.full((8, 2), 100.0)])
    x += torch.randn(28, 2, generator=torch.Generator().manual_seed(0))
    labels = Labels.of([0] * 20 + [1] * 8)
    with pytest.warns(StrategyWarning, match=r"copied, not interpolated: 1 \(8\)"):
        pool = get(name).resample(x, labels, seed=0)
    assert sizes(pool, labels) == [20, 20]


def test_adasyn_makes_the_more_rows_from_a_row_the_more_strangers_are_near():
    # Of eight rows one lies among strangers, seven by themselves: shares of strangers are 1 and 0, so all come from the one.
    strangers, alone = torch.linspace(-1, 1, 12), torch.linspace(9, 9.6, 7)
    x = torch.cat([strangers, torch.tensor([0.02]), alone])[:, None]
    made = get("adasyn").resample(x, Labels.of([0] * 12 + [1] * 8), seed=0).synthetic_x.flatten()
    assert len(made) == 4
    assert bool(((made >= 0.02) & (made < 9)).all())


# Cleaning


@pytest.mark.parametrize(("name", "theirs"), [("smoteenn", SMOTEENN), ("smotetomek", SMOTETomek)])
def test_one_rare_class_is_cleaned_as_imbalanced_learn_does(rows, name, theirs):
    x, labels = rows
    x, y = x[labels.values < 2], labels.values[labels.values < 2]
    expected_x, expected_y = theirs(random_state=5).fit_resample(x.numpy(), y.numpy())
    pool = get(name).resample(x, Labels.of(y), seed=5)
    ours = np.concatenate([x[pool.index].numpy(), pool.synthetic_x.numpy()])
    assert len(pool) < 120, "nothing was cleaned: the test says nothing"
    assert sizes(pool, Labels.of(y)) == np.bincount(expected_y).tolist()
    assert np.allclose(ours[np.lexsort(ours.T)], expected_x[np.lexsort(expected_x.T)])


def test_enn_keeps_the_rows_whose_three_nearest_are_of_their_class(rows):
    x, labels = rows
    smote, pool = (get(name).resample(x, labels, seed=0) for name in ("smote", "smoteenn"))
    every, target = torch.cat([x[smote.index], smote.synthetic_x]), classes_of(smote, labels)
    distance = torch.cdist(every, every).fill_diagonal_(torch.inf)
    keep = [
        i for i in range(len(every)) if all(target[j] == target[i] for j in distance[i].topk(3, largest=False).indices)
    ]
    assert sorted(map(tuple, every[keep].tolist())) == sorted(
        map(tuple, torch.cat([x[pool.index], pool.synthetic_x]).tolist())
    )


def test_a_class_that_cleaning_would_remove_keeps_its_real_rows_with_a_warning():
    # The one row of class 1 lies among those of class 0, so that all its neighbours are strangers or its own copies.
    x = torch.arange(12.0)[:, None]
    labels = Labels.of([0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0], ("common", "lost"))
    with pytest.warns(StrategyWarning) as said:
        pool = get("smoteenn", neighbours=1, cleaning_neighbours=8).resample(x, labels, seed=0)
    assert any("cleaning would leave nothing" in str(each.message) and "lost" in str(each.message) for each in said)
    assert {3, 6, 9} <= set(pool.index.tolist())
    assert set(classes_of(pool, labels).tolist()) == {0, 1}


# Refusals


@pytest.mark.parametrize("name", INTERPOLATING)
def test_token_ids_and_items_of_many_labels_are_never_interpolated(name):
    labels = Labels.of([0, 0, 1])
    assert "token ids" in (get(name).why_not_applicable(labels, "tokens") or "")
    assert "many labels" in (get(name).why_not_applicable(Labels.packed([[0, 1]]), "numbers") or "")
    with pytest.raises(ValueError, match="Use random-oversampling"):
        get(name).resample(None, labels, seed=0)


@pytest.mark.parametrize("name", RANDOM)
def test_copying_and_dropping_rows_is_applicable_to_everything(name):
    assert get(name).why_not_applicable(MIXED, "tokens") is None


def test_a_search_among_too_many_rows_is_not_applicable_and_cleaning_searches_synthetic_rows_too(monkeypatch):
    labels = Labels.of([0] * 60 + [1] * 30 + [3] * 10, "abcd")
    monkeypatch.setattr(interpolation, "MAX_ROWS", 100)
    assert get("smote").why_not_applicable(labels, "numbers") is None
    assert "among 180 rows" in get("smotetomek").why_not_applicable(labels, "numbers")
    monkeypatch.setattr(interpolation, "MAX_ROWS", 99)
    assert "among 100 rows" in get("adasyn").why_not_applicable(labels, "numbers")


@pytest.mark.parametrize(
    "text", ["smote(neighbours=0)", "borderline-smote(judges=0)", "adasyn(-1)", "smoteenn(cleaning_neighbours=0)"]
)
def test_fewer_than_one_neighbour_is_refused(text):
    with pytest.raises(NotationError, match="must be 1 or more; given: "):
        parse(text)


# Sentences copied by their entities

TYPES = ("O", "B-PER", "I-PER", "B-LOC", "B-MISC")
TOY = Labels.packed([[1, 2] + [0] * 4, [3, 1, 1] + [0] * 17, [4, 0, 0, 0], [0] * 10], TYPES)


@pytest.mark.parametrize(
    ("kind", "copies"),
    [("sc", [3, 4, 2, 1]), ("sCR", [3, 4, 3, 1]), ("sCRD", [4, 3, 4, 1]), ("nsCRD", [3, 3, 4, 1])],
)
def test_sentences_are_copied_as_often_as_the_published_code_copies_them(kind, copies):
    strategy = get("sentence-duplication", kind=kind)
    assert torch.bincount(strategy.resample(None, TOY, seed=0).index).tolist() == copies
    padded = Labels.packed([[*item, *[IGNORED] * 30] for item in ([1, 2] + [0] * 4, [3, 1, 1] + [0] * 17)], TYPES)
    unpadded = Labels.packed([[1, 2] + [0] * 4, [3, 1, 1] + [0] * 17], TYPES)
    assert torch.equal(strategy.copies(padded), strategy.copies(unpadded))


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=12), min_size=2, max_size=6))
def test_sentences_are_copied_as_a_plain_loop_does(items):
    tokens = [TYPES[label][2:] for item in items for label in item]
    for kind in ("sc", "sCR", "sCRD", "nsCRD"):
        expected = []
        for item in items:
            found = [TYPES[label][2:] for label in item if label]
            total = 1.0
            for each in set(found):
                rarity = -np.log2(tokens.count(each) / len(tokens))
                total += {"sc": found.count(each), "nsCRD": found.count(each) ** 0.5 * rarity}.get(
                    kind, found.count(each) * rarity
                )
            total = total**0.5 if kind == "sCR" else total / len(item) ** 0.5 if kind.endswith("D") else total
            expected.append(total if found else 1.0)
        labels = Labels.packed(items, TYPES)
        copies = get("sentence-duplication", kind=kind).copies(labels).tolist()
        # A total that is whole but for rounding may be rounded up or not.
        assert all(total - 1e-9 <= n < total + 1 + 1e-9 for total, n in zip(expected, copies, strict=True))


def test_the_mix_of_copied_sentences_is_declared_and_other_items_are_not_applicable():
    strategy = get("sentence-duplication", kind="sc")
    held = TOY.take(strategy.resample(None, TOY, seed=0).index).counts().prior()
    assert strategy.effective_prior(TOY, TOY.counts()).tolist() == pytest.approx(held.tolist(), abs=1e-12)
    assert "one label" in strategy.why_not_applicable(Labels.of([0, 1], ("O", "B-PER")), "tokens")
    assert "no class is an entity tag" in strategy.why_not_applicable(
        Labels.packed([[0, 1]], ("DET", "NOUN")), "tokens"
    )
    assert strategy.why_not_applicable(TOY, "tokens") is None
