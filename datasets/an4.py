"""AN4, the corpus of spelt words, numbers and dates that many speakers dictate, as cepstra.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_datasets as tfds

from .audio import FrameMatrix
from .corpus import Corpus, DataError, read_lines
from .feature_file import COEFFICIENTS, SUFFIX, read_feature_file
from .prepared import RawFiles, prepare, read
from .utterance import Utterance

COUNTS = {"train": 948, "test": 130}

_LINE = re.compile(r"\s*(\S.*?)\s*\(([^()\s]+)\)\s*")  # SOME WORDS (utterance)

_RAW_FILES = RawFiles(
    name="an4_mfcc",
    patterns=(
        *(f"etc/an4_{split}.{kind}" for split in COUNTS for kind in ("fileids", "transcription")),
        "feat/an4_clstk/*/*.mfc",
        "feat/an4test_clstk/*/*.mfc",
    ),
    layout=(
        "etc/an4_{train,test}.{fileids,transcription} and the cepstra that they name, feat/an4_clstk/*/*.mfc and "
        "feat/an4test_clstk/*/*.mfc"
    ),
    where="http://www.speech.cs.cmu.edu/databases/an4/ (the form with mel cepstra)",
)

_DESCRIPTION = """\
The Census database, AN4: names and addresses that speakers spell, numbers, dates and control words, as 13 cepstra a
frame; the 948 utterances of 74 speakers and 130 of ten others that its authors chose."""

_LICENCE = "Carnegie Mellon University, in the style of BSD: free for any purpose"

_CITATION = """\
@book{acero1993acoustical,
  title = {Acoustical and Environmental Robustness in Automatic Speech Recognition},
  author = {Acero, Alejandro},
  publisher = {Kluwer Academic Publishers},
  year = {1993},
}"""


class An4(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of AN4 from cepstra, which lie in a folder for each speaker.

    The raw folder is the `manual_dir` of the download configuration. Records keep the order of the lists
    `etc/an4_{train,test}.fileids`. The builder is not registered with `tfds.builder`: a registered name must be unique
    in a process.

    References:
        - Acero, 1993, *Acoustical and Environmental Robustness in Automatic Speech Recognition*, Kluwer
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Cepstra, transcripts and speakers."}  # noqa: RUF012 (the name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "name": tfds.features.Text(),
                    "transcript": tfds.features.Text(),
                    "speaker": tfds.features.Text(),
                    "frames": tfds.features.Tensor(shape=(None, COEFFICIENTS), dtype=np.float32),
                }
            ),
            homepage="http://www.speech.cs.cmu.edu/databases/an4/",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir)
        return {split: self._generate_examples(folder, split, count) for split, count in COUNTS.items()}

    def _generate_examples(self, folder: Path, split: str, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
        utterances = read_split(folder, split)
        if len(utterances) != count:
            raise DataError(
                f"{folder} is not the usual split of AN4: counted {len(utterances)} utterances in {split}, "
                f"expected {count}"
            )
        for index, utterance in enumerate(utterances):
            assert isinstance(utterance.sound, FrameMatrix)
            yield (
                index,
                {
                    "name": utterance.name,
                    "transcript": utterance.transcript,
                    "speaker": utterance.speaker,
                    "frames": utterance.sound.frames,
                },
            )


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[Utterance]:
    """Reads AN4, from the prepared records where the raw files were seen before.

    The corpus has no `valid`. Train and test share no speaker, so a validation set must not share speakers with what is
    left of train either: utterances are grouped by speaker.

    Args:
        data_dir: the folder `an4_mfcc`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or malformed, or not the usual split of AN4.
    """
    raw = _RAW_FILES.find(data_dir)
    builder = prepare(An4, raw, cache_dir)
    train, test = ([_utterance(record) for record in read(builder, split)] for split in COUNTS)
    return Corpus(
        name="an4",
        train=train,
        valid=None,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
    )


def read_split(folder: str | Path, split: str) -> list[Utterance]:
    """Reads the utterances of a split, in the order of `etc/an4_SPLIT.fileids`.

    Args:
        folder: holds the folders `etc` and `feat`.
        split: `train` or `test`.

    Raises:
        DataError: if a file is missing or malformed, or the transcripts are not those of the listed utterances.
    """
    lists, transcripts = (Path(folder, "etc", f"an4_{split}.{kind}") for kind in ("fileids", "transcription"))
    names = [(number, line.strip()) for number, line in read_lines(lists) if line.strip()]
    lines = [(number, line) for number, line in read_lines(transcripts) if line.strip()]
    if len(names) != len(lines):
        raise DataError(f"{transcripts} has {len(lines)} lines, expected {len(names)} as in {lists.name}")
    utterances = []
    for (number, name), (line_number, line) in zip(names, lines, strict=True):
        parts = name.split("/")
        if len(parts) < 2:
            raise DataError(
                f"{lists}, line {number}: {name!r} names no speaker, expected a path like part/speaker/name"
            )
        match = _LINE.fullmatch(line)
        if match is None or match[2] != parts[-1]:
            raise DataError(f"{transcripts}, line {line_number}: expected words and ({parts[-1]}), got {line!r}")
        sound = read_feature_file(Path(folder, "feat", name + SUFFIX))
        utterances.append(Utterance(name, match[1], sound, speaker=parts[-2], by_speaker=True))
    return utterances


def _utterance(record: dict[str, Any]) -> Utterance:
    return Utterance(
        name=record["name"].decode(),
        transcript=record["transcript"].decode(),
        sound=FrameMatrix(np.asarray(record["frames"], np.float32)),
        speaker=record["speaker"].decode(),
        by_speaker=True,
    )
