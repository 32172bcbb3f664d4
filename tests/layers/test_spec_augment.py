"""SpecAugment: how much is masked, where, and when."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.layers import SpecAugment

ROWS, TIME, FEATURES = 400, 50, 20
INPUTS = np.ones((ROWS, TIME, FEATURES), "float32")
LENGTHS = np.tile(np.array([50, 30, 10, 1], "int32"), ROWS // 4)


def masked(lengths=LENGTHS, inputs=INPUTS, **settings):
    return SpecAugment(**{"seed": 0, **settings})(inputs, lengths=lengths, training=True).numpy() == 0


def stretches(covered):
    """How many runs of masked places each row of `covered` has."""
    return np.sum(np.diff(np.pad(covered, ((0, 0), (1, 1))).astype(int), axis=1) == 1, axis=1)


def test_a_time_mask_is_one_stretch_within_its_share_of_the_row():
    zeros = masked(time_masks=1, max_time_share=0.3, frequency_masks=0)
    in_time = zeros.all(axis=2)
    np.testing.assert_array_equal(zeros, np.broadcast_to(in_time[:, :, None], zeros.shape))
    assert stretches(in_time).max() == 1
    for length, longest in ((50, 15), (30, 9), (10, 3), (1, 0)):
        rows = in_time[length == LENGTHS]
        assert not rows[:, length:].any()
        assert set(rows.sum(axis=1)) == set(range(longest + 1))
        assert longest == 0 or rows[:, :length].any(axis=0).all(), "every frame is masked in some row"


def test_a_frequency_mask_is_one_stretch_over_all_frames():
    zeros = masked(time_masks=0, frequency_masks=1, max_frequency_share=0.25)
    bands = zeros.all(axis=1)
    np.testing.assert_array_equal(zeros, np.broadcast_to(bands[:, None, :], zeros.shape))
    assert stretches(bands).max() == 1
    assert set(bands.sum(axis=1)) == set(range(6))
    assert bands.any(axis=0).all()


def test_several_masks_may_overlap():
    settings = {"time_masks": 3, "max_time_share": 0.2, "frequency_masks": 2, "max_frequency_share": 0.3}
    zeros = masked(**settings)
    in_time, bands = zeros.all(axis=2)[LENGTHS == 50], zeros.all(axis=1)
    np.testing.assert_array_equal(zeros, zeros.all(axis=2)[:, :, None] | bands[:, None, :])
    assert set(stretches(in_time)) >= {1, 2, 3}
    assert in_time.sum(axis=1).max() <= 30
    assert set(stretches(bands)) == {0, 1, 2}


def test_widths_are_drawn_evenly():
    lengths = np.full(8000, 10, "int32")
    inputs = np.ones((8000, 10, 1), "float32")
    zeros = masked(lengths, inputs, time_masks=1, max_time_share=0.4, frequency_masks=0)
    shares = np.bincount(zeros.sum(axis=(1, 2))) / 8000
    np.testing.assert_allclose(shares, np.full(5, 0.2), atol=0.02)
    first = zeros[zeros.sum(axis=(1, 2)) == 4].argmax(axis=1)[:, 0]
    np.testing.assert_allclose(np.bincount(first) / len(first), np.full(7, 1 / 7), atol=0.05)


def test_what_is_not_masked_does_not_change():
    inputs = np.random.default_rng(0).normal(size=INPUTS.shape).astype("float32")
    outputs = SpecAugment(seed=0)(inputs, lengths=LENGTHS, training=True).numpy()
    assert np.any(outputs == 0)
    np.testing.assert_array_equal(outputs[outputs != 0], inputs[outputs != 0])


def test_changes_nothing_outside_training():
    np.testing.assert_array_equal(SpecAugment(3, 1.0, 3, 1.0)(INPUTS, lengths=LENGTHS), INPUTS)


def test_draws_anew_at_each_call_and_row_and_a_seed_repeats_it():
    layer, twin = (SpecAugment(seed=7) for _ in range(2))
    first, second = (layer(INPUTS, lengths=LENGTHS, training=True).numpy() for _ in range(2))
    assert np.any(first != second)
    assert len(np.unique(first.reshape(ROWS, -1), axis=0)) > ROWS // 2
    for expected in (first, second):
        np.testing.assert_array_equal(twin(INPUTS, lengths=LENGTHS, training=True), expected)


def test_goes_on_from_a_state_that_is_restored():
    layer, other = SpecAugment(seed=1), SpecAugment(seed=2)
    layer(INPUTS, lengths=LENGTHS, training=True)
    other.seed_generator.state.assign(layer.seed_generator.state)
    expected = layer(INPUTS, lengths=LENGTHS, training=True)
    np.testing.assert_array_equal(other(INPUTS, lengths=LENGTHS, training=True), expected)


def test_works_where_sizes_are_unknown_and_in_half_precision():
    layer = SpecAugment(seed=0, dtype="mixed_float16")
    augment = tf.function(
        lambda inputs, lengths: layer(inputs, lengths=lengths, training=True),
        input_signature=[tf.TensorSpec([None, None, FEATURES]), tf.TensorSpec([None], tf.int32)],
    )
    outputs = augment(INPUTS, LENGTHS)
    assert outputs.dtype == tf.float16
    np.testing.assert_array_equal(outputs.numpy() == 0, masked())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"time_masks": -1}, "time_masks must be an integer of at least 0, got time_masks=-1"),
        ({"frequency_masks": 1.5}, "frequency_masks must be an integer of at least 0, got frequency_masks=1.5"),
        ({"max_time_share": 1.1}, r"max_time_share must lie in \[0, 1\], got max_time_share=1.1"),
        ({"max_frequency_share": -0.1}, r"max_frequency_share must lie in \[0, 1\], got max_frequency_share=-0.1"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        SpecAugment(**arguments)


def test_its_random_state_is_a_variable_of_the_model():
    symbols = keras.Input((None, FEATURES)), keras.Input((), dtype="int32")
    model = keras.Model(symbols, SpecAugment(seed=0)(*symbols))
    assert [variable.name for variable in model.variables] == ["seed_generator_state"]
