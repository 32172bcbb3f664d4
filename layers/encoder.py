"""The recurrent encoder that every task builds from the same settings."""

import keras
import tensorflow as tf
from keras import ops

from .recurrence import (
    GRU,
    LSTM,
    SCRN,
    Bidirectional,
    ClockworkRNN,
    CoupledLSTM,
    EchoState,
    GatedFeedback,
    LeakyRNN,
    PeepholeLSTM,
    SimpleRNN,
    SkipRNN,
)
from .recurrence.backpropagation import FEW_ROWS
from .recurrence.bidirectional import reverse
from .recurrence.fused_lstm import FusedLSTM
from .recurrence.recurrence import padded, trimmed

CONNECTIONS = ("none", "residual", "highway", "dense")
RECURRENT_LAYERS = {
    "simple": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "leaky": LeakyRNN,
    "skip": SkipRNN,
    "clockwork": ClockworkRNN,
    "scrn": SCRN,
    "echo_state": EchoState,
    "peephole": PeepholeLSTM,
    "coupled": CoupledLSTM,
    "gated_feedback": GatedFeedback,
}
WITH_FORGET_GATE = ("lstm", "peephole", "coupled", "gated_feedback")


def recurrent_layer(encoder, units, forget_bias=1.0, **kwargs):
    """Makes the layer that the setting `encoder` names; it returns its output at each step.

    Args:
        encoder: str, a key of `RECURRENT_LAYERS`.
        units: int. Size of the output.
        forget_bias: float. Initial bias of the forget gate, where there is one. Defaults to `1.0`.
        **kwargs: passed on to the layer.

    Returns:
        a `Recurrence`.
    """
    if encoder in WITH_FORGET_GATE:
        kwargs["forget_bias"] = forget_bias
    return RECURRENT_LAYERS[encoder](units, return_sequences=True, **kwargs)


