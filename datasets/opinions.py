"""Generated opinions on films, as trees: the sample of tree sentiment, which needs no file and no network."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from .corpus import Corpus
from .grammar import Grammar, Sampler, generate_corpus
from .labelled_tree import LabelledTree
from .opinion_grammar import EFFECTS, RULES, SENTIMENT, STRENGTHS, VALUES

SIZES = {"train": 1500, "valid": 250, "test": 400}

_SENTENCE_WORDS = range(3, 41)

# Of the pairs of a word that changes values and a word that has one, one in so many is held out of train.
_HELD_OUT_PAIRS = 3

_GRAMMAR = Grammar(RULES, VALUES)

_DESCRIPTION = (
    "Opinions on films that a grammar generates, as binary trees with the sentiment of the phrase under every node in "
    "five classes. Intensifiers, negators and contrasts decide what the words come to; some pairs, such as 'not' and "
    "one of the adjectives, and some nouns occur in valid and test only."
)

# What becomes of the value at the right of a word with this effect. To soften is one step towards 0, to intensify one
# away from it. What is denied changes sides, except that "not terrible" is no praise yet; "hardly superb" falls less
# deep than "not superb", and "never good" deeper than "not good".
_CHANGES = {
    "intensify": {-2: -2, -1: -2, 0: 0, 1: 2, 2: 2},
    "soften": {-2: -1, -1: 0, 0: 0, 1: 0, 2: 1},
    "deny": {-2: 0, -1: 1, 0: 0, 1: -1, 2: -1},
    "belittle": {-2: 0, -1: 1, 0: 0, 1: -1, 2: 0},
    "rule_out": {-2: 1, -1: 1, 0: 0, 1: -2, 2: -1},
}

# What a clause becomes by the word that opens it.
_OPENED = {"concede": "concession", "turn": "turn_taken"}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase says of the film, and what it does to the phrase beside it.

    Args:
        value: from -2, very negative, to 2, very positive; the label of a node is `value + 2`.
        effect: for a word a key of `opinion_grammar.EFFECTS`, for a phrase `concession` or `turn_taken`; `""`
            for all that changes nothing.

    Example:
        >>> meaning_of("superb"), meaning_of("not"), meaning_of("film")
        (Meaning(value=2, effect=''), Meaning(value=0, effect='deny'), Meaning(value=0, effect=''))
    """

    value: int
    effect: str = ""


_MEANINGS = {
    **{
        word: Meaning(STRENGTHS[name.partition("_")[0]])
        for name, words in SENTIMENT.items()
        for word in words.split(" | ")
    },
    **{word: Meaning(0, effect) for effect, words in EFFECTS.items() for word in words.split(" | ")},
}
_NUMBERS = {word: number for number, word in enumerate(_MEANINGS)}


def _words(*rules: str) -> frozenset[str]:
    return frozenset(alternative.split()[-1] for rule in rules for alternative in rule.split("|"))


# A sentence is about one film: it has one word for it, one genre, one person and one place, and no part of it twice.
_ONE_OF_EACH = (_words(RULES["film"]), _words(RULES["genre"]), _words(*VALUES["person"]), _words(*VALUES["place"]))
_ONCE = _words(RULES["part"], RULES["genre"])


def meaning_of(word: str) -> Meaning:
    """The meaning of a word alone: neutral and without an effect, unless `opinion_grammar` lists it."""
    return _MEANINGS.get(word, Meaning(0))


def compose(left: Meaning, right: Meaning) -> Meaning:
    """What two phrases mean together. Nothing else about them counts.

    - An intensifier, a softener or a negator changes the value at its right, by a table.
    - "although" and "despite" make a concession of what they open, "but" and "yet" a turn. Beside a concession
      and in a turn stands what is meant: its value holds, but only mildly against a strong value of the other
      sign. Where it is neutral, the value of the other part remains, softened.
    - A comma and a full stop change nothing.
    - Otherwise the stronger value holds, and values of different signs are added.

    Example:
        >>> compose(meaning_of("not"), meaning_of("superb"))
        Meaning(value=-1, effect='')
        >>> compose(Meaning(2), compose(meaning_of("but"), Meaning(-2)))
        Meaning(value=-1, effect='')
    """
    if left.effect in _CHANGES:
        return Meaning(_CHANGES[left.effect][right.value])
    if left.effect in _OPENED:
        return Meaning(right.value, _OPENED[left.effect])
    if right.effect == "pause":
        return left
    if left.effect == "concession" or right.effect == "turn_taken":
        return Meaning(_weighed(right.value, against=left.value))
    if right.effect == "concession":
        return Meaning(_weighed(left.value, against=right.value))
    if left.value * right.value < 0:
        return Meaning(left.value + right.value)
    return Meaning(max(left.value, right.value, key=abs))


