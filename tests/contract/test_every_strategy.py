"""Properties of every registered strategy; a new one is covered as soon as it is registered."""

import dataclasses
import inspect
import json
import warnings
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression

import strategies
from strategies import IGNORED, AdjustmentInputs, ClassCounts, Labels, StrategyWarning
from strategies.registry import find

NAMES = ("O", "B-PER", "rare", "absent")
ONE_EACH = Labels.of([0] * 60 + [1] * 20 + [2] * 3, NAMES)
ONE_ITEM = Labels.of([0] * 60 + [1] * 20 + [2], NAMES)
MANY = Labels.packed([[0, 0, 1], [0, 0, 0], [0, 2, 0], [0, IGNORED, IGNORED]] * 15, NAMES)
DATA = [(ONE_EACH, "numbers"), (ONE_ITEM, "numbers"), (ONE_EACH, "tokens"), (MANY, "tokens")]

every_strategy = pytest.mark.parametrize("strategy", [strategies.get(name) for name in strategies.names()], ids=str)


def applicable(strategy):
    """The data to which the strategy is applicable."""
    return [data for data in DATA if strategy.why_not_applicable(*data) is None]


def rows(labels, inputs):
    return torch.randn(len(labels), 4, generator=torch.Generator().manual_seed(5)) if inputs == "numbers" else None


def stream(strategy, labels, seed, batches=6, batch_size=16):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrategyWarning)
        indices = strategy.index_stream(labels, labels.counts(), batch_size=batch_size, steps=batches, seed=seed)
        return torch.stack(list(islice(indices, batches)))


@every_strategy
def test_is_a_frozen_dataclass_whose_parameters_round_trip_through_json(strategy):
    again = strategies.get(strategy.name, **json.loads(json.dumps(strategy.parameters)))
    assert again == strategy
    assert hash(again) == hash(strategy)
    for field in dataclasses.fields(strategy):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(strategy, field.name, None)


@every_strategy
def test_is_documented_and_in_the_folder_of_its_hook(strategy):
    kind = find(strategy.name)
    assert kind.title
    assert kind.__doc__
    if kind.__module__.startswith("strategies."):  # a plug-in's file may be anywhere
        where = Path(kind.__module__.replace(".", "/")).parent.name
        assert kind.folder == ("none" if where == "strategies" else where)


@every_strategy
def test_is_applicable_somewhere_and_gives_a_reason_where_it_is_not(strategy):
    assert applicable(strategy)
    for labels, inputs in DATA:
        reason = strategy.why_not_applicable(labels, inputs)
        assert reason is None or len(reason) > 20


@every_strategy
def test_samples_existing_items_equal_for_equal_seeds_and_different_for_others(strategy):
    for labels, _ in applicable(strategy):
        drawn = stream(strategy, labels, seed=1)
        assert drawn.shape == (6, 16)
        assert drawn.dtype == torch.int64
        assert 0 <= int(drawn.min()) <= int(drawn.max()) < len(labels)
        assert torch.equal(drawn, stream(strategy, labels, seed=1))
        assert not torch.equal(drawn, stream(strategy, labels, seed=2))


@every_strategy
def test_items_to_which_it_is_not_applicable_or_no_items_at_all_are_refused(strategy):
    if strategy.why_not_applicable(MANY, "tokens") is not None and strategy.folder == "sample":
        with pytest.raises(ValueError, match=r".{20}"):
            next(strategy.index_stream(MANY, MANY.counts(), batch_size=4, steps=1, seed=0))
    empty = Labels.of(torch.zeros(0, dtype=torch.int64), NAMES)
    with pytest.raises((ValueError, RuntimeError)):
        next(strategy.index_stream(empty, ONE_EACH.counts(), batch_size=4, steps=1, seed=0))


