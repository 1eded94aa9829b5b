"""Loops by hand train what a stack of one run trains, on batches of the same items; or their times would not be comparable."""

from dataclasses import replace

import pytest
import torch
from numpy.random import default_rng

from bench.models import find_model
from bench.planning.run import Run
from bench.speed.training.synthetic_tasks import (
    FINGERPRINT,
    SyntheticRows,
    SyntheticSentences,
    SyntheticWindows,
    protocol_of,
)
from bench.speed.training.textbook_batches import (
    indexed_batches,
    length_grouped_loader_batches,
    loader_batches,
    padded_tensors,
)
from bench.speed.training.textbook_modules import load_parameters, project_names
from bench.speed.training.variants import list_variants
from bench.train.clock import Clock
from bench.train.step import StackRunner
from strategies import get

CPU = torch.device("cpu")
STEPS = 10
FEW_WORDS = (
    SyntheticWindows(items=700, vocabulary=6),
    SyntheticSentences(items=700, vocabulary=4),
    SyntheticRows(items=700),
)
"""Tasks of so few words that every batch holds all of them: dense Adam then moves what the row-lazy one moves."""
MANY_WORDS = (SyntheticWindows(items=700, vocabulary=300), SyntheticSentences(items=700, vocabulary=300))

LOOPS_BY_HAND = [
    (task, variant) for task in FEW_WORDS for variant in list_variants(task, []) if variant.kind != "mixed"
] + [
    (task, variant)
    for task in MANY_WORDS
    for variant in list_variants(task, [])
    if variant.name.endswith(("SparseAdam", "packed"))
]


@pytest.fixture
def _float64():
    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    yield
    torch.set_default_dtype(before)
    torch.set_num_threads(threads)


def parameters_of(program, task):
    """The parameters of a stack of one run, by name."""
    shape, snapshot = program.tasks[0].shape, program.stack.snapshot(0)
    templates = find_model(protocol_of(task).model).init(shape, torch.Generator())
    sizes = [template.numel() for template in templates.values()]
    flat = snapshot.dense[: sum(sizes)].split(sizes)
    parameters = {
        name: values.view_as(template) for (name, template), values in zip(templates.items(), flat, strict=True)
    }
    return parameters if snapshot.table is None else {**parameters, "words.weight": snapshot.table}


def batches_of(program):
    """The batches that a stack of one run would be trained on, as a module takes them."""
    while True:
        batch = program.loader.gather(program.loader.plan_batch(program.loader.sample_items()))
        (x,), (targets,) = batch.x, batch.targets
        if program.protocol.length_group == 1:
            yield x, targets
        else:
            yield x.T, (x.T != 0).sum(1), targets.T


def separate_words(loop):
    """Give the word vectors that torch.optim.Adam moves a parameter group of their own, and return it in a list.

    Adam's eps is corrected for bias and SparseAdam's is not: the test sets the group's eps to agree with SparseAdam's.
    """
    adam, words = loop.optimisers[0], getattr(loop.module, "words", None)
    group = adam.param_groups[0]
    rest = [parameter for parameter in group["params"] if words is None or parameter is not words.weight]
    if len(rest) == len(group["params"]):
        return []
    group["params"] = rest
    adam.add_param_group({"params": [words.weight]})
    return adam.param_groups[1:]


@pytest.mark.usefixtures("_float64")
@pytest.mark.parametrize(("task", "variant"), LOOPS_BY_HAND, ids=lambda value: getattr(value, "name", repr(value)))
def test_a_loop_by_hand_gives_the_parameters_of_a_stack_of_one(task, variant):
    run = Run(task, get("none"), protocol_of(task), 3, fingerprint=FINGERPRINT)
    stack, twin = StackRunner([run], CPU), StackRunner([run], CPU)
    loop = replace(variant.build(task, CPU), batches=batches_of(twin))
    initial = parameters_of(stack, task)
    load_parameters(loop.module, initial)
    word_groups = separate_words(loop)
    for step in range(1, STEPS + 1):
        for group in word_groups:
            group["eps"] = 1e-8 / (1 - 0.999**step) ** 0.5
        loop()
        stack.step(Clock())
    by_loop = {project_names(loop.module)[own_name]: value for own_name, value in loop.module.named_parameters()}
    by_stack = parameters_of(stack, task)
    assert set(by_loop) == set(by_stack)
    for name, value in by_stack.items():
        torch.testing.assert_close(
            by_loop[name].detach(), value, atol=1e-9, rtol=0, msg=lambda text, name=name: f"{name}: {text}"
        )
        assert not torch.equal(value, initial[name])


@pytest.mark.parametrize(
    "task", [SyntheticWindows(items=300), SyntheticSentences(items=300), SyntheticRows(items=300)], ids=repr
)
def test_tensors_hold_the_items_of_the_part(task):
    part = task.load(default_rng(0)).train
    batch = part.gather(torch.arange(300))
    x, *lengths, targets = padded_tensors(part)
    if lengths:
        x, targets = x.T, targets.T
        assert torch.equal(lengths[0], (x != 0).sum(0))
    assert torch.equal(x, batch.x)
    assert torch.equal(targets.flatten(), batch.targets.flatten())


@pytest.mark.parametrize("make_batches", [loader_batches, indexed_batches])
def test_an_epoch_of_rows_has_each_once(make_batches):
    part, protocol = SyntheticRows(items=768).load(default_rng(0)).train, protocol_of(SyntheticRows())
    batches = make_batches(part, protocol, CPU)
    epochs = [torch.cat([next(batches)[0] for _ in range(3)])[:, 0] for _ in range(2)]
    assert not torch.equal(*epochs)
    for epoch in epochs:
        assert torch.equal(epoch.sort().values, part.x[:, 0].sort().values)


@pytest.mark.parametrize("make_batches", [loader_batches, length_grouped_loader_batches, indexed_batches])
def test_an_epoch_of_sentences_has_each_once_and_the_grouped_ones_have_less_padding(make_batches):
    part, protocol = SyntheticSentences(items=1024).load(default_rng(0)).train, protocol_of(SyntheticSentences())
    epoch = [batch for batch, _ in zip(make_batches(part, protocol, CPU), range(32), strict=False)]
    lengths = torch.cat([batch_lengths for _, batch_lengths, _ in epoch])
    assert torch.equal(lengths.sort().values, part.labels.positions.sort().values)
    padding = 1 - int(lengths.sum()) / sum(x.numel() for x, _, _ in epoch)
    assert (padding < 0.15) == (make_batches is not loader_batches)


def test_synthetic_sentences_have_14_and_a_half_words_on_average():
    lengths = SyntheticSentences().load(default_rng(0)).train.labels.positions.double()
    assert lengths.mean() == pytest.approx(14.5, rel=0.05)
    assert lengths.max() <= 60


def test_synthetic_words_follow_zipf():
    words = SyntheticWindows().load(default_rng(0)).train.x[:, 0]
    assert words.min() == 2
    counts = torch.bincount(words, minlength=20_000)
    assert (counts[2] / counts[11]).item() == pytest.approx(10, rel=0.15)
