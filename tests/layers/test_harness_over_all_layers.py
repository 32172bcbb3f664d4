"""Every public layer passes every check of the harness."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import harness
import seqloom.layers
from harness import LayerCase
from seqloom.layers import (
    CharacterEncoder,
    Encoder,
    FactoredDense,
    Jordan,
    LinearChainCRF,
    SequencePooling,
    WordDropout,
)

LENGTHS = np.array([4, 1, 3], "int32")
TAGS = ["O", "B-a", "I-a", "B-b", "I-c"]


def floats(features):
    def inputs(padding):
        rng = np.random.default_rng(0)
        steps = rng.normal(size=(3, 4, features))
        more = rng.normal(size=(3, padding, features))
        return {"inputs": np.concatenate([steps, more], axis=1).astype("float32"), "lengths": LENGTHS}

    return inputs


def logits(padding):
    inputs = floats(len(TAGS))(padding)
    return {"logits": 3 * inputs["inputs"], "lengths": inputs["lengths"]}


def inputs_and_tags(padding):
    tags = np.array([[2, 0, 1, 3], [1, 1, 1, 1], [0, 4, 2, 2]], "int32")
    return {**floats(3)(padding), "tags": np.pad(tags, ((0, 0), (0, padding)), constant_values=3)}


def characters(padding):
    ids = np.random.default_rng(0).permutation(60).reshape(3, 4, 5).astype("int32") % 8 + 1
    ids = np.pad(ids, ((0, 0), (0, padding), (0, padding)), constant_values=7)
    lengths = np.array([[5, 1, 2, 3], [4, 0, 0, 0], [1, 5, 2, 0]], "int32")
    return {"characters": ids, "lengths": np.pad(lengths, ((0, 0), (0, padding)))}


def word_ids(padding):
    return {"ids": np.pad(np.array([[5, 6, 1, 7], [8, 0, 0, 0], [9, 2, 3, 0]], "int32"), ((0, 0), (0, padding)))}


def features(padding):
    return {"inputs": floats(4)(padding)["inputs"]}


def path_loss(layer, inputs):
    tags = tf.tile([[1, 2, 0, 3]], [tf.shape(inputs["logits"])[0], 1])
    return layer.negative_log_likelihood(tags=tags, **inputs)


def marginals(layer, inputs):
    return layer.marginals(**inputs)


def encoder(name, **settings):
    def make(**kwargs):
        return Encoder(units=3, **settings, **kwargs)

    return LayerCase(name, make, floats(4))


CASES = [
    LayerCase(
        "character_encoder",
        lambda **kwargs: CharacterEncoder(9, 3, 4, (2, 3), kernel_regularizer="l2", **kwargs),
        characters,
    ),
    encoder("encoder_lstm", num_layers=2, connections="residual", kernel_regularizer="l2"),
    encoder("encoder_gru", encoder="gru", num_layers=2, bidirectional=False, connections="dense"),
    encoder("encoder_simple", encoder="simple"),
    LayerCase(
        "factored_dense",
        lambda **kwargs: FactoredDense([["O"], ["B", "city"], ["I", "city"]], kernel_regularizer="l2", **kwargs),
        features,
        mixed_dtype="float32",
    ),
    LayerCase("jordan_greedy", lambda **kwargs: Jordan(4, 5, **kwargs), floats(3), mixed_dtype="float32"),
    LayerCase("jordan_forced", lambda **kwargs: Jordan(4, 5, **kwargs), inputs_and_tags, mixed_dtype="float32"),
    LayerCase("crf", lambda **kwargs: LinearChainCRF(TAGS, **kwargs), logits, objective=path_loss, mixed_dtype="int32"),
    LayerCase(
        "crf_marginals",
        lambda **kwargs: LinearChainCRF(TAGS, **kwargs),
        logits,
        outputs=marginals,
        objective=path_loss,
        mixed_dtype="float32",
    ),
    LayerCase(
        "sequence_pooling",
        lambda **kwargs: SequencePooling(["last", "max", "mean", "attention"], **kwargs),
        floats(4),
    ),
    LayerCase("word_dropout", lambda **kwargs: WordDropout(0.5, **kwargs), word_ids, mixed_dtype="int32"),
]


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request):
    return request.param


def test_every_public_layer_has_a_case():
    public = {getattr(seqloom.layers, name) for name in seqloom.layers.__all__}
    layers = {each for each in public if isinstance(each, type) and issubclass(each, keras.layers.Layer)}
    assert layers == {type(case.make()) for case in CASES}


@pytest.mark.parametrize(
    "check",
    [
        harness.check_config_round_trip,
        harness.check_symbolic_shape,
        harness.check_fit_step,
        harness.check_mixed_precision,
        harness.check_padding_invariance,
        harness.check_batch_of_one,
        harness.check_gradients,
    ],
    ids=lambda check: check.__name__.removeprefix("check_"),
)
def test_conformance(case, check):
    check(case)


def test_saved_model(case, tmp_path):
    harness.check_saved_model(case, tmp_path)


@pytest.fixture(scope="module")
def fresh_process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    expected = harness.save_models(CASES, folder)
    return harness.load_in_fresh_process(folder), expected


def test_fresh_process(case, fresh_process):
    actual, expected = (outputs[case.name] for outputs in fresh_process)
    harness.assert_close(actual, expected, case.tolerance)


def test_mirrored(case):
    devices = [device.name for device in tf.config.list_logical_devices("CPU")]
    if len(devices) < 2:
        pytest.skip("needs the CPU split in two logical devices before TensorFlow starts")
    harness.check_mirrored(case)
