"""Trees in brackets, as the Penn Treebank writes them: `(3 (2 It) (4 (2 's) (3 good)))`.

A node is written `(LABEL WORD)` if it is a leaf and `(LABEL NODE NODE ...)` otherwise. White space is
ASCII white space; a bracket that is meant as a word is written `-LRB-` or `-RRB-`, and stays so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .labelled_tree import LabelledTree

_TOKEN = re.compile(r"[()]|[^() \t\n\v\f\r]+")

# At most nine digits, so that a label fits in 32 bits.
_LABEL = re.compile(r"-1|[0-9]{1,9}")


class BracketsError(ValueError):
    """A text that is not one tree in brackets: one sentence that names the place and the reason."""


@dataclass(slots=True)
class _OpenNode:
    """A node whose closing bracket is still to come."""

    offset: int
    label: int | None = None
    word: str = ""
    children: list[int] = field(default_factory=list)


def parse(text: str) -> LabelledTree:
    """Reads one tree in brackets. A node may have any number of children from one.

    Args:
        text: the tree; white space around it is passed over.

    Raises:
        BracketsError: if the text is not exactly one tree with a label at every node. The sentence names the
            offset of the character, counted from 0, at which reading failed.

    Example:
        >>> tree = parse("(3 (2 It) (4 (2 's) (3 good)))")
        >>> tree.tokens, tree.labels
        (('It', "'s", 'good'), (2, 2, 3, 4, 3))
    """
    words: list[str] = []
    children: list[tuple[int, ...]] = []
    labels: list[int] = []
    path: list[_OpenNode] = []  # from the root to the node that is being read
    for match in _TOKEN.finditer(text):
        token, offset = match.group(), match.start()
        if not path and (words or token != "("):
            raise BracketsError(_outside(token, offset, after=bool(words)))
        if token == "(":
            if path:
                _check_child(path[-1])
            path.append(_OpenNode(offset))
        elif token == ")":
            node = path.pop()
            label = _complete_label(node)
            if path:
                path[-1].children.append(len(words))
            words.append(node.word)
            children.append(tuple(node.children))
            labels.append(label)
        else:
            _add_text(path[-1], token, offset)
    if path:
        raise BracketsError(
            f"brackets must be balanced, got no closing bracket for the one at character offset {path[-1].offset}"
        )
    if not words:
        raise BracketsError("expected a tree such as (1 (2 not) (3 good)), got no text at character offset 0")
    return LabelledTree(tuple(words), tuple(children), tuple(labels))


def to_brackets(tree: LabelledTree, labels: bool = True) -> str:
    """Writes a tree in brackets, on one line, with one space after each label and before each following node.

    Args:
        tree: the tree.
        labels: whether the labels are written, without which `parse` does not read a tree.

    Example:
        >>> tree = LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (2, 1, 3))
        >>> to_brackets(tree), to_brackets(tree, labels=False)
        ('(3 (2 not) (1 bad))', '((not) (bad))')
    """
    pieces: list[str] = []
    rest: list[int | None] = [tree.root]  # what is still to be written, the next one last; None closes a node
    while rest:
        node = rest.pop()
        if node is None:
            pieces.append(")")
            continue
        label = f"{tree.labels[node]} " if labels else ""
        if tree.words[node]:
            pieces.append(f"({label}{tree.words[node]})")
        else:
            pieces.append(f"({label}")
            rest.append(None)
            rest.extend(reversed(tree.children[node]))
    return "".join(pieces).replace(")(", ") (")


def node_offset(text: str, node: int) -> int:
    """Where a node of a tree stands in the text from which the tree was parsed.

    Args:
        text: a text that `parse` accepts.
        node: the index of a node of that tree.

    Returns:
        The offset of the node's opening bracket, counted in characters from 0.

    Raises:
        IndexError: if the tree has no such node.

    Example:
        >>> node_offset("(3 (2 not) (1 bad))", 1)
        11
    """
    opened: list[int] = []
    closed = 0
    for match in re.finditer(r"[()]", text):
        if match.group() == "(":
            opened.append(match.start())
        else:
            offset = opened.pop()
            if closed == node:
                return offset
            closed += 1
    raise IndexError(f"node must lie in 0 to {closed - 1}, got node={node}")


def _outside(token: str, offset: int, after: bool) -> str:
    """What is wrong with a token that stands in no node."""
    if token == ")":
        return f"brackets must be balanced, got a closing one at character offset {offset} that closes nothing"
    if after:
        return f"expected nothing after the tree, got {token!r} at character offset {offset}"
    return f"expected a tree, which begins with an opening bracket, got {token!r} at character offset {offset}"


def _check_child(parent: _OpenNode) -> None:
    if parent.label is None:
        raise BracketsError(
            f"a node must begin with its label, got a bracket first in the node at character offset {parent.offset}"
        )
    if parent.word:
        raise _mixed(parent, parent.word)


def _add_text(node: _OpenNode, token: str, offset: int) -> None:
    """Takes a token that is no bracket as the label of the node, or else as its word."""
    if node.label is None:
        if not _LABEL.fullmatch(token):
            raise BracketsError(
                "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
                f"got {token!r} at character offset {offset}"
            )
        node.label = int(token)
    elif node.children:
        raise _mixed(node, token)
    elif node.word:
        raise BracketsError(
            f"a leaf must hold one word, got {node.word!r} and {token!r} in the node at character offset "
            f"{node.offset}; each word needs brackets and a label of its own, such as (2 {token})"
        )
    else:
        node.word = token


def _complete_label(node: _OpenNode) -> int:
    """The label of a node whose closing bracket was read."""
    if node.label is None:
        raise BracketsError(f"a node must hold a label, got empty brackets at character offset {node.offset}")
    if not node.word and not node.children:
        raise BracketsError(
            f"a node must hold a word or nodes after its label, got ({node.label}) at character offset {node.offset}"
        )
    return node.label


def _mixed(node: _OpenNode, word: str) -> BracketsError:
    return BracketsError(
        f"a node must hold one word or only nodes, got the word {word!r} beside nodes in the node at character offset "
        f"{node.offset}; each word needs brackets and a label of its own, such as (2 {word})"
    )
