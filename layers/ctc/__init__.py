"""Connectionist temporal classification: the loss, decoders that export, and alignments.

Labels are class numbers from 0 to n - 1, and the blank is the last of the n + 1 classes. What decoders return is padded
with -1; what is padded in arguments may hold anything.
"""

from .alignment import align
from .best_path import best_path
from .loss import ctc_loss, feasible
from .ngram_tables import NgramTables
from .prefix_beam_search import prefix_beam_search
from .scorers import CharacterScorer, WordScorer

__all__ = [
    "CharacterScorer",
    "NgramTables",
    "WordScorer",
    "align",
    "best_path",
    "ctc_loss",
    "feasible",
    "prefix_beam_search",
]
