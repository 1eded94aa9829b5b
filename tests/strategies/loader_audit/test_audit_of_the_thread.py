"""The programs of the forum thread that this package grew from, as they were written there."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset, WeightedRandomSampler

import strategies
from strategies.loader_audit.audit import audit

INDEXED_COUNTS = {
    0: 112328,
    1: 3704,
    2: 169578,
    3: 1155,
    4: 7140,
    5: 4528,
    6: 6321,
    7: 6600,
    8: 1157,
    9: 3438,
}
TAGS = ("PAD", "I-ORG\n", "O\n", "I-MISC\n", "B-LOC\n", "I-PER\n", "B-ORG\n", "B-PER\n", "I-LOC\n", "B-MISC\n")


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)  # the thread's samplers draw from the global generator


class ImageDataset(Dataset):
    def __init__(self, images, labels, transform):
        self.images, self.image_labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.transform(self.images[i]), self.image_labels[i]


def parse_data(data_dir):
    rng = np.random.default_rng(data_dir)
    labels = rng.permutation(np.repeat(np.arange(9), [20, 15, 15, 15, 15, 600, 200, 15, 20]))
    return rng.normal(size=(len(labels), 2)), labels, None


def sampler_(labels):
    _, counts = np.unique(labels, return_counts=True)
    weights = 1.0 / torch.tensor(counts, dtype=torch.float)
    sample_weights = weights[labels]
    sampler = WeightedRandomSampler(sample_weights, len(sample_weights), replacement=True)
    return sampler  # noqa: RET504 -- as it was written


def split_of(labels, train_split):
    indices = list(range(len(labels)))
    np.random.default_rng(3).shuffle(indices)
    split = int(np.floor(train_split * len(labels)))
    return indices[:split], indices[split:]


def loader(data_dir, transform, train_split=0.75, fixed=False):
    images, labels, _ = parse_data(data_dir)
    dataset = ImageDataset(images, labels, transform)
    train_indices, val_indices = split_of(labels, train_split)
    train_labels = [labels[x] for x in train_indices]
    val_labels = [labels[x] for x in val_indices]
    train_sampler, val_sampler = sampler_(train_labels), sampler_(val_labels)
    if fixed:
        trainloader = DataLoader(Subset(dataset, train_indices), sampler=train_sampler, batch_size=10)
        valloader = DataLoader(Subset(dataset, val_indices), sampler=val_sampler, batch_size=10)
    else:
        trainloader = DataLoader(dataset, sampler=train_sampler)
        valloader = DataLoader(dataset, sampler=val_sampler)
    return trainloader, valloader, labels, train_labels, val_labels


def names(result):
    return [finding.name for finding in result.findings]


@pytest.mark.parametrize("given", ["labels of all images", "labels of the split"])
def test_the_loader_reads_the_wrong_items(given):
    trainloader, valloader, labels, train_labels, val_labels = loader(0, torch.as_tensor)
    whole = given == "labels of all images"
    result = audit(trainloader, labels if whole else train_labels)
    assert names(result) == ["subset-against-parent"]
    assert "675 weights" not in result.findings[0].message  # 915 images: 686 of them
    assert "686 weights" in result.findings[0].message
    assert "ImageDataset of 915 items" in result.findings[0].message
    assert "DataLoader(Subset(dataset, train_indices), sampler=train_sampler, batch_size=1)" in result.findings[0].fix
    assert result.statistics.classes.sampled[5] > 0.5  # as in the thread: 5 is still in the majority
    validation = audit(valloader, labels if whole else val_labels, role="validation")
    assert names(validation) == ["subset-against-parent", "validation-resampled"]
    assert "DataLoader(Subset(dataset, valid_indices), batch_size=1)" in validation.findings[0].fix


def test_the_loader_with_subsets_is_clean_but_for_its_validation():
    trainloader, valloader, labels, train_labels, val_labels = loader(0, torch.as_tensor, fixed=True)
    assert audit(trainloader, train_labels).ok
    assert audit(trainloader, labels).ok  # those of the parent data set do as well
    result = audit(valloader, val_labels, role="validation")
    assert names(result) == ["validation-resampled"]
    assert audit(DataLoader(valloader.dataset, batch_size=10, shuffle=False), val_labels, role="validation").ok


def words():
    """Words in a hundredth of the thread's counts, one item each."""
    classes = torch.tensor(list(INDEXED_COUNTS))
    labels = torch.repeat_interleave(classes, torch.tensor([n // 100 for n in INDEXED_COUNTS.values()]))
    return labels[torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))]


def ten_weights():
    tag_weights = {}
    for key in INDEXED_COUNTS:
        tag_weights[key] = 1 / INDEXED_COUNTS[key]
    return [i[1] for i in sorted(tag_weights.items())]


def test_ten_class_weights_are_no_sample_weights():
    labels, sampler = words(), ten_weights()
    drawing = WeightedRandomSampler(sampler, len(labels), generator=torch.Generator().manual_seed(0))
    result = audit(drawing, labels, class_names=TAGS)
    assert names(result) == ["weights-per-class", "pad-counted"]
    assert "10 weights, one per class" in result.findings[0].message
    assert "The padding, class 0 'PAD', counts as a class: 1,123 of 3,156 labels (36%)" in result.findings[1].message
    labels[labels == 0] = -100
    sample_weights = strategies.ClassCounts.of(labels).inverse()[labels.clamp_min(0)].masked_fill(labels < 0, 0)
    fixed = WeightedRandomSampler(sample_weights, len(labels), generator=torch.Generator().manual_seed(0))
    assert audit(fixed, labels, class_names=TAGS).ok
    assert audit(strategies.ClassBalancedSampler(labels, seed=0), labels, class_names=TAGS).ok


def test_ten_class_weights_in_the_loss_are_in_order_and_count_padding():
    loss = nn.CrossEntropyLoss(weight=torch.tensor(ten_weights()))
    labels = words()
    shuffled = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0)).tolist()
    assert names(audit(shuffled, labels, loss=loss)) == []
    assert names(audit(shuffled, labels, loss=loss, class_names=TAGS)) == ["pad-counted"]


