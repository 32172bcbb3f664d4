"""What the phonemes of terms tell: how long words are, and how far two of them are apart."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np

from ..reporting.classifiers import ranges

_LASTS = (2, 3, 4, 5, 6, 8, 10)
LENGTHS = ranges(_LASTS, first=1)  # ranges of numbers of phonemes, as they are written


def length_of(phonemes: Sequence[str]) -> str:
    """The one of `LENGTHS` in which a word lies; empty if its phonemes are not known.

    Example:
        >>> length_of(["s", "eh", "v", "ah", "n"]), length_of([])
        ('5', '')
    """
    return LENGTHS[bisect_left(_LASTS, len(phonemes))] if phonemes else ""


def edit_distances(words: Sequence[Sequence[str]]) -> np.ndarray:
    """How many phonemes must be put in, left out or replaced to make one word of another (Levenshtein).

    Args:
        words: phonemes of each.

    Returns:
        int array `(words, words)`.

    Example:
        >>> edit_distances([["w", "ah", "n"], ["n", "ay", "n"], ["ah", "n"]]).tolist()
        [[0, 2, 1], [2, 0, 2], [1, 2, 0]]
    """
    distinct = list(dict.fromkeys(tuple(word) for word in words))
    phonemes = dict.fromkeys(phoneme for word in distinct for phoneme in word)
    numbers = {phoneme: number for number, phoneme in enumerate(phonemes)}
    lengths = np.array([len(word) for word in distinct], np.int64)
    others = np.full((len(distinct), lengths.max(initial=0)), -1)
    for row, word in zip(others, distinct, strict=True):
        row[: len(word)] = [numbers[phoneme] for phoneme in word]
    columns = np.arange(others.shape[1] + 1)
    found = np.zeros((len(distinct), len(distinct)), np.int64)
    for place, word in enumerate(distinct):
        # from what was read of the word to the first phonemes of each other
        line = np.tile(columns, (len(distinct), 1))
        for phoneme in word:
            replaced = line[:, :-1] + (others != numbers[phoneme])
            without = np.concatenate([line[:, :1] + 1, np.minimum(replaced, line[:, 1:] + 1)], axis=1)
            line = np.minimum.accumulate(without - columns, axis=1) + columns
        found[place] = line[np.arange(len(distinct)), lengths]
    known = {word: place for place, word in enumerate(distinct)}
    places = np.array([known[tuple(word)] for word in words], np.int64)
    return found[np.ix_(places, places)]
