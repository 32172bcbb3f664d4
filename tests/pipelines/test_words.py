"""The text function: as many words as white space says, the same eager and in a graph, for every text there is."""

import os
import random
import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqloom.pipelines.vocabulary import SPECIAL, UNKNOWN, Vocabulary
from seqloom.pipelines.words import WordReader, normal_forms

KNOWN = ["to", "denver", "st.", "o'hare", "zürich", "new", "東京", "ñandú", "a.m."]
READER = WordReader(
    Vocabulary([*SPECIAL, *KNOWN]), Vocabulary([*SPECIAL, *"abcdenotrvü東🚀"]), lowercase=True, max_characters=6
)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

TEXTS = st.one_of(
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=20),
    st.text(st.sampled_from("a.\t\n\v\f\r \x00\x1c\x85\u00a0\u2003\u3000🚀İß"), max_size=12).map(str.encode),
    st.lists(st.sampled_from([*KNOWN, "Denver.", "(to)", "..."]), max_size=5).map(" ".join).map(str.encode),
)


def read(texts):
    """Everything that the reader says of texts."""
    tokens = READER.tokens(texts)
    words = READER.at_least_one(tokens).to_tensor("")
    return (tokens.values, tokens.row_lengths(), words, READER.ids(words), *READER.characters(words))


IN_GRAPH = tf.function(read, input_signature=[tf.TensorSpec([None], tf.string)])


def words_of(*texts):
    return [[word.decode() for word in row] for row in READER.tokens(tf.constant(texts)).to_list()]


@settings(max_examples=120, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
@example([b"a\x1cb\x1dc", "a\x85b\u00a0c\u2028d\u3000e".encode(), b"\xef\xbb\xbfa b"])
@example([b"\xff \xe2\x82 \xf0\x9f\x9a \xc0\xaf"])
@example([b"", b" \t\n\v\f\r ", b"\x00", b"\x00 \x7f"])
@example([b"\xed\xa0\x80 \xed\xb0\x80", b"\xf5\x80\x80\x80 x", "👩‍👩‍👧 🇦🇹 e\u0301".encode()])
def test_there_are_as_many_words_as_white_space_says_and_all_of_them_are_clean(texts):
    tokens = READER.tokens(tf.constant(texts))
    assert tokens.row_lengths().numpy().tolist() == [len(text.split()) for text in texts]
    for word in tokens.values.numpy():
        assert not re.search(r"[\x00-\x20\x7f]", word.decode("utf-8"))
        assert word


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_graph_reads_what_eager_code_reads(texts):
    for eager, graph in zip(read(tf.constant(texts)), IN_GRAPH(tf.constant(texts)), strict=True):
        np.testing.assert_array_equal(eager.numpy(), graph.numpy())


@settings(max_examples=25, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=4))
def test_a_row_is_read_alone_as_beside_others(texts):
    together = READER.tokens(tf.constant(texts)).to_list()
    assert together == [READER.tokens(tf.constant([text])).to_list()[0] for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("denver.", ["denver"]),
        ('"(denver)!?"', ["denver"]),
        ("Denver,", ["Denver"]),
        ("ZÜRICH;", ["ZÜRICH"]),
        ("東京!", ["東京"]),
        ("st.", ["st."]),
        ("a.m.", ["a.m."]),
        ("(a.m.", ["(a.m."]),
        ("paris.", ["paris."]),
        ("...", ["..."]),
        ("o'hare's", ["o'hare's"]),
        ("to-denver", ["to-denver"]),
        ("to , denver", ["to", ",", "denver"]),
        ("[unknown]", ["[unknown]"]),
    ],
)
def test_punctuation_goes_only_where_that_makes_a_known_word(text, expected):
    assert words_of(text) == [expected]


def test_invalid_bytes_and_control_characters_are_replaced():
    assert words_of(b"a\xffb", b"\x01 x\x07y", "a\x80b".encode()) == [
        [f"a{REPLACEMENT}b"],
        [REPLACEMENT, f"x{REPLACEMENT}y"],
        ["a\x80b"],
    ]


