"""Edit distances of phonemes against jiwer, and lengths of words."""

import itertools

import jiwer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.pipelines.spoken_term_search.phonemes import LENGTHS, edit_distances, length_of

WORDS = st.lists(st.lists(st.sampled_from(["ah", "n", "w", "iy"]), min_size=1, max_size=7), min_size=1, max_size=6)


@given(WORDS)
def test_distances_are_the_edits_of_jiwer(words):
    found = edit_distances(words)
    assert found.shape == (len(words), len(words))
    for (row, one), (column, other) in itertools.product(enumerate(words), enumerate(words)):
        edits = jiwer.process_words(" ".join(one), " ".join(other))
        assert found[row, column] == edits.substitutions + edits.deletions + edits.insertions


def test_unknown_words_are_as_far_as_the_others_are_long():
    assert edit_distances([[], ["ah"], ["ah", "n"]]).tolist() == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
    assert edit_distances([]).shape == (0, 0)
    assert edit_distances([[]]).tolist() == [[0]]


def test_many_words_take_no_time():
    draw = np.random.default_rng(0)
    words = [draw.integers(40, size=draw.integers(1, 12)).tolist() for _ in range(500)]
    distances = edit_distances([[str(each) for each in word] for word in words])
    assert (distances == distances.T).all()
    assert (distances <= np.maximum.outer(*[list(map(len, words))] * 2)).all()


@pytest.mark.parametrize(("count", "name"), [(1, "up to 2"), (2, "up to 2"), (3, "3"), (7, "7–8"), (30, "11 or more")])
def test_lengths_are_ranges(count, name):
    assert length_of(["ah"] * count) == name
    assert name in LENGTHS
