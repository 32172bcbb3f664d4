"""From tagged sentences to batches of ids: the preprocessor, and the training data with substituted values."""

from __future__ import annotations

import functools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import tensorflow as tf

from ...datasets.tagged_sentence import TaggedSentence
from ..batching import Tensors, TrainingData
from ..vocabulary import PADDING, UNKNOWN, Vocabulary
from ..words import WordReader, normal_forms
from .config import Config
from .spans import spans
from .tags import kind_of, tag_vocabulary


@dataclass(frozen=True)
class Preprocessor:
    """The vocabularies of a run.

    Attributes:
        words: what the word embedding knows.
        characters: what the character embedding knows.
        tags: the output layer's tags, by id.
        intents: the output layer's intents, by id; `None` where the data has none.
    """

    words: Vocabulary
    characters: Vocabulary
    tags: Vocabulary
    intents: Vocabulary | None

    @classmethod
    def fit(cls, train: Sequence[TaggedSentence], config: Config, base: Self | None = None) -> Self:
        """Counts what occurs in train; a run that starts from another one keeps that one's entries first."""
        forms = normal_forms([token for sentence in train for token in sentence.tokens], config.lowercase)
        intents = [sentence.intent for sentence in train if sentence.intent is not None]
        return cls(
            words=Vocabulary.count([forms], config.min_count, list, base.words if base else None),
            characters=Vocabulary.count(sorted(set(forms)), 1, list, base.characters if base else None),
            tags=tag_vocabulary((tag for sentence in train for tag in sentence.tags), base.tags if base else None),
            intents=Vocabulary.labels(intents, base.intents if base else None) if intents else None,
        )

    def save(self, folder: Path) -> None:
        """Writes one text file a vocabulary."""
        for name in ("words", "characters", "tags", "intents"):
            vocabulary = getattr(self, name)
            if vocabulary is not None:
                vocabulary.save(folder / f"{name}.txt")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        required = {name: Vocabulary.load(folder / f"{name}.txt") for name in ("words", "characters", "tags")}
        intents = folder / "intents.txt"
        return cls(**required, intents=Vocabulary.load(intents) if intents.is_file() else None)

    def reader(self, config: Config) -> WordReader:
        """The text function of the run."""
        characters = self.characters if config.character_dim else None
        return WordReader(self.words, characters, config.lowercase, config.max_characters)

    def unseen(self, tokens: Sequence[str], lowercase: bool) -> list[str]:
        """The words that train did not have."""
        return [token for token in tokens if _normal_form(token, lowercase) not in self.words]


def training_data(examples: Sequence[TaggedSentence], preprocessor: Preprocessor, config: Config) -> TrainingData:
    """Sentences as batches of `words characters lengths tags intent`; the weights count rows."""
    segments = SegmentedSentences(examples, preprocessor, config)
    reader = preprocessor.reader(config)
    rare = tf.constant(rare_word_rates(examples, preprocessor, config), tf.float32)
    intents = tf.constant(
        [preprocessor.intents.index(sentence.intent) if preprocessor.intents else 0 for sentence in examples], tf.int32
    )

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        seed = tf.stack([config.seed + 7919 * epoch, rows[0]])  # no two batches of an epoch begin with the same row
        tokens, tags = segments.draw(rows, seed)
        words = tokens.to_tensor("")
        ids = reader.ids(words)
        # Drawn word after word, not for the padded matrix: rows that only fill the batch up change no draw before them.
        draws = tokens.with_values(tf.random.stateless_uniform([tf.size(tokens.values)], seed + [1, 1])).to_tensor(1.0)
        unknown = draws < tf.gather(rare, ids)
        inputs = {
            "words": tf.where(unknown, UNKNOWN, ids),
            "lengths": tf.cast(tokens.row_lengths(), tf.int32),
            "tags": tags.to_tensor(0),
        }
        if config.character_dim:
            inputs["characters"], inputs["character_lengths"] = reader.characters(words)
        count = tf.ones([tf.shape(rows)[0]])
        targets = {"slots": inputs["tags"], "intent": tf.gather(intents, rows)}
        return inputs, targets, {"slots": count, "intent": count}

    return TrainingData(np.array([len(sentence.tokens) for sentence in examples]), batch)


