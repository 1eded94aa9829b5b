"""The samplers as they are used: DataLoader, workers, plain loops, several processes, resuming."""

import json
import subprocess
import sys
from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, WeightedRandomSampler, random_split

from strategies import (
    ClassBalancedSampler,
    ClassCounts,
    Labels,
    RepeatFactorSampler,
    SentenceSampler,
    WeightedSampler,
)

COUNTS = [700, 200, 80, 20]
LABELS = torch.repeat_interleave(torch.arange(4), torch.tensor(COUNTS))[
    torch.randperm(1000, generator=torch.Generator().manual_seed(0))
]
SENTENCES = [[0] * 9, [0] * 8 + [1], [0, 2] * 3, [1], [0]] * 40
DATA = TensorDataset(torch.arange(1000), LABELS)

MAKERS = {
    "class": lambda **how: ClassBalancedSampler(LABELS, **how),
    "square root": lambda **how: ClassBalancedSampler(LABELS, power=0.5, **how),
    "progressive": lambda **how: ClassBalancedSampler(LABELS, progressive=1500, **how),
    "class, without replacement": lambda **how: ClassBalancedSampler(LABELS, replacement=False, num_samples=300, **how),
    "weights": lambda **how: WeightedSampler(torch.arange(1.0, 1001), **how),
    "weights, without replacement": lambda **how: WeightedSampler(torch.arange(1.0, 1001), 300, False, **how),
    "systematic": lambda **how: WeightedSampler(torch.arange(1.0, 1001), method="systematic", **how),
    "sentences": lambda **how: SentenceSampler(SENTENCES, **how),
    "repeat factor": lambda **how: RepeatFactorSampler(SENTENCES, threshold=0.9, **how),
}
on_one_core_too = pytest.mark.filterwarnings("ignore:This DataLoader will create")
every_sampler = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())


def epoch_of(sampler, epoch=0):
    sampler.set_epoch(epoch)
    return list(sampler)


# One stream


@every_sampler
def test_an_epoch_is_the_same_as_single_items_and_as_batches_of_any_size(make):
    epoch = epoch_of(make(seed=3), 2)
    assert len(epoch) > 100
    assert epoch_of(make(seed=3), 2) == epoch
    for size in (1, 7, 256, 10_000):
        batches = make(seed=3).batches(size)
        batches.set_epoch(2)
        index_batches = list(batches)
        assert torch.cat(index_batches).tolist() == epoch
        assert {len(batch) for batch in index_batches[:-1]} <= {size}


@every_sampler
def test_epochs_and_seeds_differ_and_each_iter_is_the_next_epoch(make):
    sampler = make(seed=0)
    lengths, epochs = [], []
    for _ in range(3):
        lengths.append(len(sampler))
        epochs.append(list(sampler))
    assert [len(indices) for indices in epochs] == lengths
    assert epochs == [epoch_of(make(seed=0), e) for e in range(3)]
    assert epochs[0] != epochs[1]
    assert epochs[0] != epoch_of(make(seed=1))


