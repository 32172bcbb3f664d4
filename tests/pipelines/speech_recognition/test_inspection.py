"""What is kept of recordings: which ones, and that packing loses next to nothing."""

import base64
import io
import json

import numpy as np
import pytest
import scipy.fft
import soundfile

from seqloom.datasets.audio import Waveform
from seqloom.pipelines.reporting.packing import unpacked
from seqloom.pipelines.speech_recognition.inspection import (
    LONGEST,
    SHOWN_RIGHT,
    SHOWN_WORST,
    envelope,
    inspection,
    worth_inspecting,
)

LABELS = ["a", "b", " ", "blank"]


def row(gold, heard, confidence=0.5, error=""):
    answer = {"text": heard, "confidence": confidence, "error": error}
    words = {name: [] for name in ("words", "word_confidences", "word_starts", "word_ends")}
    return {"name": gold, "speaker": None, "seconds": 1.0, "gold": {"text": gold}, "predicted": answer | words}


def packed(seconds=1.0, waveform=None, rng=0):
    rng = np.random.default_rng(rng)
    frames, steps = round(100 * seconds), round(50 * seconds)
    return inspection(
        rng.normal(-5, 3, (frames, 40)), rng.dirichlet(np.ones(4), steps), LABELS, 0.01, 2, waveform=waveform
    )


def test_the_worst_are_taken_by_errors_then_by_doubt_then_some_right_ones():
    rows = [
        row("a a", "a a"),
        row("a a", "a b", confidence=0.9),
        row("a a", "b b"),
        row("a a", "a b", confidence=0.1),
        row("a a a", "", error="the recording is empty"),
        row("b", "b"),
        row("a b", "a b"),
    ]
    assert worth_inspecting(rows) == [2, 3, 1, 0, 6]


def test_no_more_are_taken_than_a_report_shows():
    many = [row("a", "b")] * 30 + [row("a", "a")] * 30
    chosen = worth_inspecting(many)
    assert len(chosen) == SHOWN_WORST + SHOWN_RIGHT <= 8
    assert chosen[-SHOWN_RIGHT:] == [30, 59]
    assert worth_inspecting([row("a", "a")]) == [0]
    assert worth_inspecting([row("a", "", error="no")]) == worth_inspecting([]) == []


def test_posteriors_come_back_to_one_part_in_255():
    posteriors = np.random.default_rng(1).dirichlet(np.ones(4), 30)
    kept = json.loads(json.dumps(inspection(np.zeros((60, 2)), posteriors, LABELS, 0.01, 2)))
    np.testing.assert_allclose(unpacked(kept["posteriors"]), posteriors, atol=0.5 / 255 + 1e-9)
    assert (kept["labels"], kept["frame_seconds"], kept["subsampling"], kept["audio"]) == (LABELS, 0.01, 2, None)


def test_features_keep_their_order_between_faint_and_loud():
    features = np.linspace(-13, 5, 4000).reshape(100, 40)
    loudness = unpacked(inspection(features, np.ones((50, 1)), ["blank"], 0.01, 2)["features"])
    assert (loudness.min(), loudness.max()) == (0, 1)
    assert (np.diff(loudness.ravel()) >= 0).all()


def test_constant_features_are_silence():
    assert not unpacked(inspection(np.full((4, 3), 7.0), np.ones((2, 1)), ["blank"], 0.01, 2)["features"]).any()


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_sound_is_a_wav_file_of_the_same_samples(rate):
    samples = np.random.default_rng(0).uniform(-1, 1, rate // 2).astype(np.float32)
    kept = packed(waveform=Waveform(samples, rate))
    read, read_rate = soundfile.read(io.BytesIO(base64.b64decode(kept["audio"])))
    assert read_rate == rate
    np.testing.assert_allclose(read, samples, atol=1e-4)


def test_samples_that_clip_do_not_wrap_around():
    kept = packed(waveform=Waveform(np.array([2.0, -2.0], np.float32), 8000))
    read, _ = soundfile.read(io.BytesIO(base64.b64decode(kept["audio"])))
    np.testing.assert_allclose(read, [1, -1], atol=1e-4)


def test_of_long_recordings_the_beginning_is_kept():
    rate = 100
    long = packed(600.0, waveform=Waveform(np.zeros(600 * rate, np.float32), rate))
    assert long["features"]["shape"] == [100 * LONGEST, 40]
    assert long["posteriors"]["shape"] == [50 * LONGEST, 4]
    assert soundfile.info(io.BytesIO(base64.b64decode(long["audio"]))).duration == LONGEST


def test_labels_and_posteriors_must_fit():
    with pytest.raises(ValueError, match=r"posteriors must have shape \(steps, 2\), got \(5, 3\)"):
        inspection(np.zeros((10, 4)), np.zeros((5, 3)), ["a", "blank"], 0.01)


def test_the_envelope_of_all_cepstra_is_the_spectrum_itself():
    spectrum = np.random.default_rng(0).normal(size=(5, 40))
    cepstra = scipy.fft.dct(spectrum, axis=1, norm="ortho")
    np.testing.assert_allclose(envelope(cepstra), spectrum, atol=1e-12)
    smooth = envelope(cepstra[:, :13])
    assert smooth.shape == (5, 40)
    assert np.abs(smooth - spectrum).mean() < np.abs(spectrum).mean()
