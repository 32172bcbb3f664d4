"""Greedy search against a loop, and against a beam of one."""

import functools

import numpy as np
import pytest
import tensorflow as tf
from histories import END, Histories, first_states, step_function
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers.searching import Step, beam_search, greedy_search

START = 2


@functools.cache
def decoder(classes, width):
    """Traced once for all models and free batches; `width` 0 is the greedy search."""
    free = [tf.TensorSpec([None, classes]), tf.TensorSpec([None, 4]), *[tf.TensorSpec([None], tf.int32)] * 2]

    @tf.function(input_signature=free, autograph=False)
    def decode(log_probs, attention, rows, limits):
        step = step_function(log_probs, attention, tf.ones_like(rows))
        arguments = (step, first_states(rows), tf.fill(tf.shape(rows), START), END, limits)
        return beam_search(*arguments, beam_width=width) if width else greedy_search(*arguments)

    return decode


def search(model, limits, width=0, rows=None):
    rows = tf.range(len(limits)) if rows is None else rows
    return decoder(model.log_probs.shape[1], width)(
        model.log_probs, model.attention, rows, tf.constant(limits, tf.int32)
    )


def one_by_one(model, row, limit):
    """Symbols, score and whether truncated."""
    text, total = (), 0.0
    while True:
        log_probs = model.next(row, START, text)
        best = int(np.argmax(log_probs))
        if best == END and log_probs[best] > -np.inf:
            return text, total + log_probs[best], False
        if len(text) == limit:
            return text, total, True
        if log_probs[best] == -np.inf:
            return (), -np.inf, False
        text, total = text + (best,), total + log_probs[best]


limits_of_rows = st.lists(st.integers(0, 9), min_size=1, max_size=4)
seeds = st.integers(0, 10_000)
models = st.builds(
    Histories,
    classes=st.sampled_from([2, 5, 9]),
    seed=seeds,
    grain=st.sampled_from([0.0, 1.0]),
    forbidden=st.sampled_from([0.0, 0.3, 0.7]),
)


@settings(max_examples=40, deadline=None)
@given(models, limits_of_rows)
def test_equals_a_loop(model, limits):
    found = search(model, limits)
    assert found.symbols.shape == (len(limits), 1, np.max(found.lengths))
    for row, limit in enumerate(limits):
        text, score, truncated = one_by_one(model, row, limit)
        length = int(found.lengths[row, 0])
        assert tuple(found.symbols[row, 0, :length].numpy().tolist()) == text
        assert not np.any(found.symbols[row, 0, length:])
        assert bool(found.truncated[row, 0]) == truncated
        np.testing.assert_allclose(found.scores[row, 0], score, rtol=1e-5, atol=1e-5)


@settings(max_examples=60, deadline=None)
@given(models, limits_of_rows)
def test_a_beam_of_one_is_the_same_to_the_last_digit(model, limits):
    for greedy, beam in zip(search(model, limits), search(model, limits, width=1), strict=True):
        np.testing.assert_array_equal(greedy, beam)


def test_a_beam_of_one_is_the_same_where_totals_round():
    """Long sequences: what is added is so small that different log probabilities give the same total."""
    model = Histories(50, 0)
    model.log_probs = (model.log_probs * 1e-6 - 3.0).astype("float32")
    limits = [60] * 40
    found = search(model, limits)
    for greedy, beam in zip(found, search(model, limits, width=1), strict=True):
        np.testing.assert_array_equal(greedy, beam)
    assert np.unique(found.lengths).size > 5


def test_a_row_alone_is_a_row_of_a_batch():
    model, limits, rows = Histories(6, 4), [7, 0, 2, 30], [5, 900, 14, 15]
    together = search(model, limits, rows=tf.constant(rows))
    for row, (limit, code) in enumerate(zip(limits, rows, strict=True)):
        alone = search(model, [limit], rows=tf.constant([code]))
        length = int(together.lengths[row, 0])
        np.testing.assert_array_equal(alone.symbols[0], together.symbols[row, :, :length])
        for name in ("lengths", "scores", "truncated"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[row])


def test_the_loop_ends_with_the_last_row():
    model, steps = Histories(5, 3, ends=2.0), []
    step = step_function(model.log_probs, model.attention, tf.ones([6], tf.int32))

    def counted(symbols, states):
        steps.append(symbols)
        return step(symbols, states)

    found = greedy_search(counted, first_states(tf.range(6)), tf.fill([6], START), END, tf.fill([6], 100_000))
    assert not np.any(found.truncated)
    assert len(steps) == np.max(found.lengths) + 1


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_rows_that_are_no_numbers_leave_the_others_alone(value):
    model, spoilt = Histories(6, 5), Histories(6, 5)
    spoilt.log_probs[model.code(7, START, ())] = value
    found, expected = search(spoilt, [5, 5, 5], rows=[1, 7, 2]), search(model, [5, 5], rows=[1, 2])
    np.testing.assert_array_equal(found.scores[:, 0], [expected.scores[0, 0], -np.inf, expected.scores[1, 0]])
    assert int(found.lengths[1, 0]) == 0
    assert not bool(found.truncated[1, 0])


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_nothing_ends_where_nothing_is_possible(value):
    """The end is the class that `argmax` gives where all are alike."""

    def step(symbols, states):
        return Step(tf.fill([2, 3], value), states)

    arguments = (step, (), tf.constant([1, 1]), 0, tf.constant([0, 2]))
    for found in (greedy_search(*arguments), beam_search(*arguments, beam_width=1)):
        assert found.truncated.numpy().tolist() == [[True], [False]]
        assert found.scores.numpy().tolist() == [[0.0], [-np.inf]]


def test_exports_and_answers_a_batch_of_no_rows(tmp_path):
    class Decoder(tf.Module):
        def __init__(self):
            super().__init__()
            model = Histories(6, 1)
            self.log_probs, self.attention = tf.Variable(model.log_probs), tf.constant(model.attention)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name=name) for name in ("rows", "limits")])
        def decode(self, rows, limits):
            step = step_function(self.log_probs, self.attention, tf.ones_like(rows))
            return greedy_search(step, first_states(rows), tf.fill(tf.shape(rows), START), END, limits)._asdict()

    decoder = Decoder()
    tf.saved_model.save(decoder, str(tmp_path), signatures=decoder.decode)
    answer = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    for rows in (0, 1, 3):
        arguments = {"rows": tf.range(rows), "limits": tf.range(rows) * 4}
        expected, found = decoder.decode(**arguments), answer(**arguments)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)
    assert answer(rows=tf.range(0), limits=tf.range(0))["symbols"].shape == (0, 1, 0)


def test_refuses():
    step = lambda symbols, states: Step(tf.zeros([1, 3]), states)  # noqa: E731
    with pytest.raises(ValueError, match="end_id must be one of the 3 classes of log_probs, got end_id=-1"):
        greedy_search(step, (), tf.constant([0]), -1, tf.constant([2]))
