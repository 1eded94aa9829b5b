"""The harness that measures remedies for class imbalance; `bench.compare` answers for a user's own data."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.comparison.compare import compare
    from bench.report.study_frames import load

__all__ = ["compare", "load"]


def __getattr__(name: str) -> Any:
    """Import a function when it is first used: it brings torch, pandas and scikit-learn."""
    if name == "compare":
        from bench.comparison.compare import compare

        return compare
    if name == "load":
        from bench.report.study_frames import load

        return load
    raise AttributeError(f"module 'bench' has no attribute {name!r}")
