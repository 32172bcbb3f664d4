"""From the phones that TIMIT writes down to the phonemes that they are sounds of.

References:
    - Lee and Hon, 1989, Speaker-independent phone recognition using hidden Markov models, IEEE Transactions on
      Acoustics, Speech, and Signal Processing 37
"""

from __future__ import annotations

from collections.abc import Sequence

from .phonemes import PAUSE, PHONEMES

_SILENT = {"h#", "pau", "epi", "q"}  # a glottal stop begins a vowel, or ends one after or in place of a t

# As Lee and Hon put them together, where they do not put different phonemes together.
_ALLOPHONES = {
    "hv": "hh",
    "ux": "uw",
    "ax": "ah",
    "ax-h": "ah",
    "ix": "ih",
    "axr": "er",
    "el": "l",
    "em": "m",
    "en": "n",
    "eng": "ng",
    "nx": "n",
}

_CLOSURES = {"bcl": ("b",), "dcl": ("d", "jh"), "gcl": ("g",), "pcl": ("p",), "tcl": ("t", "ch"), "kcl": ("k",)}

_FLAP = "dx"  # of /t/ or /d/, so it stays what it is

PHONES = frozenset({*PHONEMES, *_ALLOPHONES, *_CLOSURES, *_SILENT, _FLAP} - {PAUSE})


def phonemes_of(phones: Sequence[str]) -> tuple[str, ...]:
    """The phonemes of a word, without silence.

    A closure and the release after it are one stop or affricate, and a closure without release is a stop.

    Args:
        phones: symbols of `PHONES`, which are the 61 of TIMIT.

    Returns:
        names of `phonemes.PHONEMES`, and `dx` for a flap.

    Raises:
        ValueError: if a phone is not known.

    Example:
        >>> phonemes_of("dcl d aa kcl".split()), phonemes_of("tcl ch ix q".split())
        (('d', 'aa', 'k'), ('ch', 'ih'))
    """
    for phone in phones:
        if phone not in PHONES:
            raise ValueError(f"phones must be of {' '.join(sorted(PHONES))}, got {phone!r}")
    heard = [phone for phone in phones if phone not in _SILENT]
    phonemes = []
    for phone, following in zip(heard, [*heard[1:], ""], strict=False):
        stops = _CLOSURES.get(phone)
        if stops is None:
            phonemes.append(_ALLOPHONES.get(phone, phone))
        elif following not in stops:
            phonemes.append(stops[0])
    return tuple(phonemes)
