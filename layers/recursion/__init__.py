"""Recursive layers over trees as tensors, computed level by level over the whole batch."""

from .bidirectional_tree import BidirectionalTree
from .recursion import Recursion
from .recursive_net import RecursiveNet
from .recursive_tensor_net import RecursiveTensorNet
from .tree_lstm import TreeLSTM

__all__ = ["BidirectionalTree", "Recursion", "RecursiveNet", "RecursiveTensorNet", "TreeLSTM"]
