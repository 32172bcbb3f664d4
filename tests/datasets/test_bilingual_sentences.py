from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import pytest

from seqloom.datasets.bilingual_grammar import RULES
from seqloom.datasets.bilingual_sentences import SIZES, generate, is_held_out, load
from seqloom.datasets.bilingual_words import COLUMNS, WORDS
from seqloom.datasets.translated_sentence import TranslatedSentence

DIGEST = "5a70422e98b8709b"

REFERENCE = re.compile(r"<([a-z_]+)(\d?)\??(?:([.@])([a-z_]+)\d?)?>")


@pytest.fixture(scope="module")
def corpus():
    return load()


@pytest.fixture(scope="module")
def sentences(corpus):
    """Many sentences, with held out pairs, by their English side."""
    more = generate(seed=1, train=1, valid=1, test=6000).test
    return {each.source: each.targets for each in [*corpus.train, *corpus.valid, *corpus.test, *more]}


def rows(table: str) -> list[dict[str, str]]:
    columns = COLUMNS.get(table, "english | chinese").split(" | ")
    texts = re.split(r"[;\n]", WORDS[table].strip())
    return [dict(zip(columns, (part.strip() for part in text.split("|")), strict=True)) for text in texts]


def lines(rule: str) -> list[tuple[str, list[str]]]:
    """The English and the Chinese sides of the lines of a rule."""
    texts = re.sub(r"\s*\n\s*(?=[=/])", " ", RULES[rule].strip()).split("\n")
    pairs = [re.sub(r"^\d+\* ", "", text.strip()).partition(" = ") for text in texts]
    return [(english, chinese.split(" / ") if chinese else []) for english, _, chinese in pairs]


def test_the_sample_is_the_same_on_every_machine(corpus):
    text = "".join(
        f"{split}\t{each.source}\t{'|'.join(each.targets)}\n"
        for split, part in corpus.splits().items()
        for each in part
    )
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == DIGEST


def test_the_sample_does_not_depend_on_the_process():
    code = "from seqloom.datasets.bilingual_sentences import generate; print(generate(0, 100, 20, 20).splits())"
    printed = [
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONIOENCODING": "utf-8"},
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]


def test_the_sample_says_what_it_is(corpus):
    assert corpus.counts() == SIZES
    assert corpus.synthetic
    assert (corpus.name, corpus.source, corpus.notes) == ("sample", "generated from seed 0", {})


def test_other_seeds_give_other_sentences_and_other_sizes_the_same_train(corpus):
    other = generate(seed=0, train=50, valid=5, test=7)
    assert other.train == corpus.train[:50]
    assert other.counts() == {"train": 50, "valid": 5, "test": 7}
    assert generate(seed=1, train=50, valid=5, test=7).train != corpus.train[:50]


def test_no_side_stands_in_two_splits(corpus):
    for side in (lambda each: [each.source], lambda each: each.targets):
        parts = [{text for each in part for text in side(each)} for part in corpus.splits().values()]
        assert sum(map(len, parts)) == len(set.union(*parts))


def test_sides_are_spelt_as_in_a_book(sentences):
    for source, targets in sentences.items():
        assert re.fullmatch(r"[A-Z][A-Za-z]*(,? [A-Za-z]+(['-][a-z]+)?)*[.?]", source), source
        assert not re.search(r"\b[Aa] [aeiou]|\b[Aa]n [^aeiou]", source), source
        for target in targets:
            assert re.fullmatch(r"[\u4e00-\u9fff，]+[。？]", target), target
            assert target.endswith("？") == source.endswith("?")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (r"There are two cats .*", ".+有两只猫。"),
        (r"There is a \w+ on the table\.", "桌子上有一.+。"),
        (r".* is two years old\.", ".+两岁。"),
        (r".*-two years old\.", ".+十二岁。"),
        (r"Does he like .*", "他喜欢.+吗？"),
        (r"What did .* yesterday\?", ".+昨天.+了什么？"),
        (r"He did not .* that \w+\.", "(因为.*，所以)?他没有?.+那.+。"),
        (r"He does not .*", "他(不|没有).+。"),
        (r"I am not \w+ing .*", "我没在.+。"),
        (r".* is wearing (.* )?hats?\.", ".+戴着.+帽子。"),
        (r".* is wearing (.* )?s(hir|kir)ts?\.", ".+穿着.+(衬衫|裙子)。"),
        (r"The \w+ that .* bought .*is very .*", ".+买的.+很.+。"),
        (r"Where did she (?!go).*", "她是在哪[里儿].+的？"),
        (r".* at half past two .*", ".*两点半.*"),
        (r".* because it was raining\.", "因为下雨了，所以.+没.+。"),
        (r".*, but I do not\.", ".+，但是我不(喜欢|需要|想要)。"),
    ],
)
def test_the_chinese_is_that_of_a_grammar_book(sentences, source, target):
    found = [targets for english, targets in sentences.items() if re.fullmatch(source, english)]
    assert found
    assert all(re.fullmatch(target, each) for targets in found for each in targets), found


