"""Weighing sentences by their tokens' weights: this project's vectorised form beside the best Python loop."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter

from torch import Tensor

from bench.speed.samplers.items import Items
from bench.speed.samplers.result import SentenceWeightsCost
from strategies.draw.sentence_weights import sentence_weights

SAMPLE = 1_000_000
"""Tokens that the Python loop is timed on."""
ROUNDS = 5


def sentence_weights_cost(tokens: int) -> SentenceWeightsCost:
    """Median nanoseconds a token of both, in rounds taken in turn, over sentences of 20 tokens on average."""
    labels, sample = Items(tokens).sentences, Items(min(tokens, SAMPLE)).sentences
    class_weights = labels.counts().inverse()
    sentences = [each.tolist() for each in sample.values.split(sample.positions.tolist())]
    vectorised, loop = [], []
    sentence_weights(labels, class_weights)
    for _ in range(ROUNDS):
        vectorised.append(_seconds(lambda: sentence_weights(labels, class_weights)) / tokens)
        loop.append(_seconds(lambda: _in_a_loop(sentences, class_weights)) / len(sample.values))
    return SentenceWeightsCost(tokens, median(vectorised) * 1e9, len(sample.values), median(loop) * 1e9)


def _in_a_loop(sentences: list[list[int]], class_weights: Tensor) -> list[float]:
    """Geometric means as a plain product: the fastest loop, and one that underflows over long sentences."""
    weights = class_weights.tolist()
    means = []
    for sentence in sentences:
        product = 1.0
        for label in sentence:
            product *= weights[label]
        means.append(product ** (1 / len(sentence)))
    return means


def _seconds(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin
