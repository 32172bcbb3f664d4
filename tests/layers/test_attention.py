"""Attention against its equations, and against the layers of Keras where these are the same."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import Attention

RNG = np.random.default_rng(0)
QUERIES = RNG.normal(size=(3, 4, 5))
MEMORY = RNG.normal(size=(3, 6, 2))
LENGTHS = np.array([6, 1, 4], "int32")
PADDING = np.arange(6) >= LENGTHS[:, None]


@pytest.fixture(params=["additive", "multiplicative"])
def kind(request):
    return request.param


def made(kind, dtype="float64"):
    """The layer with random weights."""
    layer = Attention(7, kind, dtype=dtype)
    layer.build((None, 5), (None, None, 2))
    rng = np.random.default_rng(1)
    for weight in layer.weights:
        weight.assign(rng.normal(size=weight.shape))
    return layer


def looked(layer, queries=QUERIES, memory=MEMORY, lengths=LENGTHS):
    """What `attend` returns, as arrays."""
    return [each.numpy() for each in layer.attend(queries, layer.remember(memory, lengths))]


def score(layer, q, m):
    W, U, *rest = layer.get_weights()
    if layer.kind == "multiplicative":
        return (q @ W) @ (m @ U) / np.sqrt(layer.units)
    b, v = rest
    return v[:, 0] @ np.tanh(q @ W + m @ U + b)


def test_contexts_and_weights_equal_their_equations(kind):
    layer = made(kind)
    contexts, weights = looked(layer)
    assert contexts.shape == (3, 4, 2)
    assert weights.shape == (3, 4, 6)
    for row, length in enumerate(LENGTHS):
        for time in range(4):
            e = np.exp([score(layer, QUERIES[row, time], m) for m in MEMORY[row, :length]])
            a = e / e.sum()
            np.testing.assert_allclose(weights[row, time, :length], a, atol=1e-12)
            np.testing.assert_array_equal(weights[row, time, length:], 0)
            np.testing.assert_allclose(contexts[row, time], a @ MEMORY[row, :length], atol=1e-12)


def test_it_is_the_attention_of_keras_between_projections(kind):
    layer = made(kind, "float32")
    W, U, *rest = layer.get_weights()
    query, key = QUERIES @ W, MEMORY @ U
    if kind == "additive":
        b, v = rest
        theirs = keras.layers.AdditiveAttention()
        theirs.build([query.shape, MEMORY.shape, key.shape])
        theirs.set_weights([v[:, 0]])
        key = key + b
    else:
        theirs, query = keras.layers.Attention(), query / np.sqrt(layer.units)
    arguments = [tf.constant(each, "float32") for each in (query, MEMORY, key)]
    expected = theirs(arguments, mask=[None, tf.constant(~PADDING)], return_attention_scores=True)
    for actual, each in zip(looked(layer), expected, strict=True):
        np.testing.assert_allclose(actual, each, atol=1e-5)
    np.testing.assert_allclose(layer(QUERIES, memory=MEMORY, lengths=LENGTHS), expected[0], atol=1e-5)


def test_one_query_is_a_query_of_the_sequence(kind):
    layer = made(kind)
    contexts, weights = looked(layer)
    for time in range(4):
        context, weight = looked(layer, QUERIES[:, time])
        np.testing.assert_allclose(context, contexts[:, time], atol=1e-12)
        np.testing.assert_allclose(weight, weights[:, time], atol=1e-12)
        one = layer(QUERIES[:, time], memory=MEMORY, lengths=LENGTHS)
        np.testing.assert_allclose(one, contexts[:, time], atol=1e-12)


def test_what_stands_past_the_lengths_reaches_nothing(kind):
    layer, memory = made(kind), tf.constant(np.where(PADDING[..., None], np.nan, MEMORY))
    for actual, expected in zip(looked(layer, memory=memory), looked(layer), strict=True):
        np.testing.assert_array_equal(actual, expected)
    weights = [weight.value for weight in layer.weights]
    with tf.GradientTape() as tape:
        tape.watch(memory)
        loss = tf.reduce_sum(layer(QUERIES, memory=memory, lengths=LENGTHS) ** 2)
    gradient, *gradients = tape.gradient(loss, [memory, *weights])
    np.testing.assert_array_equal(gradient.numpy()[PADDING], 0)
    assert all(np.all(np.isfinite(each)) for each in gradients)


def test_a_row_sees_no_other(kind):
    layer = made(kind)
    expected = looked(layer)
    for row, length in enumerate(LENGTHS):
        alone = looked(layer, QUERIES[row : row + 1], MEMORY[row : row + 1, :length], LENGTHS[row : row + 1])
        np.testing.assert_allclose(alone[0][0], expected[0][row], atol=1e-12)
        np.testing.assert_allclose(alone[1][0], expected[1][row, :, :length], atol=1e-12)


def test_sizes_that_nobody_knows_are_left_open_and_no_rows_give_none(kind):
    layer = made(kind, "float32")

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, 5)),
            tf.TensorSpec((None, None, 2)),
            tf.TensorSpec((None,), tf.int32),
        ]
    )
    def look(queries, memory, lengths):
        contexts, weights = layer.attend(queries, layer.remember(memory, lengths))
        assert contexts.shape.as_list() == [None, None, 2]
        assert weights.shape.as_list() == [None, None, None]
        return contexts, weights

    arguments = [tf.constant(QUERIES, "float32"), tf.constant(MEMORY, "float32"), LENGTHS]
    for actual, expected in zip(look(*arguments), looked(layer), strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    contexts, weights = look(*(each[:0] for each in arguments))
    assert contexts.shape == (0, 4, 2)
    assert weights.shape == (0, 4, 6)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_in_half_precision_weights_stay_float32_outside_of_a_call_too(kind, policy):
    layer = made(kind, policy)
    contexts, weights = layer.attend(QUERIES, layer.remember(MEMORY, LENGTHS))
    assert contexts.dtype == layer.compute_dtype
    assert weights.dtype == "float32"
    np.testing.assert_allclose(tf.reduce_sum(weights, -1), 1, rtol=1e-5)
    expected, _ = looked(made(kind))
    np.testing.assert_allclose(tf.cast(contexts, "float64"), expected, atol=0.3)
    called = layer(QUERIES, memory=MEMORY, lengths=LENGTHS)
    np.testing.assert_array_equal(tf.cast(called, "float32"), tf.cast(contexts, "float32"))


def test_a_product_that_float16_does_not_hold_has_a_softmax():
    layer = Attention(8, "multiplicative", dtype="mixed_float16")
    queries, memory = 300 * np.ones((1, 8)), 300 * np.ones((1, 3, 8)) * [[[1.0], [0.5], [1.0]]]
    layer.build(queries.shape, memory.shape)
    layer.set_weights([np.eye(8), np.eye(8)])
    _, weights = looked(layer, queries, memory, [3])
    np.testing.assert_array_equal(weights, [[0.5, 0, 0.5]])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"units": 0}, "units must be a positive integer, got units=0"),
        ({"units": 2.0}, "units must be a positive integer, got units=2.0"),
        ({"units": 2, "kind": "dot"}, "kind must be one of additive, multiplicative, got kind='dot'"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Attention(**arguments)


def test_refuses_what_it_cannot_look_at(kind):
    with pytest.raises(ValueError, match="an attention must be built before it can remember"):
        Attention(2, kind).remember(MEMORY, LENGTHS)
    layer = made(kind)
    with pytest.raises(ValueError, match=r"queries must be \(batch, query\) or \(batch, time, query\), got shape"):
        layer(QUERIES[None], memory=MEMORY, lengths=LENGTHS)
    for wrong in (0, 7):
        with pytest.raises(
            ValueError, match=f"lengths must lie between 1 and the 6 steps of the memory, got {wrong} in row 1"
        ):
            layer.remember(MEMORY, np.array([6, wrong, 4], "int32"))


def test_the_penalty_is_on_both_matrices():
    layer = Attention(3, kernel_regularizer=keras.regularizers.L1(0.1))
    layer(QUERIES, memory=MEMORY, lengths=LENGTHS)
    W, U, *_ = layer.get_weights()
    np.testing.assert_allclose(sum(layer.losses), 0.1 * (np.abs(W).sum() + np.abs(U).sum()), rtol=1e-5)
