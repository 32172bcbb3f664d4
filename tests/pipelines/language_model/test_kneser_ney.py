"""Modified Kneser-Ney against the formula, computed from the texts for each probability anew."""

import functools
import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.language_model import END, START, UNKNOWN, fit
from seqloom.pipelines.language_model.kneser_ney import FALLBACK_DISCOUNTS, discounts

TEXTS = st.lists(st.lists(st.sampled_from("abc"), max_size=6), min_size=1, max_size=8)


def rich_texts():
    """Enough n-grams that were seen once, twice, three and four times to estimate all discounts of all orders."""
    draw = random.Random(0)
    return ["".join(draw.choices("abcdefghij", [20, 12, 8, 5, 3, 2, 1, 0.5, 0.2, 0.2], k=6)) for _ in range(40)]


def occurrences(texts, ngram):
    places = [(text, at) for text in texts for at in range(len(text) - len(ngram) + 1)]
    return sum(tuple(text[at : at + len(ngram)]) == ngram for text, at in places)


def modified_count(texts, ngram, order):
    if len(ngram) == order or ngram[0] == START:
        return occurrences(texts, ngram)
    tokens = {token for text in texts for token in text}
    return sum(occurrences(texts, (token, *ngram)) > 0 for token in tokens)


def by_the_formula(texts, order, vocabulary_size):
    """`p(word, history)`, for histories no longer than `order - 1`."""
    tokens = {token for text in texts for token in text}

    @functools.cache
    def counts(length):
        found = {tuple(text[at : at + length]) for text in texts for at in range(len(text) - length + 1)} - {(START,)}
        return {ngram: modified_count(texts, ngram, order) for ngram in found}

    @functools.cache
    def discount(length):
        n = Counter(counts(length).values())
        if n[1] and n[2] and n[3] and n[4]:
            Y = n[1] / (n[1] + 2 * n[2])
            estimates = tuple(count - (count + 1) * Y * n[count + 1] / n[count] for count in (1, 2, 3))
            if min(estimates) > 0:
                return estimates
        return FALLBACK_DISCOUNTS

    def p(word, history):
        following = {token: counts(len(history) + 1).get((*history, token), 0) for token in tokens}
        total = sum(following.values())
        lower = p(word, history[1:]) if history else 1 / vocabulary_size
        if not total:
            return lower
        D = (0, *discount(len(history) + 1))
        gamma = sum(D[min(count, 3)] for count in following.values()) / total
        count = following.get(word, 0)
        return (count - D[min(count, 3)]) / total + gamma * lower

    return p


def assert_equals_the_formula(texts, order):
    model = fit(texts, order, vocabulary=["z"])
    padded = [(START, *text, END) for text in texts]
    p = by_the_formula(padded, order, len(model.vocabulary))
    histories = {tuple(text[at:end]) for text in padded for end in range(len(text)) for at in range(end + 1)}
    histories = sorted(history for history in histories if len(history) < order) + [("z",) * (order - 1)]
    for history in histories[:: 1 + len(histories) // 50]:
        for word in model.vocabulary:
            found = math.exp(model.log_probability(word, history))
            assert math.isclose(found, p(word, history), rel_tol=1e-9), (word, history)


@settings(max_examples=25, deadline=None)
@given(TEXTS, st.integers(1, 3))
def test_equals_the_formula(texts, order):
    assert_equals_the_formula(texts, order)


def test_equals_the_formula_where_discounts_are_estimated():
    assert_equals_the_formula(rich_texts(), order=3)
    pairs = Counter(text[at : at + 2] for text in rich_texts() for at in range(5))
    assert discounts(pairs.values()) != FALLBACK_DISCOUNTS


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.integers(1, 4), st.lists(st.sampled_from(["a", "b", "c", "never"]), max_size=4), st.booleans())
def test_distributions_sum_to_one(texts, order, context, at_start):
    model = fit(texts, order, vocabulary=["x", "y"])
    context = [START, *context] if at_start else context
    assert {UNKNOWN, END, "x", "y"} <= set(model.vocabulary)
    total = sum(math.exp(model.log_probability(word, context)) for word in model.vocabulary)
    assert math.isclose(total, 1.0, rel_tol=1e-9)


def test_what_was_never_seen_is_unknown():
    model = fit([["one", "two"], ["two", START, "two"]], order=2)
    assert model.vocabulary == (UNKNOWN, END, "one", "two")
    for word in ("seven", START, UNKNOWN):
        assert model.log_probability(word, ["two"]) == model.log_probability(UNKNOWN, ["two"])
    assert model.score(["one", "seven"]) == model.score(["one", UNKNOWN])
    assert model.score(["one", END]) == model.score(["one", UNKNOWN])  # a word that spells a symbol is none


def test_a_text_is_the_product_of_its_words():
    model = fit(rich_texts(), order=3)
    expected = (
        model.log_probability("a", [START])
        + model.log_probability("b", [START, "a"])
        + model.log_probability(END, ["a", "b"])
    )
    assert math.isclose(model.score("ab"), expected)
    assert math.isclose(model.perplexity(["ab", "ab"]), math.exp(-expected / 3))
    assert math.isclose(model.score(""), model.log_probability(END, [START]))


def test_more_context_predicts_better():
    texts = ["abcabcabcabc"] * 20
    perplexities = [fit(texts, order).perplexity(texts) for order in (1, 2, 3)]
    assert perplexities == sorted(perplexities, reverse=True)
    assert perplexities[1] < 1.5 < 3 < perplexities[0]


def test_refuses():
    with pytest.raises(ValueError, match="order must be a positive integer, got order=0"):
        fit(["a"], order=0)
    with pytest.raises(ValueError, match="texts must hold at least one text, got none"):
        fit([], order=2)
    with pytest.raises(ValueError, match="texts must hold at least one text"):
        fit(["a"], order=2).perplexity([])
