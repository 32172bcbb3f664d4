"""Where there is sound in a recording, windows over it, and hits that overlap."""

import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from seqloom.datasets.audio_file import read_audio
from seqloom.pipelines.spoken_term_search.archive.windows import best_of_overlapping, sliding_windows, voiced_stretches

RATE = 8000


def tone(seconds, level=0.3, rate=RATE):
    return (level * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)).astype("float32")


def hiss(seconds, level, seed=0, rate=RATE):
    return np.random.default_rng(seed).normal(0, level, round(seconds * rate)).astype("float32")


def recording(*parts):
    """Tones of so many seconds, and pauses of so many negative ones."""
    return np.concatenate([tone(part) if part > 0 else np.zeros(round(-part * RATE), np.float32) for part in parts])


def seconds(stretches):
    return (stretches / RATE).round(2).tolist()


def test_pauses_shorter_than_a_fifth_of_a_second_are_bridged():
    samples = recording(-1, 0.5, -0.15, 0.5, -0.3, 0.4, -1)
    assert seconds(voiced_stretches(samples, RATE)) == [[0.99, 2.16], [2.44, 2.86]]


def test_a_click_is_no_stretch():
    """The average over three blocks makes it one of 30 ms."""
    samples = recording(-0.5, 0.005, -0.5, 0.3, -0.5)
    assert seconds(voiced_stretches(samples, RATE)) == [[0.99, 1.32]]


@pytest.mark.parametrize("level", [1e-3, 0.03, 1.0, 20.0])
def test_loudness_is_relative_to_the_recording(level):
    """The same word is found in a soft recording and a loud one, and noise 50 dB below it is none."""
    samples = recording(-1, 0.5, -1) + hiss(2.5, 0.3 * 10 ** (-50 / 20) / np.sqrt(2))
    assert seconds(voiced_stretches((level * samples).astype("float32"), RATE)) == [[0.99, 1.51]]


def test_long_pauses_do_not_make_noise_a_voice():
    """A single word in ten minutes of noise: the mean of all would be near the noise."""
    samples = hiss(600, 0.001)
    samples[RATE * 300 : RATE * 301] += tone(1, 0.3)
    assert seconds(voiced_stretches(samples, RATE)) == [[299.99, 301.01]]


def test_a_part_that_is_softer_by_less_than_35_db_is_found():
    soft, softer = tone(0.5, 0.3 * 10 ** (-30 / 20)), tone(0.5, 0.3 * 10 ** (-40 / 20))
    pause = np.zeros(RATE, np.float32)
    samples = np.concatenate([tone(0.5), pause, soft, pause, softer])
    assert seconds(voiced_stretches(samples, RATE)) == [[0.0, 0.51], [1.49, 2.01]]


@pytest.mark.parametrize(
    "samples",
    [np.zeros(8000), np.zeros(1), np.full(8000, 0.2), hiss(2, 1 / 32768), np.ones(1)],
    ids=["zeros", "one zero", "an offset", "the last of 16 bits", "one sample"],
)
def test_there_is_nothing_in_silence(samples):
    stretches = voiced_stretches(samples.astype("float32"), RATE)
    assert (stretches.shape, stretches.dtype) == ((0, 2), np.int64)
    assert sliding_windows(stretches, [2000], 800).shape == (0, 2)


def test_an_offset_changes_nothing():
    samples = recording(-1, 0.5, -1, 0.3, -1)
    np.testing.assert_array_equal(voiced_stretches(samples, RATE), voiced_stretches(samples + np.float32(0.3), RATE))


@given(
    parts=st.lists(
        st.tuples(st.integers(1, 4000), st.sampled_from([0.0, 1e-4, 0.01, 0.3, 1.0])), min_size=1, max_size=8
    ),
    rate=st.sampled_from([100, 999, 8000, 11_025]),
)
@settings(max_examples=100, deadline=None)
def test_stretches_are_as_by_their_definition(parts, rate):
    samples = np.concatenate([hiss(count, level, rate=1) for count, level in parts])
    assume(len(samples) > 1)
    expected = stretches_by_definition(samples.astype(np.float64), rate)
    assert voiced_stretches(samples, rate).tolist() == expected


def stretches_by_definition(samples, rate):
    """Block by block and pause by pause."""
    block = max(round(0.01 * rate), 1)
    centred = samples - samples.mean()
    own = [np.mean(centred[start : start + block] ** 2) for start in range(0, len(samples), block)]
    power = [np.mean(own[max(place - 1, 0) : place + 2]) for place in range(len(own))]
    sounding = [each for each in power if each > 1e-8]
    if not sounding:
        return []
    gate = 0.1 * np.mean(sounding)
    loudness = np.mean([each for each in sounding if each >= gate])
    voiced = [each > 1e-8 and each >= loudness * 10**-3.5 for each in power]
    stretches = []
    for place, is_voiced in enumerate(voiced):
        start, end = place * block, min((place + 1) * block, len(samples))
        if is_voiced and stretches and start - stretches[-1][1] < round(0.2 * rate):
            stretches[-1][1] = end
        elif is_voiced:
            stretches.append([start, end])
    return [pair for pair in stretches if pair[1] - pair[0] >= min(round(0.05 * rate), len(samples))]


stretch_lists = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 200)), max_size=6).map(
    lambda pairs: np.array(
        [
            [sum(map(sum, pairs[:place])) + pairs[place][0], sum(map(sum, pairs[: place + 1]))]
            for place in range(len(pairs))
        ]
    ).reshape(-1, 2)
)


