"""Every stream that is timed yields what it promises; a peer that is not installed, or cannot be used, gives the reason."""

import sys

import pytest
import torch

from bench.speed.samplers.epoch_streams import BATCH, SamplerStream
from bench.speed.samplers.peers import MAX_ITEMS, MULTINOMIAL, PEERS, WEIGHTED_RANDOM, Unavailable, build_multinomial
from bench.speed.samplers.synthetic_items import CLASS_COUNTS, SyntheticItems
from bench.speed.samplers.variants import LOWER_BOUND, SAMPLERS, list_gpu_variants, list_variants
from strategies import ClassBalancedSampler

CPU = torch.device("cpu")
COUNT = 3000


@pytest.fixture(scope="module")
def items():
    return SyntheticItems(COUNT)


def build_stream(name, items):
    try:
        return next(variant for variant in list_variants(CPU) if variant.name == name).build(items)
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_items_have_the_class_mix_and_sentences_the_same_labels(items):
    counts = items.single_labels.counts().values
    assert counts.sum() == COUNT
    torch.testing.assert_close(counts / COUNT, torch.tensor(CLASS_COUNTS) / sum(CLASS_COUNTS), atol=1 / COUNT, rtol=0)
    assert torch.equal(items.sentences.values, items.labels)
    assert items.sentences.positions.double().mean() == pytest.approx(20, rel=0.15)
    assert items.rows.shape == (COUNT, 9)


@pytest.mark.parametrize("name", [variant.name for variant in list_variants(CPU)])
def test_a_stream_yields_epochs_of_items_in_chunks_and_in_batches(name, items):
    stream = build_stream(name, items)
    chunks = [torch.as_tensor(chunk) for chunk in stream.chunks()]
    epoch_length = stream.epoch_length
    batches = list(stream.batches())
    assert sum(map(len, chunks)) == pytest.approx(
        epoch_length, rel=0.2
    )  # repeat factors are rounded anew in each epoch
    assert sum(map(len, batches)) == pytest.approx(epoch_length, abs=BATCH, rel=0.2)
    assert {len(batch) for batch in batches[:-1]} <= {BATCH}
    indices = torch.cat([*chunks, *batches])
    assert indices.min() >= 0
    assert indices.max() < COUNT


def test_the_variants_of_a_gpu_sample_what_the_samplers_sample(items):
    """They are built on the CPU here, where their indices must be the same."""
    variants = {variant.name: variant.build(items) for variant in list_gpu_variants(CPU)}
    for name in ("ClassBalancedSampler", "WeightedSampler"):
        expected = torch.cat(list(SAMPLERS[name](items).batches(BATCH)))
        for variant in (name, f"{name}, plain torch", f"{name}, CPU, one thread", f"{name}, CPU, all cores"):
            assert torch.equal(torch.cat(list(variants[variant].chunks())), expected), variant


@pytest.mark.parametrize("name", [*SAMPLERS, WEIGHTED_RANDOM])
def test_a_loader_yields_the_rows_of_its_batches(name, items):
    stream = build_stream(name, items)
    (rows,) = next(iter(stream.loader(items.rows)))
    assert rows.shape == (min(BATCH, stream.epoch_length), 9)
    assert torch.equal(rows, items.rows[rows[:, 0] // 9])


def test_a_sampler_resumes_half_way_into_the_second_epoch(items):
    sampler = ClassBalancedSampler(items.single_labels)
    sampler.set_epoch(1)
    epoch = torch.cat(list(sampler.batches(BATCH)))
    resumed = SamplerStream(ClassBalancedSampler(items.single_labels)).resume()
    assert torch.equal(resumed, epoch[COUNT // 2 :][:BATCH])


def test_the_lower_bound_comes_first_and_every_peer_last():
    names = [variant.name for variant in list_variants(CPU)]
    assert names[0] == LOWER_BOUND
    assert names[-len(PEERS) :] == list(PEERS)


# Peers


@pytest.mark.parametrize("name", [MULTINOMIAL, "torch WeightedRandomSampler", "torchsampler"])
def test_a_peer_that_stops_at_2_to_the_24_items_is_not_tried_beyond(name):
    with pytest.raises(Unavailable, match=r"2\^24 = 16,777,216"):
        PEERS[name](SyntheticItems(MAX_ITEMS + 1))


def test_multinomial_samples_by_weight(items):
    indices = torch.cat(list(build_multinomial(items).chunks()))
    assert torch.bincount(items.labels[indices], minlength=10).min() > COUNT / 20


@pytest.fixture
def install_module(tmp_path, monkeypatch):
    """Return a function that makes a module of a text importable."""

    def install(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setitem(sys.modules, name, None)  # so that the module is forgotten when the test ends
        monkeypatch.delitem(sys.modules, name)

    return install


def test_a_peer_that_is_not_installed_is_unavailable(items, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchsampler", None)
    with pytest.raises(Unavailable, match="torchsampler is not installed"):
        PEERS["torchsampler"](items)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise RuntimeError('built for another torch')", "does not work here: built for another torch"),
        ("import a_package_that_nobody_has", "is not installed completely: it needs a_package_that_nobody_has"),
        ("class ImbalancedDatasetSampler:\n    def __init__(self): ...", "does not work here: "),
    ],
)
def test_a_peer_that_cannot_be_used_gives_the_reason(text, reason, items, install_module):
    install_module("torchsampler", text)
    with pytest.raises(Unavailable, match=f"torchsampler {reason}"):
        PEERS["torchsampler"](items)


def test_an_installed_peer_is_sampled_from(items, install_module):
    install_module(
        "torchsampler",
        "class ImbalancedDatasetSampler:\n"
        "    def __init__(self, dataset, labels): self.items = len(labels)\n"
        "    def __iter__(self): return iter(range(self.items))\n",
    )
    stream = PEERS["torchsampler"](items)
    assert [index for chunk in stream.chunks() for index in chunk] == list(range(COUNT))
