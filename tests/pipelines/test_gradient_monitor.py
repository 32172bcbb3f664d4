"""Recorded gradients: what they are, that recording changes nothing, and that no epoch is recorded twice."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from commands import NO_DROPOUT, SMALL, TINY, Commands, best_weights, final_state, history, train
from tagging import CORPUS, make_tagger

import seqloom
from seqloom.pipelines.gradient_record import read_record
from seqloom.pipelines.reporting.gradients import gradient_sections, layer_norms, short_names
from seqloom.pipelines.reporting.page import Figure, Table
from seqloom.pipelines.run_directory import RunDirectory
from seqloom.pipelines.sequence_model import SequenceModel
from seqloom.pipelines.time_lags import norms_by_lag

MONITOR = ("--set", "monitor_gradients=true")
ONE_STEP = ("--config", TINY, "--limit", 1, "--epochs", 2)


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs with dropout; tests copy it."""
    return train(tmp_path_factory.mktemp("runs") / "monitored", *SMALL, *MONITOR)


def record(run_dir: Path) -> list[dict[str, Any]]:
    return read_record(RunDirectory(run_dir))


def test_recording_changes_no_weight(monitored: Path, tmp_path: Path) -> None:
    """With dropout, so that a random number drawn too many would show."""
    plain = train(tmp_path / "plain", *SMALL)
    assert record(plain) == []
    assert history(plain) == history(monitored)
    ours, theirs = best_weights(monitored), best_weights(plain)
    assert ours.keys() == theirs.keys()
    assert all(ours[name].tobytes() == theirs[name].tobytes() for name in ours)
    # the state holds the same and, among the optimizer's variables, two more: the sums of the record, which are empty
    more, fewer = final_state(monitored), final_state(plain)
    bytes_of_plain = [value.tobytes() for value in fewer]
    added = [value for value in more if value.tobytes() not in bytes_of_plain or not np.any(value)]
    assert len(more) == len(fewer) + 2
    assert not any(np.any(value) for value in added)


def test_an_epoch_of_one_step_has_the_norm_of_that_step(tmp_path: Path) -> None:
    run_dir = train(tmp_path / "run", *ONE_STEP, *MONITOR)
    for row, epoch in zip(record(run_dir), history(run_dir), strict=True):
        whole = np.sqrt(sum(norm**2 for norm in row["weights"].values()))
        assert epoch["gradient_norm"] == epoch["gradient_norm_max"]
        np.testing.assert_allclose(whole, float(epoch["gradient_norm"]), rtol=1e-3)


def test_two_replicas_record_what_one_device_records(tmp_path: Path) -> None:
    flags = ("--config", TINY, "--limit", 21, "--batch_size", 7, "--epochs", 1, *NO_DROPOUT, *MONITOR)
    one, two = (
        train(tmp_path / strategy, *flags, "--set", f"strategy={strategy}") for strategy in ("one_device", "mirrored")
    )
    for ours, theirs in zip(record(one), record(two), strict=True):
        assert ours["weights"].keys() == theirs["weights"].keys()
        for name, norm in ours["weights"].items():
            np.testing.assert_allclose(theirs["weights"][name], norm, rtol=2e-3, atol=1e-6)
        for name, norms in ours["lags"].items():
            np.testing.assert_allclose(theirs["lags"][name], norms, rtol=2e-3, atol=1e-6)


def test_a_run_that_goes_on_records_what_an_uninterrupted_one_does(monitored: Path, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(monitored, tmp_path / "run"))
    # as if the kill had come between the record of epoch 3 and its state
    path = run_dir / "checkpoints" / "gradients.jsonl"
    stale = path.read_text(encoding="utf-8").splitlines()[-1].replace('"epoch": 2', '"epoch": 3')
    path.write_text(path.read_text(encoding="utf-8") + stale + "\n", encoding="utf-8")
    train(run_dir, *SMALL, *MONITOR, "--epochs", 4)
    whole = train(tmp_path / "whole", *SMALL, *MONITOR, "--epochs", 4)
    assert [row["epoch"] for row in record(run_dir)] == [1, 2, 3, 4]
    assert record(run_dir) == record(whole)


