"""Both directions of a recurrent layer."""

import numpy as np
import pytest
from recurrences import INPUTS, LENGTHS, made

from seqloom.layers import GRU, LSTM, Bidirectional, ClockworkRNN


def test_each_direction_is_its_layer_on_the_row_alone():
    layer = made(Bidirectional(LSTM(5, return_sequences=True, return_state=True, dtype="float64"), dtype="float64"))
    outputs, *states = layer(INPUTS, lengths=LENGTHS)
    for i, length in enumerate(LENGTHS):
        row = INPUTS[i : i + 1, :length]
        forward, *forward_states = layer.forward_layer(row)
        backward, *backward_states = layer.backward_layer(row[:, ::-1])
        expected = np.concatenate([forward, backward[:, ::-1]], axis=-1)
        np.testing.assert_allclose(outputs[i : i + 1, :length], expected, atol=1e-12)
        np.testing.assert_array_equal(outputs[i, length:], 0)
        for state, alone in zip(states, [*forward_states, *backward_states], strict=True):
            np.testing.assert_allclose(state[i : i + 1], alone, atol=1e-12)


def test_without_sequences_each_direction_ends_at_its_own_end():
    whole = made(Bidirectional(GRU(5, return_sequences=True, dtype="float64"), dtype="float64"))
    last = made(Bidirectional(GRU(5, dtype="float64"), dtype="float64"))
    outputs = whole(INPUTS, lengths=LENGTHS).numpy()
    expected = np.concatenate([outputs[range(3), LENGTHS - 1, :5], outputs[:, 0, 5:]], axis=-1)
    np.testing.assert_allclose(last(INPUTS, lengths=LENGTHS), expected, atol=1e-12)


@pytest.mark.parametrize("make", [LSTM, ClockworkRNN])
def test_packed_documents_do_not_read_each_other(make):
    layer = made(Bidirectional(make(4, return_sequences=True, dtype="float64"), dtype="float64"))
    reset = np.zeros((3, 7), bool)
    reset[:, [0, 3]] = True
    packed = layer(INPUTS, lengths=np.array([7, 7, 6], "int32"), reset=reset)
    np.testing.assert_allclose(packed[:, :3], layer(INPUTS[:, :3]), atol=1e-12)
    np.testing.assert_allclose(packed[:2, 3:], layer(INPUTS[:2, 3:]), atol=1e-12)
    np.testing.assert_allclose(packed[2:, 3:6], layer(INPUTS[2:, 3:6]), atol=1e-12)


def test_states_go_to_their_directions():
    layer = made(Bidirectional(LSTM(2, return_state=True, dtype="float64"), dtype="float64"))
    states = [np.full((3, 2), value) for value in (1.0, 2.0, 3.0, 4.0)]
    outputs, *_ = layer(INPUTS, initial_state=states)
    forward, *_ = layer.forward_layer(INPUTS, initial_state=states[:2])
    backward, *_ = layer.backward_layer(INPUTS[:, ::-1], initial_state=states[2:])
    np.testing.assert_allclose(outputs, np.concatenate([forward, backward], axis=-1), atol=1e-12)


def test_the_directions_share_the_cores():
    layer = LSTM(2)
    groups = layer.groups
    both = Bidirectional(layer)
    assert both.forward_layer.groups == both.backward_layer.groups == max(1, groups // 2)
