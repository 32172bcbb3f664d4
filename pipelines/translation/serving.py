"""A source text in; translations, their scores and what they looked at out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import tensorflow as tf

from ...layers.searching import Found, beam_search, greedy_search
from ..exporting import Server, Signature
from ..vocabulary import END, START, UNKNOWN
from ..words import split_texts
from .config import Config
from .data import Preprocessor
from .model import TranslationModel
from .reading import SPLIT

_TEXT = {"text": tf.TensorSpec([None], tf.string)}
_FOUND = ("translations", "scores", "truncated", "error")
_N_BEST = dict.fromkeys(("translations", "scores", "truncated"), "translations")
_ALIGNED = {"tokens": "tokens", "symbols": "symbols", "alignments": "symbols"}

# more symbols than tokens that every translation may have
_MORE = 10


class TranslationServer(Server):
    """Answers `text (batch,)`.

    Returns for each row `translations` (string, best first), `scores` (float32, the log probability of each over its
    length penalty, with the coverage penalty), `truncated` (bool, whether it was cut off at the limit before it
    ended), `tokens` (string, the source as it was read), `symbols` (string, the best translation as it was written),
    `alignments` (int32, for each symbol the index of the token that it looked at most; -1 without attention), and
    `error`, which is empty if the row could be translated. `greedy` and `beam` are the two searches, without
    alignments; `attention` says how much each symbol of a given translation looked at each token.
    """

    inputs: ClassVar = _TEXT
    outputs = ("translations", "scores", "truncated", "tokens", "symbols", "alignments", "error")
    padding: ClassVar = {**_N_BEST, **_ALIGNED}
    others: ClassVar = {
        "greedy": Signature(_TEXT, _FOUND, _N_BEST),
        "beam": Signature(_TEXT, _FOUND, _N_BEST),
        "attention": Signature(
            {**_TEXT, "translation": tf.TensorSpec([None], tf.string)},
            ("tokens", "symbols", "weights"),
            {"tokens": "tokens", "symbols": "symbols", "weights": "symbols"},
        ),
    }

    def __init__(self, model: TranslationModel, preprocessor: Preprocessor, config: Config) -> None:
        super().__init__(model)
        self.config = config
        self.reader, self.writer = preprocessor.reader(config), preprocessor.writer(config)
        self.width = 5 if config.beam_width is None else config.beam_width
        self.length_penalty = 1.0 if config.length_penalty is None else config.length_penalty

    def set_tuning(self, tuning: Mapping[str, Any]) -> None:
        """Takes over the beam width and the length penalty."""
        self.width = tuning.get("beam_width", self.width)
        self.length_penalty = tuning.get("length_penalty", self.length_penalty)

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """The searches, and the attention where there is one."""
        looks = self.config.access == "attention"
        return {name: each for name, each in self.others.items() if looks or name != "attention"}

    @property
    def notes(self) -> Mapping[str, Any]:
        """How translations are looked for."""
        return {"beam_width": self.width, "length_penalty": self.length_penalty}

    def answer(self, text: tf.Tensor) -> dict[str, tf.Tensor]:  # type: ignore[override]
        """Answers a batch of texts."""
        source, lengths, tokens, error = self._read(text)
        found = self._search(self.config.search, source, lengths)
        best = found.symbols[:, 0], tf.where(error == "", found.lengths[:, 0], 0)
        symbols = self.writer.spelled(tf.where(tf.sequence_mask(best[1], tf.shape(best[0])[1]), best[0], 0))
        weights = self._attention(source, lengths, *best)
        most = -tf.ones_like(best[0]) if weights is None else tf.argmax(weights, axis=-1, output_type=tf.int32)
        return {
            **self._written(found, error),
            "tokens": tokens.to_tensor(""),
            "symbols": symbols,
            "alignments": tf.where(symbols == "", 0, most),
        }

    def greedy(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch of texts with the symbol that is best at each step."""
        return self._by_search("greedy", text)

    def beam(self, text: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch of texts by beam search."""
        return self._by_search("beam", text)

    def attention(self, text: tf.Tensor, translation: tf.Tensor) -> dict[str, tf.Tensor]:
        """How much each symbol of translations `(batch,)` looked at each token, float32 `(batch, symbols, tokens)`."""
        source, lengths, tokens, _ = self._read(text)
        symbols = self.writer.symbols(translation)
        counts = tf.cast(symbols.row_lengths(), tf.int32)
        weights = self._attention(source, lengths, self.writer.ids(symbols.to_tensor("")), counts)
        return {"tokens": tokens.to_tensor(""), "symbols": symbols.to_tensor(""), "weights": weights}

    def translated(self, text: tf.Tensor, width: int, length_penalty: tf.Tensor) -> tf.Tensor:
        """The best translation of each text by a beam search with these settings, strings `(batch,)`."""
        source, lengths, _, _ = self._read(text)
        return self.writer.texts(self._beam(source, lengths, width, length_penalty).symbols[:, 0])

    def _read(self, text: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.RaggedTensor, tf.Tensor]:
        """Source ids `(batch, tokens)` with their lengths, the tokens, and errors; a row with one is one token."""
        count = split_texts(text, SPLIT).row_lengths()
        error = tf.where(count == 0, "the text has no words", "")
        too_long = tf.strings.join(
            ["the text has ", tf.strings.as_string(count), f" words, at most {self.config.max_tokens} can be read"]
        )
        error = tf.where(count > self.config.max_tokens, too_long, error)
        tokens = self.reader.tokens(tf.where(error == "", text, ""))
        ids = tokens.with_values(self.reader.ids(tokens.values))
        all_unknown = ~tf.reduce_any(ids != UNKNOWN, axis=1)
        error = tf.where((error == "") & all_unknown, "the text has no word that the model knows", error)
        filled = self.reader.at_least_one(tokens)
        # a batch without rows gets one step: neither a recurrence nor a search can do without
        dense = self.reader.ids(filled.to_tensor(""))
        dense = tf.reshape(dense, tf.maximum(tf.shape(dense), [0, 1]))
        return dense, tf.cast(filled.row_lengths(), tf.int32), tokens, error

    def _by_search(self, search: str, text: tf.Tensor) -> dict[str, tf.Tensor]:
        source, lengths, _, error = self._read(text)
        return self._written(self._search(search, source, lengths), error)

    def _search(self, search: str, source: tf.Tensor, lengths: tf.Tensor) -> Found:
        if search == "beam":
            return self._beam(source, lengths, self.width, self.length_penalty)
        step, states = self.model.generation(source, lengths, 1)
        return greedy_search(step, states, self._starts(source), END, self._limits(lengths))

    def _beam(self, source: tf.Tensor, lengths: tf.Tensor, width: int, length_penalty: Any) -> Found:
        step, states = self.model.generation(source, lengths, width)
        return beam_search(
            step,
            states,
            self._starts(source),
            END,
            self._limits(lengths),
            beam_width=width,
            n_best=min(self.config.n_best, width),
            length_penalty=length_penalty,
            coverage_penalty=self.config.coverage_penalty,
        )

    def _starts(self, source: tf.Tensor) -> tf.Tensor:
        return tf.fill([tf.shape(source)[0]], START)

    def _limits(self, lengths: tf.Tensor) -> tf.Tensor:
        limits = tf.cast(self.config.length_ratio * tf.cast(lengths, tf.float32), tf.int32) + _MORE
        return tf.minimum(limits, self.config.max_symbols)

    def _written(self, found: Found, error: tf.Tensor) -> dict[str, tf.Tensor]:
        fine = (error == "")[:, None] & tf.math.is_finite(found.scores)
        return {
            "translations": tf.where(fine, self.writer.texts(found.symbols), ""),
            "scores": tf.where(fine, found.scores, 0.0),
            "truncated": fine & found.truncated,
            "error": error,
        }

    def _attention(
        self, source: tf.Tensor, lengths: tf.Tensor, symbols: tf.Tensor, counts: tf.Tensor
    ) -> tf.Tensor | None:
        return self.model.attention(source, lengths, symbols, counts)
