from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seqloom.datasets.corpus import DataError
from seqloom.datasets.download import Download, fetch, known_to_tfds

CONTENT = bytes(range(256)) * 4000


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder; what is called `cut` is cut off."""

    requests: list[str] = []  # noqa: RUF012

    def log_message(self, *arguments: object) -> None:
        self.requests.append(self.path)

    def copyfile(self, source, outputfile) -> None:
        outputfile.write(source.read(1000) if self.path.endswith("cut") else source.read())


@pytest.fixture
def served(tmp_path, monkeypatch) -> Iterator[str]:
    """The address of a server of the files `whole` and `cut`."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = tmp_path / "served"
    folder.mkdir()
    for name in ("whole", "cut"):
        (folder / name).write_bytes(CONTENT)
    Handler.requests.clear()
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def download(url: str) -> Download:
    return Download(url, len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_downloaded_once(served, tmp_path, capsys):
    path = fetch(download(f"{served}/whole"), tmp_path / "cache" / "deep")
    assert path == tmp_path / "cache" / "deep" / "whole"
    assert path.read_bytes() == CONTENT
    assert capsys.readouterr().err == f"downloading {served}/whole (1 MB)\n"
    assert fetch(download(f"{served}/whole"), path.parent) == path
    assert Handler.requests == ["/whole"]
    assert files(tmp_path / "cache") == [path]


def test_a_terminal_shows_a_bar(served, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes standard error for a terminal
    assert fetch(download(f"{served}/whole"), tmp_path).read_bytes() == CONTENT
    printed = capsys.readouterr().err
    assert "downloading" not in printed
    assert "whole" in printed
    assert "MB" in printed


def test_what_is_not_the_file_is_not_kept(served, tmp_path):
    other = Download(f"{served}/whole", len(CONTENT), "0" * 64)
    got = hashlib.sha256(CONTENT).hexdigest()
    with pytest.raises(
        DataError, match=rf"/whole is not the file that was expected: got the SHA-256 digest {got}, exp"
    ):
        fetch(other, tmp_path / "cache")
    with pytest.raises(DataError, match=rf"{served}/cut was cut off: got 1000 of 1024000 bytes"):
        fetch(download(f"{served}/cut"), tmp_path / "cache")
    assert files(tmp_path / "cache") == []


def test_an_address_that_does_not_answer_is_named(served, tmp_path):
    with pytest.raises(DataError, match=rf"{served}/absent cannot be downloaded: File not found"):
        fetch(download(f"{served}/absent"), tmp_path / "cache")
    with pytest.raises(DataError, match=r"http://127\.0\.0\.1:1/whole cannot be downloaded: Connection refused"):
        fetch(download("http://127.0.0.1:1/whole"), tmp_path / "cache")
    assert files(tmp_path / "cache") == []


def test_a_folder_that_cannot_be_written_is_named(served, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file/cache/whole cannot be written: Not a directory"):
        fetch(download(f"{served}/whole"), tmp_path / "file" / "cache")


def test_the_digest_of_a_file_is_read_from_tensorflow_datasets():
    known = known_to_tfds("imdb_reviews", "aclImdb_v1.tar.gz")
    assert known.size == 84_125_825
    assert len(known.sha256) == 64
    for dataset, name in (("imdb_reviews", "absent.zip"), ("absent", "aclImdb_v1.tar.gz")):
        with pytest.raises(DataError, match=f"the installed TensorFlow Datasets knows no address of {name}"):
            known_to_tfds(dataset, name)