@every_sampler
@pytest.mark.parametrize("replicas", [2, 3, 8])
def test_shards_together_are_the_epoch_of_one_process(make, replicas):
    whole = epoch_of(make(seed=5), 1)
    shards = [epoch_of(make(seed=5, num_replicas=replicas, rank=rank), 1) for rank in range(replicas)]
    assert [shards[i % replicas][i // replicas] for i in range(len(whole))] == whole
    assert {len(shard) for shard in shards} == {-(-len(whole) // replicas)}, (
        "a rank with fewer would keep the others waiting"
    )


@every_sampler
def test_with_drop_last_all_ranks_get_equally_many(make):
    shards = [make(num_replicas=7, rank=rank, drop_last=True) for rank in range(7)]
    assert len({len(shard) for shard in shards}) == 1
    assert {len(list(shard)) for shard in shards} == {len(make()) // 7}


@every_sampler
@given(stop=st.integers(0, 200), as_batches=st.booleans())
@settings(max_examples=12, deadline=None)
def test_a_resumed_sampler_continues_with_the_very_next_index(make, stop, as_batches):
    def read(sampler, n=None):
        if not as_batches:
            return list(islice(sampler, n))
        return torch.cat(
            [*islice(sampler.batches(10), None if n is None else n // 10), torch.tensor([], dtype=torch.int64)]
        ).tolist()

    sampler = make(seed=1)
    epoch_of(sampler, 0)
    first = read(sampler, stop)
    state = json.loads(json.dumps(sampler.state_dict()))
    resumed = make(seed=1)
    resumed.load_state_dict(state)
    assert first + read(resumed) == epoch_of(make(seed=1), 1)
    assert list(resumed) == epoch_of(make(seed=1), 2)


def test_samplers_of_one_seed_are_not_copies_of_each_other():
    """Two loaders that are read in parallel, as for mixup or two branches, must not sample in step."""
    flipped = LABELS.flip(0)
    ours, theirs = (y[list(ClassBalancedSampler(y, num_samples=20_000, seed=0))] for y in (LABELS, flipped))
    assert (ours == theirs).double().mean() == pytest.approx(0.25, abs=0.02)
    natural = LABELS[list(ClassBalancedSampler(LABELS, power=1, num_samples=20_000, seed=0))]
    assert (natural[ours == 0] == 0).double().mean() == pytest.approx(0.7, abs=0.03)
    weights = torch.rand(1000, generator=torch.Generator().manual_seed(0))
    pair = [torch.tensor(list(WeightedSampler(w, 20_000, seed=0))).double() for w in (weights, torch.ones(1000))]
    assert abs(torch.corrcoef(torch.stack(pair))[0, 1]) < 0.03


def test_seeds_and_epochs_may_be_whole_numbers_of_any_type():
    sampler = ClassBalancedSampler(LABELS, seed=np.int64(3), num_samples=np.int32(50))
    assert epoch_of(sampler, np.int64(1)) == epoch_of(
        ClassBalancedSampler(LABELS, seed=3, num_samples=50), torch.tensor(1)
    )


def test_the_state_of_a_sampler_of_other_data_is_refused():
    state = MAKERS["class"]().state_dict()
    with pytest.raises(ValueError, match=r"items=1000.*items=200.*build the sampler as it was built"):
        SentenceSampler(SENTENCES).load_state_dict(state)
    for other in (ClassBalancedSampler(LABELS, seed=1), ClassBalancedSampler(LABELS, power=0.5)):
        with pytest.raises(ValueError, match=r"stream=\d+.*build the sampler as it was built"):
            other.load_state_dict(state)


# With PyTorch's loaders


@on_one_core_too
@pytest.mark.parametrize("workers", [0, 2])
def test_in_a_data_loader_as_sampler_as_batch_sampler_and_as_index_tensors(workers):
    expected = epoch_of(ClassBalancedSampler(LABELS, seed=2)), epoch_of(ClassBalancedSampler(LABELS, seed=2), 1)
    keep = {"num_workers": workers, "persistent_workers": workers > 0}
    sampler = ClassBalancedSampler(LABELS, seed=2)
    for loader in (
        DataLoader(DATA, batch_size=64, sampler=ClassBalancedSampler(LABELS, seed=2), **keep),
        DataLoader(DATA, batch_sampler=ClassBalancedSampler(LABELS, seed=2).batches(64), **keep),
        DataLoader(DATA, batch_size=None, sampler=sampler.batches(64), **keep),
    ):
        assert len(loader) == 16
        for epoch in expected:
            x, y = zip(*loader, strict=True)
            assert torch.cat(x).tolist() == epoch
            assert torch.equal(torch.cat(y), LABELS[epoch])


@on_one_core_too
@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated")  # torchdata calls it
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("how", ["sampler", "batch_sampler", "index tensors"])
def test_through_torchdatas_stateful_data_loader(workers, how):
    loaders = pytest.importorskip("torchdata.stateful_dataloader")

    def loader():
        sampler = ClassBalancedSampler(LABELS, seed=4)
        arguments = {
            "sampler": {"sampler": sampler, "batch_size": 32},
            "batch_sampler": {"batch_sampler": sampler.batches(32)},
            "index tensors": {"sampler": sampler.batches(32), "batch_size": None},
        }[how]
        return loaders.StatefulDataLoader(DATA, num_workers=workers, **arguments)

    whole = epoch_of(ClassBalancedSampler(LABELS, seed=4))
    first = loader()
    begun = iter(first)
    seen = torch.cat([next(begun)[0] for _ in range(5)]).tolist()
    state = first.state_dict()
    second = loader()
    second.load_state_dict(state)
    assert seen + torch.cat([x for x, _ in second]).tolist() == whole


GLOO = """
import json, sys, torch
from torch import distributed
from strategies import ClassBalancedSampler
distributed.init_process_group("gloo", init_method="file://" + sys.argv[1], rank=int(sys.argv[2]), world_size=2)
sampler = ClassBalancedSampler([0] * 90 + [1] * 10, seed=0)
epochs = [list(sampler) for _ in range(2)]
distributed.barrier()
print(json.dumps(epochs))
distributed.destroy_process_group()
"""


def test_two_gloo_processes_share_an_epoch_by_default(tmp_path):
    run = [sys.executable, "-W", "ignore", "-c", GLOO, str(tmp_path / "meet")]
    ranks = [subprocess.Popen([*run, str(rank)], stdout=subprocess.PIPE, text=True) for rank in range(2)]
    epochs = [json.loads(rank.communicate(timeout=120)[0].splitlines()[-1]) for rank in ranks]
    sampler = ClassBalancedSampler([0] * 90 + [1] * 10, seed=0)
    for epoch in range(2):
        whole = list(sampler)
        assert epochs[0][epoch] == whole[0::2]
        assert epochs[1][epoch] == whole[1::2]


# What is sampled


@pytest.mark.parametrize(("power", "shares"), [(0, [1, 1, 1, 1]), (1, COUNTS), (0.5, [c**0.5 for c in COUNTS])])
def test_power_goes_from_balanced_to_natural(power, shares):
    sampler = ClassBalancedSampler(LABELS, power=power, num_samples=20_000)
    seen = torch.bincount(LABELS[list(sampler)], minlength=4).numpy()
    expected = torch.tensor(shares).double()
    assert chisquare(seen, (expected / expected.sum() * 20_000).numpy()).pvalue > 1e-3


def test_ignored_items_and_absent_classes_are_never_sampled():
    labels = Labels.of(torch.tensor([0, 0, -100, 2, -100]), class_names="abc")
    index = torch.tensor(list(ClassBalancedSampler(labels, num_samples=5000)))
    assert set(index.tolist()) == {0, 1, 3}
    assert (index == 3).double().mean() == pytest.approx(0.5, abs=0.03)


class Images(Dataset):
    def __init__(self, **held):
        self.__dict__.update(held)

    def __len__(self):
        return 1000

    def __getitem__(self, index):
        return index, int(LABELS[index])


def nested():
    outer = Subset(Images(targets=LABELS.tolist()), list(range(999, 199, -1)))
    return Subset(outer, list(range(0, 800, 2)))


@pytest.mark.parametrize(
    "data",
    [
        DATA,
        Images(targets=LABELS),
        Images(labels=LABELS.numpy()),
        Images(targets=LABELS.tolist()),
        Images(targets=pd.Series(LABELS.numpy())),
        Images(targets=None, labels=LABELS),
        Subset(Images(targets=LABELS), range(0, 1000, 3)),
        random_split(Images(targets=LABELS), [600, 400], torch.Generator().manual_seed(0))[1],
        nested(),
    ],
    ids=["TensorDataset", "targets", "labels", "list", "Series", "no targets", "Subset", "random_split", "nested"],
)
def test_labels_are_read_from_a_data_set_or_subset(data):
    sampler = ClassBalancedSampler(data, num_samples=4000, seed=1)
    labels = torch.cat([y for _, y in DataLoader(data, batch_size=500, sampler=sampler)])
    assert chisquare(torch.bincount(labels, minlength=4).numpy()).pvalue > 1e-3


def test_a_data_set_without_labels_is_refused_with_what_to_give():
    with pytest.raises(
        ValueError, match=r"ClassBalancedSampler needs to know the class.*Images has no attribute.*give labels="
    ):
        ClassBalancedSampler(Subset(Images(), [1, 2]))


def test_sentences_may_be_lists_tensors_or_arrays():
    forms = (SENTENCES, [torch.tensor(s) for s in SENTENCES], [np.array(s) for s in SENTENCES])
    assert len({tuple(SentenceSampler(form)) for form in forms}) == 1


@pytest.mark.parametrize("weights", [[1e308, 1e308, 1.0], [5e-324, 5e-324], [1e-320, 2e-320]], ids=str)
def test_weights_near_the_limits_of_float64_keep_their_proportions(weights):
    seen = np.bincount(list(WeightedSampler(weights, 20_000)), minlength=len(weights))
    largest = max(weights)
    share = [w / largest for w in weights]
    assert seen / 20_000 == pytest.approx([s / sum(share) for s in share], abs=0.02)


def test_sentences_are_sampled_by_the_geometric_mean_of_their_label_weights():
    labels = Labels.packed(SENTENCES)
    weights = [1.0] * len(SENTENCES)
    class_weights = ClassCounts(labels.counts().values, labels.class_names).inverse().tolist()
    for i, sentence in enumerate(SENTENCES):
        product = 1.0
        for word in sentence:
            product *= class_weights[word]
        weights[i] = product ** (1 / len(sentence))
    seen = torch.bincount(torch.tensor(list(SentenceSampler(SENTENCES, num_samples=20_000))), minlength=200).numpy()
    assert chisquare(seen, [w / sum(weights) * 20_000 for w in weights]).pvalue > 1e-3


# A drop-in for PyTorch's own


@given(st.integers(1, 40), st.integers(1, 60), st.booleans())
@settings(deadline=None)
def test_lengths_and_replacement_are_those_of_weighted_random_sampler(items, num_samples, replacement):
    weights = torch.linspace(0.1, 1, items)
    if not replacement and num_samples > items:
        with pytest.raises(ValueError, match=f"at most the {items} items"):
            WeightedSampler(weights, num_samples, replacement)
        with pytest.raises(RuntimeError):
            list(WeightedRandomSampler(weights, num_samples, replacement))
        return
    ours, theirs = (kind(weights, num_samples, replacement) for kind in (WeightedSampler, WeightedRandomSampler))
    assert len(ours) == len(theirs) == len(list(ours)) == len(list(theirs))
    if not replacement:
        assert len(set(ours)) == num_samples


@pytest.mark.parametrize(
    "arguments",
    [([1.0], 0), ([1.0], -1), ([1.0], 1.5), ([1.0], True), ([1.0], 1, "yes"), ([[1.0], [2.0]], 1)],
    ids=str,
)
def test_arguments_that_weighted_random_sampler_refuses_are_refused(arguments):
    with pytest.raises(ValueError, match="should be a"):
        WeightedRandomSampler(*arguments)
    with pytest.raises(ValueError, match="given: "):
        WeightedSampler(*arguments)


@pytest.mark.parametrize("weights", [[1.0, float("inf")], [1.0, float("nan")], [1.0, -1.0], [0.0, 0.0], []], ids=str)
def test_invalid_weights_are_refused_at_construction(weights):
    with pytest.raises(ValueError, match="weights must"):
        WeightedSampler(weights)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ClassBalancedSampler(SENTENCES), "one label per item"),
        (lambda: ClassBalancedSampler(LABELS, replacement=False), "the natural mix"),
        (lambda: ClassBalancedSampler(LABELS, replacement=False, num_samples=1000), "the natural mix"),
        (lambda: ClassBalancedSampler(LABELS, replacement=False, num_samples=10, progressive=5), "replacement=True"),
        (lambda: ClassBalancedSampler(LABELS, progressive=0), "progressive must be a whole number of at least 1"),
        (lambda: ClassBalancedSampler(LABELS, power=float("nan")), "power must be a finite number"),
        (lambda: ClassBalancedSampler(LABELS, seed=1.5), "seed must be a whole number; given: 1.5"),
        (lambda: ClassBalancedSampler(LABELS, seed=torch.Generator()), "seed must be a whole number"),
        (lambda: ClassBalancedSampler(LABELS).set_epoch(None), "epoch must be a whole number of at least 0"),
        (lambda: ClassBalancedSampler([0, 10**9]), r"ids up to 1000000000 for 2 labels.*torch\.unique"),
        (lambda: ClassBalancedSampler(["O", "B-PER"]), "given: list of str. Map class names to ids"),
        (lambda: ClassBalancedSampler(torch.nn.functional.one_hot(LABELS)), r"row\.nonzero\(\)"),
        (lambda: SentenceSampler([[0.5, 1.5], [1]]), "class ids, whole numbers"),
        (lambda: SentenceSampler([[-100], [-100]]), "needs items with labels"),
        (lambda: RepeatFactorSampler(SENTENCES, threshold=-1), "threshold must be a share"),
        (lambda: ClassBalancedSampler(LABELS, num_replicas=0), "num_replicas must be a whole number of at least 1"),
        (lambda: ClassBalancedSampler(LABELS).load_state_dict({}), "missing: epoch, items"),
        (lambda: ClassBalancedSampler(LABELS).batches(8, device="banana"), "device must be a PyTorch device.*banana"),
        (lambda: WeightedSampler(None), "weights must be numbers"),
        (lambda: ClassBalancedSampler([-100, -100]), "needs labelled items"),
        (lambda: ClassBalancedSampler(LABELS.double()), "class ids, whole numbers"),
        (lambda: ClassBalancedSampler("abc"), "needs labels"),
        (lambda: ClassBalancedSampler(LABELS, num_replicas=2, rank=2), "rank must be a whole number from 0"),
        (lambda: WeightedSampler([1.0], method="fast"), "'independent' or 'systematic'"),
        (lambda: WeightedSampler([1.0], 1, False, method="systematic"), "replacement=True"),
        (lambda: SentenceSampler(SENTENCES, reduction="product"), "numbers differ"),
        (lambda: SentenceSampler(SENTENCES, reduction="sum"), "given: 'sum'"),
        (lambda: ClassBalancedSampler(LABELS).batches(0), "batch_size must be a whole number of at least 1"),
    ],
)
def test_an_error_says_what_is_allowed(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_batches_replace_a_handwritten_batch_generator():
    """`for batch in getBatch(batch_size, train_data)`, with index tensors in place of slices."""
    x, seen = torch.arange(1000) * 2, []
    for index in ClassBalancedSampler(LABELS, seed=0).batches(32):
        assert torch.equal(x[index], index * 2)
        seen.append(LABELS[index])
    assert chisquare(torch.bincount(torch.cat(seen), minlength=4).numpy()).pvalue > 1e-3


def test_samplers_do_not_use_the_global_generators():
    before = torch.random.get_rng_state()
    for make in MAKERS.values():
        list(make())
    assert torch.equal(before, torch.random.get_rng_state())
