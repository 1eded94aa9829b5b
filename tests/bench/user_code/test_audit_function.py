"""`imbench audit MODULE:FUNCTION`: every error in a user's code is one line that names the place."""

from __future__ import annotations

import sys

import pytest

from bench.errors import InputError
from bench.user_code.audit_function import audit_function

PROGRAM = """
import torch
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

torch.manual_seed(0)
LABELS = torch.tensor([0] * 90 + [1] * 10)
DATA = TensorDataset(torch.zeros(100, 2), LABELS)
CLASS_WEIGHTS = 1.0 / LABELS.bincount()

def wrong():
    return DataLoader(DATA, sampler=WeightedRandomSampler(CLASS_WEIGHTS, 100)), LABELS

def right():
    return {"loader_or_sampler": WeightedRandomSampler(CLASS_WEIGHTS[LABELS], 100), "labels": LABELS}

def both():
    return [wrong(), right()]

def breaks():
    return DataLoader(DATA, sampler=WeightedRandomSampler(CLASS_WEIGHTS, 0)), LABELS

def nothing():
    pass

def empty():
    return []

def leaves():
    raise SystemExit(3)

def needs(batch_size, seed=0):
    pass

def misspelt():
    return {"loader": DATA, "labels": LABELS}

def short():
    return DataLoader(DATA), LABELS[:5]

def draws_badly():
    def batches():
        yield 1 / 0
    return batches, LABELS

constant = 5
"""


@pytest.fixture(autouse=True)
def _fresh_imports(monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if "audited" in name:
            del sys.modules[name]


@pytest.fixture
def program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "audited_program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    return file


@pytest.mark.parametrize("module", ["audited_program", "audited_program.py"])
def test_a_module_or_a_file_is_audited(program, module):
    assert [finding.name for finding in audit_function(f"{module}:wrong").findings] == ["weights-per-class"]
    assert audit_function(f"{module}:right").ok
    assert [result.ok for result in audit_function(f"{module}:both")] == [False, True]


def test_a_file_may_have_the_name_of_a_module_that_is_imported(program):
    other = program.with_name("bench.py")
    other.write_text(PROGRAM, encoding="utf-8")
    assert audit_function("bench.py:right").ok
    assert sys.modules["bench"].__file__ != str(other)


def line_of(text):
    return next(number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.startswith(text))


@pytest.mark.parametrize(
    ("spec", "place", "says"),
    [
        (
            "audited_program:breaks",
            "    return DataLoader(DATA, sampler=WeightedRandomSampler(CLASS_WEIGHTS, 0))",
            "num_samples",
        ),
        (
            "audited_program:nothing",
            "def nothing",
            "returns NoneType; return (loader_or_sampler, labels), a dictionary",
        ),
        ("audited_program:empty", "def empty", "empty() returns an empty list; return (loader_or_sampler, labels)"),
        ("audited_program:leaves", "    raise SystemExit", "leaves() failed: it ends the program with exit code 3"),
        ("audited_program:needs", "def needs", "called without arguments, but needs batch_size"),
        ("audited_program:misspelt", "def misspelt", "lacks loader_or_sampler"),
        ("audited_program:short", "def short", "100 items of the TensorDataset"),
        ("audited_program:draws_badly", "        yield 1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_is_one_line_with_its_place(program, spec, place, says):
    with pytest.raises(InputError) as caught:
        audit_function(spec)
    text = str(caught.value)
    assert says in text
    assert text.startswith(f"{program}:{line_of(place)}: ")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("audited_program", "give MODULE:FUNCTION"),
        ("audited_program:", "give MODULE:FUNCTION"),
        ("no_such_audited:f", "no module 'no_such_audited' here"),
        ("audited_missing.py:f", "no such file"),
        ("audited_program:wrongg", "audited_program.py:1: no function 'wrongg'; it has both, breaks"),
        ("audited_program:constant", "constant is not a function but of type int"),
    ],
)
def test_a_missing_module_file_or_function_is_named(program, spec, says):
    with pytest.raises(InputError) as caught:
        audit_function(spec)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "place", "says"),
    [
        ("x = 1\nimport no_such_library\n", 2, "No module named 'no_such_library'"),
        ("x = 1\ny = (\n", 2, "cannot be imported: '(' was never closed"),
        ("x = 1\n\nopen('no such file')\n", 3, "FileNotFoundError"),
    ],
)
@pytest.mark.parametrize("module", ["audited_broken", "audited_broken.py"])
def test_a_module_that_cannot_be_imported(tmp_path, monkeypatch, module, source, place, says):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "audited_broken.py"
    file.write_text(source, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        audit_function(f"{module}:f")
    assert says in str(caught.value)
    assert str(caught.value).startswith(f"{file}:{place}: ")
