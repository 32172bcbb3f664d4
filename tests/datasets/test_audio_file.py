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


def sweep(count: int) -> np.ndarray:
    """Two channels of a tone that falls again and again, for which compression saves up bits."""
    places = np.arange(count) % 60_000
    tone = 0.6 * np.sin(places / (5 + places / 6000))
    return np.stack([tone, tone[::-1]], axis=1).astype(np.float32)


@pytest.mark.parametrize("name", ["a.mp3", "a.ogg", "a.flac"])
def test_long_files_are_decoded_without_a_gap(tmp_path, name):
    samples = sweep(1_200_000)
    with soundfile.SoundFile(tmp_path / name, "w", 24_000, 2) as file:
        for start in range(0, len(samples), 24_000):
            file.write(samples[start : start + 24_000])
    expected, _ = soundfile.read(tmp_path / name, dtype="float32")
    np.testing.assert_allclose(read_audio(tmp_path / name).samples, expected.mean(axis=1), rtol=0, atol=1e-6)


formats = [
    ("a.wav", "PCM_16"),
    ("a.wav", "PCM_24"),
    ("a.wav", "FLOAT"),
    ("a.wav", "ULAW"),
    ("a.wav", "IMA_ADPCM"),
    ("a.flac", "PCM_16"),
    ("a.aiff", "PCM_16"),
    ("a.ogg", "VORBIS"),
    ("a.ogg", "OPUS"),
    ("a.mp3", "MPEG_LAYER_III"),
]


@pytest.mark.parametrize(("name", "subtype"), formats)
@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_a_part_is_what_the_whole_recording_holds_there(tmp_path, name, subtype, rate):
    path = write(tmp_path / name, sweep(60_000), rate, subtype)
    whole = read_audio(path).samples
    for first, last in [(0, 1), (0, 5000), (1, 60_000), (2311, 2312), (30_001, 39_999), (58_000, len(whole))]:
        part = read_audio(path, first / rate, last / rate)
        assert part.rate == rate
        np.testing.assert_allclose(part.samples, whole[first:last], rtol=0, atol=1e-6)
    np.testing.assert_allclose(read_audio(path, 1.5).samples, whole[round(1.5 * rate) :], rtol=0, atol=1e-6)
    np.testing.assert_allclose(read_audio(path, end=1.5).samples, whole[: round(1.5 * rate)], rtol=0, atol=1e-6)


@settings(deadline=None, max_examples=100)
@given(start=st.floats(0, 0.6), length=st.floats(0, 0.6, exclude_min=True))
def test_a_part_is_inside_the_recording_or_refused(start, length):
    end = start + length
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "a.wav"), subtype="FLOAT")
        if start == end or end > 0.5005 or start >= 0.5 or round(end * RATE) == round(start * RATE):
            with pytest.raises((DataError, ValueError)):
                read_audio(path, start, end)
        else:
            expected = SAMPLES[round(start * RATE) : round(end * RATE)]
            np.testing.assert_array_equal(read_audio(path, start, end).samples, expected)


def test_a_part_beyond_the_end_names_the_file_the_end_and_the_duration(tmp_path):
    path = write(tmp_path / "a.wav")
    assert check_audio(path) == 0.5
    assert refused(path, 0.1, 0.75) == "lasts 0.500 s and cannot be read up to 0.75 s"
    assert refused(path, 2.0, 3.0) == "lasts 0.500 s and cannot be read up to 3.0 s"
    assert refused(path, 0.5) == "lasts 0.500 s and cannot be read from 0.5 s on"
    assert refused(path, 0.10001, 0.10002) == "has no sample from 0.10001 s to 0.10002 s"
    assert refused(path, 0.49999) == "has no sample from 0.49999 s to 0.5 s"


def test_an_end_in_milliseconds_may_be_rounded_up(tmp_path):
    path = write(tmp_path / "a.wav", SAMPLES[:3997])  # 0.499625 s
    assert len(read_audio(path, 0.1, 0.500).samples) == 3197
    assert refused(path, 0.1, 0.501) == "lasts 0.500 s and cannot be read up to 0.501 s"


def test_only_the_part_is_decoded(tmp_path):
    samples = SAMPLES.copy()
    samples[3000] = np.nan
    path = write(tmp_path / "a.wav", samples, subtype="FLOAT")
    assert np.isfinite(read_audio(path, 0.1, 0.3).samples).all()
    assert refused(path, 0.1) == "holds samples that are not finite, the first one at 0.375 s"


def refused(path: Path, start: float = 0.0, end: float | None = None) -> str:
    with pytest.raises(DataError) as caught:
        read_audio(path, start, end)
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
    assert refused(path, 4.0, 5.0)


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


def test_so_is_none_one_of_an_mp3(tmp_path):
    path = write(tmp_path / "a.mp3")
    content = bytearray(path.read_bytes())
    position = max(content.find(b"Xing"), content.find(b"Info")) + 8
    content[position : position + 4] = b"\x7f\xff\xff\xff"  # frames
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
