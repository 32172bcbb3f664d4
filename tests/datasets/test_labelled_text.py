from __future__ import annotations

import pytest

from seqloom.datasets.labelled_text import LabelledText


def test_equal_texts_belong_together_whatever_their_labels():
    assert LabelledText("So so.", "positive", 7).group == LabelledText("So so.", "negative", 4).group
    assert LabelledText("So so.", "positive").group != LabelledText("So  so.", "positive").group


def test_texts_of_one_source_belong_together():
    one, other = (LabelledText(text, "positive", source="a film") for text in ("Fine.", "Good."))
    assert one.group == other.group != LabelledText("Fine.", "positive").group


def test_a_label_is_not_empty():
    assert LabelledText("", "neutral").rating is None
    with pytest.raises(ValueError, match="must have a label, got an empty one"):
        LabelledText("So so.", "")
