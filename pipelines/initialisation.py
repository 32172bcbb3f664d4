"""First values of weights that come from elsewhere: another run (`init_from`) and word vectors (`embeddings`)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import UserError
from .registry import TaskEntry
from .run import Run
from .vocabulary import Vocabulary

if TYPE_CHECKING:
    from .pipeline import Pipeline

_log = logging.getLogger(__name__)


def load_base(path: str | None, entry: TaskEntry) -> Run | None:
    """The run that `init_from` names.

    Raises:
        UserError: if it is no trained run of the same task.
    """
    if path is None:
        return None
    base = Run.open(path)
    if base.entry.name != entry.name:
        raise UserError(f"init_from must name a run of {entry.name}, {path} holds one of {base.entry.name}")
    if not base.directory.best.is_file():
        raise UserError(f"init_from must name a trained run, {path} has no checkpoints/best.keras")
    return base


def copy_from_run(base: Run, pipeline: Pipeline, model: Any) -> dict[str, int]:
    """Copies every weight of another run that has a place in the model, and says how many.

    A vocabulary that extends another one has its entries first, so a weight that grew with a vocabulary takes the old
    values in its leading block. A weight that another setting gives another shape is left as it is, and named.

    Args:
        base: the run to copy from.
        pipeline: the task with the new settings.
        model: its model, with vocabularies that extend those of `base`.
    """
    source = base.pipeline.build_model(base.preprocessor)
    source.load_weights(base.directory.best)
    theirs = {path_in_model(variable): variable.numpy() for variable in source.weights}
    # the new settings on the old vocabularies: where the shape is the old one, only a vocabulary can have changed it
    template = {path_in_model(variable): variable.shape for variable in pipeline.build_model(base.preprocessor).weights}
    copied = extended = 0
    for variable in model.weights:
        path = path_in_model(variable)
        value = theirs.get(path)
        if value is None or tuple(template[path]) != value.shape:
            _log.info("init_from: %s stays at its random start", path)
            continue
        merged = variable.numpy()
        merged[tuple(slice(0, size) for size in value.shape)] = value
        variable.assign(merged)
        copied += 1
        extended += value.shape != tuple(variable.shape)
    return {f"weights copied from {base.directory.path}": copied, "of these extended": extended}


def start_from_vectors(path: str | None, words: Vocabulary, embeddings: Iterable[Any]) -> dict[str, int]:
    """Sets rows of embeddings to the vectors of a file, if there is one; see `word_vectors`.

    Args:
        path: the setting `embeddings`.
        words: whose ids are the rows.
        embeddings: Keras variables `(len(words), dimension)`.

    Returns:
        what was set and how often, in words; nothing without a file.
    """
    if path is None:
        return {}
    for variable in embeddings:
        matrix = variable.numpy()
        found = word_vectors(Path(path), words, matrix)
        variable.assign(matrix)
    return {"words with a pretrained vector": found}


def word_vectors(path: Path, words: Vocabulary, matrix: np.ndarray) -> int:
    """Reads vectors of known words into the rows of a matrix.

    Args:
        path: GloVe or word2vec text format: `word number number ...` a line; a first line with two numbers is skipped.
            A word may have spaces in it, as some of GloVe's have, if its parts are no numbers.
        words: whose ids are the rows.
        matrix: `(len(words), dimension)`, changed in place.

    Returns:
        How many words were found.

    Raises:
        UserError: if the file is missing, or a line is malformed or has another dimension; the line is named.
    """
    found = 0
    dimension = matrix.shape[1]
    for number, fields in _vector_lines(path):
        cut = max(len(fields) - dimension, 1)
        if len(fields) != dimension + 1 and (len(fields) <= dimension or any(map(_is_number, fields[1:cut]))):
            raise UserError(
                f"{path}, line {number}: expected {dimension} numbers (embedding_dim), got {len(fields) - 1}"
            )
        word = " ".join(fields[:cut])
        if word in words:
            try:
                with np.errstate(over="ignore"):
                    values = np.array(fields[cut:], np.float32)
            except ValueError:
                raise UserError(f"{path}, line {number}: the vector of {word!r} has a part that is no number") from None
            if not np.isfinite(values).all():
                raise UserError(f"{path}, line {number}: the vector of {word!r} has a part that is not finite")
            matrix[words.id(word)] = values
            found += 1
    return found


def _vector_lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                fields = _decoded(line, path, number).rstrip().split(" ")
                header = number == 1 and len(fields) == 2 and all(field.isdigit() for field in fields)
                if not header:
                    yield number, fields
    except FileNotFoundError:
        raise UserError(f"there is no file of word vectors {path}") from None
    except OSError as error:
        raise UserError(f"the word vectors {path} cannot be read: {error.strerror}") from None


def _decoded(line: bytes, path: Path, number: int) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}, line {number}: the word vectors must be UTF-8 text") from None


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def path_in_model(variable: Any) -> str:
    """The path of a weight without the model's own name, which Keras numbers."""
    return variable.path.partition("/")[2]
