"""The phonemes of English as a synthesiser needs them: what the vocal tract does, and for how long.

Formants are about those of an adult man: those of the vowels are near the means that Peterson and Barney found, those
of the other phonemes near the values that Klatt recommends. Durations, levels and noises are chosen to suit 8 kHz.

References:
    - Peterson and Barney, 1952, Control methods used in a study of the vowels, JASA 24
    - Klatt, 1980, Software for a cascade/parallel formant synthesizer, JASA 67
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PAUSE = "_"


@dataclass(frozen=True)
class Segment:
    """A part of a phoneme in which the vocal tract heads for one position.

    Args:
        formants: F1, F2 and F3, in Hz.
        milliseconds: how long it lasts when nobody hurries.
        voice: the level of the vocal folds; 1 for vowels.
        breath: the level of the noise that passes through the whole vocal tract.
        noise: the level of the noise that a narrow place in the mouth makes.
        peak: where that noise is strongest, in Hz; 0 is at F2.
        band: how far around it that noise spreads, in Hz.
        blend: how far the formants go towards those of the nearest vowel, from 0 to 1. Vowels have 0.
        glide: milliseconds before the end and after the start in which formants move.
        nasal: whether the way through the nose is open.
    """

    formants: tuple[float, float, float]
    milliseconds: float
    voice: float = 0.0
    breath: float = 0.0
    noise: float = 0.0
    peak: float = 0.0
    band: float = 1000.0
    blend: float = 0.0
    glide: float = 30.0
    nasal: bool = False


def segments_of(phonemes: Sequence[str]) -> list[Segment]:
    """The segments of phonemes that follow each other. A stop after `s` is not aspirated.

    Args:
        phonemes: names of `PHONEMES`, or `PAUSE`.

    Raises:
        ValueError: if a phoneme is not known.

    Example:
        >>> len(segments_of(["t", "aa"])), len(segments_of(["s", "t", "aa"]))
        (4, 4)
    """
    segments: list[Segment] = []
    for previous, phoneme in zip(["", *phonemes], phonemes, strict=False):
        if phoneme not in PHONEMES:
            raise ValueError(f"phonemes must be of {' '.join(PHONEMES)}, got {phoneme!r}")
        parts = PHONEMES[phoneme]
        segments += parts[:-1] if previous == "s" and phoneme in _ASPIRATED else parts
    return segments


def _vowel(*formants: float, milliseconds: float = 160) -> tuple[Segment, ...]:
    f1, f2, f3 = formants
    return (Segment((f1, f2, f3), milliseconds, voice=1.0, glide=40),)


def _diphthong(start: tuple[float, float, float], end: tuple[float, float, float]) -> tuple[Segment, ...]:
    return (Segment(start, 110, voice=1.0, glide=45), Segment(end, 90, voice=0.9, glide=45))


def _approximant(*formants: float, voice: float) -> tuple[Segment, ...]:
    f1, f2, f3 = formants
    return (Segment((f1, f2, f3), 75, voice=voice, blend=0.1, glide=35),)


def _nasal(*formants: float) -> tuple[Segment, ...]:
    f1, f2, f3 = formants
    return (Segment((f1, f2, f3), 80, voice=0.5, blend=0.1, glide=15, nasal=True),)


def _fricative(
    formants: tuple[float, float, float], noise: float, peak: float, band: float, voice: float = 0.0
) -> tuple[Segment, ...]:
    milliseconds = 80 if voice else 110
    return (Segment(formants, milliseconds, voice, noise=noise, peak=peak, band=band, blend=0.3, glide=20),)


def _stop(
    formants: tuple[float, float, float], noise: float, peak: float, band: float, blend: float, voiced: bool
) -> tuple[Segment, ...]:
    """A closure, the burst at its end and, unless the vocal folds go on, breath."""
    closure = Segment(formants, 65, voice=0.12 if voiced else 0.0, blend=blend, glide=20)
    burst = Segment(formants, 10 if voiced else 16, noise=noise, peak=peak, band=band, blend=blend, glide=5)
    if voiced:
        return closure, burst
    return closure, burst, Segment(formants, 40, breath=0.6, blend=(1 + blend) / 2, glide=20)


_LIPS = (400.0, 1100.0, 2150.0)
_RIDGE = (400.0, 1700.0, 2600.0)  # behind the teeth
_PALATE = (300.0, 1990.0, 2850.0)
_LIPS_AND_TEETH = (340.0, 1100.0, 2080.0)
_TEETH = (320.0, 1290.0, 2540.0)

_ASPIRATED = ("p", "t", "k")

PHONEMES: dict[str, tuple[Segment, ...]] = {
    PAUSE: (Segment((500.0, 1500.0, 2500.0), 100, blend=1.0),),
    "iy": _vowel(270, 2290, 3010),
    "ih": _vowel(390, 1990, 2550, milliseconds=120),
    "eh": _vowel(530, 1840, 2480, milliseconds=130),
    "ae": _vowel(660, 1720, 2410, milliseconds=180),
    "ah": _vowel(640, 1190, 2390, milliseconds=130),
    "aa": _vowel(730, 1090, 2440, milliseconds=180),
    "ao": _vowel(570, 840, 2410, milliseconds=180),
    "uh": _vowel(440, 1020, 2240, milliseconds=120),
    "uw": _vowel(300, 870, 2240),
    "er": _vowel(490, 1350, 1690),
    "ey": _diphthong((480, 1720, 2520), (330, 2020, 2600)),
    "ay": _diphthong((660, 1200, 2550), (400, 1880, 2500)),
    "oy": _diphthong((550, 960, 2400), (360, 1820, 2450)),
    "aw": _diphthong((640, 1230, 2550), (420, 940, 2350)),
    "ow": _diphthong((540, 1100, 2300), (450, 900, 2300)),
    "w": _approximant(290, 610, 2150, voice=0.6),
    "y": _approximant(260, 2070, 3020, voice=0.6),
    "r": _approximant(310, 1060, 1380, voice=0.7),
    "l": _approximant(310, 1050, 2880, voice=0.6),
    "m": _nasal(480, 1270, 2130),
    "n": _nasal(480, 1340, 2470),
    "ng": _nasal(480, 2000, 2900),
    "f": _fricative(_LIPS_AND_TEETH, noise=0.14, peak=2000, band=4000),
    "v": _fricative(_LIPS_AND_TEETH, noise=0.05, peak=2000, band=4000, voice=0.35),
    "th": _fricative(_TEETH, noise=0.12, peak=3400, band=3000),
    "dh": _fricative(_TEETH, noise=0.04, peak=3400, band=3000, voice=0.4),
    "s": _fricative((320, 1390, 2530), noise=0.35, peak=4200, band=700),
    "z": _fricative((240, 1390, 2530), noise=0.20, peak=4200, band=700, voice=0.3),
    "sh": _fricative((300, 1840, 2750), noise=0.45, peak=2600, band=600),
    "zh": _fricative((300, 1840, 2750), noise=0.25, peak=2600, band=600, voice=0.3),
    "hh": (Segment((500, 1500, 2500), 70, breath=0.8, blend=1.0),),
    "p": _stop(_LIPS, noise=0.15, peak=900, band=1500, blend=0.5, voiced=False),
    "b": _stop(_LIPS, noise=0.15, peak=900, band=1500, blend=0.5, voiced=True),
    "t": _stop(_RIDGE, noise=0.45, peak=3400, band=1000, blend=0.3, voiced=False),
    "d": _stop(_RIDGE, noise=0.35, peak=3400, band=1000, blend=0.3, voiced=True),
    "k": _stop(_PALATE, noise=0.45, peak=0, band=350, blend=0.6, voiced=False),
    "g": _stop(_PALATE, noise=0.35, peak=0, band=350, blend=0.6, voiced=True),
}
PHONEMES["ch"] = (*PHONEMES["t"][:2], *PHONEMES["sh"])
PHONEMES["jh"] = (*PHONEMES["d"][:2], *PHONEMES["zh"])
