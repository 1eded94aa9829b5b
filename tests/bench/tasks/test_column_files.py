"""Which lines of a file are words, as published corpora write comments, headings, numbers and line ends."""

from pathlib import Path

import pytest

from bench.errors import InputError
from bench.tasks.conll_files import read_corpus
from bench.tasks.corpus import Corpus, Sentences


def read(tmp_path: Path, text: str | bytes, ending: str = ".txt", **options: int) -> Corpus:
    for part in ("train", "dev", "test"):
        (tmp_path / f"{part}{ending}").write_bytes(text.encode() if isinstance(text, str) else text)
    return read_corpus(tmp_path, **options)


def lines(*rows: str) -> str:
    return "\n".join(row.replace(" ", "\t") for row in rows) + "\n"


GERMEVAL = lines("1 Ada B-PER O", "2 Lovelace I-PER O", "", "1 Troia B-OTH B-PER", "2 - I-OTH O")
TWO_COLUMNS = lines("Ada B-PER", "Lovelace I-PER", "", "Troia B-OTH", "- I-OTH")
SENTENCES = Sentences((("Ada", "Lovelace"), ("Troia", "-")), (("B-PER", "I-PER"), ("B-OTH", "I-OTH")))


def before_sentences(comment: str, text: str) -> str:
    return comment + "\n" + text.replace("\n\n", f"\n\n{comment}\n")


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        pytest.param("#\thttp://de.wikipedia.org/wiki/Manfred_Korfmann [2009-10-17]", GERMEVAL, id="GermEval 2014"),
        pytest.param("# http://de.wikipedia.org/wiki/Manfred_Korfmann [2009-10-17]", GERMEVAL, id="GermEval, blanks"),
        pytest.param("#\thttp://de.wikipedia.org/wiki/Manfred_Korfmann [2009-10-17]", TWO_COLUMNS, id="GermEval, cut"),
        pytest.param("# sent_id = 1\n# text = Ada Lovelace", GERMEVAL, id="Universal NER"),
        pytest.param("# newdoc\n# newpar", TWO_COLUMNS.replace("\t", " "), id="newdoc in two columns"),
        pytest.param("# id 2c8f5b49-4df5-44b5-8c2a-bdc340010ea3\tdomain=de-lowner", TWO_COLUMNS, id="MultiCoNER"),
        pytest.param("## klue-ner-v1_train_00000_wikitree\tAda Lovelace", TWO_COLUMNS, id="KLUE"),
        pytest.param("###MEDLINE:95369245\n", TWO_COLUMNS, id="JNLPBA"),
        pytest.param("#begin document (bc/cctv/00/cctv_0001); part 000", TWO_COLUMNS, id="CoNLL-2012"),
        pytest.param("#end document\n", TWO_COLUMNS, id="CoNLL-2012, end"),
        pytest.param("# hipe2022:document_id = x\n# hipe2022:language = fr", TWO_COLUMNS, id="HIPE-2022"),
        pytest.param("#id=e7798fb926b9403cfcd2", TWO_COLUMNS, id="no blank"),
        pytest.param("#", TWO_COLUMNS, id="alone"),
        pytest.param("-DOCSTART-\tO", TWO_COLUMNS, id="document"),
        pytest.param("-DOCSTART- -X- -X- O\n", TWO_COLUMNS, id="document of CoNLL-2003"),
    ],
)
def test_comments_of_published_corpora(tmp_path: Path, comment: str, text: str) -> None:
    assert read(tmp_path, before_sentences(comment, text)).train == SENTENCES


def test_comments_between_the_words_of_a_sentence(tmp_path: Path) -> None:
    text = TWO_COLUMNS.replace("Lovelace", "# segment_iiif_link = _\nLovelace")
    assert read(tmp_path, text).train == SENTENCES


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(lines("#Paris B-LOC", "is O", "", "# O", "1 O"), id="first words of sentences"),
        pytest.param(lines("at O", "#Paris B-LOC", "#love O", "## O"), id="words inside"),
        pytest.param(lines("# # O", "love NN O", "#Paris NNP B-LOC"), id="the pound sign of the Penn Treebank"),
        pytest.param("#Paris B-LOC\n#love O\n\n# O\n", id="nothing but hashtags"),
        pytest.param(lines("so RB", "#fb HT", "", "#ff HT", "@a USR"), id="a tag of hashtags alone"),
        pytest.param(lines("##er B-LOC", "##막 I-LOC"), id="pieces of words"),
    ],
)
def test_words_that_begin_with_a_hash_stay_words(tmp_path: Path, text: str) -> None:
    words = [line.split()[0] for line in text.splitlines() if line]
    assert [word for sentence in read(tmp_path, text).train.words for word in sentence] == words


CONLLU = """\
# newdoc id = x
# sent_id = 1
# text = Vámonos al mar
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\t_\t_\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\t_\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\t_
3\ta\ta\tADP\t_\t_\t5\tcase\t_\t_
4\tel\tel\tDET\t_\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\t_\t_\t1\tobl\t_\tSpaceAfter=No
5.1\tfui\tir\tVERB\t_\t_\t_\t_\t0:root\t_

# text = # one two three four five six seven eight nine
1\t#\t#\tSYM\t_\t_\t0\troot\t_\t_
"""


