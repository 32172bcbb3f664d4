"""Conditioning against the equations, on sequences and on single steps."""

import keras
import numpy as np
import pytest

from seqloom.layers import Conditioning

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(2, 5, 3)).astype("float32")
CONTEXT = RNG.normal(size=(2, 4)).astype("float32")


@pytest.mark.parametrize("mode", ["input", "both"])
def test_every_step_gets_the_vector(mode):
    outputs = Conditioning(mode, state_sizes=(2,))(INPUTS, context=CONTEXT).numpy()
    for row in range(2):
        for step in range(5):
            np.testing.assert_array_equal(outputs[row, step], [*INPUTS[row, step], *CONTEXT[row]])


@pytest.mark.parametrize("mode", ["initial_state", "input", "both"])
def test_a_step_is_a_step_of_the_sequence(mode):
    layer = Conditioning(mode, state_sizes=(2,))
    whole = layer(INPUTS, context=CONTEXT).numpy()
    steps = [layer(INPUTS[:, step], context=CONTEXT).numpy() for step in range(5)]
    np.testing.assert_array_equal(np.stack(steps, axis=1), whole)


def test_the_initial_state_alone_leaves_the_inputs_as_they_are():
    layer = Conditioning("initial_state", state_sizes=(2,))
    np.testing.assert_array_equal(layer(INPUTS, context=CONTEXT), INPUTS)


@pytest.mark.parametrize("mode", ["initial_state", "both"])
def test_each_state_is_a_projection_of_its_own(mode):
    layer = Conditioning(mode, state_sizes=(2, 6))
    states = layer.initial_state(CONTEXT)
    for weight in layer.trainable_weights:
        weight.assign(RNG.normal(size=weight.shape))
    states = layer.initial_state(CONTEXT)
    assert isinstance(states, tuple)
    weights = layer.get_weights()
    for state, size, kernel, bias in zip(states, (2, 6), weights[::2], weights[1::2], strict=True):
        assert state.shape == (2, size)
        np.testing.assert_allclose(state, np.tanh(CONTEXT @ kernel + bias), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sizes", [(), (2, 6)])
def test_without_an_initial_state_it_is_zero_and_nothing_is_learnt(sizes):
    layer = Conditioning("input", state_sizes=sizes)
    layer(INPUTS, context=CONTEXT)
    states = layer.initial_state(CONTEXT)
    assert [state.shape for state in states] == [(2, size) for size in sizes]
    assert not any(np.any(state) for state in states)
    assert layer.weights == []


def test_the_order_of_the_two_calls_makes_no_difference(tmp_path):
    """A decoder asks for the state first; what it saves must hold the projections."""
    layer = Conditioning("both", state_sizes=(2,))
    expected = layer.initial_state(CONTEXT)[0].numpy()
    symbols = keras.Input((5, 3)), keras.Input((4,))
    keras.Model(symbols, layer(symbols[0], context=symbols[1])).save(tmp_path / "model.keras")
    [loaded] = [
        each for each in keras.saving.load_model(tmp_path / "model.keras").layers if isinstance(each, Conditioning)
    ]
    np.testing.assert_array_equal(loaded.initial_state(CONTEXT)[0], expected)


@pytest.mark.parametrize("mode", ["initial_state", "input", "both"])
def test_a_recurrence_that_is_conditioned_depends_on_the_vector(mode):
    """On all of its steps, as soon as on the first, and on nothing else where the way is closed."""
    layer, recurrence = Conditioning(mode, state_sizes=(6,)), keras.layers.GRU(6, return_sequences=True)

    def outputs(context):
        return recurrence(layer(INPUTS, context=context), initial_state=list(layer.initial_state(context))).numpy()

    changed = np.abs(outputs(CONTEXT) - outputs(CONTEXT + 1)).max(axis=(0, 2))
    assert np.all(changed > 1e-4)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="mode must be one of initial_state, input, both, got mode='output'"):
        Conditioning("output", state_sizes=(2,))
    with pytest.raises(ValueError, match=r"state_sizes must be positive integers, got state_sizes=\(2, 0\)"):
        Conditioning("both", state_sizes=(2, 0))
    with pytest.raises(ValueError, match="state_sizes must hold a size for each state in mode 'both'"):
        Conditioning("both")
    with pytest.raises(ValueError, match=r"inputs must be \(batch, time, features\) or \(batch, features\), got shape"):
        Conditioning("input")(INPUTS[None], context=CONTEXT)
