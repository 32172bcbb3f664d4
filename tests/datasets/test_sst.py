from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqloom.datasets import sst, tree_files
from seqloom.datasets.brackets import to_brackets
from seqloom.datasets.corpus import DataError, read_lines
from seqloom.datasets.labelled_tree import binary

SMALL = {"train": 30, "valid": 2, "test": 3}


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A folder in the layout of the treebank, with fewer trees."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(sst, "COUNTS", SMALL)
    folder = tmp_path / "corpora" / "sst"
    folder.mkdir(parents=True)
    for split, count in SMALL.items():
        lines = [f"(4 (2 {split}{number}) (3 (2 -LRB-) (2 zürich)))\n" for number in range(count)]
        (folder / sst.FILES[split]).write_text("".join(lines), encoding="utf-8")
    return folder


def test_records_are_the_files_in_their_order(raw, tmp_path, capfd):
    corpus = sst.load(raw.parent, tmp_path / "cache")
    assert corpus.counts() == SMALL
    for split, trees in corpus.splits().items():
        assert trees == tree_files.read_split(raw / sst.FILES[split])
    assert corpus.train[3].tokens == ("train3", "-LRB-", "zürich")
    assert corpus.name == "sst"
    assert corpus.source == str(raw)
    assert not corpus.synthetic
    assert corpus.licence == "none stated"
    assert "Socher" in corpus.citation
    out, err = capfd.readouterr()
    assert out == ""
    assert "Generating" not in err


def test_the_second_time_reads_the_cache(raw, tmp_path, monkeypatch):
    first = sst.load(raw, tmp_path / "cache")
    monkeypatch.setattr(sst, "read_split", None)
    assert sst.load(raw, tmp_path / "cache") == first


def test_what_is_missing_and_where_to_get_it_is_said(raw, tmp_path):
    get_it = "must hold the files train.txt, dev.txt and test.txt, one tree in brackets a line, get it from https://"
    with pytest.raises(DataError, match=f"no folder was given.*{get_it}"):
        sst.load(None, tmp_path)
    (raw / "dev.txt").unlink()
    with pytest.raises(DataError, match=rf"sst/dev\.txt is missing: .*{get_it}"):
        sst.load(raw.parent, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("(2 a)\n", r"dev\.txt is not the usual split .*: counted 1 trees, expected 2"),
        ("(2 a)\n(2 (2 a) (2 b) (2 c))\n", r"dev\.txt, line 2: a node must hold a word or two children, got 3 at"),
        ("(2 a)\n(2 (2 a))\n", r"dev\.txt, line 2: a node must hold a word or two children, got 1 at"),
        ("(5 a)\n(2 b)\n", r"dev\.txt, line 1: a label must be from 0 to 4, got 5 at character offset 0"),
        ("(2 a)\n(2 b\n", r"dev\.txt, line 2: brackets must be balanced"),
    ],
)
def test_another_corpus_is_refused_and_nothing_is_left(raw, tmp_path, content, message):
    (raw / "dev.txt").write_text(content)
    with pytest.raises(DataError, match=message):
        sst.load(raw, tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    if not os.environ.get("SEQLOOM_DATA_DIR"):
        pytest.skip("SEQLOOM_DATA_DIR does not name the folder of the real corpora")
    return sst.load(None, tmp_path_factory.mktemp("cache"))


@pytest.mark.real_data
def test_the_counts_of_the_treebank(real):
    assert real.counts() == {"train": 8544, "valid": 1101, "test": 2210}
    two_classes = {split: sum(binary(tree) is not None for tree in trees) for split, trees in real.splits().items()}
    assert two_classes == {"train": 6920, "valid": 872, "test": 1821}


@pytest.mark.real_data
def test_every_tree_is_binary_and_is_its_line_byte_for_byte(real):
    for split, trees in real.splits().items():
        lines = [line for _, line in read_lines(Path(real.source, sst.FILES[split]))]
        assert [to_brackets(tree) for tree in trees] == lines
        for tree in trees:
            assert {len(children) for children in tree.children} <= {0, 2}
            assert set(tree.labels) <= set(range(sst.CLASSES))
