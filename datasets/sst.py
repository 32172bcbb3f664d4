"""The Stanford Sentiment Treebank: sentences of film reviews with a sentiment label at every node of their trees.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tensorflow_datasets as tfds

from .brackets import parse, to_brackets
from .corpus import Corpus, DataError
from .labelled_tree import LabelledTree
from .prepared import RawFiles, prepare, read
from .tree_files import read_split

COUNTS = {"train": 8544, "valid": 1101, "test": 2210}
FILES = {"train": "train.txt", "valid": "dev.txt", "test": "test.txt"}
CLASSES = 5

_RAW_FILES = RawFiles(
    name="sst",
    patterns=tuple(FILES.values()),
    layout="the files train.txt, dev.txt and test.txt, one tree in brackets a line",
    where="https://nlp.stanford.edu/sentiment/trainDevTestTrees_PTB.zip",
)

_DESCRIPTION = """\
Sentences of film reviews, parsed into binary trees, with the sentiment of the phrase under every node in
five classes, from 0 (very negative) over 2 (neutral) to 4 (very positive); the split of 8544, 1101 and
2210 trees that its authors give."""

_LICENCE = "none stated"

_CITATION = """\
@inproceedings{socher2013recursive,
  title = {Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank},
  author = {Socher, Richard and Perelygin, Alex and Wu, Jean and Chuang, Jason and Manning, Christopher D.
            and Ng, Andrew and Potts, Christopher},
  booktitle = {Proceedings of the 2013 Conference on Empirical Methods in Natural Language Processing},
  pages = {1631--1642},
  year = {2013},
  url = {https://aclanthology.org/D13-1170},
}"""


class Sst(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of the Stanford Sentiment Treebank from its three files of trees in brackets.

    The raw folder is the `manual_dir` of the download configuration. Records keep the order of the files.
    The builder is not registered with `tfds.builder`: a registered name must be unique in a process.

    References:
        - Socher et al., 2013, [Recursive Deep Models for Semantic Compositionality Over a Sentiment
          Treebank](https://aclanthology.org/D13-1170)
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Trees in brackets."}  # noqa: RUF012 (the name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict({"tree": tfds.features.Text()}),
            homepage="https://nlp.stanford.edu/sentiment",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        folder = Path(dl_manager.manual_dir)
        return {split: self._generate_examples(folder / name, COUNTS[split]) for split, name in FILES.items()}

    def _generate_examples(self, path: Path, count: int) -> Iterator[tuple[int, dict[str, Any]]]:
        trees = read_split(path, classes=CLASSES, binary=True)
        if len(trees) != count:
            raise DataError(
                f"{path} is not the usual split of the Stanford Sentiment Treebank: counted {len(trees)} trees, "
                f"expected {count}"
            )
        for index, tree in enumerate(trees):
            yield index, {"tree": to_brackets(tree)}


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[LabelledTree]:
    """Reads the Stanford Sentiment Treebank, from the prepared records where the raw files were seen before.

    Labels are those of the five classes; `labelled_tree.binary` reduces them to two.

    Args:
        data_dir: the folder `sst`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or malformed, or not the usual split of the treebank.
    """
    raw = _RAW_FILES.find(data_dir)
    builder = prepare(Sst, raw, cache_dir)
    train, valid, test = ([parse(record["tree"].decode()) for record in read(builder, split)] for split in FILES)
    return Corpus(
        name="sst",
        train=train,
        valid=valid,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
    )
