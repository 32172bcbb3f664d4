import os
from pathlib import Path

import pytest

from seqloom.datasets.slot_files import read_split
from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.pipelines.slot_filling.baselines import baselines
from seqloom.pipelines.slot_filling.evaluation import score

MAJORITY, WINDOWS = "majority label per word", "logistic model on word windows"


def sentence(text, tags, intent="go"):
    return TaggedSentence(tuple(text.split()), tuple(tags.split()), intent)


TRAIN = [
    sentence("from rome to oslo", "O B-from O B-to"),
    sentence("from oslo to new york", "O B-from O B-to I-to"),
    sentence("from new york to rome", "O B-from I-from O B-to"),
    sentence("to new york from bern", "O B-to I-to O B-from"),
    sentence("how much to rome", "O O O B-to", "price"),
    sentence("how much from bern to oslo", "O O O B-from O B-to", "price"),
    sentence("to rome", "O B-to"),
]


def tags(rows):
    return [" ".join(row["predicted"]["tags"]) for row in rows]


def test_majority_takes_the_most_frequent_tag_of_a_word_and_the_most_frequent_intent():
    [row] = baselines(TRAIN, [sentence("from rome york lima", "O B-from I-to B-to", "price")])[MAJORITY]
    assert row == {
        "text": "from rome york lima",
        "gold": {"tags": ["O", "B-from", "I-to", "B-to"], "intent": "price"},
        "predicted": {
            "tags": ["O", "B-to", "I-to", "O"],
            "intent": "go",
            "intent_probability": pytest.approx(5 / 7),
            "error": "",
        },
        "unseen": ["lima"],
    }
    assert score([row]).counts["illegal_predicted"] == 0


def test_majority_leaves_broken_tags_as_they_are():
    assert tags(baselines(TRAIN, [sentence("york", "O")])[MAJORITY]) == ["I-to"]


def test_windows_use_the_context_that_a_word_alone_does_not_show():
    test = [sentence("from lima to rome", "O B-from O B-to"), sentence("how much to lima", "O O O B-to", "price")]
    rows = baselines(TRAIN * 8, test)
    assert score(rows[WINDOWS]).metrics["slot_f1"] == score(rows[WINDOWS]).metrics["intent_accuracy"] == 1
    assert score(rows[MAJORITY]).metrics["slot_f1"] < 1
    assert all(0 < row["predicted"]["intent_probability"] <= 1 for row in rows[WINDOWS])


def test_windows_use_the_previous_tag():
    train = [sentence("a x x x x b", "B-a I-a I-a I-a I-a O"), sentence("c x x x x b", "B-c I-c I-c I-c I-c O")] * 20
    [first, second] = tags(baselines(train, train[:2])[WINDOWS])
    assert first == "B-a I-a I-a I-a I-a O"
    assert second == "B-c I-c I-c I-c I-c O"


def test_the_answer_to_a_sentence_does_not_depend_on_its_neighbours():
    together = baselines(TRAIN, TRAIN)[WINDOWS]
    assert together[1] == baselines(TRAIN, TRAIN[1:2])[WINDOWS][0]


def test_equal_inputs_give_equal_answers():
    assert baselines(TRAIN, TRAIN) == baselines(TRAIN, TRAIN)


@pytest.mark.parametrize(
    "train",
    [
        [sentence("a b", "O O", None), sentence("c", "O", None)],
        [sentence("a b", "O O", "one"), sentence("c", "O", "one")],
        [sentence("a b", "O B-x", "one"), sentence("c", "O", "two")],
    ],
    ids=["no intents and no slots", "one intent and no slots", "two intents and two tags"],
)
def test_few_labels_are_enough(train):
    test = [sentence("a b", "O O", train[0].intent), sentence("\U0001f600 " * 9, "O " * 9, train[0].intent)]
    for rows in baselines(train * 5, test).values():
        assert tags(rows)[0] == " ".join(train[0].tags)
        assert [len(row["predicted"]["tags"]) for row in rows] == [2, 9]
        assert rows[0]["predicted"]["intent"] == (train[0].intent or "")


@pytest.mark.real_data
def test_windows_beat_the_majority_on_a_slice_of_atis():
    folder = Path(os.environ.get("SEQLOOM_DATA_DIR", "")) / "atis"
    if not folder.is_dir():
        pytest.skip("SEQLOOM_DATA_DIR names no folder that holds atis/")
    rows = baselines(read_split(folder / "train")[:300], read_split(folder / "valid")[:100])
    majority, windows = (score(rows[name]).metrics for name in (MAJORITY, WINDOWS))
    assert windows["slot_f1"] > 0.75
    assert windows["slot_f1"] > majority["slot_f1"] + 0.1
    assert windows["intent_accuracy"] > majority["intent_accuracy"]
