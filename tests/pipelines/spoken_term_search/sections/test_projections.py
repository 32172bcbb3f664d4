"""Vectors in two dimensions."""

import numpy as np
import pytest
import sklearn.decomposition

from seqloom.pipelines.spoken_term_search.sections.projections import (
    MOST_POINTS,
    SHOWN_GROUPS,
    principal_components,
    projection_sections,
    stochastic_neighbours,
)


def rows(vectors, labels, speakers=None):
    speakers = speakers or [None] * len(labels)
    return [
        {"embedding": vector.tolist(), "label": label, "speaker": speaker, "error": ""}
        for vector, label, speaker in zip(vectors, labels, speakers, strict=True)
    ]


def clusters(groups, each, size=8, spread=0.05):
    draw = np.random.default_rng(0)
    return np.repeat(draw.normal(size=(groups, size)), each, axis=0) + spread * draw.normal(size=(groups * each, size))


def test_components_are_those_of_scikit_learn_but_for_their_signs():
    vectors = np.random.default_rng(0).normal(size=(50, 7)) * np.arange(1, 8)
    coordinates, shares = principal_components(vectors)
    oracle = sklearn.decomposition.PCA(2).fit(vectors)
    np.testing.assert_allclose(np.abs(coordinates), np.abs(oracle.transform(vectors)), atol=1e-9)
    np.testing.assert_allclose(shares, oracle.explained_variance_ratio_)
    np.testing.assert_allclose(principal_components(-vectors)[0].max(axis=0), np.abs(coordinates).max(axis=0))


@pytest.mark.parametrize("size", [1, 2])
def test_vectors_of_few_dimensions_lie_in_the_plane_too(size):
    coordinates, shares = principal_components(np.random.default_rng(0).normal(size=(9, size)))
    assert coordinates.shape == (9, 2)
    assert sum(shares) == pytest.approx(1)


def test_neighbours_stay_together_and_the_layout_is_the_same_each_time():
    vectors = clusters(4, 10)
    start = principal_components(vectors)[0]
    laid = stochastic_neighbours(vectors, start)
    distances = np.linalg.norm(laid[:, None] - laid, axis=-1) + np.where(np.eye(40), np.inf, 0)
    assert (distances.argmin(axis=1) // 10 == np.arange(40) // 10).all()
    assert (stochastic_neighbours(vectors, start) == laid).all()


def test_vectors_are_coloured_by_word_and_by_speaker():
    [section] = projection_sections(rows(clusters(3, 4), list("aaaabbbbcccc"), ["ann", "bob"] * 6))
    assert len(section.blocks) == 4
    for figure, names in zip(section.blocks, ["abc", "abc", ["ann", "bob"], ["ann", "bob"]], strict=True):
        assert all(f">{name}</text>" in figure.svg for name in names)
    assert "The vectors of all queries" in section.text


def test_rare_words_are_grey():
    count = SHOWN_GROUPS + 3
    labels = [f"word{number:02d}" for number in range(count) for _ in range(2)]
    by_word, _ = projection_sections(rows(clusters(count, 2), labels))[0].blocks
    assert by_word.svg.count(">word") == SHOWN_GROUPS
    assert ">(others)</text>" in by_word.svg


def test_without_labels_points_have_no_names():
    components, neighbours = projection_sections(rows(clusters(2, 4), [None] * 8))[0].blocks
    assert ">Principal components</text>" in components.svg
    assert ">t-SNE</text>" in neighbours.svg
    assert "others)</text>" not in components.svg


def test_of_many_queries_some_are_drawn():
    count = MOST_POINTS + 100
    [section] = projection_sections(rows(clusters(2, count // 2, size=3), ["a", "b"] * (count // 2)))
    assert f"The vectors of {MOST_POINTS} of {count} queries" in section.text


@pytest.mark.parametrize("vectors", [np.ones((9, 4)), np.eye(4)])
def test_equal_or_very_few_vectors_are_not_drawn(vectors):
    assert not projection_sections(rows(vectors, ["a"] * len(vectors)))


def test_rows_without_a_vector_are_left_out():
    failed = {"embedding": [0.0] * 8, "label": "a", "speaker": None, "error": "silent"}
    assert not projection_sections([failed] * 20)
    assert not projection_sections([{"label": "a", "speaker": None, "error": ""}] * 20)
