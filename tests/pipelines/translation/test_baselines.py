"""The simple methods, on a toy language whose dictionary is known and on real sentences."""

import re
from collections import Counter
from itertools import product

import numpy as np
import pytest
from scipy import sparse

from seqloom.datasets.translated_sentence import TranslatedSentence
from seqloom.pipelines.translation import dictionary
from seqloom.pipelines.translation.answers import Answers
from seqloom.pipelines.translation.baselines import NEAREST, WORD_BY_WORD, _replaced, baselines
from seqloom.pipelines.translation.dictionary import learn_dictionary
from seqloom.pipelines.translation.evaluation import score
from seqloom.pipelines.translation.scoring import corpus_measures, statistics

WORDS = {
    "tom": "汤姆",
    "mary": "玛丽",
    "sees": "看见",
    "likes": "喜欢",
    "cats": "猫",
    "books": "书",
    "big": "大",
    ".": "。",
}


def tokens(texts):
    return [re.findall(r"\w+|[^\w\s]", text.lower()) for text in texts]


def texts_of(rows):
    return [row["predicted"]["translations"][0] for row in rows]


def toy(count, seed=0):
    """Sentences of the same order in both languages, a few words of which are in all."""
    rng = np.random.default_rng(seed)
    sentences = []
    for _ in range(count):
        names, verbs, things = (
            rng.permutation(group) for group in (["tom", "mary"], ["sees", "likes"], ["cats", "books"])
        )
        words = [names[0], verbs[0], *(["big"] if rng.random() < 0.5 else []), things[0], "."]
        sentences.append(TranslatedSentence(" ".join(words), ("".join(WORDS[word] for word in words),)))
    return sentences


def test_word_by_word_learns_a_toy_language():
    train, test = toy(200), toy(20, seed=1)
    rows = baselines(train, test, tokens)[WORD_BY_WORD]
    assert texts_of(rows) == [sentence.targets[0] for sentence in test]
    assert score(rows, resamples=0).metrics["exact_match"] == 1


def test_units_of_words_are_joined_by_the_separator():
    french = {"the": "le", "cat": "chat noir", "sleeps": "dort", "eats": "mange", "dog": "chien"}
    sentences = [("the", *pair) for pair in product(("cat", "dog"), ("sleeps", "eats"))] * 3
    train = [TranslatedSentence(" ".join(words), (" ".join(french[word] for word in words),)) for words in sentences]
    rows = baselines(train, train[:1], tokens, lambda texts: [text.split() for text in texts], " ")[WORD_BY_WORD]
    assert texts_of(rows) == ["le chat noir dort"]


def test_expected_counts_are_those_of_model_1():
    """The meetings of words and units as arrays, against the equations in loops over pairs of sentences."""
    rng = np.random.default_rng(0)
    pairs = [(set(rng.choice(6, 3).tolist()), set(rng.choice(5, 3).tolist())) for _ in range(12)]
    probability = dict.fromkeys(product(range(6), range(5)), 1.0)
    for _ in range(dictionary.ITERATIONS):
        counts: Counter = Counter()
        for words, units in pairs:
            for unit in units:
                total = sum(probability[word, unit] for word in words)
                for word in words:
                    counts[word, unit] += probability[word, unit] / total
        totals = [sum(counts[word, unit] for unit in range(5)) for word in range(6)]
        probability = {(word, unit): counts[word, unit] / max(totals[word], 1e-9) for word, unit in probability}
    matrices = [np.zeros((12, size), int) for size in (6, 5)]
    for row, pair in enumerate(pairs):
        for matrix, members in zip(matrices, pair, strict=True):
            matrix[row, list(members)] = 1
    met = dictionary._meetings(*(sparse.csr_matrix(matrix) for matrix in matrices))
    found = dict(zip(zip(met.word.tolist(), met.unit.tolist(), strict=True), dictionary._model_1(met), strict=True))
    assert found == pytest.approx({pair: count for pair, count in counts.items() if count})


