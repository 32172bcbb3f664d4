"""Spectrograms and players of a report."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from seqloom.pipelines.reporting import recordings
from seqloom.pipelines.reporting.page import embedded

EVIL = "<script>alert('x')</script>&\"城市"


def one_hot(text, spacing=10):
    """Curves that rise to 1 for each letter of a text, one after the other."""
    curves = {letter: np.zeros(spacing * len(text)) for letter in dict.fromkeys(text)}
    for at, letter in enumerate(text):
        curves[letter][spacing * at + spacing // 2] = 1
    return curves


def letters(svg):
    """Texts of a drawing that are no numbers, from left to right."""
    found = re.findall(r'<text[^>]*?(?:x="([\d.]+)"|translate\(([\d.]+))[^>]*>([^<]+)</text>', svg)
    return [text for _, text in sorted((float(x or shift), text) for x, shift, text in found)]


def test_labels_can_be_read_along_the_time_axis():
    figure = recordings.spectrogram(
        np.random.default_rng(0).uniform(size=(300, 40)),
        0.01,
        posteriors={**one_hot("go on"), "blank": np.full(50, 0.9)},
        step_seconds=0.06,
        unmarked="blank",
        words=[("go", 0.1, 1.1), ("on", 1.9, 2.9)],
    )
    ElementTree.fromstring(figure.svg)
    written = [text for text in letters(figure.svg) if not re.fullmatch(r"[\d.]+", text)]
    assert [text for text in written if len(text) == 1] == ["g", "o", recordings.SPACE, "o", "n"]
    assert {"go", "on", "seconds", "probability"} <= set(written)
    assert "blank" not in written
    assert figure.svg.count("<image") == 1


def test_of_peaks_at_one_place_the_highest_are_named():
    curves = {letter: np.full(3, value) for letter, value in (("a", 0.3), ("b", 0.31), ("c", 0.32), ("d", 0.05))}
    svg = recordings.spectrogram(np.ones((6, 4)), 0.01, posteriors=curves, step_seconds=0.02).svg
    assert {text for text in letters(svg) if re.fullmatch("[a-d]", text)} == {"c", "b"}


@pytest.mark.parametrize(("frames", "broadest"), [(1, 500), (30, 500), (1200, 900)])
def test_a_spectrogram_is_as_broad_as_it_is_long_within_bounds(frames, broadest):
    svg = recordings.spectrogram(np.zeros((frames, 40)), 0.01).svg
    width = int(re.search(r"--width: (\d+)px", svg)[1])
    assert 400 < width < broadest
    assert "probability" not in svg
    assert len(svg) < 40_000


def test_a_spectrogram_may_be_narrower_and_of_other_features():
    drawn = recordings.spectrogram(np.zeros((30, 13)), 0.01, title="encoded", ylabel="coefficient", narrowest=2.0)
    assert 190 < int(re.search(r"--width: (\d+)px", drawn.svg)[1]) < 200
    assert {"encoded", "coefficient"} <= set(letters(drawn.svg))


def test_the_same_recording_gives_the_same_drawing():
    values = np.random.default_rng(0).uniform(size=(50, 20))
    drawn = [recordings.spectrogram(values, 0.01, posteriors=one_hot("ab"), step_seconds=0.02) for _ in range(2)]
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize("values", [np.zeros((0, 40)), np.zeros(40)])
def test_nothing_cannot_be_drawn(values):
    with pytest.raises(ValueError, match="loudness must be a matrix"):
        recordings.spectrogram(values, 0.01)


def test_what_users_wrote_is_escaped():
    figure = recordings.spectrogram(
        np.zeros((50, 4)),
        0.01,
        posteriors={"<": np.ones(25)},
        step_seconds=0.02,
        words=[(EVIL, 0.1, 0.4)],
        caption=EVIL,
        alt=EVIL,
    )
    for markup in (embedded(figure).markup, recordings.player("UklGRg==", EVIL).markup):
        assert "<script" not in markup
        assert "&lt;script&gt;" in markup
