"""Balanced tables of KEEL, made long-tailed as digits are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.tasks.keel_files import KEEL, TARGET
from bench.tasks.long_tail import LongTail
from bench.tasks.splitting import Ids
from bench.tasks.task_registry import register_task


class KeelLongTail(LongTail):
    """A balanced table of numbers, each different row once: a fifth of the rarest class is its test part.

    Classes are in the order of their names, so the first one becomes the most frequent. Columns are scaled by mean and standard
    deviation of the training part.
    """

    licence: ClassVar[str] = "not stated; cite KEEL"

    @property
    def data_set(self) -> str:
        return KEEL.name

    @property
    def how_to_get(self) -> str:
        return KEEL.how_to_get

    def read(self) -> tuple[NDArray[np.float64], Ids, tuple[str, ...]]:
        import pandas as pd

        table = pd.read_csv(KEEL.verify() / f"{self.name.removesuffix('-lt')}.csv").drop_duplicates()
        classes, names = pd.factorize(table.pop(TARGET), sort=True)
        return table.to_numpy(np.float64), classes.astype(np.int64), tuple(map(str, names))

    def scale(self, x: NDArray[np.float64], train: Ids) -> NDArray[np.float64]:
        from sklearn.preprocessing import StandardScaler

        scaled: NDArray[np.float64] = StandardScaler().fit(x[train]).transform(x)
        return scaled


def _describe(what: str) -> str:
    return f"{what}, long-tailed, test balanced (factor, valid=long-tailed|balanced)"


@register_task
@dataclass(frozen=True)
class LetterLT(KeelLongTail):
    """Measurements of printed letters."""

    name: ClassVar[str] = "letter-lt"
    description: ClassVar[str] = _describe("KEEL's letter: printed letters, 16 measurements")
    classes: ClassVar[int] = 26
    held_out: ClassVar[int] = 104
    head: ClassVar[int] = 316
    items: ClassVar[str] = "printed letters"


@register_task
@dataclass(frozen=True)
class PenbasedLT(KeelLongTail):
    """Digits written with a pen: eight points of its way."""

    name: ClassVar[str] = "penbased-lt"
    description: ClassVar[str] = _describe("KEEL's penbased: digits written with a pen, 8 points")
    classes: ClassVar[int] = 10
    held_out: ClassVar[int] = 211
    head: ClassVar[int] = 633
    items: ClassVar[str] = "digits written with a pen"


@register_task
@dataclass(frozen=True)
class TextureLT(KeelLongTail):
    """Textures of surfaces."""

    name: ClassVar[str] = "texture-lt"
    description: ClassVar[str] = _describe("KEEL's texture: images of surfaces, 40 moments")
    classes: ClassVar[int] = 11
    held_out: ClassVar[int] = 99
    head: ClassVar[int] = 299
    items: ClassVar[str] = "textures"


@register_task
@dataclass(frozen=True)
class SatimageLT(KeelLongTail):
    """What covers the ground in satellite images."""

    name: ClassVar[str] = "satimage-lt"
    description: ClassVar[str] = _describe("KEEL's satimage: land cover, 9 pixels in 4 bands")
    classes: ClassVar[int] = 6
    held_out: ClassVar[int] = 125
    head: ClassVar[int] = 376
    items: ClassVar[str] = "satellite images"


@register_task
@dataclass(frozen=True)
class SegmentLT(KeelLongTail):
    """Regions of outdoor images."""

    name: ClassVar[str] = "segment-lt"
    description: ClassVar[str] = _describe("KEEL's segment: regions of outdoor images, 19 measurements")
    classes: ClassVar[int] = 7
    held_out: ClassVar[int] = 58
    head: ClassVar[int] = 176
    items: ClassVar[str] = "regions of images"


@register_task
@dataclass(frozen=True)
class VowelLT(KeelLongTail):
    """Spoken vowels."""

    name: ClassVar[str] = "vowel-lt"
    description: ClassVar[str] = _describe("KEEL's vowel: spoken vowels, 13 measurements, with speaker and sex")
    classes: ClassVar[int] = 11
    held_out: ClassVar[int] = 18
    head: ClassVar[int] = 54
    items: ClassVar[str] = "spoken vowels"
