"""Generated English sentences with their Chinese: the sample of translation, which needs no file and no network."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .bilingual_grammar import RULES
from .bilingual_words import COLUMNS, WORDS
from .corpus import Corpus
from .grammar import Grammar, Sampler, generate_corpus
from .translated_sentence import TranslatedSentence

SIZES = {"train": 3000, "valid": 300, "test": 500}

# Of the sentences that have another right Chinese side, the share that has it as a second target.
_SECOND_TARGETS = 0.15

# How often other things are drawn for words that do not describe them, before other words are drawn: nothing that is
# sweet stands next to the window.
_ATTEMPTS = 50

# What is held out of train are pairs of a thing and a word of these tables, one in so many.
_PAIRED = ("action", "event", "attitude", "size", "quality", "colour")
_HELD_OUT_PAIRS = 4

_REFERENCE = re.compile(r"<(?P<key>(?P<name>[a-z_]+)\d?)(?P<optional>\??)(?:(?P<mark>[.@])(?P<column>[a-z_]+\d?))?>")

_DESCRIPTION = (
    "English sentences that a grammar generates with their Chinese, which has another word order, measure words, two "
    "ways to deny and questions of its own; some sentences have two Chinese sides. Some pairs of a verb or an "
    "adjective with a noun, such as 'draw' with one of the animals, occur in valid and test only."
)


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A word or a phrase in both languages.

    Args:
        table: the table of the word, `""` for a phrase.
        forms: the columns of the word, `english` alone for a phrase.
        chinese: the usual Chinese side, then those that are right too and differ from it in one place.
        thing: the columns of the thing in it, none if there is none.
    """

    table: str
    forms: Mapping[str, str]
    chinese: tuple[str, ...]
    thing: Mapping[str, str]

    def describes(self, thing: Mapping[str, str]) -> bool:
        """Whether the word goes with a thing. A phrase does with all things."""
        kinds = "" if self.thing else self.forms.get("kinds", "")
        return not kinds or not set(kinds.split()).isdisjoint(thing["kinds"].split())


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a rule.

    Args:
        english: the English side.
        chinese: its Chinese sides, none if the line has only a name.
        names: the table or rule of each reference in it, by its key, which may have a digit.
        optional: the keys that may be left out.
    """

    english: str
    chinese: tuple[str, ...]
    names: Mapping[str, str]
    optional: frozenset[str]


def generate(seed: int, train: int, valid: int, test: int) -> Corpus[TranslatedSentence]:
    """Generates the corpus: the same sentences for the same arguments on every machine.

    No English sentence occurs twice. The training split does not depend on the sizes of the others.

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
        draw=lambda source, with_held_out: _Sentences(source, with_held_out).sentence,
        identity=lambda sentence: sentence.source,
    )


def load(data_dir: str | Path | None = None, cache_dir: str | Path | None = None) -> Corpus[TranslatedSentence]:
    """The sample in its default sizes, from seed 0. Neither folder is used."""
    return generate(seed=0, **SIZES)


def is_held_out(word: str, thing: str) -> bool:
    """Whether a verb or an adjective and a thing never belong together in train.

    That is so for a quarter of the pairs. Each of the two occurs in train with others, so that the meaning of the pair
    can be told. Words that mean different things with different nouns, such as "wear", are in no such pair.

    Args:
        word: the first column of a row of `bilingual_words`.
        thing: the first column of a row of the table `thing`.
    """
    if word not in _NUMBERS or thing not in _THING_NUMBERS:
        return False
    return (_NUMBERS[word] + _THING_NUMBERS[thing]) % _HELD_OUT_PAIRS == 0


class _Sentences(Sampler):
    """Draws sentences with their Chinese."""

    def __init__(self, source: random.Random, with_held_out: bool) -> None:
        super().__init__(Grammar({}), source, with_held_out)
        self._with_held_out_pairs = with_held_out

    def sentence(self) -> TranslatedSentence:
        phrase = self._phrase("sentence")
        usual, *others = dict.fromkeys(phrase.chinese)
        targets: tuple[str, ...] = (usual,)
        if others and self.happens(_SECOND_TARGETS):
            targets = (usual, others[self.below(len(others))])
        return TranslatedSentence(_spelt(phrase.forms["english"]), targets)

    def _phrase(self, name: str) -> _Phrase:
        if name in _TABLES:
            return _TABLES[name][self.below(len(_TABLES[name]))]
        weights, lines = _RULES[name]
        line = self.pick(lines, weights)
        parts = self._parts(line)
        if not line.chinese:
            return next(iter(parts.values()))
        thing = next((part.thing for part in parts.values() if part.thing), {})
        return _Phrase("", {"english": _filled(line.english, parts, english=True)}, _meanings(line, parts), thing)

    def _parts(self, line: _Line) -> dict[str, _Phrase]:
        """Draws what the references of a line stand for, until all of it goes together."""
        while True:
            parts = {key: self._part(key, name, line) for key, name in line.names.items()}
            attempts = 0
            while (misfits := _misfits(parts)) and attempts < _ATTEMPTS:
                parts |= {key: self._part(key, line.names[key], line) for key in misfits}
                attempts += 1
            allowed = self._with_held_out_pairs or not _has_held_out_pair(parts)
            if allowed and not misfits and _differ(parts):
                return parts

    def _part(self, key: str, name: str, line: _Line) -> _Phrase:
        if key in line.optional and self.happens(0.5):
            return _NOTHING
        return self._phrase(name)


