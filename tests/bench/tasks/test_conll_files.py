"""Valid files are read as they are; invalid files are refused with the line and the way to fix it."""

from collections import Counter
from itertools import chain, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.errors import InputError
from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import Sentences

GOOD = "EU NNP B-ORG\nrejects VBZ O\n\nPeter NNP B-PER\nBlackburn NNP I-PER\n"
REAL = Path(__file__).parents[4] / "shared" / "data"
real_data = pytest.mark.skipif(not REAL.is_dir(), reason="the folder shared/data is not next to the checkout")


def write(directory: Path, **files: str | bytes) -> Path:
    """Good parts, and over them `files`, whose names write the dot as two underscores."""
    for name, content in {"train__txt": GOOD, "valid__txt": GOOD, "test__txt": GOOD, **files}.items():
        (directory / name.replace("__", ".")).write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def parallel(directory: Path, words: str, labels: str) -> Path:
    for part in ("train", "valid"):
        (directory / f"{part}.words").write_text("EU rejects\nPeter Blackburn\n")
        (directory / f"{part}.labels").write_text("B-ORG O\nB-PER I-PER\n")
    (directory / "test.words").write_text(words)
    (directory / "test.labels").write_text(labels)
    return directory


def refusal(directory: Path, **options: object) -> str:
    with pytest.raises(InputError) as error:
        read_corpus(directory, **options)  # type: ignore[arg-type]
    message = str(error.value)
    assert "\n" not in message
    return message


# Files that are right


def test_columns_by_default_first_and_last(tmp_path: Path) -> None:
    corpus = read_corpus(write(tmp_path))
    assert corpus.name == tmp_path.name
    assert corpus.train == Sentences((("EU", "rejects"), ("Peter", "Blackburn")), (("B-ORG", "O"), ("B-PER", "I-PER")))
    assert corpus.train == corpus.valid == corpus.test
    assert corpus.notes == ()


def test_columns_by_number(tmp_path: Path) -> None:
    turned = "B-ORG\tNew York\tNNP\nO\tis\tVBZ\n"
    corpus = read_corpus(
        write(tmp_path, train__txt=turned, valid__txt=turned, test__txt=turned), token_column=-2, tag_column=0, name="t"
    )
    assert corpus.name == "t"
    assert corpus.test == Sentences((("New York", "is"),), (("B-ORG", "O"),))


def test_other_files_are_ignored(tmp_path: Path) -> None:
    assert len(read_corpus(write(tmp_path, README__md="x", notes__txt="not a part")).train) == 2


def test_windows_file_with_byte_order_mark(tmp_path: Path) -> None:
    windows = b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode()
    corpus = read_corpus(write(tmp_path, test__txt=windows))
    assert corpus.test == corpus.train


def test_document_line_ends_a_sentence_whatever_its_columns(tmp_path: Path) -> None:
    documents = "-DOCSTART- -X-\n\nEU NNP B-ORG\nrejects VBZ O\n-DOCSTART-\nPeter NNP B-PER\nBlackburn NNP I-PER"
    corpus = read_corpus(write(tmp_path, test__txt=documents))
    assert corpus.test == corpus.train


def test_a_tag_that_only_train_has_is_allowed(tmp_path: Path) -> None:
    assert read_corpus(write(tmp_path, valid__txt="a x O\n", test__txt="a x O\n")).test.tags == (("O",),)


def test_empty_words_are_kept_and_noted(tmp_path: Path) -> None:
    corpus = read_corpus(write(tmp_path, test__txt="\tNN\tO\n \tNN\tO\n"))
    assert corpus.test.words == (("", ""),)
    assert corpus.notes == ("2 words are empty in the files and were kept",)


def test_words_and_labels_in_two_files(tmp_path: Path) -> None:
    corpus = read_corpus(parallel(tmp_path, "Peter  rejects\n\nEU\n\n", "B-PER O\r\n\r\nB-ORG"))
    assert corpus.test == Sentences((("Peter", "rejects"), ("EU",)), (("B-PER", "O"), ("B-ORG",)))


