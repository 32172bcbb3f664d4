"""The tags of slot filling as a model sees them."""

from __future__ import annotations

from collections.abc import Iterable

from ..vocabulary import Vocabulary
from .spans import OUTSIDE


def tag_vocabulary(tags: Iterable[str], base: Vocabulary | None = None) -> Vocabulary:
    """`O`, and `B-x` and `I-x` for every slot `x` that occurs, whichever of the two does.

    Example:
        >>> tag_vocabulary(["O", "I-city"]).entries
        ('O', 'B-city', 'I-city')
    """
    slots = {tag[2:] for tag in tags if tag != OUTSIDE}
    known = base.entries if base else ()
    held = set(known)
    wanted = [OUTSIDE, *(f"{prefix}-{slot}" for slot in sorted(slots) for prefix in "BI")]
    return Vocabulary((*known, *(tag for tag in wanted if tag not in held)))


def parts_of(tag: str) -> list[str]:
    """The parts that a tag shares with others, and itself.

    `B-fromloc.city_name` begins a span, has the role `fromloc` and the kind `city_name`; each of the three, the begin
    of each, and the slot as a whole count.

    Example:
        >>> parts_of("B-fromloc.city_name")
        ['B', 'role fromloc', 'B role fromloc', 'kind city_name', 'B kind city_name', 'slot fromloc.city_name']
    """
    if tag == OUTSIDE:
        return [OUTSIDE]
    prefix, slot = tag[0], tag[2:]
    role, kind = role_of(slot), kind_of(slot)
    return [
        prefix,
        f"role {role}",
        f"{prefix} role {role}",
        f"kind {kind}",
        f"{prefix} kind {kind}",
        f"slot {slot}",
    ]


def role_of(slot: str) -> str:
    """What stands before the first dot; slots without a dot have no role."""
    return slot.partition(".")[0] if "." in slot else "none"


def kind_of(slot: str) -> str:
    """What stands after the last dot: slots of one kind take the same values."""
    return slot.rpartition(".")[2]
