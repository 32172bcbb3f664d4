"""The example of translation."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TranslatedSentence:
    """A sentence with all its translations, as the corpus has them.

    Args:
        source: the sentence to translate.
        targets: its translations, at least one, none twice.
        attributions: who wrote the sentence and the translation, one for each target, or none at all.
        group: what sentences that share a side with each other have in common: they stay in one split when a
            validation set is cut from train. Without one it is the source.

    Raises:
        ValueError: if the source is empty, if there is no target, an empty one, or one twice, or if there are
            attributions but not one for each target.

    Example:
        >>> TranslatedSentence("Hi.", ("嗨。", "你好。")).group
        'Hi.'
    """

    source: str
    targets: tuple[str, ...]
    attributions: tuple[str, ...] = ()
    group: str = ""

    def __post_init__(self) -> None:
        if not self.source:
            raise ValueError("source must not be empty")
        if not self.targets or "" in self.targets:
            raise ValueError(
                f"targets must be at least one text and none empty, got {self.targets} for {self.source!r}"
            )
        if len(set(self.targets)) < len(self.targets):
            raise ValueError(f"targets must differ from each other, got {self.targets} for {self.source!r}")
        if self.attributions and len(self.attributions) != len(self.targets):
            raise ValueError(
                f"attributions must be one for each target or none, got {len(self.attributions)} for "
                f"{len(self.targets)} targets of {self.source!r}"
            )
        if not self.group:
            object.__setattr__(self, "group", self.source)
