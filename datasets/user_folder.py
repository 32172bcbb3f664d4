"""Folders with a user's own data: which of the expected names they hold."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from .corpus import DataError

_DOCUMENT = re.compile(r"readme.*|licen[cs]e.*|.*\.md", re.IGNORECASE)


def is_document(entry: Path) -> bool:
    """Whether a file is one that people put beside data, such as a README.

    Example:
        >>> is_document(Path("data/README.txt")), is_document(Path("data/vaild.tsv"))
        (True, False)
    """
    return _DOCUMENT.fullmatch(entry.name) is not None


def most_alike(name: str, known: Sequence[str]) -> str | None:
    """The known name that a misspelt one most likely stands for.

    Example:
        >>> most_alike("vaild.tsv", ["train.tsv", "valid.tsv"])
        'valid.tsv'
    """
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.4)), None)


def known_names(
    folder: Path,
    known: Sequence[str],
    passed_over: Callable[[Path], bool] = is_document,
    meant: Callable[[str, Sequence[str]], str | None] = most_alike,
) -> list[str]:
    """Which of the known names a folder holds, in the order of the known ones; a misspelt one is an error.

    Args:
        folder: the folder.
        known: the names that belong to the layout.
        passed_over: whether an entry of another name is no error; hidden ones never are.
        meant: takes another name and the known ones, and says which of them may be meant.

    Raises:
        DataError: if the folder cannot be read, or holds what does not belong to the layout.
    """
    listed = f"{', '.join(known[:-1])} and {known[-1]}"
    try:
        entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        raise DataError(f"{folder} is missing, expected a folder with {listed}") from None
    except NotADirectoryError:
        raise DataError(f"{folder} is a file, expected a folder with {listed}") from None
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror or error}") from error
    for entry in entries:
        if entry.name not in known and not passed_over(entry):
            nearest = meant(entry.name, known)
            hint = f"; did you mean {nearest!r}?" if nearest else ""
            raise DataError(f"{entry} is not part of the layout, expected only {listed} in {folder}{hint}")
    present = {entry.name for entry in entries}
    return [name for name in known if name in present]