def test_conllu(tmp_path: Path) -> None:
    corpus = read(tmp_path, CONLLU, ".conllu")
    assert corpus.train == Sentences(
        (("Vamos", "nos", "a", "el", "mar"), ("#",)), (("VERB", "PRON", "ADP", "DET", "NOUN"), ("SYM",))
    )
    assert not corpus.entities
    assert "the files are CoNLL-U: the tag is the part of speech in column 3" in corpus.notes[0]
    assert read(tmp_path, CONLLU, ".conllu", tag_column=7).train.tags[0] == ("root", "obj", "case", "det", "obl")
    assert read(tmp_path, CONLLU, ".conllu", token_column=2, tag_column=3).train.words[0][:3] == ("_", "ir", "nosotros")


def test_numbered_words_with_a_tag_in_the_middle(tmp_path: Path) -> None:
    text = lines("1 Ada B-PER - tim", "2 ran O - tim", "", "1 Bob B-PER - tim")
    corpus = read(tmp_path, text, ".iob2")
    assert corpus.train == Sentences((("Ada", "ran"), ("Bob",)), (("B-PER", "O"), ("B-PER",)))
    assert corpus.notes == ("the tags are those of column 2 of 5, counted from 0; choose others with tag_column=",)


def test_numbers_from_0(tmp_path: Path) -> None:
    assert read(tmp_path, lines("0 Ada B-PER", "1 ran O", "", "0 Bob B-PER")).train.words == (("Ada", "ran"), ("Bob",))


def test_words_that_are_numbers_are_not_taken_for_a_count(tmp_path: Path) -> None:
    assert read(tmp_path, lines("1 CD O", "2 CD O", "", "7 CD B-AGE")).train.words == (("1", "2"), ("7",))
    assert read(tmp_path, lines("1 O", "2 B-AGE")).train.words == (("1", "2"),)


def test_outer_and_nested_entities(tmp_path: Path) -> None:
    corpus = read(tmp_path, lines("1 Troia B-LOC O", "2 - O O", "3 Traum B-LOC B-LOC", "4 an O O"))
    assert corpus.train.tags == (("B-LOC", "O", "B-LOC", "O"),)
    assert corpus.notes == (
        "the tags are those of column 2 of 4, counted from 0; tags of the same types are in 3; choose others with tag_column=",
    )


def test_chunks_beside_entities_do_not_matter(tmp_path: Path) -> None:
    corpus = read(tmp_path, lines("EU NNP B-NP B-ORG", "said VBZ B-VP O"))
    assert corpus.train.tags == (("B-ORG", "O"),)
    assert corpus.notes == ()


def test_the_tag_before_the_word(tmp_path: Path) -> None:
    corpus = read(tmp_path, lines("O what", "O movies", "B-ACTOR star", "I-ACTOR bruce"), ".bio")
    assert corpus.train == Sentences((("what", "movies", "star", "bruce"),), (("O", "O", "B-ACTOR", "I-ACTOR"),))
    assert "column 0 of 2" in corpus.notes[0]


def test_headings_name_columns(tmp_path: Path) -> None:
    text = lines(
        "TOKEN NE-COARSE-LIT NE-FINE-LIT MISC", "Paris B-loc B-loc.adm _", "dort O O EndOfLine", "", "il O O _"
    )
    corpus = read(tmp_path, text, ".tsv")
    assert corpus.train == Sentences((("Paris", "dort"), ("il",)), (("B-loc", "O"), ("O",)))
    by_number = lines("sentence_id words labels", "0 Ada B-PER", "0 ran O", "1 Bob B-PER")
    assert read(tmp_path, by_number, ".tsv").train == Sentences((("Ada", "ran", "Bob"),), (("B-PER", "O", "B-PER"),))
    assert read(tmp_path, lines("word O", "token B-X"), ".tsv").train.words == (("word", "token"),)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"], ids=repr)
def test_line_ends(tmp_path: Path, end: str) -> None:
    assert read(tmp_path, TWO_COLUMNS.replace("\n", end).encode()).train == SENTENCES


@pytest.mark.parametrize("tail", ["\t", "\t\t", "\t \t", " "], ids=repr)
def test_blanks_at_the_ends_of_lines(tmp_path: Path, tail: str) -> None:
    everywhere = TWO_COLUMNS.replace("\n", f"{tail}\n")
    assert read(tmp_path, everywhere).train == SENTENCES
    assert read(tmp_path, TWO_COLUMNS.replace("I-PER\n", f"I-PER{tail}\n")).train == SENTENCES


def test_a_tag_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"train.txt:2: expected a tag O, B-X or I-X; found ''; correct the tag or give another"
    ):
        read(tmp_path, "Ada\tB-PER\nran\t\n")


@pytest.mark.parametrize("text", ["Ada\nran\n", "Ada,B-PER\nran,O\n"])
def test_one_column_has_no_tags(tmp_path: Path, text: str) -> None:
    both = r"train.txt:1: expected a column of words and another of tags; found column 0 for both; separate the word from its tag"
    with pytest.raises(InputError, match=both):
        read(tmp_path, text)
