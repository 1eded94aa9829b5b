"""`StrategyWarning`, and how to emit it where a user can see the cause."""

from __future__ import annotations

import sys
import warnings


class StrategyWarning(UserWarning):
    """A remedy did something other than its name promises, or something that a user should not miss."""


def warn_user(message: str, category: type[UserWarning] = StrategyWarning) -> None:
    """Emit a warning at the line that called this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "strategies":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
