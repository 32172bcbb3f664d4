"""Words of the TIMIT sample that NLTK distributes: sentences of sixteen speakers with the times of words and phones.

Importing this module imports TensorFlow Datasets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow_datasets as tfds

from .audio import Waveform
from .audio_file import read_audio
from .corpus import Corpus, DataError, read_lines
from .prepared import RawFiles, RawFolder, prepare, read
from .spoken_term import Occurrence, Recording, SpokenTerm
from .timit_phones import PHONES, phonemes_of

COUNTS = {"sentences": 160, "speakers": 16, "words": 1394}
RATE = 16_000
SHORTEST = 0.2  # seconds

# Each of the eight dialect regions has one woman and one man: of every second region, the woman and the man in turn.
TEST_SPEAKERS = ("dr1-f", "dr3-m", "dr5-f", "dr7-m")

_FULL_SCALE = 1 << 15
_SPEAKER = re.compile(r"dr[1-8]-[fm][a-z]{3}[0-9]")
_TIME = re.compile(r"[0-9]+")

_RAW_FILES = RawFiles(
    name="timit_sample",
    patterns=tuple(f"dr*/*.{kind}" for kind in ("wav", "wrd", "phn")),
    layout="a folder for each of sixteen speakers, such as dr1-fvmh0, with ten sentences as .wav, .wrd and .phn",
    where="https://www.nltk.org/nltk_data/ (the TIMIT Corpus Sample)",
)

_DESCRIPTION = """\
Words of at least 0.2 s from the TIMIT corpus sample: sixteen speakers of eight dialects of American English read ten
sentences each. The words of two women and two men of four dialects are the queries, those of the twelve others the
archive."""

_LICENCE = "Copyright 1993 Linguistic Data Consortium; Creative Commons Attribution, Non-Commercial, ShareAlike"

_CITATION = """\
@misc{garofolo1993timit,
  title = {{TIMIT} Acoustic-Phonetic Continuous Speech Corpus},
  author = {Garofolo, John S. and Lamel, Lori F. and Fisher, William M. and Fiscus, Jonathan G. and Pallett, David S.
            and Dahlgren, Nancy L. and Zue, Victor},
  publisher = {Linguistic Data Consortium},
  year = {1993},
  note = {LDC93S1},
}"""


class Stretch(NamedTuple):
    """A word or a phone: the first sample, the one after the last, and what is heard there."""

    start: int
    end: int
    text: str


class _Sentence(NamedTuple):
    path: Path
    words: list[Stretch]
    phones: list[Stretch]

    @property
    def speaker(self) -> str:
        return self.path.parent.name


class TimitWords(tfds.core.GeneratorBasedBuilder, skip_registration=True):  # type: ignore[call-arg]
    """Builder of the TIMIT sample from the sound, the words and the phones of each sentence.

    The raw folder is the `manual_dir` of the download configuration. A record is a sentence; bounds count samples, and
    ends are exclusive. Records are sorted by sentence and then by speaker, so that any first part holds the same
    sentence of many speakers. The builder is not registered with `tfds.builder`: a registered name must be
    unique in a process.

    References:
        - Garofolo et al., 1993, [TIMIT Acoustic-Phonetic Continuous Speech
          Corpus](https://catalog.ldc.upenn.edu/LDC93S1), Linguistic Data Consortium
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Samples, words and phones."}  # noqa: RUF012 (the name and form are TFDS')
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"The folder must hold {_RAW_FILES.layout}; get it from {_RAW_FILES.where}."

    def _info(self) -> tfds.core.DatasetInfo:
        stretches = {"start": np.int32, "end": np.int32, "text": tfds.features.Text()}
        return tfds.core.DatasetInfo(
            builder=self,
            description=_DESCRIPTION,
            features=tfds.features.FeaturesDict(
                {
                    "name": tfds.features.Text(),
                    "speaker": tfds.features.Text(),
                    "rate": tfds.features.Scalar(np.int32),
                    "samples": tfds.features.Tensor(shape=(None,), dtype=np.int16),
                    "words": tfds.features.Sequence(stretches),
                    "phones": tfds.features.Sequence(stretches),
                }
            ),
            homepage="https://catalog.ldc.upenn.edu/LDC93S1",
            citation=_CITATION,
            license=_LICENCE,
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager) -> dict[str, Any]:
        sentences = _sentences(_RAW_FILES.find(dl_manager.manual_dir))
        return {split: self._generate_examples(sentences, split) for split in ("train", "test")}

    def _generate_examples(self, sentences: list[_Sentence], split: str) -> Iterator[tuple[int, dict[str, Any]]]:
        chosen = [each for each in sentences if each.speaker.startswith(TEST_SPEAKERS) == (split == "test")]
        for number, (path, words, phones) in enumerate(chosen):
            samples = _samples(path)
            end = max(word.end for word in words)
            if end > len(samples):
                raise DataError(f"{path} has {len(samples)} samples, expected {end} as in its .wrd")
            yield (
                number,
                {
                    "name": f"{path.parent.name}/{path.stem}",
                    "speaker": path.parent.name,
                    "rate": RATE,
                    "samples": samples,
                    "words": [word._asdict() for word in words],
                    "phones": [phone._asdict() for phone in phones],
                },
            )


def load(data_dir: str | Path | None, cache_dir: str | Path) -> Corpus[SpokenTerm]:
    """Reads the words of the TIMIT sample, from the prepared records where the raw files were seen before.

    Archive and queries come from different speakers; terms are grouped by speaker, so that a validation set has others,
    too. The whole sentences are the recordings of the terms.

    Args:
        data_dir: the folder `timit_sample`, or the folder that holds it. `None` reads the environment variable
            `SEQLOOM_DATA_DIR`.
        cache_dir: where prepared records are kept.

    Raises:
        DataError: if the raw files are missing or malformed, or not those of the TIMIT sample.
    """
    raw = _RAW_FILES.find(data_dir)
    builder = prepare(TimitWords, raw, cache_dir)
    train, test = ([term for record in read(builder, split) for term in _terms(record)] for split in ("train", "test"))
    known = {term.label for term in train}
    return Corpus(
        name="timit_words",
        train=train,
        valid=None,
        test=test,
        description=_DESCRIPTION.replace("\n", " "),
        licence=_LICENCE,
        citation=_CITATION,
        source=str(raw.folder),
        notes={
            "words of less than 0.2 s left out": COUNTS["words"] - len(train) - len(test),
            "test words that train lacks": sum(term.label not in known for term in test),
        },
    )


def read_stretches(path: str | Path) -> list[Stretch]:
    """Reads the words or the phones of a sentence: one `START END TEXT` a line.

    Args:
        path: a `.wrd` or `.phn` file.

    Raises:
        DataError: if the file is missing or empty, or a line is no such stretch; names the file and the line.
    """
    stretches = []
    for number, line in read_lines(path):
        parts = line.split()
        if len(parts) != 3 or not all(_TIME.fullmatch(part) for part in parts[:2]):
            raise DataError(f"{path}, line {number}: expected a first sample, an end and a text, got {line!r}")
        stretch = Stretch(int(parts[0]), int(parts[1]), parts[2])
        if stretch.end <= stretch.start:
            raise DataError(f"{path}, line {number}: the end must be after the first sample, got {line!r}")
        stretches.append(stretch)
    if not stretches:
        raise DataError(f"{path} is empty, expected one first sample, end and text a line")
    return stretches


def _sentences(raw: RawFolder) -> list[_Sentence]:
    """All sentences, if they are as many as they should be."""
    sentences = []
    for path in sorted(raw.files, key=lambda path: (path.stem, path.parent.name)):
        if path.suffix == ".wav":
            if not _SPEAKER.fullmatch(path.parent.name):
                raise DataError(f"{path.parent} is not named as the folder of a speaker, such as dr1-fvmh0")
            phones = read_stretches(path.with_suffix(".phn"))
            unknown = next((phone.text for phone in phones if phone.text not in PHONES), None)
            if unknown is not None:
                raise DataError(f"{path.with_suffix('.phn')}: {unknown!r} is none of TIMIT's phones")
            sentences.append(_Sentence(path, read_stretches(path.with_suffix(".wrd")), phones))
    counts = {
        "sentences": len(sentences),
        "speakers": len({each.speaker for each in sentences}),
        "words": sum(len(each.words) for each in sentences),
    }
    for name, count in counts.items():
        if count != COUNTS[name]:
            raise DataError(f"{raw.folder} is not the TIMIT sample: counted {count} {name}, expected {COUNTS[name]}")
    return sentences


def _samples(path: Path) -> np.ndarray:
    sound = read_audio(path)
    if sound.rate != RATE:
        raise DataError(f"{path} has {sound.rate} samples per second, expected {RATE}")
    return np.clip(np.rint(sound.samples * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def _terms(record: dict[str, Any]) -> Iterator[SpokenTerm]:
    """The words of a sentence that are long enough, in its order."""
    rate, name, speaker = int(record["rate"]), record["name"].decode(), record["speaker"].decode()
    samples = np.asarray(record["samples"], np.float32) / np.float32(_FULL_SCALE)
    words, phones = _stretches(record["words"]), _stretches(record["phones"])
    said = tuple(Occurrence(word.text, word.start / rate, word.end / rate) for word in words)
    recording = Recording(name, Waveform(samples, rate), speaker, said)
    for number, word in enumerate(words):
        if word.end - word.start < SHORTEST * rate:
            continue
        inside = [phone.text for phone in phones if word.start <= (phone.start + phone.end) / 2 < word.end]
        yield SpokenTerm(
            name=f"{name}/{number:02d}",
            sound=Waveform(samples[word.start : word.end], rate),
            label=word.text,
            speaker=speaker,
            phonemes=phonemes_of(inside),
            recording=recording,
            start=word.start / rate,
            end=word.end / rate,
            by_speaker=True,
        )


def _stretches(columns: dict[str, np.ndarray]) -> list[Stretch]:
    starts, ends, texts = (columns[name] for name in Stretch._fields)
    return [Stretch(int(start), int(end), text.decode()) for start, end, text in zip(starts, ends, texts, strict=True)]
