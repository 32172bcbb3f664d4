"""How a transcript is written before it is learnt or compared."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf


def normal_transcripts(texts: Iterable[str], lowercase: bool) -> list[str]:
    """Transcripts with single spaces between words, in lower case if wanted.

    Nothing else is changed: the alphabet is what is left, and what it does not hold is never written.

    Example:
        >>> normal_transcripts(["  Go LEFT,\\tnow "], lowercase=True)
        ['go left, now']
    """
    written = tf.strings.strip(tf.strings.regex_replace(tf.constant(list(texts), tf.string), r"\s+", " "))
    if lowercase:
        written = tf.strings.lower(written, encoding="utf-8")
    return [text.decode("utf-8") for text in written.numpy()]
