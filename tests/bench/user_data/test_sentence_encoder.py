"""Sentence embeddings are those that the model's authors publish, and are computed once per text."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError
from bench.tasks.fetched_files import cache_root
from bench.tasks.sentence_model import FETCHED, SHA256
from bench.tasks.task import MissingData
from bench.user_data import sentence_encoder as module
from bench.user_data.sentence_encoder import CachedEncoder, SentenceEncoder, code, sentence_encoder
from bench.user_data.source import find_source
from bench.user_data.table_task import TableTask

SENTENCES = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
ALL_WEIGHTS = cache_root() / "minilm"


@pytest.fixture
def small_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A BERT of random weights with a vocabulary of letters, where the cache has the real one."""
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    import torch

    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path))
    folder = FETCHED.directory
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", *(f"##{letter}" for letter in "abcdefgh")]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    words = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.post_processor = tokenizers.processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    special = {
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    sizes = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 32}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = transformers.BertModel(transformers.BertConfig(vocab_size=len(vocabulary), **sizes))
    model.save_pretrained(folder)
    transformers.PreTrainedTokenizerFast(tokenizer_object=words, **special).save_pretrained(folder)
    FETCHED.store({name: (folder / name).read_bytes() for name in SHA256}, "test")
    return folder


def mean_of_words(folder: Path, text: str) -> np.ndarray:
    """The embedding of one text alone, without padding: the mean of its words' states, scaled to length 16."""
    import torch
    from tokenizers import Tokenizer
    from transformers import BertModel

    ids = Tokenizer.from_file(str(folder / "tokenizer.json")).encode(text).ids[:256]
    with torch.no_grad():
        states = BertModel.from_pretrained(folder).eval()(torch.tensor([ids])).last_hidden_state[0].double().numpy()
    mean = states.mean(0)
    return 16 * mean / np.linalg.norm(mean)


def test_an_embedding_is_the_mean_over_the_words(small_model: Path):
    texts = ["a bad cab", "", "fed h", "a bad cab", "hhh gag " * 9]
    x = sentence_encoder().transform(texts)
    assert x.shape == (5, 24)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x, [mean_of_words(small_model, text) for text in texts], atol=1e-4)
    np.testing.assert_array_equal(x[0], x[3])


def test_each_text_is_computed_once(small_model: Path, monkeypatch: pytest.MonkeyPatch):
    first = sentence_encoder().transform(["a bad cab", "fed"])
    computed: list[str] = []
    compute = SentenceEncoder.transform
    monkeypatch.setattr(SentenceEncoder, "transform", lambda self, X: computed.extend(X) or compute(self, X))
    again = CachedEncoder(str(small_model)).fit_transform(pd.Series(["new", "fed", "a bad cab"]))
    assert computed == ["new"]
    np.testing.assert_array_equal(again[1:], first[::-1])


def test_a_damaged_store_is_named(small_model: Path):
    (small_model / "embeddings.sqlite").write_text("no database, whatever its name says")
    with pytest.raises(
        InputError, match=r"embeddings\.sqlite: the store of embeddings cannot be used .* remove the file"
    ):
        sentence_encoder().transform(["a"])


def test_a_scripts_source_gives_the_same_numbers(small_model: Path):
    names: dict[str, object] = {}
    exec(code(), names)
    assert "bench" not in code()
    texts = ["a bad cab", "fed", ""]
    made = names["text_transformer"]().fit_transform(texts)  # type: ignore[operator]
    encoder = sentence_encoder()
    np.testing.assert_array_equal(made, encoder.transform(texts))
    # Other texts next to one change no digit of it: from a rounding error, training goes another way.
    np.testing.assert_array_equal(
        encoder.transform(["hhh gag " * 9, texts[0]])[1], names["text_transformer"]().transform(texts[:1])[0]
    )  # type: ignore[operator]


def test_a_table_is_read_as_embeddings(small_model: Path, tmp_path: Path):
    path = tmp_path / "reviews.csv"
    rows = [
        f"{'a bad cab' if number % 3 else 'fed'} {'abcdefgh'[number % 8]}{number // 8},{number % 2}"
        for number in range(60)
    ]
    path.write_text("\n".join(["review,stars", *rows]))
    task = find_source(path, target="stars", text="review", features="minilm")
    assert isinstance(task, TableTask)
    with sqlite3.connect(small_model / "embeddings.sqlite") as store:  # before any worker loads the task
        assert store.execute("SELECT count(*) FROM embeddings").fetchone() == (60,)
    loaded = task.load(np.random.default_rng(0))
    assert loaded.shape.features == 24
    read = {name: (kind, how) for name, kind, how, _ in loaded.columns}
    assert read["review"] == ("text", "frozen sentence embeddings of MiniLM, 384 numbers")


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path))
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(
        InputError, match=r"sentence embeddings need transformers: pip install .imbalance-bench\[text\]."
    ):
        sentence_encoder()
    monkeypatch.setattr(module, "find_spec", lambda name: name)
    with pytest.raises(MissingData, match="run: imbench fetch minilm, or read texts as n-grams"):
        sentence_encoder()
    path = tmp_path / "t.csv"
    path.write_text("review,stars\n" + "".join(f"fine {number},{number % 2}\n" for number in range(30)))
    with pytest.raises(InputError, match=r"--features minlm: .*minilm"):
        find_source(path, target="stars", text="review", features="minlm")
    with pytest.raises(InputError, match="--features minilm is for a column of texts: name it with --text"):
        find_source(path, target="stars", features="minilm")


@pytest.mark.skipif(not (ALL_WEIGHTS / "source.json").is_file(), reason="imbench fetch minilm has not been run")
def test_the_real_weights_give_the_published_similarities():
    """Of the model card's example, as its authors print them."""
    pytest.importorskip("transformers")
    assert set(json.loads((ALL_WEIGHTS / "source.json").read_text())["sha256"].values()) == set(SHA256.values())
    x = SentenceEncoder(str(ALL_WEIGHTS)).transform(SENTENCES) / 16
    expected = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    np.testing.assert_allclose(x @ x.T, expected, atol=2e-4)
