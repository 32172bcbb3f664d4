import re
import warnings

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from seqeval.metrics import f1_score, precision_score, recall_score

from seqloom.pipelines.reporting.page import DASH, Figure, Html, Table
from seqloom.pipelines.slot_filling.evaluation import SHOWN_ERRORS, STATISTICS, metrics, score, sections, statistics

TAGS = st.sampled_from(["O", "B-a", "I-a", "B-b", "I-b"])
SENTENCES = st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=8)


def row(gold, predicted, intent="flight", answer="flight", probability=0.5, text="", error="", unseen=()):
    gold, predicted = gold.split(), predicted.split()
    return {
        "text": text or " ".join(f"w{at}" for at in range(len(gold))),
        "gold": {"tags": gold, "intent": intent},
        "predicted": {"tags": predicted, "intent": answer, "intent_probability": probability, "error": error},
        "unseen": list(unseen),
    }


def section(rows, title):
    [found] = [section for section in sections(rows) if section.title == title]
    return found


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


# Four sentences by hand: gold spans 2 + 1 + 0 + 1 = 4, predicted 2 + 1 + 1 + 0 = 4, right 1 + 1 = 2.
BY_HAND = [
    row("B-a I-a B-b", "B-a I-a B-a"),
    row("O B-b", "O B-b"),
    row("O O", "O B-a", answer="fare", probability=0.9),
    row("B-a", "O"),
]


def test_statistics_of_sentences_counted_by_hand():
    assert STATISTICS[:6] == (
        "correct_spans",
        "predicted_spans",
        "gold_spans",
        "right_intents",
        "right_sentences",
        "sentences",
    )
    np.testing.assert_array_equal(
        statistics(BY_HAND),
        [[1, 2, 2, 1, 0, 1, 1], [1, 1, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 1, 1], [0, 0, 1, 1, 0, 1, 1]],
    )


def test_metrics_of_sentences_counted_by_hand():
    scores = score([*BY_HAND, row("B-a I-a", "B-a O")])  # right 2, predicted 5, gold 5
    assert scores.metrics == pytest.approx(
        {
            "slot_precision": 2 / 5,
            "slot_recall": 2 / 5,
            "slot_f1": 2 / 5,
            "intent_accuracy": 4 / 5,
            "sentence_accuracy": 1 / 5,
        }
    )
    assert scores.counts["correct_spans"] == 2
    assert scores.confidence.keys() == scores.metrics.keys()
    for name, (low, high) in scores.confidence.items():
        assert 0 <= low <= scores.metrics[name] <= high <= 1


def test_precision_recall_and_f1_differ_where_they_should():
    values = metrics(statistics([row("B-a O O O", "B-a B-a B-b B-b"), row("B-a", "B-a")]).sum(axis=0, keepdims=True))
    assert values["slot_precision"] == pytest.approx(2 / 5)
    assert values["slot_recall"] == pytest.approx(1)
    assert values["slot_f1"] == pytest.approx(2 * 0.4 * 1 / 1.4)


def test_metrics_run_over_the_first_axis():
    table = statistics(BY_HAND)
    together = metrics(table)
    for name, values in together.items():
        assert values.shape == (4,)
        assert values.tolist() == [float(metrics(table[at : at + 1])[name][0]) for at in range(4)]


def test_nothing_out_of_nothing_is_zero():
    assert score([row("O O", "O O")]).metrics == {
        "slot_precision": 0,
        "slot_recall": 0,
        "slot_f1": 0,
        "intent_accuracy": 1,
        "sentence_accuracy": 1,
    }
    assert score([row("B-a", "O")]).metrics["slot_precision"] == 0


def test_without_intents_sentences_are_judged_by_their_tags():
    rows = [row("B-a", "B-a", intent=None, answer=""), row("B-a", "O", intent=None, answer="")]
    scores = score(rows)
    assert "intent_accuracy" not in scores.metrics
    assert "intent_accuracy" not in scores.confidence
    assert scores.metrics["sentence_accuracy"] == 0.5
    assert "Intents" not in [section.title for section in sections(rows)]


def test_a_joined_intent_is_a_class_of_its_own():
    assert score([row("O", "O", intent="flight#fare", answer="flight")]).metrics["intent_accuracy"] == 0


def test_a_sentence_without_an_answer_is_wrong_in_every_respect():
    scores = score([row("O O", "", answer="", error="too long"), row("O", "O")])
    assert scores.metrics["sentence_accuracy"] == scores.metrics["intent_accuracy"] == 0.5
    assert scores.counts["errors"] == 1


def test_a_sentence_with_too_few_tags_is_wrong():
    assert score([row("O O", "O")]).metrics["sentence_accuracy"] == 0


def test_broken_tags_are_counted_and_scored_as_conlleval_reads_them():
    scores = score([row("B-a I-a", "I-a I-a"), row("I-b", "B-b"), row("O I-a", "I-b O")])
    assert (scores.counts["illegal_predicted"], scores.counts["illegal_gold"]) == (2, 2)
    assert scores.metrics["sentence_accuracy"] == pytest.approx(2 / 3)
    assert scores.metrics["slot_f1"] == pytest.approx(2 / 3)


