"""Slot filling in the three-file layout: `{train,valid,test}/{seq.in,seq.out,label}`.

`seq.in` has one sentence a line, its tokens separated by white space, `seq.out` the IOB tags of the
same tokens, and `label` the intent of the sentence. Without `label` files the corpus has no intents.
"""

from __future__ import annotations

import re
from pathlib import Path

from .corpus import Corpus, DataError, read_lines
from .tagged_sentence import TaggedSentence
from .user_folder import known_names

SPLITS = ("train", "valid", "test")
FILES = ("seq.in", "seq.out", "label")

# The white space of `tf.strings.split`: ASCII only, where `str.split` also splits at U+00A0, U+0085, ...
_WHITE_SPACE = " \t\n\v\f\r"
_TOKEN = re.compile(f"[^{_WHITE_SPACE}]+")


def tokenize(line: str) -> tuple[str, ...]:
    r"""Splits at ASCII white space, as `tf.strings.split` does in the exported model.

    Example:
        >>> tokenize("to  new\u00a0york\tplease ")
        ('to', 'new\xa0york', 'please')
    """
    return tuple(_TOKEN.findall(line))


def read_split(folder: str | Path) -> list[TaggedSentence]:
    """Reads the sentences of one split, in the order of the files.

    Tags are kept as they are. An `I-x` that continues nothing is legal: conlleval takes it for the
    beginning of a span.

    Args:
        folder: holds `seq.in`, `seq.out` and, if the corpus has intents, `label`.

    Raises:
        DataError: if a file is missing, empty, or not UTF-8; if the files differ in their numbers of
            lines, or a line in its numbers of tokens and tags; if a line is empty, a tag is not IOB, or
            the folder holds a file that does not belong to the layout.
    """
    folder = Path(folder)
    with_intents = "label" in known_names(folder, FILES, passed_over=lambda entry: False)
    columns = {name: _read_column(folder / name) for name in (FILES if with_intents else FILES[:2])}
    lines = columns["seq.in"]
    for name, other in columns.items():
        _check_same_length(folder, lines, name, other)
    if not lines:
        raise DataError(f"{folder / 'seq.in'} is empty, expected one sentence a line")
    intents = columns.get("label", [None] * len(lines))
    rows = zip(lines, columns["seq.out"], intents, strict=True)
    return [_read_sentence(folder, number, *row) for number, row in enumerate(rows, start=1)]


def load(folder: str | Path, required: str = "train") -> Corpus[TaggedSentence]:
    """Reads a corpus of the user: `train`, and `valid` and `test` where their folders exist.

    Args:
        folder: holds a folder for each split; its name becomes the name of the corpus.
        required: the split that must be there: `train` for training, the one that is scored for an evaluation.

    Raises:
        DataError: if the required split is missing, a split cannot be read (see `read_split`), there is a folder
            that is not a split, or only some of the splits have intents.
    """
    folder = Path(folder)
    found = known_names(folder, SPLITS, passed_over=lambda entry: not entry.is_dir())
    if required in SPLITS and required not in found:
        raise DataError(f"{folder / required} is missing, expected a folder with the files seq.in, seq.out and label")
    splits = {split: read_split(folder / split) for split in found}
    _check_intents(folder, splits)
    return Corpus(
        name=folder.resolve().name,
        train=splits.get("train", []),
        valid=splits.get("valid"),
        test=splits.get("test"),
        description="Sentences with slots and intents from files in the three-file layout.",
        licence="not stated: the user's own files",
        citation="",
        source=str(folder),
    )


def _read_column(path: Path) -> list[str]:
    return [line for _, line in read_lines(path)]


def _read_sentence(folder: Path, number: int, line: str, tag_line: str, intent: str | None) -> TaggedSentence:
    tokens, tags = tokenize(line), tokenize(tag_line)
    if not tokens:
        raise DataError(f"{folder / 'seq.in'}, line {number}: the line is empty, expected a sentence")
    if not tags:
        raise DataError(f"{folder / 'seq.out'}, line {number}: the line is empty, expected {len(tokens)} tags")
    if len(tokens) != len(tags):
        raise DataError(
            f"{folder / 'seq.out'}, line {number}: expected one tag for each token, "
            f"got {len(tags)} tags for the {len(tokens)} tokens of seq.in"
        )
    for position, tag in enumerate(tags, start=1):
        if tag != "O" and not (tag.startswith(("B-", "I-")) and len(tag) > 2):
            raise DataError(
                f"{folder / 'seq.out'}, line {number}: tag {position} must be O, B-x or I-x with a name x, got {tag!r}"
            )
    if intent is not None:
        intent = intent.strip(_WHITE_SPACE)
        if not intent:
            raise DataError(f"{folder / 'label'}, line {number}: the line is empty, expected an intent")
    return TaggedSentence(tokens, tags, intent)


def _check_same_length(folder: Path, lines: list[str], name: str, other: list[str]) -> None:
    if len(lines) != len(other):
        longer = "seq.in" if len(lines) > len(other) else name
        shorter = name if longer == "seq.in" else "seq.in"
        raise DataError(
            f"{folder / longer}, line {min(len(lines), len(other)) + 1}: no such line in {shorter}, "
            f"for seq.in has {len(lines)} lines and {name} has {len(other)}"
        )


def _check_intents(folder: Path, splits: dict[str, list[TaggedSentence]]) -> None:
    have = {split: sentences[0].intent is not None for split, sentences in splits.items()}
    first = next(iter(have))
    for split, has_intents in have.items():
        if has_intents != have[first]:
            with_file, without = (split, first) if has_intents else (first, split)
            raise DataError(
                f"{folder / without / 'label'} is missing: {with_file} has intents and {without} has none, "
                "expected all splits to have them or none"
            )
