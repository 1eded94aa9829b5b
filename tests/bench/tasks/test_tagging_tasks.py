"""A tagged corpus as windows, windows with all tags, and sentences: tensors compared with plain loops."""

import dataclasses
from collections import Counter
from itertools import islice

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.metrics.part_evaluation import Predictions
from bench.records.record import EntityCounts
from bench.tasks.corpus import Corpus, Sentences
from bench.tasks.part import PAD, UNK, Pool, Rows
from bench.tasks.tagging_task import WINDOW, tagging_task
from strategies import IGNORED, Labels, Resampled, get, names, parse

KINDS = ("windows", "windows-tags", "sentences")
TAGS = ("O", "B-PER", "I-PER")

few = settings(max_examples=25, deadline=None)


def sentences(words, tags, min_size=1):
    """Sentences of a few words; some are longer than a window's half, some shorter."""
    sentence = st.lists(st.tuples(st.sampled_from(words), st.sampled_from(tags)), min_size=1, max_size=7)
    return st.lists(sentence, min_size=min_size, max_size=5).map(
        lambda pairs: Sentences(
            tuple(tuple(word for word, _ in each) for each in pairs),
            tuple(tuple(tag for _, tag in each) for each in pairs),
        )
    )


@st.composite
def corpora(draw):
    """Small corpora; valid and test have words and tags that train has not."""
    train = draw(sentences("abcdef", TAGS))
    assume(len({tag for each in train.tags for tag in each}) > 1)  # with one class there is nothing to learn: refused
    more = (*TAGS, "B-LOC")
    return Corpus("small", train, draw(sentences("abcxyz", more)), draw(sentences("abcxyz", more)))


def parts(corpus):
    return (("train", corpus.train), ("valid", corpus.valid), ("test", corpus.test))


def by_count(texts):
    counts = Counter(each for text in texts for each in text)
    return sorted(counts, key=lambda each: (-counts[each], each))


def word_ids(corpus, texts):
    known = ["<pad>", "<unk>", *by_count(corpus.train.words)]
    return [[known.index(word) if word in known else UNK for word in text] for text in texts]


def classes_of(corpus):
    """Those of train, the most frequent first, then those that only valid or test has, by name."""
    known = by_count(corpus.train.tags)
    return known + sorted(set(flat(corpus.valid.tags) + flat(corpus.test.tags)) - set(known))


def class_ids(corpus, texts):
    known = classes_of(corpus)
    return [[known.index(tag) for tag in text] for text in texts]


def windows(texts, pad):
    """Around every place of every sentence, by slicing the padded sentence."""
    half = WINDOW // 2
    found = []
    for text in texts:
        padded = [pad] * half + text + [pad] * half
        found += [padded[place : place + WINDOW] for place in range(len(text))]
    return found


def flat(texts):
    return [each for text in texts for each in text]


@few
@given(corpora())
def test_a_window_is_a_slice_of_the_padded_sentence_and_its_label_is_the_middle_tag(corpus):
    task = tagging_task(corpus, "windows")
    for name, text in parts(corpus):
        part = getattr(task, name)
        assert part.x.tolist() == windows(word_ids(corpus, text.words), PAD), name
        assert part.labels.values.tolist() == part.truth.tolist() == flat(class_ids(corpus, text.tags)), name
        assert part.labels.single_label
    assert task.test_texts == tuple(flat(corpus.test.words))


@few
@given(corpora())
def test_a_window_with_all_tags_carries_the_slice_of_the_padded_tags_and_is_scored_in_the_middle(corpus):
    task = tagging_task(corpus, "windows-tags")
    for name, text in parts(corpus):
        part = getattr(task, name)
        assert part.x.tolist() == windows(word_ids(corpus, text.words), PAD), name
        targets = part.gather(torch.arange(len(part.labels))).targets
        assert targets.tolist() == windows(class_ids(corpus, text.tags), IGNORED), name
        assert part.labels.positions.tolist() == [WINDOW] * len(part.labels), name
        assert part.truth.tolist() == flat(class_ids(corpus, text.tags)), name


@few
@given(corpora(), st.data())
def test_sentences_are_gathered_time_first_and_padded_to_the_longest_of_the_batch(corpus, data):
    part = tagging_task(corpus, "sentences").train
    words, tags = word_ids(corpus, corpus.train.words), class_ids(corpus, corpus.train.tags)
    index = data.draw(st.lists(st.integers(0, len(words) - 1), min_size=1, max_size=6))
    batch = part.gather(torch.tensor(index))
    longest = max(len(words[i]) for i in index)
    assert batch.x.T.tolist() == [words[i] + [PAD] * (longest - len(words[i])) for i in index]
    assert batch.targets.T.tolist() == [tags[i] + [IGNORED] * (longest - len(tags[i])) for i in index]


