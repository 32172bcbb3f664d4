"""What can be wrong with a translation whatever it says: its length, and what it repeats."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ..reporting import figures, page
from ..reporting.classifiers import most_frequent
from .answers import Answers

LONGEST_REPEATED = 4  # tokens
RATIOS = (0.5, 0.75, 0.95, 1.05, 1.35, 2.0)  # last length ratios of the ranges that are counted


def repetitions(tokens: Sequence[str], length: int) -> set[tuple[str, ...]]:
    """The n-grams of that length that stand twice without anything between.

    Example:
        >>> repetitions(list("我我不知道知道"), 1), repetitions(list("我我不知道知道"), 2)
        ({('我',)}, {('知', '道')})
    """
    return {
        tuple(tokens[start : start + length])
        for start in range(len(tokens) - 2 * length + 1)
        if tokens[start : start + length] == tokens[start + length : start + 2 * length]
    }


def all_repetitions(tokens: Sequence[str]) -> set[tuple[str, ...]]:
    """Repetitions of each length up to `LONGEST_REPEATED`."""
    return {ngram for length in range(1, LONGEST_REPEATED + 1) for ngram in repetitions(tokens, length)}


def needless_repetitions(answers: Answers) -> list[set[tuple[str, ...]]]:
    """Of each translation, what it repeats and no reference does."""
    return [
        all_repetitions(own).difference(*map(all_repetitions, references))
        for own, references in zip(answers.tokens, answers.target_tokens, strict=True)
    ]


def is_truncated(answers: Answers) -> list[bool]:
    """Whether each translation was cut off."""
    return [any(row["predicted"]["truncated"][:1]) for row in answers.rows]


def irregularities(answers: Answers) -> dict[str, int]:
    """Counts of what is wrong, or unusual, whatever a translation says.

    `longer_than_twice_the_reference` compares with the longest reference; `repeated_ngrams` are translations with a
    needless repetition. What train lacks is 0 where rows do not say.
    """
    rows = answers.rows
    return {
        "errors": sum(not each for each in answers.answered),
        "truncated": sum(is_truncated(answers)),
        "empty_translations": sum(not text.strip() for text in answers.translations),
        "longer_than_twice_the_reference": sum(
            len(own) > 2 * max(map(len, references))
            for own, references in zip(answers.tokens, answers.target_tokens, strict=True)
        ),
        "repeated_ngrams": sum(map(bool, needless_repetitions(answers))),
        "unknown_source_words": sum(len(answers.unknown(place)) for place in range(len(rows))),
        "sentences_with_unseen_target_characters": sum(bool(row.get("unseen_characters")) for row in rows),
    }


def lengths_section(answers: Answers) -> page.Section:
    """How long translations are, and how often they repeat an n-gram at once, beside the references."""
    text = (
        f"Translations have {answers.measures()['length_ratio']:.3f} times the tokens of their references, of several "
        "the one nearest in length, as BLEU counts them. A repetition is an n-gram that stands twice without anything "
        "between; languages repeat too, so the references are counted as well. Needless are repetitions that no "
        "reference of the sentence has."
    )
    needless = Counter(" ".join(ngram) for found in needless_repetitions(answers) for ngram in found)
    tables = [_repetitions(answers), *most_frequent("Needless repetitions", needless, "translations")]
    return page.Section("Length and repetitions", text, [_length_ratios(answers), *tables])


def _length_ratios(answers: Answers) -> page.Figure:
    edges = [f"{ratio:g}" for ratio in RATIOS]
    between = [f"{low}{page.DASH}{high}" for low, high in pairwise(edges)]
    names = [f"up to {edges[0]}", *between, f"over {edges[-1]}"]
    counts = np.bincount([bisect_left(RATIOS, ratio) for ratio in answers.length_ratios], minlength=len(names))
    return figures.bars(
        names,
        (counts / counts.sum()).tolist(),
        counts=counts.tolist(),
        title="Length of the translation to that of the reference",
        xlabel="length ratio",
        ylabel="share of the sentences (%)",
        percent=True,
        vertical=True,
    )


def _repetitions(answers: Answers) -> page.Table:
    references = [tokens for several in answers.target_tokens for tokens in several]
    rows: list[list[page.Cell]] = [
        [
            length,
            *(_share([bool(repetitions(each, length)) for each in texts]) for texts in (answers.tokens, references)),
        ]
        for length in range(1, LONGEST_REPEATED + 1)
    ]
    columns = ("n", "share_of_translations", "share_of_references")
    return page.Table(columns, rows, "Sentences that repeat an n-gram at once")


def _share(is_so: Sequence[bool]) -> float:
    return sum(is_so) / max(len(is_so), 1)


def irregular_section(answers: Answers) -> page.Section:
    """The counts in words, and the reasons of errors."""
    counts = irregularities(answers)
    words = {
        "errors": "answered with an error",
        "truncated": "cut off at the longest length",
        "empty_translations": "without any translation",
        "longer_than_twice_the_reference": "longer than twice the longest reference",
        "repeated_ngrams": "with a needless repetition",
    }
    table = page.Table(("what", "sentences"), [[name, counts[key]] for key, name in words.items()])
    reasons = Counter(row["predicted"]["error"] for row in answers.rows if row["predicted"]["error"])
    return page.Section(
        "Irregular answers", "", [table, *most_frequent("Answered with an error", reasons, "sentences")]
    )
