from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from seqloom.datasets import cmn_eng
from seqloom.datasets.corpus import DataError
from seqloom.datasets.translated_sentence import TranslatedSentence

NOTE = "CC-BY 2.0 (France) Attribution: tatoeba.org #{} (CM) & #{} (Martha)"

LINES = [
    ("Hi.", "嗨。", NOTE.format(1, 2)),
    ("Hey!", "你好。", NOTE.format(3, 4)),
    ("Hi.", "你好！", NOTE.format(1, 4)),
    ("Hi.", "嗨。", NOTE.format(1, 9)),
    ("hi", "您好。", NOTE.format(5, 6)),
]


def split_of(group: str) -> str:
    rest = int(hashlib.sha256(group.encode("utf-8")).hexdigest(), 16) % 20
    return "test" if rest == 0 else "valid" if rest == 1 else "train"


def word_of(split: str) -> str:
    return next(f"Word {number}." for number in range(1000) if split_of(f"word{number}") == split)


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A folder in the layout of the corpus, with fewer sentences."""
    monkeypatch.delenv("SEQLOOM_DATA_DIR", raising=False)
    monkeypatch.setattr(cmn_eng, "COUNTS", {"train": (4, 3), "valid": (1, 1), "test": (1, 1)})
    folder = tmp_path / "corpora" / "cmn_eng"
    folder.mkdir(parents=True)
    others = [(word_of(split), f"{split}。", NOTE.format(7, 8)) for split in ("valid", "test")]
    text = "\n".join("\t".join(line) for line in [*LINES, *others])
    (folder / "cmn.txt").write_text(f"{text}\n\n", encoding="utf-8")
    (folder / "_about.txt").write_text("What else the archive holds.")
    return folder


def test_pairs_become_sentences_that_keep_their_attributions(raw, tmp_path, capfd):
    corpus = cmn_eng.load(raw, tmp_path / "cache")
    assert split_of("hey") == "train"
    assert corpus.train == [
        TranslatedSentence("Hi.", ("嗨。", "你好！"), (NOTE.format(1, 2), NOTE.format(1, 4)), "hey"),
        TranslatedSentence("Hey!", ("你好。",), (NOTE.format(3, 4),), "hey"),
        TranslatedSentence("hi", ("您好。",), (NOTE.format(5, 6),), "hey"),
    ]
    assert [(each.source, each.targets) for each in corpus.valid] == [(word_of("valid"), ("valid。",))]
    assert [(each.source, each.targets) for each in corpus.test] == [(word_of("test"), ("test。",))]
    assert (corpus.name, corpus.source, corpus.synthetic) == ("cmn_eng", str(raw), False)
    assert corpus.notes == {"pairs that repeat another one, left out": 1}
    for stated in ("CC BY 2.0 FR", "Tatoeba", "manythings.org"):
        assert stated in corpus.licence
    assert "Tatoeba" in corpus.citation
    assert capfd.readouterr().out == ""


def test_the_second_time_reads_the_cache(raw, tmp_path, monkeypatch):
    first = cmn_eng.load(raw, tmp_path / "cache")
    monkeypatch.setattr(cmn_eng, "read_splits", None)
    assert cmn_eng.load(raw.parent, tmp_path / "cache") == first
    monkeypatch.setenv("SEQLOOM_DATA_DIR", str(raw.parent))
    assert cmn_eng.load(None, tmp_path / "cache") == first


def test_what_is_missing_and_where_to_get_it_is_said(raw, tmp_path):
    get_it = r"must hold cmn\.txt of 2021-01-24 .*, get it from https://www\.manythings\.org/anki/"
    with pytest.raises(DataError, match=f"no folder was given.*{get_it}"):
        cmn_eng.load(None, tmp_path)
    (raw / "cmn.txt").unlink()
    with pytest.raises(DataError, match=rf"cmn_eng/cmn\.txt is missing: .*{get_it}"):
        cmn_eng.load(raw.parent, tmp_path)


def test_another_file_is_refused(raw, tmp_path):
    with (raw / "cmn.txt").open("a", encoding="utf-8") as file:
        file.write(f"{word_of('test')}\t又一个。\t{NOTE.format(7, 9)}\n")
    message = (
        "is not the file of 2021-01-24: counted 2 pairs with 1 English sentences in test, expected 1 with 1; another"
    )
    with pytest.raises(DataError, match=message):
        cmn_eng.load(raw, tmp_path / "cache")
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("Hi.", "the line has 1 columns"),
        ("Hi.\t嗨。", "the line has 2 columns"),
        ("Hi.\t嗨。\tCM\tMartha", "the line has 4 columns"),
        (" \t嗨。\tCM", "the English sentence is empty"),
        ("Hi.\t\tCM", "the Chinese sentence is empty"),
        ("Hi.\t嗨。\t", "the attribution is empty"),
    ],
)
def test_a_malformed_line_is_named(raw, tmp_path, line, message):
    path = raw / "cmn.txt"
    path.write_text(f"\n{line}\n{path.read_text(encoding='utf-8')}", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        cmn_eng.load(raw, tmp_path / "cache")
    assert str(caught.value) == f"{path}, line 2: {message}, expected English<TAB>Chinese<TAB>attribution"


@pytest.fixture(scope="module")
def real(data_dir, cache):
    return cmn_eng.load(data_dir, cache)


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("split", "pairs", "sentences", "digest"),
    [
        ("train", 26_129, 24_895, "f26d7196ff399ad68e65f5cdfdc359d4356460fa62cbe78a2fbc26b11ffd8cb1"),
        ("valid", 1_490, 1_394, "0ffeff7e58d8607c78ff13e5b95d3a7ff21d001578b56332561a78a7aede7beb"),
        ("test", 1_436, 1_372, "f4e375ca8607ace2587333e78d78151049ac587b8694f5d53a2daf925fdee727"),
    ],
)
def test_the_split_of_cmn_eng(real, split, pairs, sentences, digest):
    examples = real.splits()[split]
    lines = sorted(f"{example.source}\t{target}\n" for example in examples for target in example.targets)
    assert (len(lines), len(examples)) == (pairs, sentences)
    assert len({example.source for example in examples}) == sentences
    assert hashlib.sha256("".join(lines).encode()).hexdigest() == digest


@pytest.mark.real_data
def test_the_attributions_of_cmn_eng_are_those_of_its_lines(real):
    lines = Path(real.source, "cmn.txt").read_bytes().decode("utf-8").split("\n")
    expected: dict[tuple[str, str], str] = {}
    for line in filter(None, lines):
        source, target, attribution = line.split("\t")
        expected.setdefault((source, target), attribution)
    found = {
        (example.source, target): attribution
        for examples in real.splits().values()
        for example in examples
        for target, attribution in zip(example.targets, example.attributions, strict=True)
    }
    assert found == expected
    assert real.notes == {"pairs that repeat another one, left out": 29_155 - len(expected)}


@pytest.mark.real_data
def test_the_splits_of_cmn_eng_share_no_group(real):
    seen = [{example.group for example in examples} for examples in real.splits().values()]
    assert sum(map(len, seen)) == len(set.union(*seen))
