"""The SavedModel: the answers of the server in this process, no foreign operation, whole or not at all."""

import json
from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf
from tagging import CORPUS, make_tagger

from seqloom.pipelines.exporting import Server, check_operations, export_server, request_body
from seqloom.pipelines.inference import answer_all, load_export, stack

TEXTS = [" ".join(sentence.tokens) for sentence in CORPUS.test]


@pytest.fixture(scope="module")
def tagger():
    return make_tagger()


@pytest.fixture(scope="module")
def exported(tagger, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "export" / "1"
    export_server(tagger.server, folder, {"text": "Zürich"})
    return folder


@pytest.fixture(scope="module")
def signature(exported):
    return load_export(exported)


def same(one, other):
    """Strings and indices equal, probabilities to 1e-4."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if isinstance(value, float):
            assert other[name] == pytest.approx(value, abs=1e-4)
        else:
            assert other[name] == value, name


def ask(signature, tagger, texts, **settings):
    return answer_all(signature, [{"text": text} for text in texts], type(tagger.server), **settings)


def test_the_export_answers_as_the_server_in_this_process(signature, tagger):
    here, there = tagger.server.function()(**stack([{"text": text} for text in TEXTS])), signature(tf.constant(TEXTS))
    assert here.keys() == there.keys()
    for name, value in here.items():
        if value.dtype.is_floating:
            np.testing.assert_allclose(there[name], value, atol=1e-4)
        else:
            np.testing.assert_array_equal(there[name], value)


def test_a_row_alone_is_answered_as_in_any_batch_in_any_order(signature, tagger):
    texts = [*TEXTS, "", "denver", "word " * 600]
    alone = [ask(signature, tagger, [text])[0] for text in texts]
    assert any(answer["span_values"] for answer in alone), "random weights find some slots"
    orders = [range(len(texts)), np.random.default_rng(0).permutation(len(texts))]
    for order, batch_size in zip(orders, (64, 3), strict=True):
        together = ask(signature, tagger, [texts[index] for index in order], batch_size=batch_size)
        for index, answer in zip(order, together, strict=True):
            same(alone[index], answer)


def test_the_signature_is_the_one_of_the_contract(exported):
    loaded = tf.saved_model.load(str(exported))
    assert next(iter(loaded.signatures)) == "serving_default"
    served = loaded.signatures["serving_default"]
    _, inputs = served.structured_input_signature
    assert inputs == {"text": tf.TensorSpec([None], tf.string, name="text")}
    assert {name: output.dtype.name for name, output in served.structured_outputs.items()} == {
        **dict.fromkeys(("tokens", "tags", "span_types", "span_values", "intent", "error"), "string"),
        **{"span_starts": "int32", "span_ends": "int32", "intent_probability": "float32"},
    }


def test_the_graph_needs_no_gpu_no_compiler_and_no_python(exported):
    saved = tf.saved_model.load(str(exported))
    graph = saved.signatures["serving_default"].graph.as_graph_def()
    check_operations(graph)
    names = {node.op for node in graph.node} | {node.op for f in graph.library.function for node in f.node_def}
    assert not [name for name in names if any(part in name for part in ("Cudnn", "Xla", "PyFunc", "Ragged_Py"))]


def test_the_example_request_is_what_the_rest_api_takes(exported, signature):
    path = exported.parent / "request_example.json"
    body = json.loads(path.read_text(encoding="utf-8"))
    assert body == {"instances": [{"text": "Zürich"}]}
    assert "Zürich" in path.read_text(encoding="utf-8")
    columns = {name: tf.constant([row[name] for row in body["instances"]]) for name in body["instances"][0]}
    assert signature(**columns)["tokens"].numpy().tolist() == [["Zürich".encode()]]


def test_the_example_of_other_inputs_is_json_too():
    request = {"waveform": np.ones(2, np.float32), "lengths": np.int32(2), "text": "a"}
    assert json.loads(json.dumps(request_body([request]))) == {
        "instances": [{"waveform": [1.0, 1.0], "lengths": 2, "text": "a"}]
    }


class Double(Server):
    inputs: ClassVar = {"x": tf.TensorSpec([None], tf.float32)}
    outputs = ("y",)

    def __init__(self, model, function):
        super().__init__(model)
        self.compute = function

    def answer(self, x):
        return {"y": self.compute(x)}


def python_function(x):
    return tf.ensure_shape(tf.numpy_function(lambda value: 2 * value, [x], tf.float32), [None])


FOREIGN = {
    "python": (python_function, "PyFunc"),
    "compiled": (tf.function(lambda x: 2 * x, jit_compile=True), "_XlaMustCompile"),
    "cudnn": (
        lambda x: tf.reshape(
            tf.raw_ops.CudnnRNNV3(
                input=x[:, None, None],
                input_h=tf.zeros([1, 1, 1]),
                input_c=tf.zeros([1, 1, 1]),
                params=tf.zeros([16]),
                sequence_lengths=tf.ones([1], tf.int32),
            ).output,
            [-1],
        ),
        "CudnnRNNV3",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_graph_that_a_plain_server_cannot_run_is_refused_and_nothing_is_written(name, tagger, tmp_path):
    function, operation = FOREIGN[name]
    with pytest.raises(RuntimeError, match=rf"^the export would need .*{operation}.*, which a plain CPU server"):
        export_server(Double(tagger.model, function), tmp_path / "1", {"x": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_an_export_takes_the_place_of_an_older_one(tagger, tmp_path):
    for factor in (2.0, 3.0):
        export_server(Double(tagger.model, lambda x, factor=factor: factor * x), tmp_path / "1", {"x": 1.0})
    assert load_export(tmp_path / "1")(x=tf.constant([2.0]))["y"].numpy().tolist() == [6.0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "request_example.json"]


def test_the_export_holds_the_weights_once_and_no_keras_objects(exported, tagger):
    """And those of an LSTM once more, as the fused kernel wants them."""
    stored = [tuple(shape) for _, shape in tf.train.list_variables(str(exported / "variables" / "variables")) if shape]
    weights = [tuple(variable.shape) for variable in tagger.model.variables if len(variable.shape)]
    fused = []
    for member in tagger.model.members:
        for layer in (*member.encoder.forward_layers, *member.encoder.backward_layers):
            (inputs, gates), (units, _), bias = (weight.shape for weight in layer.weights)
            fused += [(inputs + units, gates), tuple(bias)]
    assert len(fused) == 4, "a matrix and a bias in each direction"
    assert sorted(stored) == sorted([*weights, *fused])
    assert not (exported / "keras_metadata.pb").exists()
