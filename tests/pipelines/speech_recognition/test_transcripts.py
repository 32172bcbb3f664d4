"""How transcripts are written."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seqloom.pipelines.speech_recognition.transcripts import normal_transcripts

SPACES = [" ", "\t", "\n", "\v", "\f", "\r", "\x1c", "\x1f", "\x85", "\u00a0", "\u2003", "\u2028", "\u3000"]


@given(st.text(st.one_of(st.characters(exclude_categories=["Cs", "Cc"]), st.sampled_from(SPACES))))
def test_words_are_those_that_python_splits(text: str) -> None:
    [written] = normal_transcripts([text], lowercase=False)
    assert written == " ".join(text.split())


def test_case_is_folded_in_every_alphabet() -> None:
    assert normal_transcripts(["ÄPFEL Und", "ЁЖ"], lowercase=True) == ["äpfel und", "ёж"]
