from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from seqeval.metrics import f1_score

from seqloom.datasets import travel_grammar
from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.datasets.travel_requests import SIZES, generate, held_out_values, load

DIGEST = "16e498e992399df0"


@pytest.fixture(scope="module")
def corpus():
    return load()


def digest(corpus) -> str:
    rows = [
        f"{split}\t{' '.join(row.tokens)}\t{' '.join(row.tags)}\t{row.intent}\n"
        for split, rows in corpus.splits().items()
        for row in rows
    ]
    return hashlib.sha256("".join(rows).encode()).hexdigest()[:16]


def contains(sentence: TaggedSentence, value: str) -> bool:
    return f" {value} " in f" {' '.join(sentence.tokens)} "


def with_held_out(sentences: list[TaggedSentence]) -> list[TaggedSentence]:
    values = [value for values in held_out_values().values() for value in values]
    return [sentence for sentence in sentences if any(contains(sentence, value) for value in values)]


def test_the_sample_is_the_same_on_every_machine(corpus):
    assert digest(corpus) == DIGEST


def test_the_sample_does_not_depend_on_the_process():
    code = "from seqloom.datasets.travel_requests import load; print(load().splits())"
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]


def test_the_sample_says_what_it_is(corpus):
    assert corpus.counts() == SIZES
    assert corpus.synthetic
    assert corpus.source == "generated from seed 0"
    assert (corpus.name, corpus.notes) == ("sample", {})


def test_other_seeds_give_other_sentences_and_other_sizes_the_same_train(corpus):
    assert generate(seed=0, train=50, valid=5, test=7).train == corpus.train[:50]
    assert generate(seed=0, train=50, valid=5, test=7).counts() == {"train": 50, "valid": 5, "test": 7}
    assert generate(seed=1, train=50, valid=5, test=7).train != corpus.train[:50]


def test_no_sentence_occurs_twice(corpus):
    sentences = Counter(row.tokens for rows in corpus.splits().values() for row in rows)
    assert sentences.most_common(1)[0][1] == 1


def test_tags_are_iob_and_tokens_have_no_white_space(corpus):
    for row in corpus.train + corpus.valid + corpus.test:
        assert all(re.fullmatch(r"[a-z0-9']+", token) for token in row.tokens)
        for before, tag in zip(("O", *row.tags), row.tags, strict=False):
            assert tag == "O" or tag.startswith("B-") or before[2:] == tag[2:]


def test_valid_and_test_hold_no_slot_or_intent_that_train_lacks(corpus):
    for rows in (corpus.valid, corpus.test):
        assert {row.intent for row in rows} == set(travel_grammar.INTENTS)
        assert {tag for row in rows for tag in row.tags} <= {tag for row in corpus.train for tag in row.tags}
    assert {row.intent for row in corpus.train} == set(travel_grammar.INTENTS)
    slots = {tag[2:] for row in corpus.train for tag in row.tags} - {""}
    assert 25 <= len(slots) <= 30


def test_some_values_are_held_out_of_train(corpus):
    assert with_held_out(corpus.train) == []
    assert 0.12 < len(with_held_out(corpus.valid)) / len(corpus.valid) < 0.25
    assert 0.12 < len(with_held_out(corpus.test)) / len(corpus.test) < 0.25
    trained = {token for row in corpus.train for token in row.tokens}
    for values in held_out_values().values():
        assert all(set(value.split()) - trained for value in values)


def test_a_word_alone_does_not_tell_its_slot(corpus):
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in corpus.train:
        for token, tag in zip(row.tokens, row.tags, strict=True):
            counts[token][tag] += 1
    majority = {token: tags.most_common(1)[0][0] for token, tags in counts.items()}
    predicted = [[majority.get(token, "O") for token in row.tokens] for row in corpus.test]
    assert f1_score([list(row.tags) for row in corpus.test], predicted) < 0.8
    for word in ("boston", "may", "first", "seven", "breakfast", "business", "nonstop", "coach"):
        assert len(counts[word]) >= 2, f"{word} has one tag only"


def test_every_rule_of_the_grammar_is_defined_once_and_used():
    parts = (
        travel_grammar.VALUES,
        travel_grammar._WORDS,
        travel_grammar._WHEN,
        travel_grammar._JOURNEY,
        travel_grammar._PHRASES,
    )
    defined = Counter(name for part in parts for name in part)
    texts = [
        *travel_grammar.RULES.values(),
        *(text for texts in travel_grammar.VALUES.values() for text in texts),
        *(text for _, text in travel_grammar.INTENTS.values()),
    ]
    used = {name for text in texts for name in re.findall(r"[<=]([a-z_]+)[>}]", text)} | {"closing"}
    assert defined == dict.fromkeys(used, 1)


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
