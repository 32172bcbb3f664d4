"""A dictionary learnt from pairs of sentences: for each source word the target unit that goes with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer

LONGEST_UNIT = 4  # symbols
MIN_COUNT = 2  # pairs that a unit must occur in
ITERATIONS = 5  # of model 1
# The highest chrF on the valid split of cmn_eng, of 0, 0.05, 0.1, 0.15, 0.2 and 0.3; below, words such as "the" are
# translated by what they only stand beside.
LEAST_ASSOCIATION = 0.15

Unit = tuple[str, ...]

# How often a word stands in a pair with a unit, over all pairs: about 1 GB while the dictionary is learnt.
_MOST_MEETINGS = 12_000_000


class _Meetings(NamedTuple):
    """Each time that a word and a unit stand in a pair of sentences; the arrays are as long as there are of them.

    Args:
        unit_of_pair: place of the unit in its pair of sentences, counted through over all pairs.
        kind: place of the word and the unit among all combinations of a word and a unit.
        word: of each combination.
        unit: of each combination.
    """

    unit_of_pair: np.ndarray
    kind: np.ndarray
    word: np.ndarray
    unit: np.ndarray


def learn_dictionary(sources: Sequence[Sequence[str]], targets: Sequence[Sequence[str]]) -> dict[str, Unit]:
    """Finds the unit, one to `LONGEST_UNIT` neighbouring symbols, that goes with each source word.

    A unit of several symbols holds no punctuation.

    How often a word is the cause of a unit is counted by model 1 of Brown et al. (1993), for which every word of a
    sentence may be, so that a frequent word does not take what belongs to its neighbours. The unit of a word is the one
    with the highest Dice coefficient, `2 c(word, unit) / (c(word) + c(unit))`, as Smadja et al. (1996) translate
    collocations, with these counts in place of plain co-occurrences; of equals the longest. A word whose best
    coefficient is below `LEAST_ASSOCIATION` has none. All counts are of pairs of sentences. Of a very large corpus the
    first pairs are used, as many as fit into memory.

    Args:
        sources: words of source sentences.
        targets: symbols of their translations.

    Example:
        >>> sources, targets = [["one", "dog"], ["one", "cat"], ["a", "dog"]], ["一狗", "一猫", "狗"]
        >>> learn_dictionary(sources, targets)["dog"]
        ('狗',)

    References:
        - Brown, Della Pietra, Della Pietra and Mercer, "The mathematics of statistical machine translation: parameter
          estimation", 1993.
        - Smadja, McKeown and Hatzivassiloglou, "Translating collocations for bilingual lexicons: a statistical
          approach", 1996.
    """
    if not any(sources) or not any(targets):
        return {}
    vectorizer = CountVectorizer(analyzer=list, binary=True, dtype=np.int64)
    words = vectorizer.fit_transform(sources)
    units, names = _units(targets)
    some = _as_many_as_fit(words, units)
    words, units = words[:some], units[:some]
    met = _meetings(words, units)
    expected = _model_1(met)
    dice = 2 * expected / (_columns(words)[met.word] + _columns(units)[met.unit])
    length = np.array([len(name) for name in names])
    ranked = np.lexsort((-length[met.unit], -dice, met.word))
    best = ranked[np.diff(met.word[ranked], prepend=-1) > 0]
    spelled = vectorizer.get_feature_names_out()
    return {spelled[met.word[at]]: names[met.unit[at]] for at in best.tolist() if dice[at] >= LEAST_ASSOCIATION}


def _units(targets: Sequence[Sequence[str]]) -> tuple[sparse.csr_matrix, list[Unit]]:
    """Which units stand in which target, and the units; rare ones are left out, unless that leaves none."""

    def ngrams(symbols: Sequence[str]) -> Iterator[Unit]:
        for length in range(1, LONGEST_UNIT + 1):
            for start in range(len(symbols) - length + 1):
                unit = tuple(symbols[start : start + length])
                if length == 1 or all(symbol.isalnum() for symbol in unit):
                    yield unit

    vectorizer = CountVectorizer(analyzer=ngrams, binary=True, dtype=np.int64)
    every = vectorizer.fit_transform(targets)
    counts = _columns(every)
    kept = np.flatnonzero(counts >= min(MIN_COUNT, counts.max()))
    names = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
    return every[:, kept].tocsr(), [names[place] for place in kept]


def _columns(matrix: sparse.csr_matrix) -> np.ndarray:
    """In how many rows each column has a one."""
    return np.bincount(matrix.indices, minlength=matrix.shape[1])


def _as_many_as_fit(words: sparse.csr_matrix, units: sparse.csr_matrix) -> int:
    meetings = np.cumsum(np.diff(words.indptr).astype(np.int64) * np.diff(units.indptr))
    return max(1, int(np.searchsorted(meetings, _MOST_MEETINGS, side="right")))


def _meetings(words: sparse.csr_matrix, units: sparse.csr_matrix) -> _Meetings:
    """Combines every word of each pair of sentences with every unit."""
    in_source, in_target = np.diff(words.indptr), np.diff(units.indptr)
    together = (in_source * in_target).astype(np.int64)
    pair = np.repeat(np.arange(len(together)), together)
    number = np.arange(len(pair)) - np.repeat(np.cumsum(together) - together, together)  # within the pair
    unit_of_pair = units.indptr[pair] + number % in_target[pair]
    word_of_pair = words.indptr[pair] + number // in_target[pair]
    combined = words.indices[word_of_pair].astype(np.int64) * units.shape[1] + units.indices[unit_of_pair]
    kinds, kind = np.unique(combined, return_inverse=True)
    return _Meetings(unit_of_pair, kind, *np.divmod(kinds, units.shape[1]))


def _model_1(met: _Meetings) -> np.ndarray:
    """How often each word is expected to be the cause of each unit, `(kinds,)`."""
    probability = np.ones(len(met.word))
    expected: np.ndarray = probability
    for _ in range(ITERATIONS):
        share = probability[met.kind]
        share /= np.bincount(met.unit_of_pair, share)[met.unit_of_pair]
        expected = np.bincount(met.kind, share, minlength=len(met.word))
        probability = expected / np.bincount(met.word, expected)[met.word]
    return expected