@given(stretches=stretch_lists, lengths=st.lists(st.integers(1, 90), min_size=1, max_size=4), data=st.data())
@settings(max_examples=200, deadline=None)
def test_windows_are_as_by_their_definition(stretches, lengths, data):
    hop = data.draw(st.integers(1, min(lengths)))
    windows = sliding_windows(stretches, lengths, hop)
    assert windows.dtype == np.int64
    expected = set()
    for first, last in stretches.tolist():
        for length in lengths:
            if length >= last - first:
                expected.add((first, last))
            else:
                starts = [*range(first, last - length, hop), last - length]
                expected.update((start, start + length) for start in starts)
    assert [tuple(window) for window in windows.tolist()] == sorted(expected)
    covered = {sample for start, end in windows.tolist() for sample in range(start, end)}
    assert covered == {sample for start, end in stretches.tolist() for sample in range(start, end)}


@given(
    parts=st.lists(st.floats(-1.5, 1.5).filter(lambda part: abs(part) > 0.01), min_size=1, max_size=6),
    lengths=st.lists(st.integers(100, 4000), min_size=1, max_size=3),
)
@settings(max_examples=50, deadline=None)
def test_every_voiced_sample_is_in_a_window_and_no_window_leaves_the_recording(parts, lengths):
    samples = recording(*parts)
    stretches = voiced_stretches(samples, RATE)
    windows = sliding_windows(stretches, lengths, hop=100)
    assert np.all(windows[:, 0] >= 0)
    assert np.all(windows[:, 1] <= len(samples))
    assert np.all(windows[:, 0] < windows[:, 1])
    assert windows.tolist() == sorted(windows.tolist())
    inside = np.zeros(len(samples), bool)
    for start, end in windows:
        inside[start:end] = True
    voiced = np.zeros(len(samples), bool)
    for start, end in stretches:
        voiced[start:end] = True
    np.testing.assert_array_equal(inside, voiced)


def test_a_stretch_that_is_shorter_than_windows_is_one_itself():
    stretches = np.array([[0, 50], [100, 400], [500, 600]])
    windows = sliding_windows(stretches, [100, 200, 800], 100)
    assert windows.tolist() == [
        [0, 50],
        *([100, 200], [100, 300], [100, 400], [200, 300], [200, 400], [300, 400]),
        [500, 600],
    ]


@pytest.mark.parametrize(("lengths", "hop"), [([], 1), ([10], 0), ([10, 20], 11)])
def test_windows_that_would_leave_gaps_are_refused(lengths, hop):
    with pytest.raises(ValueError, match="hop must be between 1 and the shortest of lengths, got hop="):
        sliding_windows(np.array([[0, 100]]), lengths, hop)


def test_an_hour_takes_about_a_second():
    rng = np.random.default_rng(0)
    samples = np.tile(hiss(60, 0.1, rate=16_000), 60) * np.repeat(rng.random(7200) < 0.6, 8000)
    started = time.perf_counter()
    windows = sliding_windows(voiced_stretches(samples, 16_000), [4000, 6400, 9600, 14_400], 1600)
    assert time.perf_counter() - started < 2
    assert len(windows) > 30_000


def overlap(first, second):
    return max(min(first[1], second[1]) - max(first[0], second[0]), 0)


hit_lists = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40), st.integers(1, 15)), max_size=25)


@given(hits=hit_lists, fewer=st.integers(0, 25))
@settings(max_examples=200, deadline=None)
def test_hits_are_merged_as_by_their_definition(hits, fewer):
    files = np.array([hit[0] for hit in hits], np.int32)
    starts = np.array([hit[1] for hit in hits], np.float64)
    ends = starts + np.array([hit[2] for hit in hits], np.float64)
    kept = []
    for place, (file, start, size) in enumerate(hits):
        mine = (start, start + size)
        others = [(hits[other][1], hits[other][1] + hits[other][2]) for other in kept if hits[other][0] == file]
        if all(2 * overlap(mine, other) <= min(size, other[1] - other[0]) for other in others):
            kept.append(place)
    found = best_of_overlapping(files, starts, ends)
    assert found.dtype == np.int64
    assert found.tolist() == kept
    some = best_of_overlapping(files[:fewer], starts[:fewer], ends[:fewer])
    assert some.tolist() == [place for place in kept if place < fewer]


@pytest.mark.real_data
def test_the_words_of_real_sentences_are_inside(data_dir):
    """Of 99 % of the time of words there is a stretch, and of less than half of the time between and around them."""
    counts = np.zeros((2, 2))
    for path in sorted(data_dir.glob("timit_sample/*/*.wav"))[::4]:
        audio = read_audio(path)
        voiced, spoken = np.zeros((2, len(audio.samples)), bool)
        for start, end in voiced_stretches(audio.samples, audio.rate):
            voiced[start:end] = True
        for line in path.with_suffix(".wrd").read_text().splitlines():
            start, end = map(int, line.split()[:2])
            spoken[start:end] = True
        for is_spoken in (0, 1):
            counts[is_spoken] += [(voiced & (spoken == is_spoken)).sum(), (spoken == is_spoken).sum()]
    outside, inside = counts[:, 0] / counts[:, 1]
    assert inside > 0.99
    assert outside < 0.5
