"""Every public layer passes every check of the harness."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from recursions import CASES as RECURSIVE_CASES

import harness
import seqloom.layers
from harness import LayerCase
from seqloom.layers import (
    GRU,
    LSTM,
    SCRN,
    Attention,
    AudioFeatures,
    BernoulliHalt,
    Bidirectional,
    CharacterEncoder,
    ClockworkRNN,
    Conditioning,
    ConvolutionalSubsampling,
    CoupledLSTM,
    Decoder,
    Deltas,
    EchoState,
    Encoder,
    EndSymbol,
    FactoredDense,
    FeatureNormalisation,
    GatedFeedback,
    Jordan,
    LeakyRNN,
    LinearChainCRF,
    NaiveBayesLinear,
    PeepholeLSTM,
    PredictedLength,
    RegionEmbedding,
    SequencePooling,
    SimpleRNN,
    SkipRNN,
    SpacedFrames,
    SpecAugment,
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


def waveform(padding):
    samples = np.random.default_rng(0).uniform(-1, 1, (50 + padding, 3)).astype("float32")
    return {"waveform": samples.T, "lengths": np.array([50, 1, 37], "int32")}


def audio_features(kind):
    def make(**kwargs):
        return AudioFeatures(
            1000, kind, mel_bands=4, coefficients=3, lowest_frequency=50, highest_frequency=400, **kwargs
        )

    return LayerCase(kind, make, waveform, mixed_dtype="float32", time_last=("waveform",))


def front_end(name, make, **settings):
    return LayerCase(name, make, floats(3), mixed_dtype="float32", **settings)


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


def units(padding):
    return {"ids": np.pad(np.array([[5, 6, 5, 7], [8, 0, 0, 0], [9, 2, 3, 0]], "int32"), ((0, 0), (0, padding)))}


def units_of_steps(padding):
    words = np.array([[5, 6, 1, 7], [8, 0, 0, 0], [9, 2, 3, 0]], "int32")
    pairs = np.array([[1, 2, 0, 3], [0, 0, 0, 0], [1, 2, 0, 0]], "int32")
    return {"ids": np.pad(np.stack([words, pairs], -1), ((0, 0), (0, padding), (0, 0)))}


def features(padding):
    return {"inputs": floats(4)(padding)["inputs"]}


def inputs_and_context(padding):
    context = np.random.default_rng(1).normal(size=(3, 2)).astype("float32")
    return {"inputs": floats(4)(padding)["inputs"], "context": context}


def vectors(padding):
    return {"inputs": features(padding)["inputs"][:, 0]}


def source(padding):
    rng = np.random.default_rng(2)
    memory, more = rng.normal(size=(3, 5, 2)), rng.normal(size=(3, padding, 2))
    return np.concatenate([memory, more], axis=1).astype("float32"), np.array([2, 5, 1], "int32")


def query_and_memory(padding):
    memory, lengths = source(padding)
    return {**vectors(padding), "memory": memory, "lengths": lengths}


def queries_and_memory(padding):
    memory, lengths = source(padding)
    return {**features(padding), "memory": memory, "lengths": lengths}


def decoded(padding):
    return {**inputs_and_context(padding), "lengths": LENGTHS}


def decoded_with_memory(padding):
    memory, lengths = source(padding)
    return {**decoded(padding), "memory": memory, "memory_lengths": lengths}


def initial_states(layer, inputs):
    return tf.concat(layer.initial_state(inputs["context"]), axis=-1)


def conditioned(layer, inputs):
    states, outputs = initial_states(layer, inputs), layer(**inputs)
    return tf.reduce_sum(states**2, axis=1) + tf.reduce_sum(outputs**2, axis=(1, 2))


def length_loss(layer, inputs):
    scores = layer(**inputs)
    return layer.negative_log_likelihood(scores, tf.fill(tf.shape(scores)[:1], 2))


def path_loss(layer, inputs):
    tags = tf.tile([[1, 2, 0, 3]], [tf.shape(inputs["logits"])[0], 1])
    return layer.negative_log_likelihood(tags=tags, **inputs)


def marginals(layer, inputs):
    return layer.marginals(**inputs)


def encoder(name, **settings):
    def make(**kwargs):
        return Encoder(units=3, **settings, **kwargs)

    return LayerCase(name, make, floats(4))


def decoder(name, inputs, **settings):
    def make(**kwargs):
        return Decoder(units=3, **settings, **kwargs)

    return LayerCase(name, make, inputs)


def recurrent(name, make_layer, **settings):
    def make(**kwargs):
        return make_layer(4, **{"return_sequences": True, **settings, **kwargs})

    return LayerCase(name, make, floats(3))


CASES = [
    LayerCase("attention_additive", lambda **kwargs: Attention(3, kernel_regularizer="l2", **kwargs), query_and_memory),
    LayerCase(
        "attention_multiplicative", lambda **kwargs: Attention(3, "multiplicative", **kwargs), queries_and_memory
    ),
    LayerCase(
        "character_encoder",
        lambda **kwargs: CharacterEncoder(9, 3, 4, (2, 3), kernel_regularizer="l2", **kwargs),
        characters,
    ),
    LayerCase(
        "conditioning",
        lambda **kwargs: Conditioning("both", (3, 2), kernel_regularizer="l2", **kwargs),
        inputs_and_context,
        objective=conditioned,
    ),
    LayerCase(
        "conditioning_initial_state",
        lambda **kwargs: Conditioning("initial_state", (3, 2), **kwargs),
        inputs_and_context,
        outputs=initial_states,
        objective=conditioned,
    ),
    LayerCase(
        "end_symbol", lambda **kwargs: EndSymbol(**kwargs), features, objective=length_loss, mixed_dtype="float32"
    ),
    LayerCase(
        "bernoulli_halt",
        lambda **kwargs: BernoulliHalt(**kwargs),
        features,
        objective=length_loss,
        mixed_dtype="float32",
    ),
    LayerCase(
        "predicted_length",
        lambda **kwargs: PredictedLength(5, **kwargs),
        vectors,
        objective=length_loss,
        mixed_dtype="float32",
    ),
    encoder("encoder_lstm", num_layers=2, connections="residual", kernel_regularizer="l2"),
    encoder("encoder_gru", encoder="gru", num_layers=2, bidirectional=False, connections="dense"),
    encoder("encoder_simple", encoder="simple", connections="highway"),
    decoder(
        "decoder_attention",
        decoded_with_memory,
        num_layers=2,
        connections="residual",
        kernel_regularizer="l2",
        seed=3,
    ),
    decoder(
        "decoder_without_feeding",
        decoded_with_memory,
        cell="lstm",
        attention="multiplicative",
        input_feeding=False,
        forget_bias=2.0,
    ),
    decoder("decoder_initial_state", decoded, cell="simple", access="initial_state", num_layers=2),
    decoder("decoder_both", decoded, access="both", kernel_regularizer="l1"),
    LayerCase(
        "factored_dense",
        lambda **kwargs: FactoredDense([["O"], ["B", "city"], ["I", "city"]], kernel_regularizer="l2", **kwargs),
        features,
        mixed_dtype="float32",
    ),
    LayerCase(
        "naive_bayes_linear",
        lambda **kwargs: NaiveBayesLinear(10, 3, ratios_initializer=keras.initializers.RandomNormal(seed=0), **kwargs),
        units,
    ),
    LayerCase("region_embedding", lambda **kwargs: RegionEmbedding([10, 4], 3, **kwargs), units_of_steps),
    recurrent("simple_rnn", SimpleRNN),
    recurrent("lstm", LSTM, kernel_regularizer="l1", forget_bias=5.0),
    recurrent("lstm_last_step", LSTM, return_sequences=False, activation="softsign"),
    recurrent("gru", GRU, recurrent_regularizer="l2"),
    LayerCase(
        "bidirectional",
        lambda **kwargs: Bidirectional(LSTM(4, return_sequences=True, **kwargs), **kwargs),
        floats(3),
    ),
    LayerCase("bidirectional_last_step", lambda **kwargs: Bidirectional(GRU(4, **kwargs), **kwargs), floats(3)),
    recurrent("leaky_rnn", LeakyRNN, kernel_regularizer="l2", recurrent_regularizer="l2", bias_regularizer="l2"),
    recurrent("leaky_rnn_last_step", LeakyRNN, return_sequences=False, trainable_time_constants=False),
    recurrent("skip_rnn", SkipRNN, skip=2),
    recurrent("clockwork_rnn", ClockworkRNN),
    recurrent("scrn", SCRN),
    recurrent("scrn_last_step", SCRN, return_sequences=False, trainable_alpha=True),
    recurrent("echo_state", EchoState, seed=0, leak_rate=0.5),
    recurrent("peephole_lstm", PeepholeLSTM),
    recurrent("coupled_lstm", CoupledLSTM),
    recurrent("gated_feedback_simple", GatedFeedback, cell="simple"),
    recurrent("gated_feedback_lstm", GatedFeedback, return_sequences=False),
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
    *RECURSIVE_CASES,
    audio_features("log_mel"),
    audio_features("mfcc"),
    front_end("deltas", lambda **kwargs: Deltas(**kwargs)),
    front_end("deltas_first_only", lambda **kwargs: Deltas(order=1, width=3, **kwargs)),
    front_end("feature_normalisation", lambda **kwargs: FeatureNormalisation(**kwargs)),
    front_end("feature_normalisation_global", lambda **kwargs: FeatureNormalisation("global", **kwargs)),
    LayerCase(
        "convolutional_subsampling", lambda **kwargs: ConvolutionalSubsampling(5, 3, (1, 2), **kwargs), floats(3)
    ),
    LayerCase("spaced_frames", lambda **kwargs: SpacedFrames(3, **kwargs), floats(3)),
    LayerCase("spec_augment", lambda **kwargs: SpecAugment(2, 0.5, 1, 0.5, seed=0, **kwargs), floats(3)),
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
        harness.check_inference_only,
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