def test_a_dictionary_of_a_large_corpus_is_learnt_from_its_first_pairs(monkeypatch):
    sources, targets = [["cat"], ["dog"], ["cat"], ["bird"]], ["猫", "狗", "猫", "鸟"]
    assert learn_dictionary(sources, targets).keys() >= {"cat"}
    monkeypatch.setattr(dictionary, "_MOST_MEETINGS", 3)
    monkeypatch.setattr(dictionary, "MIN_COUNT", 1)
    assert learn_dictionary(sources, targets) == {"cat": ("猫",), "dog": ("狗",)}


def test_units_that_overlap_are_joined_and_words_without_a_unit_left_out():
    found = {"very": ("很",), "good": ("很", "好"), "day": ("好", "天"), ".": ("。",)}
    for source, expected in (
        ("very good day .", "很好天。"),
        ("good very", "很好很"),
        ("good good", "很好"),
        ("bad .", "。"),
    ):
        assert "".join(_replaced(source.split(), found)) == expected


def test_the_nearest_sentence_answers_with_its_first_translation():
    train = [
        TranslatedSentence("Tom sleeps.", ("汤姆睡觉。",)),
        TranslatedSentence("Cats sleep.", ("猫睡觉。", "猫在睡。")),
        TranslatedSentence("Cats sleep here.", ("猫在这里睡觉。",)),
    ]
    test = [TranslatedSentence("Cats sleep!", ("猫睡觉！",), ("a & b",)), TranslatedSentence("hello", ("你好",))]
    near, far = baselines(train, test, tokens)[NEAREST]
    assert near == {
        "source": "Cats sleep!",
        "attributions": ["a & b"],
        "gold": {"targets": ["猫睡觉！"]},
        "predicted": {
            "translations": ["猫睡觉。"],
            "scores": [pytest.approx(0.87, abs=0.05)],
            "alignments": [[]],
            "truncated": [False],
            "error": "",
        },
    }
    assert far["predicted"]["translations"] == [""]


def test_each_sentence_is_answered_as_if_it_were_alone():
    train, test = toy(50), toy(6, seed=2)
    together = baselines(train, test, tokens)
    for place, sentence in enumerate(test):
        alone = baselines(train, [sentence], tokens)
        assert {name: rows[place] for name, rows in together.items()} == {name: rows[0] for name, rows in alone.items()}


def test_a_single_training_sentence_and_no_test_are_enough():
    train = [TranslatedSentence("...", ("。",))]
    assert baselines(train, [], tokens) == {NEAREST: [], WORD_BY_WORD: []}
    [row] = baselines(train, [TranslatedSentence("hi", ("嗨",))], tokens)[WORD_BY_WORD]
    assert row["predicted"]["translations"] == [""]
    assert learn_dictionary([[]], [["a"]]) == learn_dictionary([["a"]], [[]]) == {}


@pytest.mark.real_data
def test_baselines_of_real_sentences(data_dir):
    """On a part of the pairs, cut anyhow: both are far better than always the same translation."""
    lines = (data_dir / "cmn_eng" / "cmn.txt").read_text(encoding="utf-8").split("\n")[2000:26000:4]
    sentences = {}
    for source, target, _ in (line.split("\t") for line in lines if line):
        sentences.setdefault(source, []).append(target)
    every = [TranslatedSentence(source, tuple(dict.fromkeys(targets))) for source, targets in sentences.items()]
    test = every[::15]
    train = [sentence for place, sentence in enumerate(every) if place % 15]
    found = {name: Answers(rows, "zh").measures() for name, rows in baselines(train, test, tokens).items()}
    same = statistics([train[0].targets[0]] * len(test), [sentence.targets for sentence in test], "zh")
    for values in found.values():
        assert 10 < values["bleu"] < 25
        assert values["chrf"] > 5 * corpus_measures(same)["chrf"]
    assert 0.8 < found[WORD_BY_WORD]["length_ratio"] < 1.2
