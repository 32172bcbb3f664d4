from __future__ import annotations

import codecs
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.corpus import DataError
from seqloom.datasets.labelled_text import LabelledText
from seqloom.datasets.text_files import load, read_split

GOOD = LabelledText("Not bad at all.", "positive")
BAD = LabelledText("A letdown.", "negative")
TRAIN = [GOOD, BAD, BAD, GOOD]


def write(path: Path, examples: list[LabelledText]) -> Path:
    path.write_bytes("".join(f"{example.label}\t{example.text}\n" for example in examples).encode())
    return path


# A byte order mark at the start of a file is no text, hence no U+FEFF here; a carriage return may end a line.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\ufeff")
labels = st.text(characters, min_size=1, max_size=6).filter(lambda text: not set(text) & set(" \t\v\f"))
texts = st.text(characters, min_size=1, max_size=30).filter(lambda text: text.strip(" \t\v\f"))
splits = st.lists(st.builds(LabelledText, texts, labels), min_size=1, max_size=6)


@settings(deadline=None)
@given(splits)
def test_what_is_written_is_read_back(examples):
    with tempfile.TemporaryDirectory() as folder:
        assert read_split(write(Path(folder, "train.tsv"), examples)) == examples


@settings(deadline=None)
@given(
    examples=splits,
    inserted=st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b"\t", b" ", b"\r", b"\xc2\x85"])),
    position=st.integers(0, 120),
    length=st.integers(0, 12),
)
def test_a_corrupted_file_is_refused_or_read_to_the_last_byte(examples, inserted, position, length):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "train.tsv"), examples)
        content = path.read_bytes()
        position %= len(content) + 1
        path.write_bytes(content[:position] + inserted + content[position + length :])
        try:
            read = read_split(path)
        except DataError as error:
            read, message = None, str(error)
        if read is None:
            assert message.startswith(str(path))
            assert "\n" not in message
            return
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).removesuffix(b"\n").split(b"\n")
        rows = [line.removesuffix(b"\r").split(b"\t", 1) for line in lines]
        assert [(row.label.encode(), row.text.encode()) for row in read] == [(a.strip(), b) for a, b in rows]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "the line is empty, expected label<TAB>text"),
        (b" \t ", "the line is empty, expected label<TAB>text"),
        (b"positive fine", "the line has no tab, expected label<TAB>text"),
        (b" \tfine", "the label is empty, expected label<TAB>text"),
        (b"positive\t", "the text is empty, expected label<TAB>text"),
        (b"positive\t \t", "the text is empty, expected label<TAB>text"),
        (b"positive\tcaf\xe9", "byte 0xe9 at byte offset 12 of the line is not UTF-8"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, message):
    path = tmp_path / "train.tsv"
    path.write_bytes(b"positive\tfine\n" + line + b"\nnegative\tpoor\n")
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{path}, line 2: {message}"


def test_a_text_stays_as_it_is(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_bytes(codecs.BOM_UTF8 + " 5 stars \t a\tb \\t\\n \u0085<br />\r\n".encode())
    assert read_split(path) == [LabelledText(" a\tb \\t\\n \u0085<br />", "5 stars")]


def test_only_train_is_required(tmp_path):
    write(tmp_path / "train.tsv", TRAIN)
    (tmp_path / "README.md").write_text("Documents beside the splits are no data.")
    (tmp_path / "LICENSE").touch()
    (tmp_path / ".git").mkdir()
    corpus = load(tmp_path)
    assert (corpus.train, corpus.valid, corpus.test) == (TRAIN, None, None)
    assert (corpus.name, corpus.source, corpus.notes) == (tmp_path.name, str(tmp_path), {})
    write(tmp_path / "test.tsv", [BAD])
    assert load(tmp_path).counts() == {"train": 4, "test": 1}


def test_an_evaluation_needs_its_split_alone(tmp_path):
    write(tmp_path / "test.tsv", [BAD])
    corpus = load(tmp_path, required="test")
    assert (corpus.train, corpus.test, corpus.notes) == ([], [BAD], {})
    with pytest.raises(DataError, match=r"train\.tsv is missing, expected a file with one label<TAB>text a line"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"valid\.tsv is missing"):
        load(tmp_path, required="valid")


def test_labels_that_train_lacks_are_counted_and_kept(tmp_path):
    write(tmp_path / "train.tsv", TRAIN)
    odd = LabelledText("So so.", "neutral")
    write(tmp_path / "valid.tsv", [GOOD, BAD])
    write(tmp_path / "test.tsv", [GOOD, odd, odd])
    corpus = load(tmp_path)
    assert corpus.test == [GOOD, odd, odd]
    assert corpus.notes == {"test examples whose label train lacks": 2}


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        ([], "is empty, expected one label<TAB>text a line"),
        ([GOOD, GOOD], "has the label 'positive' alone, expected at least two labels"),
        ([GOOD, GOOD, BAD], "has one example of the label 'negative', expected at least two of each label"),
    ],
)
def test_train_has_several_examples_of_several_labels(tmp_path, examples, message):
    path = write(tmp_path / "train.tsv", examples)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{path} {message}"


@pytest.mark.parametrize(
    ("name", "hint"),
    [("vaild.tsv", "valid.tsv"), ("test.txt", "test.tsv"), ("train", "train.tsv"), ("Train.tsv", "train.tsv")],
)
def test_a_misspelt_name_is_not_overlooked(tmp_path, name, hint):
    write(tmp_path / "train.tsv", TRAIN)
    write(tmp_path / name, TRAIN)
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path / name} is not part of the layout, expected only train.tsv, valid.tsv and test.tsv in {tmp_path}; "
        f"did you mean {hint!r}?"
    )


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(
        DataError, match=r"absent is missing, expected a folder with train\.tsv, valid\.tsv and test\.tsv"
    ):
        load(tmp_path / "absent")
    (tmp_path / "train.tsv").mkdir()
    with pytest.raises(DataError, match=r"train\.tsv is a folder, expected a text file"):
        load(tmp_path)
    with pytest.raises(DataError, match="file is a file, expected a folder"):
        load(write(tmp_path / "file", TRAIN))


def test_reading_texts_imports_no_tensorflow():
    code = (
        "import sys, seqloom.datasets.text_files, seqloom.datasets.reviews, seqloom.datasets.download; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'keras')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "train.tsv").symlink_to(tmp_path / "absent")
    with pytest.raises(DataError, match=rf"{os.sep}train\.tsv is missing"):
        load(tmp_path)
