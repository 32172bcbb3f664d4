"""What every cell of the family does alike: state, resets, padding, dropout, training."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recurrences import INPUTS, LENGTHS, made

from seqloom.layers import (
    GRU,
    LSTM,
    SCRN,
    ClockworkRNN,
    CoupledLSTM,
    EchoState,
    GatedFeedback,
    LeakyRNN,
    PeepholeLSTM,
    SimpleRNN,
    SkipRNN,
)

CELLS = {
    "simple": SimpleRNN,
    "lstm": LSTM,
    "gru": GRU,
    "lstm_in_a_plain_loop": lambda units, **kwargs: LSTM(units, recurrent_activation="hard_sigmoid", **kwargs),
    "leaky": LeakyRNN,
    "skip": lambda units, **kwargs: SkipRNN(units, skip=3, **kwargs),
    "clockwork": lambda units, **kwargs: ClockworkRNN(units, (1, 2, 3, 5), **kwargs),
    "scrn": SCRN,
    "echo_state": lambda units, **kwargs: EchoState(units, seed=0, **kwargs),
    "peephole": PeepholeLSTM,
    "coupled": CoupledLSTM,
    "gated_feedback_simple": lambda units, **kwargs: GatedFeedback(units, cell="simple", **kwargs),
    "gated_feedback_lstm": GatedFeedback,
    "gated_feedback_gru": lambda units, **kwargs: GatedFeedback(units, cell="gru", **kwargs),
}


@pytest.fixture(params=CELLS)
def cell(request):
    def make(**kwargs):
        return made(CELLS[request.param](8, **{"return_sequences": True, "dtype": "float64", **kwargs}))

    return make


def assert_states_close(actual, expected):
    assert len(actual) == len(expected)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


@pytest.mark.parametrize("cut", [1, 2, 4])
def test_two_parts_with_the_state_carried_over_are_the_whole(cell, cut):
    layer = cell(return_state=True)
    lengths = np.array([7, 5, 6], "int32")
    whole, *states = layer(INPUTS, lengths=lengths)
    first, *carried = layer(INPUTS[:, :cut], lengths=np.full(3, cut, "int32"))
    second, *last = layer(INPUTS[:, cut:], lengths=lengths - cut, initial_state=carried)
    np.testing.assert_allclose(np.concatenate([first, second], axis=1), whole, atol=1e-12)
    assert_states_close(last, states)


def test_a_reset_separates_sequences(cell):
    layer = cell(return_state=True)
    reset = np.zeros((3, 7), bool)
    reset[:, 4] = True
    packed, *states = layer(INPUTS, reset=reset)
    first, *_ = layer(INPUTS[:, :4])
    second, *last = layer(INPUTS[:, 4:])
    np.testing.assert_allclose(packed, np.concatenate([first, second], axis=1), atol=1e-12)
    assert_states_close(states, last)


def test_the_last_valid_output_is_the_one_returned(cell):
    outputs = cell()(INPUTS, lengths=LENGTHS).numpy()
    last = cell(return_sequences=False)(INPUTS, lengths=LENGTHS)
    np.testing.assert_allclose(last, outputs[range(3), LENGTHS - 1], atol=1e-12)


def test_what_is_not_finite_stays_in_its_row_and_padding_reaches_nothing(cell):
    layer = cell(return_state=True)
    expected, *expected_states = layer(INPUTS, lengths=LENGTHS)
    inputs = INPUTS.copy()
    inputs[0, 1] = np.nan
    inputs[1, LENGTHS[1] :] = np.nan
    inputs[2, LENGTHS[2] :] = np.inf
    with tf.GradientTape() as tape:
        watched = tf.constant(inputs)
        tape.watch(watched)
        outputs, *states = layer(watched, lengths=LENGTHS)
        loss = tf.reduce_sum(outputs[1:] ** 2)
    assert np.any(np.isnan(outputs[0]))
    np.testing.assert_array_equal(outputs[1:], expected[1:])
    for actual, state in zip(states, expected_states, strict=True):
        np.testing.assert_array_equal(actual[1:], state[1:])
    assert np.all(np.isfinite(tape.gradient(loss, watched)[1:]))


def test_dropout_on_inputs_and_state_is_for_training_only(cell):
    layer = cell(dropout=0.5, recurrent_dropout=0.5)
    plain = layer(INPUTS, lengths=LENGTHS)
    np.testing.assert_array_equal(layer(INPUTS, lengths=LENGTHS, training=False), plain)
    noisy = layer(INPUTS, lengths=LENGTHS, training=True)
    assert np.all(np.isfinite(noisy))
    assert np.any(noisy != plain)


def test_recurrent_dropout_alone_leaves_the_first_step(cell):
    layer = cell(recurrent_dropout=0.9)
    plain, noisy = layer(INPUTS).numpy(), layer(INPUTS, training=True).numpy()
    if not isinstance(layer, SCRN):  # whose hidden units read the context of the same step
        np.testing.assert_array_equal(noisy[:, 0], plain[:, 0])
    assert np.any(noisy[:, 1:] != plain[:, 1:])


def test_symbolic_states_have_the_shapes_of_real_ones(cell):
    layer = cell(return_state=True, dtype="mixed_float16")
    symbolic = layer(keras.Input((None, 4)), lengths=keras.Input((), dtype="int32"))
    real = layer(INPUTS, lengths=LENGTHS)
    assert [each.shape[-1] for each in symbolic] == [each.shape[-1] for each in real]
    assert [keras.backend.standardize_dtype(each.dtype) for each in symbolic] == [each.dtype.name for each in real]