def _weighed(value: int, against: int) -> int:
    """What is left of a value that is meant, where a value of less weight is conceded."""
    if value == 0:
        return _CHANGES["soften"][against]
    opposed = value * against < 0 and abs(against) == 2
    return value // abs(value) if opposed else value


def generate(seed: int, train: int, valid: int, test: int) -> Corpus[LabelledTree]:
    """Generates the corpus: the same trees for the same arguments on every machine.

    No sentence occurs twice. The training split does not depend on the sizes of the others.

    Args:
        seed: integer, at least 0.
        train: the number of training trees, at least 1.
        valid: the number of validation trees, at least 1.
        test: the number of test trees, at least 1.

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
        draw=lambda source, with_held_out: _Opinions(source, with_held_out).tree,
        identity=lambda tree: tree.tokens,
    )


def load(data_dir: str | Path | None = None, cache_dir: str | Path | None = None) -> Corpus[LabelledTree]:
    """The sample in its default sizes, from seed 0. Neither folder is used."""
    return generate(seed=0, **SIZES)


def held_out_values() -> dict[str, list[str]]:
    """The neutral nouns that never occur in train, by list: `person`, `place`."""
    return _GRAMMAR.held_out_values()


def is_held_out(left: str, right: str) -> bool:
    """Whether two words never stand side by side in a phrase of their own in train.

    That is so for a third of the pairs of a word that changes a value and a word that has one. Each of the
    two occurs in train with other words.
    """
    changing, valued = meaning_of(left), meaning_of(right)
    if changing.effect not in _CHANGES or valued.value == 0:
        return False
    return (_NUMBERS[left] + _NUMBERS[right]) % _HELD_OUT_PAIRS == 0


class _Opinions(Sampler):
    """Draws trees with the label of every node."""

    def __init__(self, source: random.Random, with_held_out: bool) -> None:
        super().__init__(_GRAMMAR, source, with_held_out)
        self._with_held_out_pairs = with_held_out

    def tree(self) -> LabelledTree:
        while True:
            self.begin()
            words, children = _nodes([word for word, _ in self.rule("sentence")])
            meanings = _meanings(words, children)
            if (
                _names_everything_once(words)
                and all(_may_stand_together(*(meanings[part] for part in parts)) for parts in children if parts)
                and (self._with_held_out_pairs or not _has_held_out_pair(words, children))
            ):
                return LabelledTree(words, children, tuple(meaning.value + 2 for meaning in meanings))


def _nodes(symbols: list[str]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """The words and children of the nodes of a tree in prefix notation, in post-order.

    Example:
        >>> _nodes(["+", "a", "+", "awful", "film"])
        (('an', 'awful', 'film', '', ''), ((), (), (), (1, 2), (0, 3)))
    """
    words: list[str] = []
    children: list[tuple[int, ...]] = []
    unfinished: list[list[int]] = []  # the parts so far of each node that was begun
    for symbol in _with_articles(symbols):
        if symbol == "+":
            unfinished.append([])
            continue
        words.append(symbol)
        children.append(())
        while unfinished:
            unfinished[-1].append(len(words) - 1)
            if len(unfinished[-1]) == 1:
                break
            words.append("")
            children.append(tuple(unfinished.pop()))
    return tuple(words), tuple(children)


def _with_articles(symbols: list[str]) -> list[str]:
    """Makes "a" an "an" before a vowel."""
    changed = list(symbols)
    following = ""
    for position in reversed(range(len(symbols))):
        if symbols[position] == "a" and following[:1] in tuple("aeiou"):
            changed[position] = "an"
        if symbols[position] != "+":
            following = symbols[position]
    return changed


def _meanings(words: tuple[str, ...], children: tuple[tuple[int, ...], ...]) -> list[Meaning]:
    meanings: list[Meaning] = []
    for word, parts in zip(words, children, strict=True):
        meanings.append(compose(*(meanings[part] for part in parts)) if parts else meaning_of(word))
    return meanings


def _names_everything_once(words: tuple[str, ...]) -> bool:
    """Whether a sentence is of a good length and about one film, and has no word of praise or blame twice."""
    counts = Counter(word for word in words if word)
    repeated = any(count > 1 and (word in _ONCE or meaning_of(word).value) for word, count in counts.items())
    several = any(len(counts.keys() & names) > 1 for names in _ONE_OF_EACH)
    return counts.total() in _SENTENCE_WORDS and not repeated and not several


def _may_stand_together(left: Meaning, right: Meaning) -> bool:
    """Whether a contrast is one: nobody says that a film is good, but superb."""
    contrast = right.effect in _OPENED.values() or (left.effect in _OPENED.values() and right.effect != "pause")
    same_side = left.value * right.value > 0 or left.value == right.value
    return not (contrast and same_side)


def _has_held_out_pair(words: tuple[str, ...], children: tuple[tuple[int, ...], ...]) -> bool:
    return any(is_held_out(words[parts[0]], words[parts[1]]) for parts in children if parts)
