"""Figures of a plane."""

from __future__ import annotations

import re

import numpy as np
import pytest

from seqloom.pipelines.reporting.planes import points, surface

X, Y = np.linspace(0, 1, 5), np.linspace(-1, 1, 3)
VALUES = 10.0 ** np.arange(15).reshape(3, 5)


def test_a_surface_names_its_paths_and_its_scale() -> None:
    paths = {"straight": (np.array([0.1, 0.9]), np.array([0.0, 0.5])), "bent": ([0.2, 0.4], [0.1, -0.1])}
    figure = surface(X, Y, VALUES, paths=paths, title="Error", scale="height", xlabel="w")
    for text in ("straight", "bent", "height", "Error"):
        assert f">{text}</text>" in figure.svg
    assert re.search("× 10[⁰¹²³⁴⁵⁶⁷⁸⁹]+</text>", figure.svg)
    assert figure.alt == "Shaded plane: Error against w; straight, bent"
    assert surface(X, Y, VALUES, paths=paths, title="Error", scale="height", xlabel="w") == figure


def test_a_surface_refuses_values_of_another_shape() -> None:
    with pytest.raises(ValueError, match=r"values must have shape \(3, 5\), got \(5, 3\)"):
        surface(X, Y, VALUES.T)


def test_points_are_drawn_as_percent() -> None:
    drawn = points({"in": ([0.0, 0.5], [1.0, 0.5]), "out": ([0.25], [0.25])}, percent=True, limit=1.0, ylabel="open")
    assert ">100</text>" in drawn.svg
    assert ">in</text>" in drawn.svg
    assert points({"in": ([0.0, 0.5], [1.0, 0.5])}, ylabel="open").svg != drawn.svg


def test_many_series_have_a_legend_and_one_may_stand_behind_them() -> None:
    series = {f"word {number}": ([float(number)], [0.0]) for number in range(12)} | {"others": ([0.0, 1.0], [1.0, 1.0])}
    drawn = points(series, behind="others", title="Vectors")
    assert all(f">{name}</text>" in drawn.svg for name in series)
    assert points(series, title="Vectors").svg != drawn.svg
    alone = {"others": series["others"]}
    assert points(alone, behind="others").svg != points(alone).svg
