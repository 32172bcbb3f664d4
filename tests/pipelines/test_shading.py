import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.pipelines.reporting.shading import ELLIPSIS, SMALLEST_GAP, excerpt, shaded, strengths

CONTRIBUTIONS = st.lists(st.floats(-10, 10), max_size=60)


def plain(html):
    return re.sub("<[^>]*>", "", html.markup)


@given(CONTRIBUTIONS)
def test_strengths_keep_signs_and_ratios(contributions):
    found = strengths(contributions)
    assert all(-1 <= strength <= 1 for strength in found)
    assert not any(contributions) or max(map(abs, found)) == 1
    largest = max(map(abs, contributions), default=0)
    assert [strength * largest for strength in found] == pytest.approx(contributions)


def test_equal_words_have_equal_strengths_whatever_the_scale():
    assert strengths([1.0, -2.0]) == strengths([0.001, -0.002]) == [0.5, -1.0]
    assert strengths([0.0, 0.0]) == [0.0, 0.0]
    assert strengths([]) == []


@given(CONTRIBUTIONS, st.integers(1, 30), st.integers(0, 4))
def test_an_excerpt_holds_the_strongest_word_and_is_about_as_long_as_asked(contributions, shown, context):
    stretches = excerpt(contributions, shown, context)
    places = [place for stretch in stretches for place in stretch]
    assert places == sorted(set(places))
    if len(contributions) <= shown:
        assert places == list(range(len(contributions)))
        return
    assert max(range(len(contributions)), key=lambda place: abs(contributions[place])) in places
    filled = (len(stretches) + shown) * (SMALLEST_GAP - 1)  # small gaps are not left out
    assert len(places) <= max(shown, 2 * context + 1) + filled
    for one, other in pairwise(stretches):
        assert other.start - one.stop >= SMALLEST_GAP


def test_words_are_shaded_by_direction_and_strength():
    html = shaded([("a", 0.001), ("dull", -1.5), ("fine", 3.0)]).markup
    assert html == (
        'a <span class="heat negative" style="--value: 0.50" title="-1.5">dull</span> '
        '<span class="heat" style="--value: 1.00" title="+3">fine</span>'
    )


def test_long_texts_are_shortened_around_their_strongest_words():
    words = [(f"w{place}", 0.0) for place in range(500)]
    words[100], words[300] = ("good", 2.0), ("bad", -1.0)
    text = plain(shaded(words, shown_words=30))
    assert text.split().count(ELLIPSIS) == 3
    assert f"{ELLIPSIS} w93 " in text
    assert "w99 good w101" in text
    assert text.endswith(f"w307 {ELLIPSIS}")
    assert len(text.split()) == 33


def test_a_text_without_contributions_is_shown_from_its_beginning():
    assert plain(shaded([(f"w{place}", 0.0) for place in range(500)], shown_words=30)).startswith("w0 w1 ")


def test_words_are_escaped():
    html = shaded([('<script>"&', 1.0), ("<i>", 0.0)]).markup
    assert set(re.findall(r"<(\w+)", html)) == {"span"}
    assert "&lt;script&gt;" in html
    assert "&lt;i&gt;" in html


def test_nothing_is_nothing():
    assert shaded([]).markup == ""
