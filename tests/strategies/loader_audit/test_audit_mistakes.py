"""Each named mistake, built as a user would write it; following the printed fix gives a clean audit."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler, Subset, TensorDataset, WeightedRandomSampler
from torch.utils.data.distributed import DistributedSampler

import strategies
from strategies.loader_audit import check_weights, item_labels, observation
from strategies.loader_audit.audit import Audit, audit

COUNTS = (600, 200, 60, 40)


@pytest.fixture
def labels():
    order = torch.randperm(sum(COUNTS), generator=torch.Generator().manual_seed(7))
    return torch.repeat_interleave(torch.arange(len(COUNTS)), torch.tensor(COUNTS))[order]


@pytest.fixture
def data(labels):
    return TensorDataset(torch.zeros(len(labels), 3), labels)


def seeded(seed=1):
    return torch.Generator().manual_seed(seed)


def weighted(weights, num_samples=None, replacement=True):
    return WeightedRandomSampler(weights, num_samples or len(weights), replacement, generator=seeded())


def inverse(labels):
    return 1.0 / labels.bincount(minlength=len(COUNTS)).double()


def balanced(data, labels):
    return DataLoader(data, sampler=weighted(inverse(labels)[labels]), batch_size=32)


def names(result: Audit):
    return [finding.name for finding in result.findings]


def only(result: Audit, name: str):
    assert names(result) == [name]
    assert not result.ok
    assert str(result).startswith("Misconfigured: 1 problem found.\n")
    assert all(f"    {line}" in str(result).splitlines() for line in result.findings[0].fix.splitlines())  # not folded
    return result.findings[0]


def clean(result: Audit):
    assert result.ok, str(result)
    assert str(result).startswith("No problem found.\n  class mix: agrees with the intended one, ")
    assert result.p_value >= 1e-3


def test_weights_per_class_given_as_weights_per_sample(data, labels):
    class_weights = inverse(labels)
    loader = DataLoader(data, sampler=weighted(class_weights, len(labels)), batch_size=32)
    finding = only(audit(loader, labels), "weights-per-class")
    assert "4 weights, one per class, but needs one per item: 900" in finding.message
    assert "items 0 to 3" in finding.message
    assert "sample_weights = class_weights[labels]" in finding.fix
    sample_weights = class_weights[labels]
    clean(audit(DataLoader(data, sampler=weighted(sample_weights), batch_size=32), labels))


def test_weights_of_only_the_classes_that_occur_are_recognised_as_one_per_class(data, labels):
    _, counts = np.unique(labels, return_counts=True)
    sampler = weighted(1.0 / torch.tensor(counts, dtype=torch.float), 900)
    result = audit(DataLoader(data, sampler=sampler), labels, class_names=["a", "b", "c", "d", "never"])
    only(result, "weights-per-class")


def test_fewer_weights_than_items(data, labels):
    read = labels[:-1]  # a header line was taken for a row
    loader = DataLoader(data, sampler=weighted(inverse(labels)[read]), batch_size=32)
    finding = only(audit(loader, labels), "weights-number")
    assert "899 weights, but the data set has 900 items" in finding.message
    assert "the last 1 are never sampled" in finding.message
    assert "class_weights[labels]" in finding.fix
    assert "900 labels" in finding.fix
    clean(audit(balanced(data, labels), labels))


def test_more_weights_than_items(data, labels):
    loader = DataLoader(data, sampler=weighted(inverse(labels)[torch.cat([labels, labels[:5]])]))
    assert "some indices do not exist" in only(audit(loader, labels), "weights-number").message


def test_weights_in_the_order_of_sorted_class_names(data, labels):
    class_names = ("O", "B-PER", "I-PER", "B-LOC")  # ids as the tagger has them
    by_name = sorted(zip(class_names, COUNTS, strict=True))  # and the weights as a sorted dict has them
    class_weights = torch.tensor([1 / count for _, count in by_name], dtype=torch.float64)
    loader = DataLoader(data, sampler=weighted(class_weights[labels]), batch_size=32)
    finding = only(audit(loader, labels, class_names=class_names), "weights-class-order")
    assert "the sorted class names" in finding.message
    assert "class 0 'O' has the weight of class 3 'B-LOC'" in finding.message
    assert "torch.bincount(labels, minlength=4)" in finding.fix
    counts = torch.bincount(labels, minlength=4)
    class_weights = 1.0 / counts.clamp_min(1)
    clean(audit(DataLoader(data, sampler=weighted(class_weights[labels])), labels, class_names=class_names))


def test_weights_in_the_order_of_a_dict(data, labels):
    counts: dict[int, int] = {}
    for label in [3, 1, 0, 2, *labels.tolist()]:
        counts[label] = counts.get(label, 0) + 1
    labels = torch.cat([torch.tensor([3, 1, 0, 2]), labels])
    data = TensorDataset(torch.zeros(904, 3), labels)
    class_weights = torch.tensor([1 / count for count in counts.values()], dtype=torch.float64)
    loader = DataLoader(data, sampler=weighted(class_weights[labels]))
    finding = only(audit(loader, labels), "weights-class-order")
    assert "first appearance, as in a dict of counts" in finding.message
    clean(audit(balanced(data, labels), labels))


def test_loss_weights_in_another_order(data, labels):
    loss = nn.CrossEntropyLoss(weight=inverse(labels).flip(0).float())
    loader = DataLoader(data, shuffle=True, generator=seeded(), batch_size=32)
    finding = only(audit(loader, labels, loss=loss, intended="natural"), "weights-class-order")
    assert finding.message.startswith("The loss's weights")
    assert "WeightedRandomSampler" not in finding.fix
    clean(audit(loader, labels, loss=nn.CrossEntropyLoss(weight=inverse(labels).float())))


def test_weights_of_shuffled_items(data, labels):
    shuffled = torch.randperm(900, generator=seeded())
    loader = DataLoader(Subset(data, shuffled.tolist()), sampler=weighted(inverse(labels)[labels]))
    finding = only(audit(loader, labels[shuffled]), "weights-item-order")
    assert "of 900 belong to an item of another class" in finding.message
    labels = labels[shuffled]
    clean(audit(DataLoader(Subset(data, shuffled.tolist()), sampler=weighted(inverse(labels)[labels])), labels))


@pytest.mark.parametrize("given", ["labels of the data set", "labels of the part"])
def test_weights_of_a_part_for_a_loader_of_the_whole(data, labels, given):
    train = torch.randperm(900, generator=seeded())[:675]
    train_labels = labels[train]
    train_sampler = weighted(inverse(train_labels)[train_labels])
    loader = DataLoader(data, sampler=train_sampler, batch_size=10)
    finding = only(
        audit(loader, labels if given == "labels of the data set" else train_labels), "subset-against-parent"
    )
    assert "675 weights" in finding.message
    assert "TensorDataset of 900 items" in finding.message
    assert "DataLoader(Subset(dataset, train_indices), sampler=train_sampler, batch_size=10)" in finding.fix
    fixed = DataLoader(Subset(data, train.tolist()), sampler=train_sampler, batch_size=10)
    clean(audit(fixed, labels))
    clean(audit(fixed, train_labels))


def test_weights_of_a_part_of_a_data_set_too_large_to_be_read(monkeypatch, labels):
    class Pictures(Dataset):
        def __len__(self):
            return 900

        def __getitem__(self, i):
            return torch.zeros(3), int(labels[i])

    monkeypatch.setattr(item_labels, "MAX_READ", 800)
    train_labels = labels[torch.randperm(900, generator=seeded())[:675]]
    loader = DataLoader(Pictures(), sampler=weighted(inverse(train_labels)[train_labels]))
    result = audit(loader, train_labels)
    assert "Pictures of 900 items" in only(result, "subset-against-parent").message
    assert (result.p_value, result.statistics) == (None, None)


def test_weights_of_the_parent_for_a_loader_of_a_subset(data, labels):
    train = torch.randperm(900, generator=seeded())[:675]
    dataset, sample_weights = Subset(data, train.tolist()), inverse(labels[train])[labels]
    finding = only(audit(DataLoader(dataset, sampler=weighted(sample_weights)), labels), "subset-against-parent")
    assert "WeightedRandomSampler has 900 weights, those of the parent data set" in finding.message
    assert "weights[torch.as_tensor(dataset.indices)]" in finding.fix
    sample_weights = sample_weights[torch.as_tensor(dataset.indices)]
    clean(audit(DataLoader(dataset, sampler=weighted(sample_weights)), labels))


@pytest.mark.parametrize("given", ["labels of the data set", "labels of the part"])
def test_our_sampler_of_a_part_for_a_loader_of_the_whole(data, labels, given):
    train = torch.randperm(900, generator=seeded())[:675]
    train_sampler = strategies.ClassBalancedSampler(labels[train], seed=0)
    whole = given == "labels of the data set"
    finding = only(
        audit(DataLoader(data, sampler=train_sampler), labels if whole else labels[train]), "subset-against-parent"
    )
    assert "The ClassBalancedSampler was built for 675 items" in finding.message
    clean(audit(DataLoader(Subset(data, train.tolist()), sampler=train_sampler), labels))


def test_our_sampler_of_the_parent_for_a_loader_of_a_subset(data, labels):
    train = torch.randperm(900, generator=seeded())[:675]
    dataset = Subset(data, train.tolist())
    sampler = strategies.ClassBalancedSampler(labels, seed=0)
    finding = only(audit(DataLoader(dataset, sampler=sampler), labels), "subset-against-parent")
    assert "ClassBalancedSampler(labels[torch.as_tensor(dataset.indices)], seed=0)" in finding.fix
    sampler = strategies.ClassBalancedSampler(labels[torch.as_tensor(dataset.indices)], seed=0)
    clean(audit(DataLoader(dataset, sampler=sampler), labels))


def test_our_sampler_of_another_number_of_items(data, labels):
    finding = only(audit(strategies.ClassBalancedSampler(labels[:-1], seed=0), labels), "weights-number")
    assert "ClassBalancedSampler(labels, seed=0)" in finding.fix
    clean(audit(strategies.ClassBalancedSampler(labels, seed=0), labels))


def test_indices_of_the_parent_for_a_loader_of_a_subset(data, labels):
    train = torch.randperm(900, generator=seeded())[:675].tolist()
    finding = only(audit(DataLoader(Subset(data, train), sampler=train), labels), "subset-against-parent")
    assert "indices up to 89" in finding.message
    assert "DataLoader(dataset.dataset, sampler=sampler, batch_size=1)" in finding.fix
    clean(audit(DataLoader(Subset(data, train).dataset, sampler=train), labels, intended="natural"))


def test_indices_beyond_the_data_set(data, labels):
    finding = only(audit(DataLoader(data, sampler=range(905)), labels), "index-out-of-range")
    assert "index 904, the data set has 900 items" in finding.message
    assert "the 900 labels of this data set" in finding.fix


def test_validation_loader_resampled(data, labels):
    finding = only(audit(balanced(data, labels), labels, role="validation"), "validation-resampled")
    assert "samples repeat an item" in finding.message
    assert "DataLoader(valid_dataset, batch_size=32, shuffle=False)" in finding.fix
    clean(audit(DataLoader(data, batch_size=32, shuffle=False), labels, role="validation"))


def test_a_class_without_items_gives_infinite_weights(data, labels):
    train_labels = labels[labels != 3]  # the part that the classes were counted on
    class_weights = 1.0 / train_labels.bincount(minlength=4)
    finding = only(audit(DataLoader(data, sampler=weighted(class_weights[labels])), labels), "weights-not-finite")
    assert "40 of the sampler's weights are" in finding.message
    assert "torch.where(counts > 0, 1.0 / counts.clamp_min(1), 0.0)" in finding.fix
    counts = torch.bincount(labels, minlength=4)
    class_weights = torch.where(counts > 0, 1.0 / counts.clamp_min(1), 0.0)
    clean(audit(DataLoader(data, sampler=weighted(class_weights[labels])), labels))


@pytest.mark.parametrize("bad", [float("nan"), -1.0])
def test_weights_that_are_not_numbers_or_negative(data, labels, bad):
    sample_weights = inverse(labels)[labels]
    sample_weights[5] = bad
    finding = only(audit(DataLoader(data, sampler=weighted(sample_weights)), labels), "weights-not-finite")
    assert f"weights[5] = {bad}" in finding.message


def test_an_infinite_weight_in_the_loss_names_the_empty_class(data, labels):
    loss = nn.CrossEntropyLoss(weight=1.0 / labels.bincount(minlength=5))
    loader = DataLoader(data, shuffle=True, generator=seeded())
    finding = only(audit(loader, labels, loss=loss), "weights-not-finite")
    assert "class 4 has no items" in finding.message
    assert "minlength=5" in finding.fix
    counts = torch.bincount(labels, minlength=5)
    class_weights = torch.where(counts > 0, 1.0 / counts.clamp_min(1), 0.0)
    clean(audit(loader, labels, loss=nn.CrossEntropyLoss(weight=class_weights)))


def test_without_replacement_as_many_samples_as_items(data, labels):
    sample_weights = inverse(labels)[labels]
    loader = DataLoader(data, sampler=weighted(sample_weights, replacement=False))
    finding = only(audit(loader, labels), "replacement-false")
    assert "900 of 900 items without replacement" in finding.message
    assert "WeightedRandomSampler(sample_weights, 900, replacement=True)" in finding.fix
    clean(audit(DataLoader(data, sampler=weighted(sample_weights, replacement=True)), labels))


@pytest.mark.parametrize("num_samples", [880, 800, 600])
def test_without_replacement_nearly_as_many_samples_as_items(data, labels, num_samples):
    sample_weights = inverse(labels)[labels]
    loader = DataLoader(data, sampler=weighted(sample_weights, num_samples, replacement=False))
    finding = only(audit(loader, labels), "replacement-false")
    assert f"{num_samples} of 900 items without replacement: the rare classes run out" in finding.message
    assert "class 3 is" in finding.message
    assert "25.0% by the weights, and is 4.4% of the data" in finding.message
    assert f"WeightedRandomSampler(sample_weights, {num_samples}, replacement=True)" in finding.fix
    clean(audit(DataLoader(data, sampler=weighted(sample_weights, 880)), labels))
    clean(audit(DataLoader(data, sampler=weighted(sample_weights, 60, replacement=False)), labels))


def test_a_distributed_sampler_has_replaced_the_sampler(data, labels):
    loader = DataLoader(data, sampler=DistributedSampler(data, num_replicas=2, rank=0))
    finding = only(audit(loader, labels), "sampler-dropped")
    assert "DistributedSampler for 2 processes" in finding.message
    assert "strategies.ClassBalancedSampler(labels, num_replicas=2, rank=rank, seed=0)" in finding.fix
    fixed = strategies.ClassBalancedSampler(labels, num_replicas=2, rank=0, seed=0)
    clean(audit(DataLoader(data, sampler=fixed), labels, num_replicas=2, rank=0))


@pytest.mark.parametrize("sampler", ["weighted", "random", "our own, of one process"])
def test_every_process_samples_the_same(data, labels, sampler):
    drawing = {
        "weighted": weighted(inverse(labels)[labels]),
        "random": RandomSampler(data, generator=seeded()),
        "our own, of one process": strategies.ClassBalancedSampler(labels, num_replicas=1, rank=0),
    }[sampler]
    intended = "natural" if sampler == "random" else "balanced"
    result = audit(DataLoader(data, sampler=drawing), labels, num_replicas=4, rank=1, intended=intended)
    finding = only(result, "sampler-repeated")
    assert "4 processes share the training" in finding.message
    assert "900 of 900 items" in finding.message
    assert "num_replicas=4, rank=rank" in finding.fix
    fixed = strategies.ClassBalancedSampler(labels, num_replicas=4, rank=1, seed=0)
    clean(audit(DataLoader(data, sampler=fixed), labels, num_replicas=4, rank=1))


def test_sampler_and_loss_weights_both_correct(data, labels):
    class_weights = inverse(labels).float()
    loss = nn.CrossEntropyLoss(weight=class_weights / class_weights.sum())
    finding = only(audit(balanced(data, labels), labels, loss=loss), "double-correction")
    share = class_weights / class_weights.sum()
    assert "CrossEntropyLoss corrects again" in finding.message
    shown = [float(entry.split(": ")[1].rstrip(".")) for entry in finding.message.split("by class id: ")[1].split(", ")]
    assert shown == pytest.approx(share.tolist(), abs=0.03)
    assert "loss_fn = nn.CrossEntropyLoss()" in finding.fix
    assert "batch_size=32, shuffle=True" in finding.fix
    clean(audit(balanced(data, labels), labels, loss=nn.CrossEntropyLoss()))
    clean(audit(DataLoader(data, batch_size=32, shuffle=True, generator=seeded()), labels, loss=loss))


@pytest.mark.parametrize("pos_weight", [1.05, 9.0])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_a_binary_loss_that_weights_balanced_classes(pos_weight, shape):
    labels = torch.tensor([0] * 900 + [1] * 100)
    data = TensorDataset(torch.zeros(1000, 3), labels)
    loader = DataLoader(data, sampler=weighted((1.0 / labels.bincount().double())[labels]), batch_size=32)
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.full(shape, pos_weight))
    finding = only(audit(loader, labels, loss=loss), "double-correction")
    assert (
        f"BCEWithLogitsLoss(pos_weight={pos_weight:g}) corrects again: class 1, 10.00% of the data" in finding.message
    )
    assert "loss_fn = nn.BCEWithLogitsLoss()" in finding.fix
    clean(audit(loader, labels, loss=nn.BCEWithLogitsLoss()))
    clean(audit(loader, labels, loss=nn.BCEWithLogitsLoss(pos_weight=torch.ones(shape))))
    shuffled = DataLoader(data, shuffle=True, generator=seeded())
    clean(audit(shuffled, labels, loss=nn.BCEWithLogitsLoss(pos_weight=torch.full(shape, 9.0))))


@pytest.mark.parametrize("how", ["class_weights", "strategy", "loss", "prior", "log-prior buffer"])
def test_a_double_correction_is_seen_however_the_loss_is_given(data, labels, how):
    counts = strategies.ClassCounts.of(labels)
    adjusted = nn.CrossEntropyLoss()
    adjusted.register_buffer("log_prior", (counts.values / 900).log())
    given = {
        "class_weights": {"class_weights": inverse(labels)},
        "strategy": {"loss": strategies.get("loss-weights")},
        "loss": {"loss": strategies.get("loss-weights").loss(counts)},
        "prior": {"loss_prior": counts.values},
        "log-prior buffer": {"loss": adjusted},
    }[how]
    finding = only(audit(balanced(data, labels), labels, **given), "double-correction")
    assert ("class_weights corrects again" in finding.message) == (how == "class_weights")
    assert ("and the loss corrects again" in finding.message) == (how == "prior")


def test_square_roots_in_sampler_and_loss_are_one_whole_correction(data, labels):
    root = inverse(labels).sqrt()
    loader = DataLoader(data, sampler=weighted(root[labels]))
    clean(audit(loader, labels, class_weights=root, intended="square-root"))


def test_the_majority_ignored_in_the_loss(data, labels):
    loader = DataLoader(data, batch_size=32, shuffle=True, generator=seeded())
    loss = nn.CrossEntropyLoss(ignore_index=0)
    finding = only(audit(loader, labels, loss=loss, intended="natural"), "majority-ignored")
    assert "ignores class 0, 67% of the sampled labels" in finding.message
    assert "ignore_index=-100" in finding.fix
    assert "ClassBalancedSampler(labels" in finding.fix
    only(audit(loader, labels, loss=strategies.get("ignore-index"), intended="natural"), "majority-ignored")
    fixed = DataLoader(data, sampler=strategies.ClassBalancedSampler(labels, seed=0))
    clean(audit(fixed, labels, loss=nn.CrossEntropyLoss(ignore_index=-100)))


@pytest.mark.parametrize(
    "padding",
    [
        {"pad": 1},
        {"pad": "fill", "class_names": ["a", "fill", "c", "d"]},
        {"class_names": ["a", "<pad>", "c", "d"]},
    ],
)
def test_padding_counted_as_a_class(data, labels, padding):
    finding = only(audit(balanced(data, labels), labels, **padding), "pad-counted")
    assert "counts as a class: 200 of 900 labels (22%)" in finding.message
    assert "labels[labels == 1] = -100" in finding.fix
    labels = labels.clone()
    labels[labels == 1] = -100
    fixed = DataLoader(
        TensorDataset(torch.zeros(900, 3), labels), sampler=strategies.ClassBalancedSampler(labels, seed=0)
    )
    clean(audit(fixed, labels, loss=nn.CrossEntropyLoss(ignore_index=-100), **padding))


def test_padding_is_recognised_by_its_place():
    generator = seeded()
    sentences = torch.randint(1, 4, (300, 12), generator=generator)
    length = torch.randint(4, 13, (300, 1), generator=generator)
    sentences[torch.arange(12) >= length] = 0
    finding = only(
        audit(DataLoader(TensorDataset(sentences), sampler=range(300)), sentences, intended="natural"), "pad-counted"
    )
    assert finding.message.startswith("The padding, class 0, counts as a class")
    sentences[sentences == 0] = -100
    clean(audit(DataLoader(TensorDataset(sentences), sampler=range(300)), sentences, intended="natural"))


def test_padding_that_is_declared_ignored_and_not_sampled_is_no_mistake(data, labels):
    class_weights = inverse(labels)
    class_weights[0] = 0
    loader = DataLoader(data, sampler=weighted(class_weights[labels]), batch_size=32)
    clean(audit(loader, labels, pad=0, loss=nn.CrossEntropyLoss(ignore_index=0)))
    only(audit(balanced(data, labels), labels, pad=0, loss=nn.CrossEntropyLoss(ignore_index=0)), "pad-counted")
    only(audit(loader, labels, pad=0, loss=nn.CrossEntropyLoss()), "pad-counted")


def test_padding_that_is_declared_and_ignored_in_sentences_is_no_mistake():
    sentences = torch.tensor([[1, 2, 0, 0], [1, 1, 3, 0], [2, 2, 2, 2]] * 50)
    loss = nn.CrossEntropyLoss(ignore_index=0)
    clean(audit(range(150), sentences, pad=0, loss=loss, intended="natural"))


def test_padding_that_is_not_masked_is_one_mistake_not_two():
    generator = seeded()
    words = torch.multinomial(torch.tensor([0, 0.9, 0.09, 0.01]), 300 * 12, replacement=True, generator=generator)
    sentences = words.view(300, 12)
    length = torch.randint(2, 13, (300, 1), generator=generator)
    sentences[torch.arange(12) >= length] = 0
    counted = strategies.Labels.rectangular(sentences)
    item_weights = strategies.get("sentence-weights").item_weights(counted, counted.counts())
    only(audit(weighted(item_weights, 3000), sentences), "pad-counted")


def test_a_mark_at_the_end_of_every_item_is_no_padding():
    sentences = torch.randint(1, 4, (300, 12), generator=seeded())
    sentences[:, -1] = 0
    clean(audit(DataLoader(TensorDataset(sentences), sampler=range(300)), sentences, intended="natural"))


def test_nothing_rebalances(data, labels):
    finding = only(audit(DataLoader(data, batch_size=32, shuffle=True, generator=seeded()), labels), "not-resampled")
    assert "67% class 0" in finding.message
    assert "strategies.ClassBalancedSampler(labels, seed=0), batch_size=32" in finding.fix
    fixed = DataLoader(data, sampler=strategies.ClassBalancedSampler(labels, seed=0), batch_size=32)
    clean(audit(fixed, labels))


def test_a_mix_that_nothing_explains(data, labels):
    loader = DataLoader(data, sampler=weighted(torch.tensor([1.0, 2.0, 30.0, 4.0])[labels]))
    assert "class 2 is" in only(audit(loader, labels), "mix-differs").message


def effective(labels, beta=0.99):
    return (1 - beta) / (1 - beta ** labels.bincount().double())


@pytest.mark.parametrize(
    ("class_weights", "message", "intended"),
    [
        (
            lambda labels: inverse(labels) ** 0.5,
            "This is the square-root mix: pass intended='square-root'",
            "square-root",
        ),
        (lambda labels: inverse(labels) ** 0.75, "This is the mix n_c^0.25: pass intended=0.25 to audit()", 0.25),
        (effective, "This is the mix of effective numbers, beta=0.99: pass intended=sample_weights", effective),
        (
            lambda labels: torch.tensor([1.0, 2.0, 30.0, 4.0]),
            "Pass intended=... to audit() if this mix is what you want",
            None,
        ),
    ],
)
def test_a_mix_is_named_with_the_argument_that_asks_for_it(data, labels, class_weights, message, intended):
    sample_weights = class_weights(labels)[labels]
    loader = DataLoader(data, sampler=weighted(sample_weights))
    finding = only(audit(loader, labels), "mix-differs")
    assert message in finding.message
    assert (
        "sampler = strategies.ClassBalancedSampler(labels, seed=0)\n# or, if this mix is what you want: " in finding.fix
    )
    clean(audit(loader, labels, intended=intended if isinstance(intended, str | float) else sample_weights))


def test_a_mix_is_named_by_its_samples_where_there_are_no_weights(data, labels):
    index = list(weighted((inverse(labels) ** 0.5)[labels], 2000))
    assert "pass intended='square-root'" in only(audit(index, labels), "mix-differs").message
    shuffled = DataLoader(data, shuffle=True, generator=seeded())
    assert (
        "Pass intended='natural' to audit() if that is what you want"
        in only(audit(shuffled, labels), "not-resampled").message
    )


def test_the_fix_balances_classes_that_are_equal_in_the_data():
    labels = torch.arange(4).repeat(200)
    loader = DataLoader(TensorDataset(labels), sampler=weighted(torch.tensor([1.0, 2.0, 3.0, 4.0])[labels]))
    assert "ClassBalancedSampler(labels, seed=0)" in only(audit(loader, labels), "mix-differs").fix


def test_the_fix_samples_the_intended_mix(data, labels):
    result = audit(balanced(data, labels), labels, intended="square-root")
    assert "ClassBalancedSampler(labels, power=0.5, seed=0)" in only(result, "mix-differs").fix
    clean(audit(strategies.ClassBalancedSampler(labels, power=0.5, seed=0), labels, intended="square-root"))


def test_labels_in_another_order_than_the_data_set(data, labels):
    finding = only(audit(balanced(data, labels), labels.flip(0)), "labels-differ")
    assert "Of 64 sampled items" in finding.message
    assert "[y for x, y in dataset]" in finding.fix
    clean(audit(balanced(data, labels), torch.tensor([int(y) for _, y in data])))


class LabelledItems(Dataset):
    """Items (x, number)."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, i):
        return torch.zeros(3), int(self.numbers[i])


