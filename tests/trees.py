"""Random trees, and very deep ones."""

from __future__ import annotations

from hypothesis import strategies as st

from seqloom.datasets.labelled_tree import LabelledTree

# What may stand in a file as a word of a tree.
WORDS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="() \t\n\v\f\r\ufeff"), min_size=1, max_size=6
)


@st.composite
def trees(
    draw: st.DrawFn, labels: st.SearchStrategy[int] | None = None, fewest: int = 1, most: int = 4
) -> LabelledTree:
    """Trees of up to about 20 nodes.

    Args:
        labels: the labels, from 0 to 4 unless told otherwise.
        fewest: the smallest number of children of an inner node.
        most: the greatest number of children of an inner node.
    """
    words: list[str] = []
    children: list[tuple[int, ...]] = []
    roots: list[int] = []
    for _ in range(draw(st.integers(1, 20))):
        arity = draw(st.integers(fewest - 1, most))
        if fewest <= arity <= len(roots):
            words.append("")
            children.append(tuple(roots[-arity:]))
            del roots[-arity:]
        else:
            words.append(draw(WORDS))
            children.append(())
        roots.append(len(words) - 1)
    while len(roots) > 1:
        arity = min(max(fewest, 2), len(roots))
        words.append("")
        children.append(tuple(roots[-arity:]))
        roots[-arity:] = [len(words) - 1]
    labels = st.integers(0, 4) if labels is None else labels
    return LabelledTree(
        tuple(words), tuple(children), tuple(draw(st.lists(labels, min_size=len(words), max_size=len(words))))
    )


def nodes_of(depth: int, arity: int) -> LabelledTree:
    """A tree of that depth: a chain, or with an arity of 2 one that branches to the left. All labels are 3."""
    words, children = ["word0"], [()]
    for height in range(1, depth + 1):
        below = [len(words) - 1]
        if arity == 2:
            below.append(len(words))
            words.append(f"word{height}")
            children.append(())
        words.append("")
        children.append(tuple(below))
    return LabelledTree(tuple(words), tuple(children), (3,) * len(words))
