"""How a transcript is written before it is learnt or compared."""

from __future__ import annotations

from collections.abc import Iterable

import tensorflow as tf

# All that `str.split` splits on; RE2's \\s is ASCII alone.
_WHITE_SPACE = r"[\s\v\x1c-\x1f\x{85}\p{Z}]+"


def normal_transcripts(texts: Iterable[str], lowercase: bool) -> list[str]:
    """Transcripts with single spaces between words, in lower case if wanted.

    Nothing else is changed: the alphabet is what is left, and what it does not hold is never written.

    Example:
        >>> normal_transcripts(["  Go LEFT,\\tnow "], lowercase=True)
        ['go left, now']
    """
    written = tf.strings.strip(tf.strings.regex_replace(tf.constant(list(texts), tf.string), _WHITE_SPACE, " "))
    if lowercase:
        written = tf.strings.lower(written, encoding="utf-8")
    return [text.decode("utf-8") for text in written.numpy()]