def test_one_file_is_split_in_blocks(tmp_path: Path) -> None:
    (tmp_path / "all.conll").write_text("\n\n".join(f"{number} O" for number in range(20)))
    corpus = read_corpus(tmp_path)
    assert [len(part) for part in (corpus.train, corpus.valid, corpus.test)] == [14, 3, 3]
    assert list(chain(*corpus.train.words, *corpus.valid.words, *corpus.test.words)) == list(map(str, range(20)))
    assert corpus.notes == (
        "all.conll was split in contiguous blocks of 70/15/15% of its sentences; equal sentences stay together",
    )


def test_equal_sentences_stay_in_one_part_of_a_split(tmp_path: Path) -> None:
    numbers = [*range(19), 0, 15, 3, *range(19, 37)]
    (tmp_path / "all.conll").write_text("\n\n".join(f"{number} O" for number in numbers))
    corpus = read_corpus(tmp_path)
    parts = [list(map(int, chain(*part.words))) for part in (corpus.train, corpus.valid, corpus.test)]
    assert parts == [[*range(19), 0, 15, 3, *range(19, 25)], [*range(25, 31)], [*range(31, 37)]]
    (tmp_path / "all.conll").write_text("\n\n".join(f"{number} O" for number in [*range(37), 0, 29, 1]))
    corpus = read_corpus(tmp_path)
    parts = [list(map(int, chain(*part.words))) for part in (corpus.train, corpus.valid, corpus.test)]
    assert parts == [[*range(28), 0, 1], [*range(28, 34), 29], [*range(34, 37)]]


def test_without_a_file_for_valid_it_is_the_end_of_train(tmp_path: Path) -> None:
    (tmp_path / "engtrain.bio").write_text("\n\n".join(f"{number} O" for number in range(20)))
    (tmp_path / "engtest.bio").write_text("0 O\n\n20 O\n")
    corpus = read_corpus(tmp_path)
    parts = [list(map(int, chain(*part.words))) for part in (corpus.train, corpus.valid, corpus.test)]
    assert parts == [[*range(17)], [17, 18, 19], [0, 20]]
    assert corpus.notes == (
        "engtrain.bio was split in contiguous blocks of 85/15% of its sentences, the last for valid, which has no file; "
        "equal sentences stay together",
    )


# Laws

TYPES = ("PER", "creative-work", "B")
BLANKS = " \t\r\f\v\n"
words = st.text(st.characters(codec="utf-8", exclude_characters=BLANKS + "\ufeff"), min_size=1, max_size=6).filter(
    lambda word: not word.startswith("-DOCSTART-")
)
spans = st.tuples(st.sampled_from((None, *TYPES)), st.integers(1, 3))


@st.composite
def bio_sentences(draw: st.DrawFn) -> Sentences:
    tags = [
        tuple(
            tag
            for kind, length in sentence
            for tag in (["O"] * length if kind is None else [f"B-{kind}"] + [f"I-{kind}"] * (length - 1))
        )
        for sentence in draw(st.lists(st.lists(spans, min_size=1, max_size=4), min_size=1, max_size=4))
    ]
    return Sentences(
        tuple(tuple(draw(st.lists(words, min_size=len(of), max_size=len(of)))) for of in tags), tuple(tags)
    )