@pytest.mark.parametrize("numbers", [2, 4])
def test_a_number_next_to_the_inputs_need_not_be_a_label(labels, numbers):
    items = LabelledItems(torch.randint(numbers, (900,), generator=seeded()))  # a site, a fold
    sampler = strategies.ClassBalancedSampler(labels, seed=0)
    clean(audit(DataLoader(items, sampler=sampler, batch_size=32), labels))


@pytest.mark.parametrize("how", ["shuffled", "moved by one", "a third wrong"])
def test_labels_in_another_order_are_distinguished_from_numbers_that_are_not_labels(labels, how):
    given = {
        "shuffled": labels[torch.randperm(900, generator=seeded())],
        "moved by one": labels.roll(1),
        "a third wrong": torch.where(torch.arange(900) % 3 == 0, (labels + 1) % 4, labels),
    }[how]
    loader = DataLoader(LabelledItems(labels), sampler=strategies.ClassBalancedSampler(labels, seed=0), batch_size=32)
    only(audit(loader, given), "labels-differ")


def test_weights_too_many_for_float32_or_for_multinomial(monkeypatch, labels):
    class Sampler(WeightedRandomSampler):
        def __init__(self, weights):
            super().__init__(weights, len(weights), generator=seeded())
            self.weights = weights

    sample_weights = inverse(labels)[labels]
    monkeypatch.setattr(check_weights, "FLOAT32_ITEMS", 800)
    finding = only(audit(Sampler(sample_weights.float()), labels), "weights-precision")
    assert "900 weights of type float32" in finding.message
    clean(audit(strategies.ClassBalancedSampler(labels, seed=0), labels))
    clean(audit(Sampler(sample_weights), labels))
    monkeypatch.setattr(check_weights, "MULTINOMIAL_ITEMS", 800)
    assert "at most 2**24" in only(audit(Sampler(sample_weights), labels), "weights-precision").message


def test_at_most_a_hundred_thousand_items_are_read(monkeypatch, labels):
    monkeypatch.setattr(observation, "MAX_ITEMS", 500)
    result = audit(weighted(inverse(labels)[labels]), labels)
    assert result.statistics.samples == 500
    assert not result.statistics.items.whole_epoch
    in_batches = audit(DataLoader(TensorDataset(labels), batch_size=32, shuffle=True, generator=seeded()), labels)
    assert (in_batches.statistics.samples, in_batches.statistics.batches.count) == (500, 15)
    assert audit(range(500), labels[:500], batch_size=150).statistics.batches.count == 4
