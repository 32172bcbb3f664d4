"""A formant synthesiser: speech from phonemes, by voices that differ as people do.

Sources and filters are apart, as in Fant's theory. Vocal folds give pulses, and breath and narrow places give noise; a
cascade of resonators, one for each formant, stands for the vocal tract, and its resonances move from each segment to
the next one. Frames of the source that overlap are filtered by the response that the tract has in the middle of each.

References:
    - Fant, 1960, *Acoustic Theory of Speech Production*
    - Rosenberg, 1971, Effect of glottal pulse shape on the quality of natural vowels, JASA 49
    - Klatt, 1980, Software for a cascade/parallel formant synthesizer, JASA 67
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from .phonemes import Segment, segments_of

_BANDWIDTHS = (70.0, 90.0, 140.0, 220.0)  # Hz, of F1 to F3, and of all above
_SPACING = 1000.0  # Hz between the formants above F3
_NASAL = (270.0, 450.0, 100.0)  # Hz: the pole and the zero of an open nose, and their bandwidth
_HIGHEST = 0.46  # of the sampling rate: no resonance above it

_OPENING = 0.4  # of a period of the vocal folds
_EDGE = 0.006  # seconds in which a source sets in
_STEP = 0.01  # seconds between frames
_RESPONSE = 6  # frames after which a response has died away

_VOICE_LEVEL, _BREATH_LEVEL = 0.16, 0.12  # so that vowels and breath have about the levels of their segments


@dataclass(frozen=True)
class Voice:
    """How somebody speaks.

    Args:
        name: of the speaker.
        pitch: the mean frequency of the vocal folds, in Hz.
        tract: by what the formants of an adult man are multiplied: more than 1 for shorter vocal tracts.
        tempo: by what the usual speed is multiplied.
        breath: the level of the noise that comes with the voice.
        closing: the share of a period in which the vocal folds close: small for a bright voice.
        melody: by which share the pitch goes up and down.
    """

    name: str
    pitch: float
    tract: float
    tempo: float = 1.0
    breath: float = 0.05
    closing: float = 0.16
    melody: float = 0.10


VOICES = (
    Voice("arno", pitch=98, tract=0.96, tempo=0.95, breath=0.03, closing=0.14),
    Voice("bruno", pitch=122, tract=1.03, tempo=1.15, breath=0.05, closing=0.17),
    Voice("carl", pitch=138, tract=0.99, tempo=1.0, breath=0.12, closing=0.22, melody=0.05),
    Voice("dora", pitch=182, tract=1.12, tempo=1.05, breath=0.08, closing=0.20, melody=0.14),
    Voice("ella", pitch=212, tract=1.18, tempo=0.95, breath=0.04, closing=0.16),
    Voice("flora", pitch=238, tract=1.15, tempo=1.2, breath=0.10, closing=0.24, melody=0.16),
    Voice("gina", pitch=198, tract=1.20, tempo=1.1, breath=0.06, closing=0.18, melody=0.12),
    Voice("hugo", pitch=112, tract=1.00, tempo=1.05, breath=0.07, closing=0.18, melody=0.08),
)


def synthesise(phonemes: Sequence[str], voice: Voice, random: np.random.Generator, rate: int = 8000) -> np.ndarray:
    """Says phonemes, in a room without noise.

    Args:
        phonemes: names of `phonemes.PHONEMES`, which are those of ARPABET in small letters; `_` is a pause.
        voice: who says it.
        random: draws the noise, and how this time differs from others: durations, formants and melody vary.
        rate: samples per second.

    Returns:
        float32 array `(samples,)`; the mean square of a vowel is about that of white noise of deviation 0.1.

    Raises:
        ValueError: if there is no phoneme, or an unknown one.

    Example:
        >>> samples = synthesise("l ay t".split(), VOICES[0], np.random.default_rng(0))
        >>> samples.dtype, 0.2 < len(samples) / 8000 < 0.8
        (dtype('float32'), True)
    """
    if not phonemes:
        raise ValueError("phonemes must hold at least one, got none")
    segments = _varied(_blended(segments_of(phonemes)), voice, random)
    ends = np.cumsum([round(segment.milliseconds * rate / 1000) for segment in segments])
    glottis, noise = _sources(segments, ends, voice, random, rate)
    return 0.1 * _filtered(glottis, noise, segments, ends, voice, rate)


def with_noise(samples: np.ndarray, decibels: float, random: np.random.Generator) -> np.ndarray:
    """Adds noise whose low frequencies are stronger, as in rooms.

    Args:
        samples: float32 array `(samples,)`.
        decibels: by how much the mean power of the samples is above that of the noise.
        random: draws the noise.

    Returns:
        float32 array `(samples,)`.
    """
    white = random.standard_normal(len(samples) + 1)
    noise = white[1:] + 0.9 * white[:-1]
    level = np.sqrt(np.mean(np.square(samples)) / np.mean(np.square(noise))) * 10 ** (-decibels / 20)
    return (samples + level * noise).astype(np.float32)


def _blended(segments: list[Segment]) -> list[Segment]:
    """Consonants take on some of the formants of the nearest vowel, the next one if two are as near."""
    vowels = [place for place, segment in enumerate(segments) if segment.blend == 0]
    blended = []
    for place, segment in enumerate(segments):
        nearest = min(vowels, key=lambda vowel: (abs(vowel - place), vowel < place), default=place)
        pairs = zip(segment.formants, segments[nearest].formants, strict=True)
        f1, f2, f3 = ((1 - segment.blend) * own + segment.blend * other for own, other in pairs)
        blended.append(replace(segment, formants=(f1, f2, f3)))
    return blended


def _varied(segments: list[Segment], voice: Voice, random: np.random.Generator) -> list[Segment]:
    """Nobody says a thing twice in the same way."""
    tempo = voice.tempo * np.exp(random.normal(0, 0.08))
    varied = []
    for segment in segments:
        f1, f2, f3 = np.array(segment.formants) * np.exp(random.normal(0, 0.025, size=3)) * voice.tract
        milliseconds = segment.milliseconds / tempo * np.exp(random.normal(0, 0.12))
        varied.append(replace(segment, formants=(f1, f2, f3), milliseconds=milliseconds))
    return varied


def _sources(
    segments: list[Segment], ends: np.ndarray, voice: Voice, random: np.random.Generator, rate: int
) -> tuple[np.ndarray, np.ndarray]:
    """What enters the vocal tract at the vocal folds, and the noise of narrow places: float arrays `(samples,)`."""
    lengths = np.diff(ends, prepend=0)
    window = np.hanning(2 + round(_EDGE * rate))
    window /= window.sum()
    levels = np.array([(segment.voice, segment.breath, segment.noise) for segment in segments]).T
    voiced, breath, narrow = (np.convolve(np.repeat(level, lengths), window, mode="same") for level in levels)
    periods = _pitch(segments, ends, voice, random, rate) / rate
    phase = np.cumsum(periods)
    flow = _flow(phase % 1.0, voice.closing)
    shimmer = 1 + 0.05 * random.standard_normal(int(phase[-1]) + 1)
    pulses = np.diff(flow, prepend=flow[0]) / periods * shimmer[phase.astype(int)]  # lips radiate the change
    turbulence = random.standard_normal(len(phase)) * (breath + voice.breath * voiced * (0.3 + flow))
    return _VOICE_LEVEL * voiced * pulses + _BREATH_LEVEL * turbulence, narrow * random.standard_normal(len(phase))


def _pitch(
    segments: list[Segment], ends: np.ndarray, voice: Voice, random: np.random.Generator, rate: int
) -> np.ndarray:
    """The frequency of the vocal folds in Hz: it falls, rises on vowels, and is never quite steady."""
    middles = ends - np.diff(ends, prepend=0) / 2
    falling = 1 + voice.melody * (1 - 2 * middles / ends[-1])
    accents = 1 + voice.melody * np.array([segment.blend == 0 for segment in segments]) * random.uniform(0, 1)
    line = voice.pitch * np.exp(random.normal(0, 0.05)) * falling * accents
    samples = np.arange(ends[-1])
    corners = np.arange(0, ends[-1] + rate // 100, rate // 100)
    jitter = 1 + 0.012 * random.standard_normal(len(corners))
    return np.interp(samples, middles, line) * np.interp(samples, corners, jitter)


def _flow(phase: np.ndarray, closing: float) -> np.ndarray:
    """Rosenberg's trigonometric pulse: the air that passes the vocal folds, by the phase of their period."""
    opening = 0.5 - 0.5 * np.cos(np.pi * phase / _OPENING)
    closed = np.cos(0.5 * np.pi * (phase - _OPENING) / closing)
    return np.where(phase < _OPENING, opening, np.where(phase < _OPENING + closing, closed, 0.0))


