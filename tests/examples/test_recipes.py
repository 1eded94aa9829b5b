"""Every recipe in examples/ runs by the command in its docstring, and shows what it promises."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from strategies import ClassBalancedSampler

ROOT = Path(__file__).parents[2]
RECIPES = sorted((ROOT / "examples").glob("*.py"))
PROGRAMS = {"python": [sys.executable], "torchrun": [sys.executable, "-m", "torch.distributed.run"]}


def recipe(name: str, *, alone: bool = False) -> str:
    """Run a recipe as its docstring says, or in one process; return what it prints. Skip where its packages are missing."""
    text = (ROOT / "examples" / f"{name}.py").read_text(encoding="utf-8")
    packages = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    for package in sorted(packages | ({"accelerate"} if "transformers" in packages else set())):  # its Trainer needs it
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    program, *arguments = re.search(r"^Run: (.+\.py)", ast.get_docstring(ast.parse(text)) or "", re.MULTILINE)[
        1
    ].split()
    return printed("python" if alone else program, *(arguments[-1:] if alone else arguments))


@functools.cache
def printed(program: str, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [*PROGRAMS[program], *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def lists(text: str, pattern: str) -> list[list[float]]:
    """The lists of numbers that follow a pattern."""
    return [list(map(float, numbers.split(","))) for numbers in re.findall(pattern + r" \[(.*?)\]", text)]


def test_a_sampler_and_a_loss_in_a_plain_loop_raise_the_recall_of_rare_classes():
    output = recipe("plain_loop")
    (plain, balanced, adjusted), (natural, sampled, unchanged) = (
        lists(output, "recall by class"),
        lists(output, "sampled"),
    )
    assert min(balanced[1:] + adjusted[1:]) > max(plain[1:]) + 0.1
    assert natural == unchanged == [20_000, 1000, 400]
    assert sum(sampled) == 21_400
    assert sampled == pytest.approx([21_400 / 3] * 3, rel=0.05)


def test_the_audit_finds_the_mistake_and_workers_sample_the_balanced_epochs():
    output = recipe("data_loader")
    assert re.findall(r"^(?:Misconfigured: 1|No) problem found", output, re.MULTILINE) == [
        "Misconfigured: 1 problem found",
        "No problem found",
    ]
    assert "needs one per item" in output
    labels = torch.arange(3).repeat_interleave(torch.tensor([2000, 100, 40]))
    assert lists(output, "by class") == classes_of_epochs(labels, 3)


def classes_of_epochs(labels: torch.Tensor, epochs: int) -> list[list[int]]:
    """How often each class is sampled in the first epochs of one process."""
    sampler = ClassBalancedSampler(labels, seed=0, num_replicas=1, rank=0)
    return [labels[torch.tensor(list(sampler))].bincount().tolist() for _ in range(epochs)]


@pytest.mark.parametrize("name", ["lightning_module", "accelerated_loop"])
def test_two_processes_train_on_one_epoch_in_the_intended_class_mix(name):
    shares = re.findall(r"epoch (\d), process (\d): (\d+) items, by class \[(\d+), (\d+), (\d+)\]", recipe(name))
    assert sorted(share[:3] for share in shares) == [(e, p, "300") for e in "01" for p in "01"]
    labels = torch.arange(3).repeat_interleave(torch.tensor([500, 80, 20]))
    for epoch, whole in enumerate(classes_of_epochs(labels, 2)):
        counts = torch.tensor([list(map(int, share[3:])) for share in shares if share[0] == str(epoch)])
        assert counts.sum(0).tolist() == whole
        assert whole == pytest.approx([200] * 3, rel=0.1)


def test_two_processes_of_the_trainer_train_on_the_sentences_of_one():
    pattern = r"process (\d): (\d+) sentences, tags \{'O': (\d+), 'B-PER': (\d+), 'I-PER': (\d+)\}"
    shares = sorted(re.findall(pattern, recipe("token_trainer")))
    assert [share[:2] for share in shares] == [("0", "300"), ("1", "300")]
    ((_, sentences, *whole),) = re.findall(pattern, recipe("token_trainer", alone=True))
    assert sentences == "600"
    assert int(whole[1]) > 2 * 0.1 * 600  # a tenth of the sentences have a name
    assert [sum(map(int, pair)) for pair in zip(*(share[2:] for share in shares), strict=True)] == list(map(int, whole))


def test_thresholds_behind_a_pipeline_raise_macro_f1():
    output = recipe("tuned_pipeline")
    plain, tuned = map(float, re.findall(r"macro-F1 ([\d.]+)", output))
    assert tuned > plain + 0.03


def test_sentence_weights_raise_the_share_and_the_recall_of_rare_tags():
    output = recipe("sentence_tagging")
    (natural, sampled, unchanged), (plain, *remedied) = lists(output, "share of tags"), lists(output, "recall")
    assert natural == unchanged
    assert min(ratio / share for ratio, share in zip(sampled[1:], natural[1:], strict=True)) > 1.5
    assert all(sum(recall[1:]) > sum(plain[1:]) + 0.2 for recall in remedied)


def test_every_recipe_is_tested_and_linked():
    tests = Path(__file__).read_text(encoding="utf-8")
    guide = (ROOT / "docs" / "sampling.md").read_text(encoding="utf-8")
    for path in RECIPES:
        assert f'"{path.stem}"' in tests
        assert f"../examples/{path.name}" in guide
