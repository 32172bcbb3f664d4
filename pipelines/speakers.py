"""Training without a speaker, to see what a model is worth for a new one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..datasets.corpus import Corpus, DataError
from .registry import suggestion


def hold_out(corpus: Corpus[Any], speaker: str | None) -> Corpus[Any]:
    """The corpus with all of a speaker as its test, and nothing of that one elsewhere; as it is without a speaker.

    What others say in test is left out, and counted in the notes.

    Raises:
        DataError: if the corpus has no such speaker, or nobody else in train.
    """
    if speaker is None or not corpus.train:
        return corpus
    every = [one for part in corpus.splits().values() for one in part]
    speakers = sorted({one.speaker for one in every if one.speaker})
    if speaker not in speakers:
        known = ", ".join(speakers) or "none that are named"
        raise DataError(
            f"held_out_speaker must be a speaker of {corpus.name} ({known}), got "
            f"{speaker!r}{suggestion(speaker, speakers)}"
        )
    train = [one for one in corpus.train if one.speaker != speaker]
    if not train:
        raise DataError(f"held_out_speaker={speaker} leaves nothing to train on in {corpus.name}")
    left_out = sum(one.speaker != speaker for one in corpus.test or [])
    return replace(
        corpus,
        train=train,
        valid=corpus.valid and [one for one in corpus.valid if one.speaker != speaker],
        test=[one for one in every if one.speaker == speaker],
        notes=corpus.notes | {"test recordings of other speakers left out by held_out_speaker": left_out},
    )
