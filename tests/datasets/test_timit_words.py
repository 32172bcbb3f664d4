from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqloom.datasets import timit_words
from seqloom.datasets.audio import Waveform
from seqloom.datasets.corpus import DataError
from seqloom.datasets.timit_words import read_stretches
from seqloom.pipelines.config import TaskConfig
from seqloom.pipelines.corpora import cut

SPEAKERS = ("dr1-fabc0", "dr2-mabc0", "dr3-mdef1")
WORDS = "0 3200 she\n3200 6399 had\n6000 10000 your\n10000 20000 suit\n"
PHONES = "0 1600 sh\n1600 3200 iy\n3200 6399 hv\n6399 8000 y\n8000 10000 axr\n10000 18000 s\n18000 20001 tcl\n"


def samples_of(speaker: str, sentence: str) -> np.ndarray:
    random = np.random.default_rng([SPEAKERS.index(speaker), len(sentence)])
    return random.integers(-32768, 32768, 20_000).astype(np.int16)


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A folder in the layout of the TIMIT sample, with fewer speakers and sentences."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(timit_words, "COUNTS", {"sentences": 6, "speakers": 3, "words": 24})
    folder = tmp_path / "corpora" / "timit_sample"
    for speaker in SPEAKERS:
        (folder / speaker).mkdir(parents=True)
        for sentence in ("sa1", "sx26"):
            soundfile.write(folder / speaker / f"{sentence}.wav", samples_of(speaker, sentence), 16_000)
            (folder / speaker / f"{sentence}.wrd").write_text(WORDS)
            (folder / speaker / f"{sentence}.phn").write_text(PHONES)
    return folder


def test_terms_are_the_words_that_are_long_enough(raw, tmp_path, capfd):
    corpus = timit_words.load(raw, tmp_path / "cache")
    assert corpus.counts() == {"train": 2 * 3, "test": 2 * 2 * 3}
    names = [f"{speaker}/sa1/{number}" for speaker in ("dr1-fabc0", "dr3-mdef1") for number in ("00", "02", "03")]
    assert [term.name for term in corpus.test[:6]] == names
    assert [term.label for term in corpus.train] == ["she", "your", "suit"] * 2
    assert [term.phonemes for term in corpus.train[:3]] == [("sh", "iy"), ("y", "er"), ("s", "t")]
    assert corpus.notes == {"words of less than 0.2 s left out": 6, "test words that train lacks": 0}
    assert (corpus.name, corpus.valid, corpus.synthetic, corpus.source) == ("timit_words", None, False, str(raw))
    assert capfd.readouterr().out == ""


def test_terms_are_parts_of_whole_sentences(raw, tmp_path):
    corpus = timit_words.load(raw, tmp_path / "cache")
    for term in [*corpus.train, *corpus.test]:
        speaker, sentence, _ = term.name.split("/")
        whole = samples_of(speaker, sentence).astype(np.float32) / 2**15
        assert term.recording.name == f"{speaker}/{sentence}"
        assert term.recording.sound == Waveform(whole, 16_000)
        assert (term.label, term.start, term.end) in term.recording.words
        assert term.sound == Waveform(whole[round(term.start * 16_000) : round(term.end * 16_000)], 16_000)
        assert term.speaker == term.recording.speaker == term.group == speaker
    assert corpus.train[0].recording is corpus.train[2].recording
    assert (corpus.train[1].start, corpus.train[1].end) == (0.375, 0.625)


def test_the_second_time_reads_the_cache(raw, tmp_path, monkeypatch):
    first = timit_words.load(raw.parent, tmp_path)
    monkeypatch.setattr(timit_words, "read_audio", None)
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(raw.parent))
    assert timit_words.load(None, tmp_path) == first


def test_what_is_missing_and_where_to_get_it_is_said(raw, tmp_path):
    for path in raw.glob("*/*.wrd"):
        path.unlink()
    message = r"\*\.wrd is missing: .*'timit_sample'.* must hold a folder for each .*https://www\.nltk\.org"
    with pytest.raises(DataError, match=message):
        timit_words.load(raw, tmp_path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("dr2-mabc0/sx26.wav", "is not the TIMIT sample: counted 5 sentences, expected 6"),
        ("dr2-mabc0/sx26.wrd", r"sx26\.wrd is missing"),
        ("dr2-mabc0/sx26.phn", r"sx26\.phn is missing"),
    ],
)
def test_a_missing_file_is_noticed(raw, tmp_path, path, message):
    (raw / path).unlink()
    with pytest.raises(DataError, match=message):
        timit_words.load(raw, tmp_path)


def test_folders_are_named_after_speakers(raw, tmp_path):
    (raw / "dr2-mabc0").rename(raw / "dr9-mabc0")
    with pytest.raises(DataError, match="dr9-mabc0 is not named as the folder of a speaker, such as dr1-fvmh0"):
        timit_words.load(raw, tmp_path)


