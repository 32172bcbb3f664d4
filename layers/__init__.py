"""Keras layers, losses and decoders. They know tensors, and no task and no file."""

from .character_encoder import CharacterEncoder
from .crf import LinearChainCRF
from .encoder import Encoder
from .factored_dense import FactoredDense
from .jordan import Jordan
from .masking import sequence_mask
from .sequence_pooling import SequencePooling
from .word_dropout import WordDropout

__all__ = [
    "CharacterEncoder",
    "Encoder",
    "FactoredDense",
    "Jordan",
    "LinearChainCRF",
    "SequencePooling",
    "WordDropout",
    "sequence_mask",
]
