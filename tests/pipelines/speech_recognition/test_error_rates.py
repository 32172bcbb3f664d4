"""Error rates and alignments against a Levenshtein distance written out, and against jiwer's own rates."""

import jiwer
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.speech_recognition.error_rates import STATISTICS, align, rates, statistics

TEXTS = st.lists(st.sampled_from(["go", "no", "left", "let", "é", "上海"]), max_size=6).map(" ".join)
PAIRS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=5)


def distance(one, other):
    """The least number of substitutions, deletions and insertions between two sequences."""
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=int)
    table[:, 0], table[0] = np.arange(len(one) + 1), np.arange(len(other) + 1)
    for i, a in enumerate(one, start=1):
        for j, b in enumerate(other, start=1):
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + (a != b))
    return table[-1, -1]


def named(gold, heard):
    """Statistics of one utterance by name."""
    return dict(zip(STATISTICS, statistics([gold], [heard])[0].tolist(), strict=True))


def rates_of(gold, heard):
    sums = statistics(gold, heard).sum(axis=0, keepdims=True)
    return {name: float(value[0]) for name, value in rates(sums).items()}


@pytest.mark.parametrize(
    ("gold", "heard", "counts"),
    [
        ("go left now", "go left now", (0, 0, 0, 3, 0, 11, 0, 1)),
        ("go left now", "go let", (1, 1, 0, 3, 5, 11, 1, 1)),
        ("go", "oh go go", (0, 0, 2, 1, 6, 2, 1, 1)),
        ("go left", "", (0, 2, 0, 2, 7, 7, 1, 1)),
        ("", "go", (0, 0, 1, 0, 2, 0, 1, 1)),
        ("", "", (0, 0, 0, 0, 0, 0, 0, 1)),
        ("Go", "go", (1, 0, 0, 1, 1, 2, 1, 1)),
        ("to morrow", "tomorrow", (1, 1, 0, 2, 1, 9, 1, 1)),
    ],
    ids=["right", "three kinds", "insertions", "nothing heard", "nothing said", "silence", "case", "a space"],
)
def test_errors_counted_by_hand(gold, heard, counts):
    assert tuple(named(gold, heard).values()) == counts


@settings(deadline=None)
@given(PAIRS)
def test_edits_are_the_least_possible(pairs):
    gold, heard = zip(*pairs, strict=True)
    table = statistics(gold, heard)
    assert table.shape == (len(pairs), len(STATISTICS))
    for said, recognised, row in zip(gold, heard, table, strict=True):
        assert row[:3].sum() == distance(said.split(), recognised.split())
        assert row[STATISTICS.index("character_edits")] == distance(said, recognised)
        assert row[STATISTICS.index("wrong")] == (said != recognised)


@settings(deadline=None)
@given(PAIRS)
def test_alignments_hold_every_word_once_and_in_order(pairs):
    gold, heard = zip(*pairs, strict=True)
    for said, recognised, aligned, row in zip(gold, heard, align(gold, heard), statistics(gold, heard), strict=True):
        assert [pair.gold for pair in aligned if pair.gold is not None] == said.split()
        assert [pair.heard for pair in aligned if pair.heard is not None] == recognised.split()
        kinds = [pair.kind for pair in aligned]
        assert [kinds.count(kind) for kind in ("substitution", "deletion", "insertion")] == row[:3].tolist()


@settings(deadline=None)
@given(PAIRS)
def test_rates_equal_those_of_jiwer(pairs):
    gold, heard = zip(*pairs, strict=True)
    found = rates_of(gold, heard)
    assert found["wer"] == pytest.approx(jiwer.wer(list(gold), list(heard)))
    assert found["cer"] == pytest.approx(jiwer.cer(list(gold), list(heard)))
    assert found["ser"] == pytest.approx(np.mean([said != recognised for said, recognised in pairs]))


def test_without_a_word_that_was_said_rates_count_insertions():
    assert rates_of(["", ""], ["go left", ""]) == {"wer": 2, "cer": 7, "ser": 0.5}
    assert rates_of([""], [""]) == {"wer": 0, "cer": 0, "ser": 0}


def test_no_utterances_have_no_statistics():
    assert statistics([], []).shape == (0, len(STATISTICS))
    assert align([], []) == []
