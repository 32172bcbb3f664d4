"""The cache of features: what is in it, when it is used, and what is left after an accident."""

import contextlib
import fcntl
import logging
import os
import pty
import subprocess
import sys

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from seqloom.datasets.audio import AudioFile, FrameMatrix, Waveform
from seqloom.datasets.corpus import DataError
from seqloom.pipelines.audio import sound_features
from seqloom.pipelines.audio_config import AudioConfig
from seqloom.pipelines.config import TaskConfig
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.feature_store import FeatureStore, feature_store

CONFIG = AudioConfig(sampling_rate=8000, mel_bands=20)
RNG = np.random.default_rng(0)


def sounds(count=5):
    return [Waveform(RNG.uniform(-1, 1, 400 + 300 * number).astype("float32"), 8000) for number in range(count)]


def matrices(count=3, size=13):
    return [FrameMatrix(RNG.normal(size=(4 + number, size)).astype("float32")) for number in range(count)]


def entries(cache):
    return sorted(path.name for path in (cache / "features").iterdir())


def test_a_batch_is_padded_to_its_longest_sound(tmp_path):
    made = sounds()
    store = feature_store(made, CONFIG, tmp_path)
    assert (len(store), store.size) == (5, 20)
    assert store.lengths.dtype == np.int32
    assert store.lengths.tolist() == [1 + len(each.samples) // 80 for each in made]
    frames, lengths = store.frames([3, 0, 3])
    assert (frames.dtype, lengths.dtype) == (np.float32, np.int32)
    assert frames.shape == (3, store.lengths[3], 20)
    for batch_row, row in enumerate((3, 0, 3)):
        expected = sound_features(made[row], CONFIG)
        assert lengths[batch_row] == len(expected)
        np.testing.assert_allclose(frames[batch_row, : len(expected)], expected, atol=1e-5)
        assert not frames[batch_row, len(expected) :].any()
        np.testing.assert_array_equal(store[row], frames[batch_row, : len(expected)])


def test_a_part_of_a_store_is_a_store(tmp_path):
    store = feature_store(sounds(), CONFIG, tmp_path)
    part = store.of([3, 1, 1])
    assert part.lengths.tolist() == store.lengths[[3, 1, 1]].tolist()
    for mine, row in zip(part, (3, 1, 1), strict=True):
        np.testing.assert_array_equal(mine, store[row])
    np.testing.assert_array_equal(part.frames([0, 2])[0], store.frames([3, 1])[0])
    assert len(store) == 5


def test_batches_come_out_of_a_tensorflow_pipeline(tmp_path):
    store = feature_store(sounds(), CONFIG, tmp_path)
    batches = tf.data.Dataset.range(5).batch(2)
    batches = batches.map(lambda rows: tf.numpy_function(store.frames, [rows], (tf.float32, tf.int32)))
    lengths = np.concatenate([own for _, own in batches])
    np.testing.assert_array_equal(lengths, store.lengths)
    for frames, own in batches:
        assert frames.shape == (len(own), max(own), 20)


def test_a_second_call_computes_nothing(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    made = sounds()
    first = feature_store(made, CONFIG, tmp_path)
    assert [record.message for record in caplog.records if "features of 5 recordings" in record.message]
    caplog.clear()
    second = feature_store([Waveform(each.samples.copy(), 8000) for each in made], CONFIG, tmp_path, processes=2)
    assert not caplog.records
    np.testing.assert_array_equal(first.frames(range(5))[0], second.frames(range(5))[0])
    assert len(entries(tmp_path)) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"sampling_rate": 11_025},
        {"features": "mfcc"},
        {"mel_bands": 21},
        {"window_ms": 26.0},
        {"hop_ms": 11.0},
        {"lowest_frequency": 10.0},
        {"highest_frequency": 3900.0},
    ],
)
def test_other_settings_or_sounds_are_other_features(values, tmp_path):
    made = sounds(2)
    store = feature_store(made, CONFIG, tmp_path)
    other = feature_store(made, CONFIG.model_copy(update=values), tmp_path)
    assert len(entries(tmp_path)) == 2
    assert np.any(store.lengths != other.lengths) or store.size != other.size or np.any(store[0] != other[0])
    assert feature_store(made[::-1], CONFIG, tmp_path).lengths.tolist() == store.lengths.tolist()[::-1]
    assert len(entries(tmp_path)) == 3


class OtherConfig(TaskConfig, AudioConfig):
    """A task's own settings, which worker processes cannot import from here."""


def test_settings_that_make_no_difference_share_the_features(tmp_path):
    """And two processes give what one gives, bit for bit."""
    made = [*sounds(40), Waveform(RNG.uniform(-1, 1, 5000).astype("float32"), 44_100)]
    values = {"sampling_rate": 8000, "mel_bands": 20, "deltas": True, "normalisation": "none", "coefficients": 9}
    first = feature_store(made, OtherConfig(epochs=3, **values), tmp_path, processes=2)
    feature_store(made, CONFIG, tmp_path)
    assert len(entries(tmp_path)) == 1
    alone = feature_store(made, CONFIG, tmp_path / "alone", processes=1)
    np.testing.assert_array_equal(first.lengths, alone.lengths)
    np.testing.assert_array_equal(first.frames(range(41))[0], alone.frames(range(41))[0])


