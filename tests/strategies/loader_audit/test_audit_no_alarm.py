"""Correct set-ups raise no alarm beyond the stated rate."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
import torch
from scipy.stats import binom
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)
from torch.utils.data.distributed import DistributedSampler

import strategies
from strategies.labels import Labels
from strategies.loader_audit.audit import audit

SEEDS = 200
ALPHA = 1e-3
"""The stated rate."""
COUNTS = torch.tensor([140, 40, 20])
LABELS = torch.repeat_interleave(torch.arange(3), COUNTS)[
    torch.randperm(int(COUNTS.sum()), generator=torch.Generator().manual_seed(0))
]
DATA = TensorDataset(torch.zeros(len(LABELS), 2), LABELS)


def generator(seed):
    return torch.Generator().manual_seed(seed)


def weighted(labels, seed, power=1.0):
    weights = (1.0 / labels.bincount().double()) ** power
    return WeightedRandomSampler(weights[labels], len(labels), generator=generator(seed))


def balanced(seed):
    return audit(DataLoader(DATA, sampler=weighted(LABELS, seed), batch_size=20), LABELS)


def square_root(seed):
    return audit(DataLoader(DATA, sampler=weighted(LABELS, seed, 0.5), batch_size=20), LABELS, intended="square-root")


def shuffled(seed):
    return audit(DataLoader(DATA, shuffle=True, generator=generator(seed), batch_size=20), LABELS, intended="natural")


def natural_with_replacement(seed):
    sampler = RandomSampler(DATA, replacement=True, generator=generator(seed))
    return audit(DataLoader(DATA, sampler=sampler), LABELS, intended="natural")


def a_part(seed):
    part = torch.randperm(200, generator=generator(seed))[:150]
    return audit(DataLoader(Subset(DATA, part.tolist()), sampler=weighted(LABELS[part], seed)), LABELS[part])


def sampled_from_a_part(seed):
    part = torch.randperm(200, generator=generator(seed))[:150]
    sampler = SubsetRandomSampler(part.tolist(), generator=generator(seed))
    return audit(DataLoader(DATA, sampler=sampler), LABELS, intended="natural")


def split(seed):
    train, _ = random_split(DATA, [150, 50], generator=generator(seed))
    labels = LABELS[torch.tensor(train.indices)]
    return audit(DataLoader(train, sampler=weighted(labels, seed), batch_size=10), LABELS)


def part_of_a_part(seed):
    outer = torch.randperm(200, generator=generator(seed))[:180]
    inner = torch.arange(0, 180)[seed % 3 :]
    labels = LABELS[outer[inner]]
    data = Subset(Subset(DATA, outer.tolist()), inner.tolist())
    sampler = strategies.ClassBalancedSampler(data, seed=seed) if seed % 2 else weighted(labels, seed)
    return audit(DataLoader(data, sampler=sampler), LABELS)


LENGTHS = torch.randint(2, 9, (150,), generator=generator(5))
BOUNDS = [0, *LENGTHS.cumsum(0).tolist()]
WORDS = torch.multinomial(torch.tensor([0.8, 0.15, 0.05]), BOUNDS[-1], replacement=True, generator=generator(6))
SENTENCES = Labels.packed([WORDS[a:b].tolist() for a, b in pairwise(BOUNDS)])
MEANS = strategies.get("sentence-weights").item_weights(SENTENCES, SENTENCES.counts())


def sentences(seed):
    sampler = WeightedRandomSampler(MEANS, 150, generator=generator(seed))
    return audit(sampler, SENTENCES, intended=MEANS, batch_size=10)


def sentences_by_our_sampler(seed):
    return audit(strategies.SentenceSampler(SENTENCES, seed=seed).batches(10), SENTENCES)


def batch_sampler(seed):
    return audit(DataLoader(DATA, batch_sampler=BatchSampler(weighted(LABELS, seed), 20, drop_last=True)), LABELS)


def index_tensors(seed):
    batches = strategies.ClassBalancedSampler(LABELS, seed=seed).batches(20)
    return audit(DataLoader(DATA, batch_size=None, sampler=batches), LABELS)


def validation(seed):
    _, valid = random_split(DATA, [100, 100], generator=generator(seed))
    return audit(DataLoader(valid, batch_size=20, num_workers=0), LABELS, role="validation")


def sharded(seed):
    sampler = strategies.ClassBalancedSampler(LABELS, seed=seed, num_replicas=2, rank=seed % 2)
    return audit(DataLoader(DATA, sampler=sampler), LABELS, num_replicas=2, rank=seed % 2)


def distributed(seed):
    sampler = DistributedSampler(DATA, num_replicas=2, rank=seed % 2, seed=seed)
    return audit(DataLoader(DATA, sampler=sampler), LABELS, num_replicas=2, rank=seed % 2, intended="natural")


def batches_of_pairs(seed):
    index = strategies.ClassBalancedSampler(LABELS, seed=seed).batches(20)
    return audit(lambda: ((DATA[batch]) for batch in index), LABELS)


def twenty_classes(seed):
    labels = torch.arange(20).repeat_interleave(torch.arange(1, 21))
    return audit(weighted(labels, seed), labels)


SET_UPS = [
    balanced,
    square_root,
    shuffled,
    natural_with_replacement,
    a_part,
    sampled_from_a_part,
    split,
    part_of_a_part,
    sentences,
    sentences_by_our_sampler,
    batch_sampler,
    index_tensors,
    validation,
    sharded,
    distributed,
    batches_of_pairs,
    twenty_classes,
]


@cache
def audits(set_up):
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # thousands of tiny operations: threads only wait for one another
    try:
        return [set_up(seed) for seed in range(SEEDS)]
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("set_up", SET_UPS, ids=lambda set_up: set_up.__name__)
def test_a_correct_set_up_raises_no_alarm_beyond_the_stated_rate(set_up):
    results = audits(set_up)
    named = {finding.name for one_audit in results for finding in one_audit.findings}
    assert named <= {"mix-differs"}, str(next(one_audit for one_audit in results if not one_audit.ok))
    alarms = sum(not one_audit.ok for one_audit in results)
    # 1 in a million for all set-ups together, if the true rate is the stated one.
    assert binom.sf(alarms - 1, SEEDS, ALPHA) > 1e-6 / len(SET_UPS) or alarms == 0


TAGGED = torch.multinomial(torch.tensor([0.8, 0.15, 0.05]), 600, replacement=True, generator=generator(7)).view(150, 4)
CUSTOM_MIXES = {
    "square root": lambda: strategies.ClassBalancedSampler(LABELS, power=0.5, num_samples=2000),
    "progressive": lambda: strategies.ClassBalancedSampler(LABELS, progressive=2000, num_samples=2000),
    "without replacement": lambda: strategies.ClassBalancedSampler(LABELS, replacement=False, num_samples=150),
    "repeat factor": lambda: strategies.RepeatFactorSampler(LABELS, threshold=0.5),
    "by the first tag": lambda: strategies.ClassBalancedSampler(TAGGED[:, 0], num_samples=2000),
    "product": lambda: strategies.SentenceSampler(Labels.rectangular(TAGGED), reduction="product"),
}


@pytest.mark.parametrize("name", CUSTOM_MIXES)
@pytest.mark.parametrize("inside", ["alone", "in batches"])
def test_a_mix_that_a_sampler_of_this_package_is_configured_for_is_no_problem(name, inside):
    sampler = CUSTOM_MIXES[name]()
    result = audit(
        sampler if inside == "alone" else sampler.batches(10),
        TAGGED if name in ("product", "by the first tag") else LABELS,
    )
    assert result.ok, str(result)
    assert result.intended == "the sampler's own"
    assert "Note: the sampler is configured for a class mix of its own; give intended=... to test it" in str(result)
    assert "nan" not in str(result)


def test_a_configured_mix_is_tested_if_intended_is_given():
    half = strategies.ClassBalancedSampler(LABELS, power=0.5, num_samples=2000)
    assert audit(half, LABELS, intended="square-root").ok
    assert [finding.name for finding in audit(half, LABELS, intended="balanced").findings] == ["mix-differs"]


def test_equal_classes_and_user_weights_are_tested():
    wrong = strategies.ClassBalancedSampler(LABELS.flip(0), num_samples=2000)
    assert [finding.name for finding in audit(wrong, LABELS).findings] == ["not-resampled"]
    alike = strategies.WeightedSampler(torch.ones(len(LABELS)), num_samples=2000)
    assert [finding.name for finding in audit(alike, LABELS).findings] == ["not-resampled"]


def test_all_alarms_together_are_no_more_than_the_stated_rate():
    results = [one_audit for set_up in SET_UPS for one_audit in audits(set_up)]
    assert sum(not one_audit.ok for one_audit in results) <= binom.ppf(0.999, len(results), ALPHA)


def test_p_values_are_uniform():
    """Half of them are below one half, a tenth below a tenth: the test is neither blind nor oversensitive."""
    for set_up in (balanced, natural_with_replacement, sentences, twenty_classes):
        p = torch.tensor([one_audit.p_value for one_audit in audits(set_up)])
        for level in (0.1, 0.5):
            below = int((p < level).sum())
            assert binom.ppf(1e-4, SEEDS, level) <= below <= binom.ppf(1 - 1e-4, SEEDS, level), set_up.__name__
