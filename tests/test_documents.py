"""The code in README.md and CONTRIBUTING.md runs as it is printed."""

import re
from pathlib import Path

import torch
from torch.utils.data import TensorDataset

import strategies
from strategies.registry import _REGISTERED

ROOT = Path(__file__).parents[1]


def code(document):
    return [re.sub(r"^   ", "", block, flags=re.M) for block in re.findall(r"```python\n(.*?)```", document, re.S)]


def test_the_readmes_code_runs_on_a_readers_data(capsys):
    sampler, strategy = code((ROOT / "README.md").read_text())
    labels = torch.randint(3, (400,), generator=torch.Generator().manual_seed(0))
    names = {
        "train_labels": labels,
        "features": torch.zeros(400, 2),
        "train": TensorDataset(torch.zeros(400, 2), labels),
    }
    exec(sampler, names)
    assert names["x"].shape == (400 - 256, 2)
    assert [len(y) for _, y in names["loader"]] == [256, 144]
    assert "no mis-wiring found" in capsys.readouterr().out

    names = {"train_labels": labels, "train": list(range(3)), "pad": list}
    exec(strategy, names | {"tag_ids_of_each_sentence": [[0, 0, 1], [0, 2], [0]]})


def test_the_strategies_of_contributing_are_complete():
    before = dict(_REGISTERED)
    strategies.names()
    counts = strategies.ClassCounts.of([0, 0, 0, 1])
    try:
        weights, loss = code((ROOT / "CONTRIBUTING.md").read_text())
        exec(weights, {"__name__": "strategies.loss.square_root_weights"})
        assert strategies.get("square-root-weights").class_weights(counts) is not None
        exec(loss, {"__name__": "strategies.loss.poly_focal"})
        value = strategies.get("poly-focal").loss(counts)(torch.zeros(1, 2), torch.tensor([0]))
        assert round(value.item(), 4) == round(0.25 * 0.693147 + 0.125, 4)  # (1/2)^2 log 2 + (1/2)^3
    finally:
        for name in ("square-root-weights", "poly-focal"):
            _REGISTERED.pop(name, None)
    assert set(before) <= set(_REGISTERED)