def _misfits(parts: Mapping[str, _Phrase]) -> list[str]:
    """The keys of the things that not all words beside them describe."""
    return [
        key
        for key, part in parts.items()
        if part.thing and not all(other.describes(part.thing) for other in parts.values())
    ]


def _differ(parts: Mapping[str, _Phrase]) -> bool:
    """Whether nothing is named twice: nobody gives himself a book."""
    things = [part.thing["english"] for part in parts.values() if part.thing]
    meanings = [part.chinese[0] for part in parts.values() if part is not _NOTHING]
    return len(set(things)) == len(things) and len(set(meanings)) == len(meanings)


def _has_held_out_pair(parts: Mapping[str, _Phrase]) -> bool:
    words = [part.forms["english"] for part in parts.values() if part.table in _PAIRED]
    return any(is_held_out(word, part.thing["english"]) for word in words for part in parts.values() if part.thing)


def _meanings(line: _Line, parts: Mapping[str, _Phrase]) -> tuple[str, ...]:
    """The Chinese sides of a line: with the usual words, then with another one in each place that has one."""
    meanings = [_filled(template, parts, english=False) for template in line.chinese]
    for key, part in parts.items():
        for other in part.chinese[1:]:
            changed = {**parts, key: replace(part, chinese=(other,))}
            meanings.append(_filled(line.chinese[0], changed, english=False))
    return tuple(meanings)


def _filled(template: str, parts: Mapping[str, _Phrase], english: bool) -> str:
    def text(reference: re.Match[str]) -> str:
        part = parts[reference["key"]]
        usual = part.forms["english"] if english else part.chinese[0]
        if reference["mark"] == "@":
            return part.forms.get(parts[reference["column"]].forms["agreement"], usual)
        return part.forms[reference["column"]] if reference["mark"] else usual

    return _REFERENCE.sub(text, template)


def _spelt(english: str) -> str:
    """Puts spaces, articles and the capital letter right.

    Example:
        >>> _spelt("my mother bought a old  car .")
        'My mother bought an old car.'
    """
    text = re.sub(r"\s+([.,?])", r"\1", " ".join(english.split()))
    text = re.sub(r"\ba (?=[aeiou])", "an ", text)
    return text[0].upper() + text[1:]


def _table(name: str, rows: str) -> tuple[_Phrase, ...]:
    columns = COLUMNS.get(name, "english | chinese").split(" | ")
    words = []
    for row in re.split(r"[;\n]", rows.strip()):
        values = [value.strip() for value in row.split("|")]
        forms = dict(zip(columns, values, strict=True))
        words.append(_Phrase(name, forms, tuple(forms.pop("chinese").split(" / ")), forms if name == "thing" else {}))
    return tuple(words)


def _rule(text: str) -> tuple[tuple[int, ...], tuple[_Line, ...]]:
    """The weights and the lines of a rule.

    Example:
        >>> weights, lines = _rule("3* <few> days ago = <few>天前 \\n a day ago = 一天前 \\n / 昨天")
        >>> weights, lines[0].names, lines[1].chinese
        ((3, 1), {'few': 'few'}, ('一天前', '昨天'))
    """
    weights, lines = [], []
    for row in re.sub(r"\s*\n\s*(?=[=/])", " ", text.strip()).split("\n"):
        weight, star, pair = row.strip().rpartition("* ")
        english, _, chinese = pair.partition(" = ")
        references = list(_REFERENCE.finditer(english))
        names = {reference["key"]: reference["name"] for reference in references}
        optional = frozenset(reference["key"] for reference in references if reference["optional"])
        weights.append(int(weight) if star else 1)
        lines.append(_Line(english, tuple(chinese.split(" / ")) if chinese else (), names, optional))
    return tuple(weights), tuple(lines)


_NOTHING = _Phrase("", {"english": ""}, ("",), {})
_TABLES = {name: _table(name, rows) for name, rows in WORDS.items()}
_RULES = {name: _rule(text) for name, text in RULES.items()}

_WORDS = [word.forms["english"] for name in _PAIRED for word in _TABLES[name]]
_NUMBERS = {word: number for number, word in enumerate(_WORDS) if _WORDS.count(word) == 1}
_THING_NUMBERS = {word.forms["english"]: number for number, word in enumerate(_TABLES["thing"])}
