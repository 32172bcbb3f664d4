"""First values of weights that come from elsewhere: another run (`init_from`) and word vectors (`embeddings`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from .errors import UserError
from .registry import TaskEntry
from .run import Run
from .vocabulary import Vocabulary

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


def copy_from_run(base: Run, model: Any) -> dict[str, int]:
    """Copies every weight of another run that has a place in the model, and says how many.

    A vocabulary that extends another one has its entries first, so a weight that grew takes the old values in its
    leading block. Weights whose shape does not contain the old one are left as they are, and named.
    """
    source = base.pipeline.build_model(base.preprocessor)
    source.load_weights(base.directory.best)
    theirs = {_path_in_model(variable): variable.numpy() for variable in source.weights}
    copied = extended = 0
    for variable in model.weights:
        value: Any = theirs.get(_path_in_model(variable))
        fits = value is not None and value.ndim == len(variable.shape)
        if not fits or any(old > new for old, new in zip(value.shape, variable.shape, strict=True)):
            _log.info("init_from: %s stays at its random start", _path_in_model(variable))
            continue
        merged = variable.numpy()
        merged[tuple(slice(0, size) for size in value.shape)] = value
        variable.assign(merged)
        copied += 1
        extended += value.shape != tuple(variable.shape)
    return {f"weights copied from {base.directory.path}": copied, "of these extended": extended}


def word_vectors(path: Path, words: Vocabulary, matrix: np.ndarray) -> int:
    """Reads vectors of known words into the rows of a matrix.

    Args:
        path: GloVe or word2vec text format: `word number number ...` a line; a first line with two numbers is skipped.
        words: whose ids are the rows.
        matrix: `(len(words), dimension)`, changed in place.

    Returns:
        How many words were found.

    Raises:
        UserError: if the file is missing, or a line is malformed or has another dimension; the line is named.
    """
    found = 0
    for number, word, fields in _vector_lines(path):
        if len(fields) != matrix.shape[1]:
            raise UserError(
                f"{path}, line {number}: expected {matrix.shape[1]} numbers (embedding_dim), got {len(fields)}"
            )
        if word in words:
            try:
                values = np.array(fields, np.float32)
            except ValueError:
                raise UserError(f"{path}, line {number}: the vector of {word!r} has a part that is no number") from None
            if not np.isfinite(values).all():
                raise UserError(f"{path}, line {number}: the vector of {word!r} has a part that is not finite")
            matrix[words.id(word)] = values
            found += 1
    return found


def _vector_lines(path: Path) -> Iterator[tuple[int, str, list[str]]]:
    try:
        with path.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                word, *fields = line.rstrip().split(" ")
                header = number == 1 and len(fields) == 1 and word.isdigit() and fields[0].isdigit()
                if not header:
                    yield number, word, fields
    except FileNotFoundError:
        raise UserError(f"there is no file of word vectors {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the word vectors {path} cannot be read: {error}") from None


def _path_in_model(variable: Any) -> str:
    """The path without the model's own name, which Keras numbers."""
    return variable.path.partition("/")[2]
