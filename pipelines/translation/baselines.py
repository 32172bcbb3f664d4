"""The simple methods that a translation model has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...datasets.translated_sentence import TranslatedSentence
from .answers import Row
from .dictionary import Unit, learn_dictionary
from .overlap import Tokens, nearest_sentences

NEAREST, WORD_BY_WORD = "nearest training sentence (TF-IDF)", "word by word"


def characters(texts: Sequence[str]) -> list[list[str]]:
    """The characters of each text."""
    return [list(text) for text in texts]


def baselines(
    train: Sequence[TranslatedSentence],
    test: Sequence[TranslatedSentence],
    tokens: Tokens,
    symbols: Tokens = characters,
    separator: str = "",
) -> dict[str, list[Row]]:
    """Lets simple methods translate `test`.

    - `nearest training sentence (TF-IDF)`: the first translation of the training sentence that `nearest_sentences`
      finds; nothing where no word is common to any. It can answer nothing but whole sentences of train.
    - `word by word`: each word is replaced by its unit of `learn_dictionary`, in the order of the source; words without
      one are left out, and where a unit begins with the end of the one before it, that part stands once.

    Neither method aligns its answers with the source; the score of the first is the similarity, of the second 0.

    Args:
        train: sentences whose translations are known.
        test: sentences to be translated.
        tokens: splits sources into words.
        symbols: splits targets into what units are made of.
        separator: stands between two symbols of a target.

    Returns:
        For each method the rows of its predictions, as in `predictions.jsonl`.
    """
    asked = [sentence.source for sentence in test]
    known = [sentence.source for sentence in train]
    neighbours = nearest_sentences(known, asked, tokens)
    copied = ["" if place is None else train[place].targets[0] for place, _ in neighbours]
    pairs = [(words, target) for words, one in zip(tokens(known), train, strict=True) for target in one.targets]
    dictionary = learn_dictionary([words for words, _ in pairs], symbols([target for _, target in pairs]))
    translated = [separator.join(_replaced(words, dictionary)) for words in tokens(asked)]
    return {
        NEAREST: [
            _row(one, text, similarity) for one, text, (_, similarity) in zip(test, copied, neighbours, strict=True)
        ],
        WORD_BY_WORD: [_row(one, text, 0.0) for one, text in zip(test, translated, strict=True)],
    }


def _replaced(words: Sequence[str], dictionary: Mapping[str, Unit]) -> list[str]:
    """The symbols of the units, of neighbours that overlap the common part once."""
    symbols: list[str] = []
    for unit in (dictionary[word] for word in words if word in dictionary):
        common = next(count for count in range(len(unit), -1, -1) if symbols[len(symbols) - count :] == [*unit[:count]])
        symbols += unit[common:]
    return symbols


def _row(sentence: TranslatedSentence, translation: str, score: float) -> Row:
    return {
        "source": sentence.source,
        "attributions": list(sentence.attributions),
        "gold": {"targets": list(sentence.targets)},
        "predicted": {
            "translations": [translation],
            "scores": [score],
            "alignments": [[]],
            "truncated": [False],
            "error": "",
        },
    }
