from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trees import trees

from seqloom.datasets.brackets import to_brackets
from seqloom.datasets.corpus import DataError
from seqloom.datasets.labelled_tree import LabelledTree
from seqloom.datasets.tree_files import load, read_split

GOOD = "(3 (2 It) (4 (2 's) (3 good)))"
BAD = "(0 (2 It) (2 's) (1 bad))"


def write(path: Path, lines: Sequence[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes("".join(line + "\n" for line in lines).encode())
    return path


@settings(deadline=None)
@given(st.lists(trees(fewest=2), min_size=1, max_size=5))
def test_what_is_written_is_read_back(written):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "train.txt"), [to_brackets(tree) for tree in written])
        assert read_split(path) == written


@settings(deadline=None)
@given(st.lists(trees(fewest=2), min_size=1, max_size=3), st.binary(max_size=3), st.integers(0, 200), st.integers(0, 9))
def test_a_corrupted_file_is_refused_or_read_to_the_last_byte(written, inserted, position, length):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "train.txt"), [to_brackets(tree) for tree in written])
        content = path.read_bytes()
        position %= len(content) + 1
        content = content[:position] + inserted + content[position + length :]
        path.write_bytes(content)
        try:
            read = read_split(path)
        except DataError as error:
            read, message = None, str(error)
        if read is None:
            assert message.startswith(str(path))
            assert "\n" not in message
            return
        rows = content.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\n").split(b"\n")
        # bytes.split, unlike str.split, knows ASCII white space only.
        assert [b"".join(to_brackets(tree).encode().split()) for tree in read] == [
            b"".join(row.split()) for row in rows
        ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "expected a tree such as (1 (2 not) (3 good)), got no text at character offset 0"),
        ("(3 (2 It) (3 good)", "brackets must be balanced, got no closing bracket for the one at character offset 0"),
        ("(3 (2 It) (3 (2 is)))", "a node must hold a word or at least two children, got 1 at character offset 10"),
        ("(-1 (2 It) (3 is))", "a label must be at least 0, got -1 at character offset 0"),
        (
            "(3 It 's good)",
            "a leaf must hold one word, got 'It' and \"'s\" in the node at character offset 0; "
            "each word needs brackets and a label of its own, such as (2 's)",
        ),
        (
            "(good)",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got 'good' at character offset 1",
        ),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, message):
    path = write(tmp_path / "train.txt", [GOOD, line, BAD])
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{path}, line 2: {message}"


def test_a_byte_that_is_not_utf8_is_named(tmp_path):
    (tmp_path / "train.txt").write_bytes(b"(1 a)\n(0 \xff)\n")
    with pytest.raises(DataError, match=r"train\.txt, line 2: byte 0xff at byte offset 3 of the line is not UTF-8"):
        load(tmp_path)


def test_the_labels_of_train_are_the_range_of_the_others(tmp_path):
    write(tmp_path / "train.txt", [GOOD, BAD])
    path = write(tmp_path / "valid.txt", ["(4 (0 a) (4 b))", "(4 (0 a) (5 b))"])
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{path}, line 2: a label must be from 0 to 4, got 5 at character offset 9"
    path.rename(tmp_path / "test.txt")
    with pytest.raises(DataError, match=r"test\.txt, line 2: a label must be from 0 to 4, got 5"):
        load(tmp_path)


def test_two_classes_are_the_fewest_and_there_is_no_most(tmp_path):
    write(tmp_path / "train.txt", ["(1 (0 a) (0 b))", "(0 c)"])
    assert load(tmp_path).counts() == {"train": 2}
    write(tmp_path / "train.txt", ["(70 (0 a) (69 b))"])
    assert load(tmp_path).counts() == {"train": 1}
    write(tmp_path / "train.txt", ["(0 (0 a) (0 b))"])
    with pytest.raises(DataError, match=r"train\.txt has one class only, expected labels from 0 to at least 1, got 0"):
        load(tmp_path)


def test_binary_trees_can_be_asked_for(tmp_path):
    path = write(tmp_path / "train.txt", [GOOD, BAD])
    assert [len(tree.children[tree.root]) for tree in read_split(path)] == [2, 3]
    with pytest.raises(
        DataError, match=r"line 2: a node must hold a word or two children, got 3 at character offset 0"
    ):
        read_split(path, binary=True)
    with pytest.raises(DataError, match=r"line 1: a label must be from 0 to 3, got 4 at character offset 10"):
        read_split(path, classes=4)


def test_only_train_is_required(tmp_path):
    write(tmp_path / "train.txt", [GOOD, BAD])
    (tmp_path / "README.txt").write_text("Documents beside the splits are no data.")
    (tmp_path / ".git").mkdir()
    corpus = load(tmp_path)
    assert [to_brackets(tree) for tree in corpus.train] == [GOOD, BAD]
    assert (corpus.valid, corpus.test) == (None, None)
    assert corpus.name == tmp_path.name
    assert corpus.source == str(tmp_path)
    assert corpus.notes == {}
    assert not corpus.synthetic
    assert load(write(tmp_path / "test.txt", [BAD]).parent).counts() == {"train": 2, "test": 1}


def test_an_evaluation_requires_the_split_that_is_scored(tmp_path):
    write(tmp_path / "test.txt", ["(9 odd)"])
    assert load(tmp_path, required="test").splits() == {"train": [], "test": [LabelledTree(("odd",), ((),), (9,))]}
    with pytest.raises(DataError, match=r"valid\.txt is missing, expected a file with one tree in brackets a line"):
        load(tmp_path, required="valid")


@pytest.mark.parametrize(
    ("name", "meant"),
    [("vaild.txt", "valid.txt"), ("dev.txt", "valid.txt"), ("trian", "train.txt"), ("test", "test.txt")],
)
def test_a_misspelt_name_is_not_overlooked(tmp_path, name, meant):
    write(tmp_path / "train.txt", [GOOD])
    write(tmp_path / name, [GOOD])
    with pytest.raises(DataError, match=f"{name} is not part of the layout.*did you mean '{meant}'"):
        load(tmp_path)


def test_data_in_another_file_is_not_overlooked(tmp_path):
    write(tmp_path / "train.txt", [GOOD])
    write(tmp_path / "more.txt", [GOOD])
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    layout = "train.txt, valid.txt and test.txt"
    assert str(caught.value) == (
        f"{tmp_path / 'more.txt'} is not part of the layout, expected only {layout} in {tmp_path}"
    )


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent is missing, expected a folder with train\.txt, valid\.txt and test"):
        load(tmp_path / "absent")
    (tmp_path / "LICENSE").touch()
    with pytest.raises(DataError, match=r"LICENSE is a file, expected a folder"):
        load(tmp_path / "LICENSE")
    with pytest.raises(DataError, match=r"train\.txt is missing"):
        load(tmp_path)
    (tmp_path / "train.txt").touch()
    with pytest.raises(DataError, match=rf"{os.sep}train\.txt is empty, expected one tree in brackets a line"):
        load(tmp_path)
