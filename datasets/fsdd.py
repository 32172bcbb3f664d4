"""FSDD, the Free Spoken Digit Dataset: recordings of single digits.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from .audio import Waveform
from .audio_file import read_audio
from .corpus import Corpus, DataError
from .prepared import RawFiles, RawFolder, prepare, read
from .utterance import Utterance

COUNTS = {"train": 2700, "test": 300}
RATE = 8000
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_TEST = range(5)  # the recordings of each digit and speaker that are the test
_FULL_SCALE = 1 << 15

_NAME = re.compile(r"([0-9])_([^_]+)_([0-9]+)\.wav")

_RAW_FILES = RawFiles(
    name="fsdd",
    patterns=("recordings/*.wav",),
    layout="the folder recordings with 3000 WAV files of six speakers",
    where="https://github.com/Jakobovski/free-spoken-digit-dataset (its releases up to 1.0.9 have five speakers)",
)

_DESCRIPTION = """\
Free Spoken Digit Dataset: six speakers say each English digit fifty times, at 8 kHz; the first five recordings of each
digit and speaker are the test."""

_LICENCE = "CC BY-SA 4.0"

_CITATION = """\
@misc{jackson2016fsdd,
  title = {Free Spoken Digit Dataset},
  author = {Jackson, Zohar},
  year = {2016},
  url = {https://github.com/Jakobovski/free-spoken-digit-dataset},
}"""


class Fsdd(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of FSDD from the recordings `{digit}_{speaker}_{index}.wav` of its folder.

    The raw folder is the `manual_dir` of the download configuration. Records are sorted by index, speaker and digit,
    so that any first part holds all digits. The builder is not registered with `tfds.builder`, which has another
    `spoken_digit`: of five speakers, and without the split.

    References:
        - Jackson, 2016, [Free Spoken Digit Dataset](https://github.com/Jakobovski/free-spoken-digit-dataset)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Samples, digits and speakers."}  # noqa: RUF012 (the name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "name": tfds.features.Text(),
                    "digit": tfds.features.Scalar(np.int32),
                    "speaker": tfds.features.Text(),
                    "samples": tfds.features.Tensor(shape=(None,), dtype=np.int16),
                }
            ),
            homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        raw = _RAW_FILES.find(dl_manager.manual_dir)
        splits = _sorted(raw)
        for split, count in COUNTS.items():
            if len(splits[split]) != count:
                raise DataError(
                    f"{raw.folder} does not hold the recordings of FSDD: counted {len(splits[split])} of {split}, "
                    f"expected {count}"
                )
        return {split: self._generate_examples(recordings) for split, recordings in splits.items()}

    def _generate_examples(self, recordings: list[tuple[int, str, int, Path]]) -> Iterator[tuple[int, dict[str, Any]]]:
        for number, (_, speaker, digit, path) in enumerate(recordings):
            yield number, {"name": path.stem, "digit": digit, "speaker": speaker, "samples": _samples(path)}


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[Utterance]:
    """Reads FSDD, from the prepared records where the raw files were seen before. The corpus has no `valid`.

    Args:
        data_dir: the folder `fsdd`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or damaged, or not the recordings that FSDD consists of.
    """
    raw = _RAW_FILES.find(data_dir)
    builder = prepare(Fsdd, raw, cache_dir)
    train, test = ([_utterance(record) for record in read(builder, split)] for split in COUNTS)
    return Corpus(
        name="fsdd",
        train=train,
        valid=None,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
    )


def _sorted(raw: RawFolder) -> dict[str, list[tuple[int, str, int, Path]]]:
    """The index, the speaker, the digit and the path of each recording, by split."""
    splits: dict[str, list[tuple[int, str, int, Path]]] = {split: [] for split in COUNTS}
    for path in raw.files:
        parts = _NAME.fullmatch(path.name)
        if parts is None:
            raise DataError(f"{path} is not named DIGIT_SPEAKER_INDEX.wav")
        index = int(parts[3])
        splits["test" if index in _TEST else "train"].append((index, parts[2], int(parts[1]), path))
    return {split: sorted(recordings) for split, recordings in splits.items()}


def _samples(path: Path) -> np.ndarray:
    sound = read_audio(path)
    if sound.rate != RATE:
        raise DataError(f"{path} has {sound.rate} samples per second, expected {RATE}")
    return np.clip(np.rint(sound.samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def _utterance(record: dict[str, Any]) -> Utterance:
    return Utterance(
        name=record["name"].decode(),
        transcript=WORDS[int(record["digit"])],
        sound=Waveform(np.asarray(record["samples"], np.float32) / np.float32(_FULL_SCALE), RATE),
        speaker=record["speaker"].decode(),
    )
