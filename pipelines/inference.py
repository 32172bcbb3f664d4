"""The one inference path: requests are sorted by length, answered in batches, and stripped of their padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from ..datasets.corpus import DataError
from .errors import UserError
from .exporting import Server, Signature

Request = Mapping[str, Any]

_CALL = 8_000_000  # letters or samples in one call, padding included: about eight minutes of sound at 16 kHz
Answer = dict[str, Any]


def load_export(folder: Path, name: str = "serving_default") -> Callable[..., dict[str, tf.Tensor]]:
    """A signature of a SavedModel; see `load_signatures`."""
    return load_signatures(folder)[name]


def load_signatures(folder: Path) -> Mapping[str, Callable[..., dict[str, tf.Tensor]]]:
    """The signatures of a SavedModel.

    Raises:
        UserError: if there is none, or if it is damaged.
    """
    if not (folder / "saved_model.pb").is_file():
        raise UserError(f"there is no export in {folder}; `seqloom export RUN_DIR` writes one")
    try:
        loaded = tf.saved_model.load(str(folder))
    except (OSError, tf.errors.OpError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UserError(
            f"the export in {folder} is damaged ({reason}); `seqloom export RUN_DIR` writes it anew"
        ) from None
    for signature in loaded.signatures.values():
        signature.keep_alive = loaded
    return loaded.signatures


def answer_all(
    signature: Callable[..., dict[str, tf.Tensor]],
    requests: Sequence[Request],
    server: type[Server] | Signature,
    batch_size: int = 64,
) -> list[Answer]:
    """Answers requests in batches of similar length and returns the answers in the order of the requests.

    Args:
        signature: takes tensors by input name, gives tensors by output name.
        requests: input name to a string, a number or an array; arrays are padded with zeros.
        server: the class whose `answer` the signature is, or what describes another signature: it knows the order of
            the outputs and their padding.
        batch_size: requests in one call; fewer where they are long.
    """
    answers: list[Answer] = [{} for _ in requests]
    for indices in _batches([_size(request) for request in requests], batch_size):
        outputs = signature(**stack([requests[index] for index in indices]))
        arrays = {name: outputs[name].numpy() for name in server.outputs}
        for row, index in enumerate(indices):
            answers[index] = strip({name: array[row] for name, array in arrays.items()}, server.padding)
    return answers


def request_or_reason(make: Callable[[Any], Request], given: Any) -> Request | DataError:
    """A request, or why there is none: what it is made from cannot be read."""
    try:
        return make(given)
    except DataError as error:
        return error


def answers_or_reasons(
    signature: Callable[..., dict[str, tf.Tensor]],
    requests: Sequence[Request | DataError],
    server: type[Server] | Signature,
) -> list[Answer]:
    """Answers requests as `answer_all` does; what could not be read is answered empty, with the reason in `error`.

    Args:
        signature: as for `answer_all`.
        requests: as for `answer_all`, or why there is none.
        server: as for `answer_all`.
    """
    answered = iter(answer_all(signature, [each for each in requests if not isinstance(each, DataError)], server))
    return [
        {**_nothing(signature, server), "error": str(each)} if isinstance(each, DataError) else next(answered)
        for each in requests
    ]


def _nothing(signature: Any, server: type[Server] | Signature) -> Answer:
    """Empty strings, zeros, and no elements where there is padding."""
    empty: Answer = {}
    for name in server.outputs:
        spec = signature.structured_outputs[name]
        shape = [1 if size is None else size for size in spec.shape[1:]]
        text = spec.dtype == tf.string
        value = np.full(shape, b"" if text else 0, object if text else spec.dtype.as_numpy_dtype)
        empty[name] = [] if name in server.padding else _python(value if shape else value[()])
    return empty


def _batches(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """The numbers of requests that are answered together: of similar size, and all padded no more than a call bears."""
    batch: list[int] = []
    for index in sorted(range(len(sizes)), key=lambda index: sizes[index]):
        if batch and (len(batch) == most or (len(batch) + 1) * sizes[index] > _CALL):
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def stack(requests: Sequence[Request]) -> dict[str, tf.Tensor]:
    """One batch out of several requests.

    Example:
        >>> stack([{"x": np.ones(2, np.float32)}, {"x": np.ones(1, np.float32)}])["x"].numpy().tolist()
        [[1.0, 1.0], [1.0, 0.0]]
    """
    return {name: _stack_values([request[name] for request in requests]) for name in requests[0]}


def strip(row: Mapping[str, np.ndarray], padding: Mapping[str, str]) -> Answer:
    """One row of outputs as plain Python values, without padding.

    Example:
        >>> row = {"tokens": np.array([b"to", b""]), "tags": np.array([b"O", b""]), "error": np.array(b"")}
        >>> strip(row, {"tokens": "tokens", "tags": "tokens"})
        {'tokens': ['to'], 'tags': ['O'], 'error': ''}
    """
    lengths = {leader: _length(row[leader]) for leader in set(padding.values())}
    return {name: _python(value[: lengths[padding[name]]] if name in padding else value) for name, value in row.items()}


def _length(values: np.ndarray) -> int:
    filled = np.flatnonzero(values != (b"" if values.dtype.kind in "SO" else 0))
    return int(filled[-1]) + 1 if len(filled) else 0


def _python(value: Any) -> Any:
    value = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return [_python(item) for item in value] if isinstance(value, list) else value


def _size(request: Request) -> int:
    """What decides which requests stand in one batch: letters, or samples."""
    return sum(len(value) for value in request.values() if isinstance(value, str | bytes) or np.ndim(value) > 0)


def _stack_values(values: Sequence[Any]) -> tf.Tensor:
    if np.ndim(values[0]) == 0:
        # Bytes of an argument that are no UTF-8 come from Python as lone surrogates; the server replaces them.
        return tf.constant(
            [value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value for value in values]
        )
    longest = max(len(value) for value in values)
    padded = np.zeros((len(values), longest, *values[0].shape[1:]), values[0].dtype)
    for row, value in zip(padded, values, strict=True):
        row[: len(value)] = value
    return tf.constant(padded)
