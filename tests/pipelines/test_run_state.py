"""The run state: everything comes back, bit for bit, or the state before it does."""

import json
import logging
import shutil
import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from tagging import CORPUS, make_config

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.run_directory import RunDirectory
from seqloom.pipelines.run_state import Progress, RunState
from seqloom.pipelines.slot_filling.task import SlotFilling
from seqloom.pipelines.training import Trainer


def variables(value=0.0):
    generator = keras.random.SeedGenerator(int(value))
    return [
        keras.Variable(np.full((2, 3), value + 0.1, np.float32), name="kernel"),
        keras.Variable(np.full((), value, np.float32), name="norm_sum"),
        keras.Variable(np.full((2,), value / 3, np.float32), dtype="bfloat16", name="half"),
        keras.Variable(np.int64(value), dtype="int64", name="iteration"),
        generator.state,
        *(keras.Variable(np.float32(value + extra), name=f"many_{extra}") for extra in range(12)),
    ]


def values(found):
    return [np.asarray(variable.numpy()).tolist() for variable in found]


def progress(epoch):
    return Progress(epoch=epoch, best=0.5, kept_epoch=1, improved_epoch=1, history=[{"epoch": 1, "loss": 1 / 3}])


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def saved(folder, *epochs):
    for epoch in epochs:
        RunState(folder, variables(epoch)).save(progress(epoch))


def test_all_values_and_the_progress_come_back_bit_for_bit(tmp_path):
    saved(tmp_path, 1)
    found = variables(9)
    assert RunState(tmp_path, found).restore() == progress(1)
    assert values(found) == values(variables(1))
    assert [variable.dtype for variable in found] == [variable.dtype for variable in variables(1)]


def test_the_first_state_has_no_best_value_yet(tmp_path):
    RunState(tmp_path, variables()).save(Progress())
    assert RunState(tmp_path, variables()).restore() == Progress()


def test_without_a_state_nothing_is_restored(tmp_path):
    found = variables(3)
    assert RunState(tmp_path, found).restore() is None
    assert RunState(tmp_path / "not there", found).restore() is None
    assert values(found) == values(variables(3))


def test_the_last_two_are_kept_and_the_newest_is_used(tmp_path):
    saved(tmp_path, 1, 2, 9, 10)
    assert files(tmp_path) == ["state-00009.json", "state-00009.npz", "state-00010.json", "state-00010.npz"]
    assert RunState(tmp_path, variables()).restore().epoch == 10


def cut(path):
    path.write_bytes(path.read_bytes()[:-7])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "npz cut": lambda folder: cut(folder / "state-00002.npz"),
    "one bit": lambda folder: flip(folder / "state-00002.npz"),
    "npz missing": lambda folder: (folder / "state-00002.npz").unlink(),
    "npz empty": lambda folder: (folder / "state-00002.npz").write_bytes(b""),
    "json cut": lambda folder: cut(folder / "state-00002.json"),
    "json empty": lambda folder: (folder / "state-00002.json").write_bytes(b""),
    "json binary": lambda folder: (folder / "state-00002.json").write_bytes(b"\xff\x00"),
    "json of another kind": lambda folder: (folder / "state-00002.json").write_text("[]"),
    "no digest": lambda folder: (folder / "state-00002.json").write_text("{}"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_state_is_left_aside_with_a_warning(tmp_path, damage, caplog):
    saved(tmp_path, 1, 2)
    DAMAGES[damage](tmp_path)
    found = variables(9)
    with caplog.at_level(logging.WARNING):
        assert RunState(tmp_path, found).restore() == progress(1)
    assert values(found) == values(variables(1))
    damaged = tmp_path / "state-00002.npz"
    assert [record.message for record in caplog.records] == [f"{damaged} is damaged and is left aside"]


def test_a_state_of_another_model_is_damaged_and_changes_nothing(tmp_path):
    RunState(tmp_path, [keras.Variable(np.ones(3)), keras.Variable(np.ones(2))]).save(progress(1))
    for other in ([np.zeros(3), np.zeros(3)], [np.zeros(3)], [np.zeros(3), np.zeros(2), np.zeros(1)]):
        found = [keras.Variable(value) for value in other]
        with pytest.raises(UserError, match="is whole; start anew with --fresh"):
            RunState(tmp_path, found).restore()
        assert values(found) == [value.tolist() for value in other]


def test_when_no_state_is_whole_that_is_said(tmp_path):
    saved(tmp_path, 1, 2)
    cut(tmp_path / "state-00001.npz")
    cut(tmp_path / "state-00002.json")
    with pytest.raises(UserError, match=rf"^no state in {tmp_path} is whole; start anew with --fresh$"):
        RunState(tmp_path, variables()).restore()


class Unwritable:
    """A variable whose value is there, but cannot be written: the write dies in the middle of the file."""

    def numpy(self):
        return np.array([threading.Lock()], dtype=object)


def test_a_write_that_dies_leaves_the_state_before_it(tmp_path):
    saved(tmp_path, 1, 2)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(TypeError, match="pickle"):
        RunState(tmp_path, [*variables(3), Unwritable()]).save(progress(3))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert RunState(tmp_path, variables()).restore() == progress(2)


def test_a_kill_between_the_two_files_leaves_the_state_before_it(tmp_path):
    saved(tmp_path, 1, 2)
    (tmp_path / "state-00002.json").unlink()
    found = variables()
    assert RunState(tmp_path, found).restore() == progress(1)
    saved(tmp_path, 2)
    assert RunState(tmp_path, found).restore() == progress(2)


def test_what_a_killed_process_left_behind_is_cleared_away(tmp_path):
    for name in (".state-00001-123.npz", ".state-00001-123.json", ".best-123.keras"):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / "best.keras").write_bytes(b"best")
    saved(tmp_path, 1)
    assert files(tmp_path) == ["best.keras", "state-00001.json", "state-00001.npz"]


