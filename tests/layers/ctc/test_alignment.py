"""Viterbi alignments against enumeration of all of them."""

import itertools

import numpy as np
import tensorflow as tf
from alignments import alignments, padded, random_logits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from seqloom.layers.ctc import align

free = [
    tf.TensorSpec([None, None, 3]),
    tf.TensorSpec([None], tf.int32),
    tf.TensorSpec([None, None], tf.int32),
    tf.TensorSpec([None], tf.int32),
]
aligned = tf.function(align, input_signature=free)


def spans(path, blank):
    """First frame, and the frame after the last, of each run of a label."""
    found, step = [], 0
    for label, run in itertools.groupby(path):
        end = step + len(list(run))
        if label != blank:
            found.append((step, end))
        step = end
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 1), max_size=4).map(tuple), st.integers(1, 6)), min_size=1, max_size=3),
    st.integers(0, 1000),
)
def test_equals_the_best_of_all_alignments(rows, seed):
    labels, label_lengths = padded([text for text, _ in rows])
    lengths = np.array([length for _, length in rows], "int32")
    logits = random_logits(np.random.default_rng(seed), len(rows), 6, 3)
    starts, ends, scores = aligned(logits, lengths, labels, label_lengths)
    assert starts.shape == ends.shape == scores.shape == labels.shape
    for row, (text, length) in enumerate(rows):
        found = [(path, score) for own, path, score in alignments(logits[row, :length]) if own == text]
        frames = log_softmax(logits[row].astype("float64"), axis=-1)
        expected = [(0, 0, -np.inf)] * len(text)
        if found:
            best = max(found, key=lambda pair: pair[1])[0]
            expected = [
                (start, end, frames[start:end, label].mean())
                for label, (start, end) in zip(text, spans(best, blank=2), strict=True)
            ]
        expected += [(0, 0, 0.0)] * (labels.shape[1] - len(text))
        np.testing.assert_array_equal(np.stack([starts[row], ends[row]], axis=1), [pair[:2] for pair in expected])
        np.testing.assert_allclose(scores[row], [score for *_, score in expected], rtol=1e-4, atol=1e-5)


def test_a_row_alone_is_a_row_of_a_batch_and_padding_is_invisible():
    rng = np.random.default_rng(0)
    texts = [tuple(rng.integers(0, 2, size)) for size in (12, 3, 1)]
    labels, label_lengths = padded(texts)
    lengths = np.array([40, 9, 20], "int32")
    logits = random_logits(rng, 3, 40, 3)
    together = aligned(logits, lengths, labels, label_lengths)
    for row, (length, text) in enumerate(zip(lengths, texts, strict=True)):
        alone = aligned(logits[None, row, :length], [length], [text], [len(text)])
        for one, several in zip(alone, together, strict=True):
            np.testing.assert_allclose(one[0], several[row, : len(text)], rtol=1e-5)
            assert not np.any(several[row, len(text) :])


def test_labels_that_the_posteriors_exclude_have_no_probability():
    logits = tf.constant([[[0.0, -np.inf, -np.inf], [0.0, -np.inf, -np.inf], [-np.inf, -np.inf, 0.0]]])
    starts, ends, scores = align(logits, tf.constant([3]), tf.constant([[0, 1]]), tf.constant([2]))
    assert scores.numpy().tolist() == [[0.0, -np.inf]]
    assert 0 == starts[0, 0] < ends[0, 0] <= starts[0, 1] < ends[0, 1] <= 3


def test_a_row_without_labels():
    starts, ends, scores = align(tf.zeros((1, 4, 3)), tf.constant([4]), tf.zeros((1, 0), tf.int32), tf.constant([0]))
    assert starts.shape == ends.shape == scores.shape == (1, 0)
