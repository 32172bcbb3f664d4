"""A language model of the training texts, whose embedding and encoder the classifier starts from.

Dai and Le (2015), *Semi-supervised sequence learning*: a recurrent network that has learnt to predict the next word of
texts is a better start for a classifier of texts than random weights. The forward layers predict the next word, the
backward layers the previous one (as the two language models of Peters et al., 2018); both share the vectors of words,
which serve as the softmax too (Press and Wolf, 2017).

All texts of an epoch are joined to one stream, each between two `[end]`, in an order that is a function of
(seed, epoch). The stream is cut into `pretraining_rows` equal parts, which are read side by side in windows of
`pretraining_steps`: gradients end at a window, states go on from one to the next (truncated backpropagation through
time), and are set to zero where a text begins.

Training uses a sampled softmax. The perplexity on valid is that of the softmax over all words, on the first texts of
valid up to `SCORED_WORDS` words.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ...datasets.labelled_text import LabelledText
from ...layers.encoder import Encoder
from ...layers.region_embedding import RegionEmbedding
from ...layers.sampled_softmax import inclusion_probabilities, sampled_softmax_loss, sampled_words, softmax_loss
from ..batching import Tensors
from ..pretraining import Pretraining
from ..sequence_model import SequenceModel
from ..vocabulary import PADDING
from .config import Config
from .data import Preprocessor
from .streams import Streams, first_texts

SCORED_WORDS = 10_000  # of valid: the softmax over all words is slow


@keras.saving.register_keras_serializable(package="seqloom")
class LanguageModel(SequenceModel):
    """Predicts the next word of streams, and the previous one where the encoder has a backward direction.

    `P(w_{t+1}) = softmax(E (W h_t) + b)` with the vectors of words `E`, a matrix `W` for each direction and a bias `b`.
    The states after a call are kept for the next one.

    Args:
        config: the settings of the classifier, as a dictionary.
        words: int. Number of words.

    Call arguments:
        inputs: for each direction its name, `forward` or `backward`, with word ids int32 `(rows, time)`, and
            `forward_reset` or `backward_reset`, bool `(rows, time)`, `True` where states are set to zero. Streams of
            the backward direction are turned around.

    Returns:
        for each direction `W h_t`, float32 `(rows, time, embedding_dim)`.
    """

    def __init__(self, config: dict, words: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.config, self.words = config, words
        self.settings = settings = Config.model_validate(config)
        self.directions = ("forward", "backward") if settings.bidirectional else ("forward",)
        self.embedding = RegionEmbedding(
            [words],
            settings.embedding_dim,
            embeddings_initializer=keras.initializers.RandomUniform(-0.1, 0.1),
            name="embedding",
        )
        shared = ("encoder", "units", "num_layers", "bidirectional", "connections", "forget_bias", "dropout")
        self.encoder = Encoder(
            **{name: config[name] for name in shared}, recurrent_dropout=settings.recurrent_dropout, name="encoder"
        )
        self.projections = {
            direction: keras.layers.Dense(
                settings.embedding_dim, use_bias=False, dtype="float32", name=f"{direction}_projection"
            )
            for direction in self.directions
        }
        self.seed_generator = keras.random.SeedGenerator(settings.seed)
        words_of_each = {direction: tf.TensorSpec([None, None], tf.int32) for direction in self.directions}
        resets = {f"{direction}_reset": tf.TensorSpec([None, None], tf.bool) for direction in self.directions}
        self.summed = tf.function(self._summed, input_signature=[words_of_each | resets, words_of_each])
        self._probabilities = inclusion_probabilities(words, settings.sampled_words)

    def build(self, inputs_shape: Any = None) -> None:
        self.embedding.build((None, None, 1))
        self.encoder.build((None, None, self.settings.embedding_dim))
        for projection in self.projections.values():
            projection.build((None, None, self.settings.units))
        self.biases = self.add_weight(name="biases", shape=(self.words,), initializer="zeros", dtype="float32")
        self.states = {
            direction: [
                [self._add_state(f"{layer.name}_{i}", size) for i, size in enumerate(layer.state_sizes)]
                for layer in self._stack(direction)
            ]
            for direction in self.directions
        }
        self.built = True

    def _stack(self, direction: str) -> Sequence[Any]:
        return self.encoder.forward_layers if direction == "forward" else self.encoder.backward_layers

    def _add_state(self, name: str, size: int) -> keras.Variable:
        shape = (self.settings.pretraining_rows, size)
        return self.add_weight(name=f"state_{name}", shape=shape, initializer="zeros", trainable=False)

    def call(self, inputs: Mapping[str, tf.Tensor], training: bool | None = None) -> dict[str, tf.Tensor]:
        return {direction: self._read(direction, inputs, training) for direction in self.directions}

    def _read(self, direction: str, inputs: Mapping[str, tf.Tensor], training: bool | None) -> tf.Tensor:
        kept = self.states[direction]
        outputs, states = self.encoder.read_on(
            self.embedding(inputs[direction][:, :, None]),
            [tuple(tf.convert_to_tensor(state) for state in of_layer) for of_layer in kept],
            inputs[f"{direction}_reset"],
            backward=direction == "backward",
            training=training,
        )
        for variable, value in zip(tf.nest.flatten(kept), tf.nest.flatten(states), strict=True):
            variable.assign(tf.cast(value, variable.dtype))
        return self.projections[direction](outputs)

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        """What each word costs by the sampled softmax, for each direction; both see the same sample."""
        probabilities = tf.constant(self._probabilities)
        sample = sampled_words(probabilities, self.seed_generator)
        embeddings, biases = (tf.convert_to_tensor(each) for each in (self.embedding.embeddings[0], self.biases))

        def losses(direction: str) -> tf.Tensor:
            words, vectors = targets[direction], outputs[direction]
            flat = tf.reshape(vectors, [-1, vectors.shape[-1]])
            costs = sampled_softmax_loss(flat, tf.reshape(words, [-1]), embeddings, biases, sample, probabilities)
            return tf.reshape(costs, tf.shape(words))

        return {direction: losses(direction) for direction in self.directions}

    def word_losses(self, inputs: Any, targets: Any) -> dict[str, tf.Tensor]:
        """What each word costs by the softmax over all words, without dropout, for each direction."""
        outputs = self(inputs, training=False)
        embeddings, biases = (tf.convert_to_tensor(each) for each in (self.embedding.embeddings[0], self.biases))

        def of_row(row: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:  # all rows at once would not fit the memory
            return softmax_loss(*row, embeddings, biases)

        return {
            direction: tf.map_fn(of_row, (outputs[direction], targets[direction]), fn_output_signature=tf.float32)
            for direction in self.directions
        }

    def _summed(self, inputs: Tensors, targets: Tensors) -> tuple[tf.Tensor, tf.Tensor]:
        """The sum of `word_losses` over all words in all directions, and their number."""
        counts = {direction: tf.cast(words != PADDING, tf.float32) for direction, words in targets.items()}
        losses = self.word_losses(inputs, targets)
        total = tf.add_n([tf.reduce_sum(loss * counts[direction]) for direction, loss in losses.items()])
        return total, tf.add_n([tf.reduce_sum(count) for count in counts.values()])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "config": self.config, "words": self.words}


class LanguageModelPretraining(Pretraining):
    """The pretraining of a classifier's embedding and encoder.

    It has the optimizer, the clipping and the schedule of the classifier's training, without averaged weights, and the
    dropout of the encoder.

    Args:
        train: the training texts; their labels are not read.
        valid: the validation texts.
        preprocessor: of the run.
        config: the settings of the classifier.
    """

    metric = "perplexity"
    rate = "pretraining_learning_rate"

    def __init__(
        self, train: Sequence[LabelledText], valid: Sequence[LabelledText], preprocessor: Preprocessor, config: Config
    ) -> None:
        own = {
            "epochs": config.pretraining_epochs,
            "learning_rate": config.pretraining_learning_rate,
            "average_decay": 0.0,
        }
        super().__init__(config.model_copy(update=own))
        self._train, self._valid, self._preprocessor, self._settings = train, valid, preprocessor, config

    @functools.cached_property
    def _streams(self) -> Streams:
        return self._joined(self._preprocessor.ids(self._train, self._settings), self._settings.seed)

    @functools.cached_property
    def _valid_streams(self) -> Streams:
        return self._joined(first_texts(self._preprocessor.ids(self._valid, self._settings), SCORED_WORDS), None)

    def _joined(self, texts: tf.RaggedTensor, seed: int | None) -> Streams:
        settings = self._settings
        directions = ("forward", "backward") if settings.bidirectional else ("forward",)
        return Streams(texts, directions, settings.pretraining_rows, settings.pretraining_steps, seed)

    @property
    def steps(self) -> int:
        return len(self._streams)

    def build_model(self) -> LanguageModel:
        model = LanguageModel(self._settings.model_dump(), len(self._preprocessor.words), name="language_model")
        model.build()
        return model

    def batches(self, first_epoch: int) -> tf.data.Dataset:
        return self._streams.windows(first_epoch)

    def score(self, model: SequenceModel) -> dict[str, float]:
        return {"perplexity": perplexity(model, self._valid_streams)}


def perplexity(model: LanguageModel, streams: Streams) -> float:
    """The exponential of the mean cross entropy, by the softmax over all words, of the first epoch of streams.

    The states of the model are overwritten.
    """
    windows = streams.windows(0).take(len(streams))
    found = np.array([model.summed(inputs, targets) for inputs, targets, _ in windows], np.float64)
    return float(np.exp(found[:, 0].sum() / found[:, 1].sum()))
