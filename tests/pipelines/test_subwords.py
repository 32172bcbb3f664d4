"""Subwords: the library's own WordPiece says what the pieces are; learning is the same in any order of the words."""

import random
import time
from collections import Counter

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers.models import WordPiece

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.subwords import CONTINUING, SubwordReader, learn_subwords
from seqloom.pipelines.vocabulary import SPECIAL, UNKNOWN, Vocabulary
from seqloom.pipelines.words import WordReader, normal_forms, split_texts

COUNTS = {"low": 5, "lower": 2, "newest": 6, "widest": 3, "zürich": 2, "東京": 2, "🚀": 1, "'": 1, "!": 1}
LEARNT = learn_subwords(COUNTS, size=60)
READER = SubwordReader(LEARNT, split="punctuation")

# Whatever a word can hold, and more often what could be taken for something else.
CHARACTER = st.characters(exclude_categories=("Cs",), exclude_characters="\x00\x01") | st.sampled_from(
    "ab#[]endİΣς東🚀"
)
WORD = st.text(CHARACTER, min_size=1, max_size=8) | st.text("ab#", min_size=1, max_size=12) | st.sampled_from(SPECIAL)
WORDS = st.lists(WORD, min_size=1, max_size=6)
TEXT = st.lists(st.sampled_from([*COUNTS, "Lowest!", "x", "##er", "[end]", "東"]) | WORD, max_size=5).map(" ".join)


def oracle(vocabulary, max_characters=100):
    """The library's ids of a word; its mark and its unknown piece are two characters that no word holds."""
    ids = {"\x01": UNKNOWN}
    for index, entry in enumerate(vocabulary.entries):
        if entry not in SPECIAL:
            ids["\x00" + entry[2:] if entry.startswith(CONTINUING) else entry] = index
    options = {"max_input_chars_per_word": max_characters, "continuing_subword_prefix": "\x00"}
    model = WordPiece(ids, unk_token="\x01", **options)
    return lambda word: [token.id for token in model.tokenize(word)]


def ids_of(reader, words):
    """The ids of the pieces of each word."""
    pieces, _ = reader.pieces(rows(*[[word] for word in words]))
    return pieces.with_values(reader.ids(pieces.values)).to_list()


def rows(*words):
    return tf.ragged.constant(words, tf.string, ragged_rank=1)


def strings(ragged):
    return [[piece.decode() for piece in row] for row in ragged.to_list()]


@settings(max_examples=60, deadline=None)
@given(WORDS, WORDS, st.lists(WORD.map(CONTINUING.__add__), max_size=8), st.integers(1, 12))
@example(["##a", "#", "##", "###", "a##a", "[end]", "[end]a"], ["#", "##", "[end]a", "a"], ["##a", "###", "####"], 12)
@example(["##a", "##b", "[end]"], ["b"], ["##a"], 12)
@example(["aaaa", "aaab", "baaa"], ["aa", "b"], ["##aa", "##a"], 3)
def test_pieces_are_those_of_the_library(words, first, continuing, max_characters):
    held = [entry for entry in (*first, *words[1:]) if not entry.startswith(CONTINUING)]
    vocabulary = Vocabulary(dict.fromkeys([*SPECIAL, *held, *continuing]))
    expected = oracle(vocabulary, max_characters)
    reader = SubwordReader(vocabulary, lowercase=False, max_characters=max_characters)
    assert ids_of(reader, words) == [expected(word) for word in words]


@settings(max_examples=30, deadline=None)
@given(WORDS)
@example(["NEWEST", "Lowest", "ΑΣ", "İ", "Zürich", "e\u0301"])
def test_words_are_read_in_their_normal_form(words):
    expected = oracle(LEARNT)
    assert ids_of(READER, words) == [expected(word) for word in normal_forms(words, lowercase=True)]


@pytest.mark.real_data
def test_pieces_of_english_are_those_of_the_library(data_dir):
    lines = (data_dir / "cmn_eng" / "cmn.txt").read_text(encoding="utf-8").split("\n")
    words = split_texts(tf.constant([line.split("\t")[0] for line in lines]), "punctuation")
    forms = normal_forms([word.decode() for word in words.values.numpy()], lowercase=True)
    assert len(forms) > 200_000
    learnt = learn_subwords(Counter(forms[:50_000]), size=1500)
    assert len(learnt) == 1500
    reader, expected = SubwordReader(learnt), oracle(learnt)
    distinct = list(dict.fromkeys(forms))
    assert ids_of(reader, distinct) == [expected(word) for word in distinct]

    started = time.process_time()
    pieces, word_of_piece = reader.pieces(words)
    assert time.process_time() - started < 5.0, "29,000 sentences take less than a second of an idle core"
    assert len(pieces.values) > len(forms)
    assert (
        word_of_piece[:, -1:].values.numpy().tolist()
        == (words.row_lengths() - 1).numpy()[words.row_lengths() > 0].tolist()
    )


