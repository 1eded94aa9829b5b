"""The error that a user caused and can fix."""

from __future__ import annotations


class InputError(Exception):
    """One line that says what was asked, what was given, what is allowed and how to fix it; the exit code is 2."""
