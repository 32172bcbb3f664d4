from __future__ import annotations

import os
import shutil
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.audio import AudioFile
from seqloom.datasets.audio_file import read_audio
from seqloom.datasets.corpus import DataError
from seqloom.datasets.spoken_term import Occurrence, Recording
from seqloom.datasets.term_files import find_recordings, load, read_terms

SAMPLES = np.sin(np.arange(12_000) / 5).astype(np.float32)  # 1.5 s


def sound(path: Path, samples: np.ndarray = SAMPLES, rate: int = 8000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


def segments(folder: Path, *lines: str) -> Path:
    (folder / "segments.tsv").write_bytes("".join(f"{line}\n" for line in lines).encode())
    return folder / "segments.tsv"


@pytest.fixture
def folder(tmp_path) -> Path:
    """Recordings at three depths, with two splits."""
    folder = tmp_path / "recordings"
    for name in ("b.WAV", "a.flac", "more/c c.ogg", "more/still more/d.mp3", "valid/e.wav", "test/deep/f.wav"):
        sound(folder / name)
    return folder


def refused(folder: Path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_without_segments_each_file_is_a_term(folder):
    corpus = load(folder)
    names = {split: [term.name for term in terms] for split, terms in corpus.splits().items()}
    assert names == {
        "train": ["a.flac", "b.WAV", "more/c c.ogg", "more/still more/d.mp3"],
        "valid": ["valid/e.wav"],
        "test": ["test/deep/f.wav"],
    }
    for term in [*corpus.train, *corpus.valid, *corpus.test]:
        assert term.sound == AudioFile(folder / term.name)
        assert (term.label, term.speaker, term.recording, term.group) == (None, None, None, term.name)
    assert (corpus.name, corpus.source, corpus.synthetic, corpus.notes) == ("recordings", str(folder), False, {})


def test_splits_may_be_missing(folder):
    shutil.rmtree(folder / "test")
    assert load(folder).counts() == {"train": 4, "valid": 1}
    shutil.rmtree(folder / "valid")
    assert load(folder).counts() == {"train": 4}
    assert refused(folder, required="test") == f"{folder} has no test, expected recordings in its folder test"


def test_an_evaluation_needs_its_split_alone(folder):
    for name in ("a.flac", "b.WAV", "more"):
        (shutil.rmtree if (folder / name).is_dir() else os.remove)(folder / name)
    assert load(folder, required="test").counts() == {"train": 0, "valid": 1, "test": 1}
    message = f"{folder} has no train, expected recordings outside of its folders valid and test"
    assert refused(folder) == message


def test_deeper_folders_named_like_splits_are_none(folder):
    sound(folder / "more" / "test" / "g.wav")
    sound(folder / "train" / "valid" / "h.wav")
    assert load(folder).counts() == {"train": 6, "valid": 1, "test": 1}


def test_segments_are_parts_of_recordings(folder):
    segments(
        folder,
        "\ufeffa.flac\t0\t0.5\tgo",
        " ./more//c c.ogg \t 1e-1 \t1.5\t go left \r",
        "a.flac\t.25\t1.\t",
        "a.flac\t1.0\t1.25",
        "valid/e.wav\t0.5\t1\tstop",
        "more/../test/deep/f.wav\t+0.5\t1\tstop",
    )
    corpus = load(folder)
    assert [(term.name, term.label, term.start, term.end) for term in corpus.train] == [
        ("a.flac#t=0.0,0.5", "go", 0, 0.5),
        ("more/c c.ogg#t=0.1,1.5", "go left", 0.1, 1.5),
        ("a.flac#t=0.25,1.0", None, 0.25, 1),
        ("a.flac#t=1.0,1.25", None, 1, 1.25),
    ]
    assert [term.label for term in [*corpus.valid, *corpus.test]] == ["stop", "stop"]
    said = {
        "a.flac": (Occurrence("go", 0, 0.5),),
        "more/c c.ogg": (Occurrence("go left", 0.1, 1.5),),
        "valid/e.wav": (Occurrence("stop", 0.5, 1),),
        "test/deep/f.wav": (Occurrence("stop", 0.5, 1),),
    }
    for term in [*corpus.train, *corpus.valid, *corpus.test]:
        name = term.name.partition("#")[0]
        assert term.recording == Recording(name, AudioFile(folder / name), words=said[name])
        assert term.sound == AudioFile(folder / name, term.start, term.end)
        assert (term.group, term.speaker) == (name, None)
    assert corpus.train[0].recording is corpus.train[2].recording
    assert corpus.notes == {"recordings without a segment": 2}
    first = corpus.train[2].sound
    whole, part = read_audio(first.path), read_audio(first.path, first.start, first.end)
    np.testing.assert_array_equal(part.samples, whole.samples[2000:8000])


def test_a_segment_that_stands_there_twice_is_kept_once_and_counted(folder):
    lines = (
        "a.flac\t0\t0.5\tgo",
        "./a.flac\t0.0\t5e-1\tgo",
        "a.flac\t0\t0.5\tgo ",
        "valid/e.wav\t0\t1",
        "test/deep/f.wav\t0\t1",
    )
    path = segments(folder, *lines)
    corpus = load(folder)
    assert [term.name for term in corpus.train] == ["a.flac#t=0.0,0.5"]
    assert corpus.notes == {"recordings without a segment": 3, "segments that stand there once more": 2}
    segments(folder, "a.flac\t0\t0.5\tgo", "a.flac\t0\t0.5\tstop")
    assert refused(folder) == f"{path}, line 2: the segment has the label 'go' in line 1, got 'stop'"
    segments(folder, "a.flac\t0\t0.5", "a.flac\t0\t0.5\tstop")
    assert refused(folder) == f"{path}, line 2: the segment has the label '' in line 1, got 'stop'"


def test_recordings_with_the_same_content_are_different_ones(folder):
    shutil.copy(folder / "a.flac", folder / "copy.flac")
    terms = {term.name: term for term in load(folder).train}
    assert len(terms) == 5
    assert terms["a.flac"].sound.digest == terms["copy.flac"].sound.digest
    segments(folder, *(f"{name}\t0\t1\tgo" for name in ("a.flac", "copy.flac", "valid/e.wav", "test/deep/f.wav")))
    assert len(load(folder).train) == 2


LAYOUT = "path<TAB>start<TAB>end<TAB>label"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", f"the line is empty, expected {LAYOUT}"),
        ("\t\t\t", f"the line is empty, expected {LAYOUT}"),
        ("a.flac 0 1 go", f"the line has 1 of the columns {LAYOUT}"),
        ("a.flac\t0", f"the line has 2 of the columns {LAYOUT}"),
        ("a.flac\t0\t1\tgo\tann", f"the line has 5 of the columns {LAYOUT}"),
        ("\t0\t1\tgo", f"the path is empty, expected {LAYOUT}"),
        ("a.flac\t\t1\tgo", "the start must be a number of seconds such as 1.25, got ''"),
        ("a.flac\t0,5\t1\tgo", "the start must be a number of seconds such as 1.25, got '0,5'"),
        ("a.flac\t0\tone\tgo", "the end must be a number of seconds such as 1.25, got 'one'"),
        ("a.flac\t0\tnan\tgo", "the end must be a number of seconds such as 1.25, got 'nan'"),
        ("a.flac\t0\tinf\tgo", "the end must be a number of seconds such as 1.25, got 'inf'"),
        ("a.flac\t0\t1e999\tgo", "the end must be a number of seconds such as 1.25, got '1e999'"),
        ("a.flac\t0\t1_0\tgo", "the end must be a number of seconds such as 1.25, got '1_0'"),
        ("a.flac\t0\t\u0661\tgo", "the end must be a number of seconds such as 1.25, got '\u0661'"),
        ("a.flac\t0:01\t0:02\tgo", "the start must be a number of seconds such as 1.25, got '0:01'"),
        ("a.flac\t-0.5\t1\tgo", "the start must be 0 or more, got -0.5"),
        ("a.flac\t1\t1\tgo", "the end must be after the start, got 1 to 1"),
        ("a.flac\t1\t0.5\tgo", "the end must be after the start, got 1 to 0.5"),
        ("a.flac\t1\t1.6\tgo", "{folder}/a.flac lasts 1.500 s and cannot be read up to 1.6 s"),
        ("a.flac\t3\t4\tgo", "{folder}/a.flac lasts 1.500 s and cannot be read up to 4.0 s"),
        ("/etc/a.wav\t0\t1\tgo", "/etc/a.wav is absolute, expected a path relative to the folder of this file"),
        ("../recordings/a.flac\t0\t1\tgo", "../recordings/a.flac leaves the folder of this file"),
        ("more/../../a.flac\t0\t1\tgo", "more/../../a.flac leaves the folder of this file"),
        ("..\t0\t1\tgo", ".. leaves the folder of this file"),
        (".\t0\t1\tgo", "{folder} is a folder, expected an audio file"),
        ("a\0.flac\t0\t1\tgo", "'a\\x00.flac' is not a path"),
        ("absent.wav\t0\t1\tgo", "{folder}/absent.wav is missing"),
        ("empty.wav\t0\t1\tgo", "{folder}/empty.wav is empty, expected an audio file"),
        ("text.wav\t0\t1\tgo", "{folder}/text.wav cannot be read as audio: Format not recognised"),
        ("cut.wav\t0\t0.1\tgo", "{folder}/cut.wav is cut off: got 1956 of 24000 bytes of sound"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(folder, line, message):
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("go left")
    os.truncate(sound(folder / "cut.wav"), 2000)
    path = segments(folder, "a.flac\t0\t0.5\tgo", line, "gone.flac\t0\t1")
    assert refused(folder) == f"{path}, line 2: {message.format(folder=folder)}"


def test_segments_that_are_no_text_or_none_at_all_are_named(folder):
    path = folder / "segments.tsv"
    path.write_bytes(b"")
    assert refused(folder) == f"{path} is empty, expected one {LAYOUT} a line"
    path.write_bytes(b"a.flac\t0\t1\tcaf\xe9\n")
    assert refused(folder).startswith(f"{path}, line 1: byte 0xe9")
    path.unlink()
    path.mkdir()
    assert refused(folder) == f"{path} is a folder, expected a text file"


def test_a_split_with_recordings_has_segments(folder):
    path = segments(folder, "a.flac\t0\t1\tgo", "valid/e.wav\t0\t1\tgo")
    assert refused(folder) == f"{path} has no segment of the 1 recordings of test"
    segments(folder, "test/deep/f.wav\t0\t1\tgo", "valid/e.wav\t0\t1\tgo")
    assert refused(folder) == f"{path} has no segment of the 4 recordings of train"


def test_recordings_that_cannot_be_used_are_named(folder):
    (folder / "empty.wav").touch()
    assert refused(folder) == f"{folder}/empty.wav is empty, expected an audio file"
    (folder / "test" / "text.mp3").write_text("go left")
    sound(folder / "none.flac", SAMPLES[:0])
    nor = "nor can these be used"
    assert refused(folder) == f"{folder}/empty.wav is empty, expected an audio file; {nor}: none.flac, test/text.mp3"
    for number in range(6):
        (folder / f"z{number}.wav").touch()
    assert refused(folder).endswith(f"{nor}: none.flac, test/text.mp3, z0.wav and 5 more")


def test_a_folder_without_recordings_is_named(tmp_path):
    endings = "expected files that end with .wav, .flac, .ogg or .mp3"
    assert refused(tmp_path) == f"{tmp_path} holds no recordings, {endings}"
    (tmp_path / "notes.txt").write_text("none")
    assert refused(tmp_path) == f"{tmp_path} holds no recordings, {endings}"
    assert refused(tmp_path / "absent") == f"{tmp_path}/absent is missing"
    assert refused(tmp_path / "notes.txt") == f"{tmp_path}/notes.txt cannot be read: Not a directory"
    sound(tmp_path / "a.wav")
    (tmp_path / "test").mkdir()
    assert refused(tmp_path) == f"{tmp_path}/test holds no recordings, {endings}"


def test_other_files_are_counted_and_hidden_ones_and_documents_are_not(folder):
    for name in ("README.md", "more/LICENSE", ".DS_Store", "more/._c.wav", "a.txt", "more/a.m4a", "train.tsv"):
        (folder / name).touch()
    sound(folder / ".cache" / "x.wav")
    corpus = load(folder)
    assert corpus.counts() == {"train": 4, "valid": 1, "test": 1}
    assert corpus.notes == {"files that do not end with .wav, .flac, .ogg or .mp3": 3}
    assert find_recordings(folder)[1] == 3


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("segment.tsv", "segments.tsv"),
        ("Segments.tsv", "segments.tsv"),
        ("segments.txt", "segments.tsv"),
        ("segments.csv", "segments.tsv"),
        ("vaild/", "valid"),
        ("Valid/", "valid"),
        ("TEST/", "test"),
        ("tests/", "test"),
    ],
)
def test_a_misspelt_name_is_not_overlooked(folder, name, meant):
    (folder / name).mkdir() if name.endswith("/") else (folder / name).touch()
    assert refused(folder) == f"{folder / name} is not part of the layout; did you mean {meant!r}?"


@pytest.mark.parametrize("name", ["latest", "invalid", "text", "train", "segments", "val", "ann"])
def test_any_other_folder_belongs_to_train(folder, name):
    sound(folder / name / "x.wav")
    assert load(folder).counts()["train"] == 5


def test_linked_folders_are_followed_but_not_in_circles(folder, tmp_path):
    sound(tmp_path / "elsewhere" / "g.wav")
    (folder / "linked").symlink_to(tmp_path / "elsewhere")
    (folder / "more" / "circle").symlink_to(folder)
    (tmp_path / "elsewhere" / "back").symlink_to(folder / "more")
    names = [term.name for term in load(folder).train]
    assert "linked/g.wav" in names
    assert len(names) == len(set(names))
    assert not [name for name in names if "circle/" in name]
    (folder / "gone.wav").symlink_to(tmp_path / "absent.wav")
    assert refused(folder) == f"{folder}/gone.wav is missing"


def test_a_name_that_is_not_utf_8_is_refused(folder):
    try:
        shutil.copy(folder / "a.flac", os.fsencode(folder) + b"/caf\xe9.flac")
    except (OSError, TypeError):
        pytest.skip("this file system takes no such name")
    assert refused(folder) == f"{folder} holds a recording whose name is not UTF-8, 'caf\\udce9.flac': rename it"


numbers = st.floats(0, 3, allow_subnormal=False)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.sampled_from(["a.wav", "b/b.wav"]), numbers, numbers, st.sampled_from(["", "go", "né"]))))
def test_what_is_written_is_read_back_or_refused(rows):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("a.wav", "b/b.wav"):
            (folder / each).parent.mkdir(exist_ok=True)
            with wave.open(str(folder / each), "wb") as file:
                file.setparams((1, 2, 8000, 0, "NONE", ""))
                file.writeframes(bytes(2 * 16_000))
        path = segments(folder, *("\t".join(map(str, row)) for row in rows))
        labels: dict[tuple, str] = {}
        fine = bool(rows)
        for file, start, end, label in rows:
            fine &= start < end <= 2.0005 and labels.setdefault((file, start, end), label) == label
        if not fine:
            with pytest.raises(DataError, match=str(path)):
                read_terms(path)
            return
        terms, repeated = read_terms(path)
        assert [(term.recording.name, term.start, term.end) for term in terms] == list(labels)
        assert [term.label or "" for term in terms] == list(labels.values())
        assert repeated == len(rows) - len(terms)


