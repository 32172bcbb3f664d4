"""What a report keeps of a few recordings: their sound, their spectrogram and the network's posteriors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.fft import idct

from ...datasets.audio import Waveform
from ..reporting.packing import loudness, packed, packed_sound
from .judgement import Row, judge, worst_first

SHOWN_WORST = 6
SHOWN_RIGHT = 2
LONGEST = 12.0  # seconds that are kept of a recording


def worth_inspecting(rows: Sequence[Row]) -> list[int]:
    """Places of the rows that a report shows with sound and figure: the worst ones, then some right ones.

    The worst have the most wrong words, of equals those whose confidence is least. What was answered with an error has
    nothing to show.

    Args:
        rows: lines of `predictions.jsonl`.
    """
    judgements = judge(rows)
    right = [place for place, judgement in enumerate(judgements) if not judgement.edits and not judgement.failed]
    some = np.unique(np.linspace(0, max(len(right) - 1, 0), SHOWN_RIGHT).round().astype(int))[: len(right)]
    return [*worst_first(judgements)[:SHOWN_WORST], *(right[at] for at in some)]


def inspection(
    features: np.ndarray,
    posteriors: np.ndarray,
    labels: Sequence[str],
    frame_seconds: float,
    subsampling: int = 1,
    waveform: Waveform | None = None,
) -> dict[str, Any]:
    """Packs what is shown of a recording; of a long one the first `LONGEST` seconds.

    Args:
        features: float array `(frames, bands)`, logarithmic energies; of cepstra, what `envelope` makes of them. They
            are scaled to what lies between the faintest and the loudest one.
        posteriors: float array `(steps, labels)`, probabilities.
        labels: what the posteriors are of, the blank last.
        frame_seconds: from one frame of `features` to the next.
        subsampling: int. Frames of `features` for each step of `posteriors`.
        waveform: the sound, if there is any.

    Returns:
        The dictionary that stands under `inspection` in a row.

    Raises:
        ValueError: if there are not as many labels as columns of posteriors.
    """
    if posteriors.ndim != 2 or posteriors.shape[1] != len(labels):
        raise ValueError(f"posteriors must have shape (steps, {len(labels)}), got {posteriors.shape}")
    steps = max(1, round(LONGEST / (frame_seconds * subsampling)))
    frames = np.asarray(features, dtype=np.float64)[: steps * subsampling]
    return {
        "audio": None if waveform is None else packed_sound(waveform, round(LONGEST * waveform.rate)),
        "labels": list(labels),
        "frame_seconds": frame_seconds,
        "subsampling": subsampling,
        "features": packed(loudness(frames)),
        "posteriors": packed(posteriors[:steps]),
    }


def envelope(cepstra: np.ndarray, bands: int = 40) -> np.ndarray:
    """The smooth spectrum that cepstra describe, for a picture: their inverse discrete cosine transform.

    Args:
        cepstra: float array `(frames, coefficients)`, without slopes and before any normalisation.
        bands: int. Of the spectrum.

    Returns:
        float array `(frames, bands)`.

    Example:
        >>> envelope(np.array([[2.0, 0.0, 0.0]]), bands=4).round(6).tolist()
        [[1.0, 1.0, 1.0, 1.0]]
    """
    return idct(cepstra, n=bands, axis=1, norm="ortho")
