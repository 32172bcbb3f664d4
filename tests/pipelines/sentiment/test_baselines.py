import warnings

import pytest

from seqloom.datasets.labelled_text import LabelledText
from seqloom.pipelines.sentiment.baselines import baselines, tokens
from seqloom.pipelines.sentiment.evaluation import score

MAJORITY, WORDS, NB_SVM = "majority class", "bag of words, logistic regression", "NB-SVM, words and pairs"


def corpus(*pairs):
    return [LabelledText(text, label) for text, label in pairs]


TRAIN = corpus(
    ("A fine film, a good plot.", "positive"),
    ("Good acting and fine music!", "positive"),
    ("I laughed; not bad at all.", "positive"),
    ("Not bad, a fine evening", "positive"),
    ("A dull film, a bad plot.", "negative"),
    ("Bad acting and dull music!", "negative"),
    ("I slept; not good at all.", "negative"),
)


def labels(rows):
    return [row["predicted"]["label"] for row in rows]


def test_tokens_are_words_and_marks_in_lower_case():
    assert tokens("It's <BR/>GREAT…<br />naïve/10") == ["it's", "great", "…", "naïve", "/", "10"]
    assert tokens(" <br /> ") == []


def test_majority_answers_the_most_frequent_label_with_the_shares():
    [row] = baselines(TRAIN, [LabelledText("A good unheard film", "negative", rating=3)])[MAJORITY]
    assert row == {
        "text": "A good unheard film",
        "gold": {"label": "negative", "rating": 3},
        "predicted": {
            "label": "positive",
            "probabilities": {"negative": pytest.approx(3 / 7), "positive": pytest.approx(4 / 7)},
            "error": "",
        },
        "tokens": 4,
        "read": 4,
        "unseen": 1,
    }


def test_words_decide_where_the_majority_cannot():
    test = corpus(("Fine music.", "positive"), ("Dull music.", "negative"))
    answers = baselines(TRAIN * 5, test)
    assert list(answers) == [MAJORITY, WORDS, NB_SVM]
    assert score(answers[MAJORITY]).metrics["accuracy"] == 0.5
    for name in (WORDS, NB_SVM):
        assert score(answers[name]).metrics["accuracy"] == 1


def test_pairs_of_words_decide_where_single_words_cannot():
    train = corpus(("not good", "no"), ("not bad", "yes"), ("very good", "yes"), ("very bad", "no")) * 10
    answers = baselines(train, train[:4])
    assert score(answers[NB_SVM]).metrics["accuracy"] == 1
    assert score(answers[WORDS]).metrics["accuracy"] < 1


def test_probabilities_are_probabilities_and_name_every_label():
    train = TRAIN * 3 + corpus(("so so", "mixed"), ("so so la la", "mixed"), ("la la", "mixed"))
    for rows in baselines(train, corpus(("so so", "mixed"), ("fine", "positive"), ("", "negative"))).values():
        for row in rows:
            probabilities = row["predicted"]["probabilities"]
            assert list(probabilities) == ["mixed", "negative", "positive"]
            assert sum(probabilities.values()) == pytest.approx(1)
            assert row["predicted"]["label"] == max(probabilities, key=probabilities.get)


def test_three_labels_are_told_apart():
    train = TRAIN * 3 + corpus(("so so", "mixed"), ("so so la la", "mixed"), ("la la", "mixed"))
    test = corpus(("so la", "mixed"), ("fine good", "positive"), ("dull", "negative"))
    assert labels(baselines(train, test)[NB_SVM]) == ["mixed", "positive", "negative"]


def test_equal_inputs_give_equal_answers():
    assert baselines(TRAIN * 2, TRAIN) == baselines(TRAIN * 2, TRAIN)


def test_an_answer_does_not_depend_on_the_other_texts():
    answers = baselines(TRAIN * 2, TRAIN)
    alone = baselines(TRAIN * 2, TRAIN[2:3])
    for name, rows in answers.items():
        assert alone[name][0] == rows[2]


@pytest.mark.parametrize(
    "train",
    [
        corpus(("good", "positive"), ("good", "negative")),
        corpus(("good", "positive"), ("bad", "negative")),
        corpus(("good", "positive"), ("bad", "negative"), ("so so", "mixed")),
        corpus(("good", "positive"), ("fine", "positive")),
        corpus(("", "positive"), ("<br />", "negative"), ("", "negative")),
        TRAIN,
    ],
    ids=["one feature", "one example each", "three labels", "one label", "no words", "few examples"],
)
def test_tiny_corpora_are_enough(train):
    test = corpus(("good \U0001f600", "positive"), ("", "unheard of"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answers = baselines(train, test)
    for rows in answers.values():
        assert len(rows) == 2
        assert set(labels(rows)) <= {example.label for example in train}
        assert score(rows).metrics["accuracy"] <= 0.5
        assert score(rows).counts["labels_unknown_to_train"] == 1


def test_no_test_texts_have_no_rows():
    assert baselines(TRAIN * 2, []) == {MAJORITY: [], WORDS: [], NB_SVM: []}
