"""Keras layers, losses and decoders. They know tensors, and no task and no file."""

from .attention import Attention
from .audio_features import AudioFeatures
from .bernoulli_halt import BernoulliHalt
from .character_encoder import CharacterEncoder
from .conditioning import Conditioning
from .convolutional_subsampling import ConvolutionalSubsampling
from .crf import LinearChainCRF
from .decoder import Decoder
from .deltas import Deltas
from .encoder import Encoder
from .end_symbol import EndSymbol
from .factored_dense import FactoredDense
from .feature_normalisation import FeatureNormalisation
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
from .spaced_frames import SpacedFrames
from .spec_augment import SpecAugment
from .word_dropout import WordDropout

__all__ = [
    "GRU",
    "LSTM",
    "SCRN",
    "Attention",
    "AudioFeatures",
    "BernoulliHalt",
    "Bidirectional",
    "BidirectionalTree",
    "CharacterEncoder",
    "ClockworkRNN",
    "Conditioning",
    "ConvolutionalSubsampling",
    "CoupledLSTM",
    "Decoder",
    "Deltas",
    "EchoState",
    "Encoder",
    "EndSymbol",
    "FactoredDense",
    "FeatureNormalisation",
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
    "SpacedFrames",
    "SpecAugment",
    "TreeLSTM",
    "WordDropout",
    "fit_readout",
    "sequence_mask",
]
