"""Clockwork modules against a NumPy loop: when they run, and what they are connected to."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recurrences import check_equations, made

from seqloom.layers import ClockworkRNN

PERIODS = (1, 2, 3)


def equations(layer):
    """Module by module, with a matrix for each pair of modules that is connected."""
    W, U, b = (weight.numpy() for weight in (layer.kernel, layer.recurrent_kernel, layer.bias))
    size = layer.units // len(layer.periods)
    parts = [slice(i * size, (i + 1) * size) for i in range(len(layer.periods))]

    def step(x, h, clock):
        new = h.copy()
        for i, own in enumerate(parts):
            if clock[i] == 0:
                total = x @ W[:, own] + b[own]
                for slower in parts[i:]:
                    total += h[slower] @ U[slower, own]
                new[own] = np.tanh(total)
        return new, new, (clock + 1) % layer.periods

    return step


def draw_state(rng, i, size):
    return np.stack([rng.integers(0, PERIODS) for _ in range(3)]).astype("float64") if i else rng.normal(size=(3, size))


def test_equals_its_equations():
    check_equations(lambda **kwargs: ClockworkRNN(6, PERIODS, **kwargs), equations, draw_state)


def test_a_module_changes_at_its_steps_only():
    layer = made(ClockworkRNN(8, (1, 2, 4, 8), return_sequences=True))
    outputs = layer(np.random.default_rng(0).normal(size=(2, 20, 4))).numpy().reshape(2, 20, 4, 2)
    for i, period in enumerate(layer.periods):
        changed = np.any(outputs[:, 1:, i] != outputs[:, :-1, i], axis=(0, 2))
        np.testing.assert_array_equal(changed, np.arange(1, 20) % period == 0)


@pytest.mark.parametrize(("policy", "steps"), [("mixed_bfloat16", 600), ("mixed_float16", 600), ("float32", 600)])
def test_the_clock_does_not_lose_count(policy, steps):
    layer = made(ClockworkRNN(2, (1, 256), return_sequences=True, dtype=policy))
    outputs = layer(np.random.default_rng(0).normal(size=(1, steps, 4))).numpy()[0, :, 1]
    assert np.flatnonzero(outputs[1:] != outputs[:-1]).tolist() == [255, 511]


def forbidden(layer):
    size = layer.units // len(layer.periods)
    modules = np.arange(layer.units) // size
    return modules[:, None] < modules  # from a faster to a slower one


def test_forbidden_weights_get_no_gradient_and_do_not_count():
    layer = made(ClockworkRNN(6, PERIODS))
    inputs = np.random.default_rng(0).normal(size=(2, 9, 4))
    with tf.GradientTape() as tape:
        outputs = layer(inputs)
        loss = tf.reduce_sum(outputs**2)
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.recurrent_kernel.value)).numpy()
    assert np.all(gradient[forbidden(layer)] == 0)
    assert np.all(gradient[~forbidden(layer)] != 0)
    layer.recurrent_kernel.assign(np.where(forbidden(layer), 0, layer.recurrent_kernel.numpy()))
    np.testing.assert_array_equal(layer(inputs), outputs)


def test_forbidden_weights_stay_zero_in_training():
    layer = ClockworkRNN(6, PERIODS, recurrent_regularizer="l1l2")
    model = keras.Sequential([layer])
    model.compile(optimizer=keras.optimizers.AdamW(0.1, weight_decay=0.1), loss="mse")
    rng = np.random.default_rng(0)
    model.fit(rng.normal(size=(8, 9, 4)), rng.normal(size=(8, 6)), batch_size=4, epochs=3, verbose=0)
    kernel = layer.recurrent_kernel.numpy()
    assert np.all(kernel[forbidden(layer)] == 0)
    assert np.all(kernel[~forbidden(layer)] != 0)


def test_a_third_of_the_recurrent_weights_is_saved_by_three_modules():
    assert np.mean(forbidden(ClockworkRNN(6, PERIODS))) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("units", "modules"), [(1, 1), (7, 7), (12, 6), (64, 8), (11, 1), (9, 3)])
def test_default_periods_fit_any_units(units, modules):
    assert ClockworkRNN(units).periods == tuple(2**i for i in range(modules))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"periods": (1, 2, 4)},
            r"units must be a multiple of the 3 modules .*periods=\(1, 2, 4\) .*got units=4",
        ),
        ({"periods": (2, 1)}, "periods must be integers from 1 to 256 that increase"),
        ({"periods": (0, 1)}, "periods must be integers from 1 to 256"),
        ({"periods": (1, 512)}, "periods must be integers from 1 to 256"),
        ({"periods": ()}, "periods must be integers from 1 to 256"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        ClockworkRNN(4, **arguments)
