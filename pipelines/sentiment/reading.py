"""What the model sees of a text: ids of words and n-grams, for training and in the export alike."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from ..ngrams import Ngrams
from ..vocabulary import UNKNOWN, Vocabulary
from ..words import WordReader
from .config import Config

_CHUNK = 1_000  # texts that are read at a time


class TextReader(tf.Module):
    """Turns texts into the inputs of `SentimentModel`.

    A *unit* is a word or an n-gram. All units have one numbering, which the log-count ratios use: words come first,
    then the n-grams.

    Args:
        words: vocabulary of words, or of characters with `level=characters`.
        ngrams: the n-grams that are counted.
        config: `level`, `lowercase`, `truncation`, `max_tokens`, `regions`, `region_entries`, `linear`.
    """

    def __init__(self, words: Vocabulary, ngrams: Ngrams, config: Config) -> None:
        super().__init__(name="text_reader")
        self._words = WordReader(words, None, config.lowercase, split=config.split)
        self._ngrams, self._tables, self._config = ngrams, ngrams.tables(), config
        self._offset = len(words) - 1  # of the numbers of n-grams, which start at 1
        self.entries = len(words) + len(ngrams) - 1

    @property
    def region_sizes(self) -> list[int]:
        """Entries of the vectors of each order of n-grams, entry 0 included."""
        return [1 + min(self._ngrams.many(order), self._config.region_entries) for order in self._config.regions]

    def words(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """The words `(batch, None)` of texts `(batch,)`; none of an empty one."""
        return self._words.tokens(texts)

    def ids(self, words: tf.RaggedTensor) -> tf.RaggedTensor:
        """Word ids, int32 `(batch, None)`, of words; an empty text is one unknown word."""
        words = self._words.at_least_one(words)
        return words.with_values(self._words.ids(words.values))

    def inputs(self, ids: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """What the model reads of word ids `(batch, None)`, none of them empty: see `SentimentModel`."""
        read = truncated(ids, self._config.max_tokens, self._config.truncation)
        dense = _at_least_one_step(read.to_tensor(0))
        numbers = {order: self._ngrams.numbers(dense, order) for order in self._config.regions}
        inputs = {"words": dense, "lengths": tf.cast(read.row_lengths(), tf.int32)}
        if numbers:
            inputs["regions"] = tf.stack([self._with_vector(order, number) for order, number in numbers.items()], -1)
        if self._config.ratios:
            inputs["steps"] = tf.stack([dense, *(self._unit(number) for number in numbers.values())], -1)
        if self._config.linear:
            inputs["units"] = self.units(ids)
        return inputs

    def units(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """The units of whole texts, int32 `(batch, None)`, with repeats, in no order; 0 is none."""
        dense = _at_least_one_step(ids.to_tensor(0))
        ngrams = [self._unit(self._ngrams.numbers(dense, order)) for order in self._config.linear]
        return tf.concat([dense, *ngrams], axis=1)

    def units_of_words(self, ids: tf.RaggedTensor) -> tf.Tensor:
        """The units that hold each word, int32 `(batch, time, units)`: itself and the n-grams; 0 is none."""
        dense = _at_least_one_step(ids.to_tensor(0))
        found = [dense]
        for order in self._config.linear:
            numbers = self._unit(self._ngrams.numbers(dense, order))
            steps = tf.shape(numbers)[1]
            found += [tf.pad(numbers, [[0, 0], [place, 0]])[:, :steps] for place in range(order)]
        return tf.stack(found, axis=-1)

    def at_words(self, ids: tf.RaggedTensor, values: tf.Tensor) -> tf.Tensor:
        """Puts values of the steps that are read, `(batch, steps)`, at the words; zeros at words that are not."""
        places = ids.with_values(tf.range(tf.size(ids.values), dtype=tf.int64))
        read = truncated(places, self._config.max_tokens, self._config.truncation)
        steps = tf.RaggedTensor.from_tensor(values, lengths=read.row_lengths())
        flat = tf.scatter_nd(read.values[:, None], steps.values, tf.shape(places.values, tf.int64))
        return _at_least_one_step(ids.with_values(flat).to_tensor(0.0))

    def _unit(self, number: tf.Tensor) -> tf.Tensor:
        return tf.where(number > 0, number + self._offset, 0)

    def _with_vector(self, order: int, number: tf.Tensor) -> tf.Tensor:
        """Numbers within an order, from 1, 0 for n-grams without a vector."""
        own = number - (self._ngrams.first(order) - 1)
        return tf.where((own >= 1) & (own <= self._config.region_entries), own, 0)


def truncated(ids: tf.RaggedTensor, limit: int, truncation: str) -> tf.RaggedTensor:
    """What is read of each row: all of a short one, of a longer one `limit` steps.

    Args:
        ids: ragged tensor `(batch, None)`.
        limit: int.
        truncation: `"head"`, `"tail"` or `"both"`, which joins the first and the last half.

    Example:
        >>> rows = tf.ragged.constant([[1, 2, 3, 4, 5], [1, 2]])
        >>> truncated(rows, 4, "both").to_list(), truncated(rows, 2, "tail").to_list()
        ([[1, 2, 4, 5], [1, 2]], [[4, 5], [1, 2]])
    """
    if truncation == "head":
        return ids[:, :limit]
    if truncation == "tail":
        return ids[:, -limit:]
    lengths = ids.row_lengths()
    place = tf.ragged.range(lengths)
    head = limit - limit // 2
    keep = (place < head) | (place >= (tf.maximum(lengths, limit) - limit // 2)[:, None])
    return tf.ragged.boolean_mask(ids, keep | (lengths <= limit)[:, None])


def how_read(texts: Sequence[str], reader: TextReader, config: Config) -> list[dict[str, int]]:
    """What became of texts: `tokens` they have, how many were `read`, and how many of all are `unseen` in train."""
    facts = []
    for start in range(0, len(texts), _CHUNK):
        words = reader.words(tf.constant(texts[start : start + _CHUNK]))
        unknown = tf.cast(reader.ids(words) == UNKNOWN, tf.int64)
        unseen = tf.reduce_sum(unknown, axis=1).numpy().tolist()
        for tokens, count in zip(words.row_lengths().numpy().tolist(), unseen, strict=True):
            facts.append({"tokens": tokens, "read": min(tokens, config.max_tokens), "unseen": min(count, tokens)})
    return facts


def _at_least_one_step(dense: tf.Tensor) -> tf.Tensor:
    """A batch without rows gets one step: neither a recurrence nor a pooling can do without."""
    return tf.reshape(dense, tf.maximum(tf.shape(dense), [0, 1]))
