"""Batches: every example once, in an order that only seed and epoch decide, for any number of replicas."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.batching import BatchPlan, TrainingData, training_batches

SIZES = st.lists(st.integers(1, 60), min_size=1, max_size=80).map(np.array)
PLANS = st.builds(
    BatchPlan,
    sizes=SIZES,
    batch_size=st.integers(1, 20),
    growth=st.floats(1.05, 4),
    seed=st.integers(0, 5),
    multiple=st.integers(1, 4),
)
LENGTHS = np.random.default_rng(0).integers(1, 30, 53)


def plan_of(multiple=1, seed=0, batch_size=6):
    return BatchPlan(LENGTHS, batch_size, 1.4, seed, multiple)


def as_lists(batches):
    return [(rows.tolist(), real) for rows, real in batches]


@settings(max_examples=100, deadline=None)
@given(PLANS, st.integers(0, 50))
def test_every_example_comes_exactly_once_in_the_same_number_of_batches(plan, epoch):
    batches = plan.epoch(epoch)
    assert sorted(row for rows, real in batches for row in rows[:real]) == list(range(sum(map(len, plan._members))))
    assert len(batches) == len(plan) == plan.steps
    assert all(real >= 1 for _, real in batches)


@settings(max_examples=100, deadline=None)
@given(SIZES, st.integers(1, 20), st.floats(1.05, 4))
def test_the_token_budget_is_kept(sizes, batch_size, growth):
    budget = batch_size * np.median(sizes)
    for rows, _ in BatchPlan(sizes, batch_size, growth, seed=0).epoch(0):
        assert len(rows) == 1 or len(rows) * np.max(sizes[rows]) <= budget


def test_a_batch_holds_similar_lengths_and_batch_size_rows_at_median_length():
    sizes = np.concatenate([np.full(40, 4), np.full(81, 10), np.full(40, 50)])
    batches = BatchPlan(sizes, batch_size=8, growth=1.5, seed=0).epoch(0)
    rows = {}
    for batch, _ in batches:
        rows.setdefault(tuple(sorted(set(sizes[batch].tolist()))), set()).add(len(batch))
    assert rows == {(4,): {20}, (10,): {8, 1}, (50,): {1}}


def test_one_length_gives_batches_of_the_batch_size():
    assert [len(rows) for rows, _ in BatchPlan(np.full(20, 7), 8, 1.3, seed=0).epoch(3)] == [8, 8, 4]


def test_the_order_is_a_function_of_seed_and_epoch():
    assert as_lists(plan_of().epoch(7)) == as_lists(plan_of().epoch(7))
    assert len({str(as_lists(plan_of().epoch(epoch))) for epoch in range(8)}) == 8
    assert as_lists(plan_of().epoch(7)) != as_lists(plan_of(seed=1).epoch(7))
    drawn = plan_of()
    drawn.epoch(0), drawn.epoch(1)
    assert as_lists(drawn.epoch(7)) == as_lists(plan_of().epoch(7)), "drawing leaves no trace"


def test_examples_of_one_length_change_their_company():
    first, second = ({frozenset(rows) for rows, _ in plan_of().epoch(epoch)} for epoch in (0, 1))
    assert first != second


@settings(max_examples=60, deadline=None)
@given(SIZES, st.integers(1, 9), st.integers(2, 4), st.integers(0, 9))
def test_the_number_of_replicas_changes_no_batch(sizes, batch_size, multiple, epoch):
    one = BatchPlan(sizes, batch_size, 1.3, seed=2).epoch(epoch)
    several = BatchPlan(sizes, batch_size, 1.3, seed=2, multiple=multiple).epoch(epoch)
    assert [rows[:real].tolist() for rows, real in several] == [rows.tolist() for rows, _ in one]
    for rows, real in several:
        assert len(rows) % multiple == 0
        assert len(rows) - real < multiple
        assert set(rows) == set(rows[:real])


@pytest.mark.parametrize("sizes", [[], [3, 0, 2]])
def test_a_plan_needs_examples_that_have_a_length(sizes):
    with pytest.raises(ValueError, match="none of length 0"):
        BatchPlan(np.array(sizes, int), 2, 1.3, 0)


# From here on through tf.data. Inputs are ragged texts and numbers; some rows weigh nothing in one of the losses.

TEXTS = tf.ragged.constant([[f"{row}.{step}" for step in range(size)] for row, size in enumerate(LENGTHS)])


def batch(rows, epoch):
    texts = tf.gather(TEXTS, rows)
    noise = tf.random.stateless_uniform([tf.shape(rows)[0]], tf.stack([epoch, rows[0]]))
    inputs = {"texts": texts.to_tensor(""), "rows": rows, "epoch": tf.fill(tf.shape(rows), epoch), "noise": noise}
    steps = tf.cast(tf.sequence_mask(texts.row_lengths()), tf.float32)
    return inputs, {"length": texts.row_lengths()}, {"steps": steps, "odd": tf.cast(rows % 2, tf.int32)}


DATA = TrainingData(LENGTHS, batch)


def batches(count, first_epoch=0, part=0, parts=1, replicas=1, seed=0):
    dataset = training_batches(DATA, plan_of(parts * replicas, seed), first_epoch, part, parts, replicas)
    return list(dataset.take(count).as_numpy_iterator())


def assert_equal(one, other):
    tf.nest.map_structure(np.testing.assert_array_equal, one, other)


def test_batches_are_those_of_the_plan_epoch_after_epoch():
    plan = plan_of()
    found = [inputs["rows"].tolist() for inputs, _, _ in batches(2 * len(plan) + 1)]
    planned = [rows.tolist() for epoch in range(3) for rows, _ in plan.epoch(epoch)]
    assert found == planned[: 2 * len(plan) + 1]


def test_the_content_is_that_of_the_rows():
    for inputs, targets, _ in batches(5):
        for row, texts, length in zip(inputs["rows"], inputs["texts"], targets["length"], strict=True):
            assert texts[:length].tolist() == [f"{row}.{step}".encode() for step in range(LENGTHS[row])]
            assert set(texts[length:].tolist()) <= {b""}


def test_starting_at_a_later_epoch_is_skipping():
    steps = len(plan_of())
    assert_equal(batches(2 * steps + 3)[2 * steps :], batches(3, first_epoch=2))
    assert batches(1, first_epoch=2)[0][0]["epoch"][0] == 2


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_weights_sum_to_one_over_the_global_batch_and_fillers_weigh_nothing(replicas):
    plan = plan_of(replicas)
    # The rows of the global batch come as one element for each replica.
    elements = batches(replicas * len(plan), replicas=replicas)
    for step, (rows, real) in enumerate(plan.epoch(0)):
        parts = elements[step * replicas : (step + 1) * replicas]
        assert_equal(np.concatenate([inputs["rows"] for inputs, _, _ in parts]), rows)
        steps, odd = (np.concatenate([weights[name] for _, _, weights in parts]) for name in ("steps", "odd"))
        assert steps.dtype == odd.dtype == np.float32
        np.testing.assert_allclose(steps.sum(), 1.0, rtol=1e-5)
        np.testing.assert_allclose(odd.sum(), float(np.any(rows[:real] % 2)), rtol=1e-5)
        assert np.all(steps[real:] == 0)
        assert np.all(odd[real:] == 0)
        lengths = LENGTHS[rows[:real]]
        np.testing.assert_allclose(steps[:real].sum(axis=1), lengths / lengths.sum(), rtol=1e-5)


@pytest.mark.parametrize(("parts", "replicas"), [(2, 1), (1, 2), (2, 2), (3, 1)])
def test_the_parts_of_all_workers_and_replicas_make_up_the_whole_batch(parts, replicas):
    steps = 6
    workers = [batches(steps * replicas, 0, part, parts, replicas) for part in range(parts)]
    plan = plan_of(parts * replicas)
    whole = training_batches(DATA, plan, 0).take(steps).as_numpy_iterator()
    for step, expected in enumerate(whole):
        pieces = [piece for worker in workers for piece in worker[step * replicas : (step + 1) * replicas]]
        assert len({len(inputs["rows"]) for inputs, _, _ in pieces}) == 1, "equal parts"
        assert_equal(tf.nest.map_structure(lambda *each: np.concatenate(each), *pieces), expected)


def test_rows_that_count_are_the_same_for_any_number_of_replicas():
    one, two = batches(len(plan_of())), batches(2 * len(plan_of()), replicas=2)
    for step, (inputs, targets, weights) in enumerate(one):
        pair = tf.nest.map_structure(lambda *each: np.concatenate(each), *two[2 * step : 2 * step + 2])
        real = len(inputs["rows"])
        first_rows = tf.nest.map_structure(lambda tensor, real=real: tensor[:real], pair)
        assert_equal(first_rows[0], inputs)
        assert_equal(first_rows[1], targets)
        tf.nest.map_structure(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), first_rows[2], weights)
