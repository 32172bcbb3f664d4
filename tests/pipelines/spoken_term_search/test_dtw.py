"""Compiled warping against a plain dynamic program, and against all stretches of a recording one by one."""

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqloom.pipelines.spoken_term_search.dtw import distances, pair_distances, subsequence_distances

# Few values, so that many paths and many stretches are equally good.
TERMS = st.integers(1, 6).flatmap(lambda frames: arrays(np.float32, (frames, 2), elements=st.sampled_from([0, 1, 3])))


def terms(seed, count, longest=9, size=13):
    random = np.random.default_rng(seed)
    return [random.normal(size=(random.integers(1, longest + 1), size)).astype(np.float32) for _ in range(count)]


def path_cost(one, other):
    """The recursion as it stands in the textbook."""
    cost = np.full((len(one) + 1, len(other) + 1), np.inf)
    cost[0, 0] = 0
    for i, frame in enumerate(one.astype(np.float64)):
        for j, against in enumerate(other.astype(np.float64)):
            best = min(cost[i, j], cost[i, j + 1], cost[i + 1, j])
            cost[i + 1, j + 1] = np.sqrt(np.sum((frame - against) ** 2)) + best
    return cost[-1, -1]


def distance(one, other):
    return path_cost(one, other) / (len(one) + len(other))


def hits_one_by_one(query, recording, hits):
    """The definition: for each end the cheapest start, then the best ends that overlap with no better one."""
    ends = range(1, len(recording) + 1)
    starts = [min(range(end), key=lambda start: path_cost(query, recording[start:end])) for end in ends]
    stretches = sorted(
        (distance(query, recording[start:end]), start, end) for start, end in zip(starts, ends, strict=True)
    )
    found = []
    for score, start, end in stretches:
        if len(found) < hits and all(end <= other.start or start >= other.stop for _, other in found):
            found.append((score, slice(start, end)))
    return [(score, stretch.start, stretch.stop) for score, stretch in found]


def test_rows_are_queries_and_columns_the_archive():
    queries, archive = terms(0, 3), terms(1, 5)
    expected = [[distance(query, term) for term in archive] for query in queries]
    found = distances(queries, archive)
    assert found.shape == (3, 5)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_array_equal(distances(archive, queries), found.T)


@given(TERMS, TERMS)
def test_distances_of_any_lengths_equal_the_textbook(one, other):
    np.testing.assert_allclose(distances([one], [other]), [[distance(one, other)]], rtol=1e-6)


def test_distances_equal_those_of_librosa():
    query, term = terms(2, 2, longest=40)
    accumulated = librosa.sequence.dtw(query.T, term.T, backtrack=False)
    np.testing.assert_allclose(
        distances([query], [term])[0, 0], accumulated[-1, -1] / (len(query) + len(term)), rtol=1e-6
    )


@pytest.mark.parametrize(("queries", "archive"), [(1, 21_000), (150, 200), (2_000, 20)])
def test_many_pairs_are_the_same_as_a_few(queries, archive):
    queries, archive = terms(3, queries, longest=3, size=2), terms(4, archive, longest=3, size=2)
    found = distances(queries, archive)
    np.testing.assert_array_equal(found[-1:], distances(queries[-1:], archive))
    np.testing.assert_array_equal(found[:, -3:], distances(queries, archive[-3:]))


def test_a_term_said_slower_is_no_farther():
    (query,) = terms(5, 1)
    assert distances([query], [np.repeat(query, 3, axis=0)]) == 0


def test_the_layout_in_memory_does_not_matter():
    query, term = terms(6, 2)
    expected = distances([query], [term])
    whole = np.asfortranarray(np.hstack([term, term]).astype(np.float64))
    whole.flags.writeable = False
    np.testing.assert_array_equal(distances([query], [whole[:, : term.shape[1]]]), expected)
    np.testing.assert_array_equal(distances([query], [term[::-1][::-1]]), expected)


def test_nothing_against_something_is_nothing():
    assert distances([], terms(7, 4)).shape == (0, 4)
    assert distances(terms(7, 4), []).shape == (4, 0)
    assert pair_distances(terms(7, 4), np.empty((0, 2), np.int64)).shape == (0,)


