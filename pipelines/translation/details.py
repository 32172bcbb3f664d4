"""What a report wants to know of a sentence beside the answer: other searches, unknown words, what train has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ...datasets.corpus import DataError
from ..pipeline import Call, Row
from ..vocabulary import UNKNOWN
from .answers import Answers
from .config import SEARCHES, Config
from .data import Preprocessor
from .examples import ranked
from .overlap import nearest_sentences
from .reading import source_entries, source_tokens, source_words
from .writing import target_symbols

Request: TypeAlias = Mapping[str, Any]

DRAWN = 4  # of the best and of the worst translations, how many show what they looked at
_LONGEST = 24  # symbols of a translation whose attention is drawn


def add_searches(rows: Sequence[Row], requests: Sequence[Request | DataError], call: Call) -> list[Row]:
    """The rows with the best translation of each search."""
    detailed = [{**row, "decoders": {}} for row in rows]
    for search in SEARCHES:
        for row, answer in zip(detailed, call(search, requests), strict=True):
            row["decoders"][search] = next(iter(answer["translations"]), "")
    return detailed


def add_sources(rows: Sequence[Row], preprocessor: Preprocessor, config: Config) -> None:
    """Says of each row how its source is read, what of it train lacks, and which training sentence is nearest."""
    reader, counts = preprocessor.reader(config), preprocessor.counts(config)
    sources = [row["source"] for row in rows]
    neighbours = nearest_sentences(preprocessor.sources, sources, lambda texts: source_words(texts, config))
    targets = target_symbols(["\n".join(row["gold"]["targets"]) for row in rows], config)
    tokens = source_tokens(sources, reader)
    entries = source_entries(sources, reader, config)
    for row, read, own, symbols, neighbour in zip(rows, tokens, entries, targets, neighbours, strict=True):
        row["tokens"] = read
        row["unknown"] = [
            token for token, entry in zip(read, own, strict=True) if preprocessor.source.id(entry) == UNKNOWN
        ]
        row["rarest"] = min((counts[entry] for entry in own), default=0)
        row["unseen_characters"] = sorted(
            {each for each in symbols if each not in preprocessor.target and each.strip()}
        )
        place, similarity = neighbour
        nearest = "" if place is None else preprocessor.sources[place]
        row["nearest"] = {"source": nearest, "similarity": round(similarity, 4)}


def add_attention(rows: Sequence[Row], requests: Sequence[Request | DataError], config: Config, call: Call) -> None:
    """Gives some of the best and of the worst rows what each symbol looked at."""
    if config.access != "attention":
        return
    answers = Answers(rows, config.bleu_tokenize)
    order = [place for place in ranked(answers) if 2 <= len(rows[place]["predicted"]["symbols"]) <= _LONGEST]
    chosen = sorted({*order[:DRAWN], *order[-DRAWN:]})
    asked = [{**requests[place], "translation": answers.translations[place]} for place in chosen]  # type: ignore[dict-item]
    for place, answer in zip(chosen, call("attention", asked), strict=True):
        weights = np.array(answer["weights"], np.float32)[: len(answer["symbols"]), : len(answer["tokens"])]
        rows[place]["attention"] = {
            "tokens": answer["tokens"],
            "symbols": answer["symbols"],
            "weights": [[round(float(each), 3) for each in row] for row in weights],
        }
