"""Frozen sentence embeddings: each text becomes the 384 numbers of MiniLM, a small language model that was trained on English."""

from __future__ import annotations

import hashlib
import inspect
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from bench.errors import InputError
from bench.tasks.sentence_model import FETCHED, SHA256
from bench.user_data.text_features import read_texts

_TEXTS_PER_SAVE = 512
_SECONDS_TO_WAIT = 60
"""For another process that writes to the store."""
_IMPORTS = """from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import BaseEstimator, TransformerMixin
"""


class SentenceEncoder(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A transformer of texts `(N,)` into the embeddings `(N, 384)` of a BERT model in `folder`: the mean over the words of its
    last layer. Rows have length 16, so that a number is about 1. Nothing is fitted; what follows 256 word pieces is not read."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def fit(self, X: Any, y: Any = None) -> Any:
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    @torch.inference_mode()
    def transform(self, X: Any) -> Any:
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        texts = read_texts(X)
        logging.disable_progress_bar()
        tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        model = AutoModel.from_pretrained(self.folder, local_files_only=True).eval()
        embeddings = np.zeros((len(texts), model.config.hidden_size), np.float32)
        for row, text in enumerate(texts):  # alone: in a batch, the others would change its last digits
            pieces = tokenizer(text[:10_000], truncation=True, max_length=256, return_tensors="pt")
            mean = model(**pieces).last_hidden_state.mean(1)
            embeddings[row] = 16 * torch.nn.functional.normalize(mean).numpy()
        return embeddings


class CachedEncoder(SentenceEncoder):
    """The same, which keeps each text's embedding in the user's cache, so that no seed and no worker computes it again."""

    def transform(self, X: Any) -> Any:
        """Return the embeddings `(N, 384)`, float32."""
        texts = read_texts(X)
        with _open_store() as store:
            known = _find(store, set(texts))
            missing = sorted(set(texts) - set(known))
            for start in range(0, len(missing), _TEXTS_PER_SAVE):
                new = missing[start : start + _TEXTS_PER_SAVE]
                embeddings = dict(zip(new, super().transform(new), strict=True))
                rows = [(_key(text), embedding.tobytes()) for text, embedding in embeddings.items()]
                with store:
                    store.executemany("INSERT OR REPLACE INTO embeddings VALUES (?, ?)", rows)
                known |= embeddings
        return np.stack([known[text] for text in texts])


def sentence_encoder() -> CachedEncoder:
    """Return the transformer of texts with the weights of the cache.

    Raises
    ------
    MissingData
        If the weights were not fetched.
    InputError
        If the weights are damaged, or transformers is not installed.
    """
    if find_spec("transformers") is None:
        raise InputError(
            'sentence embeddings need transformers: pip install "imbalance-bench[text]"; or read texts as n-grams'
        )
    return CachedEncoder(str(FETCHED.verify()))


def code() -> str:
    """Return Python source, with its imports, that defines `text_transformer` with the weights where they are now."""
    parts = [inspect.getsource(part) for part in (read_texts, SentenceEncoder)]
    factory = f"def text_transformer() -> SentenceEncoder:\n    return SentenceEncoder({str(FETCHED.directory)!r})\n"
    return "\n\n".join([_IMPORTS, *parts, factory]).replace("  # type: ignore[misc]", "")


def _key(text: str) -> bytes:
    return hashlib.sha256(f"{SHA256['model.safetensors']} alone {text}".encode("utf-8", "surrogatepass")).digest()


@contextmanager
def _open_store() -> Iterator[sqlite3.Connection]:
    path = FETCHED.directory / "embeddings.sqlite"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=_SECONDS_TO_WAIT)) as store:
            store.execute("CREATE TABLE IF NOT EXISTS embeddings (key BLOB PRIMARY KEY, embedding BLOB) WITHOUT ROWID")
            yield store
    except (OSError, sqlite3.Error) as error:
        raise InputError(
            f"{path}: the store of embeddings cannot be used ({error}); remove the file, or set IMBENCH_CACHE"
        ) from None


def _find(store: sqlite3.Connection, texts: Collection[str]) -> dict[str, NDArray[np.float32]]:
    found = {}
    for text in texts:
        if row := store.execute("SELECT embedding FROM embeddings WHERE key = ?", (_key(text),)).fetchone():
            found[text] = np.frombuffer(row[0], np.float32)
    return found
