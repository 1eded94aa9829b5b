"""Tags of every scheme lead to the entities that seqeval finds, and the scheme of a corpus is recognised."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import BILOU, IOB1, IOB2, IOBES, IOE1, IOE2, Entities

from bench.errors import InputError
from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import Corpus
from bench.tasks.tag_schemes import RECOGNISED, Letters, find_entities, has_scheme, parse_tag, read_as, recognise

SEQEVAL = {"BIO": IOB2, "IOB1": IOB1, "IOE1": IOE1, "IOE2": IOE2, "BIOES": IOBES, "BILOU": BILOU}
TYPES = ("PER", "creative-work", "B")

# Texts as (type or None, length) one after another; each scheme is written as its definition says, without the code under test.

Spans = list[tuple[str | None, int]]
spans = st.lists(st.tuples(st.sampled_from((None, *TYPES)), st.integers(1, 4)), min_size=1, max_size=5)


def written(text: Spans, scheme: str) -> list[str]:
    letters = {
        "BIO": lambda n: "B" + "I" * (n - 1),
        "IO": lambda n: "I" * n,
        "IOB1": lambda n: "I" * n,
        "IOE1": lambda n: "I" * n,
        "IOE2": lambda n: "I" * (n - 1) + "E",
        "BIOES": lambda n: "S" if n == 1 else "B" + "I" * (n - 2) + "E",
        "BILOU": lambda n: "U" if n == 1 else "B" + "I" * (n - 2) + "L",
        "BMEWO": lambda n: "W" if n == 1 else "B" + "M" * (n - 2) + "E",
        "BMES": lambda n: "S" if n == 1 else "B" + "M" * (n - 2) + "E",
    }[scheme]
    tags = []
    for place, (kind, length) in enumerate(text):
        own = list("O" * length if kind is None else letters(length))
        if kind and scheme == "IOB1" and place and text[place - 1][0] == kind:
            own[0] = "B"
        if kind and scheme == "IOE1" and place + 1 < len(text) and text[place + 1][0] == kind:
            own[-1] = "E"
        tags += own if kind is None else [f"{letter}-{kind}" for letter in own]
    return tags


def entities_of(text: Spans, scheme: str) -> list[tuple[int, int, str]]:
    """What the text says; IO cannot tell entities of one type apart where they touch."""
    found: list[tuple[int, int, str]] = []
    place = 0
    for kind, length in text:
        if kind is not None and scheme == "IO" and found and found[-1][1] == place and found[-1][2] == kind:
            found[-1] = (found[-1][0], place + length, kind)
        elif kind is not None:
            found.append((place, place + length, kind))
        place += length
    return found


def read(tags: list[str]) -> list[tuple[int, int, str]]:
    return [tuple(span) for span in find_entities([parse_tag(tag) for tag in tags])]


@pytest.mark.parametrize("scheme", [letters.name for letters in RECOGNISED])
@settings(max_examples=40, deadline=None)
@given(spans)
def test_entities_written_in_a_scheme_are_found_and_the_scheme_fits(scheme: str, text: Spans) -> None:
    tags = written(text, scheme)
    assert read(tags) == entities_of(text, scheme)
    letters = next(letters for letters in RECOGNISED if letters.name == scheme)
    given, found = [tags], [list(find_entities([parse_tag(tag) for tag in tags]))]
    assert read_as(letters, given, found) == (letters, given, 0)
    assert recognise(given, found).slips == 0
    assert recognise(given, found).tags == given


@pytest.mark.parametrize("scheme", SEQEVAL)
@settings(max_examples=40, deadline=None)
@given(spans)
def test_entities_of_each_scheme_are_those_of_seqeval(scheme: str, text: Spans) -> None:
    if scheme == "IOE1":  # seqeval's strict mode finds no entity of one word that another of its type follows
        text = [(kind, 1 + length) for kind, length in text]
    tags = written(text, scheme)
    reference = Entities([tags], SEQEVAL[scheme]).entities[0]
    assert read(tags) == sorted((entity.start, entity.end, entity.tag) for entity in reference)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(("O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC")))), min_size=1)
)
def test_any_sequence_right_or_wrong_is_read_as_conlleval_reads_it(tags: list[str]) -> None:
    expected = [(first, last + 1, kind) for kind, first, last in get_entities(tags)]
    assert read(tags) == expected
    for letters in ({"S": "U", "E": "L"}, {"S": "W", "I": "M"}):  # which seqeval does not know, for the same places
        assert read([letters.get(tag[0], tag[0]) + tag[1:] for tag in tags]) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O B-PER I-PER", True),
        ("I-PER I-PER", True),
        ("O O O", True),
        ("B I O", True),
        ("B M E S", True),
        ("S-PER U-LOC O", True),
        ("NN VB DT", False),
        ("O N V ^ A L S", False),  # the parts of speech of tweets: O is a pronoun
        ("O PER LOC", False),
        ("O art-film person-actor", False),
        ("O B-PER X-PER", False),
        ("NN B-52 VB", False),
    ],
)
def test_which_tags_have_a_scheme(tags: str, expected: bool) -> None:
    assert has_scheme(Counter(tags.split())) is expected


# Corpora in files


def corpus(tmp_path: Path, sentences: list[list[str]], **options: str | None) -> Corpus:
    text = "\n".join("".join(f"w{place} {tag}\n" for place, tag in enumerate(tags)) for tags in sentences)
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}.txt").write_text(text)
    return read_corpus(tmp_path, **options)  # type: ignore[arg-type]


TEXT: list[Spans] = [
    [("PER", 2), ("PER", 1), (None, 1), ("LOC", 3)],
    [(None, 2), ("LOC", 1), ("LOC", 2)],
    [("PER", 4), ("LOC", 1)],
    [(None, 3)],
]


@pytest.mark.parametrize("scheme", [letters.name for letters in RECOGNISED])
@pytest.mark.parametrize("asked", [True, False])
def test_a_corpus_in_any_scheme_becomes_bio_with_the_same_entities(tmp_path: Path, scheme: str, asked: bool) -> None:
    options = {"scheme": scheme.lower()} if asked else {}
    read = corpus(tmp_path, [written(text, scheme) for text in TEXT], **options)
    merged = [[(kind, end - start) for start, end, kind in entities_of(text, scheme)] for text in TEXT]
    found = [[(e.tag, e.end - e.start) for e in Entities([list(tags)], IOB2).entities[0]] for tags in read.train.tags]
    assert found == merged
    assert read.entities
    if scheme == "BIO":
        assert read.notes == ()
    else:
        assert f"converted from {scheme} to BIO" in read.notes[0]
        assert ("the scheme was recognised by the tags" in read.notes[0]) is not asked


@pytest.mark.parametrize("asked", [True, False])
@settings(max_examples=30, deadline=None)
@given(st.sampled_from(RECOGNISED), st.lists(spans, min_size=1, max_size=5))
def test_files_in_any_scheme_give_the_entities_that_were_written(
    asked: bool, letters: Letters, texts: list[Spans]
) -> None:
    options = {"scheme": letters.name.lower()} if asked else {}
    with TemporaryDirectory() as directory:
        read = corpus(Path(directory), [written(text, letters.name) for text in texts], **options)
    for text, tags in zip(texts, read.test.tags, strict=True):
        found = Entities([list(tags)], IOB2).entities[0]
        assert [(entity.start, entity.end, entity.tag) for entity in found] == entities_of(text, letters.name)


def test_letters_alone(tmp_path: Path) -> None:
    read = corpus(tmp_path, [["B", "I", "O", "B"], ["O", "I", "I"]])
    assert read.train.tags == (("B", "I", "O", "B"), ("O", "B", "I"))
    assert read.notes == (
        "3 of 15 tags of entities break BIO and were corrected, the first at train.txt:7: I of 'w1' is read as B",
    )
    (segmented := tmp_path / "segmented").mkdir()
    assert corpus(segmented, [["B", "M", "E", "S"]]).train.tags == (("B", "I", "I", "B"),)


@pytest.mark.parametrize(
    ("tags", "right", "scheme", "first"),
    [
        (["B-PER", "I-LOC", "O"], ["B-PER", "B-LOC", "O"], "BIO", "I-LOC of 'w1' is read as B-LOC"),
        (["O", "I-PER", "I-PER"], ["O", "B-PER", "I-PER"], "BIO", "I-PER of 'w1' is read as B-PER"),
        (["O", "S-PER", "O"], ["O", "B-PER", "O"], "BIO", "S-PER of 'w1' is read as B-PER"),
        (["B-PER", "E-PER", "O"], ["B-PER", "I-PER", "O"], "BIO", "E-PER of 'w1' is read as I-PER"),
    ],
)
def test_a_slip_in_bio_is_corrected_and_named(
    tmp_path: Path, tags: list[str], right: list[str], scheme: str, first: str
) -> None:
    good = ["B-PER", "I-PER", "O", "B-LOC", "B-LOC"]
    read = corpus(tmp_path, [good, good, good, tags])
    assert read.train.tags[-1] == tuple(right)
    (note,) = read.notes
    assert f"tags of entities break {scheme} and were corrected, the first at train.txt:20: {first}" in note


def test_a_slip_in_bioes_is_corrected_and_the_corpus_converted(tmp_path: Path) -> None:
    good = ["B-PER", "I-PER", "E-PER", "O", "S-LOC", "S-LOC"]
    read = corpus(tmp_path, [good, good, good, ["B-PER", "O"]])
    assert read.train.tags[-1] == ("B-PER", "O")
    assert "converted from BIOES to BIO" in read.notes[0]
    assert "the first at train.txt:22: B-PER of 'w0' is read as S-PER" in read.notes[1]


@pytest.mark.parametrize(
    ("tags", "scheme", "found"),
    [
        (
            "B-PER I-PER I-PER B-LOC B-LOC",
            "bioes",
            "train.txt:3: expected E-PER, by BIOES; found I-PER ('w2'), and 9 of 15",
        ),
        ("U-PER O", "bio", "train.txt:1: expected a tag O, B-X or I-X; found 'U-PER'"),
        ("B-PER O", "io", "train.txt:1: expected a tag O or I-X; found 'B-PER'"),
        ("PER O", "bio", "train.txt:1: expected a tag O, B-X or I-X; found 'PER'"),
        ("PER O", "bilou", "train.txt:1: expected a tag O, B-X, I-X, L-X or U-X; found 'PER'"),
    ],
)
def test_a_scheme_that_is_asked_for_and_does_not_fit(tmp_path: Path, tags: str, scheme: str, found: str) -> None:
    with pytest.raises(InputError) as error:
        corpus(tmp_path, [tags.split()], scheme=scheme)
    assert found in str(error.value)


def test_tags_without_a_scheme_are_classes_of_words(tmp_path: Path) -> None:
    read = corpus(tmp_path, [["DT", "NN", "O"], ["NN"]])
    assert read.train.tags == (("DT", "NN", "O"), ("NN",))
    assert not read.entities
    assert read.notes == (
        "the 3 different tags have no scheme such as BIO: they are classes of single words, without entities; "
        "if neighbours of one tag are an entity, give scheme=io",
    )
    entities = corpus(tmp_path, [["DT", "NN", "O"], ["NN"]], scheme="io")
    assert entities.train.tags == (("B-DT", "B-NN", "O"), ("B-NN",))


def test_bio_tags_as_classes_of_words(tmp_path: Path) -> None:
    read = corpus(tmp_path, [["B-PER", "I-LOC", "O"]], scheme=None)
    assert read.train.tags == (("B-PER", "I-LOC", "O"),)
    assert not read.entities
    assert read.notes == (
        "the 3 different tags were asked for without a scheme: they are classes of single words, without entities",
    )


def test_letters_before_an_underscore_and_types_of_several_words(tmp_path: Path) -> None:
    read = corpus(tmp_path, [["B_company", "I_company", "O"]])
    assert read.train.tags == (("B-company", "I-company", "O"),)
    (tmp_path / "blanks").mkdir()
    for part in ("train", "dev", "test"):
        (tmp_path / "blanks" / f"{part}.txt").write_text("Ada\tB-real person\nran\tO\n")
    assert read_corpus(tmp_path / "blanks").train.tags == (("B-real person", "O"),)


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ("PER-B PER-I O", "expected tags such as B-PER; found 'PER-B'; write the letter first and in capitals"),
        ("b-per i-per o", "expected tags such as B-PER; found 'b-per'; write the letter first and in capitals"),
        (
            "B-PER o o I-PER o",
            "txt:2: expected the tag O outside of entities; found 'o'; write O there, or give scheme=none",
        ),
        ("B-PER _ _", "txt:2: expected the tag O outside of entities; found '_'"),
        ("0 0 B-PER I-PER 0 0 0", "txt:1: expected the tag O outside of entities; found '0'"),
        ("(PERSON* *) * (ORG)", "found '(PERSON*', spans in brackets; convert them to BIO, or give scheme=none"),
    ],
)
def test_entities_in_other_spellings_are_not_taken_for_classes(tmp_path: Path, tags: str, why: str) -> None:
    with pytest.raises(InputError) as error:
        corpus(tmp_path, [tags.split()])
    assert why in str(error.value)
    assert corpus(tmp_path, [tags.split()], scheme=None).train.tags == (tuple(tags.split()),)


def test_a_sentence_without_end_is_noted(tmp_path: Path) -> None:
    assert corpus(tmp_path, [["O", "B-X"] * 500]).notes == ()
    (note,) = corpus(tmp_path, [["O"], ["O", "B-X"] * 500 + ["O"]]).notes
    assert note == "the longest sentence, at train.txt:3, has 1,001 words: blank lines separate sentences"


def test_a_column_of_words_is_not_taken_for_tags(tmp_path: Path) -> None:
    sentences = [[f"tag{number}" for number in range(501)]]
    with pytest.raises(
        InputError, match=r"train.txt:1: expected a tag, one of at most 500; found 501 different ones; give anot"
    ):
        corpus(tmp_path, sentences)
    assert len(set(corpus(tmp_path, sentences, scheme=None).train.tags[0])) == 501
