"""Best path decoding against the definition, one row at a time."""

import numpy as np
import pytest
import tensorflow as tf
from alignments import collapse, random_logits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from seqloom.layers.ctc import best_path


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 1000))
def test_equals_the_definition(lengths, labels, seed):
    logits = random_logits(np.random.default_rng(seed), len(lengths), max(lengths), labels + 1)
    found, found_lengths, scores = best_path(tf.constant(logits), tf.constant(lengths))
    assert found.shape == (len(lengths), max(lengths))
    for row, length in enumerate(lengths):
        text = collapse(tuple(logits[row, :length].argmax(-1)), labels)
        assert found_lengths[row] == len(text)
        assert tuple(found[row].numpy()) == text + (-1,) * (max(lengths) - len(text))
        expected = log_softmax(logits[row, :length], axis=-1).max(-1).sum()
        np.testing.assert_allclose(scores[row], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("path", "text"), [("aaab", "ab"), ("aa-ab", "aab"), ("a-a-b", "aab"), ("--", ""), ("-b", "b")]
)
def test_the_blank_tells_repeated_labels_apart(path, text):
    """The classic difference: by collapsing repeats alone, `aaab` and `aa-ab` would be the same."""
    logits = 20.0 * tf.one_hot([["ab-".index(symbol) for symbol in path]], 3)
    labels, lengths, _ = best_path(logits, tf.constant([len(path)]))
    assert "".join("ab"[label] for label in labels[0, : lengths[0]]) == text


def test_frames_and_batches_may_be_free():
    decode = tf.function(best_path, input_signature=[tf.TensorSpec([None, None, 3]), tf.TensorSpec([None], tf.int32)])
    for rows, time in ((2, 4), (1, 1), (0, 3)):
        labels, lengths, _ = decode(tf.zeros((rows, time, 3)), tf.fill([rows], time))
        assert labels.shape == (rows, time)
        assert lengths.numpy().tolist() == [1] * rows
