"""Vocabularies: files that round-trip, ids that stay."""

import time

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seqloom.pipelines.vocabulary import END, PADDING, SPECIAL, START, UNKNOWN, Vocabulary

# Whatever can be written as UTF-8, and more often what could break a file of lines.
ENTRY = st.text(st.characters(exclude_categories=("Cs",))) | st.text("\n\r\\n\x0b\x0c\x1c\x85\u2028 ")
ENTRIES = st.lists(ENTRY, unique=True, max_size=8)


@settings(max_examples=150, deadline=None)
@given(ENTRIES)
@example(["", "\n", "\\", "\\n", "\\\n", "\r", "\r\n", "\\r", "\u2028", "\ufeff", "\x00", " a "])
def test_what_is_saved_is_loaded(tmp_path_factory, entries):
    path = tmp_path_factory.mktemp("vocabulary") / "words.txt"
    Vocabulary(entries).save(path)
    assert Vocabulary.load(path).entries == tuple(entries)
    assert path.read_bytes().count(b"\n") == len(entries), "a person counts one line for each entry"


def test_the_first_four_ids_are_special():
    words = Vocabulary.count(["b a a"], 1, str.split)
    assert words.entries == (*SPECIAL, "a", "b")
    assert (PADDING, UNKNOWN, START, END) == (0, 1, 2, 3)
    assert words.id("never seen") == UNKNOWN


def test_a_text_that_spells_a_special_entry_is_unknown():
    words = Vocabulary.count(["a [end] [padding]"], 1, str.split)
    assert words.entries == (*SPECIAL, "a")
    assert [words.id(entry) for entry in (*SPECIAL, "a")] == [UNKNOWN] * 4 + [4]
    assert words.table().lookup(tf.constant([*SPECIAL, "a"])).numpy().tolist() == [UNKNOWN] * 4 + [4]


def test_entries_are_counted_cut_and_sorted_by_frequency_then_by_name():
    words = Vocabulary.count(["c b a c", "b c d"], 2, str.split)
    assert words.entries[4:] == ("c", "b")
    assert Vocabulary.count(["d c b a"], 1, str.split).entries[4:] == ("a", "b", "c", "d")


def test_a_special_entry_in_the_text_gets_no_second_id():
    assert Vocabulary.count(["[unknown] [padding] x"], 1, str.split).entries == (*SPECIAL, "x")


def test_a_base_keeps_its_ids_and_new_entries_come_after():
    base = Vocabulary.count(["x y", "x"], 1, str.split)
    extended = Vocabulary.count(["z z z x"], 1, str.split, base)
    assert extended.entries == (*base.entries, "z")
    labels = Vocabulary.labels(["b", "c"])
    assert Vocabulary.labels(["a", "c"], labels).entries == ("b", "c", "a")
    assert Vocabulary.labels(["c", "b"], labels).entries == labels.entries


def test_labels_have_no_special_entries_and_must_be_known():
    labels = Vocabulary.labels(["y", "x", "y"])
    assert labels.entries == ("x", "y")
    assert labels.index("y") == 1
    assert "x" in labels
    assert "z" not in labels
    with pytest.raises(KeyError):
        labels.index("z")


def test_many_entries_extend_many_in_linear_time():
    base = Vocabulary([*SPECIAL, *(f"old {number}" for number in range(20_000))])
    new = [f"new {number}" for number in range(20_000)]
    started = time.process_time()
    assert len(Vocabulary.count([new], 1, list, base)) == len(base) + len(new)
    assert len(Vocabulary.labels(new, base)) == len(base) + len(new)
    assert time.process_time() - started < 1.0, "one set for each entry takes some seconds"


def test_repeated_entries_are_refused():
    with pytest.raises(ValueError, match="entries must be distinct"):
        Vocabulary(["a", "a"])


@settings(max_examples=20, deadline=None)
@given(ENTRIES, st.lists(st.text(st.characters(exclude_categories=("Cs",))), max_size=4))
def test_the_table_of_a_graph_says_what_id_says(entries, others):
    words = Vocabulary([*SPECIAL, *entries])
    asked = [*words.entries, *others]
    assert words.table().lookup(tf.constant(asked)).numpy().tolist() == [words.id(entry) for entry in asked]
