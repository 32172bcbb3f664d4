from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.datasets.phonemes import PAUSE, PHONEMES
from seqloom.datasets.timit_phones import PHONES, phonemes_of


@pytest.mark.parametrize(
    ("phones", "phonemes"),
    [
        ("dcl d aa r kcl k", "d aa r k"),
        ("dcl d aa kcl", "d aa k"),
        ("hv eh dcl jh", "hh eh jh"),
        ("tcl ch ix pcl p", "ch ih p"),
        ("w aa dx axr", "w aa dx er"),
        ("s epi m ao l", "s m ao l"),
        ("tcl t ux tcl q", "t uw t"),
        ("bcl b ah tcl en", "b ah t n"),
        ("tcl d", "t d"),
        ("tcl tcl t", "t t"),
        ("kcl pau k", "k"),
        ("q ay", "ay"),
        ("h# pau epi q", ""),
        ("", ""),
    ],
)
def test_phones_become_phonemes(phones, phonemes):
    assert " ".join(phonemes_of(phones.split())) == phonemes


@given(st.lists(st.sampled_from(sorted(PHONES)), max_size=20))
def test_any_phones_become_phonemes_of_the_synthesiser_or_flaps(phones):
    phonemes = phonemes_of(phones)
    assert set(phonemes) <= PHONEMES.keys() - {PAUSE} | {"dx"}
    assert len(phonemes) <= len(phones)
    assert phonemes_of(phonemes) == phonemes


def test_another_symbol_is_named():
    with pytest.raises(ValueError, match=r"phones must be of aa ae ah .* zh, got 'AH0'"):
        phonemes_of(["b", "AH0"])


@pytest.mark.real_data
def test_the_phones_are_those_of_the_corpus(data_dir: Path):
    assert len(PHONES) == 61
    document = (data_dir / "timit_sample" / "phoncode.doc").read_text()
    described = set(re.findall(r"^ {18}([a-z#-]+) {2,}", document, re.MULTILINE))
    closures = {"bcl", "dcl", "gcl", "pcl", "tcl", "kcl"}  # described in the text alone
    assert described | closures == PHONES
