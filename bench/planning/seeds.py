"""Sub-seeds by hashing what they are for."""

from __future__ import annotations

import hashlib


def sub_seed(*axes: str | int) -> int:
    """A seed for exactly these axes, below 2^63: sub_seed("init", "digits-lt", 3).

    Hashing keeps streams apart that `seed + i` would lay over one another.

    >>> sub_seed("init", "digits-lt", 3) == sub_seed("init", "digits-lt", 3) != sub_seed("split", "digits-lt", 3)
    True
    """
    return int.from_bytes(hashlib.sha256("\x1f".join(map(str, axes)).encode()).digest()[:8], "big") >> 1
