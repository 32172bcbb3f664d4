"""BLEU and chrF from sums over sentences, against sacrebleu's scores of whole corpora."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from seqloom.pipelines.evaluation import bootstrap
from seqloom.pipelines.translation.scoring import (
    corpus_measures,
    lengths,
    measures,
    reference_streams,
    sentence_chrf,
    signatures,
    split,
    statistics,
)

# Few symbols, so that sentences have n-grams in common; spaces and full stops, so that tokens differ from characters.
TEXTS = st.text("我你好吗。a1 .", max_size=14)
SENTENCES = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=3)), min_size=1, max_size=8)

TRANSLATIONS = ["我很喜欢这本书。", "他昨天去了北京", "", "你好 世界 hello world。", "猫在桌子上睡觉呢。"]
TARGETS = [
    ["我很喜欢这本书。"],
    ["昨天他去了北京。", "他昨天到北京去了。", "他昨天去北京了"],
    ["早上好！", "早安。"],
    ["你好，世界。"],
    ["猫正在桌上睡觉。", "那只猫在桌子上睡。"],
]


def by_sacrebleu(translations, targets, tokenize):
    """The references as `corpus_score` wants them, written out here once more."""
    most = max(map(len, targets))
    streams = [[several[at] if at < len(several) else None for several in targets] for at in range(most)]
    bleu = BLEU(tokenize=tokenize).corpus_score(translations, streams)
    return bleu, CHRF().corpus_score(translations, streams)


def agree(translations, targets, tokenize):
    found = corpus_measures(statistics(translations, targets, tokenize))
    bleu, chrf = by_sacrebleu(translations, targets, tokenize)
    assert found["bleu"] == pytest.approx(bleu.score, abs=1e-9)
    assert found["chrf"] == pytest.approx(chrf.score, abs=1e-9)
    assert found["length_ratio"] == pytest.approx(bleu.sys_len / max(bleu.ref_len, 1), abs=1e-12)


@pytest.mark.parametrize("tokenize", ["zh", "13a", "char", "none"])
def test_summed_statistics_give_sacrebleus_scores_with_uneven_numbers_of_references(tokenize):
    agree(TRANSLATIONS, TARGETS, tokenize)


@settings(deadline=None)
@given(SENTENCES, st.sampled_from(["zh", "13a"]))
def test_any_corpus_has_sacrebleus_scores(sentences, tokenize):
    agree([text for text, _ in sentences], [targets for _, targets in sentences], tokenize)


@settings(deadline=None)
@given(SENTENCES)
def test_the_measure_of_a_sentence_is_sacrebleus_sentence_chrf(sentences):
    texts, targets = zip(*sentences, strict=True)
    expected = [CHRF().sentence_score(text, several).score for text, several in sentences]
    assert sentence_chrf(statistics(texts, targets, "zh")).tolist() == pytest.approx(expected, abs=1e-9)


def test_an_identical_chinese_sentence_is_perfect_only_by_its_characters():
    table = statistics(["我很好"], [["我很好"]], "zh")
    assert corpus_measures(statistics(["我很好。"], [["我很好。"]], "zh"))["bleu"] == pytest.approx(100)
    assert corpus_measures(statistics(["我很好"], [["我很好"]], "13a"))["bleu"] == 0
    assert corpus_measures(table) == {"bleu": 0, "chrf": 100, "exact_match": 1, "length_ratio": 1}  # no 4-gram at all


def test_intervals_are_those_of_corpora_that_repeat_sentences():
    """The bootstrap on sums, against sacrebleu on lists in which a sentence stands as often as it was drawn."""
    rng, count, resamples = np.random.default_rng(0), len(TRANSLATIONS), 20
    scored = []
    for _ in range(resamples):
        drawn = np.repeat(np.arange(count), rng.multinomial(count, np.full(count, 1 / count)))
        bleu, chrf = by_sacrebleu([TRANSLATIONS[at] for at in drawn], [TARGETS[at] for at in drawn], "zh")
        scored.append((bleu.score, chrf.score))
    _, intervals = bootstrap(statistics(TRANSLATIONS, TARGETS, "zh"), measures, resamples=resamples)
    expected = np.percentile(np.array(scored), [2.5, 97.5], axis=0).T
    assert intervals["bleu"] == pytest.approx(expected[0], abs=1e-9)
    assert intervals["chrf"] == pytest.approx(expected[1], abs=1e-9)


def test_exact_matches_counted_by_hand():
    texts, targets = [" 好。\n", "好", "好 吗", ""], [["不", "好。"], ["好。"], ["好吗"], ["好"]]
    table = statistics(texts, targets, "zh")
    assert corpus_measures(table)["exact_match"] == 0.25
    assert [corpus_measures(row[None])["exact_match"] for row in table] == [1, 0, 0, 0]


def test_lengths_are_tokens_against_the_nearest_reference():
    own, reference = lengths(statistics(["他去北京了。", ""], [["去了", "他昨天去北京了。"], ["好吗？", "好"]], "zh"))
    assert own.tolist() == [6, 0]
    assert reference.tolist() == [8, 1]


def test_a_reference_that_stands_twice_changes_nothing():
    twice = [[*targets, targets[-1]] for targets in TARGETS]
    assert np.array_equal(statistics(TRANSLATIONS, TARGETS, "zh"), statistics(TRANSLATIONS, twice, "zh"))


def test_sentences_are_counted_each_by_itself():
    table = statistics(TRANSLATIONS, TARGETS, "zh")
    alone = [statistics([text], [targets], "zh")[0] for text, targets in zip(TRANSLATIONS, TARGETS, strict=True)]
    assert np.array_equal(table, np.stack(alone))
    assert np.array_equal(table[::-1], statistics(TRANSLATIONS[::-1], TARGETS[::-1], "zh"))


def test_tokens_are_those_that_bleu_counts():
    assert split(["我有 2.5 元, ok?", "  "], "zh") == [["我", "有", "2.5", "元", ",", "ok", "?"], []]
    found = [len(tokens) for tokens in split(TRANSLATIONS, "zh")]
    assert found == lengths(statistics(TRANSLATIONS, TARGETS, "zh"))[0].tolist()


def test_missing_references_are_none():
    assert reference_streams(TARGETS)[1] == [None, "他昨天到北京去了。", "早安。", None, "那只猫在桌子上睡。"]
    assert reference_streams([]) == []


@pytest.mark.parametrize("targets", [TARGETS, TARGETS[:1], TARGETS[2:3] * 2], ids=["var", "1", "2"])
def test_signatures_are_sacrebleus(targets):
    found = signatures("zh", targets)
    bleu, chrf = BLEU(tokenize="zh"), CHRF()
    for metric in (bleu, chrf):
        metric.corpus_score([""] * len(targets), reference_streams(targets))
    assert found == {"bleu": f"BLEU|{bleu.get_signature()}", "chrf": f"chrF2|{chrf.get_signature()}"}


def test_a_signature_without_references_leaves_their_number_open():
    assert signatures("13a")["bleu"].startswith("BLEU|nrefs:var|case:mixed|eff:no|tok:13a|")