def _filtered(
    glottis: np.ndarray, noise: np.ndarray, segments: list[Segment], ends: np.ndarray, voice: Voice, rate: int
) -> np.ndarray:
    """Filters overlapping frames of the sources, and adds them up."""
    step = round(_STEP * rate)
    times = np.arange(-(-len(glottis) // step) + 1) * step
    size = step * _RESPONSE
    spectrum = np.fft.rfft(_frames(glottis, step), size) * _tract(segments, ends, times, voice, rate, size)
    frames = _frames(noise, step)
    noisy = np.flatnonzero(frames.any(axis=1))
    if len(noisy):
        spectrum[noisy] += np.fft.rfft(frames[noisy], size) * _narrow(segments, ends, times[noisy], rate, size)
    responses = np.fft.irfft(spectrum, size)
    samples = np.zeros((len(times) + _RESPONSE, step), np.float32)
    for part in range(_RESPONSE):
        samples[part : part + len(times)] += responses[:, part * step : (part + 1) * step]
    return samples.reshape(-1)[step : step + len(glottis)]


def _frames(samples: np.ndarray, step: int) -> np.ndarray:
    """Frames of two steps, the first one around the first sample, with weights that sum to one."""
    count = -(-len(samples) // step) + 1
    steps = np.pad(samples, (step, count * step - len(samples))).reshape(-1, step)
    weights = 0.5 - 0.5 * np.cos(np.pi * np.arange(2 * step) / step)
    return (np.concatenate([steps[:-1], steps[1:]], axis=1) * weights).astype(np.float32)


def _tract(
    segments: list[Segment], ends: np.ndarray, times: np.ndarray, voice: Voice, rate: int, size: int
) -> np.ndarray:
    """The response of the vocal tract and the nose at some times: complex array `(times, size // 2 + 1)`."""
    corners, formants, nasal = _movements(segments, ends, rate)
    tracks = [np.interp(times, corners, formant) for formant in formants]
    while (higher := _SPACING * voice.tract * (len(tracks) + 0.5)) < _HIGHEST * rate:
        tracks.append(np.full(len(times), higher))
    bandwidths = [_BANDWIDTHS[min(number, 3)] for number in range(len(tracks))]
    pole, zero, width = _NASAL
    antiresonance = pole + (zero - pole) * np.interp(times, corners, nasal)
    resonances = _resonator(np.full(len(times), pole), width, rate)
    for track, bandwidth in zip(tracks, bandwidths, strict=True):
        resonances = _cascaded(resonances, _resonator(np.minimum(track, _HIGHEST * rate), bandwidth, rate))
    return _response(resonances, size) / _response(_resonator(antiresonance, width, rate), size)


def _movements(segments: list[Segment], ends: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The corners of the lines on which the formants move, in samples: between them each segment holds its own."""
    starts = ends - np.diff(ends, prepend=0)
    glides = np.array(
        [
            min(segment.glide / 1000 * rate, (end - start) / 2)
            for segment, start, end in zip(segments, starts, ends, strict=True)
        ]
    )
    corners = np.stack([starts + glides, ends - glides], axis=1).reshape(-1)
    formants = np.repeat(np.array([segment.formants for segment in segments]).T, 2, axis=1)
    return corners, formants, np.repeat([float(segment.nasal) for segment in segments], 2)


def _narrow(segments: list[Segment], ends: np.ndarray, times: np.ndarray, rate: int, size: int) -> np.ndarray:
    """The response of the nearest narrow place at some times, of unit power: complex array `(times, size // 2 + 1)`."""
    places = [place for place, segment in enumerate(segments) if segment.noise]
    starts = ends - np.diff(ends, prepend=0)
    distance = np.maximum(starts[places] - times[:, None], times[:, None] - ends[places])
    nearest = [segments[places[index]] for index in distance.argmin(axis=1)]
    peaks = np.array([segment.peak or segment.formants[1] for segment in nearest])
    bands = np.array([segment.band for segment in nearest])
    response = _response(_resonator(np.minimum(peaks, _HIGHEST * rate), bands, rate), size)
    return response / np.sqrt(np.mean(np.square(np.abs(response)), axis=1, keepdims=True))


def _resonator(frequencies: np.ndarray, bandwidth: float | np.ndarray, rate: int) -> np.ndarray:
    """The denominators of resonators `A / (1 - B z^-1 - C z^-2)`: float array `(frequencies, 3)`.

    `C = -exp(-2 pi bandwidth / rate)` and `B = 2 exp(-pi bandwidth / rate) cos(2 pi frequency / rate)`
    (Klatt, 1980).
    """
    radius = np.broadcast_to(np.exp(-np.pi * np.asarray(bandwidth) / rate), frequencies.shape)
    b = 2 * radius * np.cos(2 * np.pi * frequencies / rate)
    return np.stack([np.ones_like(b), -b, np.square(radius)], axis=1)


def _cascaded(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The products of polynomials, row by row."""
    product = np.zeros((len(first), first.shape[1] + second.shape[1] - 1))
    for power in range(second.shape[1]):
        product[:, power : power + first.shape[1]] += first * second[:, power : power + 1]
    return product


def _response(denominators: np.ndarray, size: int) -> np.ndarray:
    """The response of all-pole filters, 1 at 0 Hz: complex array `(filters, size // 2 + 1)`."""
    return (denominators.sum(axis=1, keepdims=True) / np.fft.rfft(denominators, size)).astype(np.complex64)
