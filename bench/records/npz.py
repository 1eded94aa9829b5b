"""Arrays by name as the content of one compressed file (.npz)."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np


def to_npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return the content of a compressed file that holds the arrays; equal arrays give equal bytes."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def read_npz(path: Path, *required: str) -> dict[str, np.ndarray] | None:
    """Return the arrays of a file; None if it is missing, cannot be read, or lacks a required array."""
    try:
        with zipfile.ZipFile(path) as file:
            contents = {name.removesuffix(".npy"): file.read(name) for name in file.namelist()}
        arrays = {name: np.load(io.BytesIO(content), allow_pickle=False) for name, content in contents.items()}
    except (OSError, EOFError, ValueError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error):
        return None
    return arrays if arrays.keys() >= set(required) else None


def content_hash(arrays: Mapping[str, np.ndarray]) -> str:
    """Return a hash of the arrays' names, types, shapes and numbers."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:20]
