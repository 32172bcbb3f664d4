from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter

import numpy as np
import pytest

from seqloom.datasets.speech_synthesis import VOICES
from seqloom.datasets.spoken_words import NEW_VOICES, PRONUNCIATIONS, render
from seqloom.datasets.synthetic_terms import SIZES, generate, load


@pytest.fixture(scope="module")
def sample():
    return load()


def test_the_sample_has_its_sizes_and_says_that_it_is_synthetic(sample):
    assert sample.counts() == SIZES == {"train": 600, "valid": 80, "test": 120}
    assert (sample.name, sample.synthetic) == ("sample", True)
    terms = [term for split in sample.splits().values() for term in split]
    assert len({term.name for term in terms}) == len({term.sound for term in terms}) == len(terms)


def test_every_word_is_said_often_and_its_phonemes_are_those_it_is_made_of(sample):
    for split, least in (("train", 30), ("valid", 2), ("test", 4)):
        words = Counter(term.label for term in sample.splits()[split])
        assert set(words) == set(PRONUNCIATIONS)
        assert min(words.values()) >= least
        for term in sample.splits()[split]:
            assert " ".join(term.phonemes) == PRONUNCIATIONS[term.label]
            assert (term.recording, term.group) == (None, term.name)


def test_two_voices_stand_in_test_only(sample):
    heard = {split: {term.speaker for term in terms} for split, terms in sample.splits().items()}
    new = {voice.name for voice in NEW_VOICES}
    assert heard["train"] == heard["valid"] == {voice.name for voice in VOICES} - new
    assert heard["test"] == {voice.name for voice in VOICES}
    count = sum(term.speaker in new for term in sample.test)
    assert sample.notes == {"test terms of a speaker that train lacks": count}
    assert 15 < count < 60


def test_terms_are_renderings_of_their_words(sample):
    voices = {voice.name: voice for voice in VOICES}
    for place, terms in enumerate(sample.splits().values()):
        for number in (0, 7):
            term = terms[number]
            assert term.sound == render(term.label, voices[term.speaker], (0, place, number))
    seconds = [term.sound.seconds for term in sample.train]
    assert min(seconds) > 0.25
    assert max(seconds) < 1.2


def test_a_split_does_not_depend_on_the_sizes_of_the_others(sample):
    small = generate(seed=0, train=5, valid=3, test=4)
    for split, terms in small.splits().items():
        assert terms == sample.splits()[split][: len(terms)]
    other = generate(seed=1, train=5, valid=3, test=4)
    assert [term.sound for term in other.train] != [term.sound for term in small.train]
    assert not np.array_equal(
        [term.label for term in generate(2, 60, 1, 1).train], [t.label for t in sample.train[:60]]
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": -1}, "seed must not be negative, got seed=-1"),
        ({"train": 0}, "train must be a positive integer, got train=0"),
        ({"valid": -1}, "valid must be a positive integer, got valid=-1"),
    ],
)
def test_arguments_out_of_range_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        generate(**({"seed": 0, "train": 1, "valid": 1, "test": 1} | changed))


def test_it_is_cheap_and_the_second_time_at_once(sample):
    before = time.process_time()
    generate(seed=3, **{split: size // 10 for split, size in SIZES.items()})
    assert time.process_time() - before < 2
    before = time.process_time()
    assert load() == sample
    assert time.process_time() - before < 0.5


def test_terms_need_no_tensorflow():
    code = (
        "import sys, seqloom.datasets.synthetic_terms, seqloom.datasets.term_files; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'keras')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