@every_strategy
def test_its_stream_does_not_end_where_a_run_does(strategy):
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
def test_item_weights_if_any_are_one_per_item_and_can_be_sampled_by(strategy):
    for labels, _ in applicable(strategy):
        weights = strategy.item_weights(labels, labels.counts())
        if weights is not None:
            assert weights.shape == (len(labels),)
            assert weights.dtype == torch.float64
            assert bool((weights >= 0).all())
            assert weights.sum() > 0


def loss_of(strategy, counts, seed=0, dtype=torch.float64):
    """The loss as a function of logits and targets, called with features if it reads them."""
    loss = strategy.training_loss(counts, generators=[torch.Generator().manual_seed(seed)]).to(dtype)

    def call(logits, targets):
        features = {"features": logits.detach().tanh()} if strategy.needs_features else {}
        return loss(logits, targets, **features)

    return call


def batch(items=50, classes=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(items, classes, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.randint(classes, (items,), generator=generator)
    targets[::7] = IGNORED
    return logits, targets, torch.randperm(items, generator=generator)


@every_strategy
def test_the_loss_is_finite_differentiable_and_indifferent_to_the_order_of_a_batch(strategy):
    logits, targets, order = batch()
    value = loss_of(strategy, ONE_EACH.counts())(logits, targets)
    value.backward()
    assert value.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert bool((logits.grad[::7] == 0).all()), "an ignored position moves the model"
    if not strategy.order_matters:
        again = loss_of(strategy, ONE_EACH.counts())(logits[order], targets[order])
        assert again.item() == pytest.approx(value.item(), rel=1e-12)


@every_strategy
def test_the_loss_is_equal_under_equal_seeds(strategy):
    logits, targets, _ = batch()
    first, second = (loss_of(strategy, ONE_EACH.counts(), seed=3)(logits, targets) for _ in range(2))
    assert torch.equal(first, second)


@every_strategy
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("labels", [ONE_EACH, ONE_ITEM], ids=["an empty class", "and a class of one item"])
def test_nothing_makes_the_loss_or_its_gradient_nan(strategy, dtype, labels):
    for scale in (0.0, 1.0, 1e4):
        for targets in (torch.full((8,), IGNORED), torch.arange(8) % 3, torch.full((8,), 0)):
            signs = torch.tensor([[1.0, -1.0, 0.5, 0.0], [-1.0, 1.0, 0.0, 0.5]]).repeat(4, 1)
            logits = (scale * signs).to(dtype).requires_grad_()
            loss = strategy.training_loss(labels.counts(), generators=[torch.Generator().manual_seed(0)])
            features = {"features": torch.ones(8, 3)} if strategy.needs_features else {}
            value = loss(logits, targets, **features)
            value.backward()
            assert value.isfinite()
            assert logits.grad.isfinite().all()
            if (targets == IGNORED).all():
                assert value == 0
                assert not logits.grad.any()


@every_strategy
@pytest.mark.parametrize("masked", ["a class", "a class without labels", "other classes in each row"])
def test_a_masked_class_leaves_the_loss_finite_where_plain_cross_entropy_is(strategy, masked):
    for mask in (-torch.inf, torch.finfo(torch.float32).min, -1e9):
        check_masked(strategy, mask, masked)


def check_masked(strategy, mask, masked):
    counts = ClassCounts(torch.tensor([60, 20, 3, 0 if masked == "a class without labels" else 5]), NAMES)
    logits = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))
    if masked == "other classes in each row":
        logits[::2, 3], logits[1::4, 2] = mask, mask
    else:
        logits[:, 3] = mask
    targets = torch.arange(12) % 2
    logits.requires_grad_()
    assert torch.nn.functional.cross_entropy(logits, targets).isfinite()
    value = loss_of(strategy, counts, dtype=torch.float32)(logits, targets)
    value.backward()
    assert value.isfinite()
    assert logits.grad.isfinite().all(), "use torch.where where a probability is 0: 0 * log 0 is not a number"


