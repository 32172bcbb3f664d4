"""A sentence in; its words, tags, slots and intent out."""

from __future__ import annotations

from typing import ClassVar

import tensorflow as tf

from ..exporting import Server
from .config import Config
from .data import Preprocessor
from .model import SlotFillingModel


class SlotFillingServer(Server):
    """Answers `text (batch,)`.

    Returns for each row `tokens` and `tags` (string), the slots as `span_types` and `span_values` (string) with
    `span_starts` and `span_ends` (int32, indices of tokens, end exclusive), `intent` with `intent_probability`, and
    `error`, which is empty if the row could be read. Rows are padded with `""` or 0.
    """

    inputs: ClassVar = {"text": tf.TensorSpec([None], tf.string)}
    outputs = (
        *("tokens", "tags", "span_types", "span_starts", "span_ends", "span_values"),
        *("intent", "intent_probability", "error"),
    )
    padding: ClassVar = {
        "tokens": "tokens",
        "tags": "tokens",
        **dict.fromkeys(("span_types", "span_starts", "span_ends", "span_values"), "span_types"),
    }

    def __init__(self, model: SlotFillingModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model)
        self.reader = preprocessor.reader(config)
        tags = preprocessor.tags.entries
        slots = sorted({tag[2:] for tag in tags if tag != "O"})
        self._slot_names = tf.constant(slots or [""])
        self._tag_names = tf.constant(tags)
        self._slot_of_tag = tf.constant([slots.index(tag[2:]) if tag != "O" else -1 for tag in tags])
        self._is_begin = tf.constant([tag.startswith("B-") for tag in tags])
        self._intents = tf.constant(preprocessor.intents.entries) if preprocessor.intents else None
        self._max_tokens, self._reads_characters = config.max_tokens, bool(config.character_dim)

    def answer(self, text: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        """Answers a batch of texts."""
        words = self.reader.tokens(text)
        count = words.row_lengths()
        error = tf.where(count == 0, "the text has no words", "")
        too_long = tf.strings.join(
            ["the text has ", tf.strings.as_string(count), f" words, at most {self._max_tokens} can be read"]
        )
        error = tf.where(count > self._max_tokens, too_long, error)
        words = _only_rows(words, error == "")
        ids, intents = self.model.decode(self._inputs(self.reader.at_least_one(words)))
        tags = tf.RaggedTensor.from_tensor(ids, lengths=words.row_lengths())
        answers = {
            "tokens": words.to_tensor(""),
            "tags": tags.with_values(tf.gather(self._tag_names, tags.values)).to_tensor(""),
            **self._spans(words, tags),
            **self._intent(intents, error, tf.shape(text)),
        }
        return {**answers, "error": error}

    def _inputs(self, words: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        dense = words.to_tensor("")
        # a batch without rows gets one step: neither a recurrence nor the decoder can do without
        dense = tf.reshape(dense, tf.maximum(tf.shape(dense), [0, 1]))
        inputs = {"words": self.reader.ids(dense), "lengths": tf.cast(words.row_lengths(), tf.int32)}
        if self._reads_characters:
            inputs["characters"], inputs["character_lengths"] = self.reader.characters(dense)
        return inputs

    def _spans(self, words: tf.RaggedTensor, tags: tf.RaggedTensor) -> dict[str, tf.Tensor]:
        """Slots by the rule of conlleval: `B-x` starts one, and so does an `I-x` that continues nothing."""
        slot = tf.gather(self._slot_of_tag, tags.values)
        row = tags.value_rowids()
        position = tf.range(tf.size(tags.values, tf.int64)) - tf.gather(tags.row_starts(), row)
        continues = tf.concat([tf.zeros([1], tf.bool), slot[1:] == slot[:-1]], axis=0) & (position > 0)
        starts = (slot >= 0) & (tf.gather(self._is_begin, tags.values) | ~continues)
        inside = slot >= 0
        span = tf.boolean_mask(tf.cumsum(tf.cast(starts, tf.int64)) - 1, inside)
        texts = tf.RaggedTensor.from_value_rowids(
            tf.boolean_mask(words.values, inside),
            span,
            nrows=tf.reduce_sum(tf.cast(starts, tf.int64)),
            validate=False,
        )
        start = tf.cast(tf.boolean_mask(position, starts), tf.int32)
        spans = {
            "span_types": tf.gather(self._slot_names, tf.boolean_mask(slot, starts)),
            "span_starts": start,
            "span_ends": start + tf.cast(texts.row_lengths(), tf.int32),
            "span_values": tf.strings.reduce_join(texts, axis=-1, separator=" "),
        }
        per_row = tf.RaggedTensor.from_value_rowids(
            start, tf.boolean_mask(row, starts), nrows=words.nrows(), validate=False
        )
        return {name: per_row.with_values(values).to_tensor() for name, values in spans.items()}

    def _intent(self, probabilities: tf.Tensor | None, error: tf.Tensor, shape: tf.Tensor) -> dict[str, tf.Tensor]:
        if self._intents is None:
            return {"intent": tf.fill(shape, ""), "intent_probability": tf.zeros(shape)}
        best = tf.gather(self._intents, tf.argmax(probabilities, axis=-1))
        fine = error == ""
        return {
            "intent": tf.where(fine, best, ""),
            "intent_probability": tf.where(fine, tf.reduce_max(probabilities, axis=-1), 0.0),
        }


def _only_rows(words: tf.RaggedTensor, kept: tf.Tensor) -> tf.RaggedTensor:
    """The words of the rows that are kept; the other rows become empty."""
    lengths = words.row_lengths()
    values = tf.boolean_mask(words.values, tf.repeat(kept, lengths))
    return tf.RaggedTensor.from_row_lengths(values, tf.where(kept, lengths, 0), validate=False)
