from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB

from seqloom.datasets import review_grammar
from seqloom.datasets.labelled_text import LabelledText
from seqloom.datasets.reviews import SIZES, generate, held_out_values, load

DIGEST = "9bb32a2dea0a3f68"


@pytest.fixture(scope="module")
def corpus():
    return load()


def digest(corpus) -> str:
    rows = [f"{split}\t{row.label}\t{row.text}\n" for split, rows in corpus.splits().items() for row in rows]
    return hashlib.sha256("".join(rows).encode()).hexdigest()[:16]


def with_held_out(reviews: list[LabelledText]) -> list[LabelledText]:
    values = [value.lower() for values in held_out_values().values() for value in values]
    pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, values))})\b")
    return [review for review in reviews if pattern.search(review.text.lower())]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+|[.,;:]", text.lower())


def test_the_sample_is_the_same_on_every_machine(corpus):
    assert digest(corpus) == DIGEST


def test_the_sample_does_not_depend_on_the_process():
    code = "from seqloom.datasets.reviews import load; print(load().splits())"
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


def test_other_seeds_give_other_reviews_and_other_sizes_the_same_train(corpus):
    small = generate(seed=0, train=50, valid=5, test=7)
    assert small.train == corpus.train[:50]
    assert small.counts() == {"train": 50, "valid": 5, "test": 7}
    assert generate(seed=1, train=50, valid=5, test=7).train != corpus.train[:50]


def test_no_review_occurs_twice(corpus):
    reviews = Counter(row.text for rows in corpus.splits().values() for row in rows)
    assert reviews.most_common(1)[0][1] == 1


def test_both_labels_are_common_in_every_split(corpus):
    for rows in corpus.splits().values():
        counts = Counter(row.label for row in rows)
        assert set(counts) == {"positive", "negative"}
        assert min(counts.values()) > 0.42 * len(rows)


def test_reviews_are_written_as_people_write_them(corpus):
    for row in corpus.train + corpus.valid + corpus.test:
        assert re.fullmatch(r"""[A-Z"][A-Za-z0-9',.;:" ]+\.""", row.text), row.text
        assert not re.search(r"""  | [.,;:]|\bi\b|\ba [aeiou]|\. [a-z]|[.,;:]{2}""", row.text), row.text
        assert 1 <= len(re.findall(r"\.(?= |$)", row.text)) <= 8, row.text


def test_some_values_are_held_out_of_train(corpus):
    assert with_held_out(corpus.train) == []
    assert 0.12 < len(with_held_out(corpus.valid)) / len(corpus.valid) < 0.3
    assert 0.12 < len(with_held_out(corpus.test)) / len(corpus.test) < 0.3
    trained = {word for row in corpus.train for word in words(row.text)}
    for values in held_out_values().values():
        assert all(set(words(value)) - trained for value in values)


def test_no_word_decides(corpus):
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in corpus.train:
        for word in set(words(row.text)):
            counts[word][row.label] += 1
    for word, labels in counts.items():
        if labels.total() >= 60:
            assert max(labels.values()) / labels.total() < 0.9, f"{word} decides: {labels}"


@pytest.mark.parametrize(
    ("model", "length", "low", "high"),
    [(LogisticRegression(max_iter=500), 1, 0.60, 0.80), (MultinomialNB(), 2, 0.65, 0.90)],
)
def test_counting_words_is_not_enough(corpus, model, length, low, high):
    vectorizer = CountVectorizer(tokenizer=words, token_pattern=None, lowercase=False, ngram_range=(1, length))
    model.fit(vectorizer.fit_transform([row.text for row in corpus.train]), [row.label for row in corpus.train])
    reviews = corpus.valid + corpus.test
    score = model.score(vectorizer.transform([row.text for row in reviews]), [row.label for row in reviews])
    assert low < score < high


def test_every_rule_of_the_grammar_is_used():
    texts = [*review_grammar.RULES.values(), *(text for texts in review_grammar.VALUES.values() for text in texts)]
    used = {name for text in texts for name in re.findall(r"<([^>]+)>", text)}
    used |= {f"{topic}.{polarity}.review" for topic in review_grammar.TOPICS for polarity in review_grammar.POLARITIES}
    assert used == review_grammar.RULES.keys() | review_grammar.VALUES.keys()


def test_good_and_bad_words_come_in_pairs_of_lists():
    good, bad = (review_grammar._POLAR[polarity] for polarity in review_grammar.POLARITIES)
    assert good.keys() == bad.keys()
    for name in good:
        assert not {word.strip() for word in good[name].split("|")} & {word.strip() for word in bad[name].split("|")}
        assert abs(good[name].count("|") - bad[name].count("|")) <= 1


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