def test_the_report_shows_the_gradients(command: Commands, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    flags = ("--config", TINY, "--limit", 60, "--epochs", 2, *MONITOR)
    outcome = command("run", "slot_filling", "--run_dir", run_dir, *flags)
    assert outcome.status == 0, outcome.err
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    for text in ('id="gradients"', "Gradient norm of each layer", "forward_0", "Factor a step"):
        assert text in page


def test_without_the_setting_the_report_has_no_such_section(tiny_run: Path) -> None:
    assert 'id="gradients"' not in (tiny_run / "report.html").read_text(encoding="utf-8")


def test_the_section_has_a_figure_for_each_recurrent_layer(monitored: Path) -> None:
    rows = record(monitored)
    [section] = gradient_sections(rows)
    figures = [block for block in section.blocks if isinstance(block, Figure)]
    [table] = [block for block in section.blocks if isinstance(block, Table)]
    assert len(rows[0]["lags"]) == 2  # one layer in two directions
    assert sum("against the time lag" in figure.alt for figure in figures) == 2
    assert len(table.rows) == 4  # in the first and in the last epoch
    drawn = " ".join(figure.alt for figure in figures)
    assert all(name in drawn for name in short_names(list(layer_norms(rows[0]["weights"]))).values())


def test_a_record_of_one_epoch_or_without_recurrence_is_drawn() -> None:
    [section] = gradient_sections([{"epoch": 1, "weights": {"tags/kernel": 1.0, "tags/bias": 0.0}, "lags": {}}])
    assert "look back in time" not in section.text
    [section] = gradient_sections([{"epoch": 1, "weights": {"tags/bias": 0.0}, "lags": {"a": [0.5, 0.0], "b": [1.0]}}])
    assert "look back in time" in section.text
    assert gradient_sections([]) == []


# What the norms are: a network small enough to be worked out by hand.

W, U, V = 0.7, -0.6, 1.3
STEPS, LENGTHS = 5, np.array([5, 3])


class Counter(SequenceModel):
    """`h_t = W x_t + U h_{t-1}`, and a squared loss of `V h_t` at each step, or of the last one of a row."""

    def __init__(self, recurrence: keras.layers.Layer, per_row: bool = False) -> None:
        super().__init__()
        self.recurrence, self.per_row = recurrence, per_row

    def call(self, inputs: Any, training: bool | None = None) -> tf.Tensor:
        outputs = V * keras.tree.flatten(self.recurrence(inputs["x"]))[0]
        return outputs[:, -1] if self.per_row else outputs

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        return {"loss": tf.reduce_sum(tf.square(outputs - targets), axis=-1)}


def linear(kind: str) -> keras.layers.Layer:
    """A recurrence of one unit with these weights, of Keras or of our own."""
    layer_class = {"keras": keras.layers.SimpleRNN, "own": seqloom.layers.recurrence.SimpleRNN}[kind]
    layer = layer_class(1, activation="linear", return_sequences=True)
    layer.build((None, None, 1))
    layer.set_weights([np.array([[W]]), np.array([[U]]), np.zeros(1)])
    return layer


def inputs_and_states() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).normal(size=(2, STEPS, 1)).astype("float32")
    states = np.zeros((2, STEPS))
    for step in range(STEPS):
        states[:, step] = W * x[:, step, 0] + U * (states[:, step - 1] if step else 0)
    return x, states


@pytest.mark.parametrize("kind", ["keras", "own"])
def test_norms_are_those_of_the_loss_at_the_last_step(kind: str) -> None:
    """`dL_T/dh_{T-n} = 2 (V h_T - y_T) V U^n`, whatever the steps before cost."""
    x, states = inputs_and_states()
    weights = (np.arange(STEPS) < LENGTHS[:, None]).astype("float32")
    found = norms_by_lag(
        Counter(linear(kind)), {"x": x}, tf.zeros((2, STEPS, 1)), {"loss": tf.constant(weights / weights.sum())}
    )
    last = np.abs(2 * V * states[np.arange(2), LENGTHS - 1] * V)
    [norms] = found.values()
    # both rows reach back to lag 2, one of them to lag 4: half of the rows is as far as the median
    expected = [np.mean(last * np.abs(U) ** lag) for lag in range(3)] + [last[0] * np.abs(U) ** 3]
    np.testing.assert_allclose(norms, expected, rtol=1e-5)