def as_text(draw: st.DrawFn, sentences: Sentences) -> str:
    """The sentences as columns, with every liberty that a file may take."""
    separator, end = st.sampled_from(("\t", " ", "  ", " \t ")), st.sampled_from(("\n", "\r\n"))
    gap = st.lists(st.sampled_from(("\n", "\r\n", " \n", "\t\r\n", "-DOCSTART- -X- O\n")), min_size=1, max_size=3)
    comment = st.sampled_from(
        ("", "", "# sent_id = 1\n", "#\thttp://x [2009-10-17]\n", "###MEDLINE:95\n", "## a b\tc\r\n")
    )
    text = "".join(draw(st.one_of(st.just([]), gap))) + draw(comment)
    for tokens, tags in zip(sentences.words, sentences.tags, strict=True):
        for token, tag in zip(tokens, tags, strict=True):
            text += draw(separator).join((token, "NN", tag)) + draw(end)
        text += "".join(draw(gap)) + draw(comment)
    return text.rstrip(BLANKS) if draw(st.booleans()) else text


@st.composite
def files_of_one_text(draw: st.DrawFn) -> tuple[Sentences, list[str]]:
    sentences = draw(bio_sentences())
    assume(not all(word.startswith("#") for word in chain(*sentences.words)))  # nothing would tell them from comments
    return sentences, [as_text(draw, sentences) for _ in range(3)]


@given(files_of_one_text())
@settings(max_examples=60, deadline=None)
def test_written_sentences_are_read_back(case: tuple[Sentences, list[str]]) -> None:
    sentences, (train, valid, test) = case
    with TemporaryDirectory() as directory:
        corpus = read_corpus(write(Path(directory), train__txt=train, valid__txt=valid, test__txt=test))
    assert corpus.train == corpus.valid == corpus.test == sentences


