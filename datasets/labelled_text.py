"""The example of text classification."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with its class and, where the corpus has them, the rating that its author gave.

    Args:
        text: the text as the corpus has it.
        label: the class, not empty.
        rating: what the author gave, on the scale of the corpus, or `None` if the corpus has no ratings.
        source: what texts with much in common besides their label share, such as the film that they are about, or
            `None` if nothing is known of that.

    Raises:
        ValueError: if the label is empty.

    Example:
        >>> LabelledText("Not bad at all.", "positive", rating=8).label
        'positive'
    """

    text: str
    label: str
    rating: int | None = None
    source: str | None = None

    def __post_init__(self) -> None:
        if not self.label:
            raise ValueError("a labelled text must have a label, got an empty one")

    @property
    def group(self) -> str:
        """Examples of one group stay in one split when a validation set is cut from train.

        Texts of one source do, so that what is learnt of the source by heart does not pass for skill; else equal texts.
        """
        return self.source or self.text
