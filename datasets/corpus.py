"""What every data set is handed over as, and how text files are read."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

Example = TypeVar("Example")


class DataError(ValueError):
    """A corpus that cannot be used as it is: one sentence that names the file, the line and the reason."""


@dataclass(frozen=True)
class Corpus(Generic[Example]):
    """The splits of one data set, read completely, with what a report says about them.

    Args:
        name: the name that the command line knows.
        train: list of examples, in the order of the files.
        valid: list of examples, or `None` if the data set has no such split.
        test: list of examples, or `None` if the data set has no such split.
        description: one or two sentences.
        licence: the terms of use, or who owns the data.
        citation: BibTeX, or `""`.
        source: the folder, or how the data was generated.
        synthetic: whether the data was generated, so that scores compare with no published figure.
        notes: what was counted while reading, such as `{"tags repaired": 3}`.

    Example:
        >>> corpus = Corpus("letters", ["a", "b"], None, ["c"], "Letters.", "public domain", "", "typed in")
        >>> corpus.counts()
        {'train': 2, 'test': 1}
    """

    name: str
    train: list[Example]
    valid: list[Example] | None
    test: list[Example] | None
    description: str
    licence: str
    citation: str
    source: str
    synthetic: bool = False
    notes: dict[str, int] = field(default_factory=dict)

    def splits(self) -> dict[str, list[Example]]:
        """The splits that exist, by name: `train`, `valid`, `test`."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {split: examples for split, examples in named.items() if examples is not None}

    def counts(self) -> dict[str, int]:
        """The number of examples of each split that exists."""
        return {split: len(examples) for split, examples in self.splits().items()}


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    r"""Yields `(line number from 1, line)` of a UTF-8 text file.

    Lines end with `"\n"` alone: corpora contain U+0085 and U+2028 inside sentences, so
    `str.splitlines` would tear them apart. One `"\r"` before the line feed is removed, and so is a byte
    order mark at the start of the file.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing or cannot be read, or holds bytes that are not UTF-8.
    """
    path = Path(path)
    with file_errors(path, "a text file"), path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            yield number, _decode(raw, path, number)


@contextlib.contextmanager
def file_errors(path: Path, expected: str) -> Iterator[None]:
    """Says which file it is that cannot be read.

    Args:
        path: the file.
        expected: what it should be, with its article.

    Raises:
        DataError: in the place of an `OSError`.
    """
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{path} is missing") from None
    except IsADirectoryError:
        raise DataError(f"{path} is a folder, expected {expected}") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _decode(raw: bytes, path: Path, number: int) -> str:
    skipped = len(codecs.BOM_UTF8) if number == 1 and raw.startswith(codecs.BOM_UTF8) else 0
    try:
        line = raw[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        offset = skipped + error.start
        raise DataError(
            f"{path}, line {number}: byte 0x{raw[offset]:02x} at byte offset {offset} of the line is not UTF-8"
        ) from None
    return line.removesuffix("\n").removesuffix("\r")
