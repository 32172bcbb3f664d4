"""The detection error tradeoff."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from scipy.stats import norm

from seqloom.pipelines.reporting.detection import GREATEST, LEAST, POINTS, det, probit, thinned


def path(svg, colour):
    """The points of the line of that colour."""
    found = next(each for each in ElementTree.fromstring(svg).iter("path") if colour in each.get("style", ""))
    return np.array(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", found.get("d")), float)


def test_the_errors_of_two_normal_distributions_lie_on_a_straight_line():
    thresholds = np.linspace(-6, 6, 2000)
    misses = norm.sf(thresholds)
    series = {"two": (norm.cdf(thresholds - 2), misses), "one": (norm.cdf(thresholds), misses)}
    figure = det(series, title="Errors")
    across, up = path(figure.svg, "#1f78b4").T
    longest = np.diff(across).argmax()  # the line between the borders, whose slope is -1 in quantiles
    slope = np.diff(up)[longest] / np.diff(across)[longest]
    assert np.diff(across)[longest] > 0.8 * np.ptp(across)
    assert slope == pytest.approx(np.ptp(up) / np.ptp(across), rel=0.01)
    for text in ("Errors", "one", "two", "misses (%)", "0.1", "95"):
        assert f">{text}</text>" in figure.svg
    assert figure.alt == "Line chart: Errors against false alarms (%); two, one"
    assert det(series, title="Errors") == figure


def test_quantiles_are_those_of_the_normal_distribution_within_what_is_drawn():
    shares = np.linspace(LEAST, GREATEST, 50)
    np.testing.assert_allclose(probit(shares), norm.ppf(shares))
    assert probit([0.0, 1.0]).tolist() == probit([LEAST, GREATEST]).tolist()


@pytest.mark.parametrize(
    ("false_alarms", "misses"), [([0.0, 0.0, 1.0], [0.5, 0.0, 0.0]), ([1.0], [1.0]), ([0.0] * 3, [0.0] * 3)]
)
def test_what_lies_at_a_border_can_be_drawn(false_alarms, misses):
    ElementTree.fromstring(det({"perfect": (np.array(false_alarms), np.array(misses))}).svg)


def test_a_long_line_keeps_its_ends_and_its_shape():
    x = np.linspace(0, 1, 50_000) ** 3
    across, up = thinned(x, -np.sqrt(x))
    assert len(across) <= POINTS + 2
    assert (across[0], across[-1], up[-1]) == (0, 1, -1)
    assert np.diff(across).max() < 3 / POINTS
    assert np.abs(np.interp(x, across, up) + np.sqrt(x)).max() < 0.01
