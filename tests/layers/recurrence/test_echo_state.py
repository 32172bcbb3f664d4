"""The reservoir: what it is, that it forgets its beginning, and that a readout finds the past in it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recurrences import INPUTS, check_equations
from sklearn.linear_model import Ridge

from seqloom.layers import EchoState, fit_readout


def built(units, **settings):
    layer = EchoState(units, return_sequences=True, **settings)
    layer.build((None, None, 4))
    return layer


def radius(layer):
    return np.abs(np.linalg.eigvals(layer.recurrent_kernel.numpy())).max()


def equations(layer):
    W, U, b, a = layer.kernel.numpy(), layer.recurrent_kernel.numpy(), layer.bias.numpy(), layer.leak_rate

    def step(x, h):
        h = (1 - a) * h + a * np.tanh(x @ W + h @ U + b)
        return h, h

    return step


@pytest.mark.parametrize("leak_rate", [1.0, 0.3])
def test_equals_its_equations(leak_rate):
    check_equations(lambda **kwargs: EchoState(9, leak_rate=leak_rate, bias_scaling=0.2, **kwargs), equations)


@pytest.mark.parametrize("units", [1, 2, 3, 17, 100])
@pytest.mark.parametrize("sparsity", [0.0, 0.9])
def test_the_radius_is_the_one_asked_for(units, sparsity):
    layer = built(units, spectral_radius=0.7, sparsity=sparsity)
    assert radius(layer) == pytest.approx(0.7, rel=1e-3)
    zeros = np.mean(layer.recurrent_kernel.numpy() == 0)
    assert zeros == pytest.approx(min(sparsity, 1 - 1 / units), abs=0.5 / units)


def test_scalings_bound_the_weights():
    layer = built(200, input_scaling=0.3, bias_scaling=0.1)
    assert 0.29 < np.abs(layer.kernel.numpy()).max() <= 0.3
    assert 0.09 < np.abs(layer.bias.numpy()).max() <= 0.1


def test_below_a_radius_of_one_it_forgets_how_it_started():
    layer = built(50, spectral_radius=0.8, input_scaling=0.1, seed=0)
    inputs = np.random.default_rng(0).normal(size=(1, 300, 4))
    runs = [layer(inputs, initial_state=tf.fill((1, 50), start)).numpy()[0] for start in (-1.0, 1.0)]
    distances = np.linalg.norm(runs[0] - runs[1], axis=-1)
    assert distances[0] > 1
    assert distances[-1] < 1e-5


def test_from_a_radius_of_one_on_there_is_a_warning_and_it_is_right():
    with pytest.warns(UserWarning, match=r"spectral_radius=1.5 is not below 1: .* \(no echo state property\)"):
        layer = built(50, spectral_radius=1.5, seed=0)
    runs = [layer(np.zeros((1, 300, 4)), initial_state=tf.fill((1, 50), start)).numpy() for start in (0.0, 1.0)]
    assert np.linalg.norm(runs[0][0, -1] - runs[1][0, -1]) > 1


def test_nothing_is_trained_and_gradients_reach_the_inputs():
    layer = built(20)
    assert layer.trainable_weights == []
    assert len(layer.weights) == 3
    inputs = tf.constant(INPUTS, "float32")
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(layer(inputs)[:, -1])
    assert np.all(tape.gradient(loss, inputs)[:, -1] != 0)


def test_equal_seeds_draw_equal_reservoirs():
    one, same, other = (built(10, seed=seed).get_weights() for seed in (3, 3, 4))
    for weight, equal, different in zip(one[:2], same, other, strict=False):
        np.testing.assert_array_equal(weight, equal)
        assert np.any(weight != different)


def test_without_a_seed_the_global_one_decides():
    draws = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(seed)
        draws.append(built(10).get_weights()[1])
    np.testing.assert_array_equal(draws[0], draws[1])
    assert np.any(draws[0] != draws[2])


def test_the_reservoir_is_saved(tmp_path):
    model = keras.Sequential([keras.Input((None, 4)), EchoState(10, bias_scaling=1.0)])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(INPUTS), model(INPUTS))


@pytest.mark.parametrize("regularization", [1e-3, 1.0, 100.0])
def test_the_readout_is_ridge_regression(regularization):
    rng = np.random.default_rng(0)
    states, targets = rng.normal(size=(3, 40, 6)) + 2, rng.normal(size=(3, 40, 2)) - 5
    kernel, bias = fit_readout(states, targets, regularization)
    assert kernel.dtype == bias.dtype == np.float64
    ridge = Ridge(alpha=regularization).fit(states.reshape(-1, 6), targets.reshape(-1, 2))
    np.testing.assert_allclose(kernel, ridge.coef_.T, atol=1e-10)
    np.testing.assert_allclose(bias, ridge.intercept_, atol=1e-10)


def test_a_readout_finds_inputs_of_the_past():
    layer = EchoState(100, input_scaling=0.1, seed=0, return_sequences=True)
    inputs = np.random.default_rng(0).uniform(-1, 1, (1, 1200, 1))
    states, targets = layer(inputs).numpy()[0, 100:], inputs[0, 90:-10]  # ten steps ago
    kernel, bias = fit_readout(states[:600], targets[:600], 1e-8)
    error = states[600:] @ kernel + bias - targets[600:]
    assert np.var(error) < 0.05 * np.var(targets)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"spectral_radius": 0.0}, "spectral_radius must be positive, got spectral_radius=0.0"),
        ({"leak_rate": 0.0}, r"leak_rate must lie in \(0, 1\], got leak_rate=0.0"),
        ({"sparsity": 1.0}, r"sparsity must lie in \[0, 1\), got sparsity=1.0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        EchoState(4, **arguments)


def test_the_readout_refuses():
    with pytest.raises(ValueError, match="regularization must be at least 0, got regularization=-1"):
        fit_readout([[0.0]], [[0.0]], -1)
    with pytest.raises(ValueError, match="targets must be as many as the states"):
        fit_readout([[0.0]], [[0.0], [1.0]])
