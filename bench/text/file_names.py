"""Names of files for things that are called anything."""

from __future__ import annotations

import hashlib
import re


def file_stem(name: str) -> str:
    """Return a name that is safe as part of a file name; a changed one carries a hash, so that no two names share a file.

    >>> file_stem("digits-lt"), file_stem("conll:some/dir(tag_column=3)")
    ('digits-lt', 'conll_some_dir_tag_column_3-2dad41')
    """
    safe = re.sub(r"[^A-Za-z0-9_.-]+", "_", name).strip("_.")[:80]
    return safe if safe == name else f"{safe}-{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:6]}"
