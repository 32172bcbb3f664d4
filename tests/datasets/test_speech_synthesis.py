from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg

from seqloom.datasets.phonemes import PAUSE, PHONEMES, segments_of
from seqloom.datasets.speech_synthesis import VOICES, synthesise, with_noise

VOWELS = ["iy", "ih", "eh", "ae", "ah", "aa", "ao", "er"]
LOW, HIGH = VOICES[0], VOICES[4]


def say(phonemes: str, voice=LOW, seed: int = 0, rate: int = 8000) -> np.ndarray:
    return synthesise(phonemes.split(), voice, np.random.default_rng(seed), rate)


def formants(samples: np.ndarray, rate: int = 8000, order: int = 10) -> list[float]:
    """The resonances of a stretch of sound, by linear prediction."""
    emphasised = np.append(samples[0], samples[1:] - 0.97 * samples[:-1]) * np.hamming(len(samples))
    products = np.correlate(emphasised, emphasised, mode="full")[len(samples) - 1 :][: order + 1]
    weights = scipy.linalg.solve_toeplitz(products[:-1], products[1:])
    roots = np.roots(np.append(1, -weights))
    sharp = [root for root in roots if root.imag > 0 and -np.log(abs(root)) * rate / np.pi < 400]
    return sorted(float(np.angle(root)) * rate / (2 * np.pi) for root in sharp)


def level(samples: np.ndarray) -> float:
    return 10 * np.log10(np.mean(np.square(samples)))


@pytest.mark.parametrize("vowel", VOWELS)
@pytest.mark.parametrize(("voice", "rate"), [(LOW, 8000), (VOICES[1], 8000), (LOW, 16000)])
def test_formants_are_where_the_tables_have_them(vowel, voice, rate):
    samples = say(vowel, voice, rate=rate)
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    expected = np.array(PHONEMES[vowel][0].formants) * voice.tract
    found = formants(middle, rate, order=10 if rate == 8000 else 18)
    for formant in expected:
        assert min(abs(each / formant - 1) for each in found) < 0.13, (formant, found)


def test_formants_move_through_a_diphthong():
    samples = say("ay")[400:-200]
    first, second = samples[: len(samples) // 3], samples[-len(samples) // 3 :]
    assert formants(first)[1] < 1500 * LOW.tract
    assert formants(second)[1] > 1600 * LOW.tract


@pytest.mark.parametrize("voice", VOICES, ids=lambda voice: voice.name)
def test_the_pitch_is_that_of_the_voice(voice):
    pitches = []
    for seed in range(8):
        samples = say("aa", voice, seed)
        products = np.correlate(samples, samples, mode="full")[len(samples) - 1 :]
        lags = np.arange(8000 // 320, 8000 // 75)
        pitches.append(8000 / lags[products[lags].argmax()])
    assert np.median(pitches) == pytest.approx(voice.pitch, rel=0.15)


@pytest.mark.parametrize("phoneme", PHONEMES)
@pytest.mark.parametrize("rate", [8000, 16000])
def test_every_phoneme_of_every_voice_is_finite_and_not_too_loud(phoneme, rate):
    for voice in VOICES:
        samples = say(phoneme, voice, rate=rate)
        assert samples.dtype == np.float32
        assert np.isfinite(samples).all()
        assert np.abs(samples).max() < 1.2
        assert bool(samples.any()) == (phoneme != PAUSE)
        duration = sum(segment.milliseconds for segment in PHONEMES[phoneme]) / 1000
        assert 0.5 * duration < len(samples) / rate < 2 * duration


def test_levels_differ_as_those_of_speech_do():
    vowels = np.mean([level(say(vowel)) for vowel in VOWELS])
    for phoneme, lowest, highest in (("s", -16, -4), ("f", -22, -12), ("n", -12, -3), ("hh", -22, -8), ("l", -9, -1)):
        assert lowest < level(say(phoneme)) - vowels < highest, phoneme


def test_noise_is_where_the_narrow_place_puts_it():
    spectra = {name: np.abs(np.fft.rfft(say(name), 8000)) ** 2 for name in ("s", "sh", "f")}
    centres = {name: np.sum(np.arange(4001) * power) / power.sum() for name, power in spectra.items()}
    assert centres["s"] > 3000
    assert 2200 < centres["sh"] < 3000
    assert 1200 < centres["f"] < 2800


@pytest.mark.parametrize(
    ("stop", "lowest", "highest"), [("t", -99, -70), ("k", -99, -70), ("d", -45, -30), ("b", -45, -30)]
)
def test_a_closed_mouth_is_silent_unless_the_vocal_folds_go_on(stop, lowest, highest):
    samples = say(f"aa {stop} aa", seed=3)
    levels = [level(samples[start : start + 160] + 1e-9) for start in range(0, len(samples) - 160, 80)]
    third = len(levels) // 3
    assert lowest < min(levels[third : 2 * third]) < highest
    assert max(levels) > -25


def test_a_stop_after_s_is_not_aspirated():
    breath = [sum(segment.breath > 0 for segment in segments_of(word.split())) for word in ("t aa p", "s t aa p")]
    assert breath == [2, 1]


def test_two_renderings_differ_and_the_same_numbers_give_the_same():
    np.testing.assert_array_equal(say("l ay t"), say("l ay t"))
    assert len(say("l ay t", seed=1)) != len(say("l ay t"))
    assert not np.array_equal(say("l ay t", HIGH), say("l ay t", VOICES[5]))


def test_noise_has_the_level_that_was_asked_for():
    samples = say("aa aa")
    for decibels in (0.0, 10.0, 30.0):
        noisy = with_noise(samples, decibels, np.random.default_rng(1))
        assert noisy.dtype == np.float32
        assert level(samples) - level(noisy - samples) == pytest.approx(decibels, abs=0.01)


def test_unknown_phonemes_and_none_at_all_are_named():
    with pytest.raises(ValueError, match=r"phonemes must be of _ iy .*, got 'xx'"):
        say("l xx t")
    with pytest.raises(ValueError, match="phonemes must hold at least one, got none"):
        say("")
