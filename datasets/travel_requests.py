"""Generated travel requests: the sample of slot filling, which needs no file and no network."""

from __future__ import annotations

import random
from pathlib import Path

from .corpus import Corpus
from .grammar import Grammar, Sampler, generate_corpus
from .tagged_sentence import TaggedSentence
from .travel_grammar import INTENTS, RULES, VALUES

SIZES = {"train": 2000, "valid": 300, "test": 500}

_GRAMMAR = Grammar(RULES, VALUES)

_FILLERS = ("uh", "um", "er", "well", "let me see")
_FILLER_SENTENCES = 0.10
_REPEAT_SENTENCES = 0.05

_DESCRIPTION = (
    "Travel requests that a grammar generates, with slots and intents; some cities, airlines and hotels occur in "
    "valid and test only, so that their slots must be told from the context."
)


def generate(seed: int, train: int, valid: int, test: int) -> Corpus[TaggedSentence]:
    """Generates the corpus: the same sentences for the same arguments on every machine.

    No sentence occurs twice. The training split does not depend on the sizes of the others.

    Args:
        seed: integer, at least 0.
        train: the number of training sentences, at least 1.
        valid: the number of validation sentences, at least 1.
        test: the number of test sentences, at least 1.

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
        draw=lambda source, with_held_out: _Requests(source, with_held_out).sentence,
        identity=lambda sentence: sentence.tokens,
    )


def load(data_dir: str | Path | None = None, cache_dir: str | Path | None = None) -> Corpus[TaggedSentence]:
    """The sample in its default sizes, from seed 0. Neither folder is used."""
    return generate(seed=0, **SIZES)


def held_out_values() -> dict[str, list[str]]:
    """The values of the lists that never occur in train, by list: `city`, `airline`, `hotel`."""
    return _GRAMMAR.held_out_values()


class _Requests(Sampler):
    """Draws tagged sentences with their intents, and has some of them stumble as speech does."""

    def __init__(self, source: random.Random, with_held_out: bool) -> None:
        super().__init__(_GRAMMAR, source, with_held_out)

    def sentence(self) -> TaggedSentence:
        self.begin()
        intent = self.pick(list(INTENTS), [weight for weight, _ in INTENTS.values()])
        tagged = self.text(INTENTS[intent][1]) + self.rule("closing")
        if self.happens(_FILLER_SENTENCES):
            filler = _FILLERS[self.below(len(_FILLERS))]
            self._insert(tagged, [(word, "O") for word in filler.split()])
        if self.happens(_REPEAT_SENTENCES):
            position = self.below(len(tagged))
            if tagged[position][1] == "O":
                tagged.insert(position, tagged[position])
        return TaggedSentence(tuple(word for word, _ in tagged), tuple(tag for _, tag in tagged), intent)

    def _insert(self, tagged: list[tuple[str, str]], words: list[tuple[str, str]]) -> None:
        places = [place for place, (_, tag) in enumerate(tagged) if not tag.startswith("I-")]
        place = places[self.below(len(places))]
        tagged[place:place] = words
