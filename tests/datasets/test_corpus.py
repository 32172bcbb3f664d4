from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.corpus import Corpus, DataError, read_lines


def lines_of(tmp_path: Path, content: bytes) -> list[tuple[int, str]]:
    path = tmp_path / "lines.txt"
    path.write_bytes(content)
    return list(read_lines(path))


def test_lines_end_with_a_line_feed_alone(tmp_path):
    content = "one\u0085still one\u2028still\vstill\fstill\rstill\ntwo\n".encode()
    assert lines_of(tmp_path, content) == [(1, "one\u0085still one\u2028still\vstill\fstill\rstill"), (2, "two")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [(1, "")]),
        (b"a\n\nb", [(1, "a"), (2, ""), (3, "b")]),
        (b"a\r\nb\r\n", [(1, "a"), (2, "b")]),
        (b"a\r\r\n", [(1, "a\r")]),
        (b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n", [(1, "a"), (2, "\ufeffb")]),
    ],
)
def test_line_ends_and_byte_order_marks(tmp_path, content, expected):
    assert lines_of(tmp_path, content) == expected


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\ufeff"))))
def test_every_line_comes_back(lines):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.txt"
        path.write_bytes("".join(line + "\n" for line in lines).encode())
        assert list(read_lines(path)) == list(enumerate(lines, start=1))


@pytest.mark.parametrize(
    ("content", "line", "offset", "byte"),
    [
        (b"fine\nbad \xff here\n", 2, 4, "0xff"),
        (b"\xef\xbb\xbfbad \xe9\n", 1, 7, "0xe9"),
        (b"cut off \xe2\x82", 1, 8, "0xe2"),
        (b"a surrogate \xed\xa0\x80\n", 1, 12, "0xed"),
    ],
)
def test_a_byte_that_is_not_utf8_is_named(tmp_path, content, line, offset, byte):
    with pytest.raises(DataError) as caught:
        lines_of(tmp_path, content)
    assert str(caught.value) == (
        f"{tmp_path / 'lines.txt'}, line {line}: byte {byte} at byte offset {offset} of the line is not UTF-8"
    )


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(DataError, match=r"absent\.txt is missing"):
        list(read_lines(tmp_path / "absent.txt"))
    with pytest.raises(DataError, match="is a folder"):
        list(read_lines(tmp_path))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/lines\.txt cannot be read: Not a directory"):
        list(read_lines(tmp_path / "file" / "lines.txt"))


def test_counts_name_the_splits_that_exist():
    corpus = Corpus("letters", ["a", "b"], None, [], "", "", "", "")
    assert corpus.counts() == {"train": 2, "test": 0}
    assert corpus.notes == {}
    assert not corpus.synthetic


def test_reading_corpora_imports_no_tensorflow():
    code = (
        "import sys, seqloom.datasets, seqloom.datasets.corpus, seqloom.datasets.tagged_sentence, "
        "seqloom.datasets.slot_files, seqloom.datasets.prepared, seqloom.datasets.travel_requests; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'keras')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
