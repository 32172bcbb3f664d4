"""The layers that Keras has too: equal to Keras' in values and gradients, on every path."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recurrences import INPUTS, LENGTHS, RESET, made

from seqloom.layers import GRU, LSTM, SimpleRNN
from seqloom.layers.recurrence.recurrence import Recurrence

LAYERS = {
    "simple": (SimpleRNN, keras.layers.SimpleRNN),
    "lstm": (LSTM, keras.layers.LSTM),
    "gru": (GRU, keras.layers.GRU),
}


@pytest.fixture(params=LAYERS)
def classes(request):
    return LAYERS[request.param]


def pair(classes, **settings):
    """Our layer and Keras', with the same weights."""
    settings = {"return_sequences": True, "return_state": True, **settings}
    ours, theirs = (each(5, **settings) for each in classes)
    made(ours)
    theirs.build((None, None, 4))
    theirs.set_weights(ours.get_weights())
    return ours, theirs


def values_and_gradients(layer, call, rows):
    """Outputs, states, and the gradients with respect to inputs, initial states and weights."""
    dtype = layer.variable_dtype
    mask = tf.sequence_mask(LENGTHS[:rows], 7)[..., None]
    rng = np.random.default_rng(3)
    sizes = layer.cell.state_size if hasattr(layer, "cell") else layer.state_sizes
    states = [tf.constant(rng.normal(size=(rows, size)), dtype) for size in np.atleast_1d(sizes)]
    inputs = tf.constant(INPUTS[:rows], dtype)
    weights = [weight.value for weight in layer.trainable_weights]
    with tf.GradientTape() as tape:
        tape.watch([inputs, *states])
        outputs, *last = call(inputs, states)
        outputs = tf.where(mask, outputs, 0)
        loss = tf.reduce_sum(tf.sin(3 * outputs)) + sum(tf.reduce_sum(tf.cos(2 * state)) for state in last)
    return [outputs, *last, *tape.gradient(loss, [inputs, *states, *weights])]


@pytest.mark.parametrize(
    ("settings", "rows", "training"),
    [
        ({}, 3, True),
        ({}, 1, False),
        ({"activation": "softsign"}, 3, False),
        ({"use_bias": False}, 3, True),
        ({"activation": "elu"}, 3, True),  # a plain loop
    ],
)
def test_values_and_gradients_are_those_of_keras(classes, settings, rows, training):
    ours, theirs = pair(classes, **settings)
    mask = tf.sequence_mask(LENGTHS[:rows], 7)
    expected = values_and_gradients(theirs, lambda x, s: theirs(x, initial_state=s, mask=mask), rows)
    in_graph = tf.function(lambda x, s: ours(x, lengths=LENGTHS[:rows], initial_state=s, training=training))
    for actual, other in zip(values_and_gradients(ours, in_graph, rows), expected, strict=True):
        np.testing.assert_allclose(actual, other, rtol=1e-5, atol=1e-5)


def test_weights_move_both_ways(classes):
    ours, theirs = pair(classes)
    assert [weight.name for weight in ours.weights] == [weight.name for weight in theirs.weights]
    changed = [weight + 1 for weight in theirs.get_weights()]
    ours.set_weights(changed)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(theirs(INPUTS)[0], ours(INPUTS)[0], atol=1e-5)