# On the real model, with every kind of randomness that a training has.

RANDOM = {
    **{"dropout": 0.3, "recurrent_dropout": 0.2, "output_dropout": 0.2, "word_dropout": 0.1, "rare_word_dropout": 0.5},
    **{"substitution": 0.5, "average_decay": 0.9, "epochs": 4, "schedule": "cosine", "learning_rate": 0.02},
}


def train(path, global_seed):
    keras.utils.set_random_seed(global_seed)
    pipeline = SlotFilling(make_config(**RANDOM, patience=0, bidirectional=False))
    preprocessor = pipeline.fit_preprocessor(CORPUS.train, None)
    trainer = Trainer(pipeline, preprocessor, tf.distribute.get_strategy(), RunDirectory(path))
    model, reached = trainer.train(CORPUS.train, CORPUS.valid[:3], lambda model: {})
    return {variable.path: variable.numpy() for variable in [*model.variables, *model.optimizer.variables]}, reached


def without_seconds(reached):
    return [{name: value for name, value in row.items() if name != "seconds"} for row in reached.history]


def test_two_epochs_and_two_more_are_four(tmp_path):
    """The run is copied as it stands after its second epoch, and goes on in the copy from other initial weights."""
    whole, copy = tmp_path / "whole", tmp_path / "copy"
    watching = threading.Event()

    def copy_after_two_epochs():
        while not watching.wait(0.005):
            if (whole / "checkpoints" / "state-00002.json").is_file():
                shutil.copytree(whole, copy, ignore=shutil.ignore_patterns(".*"))
                return

    copier = threading.Thread(target=copy_after_two_epochs)
    copier.start()
    try:
        expected, reached = train(whole, global_seed=0)
    finally:
        watching.set()
        copier.join()
    for path in (copy / "checkpoints").glob("state-0000[34]*"):
        path.unlink()
    assert json.loads((copy / "checkpoints" / "state-00002.json").read_text())["progress"]["epoch"] == 2
    resumed, reached_again = train(copy, global_seed=7)
    assert any("seed_generator" in path for path in expected)
    assert len(expected) == len(resumed)
    for (path, value), other in zip(expected.items(), resumed.values(), strict=True):
        np.testing.assert_array_equal(other, value, err_msg=path)
    assert without_seconds(reached_again) == without_seconds(reached)
    assert (reached_again.best, reached_again.kept_epoch) == (reached.best, reached.kept_epoch)
    best = [keras.saving.load_model(folder / "checkpoints" / "best.keras").get_weights() for folder in (whole, copy)]
    for one, other in zip(*best, strict=True):
        np.testing.assert_array_equal(one, other)
