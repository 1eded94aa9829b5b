"""Cosine heads, features for losses and mixed batches, each against a textbook computation."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from bench.planning.protocol import reference_protocol
from bench.planning.run import Run
from bench.tasks import find_task
from bench.tasks.part import PAD, MixedBatch
from bench.train.clock import Clock
from bench.train.stack import Mixing
from bench.train.step import StackRunner
from strategies import IGNORED, parse

CPU = torch.device("cpu")
WINDOWS, TAGS, SENTENCES, DIGITS = (
    *(f"synthetic-conll({kind}, scale=0.01)" for kind in ("windows", "windows-tags", "sentences")),
    "digits-lt",
)


pytestmark = pytest.mark.usefixtures("one_thread")


def make_runner(name, strategy, seeds=(0, 1)):
    task = find_task(name)
    protocol = dataclasses.replace(reference_protocol(task), steps=8, validate_every=8, unk_rate=0.0)
    return StackRunner([Run(task, parse(strategy), protocol, seed, "fingerprint") for seed in seeds], CPU)


def inputs(runner):
    return next_batch(runner).x


def next_batch(runner):
    """The next batch of a stack."""
    return runner.loader.gather(runner.loader.plan_batch(runner.loader.sample_items()))


@pytest.mark.parametrize("name", [WINDOWS, TAGS, SENTENCES, DIGITS])
def test_a_cosine_head_gives_scaled_cosines_of_features_and_weights(name):
    runner = make_runner(name, "ldam(scale=7)")
    x = inputs(runner)
    params = runner.stack.params
    embedded = x if runner.stack.tables is None else runner.stack.tables.lookup(x)
    valid = None if runner.stack.tables is None else x != PAD
    features = runner.stack.model.features(params, embedded, valid).flatten(1, -2)
    cosines = F.cosine_similarity(features.unsqueeze(2), params["head.weight"].unsqueeze(1), dim=-1)
    expected = 7 * cosines.reshape(len(x), -1, runner.stack.classes)
    assert torch.allclose(runner.stack.forward(x).logits, expected, atol=1e-4)


@pytest.mark.parametrize("name", [WINDOWS, TAGS, SENTENCES, DIGITS])
def test_features_are_what_the_last_layer_reads(name):
    runner = make_runner(name, "influence-balanced")
    x = inputs(runner)
    outputs = runner.stack.forward(x)
    params, P = runner.stack.params, runner.stack.shape.labelled_positions
    features = outputs.features[:, ::P]
    logits = torch.baddbmm(params["head.bias"].unsqueeze(1), features, params["head.weight"].transpose(1, 2))
    logits = logits.reshape(len(x), -1, runner.stack.classes)
    assert torch.allclose(outputs.logits, logits, atol=1e-5)
    by_forward = runner.stack.model.forward(
        params,
        x if runner.stack.tables is None else runner.stack.tables.lookup(x),
        None if runner.stack.tables is None else x != PAD,
    ).reshape(logits.shape)
    if name == SENTENCES:  # where there is no word, a fused forward gives 0 and a head its bias
        by_forward = torch.where((x != PAD).flatten(1).unsqueeze(2), by_forward, logits)
    assert torch.allclose(outputs.logits, by_forward, atol=1e-5)


@pytest.mark.parametrize("name", [WINDOWS, DIGITS])
def test_items_are_mixed_with_their_partners_before_the_first_layer(name):
    runner = make_runner(name, "mixup")
    x = inputs(runner)
    S, B = x.shape[:2]
    generator = torch.Generator().manual_seed(0)
    partner = torch.stack([torch.randperm(B, generator=generator) for _ in range(S)])
    share = torch.rand(S, B, generator=generator)
    found = runner.stack.forward(x, Mixing(partner, share)).logits
    for s in range(S):
        embedded = x if runner.stack.tables is None else runner.stack.tables.lookup(x)
        mixed = torch.stack(
            [share[s, b] * embedded[s, b] + (1 - share[s, b]) * embedded[s, partner[s, b]] for b in range(B)]
        )
        alone = {key: value[s : s + 1] for key, value in runner.stack.params.items()}
        expected = runner.stack.model.forward(alone, mixed.unsqueeze(0), None).reshape(B, -1)
        assert torch.allclose(found[s], expected, atol=1e-5)


def test_of_two_mixed_sentences_only_the_words_that_both_have_are_read_and_learnt_from():
    runner = make_runner(SENTENCES, "mixup", seeds=(0,))
    batch = next_batch(runner)
    assert isinstance(batch, MixedBatch)
    own, partner = batch.x[0] != PAD, batch.partner[0]
    both = own & own[:, partner]
    assert torch.equal(batch.targets[0] != IGNORED, both)
    assert torch.equal(batch.partner_targets[0] != IGNORED, both)
    found = runner.stack.forward(batch.x, Mixing(batch.partner, batch.lambda_x)).logits.view(*batch.x[0].shape, -1)
    embedded = runner.stack.tables.lookup(batch.x)
    share = batch.lambda_x.view(1, 1, -1, 1)
    mixed = share * embedded + (1 - share) * embedded[:, :, partner]
    expected = runner.stack.model.forward(runner.stack.params, mixed, both.unsqueeze(0)).view(found.shape)
    assert torch.allclose(found[both], expected[both], atol=1e-6)


def test_the_loss_of_a_mixed_batch_is_shared_between_both_targets():
    runner = make_runner(DIGITS, "mixup", seeds=(3,))
    batch = next_batch(runner)
    logits = runner.stack.forward(batch.x, Mixing(batch.partner, batch.lambda_x)).logits[0]
    share = batch.lambda_y.flatten()
    own, theirs = (
        F.cross_entropy(logits, y.flatten(), reduction="none") for y in (batch.targets, batch.partner_targets)
    )
    expected = (share * own + (1 - share) * theirs).mean()
    found = runner._losses(batch)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_mixing_has_random_numbers_of_its_own():
    plain, mixed = make_runner(DIGITS, "none", seeds=(0,)), make_runner(DIGITS, "mixup", seeds=(0,))
    for _ in range(3):
        assert torch.equal(next_batch(plain).x, next_batch(mixed).x)


@pytest.mark.parametrize("name", [WINDOWS, SENTENCES, DIGITS])
@pytest.mark.parametrize("strategy", ["mixup", "remix", "ldam", "influence-balanced"])
def test_runs_with_special_heads_or_mixing_learn(name, strategy):
    runner = make_runner(name, strategy)
    before = runner.stack.leaf.detach().clone()
    for _ in range(3):
        runner.step(Clock())
    assert runner.stack.leaf.isfinite().all()
    assert not torch.equal(runner.stack.leaf, before)