def iob1(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Ramshaw and Marcus: B-X only where X directly follows another X; elsewhere a span begins with I-X."""
    return tuple(
        f"I-{tag[2:]}" if tag.startswith("B-") and before not in (tag, f"I-{tag[2:]}") else tag
        for before, tag in pairwise(("O", *tags))
    )


def test_iob1_by_hand() -> None:
    assert iob1(("B-PER", "I-PER", "B-PER", "B-LOC", "O", "B-LOC")) == (
        "I-PER",
        "I-PER",
        "B-PER",
        "I-LOC",
        "O",
        "I-LOC",
    )


@given(bio_sentences())
@settings(max_examples=60, deadline=None)
def test_iob1_is_read_as_the_bio_it_came_from(sentences: Sentences) -> None:
    old = tuple(map(iob1, sentences.tags))
    text = "\n".join(
        "".join(f"{token}\t{tag}\n" for token, tag in zip(*sentence, strict=True))
        for sentence in zip(sentences.words, old, strict=True)
    )
    with TemporaryDirectory() as directory:
        write(Path(directory), train__txt=text, valid__txt=text, test__txt=text)
        corpus = read_corpus(Path(directory), scheme="iob1")
    changed = sum(a != b for a, b in zip(chain(*old), chain(*sentences.tags), strict=True))
    assert corpus.train == corpus.valid == corpus.test == sentences
    assert corpus.notes == (f"{3 * changed:,} of {3 * len(list(chain(*old))):,} tags were converted from IOB1 to BIO",)


# Files that are wrong


@pytest.mark.parametrize(
    ("test", "where", "found", "fix"),
    [
        pytest.param("EU NNP B-ORG\nrejects O\n", 2, "2 columns", "needs tabs between columns", id="ragged short"),
        pytest.param("EU NNP B-ORG\nNew York x O\n", 2, "4 columns", "needs tabs between columns", id="ragged long"),
        pytest.param("EU x O\nP x X-PER\n", 2, "found 'X-PER'", "give another tag_column: 0 is 'P'", id="no letter"),
        pytest.param("EU x O\nP x PER\n", 2, "found 'PER'", "give another tag_column: 0 is 'P'", id="no place"),
        pytest.param("EU x O\nP x B-\n", 2, "found 'B-'", "give another tag_column", id="no class"),
        pytest.param("EU\tx\tO\nP\tx\t\n", 2, "found ''", "give another tag_column", id="no tag"),
        pytest.param("", 1, "none in the whole file", "add sentences", id="empty"),
        pytest.param("\n \r\n\t\n-DOCSTART- x O\n", 1, "none in the whole file", "add sentences", id="no sentence"),
        pytest.param(
            b"EU x O\nZ\xfcrich x O\n", 2, "byte 0xfc at byte 2", "with iconv -f latin1 -t utf-8", id="latin-1"
        ),
        pytest.param(
            "EU x O\n".encode("utf-16"), 1, "byte 0xff at byte 1", "with iconv -f utf-16 -t utf-8", id="utf-16"
        ),
    ],
)
def test_invalid_lines(tmp_path: Path, test: str | bytes, where: int, found: str, fix: str) -> None:
    message = refusal(write(tmp_path, test__txt=test))
    assert message.startswith(f"{tmp_path / 'test.txt'}:{where}: expected ")
    assert found in message
    assert fix in message


def test_a_ragged_line_in_full(tmp_path: Path) -> None:
    assert refusal(write(tmp_path, test__txt="\nEU NNP B-ORG\nNew York NNP B-LOC\n")) == (
        f"{tmp_path}/test.txt:3: expected 3 columns as on line 2; found 4 columns; "
        "correct the line; a word with a blank inside needs tabs between columns"
    )


@pytest.mark.parametrize(("option", "column"), [("token_column", 3), ("token_column", -4), ("tag_column", 7)])
def test_a_missing_column(tmp_path: Path, option: str, column: int) -> None:
    assert refusal(write(tmp_path), **{option: column}) == (
        f"{tmp_path}/train.txt:1: expected a column {column} ({option}); found 3 columns; "
        f"give another {option}: 0 is 'EU', 1 is 'NNP', 2 is 'B-ORG'"
    )


@pytest.mark.parametrize("options", [{"token_column": 2}, {"tag_column": 0}, {"token_column": 1, "tag_column": -2}])
def test_one_column_for_both(tmp_path: Path, options: dict[str, int]) -> None:
    message = refusal(write(tmp_path), **options)
    assert "train.txt:1: expected a column of words and another of tags; found column" in message
    assert "give another token_column or tag_column: 0 is 'EU'" in message


@pytest.mark.parametrize(
    ("words", "labels", "where", "fix"),
    [
        (
            "EU\nPeter\n",
            "B-ORG\n",
            "test.labels:2: expected a sentence, as in test.words; found the end",
            "same number",
        ),
        ("EU\n", "B-ORG\nO\n", "test.words:2: expected a sentence, as in test.labels; found the end", "same number"),
        (
            "EU\nPeter x\n",
            "O\nO\n",
            "test.labels:2: expected 2 labels, one for each word of test.words:2; found 1",
            "correct the line",
        ),
        ("EU\n\n\nPeter\n", "O\n\nO\nO\n", "test.labels:3: expected 0 labels", "correct the line"),
        ("EU\nPeter\n", "O\nPER\n", "test.labels:2: expected a tag O, B-X or I-X; found 'PER'", "write one tag of a"),
        ("\n\n", "\n", "test.words:1: expected at least one sentence", "add sentences"),
    ],
)
def test_label_files_that_do_not_match_their_words(
    tmp_path: Path, words: str, labels: str, where: str, fix: str
) -> None:
    message = refusal(parallel(tmp_path, words, labels))
    assert message.startswith(f"{tmp_path}/{where}")
    assert fix in message


def test_words_without_labels(tmp_path: Path) -> None:
    (parallel(tmp_path, "EU", "O") / "test.labels").unlink()
    assert refusal(tmp_path) == f"{tmp_path}/test.labels: expected this file; found nothing; add it"


def test_too_few_sentences_to_split(tmp_path: Path) -> None:
    (tmp_path / "all.txt").write_text("a O\n\nb O\n\nc O\n")
    message = refusal(tmp_path)
    assert "all.txt:1: expected at least 4 different sentences to split 70/15/15; found 3 in the whole file" in message
    assert "give train, valid and test as three files" in message


def test_no_directory(tmp_path: Path) -> None:
    message = refusal(tmp_path / "nowhere")
    assert f"{tmp_path}/nowhere: expected a directory of train, valid, dev, testa, test, testb with .txt" in message
    assert "found nothing; correct the path" in message
    (tmp_path / "file.txt").write_text(GOOD)
    assert "found a file; give its directory" in refusal(tmp_path / "file.txt")


def test_no_file_for_a_part(tmp_path: Path) -> None:
    (write(tmp_path) / "test.txt").rename(tmp_path / "evaluation.txt")
    message = refusal(tmp_path)
    assert "expected a file test with .txt, .conll, .tsv, .bio, .iob, .words or the like, or one data file" in message
    assert "found evaluation.txt, train.txt, valid.txt; rename or add the file" in message


def test_an_empty_directory(tmp_path: Path) -> None:
    assert "expected a file train with .txt" in refusal(tmp_path)
    assert "found nothing; rename or add the file" in refusal(tmp_path)


def test_two_files_for_a_part(tmp_path: Path) -> None:
    message = refusal(write(tmp_path, dev__tsv=GOOD))
    assert (
        message == f"{tmp_path}: expected one file for the part valid; found dev.tsv, valid.txt; move the others away"
    )


def test_an_unknown_scheme(tmp_path: Path) -> None:
    assert refusal(write(tmp_path), scheme="iob3") == (
        "scheme must be one of auto, bio, iob2, io, iob1, ioe1, ioe2, bioes, iobes, bilou, biluo, bmewo, bmes, or none; "
        "given: 'iob3'"
    )


# Real corpora


@real_data
@pytest.mark.parametrize(
    ("folder", "scheme", "sentences", "tokens", "spans"),
    [
        ("btc", "bio", (6338, 1001, 2001), (99_933, 15_027, 35_428), (8779, 1730, 4376)),
        ("wnut17", "bio", (3394, 1009, 1287), (62_730, 15_733, 23_394), (1975, 836, 1079)),
        ("wikigold", "iob1", (1195, 254, 247), (27_916, 5948, 5143), (2438, 571, 549)),
    ],
)
def test_real_corpora(
    folder: str, scheme: str, sentences: tuple[int, ...], tokens: tuple[int, ...], spans: tuple[int, ...]
) -> None:
    corpus = read_corpus(REAL / folder, scheme=scheme)  # type: ignore[arg-type]
    parts = (corpus.train, corpus.valid, corpus.test)
    tags = [Counter(tag[0] for tag in chain(*part.tags)) for part in parts]
    assert tuple(map(len, parts)) == sentences
    assert tuple(count.total() for count in tags) == tokens
    assert tuple(count["B"] for count in tags) == spans


@real_data
def test_real_iob1_is_recognised_and_not_read_as_bio() -> None:
    recognised, asked = read_corpus(REAL / "wikigold"), read_corpus(REAL / "wikigold", scheme="iob1")
    assert recognised.fingerprint() == asked.fingerprint()
    assert recognised.notes[0].startswith(
        "3,558 of 39,007 tags were converted from IO to BIO, neighbours of one type being one"
    )
    message = refusal(REAL / "wikigold", scheme="bio")
    assert "all.txt:1: expected B-MISC, by BIO; found I-MISC ('010'), and 3,558 of 6,431 tags like it" in message
    assert "give scheme=io, which fits best" in message


def test_a_table_with_commas_is_told_to_take_tabs(tmp_path: Path) -> None:
    (tmp_path / "ner.csv").write_text("Sentence #,Word,POS,Tag\nSentence: 1,Thousands,NNS,O\n,of,IN,O\n")
    assert refusal(tmp_path).endswith("separate columns by tabs, not by commas, with a blank line between sentences")
    (tmp_path / "ner.csv").write_text("Thousands,O\nof,O\n")
    assert "by a tab or a blank, not by a comma" in refusal(tmp_path)
