"""Counter-based random words: word i under a key depends on the two alone, so any stretch can be drawn anywhere, in any order."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15
FIRST, SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
UNIT = 2.0**-53


def key_of(*parts: int | str) -> int:
    """A 64-bit key hashed from its parts: keys such as `seed + epoch` would give shifted copies of one stream.

    >>> key_of(0, 1) == key_of(0, 1), key_of(0, 1) == key_of(1, 0)
    (True, False)
    """
    return int.from_bytes(hashlib.blake2b(repr(parts).encode(), digest_size=8).digest(), "little")


def words(key: int, counters: Tensor) -> Tensor:
    """The 64-bit words at `counters (n,)` int64, as int64 of the same bits: SplitMix64 (Steele, Lea, Flood 2014).

    int64 arithmetic wraps alike on every device, so the words are the same everywhere.

    >>> [hex(word % 2**64) for word in words(0, torch.tensor([1, 2])).tolist()]  # the published first outputs of seed 0
    ['0xe220a8397b1dcdaf', '0x6e789e6aa1b965f4']
    """
    mixed = counters * signed(GOLDEN)
    mixed.add_(signed(key))
    scratch = torch.empty_like(mixed)
    mixed.bitwise_xor_(_shifted(mixed, 30, scratch)).mul_(signed(FIRST))
    mixed.bitwise_xor_(_shifted(mixed, 27, scratch)).mul_(signed(SECOND))
    return mixed.bitwise_xor_(_shifted(mixed, 31, scratch))


def uniforms(key: int, counters: Tensor) -> Tensor:
    """Uniform numbers in [0, 1) from the upper 53 bits of the words at `counters (n,)`, float64."""
    drawn = words(key, counters)
    return _shifted(drawn, 11, drawn).to(torch.float64).mul_(UNIT)


def shuffled(key: int, n: int) -> Tensor:
    """A uniformly random order of 0 to n - 1, `(n,)` int64: the order of n words (two are equal with probability n^2 / 2^65)."""
    return torch.argsort(words(key, torch.arange(n)), stable=True)


def signed(word: int) -> int:
    """The signed integer of the same 64 bits."""
    word %= 2**64
    return word - 2**64 if word >= 2**63 else word


def _shifted(value: Tensor, bits: int, out: Tensor) -> Tensor:
    """A logical shift to the right: int64's own copies the sign."""
    return torch.bitwise_right_shift(value, bits, out=out).bitwise_and_((1 << (64 - bits)) - 1)
