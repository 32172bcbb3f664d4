"""What rankings are worth, and which queries are shown."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st

from seqloom.pipelines.spoken_term_search.judgement import (
    ALL,
    best_middling_worst,
    judge,
    worth_hearing,
    worth_restoring,
)


def query(*ranks, error="", **more):
    return {"ranks": list(ranks), "candidates": 20, "hits": [{"score": 0.5}], "error": error, **more}


@given(st.lists(st.booleans(), min_size=1, max_size=30))
def test_rankings_are_judged_as_by_scikit_learn(relevant):
    assume(any(relevant))
    judgement = judge({"ranks": (np.flatnonzero(relevant) + 1).tolist(), "candidates": len(relevant)})
    expected = sklearn.metrics.average_precision_score(relevant, -np.arange(len(relevant)))
    assert judgement.average_precision == pytest.approx(expected)
    assert judgement.precision_at_1 == relevant[0]
    assert judgement.precision_at_10 == pytest.approx(np.mean(relevant[:10]))
    assert (judgement.relevant, judgement.candidates) == (sum(relevant), len(relevant))


def test_a_ranking_without_anything_to_find_is_not_judged():
    assert judge({"ranks": [], "candidates": 9}) is None
    assert judge({}) is None
    assert judge(query(1), ALL) is None
    assert judge(query(1, ranks_of_all=[2], candidates_of_all=30), ALL).average_precision == 0.5


def test_the_best_the_median_and_the_worst_are_heard():
    rows = [query(9), query(2), query(1, error="silent"), query(1), query(), query(5), query(3)]
    assert worth_hearing(rows) == {"best": 3, "middling": 6, "worst": 0}
    assert worth_hearing([query(2)]) == {"best": 0}
    assert worth_hearing([query(2), query(1)]) == {"best": 1, "worst": 0}
    assert worth_hearing([]) == worth_hearing([query(1, error="silent"), query(1, hits=[])]) == {}


def test_without_labels_the_surest_answer_is_the_best():
    rows = [query(hits=[{"score": score}]) for score in (0.3, 0.9, 0.8)]
    assert worth_hearing(rows) == {"best": 1, "middling": 2, "worst": 0}


def test_restorations_are_chosen_by_their_errors():
    rows = [query(restoration_error=error) for error in (0.5, 0.1, 0.9)] + [query(restoration_error=0.0, error="no")]
    assert worth_restoring(rows) == {"best": 1, "middling": 0, "worst": 2}
    assert worth_restoring([query()]) == {}


def test_of_equals_the_first_one_is_the_best():
    assert best_middling_worst(dict.fromkeys(range(5), 0.5)) == {"best": 0, "middling": 2, "worst": 4}