@pytest.mark.parametrize(("groups", "training"), [(1, False), (2, True), (5, True)])
def test_the_fast_path_is_the_plain_loop_with_resets_and_dropped_state(classes, groups, training):
    layer = made(classes[0](5, return_sequences=True, return_state=True, dtype="float64"))
    layer.groups = groups
    mask = tf.constant(np.random.default_rng(4).integers(0, 2, (3, 5)) * 2.0)
    arguments = (tf.constant(LENGTHS), tf.constant(RESET), mask)

    def fast(inputs, states):
        outputs, last = layer.sequences(inputs, tuple(states), *arguments, training)
        return outputs, *last

    def plain(inputs, states):
        outputs, last = Recurrence.sequences(layer, inputs, tuple(states), *arguments, training)
        return outputs, *last

    actual, expected = (values_and_gradients(layer, tf.function(path), 3) for path in (fast, plain))
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_what_a_gpu_would_run_gives_the_same(classes):
    if classes[0] is SimpleRNN:
        assert not SimpleRNN(5).fits_cudnn
        return
    layer = made(classes[0](5, return_sequences=True, return_state=True))
    inputs, lengths = tf.constant(INPUTS, "float32"), tf.constant(LENGTHS)
    states = tuple(tf.ones((3, 5)) for _ in layer.state_sizes)
    outputs, last = layer.by_keras(inputs, states, lengths)
    expected, *expected_last = layer(inputs, lengths=lengths, initial_state=states)
    for i, length in enumerate(LENGTHS):
        np.testing.assert_allclose(outputs[i, :length], expected[i, :length], atol=1e-6)
    np.testing.assert_allclose(tf.stack(last), tf.stack(expected_last), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "fits"),
    [({}, True), ({"activation": "softsign"}, False), ({"use_bias": False}, False), ({"dropout": 0.5}, True)],
)
def test_cudnn_gets_only_what_it_computes(settings, fits):
    assert LSTM(3, **settings).fits_cudnn is GRU(3, **settings).fits_cudnn is fits


def test_steps_past_the_longest_row_are_not_computed():
    steps = []

    def counted(x):
        steps.append(1)
        return tf.tanh(x)

    layer = SimpleRNN(3, activation=counted, return_sequences=True)
    assert layer(tf.ones((2, 50, 4)), lengths=tf.constant([3, 2])).shape == (2, 50, 3)
    assert len(steps) == 3


def test_forget_bias_and_regularizers():
    layer = LSTM(2, forget_bias=5.0, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2), recurrent_regularizer="l2")
    layer.build((None, None, 3))
    np.testing.assert_array_equal(layer.bias, [0, 0, 5, 5, 0, 0, 0, 0])
    kernel, recurrent_kernel = layer.kernel.numpy(), layer.recurrent_kernel.numpy()
    expected = 0.1 * np.abs(kernel).sum() + 0.2 * (kernel**2).sum() + 0.01 * (recurrent_kernel**2).sum()
    np.testing.assert_allclose(sum(layer.losses), expected, rtol=1e-5)


def test_dropout_of_inputs_and_state_is_the_same_at_all_steps():
    layer = SimpleRNN(1, dropout=0.5, activation="linear", use_bias=False, return_sequences=True, seed=1)
    layer.build((None, None, 1))
    layer.set_weights([np.ones((1, 1)), np.zeros((1, 1))])
    outputs = layer(tf.ones((64, 6, 1)), training=True).numpy()
    assert set(np.unique(outputs)) == {0, 2}
    np.testing.assert_array_equal(outputs, np.repeat(outputs[:, :1], 6, axis=1))


@pytest.mark.parametrize("lengths", [[7, 0, 6], [7, 8, 6]])
def test_a_wrong_length_names_its_row(classes, lengths):
    layer = made(classes[0](5))
    with pytest.raises(ValueError, match=f"between 1 and the 7 steps of the inputs, got {lengths[1]} in row 1"):
        layer(INPUTS, lengths=np.array(lengths, "int32"))
    with pytest.raises(tf.errors.InvalidArgumentError, match=rf"got\] \[{lengths[1]}\] \[in row\] \[1\]"):
        tf.function(lambda lengths: layer(INPUTS, lengths=lengths))(tf.constant(lengths))


def test_wrong_states_and_settings_are_errors(classes):
    layer = made(classes[0](5))
    states = [tf.zeros((2, 5)) for _ in layer.state_sizes]
    with pytest.raises(ValueError, match=r"initial_state must have the shape \(3, 5\), got a state of shape \(2, 5\)"):
        layer(INPUTS, initial_state=states)
    with pytest.raises(ValueError, match="initial_state must be"):
        layer(INPUTS, initial_state=[*states, states[0]])
    for settings in ({"units": 0}, {"units": 2, "dropout": 1.0}, {"units": 2, "use_cudnn": "no"}):
        with pytest.raises(ValueError, match="got"):
            classes[0](**settings)