class SegmentedSentences:
    """Sentences as sequences of segments: the words between slots, and the values of slots.

    A slot's value can be replaced by another value that train has for a slot of the same kind (any `city_name` for a
    `fromloc.city_name`), so that a model learns to read the context instead of remembering the value; Raiman and Miller
    (2017, *Globally Normalized Reader*) call it type swaps. Everything is gathered by TF operations.

    Args:
        examples: the training sentences, legal IOB2.
        preprocessor: its tags.
        config: `substitution`, `substituted_spans`.
    """

    def __init__(self, examples: Sequence[TaggedSentence], preprocessor: Preprocessor, config: Config) -> None:
        self._config = config
        values: dict[tuple[str, ...], int] = {}
        pools: dict[str, set[int]] = defaultdict(set)
        sentences = []
        for sentence in examples:
            segments = []
            for slot, words in _segments(sentence):
                value = values.setdefault(words, len(values))
                if slot is not None:
                    pools[kind_of(slot)].add(value)
                segments.append((value, slot))
            sentences.append(segments)
        kinds = {kind: number for number, kind in enumerate(sorted(pools))}
        reader = preprocessor.reader(config)
        self._values = reader.tokens(tf.constant([" ".join(words) for words in values]))  # (values, words)
        self._pools = tf.ragged.constant([sorted(pools[kind]) for kind in kinds] or [[0]], tf.int64)
        self._segments = tf.ragged.constant(
            [
                [
                    (
                        value,
                        kinds[kind_of(slot)] if slot is not None else -1,
                        preprocessor.tags.index(f"B-{slot}" if slot is not None else "O"),
                        preprocessor.tags.index(f"I-{slot}" if slot is not None else "O"),
                    )
                    for value, slot in segments
                ]
                for segments in sentences
            ],
            tf.int64,
            ragged_rank=1,
            inner_shape=(4,),
        )  # (sentences, segments, 4): value, kind or -1, first tag, later tags

    def draw(self, rows: tf.Tensor, seed: tf.Tensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Words and tag ids, both `(rows, time)`, of the sentences with these numbers."""
        segments = tf.gather(self._segments, rows)
        value, kind, first, later = tf.unstack(segments.values, axis=1)
        if self._config.substitution:
            value = self._substituted(value, kind, segments.value_rowids(), seed)
        words = tf.gather(self._values, value)  # (segments of all rows, words)
        tags = words.with_values(tf.repeat(later, words.row_lengths()))
        beginning = tf.ragged.range(words.row_lengths()).flat_values == 0
        tags = tags.with_values(tf.where(beginning, tf.repeat(first, words.row_lengths()), tags.values))
        per_row = segments.row_splits
        return (
            tf.RaggedTensor.from_row_splits(words, per_row).merge_dims(1, 2),
            tf.RaggedTensor.from_row_splits(tags.with_values(tf.cast(tags.values, tf.int32)), per_row).merge_dims(1, 2),
        )

    def _substituted(self, value: tf.Tensor, kind: tf.Tensor, row: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        in_sentence = tf.random.stateless_uniform([tf.reduce_max(row) + 1], seed) < self._config.substitution
        draws = tf.random.stateless_uniform([tf.size(value), 2], seed + [2, 2])
        chosen = (kind >= 0) & tf.gather(in_sentence, row) & (draws[:, 0] < self._config.substituted_spans)
        kind = tf.maximum(kind, 0)
        size = tf.gather(self._pools.row_lengths(), kind)
        place = tf.minimum(tf.cast(draws[:, 1] * tf.cast(size, tf.float32), tf.int64), size - 1)
        other = tf.gather(self._pools.values, tf.gather(self._pools.row_starts(), kind) + place)
        return tf.where(chosen, other, value)


def rare_word_rates(examples: Sequence[TaggedSentence], preprocessor: Preprocessor, config: Config) -> np.ndarray:
    """For each word id, how often it is read as unknown in training: `a / (a + n)`, 0 for the special entries."""
    forms = normal_forms([token for sentence in examples for token in sentence.tokens], config.lowercase)
    counts = Counter(forms)
    strength = config.rare_word_dropout
    rates = np.zeros(len(preprocessor.words), np.float32)
    for word, count in counts.items():
        rates[preprocessor.words.id(word)] = strength / (strength + count)
    rates[[PADDING, UNKNOWN]] = 0.0
    return rates


def _segments(sentence: TaggedSentence) -> list[tuple[str | None, tuple[str, ...]]]:
    """The sentence cut at the ends of its spans: slot (or `None`) and words."""
    found: list[tuple[str | None, tuple[str, ...]]] = []
    position = 0
    for span in spans(sentence.tags):
        if span.start > position:
            found.append((None, sentence.tokens[position : span.start]))
        found.append((span.type, sentence.tokens[span.start : span.end]))
        position = span.end
    if position < len(sentence.tokens):
        found.append((None, sentence.tokens[position:]))
    return found


@functools.lru_cache(maxsize=100_000)
def _normal_form(token: str, lowercase: bool) -> str:
    return normal_forms([token], lowercase)[0]
