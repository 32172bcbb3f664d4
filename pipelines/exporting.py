"""From a trained model to a SavedModel that answers raw input without seqloom."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ..layers.custom_gradient import inference_only
from .run_directory import write_text, write_whole

# Operations that need a GPU, a compiler or Python where the model is served.
FORBIDDEN_OPERATIONS = ("CudnnRNN", "_XlaMustCompile", "XlaLaunch", "PyFunc", "EagerPyFunc")


@dataclass(frozen=True)
class Signature:
    """What a function of the export takes and gives.

    Attributes:
        inputs: name to the `tf.TensorSpec` of each input; the batch dimension is free.
        outputs: names of the outputs, in the order in which people read them.
        padding: output name to the output whose trailing empty strings (or zeros) are its padding too. An output that
            is not named has no padding.
        differentiates: whether the function has a gradient of the model in it.
    """

    inputs: Mapping[str, tf.TensorSpec]
    outputs: Sequence[str]
    padding: Mapping[str, str] = field(default_factory=dict)
    differentiates: bool = False


class Server(tf.Module):
    """Raw input in, decoded output out: what validation calls, and what is exported.

    A task subclasses it in its `serving.py`, holds its lookup tables as attributes, and implements `answer`, which is
    exported as `serving_default`. Other methods are exported under their own names if `others` names them.

    Attributes:
        inputs: as in `Signature`, of `answer`.
        outputs: as in `Signature`, of `answer`.
        padding: as in `Signature`, of `answer`.
        others: the signatures of further methods, by name.

    Args:
        model: the `keras.Model` with the trained weights.
    """

    inputs: ClassVar[Mapping[str, tf.TensorSpec]]
    outputs: ClassVar[Sequence[str]]
    padding: ClassVar[Mapping[str, str]] = {}
    others: ClassVar[Mapping[str, Signature]] = {}

    def __init__(self, model: Any) -> None:
        super().__init__(name="server")
        # Only the variables are part of the export: the Keras objects would be saved along as dead weight.
        self.model_variables = [variable.value for variable in model.variables]
        self._model = lambda: model
        self.refresh()

    def refresh(self) -> None:
        """Lets the layers prepare for serving, with the weights that they have now."""
        layers = [layer for layer in self.model._flatten_layers() if hasattr(layer, "prepare_for_serving")]
        self.prepared = [module for layer in layers for module in layer.prepare_for_serving()]

    def set_tuning(self, tuning: Mapping[str, Any]) -> None:
        """Takes over what `Pipeline.tune` chose, before anything is traced; nothing, unless a task tunes something."""

    @property
    def model(self) -> Any:
        """The Keras model."""
        return self._model()

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """What is exported beside `answer`: all of `others`, unless the settings leave something out."""
        return self.others

    @property
    def notes(self) -> Mapping[str, Any]:
        """What a client must know to ask, such as a sampling rate, by name; it stands beside the example request."""
        return {}

    def answer(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        """Answers a batch. A row that cannot be used gets empty values and its reason in `error`."""
        raise NotImplementedError

    def function(self, name: str = "answer") -> Any:
        """`answer`, or another method, as a TensorFlow function that is traced once, for any number of rows."""
        inputs = self.others[name].inputs if name in self.others else self.inputs
        specs = {name: tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in inputs.items()}
        method = getattr(self, name)
        differentiates = name in self.others and self.others[name].differentiates
        with contextlib.nullcontext() if differentiates else inference_only():
            return tf.function(lambda **inputs: method(**inputs)).get_concrete_function(**specs)


def export_server(server: Server, folder: Path, example: Mapping[str, Any]) -> None:
    """Writes the SavedModel, whole or not at all, and beside it a request for TensorFlow Serving's REST API.

    Args:
        server: what answers.
        folder: `export/1`; the parent holds `request_example.json`.
        example: one request, input name to value.

    Raises:
        RuntimeError: if the graph holds an operation that a plain CPU server cannot run.
    """
    functions = {"serving_default": server.function(), **{name: server.function(name) for name in server.signatures}}
    for function in functions.values():
        check_operations(function.graph.as_graph_def())
    server.functions = functions
    body = {**request_body([example]), **server.notes}

    def save(path: Path) -> None:
        tf.saved_model.save(server, path, signatures=functions)
        extra = path / "assets.extra"  # where TensorFlow Serving leaves what it does not know alone
        extra.mkdir()
        write_text(extra / "documentation.json", json.dumps(documentation(server), indent=2) + "\n")

    write_whole(folder, save)
    write_text(folder.parent / "request_example.json", json.dumps(body, ensure_ascii=False) + "\n")


def documentation(server: Server) -> dict[str, Any]:
    """What each signature takes and gives, and what a client must know besides, ready for JSON."""

    def described(name: str, signature: Server | Signature) -> dict[str, Any]:
        inputs = {
            key: {"dtype": spec.dtype.name, "shape": [-1 if size is None else size for size in spec.shape]}
            for key, spec in signature.inputs.items()
        }
        own = [base for base in type(server).__mro__ if issubclass(base, Server) and base is not Server]
        whose = own if name == "serving_default" else [getattr(server, name)]
        text = "\n\n".join(inspect.getdoc(each) or "" for each in whose)
        return {"documentation": text, "inputs": inputs, "outputs": list(signature.outputs), **server.notes}

    signatures: dict[str, Server | Signature] = {"serving_default": server, **server.signatures}
    return {name: described(name, each) for name, each in signatures.items()}


def check_operations(graph: Any) -> None:
    """Raises a `RuntimeError` if a graph needs cuDNN, XLA or Python."""
    names = {node.op for node in graph.node}
    names |= {node.op for function in graph.library.function for node in function.node_def}
    attributes = {key for function in graph.library.function for key, value in function.attr.items() if value.b}
    found = sorted(name for name in names | attributes if name.startswith(FORBIDDEN_OPERATIONS))
    if found:
        raise RuntimeError(f"the export would need {', '.join(found)}, which a plain CPU server does not run")


def request_body(requests: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The body of a `predict` call of TensorFlow Serving: `{"instances": [...]}`."""
    return {"instances": [plain(request) for request in requests]}


def plain(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request with lists in the place of arrays, ready for JSON."""
    return {
        name: value.tolist() if isinstance(value, np.ndarray | np.generic) else value for name, value in request.items()
    }
