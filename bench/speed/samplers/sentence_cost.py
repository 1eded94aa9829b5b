"""The cost of sentence weights: this project's vectorised form compared with a Python loop."""

from __future__ import annotations

from statistics import median

from torch import Tensor

from bench.speed.samplers.sampler_measurement import SentenceWeightsCost
from bench.speed.samplers.synthetic_items import SyntheticItems
from bench.speed.timing import measure_in_turn, time_call
from strategies.draw.sentence_weights import sentence_weights

LOOP_TOKENS = 1_000_000
"""The most tokens that the Python loop is timed on."""
ROUNDS = 5


def measure_sentence_weights(tokens: int) -> SentenceWeightsCost:
    """Return median nanoseconds per token of both forms, timed in turn, on sentences of 20 tokens on average."""
    labels, sample = SyntheticItems(tokens).sentences, SyntheticItems(min(tokens, LOOP_TOKENS)).sentences
    class_weights = labels.counts().inverse()
    sentences = [sentence.tolist() for sentence in sample.values.split(sample.positions.tolist())]
    sentence_weights(labels, class_weights)  # warm-up
    seconds = measure_in_turn(
        {
            "vectorised": lambda: time_call(lambda: sentence_weights(labels, class_weights)) / tokens,
            "loop": lambda: time_call(lambda: _loop_over_sentences(sentences, class_weights)) / len(sample.values),
        },
        ROUNDS,
    )
    return SentenceWeightsCost(
        tokens, median(seconds["vectorised"]) * 1e9, len(sample.values), median(seconds["loop"]) * 1e9
    )


def _loop_over_sentences(sentences: list[list[int]], class_weights: Tensor) -> list[float]:
    """Return geometric means as roots of plain products: the fastest loop, though long sentences make it underflow."""
    weights = class_weights.tolist()
    means = []
    for sentence in sentences:
        product = 1.0
        for label in sentence:
            product *= weights[label]
        means.append(product ** (1 / len(sentence)))
    return means
