"""The loops by hand train what a stack of one trains, on batches of the same items: else their times could not be compared."""

from dataclasses import replace

import pytest
import torch
from numpy.random import default_rng

from bench.models import find_model
from bench.planning.run import Run
from bench.speed.training.batches import direct, from_grouping_loader, from_loader, tensors
from bench.speed.training.modules import load, textbook_names
from bench.speed.training.tasks import MadeRows, MadeSentences, MadeWindows, protocol_of
from bench.speed.training.variants import variants
from bench.train.clock import Clock
from bench.train.step import StackRunner
from strategies import get

CPU = torch.device("cpu")
STEPS = 10
FEW_WORDS = (MadeWindows(items=700, vocabulary=6), MadeSentences(items=700, vocabulary=4), MadeRows(items=700))
"""So few that every batch holds every word: dense Adam then moves what the row-lazy one moves."""
MANY_WORDS = (MadeWindows(items=700, vocabulary=300), MadeSentences(items=700, vocabulary=300))

BY_HAND = [(task, v) for task in FEW_WORDS for v in variants(task, []) if v.kind != "mixed"] + [
    (task, v) for task in MANY_WORDS for v in variants(task, []) if v.name.endswith(("SparseAdam", "packed"))
]


@pytest.fixture
def _float64():
    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(before)
    torch.set_num_threads(threads)


def parameters(program, task):
    """A stack of one's, by name."""
    shape, snapshot = program.tasks[0].shape, program.stack.snapshot(0)
    like = find_model(protocol_of(task).model).init(shape, torch.Generator())
    pieces = snapshot.dense[: sum(value.numel() for value in like.values())].split([v.numel() for v in like.values()])
    found = {name: piece.view_as(like[name]) for name, piece in zip(like, pieces, strict=True)}
    return found if snapshot.table is None else {**found, "words.weight": snapshot.table}


def fed(program):
    """What a program's training would be trained on next, as a module reads it."""
    while True:
        batch = program.feeds.gather(program.feeds.order(program.feeds.draw()))
        (x,), (targets,) = batch.x, batch.targets
        if program.protocol.length_group == 1:
            yield x, targets
        else:
            yield x.T, (x.T != 0).sum(1), targets.T


def own_group_of_words(loop):
    """Where torch.optim.Adam moves words: its eps is corrected for bias, that of SparseAdam is not."""
    adam, words = loop.optimisers[0], getattr(loop.module, "words", None)
    group = adam.param_groups[0]
    rest = [each for each in group["params"] if words is None or each is not words.weight]
    if len(rest) == len(group["params"]):
        return []
    group["params"] = rest
    adam.add_param_group({"params": [words.weight]})
    return adam.param_groups[1:]


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("task", "variant"), BY_HAND, ids=lambda each: getattr(each, "name", repr(each)))
def test_a_loop_by_hand_gives_the_parameters_of_a_stack_of_one(task, variant):
    training = Run(task, get("none"), protocol_of(task), 3, fingerprint="made")
    ours, same = StackRunner([training], CPU), StackRunner([training], CPU)
    loop = replace(variant.build(task, CPU), batches=fed(same))
    first = parameters(ours, task)
    load(loop.module, first)
    words = own_group_of_words(loop)
    for step in range(1, STEPS + 1):
        for group in words:
            group["eps"] = 1e-8 / (1 - 0.999**step) ** 0.5
        loop()
        ours.step(Clock())
    theirs = {textbook_names(loop.module)[own]: value for own, value in loop.module.named_parameters()}
    trained = parameters(ours, task)
    assert set(theirs) == set(trained)
    for name, value in trained.items():
        torch.testing.assert_close(
            theirs[name].detach(), value, atol=1e-9, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )
        assert not torch.equal(value, first[name])


@pytest.mark.parametrize("task", [MadeWindows(items=300), MadeSentences(items=300), MadeRows(items=300)], ids=repr)
def test_tensors_hold_the_items_of_the_part(task):
    part = task.load(default_rng(0)).train
    batch = part.gather(torch.arange(300))
    x, *lengths, targets = tensors(part)
    if lengths:
        x, targets = x.T, targets.T
        assert torch.equal(lengths[0], (x != 0).sum(0))
    assert torch.equal(x, batch.x)
    assert torch.equal(targets.flatten(), batch.targets.flatten())


@pytest.mark.parametrize("way", [from_loader, direct])
def test_an_epoch_of_rows_takes_each_once(way):
    part, protocol = MadeRows(items=768).load(default_rng(0)).train, protocol_of(MadeRows())
    batches = way(part, protocol, CPU)
    epochs = [torch.cat([next(batches)[0] for _ in range(3)])[:, 0] for _ in range(2)]
    assert not torch.equal(*epochs)
    for epoch in epochs:
        assert torch.equal(epoch.sort().values, part.x[:, 0].sort().values)


@pytest.mark.parametrize("way", [from_loader, from_grouping_loader, direct])
def test_an_epoch_of_sentences_takes_each_once_and_groups_them_by_length_where_it_says_so(way):
    part, protocol = MadeSentences(items=1024).load(default_rng(0)).train, protocol_of(MadeSentences())
    epoch = [batch for batch, _ in zip(way(part, protocol, CPU), range(32), strict=False)]
    lengths = torch.cat([each for _, each, _ in epoch])
    assert torch.equal(lengths.sort().values, part.labels.positions.sort().values)
    padding = 1 - int(lengths.sum()) / sum(x.numel() for x, _, _ in epoch)
    assert (padding < 0.15) == (way is not from_loader)


def test_made_sentences_are_about_as_long_as_they_say():
    lengths = MadeSentences().load(default_rng(0)).train.labels.positions.double()
    assert lengths.mean() == pytest.approx(14.5, rel=0.05)
    assert lengths.max() <= 60


def test_made_words_follow_zipf():
    words = MadeWindows().load(default_rng(0)).train.x[:, 0]
    assert words.min() == 2
    counts = torch.bincount(words, minlength=20_000)
    assert (counts[2] / counts[11]).item() == pytest.approx(10, rel=0.15)
