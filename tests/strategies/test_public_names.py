"""Every remedy can be imported from `strategies` as a class, and no import brings more than it needs."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import strategies
from strategies.registry import find

ROOT = Path(strategies.__file__).parent.parent
CLASSES = {
    find(name).__name__: find(name) for name in strategies.names() if find(name).__module__.startswith("strategies.")
}


def test_the_table_of_remedies_is_the_registry():
    expected = {name: remedy.__module__ for name, remedy in CLASSES.items()}
    missing = [f'"{name}": "{module}"' for name, module in expected.items() if name not in strategies._REMEDIES]
    assert expected == strategies._REMEDIES, (
        f"add to _REMEDIES, __all__ and imports of strategies/__init__.py: {missing}"
    )


@pytest.mark.parametrize("name", CLASSES)
def test_every_remedy_is_importable_as_a_class(name):
    remedy = getattr(strategies, name)
    assert remedy is CLASSES[name]
    assert strategies.get(remedy.name) == remedy()
    assert name in strategies.__all__
    assert name in dir(strategies)


def test_type_checkers_and_editors_see_the_same_classes():
    tree = ast.parse((ROOT / "strategies" / "__init__.py").read_text(encoding="utf-8"))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {alias.name: node.module for node in block.body for alias in node.names}
    imported.pop("TunedThresholds")  # needs scikit-learn, so that it is imported late too
    assert imported == strategies._REMEDIES


def test_all_public_names_exist_and_unknown_ones_raise():
    assert len(strategies.__all__) == len(set(strategies.__all__))
    for name in strategies.__all__:
        assert getattr(strategies, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'Fokal'"):
        strategies.Fokal  # noqa: B018


def test_remedies_are_imported_when_they_are_used():
    code = "import json, sys, strategies; before = [*sys.modules]; strategies.Focal; print(json.dumps([before, [*sys.modules]]))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    before, after = json.loads(done.stdout)
    assert not {"strategies.loss.focal", "strategies.resample.smote", "strategies.schedule.deferred"} & set(before)
    assert "strategies.loss.focal" in after


def test_modules_import_each_other_in_one_direction():
    """At module level; `Strategy.__add__` imports combinations when it is called."""
    graph = {}
    for path in sorted((ROOT / "strategies").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
        graph[module] = {node.module for node in imports if node.module and node.module.startswith("strategies.")}
    done: set[str] = set()

    def visit(module, above):
        assert module not in above, f"circular imports: {' -> '.join([*above, module])}"
        if module not in done:
            for imported in sorted(graph.get(module, ())):
                visit(imported, [*above, module])
            done.add(module)

    for module in graph:
        visit(module, [])
