from __future__ import annotations

import os
import wave
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqloom.datasets import fsdd, fsdd_strings
from seqloom.datasets.audio import Waveform
from seqloom.datasets.corpus import DataError

SPEAKERS = ("ann", "bob")
INDICES = range(12)
QUIET = 600  # samples before and after what sounds
COUNTS = {"train": 140, "test": 100}


def tone(digit: int, speaker: str, index: int) -> np.ndarray:
    """int16 samples that tell what they are, on a quiet background that begins and ends earlier and later."""
    random = np.random.default_rng([digit, SPEAKERS.index(speaker), index])
    length = 1200 + 40 * digit + index
    waves = 9000 * np.sin(2 * np.pi * (300 + 200 * digit) / 8000 * np.arange(length)) * np.hanning(length)
    return np.rint(np.pad(waves, QUIET) + 20 * random.standard_normal(length + 2 * QUIET)).astype(np.int16)


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A folder in the layout of FSDD, with fewer speakers and recordings."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(fsdd, "COUNTS", COUNTS)
    folder = tmp_path / "corpora" / "fsdd"
    (folder / "recordings").mkdir(parents=True)
    for digit in range(10):
        for speaker in SPEAKERS:
            for index in INDICES:
                with wave.open(str(folder / "recordings" / f"{digit}_{speaker}_{index}.wav"), "wb") as file:
                    file.setparams((1, 2, 8000, 0, "NONE", ""))
                    file.writeframes(tone(digit, speaker, index).astype("<i2").tobytes())
    return folder


def test_recordings_are_split_by_their_index(raw, tmp_path, capfd):
    corpus = fsdd.load(raw, tmp_path / "cache")
    assert corpus.counts() == COUNTS
    assert {digit.name for digit in corpus.test} == {
        f"{digit}_{speaker}_{index}" for digit in range(10) for speaker in SPEAKERS for index in range(5)
    }
    assert [digit.name for digit in corpus.train[:3]] == ["0_ann_5", "1_ann_5", "2_ann_5"]
    for each in [*corpus.train, *corpus.test]:
        digit, speaker, index = each.name.split("_")
        assert (each.transcript, each.speaker, each.group) == (fsdd.WORDS[int(digit)], speaker, each.name)
        expected = tone(int(digit), speaker, int(index)).astype(np.float32) / 2**15
        assert each.sound == Waveform(expected, 8000)
    assert (corpus.name, corpus.valid, corpus.licence) == ("fsdd", None, "CC BY-SA 4.0")
    assert capfd.readouterr().out == ""


def test_the_second_time_reads_the_cache(raw, tmp_path, monkeypatch):
    first = fsdd.load(raw.parent, tmp_path)
    monkeypatch.setattr(fsdd, "read_audio", None)
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(raw.parent))
    assert fsdd.load(None, tmp_path) == first


def test_a_folder_of_five_speakers_says_where_the_six_are(raw, tmp_path):
    (raw / "recordings" / "3_bob_7.wav").unlink()
    with pytest.raises(DataError, match=r"does not hold the recordings of FSDD: counted 139 of train, expected 140"):
        fsdd.load(raw, tmp_path)
    with pytest.raises(DataError, match=r"absent is missing: .* get it from https://github\.com/Jakobovski"):
        fsdd.load(raw / "absent", tmp_path)


@pytest.mark.parametrize("name", ["ten_ann_5.wav", "10_ann_5.wav", "1_ann.wav"])
def test_other_names_are_refused(raw, tmp_path, name):
    (raw / "recordings" / "1_ann_5.wav").rename(raw / "recordings" / name)
    with pytest.raises(DataError, match=rf"{name} is not named DIGIT_SPEAKER_INDEX\.wav"):
        fsdd.load(raw, tmp_path)


def test_damaged_recordings_are_named(raw, tmp_path):
    path = raw / "recordings" / "1_ann_5.wav"
    soundfile.write(path, np.zeros(800), 16000)
    with pytest.raises(DataError, match=r"1_ann_5\.wav has 16000 samples per second, expected 8000"):
        fsdd.load(raw, tmp_path)
    os.truncate(path, 300)
    with pytest.raises(DataError, match=r"1_ann_5\.wav is cut off"):
        fsdd.load(raw, tmp_path)
    assert [path for path in (tmp_path / "prepared").rglob("*") if path.is_file()] == []


@pytest.fixture
def strings(raw, tmp_path):
    return fsdd_strings.load(raw, tmp_path / "cache")


