"""The decoder against its equations, step by step in NumPy, and its steps against its whole call."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from recurrences import sigmoid

from seqloom.layers import Decoder

RNG = np.random.default_rng(0)
INPUTS = RNG.normal(size=(3, 5, 4))
CONTEXT = RNG.normal(size=(3, 2))
MEMORY = RNG.normal(size=(3, 6, 3))
LENGTHS = np.array([5, 2, 4], "int32")
MEMORY_LENGTHS = np.array([6, 4, 1], "int32")
ALL = {
    "inputs": INPUTS,
    "context": CONTEXT,
    "lengths": LENGTHS,
    "memory": MEMORY,
    "memory_lengths": MEMORY_LENGTHS,
}
KINDS = {
    "additive_fed": {"attention": "additive"},
    "multiplicative_fed": {"attention": "multiplicative"},
    "additive": {"attention": "additive", "input_feeding": False},
    "multiplicative": {"attention": "multiplicative", "input_feeding": False},
    "initial_state": {"access": "initial_state"},
    "input": {"access": "input"},
    "both": {"access": "both"},
}


@pytest.fixture(params=itertools.product(["simple", "lstm", "gru"], KINDS), ids="-".join)
def settings(request):
    """Every cell with every way to the source."""
    cell, kind = request.param
    return {"cell": cell, **KINDS[kind]}


def made(scale=0.5, **settings):
    """A decoder with random weights, of two layers with residual connections unless told otherwise."""
    settings = {"units": 3, "num_layers": 2, "connections": "residual", "dtype": "float64", **settings}
    decoder = Decoder(**settings)
    decoder.build(INPUTS.shape, CONTEXT.shape, MEMORY.shape)
    rng = np.random.default_rng(1)
    for weight in decoder.weights:
        if weight.trainable:
            weight.assign(rng.normal(scale=scale, size=weight.shape))
    return decoder


def by_steps(decoder, steps=5):
    """Outputs `(batch, time, units)` and weights `(batch, time, source)` or `None`, one step after the other."""
    state, source = decoder.start(CONTEXT, MEMORY, MEMORY_LENGTHS)
    outputs, weights = [], []
    for time in range(steps):
        output, state, looked = decoder.step(INPUTS[:, time], state, source)
        outputs.append(output)
        weights.append(looked)
    return tf.stack(outputs, 1), None if weights[0] is None else tf.stack(weights, 1)


class Row:
    """The equations of a decoder of one row, in the symbols of the docstrings."""

    def __init__(self, decoder, context, memory):
        self.decoder, self.context, self.memory = decoder, context, memory
        sizes = [len(layer.state_sizes) for layer in decoder.layers]
        if decoder.access == "input":
            flat = iter(np.zeros((sum(sizes), decoder.units)))
        else:
            flat = iter([np.tanh(context @ W + b) for W, b in map(weights_of, decoder.conditioning.projections)])
        self.states = [[next(flat) for _ in range(size)] for size in sizes]
        self.fed = np.zeros(decoder.units)

    def step(self, x):
        decoder = self.decoder
        if decoder.access in ("input", "both"):
            x = np.concatenate([x, self.context])
        if decoder.access == "attention" and decoder.input_feeding:
            x = np.concatenate([x, self.fed])
        for i, layer in enumerate(decoder.layers):
            self.states[i] = STEPS[decoder.cell](x, *self.states[i], *weights_of(layer))
            h = self.states[i][0]
            x = x + h if i and decoder.connections == "residual" else h
        if decoder.access != "attention":
            return x, None
        a = self.weights(x)
        V, b = weights_of(decoder.combination)
        self.fed = np.tanh(np.concatenate([x, a @ self.memory]) @ V + b)
        return self.fed, a

    def weights(self, q):
        W, U, *rest = weights_of(self.decoder.attending)
        if rest:
            b, v = rest
            e = np.exp(np.tanh(q @ W + self.memory @ U + b) @ v[:, 0])
        else:
            e = np.exp(self.memory @ U @ (q @ W) / np.sqrt(self.decoder.attending.units))
        return e / e.sum()


def weights_of(layer):
    return layer.get_weights()


def simple_step(x, h, W, U, b):
    return [np.tanh(x @ W + h @ U + b)]


def lstm_step(x, h, c, W, U, b):
    i, f, g, o = np.split(x @ W + h @ U + b, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(x, h, W, U, b):
    (xz, xr, xg), (hz, hr, hg) = np.split(x @ W + b[0], 3), np.split(h @ U + b[1], 3)
    z = sigmoid(xz + hz)
    return [z * h + (1 - z) * np.tanh(xg + sigmoid(xr + hr) * hg)]


STEPS = {"simple": simple_step, "lstm": lstm_step, "gru": gru_step}


def test_a_whole_call_equals_the_equations(settings):
    decoder = made(**settings)
    outputs, weights = decoder.decode(**ALL)
    for i, (length, source) in enumerate(zip(LENGTHS, MEMORY_LENGTHS, strict=True)):
        row = Row(decoder, CONTEXT[i], MEMORY[i, :source])
        for time in range(length):
            expected, looked = row.step(INPUTS[i, time])
            np.testing.assert_allclose(outputs[i, time], expected, atol=1e-12)
            if looked is not None:
                np.testing.assert_allclose(weights[i, time, :source], looked, atol=1e-12)
                np.testing.assert_array_equal(weights[i, time, source:], 0)
        np.testing.assert_array_equal(outputs[i, length:], 0)
        if weights is not None:
            np.testing.assert_array_equal(weights[i, length:], 0)
    assert (weights is None) == (decoder.access != "attention")


def test_one_step_after_the_other_gives_the_whole_call(settings):
    decoder = made(**settings)
    whole = decoder.decode(**{**ALL, "lengths": np.full(3, 5)})
    for actual, expected in zip(by_steps(decoder), whole, strict=True):
        if expected is not None:
            np.testing.assert_allclose(actual, expected, atol=1e-12)
    np.testing.assert_allclose(decoder(**{**ALL, "lengths": np.full(3, 5)}), whole[0], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_padding_of_inputs_and_memory_reaches_nothing(kind):
    decoder = made(**KINDS[kind])
    inputs = np.where((np.arange(5) < LENGTHS[:, None])[..., None], INPUTS, np.nan)
    memory = np.where((np.arange(6) < MEMORY_LENGTHS[:, None])[..., None], MEMORY, np.nan)
    np.testing.assert_array_equal(decoder(**{**ALL, "inputs": inputs, "memory": memory}), decoder(**ALL))
    longer = np.pad(inputs, ((0, 0), (0, 2), (0, 0)), constant_values=np.nan)
    outputs = decoder(**{**ALL, "inputs": longer})
    assert outputs.shape == (3, 7, 3)
    np.testing.assert_array_equal(outputs[:, :5], decoder(**ALL))
    np.testing.assert_array_equal(outputs[:, 5:], 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_sees_no_other(kind):
    decoder = made(**KINDS[kind])
    expected = decoder(**ALL)
    for row in range(3):
        alone = decoder(**{name: each[row : row + 1] for name, each in ALL.items()})
        np.testing.assert_allclose(alone, expected[row : row + 1], atol=1e-12)


@pytest.mark.parametrize("feeding", [True, False])
def test_what_was_looked_at_reaches_the_next_step_by_input_feeding_alone(feeding):
    decoder = made(input_feeding=feeding)
    state, source = decoder.start(CONTEXT, MEMORY, MEMORY_LENGTHS)
    _, other = decoder.start(CONTEXT, -MEMORY, MEMORY_LENGTHS)
    seen, after, _ = decoder.step(INPUTS[:, 0], state, source)
    seen_elsewhere, after_elsewhere, _ = decoder.step(INPUTS[:, 0], state, other)
    assert np.all(np.abs(seen - seen_elsewhere).max(axis=-1) > 1e-3)
    if feeding:
        assert after.fed is seen
    else:
        assert after.fed == ()
    one, another = (decoder.step(INPUTS[:, 1], each, source)[0].numpy() for each in (after, after_elsewhere))
    if feeding:
        assert np.all(np.abs(one - another).max(axis=-1) > 1e-4)
    else:
        np.testing.assert_array_equal(one, another)


def test_a_mode_of_conditioning_does_not_look_at_the_memory():
    decoder = made(access="both")
    expected = decoder(**ALL)
    np.testing.assert_array_equal(decoder(INPUTS, context=CONTEXT, lengths=LENGTHS), expected)
    state, source = decoder.start(CONTEXT)
    assert source.memory == state.fed == ()


@pytest.mark.parametrize("settings", [{}, {"input_feeding": False}, {"cell": "lstm", "access": "both"}])
def test_dropout_is_on_in_training_only_and_the_same_for_the_same_seed(settings):
    plain = made(**settings)(**ALL).numpy()
    decoders = [made(dropout=0.5, seed=seed, **settings) for seed in (1, 1, 2)]
    for decoder in decoders:
        np.testing.assert_array_equal(decoder(**ALL), plain)
        np.testing.assert_array_equal(decoder(**ALL, training=False), plain)
    first, same, other = (decoder(**ALL, training=True).numpy() for decoder in decoders)
    np.testing.assert_array_equal(same, first)
    assert np.all(np.abs(first - plain).max(axis=-1)[plain.any(axis=-1)] > 1e-4)
    assert np.any(other != first)
    assert np.any(decoders[0](**ALL, training=True) != first), "the next batch drops others"
    np.testing.assert_allclose(made(**settings)(**ALL, training=True), plain, atol=1e-12)


@pytest.mark.parametrize("settings", [{}, {"input_feeding": False}, {"access": "input"}])
def test_dropout_leaves_the_expectation_as_it_is(settings):
    """With weights so small that everything is nearly linear, the mean over many rows is the output without it."""
    decoder = made(scale=0.01, cell="simple", dropout=0.3, seed=1, **settings)
    names = ("context", "memory", "memory_lengths")
    rows = {name: np.repeat(ALL[name][:1], 4000, axis=0) for name in names}
    rows |= {"inputs": np.repeat(INPUTS[:1, :2], 4000, axis=0), "lengths": np.full(4000, 2)}
    expected = decoder(**{name: each[:1] for name, each in rows.items()})[0].numpy()
    outputs = decoder(**rows, training=True).numpy()
    error = outputs.std(axis=0) / np.sqrt(4000)
    assert np.all(error > 0)
    assert np.all(np.abs(outputs.mean(axis=0) - expected) < 5 * error)


@pytest.mark.parametrize(
    ("feeding", "place", "since"),
    [(True, "inputs", 0), (True, "fed", 1), (True, "second", 0), (False, "inputs", 0), (False, "second", 0)],
)
def test_dropout_is_on_what_each_kernel_sees(feeding, place, since):
    """Where the other kernels are zero, what training changes was dropped in this place."""
    decoder = made(dropout=0.5, seed=1, input_feeding=feeding)
    first, second = (layer.kernel.numpy() for layer in decoder.layers)
    for name, part in (("inputs", first[:4]), ("fed", first[4:]), ("second", second)):
        part *= name == place
    for layer, kernel in zip(decoder.layers, (first, second), strict=True):
        layer.kernel.assign(kernel)
    arguments = {**ALL, "lengths": np.full(3, 5)}
    changed = np.abs(decoder(**arguments, training=True) - decoder(**arguments)).max(axis=(0, 2))
    np.testing.assert_allclose(changed[:since], 0, atol=1e-12)
    assert np.all(changed[since:] > 1e-4)


@pytest.mark.parametrize("kind", ["additive_fed", "multiplicative", "both"])
def test_a_saved_loop_of_steps_answers_as_the_whole_call(kind, tmp_path):
    decoder = made(dtype="float32", **KINDS[kind])

    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, 4)),
            tf.TensorSpec((None, 2)),
            tf.TensorSpec((None, None, 3)),
            tf.TensorSpec((None,), tf.int32),
        ]
    )
    def serve(inputs, context, memory, memory_lengths):
        state, source = decoder.start(context, memory, memory_lengths)
        outputs = tf.TensorArray("float32", tf.shape(inputs)[1], element_shape=(None, 3))

        def step(time, state, outputs):
            output, state, looked = decoder.step(inputs[:, time], state, source)
            assert output.shape.as_list() == [None, 3]
            assert looked is None or looked.shape.as_list() == [None, None]
            return time + 1, state, outputs.write(time, output)

        *_, outputs = tf.while_loop(lambda time, *_: time < tf.shape(inputs)[1], step, (0, state, outputs))
        return tf.transpose(outputs.stack(), [1, 0, 2])

    module = tf.Module()
    module.decoder, module.serve = decoder, serve
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    arguments = [tf.constant(each, "float32") for each in (INPUTS, CONTEXT, MEMORY)]
    expected = decoder(**{**ALL, "lengths": np.full(3, 5)})
    np.testing.assert_allclose(loaded.serve(*arguments, MEMORY_LENGTHS), expected, atol=1e-5)
    nobody = loaded.serve(*(each[:0] for each in arguments), MEMORY_LENGTHS[:0])
    assert nobody.shape == (0, 5, 3)


def test_half_precision_outside_of_a_call(settings):
    """Whatever the dtype of what it is given."""
    expected, expected_weights = made(**settings).decode(**ALL)
    decoder = made(dtype="mixed_bfloat16", **settings)
    state, source = decoder.start(CONTEXT, MEMORY, MEMORY_LENGTHS)
    assert {each.dtype for each in tf.nest.flatten((state, source.context))} == {tf.bfloat16}
    outputs, weights = decoder.decode(**ALL)
    stepwise, stepwise_weights = by_steps(decoder, steps=2)
    assert outputs.dtype == stepwise.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(outputs, "float64"), expected, atol=0.1)
    np.testing.assert_allclose(tf.cast(stepwise, "float64"), expected[:, :2], atol=0.1)
    np.testing.assert_array_equal(tf.cast(decoder(**ALL), "float32"), tf.cast(outputs, "float32"))
    if expected_weights is not None:
        assert weights.dtype == stepwise_weights.dtype == "float32"
        np.testing.assert_allclose(weights, expected_weights, atol=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_of_no_rows(kind):
    decoder = made(**KINDS[kind])
    nothing = {name: each[:0] for name, each in ALL.items()}
    outputs, weights = decoder.decode(**nothing)
    assert outputs.shape == decoder(**nothing, training=True).shape == (0, 5, 3)
    assert weights is None or weights.shape == (0, 5, 6)
    state, source = decoder.start(CONTEXT[:0], MEMORY[:0], MEMORY_LENGTHS[:0])
    output, after, _ = decoder.step(INPUTS[:0, 0], state, source)
    assert output.shape == (0, 3)
    tf.nest.assert_same_structure(after, state)


@pytest.mark.parametrize("kind", ["additive_fed", "additive", "both"])
def test_sizes_that_nobody_knows_are_left_open(kind):
    decoder = made(dtype="float32", **KINDS[kind])

    arguments = [tf.constant(each, "float32" if each.dtype == "float64" else "int32") for each in ALL.values()]
    free = [
        [None] * (len(each.shape) - 1) + ([None] if each.dtype == "int32" else each.shape[-1:]) for each in arguments
    ]

    @tf.function(
        input_signature=[tf.TensorSpec(shape, each.dtype) for shape, each in zip(free, arguments, strict=True)]
    )
    def decode(*arguments):
        outputs, weights = decoder.decode(*arguments)
        assert outputs.shape.as_list() == [None, None, 3]
        assert weights is None or weights.shape.as_list() == [None, None, None]
        return outputs

    np.testing.assert_allclose(decode(*arguments), decoder(**ALL), atol=1e-6)


def test_the_penalty_is_on_every_matrix_but_those_of_the_states():
    decoder = made(kernel_regularizer=keras.regularizers.L1(0.1), dtype="float32")
    matrices = [weight for weight in decoder.weights if weight.name in ("kernel", "query_kernel", "memory_kernel")]
    assert len(matrices) == 2 + 2 + 2 + 1  # initial states, recurrent layers, attention, combination
    expected = sum(0.1 * np.abs(weight.numpy()).sum() for weight in matrices)
    np.testing.assert_allclose(sum(decoder.losses), expected, rtol=1e-5)


def test_forget_bias_reaches_every_lstm():
    decoder = Decoder(2, "lstm", num_layers=2, forget_bias=2.5)
    decoder.build(INPUTS.shape, CONTEXT.shape, MEMORY.shape)
    for layer in decoder.layers:
        np.testing.assert_array_equal(layer.bias, [0, 0, 2.5, 2.5, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "leaky"}, "cell must be one of simple, lstm, gru, got cell='leaky'"),
        ({"connections": "dense"}, "connections must be one of none, residual, got connections='dense'"),
        ({"access": "all"}, "access must be one of attention, initial_state, input, both, got access='all'"),
        ({"attention": "dot"}, "attention must be one of additive, multiplicative, got attention='dot'"),
        (
            {"access": "both", "attention": "dot"},
            "attention must be one of additive, multiplicative, got attention='dot'",
        ),
        ({"units": 0}, "units must be a positive integer, got units=0"),
        ({"num_layers": 0}, "num_layers must be a positive integer, got num_layers=0"),
        ({"dropout": 1}, r"dropout must lie in \[0, 1\), got dropout=1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        Decoder(**{"units": 3, **arguments})


def test_attention_needs_a_memory():
    message = "must be given where access='attention', got"
    with pytest.raises(ValueError, match=f"memory {message} memory=None"):
        Decoder(3)(INPUTS, context=CONTEXT, lengths=LENGTHS)
    decoder = made()
    with pytest.raises(ValueError, match=f"memory {message} memory=None"):
        decoder(INPUTS, context=CONTEXT, lengths=LENGTHS)
    with pytest.raises(ValueError, match=f"memory_lengths {message} memory_lengths=None"):
        decoder.start(CONTEXT, MEMORY)


def test_refuses_to_start_before_it_is_built_and_lengths_that_cannot_be():
    with pytest.raises(ValueError, match="a decoder must be built before it can start: call it once, or build it"):
        Decoder(3).start(CONTEXT, MEMORY, MEMORY_LENGTHS)
    for name, steps in (("lengths", 5), ("memory_lengths", 6)):
        with pytest.raises(ValueError, match=f"must lie between 1 and the {steps} steps .*, got 0 in row 1"):
            made()(**{**ALL, name: np.array([5, 0, 4], "int32")})
