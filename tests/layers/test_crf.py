"""The CRF against enumeration of all paths."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

from seqloom.layers import LinearChainCRF

NAMES = ["O", "B-a", "I-a", "B-b", "I-b", "I-c"]


def follows(tag, previous):
    return not tag.startswith("I-") or (previous is not None and previous[:2] != "O" and previous[2:] == tag[2:])


def legal_paths(tags, length):
    """All paths that the scheme allows, by its definition."""
    for path in itertools.product(range(len(tags)), repeat=length):
        names = [tags[tag] for tag in path]
        if all(follows(tag, previous) for previous, tag in zip([None, *names], names, strict=False)):
            yield path


def path_score(crf, logits, path):
    transitions, start, end = (weight.numpy() for weight in (crf.transitions, crf.start, crf.end))
    emissions = sum(logits[step, tag] for step, tag in enumerate(path))
    return start[path[0]] + emissions + sum(transitions[pair] for pair in itertools.pairwise(path)) + end[path[-1]]


def random_crf(tags, seed, scale=1.0, dtype="float64"):
    crf = LinearChainCRF(tags, dtype=dtype)
    crf.build((None, None, len(tags)))
    rng = np.random.default_rng(seed)
    for weight in crf.weights:
        weight.assign(rng.normal(scale=scale, size=weight.shape))
    return crf


def random_logits(crf, rows, time, seed, scale=1.0):
    return np.random.default_rng(seed + 1).normal(scale=scale, size=(rows, time, len(crf.tags)))


tag_sets = st.lists(st.sampled_from(NAMES), min_size=1, max_size=5, unique=True).filter(
    lambda tags: any(not tag.startswith("I-") for tag in tags)
)
lengths_of_rows = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@settings(max_examples=25, deadline=None)
@given(tag_sets, lengths_of_rows, st.integers(0, 1000), st.sampled_from([1.0, 100.0]))
def test_everything_equals_enumeration(tags, lengths, seed, scale):
    crf = random_crf(tags, seed, scale=2.0)
    logits = random_logits(crf, len(lengths), max(lengths), seed, scale)
    gold = np.zeros(logits.shape[:2], "int32")
    expected = {"loss": [], "partition": [], "path": np.zeros_like(gold), "marginals": np.zeros_like(logits)}
    for row, length in enumerate(lengths):
        paths = list(legal_paths(tags, length))
        scores = np.array([path_score(crf, logits[row], path) for path in paths])
        partition = logsumexp(scores)
        chosen = seed % len(paths)
        gold[row, :length] = paths[chosen]
        expected["partition"].append(partition)
        expected["loss"].append(partition - scores[chosen])
        expected["path"][row, :length] = paths[np.argmax(scores)]
        for path, score in zip(paths, scores, strict=True):
            expected["marginals"][row, range(length), path] += np.exp(score - partition)
    inputs = {"logits": tf.constant(logits), "lengths": tf.constant(lengths, tf.int32)}
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(crf.log_partition(**inputs), expected["partition"], **close)
    np.testing.assert_allclose(crf.negative_log_likelihood(tags=tf.constant(gold), **inputs), expected["loss"], **close)
    np.testing.assert_allclose(crf.marginals(**inputs), expected["marginals"], **close)
    np.testing.assert_array_equal(crf(**inputs), expected["path"])


def test_marginals_sum_to_one():
    crf = random_crf(NAMES, seed=0, dtype="float32")
    logits = random_logits(crf, 2, 6, seed=0, scale=5.0)
    sums = tf.reduce_sum(crf.marginals(tf.constant(logits), tf.constant([6, 4])), axis=-1)
    np.testing.assert_allclose(sums, [[1] * 6, [1] * 4 + [0] * 2], rtol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_gradient_equals_finite_differences_everywhere(scale):
    crf = random_crf(["I-a", "O", "B-a", "I-c", "B-b"], seed=3)
    lengths, upstream = tf.constant([4, 1, 2]), tf.constant([1.0, 2.0, -0.5], tf.float64)
    logits = tf.Variable(random_logits(crf, 3, 4, seed=3, scale=scale))

    @tf.function
    def objective():
        return tf.reduce_sum(crf.log_partition(logits, lengths) * upstream)

    sources = [logits, *(weight.value for weight in crf.weights)]
    with tf.GradientTape() as tape:
        value = objective()
    for source, gradient in zip(sources, tape.gradient(value, sources), strict=True):
        original = source.numpy()
        expected = np.zeros_like(original)
        for place in np.ndindex(original.shape):
            offset = np.zeros_like(original)
            offset[place] = 1e-5
            ends = []
            for sign in (1, -1):
                source.assign(original + sign * offset)
                ends.append(float(objective()))
            expected[place] = (ends[0] - ends[1]) / 2e-5
        source.assign(original)
        np.testing.assert_allclose(gradient, expected, atol=1e-6)


def test_an_inside_tag_far_below_the_best_one_is_not_lost():
    """In float32 `exp` of these scores is zero, and the gold path runs through them."""
    crf = LinearChainCRF(["O", "B-a", "I-a"])
    logits = tf.constant([[[0.0, -200.0, 0.0], [0.0, -400.0, 0.0], [0.0, -200.0, 500.0]]])
    loss = crf.negative_log_likelihood(logits, tf.constant([[1, 2, 2]]), tf.constant([3]))
    np.testing.assert_allclose(loss, [0.0], atol=1e-3)
    np.testing.assert_allclose(crf.marginals(logits, tf.constant([3]))[0, 0], [0, 1, 0], atol=1e-3)


def test_viterbi_never_breaks_the_scheme():
    tags = ["I-b", "O", "B-a", "I-a", "I-c"]
    crf = random_crf(tags, seed=5, scale=3.0, dtype="float32")
    temptation = np.array([1000.0, 0.0, 0.0, 500.0, 1000.0])
    logits = random_logits(crf, 200, 7, seed=5, scale=20.0) + temptation
    paths = crf(tf.constant(logits, tf.float32), lengths=tf.fill([200], 7)).numpy()
    for path in paths:
        names = [tags[tag] for tag in path]
        assert all(follows(tag, previous) for previous, tag in zip([None, *names], names, strict=False))


def test_a_gold_path_that_breaks_the_scheme_is_seen_and_teaches_no_forbidden_weight():
    crf = LinearChainCRF(["O", "B-a", "I-a"])
    logits = tf.zeros((1, 2, 3))
    with tf.GradientTape() as tape:
        loss = crf.negative_log_likelihood(logits, tf.constant([[0, 2]]), tf.constant([2]))
    assert 9_990 < float(loss[0]) < 10_010
    gradient = tape.gradient(loss, crf.transitions.value)
    assert np.all(np.isfinite(gradient))
    assert float(gradient[0, 2]) == 0.0


def test_what_stands_past_the_lengths_does_not_count():
    crf = random_crf(NAMES, seed=1)
    logits = random_logits(crf, 1, 5, seed=1)
    short = crf.negative_log_likelihood(tf.constant(logits[:, :2]), tf.constant([[1, 2]]), tf.constant([2]))
    noise = np.where(np.arange(5)[:, None] < 2, logits, 1e3)
    long = crf.negative_log_likelihood(tf.constant(noise), tf.constant([[1, 2, -1, 99, 5]]), tf.constant([2]))
    np.testing.assert_allclose(long, short)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["O", "city"], "tags must be named O, B-x or I-x, got 'city'"),
        (["O", "B-"], "tags must be named O, B-x or I-x, got 'B-'"),
        (["O", "B-a", "O"], "tags must differ"),
        (["I-a", "I-b"], "tags must hold O or a B-x"),
    ],
)
def test_refuses_tags(tags, message):
    with pytest.raises(ValueError, match=message):
        LinearChainCRF(tags)


def test_refuses_logits_of_another_size():
    with pytest.raises(ValueError, match="one score for each of 2 tags"):
        LinearChainCRF(["O", "B-a"])(tf.zeros((1, 2, 3)), lengths=tf.constant([2]))
