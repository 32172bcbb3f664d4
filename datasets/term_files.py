r"""A folder of recordings to search: audio files at any depth and, where terms are parts of them, `segments.tsv`.

Files inside the sub-folders `valid` and `test` are those splits; all others are `train`, the archive. Without
`segments.tsv` in the folder each file is a term without label. Else the terms are its lines: a path, the start and the
end in seconds, and a label, with tabs between them; the label may be empty or missing. Paths are relative to the
folder, with `/` between their parts, and stay inside it. White space around a column is removed.
"""

from __future__ import annotations

import difflib
import math
import posixpath
import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from .audio import AudioFile
from .audio_file import check_audio, check_inside
from .corpus import Corpus, DataError, file_errors, read_lines
from .spoken_term import Occurrence, Recording, SpokenTerm
from .user_folder import is_document

SPLITS = ("train", "valid", "test")
SEGMENTS = "segments.tsv"
SUFFIXES = (".wav", ".flac", ".ogg", ".mp3")

_ENDINGS = f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}"
OTHER_FILES = f"files that do not end with {_ENDINGS}"  # what is counted of a folder
WITHOUT_SEGMENT, REPEATED_SEGMENTS = "recordings without a segment", "segments that stand there once more"

_LAYOUT = "path<TAB>start<TAB>end<TAB>label"
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_ALIKE = 0.8  # from which a name counts as misspelt: `vaild`, `tests`, `segment.tsv`
_NAMED = 3  # of the other recordings that cannot be used


def load(folder: str | Path, required: str = "train") -> Corpus[SpokenTerm]:
    """Reads a corpus of the user. Recordings are looked at, but not decoded yet; their speakers are not known.

    Recordings with the same content count as different ones. A segment that stands in several lines is kept once.

    Args:
        folder: holds the recordings; its name becomes the name of the corpus.
        required: the split that must be there: `train` for training, the one that is scored for an evaluation.

    Raises:
        DataError: if the folder cannot be read, holds no recordings or none of the required split, or has a name that
            is almost one of the layout; if a recording is empty, no audio, or cut off; if the segments cannot be read
            (see `read_terms`) or a split with recordings has none.
    """
    folder = Path(folder)
    names, others = find_recordings(folder)
    for name in names:
        if not is_utf_8(name):
            raise DataError(f"{folder} holds a recording whose name is not UTF-8, {name!a}: rename it")
    _check_names(folder)
    if not names:
        raise DataError(f"{folder} holds no recordings, expected files that end with {_ENDINGS}")
    notes = {OTHER_FILES: others}
    has_segments = (folder / SEGMENTS).exists()
    if has_segments:
        terms, repeated = read_terms(folder / SEGMENTS)
        cut = {term.recording.name for term in terms if term.recording}
        notes[WITHOUT_SEGMENT] = len(set(names) - cut)
        notes[REPEATED_SEGMENTS] = repeated
    else:
        terms = _whole(folder, names)
    splits = _splits(folder, names, terms)
    if required in SPLITS and required not in splits:
        place = "outside of its folders valid and test" if required == "train" else f"in its folder {required}"
        raise DataError(f"{folder} has no {required}, expected recordings {place}")
    return Corpus(
        name=folder.resolve().name,
        train=splits.get("train", []),
        valid=splits.get("valid"),
        test=splits.get("test"),
        description=f"{'Segments of recordings' if has_segments else 'Recordings'} in files of a folder.",
        licence="not stated: the user's own files",
        citation="",
        source=str(folder),
        notes={note: count for note, count in notes.items() if count},
    )


def find_recordings(folder: str | Path) -> tuple[list[str], int]:
    """The audio files of a folder at any depth, by their endings, which may be in capitals.

    Hidden files and folders are passed over; links to folders are followed.

    Args:
        folder: the folder.

    Returns:
        The paths relative to the folder, sorted, with `/` between their parts; and how many other files there are, but
        for documents such as a README and `segments.tsv`.

    Raises:
        DataError: if a folder cannot be read.
    """
    folder = Path(folder)
    names, others = [], 0
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in SUFFIXES:
            others += name != SEGMENTS and not is_document(path)
        else:
            names.append(name)
    return sorted(names), others


def is_utf_8(name: str) -> bool:
    """Whether the name of a file can be written down."""
    return name.encode("utf-8", errors="replace").decode() == name


class Segment(NamedTuple):
    """A line of `segments.tsv`.

    Args:
        line: its number, from 1.
        name: of the recording, relative to the folder.
        start: in seconds.
        end: in seconds.
        label: what is said, or `None`.
    """

    line: int
    name: str
    start: float
    end: float
    label: str | None


def read_segments(path: str | Path) -> tuple[list[Segment], int]:
    """Reads `segments.tsv`, in its order, without looking at the recordings.

    Args:
        path: the file.

    Returns:
        The segments, and how many lines were left out since they repeat another one.

    Raises:
        DataError: if the file is missing, empty, or not UTF-8; if a line has not three or four columns, a path that
            leaves the folder, a time that is no number, an end that is not after the start, or another label than the
            same segment has before.
    """
    first: dict[tuple[str, float, float], Segment] = {}
    repeated = 0
    for number, line in read_lines(Path(path)):
        try:
            segment = Segment(number, *_parse(line))
            known = first.setdefault(segment[1:4], segment)
            if known.label != segment.label:
                raise DataError(
                    f"the segment has the label {known.label or ''!r} in line {known.line}, got {segment.label or ''!r}"
                )
        except DataError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
        repeated += known is not segment
    if not first:
        raise DataError(f"{path} is empty, expected one {_LAYOUT} a line")
    return list(first.values()), repeated