def test_sounds_that_are_features_are_stored_as_they_are(tmp_path):
    made = matrices()
    store = feature_store(made, CONFIG, tmp_path)
    assert store.lengths.tolist() == [4, 5, 6]
    for row, matrix in enumerate(made):
        np.testing.assert_array_equal(store[row], matrix.frames)
    feature_store(made, AudioConfig(), tmp_path)
    assert len(entries(tmp_path)) == 1, "no setting matters"


def test_sounds_of_different_sizes_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"got 13 and 12 features, the latter of FrameMatrix\(4 frames of 12"):
        feature_store([*matrices(), *matrices(1, size=12)], CONFIG, tmp_path)
    assert entries(tmp_path) == []
    with pytest.raises(ValueError, match="at least one sound"):
        feature_store([], CONFIG, tmp_path)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_bad_file_is_named_and_leaves_nothing_behind(processes, tmp_path):
    for number, sound in enumerate(sounds(40)):
        soundfile.write(tmp_path / f"{number}.wav", sound.samples, 8000)
    (tmp_path / "33.wav").write_bytes(b"RIFF, or so it says")
    files = [AudioFile(tmp_path / f"{number}.wav") for number in range(40)]
    with pytest.raises(DataError, match=r"33\.wav"):
        feature_store(files, CONFIG, tmp_path / "cache", processes)
    assert entries(tmp_path / "cache") == []
    soundfile.write(tmp_path / "33.wav", np.zeros(80, np.float32), 8000)
    files[33] = AudioFile(tmp_path / "33.wav")
    assert feature_store(files, CONFIG, tmp_path / "cache").lengths[33] == 2


@pytest.mark.parametrize("damage", ["cut", "no index", "bad index", "empty"])
def test_damaged_features_are_said_to_be(damage, tmp_path):
    made = sounds(2)
    feature_store(made, CONFIG, tmp_path)
    (folder,) = (tmp_path / "features").iterdir()
    frames, index = folder / "frames.float32", folder / "index.npz"
    if damage == "cut":
        frames.write_bytes(frames.read_bytes()[: frames.stat().st_size // 2])
    elif damage == "empty":
        frames.write_bytes(b"")
    elif damage == "no index":
        index.unlink()
    else:
        index.write_bytes(b"PK no")
    with pytest.raises(DataError, match=f"the features in {folder} are damaged: remove that folder and run again"):
        feature_store(made, CONFIG, tmp_path)


def test_what_a_killed_process_left_does_not_count(tmp_path):
    made = sounds(2)
    feature_store(made, CONFIG, tmp_path)
    (folder,) = (tmp_path / "features").iterdir()
    folder.rename(folder.with_name(f".{folder.name}"))
    (folder.with_name(f".{folder.name}") / "frames.float32").write_bytes(b"1234")
    assert len(feature_store(made, CONFIG, tmp_path)) == 2
    assert entries(tmp_path) == [folder.name]


def test_a_cache_that_cannot_be_written_is_a_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match=r"the features cannot be written to the cache: .*file"):
        feature_store(sounds(1), CONFIG, tmp_path / "file")


def test_it_cannot_be_written_to(tmp_path):
    with pytest.raises(ValueError, match="read-only"):
        feature_store(sounds(1), CONFIG, tmp_path)[0][0] = 1


WRITER = """
import sys, logging, numpy as np
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stdout)
from seqloom.datasets.audio import Waveform
from seqloom.pipelines.audio_config import AudioConfig
from seqloom.pipelines.feature_store import feature_store
noise = np.random.default_rng(0).uniform(-1, 1, (200, 4000)).astype("float32")
print(len(feature_store([Waveform(each, 8000) for each in noise], AudioConfig(sampling_rate=8000), sys.argv[1])))
"""


def test_of_two_processes_one_extracts_and_the_other_waits(tmp_path):
    """Here this process is the one that extracts."""
    (tmp_path / "features").mkdir()
    lock = os.open(tmp_path / "features", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", WRITER, tmp_path], **pipes) as other:
        assert other.stdout.readline() == "waiting for another process that extracts features\n"
        noise = np.random.default_rng(0).uniform(-1, 1, (200, 4000)).astype("float32")
        made = [Waveform(each, 8000) for each in noise]
        feature_store(made, AudioConfig(sampling_rate=8000), tmp_path / "elsewhere")
        (folder,) = (tmp_path / "elsewhere" / "features").iterdir()
        folder.rename(tmp_path / "features" / folder.name)
        os.close(lock)
        assert other.communicate()[0] == "200\n"


def test_a_terminal_shows_how_far_it_is(tmp_path):
    parent, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
    )
    os.close(terminal)
    process.stdin.close()
    shown = b""
    with contextlib.suppress(OSError):  # as Linux says that the other end is closed
        while some := os.read(parent, 4096):
            shown += some
    os.close(parent)
    assert process.wait() == 0
    assert b"features" in shown
    assert b"/200" in shown


@pytest.mark.real_data
def test_recordings_in_files(data_dir, tmp_path):
    files = [AudioFile(path) for path in sorted(data_dir.glob("fsdd/recordings/*_jackson_?.wav"))]
    store = feature_store(files, AudioConfig(sampling_rate=8000), tmp_path)
    assert len(store) == len(files) == 100
    for row in (0, 50, 99):
        samples, rate = soundfile.read(files[row].path)
        assert rate == 8000
        assert store.lengths[row] == 1 + len(samples) // 80
        np.testing.assert_allclose(store[row], sound_features(files[row], AudioConfig(sampling_rate=8000)), atol=1e-5)
    assert isinstance(store, FeatureStore)
