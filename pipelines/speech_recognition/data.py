"""From utterances to batches of features and characters: the preprocessor, and the training data."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from ...datasets.utterance import Utterance
from ..audio_augmentation import Augmentation
from ..batching import Tensors, TrainingData
from ..feature_moments import moments
from ..feature_store import FeatureStore
from ..language_model import BackoffModel, fit, load_arpa, save_arpa
from ..run_directory import read_json, write_json
from ..vocabulary import Vocabulary
from .config import Config
from .transcripts import normal_transcripts


@dataclass(frozen=True)
class Preprocessor:
    """What a run knows of its training utterances.

    Attributes:
        characters: the alphabet, by class; the blank is the class after the last one.
        words: the words of the transcripts.
        size: static features of a frame.
        mean: float32 `(size,)` or, with slopes, `(3 * size,)`: of the features of all frames; empty unless the
            features are normalised by it.
        variance: float32, the same.
        language_model: n-grams of the transcripts; `None` if there is none.
    """

    characters: Vocabulary
    words: Vocabulary
    size: int
    mean: np.ndarray
    variance: np.ndarray
    language_model: BackoffModel | None

    @classmethod
    def fit(cls, train: Sequence[Utterance], store: FeatureStore, config: Config, base: Self | None = None) -> Self:
        """Learns from train; a run that starts from another one keeps that one's characters first."""
        texts = normal_transcripts([utterance.transcript for utterance in train], config.lowercase)
        characters = Vocabulary.labels({" "}.union(*texts), base.characters if base else None)
        words = Vocabulary.labels(word for text in texts for word in text.split(" "))
        model = None
        if config.language_model == "character":
            model = fit(texts, config.order, vocabulary=characters.entries)
        elif config.language_model == "word":
            model = fit([text.split(" ") for text in texts], config.order)
        mean, variance = moments(store, config.deltas) if config.normalisation == "global" else (np.zeros(0),) * 2
        return cls(characters, words, store.size, mean, variance, model)

    def save(self, folder: Path) -> None:
        """Writes one text file for each vocabulary and for the statistics, and the language model as ARPA."""
        self.characters.save(folder / "characters.txt")
        self.words.save(folder / "words.txt")
        features = {"size": self.size, "mean": self.mean.tolist(), "variance": self.variance.tolist()}
        write_json(folder / "features.json", features)
        if self.language_model is not None:
            save_arpa(self.language_model, folder / "language_model.arpa")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        characters, words = (Vocabulary.load(folder / f"{name}.txt") for name in ("characters", "words"))
        features = read_json(folder / "features.json")
        mean, variance = (np.array(features[name], np.float32) for name in ("mean", "variance"))
        arpa = folder / "language_model.arpa"
        model = load_arpa(arpa) if arpa.is_file() else None
        return cls(characters, words, features["size"], mean, variance, model)

    def labels(self, utterances: Sequence[Utterance], config: Config) -> list[list[int]]:
        """The classes of the characters of each transcript."""
        texts = normal_transcripts([utterance.transcript for utterance in utterances], config.lowercase)
        return [[self.characters.index(character) for character in text] for text in texts]


def training_data(
    examples: Sequence[Utterance], store: FeatureStore, preprocessor: Preprocessor, config: Config
) -> TrainingData:
    """Utterances as batches of the inputs of `SpeechModel`; the weights count characters."""
    labels = tf.ragged.constant(preprocessor.labels(examples, config), tf.int32, ragged_rank=1)
    shortest = tf.constant(least_frames(labels.to_list(), config), tf.int32)
    augment = Augmentation(config, config.seed, orthonormal=config.input == "waveform")

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        frames, lengths = tf.numpy_function(store.frames, [rows], [tf.float32, tf.int32])
        frames = tf.ensure_shape(frames, [None, None, preprocessor.size])
        lengths = tf.ensure_shape(lengths, [None])
        frames, lengths = augment(frames, lengths, tf.gather(shortest, rows), rows, epoch)
        targets = tf.gather(labels, rows)
        counts = tf.cast(targets.row_lengths(), tf.int32)
        inputs = {"features": frames, "lengths": lengths}
        return inputs, {"labels": targets.to_tensor(0), "label_lengths": counts}, {"text": counts}

    return TrainingData(store.lengths, batch)


def least_frames(labels: Sequence[Sequence[object]], config: Config) -> list[int]:
    """For each transcript how many frames it needs: a step for each label, and one between equal neighbours.

    Example:
        >>> least_frames([[0, 1, 1]], Config(subsampling=2))
        [7]
    """
    steps = [len(row) + sum(a == b for a, b in itertools.pairwise(row)) for row in labels]
    return [(count - 1) * config.subsampling + 1 for count in steps]
