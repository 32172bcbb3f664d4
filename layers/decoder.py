"""The recurrent decoder that every task builds which writes a sequence."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf
from keras import ops

from .attention import KINDS, Attention
from .conditioning import Conditioning
from .encoder import recurrent_layer
from .recurrence.recurrence import padded, repeat, swapped, trimmed

CELLS = ("simple", "lstm", "gru")
ACCESSES = ("attention", "initial_state", "input", "both")
CONNECTIONS = ("none", "residual")


class DecoderState(NamedTuple):
    """What a decoder remembers from one step to the next.

    Attributes:
        layers: tuple, for each recurrent layer the tuple of its states, float tensors `(batch, units)`.
        fed: the output of the step before, float tensor `(batch, units)`, or `()` without input feeding.
    """

    layers: Any
    fed: Any


class Source(NamedTuple):
    """What a decoder sees of the source, the same at all steps; `()` stands for what it does not see.

    Attributes:
        context: float tensor `(batch, size)`, one vector for all of it.
        memory: `Memory` of the attention.
    """

    context: Any
    memory: Any


@keras.saving.register_keras_serializable(package="seqloom")
class Decoder(keras.layers.Layer):
    """Stacks recurrent layers that write a sequence, step by step, looking at a source.

    It sees the source as one vector, in the ways of `Conditioning`, or by `Attention` with that vector for its initial
    state. With attention the output of a step is `o_t = tanh(V [h_t; c_t] + b)` of `h_t`, what the stack returns, and
    `c_t`, what was looked at with `h_t` as the query; and with input feeding `o_{t-1}` is an input of step `t`, zeros
    of the first (Luong et al., 2015). Without attention the output is `h_t`.

    Called on a whole sequence of inputs it computes all steps (teacher forcing); where no step waits for an output, by
    the fast layers. A generation asks for `start`, then for one `step` after the other.

    Args:
        units: int. Size of each layer, and of the output.
        cell: str, `"simple"`, `"lstm"` or `"gru"`. Defaults to `"gru"`.
        num_layers: int. Defaults to `1`.
        connections: str, `"none"` or `"residual"`: from the second layer on its input is added to its output. Defaults
            to `"none"`.
        access: str. How the source is seen: `"attention"`, or a mode of `Conditioning`: `"initial_state"`, `"input"`
            or `"both"`. Defaults to `"attention"`.
        attention: str, the kind of `Attention`: `"additive"` or `"multiplicative"`. Defaults to `"additive"`.
        input_feeding: bool. With attention only. Defaults to `True`.
        forget_bias: float. Initial bias of the forget gate of an LSTM. Defaults to `1.0`.
        dropout: float in [0, 1). Dropout on the input of each layer, what is fed included. Defaults to `0.0`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. For all matrices, of attention and
            `Conditioning` too, but those that the recurrent layers apply to their own states. Defaults to `None`.
        seed: int or `None`. Of the dropout. Defaults to `None`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`, such as the vectors of the symbols that were written before.
        context: float tensor `(batch, size)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.
        memory: float tensor `(batch, source, features)`; only attention looks at it.
        memory_lengths: int32 tensor `(batch,)`, its valid positions, at least 1; goes with it.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, time, units)`, zeros past `lengths`.

    Masking:
        by `lengths` and `memory_lengths` only.

    Raises:
        ValueError: if a setting is unknown or lies outside its range, attention has no memory, or a length is 0 or too
            large. (Inside a graph a wrong length raises `tf.errors.InvalidArgumentError`, when it runs.)

    Example:
        >>> decoder = Decoder(units=4, num_layers=2)
        >>> inputs, context, memory = keras.ops.ones((2, 5, 3)), keras.ops.ones((2, 6)), keras.ops.ones((2, 7, 6))
        >>> lengths, memory_lengths = keras.ops.array([5, 2]), keras.ops.array([3, 7])
        >>> decoder(inputs, context=context, lengths=lengths, memory=memory, memory_lengths=memory_lengths).shape
        TensorShape([2, 5, 4])
        >>> state, source = decoder.start(context, memory, memory_lengths)
        >>> output, state, weights = decoder.step(inputs[:, 0], state, source)
        >>> output.shape, weights.shape
        (TensorShape([2, 4]), TensorShape([2, 7]))

    References:
        Sutskever, Vinyals and Le (2014), Sequence to sequence learning with neural networks.
        Bahdanau, Cho and Bengio (2015), Neural machine translation by jointly learning to align and translate.
        Luong, Pham and Manning (2015), Effective approaches to attention-based neural machine translation.
    """

    def __init__(
        self,
        units,
        cell="gru",
        num_layers=1,
        connections="none",
        access="attention",
        attention="additive",
        input_feeding=True,
        forget_bias=1.0,
        dropout=0.0,
        kernel_regularizer=None,
        seed=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, known in (
            ("cell", cell, CELLS),
            ("connections", connections, CONNECTIONS),
            ("access", access, ACCESSES),
            ("attention", attention, KINDS),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {name}={value!r}")
        for name, value in (("units", units), ("num_layers", num_layers)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={value}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got dropout={dropout}")
        self.units = units
        self.cell = cell
        self.num_layers = num_layers
        self.connections = connections
        self.access = access
        self.attention = attention
        self.input_feeding = input_feeding
        self.forget_bias = forget_bias
        self.dropout = dropout
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed) if dropout else None
        self._make_layers()

    def _make_layers(self):
        own = {"kernel_regularizer": self.kernel_regularizer, "dtype": self.dtype_policy}
        self.layers = [
            recurrent_layer(self.cell, self.units, self.forget_bias, name=f"layer_{i}", **own)
            for i in range(self.num_layers)
        ]
        self.attends = self.access == "attention"
        self.feeds = self.attends and self.input_feeding
        mode = "initial_state" if self.attends else self.access
        sizes = [size for layer in self.layers for size in layer.state_sizes]
        self.conditioning = Conditioning(mode, sizes, name="conditioning", **own)
        if self.attends:
            self.attending = Attention(self.units, self.attention, name="attention", **own)
            self.combination = keras.layers.Dense(self.units, activation="tanh", name="combination", **own)  # V

    def build(self, inputs_shape, context_shape, memory_shape=None):
        self._require("memory", memory_shape)
        self.conditioning.build((None, None, None), context_shape)
        conditioned = self.conditioning.compute_output_shape((None, None, inputs_shape[-1]), context_shape)[-1]
        self.input_sizes = [conditioned + self.units * self.feeds, *[self.units] * (self.num_layers - 1)]
        for layer, size in zip(self.layers, self.input_sizes, strict=True):
            layer.build((None, None, size))
        if self.attends:
            self.attending.build((None, self.units), memory_shape)
            self.combination.build((None, self.units + memory_shape[-1]))

    def _require(self, name, value):
        if self.attends and value is None:
            raise ValueError(f"{name} must be given where access='attention', got {name}=None")

    def prepare_for_serving(self):
        """Makes inference run where a model is served: without cuDNN.

        Returns:
            list of `tf.Module` whose variables belong to an export: none.
        """
        for layer in self.layers:
            layer.use_cudnn = False
        return []

    def start(self, context, memory=None, memory_lengths=None):
        """Before the first step.

        Args:
            context: float tensor `(batch, size)`.
            memory: float tensor `(batch, source, features)`; only attention looks at it.
            memory_lengths: int32 tensor `(batch,)`, its valid positions, at least 1; goes with it.

        Returns:
            `DecoderState`, and `Source`, whose tensors have the batch as their first axis too.

        Raises:
            ValueError: if the decoder is not built, attention has no memory, or a length is 0 or too large.
        """
        if not self.built:
            raise ValueError("a decoder must be built before it can start: call it once, or build it")
        self._require("memory", memory)
        self._require("memory_lengths", memory_lengths)
        context = ops.cast(context, self.compute_dtype)
        states = iter(self.conditioning.initial_state(context))
        layers = tuple(tuple(next(states) for _ in layer.state_sizes) for layer in self.layers)
        fed = tf.zeros([tf.shape(context)[0], self.units], self.compute_dtype) if self.feeds else ()
        remembered = self.attending.remember(memory, memory_lengths) if self.attends else ()
        return DecoderState(layers, fed), Source(context if self.access in ("input", "both") else (), remembered)

    def step(self, inputs, state, source):
        """One step of a generation.

        Args:
            inputs: float tensor `(batch, features)`.
            state: `DecoderState`, after the step before.
            source: `Source`.

        Returns:
            the output `(batch, units)`; the new `DecoderState`; and the weights of the attention, float32
            `(batch, source)` (float64 in a float64 layer), `None` without attention.
        """
        inputs = self._conditioned(ops.cast(inputs, self.compute_dtype), source)
        if self.feeds:
            inputs = ops.concatenate([inputs, state.fed], axis=-1)
        return self._step(self.layers[0].project(inputs), state, source, [None] * self.num_layers)

    def call(self, inputs, context, lengths, memory=None, memory_lengths=None, training=None):
        return self.decode(inputs, context, lengths, memory, memory_lengths, training)[0]

    def decode(self, inputs, context, lengths, memory=None, memory_lengths=None, training=None):
        """As the call; returns also the weights of the attention, or `None`.

        They are a float32 tensor `(batch, time, source)` (float64 in a float64 layer), zeros past the lengths.
        """
        steps = tf.shape(inputs)[1]
        inputs, lengths = trimmed(ops.cast(inputs, self.compute_dtype), lengths)
        state, source = self.start(context, memory, memory_lengths)
        inputs = self._conditioned(inputs, source)
        every = self._by_steps if self.feeds else self._by_layers
        outputs, weights = every(inputs, state, source, self._masks(inputs, training), training)
        return padded(outputs, lengths, steps), None if weights is None else padded(weights, lengths, steps)

    def _conditioned(self, inputs, source):
        return self.conditioning(inputs, context=source.context) if self.access in ("input", "both") else inputs

    def _masks(self, inputs, training):
        """What the inputs of each layer are multiplied with in training, `(batch, time, size)`, or `None`."""
        if not (training and self.dropout):
            return [None] * self.num_layers
        rows, time = tf.shape(inputs)[0], tf.shape(inputs)[1]
        ones = [tf.ones([rows, time, size], self.compute_dtype) for size in self.input_sizes]
        return [keras.random.dropout(each, self.dropout, seed=self.seed_generator) for each in ones]

    def _by_layers(self, inputs, state, source, masks, training):
        """All steps where none waits for an output: one layer after the other."""
        for i, (layer, states, mask) in enumerate(zip(self.layers, state.layers, masks, strict=True)):
            outputs = layer(_dropped(inputs, mask), initial_state=states, training=training)
            inputs = self._connected(i, inputs, outputs)
        return self._looked(inputs, source)

    def _by_steps(self, inputs, state, source, masks, training):
        """All steps, one after the other."""
        steps, sizes = tf.shape(inputs)[1], [self.input_sizes[0] - self.units, self.units]
        own, fed = (None, None) if masks[0] is None else tf.split(masks[0], sizes, axis=-1)
        masks = [None if mask is None else swapped(mask) for mask in (fed, *masks[1:])]
        first = self.layers[0].step_weights()
        kernel, fed_kernel = tf.split(first.kernel, sizes)
        projected = swapped(ops.matmul(_dropped(inputs, own), kernel) + first.bias)  # (time, batch, n)
        outputs = tf.TensorArray(self.compute_dtype, steps, element_shape=(None, self.units))
        weights = tf.TensorArray(self.attending.score_dtype, steps, element_shape=(None, None))

        def step(time, state, outputs, weights):
            now = [None if mask is None else mask[time] for mask in masks]
            total = projected[time] + ops.matmul(_dropped(state.fed, now[0]), fed_kernel)
            output, state, looked = self._step(total, state, source, now)
            return state, outputs.write(time, output), weights.write(time, looked)

        _, outputs, weights = repeat(step, steps, (state, outputs, weights), unrolled=1)
        return swapped(outputs.stack()), swapped(weights.stack())

    def _step(self, projected, state, source, masks):
        """One step, from the first layer's input times its kernel; the first mask has done its work."""
        layers, inputs = [], None
        for i, (layer, states, mask) in enumerate(zip(self.layers, state.layers, masks, strict=True)):
            outputs, states = layer.step(projected if i == 0 else layer.project(_dropped(inputs, mask)), states)
            inputs = self._connected(i, inputs, outputs)
            layers.append(tuple(states))
        output, weights = self._looked(inputs, source)
        return output, DecoderState(tuple(layers), output if self.feeds else ()), weights

    def _connected(self, i, inputs, outputs):
        """What layer `i` hands on."""
        return inputs + outputs if i and self.connections == "residual" else outputs

    def _looked(self, states, source):
        """The output, from what the stack returns, of one step or of all."""
        if not self.attends:
            return states, None
        looked, weights = self.attending.attend(states, source.memory)
        return self.combination(ops.concatenate([states, looked], axis=-1)), weights

    def compute_output_shape(self, inputs_shape, context_shape=None, memory_shape=None):
        return (*inputs_shape[:-1], self.units)

    def compute_output_spec(self, inputs, context, lengths, memory=None, memory_lengths=None, training=None):
        return keras.KerasTensor(self.compute_output_shape(inputs.shape), self.compute_dtype)

    def get_config(self):
        names = ("units", "cell", "num_layers", "connections", "access", "attention", "input_feeding", "forget_bias")
        return {
            **super().get_config(),
            **{name: getattr(self, name) for name in (*names, "dropout", "seed")},
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def _dropped(inputs, mask):
    return inputs if mask is None else inputs * mask
