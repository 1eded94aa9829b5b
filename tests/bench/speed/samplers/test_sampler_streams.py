"""Every stream that is timed hands out what it claims to; a peer that is not there, or cannot be used, says why."""

import sys

import pytest
import torch

from bench.speed.samplers.items import MIX, Items
from bench.speed.samplers.peers import MOST, MULTINOMIAL, PEERS, WEIGHTED_RANDOM, Unavailable, multinomial
from bench.speed.samplers.streams import BATCH, IndexTensors
from bench.speed.samplers.variants import FLOOR, SAMPLERS, variants
from strategies import ClassBalancedSampler

CPU = torch.device("cpu")
COUNT = 3000


@pytest.fixture(scope="module")
def items():
    return Items(COUNT)


def built(name, items):
    try:
        return next(each for each in variants(CPU) if each.name == name).build(items)
    except Unavailable as reason:
        pytest.skip(str(reason))


def test_items_have_the_mix_and_sentences_the_same_labels(items):
    counts = items.one_each.counts().values
    assert counts.sum() == COUNT
    torch.testing.assert_close(counts / COUNT, torch.tensor(MIX) / sum(MIX), atol=1 / COUNT, rtol=0)
    assert torch.equal(items.sentences.values, items.labels)
    assert items.sentences.positions.double().mean() == pytest.approx(20, rel=0.15)
    assert items.rows.shape == (COUNT, 9)


@pytest.mark.parametrize("name", [each.name for each in variants(CPU)])
def test_a_stream_hands_out_epochs_of_items_whole_and_in_batches(name, items):
    stream = built(name, items)
    pieces = [torch.as_tensor(piece) for piece in stream.chunks()]
    epoch = stream.epoch
    batches = list(stream.batches())
    assert sum(map(len, pieces)) == pytest.approx(epoch, rel=0.2)  # repeat factors round anew in each epoch
    assert sum(map(len, batches)) == pytest.approx(epoch, abs=BATCH, rel=0.2)
    assert {len(batch) for batch in batches[:-1]} <= {BATCH}
    drawn = torch.cat([*pieces, *batches])
    assert drawn.min() >= 0
    assert drawn.max() < COUNT


@pytest.mark.parametrize("name", [*SAMPLERS, WEIGHTED_RANDOM])
def test_a_loader_hands_out_the_rows_of_its_batches(name, items):
    stream = built(name, items)
    (rows,) = next(iter(stream.loader(items.rows)))
    assert rows.shape == (min(BATCH, stream.epoch), 9)
    assert torch.equal(rows, items.rows[rows[:, 0] // 9])


def test_a_sampler_goes_on_half_way_into_the_second_epoch(items):
    whole = ClassBalancedSampler(items.one_each)
    whole.set_epoch(1)
    epoch = torch.cat(list(whole.batches(BATCH)))
    resumed = IndexTensors(ClassBalancedSampler(items.one_each)).resume()
    assert torch.equal(resumed, epoch[COUNT // 2 :][:BATCH])


def test_the_floor_comes_first_and_every_peer_last():
    names = [each.name for each in variants(CPU)]
    assert names[0] == FLOOR
    assert names[-len(PEERS) :] == list(PEERS)


# Peers


@pytest.mark.parametrize("name", [MULTINOMIAL, "torch WeightedRandomSampler", "torchsampler"])
def test_what_stops_at_2_to_the_24_says_so_before_it_tries(name):
    with pytest.raises(Unavailable, match=r"2\^24 = 16,777,216"):
        PEERS[name](Items(MOST + 1))


def test_multinomial_draws_by_weight(items):
    drawn = torch.cat(list(multinomial(items).chunks()))
    assert torch.bincount(items.labels[drawn], minlength=10).min() > COUNT / 20


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Makes a module of this text importable."""

    def write(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write


def test_a_peer_that_is_not_installed_says_so(items, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchsampler", None)
    with pytest.raises(Unavailable, match="torchsampler is not installed"):
        PEERS["torchsampler"](items)


@pytest.mark.parametrize(
    ("text", "because"),
    [
        ("raise RuntimeError('built for another torch')", "does not work here: built for another torch"),
        ("import a_package_that_nobody_has", "is not installed whole: it needs a_package_that_nobody_has"),
        ("class ImbalancedDatasetSampler:\n    def __init__(self): ...", "does not work here: "),
    ],
)
def test_a_peer_that_cannot_be_used_says_why(text, because, items, installed):
    installed("torchsampler", text)
    with pytest.raises(Unavailable, match=f"torchsampler {because}"):
        PEERS["torchsampler"](items)


def test_a_peer_that_is_installed_is_drawn_from(items, installed):
    installed(
        "torchsampler",
        "class ImbalancedDatasetSampler:\n"
        "    def __init__(self, dataset, labels): self.items = len(labels)\n"
        "    def __iter__(self): return iter(range(self.items))\n",
    )
    stream = PEERS["torchsampler"](items)
    assert [index for piece in stream.chunks() for index in piece] == list(range(COUNT))
