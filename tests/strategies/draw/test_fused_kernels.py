"""The CUDA kernels against plain PyTorch, by Triton's interpreter: what they compute, not how fast; no GPU is needed."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

PROGRAM = """
import json, torch
from strategies.draw import cpu_kernels as loops
from strategies.draw import gpu_kernels as fused
from strategies.draw.by_class import ByClass
from strategies.draw.by_weight import ByWeight
from strategies.draw.counter_rng import hash_key

counts = torch.tensor([5000, 300, 20, 1, 0, 77])
classes = torch.repeat_interleave(torch.arange(6), counts)[torch.randperm(5398, generator=torch.Generator().manual_seed(0))]
weights = torch.rand(1000, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) ** 5
streams = [ByClass(classes, counts, counts.double() ** p * (counts > 0), num_samples=1, seed=3) for p in (0.0, 0.5, 1.0)]
streams.append(ByClass(classes * 0, counts.sum()[None], torch.ones(1), num_samples=1, seed=3))
streams.append(ByWeight(weights, num_samples=1, seed=3))
equal = []
for stream in streams:
    for start, step, n in ((0, 1, 5000), (2**33 + 5, 3, 3000), (1, 1, 1)):
        out, key = torch.empty(n, dtype=torch.int64), hash_key(start)
        stream._fill_compiled(fused, key, range(start, start + n * step, step), out)
        equal.append(torch.equal(out, stream.torch_indices(key, torch.arange(start, start + n * step, step))))
table, key = torch.randperm(1000, dtype=torch.int32), hash_key(7)
out, expected = torch.empty(3000, dtype=torch.int64), torch.empty(3000, dtype=torch.int64)
fused.read_random_places(key, 5, 3, table, out)
loops.read_random_places(key, 5, 3, table, expected)
equal.append(torch.equal(out, expected))
print(json.dumps(equal))
"""


@pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed: it comes with torch for CUDA")
def test_fused_kernels_equal_plain_torch():
    run = [sys.executable, "-W", "ignore", "-c", PROGRAM]
    ran = subprocess.run(run, env=os.environ | {"TRITON_INTERPRET": "1"}, capture_output=True, text=True, check=True)
    assert json.loads(ran.stdout) == [True] * 16
