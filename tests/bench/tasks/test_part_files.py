"""The files of the parts are found under the names that published corpora give them."""

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.tasks.part_files import STEMS, SUFFIXES, find_part_files

PUBLISHED = {
    "CoNLL-2003": ("eng.train", "eng.testa", "eng.testb"),
    "CoNLL-2002": ("ned.train", "ned.testa", "ned.testb"),
    "WNUT-16, no ending": ("train", "dev", "test"),
    "WNUT-17": ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"),
    "BioBERT's sets": ("train.tsv", "devel.tsv", "test.tsv"),
    "GermEval 2014": ("NER-de-train.tsv", "NER-de-dev.tsv", "NER-de-test.tsv"),
    "HIPE-2022": ("HIPE-2022-v2.1-ajmc-train-de.tsv", "HIPE-2022-v2.1-ajmc-dev-de.tsv", "HIPE-2022-v2.1-ajmc-test-de.tsv"),
    "Universal Dependencies": ("en_ewt-ud-train.conllu", "en_ewt-ud-dev.conllu", "en_ewt-ud-test.conllu"),
    "Universal NER": ("en_ewt-ud-train.iob2", "en_ewt-ud-dev.iob2", "en_ewt-ud-test.iob2"),
    "DaNE": ("ddt.train.conllu", "ddt.dev.conllu", "ddt.test.conllu"),
    "MultiCoNER": ("en_train.conll", "en_dev.conll", "en_test.conll"),
    "MultiNERD": ("train_en.tsv", "val_en.tsv", "test_en.tsv"),
    "WikiNEuRal": ("train.conllu", "val.conllu", "test.conllu"),
    "NERGrit": ("train_preprocess.txt", "valid_preprocess.txt", "test_preprocess.txt"),
    "Twitter parts of speech": ("oct27.train", "oct27.dev", "oct27.test"),
    "Weibo": ("weiboNER_2nd_conll.train", "weiboNER_2nd_conll.dev", "weiboNER_2nd_conll.test"),
    "Resume": ("train.char.bmes", "dev.char.bmes", "test.char.bmes"),
    "FiNER": ("digitoday.2014.train.csv", "digitoday.2014.dev.csv", "digitoday.2015.test.csv"),
    "APTNER": ("APTNERtrain.txt", "APTNERdev.txt", "APTNERtest.txt"),
    "PARSEME": ("train.cupt", "dev.cupt", "test.cupt"),
    "long words": ("Training.txt", "Development.txt", "Test.txt"),
    "validation": ("train.data", "validation.data", "test.data"),
}  # fmt: skip


def make(directory: Path, *names: str) -> Path:
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text("a O\n")
    return directory


def found(directory: Path) -> dict[str, str]:
    return {part: path.name for part, path in find_part_files(directory).items()}


def refusal(directory: Path) -> str:
    with pytest.raises(InputError) as error:
        find_part_files(directory)
    return str(error.value)


@pytest.mark.parametrize("corpus", PUBLISHED)
def test_published_names(tmp_path: Path, corpus: str) -> None:
    make(
        tmp_path,
        *PUBLISHED[corpus],
        "README.md",
        "README.txt",
        "LICENSE",
        "LICENSE.txt",
        "citation.txt",
        "labels.txt",
        "x.json",
    )
    assert found(tmp_path) == dict(zip(("train", "valid", "test"), PUBLISHED[corpus], strict=True))


def test_every_ending_and_every_word_for_a_part(tmp_path: Path) -> None:
    for suffix in (*SUFFIXES, ""):
        make(tmp_path / suffix, f"train{suffix}", f"dev{suffix}", f"test{suffix}")
        assert set(found(tmp_path / suffix)) == {"train", "valid", "test"}, suffix
    for stem, part in STEMS.items():
        others = [other for other in ("train", "valid", "test") if other != part]
        make(tmp_path / "stems" / stem, f"{stem}.txt", *(f"{other}.txt" for other in others))
        assert found(tmp_path / "stems" / stem)[part] == f"{stem}.txt"


@pytest.mark.parametrize(
    "other",
    [
        "train_dev.tsv",
        "train-dev-test.txt",
        "notes.txt",
        "all.conll",
        "latest.tsv",
        "train.json",
        "devtest.txt",
        ".train",
    ],
)
def test_files_that_hold_no_part_alone_are_left_aside(tmp_path: Path, other: str) -> None:
    assert found(make(tmp_path, "train.tsv", "devel.tsv", "test.tsv", other)) == {
        "train": "train.tsv",
        "valid": "devel.tsv",
        "test": "test.tsv",
    }


def test_the_annotated_file_of_a_treebank_and_not_its_raw_text(tmp_path: Path) -> None:
    names = [f"fr-ud-{part}.{ending}" for part in ("train", "dev", "test") for ending in ("conllu", "txt")]
    assert set(found(make(tmp_path, *names)).values()) == {
        "fr-ud-train.conllu",
        "fr-ud-dev.conllu",
        "fr-ud-test.conllu",
    }


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (("engtrain.bio", "engtest.bio"), {"train": "engtrain.bio", "test": "engtest.bio"}),
        (("train.txt", "test.txt"), {"train": "train.txt", "test": "test.txt"}),
        (("wikigold.conll.txt", "README.txt"), {"train": "wikigold.conll.txt"}),
        (("AnEM.train", "AnEM.test"), {"train": "AnEM.train", "test": "AnEM.test"}),
        (("train.conll",), {"train": "train.conll"}),
    ],
)
def test_parts_that_are_made_from_train(tmp_path: Path, names: tuple[str, ...], parts: dict[str, str]) -> None:
    assert found(make(tmp_path, *names)) == parts


@pytest.mark.parametrize(
    ("names", "why"),
    [
        (("train.txt", "dev.txt"), "expected a file test with .txt"),
        (("train.txt", "dev.txt", "devtest.txt"), "expected a file test with .txt"),
        (("dev.txt", "test.txt"), "expected a file train with .txt"),
        (("a.conll", "b.conll"), "found a.conll, b.conll; rename or add the file"),
        (("train.txt.gz", "dev.txt.gz", "test.txt.gz"), "unpack dev.txt.gz and the others"),
        (("conll.zip",), "unpack conll.zip"),
        (("data/train.txt", "data/dev.txt"), "give the folder that holds the files: {}/data"),
        (
            ("train.txt", "train-de.txt", "dev_2015", "dev_2016", "test"),
            "one file for the part valid; found dev_2015, dev_2016",
        ),
        (("x-train.txt", "y-train.txt", "test"), "one file for the part train; found x-train.txt, y-train.txt; move"),
    ],
)
def test_what_is_missing_or_there_twice(tmp_path: Path, names: tuple[str, ...], why: str) -> None:
    assert why.format(tmp_path) in refusal(make(tmp_path, *names))
