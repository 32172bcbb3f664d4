"""Data sets that a grammar generates: the notation of its rules, how sentences are drawn, how splits are filled.

A rule is a text in this notation:

    word                 itself; `N` stands for a digit from 1 to 9 and `D` for one from 0 to 9 (`NDD`: 417)
    a b | c | 3* d       one of the alternatives, the last one three times as often as each other
    ( a | b )            a choice inside a rule
    [ a ]  [ 20% a ]     optional: with a probability of 50 %, or of 20 %
    <rule>               whatever that rule gives
    {slot=rule}          the same, tagged as one span of that slot
"""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from .corpus import Corpus

_SYMBOL = re.compile(r"[()\[\]|]|<[^>]+>|\{[^}]+\}|[^\s()\[\]|<{]+")

# Of the sentences that may hold held out values; of the values in such a sentence that are held out ones.
_HELD_OUT_SENTENCES = 0.25
_HELD_OUT_VALUES = 0.6

_Example = TypeVar("_Example")
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Grammar:
    """The rules of a language, and the lists of values of which some are held out of train.

    Args:
        rules: each rule by its name, in the notation of this module.
        values: by its name each list of values: those of all splits, and those that only valid and test hold.
            A value is drawn like a rule, but never twice in one sentence.

    Example:
        >>> Grammar({"go": "fly to <city>"}, {"city": ("rome | oslo", "new york | bonn")}).held_out_values()
        {'city': ['new york', 'bonn']}
    """

    rules: Mapping[str, str]
    values: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def held_out_values(self) -> dict[str, list[str]]:
        """The values that only valid and test hold, by the name of their list."""
        return {name: [value.strip() for value in held_out.split("|")] for name, (_, held_out) in self.values.items()}


class Sampler:
    """Draws sentences from a grammar.

    It uses `Random.random` alone, the one method whose results no Python version changes.

    Args:
        grammar: the rules.
        source: where the random numbers come from.
        with_held_out: whether some sentences hold held out values.

    Example:
        >>> sampler = Sampler(Grammar({"city": "new york"}), random.Random(0), with_held_out=False)
        >>> sampler.begin()
        >>> sampler.text("flight NDD to {city=city}")
        [('flight', 'O'), ('742', 'O'), ('to', 'O'), ('new', 'B-city'), ('york', 'I-city')]
    """

    def __init__(self, grammar: Grammar, source: random.Random, with_held_out: bool) -> None:
        self._grammar = grammar
        self._source = source
        self._with_held_out = with_held_out
        self._held_out_here = False
        self._used: set[tuple[str, ...]] = set()

    def begin(self) -> None:
        """Begins a sentence: decides whether held out values may occur in it, and forgets what was used."""
        self._held_out_here = self._with_held_out and self.happens(_HELD_OUT_SENTENCES)
        self._used.clear()

    def rule(self, name: str) -> list[tuple[str, str]]:
        """Draws the words of a rule, or of a list of values, each with its IOB tag."""
        if name not in self._grammar.values:
            return self.text(self._grammar.rules[name])
        while True:
            held_out = self._held_out_here and self.happens(_HELD_OUT_VALUES)
            value = self.text(self._grammar.values[name][held_out])
            words = tuple(word for word, _ in value)
            if words not in self._used:  # nobody flies from a city to itself
                self._used.add(words)
                return value

    def text(self, rule: str) -> list[tuple[str, str]]:
        """Draws the words of a rule that is given as a text, each with its IOB tag."""
        return self._choice(_parse(rule))

    def pick(self, items: Sequence[_Item], weights: Sequence[int]) -> _Item:
        """Draws one of the items, each as often as its weight says."""
        point = self.below(sum(weights))
        for item, weight in zip(items, weights, strict=True):
            point -= weight
            if point < 0:
                return item
        raise AssertionError("the weights sum to more than the point")

    def happens(self, probability: float) -> bool:
        """Draws whether something of this probability happens."""
        return probability == 1.0 or self._source.random() < probability

    def below(self, limit: int) -> int:
        """Draws an integer from 0 to `limit - 1`."""
        return int(self._source.random() * limit)

    def _choice(self, choice: _Choice) -> list[tuple[str, str]]:
        if not self.happens(choice.probability):
            return []
        symbols = self.pick(choice.alternatives, choice.weights)
        return [pair for symbol in symbols for pair in self._symbol(symbol)]

    def _symbol(self, symbol: _Symbol) -> list[tuple[str, str]]:
        if isinstance(symbol, _Choice):
            return self._choice(symbol)
        if symbol.startswith("<"):
            return self.rule(symbol[1:-1])
        if symbol.startswith("{"):
            slot, name = symbol[1:-1].split("=")
            words = [word for word, _ in self.rule(name)]
            return [(word, ("I-" if index else "B-") + slot) for index, word in enumerate(words)]
        return [("".join(map(self._digit, symbol)), "O")]

    def _digit(self, character: str) -> str:
        if character == "N":
            return str(1 + self.below(9))
        return str(self.below(10)) if character == "D" else character


