"""The target side: texts as symbols, and symbols as texts, in TF operations."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ..vocabulary import PADDING, Vocabulary
from ..words import Split, WordReader, split_texts
from .config import Config


class TargetText(tf.Module):
    """Splits target texts into symbols, looks them up, and joins symbols to texts again.

    A symbol is a character, or a word or punctuation mark with `target_level=word`. Case is kept.

    Args:
        symbols: vocabulary of symbols.
        config: `target_level`.
    """

    def __init__(self, symbols: Vocabulary, config: Config) -> None:
        super().__init__(name="target_text")
        self._by_words = config.target_level == "word"
        self._reader = WordReader(symbols, None, lowercase=False, split=_split(config))
        self._entries = tf.constant(symbols.entries)

    def symbols(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Texts `(batch,)` as symbols `(batch, None)`, strings."""
        return self._reader.tokens(texts)

    def ids(self, symbols: tf.Tensor) -> tf.Tensor:
        """Ids, int32, of symbols of any shape; empty strings are padding."""
        return self._reader.ids(symbols)

    def spelled(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids of any shape as symbols; padding is the empty string."""
        return tf.where(ids == PADDING, "", tf.gather(self._entries, ids))

    def texts(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids `(..., longest)` as texts `(...)`."""
        spelled = self.spelled(ids)
        if not self._by_words:
            return tf.strings.strip(tf.strings.reduce_join(spelled, axis=-1))
        joined = tf.strings.strip(tf.strings.reduce_join(spelled, axis=-1, separator=" "))
        joined = tf.strings.regex_replace(joined, r" ([.,;:!?%)\]}…»”])", r"\1")
        return tf.strings.regex_replace(joined, r"([(\[{«“]) ", r"\1")


def target_symbols(texts: Sequence[str], config: Config) -> list[list[str]]:
    """The symbols of texts, for counting a vocabulary."""
    split = split_texts(tf.constant(texts), _split(config))
    return [[symbol.decode("utf-8") for symbol in row] for row in split.to_list()]


def _split(config: Config) -> Split:
    return "punctuation" if config.target_level == "word" else "characters"
