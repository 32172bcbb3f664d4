"""The translator: a recurrent encoder, a recurrent decoder that looks at it, and a score for every symbol."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from ...layers.bernoulli_halt import BernoulliHalt
from ...layers.decoder import Decoder, DecoderState
from ...layers.encoder import Encoder
from ...layers.predicted_length import PredictedLength
from ...layers.searching import Step, repeat_rows
from ...layers.sequence_pooling import SequencePooling
from ...layers.word_dropout import WordDropout
from ..adversarial import AdversarialModel
from ..vocabulary import END, PADDING, START, UNKNOWN
from .config import Config

_NEVER = float("-inf")


class Writing(NamedTuple):
    """What a translation remembers from one symbol to the next; `()` stands for what an ending does not need.

    Attributes:
        decoder: `DecoderState`.
        halting: float32 `(rows,)`, the log-odds that the symbol before was the last one (`ending=bernoulli`).
        step: int32 `(rows,)`, symbols that are written (`ending=predicted_length`).
        length: int32 `(rows,)`, how many there will be (`ending=predicted_length`).
    """

    decoder: DecoderState
    halting: Any
    step: Any
    length: Any


@keras.saving.register_keras_serializable(package="seqloom")
class TranslationModel(AdversarialModel):
    """Reads a source, and writes a target symbol by symbol.

    Args:
        config: the settings, as a dictionary.
        sizes: entries of `source` and `target`.

    Call arguments:
        inputs: `source (batch, tokens)` and `source_lengths (batch,)`; `target (batch, steps)`, the symbols that are
            read, the start symbol first, and `target_lengths (batch,)`; with scheduled sampling in training also
            `sampled (batch, steps)`, 1 where the model reads a symbol of its own. All int32.

    Returns:
        `{"symbols": logits (batch, steps, entries)}`, float32, and the scores of the `ending`, if it has its own.
    """

    def __init__(self, config: dict, sizes: dict, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.sizes = config, sizes
        self.settings = settings = Config.model_validate(config)
        self.adversarial = settings.adversarial
        penalty = keras.regularizers.L1L2(settings.l1, settings.l2) if settings.l1 or settings.l2 else None
        shared = {name: config[name] for name in ("units", "forget_bias", "connections", "dropout")}
        shared["kernel_regularizer"] = penalty
        self.word_dropout = WordDropout(settings.word_dropout, name="word_dropout")
        self.source_embedding = self._embedding("source")
        self.target_embedding = self._embedding("target")
        self.encoder = Encoder(
            settings.encoder,
            num_layers=settings.num_layers,
            bidirectional=settings.bidirectional,
            recurrent_dropout=settings.recurrent_dropout,
            name="encoder",
            **shared,
        )
        self.summary = SequencePooling(["last"], settings.bidirectional, name="summary")
        self.decoder = Decoder(
            cell=settings.encoder,
            num_layers=settings.decoder_layers,
            access=settings.access,
            attention=settings.attention,
            input_feeding=settings.input_feeding,
            name="decoder",
            **shared,
        )
        self.output_dropout = keras.layers.Dropout(settings.output_dropout, name="output_dropout")
        self.to_embedding: Any = None
        if settings.tied_embeddings and settings.units != settings.embedding_dim:
            self.to_embedding = keras.layers.Dense(
                settings.embedding_dim, use_bias=False, kernel_regularizer=penalty, name="to_embedding"
            )
        self.output_kernel: Any = None
        self.ending: Any = None
        if settings.ending == "bernoulli":
            self.ending = BernoulliHalt(name="ending")
        elif settings.ending == "predicted_length":
            self.ending = PredictedLength(settings.max_symbols, name="ending")
            # A number that dropout hides and scales cannot be counted by: it is spread over the vector of a symbol.
            self.counting_down = keras.layers.Dense(settings.embedding_dim, use_bias=False, name="counting_down")
        self.own_symbols = keras.random.SeedGenerator(settings.seed) if settings.scheduled_sampling else None

    def _embedding(self, side: str) -> keras.layers.Embedding:
        uniform = keras.initializers.RandomUniform(-0.1, 0.1)
        dimension = self.settings.embedding_dim
        return keras.layers.Embedding(self.sizes[side], dimension, embeddings_initializer=uniform, name=f"{side}_words")

    def build(self, inputs_shape: Any = None) -> None:
        settings, entries = self.settings, self.sizes["target"]
        self.source_embedding.build((None, None))
        self.target_embedding.build((None, None))
        self.encoder.build((None, None, settings.embedding_dim))
        context = (None, self.encoder.features)
        self.summary.build((None, *context))
        self.decoder.build((None, None, settings.embedding_dim), context, (None, *context))
        if self.to_embedding is not None:
            self.to_embedding.build((None, None, settings.units))
        if not settings.tied_embeddings:
            self.output_kernel = self.add_weight(name="output_kernel", shape=(settings.units, entries), autocast=False)
        self.output_bias = self.add_weight(name="output_bias", shape=(entries,), initializer="zeros", autocast=False)
        if settings.ending == "bernoulli":
            self.ending.build((None, None, settings.units))
        elif settings.ending == "predicted_length":
            self.ending.build(context)
            self.counting_down.build((None, None, 1))
        self.built = True

    def vectors(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> tuple[tf.Tensor, tf.Tensor]:
        """What encoder and decoder read, `(batch, tokens, features)` and `(batch, steps, features)`."""
        source = self.word_dropout(inputs["source"], training=training)
        return self.source_embedding(source), self.target_embedding(inputs["target"])

    def scored(
        self, inputs: Mapping[str, tf.Tensor], vectors: tuple[tf.Tensor, tf.Tensor], training: bool | None = None
    ) -> dict[str, tf.Tensor]:
        source, target = vectors
        memory, context = self._encoded(source, inputs["source_lengths"], training)
        if training and self.own_symbols is not None:
            target = self._with_own_symbols(inputs, target, memory, context)
        states = self._decoded(inputs, target, memory, context, training)[0]
        outputs = {"symbols": self._logits(states, training)}
        if self.settings.ending == "bernoulli":
            outputs["ending"] = self.ending(states)
        elif self.settings.ending == "predicted_length":
            outputs["ending"] = self.ending(context)
        return outputs

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        losses = {"symbols": self._symbol_losses(targets["symbols"], outputs["symbols"])}
        lengths = inputs["target_lengths"]
        if self.settings.ending == "bernoulli":
            losses["ending"] = self.ending.step_losses(outputs["ending"], lengths)
        elif self.settings.ending == "predicted_length":
            losses["ending"] = self.ending.negative_log_likelihood(outputs["ending"], lengths)
        return losses

    def generation(self, source: tf.Tensor, lengths: tf.Tensor, width: int) -> tuple[Any, Writing]:
        """What a search needs to translate.

        Args:
            source: int32 `(batch, tokens)`.
            lengths: int32 `(batch,)`.
            width: hypotheses of each row.

        Returns:
            the function of one step, see `layers.searching`, and the states before it.
        """
        memory, context = self._encoded(self.source_embedding(source), lengths, False)
        state, seen = self.decoder.start(context, memory, lengths)
        seen = tf.nest.map_structure(lambda each: repeat_rows(each, width), seen)

        def step(symbols: tf.Tensor, before: Writing) -> Step:
            left = before.length - before.step if self.settings.ending == "predicted_length" else None
            vectors = self._with_remaining(self.target_embedding(symbols), left, 0)
            output, state, weights = self.decoder.step(vectors, before.decoder, seen)
            log_probs = self._log_probabilities(self._logits(output, False), before)
            if weights is not None:  # what is no source token need not be seen
                weights = tf.where(seen.memory.mask, weights, 1.0)
            after = before._replace(decoder=state)
            if self.settings.ending == "bernoulli":
                after = after._replace(halting=self.ending(output))
            elif self.settings.ending == "predicted_length":
                after = after._replace(step=before.step + 1)
            return Step(log_probs, after, weights)

        return step, self._first(state, context)

    def attention(
        self, source: tf.Tensor, lengths: tf.Tensor, target: tf.Tensor, target_lengths: tf.Tensor
    ) -> tf.Tensor | None:
        """How much each symbol of a translation looked at each source token, float32 `(batch, symbols, tokens)`.

        Args:
            source: int32 `(batch, tokens)`.
            lengths: int32 `(batch,)`.
            target: int32 `(batch, symbols)`, without start and end.
            target_lengths: int32 `(batch,)`, may be 0.

        Returns:
            `None` where there is no attention.
        """
        memory, context = self._encoded(self.source_embedding(source), lengths, False)
        read = tf.concat([tf.fill([tf.shape(target)[0], 1], START), target], axis=1)
        inputs = {"source_lengths": lengths, "target_lengths": target_lengths + 1}
        weights = self._decoded(inputs, self.target_embedding(read), memory, context, False)[1]
        return None if weights is None else weights[:, :-1]

    def _encoded(self, vectors: tf.Tensor, lengths: tf.Tensor, training: bool | None) -> tuple[tf.Tensor, tf.Tensor]:
        """The source as `(batch, tokens, features)`, and as one vector `(batch, features)`."""
        memory = self.encoder(vectors, lengths=lengths, training=training)
        return memory, self.summary(memory, lengths=lengths)

    def _decoded(
        self, inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor, memory: tf.Tensor, context: tf.Tensor, training: Any
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        lengths = tf.cast(inputs["target_lengths"], tf.int32)
        vectors = self._with_remaining(vectors, lengths, tf.range(tf.shape(vectors)[1]))
        looks = self.settings.access == "attention"
        memory_lengths = inputs["source_lengths"] if looks else None
        return self.decoder.decode(vectors, context, lengths, memory if looks else None, memory_lengths, training)

    def _with_remaining(self, vectors: tf.Tensor, lengths: Any, steps: Any) -> tf.Tensor:
        """What the decoder reads; it counts down where the length is known beforehand."""
        if self.settings.ending != "predicted_length":
            return vectors
        remaining = self.ending.remaining(lengths, steps)
        return vectors + tf.cast(self.counting_down(remaining), vectors.dtype)

    def _logits(self, states: tf.Tensor, training: bool | None) -> tf.Tensor:
        """The scores of all symbols, float32."""
        states = self.output_dropout(states, training=training)
        if self.to_embedding is not None:
            states = self.to_embedding(states)
        states = tf.cast(states, tf.float32)
        bias = tf.convert_to_tensor(self.output_bias)
        if self.output_kernel is not None:
            return tf.matmul(states, self.output_kernel) + bias
        embeddings = tf.cast(self.target_embedding.embeddings, tf.float32)
        flat = tf.matmul(tf.reshape(states, [-1, states.shape[-1]]), embeddings, transpose_b=True) + bias
        return tf.reshape(flat, tf.concat([tf.shape(states)[:-1], [self.sizes["target"]]], axis=0))

    def _symbol_losses(self, symbols: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """Cross-entropy with the targets smoothed towards all symbols alike, `(batch, steps)`."""
        smoothing = self.settings.label_smoothing
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.cast(symbols, tf.int32), logits=logits)
        if not smoothing:
            return loss
        # -mean_k log p_k, from the same log of the sum: log p_label + loss = 0
        label = tf.gather(logits, tf.cast(symbols, tf.int32), axis=-1, batch_dims=2)
        uniform = loss + label - tf.reduce_mean(logits, axis=-1)
        return (1.0 - smoothing) * loss + smoothing * uniform

    def _with_own_symbols(
        self, inputs: Mapping[str, tf.Tensor], vectors: tf.Tensor, memory: tf.Tensor, context: tf.Tensor
    ) -> tf.Tensor:
        """The vectors of the target, some of them of symbols that the model drew itself, given those of train.

        Scheduled sampling (Bengio et al., 2015) in two passes, so that no step waits for the one before (Mihaylova and
        Martins, 2019).
        """
        states = self._decoded(inputs, vectors, memory, context, True)[0]
        logits = tf.stop_gradient(self._logits(states, True)) + self._never_written
        shape = tf.shape(logits)
        drawn = keras.random.categorical(tf.reshape(logits, [-1, logits.shape[-1]]), 1, seed=self.own_symbols)
        drawn = tf.cast(tf.reshape(drawn, shape[:2]), tf.int32)
        own = tf.concat([tf.cast(inputs["target"][:, :1], tf.int32), drawn[:, :-1]], axis=1)
        sampled = tf.cast(inputs["sampled"], tf.bool) & (own != END)
        return tf.where(sampled[:, :, None], self.target_embedding(own), vectors)

    @property
    def _never_written(self) -> tf.Tensor:
        """What is added to the scores: minus infinity for what is no part of a text."""
        never = [PADDING, UNKNOWN, START, *([END] if self.settings.ending != "end_symbol" else [])]
        return tf.constant([float("-inf") if symbol in never else 0.0 for symbol in range(self.sizes["target"])])

    def _log_probabilities(self, logits: tf.Tensor, before: Writing) -> tf.Tensor:
        """Of each symbol `(rows, entries)`, the end among them, whatever it is that ends a translation."""
        log_probs = tf.nn.log_softmax(logits + self._never_written)
        if self.settings.ending == "end_symbol":
            return log_probs
        if self.settings.ending == "bernoulli":
            ends, goes_on = tf.math.log_sigmoid(before.halting), tf.math.log_sigmoid(-before.halting)
        else:
            over = before.step >= before.length
            ends, goes_on = tf.where(over, 0.0, _NEVER), tf.where(over, _NEVER, 0.0)
        is_end = tf.range(self.sizes["target"]) == END
        return tf.where(is_end, ends[:, None], log_probs + goes_on[:, None])

    def _first(self, state: DecoderState, context: tf.Tensor) -> Writing:
        """Before the first symbol, which there always is where the end is no symbol."""
        rows = tf.shape(context)[0]
        if self.settings.ending == "bernoulli":
            return Writing(state, tf.fill([rows], _NEVER), (), ())
        if self.settings.ending == "predicted_length":
            return Writing(state, (), tf.zeros([rows], tf.int32), self.ending.choose(self.ending(context)))
        return Writing(state, (), (), ())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "config": self.config, "sizes": self.sizes}
