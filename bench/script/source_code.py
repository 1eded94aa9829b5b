"""Python source that is generated: values as literals, and the imports that a program needs."""

from __future__ import annotations

import ast
import builtins
import pprint
import sys
from typing import Any

import strategies
from bench.errors import InputError

_WIDTH = 110

_MODULES = ("copy", "csv", "gzip", "importlib.util", "inspect", "json", "math", "re", "sys", "joblib")
_ALIASES = {"np": "numpy", "pd": "pandas", "torch": "torch"}
_FROM = {
    "collections": ("Counter",),
    "collections.abc": ("Iterator", "Sequence"),
    "itertools": ("islice",),
    "pathlib": ("Path",),
    "types": ("ModuleType",),
    "typing": ("Any", "NoReturn"),
    "scipy.sparse": ("csr_array",),
    "sklearn.base": ("ClassifierMixin", "TransformerMixin"),
    "sklearn.compose": ("ColumnTransformer", "make_column_selector", "make_column_transformer"),
    "sklearn.ensemble": ("HistGradientBoostingClassifier", "RandomForestClassifier"),
    "sklearn.feature_extraction.text": ("HashingVectorizer", "TfidfTransformer", "TfidfVectorizer", "CountVectorizer"),
    "sklearn.decomposition": ("TruncatedSVD",),
    "sklearn.impute": ("SimpleImputer",),
    "sklearn.linear_model": ("LogisticRegression",),
    "sklearn.metrics": ("average_precision_score", "f1_score", "precision_recall_curve", "recall_score"),
    "sklearn.pipeline": ("Pipeline", "make_pipeline"),
    "sklearn.preprocessing": (
        *(
            "FunctionTransformer",
            "MinMaxScaler",
            "Normalizer",
            "OneHotEncoder",
            "OrdinalEncoder",
            "QuantileTransformer",
        ),
        *("RobustScaler", "StandardScaler"),
    ),
    "threadpoolctl": ("threadpool_limits",),
    "torch": ("Tensor", "nn"),
    "torch.nn.utils.rnn": ("pack_padded_sequence", "pad_packed_sequence", "pad_sequence"),
    "strategies": tuple(strategies.__all__),
    "strategies.registry": ("load_file",),
}
"""Where the names come from that programs use."""


def literal(value: Any) -> str:
    """Return a value as Python source that evaluates to it, over several lines where it is long.

    >>> literal(["it's", 1.0])
    '["it\\'s", 1.0]'
    """
    return pprint.pformat(value, width=_WIDTH, sort_dicts=False, compact=True)


def docstring_text(text: str) -> str:
    """Return a text as one line that can stand in a docstring, whatever it holds.

    >>> docstring_text('a "quoted" \\\\n\\n line')
    'a "quoted" \\\\\\\\n line'
    """
    line = " ".join(text.split())
    return (
        line.encode("unicode_escape").decode("ascii").replace('"""', '\\"\\"\\"')
        if '"""' in line or "\\" in line
        else line
    )


def f_string_text(text: str) -> str:
    r"""Return a text as it can stand in an f-string between double quotes.

    >>> f_string_text('a "{key}"')
    'a \\"{{key}}\\"'
    """
    escaped = text.encode("unicode_escape").decode("ascii") if "\\" in text or not text.isprintable() else text
    return escaped.replace('"', '\\"').replace("{", "{{").replace("}", "}}")


def with_imports(source: str, place: str, *, entity_metric: bool = False) -> str:
    """Return a program with all that it imports in the line `place`: sorted, in the groups of the standard library, others, ours.

    What pieces of the program import themselves is moved there. Raises an InputError for a name that comes from nowhere.
    """
    tree = ast.parse(source)
    own = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = source.split("\n")
    for node in own:
        lines[node.lineno - 1 : node.end_lineno] = [""] * ((node.end_lineno or node.lineno) - node.lineno + 1)
    names: dict[str, set[str]] = {}  # what is imported from each module; of "import x" nothing
    for node in own:
        if isinstance(node, ast.Import):
            names |= {f"import {ast.unparse(alias)}": set() for alias in node.names}
        else:
            names.setdefault(f"from {node.module} import ", set()).update(map(ast.unparse, node.names))
    defined = {name: module for module, exported in _FROM.items() for name in exported}
    if entity_metric:
        defined["f1_score"] = "seqeval.metrics"
    for name in _free_names(tree):
        if name in _ALIASES:
            names[f"import {_ALIASES[name]}" + (f" as {name}" if name != _ALIASES[name] else "")] = set()
        elif name in defined:
            names.setdefault(f"from {defined[name]} import ", set()).add(name)
        elif module := next((module for module in _MODULES if module.partition(".")[0] == name), ""):
            names[f"import {module}"] = set()
        else:
            raise InputError(f"the program uses {name}, which nothing defines")
    names.pop("from __future__ import ", None)
    statements = [_import_statement(start, sorted(imported, key=_import_order)) for start, imported in names.items()]
    groups: list[list[str]] = [[], [], []]
    for statement in sorted(statements, key=lambda statement: (statement.startswith("from"), statement)):
        package = statement.split()[1].partition(".")[0]
        groups[0 if package in sys.stdlib_module_names else 2 if package == "strategies" else 1].append(statement)
    imports = "\n\n".join("\n".join(group) for group in groups if group)
    before, _, after = "\n".join(lines).partition(place)
    return f"{before}from __future__ import annotations\n\n{imports}\n\n{after.lstrip()}"


def _import_statement(start: str, names: list[str]) -> str:
    """Return an import on one line, or with a line per name where that is too long for ruff's default."""
    line = start + ", ".join(names)
    return line if len(line) <= 88 else f"{start}(\n" + "".join(f"    {name},\n" for name in names) + ")"


def _import_order(name: str) -> tuple[bool, bool, str]:
    """Sort names as ruff does: constants, classes, functions."""
    return not name.isupper(), not name[0].isupper(), name


def _free_names(tree: ast.Module) -> set[str]:
    """Return the names that a program reads, but neither assigns nor finds among the builtins."""
    read: set[str] = set()
    bound: set[str] = set(dir(builtins)) | {"__file__", "__doc__", "__name__"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            bound |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.MatchAs | ast.ExceptHandler) and node.name:
            bound.add(node.name)
    return read - bound
