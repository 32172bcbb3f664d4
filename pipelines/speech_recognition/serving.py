"""A recording, or its features, in; what was said, how sure that is and when each word was said, out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import tensorflow as tf

from ...layers.ctc import align, best_path, ctc_loss, prefix_beam_search
from ..exporting import Server, Signature
from ..language_model import character_scorer, word_scorer
from ..waveform_input import WAVEFORM_SPECS, WaveformInput, checked
from .config import Config
from .data import Preprocessor
from .model import SpeechModel
from .word_times import words_of

_ANSWER = ("text", "confidence", "words", "word_confidences", "word_starts", "word_ends", "error")
_WORDS = dict.fromkeys(("words", "word_confidences", "word_starts", "word_ends"), "words")


class SpeechServer(Server):
    """Answers recordings, by the decoder of the settings; `greedy`, `beam` and `beam_lm` are signatures of their own.

    Returns for each row `text` (string), `confidence` (float32, the probability that the network, without a language
    model, gives to this very text), `words` (string), `word_confidences` (float32, the geometric mean of the
    probabilities of a word's characters where they are heard), `word_starts` and `word_ends` (float32, seconds), and
    `error`, which is empty if the row could be read. `greedy` has the share of blank steps beside its text;
    `posteriors` gives the static features and the probabilities of all characters, the blank last, at each step.
    """

    outputs = _ANSWER
    padding: ClassVar = _WORDS

    def __init__(self, model: SpeechModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model)
        self.config = config
        self.characters = tf.constant(preprocessor.characters.entries)
        self.space = preprocessor.characters.index(" ")
        self.scorer = None
        if preprocessor.language_model is not None:
            given = preprocessor.language_model, preprocessor.characters.entries
            by_words = config.language_model == "word"
            self.scorer = word_scorer(*given, config.unknown_words) if by_words else character_scorer(*given)
        self.weight, self.bonus = config.language_model_weight or 0.0, config.word_bonus or 0.0

    def set_tuning(self, tuning: Mapping[str, Any]) -> None:
        """Takes over the weight of the language model and the word bonus."""
        self.weight, self.bonus = tuning.get("weight", self.weight), tuning.get("bonus", self.bonus)

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """Those of the decoders that there are, and the posteriors."""
        return {name: each for name, each in self.others.items() if name != "beam_lm" or self.scorer is not None}

    @property
    def notes(self) -> Mapping[str, Any]:
        """The rate that the input must have."""
        if self.config.input == "waveform":
            return {"sampling_rate": self.config.sampling_rate}
        return {"frames_per_second": 1 / self.config.frame_seconds}

    def features(self, **inputs: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """Static features `(batch, frames, size)`, frames of each row `(batch,)`, and errors `(batch,)`."""
        raise NotImplementedError

    def scores(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """`logits (batch, steps, n + 1)`, `lengths (batch,)` in steps and `error (batch,)`."""
        features, lengths, error = self.features(**inputs)
        return {**self.model({"features": features, "lengths": lengths}, training=False), "error": error}

    def answer(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch with the decoder of the settings."""
        found = self.scores(**inputs)
        labels, lengths = self.decoded(self.config.decoder, found["logits"], found["lengths"], self.weight, self.bonus)
        return self._written(found, labels, lengths) | self._with_words(found, labels, lengths)

    def greedy(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch by its best path."""
        found = self.scores(**inputs)
        steps = tf.sequence_mask(found["lengths"], tf.shape(found["logits"])[1], tf.float32)
        blanks = tf.cast(tf.argmax(found["logits"], axis=-1) == found["logits"].shape[-1] - 1, tf.float32)
        share = tf.reduce_sum(blanks * steps, axis=1) / tf.reduce_sum(steps, axis=1)
        labels, lengths = self.decoded("greedy", found["logits"], found["lengths"])
        return self._written(found, labels, lengths) | {"blank_share": share}

    def beam(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch by prefix beam search."""
        return self._by_search("beam", inputs)

    def beam_lm(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch by prefix beam search with the language model."""
        return self._by_search("beam_lm", inputs)

    def posteriors(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """What the network hears, before it is decoded."""
        features, lengths, error = self.features(**inputs)
        found = self.model({"features": features, "lengths": lengths}, training=False)
        return {
            "features": features,
            "frames": lengths,
            "probabilities": tf.nn.softmax(found["logits"]),
            "steps": found["lengths"],
            "error": error,
        }

    def decoded(
        self, decoder: str, logits: tf.Tensor, lengths: tf.Tensor, weight: Any = 0.0, bonus: Any = 0.0
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The classes of the characters of each row, `(batch, longest)`, and how many they are, `(batch,)`."""
        if decoder == "greedy":
            labels, counts, _ = best_path(logits, lengths)
            return labels[:, : tf.reduce_max(tf.concat([counts, [0]], axis=0))], counts
        scorer = self.scorer if decoder == "beam_lm" else None
        labels, counts, _ = prefix_beam_search(logits, lengths, self.config.beam_width, scorer, weight, bonus)
        return labels[:, 0], counts[:, 0]

    def texts(self, labels: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        """Classes of characters `(batch, longest)` as texts `(batch,)`, with no space at either end."""
        real = tf.sequence_mask(lengths, tf.shape(labels)[1])
        characters = tf.where(real, tf.gather(self.characters, tf.maximum(labels, 0)), "")
        return tf.strings.strip(tf.strings.regex_replace(tf.strings.reduce_join(characters, axis=1), " +", " "))

    def _by_search(self, decoder: str, inputs: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        found = self.scores(**inputs)
        decoded = self.decoded(decoder, found["logits"], found["lengths"], self.weight, self.bonus)
        return self._written(found, *decoded)

    def _written(self, found: Mapping[str, tf.Tensor], labels: tf.Tensor, lengths: tf.Tensor) -> dict[str, tf.Tensor]:
        fine = found["error"] == ""
        return {"text": tf.where(fine, self.texts(labels, lengths), ""), "error": found["error"]}

    def _with_words(
        self, found: Mapping[str, tf.Tensor], labels: tf.Tensor, lengths: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        logits, steps = found["logits"], found["lengths"]
        lengths = tf.where(found["error"] == "", lengths, 0)
        cost = ctc_loss(logits, steps, tf.maximum(labels, 0), lengths)
        starts, ends, log_probabilities = align(logits, steps, labels, lengths)
        words = words_of(tf.gather(self.characters, tf.maximum(labels, 0)), lengths, starts, ends, log_probabilities)
        step = self.config.subsampling * self.config.frame_seconds
        return {
            "confidence": tf.where(found["error"] == "", tf.exp(-cost), 0.0),
            "words": words["words"],
            "word_confidences": words["confidences"],
            "word_starts": tf.cast(words["starts"], tf.float32) * step,
            "word_ends": tf.cast(words["ends"], tf.float32) * step,
        }


def _others(inputs: Mapping[str, tf.TensorSpec]) -> dict[str, Signature]:
    spectra = ("features", "frames", "probabilities", "steps", "error")
    return {
        "greedy": Signature(inputs, ("text", "blank_share", "error")),
        "beam": Signature(inputs, ("text", "error")),
        "beam_lm": Signature(inputs, ("text", "error")),
        "posteriors": Signature(inputs, spectra),
    }


class WaveformServer(SpeechServer):
    """Answers `waveform (batch, samples)` float32 in [-1, 1] with `lengths (batch,)` int32, in samples.

    The sampling rate is that of the settings; whoever calls resamples.
    """

    inputs: ClassVar = WAVEFORM_SPECS
    others: ClassVar = _others(inputs)

    def __init__(self, model: SpeechModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model, preprocessor, config)
        self.read = WaveformInput(config, config.max_seconds)

    def features(self, waveform: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:  # type: ignore[override]
        return self.read(waveform, lengths)


class FeatureServer(SpeechServer):
    """Answers `features (batch, frames, coefficients)` float32 with `lengths (batch,)` int32, in frames.

    They are the static features as the corpus has them; slopes and normalisation are part of the model.
    """

    inputs: ClassVar = {
        "features": tf.TensorSpec([None, None, None], tf.float32),
        "lengths": tf.TensorSpec([None], tf.int32),
    }
    others: ClassVar = _others(inputs)

    def __init__(self, model: SpeechModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model, preprocessor, config)
        self.size = preprocessor.size

    def features(self, features: tf.Tensor, lengths: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:  # type: ignore[override]
        longest = 1 + int(self.config.max_seconds / self.config.frame_seconds)
        features = tf.ensure_shape(features, [None, None, self.size])
        return checked(features, lengths, longest, f"{longest} frames")
