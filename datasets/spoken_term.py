"""The example of spoken term search: a short stretch of sound, usually a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .audio import Sound, check_bounds


class Occurrence(NamedTuple):
    """A word in a recording.

    Args:
        label: the word.
        start: where it begins, in seconds.
        end: where it ends, in seconds.
    """

    label: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Recording:
    """What terms are cut from.

    Args:
        name: what tells the recording from the others of its corpus, such as the path of its file.
        sound: all of it.
        speaker: who speaks, or `None` if the corpus does not tell.
        words: all that is known to be said in it, terms or not, in any order.

    Raises:
        ValueError: if the name is empty.
    """

    name: str
    sound: Sound
    speaker: str | None = None
    words: tuple[Occurrence, ...] = ()

    def __post_init__(self) -> None:
        _check_name(self.name)


@dataclass(frozen=True, slots=True)
class SpokenTerm:
    """Something that one may search, or find.

    Args:
        name: what tells the term from the others of its corpus.
        sound: the term alone.
        label: which terms are the same, such as the word; `None` if nobody knows. It is needed for scores alone.
        speaker: who says it, or `None` if the corpus does not tell.
        phonemes: of which it consists, such as those of ARPABET in small letters; empty if nobody knows.
        recording: from which the term was cut, or `None` if the sound is all there is.
        start: where the term begins in the recording, in seconds.
        end: where it ends in the recording, in seconds; `None` is the end of the recording.
        by_speaker: whether all terms of a speaker stay in one split, since the corpus is about new speakers.

    Raises:
        ValueError: if the name is empty, or the label is (`None` stands for none); if the bounds are not finite, not
            `0 <= start < end`, or there is no recording that they are of.

    Example:
        >>> import numpy as np
        >>> from seqloom.datasets.audio import Waveform
        >>> said = Recording("a.wav", Waveform(np.zeros(8000, np.float32), 8000))
        >>> term = SpokenTerm("a.wav, word 2", Waveform(np.zeros(4000, np.float32), 8000), "left", None, (), said, 0.5)
        >>> term.label, term.group
        ('left', 'a.wav')
    """

    name: str
    sound: Sound
    label: str | None = None
    speaker: str | None = None
    phonemes: tuple[str, ...] = ()
    recording: Recording | None = None
    start: float = 0.0
    end: float | None = None
    by_speaker: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        if self.label is not None and not self.label.strip():
            raise ValueError(f"label must be None or at least one letter, got {self.label!r} for {self.name}")
        check_bounds(self.start, self.end)
        if self.recording is None and (self.start != 0 or self.end is not None):
            raise ValueError(f"start and end must be those in a recording, got {self.name} without a recording")

    @property
    def group(self) -> str:
        """Terms of one group stay in one split when a validation set is cut from train.

        The speaker if splits are cut by speaker and this one is known, else the recording, else the term alone.
        """
        if self.by_speaker and self.speaker:
            return self.speaker
        return self.recording.name if self.recording else self.name


def _check_name(name: str) -> None:
    if not name:
        raise ValueError("name must not be empty")
