"""Commands as a user types them."""

from __future__ import annotations

import re


def with_seeds(command: str, seeds: int) -> str:
    """Return a command with another number of seeds.

    >>> with_seeds("imbench run quick --seeds 3 --out results/quick", 10)
    'imbench run quick --out results/quick --seeds 10'
    """
    return f"{re.sub(r' --seeds[ =][0-9]+', '', command)} --seeds {seeds}"
