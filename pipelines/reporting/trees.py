"""Parse trees as drawings: the words at the bottom, above them a badge for each phrase with its class.

A badge shows the predicted class; that of a wrong answer is broad and shows the gold class beside it. Classes run from
the most negative one, orange, over grey to the most positive one, blue; marks tell them apart without colour, too.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ...datasets.labelled_tree import NO_LABEL, LabelledTree
from .page import DASH, Html
from .shading import ELLIPSIS

# Pixels.
BADGE = 18  # height
SINGLE_BADGE = 20  # width of one with one class
BROAD_BADGE = 36  # width of one with two classes
LEVEL = 26  # from the badges of one height to those of the next
COLUMN = BROAD_BADGE + 4  # least width of a word
FONT = 13
WORD_GAP = 12  # between two words
MARGIN = 4  # around the drawing

SHOWN_LETTERS = 24  # of a word
SHOWN_PHRASE = 120  # letters of a phrase that is pointed at

_NARROW, _BROAD = frozenset("fijlrtI.,;:!|'`’-/\\"), frozenset("mwMW@%&—…")


@dataclass(frozen=True)
class Scale:
    """The classes of nodes, from the most negative one to the most positive one.

    Args:
        names: in words.
        marks: the same in one or two letters.

    Example:
        >>> scale = Scale(("negative", "neutral", "positive"), ("-", "0", "+"))
        >>> [scale.value(label) for label in (0, 1, 2, 3)], scale.name(0), scale.name(3)
        ([-1.0, 0.0, 1.0, 0.0], 'negative', '3')
    """

    names: Sequence[str]
    marks: Sequence[str]

    def value(self, label: int) -> float:
        """Where a class stands between -1 and 1; 0 for one that the scale lacks."""
        return 2 * label / (len(self.names) - 1) - 1 if 0 <= label < len(self.names) and len(self.names) > 1 else 0.0

    def name(self, label: int) -> str:
        """The name of a class; a class that the scale lacks is named by its number."""
        return _entry(self.names, label)

    def mark(self, label: int) -> str:
        """The mark of a class; that of one that the scale lacks is its number, if it is short."""
        mark = _entry(self.marks, label)
        return mark if len(mark) < 3 else ELLIPSIS


@dataclass(frozen=True)
class Layout:
    """Where the nodes of a tree stand, in pixels from the upper left corner.

    Args:
        x: the middle of each node.
        y: the same.
        width: of the whole drawing.
        height: the same.
    """

    x: Sequence[float]
    y: Sequence[float]
    width: float
    height: float


def layout(tree: LabelledTree) -> Layout:
    """Places the nodes of a tree so that no two badges and no two words touch.

    Words have columns of their own; a node stands in the middle above its first and its last child, as high as its
    height in the tree says. So nodes of one height stand above different words, and lines that leave a node to the
    sides and then go straight down meet no other node.

    Example:
        >>> placed = layout(LabelledTree(("so", "so", ""), ((), (), (0, 1)), (2, 2, 2)))
        >>> placed.x, placed.y
        ([24.0, 64.0, 44.0], [39.0, 39.0, 13.0])
    """
    heights = tree.heights()
    xs: list[float] = []
    end = float(MARGIN)
    for word, children in zip(tree.words, tree.children, strict=True):
        if children:
            xs.append((xs[children[0]] + xs[children[-1]]) / 2)
        else:
            width = max(COLUMN, word_width(_shortened(word, SHOWN_LETTERS)) + WORD_GAP)
            xs.append(end + width / 2)
            end += width
    ys = [MARGIN + BADGE / 2 + LEVEL * (heights[-1] - height) for height in heights]
    return Layout(xs, ys, end + MARGIN, max(ys) + BADGE / 2 + 1.5 * FONT + MARGIN)


def word_width(word: str) -> float:
    """About how many pixels a word takes, rather more than less, since the reader's font is not known.

    Example:
        >>> word_width("film") < word_width("FILM") < word_width("電影電影")
        True
    """
    return FONT * sum(map(_letter_width, word))


def _letter_width(letter: str) -> float:
    """In heights of the font."""
    if unicodedata.combining(letter):
        return 0.0
    if unicodedata.east_asian_width(letter) in "WF":
        return 1.05
    if letter in _NARROW:
        return 0.38
    return 0.92 if letter in _BROAD else 0.7 if letter.isupper() else 0.6


def drawn(
    tree: LabelledTree, predicted: Sequence[int], confidences: Sequence[float | None], scale: Scale, description: str
) -> Html:
    """Draws a tree with its gold labels beside what was predicted.

    Args:
        tree: with its gold labels; a node of `NO_LABEL` has none.
        predicted: the class of each node, in post-order; negative where there is no answer.
        confidences: the probability of each of these classes, `None` where it is not known.
        scale: the classes.
        description: what the drawing shows, for those who do not see it.

    Raises:
        ValueError: if there are not as many classes or confidences as nodes.

    Example:
        >>> tree = LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (0, 0, 1))
        >>> scale = Scale(("negative", "positive"), ("-", "+"))
        >>> "not bad: predicted negative (0.90), gold positive" in drawn(tree, [0, 0, 0], [0.8, 0.7, 0.9], scale, "").markup
        True
    """  # noqa: E501
    for name, values in (("predicted", predicted), ("confidences", confidences)):
        if len(values) != tree.num_nodes:
            raise ValueError(f"{name} must hold one entry for each of {tree.num_nodes} nodes, got {len(values)}")
    placed = layout(tree)
    pieces = [Markup('<path class="edges" d="{}"/>').format("".join(_edges(tree, placed)))]
    for node, (label, word) in enumerate(zip(tree.labels, tree.words, strict=True)):
        badges = _badge(predicted[node], label, scale)
        title = _shortened(tree.phrase(node), SHOWN_PHRASE) + _told(predicted[node], confidences[node], label, scale)
        template = Markup('<g class="node" transform="translate({:.1f} {:.1f})"><title>{}</title>{}{}</g>')
        pieces.append(template.format(placed.x[node], placed.y[node], title, badges, _word(word)))
    size = Markup('viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}"').format(placed.width, placed.height)
    template = Markup('<div class="parse" tabindex="0"><svg {} role="img" aria-label="{}">{}</svg></div>')
    return Html(template.format(size, description, Markup("").join(pieces)))


def legend(scale: Scale) -> Html:
    """Explains colours, marks and badges.

    Args:
        scale: the classes.
    """
    classes = [
        Markup('<span class="entry">{} {}</span>').format(_sample(_badge(label, label, scale), SINGLE_BADGE), name)
        for label, name in enumerate(scale.names)
    ]
    low, high = 0, len(scale.names) - 1
    template = Markup(
        '<p class="parse-legend">{} <span class="entry">{} wrong: left predicted, right gold</span> '
        '<span class="entry">{} not scored: gold has no label</span></p>'
    )
    wrong = _sample(_badge(high, low, scale), BROAD_BADGE)
    return Html(template.format(Markup(" ").join(classes), wrong, _sample(_badge(high, NO_LABEL, scale), SINGLE_BADGE)))


def _entry(entries: Sequence[str], label: int) -> str:
    if label < 0:
        return DASH
    return entries[label] if label < len(entries) else str(label)


def _edges(tree: LabelledTree, placed: Layout) -> Iterator[str]:
    """From each node sideways to above each child, then down to it."""
    for node, children in enumerate(tree.children):
        for child in children:
            yield f"M{placed.x[node]:.1f} {placed.y[node]:.1f}H{placed.x[child]:.1f}V{placed.y[child]:.1f}"


def _badge(predicted: int, gold: int, scale: Scale) -> Markup:
    """Around the origin: the predicted class alone where it is right or not scored, otherwise gold to its right."""
    if predicted == gold or gold == NO_LABEL:
        kind = "single" if gold != NO_LABEL else "single unscored"
        return Markup('<g class="{}">{}</g>').format(kind, _cell(predicted, -SINGLE_BADGE / 2, SINGLE_BADGE, scale))
    half = BROAD_BADGE / 2
    frame = Markup('<rect class="frame" x="{}" y="{}" width="{}" height="{}" rx="4"/>')
    return Markup('<g class="wrong">{}{}{}</g>').format(
        _cell(predicted, -half, half, scale),
        _cell(gold, 0, half, scale),
        frame.format(-half, -BADGE / 2, BROAD_BADGE, BADGE),
    )


def _cell(label: int, left: float, width: float, scale: Scale) -> Markup:
    value = scale.value(label)
    template = Markup(
        '<rect class="class{}" style="--value: {:.2f}" x="{}" y="{}" width="{}" height="{}" rx="4"/>'
        '<text x="{}" y="4">{}</text>'
    )
    pole = " negative" if value < 0 else ""
    return template.format(pole, abs(value), left, -BADGE / 2, width, BADGE, left + width / 2, scale.mark(label))


def _word(word: str) -> Markup:
    template = Markup('<text class="word" y="{}">{}</text>')
    return template.format(BADGE / 2 + FONT + 2, _shortened(word, SHOWN_LETTERS)) if word else Markup("")


def _sample(badge: Markup, width: int) -> Markup:
    template = Markup(
        '<svg viewBox="{} {} {} {}" width="{}" height="{}" aria-hidden="true"><g class="node">{}</g></svg>'
    )
    box = (-width / 2 - 1, -BADGE / 2 - 1, width + 2, BADGE + 2, width + 2, BADGE + 2)
    return template.format(*box, badge)


def _told(predicted: int, confidence: float | None, gold: int, scale: Scale) -> str:
    sure = "" if confidence is None or predicted < 0 else f" ({confidence:.2f})"
    answer = f"predicted {scale.name(predicted)}{sure}" if predicted >= 0 else "no answer"
    return f": {answer}, gold {scale.name(gold)}" if gold != NO_LABEL else f": {answer}, not scored"


def _shortened(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1]}{ELLIPSIS}"
