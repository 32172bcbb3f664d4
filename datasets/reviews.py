"""Generated reviews: the sample of sentiment analysis, which needs no file and no network."""

from __future__ import annotations

import random
import re
from pathlib import Path

from .corpus import Corpus
from .grammar import Grammar, Sampler, generate_corpus
from .labelled_text import LabelledText
from .review_grammar import POLARITIES, RULES, TOPICS, VALUES

SIZES = {"train": 2000, "valid": 300, "test": 500}

_GRAMMAR = Grammar(RULES, VALUES)

_LABELS = {"good": "positive", "bad": "negative"}

_DESCRIPTION = (
    "Reviews of films, books, restaurants, phones, hotels and concerts that a grammar generates; the same words stand "
    "in positive and negative reviews, so that negation, contrast and the writer's stance decide; some names and "
    "nouns occur in valid and test only."
)


def generate(seed: int, train: int, valid: int, test: int) -> Corpus[LabelledText]:
    """Generates the corpus: the same reviews for the same arguments on every machine.

    No review occurs twice. The training split does not depend on the sizes of the others.

    Args:
        seed: integer, at least 0.
        train: the number of training reviews, at least 1.
        valid: the number of validation reviews, at least 1.
        test: the number of test reviews, at least 1.

    Raises:
        ValueError: if an argument is out of its range.

    Example:
        >>> corpus = generate(seed=0, train=3, valid=1, test=1)
        >>> corpus.counts()
        {'train': 3, 'valid': 1, 'test': 1}
    """
    return generate_corpus(
        _DESCRIPTION,
        seed,
        {"train": train, "valid": valid, "test": test},
        draw=lambda source, with_held_out: _Reviews(source, with_held_out).review,
        identity=lambda review: review.text,
    )


def load(data_dir: str | Path | None = None, cache_dir: str | Path | None = None) -> Corpus[LabelledText]:
    """The sample in its default sizes, from seed 0. Neither folder is used."""
    return generate(seed=0, **SIZES)


def held_out_values() -> dict[str, list[str]]:
    """The values of the lists that never occur in train, by list: `film.name`, `film.part`, `book.name` and so on."""
    return {
        name: [" ".join(map(_capital, value.split())) for value in values]
        for name, values in _GRAMMAR.held_out_values().items()
    }


class _Reviews(Sampler):
    """Draws reviews with their labels."""

    def __init__(self, source: random.Random, with_held_out: bool) -> None:
        super().__init__(_GRAMMAR, source, with_held_out)

    def review(self) -> LabelledText:
        self.begin()
        polarity = POLARITIES[self.below(len(POLARITIES))]
        topic = TOPICS[self.below(len(TOPICS))]
        words = [word for word, _ in self.rule(f"{topic}.{polarity}.review")]
        return LabelledText(_written(words), _LABELS[polarity])


def _written(words: list[str]) -> str:
    """Joins words and punctuation marks as they are written, with capital letters and the right article.

    Example:
        >>> _written("“ it was a awful film , ” said ^ann . i agree .".split())
        '"It was an awful film," said Ann. I agree.'
    """
    text = " ".join(map(_capital, words))
    text = re.sub(r" ([.,;:”])", r"\1", text).replace("“ ", '"').replace("”", '"')
    text = re.sub(r"\ba(?= [aeiou])", "an", text)
    return re.sub(r'(?:^|[.] )"?[a-z]', lambda start: start[0].upper(), text)


def _capital(word: str) -> str:
    if word.startswith("^"):
        return word[1:].capitalize()
    return "I" if word == "i" else word
