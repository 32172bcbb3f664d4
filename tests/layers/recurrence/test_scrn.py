"""The slow context of an SCRN."""

import numpy as np
import pytest
from recurrences import check_equations, made, sigmoid

from seqloom.layers import SCRN


def equations(layer):
    weights = (layer.kernel, layer.context_kernel, layer.recurrent_kernel, layer.context_to_hidden_kernel)
    A, B, R, P = (weight.numpy() for weight in weights)
    alpha = sigmoid(layer.alpha_logit.numpy()) if layer.trainable_alpha else layer.alpha

    def step(x, h, s):
        s = (1 - alpha) * (x @ B) + alpha * s
        h = sigmoid(s @ P + x @ A + h @ R)
        return np.concatenate([h, s]), h, s

    return step


@pytest.mark.parametrize("trainable", [True, False])
def test_equals_its_equations(trainable):
    check_equations(lambda **kwargs: SCRN(5, context_units=2, trainable_alpha=trainable, **kwargs), equations)


def test_the_context_decays_by_alpha():
    layer = made(SCRN(6, context_units=3, alpha=0.8, return_sequences=True, dtype="float64"))
    inputs = np.zeros((1, 30, 4))
    inputs[0, 0] = 1
    context = layer(inputs).numpy()[0, :, 3:]
    np.testing.assert_allclose(context, context[0] * 0.8 ** np.arange(30)[:, None], rtol=1e-12)


def test_alpha_is_learned_for_each_unit_or_fixed():
    learned, fixed = SCRN(6, context_units=3, alpha=0.9, trainable_alpha=True), SCRN(6, context_units=3)
    for layer in (learned, fixed):
        layer.build((None, None, 4))
    np.testing.assert_allclose(sigmoid(learned.alpha_logit.numpy()), [0.9] * 3, rtol=1e-6)
    assert len(learned.trainable_weights) == len(fixed.weights) + 1


@pytest.mark.parametrize(("units", "sizes"), [(2, (1, 1)), (16, (12, 4)), (7, (6, 1))])
def test_a_quarter_of_the_units_is_context(units, sizes):
    assert SCRN(units).state_sizes == sizes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 1}, "units must be at least 2, one of them for the context, got units=1"),
        ({"context_units": 4}, "context_units must be a positive integer below units=4, got context_units=4"),
        ({"context_units": 0}, "context_units must be a positive integer below units=4, got context_units=0"),
        ({"alpha": 1.0}, r"alpha must lie in \(0, 1\), got alpha=1.0"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SCRN(**{"units": 4, **arguments})