@few
@given(corpora(), st.sampled_from(KINDS), st.integers(1, 4))
def test_an_evaluation_covers_every_token_once_with_the_index_of_its_label(corpus, kind, chunk):
    task = tagging_task(corpus, kind)
    for name, text in parts(corpus):
        part = dataclasses.replace(getattr(task, name), chunk=chunk)
        covered = list(part.scored_batches())
        labels = torch.cat([each.label for each in covered])
        assert sorted(labels.tolist()) == list(range(len(flat(text.words)))), name
        truth, words = torch.full_like(labels, -1), torch.full_like(labels, -1)
        for each in covered:
            truth[each.label] = each.batch.targets.flatten()[each.position]
            x = each.batch.x if kind == "sentences" else each.batch.x[:, WINDOW // 2]
            words[each.label] = x.flatten()[each.position] if kind == "sentences" else x
        assert truth.tolist() == part.truth.tolist() == flat(class_ids(corpus, text.tags)), name
        assert words.tolist() == flat(word_ids(corpus, text.words)), name


@few
@given(corpora())
def test_sentences_of_similar_length_are_evaluated_together(corpus):
    part = dataclasses.replace(tagging_task(corpus, "sentences").test, chunk=1)
    lengths = [len(each.label) for each in part.scored_batches()]
    assert lengths == sorted(len(each) for each in corpus.test.words)


@few
@given(corpora(), st.sampled_from(KINDS))
def test_sentence_borders_are_those_of_the_text(corpus, kind):
    part = tagging_task(corpus, kind).test
    assert part.sentences.diff().tolist() == [len(each) for each in corpus.test.words]


@few
@given(corpora(), st.sampled_from(KINDS))
def test_only_words_that_are_not_in_train_are_unknown(corpus, kind):
    task = tagging_task(corpus, kind)
    known = set(flat(corpus.train.words))
    for name, text in parts(corpus):
        part = getattr(task, name)
        ids = part.words.tolist() if kind == "sentences" else part.x[:, WINDOW // 2].tolist()
        assert [each == UNK for each in ids] == [word not in known for word in flat(text.words)], name
        assert PAD not in ids
        assert max(ids) < task.shape.vocabulary
    assert task.shape.vocabulary == len(known) + 2


@few
@given(corpora(), st.sampled_from(KINDS))
def test_classes_come_head_first_by_their_counts_in_train_and_equals_by_name(corpus, kind):
    task = tagging_task(corpus, kind)
    assert list(task.train.labels.class_names) == classes_of(corpus)
    assert task.train.labels.counts().values.nonzero().flatten().tolist() == list(
        range(len(by_count(corpus.train.tags)))
    )
    assert task.valid.labels.class_names == task.test.labels.class_names == task.train.labels.class_names
    assert task.shape.classes == len(set(flat(corpus.train.tags + corpus.valid.tags + corpus.test.tags)))


def test_the_shape_has_the_positions_that_a_model_reads_and_labels():
    text = Sentences((("a", "b"),), (("O", "B-PER"),))
    shapes = {kind: tagging_task(Corpus("small", text, text, text), kind).shape for kind in KINDS}
    assert {kind: (shape.positions, shape.labelled_positions) for kind, shape in shapes.items()} == {
        "windows": (WINDOW, 1),
        "windows-tags": (WINDOW, WINDOW),
        "sentences": (1, 1),
    }


@few
@given(corpora(), st.sampled_from(KINDS))
def test_the_baseline_is_each_words_most_frequent_tag_in_train(corpus, kind):
    classes = classes_of(corpus)
    seen = list(zip(flat(corpus.train.words), flat(corpus.train.tags), strict=True))

    def most_frequent(word):
        tags = [tag for each, tag in seen if each == word]
        return max(tags, key=tags.count) if tags else classes[0]  # the first seen of equals; the majority class

    task = tagging_task(corpus, kind)
    assert [classes[tag] for tag in task.baseline.tolist()] == [most_frequent(w) for w in flat(corpus.test.words)]


@few
@given(corpora(), st.sampled_from(KINDS))
def test_the_fingerprint_depends_on_the_text_and_not_on_the_kind(corpus, kind):
    task = tagging_task(corpus, kind)
    assert task.fingerprint == corpus.fingerprint()
    first = corpus.test.tags[0][0]
    other = next(tag for tag in (*TAGS, "B-LOC") if tag != first)
    changed = dataclasses.replace(corpus.test, tags=((other, *corpus.test.tags[0][1:]), *corpus.test.tags[1:]))
    assert dataclasses.replace(corpus, test=changed).fingerprint() != corpus.fingerprint()
    assert dataclasses.replace(corpus, valid=corpus.test, test=corpus.valid).fingerprint() != task.fingerprint or (
        corpus.valid == corpus.test
    )


def test_a_sentence_that_moves_to_another_part_changes_the_fingerprint():
    one, two, three = (Sentences(((word,),), (("O",),)) for word in "abc")

    def both(first, second):
        return Sentences(first.words + second.words, first.tags + second.tags)

    before, after = Corpus("small", both(one, two), three, three), Corpus("small", one, both(two, three), three)
    assert before.fingerprint() != after.fingerprint()


def tagged_as(*tags):
    return Sentences((tuple("abcdefghijk"[: len(tags)]),), (tags,))


def test_a_class_that_only_valid_or_test_has_is_noted_with_its_words():
    corpus = Corpus(
        "small", tagged_as("O", "O", "B-PER"), tagged_as("O", "B-LOC"), tagged_as("B-LOC", "I-LOC", "O", "O")
    )
    assert tagging_task(corpus, "windows").notes == (
        "train has no B-LOC, I-LOC: no model can learn a class without an item, so such words count as errors "
        "(1 in valid and 2 in test)",
    )


def test_a_class_that_only_test_has_counts_as_an_error_and_disturbs_no_strategy():
    corpus = Corpus(
        "small", tagged_as("O", "O", "O", "B-PER"), tagged_as("O", "B-PER"), tagged_as("O", "B-PER", "B-LOC")
    )
    task = tagging_task(corpus, "windows")
    truth = task.test.truth.tolist()
    assert truth == [0, 1, 2]
    right = Predictions(torch.tensor([0, 1, 0]), nll=0.0).evaluation(task.test, "chosen", "test")
    assert right.confusion == [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    assert right.entities == {"LOC": EntityCounts(0, 0, 1), "PER": EntityCounts(1, 1, 1)}
    for name in names():
        if get(name).why_not_applicable(task.train.labels, "tokens") is None:
            batches = get(name).index_stream(
                task.train.labels, task.train.labels.counts(), batch_size=4, steps=2, seed=0
            )
            assert all(index.max() < 4 for index in islice(batches, 3)), name


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_scheme_there_are_no_entities(kind):
    corpus = Corpus("parts", tagged_as("DT", "NN"), tagged_as("NN"), tagged_as("NN", "DT"), entities=False)
    task = tagging_task(corpus, kind)
    assert task.test.sentences.tolist() == [0, 2]  # what a bootstrap resamples
    assert Predictions(task.test.truth, nll=0.0).evaluation(task.test, "chosen", "test").entities is None


def test_held_out_sentences_that_stand_in_train_too_are_noted_where_they_are_many():
    def text(*words):
        return Sentences(tuple((word, "x") for word in words), (("O", "B-PER"),) * len(words))

    new = [f"new{number}" for number in range(9)]
    corpus = Corpus("small", text("a", "b"), text(*new, "a"), text(*new[1:], "a", "b"))
    assert tagging_task(corpus, "windows").notes == (
        "2 of 10 sentences of test are in train too, word by word, so a model can know them by heart",
    )


# The pool after resampling


def numbers():
    return Rows(torch.arange(10.0).view(5, 2), Labels.of([0, 0, 0, 1, 2], "abc"))


def test_without_resampling_the_pool_is_the_part():
    pool = Pool.of(numbers(), None)
    items = torch.tensor([4, 0])
    assert len(pool) == 5
    assert pool.items(items).tolist() == [4, 0]
    assert pool.labels is pool.part.labels


@few
@given(corpora(), st.sampled_from(KINDS), st.data())
def test_a_resampled_pool_repeats_and_drops_items_with_their_labels(corpus, kind, data):
    part = tagging_task(corpus, kind).train
    index = data.draw(st.lists(st.integers(0, len(part.labels) - 1), min_size=1, max_size=9))
    pool = Pool.of(part, Resampled(torch.tensor(index)))
    everything = torch.arange(len(pool))
    assert len(pool) == len(pool.labels) == len(index)
    assert pool.items(everything).tolist() == index
    gathered = part.gather(pool.items(everything)).targets
    packed = gathered.T if kind == "sentences" else gathered
    taken = torch.split(pool.labels.values, pool.labels.positions.tolist())
    assert [row[: len(each)].tolist() for row, each in zip(packed, taken, strict=True)] == [t.tolist() for t in taken]


def test_synthetic_rows_come_after_the_kept_rows_and_after_all_rows_of_the_part():
    made_x, made_y = torch.tensor([[90.0, 91.0], [92.0, 93.0]]), torch.tensor([2, 1])
    pool = Pool.of(numbers(), Resampled(torch.tensor([0, 3, 3, 4]), made_x, made_y))
    everything = pool.items(torch.arange(len(pool)))
    assert everything.tolist() == [0, 3, 3, 4, 5, 6]
    assert pool.labels.values.tolist() == [0, 1, 1, 2, 2, 1]
    batch = pool.part.gather(everything)
    assert batch.x.tolist() == [[0, 1], [6, 7], [6, 7], [8, 9], [90, 91], [92, 93]]
    assert batch.targets.squeeze(1).tolist() == pool.labels.values.tolist()


def test_the_pool_of_random_oversampling_has_every_class_as_often_as_the_largest():
    part = numbers()
    resampled = parse("random-oversampling").resample(None, part.labels, seed=0)
    assert Pool.of(part, resampled).labels.counts().values.tolist() == [3, 3, 3]


def test_synthetic_rows_cannot_be_added_to_sentences():
    text = Sentences((("a", "b"),), (("O", "B-PER"),))
    part = tagging_task(Corpus("small", text, text, text), "sentences").train
    with pytest.raises(TypeError, match="rows of numbers"):
        Pool.of(part, Resampled(torch.tensor([0]), torch.zeros(1, 2), torch.tensor([0])))