@settings(max_examples=20, deadline=None)
@given(st.lists(TEXT, min_size=2, max_size=4))
def test_a_text_is_read_alone_as_beside_others(texts):
    together = READER.tokens(tf.constant(texts)).to_list()
    assert together == [READER.tokens(tf.constant([text])).to_list()[0] for text in texts]


IN_GRAPH = tf.function(READER.pieces, input_signature=[tf.RaggedTensorSpec([None, None], tf.string)])


@settings(max_examples=20, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_joined_pieces_spell_the_words_again(texts):
    words = split_texts(tf.constant(texts), "punctuation")
    pieces, word_of_piece = READER.pieces(words)
    assert word_of_piece.dtype == tf.int32
    for spelled, owners, forms in zip(strings(pieces), word_of_piece.to_list(), strings(words), strict=True):
        joined = ["" for _ in forms]
        for piece, owner in zip(spelled, owners, strict=True):
            joined[owner] += piece.removeprefix(CONTINUING) if joined[owner] else piece
        assert owners == sorted(owners)
        assert joined == normal_forms(forms, lowercase=True)
    for eager, graph in zip((pieces, word_of_piece), IN_GRAPH(words), strict=True):
        assert eager.to_list() == graph.to_list()


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(WORD, st.integers(1, 4), min_size=1, max_size=12), st.integers(0, 40), st.randoms())
def test_whatever_is_learnt_spells_the_words_in_any_order(counts, merges, shuffler):
    characters = set("".join(counts))
    size = len(SPECIAL) + 2 * len(characters) + merges
    learnt = learn_subwords(counts, size)
    assert learnt.entries[: len(SPECIAL)] == SPECIAL
    assert len(learnt) <= size
    assert all(character in learnt and CONTINUING + character in learnt for character in characters)
    for entry in learnt.entries[len(SPECIAL) :]:
        assert any(entry.removeprefix(CONTINUING) in word for word in counts)

    reader = SubwordReader(learnt, lowercase=False)
    assert not any(UNKNOWN in ids for ids in ids_of(reader, list(counts)))
    other = list(counts.items())
    shuffler.shuffle(other)
    assert learn_subwords(dict(other), size).entries == learnt.entries


def test_many_equal_counts_are_learnt_the_same_in_any_order_by_any_threads(monkeypatch):
    """As the library numbers pieces by itself, no two of these would be the same."""
    chosen = random.Random(0)
    words = ["".join(chosen.choices("abcdefghij", k=chosen.randint(2, 9))) for _ in range(2000)]
    learnt = set()
    for parallel in ("true", "false") * 3:
        monkeypatch.setenv("TOKENIZERS_PARALLELISM", parallel)
        chosen.shuffle(words)
        learnt.add(learn_subwords(dict.fromkeys(words, 2), size=400).entries)
    assert len(learnt) == 1
    assert len(learnt.pop()) == 400


def test_the_most_frequent_neighbours_become_a_piece_first():
    learnt = learn_subwords({"ab": 2, "cd": 5, "xcd": 1, "q": 9}, size=100)
    assert learnt.entries[4:] == (*"abcdqx", *(CONTINUING + letter for letter in "abcdqx"), "cd", "ab")
    assert learn_subwords({}, size=4).entries == SPECIAL


def test_words_are_learnt_as_they_are():
    words = ["New York", "ＡＢ", "e\u0301", "don't", " - ", "A.M."]
    learnt = learn_subwords(dict.fromkeys(words, 2), size=200)
    assert set(words) <= set(learnt.entries)
    assert not {"york", "don", "AB", "\u00e9"} & set(learnt.entries)


def test_no_first_piece_looks_like_another_entry():
    learnt = learn_subwords({"##": 5, "##ab": 5, "[end]": 5, "[end]s": 5}, size=100)
    assert "[end]s" in learnt
    assert not {"##", "##ab"} & set(learnt.entries)


def test_a_base_keeps_its_ids_and_new_pieces_come_after():
    learnt = learn_subwords({"lowly": 4}, size=60, base=LEARNT)
    assert learnt.entries[: len(LEARNT)] == LEARNT.entries
    assert set(learnt.entries[len(LEARNT) :]) == {"y", "##y", "##ly", "##wly", "lowly"}
    assert learn_subwords(COUNTS, size=60, base=LEARNT).entries == LEARNT.entries
    assert ids_of(SubwordReader(learnt), ["lowest"]) == ids_of(READER, ["lowest"])


