"""The linear classifier against sums over sets."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers import NaiveBayesLinear

GENERATOR = np.random.default_rng(0)
RATIOS = GENERATOR.normal(size=(8, 3)).astype("float32")
SCALE = GENERATOR.normal(size=(8, 1)).astype("float32")
BIAS = np.array([0.5, -0.5, 0.0], "float32")


def classifier(**settings):
    layer = NaiveBayesLinear(8, 3, **settings)
    layer.build((None, None))
    layer.ratios.assign(RATIOS)
    layer.scale.assign(SCALE)
    layer.bias.assign(BIAS)
    return layer


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_each_distinct_unit_counts_once_in_any_order(ids):
    expected = BIAS + sum(RATIOS[unit] * SCALE[unit] for unit in set(ids) - {0})
    np.testing.assert_allclose(classifier()(np.array([ids]))[0], expected, rtol=1e-4, atol=1e-5)


def test_it_starts_as_naive_bayes_and_learns_the_weights_alone():
    layer = NaiveBayesLinear(8, 3, start=1.0)
    layer.build((None, None))
    layer.ratios.assign(RATIOS)
    np.testing.assert_allclose(layer(np.array([[2, 5, 5]]))[0], RATIOS[2] + RATIOS[5], rtol=1e-5)
    assert [variable.name for variable in layer.trainable_variables] == ["scale", "bias"]


def test_dropout_hides_units_in_training_only():
    layer = classifier(dropout=0.5, seed=3)
    ids = np.tile(np.arange(8), (2000, 1))
    np.testing.assert_allclose(np.mean(layer(ids, training=True), axis=0), layer(ids[:1])[0], atol=0.2)
    assert len(np.unique(layer(ids, training=True).numpy()[:, 0].round(4))) > 50
    assert len(np.unique(layer(ids, training=False).numpy()[:, 0])) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"entries": 0, "classes": 2}, "entries must be an integer of at least 1"),
        ({"entries": 5, "classes": 1}, "classes must be an integer of at least 2"),
        ({"entries": 5, "classes": 2, "dropout": 1.0}, r"dropout must lie in \[0, 1\)"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        NaiveBayesLinear(**arguments)
