import json
import os
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest
from torch import nn

import strategies
from strategies import NotationError, registry
from strategies.registry import load_file, source_hash

ROOT = Path(strategies.__file__).parent.parent

STRATEGY = """
from dataclasses import dataclass
from typing import ClassVar

from strategies import Strategy, register


@register
@dataclass(frozen=True)
class {kind}(Strategy):
    '''Plain training, by somebody else.'''

    strength: float = 2.0
    name: ClassVar[str] = "{name}"
    title: ClassVar[str] = "a remedy of another package"
    formula: ClassVar[str] = "CE(z, y)"
    paper: ClassVar[str] = "folklore"
    folder: ClassVar[str] = "loss"
"""
BUILT_BY_SETUPTOOLS = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "others-remedies"
version = "1.0"

[project.entry-points."imbalance_bench.strategies"]
theirs = "others_remedies"

[tool.setuptools]
py-modules = ["others_remedies"]
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Where pip, or we where it cannot, has installed a package that brings a strategy."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "pyproject.toml").write_text(BUILT_BY_SETUPTOOLS)
    (folder / "others_remedies.py").write_text(STRATEGY.format(kind="Theirs", name="theirs"))
    if not (find_spec("pip") and find_spec("setuptools")):
        (folder / "site").mkdir()
        installed(folder / "site", "others_remedies", "others_remedies", (folder / "others_remedies.py").read_text())
        return folder / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", folder / "site", folder], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return folder / "site"


def installed(site: Path, name: str, value: str, source: str) -> None:
    """A package as an installer leaves it: a module, and beside it the entry point that names it."""
    information = site / f"{name}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[imbalance_bench.strategies]\n{name} = {value}\n")
    (site / f"{name}.py").write_text(source)


