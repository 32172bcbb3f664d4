from __future__ import annotations

import os
import struct
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.audio_file import check_audio, read_audio
from seqloom.datasets.corpus import DataError

RATE = 8000
RANDOM = np.random.default_rng(0)
SAMPLES = (0.3 * RANDOM.standard_normal(4000)).clip(-1, 1).astype(np.float32)


def write(path: Path, samples: np.ndarray = SAMPLES, rate: int = RATE, subtype: str | None = None) -> Path:
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


@pytest.mark.parametrize(
    ("name", "subtype", "tolerance"),
    [
        ("a.wav", "PCM_16", 2**-15),
        ("a.wav", "PCM_U8", 2**-7),
        ("a.wav", "PCM_24", 2**-23),
        ("a.wav", "PCM_32", 2**-24),
        ("a.wav", "FLOAT", 0),
        ("a.wav", "DOUBLE", 0),
        ("a.wav", "ULAW", 0.03),
        ("a.flac", "PCM_16", 2**-15),
        ("a.aiff", "PCM_16", 2**-15),
        ("a.ogg", "VORBIS", None),
        ("a.mp3", "MPEG_LAYER_III", None),
    ],
)
def test_any_format_is_read(tmp_path, name, subtype, tolerance):
    path = write(tmp_path / name, subtype=subtype)
    check_audio(path)
    sound = read_audio(path)
    assert sound.rate == RATE
    assert sound.samples.shape == SAMPLES.shape
    if tolerance is not None:
        np.testing.assert_allclose(sound.samples, SAMPLES, rtol=0, atol=tolerance)


def test_integers_are_scaled_by_their_depth(tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(struct.pack("<4h", -32768, -1, 0, 16384))
    np.testing.assert_array_equal(read_audio(tmp_path / "a.wav").samples, np.float32([-1, -(2**-15), 0, 0.5]))


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000, 96000])
def test_channels_become_their_mean_and_the_rate_stays(tmp_path, rate):
    channels = RANDOM.uniform(-1, 1, (3000, 2)).astype(np.float32)
    sound = read_audio(write(tmp_path / "a.wav", channels, rate, "FLOAT"))
    assert sound.rate == rate
    np.testing.assert_allclose(sound.samples, channels.mean(axis=1), atol=1e-7)


def test_floats_beyond_full_scale_stay_as_they_are(tmp_path):
    sound = read_audio(write(tmp_path / "a.wav", 3 * SAMPLES, subtype="FLOAT"))
    np.testing.assert_array_equal(sound.samples, 3 * SAMPLES)


def test_silence_and_a_single_sample_are_sound(tmp_path):
    assert not read_audio(write(tmp_path / "a.wav", np.zeros(100, np.float32))).samples.any()
    assert len(read_audio(write(tmp_path / "b.wav", SAMPLES[:1])).samples) == 1


def refused(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_audio(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message.removeprefix(f"{path} ")


def test_files_that_are_no_audio_are_named(tmp_path):
    path = tmp_path / "a.wav"
    assert refused(path) == "is missing"
    path.touch()
    assert refused(path) == "is empty, expected an audio file"
    path.write_text("go left\nstop\n" * 50)
    assert refused(path) == "cannot be read as audio: Format not recognised"
    assert refused(tmp_path) == "is a folder, expected an audio file"
    for name in ("a.mp3", "a.raw", "a.flac", "a"):
        (tmp_path / name).write_text("go left\nstop\n" * 50)
        assert refused(tmp_path / name) == "cannot be read as audio: Format not recognised"


def test_a_file_without_samples_is_named(tmp_path):
    assert refused(write(tmp_path / "a.wav", SAMPLES[:0])) == "holds no samples"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_not_finite_are_named(tmp_path, value):
    channels = np.stack([SAMPLES, SAMPLES], axis=1)
    channels[800, 1] = value
    path = write(tmp_path / "a.wav", channels, subtype="FLOAT")
    check_audio(path)
    assert refused(path) == "holds samples that are not finite, the first one at 0.100 s"


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.aiff", "a.au", "a.ogg", "a.mp3"])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.97])
def test_a_file_that_is_cut_off_is_named(tmp_path, name, share):
    path = write(tmp_path / name, RANDOM.uniform(-0.5, 0.5, 40_000).astype(np.float32))
    os.truncate(path, int(path.stat().st_size * share))
    assert refused(path)


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_U8", "PCM_24", "FLOAT", "ULAW"])
def test_what_is_missing_at_the_end_of_a_wave_file_is_seen_without_decoding(tmp_path, subtype):
    path = write(tmp_path / "a.wav", subtype=subtype)
    os.truncate(path, path.stat().st_size - 1)
    with pytest.raises(DataError, match=rf"{path} is cut off: got \d+ of \d+ bytes of sound"):
        check_audio(path)


def test_what_was_written_to_a_pipe_announces_no_length_and_is_read(tmp_path):
    path = write(tmp_path / "a.wav", subtype="PCM_16")
    content = bytearray(path.read_bytes())
    position = content.index(b"data") + 4
    for size in (0xFFFFFFFF, 0x7FFFFFFF):
        content[4:8] = content[position : position + 4] = struct.pack("<I", size)
        path.write_bytes(content)
        np.testing.assert_allclose(read_audio(path).samples, SAMPLES, atol=2**-15)


def test_a_flac_file_that_was_written_to_a_pipe_is_refused_with_its_reason(tmp_path):
    path = write(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    content[21] &= 0xF0  # the last 36 bits of the first half of STREAMINFO count the samples
    content[22:26] = bytes(4)
    path.write_bytes(content)
    assert refused(path).startswith("does not say how long it is")


def test_a_header_that_announces_terabytes_is_no_reason_to_ask_for_them(tmp_path):
    path = write(tmp_path / "a.flac")
    content = bytearray(path.read_bytes())
    content[22:26] = b"\xff" * 4
    path.write_bytes(content)
    assert refused(path)


@settings(deadline=None, max_examples=150)
@given(
    name=st.sampled_from(["a.wav", "a.flac", "a.ogg"]),
    inserted=st.binary(max_size=6),
    position=st.integers(0, 400),
    length=st.integers(0, 40),
)
def test_a_corrupted_file_is_refused_or_finite(name, inserted, position, length):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, name), SAMPLES[:200])
        content = path.read_bytes()
        position %= len(content)
        path.write_bytes(content[:position] + inserted + content[position + length :])
        try:
            sound, message = read_audio(path), str(path)
        except DataError as error:
            sound, message = None, str(error)
        assert message.startswith(str(path))
        assert sound is None or np.isfinite(sound.samples).all()
