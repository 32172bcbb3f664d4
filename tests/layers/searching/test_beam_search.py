"""Beam search against all sequences, and against a search with dictionaries."""

import functools
import itertools

import numpy as np
import pytest
import tensorflow as tf
from histories import (
    END,
    Histories,
    all_sequences,
    beam_search_one_by_one,
    first_states,
    length_penalty_of,
    step_function,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers.searching import Step, beam_search, repeat_rows

PENALTIES = [(0.0, 0.0), (0.6, 0.0), (1.0, 0.3), (2.0, 0.0), (0.0, 0.3), (2.0, 0.3)]
EVERYTHING = 108  # sequences of three of three symbols, times four classes
START = 2


@functools.cache
def decoder(classes, width, n_best, padding=0):
    """Traced once for all models, free batches and penalties."""

    @tf.function(
        autograph=False,
        input_signature=[
            tf.TensorSpec([None, classes]),
            tf.TensorSpec([None, 4]),
            *[tf.TensorSpec([None], tf.int32)] * 4,
            tf.TensorSpec([]),
            tf.TensorSpec([]),
        ],
    )
    def decode(log_probs, attention, rows, start, limits, sources, length_penalty, coverage_penalty):
        step = step_function(log_probs, attention, sources, width, padding)
        states = first_states(rows)
        return beam_search(step, states, start, END, limits, width, n_best, length_penalty, coverage_penalty)

    return decode


def search(model, limits, width, n_best=None, penalties=(0.0, 0.0), sources=None, rows=None, padding=0):
    """What is found: for each row a list of `(symbols, score, truncated)`, without the places that are empty."""
    rows = list(range(len(limits))) if rows is None else rows
    sources = [4] * len(limits) if sources is None else sources
    numbers = (rows, [START] * len(rows), limits, sources)
    decode = decoder(model.log_probs.shape[1], width, n_best or width, padding)
    found = decode(model.log_probs, model.attention, *(tf.constant(each, tf.int32) for each in numbers), *penalties)
    return sequences(found)


def sequences(found):
    """The same of a `Found`, which is checked."""
    symbols, lengths, scores, truncated = (values.numpy() for values in found)
    assert symbols.shape == (*lengths.shape, np.max(lengths, initial=0))
    assert lengths.shape == scores.shape == truncated.shape
    assert (symbols.dtype, lengths.dtype, scores.dtype, truncated.dtype) == ("int32", "int32", "float32", "bool")
    assert not np.isnan(scores).any()
    assert np.all(symbols[np.arange(symbols.shape[2]) >= lengths[..., None]] == 0)
    nothing = scores == -np.inf
    assert not lengths[nothing].any()
    assert not truncated[nothing].any()
    rows = []
    for row in range(len(symbols)):
        places = range(int(np.sum(~nothing[row])))
        assert not nothing[row, : len(places)].any()
        texts = [tuple(symbols[row, place, : lengths[row, place]].tolist()) for place in places]
        assert len(set(texts)) == len(texts)
        assert not any(END in text for text in texts)
        order = list(zip(truncated[row, places].tolist(), (-scores[row, places]).tolist(), strict=True))
        assert order == sorted(order)
        rows.append(list(zip(texts, scores[row, places].tolist(), truncated[row, places].tolist(), strict=True)))
    return rows


def assert_same(found, expected):
    """Equal scores, and the sequences of the expected ones; those that are as good may change places."""
    assert [truncated for *_, truncated in found] == [truncated for *_, truncated in expected]
    np.testing.assert_allclose([each[1] for each in found], [each[1] for each in expected], rtol=1e-5, atol=1e-5)
    for text, score, truncated in found:
        close = {other for other, value, cut in expected if abs(value - score) < 1e-4 and cut == truncated}
        assert text in close or abs(score - expected[-1][1]) < 1e-4  # the last one may be as good as one behind it


limits_of_rows = st.lists(st.integers(0, 3), min_size=1, max_size=3)
seeds = st.integers(0, 10_000)


@settings(max_examples=30, deadline=None)
@given(limits_of_rows, seeds, st.sampled_from(PENALTIES), st.sampled_from([0.0, 0.3, 0.8]), st.integers(1, 4))
def test_a_beam_as_wide_as_the_space_is_exhaustive(limits, seed, penalties, forbidden, source):
    model = Histories(4, seed, forbidden=forbidden)
    found = search(model, limits, EVERYTHING, penalties=penalties, sources=[source] * len(limits))
    for row, limit in enumerate(limits):
        expected = all_sequences(model, row, START, limit, source, *penalties)
        assert len(found[row]) == len(expected)
        assert_same(found[row], expected)


@settings(max_examples=30, deadline=None)
@given(limits_of_rows, seeds, st.sampled_from(PENALTIES), st.sampled_from([1, 2, 5, 12]), st.booleans())
def test_no_width_is_above_the_best_of_all(limits, seed, penalties, width, forbids):
    model = Histories(4, seed, forbidden=0.3 * forbids)
    for row, beams in enumerate(search(model, limits, width, penalties=penalties)):
        everything = all_sequences(model, row, START, limits[row], 4, *penalties)
        scores = {text: score for text, score, truncated in everything if not truncated}
        for text, score, truncated in beams:
            assert truncated or score == pytest.approx(scores[text], rel=1e-5, abs=1e-5)
            assert truncated or score <= max(scores.values()) + 1e-5


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=3),
    seeds,
    st.sampled_from([1, 2, 3, 5, 8]),
    st.sampled_from([*PENALTIES, (-0.5, 0.0)]),
    st.sampled_from([(0.0, 0.0), (0.0, 2.0), (0.3, 0.0), (0.7, 0.0)]),
    st.booleans(),
)
def test_equals_a_search_one_by_one_without_an_early_end(limits, seed, width, penalties, kind, only_best):
    forbidden, ends = kind
    model = Histories(6, seed, forbidden=forbidden, ends=ends)
    n_best = 1 if only_best else width
    found = search(model, limits, width, n_best, penalties)
    for row, limit in enumerate(limits):
        expected, _ = beam_search_one_by_one(model, row, START, limit, 4, width, n_best, *penalties)
        assert_same(found[row], expected)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=3), seeds, st.sampled_from([1, 2, 3, 5, 8]), st.booleans())