def test_upper_case_is_read_as_lower_case_in_every_script():
    words = ["Denver", "ZÜRICH", "ÑANDÚ", "Zürich"]
    assert READER.ids(tf.constant(words)).numpy().tolist() == [KNOWN.index(word.lower()) + 4 for word in words]
    assert normal_forms(["ÀÉÎ", "ДОМ", "ΑΒΓ", "東京", "🚀", "STRASSE"], lowercase=True) == [
        "àéî", "дом", "αβγ", "東京", "🚀", "strasse",
    ]  # fmt: skip


def test_case_is_kept_where_the_settings_say_so():
    reader = WordReader(Vocabulary([*SPECIAL, "Denver"]), Vocabulary([*SPECIAL, "D"]), lowercase=False)
    assert reader.ids(tf.constant(["Denver", "denver"])).numpy().tolist() == [4, UNKNOWN]
    assert reader.characters(tf.constant([["Dd"]]))[0].numpy().tolist() == [[[4, UNKNOWN]]]
    assert normal_forms(["Denver"], lowercase=False) == ["Denver"]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), min_size=1, max_size=5))
def test_what_is_counted_is_what_is_looked_up(words):
    reader = WordReader(Vocabulary([*SPECIAL, *dict.fromkeys(normal_forms(words, lowercase=True))]), None)
    assert UNKNOWN not in reader.ids(tf.constant(words)).numpy()


def test_ids_keep_the_shape_and_take_empty_strings_for_padding():
    ids = READER.ids(tf.constant([["to", "paris"], ["denver", ""]]))
    assert ids.dtype == tf.int32
    assert ids.numpy().tolist() == [[4, UNKNOWN], [5, 0]]


def test_characters_are_code_points_cut_at_the_longest():
    ids, counts = READER.characters(tf.constant([["東🚀", "denver."], ["x", ""]]))
    assert ids.dtype == counts.dtype == tf.int32
    assert counts.numpy().tolist() == [[2, 6], [1, 0]]
    entries = [*SPECIAL, *"abcdenotrvü東🚀"]
    spelled = [[[entries[index] for index in word] for word in row] for row in ids.numpy()]
    assert spelled[0][0] == ["東", "🚀", *["[padding]"] * 4]
    assert spelled[0][1] == list("denver")
    assert spelled[1] == [["[unknown]", *["[padding]"] * 5], ["[padding]"] * 6]


def test_characters_need_a_vocabulary():
    with pytest.raises(ValueError, match="without a vocabulary of characters"):
        WordReader(Vocabulary(SPECIAL), None).characters(tf.constant([["a"]]))


def test_empty_rows_get_one_unknown_word():
    filled = READER.at_least_one(READER.tokens(tf.constant(["", "to denver", " \n"])))
    assert filled.row_lengths().numpy().tolist() == [1, 2, 1]
    assert READER.ids(filled.to_tensor("")).numpy().tolist() == [[UNKNOWN, 0], [4, 5], [UNKNOWN, 0]]


def test_no_rows_are_no_rows():
    assert READER.at_least_one(READER.tokens(tf.constant([], tf.string))).nrows() == 0


def test_ten_thousand_words_beside_one():
    chosen = random.Random(0).choices(KNOWN, k=10_000)
    ids = READER.ids(READER.tokens(tf.constant([" ".join(chosen), "to"])).to_tensor("")).numpy()
    assert ids.shape == (2, 10_000)
    assert ids[0].tolist() == [KNOWN.index(word) + 4 for word in chosen]
    assert ids[1].sum() == 4


def test_a_word_of_a_million_letters():
    word = "a" * 1_000_000
    assert words_of(word) == [[word]]
    assert READER.characters(tf.constant([[word]]))[1].numpy().tolist() == [[6]]


def test_an_endless_word_takes_no_memory_beside_many_others():
    """Were every word as wide as the widest one, these ids would take 800 MB."""
    words = tf.constant([["a" * 100_000] + ["to"] * 1999])
    peak = Path("/proc/self/clear_refs")
    if not os.access(peak, os.W_OK):
        pytest.skip("the peak of the memory cannot be reset here")
    peak.write_text("5")
    before = memory("VmHWM")
    READER.characters(words)
    assert memory("VmHWM") - before < 200_000


def memory(name):
    """A field of this process in kB."""
    return int(re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="utf-8")).group(1))
