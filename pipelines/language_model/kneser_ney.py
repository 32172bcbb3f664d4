"""Interpolated modified Kneser-Ney smoothing."""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from .backoff_model import END, START, UNKNOWN, BackoffModel, Ngram

# of n-grams seen once, twice, and more often, where the counts are too few for an estimate
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)


def fit(texts: Iterable[Sequence[str]], order: int, vocabulary: Iterable[str] = ()) -> BackoffModel:
    """Estimates a model from texts (Chen and Goodman, 1999, section 3).

    `p(w | h) = (c(h w) - D(c(h w))) / c(h) + g(h) p(w | h')`, where `h'` lacks the first word of `h`, and `g(h)` makes
    the probabilities sum to one. Below the highest order, `c(h w)` counts the different words that stand before `h w`;
    n-grams that begin a text are counted as they are, since nothing stands before them. The unigrams are interpolated
    with the uniform distribution over the vocabulary, from which words that were never seen have their probability.

    Args:
        texts: words of each text; of a `str`, its characters are the words.
        order: int. Words of the longest n-grams, at least 1.
        vocabulary: words that shall be known, although the texts need not have them.

    Returns:
        The model. All n-grams of the texts are kept.

    Raises:
        ValueError: if `order` is not positive, or if there are no texts.

    Example:
        >>> model = fit(["abab", "ab"], order=2)
        >>> sum(math.exp(model.log_probability(word, "a")) for word in model.vocabulary)
        1.0
        >>> model.log_probability("b", "a") > model.log_probability("a", "a")
        True

    References:
        Chen and Goodman (1999), An empirical study of smoothing techniques for language modeling.
        Kneser and Ney (1995), Improved backing-off for m-gram language modeling.
    """
    if order < 1:
        raise ValueError(f"order must be a positive integer, got order={order}")
    counts = _adjusted(_counted(texts, order))
    if not counts[0]:
        raise ValueError("texts must hold at least one text, got none")
    words = {(word,) for word in (*vocabulary, UNKNOWN, END)} - {(START,)} | set(counts[0])
    log_probabilities: dict[Ngram, float] = {}
    backoffs: dict[Ngram, float] = {}
    lower: Mapping[Ngram, float] = {(): 1 / len(words)}
    for length, of_length in enumerate(counts, start=1):
        probabilities, weights = _interpolated(of_length, lower)
        if length == 1:
            unseen = weights[()] * lower[()]
            probabilities.update(dict.fromkeys(sorted(words - set(of_length)), unseen))
        else:
            backoffs.update({history: math.log(weight) for history, weight in weights.items()})
        log_probabilities.update({ngram: math.log(value) for ngram, value in probabilities.items()})
        lower = probabilities
    return BackoffModel(order, log_probabilities, backoffs)


def discounts(counts: Iterable[int]) -> tuple[float, float, float]:
    """What is taken off the counts 1, 2, and 3 or more (Chen and Goodman, 1999, equation 17).

    `FALLBACK_DISCOUNTS` if one of them would not be positive, or cannot be estimated, because too few n-grams were seen
    once, twice, three and four times.

    Example:
        >>> discounts([1, 1, 1, 1, 2, 2, 3, 4])
        (0.5, 1.25, 1.0)
        >>> discounts([7, 9])
        (0.5, 1.0, 1.5)
    """
    of_counts = Counter(counts)
    n_1, n_2, n_3, n_4 = (of_counts[count] for count in (1, 2, 3, 4))
    if not (n_1 and n_2 and n_3 and n_4):
        return FALLBACK_DISCOUNTS
    Y = n_1 / (n_1 + 2 * n_2)
    estimate = (1 - 2 * Y * n_2 / n_1, 2 - 3 * Y * n_3 / n_2, 3 - 4 * Y * n_4 / n_3)
    return estimate if min(estimate) > 0 else FALLBACK_DISCOUNTS


def _counted(texts: Iterable[Sequence[str]], order: int) -> list[Counter[Ngram]]:
    """How often each n-gram stands in the texts, shortest n-grams first."""
    counts: list[Counter[Ngram]] = [Counter() for _ in range(order)]
    for text in texts:
        words = (UNKNOWN if word in (START, END) else word for word in text)
        tokens = (START, *words, END)
        for length, of_length in enumerate(counts, start=1):
            of_length.update(tokens[at : at + length] for at in range(len(tokens) - length + 1))
    del counts[0][START,]  # nothing predicts it
    return counts


def _adjusted(counts: list[Counter[Ngram]]) -> list[Counter[Ngram]]:
    """Counts of different words before the n-gram, below the highest order."""
    adjusted = []
    for of_length, longer in itertools.pairwise(counts):
        before = Counter(ngram[1:] for ngram in longer)
        before.update({ngram: count for ngram, count in of_length.items() if ngram[0] == START})
        adjusted.append(before)
    return [*adjusted, counts[-1]]


def _interpolated(
    counts: Mapping[Ngram, int], lower: Mapping[Ngram, float]
) -> tuple[dict[Ngram, float], dict[Ngram, float]]:
    """Probabilities of n-grams, and the weight that each history gives to the shorter one."""
    D = (0.0, *discounts(counts.values()))
    total: dict[Ngram, int] = defaultdict(int)
    spared: dict[Ngram, float] = defaultdict(float)
    for ngram, count in counts.items():
        total[ngram[:-1]] += count
        spared[ngram[:-1]] += D[min(count, 3)]
    weights = {history: spared[history] / total[history] for history in total}
    probabilities = {}
    for ngram, count in counts.items():
        history = ngram[:-1]
        shorter = lower[ngram[1:] if history else ()]
        probabilities[ngram] = (count - D[min(count, 3)]) / total[history] + weights[history] * shorter
    return probabilities, weights
