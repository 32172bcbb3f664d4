from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from seqloom.datasets import imdb
from seqloom.datasets.corpus import DataError
from seqloom.datasets.download import Download
from seqloom.datasets.labelled_text import LabelledText
from seqloom.pipelines.corpora import cut
from seqloom.pipelines.sentiment.config import Config

TRAIN = [
    LabelledText("Dull.", "negative", 4),
    LabelledText("Fine.", "positive", 7),
    LabelledText("Bad.<br /><br />Very\u0085bad.\n", "negative", 1),
    LabelledText("Très bon !", "positive", 10),
    LabelledText("So bad.", "negative", 2),
    LabelledText("Fine.", "positive", 8),
]
TEST = [
    LabelledText("So bad.", "negative", 1),
    *(TRAIN[place] for place in (3, 2, 5, 4)),
    LabelledText("Good.", "positive", 9),
]
NUMBERS = (0, 9, 10)


def names_and_texts() -> dict[str, bytes]:
    """The files of a corpus of three reviews of each label in each half, in no order."""
    files = {"aclImdb/README": b"About.", "aclImdb/train/unsup/0_0.txt": b"?", "aclImdb/train/labeledBow.feat": b"0"}
    for half, reviews in (("train", TRAIN), ("test", TEST)):
        for index, review in reversed(list(enumerate(reviews))):
            name = f"aclImdb/{half}/{review.label[:3]}/{NUMBERS[index // 2]}_{review.rating}.txt"
            files[name] = review.text.encode()
    return files


