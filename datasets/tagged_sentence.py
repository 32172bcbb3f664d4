"""The example of slot filling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaggedSentence:
    """A sentence with one IOB tag for each token and, where the corpus has them, its intent.

    Args:
        tokens: the tokens, at least one.
        tags: `O`, `B-x` or `I-x` for each token, as the corpus has them: nothing is repaired here.
        intent: what the whole sentence asks for, or `None` if the corpus names no intents.

    Raises:
        ValueError: if there is no token, or not one tag for each token.

    Example:
        >>> TaggedSentence(("to", "new", "york"), ("O", "B-city", "I-city"), "flight").intent
        'flight'
    """

    tokens: tuple[str, ...]
    tags: tuple[str, ...]
    intent: str | None

    def __post_init__(self) -> None:
        if not self.tokens:
            raise ValueError("a sentence must have at least one token, got none")
        if len(self.tokens) != len(self.tags):
            raise ValueError(
                f"a sentence must have one tag for each token, got {len(self.tokens)} tokens and {len(self.tags)} tags"
            )