BAD_CALLS = [
    (torch.zeros(6, 1), torch.zeros(6, dtype=torch.int64), "needs two logits"),
    (torch.zeros(6), torch.zeros(6), "needs two logits"),
    (torch.zeros(6, 3), torch.zeros(6, dtype=torch.int64), "counts of 4 classes; given: logits of 3"),
    (torch.zeros(6, 5), torch.zeros(6, dtype=torch.int64), "counts of 4 classes; given: logits of 5"),
    (torch.zeros(6, 4), torch.tensor([0, 1, 4, 0, 1, 2]), "from 0 to 3.*given: 4"),
    (torch.zeros(6, 4), torch.full((6,), 255, dtype=torch.uint8), r"masked_fill\(targets == 255, -100\)"),
    (torch.zeros(6, 4), torch.tensor([0, 1, -1, 0, -100, 2]), r"masked_fill\(targets == -1, -100\)"),
    (torch.zeros(6, 4), torch.zeros(6), "of an integer type; given: torch.float32"),
    (torch.zeros(6, 4), torch.zeros(6, dtype=torch.bool), "of an integer type; given: torch.bool"),
    (torch.zeros(6, 4), torch.eye(4)[[0, 1, 2, 3, 0, 0]].long(), r"targets\.argmax\(-1\)"),
    (torch.zeros(6, 4), torch.full((6, 4), 0.25), "Targets are class ids"),
    (torch.zeros(6, 4), torch.zeros(6, 1, dtype=torch.int64), r"targets\.squeeze\(-1\)"),
    (torch.zeros(6, 4, 5), torch.zeros(6, 5, dtype=torch.int64), r"logits\.movedim\(1, -1\)"),
    (torch.zeros(6, 4, 5, 7), torch.zeros(6, 5, 7, dtype=torch.int64), r"logits\.movedim\(1, -1\)"),
    (torch.zeros(6, 4), torch.zeros(5, dtype=torch.int64), "one row of logits per target"),
    (torch.zeros(6, 4).long(), torch.zeros(6, dtype=torch.int64), "floating-point"),
    (torch.zeros(6, 4), [0] * 6, "targets must be a tensor; given: list"),
    (torch.zeros(6, 4), torch.zeros(6, dtype=torch.int64, device="meta"), r"targets\.to\(device\)"),
]
"""Calls of a loss over four classes, and what the error says."""


@every_strategy
def test_a_loss_refuses_what_it_cannot_take_with_the_fix(strategy):
    loss = strategy.training_loss(ONE_EACH.counts())
    for logits, targets, fix in BAD_CALLS:
        features = {"features": torch.zeros(*logits.shape[:-1], 3)} if strategy.needs_features else {}
        with pytest.raises(ValueError, match=fix):
            loss(logits, targets, **features)


@every_strategy
@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32], ids=str)
def test_targets_may_be_of_any_integer_type(strategy, kind):
    logits, targets, _ = batch()
    targets = targets.clamp_min(0)
    assert torch.equal(
        loss_of(strategy, ONE_EACH.counts())(logits, targets.to(kind)),
        loss_of(strategy, ONE_EACH.counts())(logits, targets),
    )


@every_strategy
@pytest.mark.parametrize(
    "counts", [ONE_EACH, ONE_EACH.values, [0, 1, 2], {0: 60, 1: 20}, None], ids=lambda kind: type(kind).__name__
)
def test_hooks_refuse_raw_labels_and_counts(strategy, counts):
    fix = r"takes counts as ClassCounts; given.*ClassCounts\.of\(y\).*ClassCounts\.from_counts"
    with pytest.raises(ValueError, match=fix):
        strategy.training_loss(counts)
    with pytest.raises(ValueError, match=fix):
        strategy.class_weights(counts)
    with pytest.raises(ValueError, match=fix):
        strategy.effective_prior(ONE_EACH, counts)
    with pytest.raises(ValueError, match=fix):
        strategy.mix(torch.tensor([[0], [1]]), counts, generator=torch.Generator())
    if not isinstance(counts, Labels):
        with pytest.raises(ValueError, match=r"takes labels as Labels; given.*Labels\.of\(y\)"):
            strategy.index_stream(counts, ONE_EACH.counts(), batch_size=4, steps=1, seed=0)
        with pytest.raises(ValueError, match="takes labels as Labels"):
            strategy.resample(None, counts, seed=0)


