"""Translation in files of tab separated values: `{train,valid,test}.tsv`.

Each line is a sentence, a tab and its translation, in any two languages. A sentence may stand in several lines, with a
translation in each: all of them are right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from .corpus import Corpus, DataError, read_lines
from .sentence_groups import groups, normal_form
from .translated_sentence import TranslatedSentence
from .user_folder import known_names

SPLITS = ("train", "valid", "test")

_LAYOUT = "source<TAB>target"


def read_pairs(path: str | Path) -> list[tuple[str, str]]:
    """Reads the sources and targets of one file, in its order and as they are.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing, empty, or not UTF-8; if a line has no tab or several, or an empty side.
    """
    path = Path(path)
    pairs = [_read_pair(path, number, line) for number, line in read_lines(path)]
    if not pairs:
        raise DataError(f"{path} is empty, expected one {_LAYOUT} a line")
    return pairs


def sentences_of(pairs: Sequence[tuple[str, str]]) -> list[TranslatedSentence]:
    """Makes literally equal sources one sentence with several targets, each once, in the order of the pairs.

    Example:
        >>> sentences_of([("Hi.", "嗨。"), ("Bye.", "再见。"), ("Hi.", "你好。"), ("Hi.", "嗨。")])[0].targets
        ('嗨。', '你好。')
    """
    found: dict[str, tuple[str, dict[str, None]]] = {}
    for (source, target), group in zip(pairs, groups(pairs), strict=True):
        found.setdefault(source, (group, {}))[1][target] = None
    return [TranslatedSentence(source, tuple(targets), group=group) for source, (group, targets) in found.items()]


def load(folder: str | Path, required: str = "train") -> Corpus[TranslatedSentence]:
    """Reads a corpus of the user: `train.tsv`, and `valid.tsv` and `test.tsv` where they exist.

    Sentences of one file that share a side with each other have one `group` (see `sentence_groups`). The notes count
    the pairs that repeat an earlier one of their file, which are left out; the pairs that are the same on both sides;
    and the sentences of valid and test whose normal form stands in train.

    Args:
        folder: holds a file for each split; its name becomes the name of the corpus.
        required: the split that must be there: `train` for training, the one that is scored for an evaluation.

    Raises:
        DataError: if the required split is missing, a split cannot be read (see `read_pairs`), or the folder holds
            data in a file that is not a split.
    """
    folder = Path(folder)
    names = known_names(folder, [f"{split}.tsv" for split in SPLITS])
    found = {name.removesuffix(".tsv"): folder / name for name in names}
    if required in SPLITS and required not in found:
        raise DataError(f"{folder / required}.tsv is missing, expected a file with one {_LAYOUT} a line")
    pairs = {split: read_pairs(path) for split, path in found.items()}
    splits = {split: sentences_of(rows) for split, rows in pairs.items()}
    notes = _repeated(pairs) | _untranslated(pairs) | _known(splits)
    return Corpus(
        name=folder.resolve().name,
        train=splits.get("train", []),
        valid=splits.get("valid"),
        test=splits.get("test"),
        description="Sentences with their translations from files of tab separated values.",
        licence="not stated: the user's own files",
        citation="",
        source=str(folder),
        notes={note: count for note, count in notes.items() if count},
    )


def _read_pair(path: Path, number: int, line: str) -> tuple[str, str]:
    if not line.strip():
        raise DataError(f"{path}, line {number}: the line is empty, expected {_LAYOUT}")
    source, *targets = line.split("\t")
    if not targets:
        raise DataError(f"{path}, line {number}: the line has no tab, expected {_LAYOUT}")
    if len(targets) > 1:
        raise DataError(f"{path}, line {number}: the line has {len(targets)} tabs, expected {_LAYOUT}")
    for side, text in (("source", source), ("target", targets[0])):
        if not text.strip():
            raise DataError(f"{path}, line {number}: the {side} is empty, expected {_LAYOUT}")
    return source, targets[0]


def _repeated(pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, int]:
    return {
        f"{split} pairs that repeat another one, left out": len(rows) - len(set(rows)) for split, rows in pairs.items()
    }


def _untranslated(pairs: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, int]:
    return {
        f"{split} pairs that are the same on both sides": sum(source == target for source, target in set(rows))
        for split, rows in pairs.items()
    }


def _known(splits: Mapping[str, Sequence[TranslatedSentence]]) -> dict[str, int]:
    """How many sentences of valid and test stand in train too, whatever their case and punctuation."""
    known = {normal_form(sentence.source) for sentence in splits.get("train", [])}
    return {
        f"{split} sentences that train has too": sum(normal_form(sentence.source) in known for sentence in sentences)
        for split, sentences in splits.items()
        if split != "train"
    }
