"""A user's module trains as the textbook trains it, in any stack as alone; what cannot be trained is refused."""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from numpy.random import default_rng
from torch import Generator, Tensor

from bench import cli
from bench.errors import InputError
from bench.models import MODELS, find_model
from bench.models.model import Params, Shape
from bench.models.user_module import UserModule, load_factory
from bench.planning.plan import make_plan
from bench.planning.protocol import ROWS, reference_protocol, with_user_module
from bench.planning.run import Run
from bench.planning.suite import Suite, filter_suite, read_suite, with_model
from bench.records.record import RAW, Record
from bench.tasks import find_task
from bench.tasks.part import PAD
from bench.train.clock import Clock
from bench.train.evaluation import compute_logits
from bench.train.loop import train
from bench.train.stack import Outputs
from bench.train.step import StackRunner
from strategies import parse

CPU = torch.device("cpu")
DIGITS, WINDOWS = "digits-lt", "synthetic-conll(windows, scale=0.01)"
TAGS, SENTENCES = "synthetic-conll(windows-tags, scale=0.01)", "synthetic-conll(sentences, scale=0.01)"

MODULES = '''
import torch
from torch import nn


class Rows(nn.Module):
    """The package's own MLP."""

    def __init__(self, shape):
        super().__init__()
        self.layer1 = nn.Linear(shape.features, 64)
        self.layer2 = nn.Linear(64, 64)
        self.head = nn.Linear(64, shape.classes)

    def forward(self, x):
        return self.head(self.layer2(self.layer1(x).relu()).relu())


class Windows(nn.Module):
    """The package's own window tagger."""

    def __init__(self, shape):
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, 50)
        self.hidden = nn.Linear(shape.positions * 50, 128)
        self.head = nn.Linear(128, shape.labelled_positions * shape.classes)

    def forward(self, x):
        return self.head(self.hidden(self.words(x).flatten(1)).relu())


class WindowsByPlace(Windows):
    """The same, its logits a row a word."""

    def __init__(self, shape):
        super().__init__(shape)
        self.shape = shape

    def forward(self, x):
        return super().forward(x).unflatten(1, (self.shape.labelled_positions, self.shape.classes))


class Dropping(nn.Module):
    """Rows or windows, of widths that fill no line of memory, with dropout in front and behind."""

    def __init__(self, shape):
        super().__init__()
        inputs = shape.features or 7 * shape.positions
        self.words = nn.Embedding(shape.vocabulary, 7) if shape.vocabulary else nn.Identity()
        self.body = nn.Sequential(nn.Dropout(0.1), nn.Linear(inputs, 33), nn.Tanh(), nn.Dropout(0.5))
        self.last = nn.Linear(33, shape.labelled_positions * shape.classes)

    def forward(self, x):
        return self.last(self.body(self.words(x).flatten(1)))


class Sentences(nn.Module):
    """Vectors that are trained, vectors that are not, one layer used twice, a scalar, an LSTM that reads both ways."""

    def __init__(self, shape, dropout=0.0):
        super().__init__()
        self.words = nn.Embedding(shape.vocabulary, 13, padding_idx=0)
        fixed = torch.randn(shape.vocabulary, 4, generator=torch.Generator().manual_seed(1))
        self.given = nn.Embedding.from_pretrained(fixed)
        self.mixing = nn.Linear(17, 17)
        self.again = self.mixing
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.dropout = nn.Dropout(dropout)
        self.rnn = nn.LSTM(17, 9, batch_first=True, bidirectional=True)
        self.head = nn.Linear(18, shape.classes)

    def forward(self, x):
        read = torch.cat([self.words(x), self.given(x)], 2) * self.scale
        return self.head(self.dropout(self.rnn(self.again(self.mixing(read).tanh()))[0]))


def dropping_sentences(shape):
    return Sentences(shape, dropout=0.3)
'''


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("user") / "users_modules.py"
    path.write_text(MODULES)
    return path


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(body: str) -> Path:
        path = tmp_path / "mine.py"
        path.write_text(f"import torch\nfrom torch import nn\n\n\n{body}")
        return path

    return write