@every_strategy
def test_a_strategy_that_does_not_act_in_the_loss_has_none(strategy):
    counts = ONE_EACH.counts()
    if strategy.acts_in_loss or strategy == strategies.get("none"):
        described = repr(strategy.loss(counts))
        assert "num_classes=4" in described
        assert not strategy.acts_in_loss or all(f"{k}={v}" in described for k, v in strategy.parameters.items())
        return
    with pytest.raises(ValueError, match=f"{strategy.name} has no loss: it .*torch.nn.CrossEntropyLoss"):
        strategy.loss(counts)
    logits, targets, _ = batch()
    plain = torch.nn.functional.cross_entropy(logits, targets)
    assert loss_of(strategy, counts)(logits, targets).item() == pytest.approx(plain.item(), rel=1e-12)


@every_strategy
def test_the_loss_of_a_run_is_the_same_to_the_last_bit_in_a_stack_and_alone_at_any_batch_size(strategy):
    """Odd batch sizes leave a tensor's end that does not fill a vector, where a processor rounds powers differently."""
    counts = ONE_EACH.counts()
    generator = torch.Generator().manual_seed(0)
    for items in range(1, 71, 2):
        logits = 3 * torch.randn(3, items, 4, generator=generator)
        targets = torch.randint(4, (3, items), generator=generator)
        targets[torch.rand(3, items, generator=generator) < 0.2] = IGNORED
        together = loss_and_gradient(strategy, ClassCounts.stack([counts] * 3), logits, targets)
        for run in range(3):
            alone = loss_and_gradient(strategy, ClassCounts.stack([counts]), logits[[run]], targets[[run]])
            for what, in_stack, by_itself in zip(("loss", "gradient"), together, alone, strict=True):
                assert torch.equal(in_stack[[run]], by_itself), (
                    f"the {what} of {strategy} at {items} items differs in its last bits between a run in a stack and the same "
                    "run alone. Use steep_power(q, exponent) of strategies.loss.focal instead of `q ** exponent`, "
                    "sequential_sum instead of sum() or mean() over items, and log_softmax or cross_entropy of "
                    "strategies.loss_function instead of torch's"
                )


def loss_and_gradient(strategy, counts, logits, targets):
    """The loss of each run of a stack and its gradient by the logits."""
    logits = logits.clone().requires_grad_()
    loss = strategy.training_loss(counts, generators=[torch.Generator().manual_seed(0) for _ in counts.values])
    features = {"features": logits.detach().tanh()} if strategy.needs_features else {}
    value = loss.per_run(logits, targets, **features)
    value.sum().backward()
    return value.detach(), logits.grad


@every_strategy
def test_where_classes_are_equally_frequent_every_loss_treats_them_alike(strategy):
    counts = ClassCounts(torch.tensor([25, 25, 25, 25]), NAMES)
    logits, targets, _ = batch(items=40)
    if strategy.name in ("ignore-index", "majority-or-minority"):
        return  # one class is the majority, the first of equals
    renamed = torch.tensor([2, 0, 3, 1])  # class c becomes renamed[c]
    there = torch.empty_like(logits)
    there[:, renamed] = logits.detach()
    targets_there = torch.where(targets == IGNORED, targets, renamed[targets.clamp_min(0)])
    here = loss_of(strategy, counts)(logits, targets)
    there = loss_of(strategy, counts)(there.requires_grad_(), targets_there)
    assert there.item() == pytest.approx(here.item(), rel=1e-9)


PLAIN_ON_BALANCED_DATA = (
    *("loss-weights", "class-balanced-loss", "cost-sensitive-weights", "one-minus-share-weights"),
    *("logit-adjustment", "vector-scaling", "class-dependent-temperatures", "equalisation"),
)
"""Losses that, by their papers, differ from cross-entropy only through unequal counts."""