@given(st.lists(SENTENCES, min_size=1, max_size=5))
def test_slot_metrics_equal_those_of_seqeval(sentences):
    gold = [[tag for tag, _ in sentence] for sentence in sentences]
    predicted = [[tag for _, tag in sentence] for sentence in sentences]
    assume(any(tag != "O" for tags in gold + predicted for tag in tags))
    rows = [row(" ".join(one), " ".join(other)) for one, other in zip(gold, predicted, strict=True)]
    values = metrics(statistics(rows).sum(axis=0, keepdims=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # seqeval warns of what is undefined
        assert values["slot_f1"][0] == pytest.approx(f1_score(gold, predicted))
        assert values["slot_precision"][0] == pytest.approx(precision_score(gold, predicted))
        assert values["slot_recall"][0] == pytest.approx(recall_score(gold, predicted))


def test_the_table_of_slots_is_sorted_by_support_and_names_the_commonest_confusion():
    rows = [
        row("B-a B-b B-b I-b", "B-c B-b B-b O"),
        row("B-b B-b", "O O"),
        row("B-a", "B-a"),
        row("O", "B-d"),
        row("O O B-b", "O O O"),
    ]
    slots = section(rows, "Slots")
    table, confused = blocks(slots, Table)
    assert [list(cells) for cells in table.rows] == [
        ["b", 5, 0.5, 0.2, pytest.approx(2 / 7), "missed (3)"],
        ["a", 2, 1.0, 0.5, pytest.approx(2 / 3), "c (1)"],
        ["c", 0, 0.0, None, 0.0, None],
        ["d", 0, 0.0, None, 0.0, None],
    ]
    assert [list(cells) for cells in confused.rows] == [["a", "c", 1]]


def test_the_right_slot_on_other_words_is_called_so():
    [table] = blocks(section([row("B-a I-a", "B-a O")], "Slots"), Table)
    assert table.rows[0][-1] == "other boundaries (1)"


def test_intents_are_shown_if_they_occur_in_gold_or_predictions():
    intents = section(BY_HAND, "Intents")
    [figure] = blocks(intents, Figure)
    [table] = blocks(intents, Table)
    assert "flight" in figure.svg
    assert "fare" in figure.svg
    assert [list(cells) for cells in table.rows] == [["flight", "fare", 1]]
    assert "1 of 4" in intents.text


def test_many_intents_are_cut_and_the_text_says_so():
    rows = [row("O", "O", intent=f"i{at}", answer=f"i{at}") for at in range(45)]
    assert "40 most frequent of 45" in section(rows, "Intents").text


def test_f1_is_shown_by_length_and_by_unseen_words_with_counts():
    rows = [row("B-a", "B-a"), row("O " * 5 + "B-a", "O " * 6, unseen=["w1"]), row("B-a " * 40, "B-a " * 40)]
    by_length, by_unseen = blocks(section(rows, "Length and unseen words"), Figure)
    for label in (f"1{DASH}5", f"6{DASH}10", "31 or more"):
        assert label in by_length.svg
    assert f"11{DASH}15" not in by_length.svg
    assert "n=2" in by_unseen.svg
    assert "two or more" not in by_unseen.svg


def test_illegal_tags_and_errors_are_listed():
    rows = [row("I-a", "I-a"), row("O", "", text="<b>", error="nothing to read"), row("O O", "O O")]
    counts, reasons = blocks(section(rows, "Illegal tags and errors"), Table)
    assert [cells[1] for cells in counts.rows] == [1, 1, 1]
    assert [list(cells) for cells in reasons.rows] == [["<b>", "nothing to read"]]


def test_worst_errors_come_first():
    rows = [
        row("B-a", "O", text="one"),
        row("O", "O", answer="fare", probability=0.6, text="doubtful"),
        row("O", "O", answer="fare", probability=0.9, text="confident"),
        row("B-a B-a", "O B-b", text="two spans"),
        row("O", "O", text="right"),
    ]
    [html] = blocks(section(rows, "Worst errors"), Html)
    order = [html.markup.index(word) for word in ("two", "one", "confident", "doubtful")]
    assert order == sorted(order)
    assert "right" not in re.sub("<[^>]*>", "", html.markup)


def test_no_more_errors_are_shown_than_fit_but_all_are_counted():
    worst = section([row("B-a", "O")] * 60, "Worst errors")
    [html] = blocks(worst, Html)
    assert html.markup.count('class="example"') == SHOWN_ERRORS == 40
    assert "60 of 60" in worst.text


def test_spans_are_marked_in_the_sentence_and_wrong_ones_differ():
    [html] = blocks(section([row("B-a I-a O B-b", "B-a I-a O O", text="new york to day")], "Worst errors"), Html)
    gold, predicted = re.findall(r"<dd>(.*?)</dd>", html.markup)
    assert re.sub(r'class="[^"]*"', "", gold) == (
        '<mark  data-label="a">new york</mark> to <mark  data-label="b">day</mark>'
    )
    assert re.findall(r'class="span colour-\d( wrong)?"', gold) == ["", " wrong"]
    assert predicted.endswith("</mark> to day")


def test_a_slot_has_the_same_colour_wherever_it_stands():
    [html] = blocks(section([row("B-a O", "O B-a")] * 2, "Worst errors"), Html)
    assert len(set(re.findall(r"colour-\d", html.markup))) == 1


def test_what_users_wrote_is_escaped():
    rows = [
        row(
            'B-<i> O B-"x',
            "O O B-<u>",
            intent="<em>",
            answer="<s>",
            text="<script>alert(1)</script> & <img>",
        )
    ]
    [html] = blocks(section(rows, "Worst errors"), Html)
    assert set(re.findall(r"<(\w+)", html.markup)) <= {"div", "dl", "dt", "dd", "mark", "span"}
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html.markup
    assert 'data-label="&lt;i&gt;"' in html.markup
    for figure in blocks(section(rows, "Intents"), Figure):
        assert "<em>" not in figure.svg


def test_a_run_without_errors_says_so():
    worst = section([row("B-a", "B-a")], "Worst errors")
    assert worst.text == "No errors."
    assert not worst.blocks
