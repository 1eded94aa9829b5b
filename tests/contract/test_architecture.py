"""One direction of imports, few of them where a reader takes only a part, plain names, and no global random numbers."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import bench
import strategies

ROOTS = {"bench": Path(bench.__file__).parent, "strategies": Path(strategies.__file__).parent}
FILES = {str(path.relative_to(root.parent)): path for root in ROOTS.values() for path in sorted(root.rglob("*.py"))}


def imported_by(statement: str) -> set[str]:
    """Every module that a fresh process holds after the statement, and the packages that they are in."""
    code = f"import json, sys\n{statement}\nprint(json.dumps(list(sys.modules)))"
    environment = {**os.environ, "PYTHONPATH": str(ROOTS["bench"].parent)}
    answer = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout))


HEAVY = {"imblearn", "sklearn", "pandas", "numba", "scipy", "matplotlib", "seaborn"}


@pytest.mark.parametrize(
    ("statement", "unwanted"),
    [
        ("import strategies", {"bench", *HEAVY}),
        ("import strategies; strategies.names()", {"bench", *HEAVY}),
        ("import bench.report", {"strategies", "bench.train", "torch"}),
        ("import bench.records.store", {"torch", "strategies", "bench.train"}),
        ("import bench.cli", {"torch", "sklearn", "pandas", "ray"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_import_brings_nothing_that_is_not_needed(statement, unwanted):
    assert sorted(imported_by(statement) & unwanted) == []


def test_training_imports_what_its_libraries_import_and_nothing_else():
    unwanted = {
        "typer",
        "rich",
        "pydantic",
        "seaborn",
        "matplotlib",
        "imblearn",
        "ray",
        "seqeval",
        "bench.cli",
        "bench.records.store",
    }
    brought = imported_by("import bench.train.loop") - imported_by("import torch, sklearn.metrics")
    assert "bench.train.loop" in brought
    assert sorted(brought & unwanted) == []


def modules_named_in(tree: ast.AST) -> Iterator[str]:
    """Every module that some import names, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)


def test_imports_name_whole_paths_which_the_other_tests_can_read():
    assert [
        f"{name}:{node.lineno}"
        for name, path in FILES.items()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ] == []


def offenders(root: str, *unwanted: str) -> list[str]:
    return [
        f"{name} imports {module}"
        for name, path in FILES.items()
        if name.startswith(root)
        for module in modules_named_in(ast.parse(path.read_text(encoding="utf-8")))
        if module.startswith(tuple(f"{each}." for each in unwanted)) or module in unwanted
    ]


def test_strategies_know_nothing_of_bench_not_even_inside_a_function():
    assert not offenders("strategies", "bench")


def test_the_report_neither_trains_nor_knows_strategies_not_even_inside_a_function():
    assert not offenders("bench/report", "strategies", "bench.train", "bench.models", "bench.tasks", "torch")


def test_training_knows_nothing_of_plans_and_stores():
    assert not offenders("bench/train/", "bench.planning.plan", "bench.planning.suite", "bench.records.store")


def test_the_engine_knows_neither_a_console_nor_the_report():
    assert not offenders("bench/engine/", "rich", "typer", "bench.terminal", "bench.report", "bench.cli")


def test_no_module_is_named_after_nothing_in_particular():
    parts = {part.removesuffix(".py") for name in FILES for part in Path(name).parts}
    assert not parts & {"util", "utils", "helper", "helpers", "misc", "common", "shared", "base", "core"}


# The house: rooms of bench are its folders and the modules at its top; all of strategies is one more

WINGS = (
    *("errors", "text", "machine", "records", "user_code", "models", "estimators"),
    *("tasks", "user_data", "metrics", "stats", "planning", "plotting", "train", "engine"),
    *("report", "script", "speed", "gpu_check", "terminal", "comparison", "compare_command", "cli", "__main__"),
)
"""From the ground floor up: a wing imports only from those before it."""