@pytest.mark.parametrize("kind", ["keras", "own"])
def test_a_loss_of_the_whole_row_is_taken_as_it_is(kind: str) -> None:
    x, states = inputs_and_states()
    [norms] = norms_by_lag(
        Counter(linear(kind), per_row=True), {"x": x}, tf.zeros((2, 1)), {"loss": tf.ones(2)}
    ).values()
    last = np.abs(2 * V * states[:, -1] * V)
    np.testing.assert_allclose(norms, [np.mean(last * np.abs(U) ** lag) for lag in range(STEPS)], rtol=1e-5)


def test_the_model_is_left_as_it_was() -> None:
    x, _ = inputs_and_states()
    model = Counter(linear("keras"))
    before = model({"x": x}).numpy()
    attributes = set(vars(model.recurrence)), set(vars(model.recurrence.cell))
    norms_by_lag(model, {"x": x}, tf.zeros((2, STEPS, 1)), {"loss": tf.ones((2, STEPS))})
    assert (set(vars(model.recurrence)), set(vars(model.recurrence.cell))) == attributes
    np.testing.assert_array_equal(model({"x": x}), before)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_the_state_is_all_that_goes_on_to_the_next_step(kind: str) -> None:
    """Against a network that starts from the state after a step, with `c` and `h`, and reads the rest."""
    x = np.random.default_rng(0).normal(size=(1, STEPS, 3)).astype("float32")
    keras.utils.set_random_seed(0)
    layer = getattr(keras.layers, kind)(4, return_sequences=True, return_state=True)
    layer(x)
    found = norms_by_lag(Counter(layer), {"x": x}, tf.zeros((1, STEPS, 4)), {"loss": tf.ones((1, STEPS))})
    [norms] = found.values()
    for lag in range(1, STEPS):
        states = layer(x[:, : STEPS - lag])[1:]
        with tf.GradientTape() as tape:
            tape.watch(states)
            loss = tf.reduce_sum(tf.square(V * layer(x[:, STEPS - lag :], initial_state=states)[0][:, -1]))
        expected = tf.linalg.global_norm(tape.gradient(loss, states))
        np.testing.assert_allclose(norms[lag], expected, rtol=1e-4)


def tagger_and_batch(**settings: Any) -> tuple[SequenceModel, tuple[dict[str, tf.Tensor], ...]]:
    """A model that serves nothing, and eight rows."""
    tagger = make_tagger(num_layers=2, **settings)
    data = tagger.pipeline.training_data(CORPUS.train, tagger.preprocessor)
    return tagger.pipeline.build_model(tagger.preprocessor), data.batch(
        tf.range(8, dtype=tf.int64), tf.constant(0, tf.int64)
    )


@pytest.mark.parametrize(("encoder", "head"), [("simple", "softmax"), ("lstm", "crf"), ("gru", "crf")])
def test_each_layer_and_direction_of_a_tagger_is_measured(encoder: str, head: str) -> None:
    model, batch = tagger_and_batch(encoder=encoder, head=head)
    found = norms_by_lag(model, *batch)
    assert [name.rpartition("/")[2] for name in found] == ["backward_0", "forward_0", "backward_1", "forward_1"]
    assert {len(norms) for norms in found.values()} == {int(np.median(batch[0]["lengths"].numpy()))}
    assert all(np.all(np.isfinite(norms)) and norms[0] > 0 for norms in found.values())


def test_a_forward_layer_hears_of_no_step_after_the_last() -> None:
    """More padding changes no norm."""
    model, (inputs, targets, weights) = tagger_and_batch()
    expected = norms_by_lag(model, inputs, targets, weights)
    steps = inputs["words"].shape[1]

    def padded(tensors: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {
            name: tf.pad(each, [[0, 0], [0, 3], *[[0, 0]] * (len(each.shape) - 2)])
            if len(each.shape) > 1 and each.shape[1] == steps
            else each
            for name, each in tensors.items()
        }

    actual = norms_by_lag(model, padded(inputs), padded(targets), padded(weights))
    for name, norms in expected.items():
        np.testing.assert_allclose(actual[name], norms, rtol=1e-4)
