"""Files at public addresses: downloaded once, with a progress bar, and kept only if they are the right ones."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .corpus import DataError

_TIMEOUT = 30  # seconds without a byte
_BLOCK = 1 << 18  # bytes


@dataclass(frozen=True)
class Download:
    """A file at a public address, and what it must be.

    Args:
        url: the address; its last part is the name of the file.
        size: the number of bytes.
        sha256: the digest of the content, 64 hexadecimal digits.

    Example:
        >>> Download("https://example.org/corpora/words.tar.gz", size=10, sha256="...").name
        'words.tar.gz'
    """

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.url.rpartition("/")[2]


def known_to_tfds(dataset: str, name: str) -> Download:
    """What TensorFlow Datasets knows of a file of one of its data sets.

    Args:
        dataset: a data set of TensorFlow Datasets, such as `"imdb_reviews"`.
        name: the name of the file.

    Raises:
        DataError: if the installed TensorFlow Datasets does not know it.

    Example:
        >>> known_to_tfds("imdb_reviews", "aclImdb_v1.tar.gz").url
        'http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz'
    """
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import checksums

    try:
        known = checksums.load_url_infos(tfds.core.tfds_path(f"datasets/{dataset}/checksums.tsv"))
    except OSError:
        known = {}
    for url, info in known.items():
        download = Download(url, int(info.size), info.checksum)
        if download.name == name:
            return download
    raise DataError(f"the installed TensorFlow Datasets knows no address of {name}")


def fetch(download: Download, folder: str | Path) -> Path:
    """The file in the folder, downloaded if it is not there yet.

    It is written under another name, and gets its own when its digest is right: what has the name is whole.

    Args:
        download: what to get.
        folder: where to keep it; made if it does not exist.

    Raises:
        DataError: if it cannot be downloaded or written, or is not what it must be.
    """
    path = Path(folder) / download.name
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(
            prefix=".downloading-", dir=path.parent, ignore_cleanup_errors=True
        ) as temporary:
            part = Path(temporary, download.name)
            _receive(download, part)
            part.replace(path)
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def _receive(download: Download, path: Path) -> None:
    """Writes the file while its digest is computed.

    Raises:
        DataError: if it cannot be downloaded, or is not what it must be.
        OSError: if it cannot be written.
    """
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file, _progress(download) as advance:
        for block in _blocks(download.url):
            file.write(block)
            digest.update(block)
            size += len(block)
            advance(len(block))
    if size < download.size:
        raise DataError(f"{download.url} was cut off: got {size} of {download.size} bytes")
    if digest.hexdigest() != download.sha256:
        raise DataError(
            f"{download.url} is not the file that was expected: got the SHA-256 digest {digest.hexdigest()}, "
            f"expected {download.sha256}"
        )


def _blocks(url: str) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as response:
            while block := response.read(_BLOCK):
                yield block
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)  # `URLError` wraps what happened
        raise DataError(f"{url} cannot be downloaded: {getattr(reason, 'strerror', None) or reason}") from error


@contextlib.contextmanager
def _progress(download: Download) -> Iterator[Callable[[int], None]]:
    """A progress bar on a terminal, one line elsewhere; gives the function that takes the bytes that arrived."""
    import rich.console
    import rich.progress

    console = rich.console.Console(stderr=True)
    if not console.is_terminal:
        print(f"downloading {download.url} ({download.size / 1e6:.0f} MB)", file=sys.stderr)
        yield lambda _: None
        return
    columns = (
        *rich.progress.Progress.get_default_columns(),
        rich.progress.DownloadColumn(),
        rich.progress.TransferSpeedColumn(),
    )
    with rich.progress.Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(download.name, total=download.size)
        yield lambda count: bar.advance(task, count)
