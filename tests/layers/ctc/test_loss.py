"""The loss against enumeration of all alignments, and against finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from alignments import padded, random_logits, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers.ctc import ctc_loss, feasible

TEXT = st.lists(st.integers(0, 1), max_size=4).map(tuple)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(TEXT, st.integers(1, 5)), min_size=1, max_size=3), st.booleans(), st.integers(0, 1000))
def test_loss_is_the_sum_over_all_alignments(rows, dense, seed):
    labels, label_lengths = padded([text for text, _ in rows])
    lengths = np.array([length for _, length in rows], "int32")
    logits = random_logits(np.random.default_rng(seed), len(rows), 5, 3)
    expected = [-texts(frames[:length]).get(text, -np.inf) for frames, (text, length) in zip(logits, rows, strict=True)]
    loss = ctc_loss(tf.constant(logits), lengths, labels, label_lengths, dense=dense)
    np.testing.assert_allclose(loss, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(feasible(lengths, labels, label_lengths), np.isfinite(expected))


@pytest.mark.parametrize("dense", [False, True])
def test_gradient_equals_finite_differences_of_enumeration(dense):
    rows = [(0, 1), (0, 0), (1,), (), (1, 1, 1)]  # the last one has no alignment
    lengths = np.array([4, 3, 2, 3, 4], "int32")
    labels, label_lengths = padded(rows)
    logits = random_logits(np.random.default_rng(3), 5, 4, 3).astype("float64")
    variable = tf.Variable(logits, dtype=tf.float32)
    with tf.GradientTape() as tape:
        loss = ctc_loss(variable, lengths, labels, label_lengths, dense=dense)
        total = tf.reduce_sum(tf.where(tf.math.is_finite(loss), loss, 0.0) * tf.range(1.0, 6.0))

    def value(array):
        scores = [texts(frames[:length]) for frames, length in zip(array, lengths, strict=True)]
        return sum(-(row + 1) * scores[row][text] for row, text in enumerate(rows[:4]))

    expected = np.zeros_like(logits)
    for place in np.ndindex(logits.shape):
        offset = np.zeros_like(logits)
        offset[place] = 1e-4
        expected[place] = (value(logits + offset) - value(logits - offset)) / 2e-4
    np.testing.assert_allclose(tape.gradient(total, variable), expected, atol=1e-4)


def test_dense_and_sparse_agree_on_long_rows_in_a_graph():
    rng = np.random.default_rng(0)
    rows = [tuple(rng.integers(0, 28, size)) for size in (20, 1, 0, 30)]
    labels, label_lengths = padded(rows)
    lengths = tf.constant([100, 100, 7, 80])
    logits = tf.Variable(random_logits(rng, 4, 100, 29))
    found = []
    for dense in (False, True):

        @tf.function(jit_compile=dense)
        def both(dense=dense):
            with tf.GradientTape() as tape:
                loss = ctc_loss(logits, lengths, labels, label_lengths, dense=dense)
            return loss, tape.gradient(loss, logits)

        found.append(both())
    np.testing.assert_allclose(found[0][0], found[1][0], rtol=1e-4)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-3)


@pytest.mark.parametrize("dense", [False, True])
def test_half_precision_is_computed_in_float32(dense):
    logits = tf.constant(random_logits(np.random.default_rng(1), 1, 400, 3, scale=16.0), tf.float16)
    rest = {"logit_lengths": [400], "labels": [[0, 1]], "label_lengths": [2], "dense": dense}
    loss = ctc_loss(logits, **rest)
    assert loss.dtype == tf.float32
    np.testing.assert_array_equal(loss, ctc_loss(tf.cast(logits, tf.float32), **rest))
    assert 2_000 < float(loss[0]) < np.inf


@pytest.mark.parametrize("dense", [False, True])
def test_labels_that_are_as_good_as_impossible_cost_much_and_learn(dense):
    logits = tf.Variable([[[0.0, 1000.0, 0.0], [0.0, 1000.0, 0.0]]])
    with tf.GradientTape() as tape:
        loss = ctc_loss(logits, tf.constant([2]), tf.constant([[0]]), tf.constant([1]), dense=dense)
    assert 100 < float(loss[0]) < np.inf
    gradient = tape.gradient(loss, logits)[0].numpy()
    np.testing.assert_allclose(gradient[:, 1], [1, 1], atol=1e-3)
    assert np.all(gradient[:, 0] < -0.5)


def test_what_stands_past_the_lengths_does_not_count():
    rng = np.random.default_rng(2)
    logits = random_logits(rng, 1, 9, 4)
    longer = np.concatenate([logits, 100 * random_logits(rng, 1, 3, 4)], axis=1)
    labels = tf.constant([[2, 2, 1]])
    loss = ctc_loss(tf.constant(logits), tf.constant([9]), labels, tf.constant([3]))
    again = ctc_loss(tf.constant(longer), tf.constant([9]), tf.pad(labels, [[0, 0], [0, 4]]), tf.constant([3]))
    np.testing.assert_allclose(loss, again, rtol=1e-5)
