"""The index of an archive: what is found, what is added, and what is left after an accident."""

import contextlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from seqloom.datasets.audio import AudioFile
from seqloom.datasets.audio_file import read_audio
from seqloom.datasets.corpus import DataError
from seqloom.datasets.term_files import OTHER_FILES, REPEATED_SEGMENTS, WITHOUT_SEGMENT
from seqloom.pipelines.audio import waveform
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.run_directory import RunDirectory
from seqloom.pipelines.spoken_term_search.archive.files import ArchiveSettings
from seqloom.pipelines.spoken_term_search.archive.index import ArchiveIndex, Hit
from seqloom.pipelines.spoken_term_search.archive.windows import sliding_windows, voiced_stretches

RATE = 8000
SETTINGS = ArchiveSettings(RATE, lengths=(0.2, 0.4), hop=0.05)
BANDS = 24


def embed(pieces):
    """A toy in the place of a model: how the energy is spread over frequencies."""
    rows = []
    for piece in pieces:
        spectrum = np.abs(np.fft.rfft(piece, 2 * RATE))[: RATE // 2 * 2]
        bands = np.sqrt(np.array([part.mean() for part in np.array_split(spectrum, BANDS)]))
        length = np.linalg.norm(bands)
        rows.append((bands / length).astype("float32") if length > 1e-3 else None)
    return rows


def word(pitch, seconds=0.4, rate=RATE):
    return (0.3 * np.sin(2 * np.pi * pitch * np.arange(round(seconds * rate)) / rate)).astype("float32")


def spoken(*pitches, rate=RATE):
    """Words of 0.4 s with pauses of 0.3 s before and after them."""
    pause = np.zeros(round(0.3 * rate), np.float32)
    return np.concatenate([pause, *(part for pitch in pitches for part in (word(pitch, rate=rate), pause))])


def write(path, samples, rate=RATE):
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, rate)
    return path


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    write(folder / "a.wav", spoken(500, 1500))
    write(folder / "deep" / "b.flac", spoken(3000, 2000, 1000))
    write(folder / "c.wav", spoken(2500))
    return folder


def created(tmp_path, settings=SETTINGS):
    return ArchiveIndex.create(tmp_path / "index", "model", settings)


def query(pitch):
    return embed([word(pitch)])[0]


def contents(tmp_path):
    return sorted(path.name for path in (tmp_path / "index").iterdir())


@pytest.mark.parametrize("kind", ["exact", "approximate"])
def test_a_word_is_found_where_it_was_said(kind, archive, tmp_path):
    index = created(tmp_path, ArchiveSettings(RATE, (0.2, 0.4), 0.05, kind))
    added = index.add([archive], embed)
    assert (added.indexed, added.known, added.broken, added.silent, added.left_out) == (3, 0, {}, 0, 0)
    assert added.windows == len(index) > 20
    assert added.seconds == pytest.approx(1.7 + 2.4 + 1.0, abs=0.01)
    for opened in (index, ArchiveIndex.open(tmp_path / "index", "model")):
        for pitch, name, start in [(1500, "a.wav", 1.0), (2000, "deep/b.flac", 1.0), (2500, "c.wav", 0.3)]:
            hits = opened.search(query(pitch), top=3)
            assert hits[0].file == archive / name
            assert hits[0].start == pytest.approx(start, abs=0.06)
            assert hits[0].end == pytest.approx(start + 0.4, abs=0.06)
            assert hits[0].score > 0.98 > hits[1].score + 0.05
        assert len(opened.search(query(500), top=100)) < len(opened.search(query(500), top=100, merged=False))
    assert len(opened.search(query(500), top=100, merged=False)) == min(100, len(index))


