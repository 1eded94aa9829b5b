"""What the audit says of a loss is what a model learns with it."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import strategies
from strategies.class_mix import expected_mix, log_slope
from strategies.loader_audit.audit import Audit, audit
from strategies.loader_audit.loss_probe import probe_loss

COUNTS = torch.tensor([400, 60, 12])
LABELS = torch.repeat_interleave(torch.arange(3), COUNTS)
PACKED = strategies.Labels.of(LABELS)
NATURAL = COUNTS / COUNTS.sum()
DATA = TensorDataset(torch.zeros(len(LABELS), 2), LABELS)
POWERS = {"natural": 1.0, "square-root": 0.5, "balanced": 0.0}
WEIGHTS = 1.0 / COUNTS

pytestmark = pytest.mark.usefixtures("one_thread")


def sampler(power: float) -> strategies.ClassBalancedSampler:
    return strategies.ClassBalancedSampler(LABELS, power=power, num_samples=3000, seed=0)


def names(result: Audit) -> list[str]:
    return [finding.name for finding in result.findings]


def learned_prior(loss_fn: Any, targets: torch.Tensor) -> torch.Tensor:
    """Train a model that sees no inputs, a bias per class, on these targets; return the prior that it predicts, `(C,)`."""
    bias = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([bias], lr=0.5, max_iter=60, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = loss_fn(bias.expand(len(targets), 3))
        loss.backward()
        return loss

    optimizer.step(closure)
    return bias.detach().softmax(0).double()


@pytest.mark.parametrize("name", strategies.names())
def test_a_double_correction_is_found_where_a_model_without_inputs_learns_a_reversed_prior(name):
    remedy = strategies.get(name)
    loss = remedy.phases()[-1].strategy.training_loss(PACKED.counts())
    for mix, power in POWERS.items():
        targets = LABELS[list(sampler(power))][:: 3 if mix == "natural" else 6]
        known = {"features": torch.ones(len(targets), 1)} if remedy.needs_features else {}
        prior = learned_prior(lambda logits, t=targets, k=known: loss(logits, t, **k), targets)
        slope = log_slope(prior[prior > 1e-4], NATURAL[prior > 1e-4]) or 0.0
        result = audit(sampler(power), LABELS, loss=remedy, intended=mix)
        assert abs(slope + 0.2) > 0.03, "too close to the limit to be a test"
        assert ("double-correction" in names(result)) == (slope < -0.2), (mix, prior)
        assert result.loss.problem is None


DECLARED = [
    name
    for name in strategies.names()
    if strategies.get(name).folder in ("none", "loss")
    and strategies.get(name).effective_prior(PACKED, PACKED.counts()) is not None
]


@pytest.mark.parametrize("name", DECLARED)
def test_a_declared_prior_is_what_the_gradients_say(name):
    remedy = strategies.get(name)
    declared = remedy.effective_prior(PACKED, PACKED.counts())
    measured = probe_loss(remedy.training_loss(PACKED.counts()), expected_mix(PACKED)).factors
    factors = declared / expected_mix(PACKED)
    assert measured.tolist() == pytest.approx((factors / factors.sum()).tolist(), rel=0.01)


@pytest.mark.parametrize(
    "text", ["logit-adjustment", "logit-adjustment(tau=0.5)", "vs", "seesaw", "lade", "influence-balanced"]
)
def test_natural_draws_are_right_for_every_remedy_in_the_loss(text):
    remedy = strategies.parse(text)
    loader = DataLoader(DATA, shuffle=True, batch_size=32, generator=torch.Generator().manual_seed(0))
    assert audit(loader, LABELS, loss=remedy).ok
    if text == "logit-adjustment":
        assert audit(loader, LABELS, loss=remedy.training_loss(PACKED.counts())).ok


def test_the_last_phase_of_a_schedule_decides():
    deferred = strategies.get("deferred-reweighting")
    assert names(audit(sampler(0), LABELS, loss=deferred)) == ["double-correction"]
    assert audit(sampler(1), LABELS, loss=deferred, intended="natural").ok


def test_majority_or_minority_does_not_ignore_the_majority_class():
    for power, intended in ((1.0, "natural"), (0.0, "balanced")):
        for given in (strategies.get("mom"), strategies.get("mom").loss(PACKED.counts())):
            assert audit(sampler(power), LABELS, loss=given, intended=intended).ok


def test_a_plug_in_that_declares_its_prior_is_believed():
    @dataclasses.dataclass(frozen=True)
    class Declared(strategies.Strategy):
        def loss(self, counts: Any, *, generators: Any = None) -> Any:
            raise ValueError("reads something that an audit does not have")

        def effective_prior(self, labels: Any, counts: Any) -> torch.Tensor:
            return torch.ones(3, dtype=torch.float64) / 3

    assert names(audit(sampler(0), LABELS, loss=Declared())) == ["double-correction"]
    assert audit(sampler(1), LABELS, loss=Declared()).ok


# Losses of others


class FocalLoss(nn.Module):
    """As in many repositories: alpha is one weight per class."""

    def __init__(self, alpha: Any = None, gamma: float = 2.0) -> None:
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        loss = F.cross_entropy(logits, targets, reduction="none")
        weight = 1.0 if self.alpha is None else torch.as_tensor(self.alpha)[targets]
        return (weight * (1 - (-loss).exp()) ** self.gamma * loss).mean()


class BalancedSoftmax(nn.Module):
    def __init__(self, counts: Any) -> None:
        super().__init__()
        self.register_buffer("sample_per_class", torch.as_tensor(counts).float())

    def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return F.cross_entropy(logits + self.sample_per_class.log(), targets)


def class_balanced_sigmoid(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Cui et al. (2019): a sigmoid loss per class, weighted by the class of the target."""
    one_hot = F.one_hot(targets, 3).float()
    return F.binary_cross_entropy_with_logits(logits, one_hot, weight=WEIGHTS[targets].unsqueeze(1).expand(-1, 3))