def test_pairs_are_the_same_as_the_matrix_in_any_order():
    features = terms(8, 7)
    pairs = np.random.default_rng(8).permutation([(i, j) for i in range(7) for j in range(7)])
    np.testing.assert_array_equal(pair_distances(features, pairs), distances(features, features)[tuple(pairs.T)])


@pytest.mark.parametrize("lengths", [(1, 1), (1, 9), (4, 12), (6, 25), (12, 4), (9, 1)])
@pytest.mark.parametrize("hits", [1, 4])
def test_hits_are_those_found_one_by_one(lengths, hits):
    random = np.random.default_rng(sum(lengths))
    query, recording = (random.normal(size=(length, 3)).astype(np.float32) for length in lengths)
    found = subsequence_distances(query, recording, hits)
    expected = hits_one_by_one(query, recording, hits)
    assert [hit[1:] for hit in found] == [hit[1:] for hit in expected]
    np.testing.assert_allclose([hit.distance for hit in found], [hit[0] for hit in expected], rtol=1e-9)


@given(TERMS, TERMS)
def test_hits_are_cheapest_to_their_ends_and_apart_and_ordered(query, recording):
    hits = subsequence_distances(query, recording, hits=9)
    for hit in hits:
        cost = path_cost(query, recording[hit.start : hit.end])
        assert hit.distance == pytest.approx(cost / (len(query) + hit.end - hit.start))
        others = [path_cost(query, recording[start : hit.end]) for start in range(hit.end)]
        assert cost == pytest.approx(min(others))
    assert hits == sorted(hits, key=lambda hit: hit.distance)
    covered = [frame for hit in hits for frame in range(hit.start, hit.end)]
    assert len(covered) == len(set(covered)) > 0


def test_the_best_hit_is_that_of_librosa():
    random = np.random.default_rng(9)
    recording = random.normal(size=(60, 5))
    query = recording[21:41] + 0.1 * random.normal(size=(20, 5))
    costs, path = librosa.sequence.dtw(query.T, recording.T, subseq=True)
    (hit,) = subsequence_distances(query, recording, hits=1)
    assert (hit.start, hit.end) == (path[-1, 1], path[0, 1] + 1)
    assert hit.distance == pytest.approx(costs[-1].min() / (20 + hit.end - hit.start))


def test_every_place_of_a_term_is_found_fast_or_slow():
    random = np.random.default_rng(10)
    query, recording = random.normal(size=(8, 5)), random.normal(size=(80, 5))
    recording[5:13] = recording[60:68] = query
    recording[30:46] = np.repeat(query, 2, axis=0)
    first, slow, third, other = subsequence_distances(query, recording, hits=4)
    assert [first, third] == [(0, 5, 13), (0, 60, 68)]
    assert slow == (0, 31, 45)  # of paths that cost nothing the shortest one
    assert other.distance > 0.1


def test_a_query_longer_than_the_recording_is_still_used_whole():
    random = np.random.default_rng(11)
    query = random.normal(size=(20, 5))
    recording = query[6:11]  # found at no cost if the roles were swapped
    (hit,) = subsequence_distances(query, recording, hits=1)
    assert hit.distance == pytest.approx(distance(query, recording[hit.start : hit.end]))
    assert hit.distance > 0.5


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.empty((0, 13)), r"shape \(0, 13\)"),
        (np.zeros(13), r"shape \(13,\)"),
        (np.full((3, 13), np.nan), "values that are not finite"),
        (np.full((3, 13), np.inf), "values that are not finite"),
        (np.zeros((3, 12)), r"sizes \[12, 13\]"),
    ],
)
def test_what_cannot_be_warped_is_refused_by_name(bad, message):
    good = terms(12, 1)[0]
    with pytest.raises(ValueError, match=f"archive .*{message}"):
        distances([good], [good, bad])
    with pytest.raises(ValueError, match=f"features .*{message}"):
        pair_distances([good, bad], np.array([[0, 1]]))
    with pytest.raises(ValueError, match=f"recording .*{message}"):
        subsequence_distances(good, bad)
