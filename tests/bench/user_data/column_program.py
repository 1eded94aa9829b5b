"""The source of a plan of columns, run as the program for a user runs it."""

from __future__ import annotations

from typing import Any

from bench.script.column_code import column_code
from bench.user_data.column_plan import ColumnPlan

IMPORTS = """
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
"""


def run_column_code(plan: ColumnPlan) -> dict[str, Any]:
    """Return what the source of a plan defines: `prepare_columns` and `make_preprocessing`."""
    names: dict[str, Any] = {}
    exec(IMPORTS + column_code(plan), names)
    return names
