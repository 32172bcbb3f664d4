import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from seqloom.pipelines.slot_filling.spans import Span, differences, is_legal, repair, spans

SLOTS = st.sampled_from(["city", "day", "fromloc.city_name", "x-y"])
TAGS = st.lists(st.just("O") | st.builds("{}-{}".format, st.sampled_from("BI"), SLOTS), max_size=12)


def seqeval_spans(tags):
    return [Span(slot, first, last + 1) for slot, first, last in get_entities(list(tags))]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("", []),
        ("O O", []),
        ("B-a I-a O", [Span("a", 0, 2)]),
        ("B-a B-a", [Span("a", 0, 1), Span("a", 1, 2)]),
        ("I-a I-a", [Span("a", 0, 2)]),
        ("B-a I-b I-b", [Span("a", 0, 1), Span("b", 1, 3)]),
        ("B-a O I-a", [Span("a", 0, 1), Span("a", 2, 3)]),
        ("B-x-y I-x-y I-x", [Span("x-y", 0, 2), Span("x", 2, 3)]),
    ],
)
def test_spans_follow_conlleval(tags, expected):
    assert spans(tags.split()) == expected


@given(TAGS)
def test_spans_equal_those_of_seqeval(tags):
    assert spans(tags) == seqeval_spans(tags)


@given(TAGS)
def test_repair_keeps_the_spans_and_is_legal_and_idempotent(tags):
    repaired = repair(tags)
    assert spans(repaired) == spans(tags)
    assert is_legal(repaired)
    assert repair(repaired) == repaired


@given(TAGS)
def test_a_legal_sequence_is_one_that_repair_leaves_alone(tags):
    assert is_legal(tags) == (repair(tags) == tags)


@pytest.mark.parametrize("tag", ["", "B", "I-", "X-city", "E-city", "o", "Bcity", "-city"])
@pytest.mark.parametrize("function", [spans, is_legal, repair])
def test_what_is_not_a_tag_is_refused_by_name(function, tag):
    with pytest.raises(ValueError, match=f"got '{tag}'"):
        function(["O", tag])


def test_differences_pair_a_missed_span_with_the_prediction_that_covers_most_of_it():
    gold = [Span("a", 0, 4), Span("b", 6, 7), Span("c", 9, 10)]
    predicted = [Span("x", 0, 1), Span("y", 1, 4), Span("b", 6, 7), Span("z", 12, 13)]
    assert differences(gold, predicted) == [
        (Span("a", 0, 4), Span("y", 1, 4)),
        (Span("c", 9, 10), None),
        (None, Span("x", 0, 1)),
        (None, Span("z", 12, 13)),
    ]


@given(TAGS, TAGS)
def test_differences_name_every_wrong_span_and_no_right_one(gold_tags, predicted_tags):
    gold, predicted = spans(gold_tags), spans(predicted_tags)
    pairs = differences(gold, predicted)
    assert [span for span, _ in pairs if span] == [span for span in gold if span not in predicted]
    assert {span for _, span in pairs if span} == set(predicted) - set(gold)


@pytest.mark.real_data
@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_spans_of_atis_equal_those_of_seqeval(split):
    folder = Path(os.environ.get("SEQLOOM_DATA_DIR", "")) / "atis" / split
    if not folder.is_dir():
        pytest.skip("SEQLOOM_DATA_DIR names no folder that holds atis/")
    lines = (folder / "seq.out").read_text().splitlines()
    assert len(lines) > 400
    for line in lines:
        tags = line.split()
        assert spans(tags) == seqeval_spans(tags)
        broken = [tag.replace("B-", "I-") for tag in tags]
        assert spans(broken) == seqeval_spans(broken)
