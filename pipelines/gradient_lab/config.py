"""The settings of the gradient laboratory."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from ..config import RecurrentLayer
from ..study import StudyConfig

CELLS: tuple[RecurrentLayer, ...] = get_args(RecurrentLayer)


class Config(StudyConfig):
    """What can be set for the gradient laboratory."""

    # linear_unit
    unit_steps: int = Field(1000, ge=2, le=100_000, description="inputs of the linear unit: a 1, then zeros")
    unit_range: float = Field(0.01, gt=0, le=0.5, description="how far its weight goes below and above 1")
    unit_points: int = Field(201, ge=3, le=10_001, description="weights at which its output is computed; odd is best")

    # error_surface
    surface_points: int = Field(161, ge=5, le=1001, description="grid points of the error surface along each axis")
    descent_updates: int = Field(80, ge=1, le=100_000, description="steps of gradient descent on the error surface")
    descent_rate: float = Field(0.3, gt=0, description="learning rate of gradient descent on the error surface")
    descent_clip: float = Field(0.05, gt=0, description="limit of the norm, and of each part, of a clipped gradient")

    # saturation
    sigmoid_steps: int = Field(30, ge=2, le=1000, description="how often the sigmoid is applied to its own output")
    gate_units: int = Field(48, ge=1, le=4096, description="units of the LSTM whose gates are looked at")
    gate_length: int = Field(60, ge=4, le=500, description="characters of the texts that it learns to predict")
    gate_updates: int = Field(500, ge=1, le=1_000_000, description="training steps of that LSTM")
    gate_batch: int = Field(32, ge=1, description="texts of one of its training steps")

    # lag_norms
    lag_cells: list[RecurrentLayer] = Field(
        list(CELLS), min_length=1, description="cells whose gradient is followed back"
    )
    lag_length: int = Field(50, ge=2, le=1000, description="steps of the sequences of the adding problem")
    lag_units: int = Field(32, ge=8, le=1024, description="units of each of these cells")
    lag_rows: int = Field(64, ge=1, description="sequences over which norms are averaged")
    lag_updates: int = Field(200, ge=1, description="training steps between the first and the second measurement")
    lag_batch: int = Field(64, ge=1, description="sequences of one of these training steps")
    lag_rate: float = Field(5e-3, gt=0, description="learning rate of Adam in this training")

    # benchmark_tasks
    benchmark_cells: list[RecurrentLayer] = Field(
        ["simple", "leaky", "lstm", "gru"], min_length=1, description="cells that are compared at equal parameters"
    )
    benchmark_adding: list[Annotated[int, Field(ge=2, le=10_000)]] = Field(
        [50], description="lengths of the adding problem, in steps, at least 2"
    )
    benchmark_order: list[Annotated[int, Field(ge=10, le=10_000)]] = Field(
        [50], description="lengths of the temporal order problem, in steps, at least 10"
    )
    benchmark_copy: list[Annotated[int, Field(ge=1, le=10_000)]] = Field(
        [5], description="lengths of the copy problem, steps to remember, at least 1"
    )
    benchmark_adding_seeds: int = Field(1, ge=1, le=100, description="runs of each cell and length of adding")
    benchmark_other_seeds: int = Field(1, ge=1, le=100, description="the same for temporal order and copy")
    benchmark_parameters: int = Field(5760, ge=500, description="weights that each model has, within 3.5 %")
    benchmark_updates: int = Field(1000, ge=1, description="the most training steps of a run; a solved one stops")
    benchmark_batch: int = Field(64, ge=1, description="sequences of a training step")
    benchmark_rate: float = Field(5e-3, gt=0, description="learning rate of Adam")
    benchmark_minutes: float | None = Field(None, gt=0, description="after so long no further run is begun")
    benchmark_workers: int = Field(2, ge=1, le=64, description="processes that train runs at the same time")

    # backpropagation
    bptt_steps: int = Field(60, ge=2, le=10_000, description="steps of the sequence that is differentiated by hand")
    bptt_units: int = Field(16, ge=1, le=4096, description="units of that network")
    bptt_rows: int = Field(32, ge=1, description="sequences over which the bias of truncation is averaged")

    # reservoir
    reservoir_sizes: list[Annotated[int, Field(ge=2, le=10_000)]] = Field(
        [50, 100, 200, 400], min_length=1, description="units of the reservoirs"
    )
    reservoir_radii: list[Annotated[float, Field(gt=0, le=10)]] = Field(
        [0.5, 0.8, 0.9, 1.0, 1.2], min_length=1, description="spectral radii of the reservoirs"
    )
    reservoir_seeds: int = Field(2, ge=1, le=100, description="reservoirs of each size and radius")
    reservoir_steps: int = Field(1500, ge=300, description="samples of the series that the readout is fitted on")
    reservoir_trials: int = Field(50, ge=1, description="places of a new series from which it is continued")

    # depth
    depth_layers: list[Annotated[int, Field(ge=1, le=64)]] = Field(
        [1, 4, 8], min_length=1, description="numbers of stacked layers"
    )
    depth_encoder: RecurrentLayer = Field("lstm", description="cell of the layers")
    depth_units: int = Field(24, ge=1, le=1024, description="units of each layer")
    depth_length: int = Field(10, ge=10, le=1000, description="steps of the sequences of the temporal order problem")
    depth_updates: int = Field(150, ge=1, description="training steps of each stack")
    depth_batch: int = Field(64, ge=1, description="sequences of one of these training steps")
    depth_rate: float = Field(2e-3, gt=0, description="learning rate of Adam in this training")
