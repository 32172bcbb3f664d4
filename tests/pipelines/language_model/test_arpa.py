"""ARPA files."""

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.language_model import END, START, UNKNOWN, fit, load_arpa, save_arpa

WRITTEN = """\
written by another toolkit

\\data\\
ngram 1=4
ngram 2=2

\\1-grams:
-99\t<s>\t-0.5
-1.0 </s>
-0.25\tone\t-0.3
-0.75\ttwo

\\2-grams:
-0.1\t<s> one
-0.2 one two

\\end\\
"""


@settings(max_examples=15, deadline=None)
@given(st.lists(st.text("ab ", max_size=6), min_size=1, max_size=5), st.integers(1, 4), st.text("abc ", max_size=5))
def test_a_model_that_was_saved_and_loaded_scores_the_same(tmp_path_factory, texts, order, text):
    model = fit(texts, order, vocabulary="ab ")
    path = tmp_path_factory.mktemp("models") / "model.arpa"
    save_arpa(model, path)
    loaded = load_arpa(path)
    assert (loaded.order, loaded.vocabulary) == (model.order, model.vocabulary)
    assert math.isclose(loaded.score(text), model.score(text), rel_tol=1e-7)
    save_arpa(loaded, path.with_name("again.arpa"))
    assert path.with_name("again.arpa").read_bytes() == path.read_bytes()


def test_reads_what_other_toolkits_write(tmp_path: Path):
    path = tmp_path / "model.arpa"
    path.write_text(WRITTEN)
    model = load_arpa(path)
    ten = math.log(10)
    assert model.order == 2
    assert model.vocabulary == (UNKNOWN, END, "one", "two")
    assert math.isclose(model.log_probability("one", [START]), -0.1 * ten)
    assert math.isclose(model.log_probability("two", [START]), (-0.5 - 0.75) * ten)
    assert math.isclose(model.log_probability(END, ["one"]), -1.3 * ten)
    assert math.isclose(model.log_probability(END, ["two"]), -1.0 * ten)
    assert math.isclose(model.log_probability("three"), -99 * ten)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-0.2 one two", "-0.2 one", "line 15: expected a logarithm, 2 words and perhaps another logarithm, got"),
        ("-0.75", "often", "line 11: could not convert string to float: 'often'"),
        ("-0.75", "-inf", "line 11: logarithms must be finite"),
        ("-0.2 one two\n", "", "it announces 2 n-grams of 2 words and holds 1"),
        ("ngram 2=2\n", "", "it announces 0 n-grams of 2 words and holds 2"),
        ("\\end\\", "", r"it has no line \\end\\"),
        ("-0.2 one two", "-0.2 one ten", "log_probabilities must hold the unigram 'ten'"),
        ("-0.2 one two", "-0.2 ten two", "log_probabilities must hold the history 'ten'"),
        ("</s>", "three", "it has no unigram of </s>"),
    ],
)
def test_names_what_is_wrong_with_a_file(tmp_path: Path, old, new, message):
    path = tmp_path / "model.arpa"
    path.write_text(WRITTEN.replace(old, new))
    with pytest.raises(UserError, match=f"is no ARPA file: {message}"):
        load_arpa(path)


def test_refuses_what_it_cannot_read_or_write(tmp_path: Path):
    with pytest.raises(UserError, match="there is no language model"):
        load_arpa(tmp_path / "none.arpa")
    (tmp_path / "bytes.arpa").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        load_arpa(tmp_path / "bytes.arpa")
    with pytest.raises(ValueError, match="words must not be empty or hold white space, got 'new york'"):
        save_arpa(fit([["new york"]], order=1), tmp_path / "model.arpa")
