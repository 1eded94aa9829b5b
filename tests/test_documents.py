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
    assert "No problem found." in capsys.readouterr().out

    names = {"train_labels": labels, "train": list(range(3)), "pad": list}
    exec(strategy, names | {"tag_ids_of_each_sentence": [[0, 0, 1], [0, 2], [0]]})


def test_the_strategy_of_contributing_is_a_whole_one():
    before = dict(_REGISTERED)
    strategies.names()
    try:
        (block,) = code((ROOT / "CONTRIBUTING.md").read_text())
        exec(block, {"__name__": "strategies.loss.square_root_weights"})
        assert strategies.get("square-root-weights").class_weights(strategies.ClassCounts.of([0, 1])) is not None
    finally:
        _REGISTERED.pop("square-root-weights", None)
    assert set(before) <= set(_REGISTERED)
