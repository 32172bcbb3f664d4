"""Back-off models as ARPA text, which other toolkits read and write."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ..errors import UserError
from ..run_directory import write_text
from .backoff_model import END, START, UNKNOWN, BackoffModel, Ngram

SPACE = "<space>"  # how a word that is a space is written
_NEVER = -99.0  # the logarithm that ARPA files write for zero


def save_arpa(model: BackoffModel, path: Path) -> None:
    """Writes a model, with logarithms to base 10; the space of a character model as `<space>`.

    Raises:
        ValueError: if a word is empty or holds white space, other than the space itself.
    """
    sections: list[list[str]] = [[] for _ in range(model.order)]
    log_probabilities = {(START,): _NEVER * math.log(10), **model.log_probabilities}
    for ngram in sorted(log_probabilities):
        line = f"{_number(log_probabilities[ngram])}\t{' '.join(map(_written, ngram))}"
        if ngram in model.backoffs:
            line += f"\t{_number(model.backoffs[ngram])}"
        sections[len(ngram) - 1].append(line)
    counts = [f"ngram {length}={len(lines)}" for length, lines in enumerate(sections, start=1)]
    blocks = [["\\data\\", *counts]]
    blocks += [[f"\\{length}-grams:", *lines] for length, lines in enumerate(sections, start=1)]
    write_text(path, "\n\n".join("\n".join(block) for block in [*blocks, ["\\end\\"]]) + "\n")


def load_arpa(path: Path) -> BackoffModel:
    """Reads a model. Where a file has no unigram of `<unk>`, unknown words have the probability 1e-99.

    Raises:
        UserError: if there is no such file, or at the first line that is not understood, with its number.
    """
    try:
        lines = path.read_bytes().decode("utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"there is no language model {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"the language model {path} cannot be read: {error}") from None
    try:
        return _model(lines)
    except ValueError as error:
        raise UserError(f"the language model {path} is no ARPA file: {error}") from None


def _model(lines: list[str]) -> BackoffModel:
    announced: dict[int, int] = {}
    log_probabilities: dict[Ngram, float] = {}
    backoffs: dict[Ngram, float] = {}
    length = 0
    for number, line in _content(lines):
        try:
            if line.startswith("ngram ") and not length:
                words, count = line.removeprefix("ngram ").split("=")
                announced[int(words)] = int(count)
            elif line.startswith("\\") and line.endswith("-grams:"):
                length = int(line[1 : -len("-grams:")])
            else:
                ngram, log_probability, backoff = _entry(line, length)
                log_probabilities[ngram] = log_probability
                if backoff is not None:
                    backoffs[ngram] = backoff
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from None
    found = Counter(map(len, log_probabilities))
    for order in sorted({*announced, *found}):
        if found[order] != announced.get(order, 0):
            raise ValueError(
                f"it announces {announced.get(order, 0)} n-grams of {order} words and holds {found[order]}"
            )
    if (END,) not in log_probabilities:
        raise ValueError(f"it has no unigram of {END}")
    log_probabilities.pop((START,), None)
    log_probabilities.setdefault((UNKNOWN,), _NEVER * math.log(10))
    return BackoffModel(max(announced), log_probabilities, backoffs)


def _content(lines: list[str]) -> Iterator[tuple[int, str]]:
    """Numbered lines between `\\data\\` and `\\end\\`."""
    stripped = [line.strip() for line in lines]
    for mark in ("\\data\\", "\\end\\"):
        if mark not in stripped:
            raise ValueError(f"it has no line {mark}")
    for number in range(stripped.index("\\data\\") + 1, stripped.index("\\end\\")):
        if stripped[number]:
            yield number + 1, stripped[number]


def _entry(line: str, length: int) -> tuple[Ngram, float, float | None]:
    fields = line.split()
    if not length or len(fields) not in (length + 1, length + 2):
        raise ValueError(f"expected a logarithm, {length} words and perhaps another logarithm, got {line!r}")
    values = [float(field) * math.log(10) for field in (fields[0], *fields[length + 1 :])]
    if not all(map(math.isfinite, values)):
        raise ValueError(f"logarithms must be finite, got {line!r}")
    ngram = tuple(" " if field == SPACE else field for field in fields[1 : length + 1])
    return ngram, values[0], values[1] if len(values) > 1 else None


def _written(word: str) -> str:
    if word == " ":
        return SPACE
    if word.split() != [word]:
        raise ValueError(f"words must not be empty or hold white space, got {word!r}")
    return word


def _number(natural: float) -> str:
    return f"{natural / math.log(10):.9g}"
