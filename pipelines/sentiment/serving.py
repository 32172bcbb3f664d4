"""A text in; its class and the probabilities of all classes out."""

from __future__ import annotations

from typing import ClassVar

import tensorflow as tf

from ..exporting import Server, Signature
from .config import Config
from .data import Preprocessor
from .model import SentimentModel


class SentimentServer(Server):
    """Answers `text (batch,)`.

    Returns for each row `label` (string), `probabilities` (float32, one for each class in the order of
    `preprocessor/labels.txt`), and `error`, which is empty if the row could be read. The signature `explain` adds
    `tokens` (string) and what each of them contributed to the label, `contributions` (float32).
    """

    inputs: ClassVar = {"text": tf.TensorSpec([None], tf.string)}
    outputs = ("label", "probabilities", "error")
    others: ClassVar = {
        "explain": Signature(
            inputs,
            (*outputs, "tokens", "contributions"),
            {"tokens": "tokens", "contributions": "tokens"},
            differentiates=True,
        )
    }

    def __init__(self, model: SentimentModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model)
        self.reader = preprocessor.reader(config)
        self._labels = tf.constant(preprocessor.labels.entries)

    def answer(self, text: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        """Answers a batch of texts."""
        words = self.reader.words(text)
        return self._answers(words, self.model.decode(self.reader.inputs(self.reader.ids(words))))

    def explain(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch of texts, and says what each word contributed; see `SentimentModel.contributions`."""
        words = self.reader.words(text)
        ids = self.reader.ids(words)
        inputs = self.reader.inputs(ids)
        probabilities, steps = self.model.contributions(inputs)
        contributions = self.reader.at_words(ids, steps)
        if self.model.linear is not None:
            of_class = self.model.linear_contributions(self.reader.units_of_words(ids), tf.argmax(probabilities, -1))
            contributions += of_class
        return {
            **self._answers(words, probabilities),
            "tokens": words.to_tensor(""),
            "contributions": contributions[:, : tf.cast(words.bounding_shape()[1], tf.int32)],
        }

    def _answers(self, words: tf.RaggedTensor, probabilities: tf.Tensor) -> dict[str, tf.Tensor]:
        error = tf.where(words.row_lengths() == 0, "the text has no words", "")
        fine = error == ""
        best = tf.gather(self._labels, tf.argmax(probabilities, axis=-1))
        return {
            "label": tf.where(fine, best, ""),
            "probabilities": tf.where(fine[:, None], probabilities, 0.0),
            "error": error,
        }
