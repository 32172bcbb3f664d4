"""Slots as spans of tokens, read from IOB tags the way `conlleval` reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

OUTSIDE = "O"


@dataclass(frozen=True, order=True)
class Span:
    """A typed run of tokens, the end exclusive.

    Args:
        type: str. The slot that the tokens fill.
        start: int. Index of the first token.
        end: int. Index of the token after the last one.
    """

    type: str
    start: int
    end: int


def spans(tags: Sequence[str]) -> list[Span]:
    """Reads the spans of a tag sequence, legal or broken, in the order of the text.

    A span starts at every `B-x`, and at an `I-x` that follows `O`, another type or nothing: the rule of the
    `conlleval` script of the CoNLL-2000 shared task, under which figures for slot filling are published.

    Raises:
        ValueError: if a tag is none of `O`, `B-x` and `I-x`.

    Example:
        >>> spans(["B-day", "I-day", "O", "I-city", "B-city"])
        [Span(type='day', start=0, end=2), Span(type='city', start=3, end=4), Span(type='city', start=4, end=5)]

    References:
        Tjong Kim Sang and Buchholz, 2000. Introduction to the CoNLL-2000 Shared Task: Chunking.
    """
    found: list[Span] = []
    for position, (slot, starts) in enumerate(_reading(tags)):
        if starts:
            found.append(Span(slot, position, position + 1))
        elif slot:
            found[-1] = Span(slot, found[-1].start, position + 1)
    return found


def is_legal(tags: Sequence[str]) -> bool:
    """Tells whether every `I-x` continues a span of its own type, as strict IOB2 demands.

    Example:
        >>> is_legal(["B-day", "I-day", "O"]), is_legal(["O", "I-day"])
        (True, False)
    """
    return not any(starts and tag.startswith("I") for tag, (_, starts) in zip(tags, _reading(tags), strict=True))


def repair(tags: Sequence[str]) -> list[str]:
    """Writes the legal IOB2 sequence that has the same spans; a legal sequence comes back as it is.

    Example:
        >>> repair(["O", "I-day", "I-day", "I-city"])
        ['O', 'B-day', 'I-day', 'B-city']
    """
    return [f"{'B' if starts else 'I'}-{slot}" if slot else OUTSIDE for slot, starts in _reading(tags)]


def differences(gold: Sequence[Span], predicted: Sequence[Span]) -> list[tuple[Span | None, Span | None]]:
    """Pairs what is wrong: each missed gold span with the predicted span that covers most of it, then the inventions.

    Args:
        gold: spans that do not overlap.
        predicted: spans that do not overlap.

    Returns:
        `(gold, predicted)` for each error; `None` where no wrong prediction touches the gold span, or no missed gold
        span the prediction.

    Example:
        >>> differences([Span("to", 0, 2)], [Span("to", 1, 2), Span("day", 4, 5)])
        [(Span(type='to', start=0, end=2), Span(type='to', start=1, end=2)), (None, Span(type='day', start=4, end=5))]
    """
    right = set(gold) & set(predicted)
    missed, extra = ([span for span in side if span not in right] for side in (gold, predicted))
    pairs: list[tuple[Span | None, Span | None]] = []
    for span in missed:
        best = max(extra, key=lambda other: _overlap(span, other), default=None)
        pairs.append((span, best if best and _overlap(span, best) > 0 else None))
    taken = {best for _, best in pairs}
    return pairs + [(None, span) for span in extra if span not in taken]


def _overlap(one: Span, other: Span) -> int:
    return min(one.end, other.end) - max(one.start, other.start)


def _reading(tags: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Yields for each tag its slot, `""` outside of spans, and whether a span starts there."""
    open_slot = ""
    for tag in tags:
        prefix, _, slot = tag.partition("-")
        if tag != OUTSIDE and (prefix not in ("B", "I") or not slot):
            raise ValueError(f"tags must be O, B-slot or I-slot, got {tag!r}")
        yield slot, bool(slot) and (prefix == "B" or slot != open_slot)
        open_slot = slot
