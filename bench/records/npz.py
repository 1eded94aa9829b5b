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


def packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    """The file's content; equal arrays give equal bytes."""
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)  # type: ignore[arg-type]
    return content.getvalue()


def read(path: Path, *needed: str) -> dict[str, np.ndarray] | None:
    """The arrays of a file; None where there is no file, it cannot be read, or lacks one that is needed."""
    try:
        with zipfile.ZipFile(path) as file:
            held = {name.removesuffix(".npy"): file.read(name) for name in file.namelist()}
        arrays = {name: np.load(io.BytesIO(content), allow_pickle=False) for name, content in held.items()}
    except (OSError, EOFError, ValueError, RuntimeError, struct.error, zipfile.BadZipFile, zlib.error):
        return None
    return arrays if arrays.keys() >= set(needed) else None


def content_hash(arrays: Mapping[str, np.ndarray]) -> str:
    """A hash of names, types, shapes and numbers."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        found.update(array.tobytes())
    return found.hexdigest()[:20]
