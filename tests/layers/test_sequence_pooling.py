"""Pooling against loops over the valid steps."""

import numpy as np
import pytest

from seqloom.layers import SequencePooling

INPUTS = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
LENGTHS = np.array([5, 1, 3], "int32")
QUERY = np.array([0.5, -1.0, 2.0, 0.0], "float32")


def attention(steps):
    weights = np.exp(steps @ QUERY)
    return weights @ steps / weights.sum()


REFERENCES = {
    "last": lambda steps: np.concatenate([steps[-1, :2], steps[0, 2:]]),
    "max": lambda steps: steps.max(axis=0),
    "mean": lambda steps: steps.mean(axis=0),
    "attention": attention,
}


def pooled(kinds, inputs=INPUTS, **settings):
    layer = SequencePooling(kinds, **settings)
    layer.build(inputs.shape)
    for weight in layer.weights:
        weight.assign(QUERY)
    return layer(inputs, lengths=LENGTHS).numpy()


def reference(kinds):
    rows = [INPUTS[row, :length] for row, length in enumerate(LENGTHS)]
    return np.stack([np.concatenate([REFERENCES[kind](steps) for kind in kinds]) for steps in rows])


@pytest.mark.parametrize(
    "kinds", [["last"], ["max"], ["mean"], ["attention"], ["mean", "max"], ["attention", "last", "max", "mean"]]
)
@pytest.mark.parametrize("garbage", [None, 1e4, np.inf, np.nan])
def test_only_valid_steps_count(kinds, garbage):
    inputs = INPUTS.copy()
    if garbage is not None:
        inputs[np.arange(5) >= LENGTHS[:, None]] = garbage
    np.testing.assert_allclose(pooled(kinds, inputs), reference(kinds), rtol=1e-5, atol=1e-6)


def test_the_last_step_of_a_recurrence_in_one_direction():
    expected = INPUTS[np.arange(3), LENGTHS - 1]
    np.testing.assert_allclose(pooled(["last"], bidirectional=False), expected)


def test_negative_features_have_a_negative_maximum():
    assert np.all(pooled(["max"], -np.abs(INPUTS) - 1) < -1)


def test_attention_without_preference_is_the_mean():
    layer = SequencePooling(["attention"])
    layer.build(INPUTS.shape)
    layer.query.assign(np.zeros(4))
    np.testing.assert_allclose(layer(INPUTS, lengths=LENGTHS), pooled(["mean"]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kinds", [[], ["sum"], ["max", "first"]])
def test_unknown_kinds_are_refused_with_the_known_ones(kinds):
    with pytest.raises(ValueError, match=r"kinds must be some of last, max, mean, attention, got kinds="):
        SequencePooling(kinds)