def test_of_equal_hypotheses_the_lowest_beam_then_the_lowest_class_wins(limits, seed, width, forbids):
    model = Histories(6, seed, grain=1.0, forbidden=0.3 * forbids)
    found = search(model, limits, width)
    for row, limit in enumerate(limits):
        assert found[row] == beam_search_one_by_one(model, row, START, limit, 4, width, width, 0.0, 0.0)[0]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 12), min_size=1, max_size=3),
    seeds,
    st.sampled_from([(1, 1), (3, 1), (3, 3), (5, 2)]),
    st.sampled_from([0.0, 1.0, -0.5]),
    st.sampled_from([0.0, 0.6]),
)
def test_the_loop_ends_when_nothing_can_change_any_more(limits, seed, widths, penalty, forbidden):
    """Outside a graph the loop calls the step as often as it runs."""
    grain = 0.0 if penalty else 1.0  # without a penalty ties are exact, and a tie beats nothing
    model, steps = Histories(4, seed, grain, forbidden, ends=1.0), []
    rows, sources = tf.range(len(limits)), tf.fill([len(limits)], 4)
    step = step_function(model.log_probs, model.attention, sources, widths[0])

    def counted(symbols, states):
        steps.append(symbols)
        return step(symbols, states)

    beam_search(counted, first_states(rows), tf.fill([len(limits)], START), END, tf.constant(limits), *widths, penalty)
    expected = [
        beam_search_one_by_one(model, row, START, limit, 4, *widths, penalty, 0.0)[1]
        for row, limit in enumerate(limits)
    ]
    assert len(steps) == max(expected)


def test_limits_far_away_cost_nothing():
    model = Histories(5, 3, ends=3.0)
    near, far = (search(model, [limit] * 6, 4, n_best=1) for limit in (60, 100_000))
    assert near == far


@pytest.mark.parametrize("length_penalty", [0.0, 0.6])
def test_wider_beams_find_better_sequences_on_the_whole(length_penalty):
    models = [Histories(8, seed, ends=1.0) for seed in range(4)]
    scores, truncated = [], []
    for width in (1, 2, 3, 5, 8):
        found = [search(model, [30] * 150, width, n_best=1, penalties=(length_penalty, 0.0)) for model in models]
        best = [beams[0] for rows in found for beams in rows]
        scores.append([score for _, score, _ in best])
        truncated.append([cut for *_, cut in best])
    assert np.all(np.diff(np.mean(truncated, axis=1)) <= 0)  # a narrow search can go round in circles
    ended = ~np.any(truncated, axis=0)
    assert np.mean(ended) > 0.9
    means = np.mean(np.array(scores)[:, ended], axis=1)
    assert np.all(np.diff(means) >= 0)
    assert means[3] > means[0] + 0.05


