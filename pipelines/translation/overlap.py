"""How much of a sentence stands in train already: the training sentence that is nearest to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sklearn.feature_extraction.text import TfidfVectorizer

Tokens = Callable[[Sequence[str]], list[list[str]]]

# Similarities that are held at a time: 64 MB of them.
_AT_A_TIME = 8_000_000


class Neighbour(NamedTuple):
    """The training sentence that resembles a sentence most.

    Args:
        place: of the training sentence; the first of equally near ones, `None` if no word is common to any.
        similarity: in [0, 1].
    """

    place: int | None
    similarity: float


def nearest_sentences(train: Sequence[str], asked: Sequence[str], tokens: Tokens) -> list[Neighbour]:
    """Finds the nearest training sentence by the cosine between vectors of TF-IDF of words.

    Args:
        train: training sentences.
        asked: sentences whose neighbours are wanted.
        tokens: splits sentences into words.

    Example:
        >>> train = ["the cat sleeps", "a dog barks", "the dog sleeps"]
        >>> found = nearest_sentences(train, ["a dog sleeps", "hello"], lambda texts: [text.split() for text in texts])
        >>> [(place, round(similarity, 2)) for place, similarity in found]
        [(1, 0.67), (None, 0.0)]

    References:
        Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988.
    """
    known, wanted = tokens(train), tokens(asked)
    if not any(known) or not asked:
        return [Neighbour(None, 0.0)] * len(asked)
    vectorizer = TfidfVectorizer(analyzer=list)
    vectors, queries = vectorizer.fit_transform(known).T.tocsr(), vectorizer.transform(wanted)
    rows, found = max(1, _AT_A_TIME // len(train)), []
    for start in range(0, len(asked), rows):
        similarities = (queries[start : start + rows] @ vectors).toarray()  # (rows, training sentences)
        for place, similarity in zip(similarities.argmax(axis=1), similarities.max(axis=1), strict=True):
            found.append(Neighbour(int(place) if similarity > 0 else None, min(float(similarity), 1.0)))
    return found