def test_numbers_and_measure_words_are_right(sentences):
    units = {row["english"]: row["chinese"] for row in rows("unit")}
    tens = {row["english"]: row["chinese"] for row in rows("tens")}
    numbers = {f"{ten}-{unit}": f"{tens[ten]}{units[unit]}" for ten in tens for unit in units}
    numbers |= {"two": "两", "five": "五", "twelve": "十二"}
    things = {row["plural"]: row for row in rows("thing")}
    counted = re.compile(rf"(?<!-)\b({'|'.join(numbers)}) ({'|'.join(things)})\b(?! of)")
    found = [(*match, targets) for source, targets in sentences.items() for match in counted.findall(source)]
    assert len(found) > 300
    assert {"two", "twenty-two", "thirty-five"} <= {number for number, *_ in found}
    for number, plural, targets in found:
        expected = numbers[number] + things[plural]["measure"] + things[plural]["chinese"]
        assert all(expected in target for target in targets), (expected, targets)


def test_a_few_sentences_have_two_targets(corpus):
    for part in corpus.splits().values():
        share = sum(len(each.targets) == 2 for each in part) / len(part)
        assert 0.02 < share < 0.12
        assert {len(each.targets) for each in part} == {1, 2}


def held_out_pairs(part: list[TranslatedSentence]) -> list[TranslatedSentence]:
    """The sentences with a held out pair of an adjective and a noun beside each other, or a verb and its object."""
    patterns = []
    nouns = [(row["english"], [row[form] for form in ("english", "plural", "any")]) for row in rows("thing")]
    for table in ("size", "quality", "colour", "action"):
        for row in rows(table):
            forms = [row[form] for form in ("english", "third", "past", "ing") if form in row]
            held_out = [form for noun, forms in nouns if is_held_out(row["english"], noun) for form in forms]
            between = r"(?:(?:a|an|this|that) )?" if table == "action" else ""
            patterns.append(rf"(?:{'|'.join(forms)}) {between}(?:{'|'.join(held_out)})\b(?! of)")
    pattern = re.compile(rf"\b(?:{'|'.join(patterns)})")
    return [each for each in part if pattern.search(each.source)]


def test_some_pairs_are_held_out_of_train(corpus):
    assert held_out_pairs(corpus.train) == []
    for part in (corpus.valid, corpus.test):
        assert 0.04 < len(held_out_pairs(part)) / len(part) < 0.3


def test_no_pair_is_held_out_whose_meaning_train_could_not_tell():
    things = [row["english"] for row in rows("thing")]
    assert not any(is_held_out("wear", thing) for thing in things)
    assert not is_held_out("this", "book")
    for table in ("action", "event", "attitude", "size", "quality", "colour"):
        for row in rows(table):
            kinds = set(row.get("kinds", "").split())
            described = [each["english"] for each in rows("thing") if not kinds or kinds & set(each["kinds"].split())]
            assert sum(not is_held_out(row["english"], thing) for thing in described) >= 2, row


def test_train_has_every_word_and_every_character(corpus):
    def known(part, of):
        return {piece for each in part for piece in of(each)}

    def words(each):
        return re.findall(r"[\w']+", each.source.lower())

    for part in (corpus.valid, corpus.test):
        assert known(part, words) <= known(corpus.train, words)
        assert known(part, lambda each: "".join(each.targets)) <= known(
            corpus.train, lambda each: "".join(each.targets)
        )


def test_the_word_order_differs(corpus):
    """What is said last in English stands before the verb in Chinese."""
    last = [each for each in corpus.train if each.source.endswith(" yesterday.")]
    assert len(last) >= 20
    assert all("昨天" in target[:-3] and not target.endswith("昨天。") for each in last for target in each.targets)


def test_every_rule_and_table_is_defined_once_and_used():
    used = {name for text in RULES.values() for name, *_ in REFERENCE.findall(text)} | {"sentence"}
    assert not RULES.keys() & WORDS.keys()
    assert used == RULES.keys() | WORDS.keys()
    assert COLUMNS.keys() <= WORDS.keys()
    assert COLUMNS["thing"].startswith("english")
    assert all(columns.endswith("| chinese") for columns in COLUMNS.values())


def test_both_sides_of_a_line_speak_of_the_same_things():
    untold = {"be", "was", "do", "have", "go"}  # their Chinese depends on the line
    for name in RULES:
        for english, sides in lines(name):
            keys = {(table, digit) for table, digit, *_ in REFERENCE.findall(english)}
            for chinese in sides:
                assert {(table, digit) for table, digit, *_ in REFERENCE.findall(chinese)} == {
                    key for key in keys if key[0] not in untold
                }, (english, chinese)
            assert sides or REFERENCE.fullmatch(english), english


def test_every_column_that_a_rule_names_exists():
    def columns(name: str) -> set[str]:
        if name in WORDS:
            return set(COLUMNS.get(name, "english | chinese").split(" | ")) - {"chinese"}
        passed = [REFERENCE.fullmatch(english) for english, sides in lines(name) if not sides]
        return set.intersection(*(columns(match[1]) for match in passed)) if passed else set()

    for text in RULES.values():
        for name, _, mark, column in REFERENCE.findall(text):
            assert mark == "" or column in (columns(name) if mark == "." else RULES.keys() | WORDS.keys()), (
                name,
                column,
            )
            assert mark != "@" or "agreement" in columns(column)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": -1}, "seed must not be negative, got seed=-1"),
        ({"train": 0}, "train must be a positive integer, got train=0"),
        ({"valid": -2}, "valid must be a positive integer, got valid=-2"),
        ({"test": 0}, "test must be a positive integer, got test=0"),
    ],
)
def test_arguments_out_of_range_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        generate(**({"seed": 0, "train": 1, "valid": 1, "test": 1} | changed))