def digits_in(sound: Waveform) -> list[str]:
    """What the tones of the stretches above the background stand for."""
    loud = np.convolve(np.abs(sound.samples), np.ones(80) / 80, mode="same") > 0.01
    edges = np.flatnonzero(np.diff(loud.astype(int), prepend=0, append=0))
    tones = [sound.samples[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
    peaks = [np.abs(np.fft.rfft(tone, 8000)).argmax() for tone in tones]
    return [fsdd.WORDS[round((peak - 300) / 200)] for peak in peaks]


def test_strings_hold_three_to_seven_digits_of_one_speaker(strings):
    assert all(3 <= len(each.transcript.split()) <= 7 for split in strings.splits().values() for each in split)
    for split, utterances in strings.splits().items():
        names = [each.name.split("/") for each in utterances]
        assert len({tuple(name) for name in names}) == len(names)
        assert {name[0] for name in names} == {split}
        assert [name[1] for name in names] == [each.speaker for each in utterances]
        assert [digits_in(each.sound) for each in utterances] == [each.transcript.split() for each in utterances]


def test_each_recording_of_train_and_valid_is_used_three_times(strings, raw, tmp_path):
    digits = fsdd.load(raw, tmp_path / "cache")
    valid = [each for each in digits.train if 5 <= int(each.name.split("_")[2]) < 10]
    rest = [each for each in digits.train if each not in valid]
    for split, recordings in ((strings.train, rest), (strings.valid, valid)):
        words = Counter((each.speaker, word) for each in split for word in each.transcript.split())
        assert words == Counter(3 * [(each.speaker, each.transcript) for each in recordings])
        assert excerpts(split, recordings) == 3 * len(recordings)


def excerpts(strings, recordings) -> int:
    """How often the middles of recordings stand in strings, sample by sample."""
    middles = {each.sound.samples[300:-300].tobytes() for each in recordings}
    whole = [each.sound.samples.tobytes() for each in strings]
    return sum(text.count(middle) for text in whole for middle in middles)


def test_splits_share_no_recording(strings, raw, tmp_path):
    digits = fsdd.load(raw, tmp_path / "cache")
    assert excerpts(strings.train, digits.test) == excerpts(strings.valid, digits.test) == 0
    assert excerpts(strings.test, digits.train) == 0
    assert excerpts(strings.test, digits.test) == sum(len(each.transcript.split()) for each in strings.test)


def test_joins_do_not_click_and_pauses_are_as_long_as_promised(strings):
    for each in strings.train:
        samples = each.sound.samples
        assert np.abs(np.diff(samples)).max() < 0.42  # of a tone of 2100 Hz with an amplitude of 0.27
        quiet = np.convolve(np.abs(samples), np.ones(80) / 80, mode="same") < 0.0015
        assert np.abs(np.diff(samples))[quiet[1:]].max() < 0.006
        assert 0.0003 < samples[:400].std() < 0.0012  # the noise of the recordings has 0.0006
        digits = each.transcript.split()
        sounding = sum(2 * QUIET + 1200 + 40 * fsdd.WORDS.index(digit) for digit in digits)
        pauses = each.sound.seconds - sounding / 8000
        assert 0.05 * (len(digits) + 1) <= pauses <= 0.3 * (len(digits) + 1) + 0.02


def test_strings_are_the_same_each_time(strings, raw, tmp_path):
    assert fsdd_strings.load(raw, tmp_path / "cache") == strings


def test_a_string_may_be_made_of_recordings_shorter_than_a_frame_of_noise():
    random = np.random.default_rng(0)
    short = [random.standard_normal(100).astype(np.float32), random.standard_normal(700).astype(np.float32)]
    noise = fsdd_strings._background(short, random)
    assert np.isfinite(noise).all()
    assert noise.any()


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = os.environ.get("SEQLOOM_DATA_DIR")
    if not folder or not Path(folder, "fsdd").is_dir():
        pytest.skip("SEQLOOM_DATA_DIR does not name the folder of the real corpora")
    return tmp_path_factory.mktemp("cache")


@pytest.mark.real_data
def test_the_counts_of_fsdd(real):
    corpus = fsdd.load(None, real)
    assert corpus.counts() == {"train": 2700, "test": 300}
    for split, each in (("train", 45), ("test", 5)):
        counts = Counter((digit.speaker, digit.transcript) for digit in corpus.splits()[split])
        assert len(counts) == 60
        assert set(counts.values()) == {each}
    seconds = [digit.sound.seconds for digit in [*corpus.train, *corpus.test]]
    assert (round(min(seconds), 2), round(max(seconds), 2)) == (0.14, 2.28)
    for digit in corpus.train[::500]:
        samples, rate = soundfile.read(Path(corpus.source, "recordings", f"{digit.name}.wav"), dtype="int16")
        assert digit.sound == Waveform(samples.astype(np.float32) / 2**15, rate)


@pytest.mark.real_data
def test_the_strings_of_fsdd(real):
    corpus = fsdd_strings.load(None, real)
    assert corpus.counts()["test"] == 200
    assert 1400 < corpus.counts()["train"] < 1500
    assert 160 < corpus.counts()["valid"] < 200
    assert Counter(each.speaker for each in corpus.test).most_common()[-1][1] >= 33
    words = Counter(word for each in corpus.train for word in each.transcript.split())
    assert set(words.values()) == {720}
    silent = [each for each in corpus.train if not each.sound.samples[:80].any()]
    assert not silent
