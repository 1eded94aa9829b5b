"""Names of files, and of places in a page, for things that are called anything."""

from __future__ import annotations

import hashlib
import re


def file_stem(name: str) -> str:
    """Return a name that is safe as part of a file name; a changed one carries a hash, so that no two names share a file.

    >>> file_stem("digits-lt"), file_stem("conll:some/dir(tag_column=3)")
    ('digits-lt', 'conll_some_dir_tag_column_3-2dad41')
    """
    return _replace_other_characters(name, kept="_.-")


def anchor_of(name: str) -> str:
    """Return a name that is safe as an id in a page; a changed one carries a hash, so that no two names share an id.

    >>> anchor_of("conll2003-windows"), anchor_of("focal(gamma=2.0)")
    ('conll2003-windows', 'focal_gamma_2_0-25facd')
    """
    return _replace_other_characters(name, kept="_-")


def _replace_other_characters(name: str, kept: str) -> str:
    """Replace all but ASCII letters, digits and the characters that are kept by underscores."""
    safe = re.sub(f"[^A-Za-z0-9{kept}]+", "_", name).strip("_.")[:80]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:6]}"
