"""What all corpora read through TensorFlow Datasets share: finding the raw files and caching the records.

A corpus module states how its raw folder looks (`RawFiles`), and its TFDS builder reads that folder as
`dl_manager.manual_dir`. The records are prepared once for each content of the raw files:

    raw = ATIS_FILES.find(data_dir)
    builder = prepare(Atis, raw, cache_dir)
    records = read(builder, "train")

TensorFlow Datasets is imported when records are prepared, not before.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .corpus import DataError
from .download import Download, fetch

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

DATA_DIR_VARIABLE = "SEQLOOM_DATA_DIR"

# Random access files are read without running a TensorFlow operation, so that a corpus can be loaded
# before a strategy or logical devices are set up; with tfrecord it could not.
_FILE_FORMAT = "array_record"


@dataclass(frozen=True)
class RawFiles:
    """How the folder of a corpus looks, and where one gets it.

    Args:
        name: the name of the corpus, and of its folder inside a folder of corpora.
        patterns: glob patterns of the files that make up the corpus, relative to its folder; each must
            match at least one file.
        layout: how the folder must look, in words that complete "the folder must hold ...".
        where: where one gets it, in words that complete "get it from ...".
        alternatives: other patterns of which all match something where the corpus comes in another form.
    """

    name: str
    patterns: tuple[str, ...]
    layout: str
    where: str
    alternatives: tuple[tuple[str, ...], ...] = ()

    def find(self, data_dir: str | Path | None) -> RawFolder:
        """The folder of the corpus.

        Args:
            data_dir: the folder of the corpus, or one that holds it under its name. `None` reads the
                environment variable `SEQLOOM_DATA_DIR`.

        Raises:
            DataError: if no folder is given or files are missing; says how to get them.
        """
        given = data_dir or os.environ.get(DATA_DIR_VARIABLE)
        if not given:
            raise DataError(f"the files of {self.name} are needed, and no folder was given: {self._help()}")
        folder = Path(given).expanduser()
        if not folder.is_dir():
            raise DataError(f"{folder} is {'not a folder' if folder.exists() else 'missing'}: {self._help()}")
        if (folder / self.name).is_dir():
            folder = folder / self.name
        incomplete = []
        for patterns in (self.patterns, *self.alternatives):
            matches = self._matches(folder, patterns)
            if all(matches.values()):
                files = {path for paths in matches.values() for path in paths}
                return RawFolder(folder, tuple(sorted(files, key=lambda path: path.relative_to(folder).as_posix())))
            incomplete.append(matches)
        nearest = max(incomplete, key=lambda matches: sum(map(bool, matches.values())))
        missing = next(pattern for pattern, paths in nearest.items() if not paths)
        raise DataError(f"{folder / missing} is missing: {self._help()}")

    def find_or_download(
        self, data_dir: str | Path | None, cache_dir: str | Path, download: Callable[[], Download]
    ) -> RawFolder:
        """The folder of the corpus, downloaded into the cache if no folder is given and none is known.

        Args:
            data_dir: as for `find`.
            cache_dir: the folder for everything that can be fetched or computed again.
            download: says what to download; it must match one of the patterns.

        Raises:
            DataError: if files are missing from the folder that is given, or nothing can be downloaded; says how to
                get them.
        """
        if data_dir or self._is_in_environment():
            return self.find(data_dir)
        folder = Path(cache_dir).expanduser() / "downloads" / self.name
        try:
            fetch(download(), folder)
        except DataError as error:
            raise DataError(
                f"the files of {self.name} are needed, no known folder holds them, and {error}: {self._help()}"
            ) from error
        return self.find(folder)

    def _is_in_environment(self) -> bool:
        """Whether the environment names a folder of this corpus, or one that is no folder of corpora at all."""
        named = os.environ.get(DATA_DIR_VARIABLE)
        if not named:
            return False
        folder = Path(named).expanduser()
        if not folder.is_dir() or (folder / self.name).is_dir():
            return True
        return any(any(self._matches(folder, patterns).values()) for patterns in (self.patterns, *self.alternatives))

    def _matches(self, folder: Path, patterns: tuple[str, ...]) -> dict[str, list[Path]]:
        return {pattern: [path for path in folder.glob(pattern) if path.is_file()] for pattern in patterns}

    def _help(self) -> str:
        return (
            f"--data_dir or {DATA_DIR_VARIABLE} must name the folder {self.name!r} or the folder that holds it, "
            f"the folder must hold {self.layout}, get it from {self.where}"
        )


@dataclass(frozen=True)
class RawFolder:
    """The files of a corpus as they were found, in the order of their relative names."""

    folder: Path
    files: tuple[Path, ...]

    def digest(self) -> str:
        """16 hexadecimal digits of SHA-256 over the names, sizes and contents of the files.

        Raises:
            DataError: if a file cannot be read.
        """
        total = hashlib.sha256()
        for path in self.files:
            try:
                with path.open("rb") as file:
                    content = hashlib.file_digest(file, "sha256").hexdigest()
                    size = file.tell()
            except OSError as error:
                raise DataError(f"{path} cannot be read: {error.strerror or error}") from error
            total.update(f"{path.relative_to(self.folder).as_posix()}\0{size}\0{content}\n".encode())
        return total.hexdigest()[:16]


def prepare(
    builder_class: type[tfds.core.GeneratorBasedBuilder], raw: RawFolder, cache_dir: str | Path
) -> tfds.core.GeneratorBasedBuilder:
    """The builder with its records prepared, from the cache or anew.

    Records lie in `cache_dir/prepared/NAME-DIGEST/NAME/VERSION`. They are written to a temporary folder
    beside it, which is renamed when it is whole: a process that is killed leaves nothing that counts as
    prepared, and of two processes that prepare at once the later one takes the records of the first.

    Args:
        builder_class: reads the raw folder from `dl_manager.manual_dir`.
        raw: the raw files.
        cache_dir: the folder for everything that can be computed again.

    Raises:
        DataError: if the raw files are not as expected, or the cache cannot be written.
    """
    home = Path(cache_dir).expanduser() / "prepared" / f"{builder_class.name}-{raw.digest()}"
    with _quiet():
        builder = builder_class(data_dir=home, file_format=_FILE_FORMAT)
        if not builder.is_prepared():
            _write_records(builder_class, raw, home, Path(builder.data_dir))
            builder = builder_class(data_dir=home, file_format=_FILE_FORMAT)
    return builder


def read(builder: tfds.core.GeneratorBasedBuilder, split: str) -> list[dict[str, Any]]:
    """All records of a prepared split, in the order in which they were written.

    Raises:
        DataError: if the records in the cache are damaged.
    """
    expected = builder.info.splits[split].num_examples
    with _quiet():
        try:
            source = builder.as_data_source(split)
            records = list(source.__getitems__(range(len(source))))  # all at once: one by one is slow
        except Exception as error:  # the reader raises whatever its C++ side reports
            raise _damaged(builder) from error
    if len(records) != expected:
        raise _damaged(builder)
    return records


def _write_records(builder_class: Any, raw: RawFolder, home: Path, destination: Path) -> None:
    import tensorflow_datasets as tfds

    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".preparing-", dir=home, ignore_cleanup_errors=True) as temporary:
            builder = builder_class(data_dir=temporary, file_format=_FILE_FORMAT)
            builder.download_and_prepare(download_config=tfds.download.DownloadConfig(manual_dir=raw.folder))
            _rename(Path(builder.data_dir), destination)
    except OSError as error:
        raise DataError(f"the cache folder {home} cannot be written: {error.strerror or error}") from error


def _rename(source: Path, destination: Path) -> None:
    """Makes the folder `source` appear as `destination`, unless another process was first."""
    try:
        source.rename(destination)
    except OSError:
        if not destination.is_dir():
            raise
        shutil.rmtree(source, ignore_errors=True)


def _damaged(builder: tfds.core.GeneratorBasedBuilder) -> DataError:
    return DataError(f"the prepared records in {builder.data_dir} are damaged: remove that folder and run again")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silences the progress bars, prints and informational log lines of TensorFlow Datasets."""
    import tensorflow_datasets as tfds
    from absl import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    tfds.display_progress_bar(False)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        tfds.display_progress_bar(True)
        logging.set_verbosity(verbosity)