def test_the_dominant_class_ignored():
    labels = words()
    result = audit(
        range(len(labels)), labels, class_names=TAGS, loss=nn.CrossEntropyLoss(ignore_index=2), intended="natural"
    )
    assert names(result) == ["majority-ignored", "pad-counted"]
    assert "class 2 'O'" in result.findings[0].message


def getBatch(batch_size, train_data):  # noqa: N802 -- the thread's own name
    sindex = 0
    eindex = batch_size
    while eindex < len(train_data):
        batch = train_data[sindex:eindex]
        temp = eindex
        eindex = eindex + batch_size
        sindex = temp
        yield batch
    if eindex >= len(train_data):
        batch = train_data[sindex:]
        yield batch


def conll(sentences=400):
    """(words, tags) of sentences, most of the tags O."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(4, 12, sentences)
    rare = rng.choice(10, size=(sentences, 12), p=[0, 0.03, 0.8, 0.01, 0.03, 0.03, 0.03, 0.03, 0.01, 0.03])
    return [(list(range(n)), [int(tag) for tag in tags[:n]]) for n, tags in zip(lengths, rare, strict=True)]


def test_get_batch_reads_every_sentence_once_and_does_not_rebalance():
    train_data = conll()
    labels = [tags for _, tags in train_data]
    result = audit(lambda: getBatch(32, train_data), labels, class_names=TAGS)
    assert names(result) == ["not-resampled"]
    assert "80% class 2 'O'" in result.findings[0].message
    assert "for index in strategies.SentenceSampler(labels, seed=0).batches(batch_size):" in result.findings[0].fix
    assert "batch = [train_data[i] for i in index]" in result.findings[0].fix
    assert audit(lambda: getBatch(32, train_data), labels, class_names=TAGS, intended="natural").ok
    assert result.statistics.samples == 400


def test_get_batch_with_the_tags_themselves():
    train_data = [(words, [TAGS[tag] for tag in tags]) for words, tags in conll()]
    labels = [[TAGS.index(tag) for tag in tags] for _, tags in train_data]
    assert names(audit(lambda: getBatch(32, train_data), labels, class_names=TAGS)) == ["not-resampled"]


def test_a_running_get_batch_is_read_and_reported_as_used_up():
    train_data = conll()
    result = audit(getBatch(32, train_data), [tags for _, tags in train_data], class_names=TAGS)
    assert names(result) == ["not-resampled"]
    assert "used up" in result.notes[0]


def test_the_replacement_of_get_batch_is_clean():
    train_data = conll()
    labels = strategies.Labels.packed([tags for _, tags in train_data], TAGS)
    batches = strategies.SentenceSampler(labels, seed=0).batches(32)
    assert audit(batches, labels).ok
    assert audit(lambda: ([train_data[i] for i in index] for index in batches), labels).ok
