"""The character encoder against a loop over words."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import CharacterEncoder


def reference(layer, word):
    """Convolution of one word without padding, by its definition."""
    vectors = layer.embedding.embeddings.numpy()[word]
    features = []
    for convolution, width in zip(layer.convolutions, layer.kernel_sizes, strict=True):
        kernel, bias = convolution.kernel.numpy(), convolution.bias.numpy()
        left = (width - 1) // 2
        padded = np.pad(vectors, ((left, width - 1 - left), (0, 0)))
        windows = [np.einsum("te,tef->f", padded[i : i + width], kernel) + bias for i in range(len(word))]
        features.append(np.maximum(windows, 0).max(axis=0))
    return np.concatenate(features)


def test_equals_a_loop_over_words():
    layer = CharacterEncoder(20, 3, 6, kernel_sizes=(1, 2, 3, 5))
    rng = np.random.default_rng(0)
    characters = rng.integers(0, 20, (2, 3, 7)).astype("int32")  # anything, padding id too, past the lengths
    lengths = np.array([[7, 1, 3], [2, 5, 0]], "int32")
    layer(characters, lengths=lengths)
    for convolution in layer.convolutions:
        convolution.bias.assign(rng.normal(size=6))
    outputs = layer(characters, lengths=lengths).numpy()
    for place in np.ndindex(lengths.shape):
        length = lengths[place]
        expected = reference(layer, characters[place][:length]) if length else np.zeros(24)
        np.testing.assert_allclose(outputs[place], expected, atol=1e-5)


def test_dropout_acts_in_training_only():
    layer = CharacterEncoder(20, 3, 6, dropout=0.9)
    characters, lengths = tf.ones((1, 2, 4), tf.int32), tf.constant([[4, 2]])
    plain = layer(characters, lengths=lengths).numpy()
    np.testing.assert_array_equal(layer(characters, lengths=lengths, training=False), plain)
    assert np.any(layer(characters, lengths=lengths, training=True) != plain)


def test_the_regularizer_sees_the_convolutions_and_nothing_else_changes():
    layer = CharacterEncoder(20, 3, 6, kernel_sizes=(2, 3), kernel_regularizer=keras.regularizers.L2(0.5))
    plain = CharacterEncoder(20, 3, 6, kernel_sizes=(2, 3))
    characters, lengths = tf.constant([[[4, 5, 6, 7], [8, 9, 0, 0]]]), tf.constant([[4, 2]])
    for each in (layer, plain):
        each(characters, lengths=lengths)
    assert [(weight.path.split("/", 1)[1], weight.shape) for weight in layer.weights] == [
        (weight.path.split("/", 1)[1], weight.shape) for weight in plain.weights
    ]
    plain.set_weights(layer.get_weights())
    np.testing.assert_array_equal(layer(characters, lengths=lengths), plain(characters, lengths=lengths))
    expected = sum(0.5 * float(np.sum(np.square(convolution.kernel))) for convolution in layer.convolutions)
    assert float(sum(layer.losses)) == pytest.approx(expected, rel=1e-5)
    assert plain.losses == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters must be a positive integer, got filters=0"),
        ({"kernel_sizes": (3, 0)}, "kernel_sizes must be a positive integer, got kernel_sizes=0"),
        ({"kernel_sizes": ()}, "kernel_sizes must hold at least one width"),
        ({"dropout": 1.0}, "dropout must lie in"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        CharacterEncoder(**{"vocabulary_size": 5, "embedding_dim": 2, "filters": 3, **arguments})
