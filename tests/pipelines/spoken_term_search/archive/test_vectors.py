"""Nearest vectors: what is found against brute force, how an index grows, and files."""

import resource
import signal
from pathlib import Path

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.spoken_term_search.archive.vectors import VectorIndex

KINDS = ("exact", "approximate")


def unit(vectors):
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype("float32")


def clustered(count, dimension=32, seed=0, clusters=200):
    """Vectors around some centres, as those of words are; the centres are the same for every seed."""
    centres = np.random.default_rng(7).normal(size=(clusters, dimension))
    rng = np.random.default_rng(seed)
    return unit(centres[rng.integers(clusters, size=count)] + 0.7 * rng.normal(size=(count, dimension)))


def brute_force(vectors, queries, k):
    scores = queries.astype(np.float64) @ vectors.astype(np.float64).T
    rows = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(scores, rows, axis=1), rows


@pytest.mark.parametrize("kind", KINDS)
@given(count=st.integers(1, 60), dimension=st.integers(1, 9), k=st.integers(1, 70), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_few_vectors_are_found_as_by_brute_force(kind, count, dimension, k, seed):
    rng = np.random.default_rng(seed)
    vectors, queries = unit(rng.normal(size=(count, dimension))), unit(rng.normal(size=(3, dimension)))
    scores, rows = VectorIndex(vectors, kind).search(queries, k)
    assert (scores.dtype, rows.dtype) == (np.float32, np.int64)
    expected, _ = brute_force(vectors, queries, k)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, vectors[rows]), atol=1e-6)
    assert all(len(set(row)) == min(k, count) for row in rows.tolist())