@pytest.mark.parametrize("penalties", [(0.0, 0.0), (1.0, 0.3)])
def test_a_row_alone_is_a_row_of_a_batch_and_padding_of_the_source_is_invisible(penalties):
    model = Histories(7, 11, ends=0.5)
    limits, sources, rows = [20, 0, 3, 9, 1, 14], [4, 2, 1, 3, 4, 2], [5, 3, 900, 14, 15, 92]
    together = search(model, limits, 4, penalties=penalties, sources=sources, rows=rows)
    assert {truncated for beams in together for *_, truncated in beams} == {False, True}
    for row, alone in enumerate(zip(limits, sources, rows, strict=True)):
        (limit,), (source,), (code,) = ([value] for value in alone)
        for padding in (0, 3):
            found = search(model, [limit], 4, None, penalties, [source], [code], padding)[0]
            assert_same(found, together[row])
    backwards = search(model, limits[::-1], 4, None, penalties, sources[::-1], rows[::-1])
    for found, expected in zip(backwards, together[::-1], strict=True):
        assert_same(found, expected)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from(PENALTIES), st.integers(1, 5))
def test_fewer_are_the_first_of_more(seed, penalties, n_best):
    model = Histories(6, seed)
    everything = search(model, [8, 2, 0], 5, penalties=penalties)
    assert search(model, [8, 2, 0], 5, n_best, penalties) == [beams[:n_best] for beams in everything]


def constant_step(rows):
    """A step whose log probabilities are those of `rows[last symbol]`, of all symbols alike if there is one row."""
    table = tf.math.log(tf.constant(rows, tf.float32))
    return lambda symbols, states: Step(tf.gather(table, tf.minimum(symbols, len(rows) - 1)), states)


def found_by(step, limits, width, **settings):
    return sequences(beam_search(step, (), tf.zeros_like(limits), END, tf.constant(limits), width, **settings))


def test_what_does_not_end_within_the_limit_is_truncated_and_stands_last():
    step = constant_step([[0.5, 0.1, 0.4]])
    (never,) = found_by(constant_step([[0.5, 0.0, 0.5]]), [3], 2)
    assert [truncated for *_, truncated in never] == [True, True]
    assert never[0][1] == pytest.approx(np.log(0.125))
    (at_once,) = found_by(step, [0], 2)  # the end is not among the two likeliest
    assert at_once == [((), 0.0, True)]
    (at_once,) = found_by(step, [0], 3)
    assert at_once == [((), pytest.approx(np.log(0.1)), False)]
    (both,) = found_by(step, [1], 4)  # of the two live ones the better one ends: 0.25, 0.2, 0.2, 0.16, 0.05, 0.04
    assert both == [
        ((), pytest.approx(np.log(0.1)), False),
        ((0,), pytest.approx(np.log(0.5)), True),
        ((2,), pytest.approx(np.log(0.4)), True),
    ]
    (both,) = found_by(step, [1], 5)
    assert [(text, truncated) for text, _, truncated in both] == [((), False), ((0,), False), ((2,), True)]


def test_rows_with_different_limits():
    found = found_by(constant_step([[0.5, 0.2, 0.3]]), [0, 2, 1, 5, -1], 1)
    assert [beams[0][0] for beams in found] == [(), (0, 0), (0,), (0,) * 5, ()]
    assert all(truncated for ((_, _, truncated),) in found)


def test_dead_ends_are_no_sequences():
    assert found_by(constant_step([[0.0, 0.0, 0.0]]), [0, 3], 2) == [[((), 0.0, True)], []]
    dead_end = constant_step([[0.6, 0.0, 0.4], [0.0, 0.0, 0.0], [0.1, 0.8, 0.1]])

    def step(symbols, states):
        """The first symbols are chosen from the first row of the table."""
        return dead_end(tf.where(states == 0, 0, symbols + 1), states + 1)

    found = beam_search(step, tf.zeros([1], tf.int32), tf.zeros([1], tf.int32), END, tf.constant([4]), 2)
    assert sequences(found)[0][0] == ((2,), pytest.approx(np.log(0.32)), False)


def test_a_position_that_nothing_has_looked_at_costs_much_and_stays_a_number():
    def step(symbols, states):
        attention = tf.one_hot(states, 3)[:, :2] * [1.0, 0.0]
        return Step(tf.math.log(tf.fill([tf.shape(symbols)[0], 3], 0.3)), states + 1, attention)

    states = tf.zeros([2], tf.int32)
    found = beam_search(step, states, states, END, tf.constant([3, 0]), 3, coverage_penalty=0.5)
    assert np.all(np.isfinite(found.scores[:, 0]))
    np.testing.assert_allclose(found.scores[:, 0], np.log(0.3) + 0.5 * np.log(np.finfo("float32").tiny), rtol=1e-5)


@pytest.mark.parametrize(("name", "value"), [("log_probs", np.nan), ("log_probs", -np.inf), ("attention", np.nan)])
def test_rows_that_are_no_numbers_leave_the_others_alone(name, value):
    model, spoilt = Histories(6, 5), Histories(6, 5)
    getattr(spoilt, name)[model.code(7, START, ())] = value
    found = search(spoilt, [5, 5, 5], 3, penalties=(1.0, 0.3), rows=[1, 7, 2])
    assert found[1] == []
    assert [found[0], found[2]] == search(model, [5, 5], 3, penalties=(1.0, 0.3), rows=[1, 2])