def test_hits_are_those_of_brute_force(archive, tmp_path):
    index = created(tmp_path)
    index.add([archive], embed)
    windows = []
    for path in (archive / "a.wav", archive / "c.wav", archive / "deep" / "b.flac"):
        samples = read_audio(path).samples
        for start, end in sliding_windows(voiced_stretches(samples, RATE), [1600, 3200], 400):
            score = float(embed([samples[start:end]])[0] @ query(1900))
            windows.append(Hit(path, start / RATE, end / RATE, score))
    windows.sort(key=lambda hit: -hit.score)
    assert same(index.search(query(1900), len(windows), merged=False), windows)
    merged = []
    for hit in windows:
        shorter = [min(hit.end - hit.start, other.end - other.start) for other in merged]
        shared = [min(hit.end, other.end) - max(hit.start, other.start) for other in merged]
        if not any(
            hit.file == other.file and part > least / 2
            for other, part, least in zip(merged, shared, shorter, strict=True)
        ):
            merged.append(hit)
    assert 6 <= len(merged) < len(windows) / 2
    assert same(index.search(query(1900), 1000), merged)
    for top in range(1, 9):
        assert same(index.search(query(1900), top), merged[:top]), "fewer hits are the beginning of more"


def same(hits, others):
    """Also where rounding may turn two hits around that are almost as good."""
    assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in others], abs=1e-5)
    return sorted((hit.file, hit.start, hit.end) for hit in hits) == sorted(
        (hit.file, hit.start, hit.end) for hit in others
    )


def test_recordings_are_added_once_by_their_content(archive, tmp_path):
    index = created(tmp_path)
    index.add([archive / "a.wav", archive / "c.wav"], embed)
    shutil.copy(archive / "c.wav", archive / "copy.wav")
    added = index.add([archive, archive / "a.wav"], embed)
    assert (added.indexed, added.known, [file.windows > 0 for file in index.files]) == (1, 3, [True] * 3)
    assert [file.path for file in index.files] == [str(archive / name) for name in ("a.wav", "c.wav", "deep/b.flac")]
    before = contents(tmp_path)
    assert index.add([archive], embed).known == 4
    assert contents(tmp_path) == before, "nothing is written where nothing is new"
    at_once = ArchiveIndex.create(tmp_path / "at once", "model", SETTINGS)
    at_once.add([archive / "a.wav", archive / "c.wav", archive], embed)
    assert at_once.search(query(700), 50) == index.search(query(700), 50)


def test_the_same_recordings_make_the_same_files(archive, tmp_path):
    for name in ("one", "other"):
        ArchiveIndex.create(tmp_path / name, "model", SETTINGS).add([archive], embed)
    for name in ("vectors.faiss", "index.json"):
        assert (tmp_path / "one" / "1" / name).read_bytes() == (tmp_path / "other" / "1" / name).read_bytes()


def test_a_recording_that_was_moved_or_replaced_is_found_where_it_lies_now(archive, tmp_path):
    index = created(tmp_path)
    index.add([archive], embed)
    (archive / "c.wav").rename(archive / "d.wav")
    assert index.add([archive], embed).known == 3
    assert index.search(query(2500), 1)[0].file == archive / "d.wav"
    write(archive / "d.wav", spoken(3500))
    assert index.add([archive / "d.wav"], embed).indexed == 1
    assert len(index.files) == 3
    opened = ArchiveIndex.open(tmp_path / "index", "model")
    assert opened.search(query(3500), 1)[0].file == archive / "d.wav"
    assert opened.search(query(2500), 1)[0].score < 0.95
    assert all(hit.score < 0.95 for hit in opened.search(query(2500), 1000, merged=False))
    shutil.copy(archive / "a.wav", archive / "d.wav")
    assert index.add([archive / "d.wav"], embed).known == 1
    assert {hit.file.name for hit in index.search(query(3500), 1000)} == {"a.wav", "b.flac"}


