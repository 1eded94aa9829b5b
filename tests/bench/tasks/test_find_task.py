"""A task's text: which corpus it names, with which parameters, also where a directory's name holds brackets."""

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.tasks import find_task


@pytest.mark.parametrize("directory", ["mine", "mine(1)", "mine (a=b)", "mine(1)(2)", "a(b)/mine", "a,b"])
@pytest.mark.parametrize(
    ("parameters", "kind"), [("", "windows"), ("(sentences)", "sentences"), ("(kind=sentences)", "sentences")]
)
def test_a_corpus_can_be_in_any_directory(tmp_path: Path, directory: str, parameters: str, kind: str):
    (tmp_path / directory).mkdir(parents=True)
    found = find_task(f" conll:{tmp_path / directory}{parameters} ")
    assert (found.directory, found.kind) == (tmp_path / directory, kind)
    assert found.label == f"conll:{Path(directory).name}{'(sentences)' if parameters else ''}"


def test_parameters_of_a_corpus_are_read_before_it_exists():
    found = find_task("conll:nowhere(1)(tag_column=3)")
    assert (found.directory, found.tag_column) == (Path("nowhere(1)"), 3)


@pytest.mark.parametrize("text", ["conll:", "conll:(kind=sentences)", "conll: "])
def test_a_corpus_without_a_directory_is_refused(text: str):
    with pytest.raises(InputError, match="the directory is missing; write conll:DIR, for example conll:path/to"):
        find_task(text)


def test_brackets_that_do_not_close_are_refused():
    with pytest.raises(InputError, match="cannot read"):
        find_task("conll:nowhere(kind=sentences")
