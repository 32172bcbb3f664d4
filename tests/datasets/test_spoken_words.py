from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest
import scipy.fft

from seqloom.datasets.speech_synthesis import VOICES
from seqloom.datasets.spoken_words import NEW_VOICES, PRONUNCIATIONS, SIZES, generate, load, render


@pytest.fixture(scope="module")
def sample():
    return load()


def test_the_sample_has_its_sizes_and_says_that_it_is_synthetic(sample):
    assert sample.counts() == SIZES
    assert sample.synthetic
    assert sample.name == "sample"
    names = [each.name for split in sample.splits().values() for each in split]
    assert len(set(names)) == len(names)


def test_utterances_have_one_to_five_words_and_every_word_is_said_often(sample):
    lengths = Counter(len(each.transcript.split()) for each in sample.train)
    assert set(lengths) == {1, 2, 3, 4, 5}
    words = Counter(word for each in sample.train for word in each.transcript.split())
    assert set(words) == set(PRONUNCIATIONS)
    assert min(words.values()) > 80


def test_two_voices_stand_in_test_only(sample):
    heard = {split: {each.speaker for each in utterances} for split, utterances in sample.splits().items()}
    new = {voice.name for voice in NEW_VOICES}
    assert heard["train"] == heard["valid"] == {voice.name for voice in VOICES} - new
    assert heard["test"] == {voice.name for voice in VOICES}
    assert sample.notes["test utterances of a speaker that train lacks"] > 15
    assert sample.notes["test utterances of a sentence that train lacks"] > 10


def test_waveforms_are_sound(sample):
    for split in sample.splits().values():
        for each in split:
            samples = each.sound.samples
            assert each.sound.rate == 8000
            assert 0.3 < each.sound.seconds < 5
            assert 0.1 < np.abs(samples).max() < 0.95
            assert samples.std() > 0.005
            assert abs(samples.mean()) < 0.02
            np.testing.assert_array_equal(samples * 2**15, np.rint(samples * 2**15))
    digests = {each.sound.digest for split in sample.splits().values() for each in split}
    assert len(digests) == sum(SIZES.values())


def test_the_same_arguments_give_the_same_utterances(sample):
    small = generate(seed=0, train=5, valid=3, test=4)
    for split, utterances in small.splits().items():
        assert utterances == sample.splits()[split][: len(utterances)]
    other = generate(seed=1, train=5, valid=3, test=4)
    assert [each.sound for each in other.train] != [each.sound for each in small.train]


def cepstra(word: str, voice, seed: int) -> np.ndarray:
    """A word as 24 frames of 12 cepstra without their mean, however long it lasts."""
    samples = render(word, voice, seed).samples
    frames = np.lib.stride_tricks.sliding_window_view(samples, 200)[::80] * np.hanning(200)
    power = np.abs(np.fft.rfft(frames, 256)) ** 2
    bands = np.stack([band.mean(axis=1) for band in np.array_split(power[:, 2:], 20, axis=1)], axis=1)
    found = scipy.fft.dct(np.log(bands + 1e-5), norm="ortho")[:, 1:13]
    found -= found.mean(axis=0)
    places = np.linspace(0, len(found) - 1, 24)
    return np.stack([np.interp(places, np.arange(len(found)), track) for track in found.T]).reshape(-1)


def test_words_are_told_apart_across_voices_but_not_by_chance():
    known = [(word, cepstra(word, voice, seed)) for word in PRONUNCIATIONS for voice in VOICES[:-2] for seed in (1, 2)]
    right = []
    for word in PRONUNCIATIONS:
        for voice in NEW_VOICES:
            heard = cepstra(word, voice, seed=3)
            right.append(word == min(known, key=lambda each: np.sum(np.square(each[1] - heard)))[0])
    assert np.mean(right) > 0.6


def test_one_word_by_one_voice_at_another_rate():
    word = render("light", VOICES[3], seed=5, rate=16000)
    assert word.rate == 16000
    assert 0.3 < word.seconds < 1.5
    assert render("light", VOICES[3], seed=5, rate=16000) == word
    for words in ("", "lihgt", "light lihgt"):
        with pytest.raises(ValueError, match="words must"):
            render(words, VOICES[3])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": -1}, "seed must not be negative, got seed=-1"),
        ({"train": 0}, "train must be a positive integer, got train=0"),
        ({"test": -1}, "test must be a positive integer, got test=-1"),
    ],
)
def test_arguments_out_of_range_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        generate(**({"seed": 0, "train": 1, "valid": 1, "test": 1} | changed))


def test_all_is_generated_in_seconds_and_then_at_once(sample):
    before = time.process_time()
    generate(seed=2, **{split: size // 10 for split, size in SIZES.items()})
    assert time.process_time() - before < 2
    before = time.process_time()
    assert load() == sample
    assert time.process_time() - before < 0.5


def test_speech_needs_no_tensorflow():
    code = (
        "import sys, seqloom.datasets.spoken_words, seqloom.datasets.speech_files; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'keras')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
