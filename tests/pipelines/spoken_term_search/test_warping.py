"""The search by warping, what is kept of it, and how long it takes beside that by vectors."""

from pathlib import Path

import numpy as np

from seqloom.pipelines.spoken_term_search.dtw import distances
from seqloom.pipelines.spoken_term_search.timing import milliseconds
from seqloom.pipelines.spoken_term_search.warping import places, warped_once


def frames(count: int, seed: int, length: int = 12) -> list[np.ndarray]:
    draw = np.random.default_rng(seed)
    return [draw.normal(size=(length + row % 5, 13)).astype(np.float32) for row in range(count)]


def test_the_same_frames_are_warped_once(tmp_path: Path) -> None:
    def warped(seed: int):
        return warped_once(tmp_path, frames(3, seed), frames(20, 1), frames(2, 2, 60), [0, 2], 0.01)

    first, again = warped(0), warped(0)
    assert len(list(tmp_path.rglob("output.pkl"))) == 1
    for found in (first, again):
        np.testing.assert_array_equal(found.to_archive, distances(frames(3, 0), frames(20, 1)))
        np.testing.assert_array_equal(found.to_queries, distances(frames(3, 0), frames(3, 0)))
        assert found.places == {row: places(frames(3, 0)[row], frames(2, 2, 60), 0.01) for row in (0, 2)}
    assert not np.array_equal(warped(5).to_archive, first.to_archive)
    assert len(list(tmp_path.rglob("output.pkl"))) == 2


def test_what_was_kept_damaged_is_warped_again(tmp_path: Path) -> None:
    expected = distances(frames(3, 0), frames(20, 1))
    for _ in range(2):
        found = warped_once(tmp_path, frames(3, 0), frames(20, 1), [], [], 0.01)
        np.testing.assert_array_equal(found.to_archive, expected)
        (kept,) = tmp_path.rglob("output.pkl")
        kept.write_bytes(kept.read_bytes()[:50])


def test_a_look_up_takes_less_time_than_warping() -> None:
    known, asked, draw = frames(2000, 0, 40), frames(3, 1, 40), np.random.default_rng(2)
    vectors = draw.normal(size=(2000, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[7] = 0  # a term that has no vector
    sounds = [np.full(3, place, np.float32) for place in range(3)]
    times = milliseconds(sounds, asked, vectors, known, lambda samples: vectors[int(samples[0])])
    assert len(times) == 3
    for each in times:
        assert 0 < each["look_up"] < each["warping"]
        assert 0 < each["from_samples"] < each["warping"]
    assert milliseconds([], [], vectors, known, lambda samples: vectors[0]) == []
