"""The loss from a sample of words, against the softmax over all of them."""

from __future__ import annotations

from itertools import product

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers.sampled_softmax import (
    inclusion_probabilities,
    sampled_softmax_loss,
    sampled_words,
    softmax_loss,
)

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> tf.Tensor:
    return tf.constant(RNG.normal(size=shape), tf.float32)


def cross_entropy(inputs: tf.Tensor, targets: tf.Tensor, embeddings: tf.Tensor, biases: tf.Tensor) -> tf.Tensor:
    """By the definition of the softmax, one target at a time."""
    scores = tf.einsum("ns,ws->nw", inputs, embeddings) + biases
    powers = tf.exp(scores)
    return tf.stack([-tf.math.log(row[target] / tf.reduce_sum(row)) for row, target in zip(powers, targets)])  # noqa: B905


@pytest.mark.parametrize("sampled", [True, False])
def test_with_all_words_it_is_the_softmax(sampled: bool) -> None:
    sources = numbers(5, 3), numbers(7, 3), numbers(7)
    targets = tf.constant([0, 6, 2, 2, 4])
    everything = (tf.range(7), tf.ones(7)) if sampled else ()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(sources)
        inputs, embeddings, biases = sources
        loss = (sampled_softmax_loss if sampled else softmax_loss)(inputs, targets, embeddings, biases, *everything)
        expected = cross_entropy(inputs, targets, embeddings, biases)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    for actual, gradient in zip(tape.gradient(loss, sources), tape.gradient(expected, sources), strict=True):
        np.testing.assert_allclose(tf.convert_to_tensor(actual), gradient, atol=1e-5)


@pytest.mark.parametrize("right", [True, False])
def test_the_true_distribution_is_where_the_expected_gradient_is_zero(right: bool) -> None:
    """The expectation over targets and over all sixteen samples of four words, the empty one among them."""
    truth = np.array([0.1, 0.2, 0.3, 0.4])
    inclusion = np.array([0.9, 0.5, 0.2, 0.7], np.float32)
    scores = tf.constant(np.log(truth) if right else np.zeros(4), tf.float32)
    expected = np.zeros(4)
    for members, target in product(product((False, True), repeat=4), range(4)):
        probability = truth[target] * np.prod(np.where(members, inclusion, 1 - inclusion))
        sample = tf.constant(np.flatnonzero(members), tf.int32)
        with tf.GradientTape() as tape:
            tape.watch(scores)
            loss = sampled_softmax_loss(
                tf.zeros((1, 2)), tf.constant([target]), tf.zeros((4, 2)), scores, sample, tf.constant(inclusion)
            )
        expected += probability * tf.convert_to_tensor(tape.gradient(loss, scores)).numpy()
    assert np.allclose(expected, 0, atol=1e-6) == right


@pytest.mark.parametrize(("words", "expected"), [(40, 10), (1000, 1), (1000, 990)])
def test_words_are_drawn_as_often_as_they_should(words: int, expected: int) -> None:
    probabilities = inclusion_probabilities(words, expected)
    assert probabilities.sum() == pytest.approx(expected, rel=1e-4)
    assert np.all(np.diff(probabilities) <= 0)
    seed = keras.random.SeedGenerator(3)
    draws = 2000
    draw = tf.function(lambda: tf.math.bincount(sampled_words(probabilities, seed), minlength=words))
    counts = sum(draw().numpy() for _ in range(draws))
    deviations = np.sqrt(draws * probabilities * (1 - probabilities)) + 1
    assert np.max(np.abs(counts - draws * probabilities) / deviations) < 5


@pytest.mark.parametrize("expected", [9, 10])
def test_a_sample_as_large_as_the_vocabulary_is_the_vocabulary(expected: int) -> None:
    sample = sampled_words(inclusion_probabilities(9, expected), keras.random.SeedGenerator(0))
    assert sample.numpy().tolist() == list(range(9))


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected must be a positive integer, got expected=0"):
        inclusion_probabilities(9, 0)
