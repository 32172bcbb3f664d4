"""The nearest training sentence, against vectors of TF-IDF written out."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.translation import overlap
from seqloom.pipelines.translation.overlap import nearest_sentences

SENTENCES = st.lists(st.lists(st.sampled_from("abcdef"), max_size=6).map(" ".join), min_size=1, max_size=12)
KNOWN = SENTENCES.filter(any)


def tokens(texts):
    return [text.split() for text in texts]


def cosines(train, asked):
    """Counts times `ln((1 + n) / (1 + df)) + 1`, one row of cosines for each sentence that is asked."""
    words = sorted({word for text in train for word in text.split()})
    counts = [np.array([[text.split().count(word) for word in words] for text in texts]) for texts in (train, asked)]
    weights = np.log((1 + len(train)) / (1 + (counts[0] > 0).sum(axis=0))) + 1
    known, wanted = (count.reshape(-1, len(words)) * weights for count in counts)
    lengths = [np.maximum(np.linalg.norm(vectors, axis=1), 1e-12) for vectors in (known, wanted)]
    return (wanted / lengths[1][:, None]) @ (known / lengths[0][:, None]).T


@settings(deadline=None)
@given(KNOWN, SENTENCES)
def test_similarities_are_the_greatest_cosines(train, asked):
    expected = cosines(train, asked)
    for row, (place, similarity) in zip(expected, nearest_sentences(train, asked, tokens), strict=True):
        assert similarity == pytest.approx(max(row.max(), 0), abs=1e-9)
        assert (place is None) == (row.max() <= 0)
        assert place is None or row[place] == pytest.approx(row.max(), abs=1e-9)
        assert similarity <= 1


def test_the_first_of_equally_near_sentences_is_taken():
    assert nearest_sentences(["x", "a b", "b a"], ["b a"], tokens) == [(1, pytest.approx(1))]


def test_parts_give_what_the_whole_gives(monkeypatch):
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(list("abcdefgh"), 4)) for _ in range(60)]
    whole = nearest_sentences(texts[:40], texts[40:], tokens)
    monkeypatch.setattr(overlap, "_AT_A_TIME", 100)
    assert nearest_sentences(texts[:40], texts[40:], tokens) == whole
    assert nearest_sentences(texts[:40], texts[45:46], tokens) == whole[5:6]


def test_nothing_known_or_nothing_asked():
    assert nearest_sentences(["", " "], ["a"], tokens) == [(None, 0)]
    assert nearest_sentences(["a"], [], tokens) == []
