"""Trees of the user: `{train,valid,test}.txt`, one tree in brackets a line, with a label at every node."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from .brackets import BracketsError, node_offset, parse
from .corpus import Corpus, DataError, read_lines
from .labelled_tree import LabelledTree, num_classes
from .user_folder import known_names

FILES = {"train": "train.txt", "valid": "valid.txt", "test": "test.txt"}


def read_split(path: str | Path, classes: int | None = None, binary: bool = False) -> list[LabelledTree]:
    """Reads the trees of one split, in the order of the file.

    Args:
        path: the file.
        classes: the number of classes, so that labels must lie in 0 to `classes - 1`; `None` for any number.
        binary: whether a node must have two children, and not more.

    Raises:
        DataError: if the file is missing, empty, or not UTF-8; if a line is not one tree in brackets; if a
            node has only one child or too many, or its label is out of the range.
    """
    path = Path(path)
    trees = []
    for number, line in read_lines(path):
        try:
            tree = parse(line)
            _check_children(tree, line, binary)
            _check_labels(tree, line, classes)
        except BracketsError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
        trees.append(tree)
    if not trees:
        raise DataError(f"{path} is empty, expected one tree in brackets a line")
    return trees


def load(folder: str | Path, required: str = "train") -> Corpus[LabelledTree]:
    """Reads a corpus of the user: `train`, and `valid` and `test` where their files exist.

    The greatest label of `train` tells the number of classes.

    Args:
        folder: holds a file for each split; its name becomes the name of the corpus.
        required: the split that must be there: `train` for training, the one that is scored for an evaluation.

    Raises:
        DataError: if the required split is missing, a split cannot be read (see `read_split`), `train` has only
            one class or another split a label that is out of its range, or the folder holds data in a file that is
            not a split.
    """
    folder = Path(folder)
    names = known_names(folder, list(FILES.values()), meant=_meant)
    found = [split for split, name in FILES.items() if name in names]
    if required in FILES and required not in found:
        raise DataError(f"{folder / FILES[required]} is missing, expected a file with one tree in brackets a line")
    splits: dict[str, list[LabelledTree]] = {}
    classes = None
    for split in found:
        path = folder / FILES[split]
        splits[split] = read_split(path, classes)
        if split == "train":
            classes = num_classes(splits[split])
            if classes < 2:
                raise DataError(f"{path} has one class only, expected labels from 0 to at least 1, got 0 everywhere")
    return Corpus(
        name=folder.resolve().name,
        train=splits.get("train", []),
        valid=splits.get("valid"),
        test=splits.get("test"),
        description="Trees with a label at every node from files with one tree in brackets a line.",
        licence="not stated: the user's own files",
        citation="",
        source=str(folder),
    )


def _check_children(tree: LabelledTree, line: str, binary: bool) -> None:
    for node, children in enumerate(tree.children):
        if len(children) == 1 or (binary and len(children) > 2):
            raise BracketsError(
                f"a node must hold a word or {'two' if binary else 'at least two'} children, "
                f"got {len(children)} at character offset {node_offset(line, node)}"
            )


def _check_labels(tree: LabelledTree, line: str, classes: int | None) -> None:
    for node, label in enumerate(tree.labels):
        if label < 0 or (classes is not None and label >= classes):
            expected = "at least 0" if classes is None else f"from 0 to {classes - 1}"
            raise BracketsError(
                f"a label must be {expected}, got {label} at character offset {node_offset(line, node)}"
            )


def _meant(name: str, known: Sequence[str]) -> str | None:
    """The file that a name of another one may stand for; dev is what others call valid."""
    split = "valid" if name == "dev.txt" else name.removesuffix(".txt")
    return next((FILES[each] for each in difflib.get_close_matches(split, FILES, n=1, cutoff=0.6)), None)
