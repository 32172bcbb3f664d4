"""A back-off n-gram model, over words or characters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

Ngram: TypeAlias = tuple[str, ...]

START, END, UNKNOWN = "<s>", "</s>", "<unk>"


@dataclass(frozen=True)
class BackoffModel:
    """Log probabilities of n-grams, and what it costs to look at a shorter history.

    `p(w | h) = p of the n-gram h w` if it is known, else `backoff(h) * p(w | h without its first word)`. Words that are
    not known, and words that spell one of the special symbols, are `UNKNOWN`.

    Attributes:
        order: int. Words of the longest n-grams.
        log_probabilities: natural log probability of the last word of each n-gram after the others. The unigrams are
            the vocabulary: all words, `UNKNOWN` and `END`.
        backoffs: natural log of the back-off weight of histories, 0 where there is none.

    Raises:
        ValueError: if `UNKNOWN`, `END` or a word of an n-gram has no unigram, or if a history is no n-gram itself.

    Example:
        >>> half = math.log(0.5)
        >>> model = BackoffModel(2, {("a",): half, (END,): half, (UNKNOWN,): -9.0, ("a", END): -0.1}, {("a",): -2.0})
        >>> model.log_probability(END, ["a"])
        -0.1
        >>> model.log_probability("a", ["a"]) == -2.0 + half
        True
    """

    order: int
    log_probabilities: Mapping[Ngram, float]
    backoffs: Mapping[Ngram, float]

    def __post_init__(self) -> None:
        for word in {UNKNOWN, END, *(ngram[-1] for ngram in self.log_probabilities)}:
            if (word,) not in self.log_probabilities:
                raise ValueError(f"log_probabilities must hold the unigram {word!r}")
        for history in {*self.backoffs, *(ngram[:-1] for ngram in self.log_probabilities)}:
            if history not in self.log_probabilities and history not in ((), (START,)):
                raise ValueError(f"log_probabilities must hold the history {' '.join(history)!r}")

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """All that can follow a history: the special symbols `UNKNOWN` and `END`, then the words in order."""
        words = {ngram[0] for ngram in self.log_probabilities if len(ngram) == 1}
        return (UNKNOWN, END, *sorted(words - {UNKNOWN, END, START}))

    def known(self, word: str) -> str:
        """The word itself, or `UNKNOWN`."""
        return word if (word,) in self.log_probabilities and word not in (START, END) else UNKNOWN

    def log_probability(self, word: str, context: Sequence[str] = ()) -> float:
        """Natural log of `p(word | context)`.

        Args:
            word: a word, or `END`.
            context: the words before it, of which the last `order - 1` count; `START` may stand first.
        """
        word = word if word == END else self.known(word)
        start = max(0, len(context) - self.order + 1)
        history = tuple(part if part == START else self.known(part) for part in context[start:])
        penalty = 0.0
        while (*history, word) not in self.log_probabilities:
            penalty += self.backoffs.get(history, 0.0)
            history = history[1:]
        return penalty + self.log_probabilities[*history, word]

    def score(self, text: Sequence[str]) -> float:
        """Natural log probability of a text between its start and its end."""
        tokens = [START, *(self.known(word) for word in text), END]
        return sum(self.log_probability(token, tokens[:place]) for place, token in enumerate(tokens) if place)

    def perplexity(self, texts: Iterable[Sequence[str]]) -> float:
        """`exp` of the mean negative log probability of all words and ends.

        Raises:
            ValueError: if there are no texts.
        """
        score, tokens = 0.0, 0
        for text in texts:
            score, tokens = score + self.score(text), tokens + len(text) + 1
        if not tokens:
            raise ValueError("texts must hold at least one text, got none")
        return math.exp(-score / tokens)
