"""The simple methods of speech recognition."""

import numpy as np
import pytest
import scipy.signal
import soundfile

from seqloom.datasets.audio import FrameMatrix
from seqloom.datasets.utterance import Utterance
from seqloom.pipelines.speech_recognition.baselines import SEGMENTS, baselines, segment_means
from seqloom.pipelines.speech_recognition.evaluation import score

FREQUENT, NEAREST = "most frequent transcript", "nearest training recording"


def spoken(transcript, frames, name="a", speaker=None):
    return Utterance(name, transcript, FrameMatrix(np.asarray(frames, dtype=np.float32)), speaker)


def frames_of(utterances):
    return [utterance.sound.frames for utterance in utterances]


def answers(train, test, lowercase=True):
    return baselines(train, test, frames_of, 0.01, lowercase)


def rising(length, loudness=1.0, offset=0.0):
    """A sound whose two bands rise and fall."""
    time = np.linspace(0, 1, length)
    return offset + loudness * np.stack([time, 1 - time**2], axis=1)


def falling(length, loudness=1.0, offset=0.0):
    return rising(length, loudness, offset)[::-1]


TRAIN = [spoken("Up", rising(40)), spoken("down", falling(30)), spoken("up", rising(25))]


def texts(rows):
    return [row["predicted"]["text"] for row in rows]


def test_the_most_frequent_transcript_answers_everything():
    [row] = answers(TRAIN, [spoken("Down", falling(50), "b.wav", "ann")])[FREQUENT]
    assert row == {
        "name": "b.wav",
        "speaker": "ann",
        "seconds": pytest.approx(0.5),
        "gold": {"text": "down"},
        "predicted": {
            "text": "up",
            "confidence": pytest.approx(2 / 3),
            "words": ["up"],
            "word_confidences": [],
            "word_starts": [],
            "word_ends": [],
            "error": "",
        },
    }


def test_case_counts_where_it_is_kept():
    [row] = answers(TRAIN, [spoken("Down", falling(50))], lowercase=False)[FREQUENT]
    assert (row["gold"]["text"], row["predicted"]["text"]) == ("Down", "Up")


@pytest.mark.parametrize("length", [1, 3, 29, 200])
def test_the_nearest_recording_is_found_whatever_its_speed_loudness_and_offset(length):
    test = [spoken("up", rising(length, 7.0, -3.0)), spoken("down", falling(length, 0.2, 5.0))]
    rows = answers(TRAIN, test)[NEAREST]
    assert len(texts(rows)) == 2
    if length > 1:  # a single frame has nothing but its loudness
        assert texts(rows) == ["up", "down"]
        assert score(rows, resamples=0).metrics == {"wer": 0, "cer": 0, "ser": 0}
    assert all(0 <= row["predicted"]["confidence"] <= 1 for row in rows)


def test_confidence_is_higher_for_what_is_nearer():
    rng = np.random.default_rng(0)
    near, far = rising(40) + 0.01 * rng.normal(size=(40, 2)), rng.normal(size=(40, 2))
    rows = answers(TRAIN, [spoken("up", near), spoken("up", far)])[NEAREST]
    assert rows[0]["predicted"]["confidence"] > 0.99 > rows[1]["predicted"]["confidence"]


def test_an_answer_does_not_depend_on_the_other_recordings():
    test = [spoken("up", rising(33)), spoken("down", falling(21)), spoken("up", np.ones((5, 2)))]
    for name, rows in answers(TRAIN, test).items():
        for utterance, row in zip(test, rows, strict=True):
            [alone] = answers(TRAIN, [utterance])[name]
            assert alone["predicted"]["text"] == row["predicted"]["text"]
            assert alone["predicted"]["confidence"] == pytest.approx(row["predicted"]["confidence"])


def test_no_test_utterances_have_no_rows():
    assert answers(TRAIN, []) == {FREQUENT: [], NEAREST: []}


@pytest.mark.parametrize("length", [1, 7, 10, 64])
def test_segment_means_equal_those_of_frames_repeated(length):
    frames = np.random.default_rng(length).normal(size=(length, 3))
    fine = np.repeat(frames, SEGMENTS, axis=0).reshape(SEGMENTS, length, 3).mean(axis=1)
    np.testing.assert_allclose(segment_means(frames, SEGMENTS), fine, atol=1e-12)


@pytest.mark.real_data
def test_spoken_digits_are_told_apart_by_their_nearest_recordings(data_dir):
    """Of one speaker, by spectrograms."""
    words = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    parts = [
        [
            spoken(word, spectrogram(data_dir / "fsdd" / "recordings" / f"{digit}_jackson_{index}.wav"))
            for digit, word in enumerate(words)
            for index in indices
        ]
        for indices in (range(5, 15), range(5))
    ]
    rows = answers(*parts)
    assert score(rows[FREQUENT], resamples=0).metrics["ser"] == pytest.approx(0.9)
    assert score(rows[NEAREST], resamples=0).metrics["ser"] < 0.15


def spectrogram(path):
    samples, rate = soundfile.read(path, dtype="float32")
    power = scipy.signal.spectrogram(samples, rate, nperseg=200, noverlap=120)[2]
    return np.log(power + 1e-9).T