@pytest.mark.parametrize("name", PLAIN_ON_BALANCED_DATA)
def test_on_balanced_data_losses_of_counts_are_plain_cross_entropy(name):
    counts = ClassCounts(torch.tensor([25, 25, 25, 25]), NAMES)
    logits, targets, _ = batch()
    plain = torch.nn.functional.cross_entropy(logits, targets)
    assert loss_of(strategies.get(name), counts)(logits, targets).item() == pytest.approx(plain.item(), rel=1e-6)


@every_strategy
def test_a_model_that_sees_no_inputs_learns_the_declared_prior(strategy):
    """Constant logits that minimise the loss over the sampled items are the logarithm of the prior that is learnt."""
    labels = Labels.of([0] * 600 + [1] * 200 + [2] * 100, ("a", "b", "c"))
    if strategy.why_not_applicable(labels, "numbers") is not None:
        labels = Labels.packed([[0, 0, 1], [0, 0, 0], [0, 2, 0]] * 100, ("O", "B-PER", "B-LOC"))
    counts = labels.counts()
    declared = strategy.effective_prior(labels, counts)
    if declared is None:
        return
    assert declared.shape == (3,)
    assert declared.sum().item() == pytest.approx(1)
    if strategy.ensemble(LogisticRegression(), seed=0) is not None:
        check_prior_of_ensemble(strategy, labels, declared)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StrategyWarning)
        resampled = strategy.resample(rows(labels, "numbers"), labels, seed=0)
        pool = labels if resampled is None else _pool(labels, resampled)
        drawn = strategy.index_stream(pool, counts, batch_size=1000, steps=60, seed=0)
        items = torch.cat(list(islice(drawn, 60)))
    seen = pool.take(items).counts().values.double()
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([logits], max_iter=100, tolerance_grad=1e-10, line_search_fn="strong_wolfe")
    targets = torch.repeat_interleave(torch.arange(3), (900 * seen / seen.sum()).round().long())
    loss = strategy.training_loss(counts).double()

    def closure():
        optimiser.zero_grad()
        value = loss(logits.expand(len(targets), 3), targets)
        value.backward()
        return value

    optimiser.step(closure)
    learnt = logits.detach().softmax(0)
    assert (learnt - declared).abs().max() < 0.01, (
        f"a model that sees no inputs learns the prior {_rounded(learnt)} with {strategy}, but its effective_prior is "
        f"{_rounded(declared)}: override effective_prior, and return None where the prior is unknown"
    )


def check_prior_of_ensemble(strategy, labels, declared):
    ensemble = strategy.ensemble(LogisticRegression(), seed=0)
    learnt = ensemble.fit(np.zeros((len(labels), 1)), labels.values.numpy()).predict_proba(np.zeros((1, 1)))[0]
    assert np.abs(learnt - declared.numpy()).max() < 0.02, (
        f"an ensemble that sees no inputs learns the prior {_rounded(learnt)} with {strategy}, but its effective_prior is "
        f"{_rounded(declared)}"
    )


def _rounded(prior):
    return [round(share, 3) for share in prior.tolist()]


def _pool(labels, resampled):
    pool = labels.take(resampled.index)
    if resampled.synthetic_y is None:
        return pool
    return Labels.of(torch.cat([pool.values, resampled.synthetic_y]), labels.class_names)


@every_strategy
def test_pairs_of_a_batch_are_within_it_and_equal_under_equal_seeds(strategy):
    targets = torch.tensor([[0, 1], [2, IGNORED], [1, 0], [0, 0]])
    pairs = [
        strategy.mix(targets, ONE_EACH.counts(), generator=torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)
    ]
    if pairs[0] is None:
        return
    assert sorted(pairs[0].partner.tolist()) == [0, 1, 2, 3]
    assert pairs[0].lambda_y.shape == targets.shape
    for share in (pairs[0].lambda_x, pairs[0].lambda_y):
        assert bool(((share >= 0) & (share <= 1)).all())
    assert torch.equal(pairs[0].lambda_x, pairs[1].lambda_x)
    assert torch.equal(pairs[0].partner, pairs[1].partner)
    assert not torch.equal(pairs[0].lambda_x, pairs[2].lambda_x)


