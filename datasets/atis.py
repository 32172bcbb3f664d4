"""ATIS, the corpus of air travel requests with slots and intents.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from .corpus import Corpus, DataError
from .prepared import RawFiles, prepare, read
from .slot_files import FILES, SPLITS, read_split
from .tagged_sentence import TaggedSentence

COUNTS = {"train": 4478, "valid": 500, "test": 893}

_RAW_FILES = RawFiles(
    name="atis",
    patterns=tuple(f"{split}/{name}" for split in SPLITS for name in FILES),
    layout="the folders train, valid and test, each with the files seq.in, seq.out and label",
    where="the data/atis folder of https://github.com/MiuLab/SlotGated-SLU",
)

_DESCRIPTION = """\
Requests to an air travel information system, transcribed from speech, with slots in IOB tags and the
intent of each request; the split of 4478, 500 and 893 requests that work on joint slot filling and
intent detection uses."""

_LICENCE = "LDC origin; no licence stated in the public copies; research use"

_CITATION = """\
@inproceedings{hemphill1990atis,
  title = {The {ATIS} Spoken Language Systems Pilot Corpus},
  author = {Hemphill, Charles T. and Godfrey, John J. and Doddington, George R.},
  booktitle = {Speech and Natural Language: Proceedings of a Workshop Held at Hidden Valley, Pennsylvania},
  year = {1990},
  url = {https://aclanthology.org/H90-1021},
}
@inproceedings{goo2018slotgated,
  title = {Slot-Gated Modeling for Joint Slot Filling and Intent Prediction},
  author = {Goo, Chih-Wen and Gao, Guang and Hsu, Yun-Kai and Huo, Chih-Li and Chen, Tsung-Chieh
            and Hsu, Keng-Wei and Chen, Yun-Nung},
  booktitle = {Proceedings of NAACL-HLT},
  year = {2018},
  url = {https://aclanthology.org/N18-2118},
}"""


class Atis(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of ATIS from the three-file layout, `{train,valid,test}/{seq.in,seq.out,label}`.

    The raw folder is the `manual_dir` of the download configuration. Records keep the order of the files.
    The builder is not registered with `tfds.builder`: a registered name must be unique in a process.

    References:
        - Hemphill et al., 1990, [The ATIS Spoken Language Systems Pilot Corpus](https://aclanthology.org/H90-1021)
        - Goo et al., 2018, [Slot-Gated Modeling](https://aclanthology.org/N18-2118)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Tokens, raw IOB tags and intents."}  # noqa: RUF012 (the name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "tokens": tfds.features.Sequence(tfds.features.Text()),
                    "tags": tfds.features.Sequence(tfds.features.Text()),
                    "intent": tfds.features.Text(),
                }
            ),
            homepage="https://aclanthology.org/H90-1021",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir)
        return {split: self._generate_examples(folder / split, COUNTS[split]) for split in SPLITS}

    def _generate_examples(self, folder: Path, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
        sentences = read_split(folder)
        if len(sentences) != count:
            raise DataError(
                f"{folder} is not the usual split of ATIS: counted {len(sentences)} sentences, expected {count}"
            )
        for index, sentence in enumerate(sentences):
            yield index, {"tokens": sentence.tokens, "tags": sentence.tags, "intent": sentence.intent}


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[TaggedSentence]:
    """Reads ATIS, from the prepared records where the raw files were seen before.

    Args:
        data_dir: the folder `atis`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or malformed, or not the usual split of ATIS.
    """
    raw = _RAW_FILES.find(data_dir)
    builder = prepare(Atis, raw, cache_dir)
    train, valid, test = ([_sentence(record) for record in read(builder, split)] for split in SPLITS)
    return Corpus(
        name="atis",
        train=train,
        valid=valid,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
    )


def _sentence(record: dict[str, Any]) -> TaggedSentence:
    return TaggedSentence(
        tokens=tuple(token.decode() for token in record["tokens"]),
        tags=tuple(tag.decode() for tag in record["tags"]),
        intent=record["intent"].decode(),
    )