def test_scores_of_half_precision_are_summed_in_float32():
    step = constant_step([[0.5, 0.2, 0.3]])

    def half(symbols, states):
        return Step(tf.cast(step(symbols, states).log_probs, tf.float16), states)

    assert_same(found_by(half, [4], 3)[0][:1], [((), np.float16(np.log(0.2)).item(), False)])


def test_the_length_penalty_prefers_longer_sequences():
    step = constant_step([[0.6, 0.3, 0.1]])
    lengths = [len(found_by(step, [12], 8, length_penalty=penalty)[0][0][0]) for penalty in (0.0, 1.0, 3.0)]
    assert lengths == sorted(lengths)
    assert lengths[0] == 0
    assert lengths[-1] == 12
    text, score, _ = found_by(step, [12], 8, length_penalty=3.0)[0][0]
    total = np.log([0.6, 0.3]) @ [12, 1]
    assert (text, score) == ((0,) * 12, pytest.approx(total / length_penalty_of(13, 3.0)))


class Decoder(tf.Module):
    """As a task would export it."""

    def __init__(self):
        super().__init__()
        model = Histories(6, 1)
        self.log_probs, self.attention = tf.Variable(model.log_probs), tf.constant(model.attention)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, name=name) for name in ("rows", "limits", "sources")])
    def decode(self, rows, limits, sources):
        step = step_function(self.log_probs, self.attention, sources, width=4)
        start = tf.fill(tf.shape(rows), START)
        return beam_search(step, first_states(rows), start, END, limits, 4, 3, 0.6, 0.2)._asdict()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    decoder, folder = Decoder(), str(tmp_path_factory.mktemp("decoder"))
    tf.saved_model.save(decoder, folder, signatures=decoder.decode)
    return decoder, tf.saved_model.load(folder).signatures["serving_default"]


def test_exports_without_python_or_compiled_operations(exported):
    decoder, answer = exported
    definition = answer.graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    assert any("While" in node.op for node in nodes)
    assert not {node.op for node in nodes if "PyFunc" in node.op or "Xla" in node.op}
    for rows in (1, 3):
        arguments = {"rows": tf.range(rows), "limits": tf.range(rows) * 4, "sources": tf.range(rows) + 1}
        expected, found = decoder.decode(**arguments), answer(**arguments)
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)


def test_a_batch_of_no_rows(exported):
    none = tf.zeros([0], tf.int32)
    found = exported[1](rows=none, limits=none, sources=none)
    assert found["symbols"].shape == (0, 3, 0)
    assert found["scores"].shape == found["lengths"].shape == found["truncated"].shape == (0, 3)
    assert beam_search(constant_step([[0.5, 0.5]]), (), none, END, none, 2).symbols.shape == (0, 2, 0)


def test_no_sequence_is_searched_twice():
    """All live ones of the first step begin in one beam, the others cannot be."""
    for width, limit in itertools.product((2, 7, 40), (1, 4)):
        found = found_by(constant_step([[0.4, 0.3, 0.3]]), [limit], width)
        assert len(found[0]) == min(width, 2 ** (limit + 1) - 1)


def test_repeats_rows_next_to_each_other():
    repeated = repeat_rows({"a": tf.range(2), "b": (tf.eye(2),)}, 3)
    assert repeated["a"].numpy().tolist() == [0, 0, 0, 1, 1, 1]
    assert repeated["b"][0].shape == (6, 2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beam_width": 0}, "beam_width must be a positive integer, got beam_width=0"),
        ({"n_best": 0}, "n_best must lie between 1 and the beam_width of 2, got n_best=0"),
        ({"n_best": 3}, "n_best must lie between 1 and the beam_width of 2, got n_best=3"),
        ({"coverage_penalty": -0.1}, "coverage_penalty must be at least 0, got coverage_penalty=-0.1"),
        ({"coverage_penalty": 0.1}, "attention must be given by the steps where there is a coverage_penalty, got None"),
        ({"end_id": 3}, "end_id must be one of the 3 classes of log_probs, got end_id=3"),
        ({"step": constant_step([[1.0]])}, "log_probs must have a known number of classes, at least 2"),
    ],
)
def test_refuses(arguments, message):
    given = {"step": constant_step([[0.2, 0.3, 0.5]]), "end_id": END, "beam_width": 2, **arguments}
    with pytest.raises(ValueError, match=message):
        beam_search(states=(), start=tf.constant([0]), limits=tf.constant([2]), **given)
