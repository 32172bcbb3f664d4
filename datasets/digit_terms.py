"""FSDD as terms to search: the recordings of train are the archive, those of test the queries.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

from pathlib import Path

from . import fsdd
from .corpus import Corpus
from .spoken_term import SpokenTerm
from .utterance import Utterance

PRONUNCIATIONS = {
    "zero": "z ih r ow",
    "one": "w ah n",
    "two": "t uw",
    "three": "th r iy",
    "four": "f ao r",
    "five": "f ay v",
    "six": "s ih k s",
    "seven": "s eh v ah n",
    "eight": "ey t",
    "nine": "n ay n",
}


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[SpokenTerm]:
    """Reads FSDD, in its usual split and order. Archive and queries share their six speakers; there is no `valid`.

    Args:
        data_dir: the folder `fsdd`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or damaged, or not the recordings that FSDD consists of.
    """
    digits = fsdd.load(data_dir, cache_dir)
    return Corpus(
        name=digits.name,
        train=[_term(digit) for digit in digits.train],
        valid=None,
        test=[_term(digit) for digit in digits.test or []],
        description=f"{digits.description} The test are the queries, and the rest is the archive that is searched.",
        licence=digits.licence,
        citation=digits.citation,
        source=digits.source,
        notes=digits.notes,
    )


def _term(digit: Utterance) -> SpokenTerm:
    phonemes = tuple(PRONUNCIATIONS[digit.transcript].split())
    return SpokenTerm(digit.name, digit.sound, digit.transcript, digit.speaker, phonemes)
