"""The contrastive loss, against a plain sum over the batch."""

import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers.contrastive_loss import contrastive_loss

RNG = np.random.default_rng(0)
VECTORS, PARTNERS = (RNG.normal(size=(5, 4)).astype("float32") for _ in range(2))
LABELS = np.array([3, 1, 3, 2, 1], "int32")


def plain(vectors, partners, labels, temperature):
    unit = [each / np.linalg.norm(each, axis=1, keepdims=True) for each in (vectors, partners)]
    losses = []
    for i, vector in enumerate(unit[0]):
        scores = np.exp(unit[1] @ vector / temperature)
        counted = [j for j in range(len(labels)) if j == i or labels[j] != labels[i]]
        losses.append(-np.log(scores[i] / scores[counted].sum()))
    return np.array(losses)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 1.0])
def test_it_is_the_share_of_the_partner_among_those_of_other_labels(temperature):
    found = contrastive_loss(VECTORS, PARTNERS, LABELS, temperature).numpy()
    np.testing.assert_allclose(found, plain(VECTORS, PARTNERS, LABELS, temperature), rtol=1e-4, atol=1e-5)


def test_the_order_of_the_batch_and_the_length_of_vectors_do_not_matter():
    order = np.array([4, 0, 3, 1, 2])
    mixed = contrastive_loss(7 * VECTORS[order], 0.1 * PARTNERS[order], LABELS[order])
    np.testing.assert_allclose(mixed, contrastive_loss(VECTORS, PARTNERS, LABELS).numpy()[order], rtol=1e-4, atol=1e-5)


def test_a_batch_of_one_costs_nothing():
    assert contrastive_loss(VECTORS[:1], PARTNERS[:1], LABELS[:1]).numpy() == pytest.approx([0.0], abs=1e-6)


def test_learning_brings_partners_together():
    vectors, partners = (tf.Variable(each) for each in (VECTORS, PARTNERS))
    for _ in range(50):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(contrastive_loss(vectors, partners, tf.range(5)))
        for variable, gradient in zip((vectors, partners), tape.gradient(loss, (vectors, partners)), strict=True):
            variable.assign_sub(gradient)
    scores = tf.matmul(tf.math.l2_normalize(vectors, -1), tf.math.l2_normalize(partners, -1), transpose_b=True)
    assert tf.argmax(scores, axis=1).numpy().tolist() == [0, 1, 2, 3, 4]


def test_refuses_a_temperature_of_zero():
    with pytest.raises(ValueError, match="temperature must be positive, got temperature=0"):
        contrastive_loss(VECTORS, PARTNERS, LABELS, temperature=0)
