from __future__ import annotations

import codecs
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seqloom.datasets.corpus import DataError
from seqloom.datasets.slot_files import FILES, load, read_split, tokenize
from seqloom.datasets.tagged_sentence import TaggedSentence

FLIGHT = TaggedSentence(("to", "new", "york"), ("O", "B-city", "I-city"), "flight")
FARE = TaggedSentence(("how", "much"), ("O", "O"), "fare")


def write_split(folder: Path, sentences: Sequence[TaggedSentence]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    columns = {
        "seq.in": [" ".join(sentence.tokens) for sentence in sentences],
        "seq.out": [" ".join(sentence.tags) for sentence in sentences],
        "label": [sentence.intent for sentence in sentences if sentence.intent is not None],
    }
    for name, lines in columns.items():
        if lines:
            (folder / name).write_bytes("".join(line + "\n" for line in lines).encode())
    return folder


# A byte order mark at the start of a file is no text, hence no U+FEFF here.
words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=" \t\n\v\f\r\ufeff"), min_size=1, max_size=6
)
tags = st.one_of(st.just("O"), st.builds("{}-{}".format, st.sampled_from("BI"), words))


@st.composite
def splits(draw: st.DrawFn) -> list[TaggedSentence]:
    with_intents = draw(st.booleans())
    pairs = st.lists(st.tuples(words, tags), min_size=1, max_size=6)
    return [
        TaggedSentence(*zip(*row, strict=True), draw(words) if with_intents else None)
        for row in draw(st.lists(pairs, min_size=1, max_size=5))
    ]


@settings(deadline=None)
@given(splits())
def test_what_is_written_is_read_back(sentences):
    with tempfile.TemporaryDirectory() as folder:
        assert read_split(write_split(Path(folder), sentences)) == sentences


@st.composite
def corruptions(draw: st.DrawFn) -> tuple[list[TaggedSentence], str, bytes, int, int]:
    """Sentences, and bytes that replace a range of one of their files."""
    inserted = draw(st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b" ", b"\r", b"\xc2\xa0", b"\xc2\x85"])))
    position, length = draw(st.integers(0, 120)), draw(st.integers(0, 12))
    return draw(splits()), draw(st.sampled_from(FILES)), inserted, position, length


@settings(deadline=None)
@given(corruptions())
def test_a_corrupted_file_is_refused_or_read_to_the_last_byte(corruption):
    sentences, name, inserted, position, length = corruption
    with tempfile.TemporaryDirectory() as folder:
        write_split(Path(folder), sentences)
        path = Path(folder, name)
        assume(path.exists())
        content = path.read_bytes()
        position %= len(content) + 1
        path.write_bytes(content[:position] + inserted + content[position + length :])
        try:
            read = read_split(folder)
        except DataError as error:
            read, message = None, str(error)
        if read is None:
            assert folder in message
            assert "\n" not in message
            return
        columns = {file.name: file.read_bytes().removeprefix(codecs.BOM_UTF8) for file in Path(folder).iterdir()}
        lines = {column: content.removesuffix(b"\n").split(b"\n") for column, content in columns.items()}
        # bytes.split, unlike str.split, knows ASCII white space only.
        assert [[token.encode() for token in row.tokens] for row in read] == [row.split() for row in lines["seq.in"]]
        assert [[tag.encode() for tag in row.tags] for row in read] == [row.split() for row in lines["seq.out"]]
        if "label" in lines:
            assert [row.intent.encode() for row in read] == [row.strip() for row in lines["label"]]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "seq.in",
            b"to new york\n",
            "seq.out, line 2: no such line in seq.in, for seq.in has 1 lines and seq.out has 2",
        ),
        (
            "seq.out",
            b"O B-city I-city\n",
            "seq.in, line 2: no such line in seq.out, for seq.in has 2 lines and seq.out",
        ),
        (
            "label",
            b"flight\nfare\nfare\n",
            "label, line 3: no such line in seq.in, for seq.in has 2 lines and label has 3",
        ),
        (
            "seq.in",
            b"to new york\nhow\n",
            "seq.out, line 2: expected one tag for each token, got 2 tags for the 1 tokens",
        ),
        ("seq.in", b"to new york\n \t\n", "seq.in, line 2: the line is empty"),
        ("seq.out", b"O B-city I-city\n\n", "seq.out, line 2: the line is empty, expected 2 tags"),
        ("label", b"\nfare\n", "label, line 1: the line is empty, expected an intent"),
        ("seq.out", b"O B-city I-city\nO B\n", "seq.out, line 2: tag 2 must be O, B-x or I-x with a name x, got 'B'"),
        ("seq.out", b"o B-city I-city\nO O\n", "seq.out, line 1: tag 1 must be"),
        ("seq.out", b"O B-city E-city\nO O\n", "seq.out, line 1: tag 3 must be"),
        ("seq.out", b"O B- I-city\nO O\n", "seq.out, line 1: tag 2 must be"),
        ("seq.in", b"to new york\nhow \xff\n", "seq.in, line 2: byte 0xff at byte offset 4"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, name, content, message):
    write_split(tmp_path, [FLIGHT, FARE])
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_split(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}{os.sep}{message}")


