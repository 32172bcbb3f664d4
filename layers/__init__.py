"""Keras layers, losses and decoders. They know tensors, and no task and no file."""

from .character_encoder import CharacterEncoder
from .crf import LinearChainCRF
from .encoder import Encoder
from .jordan import Jordan
from .masking import sequence_mask
from .word_dropout import WordDropout

__all__ = ["CharacterEncoder", "Encoder", "Jordan", "LinearChainCRF", "WordDropout", "sequence_mask"]
