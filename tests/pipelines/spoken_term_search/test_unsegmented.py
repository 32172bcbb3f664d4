"""What counts as found in whole recordings."""

from __future__ import annotations

import numpy as np
import pytest

from seqloom.datasets.audio import Waveform
from seqloom.datasets.spoken_term import Occurrence, Recording, SpokenTerm
from seqloom.pipelines.spoken_term_search.config import Config
from seqloom.pipelines.spoken_term_search.unsegmented import (
    Place,
    Windows,
    add_unsegmented,
    found,
    measures,
    recordings_of,
    searched,
)
from seqloom.pipelines.spoken_term_search.warping import places

SOUND = Waveform(np.zeros(10, np.float32), 8000)


def recording(speaker: str, *words: Occurrence, name: str = "") -> Recording:
    return Recording(name or speaker, SOUND, speaker, words)


def test_places_find_each_occurrence_once() -> None:
    ann = recording("ann", Occurrence("go", 1, 2), Occurrence("go", 5, 6), Occurrence("left", 3, 4))
    bob = recording("bob", Occurrence("go", 0, 1))
    eve = recording("eve", Occurrence("go", 0, 1))
    places = [
        Place(0, 1.1, 1.9, 0.9),  # right
        Place(0, 1.0, 1.8, 0.8),  # the same place again
        Place(0, 3.0, 4.0, 0.7),  # another word
        Place(1, 0.2, 3.0, 0.6),  # the middle of the word lies in it
        Place(2, 0.0, 1.0, 2.0),  # the query's own speaker
        Place(0, 5.9, 6.3, 0.5),  # beside it
        Place(0, 5.0, 6.0, 0.4),  # right, but the fifth
    ]
    assert found("go", "eve", [ann, bob, eve], places) == {"occurrences": 3, "right": 2, "found": 3}
    assert found("go", "eve", [ann, bob, eve], []) == {"occurrences": 3, "right": 0, "found": 0}


def test_only_words_of_many_other_speakers_are_searched() -> None:
    many = [recording(f"s{i}", Occurrence("go", 0, 1)) for i in range(6)]
    few = [recording(f"t{i}", Occurrence("left", 0, 1), name=f"{i}-{j}") for i in range(4) for j in range(5)]
    queries = [("go", "new"), ("left", "new"), (None, "new"), ("go", None), ("go", "s0")]
    assert searched(queries, [*many, *few]) == [0, 4]
    assert searched([("go", "s0")], many[:5]) == []


def test_measures_are_means_over_words() -> None:
    rows = [
        {"label": "go", "unsegmented": {"occurrences": 4, "right": 1, "found": 2}},
        {"label": "go", "unsegmented": {"occurrences": 4, "right": 3, "found": 4}},
        {"label": "left", "unsegmented": {"occurrences": 10, "right": 1, "found": 5}},
        {"label": "stop"},
    ]
    assert measures(rows) == {"go": (0.5, 0.75), "left": (0.1, 0.5)}


def test_vectors_and_warping_find_a_sound_in_noise() -> None:
    """A chirp in the middle of two seconds, by the windows around it and by its frames."""
    rate, draw = 8000, np.random.default_rng(0)
    times = np.arange(rate // 2) / rate
    chirp = (0.5 * np.sin(2 * np.pi * (300 + 1200 * times) * times)).astype(np.float32)
    samples = draw.normal(scale=0.02, size=2 * rate).astype(np.float32)
    samples[rate : rate + len(chirp)] += chirp
    said = Recording("a", Waveform(samples, rate), "ann", (Occurrence("chirp", 1.0, 1.5),))
    windows = Windows([said], Config(sampling_rate=rate, window_seconds=[0.5], window_hop=0.1))
    assert max(map(len, windows.samples)) == rate // 2
    scores = np.array([float(np.square(each).sum()) for each in windows.samples])
    assert found("chirp", "bob", [said], windows.places(scores))["right"] == 1

    spectra = [np.abs(np.fft.rfft(part.reshape(-1, 80), axis=1))[:, :20] for part in (chirp, samples)]
    warped = places(spectra[0], [spectra[1]], frame_seconds=0.01)
    best = max(warped, key=lambda place: place.score)
    assert (best.start, best.end) == (pytest.approx(1.0, abs=0.05), pytest.approx(1.5, abs=0.05))


def test_rows_that_cannot_be_searched_stay_as_they_are() -> None:
    many = [recording(f"s{i}", Occurrence("go", 0, 1)) for i in range(5)]
    rows = [{"label": "go", "speaker": "x", "error": ""}, {"label": "go", "speaker": "x", "error": "silent"}]
    add_unsegmented(rows, many, lambda place: [Place(0, 0.0, 1.0, 1.0)])
    assert rows[0]["unsegmented"] == {"occurrences": 5, "right": 1, "found": 1}
    assert "unsegmented" not in rows[1]
    terms = [SpokenTerm(f"{i}", SOUND, "go", "s0", recording=many[0], end=0.5) for i in range(3)]
    assert recordings_of([*terms, SpokenTerm("x", SOUND)]) == [many[0]]
