"""N-gram language models: interpolated Kneser-Ney smoothing, ARPA files, and the tables that decoders read."""

from .arpa import load_arpa, save_arpa
from .backoff_model import END, START, UNKNOWN, BackoffModel
from .kneser_ney import fit
from .tables import character_scorer, word_scorer

__all__ = [
    "END",
    "START",
    "UNKNOWN",
    "BackoffModel",
    "character_scorer",
    "fit",
    "load_arpa",
    "save_arpa",
    "word_scorer",
]
