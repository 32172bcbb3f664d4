"""Files that are written whole or not at all, also on a full disk."""

import contextlib
import errno
import os
import resource
import signal
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.run_directory import (
    RunDirectory,
    disk_errors,
    read_json,
    write_json,
    write_text,
    write_whole,
)


@contextlib.contextmanager
def full_disk():
    """No file may grow over 20,000 bytes: the write fails in its middle, as on a full disk. It holds for pytest too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def half_a_file(path):
    path.write_text("half")
    raise ZeroDivisionError


def half_a_folder(path):
    path.mkdir()
    half_a_file(path / "file")


def a_folder(path):
    path.mkdir()
    (path / "new").write_text("new")


def test_a_writer_that_raises_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    with pytest.raises(ZeroDivisionError):
        write_whole(path, half_a_file)
    assert list(tmp_path.iterdir()) == []
    write_text(path, "old")
    with pytest.raises(ZeroDivisionError):
        write_whole(path, half_a_file)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_raises_leaves_the_old_folder(tmp_path):
    path = tmp_path / "export"
    write_whole(path, a_folder)
    with pytest.raises(ZeroDivisionError):
        write_whole(path, half_a_folder)
    assert (path / "new").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("old", ["file", "folder"])
@pytest.mark.parametrize("new", ["file", "folder"])
def test_what_is_written_takes_the_place_of_whatever_was_there(tmp_path, old, new):
    path = tmp_path / "name"
    if old == "file":
        path.write_text("old")
    else:
        path.mkdir()
        (path / "old").write_text("old")
    write_whole(path, a_folder if new == "folder" else lambda temporary: temporary.write_text("new"))
    assert ((path / "new") if new == "folder" else path).read_text() == "new"
    assert not (path / "old").exists()
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made_and_the_suffix_is_kept(tmp_path):
    names = []
    write_whole(tmp_path / "a" / "b" / "model.keras", lambda path: (names.append(path), path.write_text("x")))
    assert (tmp_path / "a" / "b" / "model.keras").read_text() == "x"
    assert names[0].suffix == ".keras"
    assert names[0].parent == tmp_path / "a" / "b"


def test_text_is_utf_8_with_the_line_breaks_that_were_given(tmp_path):
    write_text(tmp_path / "text", "ü\n\r\n")
    assert (tmp_path / "text").read_bytes() == b"\xc3\xbc\n\r\n"


def test_json_round_trip_that_a_person_can_read(tmp_path):
    content = {"words": ["zürich", 1, None], "best": 0.5}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "zürich" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b'{"a": 1} x'])
def test_broken_json_is_named(tmp_path, content):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.json is not valid JSON"):
        read_json(tmp_path / "a.json")


def test_missing_json_is_named(tmp_path):
    with pytest.raises(UserError, match=rf"^{tmp_path / 'metrics.json'} is missing; is {tmp_path} a finished run\?$"):
        read_json(tmp_path / "metrics.json")


def write_keras(path):
    keras.Sequential([keras.Input((100,)), keras.layers.Dense(100)]).save(path)


def write_tensorflow(path):
    module = tf.Module()
    module.weights = tf.Variable(tf.ones([100, 100]))
    tf.saved_model.save(module, str(path))


WRITERS = {
    "text": ("a.txt", lambda path: path.write_text("x" * 50_000)),
    "numpy": ("a.npz", lambda path: np.savez(path, values=np.ones(50_000))),
    "keras": ("a.keras", write_keras),
    "tensorflow": ("1", write_tensorflow),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(tmp_path, writer):
    name, write = WRITERS[writer]
    path = tmp_path / name
    write_whole(path, lambda temporary: temporary.write_text("old"))
    sentence = rf"^there is no space left to write {path}; free some and run the same command again to go on$"
    with full_disk(), pytest.raises(UserError, match=sentence):
        write_whole(path, write)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write_whole(path, write)
    assert path.is_dir() or path.stat().st_size > 20_000


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_way_to_have_no_space_is_the_same_sentence(tmp_path, number):
    with pytest.raises(UserError, match="no space left"), disk_errors(tmp_path):
        raise OSError(number, os.strerror(number))


def test_another_error_is_not_taken_for_a_full_disk(tmp_path):
    with pytest.raises(PermissionError), disk_errors(tmp_path):
        raise PermissionError(errno.EACCES, "no")


def test_a_real_device_without_space():
    with pytest.raises(UserError, match=r"no space left to write /dev/full"), disk_errors(Path("/dev/full")):
        Path("/dev/full").write_text("x")


def test_a_run_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(UserError, match=rf"^the run directory {path} cannot be written to: "):
            RunDirectory(path).create()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_run_directory_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written to: Permission denied"):
        RunDirectory(tmp_path).create()


def test_looking_at_a_run_touches_nothing_and_creating_it_leaves_nothing_in_it(tmp_path):
    directory = RunDirectory(tmp_path / "a" / "run")
    assert (directory.exists, directory.trained, directory.finished, directory.seeds()) == (False, False, False, [])
    assert list(tmp_path.iterdir()) == []
    directory.create()
    directory.create()
    assert list(directory.path.iterdir()) == []


def test_what_stands_in_the_folder_says_how_far_the_run_is(tmp_path):
    directory = RunDirectory(tmp_path)
    write_text(directory.config, "task: slot_filling\n")
    assert (directory.exists, directory.trained, directory.finished) == (True, False, False)
    write_json(directory.checkpoints / "finished.json", {})
    assert (directory.exists, directory.trained, directory.finished) == (True, True, False)
    write_json(directory.metrics, {})
    assert (directory.exists, directory.trained, directory.finished) == (True, True, True)


def test_seeds_are_in_numerical_order(tmp_path):
    for name in ("seed-10", "seed-2", "seed-0", "seed-x", "seeds-1"):
        (tmp_path / name).mkdir()
    assert [run.path.name for run in RunDirectory(tmp_path).seeds()] == ["seed-0", "seed-2", "seed-10"]


def test_clearing_deletes_what_a_run_writes_and_nothing_else(tmp_path):
    directory = RunDirectory(tmp_path)
    paths = [path for name, path in vars(directory).items() if name != "path"]
    for path in (*paths, tmp_path / "seed-3" / "metrics.json", tmp_path / "evaluations" / "a-test" / "report.html"):
        if path.suffix or path.name == "1":
            write_text(path, "x")
    for path in (tmp_path / "notes.txt", tmp_path / "mine" / "config.yaml"):
        write_text(path, "mine")
    directory.clear()
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "mine", "mine/config.yaml", "notes.txt",
    ]  # fmt: skip
    directory.clear()
