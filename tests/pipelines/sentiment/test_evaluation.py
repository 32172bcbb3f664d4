import re
import time

import numpy as np
import pytest

from seqloom.pipelines.reporting import page, render
from seqloom.pipelines.reporting.page import DASH, Figure, Html, Table
from seqloom.pipelines.sentiment.evaluation import SHOWN_ERRORS, SHOWN_RIGHT, Answers, score, sections, worth_explaining

EVIL = "<script>alert('x')</script>&\"城市"


def row(gold, predicted, probability=0.9, text="", error="", tokens=10, read=None, **more):
    """A line of predictions for the labels `neg` and `pos`, or for those of `probability`."""
    probabilities = probability
    if not isinstance(probability, dict):
        other = {"pos": "neg", "neg": "pos"}.get(predicted, "pos")
        probabilities = {predicted: probability, other: 1 - probability}
    return {
        "text": text or f"a {gold} text",
        "gold": {"label": gold, "rating": more.pop("rating", None)},
        "predicted": {
            "label": "" if error else predicted,
            "probabilities": {} if error else {label: probabilities[label] for label in sorted(probabilities)},
            "error": error,
        },
        "tokens": tokens,
        "read": tokens if read is None else read,
        "unseen": 0,
        **more,
    }


def section(rows, title):
    [found] = [section for section in sections(rows) if section.title == title]
    return found


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def plain(html):
    return " ".join(re.sub("<[^>]*>", " ", html.markup).split())


