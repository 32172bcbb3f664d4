"""The classifier in PyTorch as a recursion over each tree, with one product at a node.

Public implementations have a `Linear` for each gate and child; joined in one they are the same function, and faster.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from contenders import EPSILON, UNITS, initial_weights
from torch import nn
from torch.nn import functional
from trees import CLASSES, VOCABULARY, Tree

States = tuple[torch.Tensor, ...]


class TreeLSTM(nn.Module):
    """The N-ary TreeLSTM of two children; leaves and inner nodes share their biases."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.kernel = nn.Linear(units, 3 * units, bias=False)
        self.recurrent_kernel = nn.Linear(2 * units, 5 * units, bias=False)
        self.bias = nn.Parameter(torch.zeros(4 * units))

    def start(self) -> None:
        """Arranges the biases, once for each batch."""
        b_i, b_f, b_g, b_o = self.bias.chunk(4)
        self._leaf_bias, self._inner_bias = torch.cat([b_i, b_g, b_o]), torch.cat([b_i, b_f, b_f, b_g, b_o])

    def leaf(self, x: torch.Tensor) -> States:
        """The states of a leaf."""
        i, g, o = functional.linear(x, self.kernel.weight, self._leaf_bias).chunk(3, dim=1)
        c = torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c

    def inner(self, left: States, right: States) -> States:
        """The states of an inner node."""
        h = torch.cat([left[0], right[0]], dim=1)
        total = functional.linear(h, self.recurrent_kernel.weight, self._inner_bias)
        i, f_left, f_right, g, o = total.chunk(5, dim=1)
        c = torch.sigmoid(i) * torch.tanh(g) + torch.sigmoid(f_left) * left[1] + torch.sigmoid(f_right) * right[1]
        return torch.sigmoid(o) * torch.tanh(c), c


class RecursiveNet(nn.Module):
    """`tanh(W [h_1; h_2] + b)` at inner nodes, the word's vector at leaves."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.recurrent_kernel = nn.Linear(2 * units, units, bias=False)
        self.bias = nn.Parameter(torch.zeros(units))

    def start(self) -> None:
        """Has nothing to arrange."""

    def leaf(self, x: torch.Tensor) -> States:
        """The states of a leaf."""
        return (x,)

    def inner(self, left: States, right: States) -> States:
        """The states of an inner node."""
        h = torch.cat([left[0], right[0]], dim=1)
        return (torch.tanh(functional.linear(h, self.recurrent_kernel.weight, self.bias)),)


class RecursiveTensorNet(RecursiveNet):
    """`tanh(x^T V x + W x + b)` with `x = [h_1; h_2]` at inner nodes, the word's vector at leaves."""

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.tensor = nn.Parameter(torch.zeros(2 * units, units, 2 * units))

    def inner(self, left: States, right: States) -> States:
        """The states of an inner node."""
        x = torch.cat([left[0], right[0]], dim=1)
        size, units, _ = self.tensor.shape
        products = (x @ self.tensor.view(size, units * size)).view(units, size)
        return (torch.tanh(x @ products.T + functional.linear(x, self.recurrent_kernel.weight, self.bias)),)


CELLS = {"TreeLSTM": TreeLSTM, "RecursiveNet": RecursiveNet, "RecursiveTensorNet": RecursiveTensorNet}


class TorchModel:
    """Run eagerly; one backward pass for the batch."""

    def __init__(self, cell: str, threads: int) -> None:
        torch.set_num_threads(threads)
        units = UNITS[cell]
        self._embedding, self._cell = nn.Embedding(VOCABULARY, units), CELLS[cell](units)
        self._dense = nn.Linear(units, CLASSES)
        model = nn.ModuleList([self._embedding, self._cell, self._dense])
        embedding, *weights, dense, dense_bias = initial_weights(cell).items()
        own = dict(self._cell.named_parameters())
        with torch.no_grad():
            self._embedding.weight.copy_(torch.from_numpy(embedding[1]))
            self._dense.weight.copy_(torch.from_numpy(dense[1].T))
            self._dense.bias.copy_(torch.from_numpy(dense_bias[1]))
            for name, value in weights:
                matrix = f"{name}.weight" in own
                own[f"{name}.weight" if matrix else name].copy_(torch.from_numpy(value.T if matrix else value))
        self._optimizer = torch.optim.Adam(model.parameters(), eps=EPSILON)

    def load(self, batches: Sequence[Sequence[Tree]]) -> None:
        """Takes the batches that `train` names by their numbers."""
        self._batches = []
        for batch in batches:
            words = torch.cat([torch.from_numpy(tree.words[tree.levels == 0]) for tree in batch])
            labels = torch.cat([torch.from_numpy(tree.labels) for tree in batch]).long()
            self._batches.append((words, labels, [tree.children.tolist() for tree in batch]))

    def train(self, number: int) -> float:
        """One step of Adam; the loss before it."""
        words, labels, batch = self._batches[number]
        self._optimizer.zero_grad()
        outputs = self._outputs(self._embedding(words), batch)
        loss = functional.cross_entropy(self._dense(outputs), labels)
        loss.backward()
        self._optimizer.step()
        return loss.item()

    def _outputs(self, vectors: torch.Tensor, batch: list[list[list[int]]]) -> torch.Tensor:
        self._cell.start()
        leaf, inner = self._cell.leaf, self._cell.inner
        outputs: list[torch.Tensor] = []
        remaining = iter(vectors.split(1))

        def visit(children: list[list[int]], node: int) -> States:
            left, right = children[node]
            states = leaf(next(remaining)) if left < 0 else inner(visit(children, left), visit(children, right))
            outputs.append(states[0])
            return states

        for children in batch:
            visit(children, len(children) - 1)
        return torch.cat(outputs)
