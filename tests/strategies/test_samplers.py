"""The samplers as they are used: DataLoader, workers, plain loops, several processes, resuming."""

import copy
import inspect
import json
import pickle
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
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    StackDataset,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)

from strategies import (
    ClassBalancedSampler,
    ClassCounts,
    Labels,
    RepeatFactorSampler,
    SentenceSampler,
    WeightedSampler,
)
from strategies.dataset_labels import read_labels

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


def one_item(items, item):
    weights = [0.0] * items
    weights[item] = 1.0
    return weights


@pytest.mark.parametrize("kind", [WeightedSampler, WeightedRandomSampler])
@pytest.mark.parametrize(
    "how", ["assigned", "written in place", "written to the tensor that was given", "fewer", "more"]
)
def test_new_weights_hold_from_the_next_epoch_on_as_pytorchs_do(kind, how):
    given = torch.tensor(one_item(4, 0), dtype=torch.float64)
    sampler = kind(given, 8)
    under_way = iter(sampler)
    first = next(under_way)
    if how == "assigned":
        sampler.weights = torch.tensor(one_item(4, 1))
    elif how == "written in place":
        sampler.weights[0], sampler.weights[1] = 0, 1
    elif how == "written to the tensor that was given":
        given.copy_(torch.tensor(one_item(4, 1)))
    else:
        sampler.weights = torch.tensor(one_item(2 if how == "fewer" else 9, 1))
    assert [first, *under_way] == [0] * 8
    assert list(sampler) == [1] * 8
    sampler.num_samples = 3
    assert len(sampler) == len(list(sampler)) == 3


def test_what_a_weighted_sampler_is_given_later_is_checked_and_shown():
    sampler = WeightedSampler([0.0, 1.0, 1.0], seed=2)
    for name, wrong in (("weights", [0.0, 0.0]), ("weights", "w"), ("num_samples", 0), ("replacement", "no")):
        with pytest.raises(ValueError, match="given: "):
            setattr(sampler, name, wrong)
    assert sampler.weights.tolist() == [0, 1, 1]
    assert (sampler.num_samples, sampler.replacement) == (3, True)
    sampler.num_samples, sampler.replacement = 2, False
    assert sorted(sampler) == [1, 2]
    sampler.weights = torch.ones(5)
    assert list(sampler) == epoch_of(WeightedSampler(torch.ones(5), 2, False, seed=2), 1)
    assert "num_samples=2, replacement=False" in repr(sampler)


def test_a_sampler_whose_weights_change_resumes_the_epoch_under_way():
    sampler = WeightedSampler(torch.arange(1.0, 101), seed=0)
    under_way = iter(sampler)
    first = [next(under_way) for _ in range(10)]
    sampler.weights = torch.ones(100)
    state = sampler.state_dict()
    old = WeightedSampler(torch.arange(1.0, 101), seed=0)
    old.load_state_dict(state)
    assert first + list(old) == epoch_of(WeightedSampler(torch.arange(1.0, 101), seed=0))
    assert list(under_way)
    WeightedSampler(torch.ones(100), seed=0).load_state_dict(sampler.state_dict())


@every_sampler
def test_no_attribute_of_a_sampler_is_set_without_an_effect(make):
    sampler = make(seed=0)
    expected = epoch_of(make(seed=0), 1)
    names = {*inspect.signature(type(sampler).__init__).parameters, *vars(WeightedRandomSampler([1.0], 1))} - {"self"}
    for name in sorted(
        names | {"labels", "stream", "epoch", "shuffle", "dataset", "batch_size", "classes", "anything"}
    ):
        if not (isinstance(sampler, WeightedSampler) and name in ("weights", "num_samples", "replacement")):
            with pytest.raises(AttributeError, match=r"is fixed when it is built|has no "):
                setattr(sampler, name, 1)
    assert epoch_of(sampler, 1) == expected
    assert "seed=0" in repr(sampler)
    for other in (pickle.loads(pickle.dumps(sampler)), copy.deepcopy(sampler)):
        assert repr(other) == repr(sampler)
        assert epoch_of(other, 1) == expected


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ClassBalancedSampler(LABELS, generator=torch.Generator()), r"seed=generator\.initial_seed\(\)"),
        (lambda: WeightedSampler([1.0], 1, True, torch.Generator()), "fourth is a generator, here it is seed="),
        (lambda: WeightedSampler([1.0], generator=None), "has no generator"),
        (lambda: ClassBalancedSampler(LABELS, 100), "takes labels without a name.*It has .*num_samples"),
        (lambda: ClassBalancedSampler(LABELS, batch_size=8), r"sampler\.batches\(batch_size\)"),
        (lambda: ClassBalancedSampler(LABELS, shuffle=True), "leave it out"),
        (lambda: ClassBalancedSampler(dataset=DATA), "give labels=.*the data set itself"),
        (lambda: ClassBalancedSampler(LABELS, class_weights=[1.0]), r"WeightedSampler\(class_weights\[labels\]\)"),
        (lambda: ClassBalancedSampler(LABELS, mode="downsampling"), "num_samples"),
        (lambda: WeightedSampler(labels=LABELS), "use ClassBalancedSampler"),
        (lambda: WeightedSampler([1.0], ignore_index=255), "the weight 0"),
        (lambda: SentenceSampler(SENTENCES, replacement=False), "without replacement"),
        (lambda: RepeatFactorSampler(SENTENCES, num_samples=5), "follows from how often"),
        (lambda: RepeatFactorSampler(SENTENCES, repeat_thresh=0.1), "threshold="),
        (lambda: SentenceSampler(SENTENCES, anything=1), "has no anything. It has labels, reduction"),
    ],
)
def test_an_argument_of_another_sampler_is_refused_with_what_to_give_instead(call, message):
    with pytest.raises(TypeError, match=message):
        call()


