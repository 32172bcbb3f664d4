import os
import re
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from seqloom.datasets.brackets import parse, to_brackets
from seqloom.datasets.labelled_tree import LabelledTree, binary
from seqloom.pipelines.reporting import page, render
from seqloom.pipelines.reporting.page import DASH, Figure, Html, Table
from seqloom.pipelines.tree_sentiment.evaluation import SHOWN_ERRORS, SHOWN_RIGHT, score, sections
from seqloom.pipelines.tree_sentiment.judgement import Judgement

EVIL = "<script>alert('x')</script>&\"城市"


def gold_labels(tree):
    """The labels of a tree in brackets in the order of its closing brackets, read without `LabelledTree`."""
    labels, opened = [], []
    for label, closing in re.findall(r"\((-?\d+)|(\))", tree):
        if closing:
            labels.append(opened.pop())
        else:
            opened.append(int(label))
    return labels


def row(tree, answers=None, classes=5, confidence=0.6, error="", root_only=False):
    """A line of predictions; without answers they are those of gold, in post-order."""
    answers = gold_labels(tree) if answers is None else answers
    label = answers[-1]
    probabilities = [(1 - confidence) / (classes - 1)] * classes
    probabilities[label] = confidence
    nodes = [] if error or root_only else [str(each) for each in answers]
    return {
        "tree": tree,
        "gold": {"label": gold_labels(tree)[-1]},
        "predicted": {
            "label": "" if error else str(label),
            "probabilities": [] if error else probabilities,
            "node_labels": nodes,
            "node_confidences": [confidence] * len(nodes),
            "error": error,
        },
    }


def by_title(rows, classes=5):
    return {section.title: section for section in sections(rows, classes)}


def section(rows, title, classes=5):
    return by_title(rows, classes)[title]


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def plain(html):
    return " ".join(re.sub("<[^>]*>", " ", html.markup).split())