def write_archive(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture
def archive(tmp_path, monkeypatch) -> Path:
    """An archive in the layout of IMDB, with fewer reviews than IMDB has."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(imdb, "COUNT", 3)
    return write_archive(tmp_path / "corpora" / "imdb" / "aclImdb.tar.gz", names_and_texts())


@pytest.fixture
def extracted(archive) -> Path:
    """The folder `imdb` with what the archive holds."""
    with tarfile.open(archive) as members:
        members.extractall(archive.parent, filter="data")
    archive.unlink()
    return archive.parent


def prepared_files(cache: Path) -> list[Path]:
    return [path for path in (cache / "prepared").rglob("*") if path.is_file()]


def test_records_are_the_reviews_sorted_by_number_and_label(archive, tmp_path, capfd):
    corpus = imdb.load(archive.parent, tmp_path / "cache")
    assert (without_sources(corpus.train), corpus.valid, corpus.test) == (TRAIN, None, TEST)
    assert corpus.source == str(archive.parent)
    assert not corpus.synthetic
    assert "Maas" in corpus.citation
    assert corpus.notes == {
        "texts that stand in both train and test": 4,
        "train reviews that repeat another one's text": 1,
    }
    assert capfd.readouterr() == ("", "")


def without_sources(reviews: list[LabelledText]) -> list[LabelledText]:
    return [replace(review, source=None) for review in reviews]


def test_reviews_that_follow_each_other_and_equal_texts_belong_together(archive, tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "STRETCH", 1)
    groups = [review.group for review in imdb.load(archive.parent, tmp_path).train]
    assert groups == ["negative 0", "positive 0", "negative 1", "positive 1", "negative 2", "positive 0"]


def test_the_archive_and_the_folder_are_found_wherever_they_are(archive, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    first = imdb.load(archive.parent.parent, cache)
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(archive.parent.parent))
    assert imdb.load(None, cache) == first
    archive.rename(archive.with_name("aclImdb_v1.tar.gz"))
    assert imdb.load(None, cache) == first


def test_the_extracted_folder_holds_the_same(extracted, tmp_path):
    for folder in (extracted, extracted.parent, extracted / "aclImdb"):
        corpus = imdb.load(folder, tmp_path / "cache")
        assert (without_sources(corpus.train), corpus.test) == (TRAIN, TEST)
    shutil.rmtree(extracted / "aclImdb" / "test" / "neg")
    with pytest.raises(
        DataError, match=r"imdb/aclImdb/test/neg/\*\.txt is missing: --data_dir or .* get it from https"
    ):
        imdb.load(extracted, tmp_path / "cache")


def test_the_second_time_reads_the_cache(archive, tmp_path, monkeypatch):
    first = imdb.load(archive.parent, tmp_path)
    monkeypatch.setattr(imdb, "read_reviews", None)
    assert imdb.load(archive.parent, tmp_path) == first


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_an_archive_that_is_cut_off_is_named_and_nothing_is_left(archive, tmp_path, share):
    os.truncate(archive, int(archive.stat().st_size * share))
    with pytest.raises(DataError, match=rf"{archive} is damaged or cut off \(.+\): remove it and get it again"):
        imdb.load(archive.parent, tmp_path / "cache")
    assert prepared_files(tmp_path / "cache") == []


@pytest.mark.parametrize("position", [0, 40, 100, 200, -6, -1])
def test_an_archive_with_another_byte_is_named(archive, tmp_path, position):
    content = bytearray(archive.read_bytes())
    content[position] ^= 0xFF
    archive.write_bytes(content)
    with pytest.raises(DataError, match=f"{archive} is damaged or cut off"):
        imdb.load(archive.parent, tmp_path / "cache")
    assert prepared_files(tmp_path / "cache") == []


def test_a_file_that_is_no_archive_is_named(archive, tmp_path):
    archive.write_bytes(b"<html>404</html>")
    with pytest.raises(DataError, match="is damaged or cut off"):
        imdb.load(archive.parent, tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "test/pos/11_9.txt",
            b"One more.",
            "does not hold the usual reviews of IMDB: counted 4 in test/pos, expected 3",
        ),
        ("train/neg/11.txt", b"No rating.", "aclImdb/train/neg/11.txt is not named NUMBER_RATING.txt"),
        ("train/neg/11_0.txt", b"No star.", "aclImdb/train/neg/11_0.txt is not named NUMBER_RATING.txt"),
        ("train/neg/11_4.txt", b"caf\xe9", "byte 0xe9 at byte offset 3 of aclImdb/train/neg/11_4.txt is not UTF-8"),
    ],
)
def test_what_is_not_imdb_is_refused(archive, extracted, tmp_path, name, content, message):
    write_archive(archive, names_and_texts() | {f"aclImdb/{name}": content})
    (extracted / "aclImdb" / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        imdb.load(archive.parent, tmp_path / "cache")
    assert str(caught.value).startswith(str(archive))
    assert message in str(caught.value)
    archive.unlink()
    with pytest.raises(DataError) as caught:
        imdb.load(extracted, tmp_path / "cache")
    assert str(caught.value).startswith(str(extracted))
    assert message in str(caught.value)
    assert prepared_files(tmp_path / "cache") == []


def test_what_is_missing_and_where_to_get_it_is_said(archive, tmp_path):
    get_it = r"must hold aclImdb\.tar\.gz, or the folder aclImdb .*, get it from https://ai\.stanford\.edu"
    archive.unlink()
    with pytest.raises(DataError, match=rf"imdb/aclImdb\.tar\.gz is missing: .*{get_it}"):
        imdb.load(archive.parent.parent, tmp_path)
    with pytest.raises(DataError, match=f"absent is missing: .*{get_it}"):
        imdb.load(tmp_path / "absent", tmp_path)


def upstream(archive: Path) -> Download:
    content = archive.read_bytes()
    return Download(archive.as_uri(), len(content), hashlib.sha256(content).hexdigest())


def test_the_archive_is_downloaded_if_no_folder_is_known(archive, tmp_path, monkeypatch):
    archive = archive.rename(tmp_path / "aclImdb_v1.tar.gz")
    shutil.rmtree(tmp_path / "corpora")
    download = upstream(archive)
    monkeypatch.setattr(imdb, "_upstream", lambda: download)
    corpus = imdb.load(None, tmp_path / "cache")
    assert (without_sources(corpus.train), corpus.test) == (TRAIN, TEST)
    assert corpus.source == str(tmp_path / "cache" / "downloads" / "imdb")
    archive.unlink()
    (tmp_path / "other" / "atis").mkdir(parents=True)
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(tmp_path / "other"))  # other corpora are there, not this one
    assert imdb.load(None, tmp_path / "cache") == corpus
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(tmp_path / "absent"))
    with pytest.raises(DataError, match="absent is missing"):
        imdb.load(None, tmp_path / "cache")


def test_without_a_network_one_sentence_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(imdb, "_upstream", lambda: Download("http://127.0.0.1:1/aclImdb_v1.tar.gz", 1, ""))
    with pytest.raises(DataError) as caught:
        imdb.load(None, tmp_path)
    message = str(caught.value)
    assert message.startswith(
        "the files of imdb are needed, no known folder holds them, and http://127.0.0.1:1/aclImdb_v1.tar.gz cannot be "
        "downloaded: Connection refused: --data_dir or SEQLOOM_DATA_DIR must name the folder 'imdb' or the folder that "
        "holds it, the folder must hold aclImdb.tar.gz, or the folder aclImdb"
    )
    assert message.endswith("get it from https://ai.stanford.edu/~amaas/data/sentiment/")
    assert "\n" not in message


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    folder = os.environ.get("SEQLOOM_DATA_DIR")
    if not folder or not Path(folder, "imdb").is_dir():
        pytest.skip("SEQLOOM_DATA_DIR does not name the folder of the real corpora")
    return imdb.load(None, tmp_path_factory.mktemp("cache"))


@pytest.mark.real_data
def test_the_counts_of_imdb(real):
    assert real.counts() == {"train": 25_000, "test": 25_000}
    assert real.notes["texts that stand in both train and test"] == 123
    for reviews in (real.train, real.test):
        assert Counter(review.label for review in reviews) == {"positive": 12_500, "negative": 12_500}
        assert {review.rating for review in reviews if review.label == "positive"} == {7, 8, 9, 10}
        assert {review.rating for review in reviews if review.label == "negative"} == {1, 2, 3, 4}


@pytest.mark.real_data
def test_validation_is_cut_in_stretches_that_hold_whole_films(real):
    splits = cut(real, Config(dataset="imdb"))
    assert len(splits.train) + len(splits.valid) == 25_000
    assert 2_500 <= len(splits.valid) < 2_500 + imdb.STRETCH + 20
    assert not {review.group for review in splits.train} & {review.group for review in splits.valid}
    assert not {review.text for review in splits.train} & {review.text for review in splits.valid}
    assert {Counter(review.label for review in splits.valid)[label] > 800 for label in ("positive", "negative")} == {
        True
    }


@pytest.mark.real_data
def test_the_texts_of_imdb_are_as_in_their_files(real):
    every = [*real.train, *real.test]
    assert sum("\u0085" in review.text for review in every) == 681
    assert sum("<br />" in review.text for review in every) > 20_000
    with tarfile.open(Path(real.source, "aclImdb.tar.gz")) as archive:
        for member in archive:
            if member.isfile():
                break
        half, name, numbers = member.name.split("/")[1:]
        number, rating = numbers.removesuffix(".txt").split("_")
        file = archive.extractfile(member)
        assert file is not None
        content = file.read().decode()
    review = real.splits()[half][2 * int(number) + (name == "pos")]
    assert (review.text, review.rating) == (content, int(rating))