# Labels of combined data sets, and void


class Rows(Dataset):
    """Items that are dictionaries, as data sets of the datasets package yield them, with or without columns."""

    def __init__(self, **columns):
        self.columns = columns

    def __len__(self):
        return 3

    def __getitem__(self, key):
        return self.columns[key] if isinstance(key, str) else {"x": 0.0, "label": key % 2}


def with_columns(rows, columns):
    rows.column_names = columns
    return rows


TWICE = DATA + DATA


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TWICE, [*LABELS, *LABELS]),
        (ConcatDataset([TWICE, Images(targets=LABELS)]), [*LABELS] * 3),
        (Subset(TWICE, [5, 1995, 1005]), [LABELS[5], LABELS[995], LABELS[5]]),
        (Subset(DATA, [3, 4]) + Images(labels=LABELS), [LABELS[3], LABELS[4], *LABELS]),
        (random_split(TWICE, [500, 1500], torch.Generator().manual_seed(0))[0], None),
        (StackDataset(x=DATA, label=LABELS.tolist()), LABELS),
        (StackDataset(DATA, LABELS.tolist()), LABELS),
        (with_columns(Rows(label=[0, 1, 1]), ["x", "label"]), [0, 1, 1]),
        (with_columns(Rows(targets=torch.tensor([0, 1, 1])), ["x", "targets"]), [0, 1, 1]),
        (with_columns(Rows(label=range(3)), ["x", "label"]) + DATA, [0, 1, 2, *LABELS]),
        (Images(label=LABELS), LABELS),
    ],
    ids=lambda value: type(value).__name__,
)
def test_labels_of_combined_data_sets_are_found(data, expected):
    if expected is None:
        expected = [int(data[i][1]) for i in range(len(data))]
    assert read_labels(data, "a test").values.tolist() == [int(label) for label in expected]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (Rows(), r"labels=\[item\['label'\] for item in data\]"),
        (Images() + DATA, r"Images has no attribute.*labels=\[int\(y\) for _, y in data\]"),
        (StackDataset(x=DATA, klass=LABELS.tolist()), r"has the members x, klass.*labels=data\.datasets\['klass'\]"),
        (with_columns(Rows(), ["text", "ner_tags"]), r"has the columns text, ner_tags.*labels=data\['ner_tags'\]"),
        (
            with_columns(Rows(), {"train": ["x"], "test": ["x"]}),
            r"of train, test. Give one of them, such as data\['train'\]",
        ),
        (Images(targets=LABELS[:5]), "one label for each of the 1000 items of the Images, which holds 5"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_where_labels_are_not_found_the_way_to_give_them_is_named(data, message):
    with pytest.raises(ValueError, match=message):
        ClassBalancedSampler(data)


def test_void_is_not_sampled_for():
    masks = torch.randint(3, (50, 4, 4), generator=torch.Generator().manual_seed(0))
    masks[:10] = 255
    for form in (masks, masks.to(torch.uint8), masks.numpy(), list(masks), [mask.numpy() for mask in masks]):
        assert min(SentenceSampler(form, num_samples=500, ignore_index=255)) >= 10
    counted = RepeatFactorSampler(masks, threshold=0.9, ignore_index=255)
    assert sorted(set(counted)) == list(range(50)), "an item without a label comes once"
    assert min(ClassBalancedSampler(masks[:, 0, 0], num_samples=500, ignore_index=255)) >= 10
    assert min(ClassBalancedSampler(Labels.of([255, 0, 1], list("abc") * 86), num_samples=99, ignore_index=255)) == 1
