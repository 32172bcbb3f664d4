from __future__ import annotations

import os
import struct
from pathlib import Path

import numpy as np
import pytest

from seqloom.datasets import an4
from seqloom.datasets.audio import FrameMatrix
from seqloom.datasets.corpus import DataError
from seqloom.datasets.feature_file import read_feature_file
from seqloom.pipelines.corpora import cut
from seqloom.pipelines.slot_filling.config import Config

LISTED = {
    "train": ["an4_clstk/ann/an1-ann-b", "an4_clstk/ann/cen2-ann-b", "an4_clstk/bob/an1-bob-b"],
    "test": ["an4test_clstk/cyd/an1-cyd-b"],
}
SAID = {"train": ["YES", "O'NEIL (M D) TWO", "GO"], "test": ["ERASE  C Q"]}


def frames_of(name: str) -> np.ndarray:
    return np.random.default_rng(len(name)).standard_normal((len(name), 13)).astype(np.float32)


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A folder in the layout of AN4, with fewer utterances than AN4 has."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(an4, "COUNTS", {split: len(names) for split, names in LISTED.items()})
    folder = tmp_path / "corpora" / "an4_mfcc"
    (folder / "etc").mkdir(parents=True)
    for split, names in LISTED.items():
        lines = [f"{said} ({name.split('/')[-1]})\n" for name, said in zip(names, SAID[split], strict=True)]
        (folder / "etc" / f"an4_{split}.fileids").write_text("\n".join(names) + "\n")
        (folder / "etc" / f"an4_{split}.transcription").write_text("".join(lines))
        for name in names:
            path = folder / "feat" / f"{name}.mfc"
            path.parent.mkdir(parents=True, exist_ok=True)
            values = frames_of(name).reshape(-1).tolist()
            path.write_bytes(struct.pack(f">i{len(values)}f", len(values), *values))
    return folder


def test_utterances_are_those_of_the_lists_in_their_order(raw, tmp_path, capfd):
    corpus = an4.load(raw, tmp_path / "cache")
    for split, utterances in (("train", corpus.train), ("test", corpus.test)):
        assert [utterance.name for utterance in utterances] == LISTED[split]
        assert [utterance.transcript for utterance in utterances] == SAID[split]
        assert [utterance.sound for utterance in utterances] == [FrameMatrix(frames_of(name)) for name in LISTED[split]]
        assert utterances == an4.read_split(raw, split)
    assert [utterance.speaker for utterance in corpus.train] == ["ann", "ann", "bob"]
    assert [utterance.group for utterance in corpus.test] == ["cyd"]
    assert (corpus.name, corpus.valid, corpus.synthetic, corpus.source) == ("an4", None, False, str(raw))
    assert capfd.readouterr().out == ""


def test_the_second_time_reads_the_cache(raw, tmp_path, monkeypatch):
    first = an4.load(raw.parent, tmp_path)
    monkeypatch.setattr(an4, "read_split", None)
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(raw.parent))
    assert an4.load(None, tmp_path) == first


def test_what_is_missing_and_where_to_get_it_is_said(raw, tmp_path):
    (raw / "etc" / "an4_test.fileids").unlink()
    with pytest.raises(DataError, match=r"an4_test\.fileids is missing: .*'an4_mfcc'.*must hold etc/.*http://www\.sp"):
        an4.load(raw, tmp_path)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("name", "changed", "message"),
    [
        (
            "fileids",
            ("ann/an1-ann-b", "ann/an2-ann-b"),
            r"transcription, line 1: expected words and \(an2-ann-b\), got",
        ),
        ("fileids", ("an4_clstk/bob/an1-bob-b", "an1-bob-b"), r"fileids, line 3: 'an1-bob-b' names no speaker"),
        ("transcription", ("YES (", "("), r"transcription, line 1: expected words and \(an1-ann-b\), got '\(an1-ann-b"),
        ("transcription", ("(an1-bob-b)", ""), r"transcription, line 3: expected words and \(an1-bob-b\), got 'GO '"),
        ("transcription", ("GO (an1-bob-b)\n", ""), "transcription has 2 lines, expected 3 as in an4_train.fileids"),
    ],
)
def test_lists_that_do_not_agree_are_named(raw, tmp_path, name, changed, message):
    path = raw / "etc" / f"an4_train.{name}"
    path.write_text(path.read_text().replace(*changed))
    with pytest.raises(DataError, match=message):
        an4.load(raw, tmp_path)
    assert [path for path in (tmp_path / "prepared").rglob("*") if path.is_file()] == []


def test_damaged_and_missing_cepstra_are_named(raw, tmp_path):
    path = raw / "feat" / f"{LISTED['train'][1]}.mfc"
    os.truncate(path, 100)
    with pytest.raises(DataError, match=r"cen2-ann-b\.mfc is not a whole feature file: its header counts"):
        an4.load(raw, tmp_path)
    path.unlink()
    with pytest.raises(DataError, match=r"cen2-ann-b\.mfc is missing"):
        an4.load(raw, tmp_path)


def test_another_number_of_utterances_is_refused(raw, tmp_path):
    for kind, line in (("fileids", LISTED["train"][0]), ("transcription", "YES (an1-ann-b)")):
        append(raw / "etc" / f"an4_train.{kind}", line + "\n")
    with pytest.raises(DataError, match="is not the usual split of AN4: counted 4 utterances in train, expected 3"):
        an4.load(raw, tmp_path)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = os.environ.get("SEQLOOM_DATA_DIR")
    if not folder or not Path(folder, "an4_mfcc").is_dir():
        pytest.skip("SEQLOOM_DATA_DIR does not name the folder of the real corpora")
    return an4.load(None, tmp_path_factory.mktemp("cache"))


@pytest.mark.real_data
def test_the_counts_of_an4(real):
    assert real.counts() == {"train": 948, "test": 130}
    speakers = {split: {each.speaker for each in utterances} for split, utterances in real.splits().items()}
    assert {split: len(names) for split, names in speakers.items()} == {"train": 74, "test": 10}
    assert not speakers["train"] & speakers["test"]
    words = {split: [w for each in us for w in each.transcript.split()] for split, us in real.splits().items()}
    assert {split: len(tokens) for split, tokens in words.items()} == {"train": 5442, "test": 773}
    assert len(set(words["train"])) == 99
    assert len(set(words["test"]) - set(words["train"])) == 2
    assert len({each.name for each in [*real.train, *real.test]}) == 1078


@pytest.mark.real_data
def test_an4_is_what_its_files_hold(real):
    for utterance in [*real.train[::100], *real.test[::20]]:
        assert utterance.sound == read_feature_file(Path(real.source, "feat", f"{utterance.name}.mfc"))
    assert real.test[0].transcript == "RUBOUT G M E F THREE NINE"


@pytest.mark.real_data
def test_validation_is_cut_by_speaker(real):
    splits = cut(real, Config(dataset="an4"))
    assert len(splits.train) + len(splits.valid) == 948
    assert not {each.speaker for each in splits.train} & {each.speaker for each in splits.valid}
