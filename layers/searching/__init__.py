"""Searches for the likeliest sequences of any step function: greedy search and beam search, in the graph.

A step function reads the symbols that were written last and the states, and gives a `Step`. The rows of what it reads
and gives are those of the batch in a greedy search, and `batch * beam_width` in a beam search. Whatever belongs to a
row and stays the same all the time, such as the encoded source, is no state: the step function closes over it.
"""

from .beam_search import beam_search
from .found import Found
from .greedy_search import greedy_search
from .step import Step, repeat_rows

__all__ = ["Found", "Step", "beam_search", "greedy_search", "repeat_rows"]