def test_broken_files_are_named_and_the_rest_is_indexed(archive, tmp_path):
    whole = (archive / "a.wav").read_bytes()
    (archive / "cut.wav").write_bytes(whole[: len(whole) // 2])
    (archive / "text.mp3").write_text("no sound")
    (archive / "empty.ogg").touch()
    index = created(tmp_path)
    added = index.add([archive], embed)
    assert added.indexed == 3
    assert {os.path.basename(path): reason.removeprefix(path) for path, reason in added.broken.items()} == {
        "cut.wav": f" is cut off: got {len(whole) // 2 - 44} of {len(whole) - 44} bytes of sound",
        "empty.ogg": " is empty, expected an audio file",
        "text.mp3": " cannot be read as audio: Format not recognised",
    }
    write(archive / "text.mp3", spoken(600))
    assert index.add([archive], embed).indexed == 1, "what was broken is looked at again"


def test_a_name_that_is_not_utf8_is_broken(archive, tmp_path):
    path = os.path.join(os.fsencode(archive), b"caf\xe9.wav")
    shutil.copy(archive / "a.wav", path)
    added = created(tmp_path).add([os.fsdecode(path)], embed)
    assert (added.indexed, len(added.broken)) == (0, 1)
    assert next(iter(added.broken.values())).endswith(r"caf\udce9.wav' is not UTF-8")


def test_such_a_name_in_a_folder_is_broken_and_the_rest_is_indexed(archive, tmp_path):
    shutil.copy(archive / "a.wav", os.path.join(os.fsencode(archive), b"caf\xe9.wav"))
    added = created(tmp_path).add([archive], embed)
    assert added.indexed == 3
    assert [reason.endswith(r"caf\udce9.wav' is not UTF-8") for reason in added.broken.values()] == [True]


def test_what_else_a_folder_holds_is_counted(archive, tmp_path):
    (archive / "notes.txt").write_text("mine")
    (archive / "old.m4a").write_text("no ending that is read")
    assert created(tmp_path).add([archive], embed).passed_over == {OTHER_FILES: 2}
    (archive / "segments.tsv").write_text("a.wav\t0.2\t0.6\na.wav\t0.2\t0.6\n")
    added = created(tmp_path).add([archive], embed)
    assert added.passed_over == {OTHER_FILES: 2, WITHOUT_SEGMENT: 2, REPEATED_SEGMENTS: 1}


def test_silence_and_what_the_model_cannot_read_are_counted(archive, tmp_path):
    write(archive / "silent.wav", np.zeros(RATE))
    none = created(tmp_path)
    added = none.add([archive], lambda pieces: [None] * len(pieces))
    assert (added.indexed, added.silent, added.windows, len(none)) == (4, 1, 0, 0)
    assert added.left_out > 20
    assert none.search(query(500), 5) == []
    assert len(ArchiveIndex.open(tmp_path / "index", "model").files) == 4
    for unusable in (np.nan, 0):

        def some(pieces, unusable=unusable):
            vectors = np.stack(embed(pieces))
            vectors[::2] = unusable
            return vectors

        index = ArchiveIndex.create(tmp_path / "index", "model", SETTINGS)
        some_added = index.add([archive], some)
        assert some_added.windows == len(index) == added.left_out // 2
        assert some_added.windows + some_added.left_out == added.left_out
        hits = index.search(query(2500), 1000, merged=False)
        assert len(hits) == len(index)
        assert hits[0].score > 0.98


def test_segments_stand_in_the_place_of_windows(archive, tmp_path):
    write(archive / "a.wav", spoken(500, 1500, rate=11_025), 11_025)
    lines = ["deep/b.flac\t0.31\t0.69\tthree", "a.wav\t1.0\t1.4\t", "a.wav\t0.2\t1.699"]
    (archive / "segments.tsv").write_text("\n".join(lines) + "\n")
    seen = []

    def noted(pieces):
        seen.extend(pieces)
        return embed(pieces)

    index = created(tmp_path)
    added = index.add([archive], noted)
    assert (added.indexed, added.windows) == (2, 3)
    hits = index.search(query(1500), 5, merged=False)
    assert (hits[0].file, hits[0].start, hits[0].end) == (archive / "a.wav", 1.0, 1.4)
    assert {(hit.start, hit.end) for hit in hits} == {(1.0, 1.4), (0.31, 0.69), (0.2, 1.699)}
    bounds = [("deep/b.flac", 0.31, 0.69), ("a.wav", 1.0, 1.4), ("a.wav", 0.2, 1.699)]
    for piece, (name, start, end) in zip(seen, bounds, strict=True):
        np.testing.assert_array_equal(piece, waveform(AudioFile(archive / name, start, end), RATE))
    (archive / "segments.tsv").write_text("a.wav\t1.0\tlater\n")
    with pytest.raises(DataError, match=r"segments\.tsv, line 1: the end must be a number of seconds"):
        index.add([archive], embed)


def test_any_rate_and_any_number_of_channels_will_do(tmp_path):
    stereo = np.stack([spoken(1200, rate=44_100)] * 2, axis=1)
    path = write(tmp_path / "stereo.flac", stereo, 44_100)
    index = created(tmp_path)
    index.add([path], embed)
    (hit,) = index.search(query(1200), 1)
    assert hit.score > 0.98
    assert hit.start == pytest.approx(0.3, abs=0.06)
    index.add([write(tmp_path / "loud.wav", word(900, 0.03, rate=44_100), 44_100)], embed)
    last = max(index.search(query(900), 100, merged=False), key=lambda hit: (hit.file.name == "loud.wav", hit.end))
    assert (last.start, last.end) == (0.0, pytest.approx(0.03)), "no window leaves its recording"


def test_a_folder_without_recordings_and_a_path_that_is_missing_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=f"{tmp_path / 'empty'} holds no recordings"):
        created(tmp_path).add([tmp_path / "empty"], embed)
    with pytest.raises(DataError, match=r"nowhere is missing"):
        created(tmp_path).add([tmp_path / "nowhere"], embed)
    assert not ArchiveIndex.exists(tmp_path / "index")


def test_without_an_index_there_is_nothing_to_open(tmp_path):
    assert not ArchiveIndex.exists(tmp_path / "index")
    with pytest.raises(UserError, match=r"index holds no index; `seqloom index RUN_DIR FOLDER` makes one"):
        ArchiveIndex.open(tmp_path / "index", "model")
    assert created(tmp_path).search(query(500)) == []
    assert not (tmp_path / "index").exists()


def test_vectors_of_another_model_are_refused(archive, tmp_path):
    index = created(tmp_path)
    index.add([archive / "a.wav"], embed)
    refused = "was made by another model, model, than this one, newer: remove it and make it again"
    with pytest.raises(UserError, match=refused):
        ArchiveIndex.open(tmp_path / "index", "newer")
    newer = ArchiveIndex.create(tmp_path / "index", "newer", SETTINGS)
    assert len(ArchiveIndex.open(tmp_path / "index", "model")) == len(index), "until files are added"
    newer.add([archive / "c.wav"], embed)
    assert [file.path for file in ArchiveIndex.open(tmp_path / "index", "newer").files] == [str(archive / "c.wav")]
    with pytest.raises(UserError, match="was made by another model, newer, than this one, model"):
        index.add([archive], embed)


def damages(path):
    return {
        "a file is missing": lambda: (path / "entries.npz").unlink(),
        "a file is cut": lambda: os.truncate(path / "vectors.faiss", 100),
        "no JSON": lambda: (path / "index.json").write_text("{"),
        "another JSON": lambda: (path / "index.json").write_text("[]"),
        "no summary": lambda: (path / "index.json").unlink(),
        "bytes are others": lambda: overwrite(path / "entries.npz"),
        "vectors are others": lambda: overwrite(path / "vectors.faiss"),
        "other counts": lambda: change(path / "index.json", lambda summary: summary["files"][0].update(windows=1)),
        "fewer files": lambda: change(path / "index.json", lambda summary: summary["files"].pop()),
        "other settings": lambda: change(path / "index.json", lambda summary: summary["settings"].update(hop=-1)),
    }


def overwrite(path):
    path.write_bytes(b"?" * path.stat().st_size)


def change(path, how):
    summary = json.loads(path.read_text())
    how(summary)
    path.write_text(json.dumps(summary))


@pytest.mark.parametrize("damage", damages(None))
def test_a_damaged_index_is_said_to_be(damage, archive, tmp_path):
    index = created(tmp_path)
    index.add([archive], embed)
    damages(tmp_path / "index" / "1")[damage]()
    message = f"the index {tmp_path / 'index'} is damaged: remove it and make it again"
    with pytest.raises(UserError, match=message):
        ArchiveIndex.open(tmp_path / "index", "model")
    with pytest.raises(UserError, match=message):
        index.add([archive], embed)
    created(tmp_path).add([archive], embed)
    assert len(ArchiveIndex.open(tmp_path / "index", "model").files) == 3


def test_an_index_of_another_version_is_not_read(archive, tmp_path):
    created(tmp_path).add([archive], embed)
    change(tmp_path / "index" / "1" / "index.json", lambda summary: summary.update(version=0))
    with pytest.raises(UserError, match="is an index of another version of seqloom"):
        ArchiveIndex.open(tmp_path / "index", "model")


def test_two_that_know_an_index_both_add_to_it(archive, tmp_path):
    created(tmp_path).add([archive / "a.wav"], embed)
    one, other = (ArchiveIndex.open(tmp_path / "index", "model") for _ in range(2))
    before = other.search(query(500), 5)
    one.add([archive / "c.wav"], embed)
    assert other.search(query(500), 5) == before, "what it has read stays as it is"
    other.add([archive / "deep"], embed)
    assert len(other.files) == 3
    assert contents(tmp_path) == ["3"]


def test_only_one_adds_at_a_time(archive, tmp_path):
    index = created(tmp_path)
    index.add([archive / "a.wav"], embed)
    with RunDirectory(tmp_path / "index").locked(), pytest.raises(UserError, match="another process is writing"):
        index.add([archive], embed)
    assert index.search(query(500), 1)


def test_an_interruption_costs_only_what_was_not_written_yet(archive, tmp_path):
    calls = []

    def interrupted(pieces):
        calls.append(len(pieces))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return embed(pieces)

    index = created(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        index.add([archive], interrupted, keep_every=0)
    assert contents(tmp_path) == ["2"]
    opened = ArchiveIndex.open(tmp_path / "index", "model")
    assert [os.path.basename(file.path) for file in opened.files] == ["a.wav", "c.wav"]
    for again in (index, opened):
        added = again.add([archive], embed)
        assert (added.indexed + added.known, len(again.files)) == (3, 3)
    at_once = ArchiveIndex.create(tmp_path / "at once", "model", SETTINGS)
    at_once.add([archive], embed)
    assert at_once.search(query(700), 50) == index.search(query(700), 50)


def test_a_function_that_fails_leaves_an_index_that_can_be_used(archive, tmp_path):
    index = created(tmp_path)
    with pytest.raises(ValueError, match=r"embed must return a vector for each of \d+ pieces, got 1"):
        index.add([archive], lambda pieces: embed(pieces)[:1])
    assert index.add([archive], embed).indexed == 3
    with pytest.raises(ValueError, match=r"queries must be a float32 array \(queries, 24\), got float32 \(1, 3\)"):
        index.search(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="top must be a positive integer, got top=0"):
        index.search(query(500), 0)


@contextlib.contextmanager
def full_disk():
    """No file may grow over 4,000 bytes: the write fails in its middle, as on a full disk. It holds for pytest too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_leaves_the_old_index_in_use(archive, tmp_path):
    index = created(tmp_path)
    index.add([archive / "c.wav"], embed)
    hits = index.search(query(2500), 3)
    with full_disk(), pytest.raises(UserError, match=f"there is no space left to write {tmp_path / 'index'}/2; free"):
        index.add([archive], embed)
    assert contents(tmp_path) == ["1"]
    assert ArchiveIndex.open(tmp_path / "index", "model").search(query(2500), 3) == hits
    assert index.search(query(2500), 3) == hits
    added = index.add([archive], embed)
    assert (added.indexed, added.known) == (2, 1)


WRITER = """
import sys, time, numpy as np
from seqloom.pipelines.spoken_term_search.archive.index import ArchiveIndex

def embed(pieces):
    vectors = np.random.default_rng(len(pieces)).random((len(pieces), 30_000), np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

ArchiveIndex.open(sys.argv[1], "model").add(sys.argv[2:], embed)
time.sleep(60)
"""


@pytest.mark.parametrize("moment", [".2-*/vectors.faiss", ".2-*/index.json", "2"])
def test_a_kill_while_it_is_written_leaves_a_whole_index(moment, tmp_path):
    """Kills at the first sight of a file. Vectors of 30,000 dimensions take a while to write."""
    first = write(tmp_path / "first.wav", spoken(500))
    second = write(tmp_path / "second.wav", np.tile(spoken(1500, 2500, 3500), 20))
    vector = np.full(30_000, 30_000**-0.5, np.float32)
    created(tmp_path).add([first], lambda pieces: [vector] * len(pieces))
    old = len(ArchiveIndex.open(tmp_path / "index", "model"))
    process = subprocess.Popen([sys.executable, "-c", WRITER, tmp_path / "index", second])
    deadline = time.monotonic() + 60
    while not list((tmp_path / "index").glob(moment)):
        assert process.poll() is None, "the writer ended"
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    is_new = moment == "2"
    if not is_new:
        assert list((tmp_path / "index").glob(".2-*")), "the kill came too late"
    opened = ArchiveIndex.open(tmp_path / "index", "model")
    assert len(opened.files) == (2 if is_new else 1)
    assert len(opened) > old if is_new else len(opened) == old
    assert opened.search(vector, 1)[0].score == pytest.approx(1, abs=1e-3)
    added = opened.add([first, second], lambda pieces: [vector] * len(pieces))
    assert (added.indexed, added.known) == ((0, 2) if is_new else (1, 1))
    assert len(opened.files) == 2
    if not is_new:
        assert contents(tmp_path) == ["2"], "what the killed process left is gone"


def test_it_says_how_far_it_is(archive, tmp_path):
    shown = []

    @contextlib.contextmanager
    def noted(title, total):
        shown.append((title, total))
        yield shown.append

    created(tmp_path).add([archive], embed, progress=noted)
    assert shown == [("recordings", 3), 1, 2, 3]


def test_pieces_are_embedded_some_hundreds_at_once(tmp_path):
    """And fewer of them where they are long."""
    counts = []

    def counted(pieces):
        counts.append((len(pieces), max(map(len, pieces))))
        return embed(pieces)

    path = write(tmp_path / "long.wav", np.tile(spoken(500, 1500), 60))
    added = created(tmp_path).add([path], counted)
    assert sum(count for count, _ in counts) == added.windows > 600
    assert [count for count, _ in counts[:-1]] == [256] * (len(counts) - 1)
    counts.clear()
    folder = tmp_path / "segmented"
    write(folder / "long.wav", np.tile(word(500), 1000))
    (folder / "segments.tsv").write_text("".join(f"long.wav\t{start}\t400\n" for start in range(9)))
    created(tmp_path).add([folder], counted)
    assert sum(count for count, _ in counts) == 9
    assert all(count * longest <= 1 << 24 for count, longest in counts)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"sampling_rate": 0}, "sampling_rate must be a positive integer, got sampling_rate=0"),
        ({"lengths": ()}, r"shortest of lengths, got hop=0.1 and lengths=\(\)"),
        ({"hop": 0.3}, r"shortest of lengths, got hop=0.3 and lengths=\(0.25, 0.4, 0.6, 0.9\)"),
        ({"hop": 0.0}, "hop must be between one sample and"),
        ({"kind": "fast"}, "kind must be 'exact' or 'approximate', got kind='fast'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(values, reason):
    with pytest.raises(ValueError, match=reason):
        ArchiveSettings(**{"sampling_rate": 8000, **values})


def test_a_broken_recording_of_segments_is_named_and_the_rest_is_indexed(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    soundfile.write(folder / "fine.wav", np.random.default_rng(0).normal(scale=0.1, size=RATE), RATE)
    (folder / "text.wav").write_text("go left")
    soundfile.write(folder / "short.wav", np.random.default_rng(1).normal(scale=0.1, size=RATE // 2), RATE)
    lines = ["fine.wav\t0\t0.5\tgo", "text.wav\t0\t0.5\tgo", "absent.wav\t0\t0.5\tgo", "fine.wav\t0.5\t1\tleft"]
    lines += ["short.wav\t0.1\t0.6\tgo"]
    (folder / "segments.tsv").write_text("".join(f"{line}\n" for line in lines))
    archive = ArchiveIndex.create(tmp_path / "index", "model", SETTINGS)
    added = archive.add([folder], embed)
    assert (added.indexed, added.windows) == (1, 2)
    assert {os.path.basename(path) for path in added.broken} == {"text.wav", "absent.wav", "short.wav"}
    assert added.broken[str(folder / "short.wav")].endswith("lasts 0.500 s and cannot be read up to 0.6 s")
