"""The factored output layer against sums that are written out."""

import keras
import numpy as np
import pytest

from seqloom.layers import FactoredDense

PARTS = [["O"], ["B", "city"], ["I", "city"], ["B", "day", "own"], ["I"]]
NAMES = ["O", "B", "city", "I", "day", "own"]  # in the order in which they occur
INPUTS = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")


def made(parts=PARTS, **settings):
    layer = FactoredDense(parts, **settings)
    layer(INPUTS)
    for weight in layer.weights:
        weight.assign(np.random.default_rng(1).normal(size=weight.shape))
    return layer


def test_a_label_scores_the_sum_of_its_parts():
    layer = made()
    kernel, bias = layer.kernel.numpy(), layer.bias.numpy()
    expected = np.stack(
        [sum(INPUTS @ kernel[:, NAMES.index(name)] + bias[NAMES.index(name)] for name in names) for names in PARTS],
        axis=-1,
    )
    np.testing.assert_allclose(layer(INPUTS), expected, rtol=1e-4, atol=1e-5)


def test_a_part_in_common_moves_all_labels_that_have_it_and_no_other():
    layer = made()
    before = layer(INPUTS).numpy()
    layer.bias.assign(layer.bias.numpy() + np.eye(len(NAMES))[NAMES.index("city")])
    np.testing.assert_allclose(
        layer(INPUTS).numpy() - before, np.broadcast_to([0, 1, 1, 0, 0], before.shape), atol=1e-5
    )


def test_labels_without_common_parts_are_a_dense_layer():
    layer = made([["a"], ["b"], ["c"]])
    dense = keras.layers.Dense(3)
    dense.build((None, 4))
    dense.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(INPUTS), dense(INPUTS), rtol=1e-5, atol=1e-6)


def test_new_labels_leave_the_place_of_old_parts():
    """A model whose vocabulary of labels grows keeps its weights in the leading block."""
    old, new = made(), made([*PARTS, ["B", "new"], ["O"]])
    for weight, value in zip(new.weights, old.get_weights(), strict=True):
        merged = weight.numpy()
        merged[tuple(slice(size) for size in value.shape)] = value
        weight.assign(merged)
    np.testing.assert_allclose(new(INPUTS)[..., : len(PARTS)], old(INPUTS), rtol=1e-5, atol=1e-6)


def test_a_part_that_is_named_twice_counts_once():
    np.testing.assert_allclose(made([["a", "a"], ["b"]])(INPUTS), made([["a"], ["b"]])(INPUTS))


def test_the_regularizer_sees_the_kernel_of_the_parts():
    layer = made(kernel_regularizer=keras.regularizers.L2(0.5))
    assert float(sum(layer.losses)) == pytest.approx(0.5 * float(np.sum(layer.kernel.numpy() ** 2)), rel=1e-5)


@pytest.mark.parametrize("parts", [[], [["a"], []]])
def test_every_label_needs_a_part(parts):
    with pytest.raises(ValueError, match=r"parts must name at least one part for each label, got parts="):
        FactoredDense(parts)
