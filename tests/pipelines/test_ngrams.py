"""N-grams against counting by hand."""

from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.ngrams import Ngrams
from seqloom.pipelines.vocabulary import SPECIAL, Vocabulary

WORDS = Vocabulary([*SPECIAL, "a", "b", "c"])
TEXT = st.lists(st.integers(1, 6), max_size=8)


def found(texts, order):
    return [tuple(text[at : at + order]) for text in texts for at in range(len(text) - order + 1)]


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=5), st.integers(1, 3))
def test_what_occurs_often_enough_is_kept_and_found_where_it_begins(texts, min_count):
    ngrams = Ngrams.count(texts, [2, 3], min_count, len(WORDS))
    for order in (2, 3):
        counts = Counter(row for row in found(texts, order) if 1 not in row)
        frequent = {row for row, count in counts.items() if count >= min_count}
        assert {row for row in ngrams.rows if len(row) == order} == frequent
        kept = [counts[row] for row in ngrams.rows if len(row) == order]
        assert kept == sorted(kept, reverse=True)
        dense = tf.ragged.constant(texts, tf.int32, ragged_rank=1).to_tensor(0)
        numbers = ngrams.numbers(dense, order).numpy()
        for text, row in zip(texts, numbers, strict=True):
            for at, number in enumerate(row):
                ngram = tuple(text[at : at + order])
                expected = 1 + ngrams.rows.index(ngram) if ngram in frequent else 0
                assert number == expected


def test_saved_and_loaded(tmp_path):
    ngrams = Ngrams.count([[4, 5, 6, 4, 5]], [2, 3], 1, len(WORDS))
    ngrams.save(tmp_path / "ngrams.txt", WORDS)
    assert (tmp_path / "ngrams.txt").read_text().splitlines()[0] == "a b"
    assert Ngrams.load(tmp_path / "ngrams.txt", WORDS).rows == ngrams.rows


def test_no_ngrams_at_all(tmp_path):
    ngrams = Ngrams([], len(WORDS))
    assert len(ngrams) == 1
    assert not np.any(ngrams.numbers(tf.constant([[4, 5]]), 2))
    ngrams.save(tmp_path / "ngrams.txt", WORDS)
    assert Ngrams.load(tmp_path / "ngrams.txt", WORDS).rows == ()


def test_a_vocabulary_too_large_for_the_order_is_refused():
    with pytest.raises(ValueError, match=r"too many for n-grams of order 4; raise min_count"):
        Ngrams.count([[4, 5, 6, 7]], [4], 1, 100_000)