SAME_ROLE = {
    **dict.fromkeys(("measure", "table", "figure", "variants", "write"), "the parts that every speed benchmark has"),
    **dict.fromkeys(
        ("class_aware", "progressive", "repeat_factor", "sentence_weights"), "a remedy, and how it samples"
    ),
}
"""Module names that are used more than once, and why."""


def wing_of(module: str) -> str:
    """The room of bench that a module is in."""
    return module.split(".")[1]


def arrows() -> Iterator[tuple[str, str, str]]:
    """(file, wing, imported wing) for every import from one wing of bench to another."""
    for name, path in FILES.items():
        if not name.startswith("bench/") or name == "bench/__init__.py":
            continue
        wing = Path(name).parts[1].removesuffix(".py")
        for module in modules_named_in(ast.parse(path.read_text(encoding="utf-8"))):
            if module.startswith("bench.") and wing_of(module) in WINGS and wing_of(module) != wing:
                yield name, wing, wing_of(module)


def test_every_room_of_bench_has_a_floor():
    rooms = {Path(name).parts[1].removesuffix(".py") for name in FILES if name.startswith("bench/")}
    assert rooms - {"__init__"} == set(WINGS)


def test_imports_between_wings_of_bench_never_run_up():
    assert [f"{name} imports {there}" for name, here, there in arrows() if WINGS.index(there) > WINGS.index(here)] == []