def of_probabilities(probabilities: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return -(WEIGHTS[targets] * probabilities.gather(1, targets[:, None]).squeeze(1).log()).mean()


def of_pictures(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    _, _, height, width = logits.shape
    assert targets.shape[1:] == (height, width)
    return F.cross_entropy(logits, targets, weight=WEIGHTS)


CORRECTING: dict[str, Any] = {
    "focal with alpha": FocalLoss(WEIGHTS),
    "focal with a list": FocalLoss(WEIGHTS.tolist()),
    "balanced softmax": BalancedSoftmax(COUNTS),
    "lambda": lambda logits, targets: F.cross_entropy(logits, targets, weight=WEIGHTS),
    "partial": partial(F.cross_entropy, weight=WEIGHTS),
    "sum": partial(F.cross_entropy, weight=WEIGHTS, reduction="sum"),
    "none": partial(F.cross_entropy, weight=WEIGHTS, reduction="none"),
    "sigmoid": class_balanced_sigmoid,
    "NLLLoss": nn.NLLLoss(weight=WEIGHTS),
    "functional NLL": partial(F.nll_loss, weight=WEIGHTS),
    "margin": nn.MultiMarginLoss(weight=WEIGHTS),
    "one-hot": nn.BCEWithLogitsLoss(pos_weight=COUNTS.max() / COUNTS),
    "probabilities": of_probabilities,
    "pictures": of_pictures,
    "with its predictions": lambda x, y: (F.cross_entropy(x, y, weight=WEIGHTS), x.argmax(1)),
    "in a dictionary": lambda x, y: {"loss": F.cross_entropy(x, y, weight=WEIGHTS)},
    "next to a penalty": lambda x, y: F.cross_entropy(x, y, weight=WEIGHTS) + 0.01 * x.square().mean(),
}
NEUTRAL: dict[str, Any] = {
    "focal": FocalLoss(),
    "focal with equal alpha": FocalLoss(torch.ones(3)),
    "functional": F.cross_entropy,
    "smoothed": nn.CrossEntropyLoss(label_smoothing=0.1),
    "margin": nn.MultiMarginLoss(),
    "squared": nn.MSELoss(),
    "hardest quarter": lambda x, y: F.cross_entropy(x, y, reduction="none").topk(len(y) // 4).values.mean(),
    "soft targets": nn.KLDivLoss(reduction="batchmean"),
}


@pytest.mark.parametrize("name", CORRECTING)
def test_a_correction_by_a_loss_of_others_is_found(name):
    assert names(audit(sampler(0), LABELS, loss=CORRECTING[name])) == ["double-correction"]
    loader = DataLoader(DATA, shuffle=True, batch_size=32, generator=torch.Generator().manual_seed(0))
    assert audit(loader, LABELS, loss=CORRECTING[name]).ok  # the loss corrects, so nothing else need to


@pytest.mark.parametrize("name", NEUTRAL)
def test_a_loss_of_others_that_corrects_nothing_raises_no_alarm(name):
    result = audit(sampler(0), LABELS, loss=NEUTRAL[name])
    assert result.ok
    assert "  loss:      no problem found\n" in str(result)


BINARY: dict[str, tuple[Any, bool]] = {
    "pos_weight": (partial(F.binary_cross_entropy_with_logits, pos_weight=torch.tensor(9.0)), True),
    "plain": (F.binary_cross_entropy_with_logits, False),
    "column": (lambda x, y: F.binary_cross_entropy_with_logits(x, y.view(-1, 1), pos_weight=torch.tensor([9.0])), True),
    "probabilities": (nn.BCELoss(), False),
    "two logits": (nn.CrossEntropyLoss(weight=torch.tensor([1.0, 9.0])), True),
}


@pytest.mark.parametrize("name", BINARY)
def test_binary_losses_on_one_logit_are_read(name):
    labels = torch.tensor([0] * 900 + [1] * 100)
    loss, corrects = BINARY[name]
    balanced = strategies.ClassBalancedSampler(labels, num_samples=3000, seed=0)
    assert names(audit(balanced, labels, loss=loss)) == (["double-correction"] if corrects else [])


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(weight=torch.tensor([0.0, 1.0, 1.0])),
        partial(F.cross_entropy, ignore_index=0),
        lambda x, y: F.cross_entropy(x[y > 0], y[y > 0]),
        FocalLoss([0.0, 1.0, 1.0]),
    ],
    ids=["weight 0", "ignore_index", "mask", "alpha 0"],
)
def test_a_majority_that_is_ignored_is_found_however_it_is_ignored(loss):
    result = audit(sampler(1), LABELS, loss=loss, intended="natural")
    assert "majority-ignored" in names(result)
    assert "ignores class 0" in next(f.message for f in result.findings if f.name == "majority-ignored")


@pytest.mark.parametrize("ignored", [True, False])
def test_padding_that_a_function_ignores_is_no_mistake(ignored):
    sentences = torch.tensor([[1, 2, 0, 0], [1, 1, 3, 0], [2, 2, 2, 2]] * 50)
    loss = (lambda x, y: F.cross_entropy(x[y > 0], y[y > 0])) if ignored else F.cross_entropy
    result = audit(range(150), sentences, pad=0, loss=loss, intended="natural")
    assert names(result) == ([] if ignored else ["pad-counted"])


# Losses that cannot be read

UNREADABLE: dict[str, Any] = {
    "another signature": lambda outputs, batch: F.cross_entropy(outputs["logits"], batch["labels"]),
    "three inputs": nn.TripletMarginLoss(),
    "no gradients": lambda logits, targets: (logits.argmax(1) != targets).float().mean(),
    "an error": lambda logits, targets: 1 / 0,
    "a class": FocalLoss,
    "a name": "focal",
    "no function": {"weight": 1.0},
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_loss_that_cannot_be_read_is_named_and_not_called_right(name):
    result = audit(sampler(0), LABELS, loss=UNREADABLE[name])
    assert str(result).startswith("No problem found, but the loss could not be read.\n")
    assert "  loss:      could not be read; see the note\n" in str(result)
    assert "could not be read (" in result.notes[0]
    assert "class_weights=... or loss_prior=..." in result.notes[0]
    assert "Traceback" not in str(result)
    for said, expected in (({"class_weights": WEIGHTS}, ["double-correction"]), ({"class_weights": [1, 1, 1]}, [])):
        again = audit(sampler(0), LABELS, loss=UNREADABLE[name], **said)
        assert (names(again), again.notes) == (expected, ())


def test_weights_that_are_kept_are_read_where_the_loss_cannot_be_called():
    class Elsewhere(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.class_weights = WEIGHTS

    assert names(audit(sampler(0), LABELS, loss=Elsewhere())) == ["double-correction"]


def test_a_matrix_that_is_called_weight_is_no_class_weights():
    class WithClassifier(FocalLoss):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(3, 8))

    assert audit(sampler(0), LABELS, loss=WithClassifier()).ok


def test_measuring_a_loss_changes_neither_it_nor_the_random_state():
    class Counting(FocalLoss):
        def forward(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
            self.calls = getattr(self, "calls", 0) + 1
            return super().forward(logits + 0 * torch.rand(1), targets)

    loss, state = Counting(), torch.random.get_rng_state()
    assert audit(sampler(0), LABELS, loss=loss).ok
    assert not hasattr(loss, "calls")
    assert torch.equal(torch.random.get_rng_state(), state)


def test_one_line_per_subject():
    result = audit(sampler(0), LABELS, loss=nn.CrossEntropyLoss(weight=WEIGHTS))
    lines = str(result).splitlines()
    assert lines[0] == "Misconfigured: 1 problem found."
    assert lines[1].startswith("  class mix: agrees with the intended one, 'balanced' (chi-square test, p = ")
    assert lines[2:5] == [
        "  sampler:   no problem found",
        "  loss:      double-correction",
        "  labels:    no problem found",
    ]
    assert "  loss:      not given\n" in str(audit(sampler(0), LABELS))
