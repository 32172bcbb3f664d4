"""Which pairs of a parallel corpus belong together, so that no sentence of train is met again where a model is scored.

In a parallel corpus a sentence stands in many pairs, and a random split would leak. Pairs whose source sides, or whose
target sides, have the same normal form stay together, and so do those that are linked through others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def normal_form(text: str) -> str:
    """What two spellings of one sentence share: NFKC, lower case, letters and digits alone.

    A text without any of them, such as a row of dots or a pictogram, has itself as its normal form.

    Example:
        >>> normal_form("It's 5 o'clock!"), normal_form("ＯＫ，好的。"), normal_form("...")
        ('its5oclock', 'ok好的', '...')
    """
    lowered = unicodedata.normalize("NFKC", text).lower()
    return "".join(character for character in lowered if unicodedata.category(character)[0] in "LN") or text


def groups(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The group of each pair of a source and a target.

    The groups are the connected components of the pairs, two of which are connected if their source sides or their
    target sides have the same normal form. A group is named after the smallest normal form of its source sides.

    Args:
        pairs: sources and targets.

    Example:
        >>> groups([("Hi.", "嗨。"), ("Bye.", "再见。"), ("hi", "你好！"), ("Hello!", "你好。")])
        ['hello', 'bye', 'hello', 'hello']
    """
    normal = [(normal_form(source), normal_form(target)) for source, target in pairs]
    names: dict[str, str] = {}  # from each source side one step towards the smallest one of its group
    first_source: dict[str, str] = {}  # the source side that each target side was first seen with
    for source, target in normal:
        names.setdefault(source, source)
        _join(names, source, first_source.setdefault(target, source))
    return [_name(names, source) for source, _ in normal]


def _join(names: dict[str, str], one: str, other: str) -> None:
    smaller, larger = sorted((_name(names, one), _name(names, other)))
    names[larger] = smaller


def _name(names: dict[str, str], source: str) -> str:
    """Follows the steps to the smallest source side, and makes them shorter on the way."""
    while (step := names[source]) != source:
        names[source] = names[step]
        source = names[source]
    return source
