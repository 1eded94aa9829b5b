"""CoNLL-2003 is read from the given directory, else from a complete cache; anything else is an error with its fix."""

import json
from pathlib import Path

import pytest

from bench.errors import InputError
from bench.tasks import conll2003
from bench.tasks.conll2003 import FILES, cache_directory, load_conll2003
from bench.tasks.fetched_files import MANIFEST, sha256
from bench.tasks.task import MissingData

TEXT = "-DOCSTART- -X- O O\n\nEU NNP I-NP B-ORG\nrejects VBZ I-VP O\n\nGerman JJ I-NP B-MISC\n"
OTHER_FILES = "the files are not those that this project's figures were measured on (other sha256)"


def write(directory: Path, text: str = TEXT) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (directory / name).write_text(text)
    return directory


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of this test's cache, where nothing is yet."""
    monkeypatch.setenv("IMBENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "conll2003"


@pytest.fixture
def filled(cache: Path) -> Path:
    write(cache)
    (cache / MANIFEST).write_text(
        json.dumps({"source": "a test", "sha256": dict.fromkeys(FILES, sha256(TEXT.encode()))})
    )
    return cache


def test_without_directory_and_cache_the_data_are_missing(cache: Path) -> None:
    with pytest.raises(MissingData) as error:
        load_conll2003()
    assert str(error.value) == (
        f"{cache}: expected the files of CoNLL-2003; found none; "
        "run: imbench fetch conll2003, or give a directory that holds them"
    )


def test_the_cache_is_read(filled: Path) -> None:
    corpus = load_conll2003()
    assert filled == cache_directory()
    assert corpus.name == "conll2003"
    assert corpus.valid.words == (("EU", "rejects"), ("German",))
    assert corpus.notes == (OTHER_FILES,)


def test_a_given_directory_is_read_instead_of_the_cache(filled: Path, tmp_path: Path) -> None:
    given = load_conll2003(write(tmp_path / "mine", "Leeds NNP I-NP B-LOC\n"))
    assert given.name == "conll2003"
    assert given.test.words == (("Leeds",),)
    assert given.fingerprint() != load_conll2003().fingerprint()
    assert filled.is_dir()


def test_known_files_need_no_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = write(tmp_path)
    assert load_conll2003(mine).notes == (OTHER_FILES,)
    monkeypatch.setattr(conll2003, "SHA256", dict.fromkeys(FILES, sha256(TEXT.encode())))
    assert load_conll2003(mine).notes == ()


def test_the_shared_tasks_own_scheme(tmp_path: Path) -> None:
    mine = write(tmp_path, "EU NNP I-NP I-ORG\n")
    with pytest.raises(InputError, match=r"train\.txt:1: expected B-ORG, by BIO; found I-ORG"):
        load_conll2003(mine, scheme="bio")
    corpus = load_conll2003(mine, scheme="iob1")
    assert corpus.train.tags == load_conll2003(mine).train.tags == (("B-ORG",),)
    assert corpus.notes == (OTHER_FILES, "3 of 3 tags were converted from IOB1 to BIO")


def test_the_cache_does_not_replace_a_directory_without_the_files(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a file train"):
        load_conll2003(tmp_path)
    assert filled.is_dir()


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_refused(filled: Path, name: str) -> None:
    (filled / name).write_text(TEXT + "more NN O O\n")
    with pytest.raises(InputError) as error:
        load_conll2003()
    assert str(error.value) == (
        f"{filled / name}: expected sha256 {sha256(TEXT.encode())}; "
        f"found {sha256((TEXT + 'more NN O O' + chr(10)).encode())}; to fix it, run: imbench fetch conll2003"
    )
    assert not isinstance(error.value, MissingData)


def test_a_missing_file_is_refused(filled: Path) -> None:
    (filled / "valid.txt").unlink()
    with pytest.raises(InputError, match=r"valid\.txt: .* found no file; to fix it, run: imbench fetch conll2003"):
        load_conll2003()


@pytest.mark.parametrize(
    ("content", "found"),
    [(None, "no file"), ("", "other content"), ("[]", "other content"), ('{"sha256": {}}', "other content")],
)
def test_an_unfinished_fetch_is_refused(filled: Path, content: str | None, found: str) -> None:
    (filled / MANIFEST).unlink()
    if content is not None:
        (filled / MANIFEST).write_text(content)
    with pytest.raises(InputError) as error:
        load_conll2003()
    assert str(error.value) == (
        f"{filled / MANIFEST}: expected the checksums of a finished fetch; found {found}; "
        "to fix it, run: imbench fetch conll2003"
    )


def test_the_users_cache_without_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMBENCH_CACHE", raising=False)
    assert cache_directory().parts[-2:] == ("imbalance-bench", "conll2003")