def read_terms(path: str | Path) -> tuple[list[SpokenTerm], int]:
    """Reads the terms of `segments.tsv`, in its order.

    Args:
        path: the file; the recordings are found from its folder.

    Returns:
        The terms, and how many lines were left out since they repeat another one.

    Raises:
        DataError: as `read_segments` does; if a recording is missing or cannot be read, or a segment ends beyond it.
    """
    path = Path(path)
    segments, repeated = read_segments(path)
    words: dict[str, list[Occurrence]] = {}
    for _, name, start, end, label in segments:
        words.setdefault(name, []).extend([] if label is None else [Occurrence(label, start, end)])
    recordings: dict[str, tuple[Recording, float]] = {}
    terms = []
    for number, name, start, end, label in segments:
        file = path.parent / name
        try:
            if name not in recordings:
                recordings[name] = Recording(name, AudioFile(file), words=tuple(words[name])), check_audio(file)
            recording, seconds = recordings[name]
            check_inside(file, start, end, seconds)
        except DataError as error:
            raise DataError(f"{path}, line {number}: {error}") from error
        sound, place = AudioFile(file, start, end), f"{name}#t={start},{end}"  # as a media fragment of the W3C
        terms.append(SpokenTerm(place, sound, label, recording=recording, start=start, end=end))
    return terms, repeated


def _parse(line: str) -> tuple[str, float, float, str | None]:
    """The path without detours, the bounds in seconds, and the label."""
    if not line.strip():
        raise DataError(f"the line is empty, expected {_LAYOUT}")
    columns = [column.strip() for column in line.split("\t")]
    if len(columns) not in (3, 4):
        raise DataError(f"the line has {len(columns)} of the columns {_LAYOUT}")
    start, end = _seconds("start", columns[1]), _seconds("end", columns[2])
    if start < 0:
        raise DataError(f"the start must be 0 or more, got {columns[1]}")
    if end <= start:
        raise DataError(f"the end must be after the start, got {columns[1]} to {columns[2]}")
    return _relative(columns[0]), start, end, (columns[3] if len(columns) == 4 else "") or None


def _seconds(column: str, text: str) -> float:
    if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
        raise DataError(f"the {column} must be a number of seconds such as 1.25, got {text!r}")
    return float(text)


def _relative(path: str) -> str:
    if not path:
        raise DataError(f"the path is empty, expected {_LAYOUT}")
    if "\0" in path:
        raise DataError(f"{path!r} is not a path")
    if PurePosixPath(path).is_absolute():
        raise DataError(f"{path} is absolute, expected a path relative to the folder of this file")
    name = posixpath.normpath(path)
    if name.split("/")[0] == "..":
        raise DataError(f"{path} leaves the folder of this file")
    return name


def _files(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """All files but hidden ones; a link to a folder that it is inside of leads nowhere."""
    with file_errors(folder, "a folder"):
        real = folder.resolve()
        entries = [(entry, entry.is_dir()) for entry in folder.iterdir() if not entry.name.startswith(".")]
    for entry, is_folder in entries:
        if not is_folder:
            yield entry
        elif entry.resolve() not in above | {real}:
            yield from _files(entry, above | {real})


def _check_names(folder: Path) -> None:
    """Refuses names that are almost those of the layout: what lies there would count as train, or not at all."""
    for entry in sorted(folder.iterdir()):
        known = SPLITS[1:] if entry.is_dir() else (SEGMENTS,)
        meant = difflib.get_close_matches(entry.name.lower(), known, n=1, cutoff=_ALIKE)
        if meant and entry.name not in known and entry.name[0].lower() == meant[0][0]:  # not `latest`, `invalid`
            raise DataError(f"{entry} is not part of the layout; did you mean {meant[0]!r}?")


def _whole(folder: Path, names: Sequence[str]) -> list[SpokenTerm]:
    """A term of each recording."""
    errors = {}
    for name in names:
        try:
            check_audio(folder / name)
        except DataError as error:
            errors[name] = error
    if errors:
        first, *others = errors
        listed = ", ".join(others[:_NAMED]) + (f" and {len(others) - _NAMED} more" if len(others) > _NAMED else "")
        raise DataError(f"{errors[first]}{f'; nor can these be used: {listed}' if others else ''}") from errors[first]
    return [SpokenTerm(name, AudioFile(folder / name)) for name in names]


def _splits(folder: Path, names: Sequence[str], terms: Sequence[SpokenTerm]) -> dict[str, list[SpokenTerm]]:
    splits = {}
    for split in SPLITS:
        splits[split] = [term for term in terms if _split(term.name) == split]
        held = sum(_split(name) == split for name in names)
        if held and not splits[split]:
            raise DataError(f"{folder / SEGMENTS} has no segment of the {held} recordings of {split}")
        if split != "train" and (folder / split).is_dir() and not splits[split]:
            raise DataError(f"{folder / split} holds no recordings, expected files that end with {_ENDINGS}")
    return {split: chosen for split, chosen in splits.items() if chosen}


def _split(name: str) -> str:
    top, slash, _ = name.partition("/")
    return top if slash and top in SPLITS else "train"
