"""Which words spoke for a label: how strong they show, and what a long text is shortened to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from .page import Html

SHOWN_WORDS = 90  # of a long text
CONTEXT = 7  # words on either side of a strong one that are shown with it
SMALLEST_GAP = 3  # fewer words than these are not worth an ellipsis
FAINTEST = 0.05  # strength below which a word is not shaded
ELLIPSIS = "…"
_FOR, _AGAINST = (31, 120, 180), (217, 95, 2)  # the first colours of `figures.PALETTE`


def strengths(contributions: Sequence[float]) -> list[float]:
    """Contributions relative to the largest one of the text, between -1 and 1.

    Example:
        >>> strengths([0.5, -2.0, 0.0])
        [0.25, -1.0, 0.0]
    """
    largest = max(map(abs, contributions), default=0.0)
    return [contribution / largest if largest else 0.0 for contribution in contributions]


def excerpt(contributions: Sequence[float], shown_words: int = SHOWN_WORDS, context: int = CONTEXT) -> list[range]:
    """The stretches of a text around its strongest words, in the order of the text.

    Args:
        contributions: of each word.
        shown_words: int. About how many words the stretches hold; a text that is no longer is one stretch.
        context: int. Words on either side of a strong word.

    Returns:
        Places of words, for each stretch.

    Example:
        >>> excerpt([0.0] * 50 + [1.0] + [0.0] * 50, shown_words=5, context=2)
        [range(48, 53)]
    """
    count = len(contributions)
    if count <= shown_words:
        return [range(count)]
    shown: set[int] = set()
    for place in sorted(range(count), key=lambda place: -abs(contributions[place])):
        around = range(max(0, place - context), min(count, place + context + 1))
        if shown and len(shown.union(around)) > shown_words:
            break
        shown.update(around)
    stretches: list[range] = []
    for place in sorted(shown):
        if stretches and place - stretches[-1].stop < SMALLEST_GAP:
            stretches[-1] = range(stretches[-1].start, place + 1)
        else:
            stretches.append(range(place, place + 1))
    return stretches


def shaded(words_and_contributions: Sequence[tuple[str, float]], shown_words: int = SHOWN_WORDS) -> Html:
    """Words on grounds as strong as their contributions, blue for the predicted label and orange against it.

    Args:
        words_and_contributions: words in the order of the text; a positive contribution speaks for the predicted label.
        shown_words: int. A longer text is shortened to about so many words around the strongest ones.

    Returns:
        Markup without a paragraph of its own; the title of each shaded word is its contribution.

    Example:
        >>> print(shaded([("not", -0.5), ("bad", 1.0), ("<br>", 0.0)]).markup)
        <span class="heat negative" style="--value: 0.50" title="-0.5">not</span> <span class="heat" style="--value: 1.00" title="+1">bad</span> &lt;br&gt;
    """  # noqa: E501
    contributions = [contribution for _, contribution in words_and_contributions]
    strength = strengths(contributions)
    pieces: list[str] = []
    end = 0
    for stretch in excerpt(contributions, shown_words):
        pieces += [ELLIPSIS] * (stretch.start > end)
        pieces += [_word(*words_and_contributions[place], strength[place]) for place in stretch]
        end = stretch.stop
    pieces += [ELLIPSIS] * (end < len(contributions))
    return Html(Markup(" ").join(pieces))


def print_shaded(answer: Mapping[str, Any]) -> None:
    """Shows an explained answer on a terminal: its label, the probabilities, and the words on coloured grounds.

    Args:
        answer: of the signature `explain`: `label`, `probabilities`, `error`, `tokens`, `contributions`.
    """
    from rich.console import Console
    from rich.text import Text

    text = Text()
    for word, strength in zip(answer["tokens"], strengths(answer["contributions"]), strict=True):
        text.append(word, _terminal_style(strength))
        text.append(" ")
    best = f" {max(answer['probabilities']):.3f}" if answer["label"] else ""
    Console().print(Text(answer["error"] or f"{answer['label']}{best}", "bold"), text)


def _terminal_style(strength: float) -> str:
    """White on blue or on orange, the stronger the darker; faint words have no ground."""
    if abs(strength) < FAINTEST:
        return ""
    red, green, blue = _AGAINST if strength < 0 else _FOR
    share = 0.25 + 0.75 * abs(strength)
    return f"white on rgb({round(share * red)},{round(share * green)},{round(share * blue)})"


def _word(word: str, contribution: float, strength: float) -> Markup:
    if abs(strength) < FAINTEST:
        return Markup("{}").format(word)
    kind = "heat negative" if strength < 0 else "heat"
    template = Markup('<span class="{}" style="--value: {:.2f}" title="{:+.3g}">{}</span>')
    return template.format(kind, abs(strength), contribution, word)
