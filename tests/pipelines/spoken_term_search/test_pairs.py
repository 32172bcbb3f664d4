"""Discovered pairs against choosing among all pairs, one by one."""

import numpy as np
import pytest
import soundfile

from seqloom.pipelines.audio import extract_features
from seqloom.pipelines.audio_config import AudioConfig
from seqloom.pipelines.spoken_term_search.dtw import distances
from seqloom.pipelines.spoken_term_search.pairs import discover, evenly_spaced

SPEAKERS = ["a", "b", None, "a", "c", "b", None, "a", "c", "c", "b", "a"]


def terms(seed, count=12, size=3):
    random = np.random.default_rng(seed)
    return [random.normal(size=(random.integers(1, 15), size)).astype(np.float32) for _ in range(count)]


def words(seed, copies, size=4):
    """`copies` noisy renderings of each of six words, one speed each; the word of each."""
    random = np.random.default_rng(seed)
    lexicon = [random.normal(size=(12, size)) for _ in range(6)]
    said, features = np.repeat(np.arange(6), copies), []
    for word in said:
        frames = np.sort(random.integers(0, 12, random.integers(10, 20)))
        features.append((lexicon[word][frames] + 0.1 * random.normal(size=(len(frames), size))).astype(np.float32))
    return features, said


def chosen_one_by_one(features, neighbours, speakers, mutual):
    """All pairs `{(first, second): distance}` that the definition asks for, if every term is a candidate."""
    matrix, rows = distances(features, features), range(len(features))
    apart = [
        [i != j and (speakers is None or speakers[i] is None or speakers[i] != speakers[j]) for j in rows] for i in rows
    ]
    choices = {
        (i, j)
        for i in rows
        for j in sorted((j for j in rows if apart[i][j]), key=lambda j, i=i: matrix[i, j])[:neighbours]
    }
    return {(min(i, j), max(i, j)): matrix[i, j] for i, j in choices if not mutual or (j, i) in choices}


@pytest.mark.parametrize("neighbours", [1, 2, 5, 12])
@pytest.mark.parametrize("speakers", [None, SPEAKERS])
@pytest.mark.parametrize("mutual", [True, False])
def test_among_all_candidates_pairs_are_those_chosen_one_by_one(neighbours, speakers, mutual):
    features = terms(neighbours)
    pairs, found = discover(features, neighbours, speakers, candidates=12, mutual=mutual)
    expected = chosen_one_by_one(features, neighbours, speakers, mutual)
    assert {(i, j): distance for (i, j), distance in zip(pairs.tolist(), found, strict=True)} == expected
    assert np.all(np.diff(found) >= 0)
    assert pairs.dtype == np.int64
    assert found.dtype == np.float32


def test_there_are_candidates_enough_for_any_number_of_neighbours():
    features = terms(0, count=45)
    pairs, _ = discover(features, 40)
    expected = chosen_one_by_one(features, 40, None, mutual=True)
    assert {(i, j) for i, j in pairs.tolist()} == set(expected)


@pytest.mark.parametrize("speakers", [None, ["a", "b"] * 30])
def test_few_candidates_find_the_same_words(speakers):
    features, said = words(0, copies=10)
    pairs, _ = discover(features, neighbours=2, speakers=speakers, candidates=6)
    assert len(pairs) > 20
    assert np.mean(said[pairs[:, 0]] == said[pairs[:, 1]]) == 1
    assert speakers is None or all(speakers[i] != speakers[j] for i, j in pairs)
    assert np.all(pairs[:, 0] < pairs[:, 1])
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_terms_that_are_all_the_same_pair_with_others_and_not_with_themselves():
    features = [np.ones((5, 2), np.float32)] * 40
    pairs, found = discover(features, neighbours=3, candidates=4, mutual=False)
    assert np.all(pairs[:, 0] < pairs[:, 1])
    assert np.all(np.isin(np.arange(40), pairs))
    assert not found.any()


def test_the_same_terms_give_the_same_pairs():
    features, _ = words(1, copies=20)
    one, other = (discover(features, 3, SPEAKERS * 10, candidates=9) for _ in range(2))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize(("count", "speakers"), [(0, None), (1, None), (4, ["a"] * 4)])
def test_where_nobody_is_another_there_are_no_pairs(count, speakers):
    pairs, found = discover(terms(0, count), 1, speakers)
    assert pairs.shape == (0, 2)
    assert found.shape == (0,)


def test_vectors_are_evenly_spaced_frames_of_unit_length():
    ramp = np.arange(9, dtype=np.float32)[:, None] * [[1.0, -2.0]]
    vectors = evenly_spaced([ramp, ramp[::2], ramp[:1] + 1, ramp[:1]], frames=5)
    expected = np.array([[0, 0, 2, -4, 4, -8, 6, -12, 8, -16], [0, 0, 2, -4, 4, -8, 6, -12, 8, -16], [1] * 10])
    np.testing.assert_allclose(vectors[:3], expected / np.linalg.norm(expected, axis=1, keepdims=True), rtol=1e-6)
    assert not vectors[3].any()
    assert vectors.dtype == np.float32


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match=r"neighbours must lie in \[1, candidates=30\], got neighbours=31"):
        discover(terms(0), 31, candidates=30)
    with pytest.raises(ValueError, match="speakers must be as many as the 12 terms, got 2"):
        discover(terms(0), 1, ["a", "b"])
    with pytest.raises(ValueError, match=r"features must hold .* got shape \(0, 3\)"):
        discover([*terms(0), np.empty((0, 3), np.float32)], 1)


@pytest.mark.real_data
def test_most_pairs_of_digits_are_the_same_digit(data_dir):
    config = AudioConfig(sampling_rate=8000, features="mfcc", coefficients=13)
    paths = sorted(path for index in range(5, 11) for path in (data_dir / "fsdd").glob(f"recordings/*_{index}.wav"))
    features = [extract_features(soundfile.read(path, dtype="float32")[0], config) for path in paths]
    features = [(frames - frames.mean(0)) / frames.std(0) for frames in features]
    digits, speakers = np.array([path.stem.split("_")[:2] for path in paths]).T
    for rule, least in [(None, 0.9), (speakers.tolist(), 0.7)]:
        pairs, _ = discover(features, 2, rule)
        shares = [np.mean(names[pairs[:, 0]] == names[pairs[:, 1]]) for names in (digits, speakers)]
        assert shares[0] > least
        assert rule is None or shares[1] == 0
