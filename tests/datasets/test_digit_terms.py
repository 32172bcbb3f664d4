from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.datasets import fsdd
from seqloom.datasets.corpus import DataError
from seqloom.datasets.digit_terms import PRONUNCIATIONS, load
from seqloom.datasets.phonemes import PAUSE, PHONEMES


def test_every_digit_has_other_phonemes():
    assert tuple(PRONUNCIATIONS) == fsdd.WORDS
    assert len(set(PRONUNCIATIONS.values())) == 10
    used = {phoneme for phonemes in PRONUNCIATIONS.values() for phoneme in phonemes.split()}
    assert used <= PHONEMES.keys() - {PAUSE}


def test_a_folder_without_recordings_says_where_they_are(tmp_path):
    with pytest.raises(
        DataError, match=r"recordings/\*\.wav is missing: .* get it from https://github\.com/Jakobovski"
    ):
        load(tmp_path, tmp_path)


@pytest.mark.real_data
def test_terms_are_the_recordings_of_fsdd(data_dir: Path, cache: Path):
    corpus, digits = load(data_dir, cache), fsdd.load(data_dir, cache)
    assert corpus.counts() == {"train": 2700, "test": 300}
    assert (corpus.name, corpus.valid, corpus.licence, corpus.source) == ("fsdd", None, digits.licence, digits.source)
    for split, terms in corpus.splits().items():
        for term, digit in zip(terms, digits.splits()[split], strict=True):
            assert (term.name, term.label, term.speaker) == (digit.name, digit.transcript, digit.speaker)
            assert term.sound == digit.sound
            assert (term.group, term.recording) == (digit.name, None)
            assert " ".join(term.phonemes) == PRONUNCIATIONS[digit.transcript]
