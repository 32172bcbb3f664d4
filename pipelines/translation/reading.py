"""The source side: texts as words or subwords, in TF operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import tensorflow as tf

from ..errors import UserError
from ..subwords import SubwordReader, learn_subwords
from ..vocabulary import Vocabulary
from ..words import Split, WordReader, normal_forms, split_texts
from .config import Config

SPLIT: Split = "punctuation"
_CHUNK = 1_000  # sentences that are read at a time


def source_reader(vocabulary: Vocabulary, config: Config) -> WordReader:
    """What splits source texts into the tokens of a vocabulary."""
    if config.source_level == "subword":
        return SubwordReader(vocabulary, config.lowercase, split=SPLIT)
    return WordReader(vocabulary, None, config.lowercase, split=SPLIT)


def source_vocabulary(sources: Sequence[str], config: Config, base: Vocabulary | None = None) -> Vocabulary:
    """The words or subwords of source texts, after those of `base`.

    Raises:
        UserError: if there are more characters than subwords wanted.
    """
    words = Counter(word for row in source_words(sources, config) for word in row)
    if config.source_level == "subword":
        try:
            return learn_subwords(words, config.source_pieces, base)
        except UserError as error:
            raise UserError(f"source_pieces: {error}") from None
    return Vocabulary.count([words.elements()], config.min_count, list, base)


def source_words(sources: Sequence[str], config: Config) -> list[list[str]]:
    """The words of source texts, in the case in which they are looked up."""
    split = split_texts(tf.constant(list(sources)), SPLIT)
    words = iter(normal_forms([word.decode("utf-8") for word in split.values.numpy()], config.lowercase))
    return [[next(words) for _ in range(count)] for count in split.row_lengths().numpy()]


def source_tokens(sources: Sequence[str], reader: WordReader) -> list[list[str]]:
    """The tokens of source texts, as the model reads them."""
    rows: list[list[str]] = []
    for start in range(0, len(sources), _CHUNK):
        found = reader.tokens(tf.constant(list(sources[start : start + _CHUNK])))
        rows += [[token.decode("utf-8") for token in row] for row in found.to_list()]
    return rows


def source_entries(sources: Sequence[str], reader: WordReader, config: Config) -> list[list[str]]:
    """The tokens of source texts, in the form in which the vocabulary has them."""
    return source_tokens(sources, reader) if config.source_level == "subword" else source_words(sources, config)
