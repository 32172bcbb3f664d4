"""From labelled texts to batches of ids: the preprocessor, and the training data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from ...datasets.labelled_text import LabelledText
from ..batching import Tensors, TrainingData
from ..ngrams import Ngrams
from ..vocabulary import Vocabulary
from ..words import normal_forms, split_texts
from .config import Config
from .log_count_ratios import load_ratios, log_count_ratios, save_ratios
from .reading import TextReader, truncated

_CHUNK = 1_000  # texts that are split at a time


@dataclass(frozen=True)
class Preprocessor:
    """What a run knows of its training texts.

    Attributes:
        words: what the word embedding knows; characters with `level=characters`.
        ngrams: the n-grams that are counted.
        labels: the classes, by id.
        ratios: `(units, classes)` float32, log-count ratios of the words and n-grams; no rows where they are not used.
    """

    words: Vocabulary
    ngrams: Ngrams
    labels: Vocabulary
    ratios: np.ndarray

    @classmethod
    def fit(cls, train: Sequence[LabelledText], config: Config, base: Self | None = None) -> Self:
        """Counts what occurs in train; a run that starts from another one keeps that one's entries first."""
        words = Vocabulary.count(_words(train, config), config.min_count, list, base.words if base else None)
        labels = Vocabulary.labels((text.label for text in train), base.labels if base else None)
        found = cls(words, Ngrams([], len(words)), labels, np.zeros((0, len(labels)), np.float32))
        if not (config.orders or config.ratios):
            return found
        ids = found.ids(train, config)
        ngrams = Ngrams.count((row.numpy() for row in ids), config.orders, config.ngram_min_count, len(words))
        reader = TextReader(words, ngrams, config)
        classes = np.array([labels.index(text.label) for text in train])
        units = [np.unique(row) for rows in _chunks(ids) for row in reader.units(rows).numpy()]
        return cls(words, ngrams, labels, log_count_ratios(units, classes, reader.entries, len(labels)))

    def save(self, folder: Path) -> None:
        """Writes one text file for each vocabulary, and the ratios beside them."""
        self.words.save(folder / "words.txt")
        self.labels.save(folder / "labels.txt")
        self.ngrams.save(folder / "ngrams.txt", self.words)
        if len(self.ratios):
            save_ratios(folder / "log_count_ratios.tsv", self.ratios)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        words, labels = (Vocabulary.load(folder / f"{name}.txt") for name in ("words", "labels"))
        ngrams = Ngrams.load(folder / "ngrams.txt", words)
        return cls(words, ngrams, labels, load_ratios(folder / "log_count_ratios.tsv", len(labels)))

    def reader(self, config: Config) -> TextReader:
        """The text function of the run."""
        return TextReader(self.words, self.ngrams, config)

    def ids(self, texts: Sequence[LabelledText], config: Config) -> tf.RaggedTensor:
        """Word ids `(texts, None)`; an empty text is one unknown word."""
        reader = self.reader(config)
        parts = []
        for start in range(0, len(texts), _CHUNK):
            chunk = tf.constant([text.text for text in texts[start : start + _CHUNK]])
            parts.append(reader.ids(reader.words(chunk)))
        return tf.concat(parts, axis=0)


def training_data(examples: Sequence[LabelledText], preprocessor: Preprocessor, config: Config) -> TrainingData:
    """Texts as batches of the inputs of `SentimentModel`; the weights count rows."""
    ids = preprocessor.ids(examples, config)
    labels = tf.constant([preprocessor.labels.index(example.label) for example in examples], tf.int32)
    reader = preprocessor.reader(config)
    sizes = truncated(ids, config.max_tokens, config.truncation).row_lengths().numpy()

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        return reader.inputs(tf.gather(ids, rows)), {"label": tf.gather(labels, rows)}, {"label": tf.ones_like(rows)}

    return TrainingData(sizes, batch)


def _words(texts: Sequence[LabelledText], config: Config) -> Iterator[list[str]]:
    """The words of some texts at a time, in the case in which they are looked up."""
    for start in range(0, len(texts), _CHUNK):
        found = split_texts(tf.constant([text.text for text in texts[start : start + _CHUNK]]), config.split).values
        yield normal_forms([word.decode("utf-8") for word in found.numpy()], config.lowercase)


def _chunks(ids: tf.RaggedTensor) -> Iterator[tf.RaggedTensor]:
    for start in range(0, int(ids.nrows()), _CHUNK):
        yield ids[start : start + _CHUNK]