def generate_splits(
    seed: int,
    sizes: Mapping[str, int],
    draw: Callable[[random.Random, bool], Callable[[], _Example]],
    identity: Callable[[_Example], Hashable],
) -> dict[str, list[_Example]]:
    """Fills splits with examples of which no two are the same.

    The first split is train. It does not depend on the sizes of the others.

    Args:
        seed: integer, at least 0.
        sizes: the number of examples of each split, at least 1.
        draw: takes the random numbers of a split, and whether held out values may occur in it; returns the function
            that draws an example.
        identity: what must differ between two examples.

    Raises:
        ValueError: if the seed or a size is out of its range.

    Example:
        >>> def draw(source, with_held_out):
        ...     return lambda: source.random() < 0.5
        >>> sorted(generate_splits(0, {"train": 2}, draw, identity=str)["train"])
        [False, True]
    """
    if seed < 0:
        raise ValueError(f"seed must not be negative, got seed={seed}")
    seen: set[Hashable] = set()
    splits: dict[str, list[_Example]] = {}
    for index, (split, size) in enumerate(sizes.items()):
        if size < 1:
            raise ValueError(f"{split} must be a positive integer, got {split}={size}")
        example_of = draw(random.Random(seed * len(sizes) + index), index > 0)
        splits[split] = []
        while len(splits[split]) < size:
            example = example_of()
            if identity(example) not in seen:
                seen.add(identity(example))
                splits[split].append(example)
    return splits


def generate_corpus(
    description: str,
    seed: int,
    sizes: Mapping[str, int],
    draw: Callable[[random.Random, bool], Callable[[], _Example]],
    identity: Callable[[_Example], Hashable],
) -> Corpus[_Example]:
    """A sample with the splits that `generate_splits` fills: `train`, `valid` and `test`."""
    splits = generate_splits(seed, sizes, draw, identity)
    return Corpus(
        name="sample",
        train=splits["train"],
        valid=splits["valid"],
        test=splits["test"],
        description=description,
        licence="generated by seqloom, under its MIT licence",
        citation="",
        source=f"generated from seed {seed}",
        synthetic=True,
    )


@dataclass(frozen=True)
class _Choice:
    """One of several sequences of symbols, or nothing at all with the probability that is left."""

    alternatives: tuple[tuple[_Symbol, ...], ...]
    weights: tuple[int, ...]
    probability: float = 1.0


_Symbol: TypeAlias = "str | _Choice"


@functools.cache
def _parse(rule: str) -> _Choice:
    """Reads a rule.

    Example:
        >>> _parse("2* fly to <city> | go [ 20% now ]").weights
        (2, 1)
    """
    symbols = _SYMBOL.findall(rule)
    choice, end = _parse_choice(symbols, 0, 1.0)
    if end != len(symbols):
        raise ValueError(f"a rule must close what it opens, got {rule!r}")
    return choice


def _parse_choice(symbols: list[str], position: int, probability: float) -> tuple[_Choice, int]:
    """Reads up to the closing bracket or the end; returns the choice and the position of what ended it."""
    alternatives: list[list[_Symbol]] = [[]]
    weights = [1]
    while position < len(symbols) and symbols[position] not in (")", "]"):
        symbol = symbols[position]
        if symbol == "|":
            alternatives.append([])
            weights.append(1)
        elif symbol in ("(", "["):
            inner, position = _parse_bracket(symbols, position)
            alternatives[-1].append(inner)
        elif symbol.endswith("*"):
            weights[-1] = int(symbol[:-1])
        else:
            alternatives[-1].append(symbol)
        position += 1
    return _Choice(tuple(map(tuple, alternatives)), tuple(weights), probability), position


def _parse_bracket(symbols: list[str], position: int) -> tuple[_Choice, int]:
    closing = ")" if symbols[position] == "(" else "]"
    probability = 1.0 if closing == ")" else 0.5
    position += 1
    if position < len(symbols) and symbols[position].endswith("%"):
        probability = int(symbols[position][:-1]) / 100
        position += 1
    inner, position = _parse_choice(symbols, position, probability)
    if position == len(symbols) or symbols[position] != closing:
        raise ValueError(f"a rule must close what it opens, got {' '.join(symbols)!r}")
    return inner, position