@every_strategy
def test_phases_end_with_the_run_and_hold_strategies_without_phases_of_their_own(strategy):
    phases = strategy.phases()
    assert phases[-1].until == 1
    assert [phase.until for phase in phases] == sorted({phase.until for phase in phases})
    for phase in phases:
        assert len(phase.strategy.phases()) == 1


@every_strategy
def test_an_ensemble_gives_probabilities_of_all_classes_equal_under_equal_seeds_and_leaves_the_estimator_alone(
    strategy,
):
    assert list(inspect.signature(strategy.ensemble).parameters) == ["estimator", "seed"]
    estimator = LogisticRegression()
    ensembles = [strategy.ensemble(estimator, seed=seed) for seed in (1, 1, 2**40 + 2)]
    if ensembles[0] is None:
        assert strategy.folder != "ensemble"
        return
    assert is_classifier(ensembles[0])
    assert not hasattr(ensembles[0], "classes_")
    assert getattr(ensembles[0], "n_jobs", None) in (None, 1), "runs share the cores between them"
    y = ONE_EACH.values.numpy()
    x = rows(ONE_EACH, "numbers").numpy() + y[:, None]
    probabilities = [ensemble.fit(x, y).predict_proba(x) for ensemble in ensembles]
    assert ensembles[0].classes_.tolist() == [0, 1, 2]
    assert probabilities[0].shape == (len(x), 3)
    assert probabilities[0].sum(1) == pytest.approx(np.ones(len(x)))
    assert np.array_equal(probabilities[0], probabilities[1])
    assert not np.array_equal(probabilities[0], probabilities[2])
    assert not hasattr(estimator, "classes_")
    assert estimator.get_params() == LogisticRegression().get_params()


@every_strategy
def test_an_adjustment_is_computed_from_validation_only_and_keeps_shape_and_finiteness(strategy):
    assert list(inspect.signature(strategy.adjust).parameters) == ["inputs"]
    assert set(AdjustmentInputs.__dataclass_fields__) == {
        *("head", "train_prior", "target_prior", "valid_logits", "valid_targets", "class_names")
    }
    generator = torch.Generator().manual_seed(0)
    weight, bias = torch.randn(4, 3, generator=generator), torch.randn(4, generator=generator)
    features = torch.randn(600, 3, generator=generator)
    logits = features @ weight.T + bias
    targets = (logits + torch.tensor([2.0, 0.0, 0.0, 0.0])).argmax(1)  # an offset gains, so none is left out
    prior = torch.tensor([0.7, 0.1, 0.1, 0.1], dtype=torch.float64)
    uniform = torch.full((4,), 0.25, dtype=torch.float64)
    adjust = strategy.adjust(AdjustmentInputs(strategies.Head(weight, bias), prior, uniform, logits, targets))
    if adjust is None:
        assert strategy.folder != "adjust"
        return
    adjusted = adjust(logits[:5])
    assert adjusted.shape == (5, 4)
    assert adjusted.isfinite().all()
    assert torch.allclose(adjusted, adjust(logits)[:5]), "the adjusted logits of one item depend on other items"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@every_strategy
def test_the_loss_is_the_same_on_cuda(strategy):
    generator = torch.Generator().manual_seed(0)
    logits, targets = torch.randn(50, 4, generator=generator), torch.randint(4, (50,), generator=generator)
    features = {"features": logits.tanh()} if strategy.needs_features else {}
    here, there = (
        strategy.training_loss(ONE_EACH.counts(), generators=[torch.Generator().manual_seed(0)]) for _ in range(2)
    )
    on_cuda = {name: value.cuda() for name, value in features.items()}
    expected = here(logits, targets, **features).item()
    assert there.to("cuda")(logits.cuda(), targets.cuda(), **on_cuda).item() == pytest.approx(expected, rel=1e-5)
