"""Strings of digits, joined from the recordings of FSDD: the same task as FSDD with several words an utterance.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import fsdd
from .audio import Waveform
from .corpus import Corpus
from .utterance import Utterance

LENGTHS = range(3, 8)  # digits of a string
USES = 3  # strings that hold a recording of train or of valid
TEST_STRINGS = 200

_SEED = 0
_VALID = range(5, 10)  # the recordings of each digit and speaker of which the strings of valid are made
_PAUSE = (0.05, 0.3)  # seconds
_FADE = 0.005  # seconds
_FRAME = 256  # samples in which the noise of a speaker is looked for
_QUIET = 0.01  # the share of the frames that counts as noise
_BACKGROUND = 30  # seconds of noise of a speaker, of which each string takes a part
_FULL_SCALE = 1 << 15

_DESCRIPTION = (
    "Strings of three to seven digits that are joined from recordings of the Free Spoken Digit Dataset, each of one "
    "speaker, with pauses of 0.05 to 0.3 s in which the speaker's background noise goes on. Strings of train, valid "
    "and test are made of different recordings; those of test are the official test of FSDD."
)


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[Utterance]:
    """Reads FSDD and joins its recordings, in the same way each time.

    The strings of train hold each of its recordings three times. They would share recordings with a validation set that
    is cut from them, so the corpus has one of its own: from a tenth of the recordings, which train lacks.

    Args:
        data_dir: the folder `fsdd`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or damaged, or not the recordings that FSDD consists of.
    """
    digits = fsdd.load(data_dir, cache_dir)
    train = [digit for digit in digits.train if _index(digit) not in _VALID]
    valid = [digit for digit in digits.train if _index(digit) in _VALID]
    return replace(
        digits,
        name="fsdd_strings",
        train=_strings("train", train, USES, seed=_SEED),
        valid=_strings("valid", valid, USES, seed=_SEED + 1),
        test=_strings("test", digits.test or [], USES + 1, seed=_SEED + 2)[:TEST_STRINGS],
        description=_DESCRIPTION,
    )


def _index(digit: Utterance) -> int:
    return int(digit.name.rpartition("_")[2])


def _strings(split: str, digits: Sequence[Utterance], uses: int, seed: int) -> list[Utterance]:
    """Strings that hold each recording `uses` times, those of the speakers in turn."""
    random = np.random.default_rng(seed)
    strings: list[tuple[int, Utterance]] = []
    for speaker in sorted({digit.speaker or "" for digit in digits}):
        own = [digit for digit in digits if digit.speaker == speaker]
        noise = _background([_samples(digit) for digit in own], random)
        for number, chosen in enumerate(_chosen(own, uses, random)):
            strings.append((number, _join(f"{split}/{speaker}/{number:03d}", chosen, noise, random)))
    return [string for _, string in sorted(strings, key=lambda each: each[0])]


def _chosen(digits: Sequence[Utterance], uses: int, random: np.random.Generator) -> Iterator[list[Utterance]]:
    """The recordings of each string: all in a random order, and then again all in another one."""
    left = [digits[index] for _ in range(uses) for index in random.permutation(len(digits))]
    while left:
        lengths = [length for length in LENGTHS if len(left) == length or len(left) - length >= LENGTHS[0]]
        length = int(random.choice(lengths))
        yield left[:length]
        left = left[length:]


def _join(name: str, digits: Sequence[Utterance], noise: np.ndarray, random: np.random.Generator) -> Utterance:
    """Digits that follow each other, with pauses before, between and after them.

    Recordings do not overlap. Where one begins and ends, it takes over from the noise in 5 ms, so that nothing clicks.
    """
    pauses = [round(seconds * fsdd.RATE) for seconds in random.uniform(*_PAUSE, size=len(digits) + 1)]
    length = sum(pauses) + sum(len(_samples(digit)) for digit in digits)
    samples, share = np.zeros(length, np.float32), np.zeros(length, np.float32)
    start = 0
    for digit, pause in zip(digits, pauses, strict=False):
        start += pause
        end = start + len(_samples(digit))
        samples[start:end] = _samples(digit)
        share[start:end] = _envelope(end - start)
        start = end
    first = int(random.integers(len(noise) - length))
    mixed = share * samples + (1 - share) * noise[first : first + length]
    mixed = np.clip(np.rint(mixed * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1) / _FULL_SCALE
    transcript = " ".join(digit.transcript for digit in digits)
    return Utterance(name, transcript, Waveform(mixed.astype(np.float32), fsdd.RATE), speaker=digits[0].speaker)


def _envelope(length: int) -> np.ndarray:
    """One, with half a cosine from and to zero at the ends."""
    fade = min(round(_FADE * fsdd.RATE), length // 2)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(fade) + 0.5) / fade)
    return np.concatenate([rise, np.ones(length - 2 * fade), rise[::-1]]).astype(np.float32)


def _background(recordings: Sequence[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Noise with the mean spectrum and the level of the quietest frames of a speaker's recordings."""
    frames = np.concatenate([_frames(samples) for samples in recordings])
    order = np.argsort(np.sum(np.square(frames), axis=1), kind="stable")
    quiet = frames[order[: max(1, round(len(frames) * _QUIET))]]
    spectrum = np.sqrt(np.mean(np.square(np.abs(np.fft.rfft(quiet * np.hanning(_FRAME)))), axis=0))
    response = np.roll(np.fft.irfft(spectrum), _FRAME // 2) * np.hanning(_FRAME)
    noise = np.convolve(random.standard_normal(_BACKGROUND * fsdd.RATE), response, mode="same")
    return (noise * np.sqrt(np.mean(np.square(quiet)) / np.mean(np.square(noise)))).astype(np.float32)


def _frames(samples: np.ndarray) -> np.ndarray:
    """The whole frames of a recording, and one that is padded if there is none."""
    count = max(1, len(samples) // _FRAME)
    padded = np.pad(samples[: count * _FRAME], (0, max(0, _FRAME - len(samples))))
    return padded.reshape(count, _FRAME)


def _samples(digit: Utterance) -> np.ndarray:
    assert isinstance(digit.sound, Waveform)
    return digit.sound.samples
