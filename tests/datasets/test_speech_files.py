from __future__ import annotations

import os
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.audio import AudioFile, FrameMatrix
from seqloom.datasets.audio_file import read_audio
from seqloom.datasets.corpus import DataError
from seqloom.datasets.speech_files import load, read_split

SAMPLES = np.sin(np.arange(2000) / 5).astype(np.float32)


def sound(path: Path, samples: np.ndarray = SAMPLES, rate: int = 8000, subtype: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate, subtype=subtype)
    return path


def features(path: Path, frames: int = 3) -> Path:
    path.write_bytes(struct.pack(f">i{13 * frames}f", 13 * frames, *range(13 * frames)))
    return path


def manifest(path: Path, *lines: str) -> Path:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two recordings, one of them in a sub-folder, and a train split of them."""
    folder = tmp_path / "speech"
    sound(folder / "a.wav")
    sound(folder / "clips" / "b b.flac", rate=44100)
    manifest(folder / "train.tsv", "a.wav\tgo left", "clips/b b.flac\tStop!")
    return folder


def refused(folder: Path, **arguments) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_utterances_are_the_lines_of_the_file(folder):
    corpus = load(folder)
    assert [(each.name, each.transcript) for each in corpus.train] == [
        ("a.wav", "go left"),
        ("clips/b b.flac", "Stop!"),
    ]
    assert [each.sound for each in corpus.train] == [AudioFile(folder / "a.wav"), AudioFile(folder / "clips/b b.flac")]
    assert read_audio(corpus.train[1].sound.path).rate == 44100
    assert [each.group for each in corpus.train] == ["a.wav", "clips/b b.flac"]
    assert (corpus.name, corpus.valid, corpus.test, corpus.notes) == ("speech", None, None, {})
    assert (corpus.source, corpus.synthetic) == (str(folder), False)


def test_white_space_around_and_detours_inside_the_folder_are_no_matter(folder):
    manifest(folder / "train.tsv", "\ufeff ./clips/../a.wav \t  go  left \r")
    [utterance] = load(folder).train
    assert (utterance.name, utterance.transcript) == ("a.wav", "go  left")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "the line is empty, expected path<TAB>transcript"),
        ("\t ", "the line is empty, expected path<TAB>transcript"),
        ("a.wav go", "the line has no tab, expected path<TAB>transcript"),
        ("\tgo", "the path is empty, expected path<TAB>transcript"),
        ("a.wav\t", "the transcript is empty, expected path<TAB>transcript"),
        ("a.wav\t \u00a0", "the transcript is empty, expected path<TAB>transcript"),
        ("a.wav\tgo\tann", "the line has 3 columns, expected path<TAB>transcript"),
        ("/etc/a.wav\tgo", "/etc/a.wav is absolute, expected a path relative to the folder of this file"),
        ("../a.wav\tgo", "../a.wav leaves the folder of this file"),
        ("clips/../../speech/a.wav\tgo", "clips/../../speech/a.wav leaves the folder of this file"),
        ("..\tgo", ".. leaves the folder of this file"),
        ("a\0.wav\tgo", "'a\\x00.wav' is not a path"),
        ("clips/b b.flac\tgo", "clips/b b.flac stands in line 1 already"),
        ("./clips//b b.flac\tgo", "clips/b b.flac stands in line 1 already"),
        ("absent.wav\tgo", "{folder}/absent.wav is missing"),
        ("clips\tgo", "{folder}/clips is a folder, expected an audio file"),
        ("a.wav/a\tgo", "{folder}/a.wav/a cannot be read: Not a directory"),
        ("x" * 300 + "\tgo", "{folder}/" + "x" * 300 + " cannot be read: File name too long"),
        ("empty.wav\tgo", "{folder}/empty.wav is empty, expected an audio file"),
        ("text.wav\tgo", "{folder}/text.wav cannot be read as audio: Format not recognised"),
        ("cut.wav\tgo", "{folder}/cut.wav is cut off: got 1956 of 4000 bytes of sound"),
        ("silent.wav\tgo", "{folder}/silent.wav holds no samples"),
        ("c.mfc\tgo", "c.mfc is cepstra, expected the same kind of file as clips/b b.flac"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(folder, line, message):
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("go left")
    os.truncate(sound(folder / "cut.wav", subtype="PCM_16"), 2000)
    sound(folder / "silent.wav", SAMPLES[:0])
    features(folder / "c.mfc")
    path = manifest(folder / "train.tsv", "clips/b b.flac\tgo", line)
    assert refused(folder) == f"{path}, line 2: {message.format(folder=folder)}"


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_24", "FLOAT"])
def test_channels_depths_and_rates_do_not_matter(folder, subtype):
    sound(folder / "a.wav", np.stack([SAMPLES, -SAMPLES], axis=1), 44100, subtype)
    assert load(folder).counts() == {"train": 2}


def test_samples_that_are_not_finite_are_found_when_they_are_read(folder):
    sound(folder / "a.wav", np.where(np.arange(2000) == 7, np.nan, SAMPLES), subtype="FLOAT")
    first = load(folder).train[0].sound
    with pytest.raises(DataError, match=r"a\.wav holds samples that are not finite"):
        read_audio(first.path)


def test_a_line_that_is_no_text_is_named(folder):
    (folder / "train.tsv").write_bytes(b"a.wav\tgo\ncaf\xe9.wav\tgo\n")
    assert refused(folder).startswith(f"{folder}/train.tsv, line 2: byte 0xe9 at byte offset 3")
    (folder / "train.tsv").write_bytes(b"")
    assert refused(folder) == f"{folder}/train.tsv is empty, expected one path<TAB>transcript a line"


def test_cepstra_are_read_as_frames(folder):
    features(folder / "c.mfc")
    features(folder / "d.MFC", frames=5)
    manifest(folder / "train.tsv", "c.mfc\tgo", "d.MFC\tstop")
    first, second = load(folder).train
    assert first.sound == FrameMatrix(np.arange(39, dtype=np.float32).reshape(3, 13))
    assert second.sound.frames.shape == (5, 13)
    (folder / "d.MFC").write_bytes(b"\0\0\0\1")
    assert refused(folder).startswith(f"{folder}/train.tsv, line 2: {folder}/d.MFC is not a whole feature file")


def test_all_splits_have_one_kind_of_file(folder):
    features(folder / "c.mfc")
    path = manifest(folder / "test.tsv", "c.mfc\tgo")
    assert refused(folder) == f"{path}: c.mfc is cepstra, expected the same kind of file as a.wav"
    manifest(folder / "train.tsv", "c.mfc\tgo")
    manifest(folder / "test.tsv", "a.wav\tgo")
    assert refused(folder) == f"{path}: a.wav is a recording, expected the same kind of file as c.mfc"


def test_recordings_of_several_splits_are_counted(folder):
    manifest(folder / "valid.tsv", "clips/b b.flac\tstop")
    manifest(folder / "test.tsv", "a.wav\tgo", "clips/b b.flac\tstop")
    corpus = load(folder)
    assert corpus.counts() == {"train": 2, "valid": 1, "test": 2}
    assert corpus.notes == {
        "valid recordings that stand in train, too": 1,
        "test recordings that stand in train, too": 2,
    }


def test_an_evaluation_needs_its_split_alone(folder):
    (folder / "train.tsv").rename(folder / "test.tsv")
    assert load(folder, required="test").counts() == {"train": 0, "test": 2}
    assert refused(folder) == f"{folder}/train.tsv is missing, expected a file with one path<TAB>transcript a line"


@pytest.mark.parametrize(
    "name", ["test.wav", "valid.flac", "c.mfc", "a.txt", "speakers.csv", "README.md", ".hidden.tsv"]
)
def test_other_files_may_lie_beside_the_splits(folder, name):
    (folder / name).touch()
    (folder / "test").mkdir()
    assert load(folder).counts() == {"train": 2}


@pytest.mark.parametrize(
    ("name", "hint"),
    [("vaild.tsv", "valid.tsv"), ("test.txt", "test.tsv"), ("Train.tsv", "train.tsv"), ("valid.csv", "valid.tsv")],
)
def test_a_misspelt_name_is_not_overlooked(folder, name, hint):
    shutil.copy(folder / "train.tsv", folder / name)
    assert refused(folder) == (
        f"{folder / name} is not part of the layout, expected only train.tsv, valid.tsv and test.tsv in {folder}; "
        f"did you mean {hint!r}?"
    )


def test_a_folder_that_is_none_is_named(tmp_path):
    assert refused(tmp_path / "absent").startswith(f"{tmp_path}/absent is missing, expected a folder with train.tsv")


# What `str.strip` takes away is no part of a transcript's ends; a byte order mark at the start of a file is no text.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\n\r\t\ufeff")
transcripts = st.text(characters, min_size=1, max_size=20).map(str.strip).filter(bool)


@pytest.fixture(scope="module")
def clips(tmp_path_factory) -> Path:
    """A folder with recordings, in which tests write `train.tsv`."""
    folder = tmp_path_factory.mktemp("clips")
    for number in range(6):
        sound(folder / "clips" / f"{number}.wav", SAMPLES[:10])
    return folder


@settings(deadline=None)
@given(said=st.lists(transcripts, min_size=1, max_size=6))
def test_what_is_written_is_read_back(clips, said):
    path = manifest(clips / "train.tsv", *(f"clips/{number}.wav\t{text}" for number, text in enumerate(said)))
    assert [each.transcript for each in read_split(path)] == said


@settings(deadline=None, max_examples=200)
@given(
    inserted=st.one_of(
        st.binary(max_size=3), st.sampled_from([b"\n", b"\t", b" ", b"\r", b"..", b"/", b"\0", b"\xc2\x85", b"../"])
    ),
    position=st.integers(0, 60),
    length=st.integers(0, 12),
)
def test_a_corrupted_file_is_refused_or_read_to_the_last_line(clips, inserted, position, length):
    path = manifest(clips / "train.tsv", *(f"clips/{number}.wav\tgo {number}" for number in range(3)))
    content = path.read_bytes()
    position %= len(content) + 1
    path.write_bytes(content[:position] + inserted + content[position + length :])
    try:
        read, message = read_split(path), str(path)
    except DataError as error:
        read, message = [], str(error)
    assert message.startswith(str(path))
    if read:
        lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
        assert [each.transcript for each in read] == [line.split(b"\t")[1].decode().strip() for line in lines]
        assert all(each.sound.path.is_relative_to(clips) and ".." not in each.name for each in read)
