r"""Speech recognition in files of tab separated values: `{train,valid,test}.tsv`.

Each line is a path, a tab and a transcript. Paths are relative to the folder of the file, with `/` between their parts,
and stay inside it. All of them name recordings, or all of them name files of cepstra, `.mfc`. White space around a path
or a transcript is removed.
"""

from __future__ import annotations

import posixpath
from pathlib import Path, PurePosixPath

import soundfile

from .audio import AudioFile, Sound
from .audio_file import check_audio
from .corpus import Corpus, DataError, read_lines
from .feature_file import SUFFIX, read_feature_file
from .user_folder import is_document, known_names
from .utterance import Utterance

SPLITS = ("train", "valid", "test")

_LAYOUT = "path<TAB>transcript"


def read_split(path: str | Path) -> list[Utterance]:
    """Reads the utterances of one file, in its order; recordings are looked at, but not decoded yet.

    Args:
        path: the file.

    Raises:
        DataError: if the file is missing, empty, or not UTF-8; if a line has no tab or more than one, no path, no
            transcript, a path that was there before or that leaves the folder, or one of a file that is missing or
            cannot be read; if some lines name recordings, and others cepstra.
    """
    path = Path(path)
    first_lines: dict[str, int] = {}
    utterances: list[Utterance] = []
    for number, line in read_lines(path):
        try:
            name, transcript = _parse(line)
            if name in first_lines:
                raise DataError(f"{name} stands in line {first_lines[name]} already")
            if utterances and _is_features(name) != _is_features(utterances[0].name):
                raise DataError(_two_kinds(name, utterances[0].name))
            first_lines[name] = number
            utterances.append(Utterance(name, transcript, _sound(path.parent / name)))
        except DataError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
    if not utterances:
        raise DataError(f"{path} is empty, expected one {_LAYOUT} a line")
    return utterances


def load(folder: str | Path, required: str = "train") -> Corpus[Utterance]:
    """Reads a corpus of the user: `train.tsv`, and `valid.tsv` and `test.tsv` where they exist.

    Recordings and sub-folders may lie beside them.

    Args:
        folder: holds a file for each split; its name becomes the name of the corpus.
        required: the split that must be there: `train` for training, the one that is scored for an evaluation.

    Raises:
        DataError: if the required split is missing, a split cannot be read (see `read_split`), the folder holds
            another `.tsv` file or a split in another format, or some splits name recordings, and others cepstra.
    """
    folder = Path(folder)
    names = known_names(folder, [f"{split}.tsv" for split in SPLITS], passed_over=_is_no_split)
    found = {name.removesuffix(".tsv"): folder / name for name in names}
    if required in SPLITS and required not in found:
        raise DataError(f"{folder / required}.tsv is missing, expected a file with one {_LAYOUT} a line")
    splits = {split: read_split(path) for split, path in found.items()}
    firsts = {split: utterances[0].name for split, utterances in splits.items()}
    for split, name in firsts.items():
        other = next(iter(firsts.values()))
        if _is_features(name) != _is_features(other):
            raise DataError(f"{found[split]}: {_two_kinds(name, other)}")
    return Corpus(
        name=folder.resolve().name,
        train=splits.get("train", []),
        valid=splits.get("valid"),
        test=splits.get("test"),
        description="Recordings with transcripts from files of tab separated values.",
        licence="not stated: the user's own files",
        citation="",
        source=str(folder),
        notes=_repeated(splits),
    )


def _parse(line: str) -> tuple[str, str]:
    """The path, without detours, and the transcript."""
    if not line.strip():
        raise DataError(f"the line is empty, expected {_LAYOUT}")
    path, *columns = (column.strip() for column in line.split("\t"))
    if not columns:
        raise DataError(f"the line has no tab, expected {_LAYOUT}")
    if len(columns) > 1:
        raise DataError(f"the line has {len(columns) + 1} columns, expected {_LAYOUT}")
    if not path:
        raise DataError(f"the path is empty, expected {_LAYOUT}")
    if not columns[0]:
        raise DataError(f"the transcript is empty, expected {_LAYOUT}")
    if "\0" in path:
        raise DataError(f"{path!r} is not a path")
    if PurePosixPath(path).is_absolute():
        raise DataError(f"{path} is absolute, expected a path relative to the folder of this file")
    name = posixpath.normpath(path)
    if name.split("/")[0] == "..":
        raise DataError(f"{path} leaves the folder of this file")
    return name, columns[0]


def _sound(path: Path) -> Sound:
    if _is_features(path.name):
        return read_feature_file(path)
    check_audio(path)
    return AudioFile(path)


def _is_features(name: str) -> bool:
    return name.lower().endswith(SUFFIX)


def _two_kinds(name: str, first: str) -> str:
    named = "cepstra" if _is_features(name) else "a recording"
    return f"{name} is {named}, expected the same kind of file as {first}"


def _is_no_split(entry: Path) -> bool:
    """Whether an entry is neither a misspelt split nor one in another format."""
    suffix = entry.suffix.lower()
    if entry.is_dir() or suffix == SUFFIX or suffix.removeprefix(".").upper() in soundfile.available_formats():
        return True
    return is_document(entry) or (suffix != ".tsv" and entry.stem.lower() not in SPLITS)


def _repeated(splits: dict[str, list[Utterance]]) -> dict[str, int]:
    """How many recordings of valid and test stand in train, too."""
    known = {utterance.name for utterance in splits.get("train", [])}
    counts = {
        f"{split} recordings that stand in train, too": sum(utterance.name in known for utterance in utterances)
        for split, utterances in splits.items()
        if split != "train"
    }
    return {note: count for note, count in counts.items() if count}