@pytest.mark.parametrize("name", ["seq.in", "seq.out"])
def test_a_missing_or_empty_file_is_named(tmp_path, name):
    write_split(tmp_path, [FLIGHT])
    for each in FILES:
        (tmp_path / each).write_bytes(b"")
    with pytest.raises(DataError, match=r"seq\.in is empty"):
        read_split(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=f"{name} is missing"):
        read_split(tmp_path)


def test_a_tag_that_continues_nothing_is_kept(tmp_path):
    odd = TaggedSentence(("a", "b", "c"), ("I-x", "I-y", "I-y"), None)
    assert read_split(write_split(tmp_path, [odd])) == [odd]


def test_tokens_are_split_as_in_the_exported_model():
    import tensorflow as tf

    line = " ".join(f"a{chr(code)}b" for code in range(0x3001) if chr(code) != "\n") + "\r\u00a0 \v"
    assert list(tokenize(line)) == [token.decode() for token in tf.strings.split(line).numpy()]


def test_only_train_is_required(tmp_path):
    write_split(tmp_path / "train", [FLIGHT, FARE])
    (tmp_path / "README.md").write_text("Documents beside the splits are no data.")
    (tmp_path / ".git").mkdir()
    corpus = load(tmp_path)
    assert (corpus.train, corpus.valid, corpus.test) == ([FLIGHT, FARE], None, None)
    assert corpus.name == tmp_path.name
    assert corpus.source == str(tmp_path)
    assert corpus.notes == {}
    assert load(write_split(tmp_path / "test", [FARE]).parent).counts() == {"train": 2, "test": 1}


def test_intents_are_in_all_splits_or_in_none(tmp_path):
    write_split(tmp_path / "train", [FLIGHT])
    write_split(tmp_path / "valid", [TaggedSentence(("hi",), ("O",), None)])
    with pytest.raises(DataError, match=r"valid/label is missing: train has intents and valid has none"):
        load(tmp_path)
    (tmp_path / "train" / "label").rename(tmp_path / "valid" / "label")
    with pytest.raises(DataError, match=r"train/label is missing: valid has intents and train has none"):
        load(tmp_path)


def test_a_misspelt_name_is_not_overlooked(tmp_path):
    write_split(tmp_path / "train", [FLIGHT])
    write_split(tmp_path / "vaild", [FLIGHT])
    with pytest.raises(DataError, match=r"vaild is not part of the layout.*did you mean 'valid'\?"):
        load(tmp_path)
    (tmp_path / "train" / "label").rename(tmp_path / "train" / "labels")
    with pytest.raises(DataError, match=r"labels is not part of the layout.*did you mean 'label'\?"):
        read_split(tmp_path / "train")


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(DataError, match=r"absent is missing, expected a folder with train, valid and test"):
        load(tmp_path / "absent")
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file is a file, expected a folder"):
        load(tmp_path / "file")
    with pytest.raises(DataError, match=r"train is missing"):
        load(tmp_path)
    (tmp_path / "train").symlink_to(tmp_path / "absent")
    with pytest.raises(DataError, match=r"train is missing"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("tokens", "tags", "message"),
    [((), (), "at least one token, got none"), (("a",), ("O", "O"), "got 1 tokens and 2 tags")],
)
def test_a_sentence_has_a_tag_for_each_token(tokens, tags, message):
    with pytest.raises(ValueError, match=message):
        TaggedSentence(tokens, tags, None)