def test_the_house_stays_small():
    between = {(here, there) for _, here, there in arrows()}
    to_strategies = {
        Path(name).parts[1]
        for name, path in FILES.items()
        if name.startswith("bench/")
        and any(
            module.startswith("strategies") for module in modules_named_in(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert len(WINGS) + 1 <= 26
    assert len(between) + len(to_strategies) <= 130


A_SUM_IS_A_STRATEGY = ("strategies/strategy.py", "strategies/combination.py")
"""The one import that runs back up: `Strategy.__add__` makes a `Combination`, which is a `Strategy` made of strategies."""


MODULES = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in FILES}
"""File of every module and package."""


def imported_files(tree: ast.AST) -> Iterator[str]:
    """Every file that some import reads: of `from package import name`, the module of that name or else the package's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (MODULES[each.name] for each in node.names if each.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for each in node.names:
                yield MODULES.get(f"{node.module}.{each.name}", MODULES[node.module])


def import_graph(depth: int) -> dict[str, set[str]]:
    """Which rooms import which: folders that are `depth` levels deep and, above that, single files."""

    def room(name: str) -> str:
        return "/".join(Path(name).parts[:depth])

    graph: dict[str, set[str]] = {}
    for name, path in FILES.items():
        for there in imported_files(ast.parse(path.read_text(encoding="utf-8"))):
            if room(there) == room(name) or (name, there) == A_SUM_IS_A_STRATEGY:
                continue
            graph.setdefault(room(name), set()).add(room(there))
    return graph


@pytest.mark.parametrize("depth", [1, 2, 3, 4], ids=["packages", "wings", "folders", "files"])
def test_nothing_is_imported_in_a_circle_not_even_inside_a_function(depth):
    assert list(TopologicalSorter(import_graph(depth)).static_order())


ADJECTIVES = {"best", "beside", "free", "told", "held", "shown", "drawn", "made", "fused", "extended", "explained"}


def test_modules_are_named_with_nouns():
    """Remedies keep the names they were published under."""
    hooks = tuple(
        f"strategies/{folder}/" for folder in ("resample", "sample", "mix", "loss", "schedule", "ensemble", "adjust")
    )
    last_words = {name: Path(name).stem.split("_")[-1] for name in FILES if not name.startswith(hooks)}
    assert [
        name
        for name, word in last_words.items()
        if word in ADJECTIVES or (word.endswith(("ed", "ing")) and word not in NOUNS)
    ] == []


NOUNS = {
    *(
        "embedding",
        "finding",
        "packing",
        "padding",
        "parsing",
        "ranking",
        "resampling",
        "speed",
        "splitting",
        "timing",
        "warning",
        "wording",
    ),
}
"""Nouns that end like a participle."""


def test_a_module_name_is_used_once():
    places: dict[str, list[str]] = {}
    for name in FILES:
        if Path(name).stem not in ("__init__", "__main__"):
            places.setdefault(Path(name).stem, []).append(name)
    assert {stem: names for stem, names in places.items() if len(names) > 1 and stem not in SAME_ROLE} == {}


def test_a_public_class_name_is_used_once():
    places: dict[str, list[str]] = {}
    for name, path in FILES.items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(name)
    assert {name: files for name, files in places.items() if len(files) > 1} == {}


# Random numbers

NUMPYS_OWN = {"default_rng", "Generator", "RandomState", "SeedSequence", "PCG64", "BitGenerator", "MT19937", "Philox"}
SEEDS = {"manual_seed", "manual_seed_all", "seed", "set_rng_state", "initial_seed", "use_deterministic_algorithms"}
DRAWS = {
    *("rand", "randn", "randint", "randperm", "multinomial", "bernoulli", "normal", "poisson"),
    *("rand_like", "randn_like", "randint_like", "random_", "normal_", "uniform_", "bernoulli_", "exponential_"),
    *("WeightedRandomSampler", "RandomSampler", "SubsetRandomSampler", "random_split"),
}
"""What PyTorch draws from its global generator unless it is given one."""
UNSEEDED = {
    "dropout",
    "Dropout",
    "alpha_dropout",
    "feature_dropout",
    "kaiming_uniform_",
    "xavier_uniform_",
    "trunc_normal_",
}


def dotted(node: ast.expr) -> str:
    """`np.random.choice` as it is written; a call or an index on the way is "()"."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "()"


def global_draws(source: str) -> Iterator[str]:
    """Calls that read or set a random state which nobody handed in."""
    tree = ast.parse(source)
    yield from (
        f"import of {each}" for each in modules_named_in(tree) if each == "random" or each.startswith("random.")
    )
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        owner, _, last = name.rpartition(".")
        given = {keyword.arg for keyword in node.keywords}
        of_numpy = owner in ("np.random", "numpy.random")
        if (
            (of_numpy and (last not in NUMPYS_OWN or not (node.args or given)))
            or (owner in ("torch", "torch.random", "torch.cuda") and last in SEEDS)
            or (last in DRAWS and owner.split(".")[0] not in ("rng", "np", "numpy") and "generator" not in given)
            or last in UNSEEDED
        ):
            yield f"line {node.lineno}: {name}"


@pytest.mark.parametrize(
    "bad",
    [
        "torch.manual_seed(0)",
        "torch.cuda.manual_seed_all(0)",
        "np.random.seed(0)",
        "np.random.shuffle(x)",
        "numpy.random.choice(3)",
        "np.random.default_rng()",
        "torch.randperm(3)",
        "torch.rand(3, 4, device=d)",
        "x.uniform_(0, 1)",
        "x.clone().normal_()",
        "WeightedRandomSampler(w, 3)",
        "F.dropout(x)",
        "import random",
        "from random import shuffle",
    ],
)
def test_the_search_for_global_random_numbers_finds(bad):
    assert list(global_draws(bad))


@pytest.mark.parametrize(
    "good",
    [
        "Generator().manual_seed(seed)",
        "torch.Generator().manual_seed(0)",
        "np.random.default_rng(seed)",
        "np.random.RandomState(3)",
        "torch.randperm(3, generator=g)",
        "rng.permutation(3)",
        "x.uniform_(0, 1, generator=g)",
        "from numpy.random import Generator",
    ],
)
def test_the_search_for_global_random_numbers_leaves_alone(good):
    assert not list(global_draws(good))


PUTS_BACK = ("strategies/loader_audit/preserved_state.py", "bench/models/seeded_rng.py")
"""They save the global states and put them back, so that what others draw from them leaves no trace."""


def test_random_numbers_come_from_generators_that_were_handed_in():
    read = {name: path for name, path in FILES.items() if name not in PUTS_BACK}
    found = {name: list(global_draws(path.read_text(encoding="utf-8"))) for name, path in read.items()}
    assert not {name: each for name, each in found.items() if each}