def test_a_size_without_room_for_the_characters_names_the_least():
    with pytest.raises(
        UserError, match=r"must be at least 10, for 4 special entries and each of 3 characters .*, got size=9"
    ):
        learn_subwords({"abc": 5, "ab": 1}, size=9)
    assert learn_subwords({"abc": 5, "ab": 1}, size=10).entries[4:] == ("a", "b", "c", "##a", "##b", "##c")


def test_what_is_saved_is_read_the_same(tmp_path):
    LEARNT.save(tmp_path / "pieces.txt")
    loaded = Vocabulary.load(tmp_path / "pieces.txt")
    assert loaded.entries == LEARNT.entries
    assert ids_of(SubwordReader(loaded), list(COUNTS)) == ids_of(READER, list(COUNTS))


def test_a_word_that_spells_another_entry_is_not_taken_for_it():
    pieces = Vocabulary([*SPECIAL, "end", "##end", "[", "##]", "#", "###"])
    reader = SubwordReader(pieces)
    read, _ = reader.pieces(rows(["[end]", "##end", "##", "[unknown]"]))
    assert strings(read) == [["[", "##end", "##]", "#", "###", "##end", "#", "###", "[unknown]"]]
    assert reader.ids(read.values).numpy()[-1] == UNKNOWN

    reader = SubwordReader(Vocabulary([*SPECIAL, "##end"]))
    read, _ = reader.pieces(rows(["[end]", "##end", "##ENDS"]))
    assert strings(read) == [["[end]", "[unknown]", "##ends"]]
    assert reader.ids(read.values).numpy().tolist() == [UNKNOWN] * 3


def test_a_word_is_unknown_as_a_whole():
    assert strings(READER.tokens(tf.constant(["Low lowx xlow lowt"]))) == [["low", "lowx", "xlow", "low", "##t"]]
    assert ids_of(READER, ["lowx", "xlow"]) == [[UNKNOWN], [UNKNOWN]]


def test_characters_are_known_at_the_beginning_and_inside_of_words():
    assert not any(UNKNOWN in ids for ids in ids_of(READER, ["京東", "🚀zürich🚀", "wol", "'"]))


def test_longer_words_are_unknown():
    reader = SubwordReader(LEARNT, max_characters=5)
    assert ids_of(reader, ["東京東京東", "東京東京東京"]) == [ids_of(READER, ["東京東京東"])[0], [UNKNOWN]]
    known = SubwordReader(Vocabulary([*SPECIAL, "lower"]), max_characters=4)
    assert ids_of(known, ["lower"]) == [[UNKNOWN]], "even one that is a piece"


def test_an_endless_word_costs_nothing_beside_many_others():
    """Spelled piece by piece, a million letters would take a million turns."""
    texts = tf.constant(["w" * 1_000_000, " ".join(["lowest"] * 10_000)])
    assert READER.tokens(texts).row_lengths().numpy().tolist() == [1, 20_000]


def test_a_task_takes_pieces_as_it_takes_words():
    texts = tf.constant(["Lowest!", "", "x"])
    for reader in (WordReader(LEARNT, None, split="punctuation"), READER):
        tokens = reader.tokens(texts)
        assert tokens.row_lengths().numpy().tolist()[1:] == [0, 1]
        ids = reader.ids(reader.at_least_one(tokens).to_tensor(""))
        assert ids.dtype == tf.int32
        assert ids[:, 0].numpy().tolist()[1:] == [UNKNOWN, UNKNOWN]
        assert ids[2, 1].numpy() == 0
    assert strings(READER.tokens(texts)) == [["low", "##est", "!"], [], ["x"]]


def test_no_words_are_no_pieces():
    assert READER.tokens(tf.constant([], tf.string)).nrows() == 0
    for words, expected in ((rows([], []), [[], []]), (rows(["", "low"], []), [["low"], []])):
        pieces, word_of_piece = READER.pieces(words)
        assert strings(pieces) == expected
        assert word_of_piece.row_lengths().numpy().tolist() == [len(row) for row in expected]
    assert pieces.dtype == tf.string
    assert word_of_piece.to_list() == [[1], []]


def test_a_saved_model_reads_the_same(tmp_path):
    module = tf.Module()
    module.reader = SubwordReader(LEARNT, split="punctuation")

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
    def serve(text):
        tokens = module.reader.tokens(text)
        return {"tokens": tokens.to_tensor(""), "ids": module.reader.ids(tokens.to_tensor(""))}

    tf.saved_model.save(module, str(tmp_path), signatures=serve)
    loaded = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    for texts in (["Lowest [end]!", "", "東京 x"], [""], []):
        for name, value in loaded(text=tf.constant(texts, tf.string)).items():
            assert value.numpy().tolist() == serve(tf.constant(texts, tf.string))[name].numpy().tolist()
