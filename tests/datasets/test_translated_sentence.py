from __future__ import annotations

import pytest

from seqloom.datasets.translated_sentence import TranslatedSentence


def test_a_sentence_without_a_group_is_its_own():
    assert TranslatedSentence("Hi.", ("嗨。",)).group == "Hi."
    assert TranslatedSentence("Hi.", ("嗨。",), group="hi").group == "hi"
    assert TranslatedSentence("Hi.", ("嗨。",)) == TranslatedSentence("Hi.", ("嗨。",), (), "Hi.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", ("嗨。",)), "source must not be empty"),
        (("Hi.", ()), r"targets must be at least one text and none empty, got \(\) for 'Hi\.'"),
        (("Hi.", ("嗨。", "")), "targets must be at least one text and none empty"),
        (("Hi.", ("嗨。", "嗨。")), "targets must differ from each other"),
        (("Hi.", ("嗨。", "你好。"), ("CM",)), "must be one for each target or none, got 1 for 2 targets of 'Hi.'"),
    ],
)
def test_what_is_no_translated_sentence_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TranslatedSentence(*arguments)
