"""Search in whole recordings, where nobody has cut the words out: what is found of the words that many speakers say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...datasets.spoken_term import Occurrence, Recording, SpokenTerm
from ..audio import waveform
from .archive.windows import best_of_overlapping, voiced_windows
from .config import Config

SPEAKERS = 5  # who say a word at least, for it to be searched
FURTHER = 5  # times as many hits as there are occurrences are looked through for the share that is found


class Place(NamedTuple):
    """A stretch of a recording.

    Args:
        recording: its number.
        start: in seconds.
        end: in seconds.
        score: more is more alike.
    """

    recording: int
    start: float
    end: float
    score: float


Search = Callable[[int], Sequence[Place]]


def recordings_of(terms: Sequence[SpokenTerm]) -> list[Recording]:
    """The recordings from which terms were cut, each once."""
    return list({term.recording.name: term.recording for term in terms if term.recording is not None}.values())


def searched(queries: Sequence[tuple[str | None, str | None]], recordings: Sequence[Recording]) -> list[int]:
    """The places of the queries, as pairs of label and speaker, whose word enough speakers say in recordings."""
    speakers: dict[str, set[str]] = {}
    for recording in recordings:
        for word in recording.words if recording.speaker else ():
            speakers.setdefault(word.label, set()).add(str(recording.speaker))
    return [
        place
        for place, (label, speaker) in enumerate(queries)
        if label is not None and speaker is not None and len(speakers.get(label, set()) - {speaker}) >= SPEAKERS
    ]


def found(label: str, speaker: str, recordings: Sequence[Recording], places: Sequence[Place]) -> dict[str, int]:
    """What a query has found of the occurrences of its word that other speakers say.

    Of places that overlap by more than half of the shorter one the best stands for all. A place is right if its middle
    lies in an occurrence that no better place has found, or the middle of the occurrence in it.

    Args:
        label: of the query.
        speaker: of the query, whose own recordings are left out.
        recordings: that were searched.
        places: in any order.

    Returns:
        `occurrences`, how many there are; `right`, how many are found by as many places, and `found` by `FURTHER` times
        as many.
    """
    truth: dict[int, list[Occurrence]] = {}
    for number, recording in enumerate(recordings):
        if recording.speaker != speaker:
            truth[number] = [word for word in recording.words if word.label == label]
    count = sum(map(len, truth.values()))
    table = np.array([place for place in places if place.recording in truth], float).reshape(-1, 4)
    table = table[np.argsort(-table[:, 3], kind="stable")]
    table = table[best_of_overlapping(table[:, 0].astype(int), table[:, 1], table[:, 2])]
    hits = []
    for number, start, end, _ in table[: FURTHER * count]:
        left = truth[int(number)]
        word = next((each for each in left if _meet(each, start, end)), None)
        hits.append(word is not None)
        if word is not None:
            left.remove(word)
    return {"occurrences": count, "right": sum(hits[:count]), "found": sum(hits)}


class Windows:
    """The voiced stretches of recordings, cut into windows as an index cuts them.

    Args:
        recordings: to be searched.
        config: sampling rate and windows.

    Attributes:
        samples: float32 array of each window.
    """

    def __init__(self, recordings: Sequence[Recording], config: Config) -> None:
        rate, self.samples, self._bounds = config.sampling_rate, [], []
        for number, recording in enumerate(recordings):
            samples = waveform(recording.sound, rate)
            windows = voiced_windows(samples, rate, config.window_seconds, config.window_hop)
            for start, end in windows.tolist():
                self._bounds.append((number, start / rate, end / rate))
                self.samples.append(samples[start:end])

    def places(self, scores: np.ndarray) -> list[Place]:
        """The windows with their scores, float array `(windows,)`."""
        return [Place(*bounds, float(score)) for bounds, score in zip(self._bounds, scores, strict=True)]


def add_unsegmented(rows: Sequence[dict[str, Any]], recordings: Sequence[Recording], search: Search) -> None:
    """Adds to the rows that can be searched for what is found in whole recordings.

    Args:
        rows: with `label`, `speaker` and `error`.
        recordings: the archive.
        search: gives, for the place of a row, where it may occur.
    """
    queries = [(None if row["error"] else row["label"], row["speaker"]) for row in rows]
    for place in searched(queries, recordings):
        label, speaker = queries[place]
        rows[place]["unsegmented"] = found(str(label), str(speaker), recordings, search(place))


def measures(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Precision at the number of occurrences, and the share that is found, of each word, means over its queries."""
    words: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if "unsegmented" in row:
            result = row["unsegmented"]
            shares = result["right"] / result["occurrences"], result["found"] / result["occurrences"]
            words.setdefault(row["label"], []).append(shares)
    return {
        word: (float(np.mean([one for one, _ in shares])), float(np.mean([other for _, other in shares])))
        for word, shares in sorted(words.items())
    }


def _meet(word: Occurrence, start: float, end: float) -> bool:
    return word.start <= (start + end) / 2 < word.end or start <= (word.start + word.end) / 2 < end
