"""Cmn_eng, English sentences with their Mandarin translations from Tatoeba.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from .corpus import Corpus, DataError, read_lines
from .prepared import RawFiles, prepare, read
from .sentence_groups import groups
from .translated_sentence import TranslatedSentence

# Distinct pairs and distinct English sentences in the file of 2021-01-24.
COUNTS = {"train": (26_129, 24_895), "valid": (1_490, 1_394), "test": (1_436, 1_372)}

_PARTS = 20  # of which the first is the test, the second the validation set, and the rest is for training
_FILE = "cmn.txt"

_RAW_FILES = RawFiles(
    name="cmn_eng",
    patterns=(_FILE,),
    layout=f"{_FILE} of 2021-01-24 with English<TAB>Chinese<TAB>attribution in each line",
    where="https://www.manythings.org/anki/ (cmn-eng.zip; what is published there now may be a later one)",
)

_DESCRIPTION = """\
Sentences in English with their translations into Mandarin by volunteers of the Tatoeba project, in simplified and some
traditional characters, as manythings.org published them on 2021-01-24; split so that no English and no Chinese sentence
stands in two splits, whatever its case and punctuation."""

_LICENCE = (
    "CC BY 2.0 FR: Tatoeba (https://tatoeba.org) via https://www.manythings.org/anki/; each pair keeps its attribution"
)

_CITATION = """\
@misc{tatoeba,
  title = {Tatoeba: Collection of sentences and translations},
  author = {{Tatoeba contributors}},
  url = {https://tatoeba.org},
}
@misc{manythings2021cmn,
  title = {Tab-delimited Bilingual Sentence Pairs from the Tatoeba Project},
  author = {{manythings.org}},
  year = {2021},
  url = {https://www.manythings.org/anki/},
}"""


class CmnEng(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of the English and Mandarin sentences from `cmn.txt`.

    The raw folder is the `manual_dir` of the download configuration. A record is one literally distinct English
    sentence with all its translations, each with its attribution, in the order of the file.

    The published file changes over time. The numbers of pairs and sentences that are checked are those of the file of
    2021-01-24, on which all figures of this package were measured. The builder is not registered with `tfds.builder`: a
    registered name must be unique in a process.

    References:
        - [Tatoeba](https://tatoeba.org), a collection of sentences and translations
        - [Tab-delimited Bilingual Sentence Pairs](https://www.manythings.org/anki/), its sentences in pairs
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Sentences, their translations and attributions."}  # noqa: RUF012 (name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "source": tfds.features.Text(),
                    "targets": tfds.features.Sequence(tfds.features.Text()),
                    "attributions": tfds.features.Sequence(tfds.features.Text()),
                    "group": tfds.features.Text(),
                }
            ),
            homepage="https://tatoeba.org",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        path = Path(dl_manager.manual_dir) / _FILE
        splits = read_splits(path)
        for split, expected in COUNTS.items():
            counted = sum(len(sentence.targets) for sentence in splits[split]), len(splits[split])
            if counted != expected:
                raise DataError(
                    f"{path} is not the file of 2021-01-24: counted {counted[0]} pairs with {counted[1]} English "
                    f"sentences in {split}, expected {expected[0]} with {expected[1]}; another file can be used as "
                    "your own data, with its first two columns in train.tsv"
                )
        return {split: self._generate_examples(sentences) for split, sentences in splits.items()}

    def _generate_examples(self, sentences: Sequence[TranslatedSentence]) -> Iterator[tuple[int, dict[str, Any]]]:
        for index, sentence in enumerate(sentences):
            yield (
                index,
                {
                    "source": sentence.source,
                    "targets": sentence.targets,
                    "attributions": sentence.attributions,
                    "group": sentence.group,
                },
            )


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[TranslatedSentence]:
    """Reads the corpus, from the prepared records where the raw file was seen before.

    The file has no split of its own: `read_splits` says which one is used. It is not downloaded, for the published file
    changes over time and no digest of it is published.

    Args:
        data_dir: the folder `cmn_eng`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw file is missing or malformed, or not the one of 2021-01-24.
    """
    raw = _RAW_FILES.find(data_dir)
    builder = prepare(CmnEng, raw, cache_dir)
    train, valid, test = ([_sentence(record) for record in read(builder, split)] for split in COUNTS)
    return Corpus(
        name="cmn_eng",
        train=train,
        valid=valid,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
        notes=_repeated(raw.folder / _FILE, [*train, *valid, *test]),
    )


def read_splits(path: str | Path) -> dict[str, list[TranslatedSentence]]:
    """Reads the file and splits it: `train`, `valid` and `test`, in the order of the file.

    Pairs that belong together (see `sentence_groups`) stay together: the SHA-256 digest of the name of their group,
    modulo 20, is 0 for test and 1 for valid. A pair that stands in the file again is left out.

    Args:
        path: a file with a sentence, its translation and an attribution in each line. Empty lines are passed over.

    Raises:
        DataError: if the file is missing or not UTF-8, or a line has other columns or an empty one.
    """
    path = Path(path)
    rows = [_row(path, number, line) for number, line in read_lines(path) if line.strip()]
    found: dict[str, dict[str, tuple[str, dict[str, str]]]] = {split: {} for split in COUNTS}
    names = groups((source, target) for source, target, _ in rows)
    for (source, target, attribution), group in zip(rows, names, strict=True):
        _, targets = found[_split_of(group)].setdefault(source, (group, {}))
        targets.setdefault(target, attribution)
    return {
        split: [
            TranslatedSentence(source, tuple(targets), tuple(targets.values()), group)
            for source, (group, targets) in sentences.items()
        ]
        for split, sentences in found.items()
    }


def _row(path: Path, number: int, line: str) -> list[str]:
    columns = line.split("\t")
    if len(columns) != 3:
        raise DataError(
            f"{path}, line {number}: the line has {len(columns)} columns, expected English<TAB>Chinese<TAB>attribution"
        )
    for name, column in zip(("English sentence", "Chinese sentence", "attribution"), columns, strict=True):
        if not column.strip():
            raise DataError(f"{path}, line {number}: the {name} is empty, expected English<TAB>Chinese<TAB>attribution")
    return columns


def _split_of(group: str) -> str:
    part = int(hashlib.sha256(group.encode()).hexdigest(), 16) % _PARTS
    return {0: "test", 1: "valid"}.get(part, "train")


def _repeated(path: Path, sentences: Sequence[TranslatedSentence]) -> dict[str, int]:
    lines = sum(bool(line.strip()) for _, line in read_lines(path))
    count = lines - sum(len(sentence.targets) for sentence in sentences)
    return {"pairs that repeat another one, left out": count} if count else {}


def _sentence(record: dict[str, Any]) -> TranslatedSentence:
    return TranslatedSentence(
        source=record["source"].decode(),
        targets=tuple(target.decode() for target in record["targets"]),
        attributions=tuple(attribution.decode() for attribution in record["attributions"]),
        group=record["group"].decode(),
    )
