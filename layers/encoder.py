"""The recurrent encoder that every task builds from the same settings."""

import keras
import tensorflow as tf
from keras import ops

from .fused_lstm import FusedLSTM
from .masking import sequence_mask

CONNECTIONS = ("none", "residual", "dense")
RECURRENT_LAYERS = {"simple": keras.layers.SimpleRNN, "lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


@keras.saving.register_keras_serializable(package="seqloom")
class ForgetGateBias(keras.initializers.Initializer):
    """Starts the bias of an LSTM at zero, and that of its forget gate at a value of its own.

    A positive value lets the cell remember from the first step on (Gers et al., 2000; Jozefowicz et al., 2015).

    Args:
        value: float. Initial bias of the forget gate. Defaults to `1.0`.

    Example:
        >>> ForgetGateBias(2.0)((8,)).numpy().tolist()
        [0.0, 0.0, 2.0, 2.0, 0.0, 0.0, 0.0, 0.0]
    """

    def __init__(self, value=1.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        quarter = shape[0] // 4
        # Keras keeps the gates in the order input, forget, cell, output
        gates = ops.repeat(ops.array([0, self.value, 0, 0], dtype=dtype or keras.config.floatx()), quarter)
        return ops.reshape(gates, shape)

    def get_config(self):
        return {"value": self.value}


def recurrent_layer(encoder, units, forget_bias=1.0, **kwargs):
    """Makes the layer that the setting `encoder` names; it returns its output at each step.

    Args:
        encoder: str, a key of `RECURRENT_LAYERS`.
        units: int. Size of the state.
        forget_bias: float. Initial bias of the forget gate, where there is one. Defaults to `1.0`.
        **kwargs: passed on to the layer.

    Returns:
        a `keras.layers.RNN`.
    """
    if encoder == "lstm":
        kwargs |= {"unit_forget_bias": False, "bias_initializer": ForgetGateBias(forget_bias)}
    return RECURRENT_LAYERS[encoder](units, return_sequences=True, **kwargs)


@keras.saving.register_keras_serializable(package="seqloom")
class Encoder(keras.layers.Layer):
    """Stacks recurrent layers over right-padded sequences, in one direction or both.

    A backward layer reads each row from its own last valid step to its first, so that it never meets padding
    before a real step.

    Args:
        encoder: str. The recurrent layer: `"simple"`, `"lstm"` or `"gru"`. Defaults to `"lstm"`.
        units: int. Size of the state of each direction. Defaults to `128`.
        num_layers: int. Number of layers. Defaults to `1`.
        bidirectional: bool. Whether each layer reads in both directions; their outputs are concatenated.
            Defaults to `True`.
        connections: str. `"none"`; `"residual"`, which adds a layer's input to its output (He et al., 2016),
            through a matrix where their sizes differ; or `"dense"`, where a layer sees the inputs and the outputs
            of all layers below (Huang et al., 2017; Ding et al., 2018). Defaults to `"none"`.
        forget_bias: float. Initial bias of an LSTM's forget gate. Defaults to `1.0`.
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
        self.input_dropouts = [
            keras.layers.Dropout(self.dropout, dtype=self.dtype_policy, name=f"dropout_{i}")
            for i in range(self.num_layers)
        ]
        self.forward_layers = [self._make_recurrent_layer(f"forward_{i}") for i in range(self.num_layers)]
        self.backward_layers = (
            [self._make_recurrent_layer(f"backward_{i}") for i in range(self.num_layers)] if self.bidirectional else []
        )
        self.projections = {}  # filled in `build`, where the sizes of the inputs are known
        self.fused = {}  # filled by `prepare_for_serving`, by the name of the layer

    def _make_recurrent_layer(self, name):
        return recurrent_layer(
            self.encoder,
            self.units,
            forget_bias=self.forget_bias,
            recurrent_dropout=self.recurrent_dropout,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=name,
        )

    @property
    def use_cudnn(self):
        """Whether a GPU runs cuDNN's kernel; what is set here reaches every recurrent layer."""
        return self._use_cudnn

    @use_cudnn.setter
    def use_cudnn(self, value):
        self._use_cudnn = value
        for layer in (*self.forward_layers, *self.backward_layers):
            layer.use_cudnn = value

    def prepare_for_serving(self):
        """Makes inference run where a model is served: without cuDNN, an LSTM by the fused kernel of the CPU.

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
        for i in range(self.num_layers):
            for layers in filter(None, (self.forward_layers, self.backward_layers)):
                layers[i].build((None, None, size))
            if self.connections == "residual" and size != self.features:
                self.projections[str(i)] = self._make_projection(i, size)
            size = size + self.features if self.connections == "dense" else self.features

    def _make_projection(self, i, size):
        projection = keras.layers.Dense(
            self.features,
            use_bias=False,
            kernel_regularizer=self.kernel_regularizer,
            dtype=self.dtype_policy,
            name=f"projection_{i}",
        )
        projection.build((None, None, size))
        return projection

    def call(self, inputs, lengths, training=None):
        # Keras traces a subclassed model under a mirrored strategy with every input as a float
        lengths = ops.cast(lengths, "int32")
        for i in range(self.num_layers):
            outputs = self._read(i, inputs, lengths, training)  # (batch, time, features)
            if self.connections == "residual":
                outputs += self.projections[str(i)](inputs) if str(i) in self.projections else inputs
            inputs = ops.concatenate([inputs, outputs], axis=-1) if self.connections == "dense" else outputs
        mask = ops.expand_dims(sequence_mask(lengths, ops.shape(outputs)[1]), -1)
        return ops.where(mask, outputs, 0)

    def _read(self, i, inputs, lengths, training):
        # each direction meets a row's padding after all its valid steps, so the loops need no mask: that is faster,
        # and cuDNN, which asserts that masks are right-padded, has nothing to assert
        inputs = self.input_dropouts[i](inputs, training=training)
        outputs = self._run(self.forward_layers[i], inputs, training)
        if not self.bidirectional:
            return outputs
        backward = self._run(self.backward_layers[i], _reverse(inputs, lengths), training)
        return ops.concatenate([outputs, _reverse(backward, lengths)], axis=-1)

    def _run(self, layer, inputs, training):
        if layer.name in self.fused and not training:
            return self.fused[layer.name](inputs)
        return layer(inputs, training=training)

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


def _reverse(inputs, lengths):
    return tf.reverse_sequence(inputs, lengths, seq_axis=1, batch_axis=0)
