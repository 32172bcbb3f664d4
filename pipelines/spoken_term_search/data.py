"""From spoken terms to batches of frames: the preprocessor, the pairs, and the training data."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from ...datasets.spoken_term import SpokenTerm
from ..audio_augmentation import Augmentation
from ..batching import Tensors, TrainingData
from ..errors import UserError
from ..feature_moments import moments
from ..feature_store import FeatureStore
from ..run_directory import read_json, write_json, write_text
from .config import Config
from .pairs import discover

_PAIRS = "pairs.tsv"
_OTHER_DRAWS = 1 << 40  # beyond all rows, with whose numbers the augmentation draws


@dataclass(frozen=True)
class Preprocessor:
    """What a run knows of its training terms.

    Attributes:
        size: static features of a frame.
        mean: float32 `(size,)` or, with slopes, `(3 * size,)`: of the features of all frames; empty unless the
            features are normalised by it.
        variance: float32, the same.
        pairs: names of two terms of train that sound alike, and their distance; none unless they are discovered.
    """

    size: int
    mean: np.ndarray
    variance: np.ndarray
    pairs: tuple[tuple[str, str, float], ...] = ()

    @classmethod
    def fit(
        cls, train: Sequence[SpokenTerm], store: FeatureStore, cepstra: Sequence[np.ndarray] | None, config: Config
    ) -> Self:
        """Learns from train.

        Args:
            train: the terms.
            store: their features.
            cepstra: what pairs are discovered by, `(frames, size)` for each term; `None` if they are not wanted.
            config: the settings.
        """
        mean, variance = moments(store, config.deltas) if config.normalisation == "global" else (np.zeros(0),) * 2
        found: tuple[tuple[str, str, float], ...] = ()
        if cepstra is not None:
            speakers = [term.speaker for term in train] if config.across_speakers else None
            rows, distances = discover(cepstra, config.neighbours, speakers)
            named = zip(rows.tolist(), distances.tolist(), strict=True)
            found = tuple((train[one].name, train[other].name, distance) for (one, other), distance in named)
        return cls(store.size, mean, variance, found)

    def save(self, folder: Path) -> None:
        """Writes the statistics, and the pairs as a table."""
        features = {"size": self.size, "mean": self.mean.tolist(), "variance": self.variance.tolist()}
        write_json(folder / "features.json", features)
        lines = (f"{one}\t{other}\t{distance:.6g}\n" for one, other, distance in self.pairs)
        write_text(folder / _PAIRS, "".join(lines))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        features = read_json(folder / "features.json")
        mean, variance = (np.array(features[name], np.float32) for name in ("mean", "variance"))
        lines = (folder / _PAIRS).read_text(encoding="utf-8").splitlines()
        pairs = [line.split("\t") for line in lines]
        return cls(features["size"], mean, variance, tuple((one, other, float(far)) for one, other, far in pairs))


def training_data(
    examples: Sequence[SpokenTerm], store: FeatureStore, preprocessor: Preprocessor, config: Config
) -> TrainingData:
    """Terms as batches of the inputs of `TermModel`; the weights count frames, of the siamese variant terms."""
    partners = tf.ragged.constant(partner_rows(examples, preprocessor, config), tf.int64, ragged_rank=1)
    labels = tf.constant(_classes(examples, config), tf.int32)
    augment = Augmentation(config, config.seed)

    def frames(rows: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        found, lengths = tf.numpy_function(store.frames, [rows], [tf.float32, tf.int32])
        return tf.ensure_shape(found, [None, None, preprocessor.size]), tf.ensure_shape(lengths, [None])

    def changed(rows: tf.Tensor, draw: tf.Tensor, epoch: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        given, lengths = frames(rows)
        return augment(given, lengths, (lengths + 1) // 2, draw, epoch) if config.changes_input else (given, lengths)

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        features, lengths = changed(rows, rows, epoch)
        others = _drawn(tf.gather(partners, rows), rows, epoch, config.seed)
        if config.variant == "correspondence":
            others = tf.where(epoch < config.restoration_epochs, rows, others)
        siamese = config.variant == "siamese"
        partner, partner_lengths = changed(others, rows + len(examples), epoch) if siamese else frames(others)
        inputs = {
            "features": features,
            "lengths": lengths,
            "partner": partner,
            "partner_lengths": partner_lengths,
            "labels": tf.gather(labels, rows),
        }
        if siamese:
            return inputs, {}, {"terms": tf.ones_like(lengths, tf.float32)}
        return inputs, {}, {"frames": tf.sequence_mask(partner_lengths, tf.shape(partner)[1], tf.float32)}

    return TrainingData(store.lengths, batch)


def partner_rows(examples: Sequence[SpokenTerm], preprocessor: Preprocessor, config: Config) -> list[list[int]]:
    """For each term the rows of those that stand for it; the term itself where there is no other.

    Raises:
        UserError: if pairs are to come from labels, and no two terms have the same.
    """
    itself = [[row] for row in range(len(examples))]
    if config.variant in ("plain", "denoising"):
        return itself
    others: list[list[int]] = [[] for _ in examples]
    if config.pairs == "labels":
        rows: dict[str, list[int]] = {}
        for row, term in enumerate(examples):
            if term.label is not None:
                rows.setdefault(term.label, []).append(row)
        for row, term in enumerate(examples):
            others[row] = [other for other in rows.get(term.label or "", []) if other != row]
        if not any(others):
            raise UserError("pairs=labels needs terms of train with the same label, and there are none")
    else:
        places = {term.name: row for row, term in enumerate(examples)}
        for one, other, _ in preprocessor.pairs:
            if one in places and other in places:
                others[places[one]].append(places[other])
                others[places[other]].append(places[one])
    return [sorted(set(found)) or own for found, own in zip(others, itself, strict=True)]


def _classes(examples: Sequence[SpokenTerm], config: Config) -> list[int]:
    """Numbers that only terms share that are known to be the same."""
    if config.pairs != "labels":
        return list(range(len(examples)))
    count = itertools.count()
    known: dict[str, int] = {}
    return [next(count) if term.label is None else known.setdefault(term.label, next(count)) for term in examples]


def _drawn(choices: tf.RaggedTensor, rows: tf.Tensor, epoch: tf.Tensor, seed: int) -> tf.Tensor:
    """One of the choices of each row, `(rows,)`, that depends on seed, epoch and row alone."""

    def of_row(row: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform([], tf.stack([row + _OTHER_DRAWS, epoch + (seed << 32)]))

    draws = tf.map_fn(of_row, rows, fn_output_signature=tf.TensorSpec([], tf.float32))
    counts = choices.row_lengths()
    places = tf.minimum(tf.cast(draws * tf.cast(counts, tf.float32), tf.int64), counts - 1)
    return tf.gather(choices.values, choices.row_starts() + places)
