"""The contract suite covers a plug-in as soon as it is registered; its messages name the fix."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
SUITES = ["tests/contract/test_every_strategy.py", "tests/strategies/loss/test_extreme_batches.py"]

PLUG_IN = '''
from dataclasses import dataclass
from typing import ClassVar

import torch

from strategies import Strategy, register
from strategies.draw.epochs import shuffled_epochs
from strategies.loss_function import ClassWeights, Loss, cross_entropy, log_softmax


class TextbookFocalLoss(Loss):
    def elementwise(self, logits, targets, context):
        loss = cross_entropy(logits, targets)
        return (1 - (-loss).exp()).clamp_min(1e-7) ** 1.7 * loss


class MeanLoss(Loss):
    def per_run(self, logits, targets, *, weight=None, features=None):
        valid = targets >= 0
        return torch.where(valid, cross_entropy(logits, targets.clamp_min(0)), 0.0).sum(1) / valid.sum(1)


@register
@dataclass(frozen=True)
class TextbookFocal(Strategy):
    """Focal loss with a plain power."""

    name: ClassVar[str] = "textbook-focal"
    title: ClassVar[str] = "focal loss"
    formula: ClassVar[str] = "(1 - p_y)^1.7 CE(z, y)"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "loss"

    def loss(self, counts, *, generators=None):
        return TextbookFocalLoss()


@register
@dataclass(frozen=True)
class EmptyBatch(Strategy):
    """A loss that divides by the number of valid targets, even if there are none."""

    name: ClassVar[str] = "empty-batch"
    title: ClassVar[str] = "cross-entropy"
    formula: ClassVar[str] = "CE(z, y)"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "loss"

    def loss(self, counts, *, generators=None):
        return MeanLoss()


@register
@dataclass(frozen=True)
class ForgottenPrior(Strategy):
    """Samples the second half of the items only."""

    name: ClassVar[str] = "forgotten-prior"
    title: ClassVar[str] = "the second half"
    formula: ClassVar[str] = "i > N / 2"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "sample"

    def index_stream(self, labels, counts, *, batch_size, steps, seed):
        half = len(labels) // 2
        return (half + batch for batch in shuffled_epochs(len(labels) - half, batch_size=batch_size, seed=seed))
'''


def powers_depend_on_the_number_of_elements():
    """Whether this processor rounds a power differently at the end of a tensor, as those with wide vectors do."""
    shares = torch.rand(4096, generator=torch.Generator().manual_seed(0))
    return any(not torch.equal(shares[:n] ** 1.7, (shares**1.7)[:n]) for n in range(1, 64))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """What pytest prints about the three bad strategies, in a process in which they are registered."""
    done = run_suites(tmp_path_factory.mktemp("bad"), PLUG_IN, "textbook-focal or empty-batch or forgotten-prior")
    assert done.returncode == 1, done.stdout + done.stderr
    return done.stdout


def run_suites(folder, source, tests, suites=SUITES):
    """Run suites in a process in which a plug-in is registered."""
    (folder / "plug_in.py").write_text(source, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "COLUMNS": "300"}
    options = ["-p", "plug_in", "-p", "no:cacheprovider", "-q", "-k", tests]
    command = [sys.executable, "-m", "pytest", *options, *suites]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)


def failed(report, test, strategy):
    return any(line.startswith("FAILED") and f"::{test}[{strategy}" in line for line in report.splitlines())


@pytest.mark.skipif(not powers_depend_on_the_number_of_elements(), reason="this processor rounds all powers alike")
def test_a_loss_with_a_plain_power_is_told_to_use_steep_power(report):
    name = "test_the_loss_of_a_run_is_the_same_to_the_last_bit_in_a_stack_and_alone_at_any_batch_size"
    assert failed(report, name, "textbook-focal")
    assert "Use steep_power(q, exponent) of strategies.loss.focal instead of `q ** exponent`" in report


def test_a_loss_that_is_not_finite_for_an_empty_batch_fails(report):
    assert failed(report, "test_a_batch_without_a_valid_target_has_loss_0_and_gradient_0", "dtype0-empty-batch")


def test_a_sampler_without_the_prior_that_it_teaches_is_told_to_override_it(report):
    assert failed(report, "test_a_model_that_sees_no_inputs_learns_the_declared_prior", "forgotten-prior")
    assert "override effective_prior, and return None where the prior is unknown" in report


def test_the_loss_of_contributing_passes(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S)
    (loss,) = (textwrap.dedent(block) for block in blocks if "PolyFocal" in block)
    done = run_suites(tmp_path, loss, "poly-focal")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed" not in done.stdout


CARELESS_TASK = """

@register_task
@dataclass(frozen=True)
class CarelessWine(TaskSpec):
    name: ClassVar[str] = "careless-wine"
    description: ClassVar[str] = "a split that is not that of the seed, and classes in no order"

    def load(self, rng):
        from dataclasses import replace

        x, y = load_wine(return_X_y=True)
        task = Task.from_arrays(x, y[::-1], rng=np.random.default_rng())
        return replace(task, train=task.train.append(task.test.x[:0], task.test.labels.values[:0]), valid=task.test)
"""


def test_the_task_of_contributing_passes_and_a_careless_one_fails(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.S)
    (task,) = (textwrap.dedent(block) for block in blocks if "register_task" in block)
    done = run_suites(tmp_path, task + CARELESS_TASK, "wine", ["tests/contract/test_every_task.py"])
    failures = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    assert " passed" in done.stdout, done.stdout + done.stderr
    assert {re.search(r"\[(.*?)\]", line)[1] for line in failures} == {"careless-wine"}
    assert any("test_the_same_seed_gives_the_same_task" in line for line in failures)
    assert any("test_no_row_is_in_two_parts" in line for line in failures)
    assert "load must take all randomness from its rng" in done.stdout
