"""Code in the documents runs as it is printed; the files, links and commands that they name exist."""

import dataclasses
import re
import sys
from pathlib import Path

import pandas
import pytest
import torch
import yaml
from torch.utils.data import DataLoader, TensorDataset

import strategies
from strategies.registry import _REGISTERED

ROOT = Path(__file__).parents[1]
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")))
}


def code(document):
    return [re.sub(r"^   ", "", block, flags=re.M) for block in re.findall(r"```python\n(.*?)```", document, re.S)]


def test_the_code_of_the_readme_runs(capsys):
    sampler, combination = code((ROOT / "README.md").read_text())
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
    exec(combination, names)
    assert names["loss_fn"](torch.zeros(400, 3), labels) > 0


def test_the_strategies_of_contributing_are_complete():
    before = dict(_REGISTERED)
    strategies.names()
    counts = strategies.ClassCounts.of([0, 0, 0, 1])
    try:
        weights, loss, _ = code((ROOT / "CONTRIBUTING.md").read_text())
        exec(weights, {"__name__": "strategies.loss.square_root_weights"})
        assert strategies.get("square-root-weights").class_weights(counts) is not None
        exec(loss, {"__name__": "strategies.loss.poly_focal"})
        value = strategies.get("poly-focal").loss(counts)(torch.zeros(1, 2), torch.tensor([0]))
        assert round(value.item(), 4) == round(0.25 * 0.693147 + 0.125, 4)  # (1/2)^2 log 2 + (1/2)^3
    finally:
        for name in ("square-root-weights", "poly-focal"):
            _REGISTERED.pop(name, None)
    assert set(before) <= set(_REGISTERED)


@pytest.fixture
def user_files(tmp_path, monkeypatch):
    """A directory with the files that the documents have a user write, by name."""
    weights, *_ = code((ROOT / "CONTRIBUTING.md").read_text())
    (tmp_path / "square_root_weights.py").write_text(weights)
    (tmp_path / "mymodel.py").write_text(code(DOCUMENTS["docs/own-model.md"])[0])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    strategies.names()
    before = dict(_REGISTERED)
    yield tmp_path
    for name in _REGISTERED.keys() - before.keys():
        del _REGISTERED[name]
    sys.modules.pop("square_root_weights", None)


def test_the_suite_file_is_valid_and_has_every_key(user_files):
    from bench.planning.protocol import Protocol
    from bench.planning.suite import _FIXED, _Block, _File, read_suite

    (block,) = re.findall(r"```toml\n(.*?)```", DOCUMENTS["docs/suite-file.md"], re.S)
    (user_files / "folder").mkdir()
    path = user_files / "folder" / "my-suite.toml"
    path.write_text(block, encoding="utf-8")
    (user_files / "square_root_weights.py").rename(user_files / "folder" / "square_root_weights.py")
    suite = read_suite(str(path))
    assert (suite.name, suite.seeds, len(suite.blocks)) == ("my-suite", 5, 2)
    assert str(suite.blocks[0].strategies[1]) == "square-root-weights"
    keys = set(re.findall(r"^\[*(?:block\.)?(\w+)", block, re.M))
    schema = {field.name for kind in (_File, _Block, Protocol) for field in dataclasses.fields(kind)}
    assert schema - {"free", *_FIXED} - keys == set()


def names_of_a_user():
    """What the code of the documents takes for granted: imports of the first page, data, labels, a model and its logits."""
    labels = torch.randint(3, (400,), generator=torch.Generator().manual_seed(0))
    features, model = torch.zeros(400, 2), torch.nn.Linear(2, 3)
    data = TensorDataset(features, labels)
    logits = torch.randn(400, 3, generator=torch.Generator().manual_seed(1))
    frame = pandas.DataFrame(
        {"amount": [row * 7 % 90 / 4 for row in range(90)], "is_fraud": [int(row % 9 > 6) for row in range(90)]}
    )
    return {
        "frame": frame,
        **{"DataLoader": DataLoader, "ClassBalancedSampler": strategies.ClassBalancedSampler},
        **{"labels": labels, "train_labels": labels, "targets": labels, "valid_targets": labels, "train_y": labels},
        **{"features": features, "train_x": features, "x": features, "y": labels, "model": model},
        **{"data": data, "train": data, "logits": logits, "valid_logits": logits, "test_logits": logits},
    }


@pytest.mark.filterwarnings("ignore:thresholds. offsets gained no:strategies.StrategyWarning")
@pytest.mark.parametrize("name", [name for name in DOCUMENTS if code(DOCUMENTS[name]) and name != "CONTRIBUTING.md"])
def test_the_code_of_the_documents_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # `bench.compare` as it is, but for how much: adjustments alone, in the least time.
    monkeypatch.setattr("bench.comparison.suite_for_data.REMEDIES", dict.fromkeys(("rows", "estimator"), ()))
    monkeypatch.setattr("bench.comparison.compare.parse_budget", lambda text: 2.0)
    names = names_of_a_user()
    for block in code(DOCUMENTS[name]):
        exec(block, names)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_other_blocks_are_suites_or_workflows_that_can_be_read(name, user_files):
    from bench.planning.suite import read_suite

    for kind, block in re.findall(r"^ *```(?!python|text)(\w+)\n(.*?)```", DOCUMENTS[name], re.S | re.M):
        if kind == "toml":
            (user_files / "suite.toml").write_text(block)
            assert read_suite("suite.toml").blocks
        else:
            assert kind == "yaml"
            assert yaml.safe_load(block)


EXAMPLES = {"mymodel.py", "your_file.py", "square_root_weights.py", "train.py", "use_it.py"}
"""Files that stand for the user's own."""

FOLDERS = ("bench", "strategies", "tests", "docs", "results/reference", "examples", ".ci")


def links(text):
    """Targets of the links to files in a document, without their sections."""
    return re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", text)


def paths(text):
    """Files and folders of the project that a document names as code."""
    for span in re.findall(r"`([^`\n]+)`", text):
        for word in span.split():
            path = word.rstrip("/.,:").partition("::")[0]
            if path.startswith(tuple(f"{folder}/" for folder in FOLDERS)) and not re.search(r"[*{<A-Z]", path):
                yield path


def file_names(text):
    """Python files that a document names without a folder."""
    yield from re.findall(r"`(\w+\.py)`", text)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_to_files(name):
    assert [link for link in links(DOCUMENTS[name]) if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_and_folders_named_exist(name):
    assert [path for path in paths(DOCUMENTS[name]) if not (ROOT / path).exists()] == []
    known = {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")}
    assert [file for file in file_names(DOCUMENTS[name]) if file not in known | EXAMPLES] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_named_exist(name):
    from bench.cli import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert set(re.findall(r"\bimbench ([a-z][a-z-]*)", "\n".join(code_in(DOCUMENTS[name])))) <= commands


def code_in(text):
    """Spans and indented lines of code."""
    yield from re.findall(r"`([^`\n]+)`", text)
    yield from re.findall(r"^ {4}(?=\S*imbench)(.*)$", text, re.MULTILINE)
