"""What the model sees of a text, for training and in the export alike."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.labelled_text import LabelledText
from seqloom.pipelines.sentiment.config import Config
from seqloom.pipelines.sentiment.data import Preprocessor, training_data
from seqloom.pipelines.sentiment.reading import how_read, truncated

TEXTS = [
    LabelledText("Not good, not good at all!", "negative"),
    LabelledText("good<br />good and good", "positive"),
    LabelledText("it isn't bad", "positive"),
    LabelledText("bad and not good", "negative"),
]
CONFIG = Config(regions=[2], linear=[2], ratios=True, ngram_min_count=1)


def fitted(**settings):
    config = CONFIG.model_copy(update=settings)
    return Preprocessor.fit(TEXTS, config), config


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=12), min_size=1, max_size=4), st.integers(1, 8))
def test_truncation_keeps_ends_in_order(rows, limit):
    ragged = tf.ragged.constant(rows, tf.int32, ragged_rank=1)
    assert truncated(ragged, limit, "head").to_list() == [row[:limit] for row in rows]
    assert truncated(ragged, limit, "tail").to_list() == [row[-limit:] for row in rows]
    tail = limit // 2
    both = [row if len(row) <= limit else row[: limit - tail] + row[len(row) - tail :] for row in rows]
    assert truncated(ragged, limit, "both").to_list() == both


def test_punctuation_stands_apart_and_tags_are_spaces():
    preprocessor, config = fitted()
    words = preprocessor.reader(config).words(tf.constant(["Good,<br />good; isn't"]))
    assert [word.decode() for word in words.values.numpy()] == ["Good", ",", "good", ";", "isn't"]


def test_units_of_a_text_are_its_words_and_pairs():
    preprocessor, config = fitted()
    reader = preprocessor.reader(config)
    ids = reader.ids(reader.words(tf.constant(["not good and unheard"])))
    names = [*preprocessor.words.entries]
    names += [" ".join(names[word] for word in row) for row in preprocessor.ngrams.rows]
    units = {names[unit] for unit in reader.units(ids).numpy()[0] if unit}
    assert units == {"not", "good", "and", "[unknown]", "not good", "good and"}


def test_ratios_point_to_the_class_of_a_unit():
    preprocessor, _ = fitted()
    negative = preprocessor.labels.index("negative")
    ratio = preprocessor.ratios[preprocessor.words.id("not"), negative]
    assert ratio > 0
    np.testing.assert_allclose(preprocessor.ratios.sum(axis=1), 0, atol=1e-3)
    assert not preprocessor.ratios[0].any()


@pytest.mark.parametrize("settings", [{}, {"level": "characters", "regions": [], "linear": [], "ratios": False}])
def test_saved_and_loaded(tmp_path, settings):
    preprocessor, _ = fitted(**settings)
    preprocessor.save(tmp_path)
    loaded = Preprocessor.load(tmp_path)
    assert loaded.words.entries == preprocessor.words.entries
    assert loaded.ngrams.rows == preprocessor.ngrams.rows
    np.testing.assert_array_equal(loaded.ratios, preprocessor.ratios)


def test_training_sees_what_serving_sees():
    preprocessor, config = fitted(max_tokens=5)
    data = training_data(TEXTS, preprocessor, config)
    assert data.sizes.tolist() == [5, 4, 3, 4]
    inputs, targets, _ = data.batch(tf.constant([2, 0], tf.int64), tf.constant(0, tf.int64))
    reader = preprocessor.reader(config)
    served = reader.inputs(reader.ids(reader.words(tf.constant([TEXTS[2].text, TEXTS[0].text]))))
    for name, tensor in served.items():
        np.testing.assert_array_equal(inputs[name], tensor, err_msg=name)
    assert targets["label"].numpy().tolist() == [preprocessor.labels.index("positive"), 0]


def test_an_empty_text_is_one_unknown_step():
    preprocessor, config = fitted()
    reader = preprocessor.reader(config)
    inputs = reader.inputs(reader.ids(reader.words(tf.constant(["", "good"]))))
    assert inputs["lengths"].numpy().tolist() == [1, 1]
    assert reader.inputs(reader.ids(reader.words(tf.constant([], tf.string))))["words"].shape == (0, 1)


def test_how_a_text_was_read():
    preprocessor, config = fitted(max_tokens=3)
    facts = how_read(["good and marvellous stuff", ""], preprocessor.reader(config), config)
    assert facts == [{"tokens": 4, "read": 3, "unseen": 2}, {"tokens": 0, "read": 0, "unseen": 0}]