@settings(deadline=None, max_examples=200)
@given(
    inserted=st.one_of(
        st.binary(max_size=3),
        st.sampled_from([b"\n", b"\t", b" ", b"\r", b"..", b"/", b"\0", b"\xc2\x85", b"../", b"-", b"e9", b"."]),
    ),
    position=st.integers(0, 80),
    length=st.integers(0, 12),
)
def test_a_corrupted_file_is_refused_or_read_to_the_last_line(clips, inserted, position, length):
    path = segments(clips, *(f"clips/{number}.wav\t0.{number}\t1.25\tgo {number}" for number in range(3)))
    content = path.read_bytes()
    position %= len(content) + 1
    path.write_bytes(content[:position] + inserted + content[position + length :])
    try:
        terms, message = read_terms(path)[0], str(path)
    except DataError as error:
        terms, message = [], str(error)
    assert message.startswith(str(path))
    assert "\n" not in message
    if terms:
        lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
        assert len(terms) <= len(lines)
        assert all(term.sound.path.is_relative_to(clips) and ".." not in term.name.split("/") for term in terms)
        assert all(0 <= term.start < term.end <= 1.5005 for term in terms)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(3):
        sound(folder / "clips" / f"{number}.wav")
    return folder


@pytest.mark.real_data
def test_a_folder_of_real_recordings(data_dir):
    corpus = load(data_dir / "fsdd" / "recordings")
    assert corpus.counts() == {"train": 3000}
    assert corpus.notes == {}
