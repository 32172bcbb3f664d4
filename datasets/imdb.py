"""IMDB, the corpus of film reviews with their polarity.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

import gzip
import re
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from .corpus import Corpus, DataError
from .download import Download, known_to_tfds
from .labelled_text import LabelledText
from .prepared import RawFiles, RawFolder, prepare, read

COUNT = 12_500  # reviews of each label in each half
STRETCH = 50  # reviews of one label that stay in one split; a film has at most 30 in all

HALVES = ("train", "test")

_LABELS = {"neg": "negative", "pos": "positive"}
_FOLDER = re.compile(r"(?:.*/)?(train|test)/(neg|pos)/([^./][^/]*)")
_NAME = re.compile(r"([0-9]+)_([1-9]|10)\.txt")

_UPSTREAM = "aclImdb_v1.tar.gz"
_FILES = tuple(f"{half}/{name}/*.txt" for half in HALVES for name in _LABELS)

_RAW_FILES = RawFiles(
    name="imdb",
    patterns=("aclImdb.tar.gz",),
    alternatives=((_UPSTREAM,), tuple(f"aclImdb/{pattern}" for pattern in _FILES), _FILES),
    layout="aclImdb.tar.gz, or the folder aclImdb that the archive holds, with train and test, each with pos and neg",
    where="https://ai.stanford.edu/~amaas/data/sentiment/",
)

_DESCRIPTION = """\
Large Movie Review Dataset: 50,000 film reviews of at least mild polarity, positive if their author gave 7 or more
of 10 stars, negative if 4 or less; no more than 30 reviews of one film, and no film in both halves."""

_LICENCE = "no licence stated; research use, cite Maas et al., 2011"

_CITATION = """\
@inproceedings{maas2011learning,
  title = {Learning Word Vectors for Sentiment Analysis},
  author = {Maas, Andrew L. and Daly, Raymond E. and Pham, Peter T. and Huang, Dan and Ng, Andrew Y.
            and Potts, Christopher},
  booktitle = {Proceedings of the 49th Annual Meeting of the Association for Computational Linguistics},
  year = {2011},
  url = {https://aclanthology.org/P11-1015},
}"""


class Imdb(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of IMDB from the archive of its authors, or from the folder `aclImdb` that the archive holds.

    The raw folder is the `manual_dir` of the download configuration. Records are sorted by number and label, and
    texts are as in the files: `<br />` stays. The builder is not registered with `tfds.builder`, which has another
    `imdb_reviews`: without ratings, and in the order of the archive.

    References:
        - Maas et al., 2011, [Learning Word Vectors for Sentiment Analysis](https://aclanthology.org/P11-1015)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Texts, labels and ratings."}  # noqa: RUF012 (the name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "text": tfds.features.Text(),
                    "label": tfds.features.Text(),
                    "rating": tfds.features.Scalar(np.int32),
                }
            ),
            homepage="https://ai.stanford.edu/~amaas/data/sentiment/",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        halves = read_reviews(_RAW_FILES.find(dl_manager.manual_dir))
        return {half: self._generate_examples(reviews) for half, reviews in halves.items()}

    def _generate_examples(self, reviews: Sequence[LabelledText]) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, review in enumerate(reviews):
            yield index, {"text": review.text, "label": review.label, "rating": review.rating}


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[LabelledText]:
    """Reads IMDB, from the prepared records where the raw files were seen before.

    The corpus has no `valid`. Train and test share no film, so a validation set must not share films with what is left
    of train either, or it would praise what learns titles and names by heart. The archive does not name the films, but
    the reviews of a film follow each other within a label: stretches of them, and equal texts, have one `source`.

    The archive is downloaded if no folder is given.

    Args:
        data_dir: the folder `imdb`, the folder that holds it, or the folder `aclImdb`. `None` reads the environment
            variable `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records and the downloaded archive are kept.

    Raises:
        DataError: if the raw files are missing or damaged, or not the reviews that IMDB consists of.
    """
    raw = _RAW_FILES.find_or_download(data_dir, cache_dir, _upstream)
    builder = prepare(Imdb, raw, cache_dir)
    train, test = ([_review(record) for record in read(builder, half)] for half in HALVES)
    return Corpus(
        name="imdb",
        train=_in_stretches(train),
        valid=None,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
        notes=_repeated(train, test),
    )


def read_reviews(raw: RawFolder) -> dict[str, list[LabelledText]]:
    """Reads the reviews of both halves, sorted by number and label.

    Args:
        raw: the archive, or the files that it holds.

    Raises:
        DataError: if the archive is damaged, a file is not a review, or a number of reviews is not the usual one.
    """
    found: dict[tuple[str, str], list[tuple[int, LabelledText]]] = {
        (half, name): [] for half in HALVES for name in _LABELS
    }
    source = raw.files[0] if len(raw.files) == 1 else raw.folder
    for path, content in _archived(source) if source.is_file() else _extracted(raw):
        place = _FOLDER.fullmatch(path)
        if place is None:  # of the files that have no label, or hidden
            continue
        half, name, file_name = place.groups()
        numbers = _NAME.fullmatch(file_name)
        if numbers is None:
            raise DataError(f"{source}: {path} is not named NUMBER_RATING.txt with a rating from 1 to 10")
        review = LabelledText(_decode(content, source, path), _LABELS[name], rating=int(numbers[2]))
        found[half, name].append((int(numbers[1]), review))
    for (half, name), reviews in found.items():
        if len(reviews) != COUNT:
            raise DataError(
                f"{source} does not hold the usual reviews of IMDB: counted {len(reviews)} in {half}/{name}, "
                f"expected {COUNT}"
            )
    return {half: _by_number([found[half, name] for name in _LABELS]) for half in HALVES}


def _by_number(parts: Sequence[list[tuple[int, LabelledText]]]) -> list[LabelledText]:
    """The reviews of several labels in the order of their numbers, so that any first part holds all labels."""
    numbered = [(number, place, review) for place, part in enumerate(parts) for number, review in part]
    return [review for *_, review in sorted(numbered, key=lambda each: each[:2])]


def _archived(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The name and the content of each file, in one pass to the last byte, so that its checksum is seen."""
    try:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as members:
                for member in members:
                    if member.isfile() and (file := members.extractfile(member)) is not None:
                        yield member.name, file.read()
            while stream.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error) as error:
        raise DataError(f"{archive} is damaged or cut off ({error}): remove it and get it again") from error
    except OSError as error:
        raise DataError(f"{archive} cannot be read: {error.strerror or error}") from error


def _extracted(raw: RawFolder) -> Iterator[tuple[str, bytes]]:
    for path in raw.files:
        try:
            yield path.relative_to(raw.folder).as_posix(), path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror or error}") from error


def _decode(content: bytes, source: Path, path: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}: byte 0x{content[error.start]:02x} at byte offset {error.start} of {path} is not UTF-8"
        ) from None


def _upstream() -> Download:
    return known_to_tfds("imdb_reviews", _UPSTREAM)


def _review(record: dict[str, Any]) -> LabelledText:
    return LabelledText(record["text"].decode(), record["label"].decode(), int(record["rating"]))


def _in_stretches(reviews: Sequence[LabelledText]) -> list[LabelledText]:
    """Gives reviews of one label whose numbers follow each other one source; a repeated text has that of the first."""
    of_text: dict[str, str] = {}
    stretches = (f"{review.label} {index // len(_LABELS) // STRETCH}" for index, review in enumerate(reviews))
    return [
        replace(review, source=of_text.setdefault(review.text, stretch))
        for review, stretch in zip(reviews, stretches, strict=True)
    ]


def _repeated(train: Sequence[LabelledText], test: Sequence[LabelledText]) -> dict[str, int]:
    texts = Counter(review.text for review in train)
    return {
        "texts that stand in both train and test": len(texts.keys() & {review.text for review in test}),
        "train reviews that repeat another one's text": len(train) - len(texts),
    }