def make_run(model: str | None, task: str, strategy: str = "none", seed: int = 0, steps: int = 24) -> Run:
    spec = find_task(task)
    protocol = dataclasses.replace(reference_protocol(spec), steps=steps, validate_every=steps // 3, batch_size=17)
    return Run(spec, parse(strategy), protocol if model is None else with_user_module(protocol, model), seed, "data")


def own(model: str, shape: Shape) -> UserModule:
    made = with_user_module(ROWS, model).load_model(shape)
    assert isinstance(made, UserModule)
    return made


def stacked(model: UserModule, size: int) -> Params:
    rows = [model.init(model.shape, Generator().manual_seed(seed)) for seed in range(size)]
    return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def words(shape: Shape, *size: int) -> Tensor:
    return torch.randint(1, shape.vocabulary, size, generator=Generator().manual_seed(5))


# The same as the package's own models


@pytest.mark.parametrize("inside", ["forward", "features"])
def test_logits_and_gradients_are_those_of_the_packages_mlp(file: Path, inside: str) -> None:
    shape = Shape(classes=10, features=64)
    model, textbook = own(f"{file}:Rows", shape), find_model("mlp")
    params = {name: value.double().requires_grad_() for name, value in stacked(model, 3).items()}
    alike = {name.removeprefix("body."): value.detach().clone().requires_grad_() for name, value in params.items()}
    assert list(alike) == list(textbook.init(shape, Generator()))
    x = torch.randn(3, 20, 64, dtype=torch.float64, generator=Generator().manual_seed(1))
    ours, theirs = getattr(model, inside)(params, x, None), getattr(textbook, inside)(alike, x, None)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    slope = torch.randn(ours.shape, dtype=torch.float64, generator=Generator().manual_seed(2))
    ours.backward(slope)
    theirs.backward(slope)
    for name, value in params.items():
        expected = alike[name.removeprefix("body.")].grad
        if expected is not None:
            torch.testing.assert_close(value.grad, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("name", "labelled"), [("Windows", 1), ("Windows", 9), ("WindowsByPlace", 9)])
def test_logits_and_gradients_are_those_of_the_packages_window_tagger(file: Path, name: str, labelled: int) -> None:
    shape = Shape(classes=5, vocabulary=40, positions=9, labelled_positions=labelled)
    model, textbook = own(f"{file}:{name}", shape), find_model("window-tagger")
    params = {name: value.double().requires_grad_() for name, value in stacked(model, 3).items()}
    alike = {name.removeprefix("body."): value.detach().clone().requires_grad_() for name, value in params.items()}
    table, x = alike.pop("words.weight"), words(shape, 3, 20, 9)
    ours = model.forward(params, x, x != PAD)
    embedded = torch.stack([F.embedding(ids, row) for ids, row in zip(x, table, strict=True)])
    theirs = textbook.forward(alike, embedded, None)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
    slope = torch.randn(ours.shape, dtype=torch.float64, generator=Generator().manual_seed(2))
    ours.backward(slope)
    theirs.backward(slope)
    for name, value in params.items():
        expected = table if name == "body.words.weight" else alike[name.removeprefix("body.")]
        torch.testing.assert_close(value.grad, expected.grad, rtol=1e-12, atol=1e-12)


BY_LAST_LAYER = ["ldam", "influence-balanced", "learnable-weight-scaling(start=0.5)", "mixup", "none+tau-normalisation"]


@pytest.mark.parametrize("strategy", ["none", "deferred-reweighting", *BY_LAST_LAYER[:4]])
def test_a_run_on_digits_is_that_of_the_packages_mlp(file: Path, strategy: str) -> None:
    runners = [StackRunner([make_run(model, DIGITS, strategy, steps=60)], CPU) for model in (None, f"{file}:Rows")]
    with torch.no_grad():
        runners[1].stack.leaf.copy_(runners[0].stack.leaf)
    for runner in runners:
        for _ in range(60):
            runner.step(Clock())
    theirs, ours = (compute_logits(each.stack, [task.valid for task in each.tasks])[0] for each in runners)
    truth = runners[0].tasks[0].valid.truth
    assert float(F.cross_entropy(ours, truth)) == pytest.approx(float(F.cross_entropy(theirs, truth)), abs=1e-4)
    assert (ours.argmax(-1) == theirs.argmax(-1)).double().mean() > 0.99
    mine, known = (each.stack.head(0) for each in runners)
    torch.testing.assert_close(mine.weight, known.weight, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(mine.bias, known.bias, rtol=1e-3, atol=1e-4)


# The same as a plain loop


def test_sentences_train_as_in_plain_loops(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [make_run(f"{file}:Sentences", SENTENCES, seed=seed, steps=15) for seed in (0, 1)]
    runner = StackRunner(jobs, CPU)
    modules = [runner.stack.model.build(0) for _ in jobs]  # type: ignore[attr-defined]

    def weights(row: int) -> dict[str, Tensor]:
        found = {name.removeprefix("body."): value[row].detach() for name, value in runner.stack.params.items()}
        return {name: found[name].view(modules[row].get_parameter(name).shape).clone() for name in found}

    before = [weights(row) for row in (0, 1)]
    adams = []
    for module, first in zip(modules, before, strict=True):
        module.load_state_dict(first, strict=False)
        trained = [value for value in module.parameters() if value.requires_grad]
        adams.append(torch.optim.Adam(trained, jobs[0].protocol.learning_rate))
    forward, objective = runner.stack.forward, runner.loss
    given: list[Tensor] = []

    def heard(x: Tensor) -> Outputs:
        given.append(x)
        return forward(x)

    def compared(outputs: Outputs, targets: Tensor) -> Tensor:
        given.append(targets)
        return objective(outputs, targets)

    monkeypatch.setattr(runner.stack, "forward", heard)
    monkeypatch.setattr(runner, "loss", compared)
    for step in range(15):
        runner.step(Clock())
        for module, adam, x, targets in zip(modules, adams, *given[-2:], strict=True):
            longest = int((x != PAD).any(1).sum())
            logits = module(x[:longest].T).transpose(0, 1)
            adam.zero_grad()
            F.cross_entropy(logits.flatten(0, 1), targets[: logits[..., 0].numel()], ignore_index=-100).backward()
            adam.step()
        if step % 5 == 0:
            compute_logits(runner.stack, [task.valid for task in runner.tasks])
    for row, module in enumerate(modules):
        assert set(before[row]) == {name for name, value in module.named_parameters() if value.requires_grad}
        for name, value in weights(row).items():
            assert not torch.equal(value, before[row][name]), name
            torch.testing.assert_close(value, module.get_parameter(name).detach(), rtol=1e-3, atol=2e-4)


def test_untrained_state_stays_the_same_for_all_runs(file: Path) -> None:
    model = own(f"{file}:Sentences", Shape(classes=3, vocabulary=30))
    assert not any("given" in name for name in stacked(model, 2))
    ours = model.module.get_parameter("given.weight")
    assert torch.equal(ours, torch.randn(30, 4, generator=Generator().manual_seed(1)))


# Alone and in a stack


def trained(members: list[Run]) -> list[Record]:
    records = train(members, device=CPU, clock=Clock())
    assert all(isinstance(each, Record) for each in records), records
    return [dataclasses.replace(each, times={}) for each in records if isinstance(each, Record)]


@pytest.mark.parametrize(
    ("name", "task"),
    [
        *(("Rows", DIGITS), ("Dropping", DIGITS), ("Windows", WINDOWS), ("Dropping", TAGS)),
        *(("Sentences", SENTENCES), ("dropping_sentences", SENTENCES)),
    ],
)
def test_a_run_has_the_same_bits_alone_and_in_any_stack(file: Path, name: str, task: str) -> None:
    members = [make_run(f"{file}:{name}", task, strategy, seed) for strategy in ("none", "focal") for seed in (0, 1, 2)]
    state = torch.get_rng_state()
    together = trained(members)
    assert together == [trained([each])[0] for each in members]
    assert together[::-1] == trained(members[::-1])
    assert torch.equal(torch.get_rng_state(), state)
    assert len({each.evaluation("last", "test").nll for each in together}) == 6


@pytest.mark.parametrize("name", ["Dropping", "dropping_sentences"])
def test_dropout_is_sampled_by_the_generator_of_each_run(file: Path, name: str) -> None:
    shape = Shape(classes=3, vocabulary=30, positions=5 if name == "Dropping" else 1)
    model = own(f"{file}:{name}", shape)
    params = {key: value[:1].expand(3, *value.shape[1:]).contiguous() for key, value in stacked(model, 1).items()}
    x = words(shape, 1, 7, 5).expand(3, 7, 5)

    def logits(*seeds: int, rows: slice = slice(None)) -> Tensor:
        noise = [Generator().manual_seed(seed) for seed in seeds] or None
        return model.forward({key: value[rows] for key, value in params.items()}, x[rows], x[rows] != PAD, noise)

    first, second, same = logits(0, 1, 0)
    assert torch.equal(first, same)
    assert not torch.equal(first, second)
    assert torch.equal(logits(1, rows=slice(1)), second.unsqueeze(0))
    assert torch.equal(*logits()[:2])
    assert not torch.equal(logits()[0], first)
    twice = Generator().manual_seed(0)
    once, again = (model.forward(params, x, x != PAD, [twice] * 3) for _ in range(2))
    assert not torch.equal(once, again)


def test_an_evaluation_drops_nothing(file: Path) -> None:
    shape = Shape(classes=3, vocabulary=30)
    dropping, plain = own(f"{file}:dropping_sentences", shape), own(f"{file}:Sentences", shape)
    params, x = stacked(plain, 2), words(shape, 2, 7, 5)
    expected = plain.forward(params, x, x != PAD)
    dropping.forward(params, x, x != PAD, [Generator().manual_seed(0)] * 2)
    assert torch.equal(dropping.forward(params, x, x != PAD), expected)


def test_a_forward_leaves_nothing_behind_in_the_module(file: Path) -> None:
    model = own(f"{file}:Sentences", Shape(classes=3, vocabulary=30))
    before = [(value, value.clone()) for value in model.module.state_dict(keep_vars=True).values()]
    x = words(model.shape, 2, 7, 5)
    for noise in (None, [Generator()] * 2):
        model.forward(stacked(model, 2), x, x != PAD, noise)
    after = model.module.state_dict(keep_vars=True).values()
    assert all(now is kept and torch.equal(now, copy) for now, (kept, copy) in zip(after, before, strict=True))


def test_a_neighbours_longer_sentence_changes_no_bit(file: Path) -> None:
    shape = Shape(classes=3, vocabulary=30)
    model = own(f"{file}:Sentences", shape)
    params, x = stacked(model, 2), words(shape, 2, 8, 6)
    x[0, 5:] = PAD
    alone = model.forward({key: value[:1] for key, value in params.items()}, x[:1, :5], x[:1, :5] != PAD)
    beside = model.forward(params, x, x != PAD).unflatten(1, (8, 6))
    assert torch.equal(beside[0, :5], alone[0].unflatten(0, (5, 6)))
    assert (beside[0, 5:] == 0).all()


def as_ever(x: Tensor) -> Tensor:
    return x


def columns_first(x: Tensor) -> Tensor:
    return x.mT.contiguous().mT


def from_an_odd_address(x: Tensor) -> Tensor:
    return F.pad(x.flatten(), (1, 0))[1:].view(x.shape)


@pytest.mark.parametrize("name", ["Rows", "Dropping"])
def test_the_layout_of_items_and_gradients_changes_no_bit(file: Path, name: str) -> None:
    model = own(f"{file}:{name}", Shape(classes=10, features=129))
    generator = Generator().manual_seed(0)
    x, slope = torch.randn(2, 100, 129, generator=generator), torch.randn(2, 100, 10, generator=generator)
    found = []
    for lying in (as_ever, columns_first, from_an_odd_address):
        params = {key: value.requires_grad_() for key, value in stacked(model, 2).items()}
        logits = model.forward(params, lying(x), None)
        logits.backward(lying(slope))
        found.append([logits, *(value.grad for value in params.values())])
    for first, *others in zip(*found, strict=True):
        assert all(torch.equal(each, first) for each in others if first is not None)


def test_a_module_that_writes_into_its_items_writes_into_its_own(written: Callable[[str], Path]) -> None:
    path = written(f"{CLASS.format(LINEAR)}    def forward(self, x):\n        return self.last(x.mul_(2))\n")
    model = own(f"{path}:make", Shape(classes=3, features=4))
    params, items = stacked(model, 2), torch.randn(1, 5, 4, generator=Generator().manual_seed(0))
    before = items.clone()
    both = model.forward(params, items.expand(2, 5, 4), None)
    assert torch.equal(items, before)
    assert torch.equal(both[1:], model.forward({key: value[1:] for key, value in params.items()}, items, None))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_agrees(file: Path) -> None:
    model = own(f"{file}:Sentences", Shape(classes=3, vocabulary=30))
    x, logits, slopes = words(model.shape, 2, 8, 6), [], []
    for device in ("cpu", "cuda"):
        params = {name: value.to(device).requires_grad_() for name, value in stacked(model, 2).items()}
        ids = x.to(device)
        logits.append(model.forward(params, ids, ids != PAD))
        logits[-1].square().sum().backward()
        slopes.append([value.grad for value in params.values()])
    torch.testing.assert_close(logits[1].cpu(), logits[0], rtol=1e-3, atol=1e-4)
    for ours, theirs in zip(*slopes, strict=True):
        assert ours is not None
        assert theirs is not None
        torch.testing.assert_close(theirs.cpu(), ours, rtol=1e-3, atol=1e-3)


def test_seeds_give_different_first_weights_and_equal_ones_the_same(file: Path) -> None:
    model = own(f"{file}:Dropping", Shape(classes=3, features=4))
    state = torch.get_rng_state()
    rows = [model.init(model.shape, Generator().manual_seed(seed)) for seed in (0, 1, 0)]
    assert torch.equal(torch.get_rng_state(), state)
    for first, second, again in zip(*(row.values() for row in rows), strict=True):
        assert torch.equal(first, again)
        assert not first.numel() or not torch.equal(first, second)


# The last layer


HEADLESS = {
    "another name": "self.last = nn.Linear(F, C)\n    def forward(self, x):\n        return self.last(x)",
    "no bias": "self.head = nn.Linear(F, C, bias=False)\n    def forward(self, x):\n        return self.head(x)",
    "not the last": "self.head = nn.Linear(F, C)\n    def forward(self, x):\n        return self.head(x).log_softmax(1)",
    "twice": "self.head = nn.Linear(F, C)\n    def forward(self, x):\n        return self.head(x) + 0 * self.head(x)",
    "frozen bias": "self.head = nn.Linear(F, C)\n        self.head.bias = nn.Parameter(torch.zeros(C), requires_grad=False)\n"
    "    def forward(self, x):\n        return self.head(x)",
    "shared by a later layer": "self.head = nn.Linear(F, C)\n        self.later = nn.Linear(F, C)\n"
    "        self.later.weight = self.head.weight\n    def forward(self, x):\n        return self.head(x)",
    "shared": "self.head = nn.Linear(F, C)\n        self.other = self.head.weight\n"
    "    def forward(self, x):\n        return self.head(x)",
}


@pytest.mark.parametrize("how", HEADLESS)
def test_without_a_layer_head_strategies_that_need_one_are_skipped(written: Callable[[str], Path], how: str) -> None:
    body = HEADLESS[how]
    path = written(
        f"class Mine(nn.Module):\n    def __init__(self, s):\n        super().__init__()\n        F, C = s.features, s.classes\n"
        f"        {body}\n"
    )
    others = ["none", "mixup", "smote", "deferred-reweighting", "thresholds", "post-hoc-adjustment"]
    needing = ["ldam", "influence-balanced", "classifier-retraining", "learnable-weight-scaling", "tau-normalisation"]
    plan = make_plan(suite(f"{path}:Mine", DIGITS, [*others, *needing, "focal+tau-normalisation"]), CPU)
    skipped = {row.strategy: row.skipped for row in plan.study.strategies if row.skipped}
    assert list(skipped) == [*needing, "focal+tau-normalisation"]
    assert all(reason and "mine.py:Mine does not expose one: name it head" in reason for reason in skipped.values())
    if how == "another name":
        found = {each.adjustment for each in trained(list(plan.runs)[:1])[0].evaluations}
        assert found == {RAW, "thresholds", "post-hoc-adjustment", "prior-correction"}


def test_with_a_layer_head_only_mixing_of_words_is_skipped(file: Path) -> None:
    rows = make_plan(suite(f"{file}:Rows", DIGITS, BY_LAST_LAYER), CPU).study.strategies
    assert [row.skipped for row in rows] == [None] * len(rows)
    rows = make_plan(
        suite(f"{file}:Sentences", SENTENCES, ["ldam", "mixup", "none+tau-normalisation"]), CPU
    ).study.strategies
    mixing = "words are mixed after their embedding, which is inside the module"
    assert {row.strategy: row.skipped for row in rows if row.skipped} == {"mixup": mixing}


@pytest.mark.parametrize("strategy", ["ldam", "influence-balanced"])
def test_sentences_train_with_a_layer_head(file: Path, strategy: str) -> None:
    trained([make_run(f"{file}:Sentences", SENTENCES, strategy)])


def test_a_phase_of_the_last_layer_changes_nothing_else(file: Path) -> None:
    runner = StackRunner([make_run(f"{file}:Rows", DIGITS, "classifier-retraining(start=0.5)")], CPU)
    for _ in range(12):
        runner.step(Clock())
    before = {name: value.clone() for name, value in runner.stack.params.items()}
    for _ in range(12):
        runner.step(Clock())
    moved = {name for name, value in runner.stack.params.items() if not torch.equal(value, before[name])}
    assert moved == {"head.weight", "head.bias"}


# What is refused


def suite(model: str, task: str, strategies: list[str] | None = None) -> Suite:
    return with_model(
        filter_suite(read_suite("quick"), [find_task(task)], [*map(parse, strategies or ["none"])], 1), model
    )


LINEAR = "nn.Linear(s.features, s.classes)"
CLASS = "class make(nn.Module):\n    def __init__(self, s):\n        super().__init__()\n        self.last = {}\n"
FORWARD = CLASS.format(LINEAR) + "    def forward(self, x):\n        "

REFUSED = {
    "not Python": ("def make(s:\n", "mine.py:5: ", "cannot be imported"),
    "a failing import": ("import nothing_like_it\n", "mine.py:5: ", "No module named 'nothing_like_it'"),
    "no such name": ("def build(s):\n    pass\n", "has no function 'make'; it has build"),
    "no function": ("make = 3\n", "has no function 'make'"),
    "of other arguments": ("def make(s, t):\n    pass\n", "make(Shape(classes=10, features=64", "missing 1 required"),
    "without arguments": ("def make():\n    return nn.Linear(64, 10)\n", "Linear, an nn.Module", "make(shape)"),
    "a failing function": ("def make(s):\n    return s.width\n", "mine.py:6: ", "no attribute 'width'"),
    "no module": ("def make(s):\n    return 3\n", "returned int; return an nn.Module"),
    "no parameters": ("def make(s):\n    return nn.Flatten()\n", "no parameters to train"),
    "nothing to train": (f"def make(s):\n    return {LINEAR}.requires_grad_(False)\n", "no parameters to train"),
    "lazy": ("def make(s):\n    return nn.LazyLinear(s.classes)\n", "'weight' has no shape yet"),
    "double": (f"def make(s):\n    return {LINEAR}.double()\n", "'weight' is torch.float64", "must be torch.float32"),
    "one for all": ("ONE = nn.Linear(64, 10)\n\n\ndef make(s):\n    return ONE\n", "the same module twice"),
    "random and frozen": (
        f"def make(s):\n    return nn.Sequential(nn.Linear(s.features, s.features).requires_grad_(False), {LINEAR})\n",
        "'0.weight' is not trained, and differs from one seed to the next",
    ),
    "running statistics": (
        f"def make(s):\n    return nn.Sequential(nn.BatchNorm1d(s.features), {LINEAR})\n",
        "'0.running_mean' changes in training though it is no parameter",
        "use nn.LayerNorm or nn.GroupNorm, or track_running_stats=False",
    ),
    "a failing forward": (
        f"{FORWARD}return self.last(x, x)\n",
        "mine.py:10: mine.py:make was given rows of numbers, float32 (3, 64), and must return logits (3, 10); it failed: ",
    ),
    "fails on one item": (f"{FORWARD}return self.last(x.squeeze(0))[: len(x)]\n", "(1, 64)", "(1, 10)", "returned float32"),
    "a class less": ("def make(s):\n    return nn.Linear(s.features, 9)\n", "(3, 10), with gradient; it returned float32 (3, 9)"),
    "two tensors": (f"{FORWARD}return self.last(x), x\n", "it returned tuple"),
    "detached": (f"{FORWARD}return self.last(x).detach()\n", "does not depend on its parameters"),
    "half": (f"{FORWARD}return self.last(x).half()\n", "it returned float16 (3, 10)"),
    "not finite": (f"{FORWARD}return self.last(x) / 0\n", "numbers that are not finite"),
    "keeps numbers": (
        f"{FORWARD}self.seen = getattr(self, 'seen', 0) + 1\n        return self.last(x) * self.seen\n",
        "called twice on the same items", "keep no numbers between calls",
    ),
    "draws elsewhere": (
        f"import random\n\n\n{FORWARD}return self.last(x) * random.random()\n", "called twice", "draw random numbers from torch",
    ),
    "begins elsewhere": (
        "import random\n\n\n" + CLASS.format(LINEAR + "\n        self.scale = random.random()")
        + "    def forward(self, x):\n        return self.last(x) * self.scale\n",
        "built twice from one torch seed",
    ),
    "moves itself": (
        f"{FORWARD}self.last.weight.data.mul_(0.9)\n        return self.last(x)\n", "changes its own parameter 'last.weight'",
    ),
    "TorchScript": (f"import torch\n\n\ndef make(s):\n    return torch.jit.script({LINEAR})\n", "returned a TorchScript module"),
    "for words": ("def make(s):\n    return nn.Embedding(s.vocabulary, s.classes)\n", "digits-lt: "),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_module_that_cannot_be_trained_is_refused_in_one_line(written: Callable[[str], Path], case: str) -> None:
    body, *said = REFUSED[case]
    path = written(body)
    with pytest.raises(InputError) as error:
        make_plan(suite(f"{path}:make", DIGITS), CPU)
    assert "\n" not in str(error.value)
    for each in said:
        assert each in str(error.value)


@pytest.mark.parametrize(
    ("task", "asked"),
    [
        (WINDOWS, "was given windows of word ids, int64 (3, 9), and must return logits (3, 9)"),
        (TAGS, "was given windows of word ids, int64 (3, 9), and must return logits (3, 81) or (3, 9, 9)"),
        (SENTENCES, "was given sentences of word ids, int64 (3, 4), ended by 0, and must return logits (3, 4, 9)"),
    ],
)
def test_the_error_of_a_module_for_rows_names_the_items_of_a_task_of_words(file: Path, task: str, asked: str) -> None:
    with pytest.raises(InputError, match="synthetic-conll") as error:
        make_plan(suite(f"{file}:Rows", task), CPU)
    assert "\n" not in str(error.value)
    assert asked in str(error.value)
    assert "leave this task out (--task names those to run)" in str(error.value)


BUFFERED = (
    "def make(s):\n    module = nn.Linear(s.features, s.classes)\n"
    "    module.register_buffer('mask', torch.randn(3))\n    return module\n"
)


def test_random_buffers_are_refused_and_fixed_ones_are_not(written: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match="'mask' is not trained, and differs from one seed to the next"):
        make_plan(suite(f"{written(BUFFERED)}:make", DIGITS), CPU)
    make_plan(suite(f"{written(BUFFERED.replace('randn', 'ones'))}:make", DIGITS), CPU)


@pytest.mark.parametrize(
    "name", ["mymodel", "mymodel.py", "mymodel.py:", "mymodel.txt:make", "mymodel.py:no-name", "mlp"]
)
def test_a_name_that_is_not_file_and_function_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"give FILE\.py:NAME"):
        with_user_module(ROWS, name)


@pytest.mark.parametrize("change", [{"dropout": 0.5}, {"embedding_scale": 1.0}, {"embedding_adam": "dense"}], ids=str)
def test_fields_without_effect_inside_the_module_are_refused(file: Path, change: dict[str, object]) -> None:
    plain = suite(f"{file}:Rows", DIGITS)
    protocol = dataclasses.replace(plain.blocks[0].protocol, **change)  # type: ignore[arg-type]
    changed = dataclasses.replace(plain, blocks=(dataclasses.replace(plain.blocks[0], protocol=protocol),))
    with pytest.raises(InputError, match=f"{next(iter(change))} has no effect inside a user's module"):
        with_model(changed, f"{file}:Rows")


def test_a_file_that_changed_since_it_was_planned_with_is_refused(written: Callable[[str], Path]) -> None:
    planned, _ = make_plan(  # plain training, and with the validation labels added
        suite(f"{written(f'def make(s):{chr(10)}    return {LINEAR}{chr(10)}')}:make", DIGITS), CPU
    ).runs
    protocol = planned.protocol
    written(f"# changed\ndef make(s):\n    return {LINEAR}\n")
    load_factory.cache_clear()  # as in another process
    with pytest.raises(InputError, match="is not the file that this run was planned with; run the command again"):
        protocol.load_model(Shape(classes=10, features=64))


# Identity, suites, the command


def test_the_id_depends_on_the_file_and_not_on_its_directory(written: Callable[[str], Path], tmp_path: Path) -> None:
    path = written("A = 1\n")
    first = make_run(f"{path}:make", DIGITS)
    elsewhere = tmp_path / "elsewhere" / "mine.py"
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(path.read_bytes())
    assert make_run(f"{elsewhere}:make", DIGITS).id == first.id
    assert str(tmp_path) not in json.dumps(first.identity())
    written("A = 2\n")
    assert make_run(f"{path}:make", DIGITS).id != first.id
    assert "model_source" not in make_run(None, DIGITS).identity()["protocol"]
    assert make_run(None, DIGITS).id not in (first.id, make_run(f"{path}:make", DIGITS).id)


def test_a_suite_names_the_file_from_the_working_directory(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.toml").write_text(
        'title = "Mine"\nseeds = 1\n\n[[block]]\ntask = "digits-lt"\n'
        'protocol = { model = "users_modules.py:Rows" }\nstrategies = ["none"]\n'
    )
    monkeypatch.chdir(file.parent)
    (block,) = read_suite(str(tmp_path / "own.toml")).blocks
    assert block.protocol.model == f"{file}:Rows"
    other = filter_suite(read_suite(str(tmp_path / "own.toml")), [find_task("digits-lt(factor=10)")], [], None)
    assert other.blocks[0].protocol == block.protocol


@pytest.mark.parametrize("task", [DIGITS, WINDOWS, TAGS, SENTENCES])
def test_the_module_of_the_documents_takes_every_kind_of_item(tmp_path: Path, task: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "own-model.md").read_text()
    block, _ = re.findall(r"```python\n(.*?)```", text, re.S)  # the second one is an estimator
    (tmp_path / "mymodel.py").write_text(block)
    assert own(f"{tmp_path / 'mymodel.py'}:make", find_task(task).load(default_rng(0)).shape).has_head


SUITE = """\
title = "Small"
seeds = 2

[[block]]
task = "digits-lt"
protocol = { steps = 40, validate_every = 20 }
strategies = ["none", "ldam", "thresholds"]
"""


def test_the_command_trains_a_users_module_in_two_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.toml").write_text(SUITE)
    (tmp_path / "sizes.py").write_text("WIDTH = 8\n")
    (tmp_path / "mymodel.py").write_text(
        "from sizes import WIDTH\nfrom torch import nn\n\n\ndef make(shape):\n"
        "    return nn.Sequential(nn.Linear(shape.features, WIDTH), nn.ReLU(), nn.Linear(WIDTH, shape.classes))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    command = "imbench run small.toml --model mymodel.py:make --workers 2 --out out"
    monkeypatch.setattr(sys, "argv", command.split())
    with pytest.raises(SystemExit) as end:
        cli.main()
    said, errors = capsys.readouterr()
    assert (end.value.code or 0, errors) == (0, "")
    note = "model mymodel.py:make, a user's module, trained by the adapter one run of a stack at a time"
    assert f"note: digits-lt: {note}" in said
    assert f"Note: {note}" in (tmp_path / "out" / "tables" / "quality.md").read_text()
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "runs").glob("*.json")]
    assert [each["provenance"]["model"] for each in records] == [note] * 2
    assert "skipped: ldam on digits-lt: it acts on the last layer" in " ".join(said.split())


def test_the_list_of_models_is_that_of_the_package(file: Path) -> None:
    suite(f"{file}:Rows", DIGITS)
    assert [model.name for model in MODELS] == ["window-tagger", "bilstm-tagger", "mlp"]