def python(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{site}", "COLUMNS": "200"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True)


def test_an_installed_packages_strategy_is_known_by_name(site):
    code = """
        import json, strategies
        from strategies.registry import find, source_hash

        theirs = strategies.get("theirs", strength=3)
        print(json.dumps([str(theirs + strategies.get("mixup")), "theirs" in strategies.names(), source_hash(find("theirs"))]))
    """
    done = python(site, "-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    text, listed, hashed = json.loads(done.stdout)
    assert text == "mixup+theirs(strength=3.0)"
    assert listed
    assert len(hashed) == 16


def test_the_command_line_lists_it(site):
    done = python(site, "-m", "bench", "list", "strategies")
    assert done.returncode == 0, done.stderr
    (line,) = (each for each in done.stdout.splitlines() if each.startswith("theirs "))
    assert "a remedy of another package [loss]" in line


def test_without_the_package_it_is_not_known():
    with pytest.raises(NotationError, match="unknown strategy 'theirs'"):
        strategies.get("theirs")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder that is searched for packages, after which the registry, the modules and the search path are as before."""
    strategies.names()
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))
    monkeypatch.setattr(registry, "_ALIASES", dict(registry._ALIASES))
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    before = set(sys.modules)
    yield tmp_path
    for module in set(sys.modules) - before:
        del sys.modules[module]
    registry._discover.cache_clear()


@pytest.mark.parametrize(
    ("value", "source", "reason"),
    [
        ("broken", "import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("broken:Missing", "", "AttributeError: .*Missing"),
        ("broken", "1 / 0", "ZeroDivisionError: division by zero"),
        ("broken", STRATEGY.format(kind="Focal", name="focal"), "ValueError: two strategies are named 'focal'"),
    ],
)
def test_a_broken_package_is_named_with_what_is_wrong(here, value, source, reason):
    installed(here, "broken", value, source)
    registry._discover.cache_clear()
    expected = rf"{value}, which an installed package names as a strategy \(broken\), cannot be loaded: {reason}"
    with pytest.raises(NotationError, match=expected + ".*; fix or uninstall it"):
        strategies.get("focal")


def test_an_entry_point_may_name_the_class(here):
    installed(here, "named", "named:Named", STRATEGY.format(kind="Named", name="named"))
    registry._discover.cache_clear()
    assert str(strategies.parse("named(1.5)")) == "named(strength=1.5)"


# Files


def test_a_files_strategies_are_known_by_name(here):
    folder = here / "elsewhere"
    folder.mkdir()
    file = folder / "my_remedy.py"
    file.write_text(STRATEGY.format(kind="Mine", name="mine"))
    load_file(file)
    load_file(file)  # again is no mistake
    assert str(strategies.parse("mine(strength=1) + mixup")) == "mixup+mine(strength=1.0)"
    assert str(folder) in sys.path, "processes that are started later would not find it"


def test_a_file_of_the_working_directory_and_its_neighbour_are_no_strangers(here):
    for name in ("first", "second"):
        (here / f"{name}_remedy.py").write_text(STRATEGY.format(kind=name.title(), name=name))
        load_file(here / f"{name}_remedy.py")  # here is searched for modules, as the working directory is
    assert {"first", "second"} <= set(strategies.names())


def test_a_changed_file_has_another_hash_and_ours_have_none(here):
    file = here / "my_remedy.py"
    file.write_text(STRATEGY.format(kind="Mine", name="mine"))
    load_file(file)
    before = source_hash(type(strategies.get("mine")))
    file.write_text(file.read_text() + "# fixed\n")
    after = source_hash(type(strategies.get("mine")))
    assert before is not None
    assert after is not None
    assert before != after
    assert source_hash(type(strategies.get("focal"))) is None


@pytest.mark.parametrize(
    ("name", "source", "complaint"),
    [
        ("silent_one.py", "x = 1", "silent_one.py: registers no strategy; put @register"),
        ("failing_one.py", "1 / 0", "failing_one.py: ZeroDivisionError: division by zero"),
        (
            "called_one.py",
            "import strategies\n@strategies.register('mine')\nclass M: ...",
            "register takes nothing but the class",
        ),
        ("json.py", "x = 1", "a module named json exists already; rename the file"),
        ("notes_one.txt", "x = 1", "a plug-in is a Python file"),
        ("impostor.py", STRATEGY.format(kind="Focal", name="focal"), "two strategies are named 'focal'"),
        ("my.remedy.py", STRATEGY.format(kind="Mine", name="mine"), "a plug-in is a Python file"),
        ("missing_one.py", None, "a plug-in is a Python file"),
    ],
)
def test_a_file_that_is_no_plug_in_is_refused(here, name, source, complaint):
    if source is not None:
        (here / name).write_text(source)
    known = strategies.names()
    with pytest.raises(NotationError, match=complaint):
        load_file(here / name)
    assert strategies.names() == known


def test_hooks_of_earlier_versions_are_refused_with_their_new_names():
    class Declining(strategies.Strategy):
        name, title, formula, paper, folder = "declining", "declines", "CE(z, y)", "folklore", "loss"

        def declines(self, labels, inputs):
            return None

    class Adjusting(strategies.Strategy):
        name, title, formula, paper, folder = "adjusting", "adjusts", "z", "folklore", "adjust"

        def adjust(self, head, *, train_prior, target_prior, valid_logits, valid_targets):
            return lambda logits: logits

    with pytest.raises(ValueError, match=r"rename it to why_not_applicable\(labels, inputs\)"):
        strategies.register(Declining)
    with pytest.raises(ValueError, match="called with one AdjustmentInputs"):
        strategies.register(Adjusting)
    assert not {"declining", "adjusting"} & set(strategies.names())


def test_a_loss_with_names_of_earlier_versions_is_refused_with_their_new_names():
    with pytest.raises(TypeError, match=r"rename it to elementwise\(logits, targets, context\)"):

        class Elements(strategies.Loss):
            def elements(self, logits, targets, moment):
                return logits.sum(-1)

    with pytest.raises(TypeError, match="rename it to is_random"):

        class Drawing(strategies.Loss):
            draws = True


def test_a_hook_that_cannot_be_called_is_refused_with_the_parameter_that_it_lacks():
    class WithoutGenerators(strategies.Strategy):
        name, title, formula, paper, folder = "incomplete", "lacks generators", "CE(z, y)", "folklore", "loss"

        def loss(self, counts):
            return strategies.Loss()

    with pytest.raises(
        ValueError, match=r"defines loss without generators; it is called as loss\(counts, generators\)"
    ):
        strategies.register(WithoutGenerators)


def test_a_loss_that_is_no_loss_of_this_package_is_refused_with_what_it_lacks():
    counts = strategies.ClassCounts.of([0, 1])

    class Module(strategies.Strategy):
        def loss(self, counts, *, generators=None):
            return nn.CrossEntropyLoss()

    class Empty(strategies.Strategy):
        def loss(self, counts, *, generators=None):
            return strategies.Loss()

    with pytest.raises(
        TypeError, match=r"defines elementwise\(.*given: CrossEntropyLoss, which does not derive from Loss"
    ):
        Module().loss(counts)
    with pytest.raises(TypeError, match="given: Loss, which does not define it"):
        Empty().loss(counts)


def test_a_study_with_such_a_loss_is_refused_before_anything_is_trained(tmp_path):
    source = (
        STRATEGY.format(kind="Mine", name="mine")
        + """
    def loss(self, counts, *, generators=None):
        from torch import nn

        return nn.CrossEntropyLoss()
"""
    )
    (tmp_path / "module_loss.py").write_text(source)
    asked = [
        "run",
        "quick",
        "--task",
        "digits-lt",
        "--strategy",
        "mine",
        "--plugin",
        tmp_path / "module_loss.py",
        "--dry-run",
    ]
    done = python(tmp_path, "-m", "bench", *asked, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("imbench: mine cannot be trained: TypeError: mine: loss(counts) must return")
    assert done.stderr.count("\n") == 1
