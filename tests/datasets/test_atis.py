from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from seqloom.datasets import atis, slot_files
from seqloom.datasets.corpus import DataError
from seqloom.datasets.prepared import prepare, read

SMALL = {"train": 30, "valid": 2, "test": 3}


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A folder in the layout of ATIS, with fewer sentences than ATIS has."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(atis, "COUNTS", SMALL)
    for split, count in SMALL.items():
        folder = tmp_path / "corpora" / "atis" / split
        folder.mkdir(parents=True)
        (folder / "seq.in").write_text("".join(f"{split} {number} zürich\n" for number in range(count)))
        (folder / "seq.out").write_text("O B-number I-number\n" * count)
        (folder / "label").write_text("flight\n" * count)
    return tmp_path / "corpora" / "atis"


def prepared_files(cache: Path) -> list[Path]:
    return sorted(path for path in (cache / "prepared").rglob("*") if path.is_file())


def test_records_are_the_files_in_their_order(raw, tmp_path, capfd):
    corpus = atis.load(raw, tmp_path / "cache")
    files = slot_files.load(raw)
    assert (corpus.train, corpus.valid, corpus.test) == (files.train, files.valid, files.test)
    assert corpus.counts() == SMALL
    assert corpus.source == str(raw)
    assert not corpus.synthetic
    assert "LDC" in corpus.licence
    assert "Hemphill" in corpus.citation
    out, err = capfd.readouterr()
    assert out == ""
    assert "Generating" not in err


def test_the_folder_is_found_by_argument_and_by_environment(raw, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = atis.load(raw, cache)
    assert atis.load(raw.parent, cache) == first
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(raw.parent))
    assert atis.load(None, cache) == first
    assert len(list((cache / "prepared").iterdir())) == 1


def test_what_is_missing_and_where_to_get_it_is_said(raw, tmp_path):
    get_it = "must hold the folders train, valid and test, each with the files seq.in, seq.out and label, get it from"
    with pytest.raises(DataError, match=f"no folder was given.*{get_it} .*https://"):
        atis.load(None, tmp_path)
    with pytest.raises(DataError, match=f"absent is missing: .*{get_it}"):
        atis.load(raw / "absent", tmp_path)
    with pytest.raises(DataError, match=rf"label is not a folder: .*{get_it}"):
        atis.load(raw / "test" / "label", tmp_path)
    (raw / "valid" / "label").unlink()
    with pytest.raises(DataError, match=f"atis/valid/label is missing: .*{get_it}"):
        atis.load(raw.parent, tmp_path)


def test_the_second_time_reads_the_cache_and_other_files_make_another(raw, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = atis.load(raw, cache)
    with monkeypatch.context() as context:
        context.setattr(atis, "read_split", None)
        assert atis.load(raw, cache) == first
    label = raw / "train" / "label"
    label.write_text(label.read_text().replace("flight", "fare", 1))
    second = atis.load(raw, cache)
    assert second.train[0].intent == "fare"
    assert second.train[1:] == first.train[1:]
    assert len(list((cache / "prepared").iterdir())) == 2


def test_another_number_of_sentences_is_refused(raw, tmp_path):
    for name in slot_files.FILES:
        path = raw / "valid" / name
        path.write_text(path.read_text().split("\n")[0] + "\n")
    with pytest.raises(DataError, match=r"valid is not the usual split of ATIS: counted 1 sentences, expected 2"):
        atis.load(raw, tmp_path / "cache")
    assert prepared_files(tmp_path / "cache") == []


def test_a_malformed_line_is_named_and_nothing_is_left(raw, tmp_path):
    (raw / "test" / "seq.out").write_text("O B-number I-number\n" * 2 + "O O number\n")
    with pytest.raises(DataError, match=r"test/seq\.out, line 3: tag 3 must be O, B-x or I-x"):
        atis.load(raw, tmp_path / "cache")
    assert prepared_files(tmp_path / "cache") == []


def test_of_two_that_prepare_at_once_the_first_wins(raw, tmp_path, monkeypatch):
    found = atis._RAW_FILES.find(raw)
    inner = []

    def read_split_during_another_preparation(folder: Path):
        if not inner:
            inner.append(True)
            inner.append(prepare(atis.Atis, found, tmp_path))
        return slot_files.read_split(folder)

    monkeypatch.setattr(atis, "read_split", read_split_during_another_preparation)
    outer = prepare(atis.Atis, found, tmp_path)
    assert outer.data_dir == inner[1].data_dir
    assert len(read(outer, "train")) == SMALL["train"]
    assert [path for path in prepared_files(tmp_path) if ".preparing-" in str(path)] == []


def test_a_killed_preparation_is_not_taken_for_a_whole_one(raw, tmp_path):
    code = """
import os, signal, sys
from seqloom.datasets import atis

def stop_in_the_test_split(folder, original=atis.read_split):
    if folder.name == "test":
        os.kill(os.getpid(), signal.SIGKILL)
    return original(folder)

atis.COUNTS = eval(sys.argv[1])
atis.read_split = stop_in_the_test_split
atis.load(sys.argv[2], sys.argv[3])
"""
    cache = tmp_path / "cache"
    killed = subprocess.run([sys.executable, "-c", code, repr(SMALL), raw, cache], capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert prepared_files(cache) != []
    assert atis.load(raw, cache).counts() == SMALL


def test_a_corpus_can_be_loaded_before_tensorflow_is_set_up(raw, tmp_path):
    code = """
import sys
from seqloom.datasets import atis

atis.COUNTS = eval(sys.argv[1])
atis.load(sys.argv[2], sys.argv[3])
print("tensorflow" in sys.modules)
"""
    command = [sys.executable, "-c", code, repr(SMALL), raw, tmp_path]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("damage", ["truncate", "remove", "fewer"])
def test_damaged_records_are_named(raw, tmp_path, damage):
    atis.load(raw, tmp_path)
    records = {path.name.split(".")[0]: path for path in prepared_files(tmp_path)}
    if damage == "truncate":
        os.truncate(records["atis-train"], 100)
    elif damage == "remove":
        records["atis-train"].unlink()
    else:
        records["atis-train"].write_bytes(records["atis-valid"].read_bytes())
    with pytest.raises(DataError, match=r"1\.0\.0 are damaged: remove that folder and run again"):
        atis.load(raw, tmp_path)


def test_a_cache_that_cannot_be_written_is_named(raw, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"the cache folder .*file/prepared/atis-[0-9a-f]{16} cannot be written: Not a"):
        atis.load(raw, tmp_path / "file")


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not os.environ.get("SEQLOOM_DATA_DIR"):
        pytest.skip("SEQLOOM_DATA_DIR does not name the folder of the real corpora")
    return atis.load(None, tmp_path_factory.mktemp("cache"))


@pytest.mark.real_data
def test_the_counts_of_atis(real):
    assert real.counts() == {"train": 4478, "valid": 500, "test": 893}
    every = [*real.train, *real.valid, *real.test]
    assert len({tag for sentence in real.train for tag in sentence.tags}) == 120
    assert len({tag for sentence in every for tag in sentence.tags}) == 127
    assert len({sentence.intent for sentence in real.train}) == 21
    assert len({sentence.intent for sentence in every}) == 26


@pytest.mark.real_data
def test_atis_is_what_its_files_hold(real):
    for split, sentences in real.splits().items():
        assert sentences == slot_files.read_split(Path(real.source, split))