def many(count, classes=5, seed=0):
    """Rows of a model that is right in seven nodes of ten, on trees of random forms."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        trees = [f"({rng.integers(classes)} word{number})" for number in range(rng.integers(1, 12))]
        while len(trees) > 1:
            at = int(rng.integers(len(trees) - 1))
            trees[at : at + 2] = [f"({rng.integers(classes)} {trees[at]} {trees[at + 1]})"]
        gold = np.array(gold_labels(trees[0]))
        answers = np.where(rng.random(len(gold)) < 0.7, gold, rng.integers(classes, size=len(gold)))
        made.append(row(trees[0], answers.tolist(), classes, float(0.5 + rng.random() / 2)))
    return made


BY_HAND = [
    row("(3 (2 It) (4 (2 's) (3 good)))", [2, 2, 3, 3, 3], confidence=0.8),  # 4 of 5 nodes
    row("(0 (0 awful))", [1, 2], confidence=0.5),  # 0 of 2, the root 2 off
    row("(1 (2 not) (-1 (2 so) (3 good)))", [2, 1, 3, 0, 2], confidence=0.6),  # 2 of 4, the root 1 off
]


def test_metrics_of_trees_counted_by_hand():
    scores = score(BY_HAND, 5)
    assert list(scores.metrics) == [
        "root_accuracy_fine",
        "node_accuracy",
        "mean_absolute_error",
        "f1",
        "log_loss",
        "ece",
    ]
    assert scores.metrics == pytest.approx(
        {
            "root_accuracy_fine": 1 / 3,
            "node_accuracy": (4 + 0 + 2) / (5 + 2 + 4),
            "mean_absolute_error": (0 + 2 + 1) / 3,
            "f1": (0 + 0 + 1) / 3,
            "log_loss": -np.log([0.8, 0.125, 0.1]).mean(),
            "ece": (0.2 + 0.5 + 0.6) / 3,
        }
    )
    assert scores.confidence.keys() == scores.metrics.keys()
    assert scores.counts == {"errors": 0, "labels_unknown_to_train": 0, "unlabelled_nodes": 1, "unlabelled_roots": 0}


@pytest.mark.parametrize(
    ("classes", "name"), [(2, "root_accuracy_binary"), (3, "root_accuracy"), (5, "root_accuracy_fine")]
)
def test_metrics_are_those_of_scikit_learn(classes, name):
    rows = many(200, classes)
    gold, predicted = [row["gold"]["label"] for row in rows], [int(row["predicted"]["label"]) for row in rows]
    probabilities = [row["predicted"]["probabilities"] for row in rows]
    of_nodes = [label for row in rows for label in gold_labels(row["tree"])]
    answered = [int(label) for row in rows for label in row["predicted"]["node_labels"]]
    expected = {
        name: sklearn_metrics.accuracy_score(gold, predicted),
        "node_accuracy": sklearn_metrics.accuracy_score(of_nodes, answered),
        "mean_absolute_error": sklearn_metrics.mean_absolute_error(gold, predicted),
        "f1": sklearn_metrics.f1_score(gold, predicted, average="macro"),
        "log_loss": sklearn_metrics.log_loss(gold, probabilities),
    }
    if classes == 2:
        del expected["mean_absolute_error"]
    found = score(rows, classes, resamples=0).metrics
    assert {key: value for key, value in found.items() if key != "ece"} == pytest.approx(expected)


def test_the_interval_of_nodes_is_one_over_trees():
    alike = score([row("(3 (2 so) (1 bad))", [2, 2, 3])] * 30, 5)
    assert alike.confidence["node_accuracy"] == pytest.approx((2 / 3, 2 / 3))
    rows = many(60)
    right = [
        [a == int(b) for a, b in zip(gold_labels(r["tree"]), r["predicted"]["node_labels"], strict=True)] for r in rows
    ]
    rng = np.random.default_rng(7)
    drawn = [np.concatenate([right[at] for at in rng.integers(60, size=60)]).mean() for _ in range(2000)]
    assert score(rows, 5).confidence["node_accuracy"] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.012)


def test_nodes_without_a_label_are_not_scored():
    rows = [row("(3 (-1 so) (1 bad))", [4, 1, 3]), row("(-1 (2 well) (-1 ,))", [2, 0, 0])]
    scores = score(rows, 5)
    assert scores.metrics["node_accuracy"] == 1
    assert scores.metrics["root_accuracy_fine"] == 1
    assert scores.counts["unlabelled_nodes"] == 3
    assert scores.counts["unlabelled_roots"] == 1
    everything = [*rows, row("(-1 (-1 well) (-1 ,))", [0, 0, 0])]
    assert score(everything, 5).metrics == scores.metrics
    assert np.isfinite(list(score(everything, 5).confidence.values())).all()


def test_errors_are_wrong_at_all_labelled_nodes_and_as_far_off_as_can_be():
    errors = [row("(3 (-1 too) (4 long))", error="too long"), row("(0 long)", error="too long")]
    scores = score([*BY_HAND, *errors], 5)
    assert scores.metrics["root_accuracy_fine"] == pytest.approx(1 / 5)
    assert scores.metrics["node_accuracy"] == pytest.approx(6 / (11 + 2 + 1))
    assert scores.metrics["mean_absolute_error"] == pytest.approx((0 + 2 + 1 + 3 + 4) / 5)
    assert scores.counts["errors"] == 2


def test_only_errors_still_have_a_score():
    rows = [row("(3 (2 so) (1 bad))", error="too long")] * 2
    scores = score(rows, 5)
    assert list(scores.metrics) == ["root_accuracy_fine", "mean_absolute_error", "f1", "log_loss"]
    assert scores.metrics["root_accuracy_fine"] == 0
    assert section(rows, "Calibration").text == "Nothing was answered."


def test_labels_that_train_lacks_are_wrong_and_counted():
    rows = [*BY_HAND, row("(7 (5 odd) (2 thing))", [2, 2, 4]), row("(900000000 huge)", [4])]
    scores = score(rows, 5)
    assert scores.metrics["root_accuracy_fine"] == pytest.approx(1 / 5)
    assert scores.metrics["node_accuracy"] == pytest.approx((6 + 1 + 0) / (11 + 3 + 1))
    assert scores.counts["labels_unknown_to_train"] == 3
    found = by_title(rows)
    names = [cells[0] for cells in blocks(found["Labels"], Table)[0].rows]
    assert names == ["very negative", "negative", "neutral", "positive", "very positive", "7", "900000000"]
    html = plain(blocks(found["Trees"], Html)[-1])
    assert "gold 900000000 predicted very positive 0.6000" in html


def test_answers_of_the_root_alone_have_no_accuracy_of_nodes():
    rows = [{**one, "predicted": {**one["predicted"], "node_labels": [], "node_confidences": []}} for one in BY_HAND]
    whole, alone = score(BY_HAND, 5), score(rows, 5)
    assert "node_accuracy" not in alone.metrics
    assert alone.metrics == {name: value for name, value in whole.metrics.items() if name != "node_accuracy"}
    found = by_title(rows)
    assert "so: no answer, gold neutral" in plain(blocks(found["Trees"], Html)[-1])
    assert len(blocks(found["Labels"], Table)) == 1
    assert blocks(found["Negation and contrast"], Table)[0].columns == ("sentences", "trees", "root_accuracy")


def test_without_resamples_there_are_no_intervals():
    scores = score(BY_HAND, 5, resamples=0)
    assert scores.confidence == {}
    assert scores.metrics == score(BY_HAND, 5).metrics


def test_rows_that_cannot_be_scored_are_refused():
    with pytest.raises(ValueError, match="gold label at the root of a tree, got none in 0 rows"):
        score([], 5)
    with pytest.raises(ValueError, match="gold label at the root of a tree, got none in 1 rows"):
        score([row("(-1 (2 well) (-1 ,))", [2, 0, 0])], 5)
    with pytest.raises(ValueError, match=r"node_labels must hold one label for each of the 3 nodes of .*, got 2"):
        score([row("(1 (2 well) (2 ,))", [2, 1])], 5)
    with pytest.raises(ValueError, match="probabilities must hold one number for each of 3 classes, got 5"):
        score(BY_HAND, 3)


def test_roots_and_phrases_have_their_tables_and_confusions():
    labels = section([*BY_HAND, row("(3 (2 too) (2 long))", error="too long")], "Labels")
    roots, phrases = blocks(labels, Table)
    assert [list(cells[:3]) for cells in roots.rows] == [
        ["very negative", 1, 0],
        ["negative", 1, 0],
        ["neutral", 0, 2],
        ["positive", 2, 1],
        ["very positive", 0, 0],
    ]
    assert [cells[1] for cells in phrases.rows] == [2, 1, 6, 4, 1]
    assert [cells[2] for cells in phrases.rows] == [0, 2, 5, 4, 0]
    assert "1 of 4 trees" in labels.text
    assert "6 of 14 phrases" in plain(blocks(labels, Html)[0])
    assert all("very negative" in figure.svg for figure in blocks(labels, Figure))


def test_classes_are_named_by_what_they_mean_or_by_their_number():
    for classes, names in ((2, ["negative", "positive"]), (3, ["0", "1", "2"])):
        table = blocks(section([row("(1 (0 not) (1 bad))", classes=classes)], "Labels", classes), Table)[0]
        assert [cells[0] for cells in table.rows] == names


def test_accuracy_is_shown_by_form():
    long = "(3 x)"
    for _ in range(24):
        long = f"(3 (3 x) {long})"
    rows = [row("(3 (2 so) (1 bad))", [2, 2, 3]), row("(0 bad)", [1]), row(long)]
    drawn = blocks(section(rows, "Depth, length and phrases"), Figure)
    depth, length, phrase, height = (figure.svg for figure in drawn)
    assert "up to 3" in depth
    assert "21 or more" in depth
    assert f"21{DASH}25" in length
    assert f">2{DASH}3<" in phrase
    assert "(n=28)" in phrase  # words: 25 of the long tree, 2 and 1
    assert "92.9" in phrase  # 26 of them are right
    assert "(n=28)" in height
    assert f">16{DASH}" not in height


def test_trees_of_one_form_are_not_compared():
    assert not section([row("(3 good)")] * 3, "Depth, length and phrases").blocks


@pytest.mark.parametrize(
    ("words", "negated", "contrasting"),
    [
        ("it is n't bad", True, False),
        ("Not bad but long", True, True),
        ("I don't know", True, False),
        ("I don’t know", True, False),
        ("But it is notable", False, False),
        ("all but", False, False),
        ("good BUT not", True, True),
        ("nothing butter", True, False),
        ("good", False, False),
        ("but", False, False),
    ],
)
def test_hard_sentences_are_found(words, negated, contrasting):
    leaves = " ".join(f"(2 {word})" for word in words.split())
    judgement = Judgement.of(row(f"(3 {leaves})"))
    assert (judgement.is_negated, judgement.has_contrast) == (negated, contrasting)


def test_hard_sentences_have_accuracies_of_their_own():
    rows = [
        row("(1 (2 not) (3 good))", [2, 3, 3]),
        row("(3 (1 never) (1 dull))", [2, 1, 3]),
        row("(3 (3 (3 fine) (2 but)) (2 long))"),
        row("(-1 (2 not) (3 scored))", [2, 3, 0]),
    ]
    found = section(rows, "Negation and contrast")
    [table] = blocks(found, Table)
    with_negation, without, contrast, rest = (list(cells[1:]) for cells in table.rows)
    assert with_negation == pytest.approx([2, 1 / 2, 4 / 6])
    assert without == contrast == pytest.approx([1, 1, 1])
    assert rest == pytest.approx([2, 1 / 2, 4 / 6])
    [figure] = blocks(found, Figure)
    assert "with a negation" in figure.svg
    assert "n't" in found.text


def test_sentences_of_one_kind_are_counted_and_not_compared():
    found = section([row("(3 good)")] * 2, "Negation and contrast")
    [table] = blocks(found, Table)
    assert [list(cells[1:]) for cells in table.rows] == [[0, None, None], [2, 1, 1], [0, None, None], [2, 1, 1]]
    assert not blocks(found, Figure)


def test_irregular_answers_are_counted_with_their_reasons():
    rows = [
        *BY_HAND,
        row("(3 good)", error="too long"),
        row("(3 good)", error="no tree"),
        row("(3 good)", error="too long"),
        row("(9 (-1 odd) (2 thing))", [2, 2, 3]),
    ]
    counts, reasons = blocks(section(rows, "Irregular answers"), Table)
    assert [cells[1] for cells in counts.rows] == [3, 1, 2, 0]
    assert [list(cells) for cells in reasons.rows] == [["too long", 2], ["no tree", 1]]


def test_the_surest_errors_are_drawn_after_right_trees():
    rows = [
        row("(3 doubtful)", [1], confidence=0.4),
        row("(3 silent)", error="too long"),
        row("(3 sure)", [0], confidence=0.9),
        row("(3 right)", confidence=0.7),
    ]
    trees = section(rows, "Trees")
    _, right_title, right, wrong_title, wrong = blocks(trees, Html)
    assert "Right roots" in right_title.markup
    assert "Wrong roots" in wrong_title.markup
    assert "gold positive predicted positive 0.7000 sentence right phrases 1 of 1" in plain(right)
    assert plain(wrong).index("sure: predicted very negative (0.90), gold positive") < plain(wrong).index("doubtful")
    assert "silent" not in plain(wrong)
    assert "2 of 4 roots have a wrong answer" in trees.text


def test_no_more_trees_are_drawn_than_fit():
    rows = [row("(3 (2 so) (3 good))")] * 40 + [row("(3 (2 so) (3 good))", [2, 3, 1])] * 40
    _, _, right, _, wrong = blocks(section(rows, "Trees"), Html)
    assert right.markup.count("<svg") == SHOWN_RIGHT
    assert wrong.markup.count("<svg") == SHOWN_ERRORS


def test_a_report_of_nothing_but_errors_draws_no_tree():
    trees = section([row("(3 good)", error="too long")] * 2, "Trees")
    assert len(blocks(trees, Html)) == 1
    assert "0 of 2 roots have a wrong answer" in trees.text


def test_what_users_wrote_is_escaped_on_the_page():
    word = EVIL.replace("(", "[").replace(")", "]")
    rows = [row(f"(3 (2 {word}) (3 good))", [2, 3, 1]), row(f"(3 {word})"), row("(3 good)", error=EVIL)]
    whole = page.RunPage(title="t", task="tree_sentiment", dataset="d", command="c", sections=sections(rows, 5))
    html = render.render_run(whole)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 3
    assert render.render_run(whole) == html


def test_a_report_on_many_trees_is_small():
    whole = page.RunPage(title="t", task="s", dataset="d", command="c", sections=sections(many(1500), 5))
    assert len(render.render_run(whole)) < 300_000


@pytest.mark.real_data
@pytest.mark.parametrize("classes", [2, 5])
def test_the_treebank_scored_against_itself_is_right_everywhere(classes):
    lines = (Path(os.environ["SEQLOOM_DATA_DIR"]) / "sst" / "dev.txt").read_text(encoding="utf-8").splitlines()
    trees: list[LabelledTree | None] = [parse(line) for line in lines]
    if classes == 2:
        trees = [binary(tree) for tree in trees if tree]
    kept = [to_brackets(tree) for tree in trees if tree]
    rows = [row(tree, [max(label, 0) for label in gold_labels(tree)], classes, confidence=1.0) for tree in kept]
    scores = score(rows, classes, resamples=0)
    assert len(rows) == (1101 if classes == 5 else 872)
    assert {
        name: value for name, value in scores.metrics.items() if name.endswith(("accuracy", "f1"))
    } == pytest.approx({"node_accuracy": 1, "f1": 1})
    assert scores.metrics["log_loss"] == scores.metrics["ece"] == 0
