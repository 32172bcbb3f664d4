"""The example of speech recognition."""

from __future__ import annotations

from dataclasses import dataclass

from .audio import Sound


@dataclass(frozen=True, slots=True)
class Utterance:
    """What somebody said, as sound and as text.

    Args:
        name: what tells the utterance from the others of its corpus, such as the path of its file.
        transcript: what was said, as the corpus writes it; not only white space.
        sound: what it sounds like.
        speaker: who said it, or `None` if the corpus does not tell.
        by_speaker: whether all utterances of a speaker stay in one split, since the corpus is about new speakers.

    Raises:
        ValueError: if the name is empty, or the transcript has no word.

    Example:
        >>> import numpy as np
        >>> from seqloom.datasets.audio import Waveform
        >>> Utterance("a.wav", "go left", Waveform(np.zeros(4000, np.float32), 8000), speaker="ann").group
        'a.wav'
    """

    name: str
    transcript: str
    sound: Sound
    speaker: str | None = None
    by_speaker: bool = False

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("name must not be empty")
        if not self.transcript.strip():
            raise ValueError(f"transcript must have at least one word, got {self.transcript!r} for {self.name}")

    @property
    def group(self) -> str:
        """Utterances of one group stay in one split when a validation set is cut from train.

        The speaker if splits are cut by speaker and this one is known, else the utterance alone.
        """
        return self.speaker if self.by_speaker and self.speaker else self.name
