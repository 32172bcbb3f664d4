"""The encoder's directions, connections and settings."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import Encoder
from seqloom.layers.encoder import RECURRENT_LAYERS

INPUTS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
LENGTHS = np.array([5, 1, 3], "int32")


def row(row_number):
    return INPUTS[row_number : row_number + 1, : LENGTHS[row_number]]


@pytest.mark.parametrize("name", ["simple", "lstm", "gru"])
def test_directions_are_those_of_keras_on_each_row_alone(name):
    encoder = Encoder(name, units=3)
    outputs = encoder(INPUTS, lengths=LENGTHS)
    (forward,), (backward,) = encoder.forward_layers, encoder.backward_layers
    for i, length in enumerate(LENGTHS):
        expected = np.concatenate([forward(row(i)), backward(row(i)[:, ::-1])[:, ::-1]], axis=-1)
        np.testing.assert_allclose(outputs[i : i + 1, :length], expected, atol=1e-6)
        np.testing.assert_array_equal(outputs[i, length:], 0)


def test_lstm_equals_its_equations():
    encoder = Encoder(units=2, bidirectional=False)
    outputs = encoder(INPUTS, lengths=LENGTHS)[0].numpy()
    W, U, b = (weight.numpy() for weight in encoder.forward_layers[0].weights)
    h = c = np.zeros(2)
    for step, x in enumerate(INPUTS[0]):
        i, f, g, o = np.split(x @ W + h @ U + b, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        np.testing.assert_allclose(outputs[step], h, atol=1e-5)


def test_residual_adds_the_input_through_a_matrix_where_sizes_differ():
    encoder = Encoder(units=3, num_layers=2, connections="residual")
    outputs = encoder(INPUTS, lengths=LENGTHS)
    assert list(encoder.projections) == ["0"]
    plain = [Encoder(units=3) for _ in range(2)]
    values = INPUTS
    for i, layer in enumerate(plain):
        layer.build(values.shape)
        layer.set_weights([*encoder.forward_layers[i].get_weights(), *encoder.backward_layers[i].get_weights()])
        shortcut = encoder.projections["0"](values) if i == 0 else values
        values = layer(values, lengths=LENGTHS) + shortcut
    np.testing.assert_allclose(outputs[0], values[0], atol=1e-6)


def test_dense_sees_everything_below():
    encoder = Encoder("gru", units=3, num_layers=3, bidirectional=False, connections="dense")
    outputs = encoder(INPUTS, lengths=LENGTHS)
    assert [layer.kernel.shape[0] for layer in encoder.forward_layers] == [4, 7, 10]
    values = INPUTS[:1]
    for layer in encoder.forward_layers:
        last = layer(values)
        values = np.concatenate([values, last], axis=-1)
    np.testing.assert_allclose(outputs[:1], last, atol=1e-6)


def test_forget_bias_fills_its_slice_only():
    encoder = Encoder("lstm", units=2, forget_bias=2.5, bidirectional=False)
    encoder.build((None, None, 4))
    np.testing.assert_array_equal(encoder.forward_layers[0].bias, [0, 0, 2.5, 2.5, 0, 0, 0, 0])


def test_dropout_drops_inputs_in_training_only():
    encoder = Encoder("simple", units=3, dropout=0.5)
    plain = encoder(INPUTS, lengths=LENGTHS).numpy()
    np.testing.assert_array_equal(encoder(INPUTS, lengths=LENGTHS, training=False), plain)
    assert np.any(encoder(INPUTS, lengths=LENGTHS, training=True) != plain)


@pytest.mark.parametrize("name", ["simple", "lstm", "gru"])
def test_recurrent_dropout_acts_in_training_only_and_not_on_the_first_step(name):
    encoder = Encoder(name, units=8, bidirectional=False, recurrent_dropout=0.5)
    plain = encoder(INPUTS, lengths=LENGTHS).numpy()
    trained = encoder(INPUTS, lengths=LENGTHS, training=True).numpy()
    np.testing.assert_array_equal(encoder(INPUTS, lengths=LENGTHS, training=False), plain)
    np.testing.assert_allclose(trained[:, 0], plain[:, 0], atol=1e-6)
    assert np.any(np.abs(trained[0, 1:] - plain[0, 1:]) > 1e-4)


def test_regularizer_reaches_every_layer():
    encoder = Encoder(units=3, num_layers=2, connections="residual", kernel_regularizer=keras.regularizers.L1(0.1))
    encoder(INPUTS, lengths=LENGTHS)
    assert len(encoder.losses) == 5


def test_use_cudnn_reaches_every_recurrent_layer():
    encoder = Encoder(units=3, num_layers=2)
    layers = [*encoder.forward_layers, *encoder.backward_layers]
    assert [layer.use_cudnn for layer in layers] == ["auto"] * 4
    encoder.use_cudnn = False
    assert [layer.use_cudnn for layer in layers] == [False] * 4
    assert encoder.get_config()["use_cudnn"] is False


@pytest.mark.parametrize("connections", ["none", "residual", "dense"])
@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_prepared_for_serving_it_answers_the_same(name, bidirectional, connections):
    encoder = Encoder(name, units=5, num_layers=2, bidirectional=bidirectional, connections=connections, dropout=0.3)
    inputs, lengths = keras.random.normal((4, 7, 3), seed=1), tf.constant([7, 1, 4, 6])
    expected = encoder(inputs, lengths=lengths)
    weights = encoder.get_weights()
    modules = encoder.prepare_for_serving()
    assert len(modules) == (0 if name == "gru" else 4 if bidirectional else 2)
    assert encoder.use_cudnn is False
    assert len(encoder.weights) == len(weights), "what is kept a second time is no weight"
    np.testing.assert_allclose(encoder(inputs, lengths=lengths), expected, atol=1e-6)
    encoder.set_weights([weight + 0.1 for weight in weights])
    encoder.prepare_for_serving()
    changed = encoder(inputs, lengths=lengths)
    assert not np.allclose(changed, expected, atol=1e-3)
    other = Encoder(name, units=5, num_layers=2, bidirectional=bidirectional, connections=connections)
    other(inputs, lengths=lengths)
    other.set_weights(encoder.get_weights())
    np.testing.assert_allclose(changed, other(inputs, lengths=lengths), atol=1e-6)


def test_a_prepared_lstm_is_one_operation_for_few_rows_and_trains_as_before():
    encoder = Encoder("lstm", units=5)
    inputs, lengths = keras.random.normal((6, 3, 4), seed=1), tf.constant([3, 2, 1, 3, 3, 2])
    expected = encoder(inputs, lengths=lengths)
    encoder.prepare_for_serving()
    signature = [tf.TensorSpec((None, None, 4)), tf.TensorSpec((None,), tf.int32)]
    serve = tf.function(lambda inputs, lengths: encoder(inputs, lengths=lengths, training=False), signature)
    graph = serve.get_concrete_function().graph.as_graph_def()
    one = [f for f in graph.library.function if "BlockLSTM" in {node.op for node in f.node_def}]
    assert len(one) == 1
    assert [node.op for node in one[0].node_def].count("BlockLSTM") == 2
    assert not {"While", "StatelessWhile"} & {node.op for node in one[0].node_def}
    for rows in (1, 2, 6):
        np.testing.assert_allclose(serve(inputs[:rows], lengths[:rows]), expected[:rows], atol=1e-6)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(encoder(inputs, lengths=lengths, training=True))
    assert all(gradient is not None for gradient in tape.gradient(loss, encoder.trainable_weights))


def test_highway_mixes_output_and_input_by_its_gate():
    encoder = Encoder("gru", units=3, num_layers=2, bidirectional=False, connections="highway")
    outputs = encoder(INPUTS, lengths=LENGTHS)
    values = INPUTS[:1]
    for i, layer in enumerate(encoder.forward_layers):
        kernel, bias = (weight.numpy() for weight in encoder.gates[str(i)].weights)
        np.testing.assert_array_equal(bias, -1)
        gate = 1 / (1 + np.exp(-(values @ kernel + bias)))
        shortcut = values @ encoder.projections["0"].kernel.numpy() if i == 0 else values
        values = gate * layer(values) + (1 - gate) * shortcut
    np.testing.assert_allclose(outputs[:1], values, atol=1e-6)


@pytest.mark.parametrize("name", RECURRENT_LAYERS)
def test_every_name_makes_an_encoder_that_reads_each_row_as_if_alone(name):
    encoder = Encoder(name, units=8)
    outputs = encoder(INPUTS, lengths=LENGTHS)
    assert outputs.shape == (3, 5, 16)
    for i, length in enumerate(LENGTHS):
        alone = encoder(row(i), lengths=LENGTHS[i : i + 1])
        np.testing.assert_allclose(outputs[i : i + 1, :length], alone, atol=1e-5)
        np.testing.assert_array_equal(outputs[i, length:], 0)


def test_an_implicit_mask_changes_nothing():
    ids = np.array([[1, 2, 3], [4, 0, 0]])
    vectors = keras.layers.Embedding(5, 4, mask_zero=True)(ids)
    encoder = Encoder(units=3)
    lengths = np.array([3, 1], "int32")
    expected = encoder(tf.identity(vectors), lengths=lengths)
    with pytest.warns(UserWarning, match="does not support masking"):
        outputs = encoder(vectors, lengths=lengths)
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"encoder": "lsmt"}, "encoder must be one of simple, lstm, gru, leaky, .*, got encoder='lsmt'"),
        ({"connections": "skip"}, "connections must be one of none, residual, highway, dense, got connections='skip'"),
        ({"use_cudnn": "no"}, "use_cudnn must be one of auto, True, False, got use_cudnn='no'"),
        (
            {"encoder": "gated_feedback", "connections": "dense"},
            "connections must be none with encoder='gated_feedback'",
        ),
        ({"encoder": "clockwork", "units": 0}, "units must be a positive integer"),
        ({"units": 0}, "units must be a positive integer, got units=0"),
        ({"num_layers": 0}, "num_layers must be a positive integer, got num_layers=0"),
        ({"dropout": 1}, "dropout must lie in"),
        ({"recurrent_dropout": -1}, "recurrent_dropout must lie in"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Encoder(**arguments)
