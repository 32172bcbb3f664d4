"""From translated sentences to batches of ids: the preprocessor, and the training data."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import tensorflow as tf

from ...datasets.translated_sentence import TranslatedSentence
from ..batching import Tensors, TrainingData
from ..run_directory import write_text
from ..vocabulary import END, START, Vocabulary
from ..words import WordReader
from .config import Config
from .reading import source_entries, source_reader, source_vocabulary, source_words
from .writing import TargetText, target_symbols

_CHUNK = 1_000  # sentences that are read at a time


@dataclass(frozen=True)
class Preprocessor:
    """What a run knows of its training sentences.

    Attributes:
        source: words or subwords that the encoder knows.
        target: symbols that the decoder writes.
        sources: the source sentences of train, with which a report compares those of test.
    """

    source: Vocabulary
    target: Vocabulary
    sources: tuple[str, ...]

    @classmethod
    def fit(cls, train: Sequence[TranslatedSentence], config: Config, base: Self | None = None) -> Self:
        """Counts what occurs in train; a run that starts from another one keeps that one's entries first."""
        sources = tuple(sentence.source for sentence in train)
        targets = [target for sentence in train for target in sentence.targets]
        return cls(
            source=source_vocabulary(sources, config, base.source if base else None),
            target=Vocabulary.count(
                target_symbols(targets, config), config.target_min_count, list, base.target if base else None
            ),
            sources=sources,
        )

    def save(self, folder: Path) -> None:
        """Writes one text file for each vocabulary, and the sentences beside them."""
        self.source.save(folder / "source.txt")
        self.target.save(folder / "target.txt")
        write_text(folder / "sources.txt", "".join(f"{_one_line(source)}\n" for source in self.sources))

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        source, target = (Vocabulary.load(folder / f"{name}.txt") for name in ("source", "target"))
        sources = (folder / "sources.txt").read_bytes().decode("utf-8").split("\n")[:-1]
        return cls(source, target, tuple(sources))

    def reader(self, config: Config) -> WordReader:
        """What splits sources."""
        return source_reader(self.source, config)

    def writer(self, config: Config) -> TargetText:
        """What splits and joins targets."""
        return TargetText(self.target, config)

    def counts(self, config: Config) -> Counter[str]:
        """How often train has each source token."""
        entries = source_entries(self.sources, self.reader(config), config)
        return Counter(entry for row in entries for entry in row)


def training_data(examples: Sequence[TranslatedSentence], preprocessor: Preprocessor, config: Config) -> TrainingData:
    """Pairs of a source and a target as batches of the inputs of `TranslationModel`; the weights count symbols.

    A source with several targets stands in as many pairs.
    """
    reader, writer = preprocessor.reader(config), preprocessor.writer(config)
    pairs = [(example.source, target) for example in examples for target in example.targets]
    sources = _ids([source for source, _ in pairs], reader.tokens, reader)
    targets = _ids([target for _, target in pairs], writer.symbols, writer)
    read, to_write = _sides(targets, config)

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        source, before, after = (tf.gather(each, rows) for each in (sources, read, to_write))
        lengths = tf.cast(before.row_lengths(), tf.int32)
        inputs = {
            "source": source.to_tensor(0),
            "source_lengths": tf.cast(source.row_lengths(), tf.int32),
            "target": before.to_tensor(0),
            "target_lengths": lengths,
        }
        real = tf.sequence_mask(lengths, dtype=tf.float32)
        if config.scheduled_sampling:
            share = config.scheduled_sampling * tf.cast(epoch, tf.float32) / max(1, config.epochs - 1)
            seed = tf.stack([config.seed + 7919 * epoch, rows[0]])  # no two batches of an epoch begin with the same row
            draws = tf.random.stateless_uniform(tf.shape(real), seed)
            inputs["sampled"] = tf.cast(draws < share, tf.int32)
        weights = {"symbols": real}
        if config.ending == "bernoulli":
            weights["ending"] = real
        elif config.ending == "predicted_length":
            weights["ending"] = tf.ones_like(lengths, tf.float32)
        return inputs, {"symbols": after.to_tensor(0)}, weights

    sizes = sources.row_lengths() + to_write.row_lengths()
    return TrainingData(sizes.numpy(), batch)


def usable(examples: Sequence[TranslatedSentence], config: Config) -> tuple[list[TranslatedSentence], dict[str, int]]:
    """The sentences without targets that training cannot use, and how many were left out for which reason."""
    symbols = iter(target_symbols([target for example in examples for target in example.targets], config))
    words = source_words([example.source for example in examples], config)
    left_out: Counter[str] = Counter()
    kept = []
    for example, read in zip(examples, words, strict=True):
        lengths = [len(each) for each in itertools.islice(symbols, len(example.targets))]
        targets = []
        for target, length in zip(example.targets, lengths, strict=True):
            reason = _why_not(example.source, target, len(read), length, config)
            if reason:
                left_out[f"training pairs left out because {reason}"] += 1
            else:
                targets.append(target)
        if targets:
            kept.append(replace(example, targets=tuple(targets), attributions=()))
    return kept, dict(left_out)


def _why_not(source: str, target: str, words: int, symbols: int, config: Config) -> str:
    """Why training cannot use a pair; nothing if it can."""
    if words == 0 or symbols == 0:
        return "one side has nothing to read"
    if source == target:
        return "both sides are the same"
    if words > config.max_tokens:
        return "the source is longer than max_tokens"
    return "the target is longer than max_symbols" if symbols > config.max_symbols else ""


def _ids(texts: Sequence[str], split: Callable[[tf.Tensor], tf.RaggedTensor], reader: Any) -> tf.RaggedTensor:
    """Ids `(texts, None)`, int32."""
    parts = []
    for start in range(0, len(texts), _CHUNK):
        found = split(tf.constant(texts[start : start + _CHUNK]))
        parts.append(found.with_values(reader.ids(found.values)))
    return tf.concat(parts, axis=0)


def _sides(targets: tf.RaggedTensor, config: Config) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
    """What the decoder reads, from the start symbol on, and what it is to write: one step later."""
    ones = tf.ones([targets.nrows(), 1], tf.int32)
    if config.ending == "end_symbol":
        return tf.concat([START * ones, targets], axis=1), tf.concat([targets, END * ones], axis=1)
    return tf.concat([START * ones, targets[:, :-1]], axis=1), targets


def _one_line(text: str) -> str:
    return " ".join(text.split("\n"))
