"""The one function that turns text into words and ids, in TF operations: training and the export both call it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import numpy as np
import tensorflow as tf

from .vocabulary import PADDING, UNKNOWN, Vocabulary

Split: TypeAlias = Literal["spaces", "punctuation", "characters"]

# One unknown word stands for an empty text: no sequence is empty.
_NOTHING = "\N{REPLACEMENT CHARACTER}"


class WordReader(tf.Module):
    """Splits texts into words and looks words and their characters up.

    Where texts are split:

    - `"spaces"`: at white space. A word that is not in the vocabulary loses the punctuation around it if that makes it
      a known one (`denver.`), so that natural text works with corpora that have no punctuation; the number of words is
      always that of the text split at white space.
    - `"punctuation"`: there too, and around every punctuation mark, which is a word of its own; apostrophes inside of
      words stay (`don't`), and HTML tags (`<br />`) count as white space.
    - `"characters"`: every character is a word; a stretch of white space, or a tag, is one space.

    A word is lower-cased if `lowercase`.

    Args:
        words: vocabulary of words.
        characters: vocabulary of characters; `None` if the model does not read them.
        lowercase: bool.
        max_characters: int. Longer words are cut for the character ids.
        split: str. Where texts are split.
    """

    def __init__(
        self,
        words: Vocabulary,
        characters: Vocabulary | None,
        lowercase: bool = True,
        max_characters: int = 24,
        split: Split = "spaces",
    ) -> None:
        super().__init__(name="word_reader")
        self._words = words.table()
        self._characters = _ids_of_code_points(characters) if characters else None
        self._lowercase, self._max_characters, self._split = lowercase, max_characters, split

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits `(batch,)` texts into words `(batch, None)`; invalid bytes and control characters are replaced."""
        words = split_texts(texts, self._split)
        return words.with_values(self._without_punctuation(words.values)) if self._split == "spaces" else words

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
        shape = tf.shape(words)
        flat = tf.reshape(self._normal(words), [-1])
        points = tf.strings.unicode_decode(flat, "UTF-8", errors="replace")
        lengths = tf.minimum(tf.cast(points.row_lengths(), tf.int32), self._max_characters)
        dense = points[:, : self._max_characters].to_tensor(-1)  # cut first: one endless word must not widen them all
        ids = tf.gather(self._characters, tf.minimum(dense + 1, tf.size(self._characters) - 1))
        return tf.reshape(ids, [shape[0], shape[1], tf.shape(ids)[1]]), tf.reshape(lengths, shape)

    def _normal(self, words: tf.Tensor) -> tf.Tensor:
        return tf.strings.lower(words, encoding="utf-8") if self._lowercase else words

    def _known(self, words: tf.Tensor) -> tf.Tensor:
        return self._words.lookup(self._normal(words)) != UNKNOWN

    def _without_punctuation(self, words: tf.Tensor) -> tf.Tensor:
        bare = tf.strings.regex_replace(words, r"^[[:punct:]]+|[[:punct:]]+$", "")
        return tf.where(~self._known(words) & self._known(bare) & (bare != ""), bare, words)


def split_texts(texts: tf.Tensor, split: Split) -> tf.RaggedTensor:
    """Splits `(batch,)` texts into words `(batch, None)` of any case; see `WordReader`.

    Example:
        >>> words = split_texts(tf.constant(["It isn't bad,<br />it's 'fine'!"]), "punctuation")
        >>> [word.decode() for word in words.values.numpy()]
        ['It', "isn't", 'bad', ',', "it's", "'", 'fine', "'", '!']
    """
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    texts = tf.strings.regex_replace(texts, r"[\x00-\x08\x0e-\x1f\x7f]", _NOTHING)
    if split == "spaces":
        return tf.strings.split(texts)
    texts = tf.strings.regex_replace(texts, r"<[/!]?\pL[^<>]*>", " ")
    if split == "characters":
        texts = tf.strings.strip(tf.strings.regex_replace(texts, r"\s+", " "))
        return tf.strings.unicode_split(texts, "UTF-8")
    texts = tf.strings.regex_replace(texts, r"([^\pL\pM\pN\s'])", r" \1 ")
    texts = tf.strings.regex_replace(texts, r"(^|[^\pL\pN])'", r"\1 ' ")
    return tf.strings.split(tf.strings.regex_replace(texts, r"'([^\pL\pN]|$)", r" ' \1"))


def _ids_of_code_points(characters: Vocabulary) -> tf.Tensor:
    """The id of the code point `p` at `p + 1`; padding (-1) comes first, and last what stands for all higher ones."""
    points = {ord(entry): number for number, entry in enumerate(characters.entries) if len(entry) == 1}
    ids = np.full(max(points, default=0) + 3, UNKNOWN, np.int32)
    ids[0] = PADDING
    for point, number in points.items():
        ids[point + 1] = number
    return tf.constant(ids)


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