def many(count, seed=0):
    """Rows of a classifier that is right four times of five."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        gold, right, confidence = rng.integers(2), rng.random() < 0.8, 0.5 + rng.random() / 2
        names = ("neg", "pos") if gold else ("pos", "neg")
        predicted = names[int(right)]
        length = int(rng.integers(1, 900))
        made.append(row(names[1], predicted, float(confidence), tokens=length, read=min(length, 400), rating=int(gold)))
    return made


BY_HAND = [row("pos", "pos", 0.9), row("pos", "neg", 0.6), row("neg", "neg", 0.8), row("neg", "neg", 0.7)]


def test_metrics_of_texts_counted_by_hand():
    scores = score(BY_HAND)
    assert list(scores.metrics) == ["accuracy", "f1", "roc_auc", "log_loss", "ece"]
    assert scores.metrics == pytest.approx(
        {
            "accuracy": 3 / 4,
            "f1": (2 / 3 + 4 / 5) / 2,
            "roc_auc": 1.0,
            "log_loss": -np.log([0.9, 0.4, 0.8, 0.7]).mean(),
            "ece": (0.1 + 0.6 + 0.2 + 0.3) / 4,
        }
    )
    assert scores.confidence.keys() == scores.metrics.keys()
    assert scores.counts == {"errors": 0, "truncated_texts": 0, "labels_unknown_to_train": 0}


def test_errors_and_unknown_labels_are_wrong_and_counted():
    scores = score([*BY_HAND, row("pos", "pos", error="nothing to read", tokens=0), row("mixed", "pos")])
    assert scores.metrics["accuracy"] == pytest.approx(3 / 6)
    assert scores.metrics["f1"] == pytest.approx((2 / 5 + 4 / 5 + 0) / 3)
    assert scores.counts == {"errors": 1, "truncated_texts": 0, "labels_unknown_to_train": 1}


def test_only_errors_still_have_a_score():
    rows = [row("pos", "", error="nothing to read"), row("neg", "", error="nothing to read")]
    scores = score(rows)
    assert list(scores.metrics) == ["accuracy", "f1", "log_loss"]
    assert scores.metrics["accuracy"] == 0
    assert scores.counts["labels_unknown_to_train"] == 0
    assert section(rows, "Calibration").text == "Nothing was answered."


def test_numbers_as_labels_are_ordered_by_size():
    rows = [row(label, label, dict.fromkeys(("1", "2", "10"), 1 / 3)) for label in ("10", "2", "1", "11")]
    assert Answers.of(rows).labels == ["1", "2", "10", "11"]


def test_without_resamples_there_are_no_intervals():
    scores = score(BY_HAND, resamples=0)
    assert scores.confidence == {}
    assert scores.metrics == score(BY_HAND).metrics


def test_rows_of_a_validation_hold_what_scores_need():
    rows = [{key: one[key] for key in ("text", "gold", "predicted")} for one in BY_HAND]
    assert score(rows) == score(BY_HAND)


def test_errors_and_some_right_answers_are_worth_an_explanation():
    rows = [row("pos", "pos")] * 50 + [row("pos", "neg", 0.6), row("pos", "", error="empty"), row("pos", "neg", 0.9)]
    errors, right = worth_explaining(rows)[:2], worth_explaining(rows)[2:]
    assert errors == [52, 50]
    assert len(right) == SHOWN_RIGHT
    assert (right[0], right[-1]) == (0, 49)
    assert worth_explaining(rows[51:52]) == []
    assert len(worth_explaining([row("pos", "neg")] * 99)) == SHOWN_ERRORS


def test_no_rows_are_refused():
    with pytest.raises(ValueError, match="at least one example, got none"):
        score([])


def test_many_rows_are_scored_quickly():
    rows = many(25_000)
    started = time.process_time()
    score(rows, resamples=0)
    assert time.process_time() - started < 1


def test_labels_have_their_table_and_confusions():
    labels = section([*BY_HAND, row("mixed", "pos"), row("neg", "", error="empty")], "Labels")
    [table] = blocks(labels, Table)
    assert [list(cells) for cells in table.rows] == [
        ["neg", 3, 3, 2 / 3, 2 / 3, 2 / 3],
        ["pos", 2, 2, 1 / 2, 1 / 2, 1 / 2],
        ["mixed", 1, 0, None, 0, 0],
    ]
    [figure] = blocks(labels, Figure)
    assert "(no answer)" in figure.svg
    assert "3 of 6 texts" in labels.text


def test_of_many_labels_the_most_frequent_confusions_are_listed():
    names = [f"label {number}" for number in range(45)]
    even = dict.fromkeys(names, 1 / 45)
    rows = [row(name, name, even) for name in names] + [row(names[0], names[1], even)] * 3
    labels = section(rows, "Labels")
    assert not blocks(labels, Figure)
    [_, confused] = blocks(labels, Table)
    assert [list(cells) for cells in confused.rows] == [["label 0", "label 1", 3]]


def test_calibration_compares_confidence_with_accuracy():
    calibration = section([row("pos", "pos", 0.9)] * 3 + [row("neg", "pos", 0.9)], "Calibration")
    assert "90.0 % sure on average, and 75.0 % of them are right" in calibration.text
    assert "overconfident by 15.0 points" in calibration.text
    assert "(ECE) is 15.00 points" in calibration.text
    reliability, curve, counts = blocks(calibration, Figure)
    assert "Reliability" in reliability.svg
    assert f"87{DASH}93 (n=4)" in counts.svg
    assert "ROC curve of “pos”" in curve.svg


def test_more_than_two_labels_have_no_roc_curve():
    even = dict.fromkeys("abc", 1 / 3)
    calibration = section([row("a", "a", even), row("b", "a", even), row("c", "a", even)], "Calibration")
    assert [figure.alt for figure in blocks(calibration, Figure) if "ROC" in figure.alt] == []


def test_accuracy_is_shown_by_what_makes_texts_hard():
    rows = [
        row("pos", "pos", tokens=3, rating=10),
        row("pos", "pos", tokens=60, rating=7, unseen=1),
        row("pos", "neg", tokens=60, rating=7),
        row("pos", "neg", tokens=900, read=400, unseen=500),
    ]
    for each, count in zip(rows, (0, 1, 0, 500), strict=True):
        each["unseen"] = count
    drawn = blocks(section(rows, "Length, rating and unseen words"), Figure)
    by_length, by_rating, by_truncation, by_unseen = (figure.svg for figure in drawn)
    assert "up to 5" in by_length
    assert f"51{DASH}100" in by_length
    assert "801 or more" in by_length
    assert f"11{DASH}20" not in by_length
    assert by_rating.index(">7<") < by_rating.index(">10<")
    assert "(n=2)" in by_rating
    assert ">a part<" in by_truncation
    assert "up to 2 %" in by_unseen
    assert ">more<" in by_unseen


def test_what_all_texts_share_is_not_drawn():
    assert not section([row("pos", "pos")] * 3, "Length, rating and unseen words").blocks


def test_irregular_answers_are_counted_with_their_reasons():
    rows = [
        row("pos", "", error="no words"),
        row("pos", "", error="no words"),
        row("pos", "", error="not text"),
        row("mixed", "pos", tokens=500, read=400),
    ]
    counts, reasons, unknown = blocks(section(rows, "Irregular answers"), Table)
    assert [cells[1] for cells in counts.rows] == [1, 1, 3]
    assert [list(cells) for cells in reasons.rows] == [["no words", 2], ["not text", 1]]
    assert [list(cells) for cells in unknown.rows] == [["mixed", 1]]


def test_the_most_confident_errors_come_first():
    rows = [
        row("pos", "neg", 0.6, text="doubtful"),
        row("pos", "", error="unread", text="silent"),
        row("pos", "neg", 0.99, text="sure", rating=8, tokens=1000, read=400),
        row("pos", "pos", 1.0, text="right"),
    ]
    worst = section(rows, "Worst errors")
    [html] = blocks(worst, Html)
    text = plain(html)
    assert [text.index(word) for word in ("sure", "doubtful", "silent")] == sorted(
        text.index(word) for word in ("sure", "doubtful", "silent")
    )
    assert "right" not in text
    assert "gold pos rating 8 predicted neg 0.9900 read 400 of 1,000 words sure" in text
    assert "predicted (no answer) error unread silent" in text
    assert "3 of 4 texts have a wrong label" in worst.text


def test_no_more_errors_are_shown_than_fit():
    rows = [row("pos", "neg", explanation=[["bad", 1.0]])] * 60 + [row("pos", "pos", explanation=[["good", 1.0]])] * 60
    legend, wrong, heading, right = blocks(section(rows, "Worst errors"), Html)
    assert "Blue" in legend.markup
    assert wrong.markup.count('class="example"') == SHOWN_ERRORS == 30
    assert "Right answers" in heading.markup
    assert right.markup.count('class="example"') == SHOWN_RIGHT


def test_explained_texts_are_shaded_and_others_shortened():
    rows = [
        row("pos", "neg", 0.9, explanation=[["not", 2.0], ["dull", -1.0]]),
        row("pos", "neg", 0.8, text="word " * 500),
        row("pos", "neg", 0.7, text="x" * 5000),
    ]
    _, html = blocks(section(rows, "Worst errors"), Html)
    assert '<span class="heat" style="--value: 1.00" title="+2">not</span>' in html.markup
    assert '<span class="heat negative" style="--value: 0.50" title="-1">dull</span>' in html.markup
    assert html.markup.count("word") < 150
    assert html.markup.count("x") < 700


def test_no_errors_are_said_so():
    worst = section([row("pos", "pos")], "Worst errors")
    assert worst.text == "No errors."
    assert not worst.blocks


def test_what_users_wrote_is_escaped_on_the_page():
    even = {EVIL: 0.5, "other": 0.5}
    rows = [
        row(EVIL, "other", even, text=EVIL, explanation=[[EVIL, 1.0]]),
        row("other", EVIL, even, text=EVIL),
        row(EVIL, "", error=EVIL),
    ]
    whole = page.RunPage(title="t", task="sentiment", dataset="d", command="c", sections=sections(rows))
    html = render.render_run(whole)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert render.render_run(whole) == html


def test_a_report_on_many_texts_is_small():
    explained = [{**one, "explanation": [["word", 0.1 * at] for at in range(500)]} for one in many(40, seed=1)]
    whole = page.RunPage(title="t", task="s", dataset="d", command="c", sections=sections([*many(3000), *explained]))
    assert len(render.render_run(whole)) < 600_000
