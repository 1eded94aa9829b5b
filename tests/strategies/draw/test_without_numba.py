"""Without numba, samplers work in plain PyTorch: the same indices, and one warning that names the extra to install."""

import json
import subprocess
import sys

import pytest

from strategies.draw.streams import compiled_loops

PROGRAM = """
import json, sys, warnings

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "numba":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

if sys.argv[1] == "hidden":
    sys.meta_path.insert(0, Hide())

warnings.simplefilter("error")
import torch
import strategies
from strategies import ClassBalancedSampler, RepeatFactorSampler, SentenceSampler, WeightedSampler

labels = torch.arange(100_000) % 97 % 13 % 5
sentences = [[int(a), int(b)] for a, b in labels[:2000].view(-1, 2)]
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    samplers = [
        ClassBalancedSampler(labels, seed=0),
        ClassBalancedSampler(labels, power=0.5, seed=1),
        ClassBalancedSampler(labels, progressive=50_000, seed=2),
        ClassBalancedSampler(labels, replacement=False, num_samples=1000, seed=3),
        WeightedSampler(torch.arange(1.0, 100_001.0), seed=4),
        WeightedSampler(torch.arange(1.0, 100_001.0), method="systematic", seed=5),
        SentenceSampler(sentences, seed=6),
        RepeatFactorSampler(sentences, threshold=0.5, seed=7),
    ]
    sums = []
    for sampler in samplers:
        index = torch.cat(list(sampler.batches(256)))
        sums.append(int((index * (1 + torch.arange(len(index)))).sum()))
print(json.dumps({
    "sums": sums,
    "warnings": [[warning.category.__name__, str(warning.message), warning.filename] for warning in caught],
    "numba": "numba" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def runs():
    def run(numba):
        ran = subprocess.run(
            [sys.executable, "-c", PROGRAM, numba], stdout=subprocess.PIPE, text=True, check=True, timeout=300
        )
        return json.loads(ran.stdout.splitlines()[-1])

    return {numba: run(numba) for numba in ("hidden", "visible")}


@pytest.mark.skipif(compiled_loops() is None, reason="numba is not installed")
def test_the_indices_are_the_same_with_and_without_numba(runs):
    assert runs["visible"]["numba"]
    assert not runs["hidden"]["numba"]
    assert runs["hidden"]["sums"] == runs["visible"]["sums"]


def test_one_warning_says_that_sampling_is_slow_and_how_to_install_numba(runs):
    [[category, message, file]] = runs["hidden"]["warnings"]
    assert category == "SlowSamplingWarning"
    assert "numba is not installed" in message
    assert 'pip install "imbalance-bench[bench]"' in message
    assert file == "<string>", "the warning points at the line that builds the sampler"


@pytest.mark.skipif(compiled_loops() is None, reason="numba is not installed")
def test_there_is_no_warning_with_numba(runs):
    assert runs["visible"]["warnings"] == []
