from __future__ import annotations

import pickle
import time

import numpy as np
import pytest

from seqloom.datasets.audio import AudioFile, FrameMatrix, Waveform
from seqloom.datasets.audio_file import read_audio
from seqloom.datasets.corpus import DataError
from seqloom.datasets.utterance import Utterance

SAMPLES = np.linspace(-1, 1, 800, dtype=np.float32)
FRAMES = np.arange(26, dtype=np.float32).reshape(2, 13)


def test_sounds_in_memory_are_equal_by_their_content():
    assert Waveform(SAMPLES, 8000) == Waveform(SAMPLES.copy(), 8000)
    assert Waveform(SAMPLES, 8000) == Waveform(np.repeat(SAMPLES, 2)[::2], 8000)
    assert FrameMatrix(FRAMES) == FrameMatrix(np.asfortranarray(FRAMES))
    others = [Waveform(SAMPLES, 16000), Waveform(SAMPLES[::-1].copy(), 8000), FrameMatrix(FRAMES)]
    others += [FrameMatrix(FRAMES.reshape(13, 2)), FrameMatrix(FRAMES + 1), "sound"]
    assert all(a != b for place, a in enumerate(others) for b in others[:place])
    assert len({Waveform(SAMPLES, 8000), Waveform(SAMPLES.copy(), 8000)}) == 1


@pytest.mark.parametrize("sound", [Waveform(SAMPLES, 8000), FrameMatrix(FRAMES)])
def test_a_sound_is_told_by_its_digest_and_reaches_other_processes(sound):
    assert len(sound.digest) == 16
    assert int(sound.digest, 16) >= 0
    assert sound.digest in repr(sound)
    assert sound.digest in repr(Utterance("a", "words", sound))
    assert pickle.loads(pickle.dumps(sound)) == sound


def test_one_other_sample_gives_another_digest():
    changed = SAMPLES.copy()
    changed[400] = np.nextafter(changed[400], np.float32(1))
    assert Waveform(changed, 8000).digest != Waveform(SAMPLES, 8000).digest


def test_the_digest_of_a_file_is_that_of_its_bytes(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.wav").write_bytes(b"sound")
    first, second = (AudioFile(tmp_path / folder / "x.wav") for folder in ("a", "b"))
    assert first != second
    assert repr(first) == repr(second) == f"AudioFile('x.wav', digest={first.digest!r})"
    first.path.write_bytes(b"other")
    assert AudioFile(first.path).digest != second.digest
    assert pickle.loads(pickle.dumps(second)) == second
    with pytest.raises(DataError, match=r"absent\.wav is missing"):
        repr(AudioFile(tmp_path / "absent.wav"))
    with pytest.raises(DataError, match=r"a cannot be read: Is a directory"):
        _ = AudioFile(tmp_path / "a").digest


def test_a_part_of_a_file_is_told_by_its_content_and_bounds(tmp_path):
    path = tmp_path / "x.wav"
    path.write_bytes(b"sound")
    whole, parts = AudioFile(path), [AudioFile(path, 0.5), AudioFile(path, 0.5, 2), AudioFile(path, 0, 2)]
    assert len({whole.digest, *(part.digest for part in parts)}) == 4
    assert AudioFile(path, 0.0, None).digest == whole.digest
    assert AudioFile(path, 0.5, 2.0) == parts[1]
    assert AudioFile(path, 0.5, 2.0).digest == AudioFile(path, np.float64(0.5), 2).digest == parts[1].digest
    assert repr(parts[1]) == f"AudioFile('x.wav', start=0.5, end=2, digest={parts[1].digest!r})"
    assert pickle.loads(pickle.dumps(parts[1])) == parts[1]
    (tmp_path / "y.wav").write_bytes(b"sound")
    assert AudioFile(tmp_path / "y.wav", 0.5, 2).digest == parts[1].digest
    path.write_bytes(b"other sound")
    assert AudioFile(path, 0.5, 2).digest != parts[1].digest
    with pytest.raises(DataError, match=r"absent\.wav is missing"):
        repr(AudioFile(tmp_path / "absent.wav", 1.0))


def test_a_file_of_a_thousand_parts_is_read_once(tmp_path):
    path = tmp_path / "long.wav"
    path.write_bytes(bytes(20_000_000))
    before = time.process_time()
    digests = {AudioFile(path, number / 10).digest for number in range(1000)}
    assert len(digests) == 1000
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (-0.1, None, r"start must be a finite number of seconds from 0, got start=-0\.1"),
        (float("nan"), 1.0, "got start=nan"),
        (float("inf"), None, "got start=inf"),
        (1.0, 1.0, r"end must be a finite number of seconds after start=1\.0, got end=1\.0"),
        (1.0, 0.5, r"got end=0\.5"),
        (0.0, float("nan"), "got end=nan"),
        (0.0, float("inf"), "got end=inf"),
    ],
)
def test_bounds_that_are_no_stretch_of_time_are_refused(tmp_path, start, end, message):
    with pytest.raises(ValueError, match=message):
        AudioFile(tmp_path / "x.wav", start, end)
    with pytest.raises(ValueError, match=message):
        read_audio(tmp_path / "x.wav", start, end)


@pytest.mark.parametrize(
    "samples", [np.zeros(8), np.zeros((8, 1), np.float32), np.zeros(0, np.float32), np.zeros(8, np.int16), [0.0]]
)
def test_what_is_no_waveform_is_refused(samples):
    with pytest.raises(ValueError, match="samples must be a float32 array of 1 dimensions that is not empty, got"):
        Waveform(samples, 8000)


def test_frames_and_rates_are_checked():
    with pytest.raises(ValueError, match=r"frames must be a float32 array of 2 .*, got float32 \(0, 13\)"):
        FrameMatrix(np.zeros((0, 13), np.float32))
    with pytest.raises(ValueError, match="rate must be a positive integer, got rate=0"):
        Waveform(SAMPLES, 0)


def test_utterances_are_grouped_by_speaker_if_the_corpus_is():
    sound = Waveform(SAMPLES, 8000)
    assert Utterance("a", "words", sound, "ann", by_speaker=True).group == "ann"
    assert Utterance("a", "words", sound, "ann").group == "a"
    assert Utterance("a", "words", sound, by_speaker=True).group == "a"


@pytest.mark.parametrize(("name", "transcript"), [("", "words"), ("a", ""), ("a", " \t")])
def test_an_utterance_has_a_name_and_words(name, transcript):
    with pytest.raises(ValueError, match=r"name must not be empty|transcript must have at least one word"):
        Utterance(name, transcript, Waveform(SAMPLES, 8000))
