"""Recurrent layers over right-padded sequences with explicit lengths, states and resets."""

from .bidirectional import Bidirectional
from .clockwork_rnn import ClockworkRNN
from .coupled_lstm import CoupledLSTM
from .echo_state import EchoState, fit_readout
from .gated_feedback import GatedFeedback
from .gru import GRU
from .leaky_rnn import LeakyRNN
from .lstm import LSTM
from .peephole_lstm import PeepholeLSTM
from .recurrence import Recurrence
from .scrn import SCRN
from .simple_rnn import SimpleRNN
from .skip_rnn import SkipRNN

__all__ = [
    "GRU",
    "LSTM",
    "SCRN",
    "Bidirectional",
    "ClockworkRNN",
    "CoupledLSTM",
    "EchoState",
    "GatedFeedback",
    "LeakyRNN",
    "PeepholeLSTM",
    "Recurrence",
    "SimpleRNN",
    "SkipRNN",
    "fit_readout",
]
