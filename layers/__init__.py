"""Keras layers, losses and decoders. They know tensors, and no task and no file."""

from .bernoulli_halt import BernoulliHalt
from .character_encoder import CharacterEncoder
from .conditioning import Conditioning
from .crf import LinearChainCRF
from .encoder import Encoder
from .end_symbol import EndSymbol
from .factored_dense import FactoredDense
from .jordan import Jordan
from .masking import sequence_mask
from .predicted_length import PredictedLength
from .recurrence import (
    GRU,
    LSTM,
    SCRN,
    Bidirectional,
    ClockworkRNN,
    CoupledLSTM,
    EchoState,
    GatedFeedback,
    LeakyRNN,
    PeepholeLSTM,
    SimpleRNN,
    SkipRNN,
    fit_readout,
)
from .sequence_pooling import SequencePooling
from .word_dropout import WordDropout

__all__ = [
    "GRU",
    "LSTM",
    "SCRN",
    "BernoulliHalt",
    "Bidirectional",
    "CharacterEncoder",
    "ClockworkRNN",
    "Conditioning",
    "CoupledLSTM",
    "EchoState",
    "Encoder",
    "EndSymbol",
    "FactoredDense",
    "GatedFeedback",
    "Jordan",
    "LeakyRNN",
    "LinearChainCRF",
    "PeepholeLSTM",
    "PredictedLength",
    "SequencePooling",
    "SimpleRNN",
    "SkipRNN",
    "WordDropout",
    "fit_readout",
    "sequence_mask",
]
