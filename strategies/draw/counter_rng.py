"""A counter-based random number generator: word i under a key depends on these two alone, so any word can be computed alone."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
UNIT = 2.0**-53


def hash_key(*parts: int | str) -> int:
    """Return a 64-bit key hashed from its parts.

    Keys such as `seed + epoch` would not do: epoch 1 of seed 0 would be epoch 0 of seed 1.

    >>> hash_key(0, 1) == hash_key(0, 1), hash_key(0, 1) == hash_key(1, 0)
    (True, False)
    """
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def words(key: int, counters: Tensor) -> Tensor:
    """Return the 64-bit random words at `counters (n,)` int64, as int64 of the same bits: SplitMix64 (Steele, Lea, Flood 2014).

    int64 arithmetic wraps in the same way on every device, so the words are the same everywhere.

    >>> [hex(word % 2**64) for word in words(0, torch.tensor([1, 2])).tolist()]  # the published first outputs of seed 0
    ['0xe220a8397b1dcdaf', '0x6e789e6aa1b965f4']
    """
    mixed = counters * as_signed(GOLDEN)
    mixed.add_(as_signed(key))
    scratch = torch.empty_like(mixed)
    mixed.bitwise_xor_(_shift_right(mixed, 30, scratch)).mul_(as_signed(FIRST))
    mixed.bitwise_xor_(_shift_right(mixed, 27, scratch)).mul_(as_signed(SECOND))
    return mixed.bitwise_xor_(_shift_right(mixed, 31, scratch))


def uniforms(key: int, counters: Tensor) -> Tensor:
    """Return uniform numbers in [0, 1), `(n,)` float64: the upper 53 bits of the words at `counters (n,)`."""
    random_words = words(key, counters)
    return _shift_right(random_words, 11, random_words).to(torch.float64).mul_(UNIT)


def random_order(key: int, n: int) -> Tensor:
    """Return a uniformly random order of 0 to n - 1, `(n,)` int64.

    It sorts n random words, two of which are equal with probability n^2 / 2^65.
    """
    return torch.argsort(words(key, torch.arange(n)), stable=True)


def as_signed(word: int) -> int:
    """Return the signed integer of the same 64 bits."""
    word %= 2**64
    return word - 2**64 if word >= 2**63 else word


def _shift_right(value: Tensor, bits: int, out: Tensor) -> Tensor:
    """Shift to the right and fill with zeros, unlike the shift of int64, which copies the sign."""
    return torch.bitwise_right_shift(value, bits, out=out).bitwise_and_((1 << (64 - bits)) - 1)
