r"""Text classification in files of tab separated values: `{train,valid,test}.tsv`.

Each line is a label, a tab and a text. What stands after the first tab is the text as it is: further tabs belong to
it, and `\t` or `\n` that are written out stay two characters. Any number of labels from two is possible.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from .corpus import Corpus, DataError, read_lines
from .labelled_text import LabelledText
from .user_folder import known_names

SPLITS = ("train", "valid", "test")

_WHITE_SPACE = " \t\n\v\f\r"


def read_split(path: str | Path) -> list[LabelledText]:
    """Reads the examples of one file, in its order.

    White space around a label is removed; a text stays as it is.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing, empty, or not UTF-8; if a line has no tab, no label, or no text.
    """
    path = Path(path)
    examples = [_read_example(path, number, line) for number, line in read_lines(path)]
    if not examples:
        raise DataError(f"{path} is empty, expected one label<TAB>text a line")
    return examples


def load(folder: str | Path, required: str = "train") -> Corpus[LabelledText]:
    """Reads a corpus of the user: `train.tsv`, and `valid.tsv` and `test.tsv` where they exist.

    Args:
        folder: holds a file for each split; its name becomes the name of the corpus.
        required: the split that must be there: `train` for training, the one that is scored for an evaluation.

    Raises:
        DataError: if the required split is missing, a split cannot be read (see `read_split`), the folder holds data
            in a file that is not a split, or train has a single label, or a single example of a label.
    """
    folder = Path(folder)
    names = known_names(folder, [f"{split}.tsv" for split in SPLITS])
    found = {name.removesuffix(".tsv"): folder / name for name in names}
    if required in SPLITS and required not in found:
        raise DataError(f"{folder / required}.tsv is missing, expected a file with one label<TAB>text a line")
    splits = {split: read_split(path) for split, path in found.items()}
    if "train" in splits:
        _check_labels(found["train"], splits["train"])
    return Corpus(
        name=folder.resolve().name,
        train=splits.get("train", []),
        valid=splits.get("valid"),
        test=splits.get("test"),
        description="Texts with labels from files of tab separated values.",
        licence="not stated: the user's own files",
        citation="",
        source=str(folder),
        notes=_unknown_labels(splits),
    )


def _read_example(path: Path, number: int, line: str) -> LabelledText:
    label, tab, text = line.partition("\t")
    label = label.strip(_WHITE_SPACE)
    if not line.strip(_WHITE_SPACE):
        raise DataError(f"{path}, line {number}: the line is empty, expected label<TAB>text")
    if not tab:
        raise DataError(f"{path}, line {number}: the line has no tab, expected label<TAB>text")
    if not label:
        raise DataError(f"{path}, line {number}: the label is empty, expected label<TAB>text")
    if not text.strip(_WHITE_SPACE):
        raise DataError(f"{path}, line {number}: the text is empty, expected label<TAB>text")
    return LabelledText(text, label)


def _check_labels(path: Path, examples: list[LabelledText]) -> None:
    counts = Counter(example.label for example in examples)
    if len(counts) < 2:
        raise DataError(f"{path} has the label {examples[0].label!r} alone, expected at least two labels")
    for label, count in counts.items():
        if count < 2:
            raise DataError(f"{path} has one example of the label {label!r}, expected at least two of each label")


def _unknown_labels(splits: dict[str, list[LabelledText]]) -> dict[str, int]:
    """How many examples of valid and test have a label that train lacks."""
    known = {example.label for example in splits.get("train", [])}
    counts = {
        f"{split} examples whose label train lacks": sum(example.label not in known for example in examples)
        for split, examples in splits.items()
        if known and split != "train"
    }
    return {note: count for note, count in counts.items() if count}
