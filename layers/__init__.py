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
from .naive_bayes_linear import NaiveBayesLinear
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
from .recursion import BidirectionalTree, RecursiveNet, RecursiveTensorNet, TreeLSTM
from .region_embedding import RegionEmbedding
from .sequence_pooling import SequencePooling
from .word_dropout import WordDropout

__all__ = [
    "GRU",
    "LSTM",
    "SCRN",
    "BernoulliHalt",
    "Bidirectional",
    "BidirectionalTree",
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
    "NaiveBayesLinear",
    "PeepholeLSTM",
    "PredictedLength",
    "RecursiveNet",
    "RecursiveTensorNet",
    "RegionEmbedding",
    "SequencePooling",
    "SimpleRNN",
    "SkipRNN",
    "TreeLSTM",
    "WordDropout",
    "fit_readout",
    "sequence_mask",
]