def test_another_number_of_speakers_or_words_is_refused(raw, tmp_path):
    path = raw / "dr2-mabc0" / "sa1.wrd"
    path.write_text(WORDS + "19000 20000 in\n")
    with pytest.raises(DataError, match="is not the TIMIT sample: counted 25 words, expected 24"):
        timit_words.load(raw, tmp_path)
    path.write_text(WORDS)
    (raw / "dr4-mabc0").mkdir()
    for path in (raw / "dr2-mabc0").glob("sa1.*"):
        path.rename(raw / "dr4-mabc0" / path.name)
    with pytest.raises(DataError, match="is not the TIMIT sample: counted 4 speakers, expected 3"):
        timit_words.load(raw, tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("3200 6399", "expected a first sample, an end and a text, got '3200 6399'"),
        ("3200 6399 had it", "expected a first sample, an end and a text, got"),
        ("", "expected a first sample, an end and a text, got ''"),
        ("3200 -1 had", "expected a first sample, an end and a text, got"),
        ("3200 6399.5 had", "expected a first sample, an end and a text, got"),
        ("3200 3200 had", "the end must be after the first sample, got '3200 3200 had'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, message):
    path = tmp_path / "sa1.wrd"
    path.write_text(f"0 3200 she\n{line}\n")
    with pytest.raises(DataError) as caught:
        read_stretches(path)
    assert str(caught.value).startswith(f"{path}, line 2: {message}")
    path.write_text("")
    with pytest.raises(DataError, match=r"sa1\.wrd is empty, expected"):
        read_stretches(path)


def test_damaged_files_are_named(raw, tmp_path):
    wav, phn, wrd = (raw / "dr2-mabc0" / f"sx26.{kind}" for kind in ("wav", "phn", "wrd"))
    phn.write_text("0 20000 AH0\n")
    with pytest.raises(DataError, match=r"sx26\.phn: 'AH0' is none of TIMIT's phones"):
        timit_words.load(raw, tmp_path)
    phn.write_text(PHONES)
    wrd.write_text(WORDS.replace("10000 20000", "10000 20001"))
    with pytest.raises(DataError, match=r"sx26\.wav has 20000 samples, expected 20001 as in its \.wrd"):
        timit_words.load(raw, tmp_path)
    soundfile.write(wav, np.zeros(20_000), 8000)
    with pytest.raises(DataError, match=r"sx26\.wav has 8000 samples per second, expected 16000"):
        timit_words.load(raw, tmp_path)
    os.truncate(wav, 300)
    with pytest.raises(DataError, match=r"sx26\.wav is cut off"):
        timit_words.load(raw, tmp_path)
    assert [path for path in (tmp_path / "prepared").rglob("*") if path.is_file()] == []


@pytest.fixture(scope="module")
def real(data_dir, cache):
    return timit_words.load(data_dir, cache)


@pytest.mark.real_data
def test_the_counts_of_timit(real):
    assert real.counts() == {"train": 682, "test": 243}
    assert real.notes == {"words of less than 0.2 s left out": 1394 - 682 - 243, "test words that train lacks": 148}
    recordings = {term.recording.name: term.recording for term in [*real.train, *real.test]}
    assert len(recordings) == 160
    assert sum(len(recording.words) for recording in recordings.values()) == 1394
    assert round(sum(recording.sound.seconds for recording in recordings.values()), 1) == 490.1
    speakers = {split: {term.speaker for term in terms} for split, terms in real.splits().items()}
    assert not speakers["train"] & speakers["test"]
    assert {split: len(names) for split, names in speakers.items()} == {"train": 12, "test": 4}
    assert Counter(name[4] for name in speakers["test"]) == {"f": 2, "m": 2}
    assert {name[:3] for name in speakers["test"]} == {"dr1", "dr3", "dr5", "dr7"}


@pytest.mark.real_data
def test_timit_is_what_its_files_hold(real, data_dir):
    found = {term.name: term for term in [*real.train, *real.test]}
    for path in sorted((data_dir / "timit_sample").glob("dr*/*.wrd")):
        samples, rate = soundfile.read(path.with_suffix(".wav"), dtype="int16")
        for number, line in enumerate(path.read_text().split("\n")[:-1]):
            start, end, word = line.split(" ")
            term = found.pop(f"{path.parent.name}/{path.stem}/{number:02d}", None)
            assert (term is not None) == (int(end) - int(start) >= 0.2 * rate)
            if term:
                assert (term.label, term.speaker) == (word, path.parent.name)
                cut_out = samples[int(start) : int(end)].astype(np.float32) / 2**15
                assert term.sound == Waveform(cut_out, rate)
    assert not found


@pytest.mark.real_data
def test_every_term_has_phonemes_and_the_same_words_mostly_the_same_ones(real):
    terms = [*real.train, *real.test]
    assert all(term.phonemes for term in terms)
    said = {word: Counter(term.phonemes for term in terms if term.label == word) for word in ("dark", "wash", "ask")}
    assert said["dark"].most_common(1)[0][0] == ("d", "aa", "r", "k")
    assert said["ask"].most_common(1)[0][0] == ("ae", "s", "k")
    assert {" ".join(phonemes) for phonemes in said["wash"]} == {"w aa sh", "w ao sh", "w aa r sh"}


@pytest.mark.real_data
def test_words_of_many_speakers_are_there(real):
    speakers = defaultdict(set)
    for term in [*real.train, *real.test]:
        speakers[term.label].add(term.speaker)
    assert sum(len(names) >= 5 for names in speakers.values()) == 14


@pytest.mark.real_data
def test_validation_is_cut_by_speaker_and_the_first_terms_have_many(real):
    splits = cut(real, TaskConfig(dataset="timit_words"))
    assert len(splits.train) + len(splits.valid) == 682
    assert not {term.speaker for term in splits.train} & {term.speaker for term in splits.valid}
    assert len({term.speaker for term in real.train[:100]}) == 12
