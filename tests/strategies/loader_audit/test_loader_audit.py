"""An audit changes nothing, reports what was sampled, and refuses what it cannot audit."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset, WeightedRandomSampler

import strategies
from strategies.labels import Labels
from strategies.loader_audit.audit import audit
from strategies.loader_audit.loader_source import find_source
from strategies.loader_audit.mix_significance import chi_square_test, intended_mix
from strategies.loader_audit.observation import observe

LABELS = torch.tensor([0] * 70 + [1] * 20 + [2] * 10)
DATA = TensorDataset(torch.zeros(100, 2), LABELS)
WEIGHTS = (1.0 / LABELS.bincount())[LABELS]


def weighted(generator=None):
    return WeightedRandomSampler(WEIGHTS, 100, generator=generator)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


class UsesEveryGenerator(torch.utils.data.Sampler):
    def __init__(self):
        self.numpy, self.python, self.epochs = np.random.default_rng(0), random.Random(0), 0

    def __iter__(self):
        self.epochs += 1
        for _ in range(100):
            yield (
                int(self.numpy.integers(100)) + self.python.randrange(100) + random.randrange(9) + np.random.randint(9)  # noqa: NPY002
            ) % 100

    def __len__(self):
        return 100


# What it leaves unchanged


def test_global_random_states_are_restored():
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    expected = random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002
    random.seed(1), np.random.seed(1), torch.manual_seed(1)  # noqa: NPY002
    audit(DataLoader(DATA, sampler=weighted()), LABELS)
    audit(DataLoader(DATA, shuffle=True), LABELS)
    audit(UsesEveryGenerator(), LABELS)
    assert (random.random(), np.random.rand(), torch.rand(1)) == expected  # noqa: NPY002


@pytest.mark.parametrize(
    "make",
    [
        lambda: weighted(torch.Generator().manual_seed(3)),
        lambda: strategies.ClassBalancedSampler(LABELS, seed=0),
        UsesEveryGenerator,
    ],
)
@pytest.mark.parametrize("inside", ["alone", "in a loader"])
def test_the_sampler_samples_afterwards_what_it_would_have_sampled(make, inside):
    random.seed(1), np.random.seed(1)  # noqa: NPY002
    expected = list(make())
    random.seed(1), np.random.seed(1)  # noqa: NPY002
    sampler = make()
    audit(sampler if inside == "alone" else DataLoader(DATA, sampler=sampler, batch_size=8), LABELS)
    assert list(sampler) == expected


def test_a_sampler_in_the_middle_of_its_epoch_continues_there():
    sampler, other = (strategies.ClassBalancedSampler(LABELS, seed=0) for _ in range(2))
    walk, expected = iter(sampler), iter(other)
    assert [next(walk) for _ in range(10)] == [next(expected) for _ in range(10)]
    audit(sampler, LABELS)
    assert sampler.state_dict() == other.state_dict()
    assert list(walk) == list(expected)


# What it reads


def test_the_place_among_processes_is_that_of_torch_distributed(monkeypatch):
    from torch import distributed

    monkeypatch.setattr(distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    assert [finding.name for finding in audit(weighted(), LABELS).findings] == ["sampler-repeated"]
    assert audit(strategies.ClassBalancedSampler(LABELS), LABELS).ok
    other = strategies.ClassBalancedSampler(LABELS, num_replicas=2, rank=0)
    assert [finding.name for finding in audit(other, LABELS).findings] == ["sampler-repeated"]


class Stream(IterableDataset):
    def __iter__(self):
        generator = torch.Generator().manual_seed(0)
        for _ in range(500):
            label = int(torch.randint(3, (1,), generator=generator))
            yield torch.zeros(2), label


class Dictionaries(Dataset):
    def __len__(self):
        return 100

    def __getitem__(self, i):
        return {"pixels": torch.zeros(2), "label": int(LABELS[i])}


@pytest.mark.parametrize(
    "make",
    [
        lambda: DataLoader(Stream(), batch_size=10),
        lambda: (batch for batch in DataLoader(DATA, sampler=strategies.ClassBalancedSampler(LABELS), batch_size=10)),
        lambda: DataLoader(Dictionaries(), sampler=strategies.ClassBalancedSampler(LABELS), batch_size=10),
        lambda: iter(DataLoader(Dictionaries(), sampler=strategies.ClassBalancedSampler(LABELS), batch_size=10)),
        lambda: strategies.ClassBalancedSampler(LABELS).batches(10),
        lambda: lambda: strategies.ClassBalancedSampler(LABELS).batches(10),
        lambda: [batch.tolist() for batch in strategies.ClassBalancedSampler(LABELS, num_samples=1000).batches(10)],
        lambda: np.asarray(list(strategies.ClassBalancedSampler(LABELS, num_samples=1000))),
    ],
)
def test_every_kind_of_loader_is_read(make):
    result = audit(make(), LABELS)
    assert result.ok, str(result)
    assert result.statistics.samples >= 100


@pytest.mark.parametrize(
    "labels",
    [LABELS, LABELS.numpy(), LABELS.tolist(), Labels.of(LABELS), DATA],
    ids=lambda labels: type(labels).__name__,
)
def test_labels_may_have_many_types(labels):
    assert audit(strategies.ClassBalancedSampler(LABELS), labels).ok


def test_labels_may_be_a_pandas_column():
    pandas = pytest.importorskip("pandas")
    assert audit(strategies.ClassBalancedSampler(LABELS), pandas.Series(LABELS.numpy())).ok


def test_items_in_the_order_of_a_large_sorted_data_set_are_read_to_the_end(monkeypatch):
    from strategies.loader_audit import observation

    monkeypatch.setattr(observation, "MAX_ITEMS", 60)
    assert audit(DataLoader(DATA), LABELS, role="validation").ok


def test_an_epoch_that_repeats_is_dropped():
    assert len(observe(find_source(list(range(10))), wanted=1000)) == 10
    assert len(observe(find_source(weighted()), wanted=1000)) == 1000


# What it reports


def test_the_statistics_are_those_of_the_epoch():
    index = [*range(70), *range(70, 90), *([90] * 8), 91, 91]
    result = audit(DataLoader(DATA, sampler=index, batch_size=10), LABELS, intended="natural")
    items, batches = result.statistics.items, result.statistics.batches
    assert (items.samples, items.distinct, items.items, items.whole_epoch) == (100, 92, 100, True)
    assert (items.rarest_class, items.rarest_items, items.rarest_mean, items.rarest_max) == (2, 10, 1.0, 8)
    assert items.effective == pytest.approx(100**2 / (90 + 64 + 4))
    assert (batches.count, batches.evenness, batches.complete) == (10, 0.0, 0.0)
    assert result.statistics.classes.sampled == (0.7, 0.2, 0.1)
    assert result.p_value == 1.0
    for said in (
        "contains 92 of 100 items (92.0%)",
        "each is sampled 1.0 times on average, at most 8",
        "Effective sample size: 63.3 of 100",
    ):
        assert said in str(result)


def test_even_batches_have_evenness_1():
    index = [i for a, b, c in zip(range(10), range(70, 80), range(90, 100), strict=True) for i in (a, b, c)]
    batches = audit(index, LABELS, batch_size=3).statistics.batches
    assert (batches.evenness, batches.complete) == (pytest.approx(1.0), 1.0)


def test_the_text_fits_a_hundred_columns_whatever_the_classes_are_called():
    labels = torch.arange(50).repeat_interleave(torch.arange(1, 51))
    result = audit(range(len(labels)), labels, class_names=[f"class-of-a-very-long-name-{c}" for c in range(50)])
    assert max(map(len, str(result).splitlines())) <= 100
    assert len(str(result).splitlines()) < 45
    assert "... and 30 classes of medium size" in str(result)
    assert str(result).startswith("Misconfigured: 1 problem found.\n  class mix: differs from the intended one, ")


def test_rare_classes_are_pooled_and_reported():
    labels = torch.tensor([0] * 5000 + [1, 2, 3])
    result = audit(range(5003), labels, intended="natural")
    assert result.mix_test.pooled == ()
    assert result.p_value is None
    assert "not tested, because too few labels were sampled" in str(result)
    assert result.ok
    labels = torch.tensor([0] * 4000 + [1] * 1000 + [2] * 3 + [3] * 3)
    result = audit(range(5006), labels, intended="natural")
    assert result.mix_test.pooled == (2, 3)
    assert "tested as one class: 2, 3" in str(result)


# What was intended


def test_intended_mixes():
    labels = Labels.of([0] * 16 + [1] * 4, ("a", "b", "never"))
    assert intended_mix(None, labels)[1].tolist() == [0.5, 0.5, 0]
    assert intended_mix("natural", labels)[1].tolist() == [0.8, 0.2, 0]
    assert intended_mix("square-root", labels)[1].tolist() == pytest.approx([4 / 6, 2 / 6, 0])
    assert intended_mix(0.5, labels)[1].tolist() == pytest.approx([4 / 6, 2 / 6, 0])
    assert intended_mix([1, 3, 0], labels)[1].tolist() == [0.25, 0.75, 0]
    assert intended_mix([1.0] * 16 + [4.0] * 4, labels)[1].tolist() == [0.5, 0.5, 0]


def test_labels_of_one_item_are_not_taken_to_be_independent():
    items = Labels.packed([[0] * 50, [1] * 50] * 5)
    off = Labels.packed([[0] * 50] * 7 + [[1] * 50] * 3)
    assert not chi_square_test(
        off, intended_mix("natural", items)[1]
    ).rejects  # 7 of 10 coins, though 350 of 500 labels
    assert chi_square_test(Labels.of(off.values), torch.tensor([0.5, 0.5])).rejects


# What it refuses


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"role": "test"}, "role must be 'training' or 'validation'; given: 'test'"),
        ({"intended": "balance"}, "intended must be one of 'balanced', 'square-root', 'natural'.*given: 'balance'"),
        ({"intended": [0.5, 0.5]}, "3 shares of the classes or 100 weights of the items.*given: 2 numbers"),
        ({"intended": [-1, 1, 1]}, "none negative"),
        (
            {"labels": LABELS[:90]},
            "one label for each of the 100 items of the TensorDataset.*given: labels of 90 items",
        ),
        ({"labels": ["O", "B-PER"]}, "class ids, whole numbers from 0"),
        ({"labels": []}, "labels"),
        ({"labels": torch.full((100,), -100)}, "at least one class"),
        ({"pad": 3}, "pad must be a class id from 0 to 2, a name, or -100; given: 3"),
        ({"pad": "PAD"}, "pad must be a class id or one of the class names"),
        ({"num_replicas": 2, "rank": 2}, "rank must be a whole number from 0 to num_replicas - 1"),
        ({"class_weights": [[1.0, 2.0], [1.0, 2.0]]}, r"class_weights must be one number per class, shape \(C,\)"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1; given: 0"),
        ({"batch_size": 2.5}, "batch_size must be a whole number of at least 1; given: 2.5"),
        ({"class_weights": {0: 1.0}}, r"class_weights must be one number per class, shape \(C,\).*; given: dict"),
        (
            {"class_weights": {0: 1.0, 1: 1.0, 2: 1.0, 3: 1.0}},
            "class_weights must be one number per class.*given: dict",
        ),
        ({"class_weights": [1.0, 2.0]}, "class_weights must be one number for each of the 3 classes; given: 2"),
        ({"class_weights": [1.0] * 5}, "class_weights must be one number for each of the 3 classes; given: 5"),
        ({"class_weights": [1.0]}, "class_weights must be one number for each of the 3 classes; given: 1"),
        (
            {"loss": torch.nn.CrossEntropyLoss(torch.ones(2))},
            "the weight of the loss must be one number for each of the 3",
        ),
        ({"labels": torch.arange(100) % 5, "class_names": ["a"]}, "class_names has 1 name, labels have ids to 4"),
        ({"loss_prior": [0.5, 0.5]}, "one number for each of the 3 classes; given: 2 numbers"),
        ({"loader_or_sampler": 3}, "a DataLoader, a sampler, an iterable.*given: int"),
        ({"loader_or_sampler": []}, "audit read nothing"),
        ({"loader_or_sampler": lambda: iter([torch.zeros(3, 9)])}, r"batches of \(x, y\)"),
        ({"loader_or_sampler": lambda: [([0.0], ["B-LOC"])]}, "class id or one of the class names.*given: 'B-LOC'"),
        (
            {"loader_or_sampler": WeightedRandomSampler(WEIGHTS, 101, replacement=False)},
            "could not sample: .*without replacement",
        ),
    ],
)
def test_invalid_arguments_are_refused_with_what_is_allowed(arguments, message):
    given = {"loader_or_sampler": DataLoader(DATA, sampler=weighted()), "labels": LABELS} | arguments
    with pytest.raises(ValueError, match=message):
        audit(**given)
