"""The one function that turns text into words and ids, in TF operations: training and the export both call it."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

from .vocabulary import UNKNOWN, Vocabulary

# One unknown word stands for an empty text: no sequence is empty.
_NOTHING = "\N{REPLACEMENT CHARACTER}"


class WordReader(tf.Module):
    """Splits texts at white space and looks words and their characters up.

    A word is lower-cased if `lowercase`. A word that is not in the vocabulary loses the punctuation around it if that
    makes it a known one (`denver.`), so that natural text works with corpora that have no punctuation; the number of
    words is always that of the text split at white space.

    Args:
        words: vocabulary of words.
        characters: vocabulary of characters; `None` if the model does not read them.
        lowercase: bool.
        max_characters: int. Longer words are cut for the character ids.
    """

    def __init__(
        self, words: Vocabulary, characters: Vocabulary | None, lowercase: bool = True, max_characters: int = 24
    ) -> None:
        super().__init__(name="word_reader")
        self._words = words.table()
        self._characters = characters.table() if characters else None
        self._lowercase, self._max_characters = lowercase, max_characters

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits `(batch,)` texts into words `(batch, None)`; invalid bytes and control characters are replaced."""
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        texts = tf.strings.regex_replace(texts, r"[\x00-\x08\x0e-\x1f\x7f]", _NOTHING)
        words = tf.strings.split(texts)
        return words.with_values(self._without_punctuation(words.values))

    def at_least_one(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """Puts one unknown word into empty rows."""
        empty = tf.cast(words.row_lengths() == 0, tf.int64)
        fillers = tf.RaggedTensor.from_row_lengths(tf.fill([tf.reduce_sum(empty)], _NOTHING), empty)
        return tf.concat([words, fillers], axis=1)

    def ids(self, words: tf.Tensor) -> tf.Tensor:
        """Ids, int32, of words of any shape; unknown words are `UNKNOWN`, empty strings padding."""
        ids = self._words.lookup(self._normal(words))
        return tf.cast(tf.where(words == "", tf.zeros_like(ids), ids), tf.int32)

    def characters(self, words: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Ids `(batch, time, characters)` and counts `(batch, time)`, both int32, of words `(batch, time)`."""
        if self._characters is None:
            raise ValueError("characters were asked of a reader without a vocabulary of characters")
        flat = tf.reshape(self._normal(words), [-1])
        split = tf.strings.unicode_split(flat, "UTF-8", errors="replace")[:, : self._max_characters]
        ids = split.with_values(self._characters.lookup(split.values)).to_tensor()
        shape = tf.shape(words)
        ids = tf.reshape(ids, [shape[0], shape[1], tf.shape(ids)[1]])
        return tf.cast(ids, tf.int32), tf.reshape(tf.cast(split.row_lengths(), tf.int32), shape)

    def _normal(self, words: tf.Tensor) -> tf.Tensor:
        return tf.strings.lower(words, encoding="utf-8") if self._lowercase else words

    def _known(self, words: tf.Tensor) -> tf.Tensor:
        return self._words.lookup(self._normal(words)) != UNKNOWN

    def _without_punctuation(self, words: tf.Tensor) -> tf.Tensor:
        bare = tf.strings.regex_replace(words, r"^[[:punct:]]+|[[:punct:]]+$", "")
        return tf.where(~self._known(words) & self._known(bare) & (bare != ""), bare, words)


def normal_forms(words: Iterable[str], lowercase: bool) -> list[str]:
    """Words as the reader looks them up, by the very same operation; for counting vocabularies.

    Example:
        >>> normal_forms(["Zürich", "NEW"], lowercase=True)
        ['zürich', 'new']
    """
    words = list(words)
    if not lowercase or not words:
        return words
    return [word.decode("utf-8") for word in tf.strings.lower(tf.constant(words), encoding="utf-8").numpy()]
