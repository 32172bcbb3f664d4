"""A reservoir of random connections that are never trained, and the readout that is."""

import random
import warnings

import keras
import numpy as np
from keras import ops

from .recurrence import Recurrence, masked


@keras.saving.register_keras_serializable(package="seqloom")
class EchoState(Recurrence):
    """Runs a fixed random network, of whose states a linear readout learns what it needs.

    `h_t = (1 - a) h_{t-1} + a act(W x_t + U h_{t-1} + b)` (Jaeger, 2001; Lukosevicius, 2012). `W`, `U` and `b` are
    drawn uniformly when the layer is built, `U` is rescaled to a given spectral radius, and none of them is trained;
    they are saved with the model. Below a radius of 1 the state forgets how it started and echoes the inputs alone
    (the echo state property). Gradients flow through the layer to its inputs. `fit_readout` fits the linear readout.

    Args:
        units: int. Size of `h`.
        spectral_radius: positive float. Largest modulus of the eigenvalues of `U`. From 1 on there is a warning.
            Defaults to `0.9`.
        input_scaling: float. `W` is drawn from between minus this and this. Defaults to `1.0`.
        bias_scaling: float. `b` is drawn from between minus this and this. Defaults to `0.0`.
        leak_rate: float in (0, 1]. `a`; a small one makes the state slow. Defaults to `1.0`.
        sparsity: float in [0, 1). Share of the weights in `U` that are zero; each unit keeps at least one. Defaults to
            `0.9`.
        activation: str or callable. `act`. Defaults to `"tanh"`.
        **kwargs: as in `Recurrence`, whose initializers and regularizers have nothing to act on; `seed` is that of
            the dropout and of the reservoir, so that equal seeds draw equal reservoirs.

    Call arguments, Returns and Masking:
        as in `Recurrence`, with one state, `h`.

    Raises:
        ValueError: if `spectral_radius` is not positive, or `leak_rate` or `sparsity` lies outside its range; else as
            in `Recurrence`.

    Example:
        >>> layer = EchoState(50, spectral_radius=0.8, seed=0, return_sequences=True)
        >>> layer(keras.ops.ones((2, 5, 3)), lengths=keras.ops.array([5, 2])).shape
        TensorShape([2, 5, 50])
        >>> round(float(np.abs(np.linalg.eigvals(layer.recurrent_kernel)).max()), 4), layer.trainable_weights
        (0.8, [])

    References:
        Jaeger (2001), The "echo state" approach to analysing and training recurrent neural networks.
        Lukosevicius (2012), A practical guide to applying echo state networks.
    """

    def __init__(
        self,
        units,
        spectral_radius=0.9,
        input_scaling=1.0,
        bias_scaling=0.0,
        leak_rate=1.0,
        sparsity=0.9,
        activation="tanh",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        if spectral_radius <= 0:
            raise ValueError(f"spectral_radius must be positive, got spectral_radius={spectral_radius}")
        if not 0 < leak_rate <= 1:
            raise ValueError(f"leak_rate must lie in (0, 1], got leak_rate={leak_rate}")
        if not 0 <= sparsity < 1:
            raise ValueError(f"sparsity must lie in [0, 1), got sparsity={sparsity}")
        if spectral_radius >= 1:
            warnings.warn(
                f"spectral_radius={spectral_radius} is not below 1: without strong inputs the state may never forget "
                "how it started (no echo state property), and a readout fitted on one sequence may fail on the next. "
                "Choose a value below 1, or check that runs from different initial states meet.",
                stacklevel=2,
            )
        self.spectral_radius = spectral_radius
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.leak_rate = leak_rate
        self.sparsity = sparsity
        self.activation = keras.activations.get(activation)

    def build(self, inputs_shape):
        # without a seed, `keras.utils.set_random_seed` decides, as for Keras' own initializers
        rng = np.random.default_rng(random.randrange(2**31) if self.seed is None else self.seed)
        U = self._reservoir(rng)
        W = self.input_scaling * rng.uniform(-1, 1, (inputs_shape[-1], self.units))
        self.kernel = self._fixed("kernel", W)
        self.recurrent_kernel = self._fixed("recurrent_kernel", U)
        self.bias = self._fixed("bias", self.bias_scaling * rng.uniform(-1, 1, self.units))

    def _reservoir(self, rng):
        # each unit is fed by at least one: so there are cycles, and the radius is not zero before it is rescaled
        sources = max(1, round((1 - self.sparsity) * self.units))
        chosen = np.argsort(rng.random((self.units, self.units)), axis=0) < sources  # as many in each column
        U = np.where(chosen, rng.uniform(-1, 1, (self.units, self.units)), 0)
        return U * (self.spectral_radius / np.max(np.abs(np.linalg.eigvals(U))))

    def _fixed(self, name, values):
        return self.add_weight(
            name=name,
            shape=values.shape,
            initializer=lambda shape, dtype=None: ops.convert_to_tensor(values, dtype),
            trainable=False,
        )

    def project(self, inputs):
        return ops.matmul(inputs, self.kernel) + self.bias  # W x_t + b

    def step(self, projected, states, recurrent_mask=None):
        (h,) = states
        candidate = self.activation(projected + ops.matmul(masked(h, recurrent_mask), self.recurrent_kernel))
        h = candidate if self.leak_rate == 1 else h + self.leak_rate * (candidate - h)
        return h, (h,)

    def get_config(self):
        return {
            **super().get_config(),
            "spectral_radius": self.spectral_radius,
            "input_scaling": self.input_scaling,
            "bias_scaling": self.bias_scaling,
            "leak_rate": self.leak_rate,
            "sparsity": self.sparsity,
            "activation": keras.activations.serialize(self.activation),
        }


def fit_readout(states, targets, regularization=1e-6):
    """Fits a linear readout in closed form, by ridge regression in float64.

    Minimises `sum (states kernel + bias - targets)^2 + regularization * sum kernel^2`; the bias is free. Drop the first
    steps of each sequence, where the state still remembers how it started, and those past its length.

    Args:
        states: float array `(..., units)`.
        targets: float array `(..., outputs)`, as many as there are states.
        regularization: float, at least 0. Defaults to `1e-6`.

    Returns:
        float64 arrays `(units, outputs)` and `(outputs,)`, the kernel and bias of a dense layer.

    Raises:
        ValueError: if `regularization` is negative, or states and targets differ in number.

    Example:
        >>> kernel, bias = fit_readout([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]], regularization=0.0)
        >>> kernel.round(6).tolist(), bias.round(6).tolist()
        ([[2.0]], [1.0])

    References:
        Lukosevicius (2012), A practical guide to applying echo state networks, section 4.
    """
    states, targets = np.asarray(states, "float64"), np.asarray(targets, "float64")
    if states.shape[:-1] != targets.shape[:-1]:
        raise ValueError(f"targets must be as many as the states, got shapes {targets.shape} and {states.shape}")
    if regularization < 0:
        raise ValueError(f"regularization must be at least 0, got regularization={regularization}")
    X, Y = states.reshape(-1, states.shape[-1]), targets.reshape(-1, targets.shape[-1])
    mean, target_mean = X.mean(axis=0), Y.mean(axis=0)
    # ridge regression is least squares with `units` more rows; that squares no condition number
    X = np.concatenate([X - mean, np.sqrt(regularization) * np.eye(X.shape[-1])])
    Y = np.concatenate([Y - target_mean, np.zeros((X.shape[-1], Y.shape[-1]))])
    kernel = np.linalg.lstsq(X, Y, rcond=None)[0]
    return kernel, target_mean - mean @ kernel
