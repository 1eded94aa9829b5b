"""What every registered strategy keeps to; a new one is covered as soon as it is registered."""

import dataclasses
import json
import warnings
from itertools import islice
from pathlib import Path

import pytest
import torch

import strategies
from strategies import IGNORED, ClassCounts, Labels, StrategyWarning
from strategies.registry import find

NAMES = ("O", "B-PER", "rare", "absent")
ONE_EACH = Labels.of([0] * 60 + [1] * 20 + [2] * 3, NAMES)
ONE_ITEM = Labels.of([0] * 60 + [1] * 20 + [2], NAMES)
MANY = Labels.packed([[0, 0, 1], [0, 0, 0], [0, 2, 0], [0, IGNORED, IGNORED]] * 15, NAMES)
DATA = [(ONE_EACH, "numbers"), (ONE_ITEM, "numbers"), (ONE_EACH, "tokens"), (MANY, "tokens")]

every_strategy = pytest.mark.parametrize("strategy", [strategies.get(name) for name in strategies.names()], ids=str)


def applicable(strategy):
    """The data that the strategy does not decline."""
    return [each for each in DATA if strategy.declines(*each) is None]


def rows(labels, inputs):
    return torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(5)) if inputs == "numbers" else None


def stream(strategy, labels, seed, batches=6, batch_size=16):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrategyWarning)
        found = strategy.index_stream(labels, labels.counts(), batch_size=batch_size, steps=batches, seed=seed)
        return torch.stack(list(islice(found, batches)))


@every_strategy
def test_is_a_frozen_dataclass_whose_parameters_round_trip_through_json(strategy):
    again = strategies.get(strategy.name, **json.loads(json.dumps(strategy.parameters)))
    assert again == strategy
    assert hash(again) == hash(strategy)
    for field in dataclasses.fields(strategy):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(strategy, field.name, None)


@every_strategy
def test_says_what_it_does_and_lives_in_the_folder_of_its_hook(strategy):
    kind = find(strategy.name)
    assert kind.title
    assert kind.__doc__
    where = Path(kind.__module__.replace(".", "/")).parent.name
    assert kind.folder == ("none" if where == "strategies" else where)


@every_strategy
def test_applies_somewhere_and_declines_with_a_reason(strategy):
    assert applicable(strategy)
    for labels, inputs in DATA:
        reason = strategy.declines(labels, inputs)
        assert reason is None or len(reason) > 20


@every_strategy
def test_draws_items_that_exist_equal_under_equal_seeds_and_others_under_another(strategy):
    for labels, _ in applicable(strategy):
        drawn = stream(strategy, labels, seed=1)
        assert drawn.shape == (6, 16)
        assert drawn.dtype == torch.int64
        assert 0 <= int(drawn.min()) <= int(drawn.max()) < len(labels)
        assert torch.equal(drawn, stream(strategy, labels, seed=1))
        assert not torch.equal(drawn, stream(strategy, labels, seed=2))


@every_strategy
def test_its_stream_does_not_end_where_a_training_does(strategy):
    for labels, _ in applicable(strategy):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StrategyWarning)
            batches = strategy.index_stream(labels, labels.counts(), batch_size=16, steps=1, seed=0)
            assert len(list(islice(batches, 40))) == 40


@every_strategy
def test_a_pool_keeps_to_real_rows_and_known_classes(strategy):
    for labels, inputs in applicable(strategy):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StrategyWarning)
            pool = strategy.resample(rows(labels, inputs), labels, seed=1)
        if pool is None:
            continue
        assert 0 <= int(pool.index.min()) <= int(pool.index.max()) < len(labels)
        if pool.synthetic_x is not None:
            assert inputs == "numbers"
            assert pool.synthetic_x.isfinite().all()
            assert set(pool.synthetic_y.tolist()) <= {0, 1, 2}


@every_strategy
def test_item_weights_if_any_are_one_for_each_item_and_can_be_drawn_from(strategy):
    for labels, _ in applicable(strategy):
        weights = strategy.item_weights(labels, labels.counts())
        if weights is not None:
            assert weights.shape == (len(labels),)
            assert weights.dtype == torch.float64
            assert bool((weights >= 0).all())
            assert weights.sum() > 0


@every_strategy
def test_the_loss_is_finite_differentiable_and_indifferent_to_the_order_of_a_batch(strategy):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(50, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(4, (50,), generator=generator)
    targets[::7] = IGNORED
    loss = strategy.loss(ONE_EACH.counts()).double()
    value = loss(logits, targets)
    value.backward()
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert bool((logits.grad[::7] == 0).all()), "an ignored position moves the model"
    order = torch.randperm(50, generator=generator)
    assert loss(logits[order], targets[order]).item() == pytest.approx(value.item(), rel=1e-12)


@every_strategy
def test_on_balanced_data_the_loss_of_two_equal_classes_is_equal(strategy):
    counts = ClassCounts(torch.tensor([25, 25, 25, 25]), NAMES)
    loss = strategy.loss(counts)
    logits = torch.eye(4)[[1, 2]]
    assert loss(logits, torch.tensor([1, 2])).item() == pytest.approx(loss(logits[:1], torch.tensor([1])).item())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_strategy
def test_the_loss_is_the_same_on_cuda(strategy):
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(50, 4, generator=generator), torch.randint(4, (50,), generator=generator)
    loss = strategy.loss(ONE_EACH.counts())
    here = loss(logits, targets).item()
    assert loss.to("cuda")(logits.cuda(), targets.cuda()).item() == pytest.approx(here, rel=1e-5)
