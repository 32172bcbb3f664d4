"""What a report wants to know of a few queries beside their vectors: restorations, sounds, and times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from ...datasets.audio import Waveform
from ...datasets.corpus import DataError
from ..audio import extract_features, waveform_request
from ..audio_config import AudioConfig
from ..corpora import evenly_spread
from ..pipeline import Call, Row
from ..reporting.packing import loudness, packed, packed_sound
from .judgement import worth_hearing, worth_restoring
from .timing import milliseconds

TIMED = 5  # queries
LONGEST = 40_000  # samples that are kept of a sound: 5 seconds at 8 kHz
PLAYED_HITS = 5  # of a query

Request: TypeAlias = Mapping[str, Any]


def add_restorations(
    rows: Sequence[Row], requests: Sequence[Request | DataError], config: AudioConfig, call: Call
) -> None:
    """Gives the rows that the report shows their frames, what is restored of these, and their sound.

    Args:
        rows: with `restoration_error`; without it nothing is done.
        requests: what was asked, one for each row.
        config: of the features.
        call: lets the signature `restored` answer.
    """
    places = list(worth_restoring(rows).values())
    if not places:
        return
    answers = call("restored", [requests[place] for place in places])
    for place, answer in zip(places, answers, strict=True):
        wanted, restored = (np.array(answer[name], np.float64)[: answer["frames"]] for name in ("wanted", "restored"))
        static = config.features_of_a_frame  # derivatives stand behind
        rows[place]["restoration"] = {
            "wanted": packed(loudness(wanted[:, :static])),
            "restored": packed(loudness(restored[:, :static], like=wanted[:, :static])),
            "variance": float(wanted.var()),
            "frame_seconds": config.frame_seconds,
            "features": config.features,
        }
        rows[place]["audio"] = _sound(requests[place], config)


def add_sounds(
    rows: Sequence[Row],
    requests: Sequence[Request | DataError],
    archive_requests: Sequence[Request],
    config: AudioConfig,
) -> None:
    """Gives the queries whose hits the report lets one hear their sound, and that of their first hits.

    Args:
        rows: with `hits`, each of which has its `place` in the archive.
        requests: what was asked, one for each row.
        archive_requests: the same of the archive.
        config: of the features.
    """
    for place in worth_hearing(rows).values():
        rows[place]["audio"] = _sound(requests[place], config)
        for hit in rows[place]["hits"][:PLAYED_HITS]:
            hit["audio"] = _sound(archive_requests[hit["place"]], config)


def add_times(
    rows: Sequence[Row],
    requests: Sequence[Request | DataError],
    vectors: np.ndarray,
    cepstra: Sequence[np.ndarray],
    config: AudioConfig,
    call: Call,
) -> None:
    """Gives a few queries the `milliseconds` that a search for each takes, by vectors and by warping.

    Args:
        rows: with `error`.
        requests: what was asked, one for each row.
        vectors: float32 array `(archive, d)`.
        cepstra: of the archive, `(frames, size)` each.
        config: of the cepstra.
        call: lets the signature `serving_default` answer.
    """
    timed = evenly_spread([place for place, row in enumerate(rows) if not row["error"]], TIMED)
    sounds = [np.asarray(cast(Request, requests[place])["waveform"], np.float32) for place in timed]

    def encode(samples: np.ndarray) -> np.ndarray:
        (answer,) = call("serving_default", [waveform_request(samples)])
        return np.asarray(answer["embedding"], np.float32)

    times = milliseconds(sounds, [extract_features(each, config) for each in sounds], vectors, cepstra, encode)
    for place, each in zip(timed, times, strict=True):
        rows[place]["milliseconds"] = each


def _sound(request: Request | DataError, config: AudioConfig) -> str:
    samples = cast(Request, request)["waveform"]  # a row without one has an error, and is not shown
    return packed_sound(Waveform(np.asarray(samples, np.float32), config.sampling_rate), LONGEST)