def test_many_vectors_are_found_almost_as_by_brute_force():
    vectors, queries = clustered(20_000), clustered(200, seed=1)
    expected, _ = brute_force(vectors, queries, 10)
    scores, _ = VectorIndex(vectors).search(queries, 10)
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    scores, rows = VectorIndex(vectors, "approximate").search(queries, 10)
    assert np.mean(scores >= expected[:, -1:] - 1e-6) > 0.98
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, vectors[rows]), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_equal_vectors_come_in_the_order_of_their_rows(kind):
    vectors = np.repeat(np.eye(3, dtype="float32"), 5, axis=0)
    _, rows = VectorIndex(vectors, kind).search(np.eye(3, dtype="float32")[:2], 15)
    assert rows[0, :5].tolist() == [0, 1, 2, 3, 4]
    assert rows[1, :5].tolist() == [5, 6, 7, 8, 9]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_calls_give_the_same_index(kind, tmp_path):
    for name in ("first", "second"):
        index = VectorIndex(clustered(3000), kind)
        index.add(clustered(500, seed=3))
        index.save(tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parts", [[0, 1, 100, 6000], [5000, 1, 0, 1100]])
def test_an_index_that_grows_finds_what_one_that_was_made_at_once_finds(kind, parts):
    vectors, queries = clustered(sum(parts)), clustered(50, seed=1)
    first, *others = np.split(vectors, np.cumsum(parts)[:-1])
    index = VectorIndex(first, kind)
    for part in others:
        index.add(part)
    assert len(index) == len(vectors)
    scores, rows = index.search(queries, 10)
    expected, _ = brute_force(vectors, queries, 10)
    if kind == "exact":
        np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert np.mean(scores >= expected[:, -1:] - 1e-6) > 0.98
    np.testing.assert_allclose(scores, np.einsum("qd,qkd->qk", queries, vectors[rows]), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_grows_to_its_fill_as_if_it_had_been_made_so(kind):
    """Lists that are outgrown are learnt anew from all vectors."""
    vectors = clustered(8000)
    grown = VectorIndex(vectors[:100], kind)
    grown.add(vectors[100:])
    queries = clustered(20, seed=1)
    for mine, other in zip(grown.search(queries, 5), VectorIndex(vectors, kind).search(queries, 5), strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mapped", [True, False])
def test_what_is_read_finds_what_was_saved(kind, mapped, tmp_path):
    index = VectorIndex(clustered(4000), kind)
    index.save(tmp_path / "vectors.faiss")
    read = VectorIndex.load(tmp_path / "vectors.faiss", mapped)
    assert (len(read), read.dimension, read.kind) == (4000, 32, kind)
    assert (str(tmp_path / "vectors.faiss") in Path("/proc/self/maps").read_text()) == mapped
    queries = clustered(20, seed=1)
    for mine, other in zip(read.search(queries, 7), index.search(queries, 7), strict=True):
        np.testing.assert_array_equal(mine, other)
    if mapped:
        with pytest.raises(ValueError, match="cannot grow: load it with mapped=False"):
            read.add(queries)
    else:
        read.add(queries)
        scores, rows = read.search(queries, 1)
        np.testing.assert_allclose(scores, 1, atol=1e-5)
        assert rows.ravel().tolist() == list(range(4000, 4020))


def test_a_file_that_is_replaced_stays_readable_where_it_is_mapped(tmp_path):
    VectorIndex(clustered(500)).save(tmp_path / "vectors.faiss")
    read = VectorIndex.load(tmp_path / "vectors.faiss")
    before = read.search(clustered(5, seed=1), 5)
    VectorIndex(clustered(10, seed=2)).save(tmp_path / "vectors.faiss")
    for mine, other in zip(read.search(clustered(5, seed=1), 5), before, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_index_finds_nothing_and_grows(kind, tmp_path):
    VectorIndex(np.zeros((0, 32), np.float32), kind).save(tmp_path / "vectors.faiss")
    index = VectorIndex.load(tmp_path / "vectors.faiss", mapped=False)
    assert (len(index), index.kind) == (0, kind)
    assert [each.shape for each in index.search(clustered(3), 4)] == [(3, 0), (3, 0)]
    index.add(clustered(3))
    assert index.search(clustered(3), 1)[1].ravel().tolist() == [0, 1, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_that_are_all_equal_are_no_obstacle(kind):
    vectors = np.repeat(clustered(1), 5000, axis=0)
    scores, _ = VectorIndex(vectors, kind).search(vectors[:1], 10)
    np.testing.assert_allclose(scores, 1, atol=1e-5)


@pytest.mark.parametrize(
    ("vectors", "reason"),
    [
        (np.ones((2, 4), np.float32) / 2, None),
        (np.ones((2, 4)) / 2, r"must be a float32 array \(vectors, 4\), got float64 \(2, 4\)"),
        (np.ones((2, 3), np.float32), r"must be a float32 array \(vectors, 4\), got float32 \(2, 3\)"),
        (np.ones(4, np.float32), r"must be a float32 array \(vectors, 4\), got float32 \(4,\)"),
        ([[0.5] * 4], "got list"),
        (np.float32([[0.5] * 4, [0.5, 0.5, 0.5, 0.6]]), "must have unit length, got a length of 1.054 in row 1"),
        (np.float32([[0.0] * 4]), "unit length, got a length of 0 in row 0"),
        (np.float32([[0.5] * 4, [np.nan] * 4]), "unit length, got a length of nan in row 1"),
    ],
)
def test_vectors_that_cannot_be_compared_are_refused(vectors, reason):
    index = VectorIndex(np.eye(4, dtype="float32"))
    if reason is None:
        index.add(vectors)
        index.search(vectors, 1)
        return
    with pytest.raises(ValueError, match=reason):
        index.add(vectors)
    with pytest.raises(ValueError, match=reason.replace("vectors", "queries")):
        index.search(vectors, 1)
    assert len(index) == 4


def test_arguments_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="kind must be 'exact' or 'approximate', got 'fast'"):
        VectorIndex(np.eye(2, dtype="float32"), "fast")
    with pytest.raises(ValueError, match=r"vectors must be an array \(vectors, dimension\), got float64 \(3,\)"):
        VectorIndex(np.zeros(3))
    with pytest.raises(ValueError, match="k must be a positive integer, got k=0"):
        VectorIndex(np.eye(2, dtype="float32")).search(np.eye(2, dtype="float32"), 0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mapped", [True, False])
def test_files_that_are_no_index_are_named(kind, mapped, tmp_path):
    path = tmp_path / "vectors.faiss"
    with pytest.raises(UserError, match=f"{path} cannot be read as an index of vectors: No such file"):
        VectorIndex.load(path, mapped)
    VectorIndex(clustered(4000), kind).save(path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-1], whole[:9], b"", b"something else"):
        path.write_bytes(content)
        with pytest.raises(UserError, match=f"{path} cannot be read as an index of vectors: it is damaged"):
            VectorIndex.load(path, mapped)
    faiss.write_index(faiss.IndexFlatL2(4), str(path))
    with pytest.raises(UserError, match="it is of type IndexFlatL2"):
        VectorIndex.load(path, mapped)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", [1, 100_000])
def test_a_full_disk_leaves_the_old_file(kind, missing, tmp_path):
    """Also where only the last byte does not fit, of which `faiss.write_index` itself does not tell."""
    path = tmp_path / "vectors.faiss"
    index = VectorIndex(clustered(4000), kind)
    index.save(path)
    old = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(old) - missing, hard))
    try:
        with pytest.raises(UserError, match=f"there is no space left to write {path}"):
            index.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]
