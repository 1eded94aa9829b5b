"""The one error that a user caused and can mend."""

from __future__ import annotations


class InputError(Exception):
    """What was asked, what was given, what is allowed, how to mend it: shown as one line, exit code 2."""