@keras.saving.register_keras_serializable(package="seqloom")
class Encoder(keras.layers.Layer):
    """Stacks recurrent layers over right-padded sequences, in one direction or both.

    A backward layer reads each row from its own last valid step to its first, so that it never meets padding
    before a real step.

    Args:
        encoder: str. The recurrent layer, a key of `RECURRENT_LAYERS`, such as `"simple"`, `"lstm"` or `"gru"`.
            `"gated_feedback"` is a stack by itself, with its own connections. Defaults to `"lstm"`.
        units: int. Size of the state of each direction. Defaults to `128`.
        num_layers: int. Number of layers. Defaults to `1`.
        bidirectional: bool. Whether each layer reads in both directions; their outputs are concatenated.
            Defaults to `True`.
        connections: str. `"none"`; `"residual"`, which adds a layer's input to its output (He et al., 2016),
            through a matrix where their sizes differ; `"highway"`, `t * output + (1 - t) * input` with a gate
            `t = sigmoid(W input + b)` that starts near the input (Srivastava et al., 2015); or `"dense"`, where a
            layer sees the inputs and the outputs of all layers below (Huang et al., 2017; Ding et al., 2018).
            Defaults to `"none"`.
        forget_bias: float. Initial bias of the forget gate of an LSTM, or of a variant. Defaults to `1.0`.
        dropout: float in [0, 1). Dropout on the input of each layer. Defaults to `0.0`.
        recurrent_dropout: float in [0, 1). Dropout on the state that is fed back, with the same units dropped at
            all steps of a row (Gal and Ghahramani, 2016). Defaults to `0.0`.
        kernel_regularizer: `keras.regularizers.Regularizer`, its name or `None`. For the matrices that are applied
            to inputs, not for those applied to the state. Defaults to `None`.
        use_cudnn: bool or `"auto"`. Whether a GPU runs cuDNN's kernel. `"simple"` has none, and `recurrent_dropout`
            above 0 leaves it, in training and after: silently with `"auto"`, with an error with `True`, which
            also needs a GPU. `False` is for tracing an export. Can be set later. Defaults to `"auto"`.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        inputs: float tensor `(batch, time, features)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.
        training: bool. Whether dropout applies.

    Returns:
        float tensor `(batch, time, units)`, or `(batch, time, 2 * units)` if bidirectional: the outputs of the
        last layer, zeros past `lengths`.

    Masking:
        by `lengths` only; an implicit Keras mask is neither needed nor passed on.

    Raises:
        ValueError: if a setting is unknown or lies outside its range.

    Example:
        >>> encoder = Encoder("gru", units=4, num_layers=2, connections="residual")
        >>> outputs = encoder(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2]))
        >>> outputs.shape, float(keras.ops.sum(outputs[1, 2:]))
        (TensorShape([2, 5, 8]), 0.0)

    References:
        Gers, Schmidhuber and Cummins (2000), Learning to forget: continual prediction with LSTM.
        Jozefowicz, Zaremba and Sutskever (2015), An empirical exploration of recurrent network architectures.
        Srivastava, Greff and Schmidhuber (2015), Training very deep networks.
        He, Zhang, Ren and Sun (2016), Deep residual learning for image recognition.
        Gal and Ghahramani (2016), A theoretically grounded application of dropout in recurrent neural networks.
        Huang, Liu, van der Maaten and Weinberger (2017), Densely connected convolutional networks.
        Ding, Yu and Yang (2018), Densely connected bidirectional LSTM with applications to sentence classification.
    """

    def __init__(
        self,
        encoder="lstm",
        units=128,
        num_layers=1,
        bidirectional=True,
        connections="none",
        forget_bias=1.0,
        dropout=0.0,
        recurrent_dropout=0.0,
        kernel_regularizer=None,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name, value, known in (
            ("encoder", encoder, tuple(RECURRENT_LAYERS)),
            ("connections", connections, CONNECTIONS),
            ("use_cudnn", use_cudnn, ("auto", True, False)),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(map(str, known))}, got {name}={value!r}")
        for name, value in (("units", units), ("num_layers", num_layers)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name} must be a positive integer, got {name}={value}")
        if encoder == "gated_feedback" and connections != "none":
            raise ValueError(f"connections must be none with encoder='gated_feedback', got connections={connections!r}")
        for name, value in (("dropout", dropout), ("recurrent_dropout", recurrent_dropout)):
            if not 0 <= value < 1:
                raise ValueError(f"{name} must lie in [0, 1), got {name}={value}")
        self.encoder = encoder
        self.units = units
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.connections = connections
        self.forget_bias = forget_bias
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.features = 2 * units if bidirectional else units
        self._make_layers()
        self.use_cudnn = use_cudnn

    def _make_layers(self):
        depth = 1 if self.encoder == "gated_feedback" else self.num_layers  # a stack by itself
        self.input_dropouts = [
            keras.layers.Dropout(self.dropout, dtype=self.dtype_policy, name=f"dropout_{i}") for i in range(depth)
        ]
        layers = [self._make_recurrent_layer(f"forward_{i}") for i in range(depth)]
        self.layers = (
            [Bidirectional(layer, dtype=self.dtype_policy, name=f"directions_{i}") for i, layer in enumerate(layers)]
            if self.bidirectional
            else layers
        )
        self.projections = {}  # filled in `build`, where the sizes of the inputs are known
        self.gates = {}  # the same
        self.fused = {}  # filled by `prepare_for_serving`, by the name of the layer

    def _make_recurrent_layer(self, name):
        settings = {"num_layers": self.num_layers} if self.encoder == "gated_feedback" else {}
        return recurrent_layer(
            self.encoder,
            self.units,
            forget_bias=self.forget_bias,
            recurrent_dropout=self.recurrent_dropout,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=name,
            **settings,
        )

    @property
    def forward_layers(self):
        """list of `Recurrence`, those that read forwards, from the bottom to the top."""
        return [layer.forward_layer for layer in self.layers] if self.bidirectional else self.layers

    @property
    def backward_layers(self):
        """list of `Recurrence`, those that read backwards, from the bottom to the top."""
        return [layer.backward_layer for layer in self.layers] if self.bidirectional else []

    @property
    def use_cudnn(self):
        """Whether a GPU runs cuDNN's kernel; what is set here reaches every recurrent layer."""
        return self._use_cudnn

    @use_cudnn.setter
    def use_cudnn(self, value):
        self._use_cudnn = value
        for layer in (*self.forward_layers, *self.backward_layers):
            if hasattr(layer, "use_cudnn"):
                layer.use_cudnn = value

    def prepare_for_serving(self):
        """Makes inference run where a model is served: without cuDNN, an LSTM by the fused kernel of the CPU.

        The kernel is for few rows; more of them go through the loop.

        Returns:
            list of `tf.Module`, whose variables belong to an export. They are copies: call this again when the
            weights have changed.
        """
        self.use_cudnn = False
        if self.encoder == "lstm" and self.compute_dtype == "float32":
            for layer in (*self.forward_layers, *self.backward_layers):
                if layer.name in self.fused:
                    self.fused[layer.name].update()
                else:
                    self.fused[layer.name] = FusedLSTM(layer)
        return list(self.fused.values())

    def build(self, inputs_shape):
        size = inputs_shape[-1]
        for i, layer in enumerate(self.layers):
            layer.build((None, None, size))
            if self.connections in ("residual", "highway") and size != self.features:
                self.projections[str(i)] = self._make_dense(f"projection_{i}", size, use_bias=False)
            if self.connections == "highway":
                # negative, so that a new layer passes most of its input on
                start = {"bias_initializer": keras.initializers.Constant(-1.0), "activation": "sigmoid"}
                self.gates[str(i)] = self._make_dense(f"gate_{i}", size, **start)
            size = size + self.features if self.connections == "dense" else self.features

    def _make_dense(self, name, size, **settings):
        settings |= {"kernel_regularizer": self.kernel_regularizer, "dtype": self.dtype_policy, "name": name}
        layer = keras.layers.Dense(self.features, **settings)
        layer.build((None, None, size))
        return layer

    def call(self, inputs, lengths, training=None):
        steps = tf.shape(inputs)[1]
        inputs, lengths = trimmed(inputs, lengths)
        for i in range(len(self.layers)):
            outputs = self._read(i, inputs, lengths, training)  # (batch, time, features)
            inputs = self._connected(i, inputs, outputs)
        return padded(outputs if self.connections == "dense" else inputs, lengths, steps)

    def read_on(self, inputs, states, reset, backward=False, training=None):
        """Reads streams that go on from call to call in one direction, by its own layers alone.

        A backward direction reads streams that are turned around. Of several layers in both directions a layer sees
        both directions of the one below, so that neither is a stack by itself: that needs `num_layers=1`.

        Args:
            inputs: float tensor `(batch, time, features)`, all steps valid.
            states: list, for each layer of the direction the tuple of its states `(batch, size)` before the first step.
            reset: bool tensor `(batch, time)`; `True` where the states are set to zero before the step.
            backward: bool. Which direction. Defaults to `False`.
            training: bool. Whether dropout applies.

        Returns:
            float tensor `(batch, time, units)`, the outputs of the last layer, and the list of the states after the
            last step.

        Raises:
            ValueError: if there are several layers in both directions.
        """
        if self.bidirectional and len(self.layers) > 1:
            raise ValueError(f"num_layers must be 1 to read on in one of two directions, got {self.num_layers}")
        after = []
        for i, layer in enumerate(self.backward_layers if backward else self.forward_layers):
            inputs = self.input_dropouts[i](inputs, training=training)
            outputs, *own = _with_states(layer, inputs, initial_state=states[i], reset=reset, training=training)
            after.append(tuple(own))
            if self.bidirectional and self.connections != "dense":  # a connection joins both halves of the features
                both = self._connected(i, inputs, ops.concatenate([outputs, outputs], axis=-1))
                inputs = tf.split(both, 2, axis=-1)[int(backward)]
            else:
                inputs = self._connected(i, inputs, outputs)
        return outputs if self.connections == "dense" else inputs, after

    def _connected(self, i, inputs, outputs):
        """What the next layer sees."""
        if self.connections == "none":
            return outputs
        if self.connections == "dense":
            return ops.concatenate([inputs, outputs], axis=-1)
        shortcut = self.projections[str(i)](inputs) if str(i) in self.projections else inputs
        if self.connections == "residual":
            return outputs + shortcut
        gate = self.gates[str(i)](inputs)
        return gate * outputs + (1 - gate) * shortcut

    def _read(self, i, inputs, lengths, training):
        # each direction meets a row's padding after all its valid steps, so the loops need no mask: that is faster,
        # and cuDNN, which asserts that masks are right-padded, has nothing to assert
        inputs = self.input_dropouts[i](inputs, training=training)
        if self.fused and not training:
            return tf.cond(
                tf.shape(inputs)[0] <= FEW_ROWS,
                lambda: self._read_fused(i, inputs, lengths),
                lambda: self._read_by_layers(i, inputs, lengths, training),
            )
        return self._read_by_layers(i, inputs, lengths, training)

    def _read_by_layers(self, i, inputs, lengths, training):
        layer = self.layers[i]
        return (
            layer.read(inputs, lengths, training=training)[0]
            if self.bidirectional
            else layer(inputs, training=training)
        )

    def _read_fused(self, i, inputs, lengths):
        outputs = self.fused[self.forward_layers[i].name](inputs)
        if not self.bidirectional:
            return outputs
        backward = self.fused[self.backward_layers[i].name](reverse(inputs, lengths))
        return ops.concatenate([outputs, reverse(backward, lengths)], axis=-1)

    def compute_output_shape(self, inputs_shape):
        return (*inputs_shape[:2], self.features)

    def get_config(self):
        return {
            **super().get_config(),
            "encoder": self.encoder,
            "units": self.units,
            "num_layers": self.num_layers,
            "bidirectional": self.bidirectional,
            "connections": self.connections,
            "forget_bias": self.forget_bias,
            "dropout": self.dropout,
            "recurrent_dropout": self.recurrent_dropout,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "use_cudnn": self.use_cudnn,
        }


def _with_states(layer, inputs, **kwargs):
    """Calls a layer that returns its outputs alone, and returns its states too."""
    layer.return_state = True
    try:
        return layer(inputs, **kwargs)
    finally:
        layer.return_state = False
