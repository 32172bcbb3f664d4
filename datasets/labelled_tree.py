"""The example of tree sentiment: a parse tree with a label at every node."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

# The label of a node that is not scored.
NO_LABEL = -1

# What separates the words of a bracketed tree; other white space, such as U+00A0, belongs to a word.
_NO_PART_OF_A_WORD = re.compile(r"[() \t\n\v\f\r]")

# Very negative, negative, neutral, positive, very positive.
_POLARITY = {NO_LABEL: NO_LABEL, 0: 0, 1: 0, 2: NO_LABEL, 3: 1, 4: 1}


@dataclass(frozen=True, slots=True)
class LabelledTree:
    """A parse tree of a sentence with a label at every node.

    The nodes are listed in post-order: the children of a node from left to right, each with all that is
    below it, then the node itself. So children stand before their parents, the root is the last node, the
    nodes below a node stand right before it, and the leaves are in the order of the sentence. Nothing
    here is recursive, so that a tree may be as deep as it likes.

    Args:
        words: the word of each leaf, and `""` for each inner node.
        children: the indices of the children of each node from left to right, `()` for a leaf.
        labels: the label of each node, from 0; `NO_LABEL`, which is -1, for a node that is not scored.
        finer: labels of more classes from which `labels` were made, or `None`. Answers are scored by `labels`, but
            these say more to whoever learns.

    Raises:
        ValueError: if there is no node, if the arguments differ in their lengths, if the nodes are not in
            post-order, if a leaf has no word or an inner node has one, if a word contains a bracket or white
            space, or if a label is not an integer from -1.

    Example:
        >>> tree = LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (2, 1, 3))
        >>> tree.tokens, tree.root, tree.labels[tree.root]
        (('not', 'bad'), 2, 3)
    """

    words: tuple[str, ...]
    children: tuple[tuple[int, ...], ...]
    labels: tuple[int, ...]
    finer: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if not self.words:
            raise ValueError("words must name at least one node, got none")
        if not len(self.words) == len(self.children) == len(self.labels):
            raise ValueError(
                "words, children and labels must have one entry for each node, "
                f"got {len(self.words)}, {len(self.children)} and {len(self.labels)}"
            )
        self._check_order()
        self._check_words()
        if self.finer is not None and len(self.finer) != len(self.labels):
            raise ValueError(f"finer must have one label for each node, got {len(self.finer)} of {len(self.labels)}")
        for node, label in enumerate(self.labels):
            if not isinstance(label, int) or label < NO_LABEL:
                raise ValueError(f"labels must be integers from {NO_LABEL}, got {label!r} at node {node}")

    def _check_order(self) -> None:
        roots: list[int] = []  # of the subtrees that are complete so far and have no parent yet
        for node, children in enumerate(self.children):
            if children:
                first = max(len(roots) - len(children), 0)
                if tuple(roots[first:]) != tuple(children):
                    raise ValueError(
                        f"children must list the nodes in post-order, each below one parent; got {children} at node "
                        f"{node}, where {tuple(roots[first:])} end the nodes that have no parent yet"
                    )
                del roots[first:]
            roots.append(node)
        if len(roots) > 1:
            raise ValueError(
                f"children must place every node below the last one, the root; got {len(roots)} nodes "
                f"without a parent, such as {roots[0]} and {roots[1]}"
            )

    def _check_words(self) -> None:
        for node, (word, children) in enumerate(zip(self.words, self.children, strict=True)):
            if bool(word) == bool(children):
                expected = "'' at an inner node" if children else "a word at a leaf"
                raise ValueError(f"words must hold {expected}, got {word!r} at node {node}")
        if _NO_PART_OF_A_WORD.search("".join(self.words)):
            node = next(node for node, word in enumerate(self.words) if _NO_PART_OF_A_WORD.search(word))
            raise ValueError(f"words must hold no bracket and no white space, got {self.words[node]!r} at node {node}")

    @property
    def taught(self) -> tuple[int, ...]:
        """The labels to learn from: `finer`, or where there are none `labels`."""
        return self.labels if self.finer is None else self.finer

    @property
    def num_nodes(self) -> int:
        """The number of nodes, leaves included."""
        return len(self.words)

    @property
    def root(self) -> int:
        """The index of the root, which is the last node."""
        return len(self.words) - 1

    @property
    def tokens(self) -> tuple[str, ...]:
        """The words of the leaves, in the order of the sentence."""
        return tuple(word for word in self.words if word)

    @property
    def group(self) -> str:
        """The sentence: trees of one sentence belong to one split, so that none is tested on what it was taught."""
        return " ".join(self.tokens)

    @property
    def depth(self) -> int:
        """The height of the root: 0 for a tree of one word."""
        return self.heights()[-1]

    def heights(self) -> tuple[int, ...]:
        """The height of each node: 0 for a leaf, otherwise one more than the greatest of its children.

        Example:
            >>> LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (2, 1, 3)).heights()
            (0, 0, 1)
        """
        heights: list[int] = []
        for children in self.children:
            heights.append(1 + max(heights[child] for child in children) if children else 0)
        return tuple(heights)

    def spans(self) -> tuple[tuple[int, int], ...]:
        """The words under each node as positions in `tokens`: the first one, and the end, exclusive.

        Example:
            >>> LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (2, 1, 3)).spans()
            ((0, 1), (1, 2), (0, 2))
        """
        spans: list[tuple[int, int]] = []
        end = 0
        for children in self.children:
            if children:
                spans.append((spans[children[0]][0], end))
            else:
                spans.append((end, end + 1))
                end += 1
        return tuple(spans)

    def phrase(self, node: int) -> str:
        """The words under a node, joined by a space.

        Args:
            node: the index of the node, from 0.

        Raises:
            IndexError: if there is no such node.

        Example:
            >>> LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (2, 1, 3)).phrase(2)
            'not bad'
        """
        if not 0 <= node < self.num_nodes:
            raise IndexError(f"node must lie in 0 to {self.root}, got node={node}")
        first = node
        while self.children[first]:
            first = self.children[first][0]
        return " ".join(word for word in self.words[first : node + 1] if word)


def num_classes(trees: Iterable[LabelledTree]) -> int:
    """One more than the greatest label of any node, as `taught` has it; 0 where no node has a label.

    Example:
        >>> num_classes([LabelledTree(("fine",), ((),), (3,))])
        4
    """
    return 1 + max((max(tree.taught) for tree in trees), default=NO_LABEL)


def binary(tree: LabelledTree) -> LabelledTree | None:
    """Reduces five classes to two, as Socher et al. (2013) do: 0 and 1 become 0, 3 and 4 become 1.

    Neutral nodes, of label 2, get `NO_LABEL`, which is not scored. The five classes stay in `finer`.

    Args:
        tree: a tree with labels from 0 to 4.

    Returns:
        The tree with its new labels, or `None` if the root is neutral: such a tree is left out.

    Raises:
        ValueError: if a label is greater than 4.

    Example:
        >>> binary(LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (2, 1, 3))).labels
        (-1, 0, 1)
        >>> binary(LabelledTree(("so-so",), ((),), (2,))) is None
        True
    """
    for node, label in enumerate(tree.labels):
        if label not in _POLARITY:
            raise ValueError(f"labels must lie in 0 to 4 to be made binary, got {label} at node {node}")
    if _POLARITY[tree.labels[tree.root]] == NO_LABEL:
        return None
    return replace(tree, labels=tuple(_POLARITY[label] for label in tree.labels), finer=tree.labels)
