"""The simple methods that a speech recogniser has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
from sklearn.metrics import pairwise_distances_argmin_min

from ...datasets.utterance import Utterance
from .judgement import Row
from .transcripts import normal_transcripts

SEGMENTS = 10  # of equal length, by whose means a recording is known


def baselines(
    train: Sequence[Utterance],
    test: Sequence[Utterance],
    frames: Callable[[Sequence[Utterance]], Sequence[np.ndarray]],
    frame_seconds: float,
    lowercase: bool,
) -> dict[str, list[Row]]:
    """Lets simple methods answer `test`.

    - `most frequent transcript`: that of train, the first one of equally frequent ones.
    - `nearest training recording`: the transcript of the training utterance whose features resemble most. What is
      compared, by the angle between them, are means over `SEGMENTS` stretches of equal length, so that it matters less
      how fast somebody spoke, of features with mean 0 and variance 1 over the utterance, so that loudness and
      microphone matter less. It can answer nothing but whole transcripts of train; its confidence is the cosine.

    Neither method tells words apart in time: there are no confidences and no times of words.

    Args:
        train: utterances whose transcripts are known.
        test: utterances to be answered.
        frames: gives the features `(time, coefficients)` of each of some utterances.
        frame_seconds: from one frame to the next.
        lowercase: whether transcripts are read in lower case.

    Returns:
        For each method the rows of its predictions, as in `predictions.jsonl`.
    """
    if not test:
        return {"most frequent transcript": [], "nearest training recording": []}
    texts, gold = (normal_transcripts([one.transcript for one in part], lowercase) for part in (train, test))
    heard = frames(test)
    seconds = [frame_seconds * len(each) for each in heard]
    [(transcript, count)] = Counter(texts).most_common(1)
    nearest, distances = pairwise_distances_argmin_min(_vectors(heard), _vectors(frames(train)), metric="cosine")
    answers = {
        "most frequent transcript": [(transcript, count / len(train))] * len(test),
        "nearest training recording": [
            (texts[place], float(np.clip(1 - distance, 0, 1)))
            for place, distance in zip(nearest, distances, strict=True)
        ],
    }
    return {
        name: [_row(*each) for each in zip(test, gold, seconds, answered, strict=True)]
        for name, answered in answers.items()
    }


def _vectors(matrices: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([segment_means(_normalised(frames), SEGMENTS).ravel() for frames in matrices])


def _normalised(frames: np.ndarray) -> np.ndarray:
    deviation = frames.std(axis=0)
    return (frames - frames.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


def segment_means(frames: np.ndarray, segments: int) -> np.ndarray:
    """Means over stretches of equal length, whose borders may lie inside a frame.

    Args:
        frames: float array `(time, coefficients)`, at least one frame.
        segments: int.

    Returns:
        float64 array `(segments, coefficients)`.

    Example:
        >>> segment_means(np.array([[1.0], [2.0], [6.0]]), 2).round(3).tolist()
        [[1.333], [4.667]]
    """
    sums = np.concatenate([np.zeros((1, frames.shape[1])), np.cumsum(frames, axis=0, dtype=np.float64)])
    borders = np.linspace(0, len(frames), segments + 1)
    before = np.minimum(borders.astype(int), len(frames) - 1)
    until = sums[before] + (borders - before)[:, None] * (sums[before + 1] - sums[before])
    return np.diff(until, axis=0) * segments / len(frames)


def _row(utterance: Utterance, gold: str, seconds: float, answer: tuple[str, float]) -> Row:
    transcript, confidence = answer
    return {
        "name": utterance.name,
        "speaker": utterance.speaker,
        "seconds": seconds,
        "gold": {"text": gold},
        "predicted": {
            "text": transcript,
            "confidence": confidence,
            "words": transcript.split(),
            "word_confidences": [],
            "word_starts": [],
            "word_ends": [],
            "error": "",
        },
    }
