from __future__ import annotations

import codecs
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.corpus import DataError
from seqloom.datasets.translated_sentence import TranslatedSentence
from seqloom.datasets.translation_files import load, read_pairs, sentences_of

Pairs = list[tuple[str, str]]

TRAIN = [("Hi.", "嗨。"), ("Bye.", "再见。"), ("Hi.", "你好。"), ("Good day!", "你好！")]


def write(path: Path, pairs: Pairs) -> Path:
    path.write_bytes("".join(f"{source}\t{target}\n" for source, target in pairs).encode())
    return path


# A byte order mark at the start of a file is no text, hence no U+FEFF here; a carriage return may end a line.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t\ufeff")
texts = st.text(characters, min_size=1, max_size=12).filter(str.strip)
several_pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=6)


@settings(deadline=None)
@given(several_pairs)
def test_what_is_written_is_read_back(pairs):
    with tempfile.TemporaryDirectory() as folder:
        assert read_pairs(write(Path(folder, "train.tsv"), pairs)) == pairs


@settings(deadline=None)
@given(
    pairs=several_pairs,
    inserted=st.one_of(st.binary(max_size=3), st.sampled_from([b"\n", b"\t", b" ", b"\r", b"\xc2\x85"])),
    position=st.integers(0, 120),
    length=st.integers(0, 12),
)
def test_a_corrupted_file_is_refused_or_read_to_the_last_byte(pairs, inserted, position, length):
    with tempfile.TemporaryDirectory() as folder:
        path = write(Path(folder, "train.tsv"), pairs)
        content = path.read_bytes()
        position %= len(content) + 1
        path.write_bytes(content[:position] + inserted + content[position + length :])
        try:
            read = read_pairs(path)
        except DataError as error:
            read, message = None, str(error)
        if read is None:
            assert message.startswith(str(path))
            assert "\n" not in message
            return
        lines = path.read_bytes().removeprefix(codecs.BOM_UTF8).removesuffix(b"\n").split(b"\n")
        rows = [tuple(line.removesuffix(b"\r").split(b"\t")) for line in lines]
        assert [(source.encode(), target.encode()) for source, target in read] == rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"", "the line is empty"),
        (b" \t\xe3\x80\x80", "the line is empty"),
        (b"Hi. Hello.", "the line has no tab"),
        (b"Hi.\tHallo.\tCM", "the line has 2 tabs"),
        (b"Hi.\tHallo.\t", "the line has 2 tabs"),
        (b"\t\t\tHallo.", "the line has 3 tabs"),
        (b"\tHallo.", "the source is empty"),
        (b"Hi.\t", "the target is empty"),
        (b"Hi.\t \xc2\xa0", "the target is empty"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, message):
    path = tmp_path / "train.tsv"
    path.write_bytes(b"Bye.\tTsch\xc3\xbcss.\n" + line + b"\nYes.\tJa.\n")
    with pytest.raises(DataError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"{path}, line 2: {message}, expected source<TAB>target"


def test_what_is_not_utf_8_or_not_there_is_named(tmp_path):
    path = tmp_path / "train.tsv"
    path.write_bytes(b"Hi.\tcaf\xe9\n")
    with pytest.raises(DataError, match=r"train\.tsv, line 1: byte 0xe9 at byte offset 7 of the line is not UTF-8"):
        load(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match=r"train\.tsv is empty, expected one source<TAB>target a line"):
        load(tmp_path)


def test_odd_sentences_stay_as_they_are(tmp_path):
    odd = [
        ("?!", "。。。"),
        ("a\u0007b\u001b[0m", "\u0085 \u2028x"),
        ("word " * 500, "字" * 2000),
        (" 你好 ", "\\t\\n"),
    ]
    write(tmp_path / "train.tsv", odd)
    corpus = load(tmp_path)
    assert [(each.source, *each.targets) for each in corpus.train] == odd
    assert corpus.notes == {}


def test_lines_of_one_source_are_one_sentence(tmp_path):
    write(tmp_path / "train.tsv", [*TRAIN, ("Hi.", "嗨。"), ("hi.", "嗨。"), ("Hi.", "嗨。")])
    corpus = load(tmp_path)
    assert corpus.train == [
        TranslatedSentence("Hi.", ("嗨。", "你好。"), group="goodday"),
        TranslatedSentence("Bye.", ("再见。",), group="bye"),
        TranslatedSentence("Good day!", ("你好！",), group="goodday"),
        TranslatedSentence("hi.", ("嗨。",), group="goodday"),
    ]
    assert corpus.notes == {"train pairs that repeat another one, left out": 2}


@given(several_pairs)
def test_sentences_hold_each_pair_once_and_share_no_side_across_groups(pairs):
    sentences = sentences_of(pairs)
    assert {(each.source, target) for each in sentences for target in each.targets} == set(pairs)
    assert [each.source for each in sentences] == list(dict.fromkeys(source for source, _ in pairs))
    of_source = {each.source: each.group for each in sentences}
    of_target = {target: each.group for each in sentences for target in each.targets}
    assert all(of_source[source] == of_target[target] for source, target in pairs)


def test_untranslated_pairs_are_counted_and_kept(tmp_path):
    write(tmp_path / "train.tsv", [*TRAIN, ("OK", "OK"), ("OK", "好"), ("OK", "OK")])
    write(tmp_path / "test.tsv", [("Hi Tom.", "Hi Tom."), ("Hi Tom.", "嗨，汤姆。")])
    corpus = load(tmp_path)
    assert corpus.train[-1].targets == ("OK", "好")
    assert corpus.notes == {
        "train pairs that repeat another one, left out": 1,
        "train pairs that are the same on both sides": 1,
        "test pairs that are the same on both sides": 1,
    }


def test_sentences_that_train_has_too_are_counted_and_kept(tmp_path):
    write(tmp_path / "train.tsv", TRAIN)
    write(tmp_path / "valid.tsv", [("Yes.", "是。"), ("BYE", "拜拜。")])
    write(tmp_path / "test.tsv", [("hi!", "嗨。"), ("Hi.", "嗨。"), ("Hi.", "你好。"), ("你好", "Hi.")])
    corpus = load(tmp_path)
    assert corpus.counts() == {"train": 3, "valid": 2, "test": 3}
    assert corpus.notes == {"valid sentences that train has too": 1, "test sentences that train has too": 2}


def test_only_train_is_required(tmp_path):
    write(tmp_path / "train.tsv", TRAIN)
    (tmp_path / "README.md").write_text("Documents beside the splits are no data.")
    corpus = load(tmp_path)
    assert (corpus.name, corpus.source, corpus.valid, corpus.test) == (tmp_path.name, str(tmp_path), None, None)
    assert not corpus.synthetic


def test_an_evaluation_needs_its_split_alone(tmp_path):
    write(tmp_path / "test.tsv", TRAIN[:1])
    corpus = load(tmp_path, required="test")
    assert (corpus.train, corpus.counts(), corpus.notes) == ([], {"train": 0, "test": 1}, {})
    with pytest.raises(DataError, match=r"train\.tsv is missing, expected a file with one source<TAB>target a line"):
        load(tmp_path)
    with pytest.raises(DataError, match=r"valid\.tsv is missing"):
        load(tmp_path, required="valid")


def test_a_misspelt_name_is_not_overlooked(tmp_path):
    write(tmp_path / "train.tsv", TRAIN)
    write(tmp_path / "tset.tsv", TRAIN)
    with pytest.raises(DataError, match=r"tset\.tsv is not part of the layout, .*; did you mean 'test\.tsv'\?"):
        load(tmp_path)
    with pytest.raises(DataError, match="absent is missing, expected a folder with"):
        load(tmp_path / "absent")


def test_reading_translations_imports_no_tensorflow():
    code = (
        "import sys, seqloom.datasets.translation_files, seqloom.datasets.bilingual_sentences; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'keras')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
