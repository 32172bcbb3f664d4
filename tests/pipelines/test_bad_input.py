"""What a user can get wrong gets one sentence and exit status 2; nothing is lost and nothing half-written."""

from __future__ import annotations

import contextlib
import resource
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import NO_DROPOUT, SMALL, TINY, Commands, same_run, write_corpus

from seqloom.pipelines.run_directory import RunDirectory


def contents(folder: Path) -> dict[Path, bytes]:
    """Every file of a folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def replace_line(path: Path, number: int, line: str | bytes) -> Path:
    """Replaces one line (from 1) of a file."""
    lines = path.read_bytes().split(b"\n")
    lines[number - 1] = line if isinstance(line, bytes) else line.encode()
    path.write_bytes(b"\n".join(lines))
    return path


class TestFiles:
    """A folder of the user's own that cannot be used: nothing is begun."""

    @pytest.fixture
    def corpus(self, tmp_path: Path) -> Path:
        return write_corpus(tmp_path / "mine", splits=("train", "valid", "test"))

    @pytest.fixture
    def refused(self, command: Commands, corpus: Path, tmp_path: Path) -> Callable[..., None]:
        def check(*parts: str) -> None:
            run_dir = tmp_path / "run"
            command("run", "slot_filling", "--dataset", corpus, "--run_dir", run_dir).refused(*parts)
            assert not run_dir.exists()

        return check

    def test_a_folder_is_missing(self, command: Commands, tmp_path: Path) -> None:
        arguments = ("--dataset", tmp_path / "none", "--run_dir", tmp_path / "run")
        command("run", "slot_filling", *arguments).refused("none' is neither a data set of slot_filling (sample, atis)")
        assert not (tmp_path / "run").exists()

    def test_a_split_is_missing(self, corpus: Path, refused: Callable[..., None]) -> None:
        shutil.rmtree(corpus / "train")
        refused(f"{corpus / 'train'} is missing")

    def test_a_file_is_missing(self, corpus: Path, refused: Callable[..., None]) -> None:
        (corpus / "valid" / "seq.out").unlink()
        refused(f"{corpus / 'valid' / 'seq.out'} is missing")

    def test_lines_are_missing(self, corpus: Path, refused: Callable[..., None]) -> None:
        path = corpus / "test" / "seq.out"
        path.write_text("".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1]), encoding="utf-8")
        refused(f"{corpus / 'test' / 'seq.in'}, line 12: no such line in seq.out", "12 lines", "11")

    def test_a_tag_is_missing(self, corpus: Path, refused: Callable[..., None]) -> None:
        path = replace_line(corpus / "valid" / "seq.out", 2, "O O")
        refused(f"{path}, line 2: expected one tag for each token, got 2 tags for the 3 tokens")

    def test_a_line_is_empty(self, corpus: Path, refused: Callable[..., None]) -> None:
        path = replace_line(corpus / "train" / "seq.in", 3, " ")
        refused(f"{path}, line 3: the line is empty")

    def test_a_tag_is_not_iob(self, corpus: Path, refused: Callable[..., None]) -> None:
        path = replace_line(corpus / "train" / "seq.out", 2, "O O E-city")
        refused(f"{path}, line 2: tag 3 must be O, B-x or I-x", "'E-city'")

    def test_bytes_are_not_utf_8(self, corpus: Path, refused: Callable[..., None]) -> None:
        path = replace_line(corpus / "train" / "seq.in", 5, "fly to zürich".encode("latin-1"))
        refused(f"{path}, line 5: byte 0xfc at byte offset 8 of the line is not UTF-8")

    def test_there_are_too_few_examples_to_validate(self, corpus: Path, refused: Callable[..., None]) -> None:
        for split in ("valid", "test"):
            shutil.rmtree(corpus / split)
        for name in ("seq.in", "seq.out", "label"):
            path = corpus / "train" / name
            path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
        refused("mine has 1 training examples, too few to cut a validation set off")

    def test_no_example_is_short_enough(self, corpus: Path, command: Commands, tmp_path: Path) -> None:
        arguments = ("--dataset", corpus, "--set", "max_tokens=1", "--run_dir", tmp_path / "run")
        command("train", "slot_filling", *arguments).refused("no training example is usable", "max_tokens", "12")

    @pytest.mark.parametrize(
        ("lines", "problem"),
        [
            (["fly" + " 1" * 16, "to 1 2"], "line 2: expected 16 numbers (embedding_dim), got 2"),
            (["fly" + " one" * 16], "line 1: the vector of 'fly' has a part that is no number"),
        ],
    )
    def test_word_vectors_are_malformed(
        self, corpus: Path, command: Commands, tmp_path: Path, lines: list[str], problem: str
    ) -> None:
        vectors = tmp_path / "vectors.txt"
        vectors.write_text("\n".join(lines) + "\n", encoding="utf-8")
        flags = ("--config", TINY, "--dataset", corpus, "--set", f"embeddings={vectors}", "--run_dir", tmp_path / "run")
        command("train", "slot_filling", *flags).refused(f"{vectors}, {problem}")

    def test_word_vectors_are_missing(self, corpus: Path, command: Commands, tmp_path: Path) -> None:
        flags = ("--config", TINY, "--dataset", corpus, "--set", "embeddings=none.txt", "--run_dir", tmp_path / "run")
        command("train", "slot_filling", *flags).refused("there is no file of word vectors", "none.txt")

    def test_the_corpora_are_not_where_they_are_said_to_be(self, command: Commands, tmp_path: Path) -> None:
        flags = ("--dataset", "atis", "--data_dir", tmp_path, "--run_dir", tmp_path / "run")
        command("run", "slot_filling", *flags).refused("atis")
        assert not (tmp_path / "run").exists()


class TestFlags:
    @pytest.mark.parametrize(
        ("arguments", "parts"),
        [
            (["run", "slot_filing"], ["there is no task 'slot_filing', did you mean 'slot_filling'?"]),
            (["train", "parsing"], ["there is no task 'parsing'; `seqloom list` shows the tasks"]),
            (["list", "slotfilling"], ["did you mean 'slot_filling'?"]),
            (["list", "slot_filling", "--dataset", "atsi"], ["neither a data set", "did you mean 'atis'?"]),
            (["run", "slot_filling", "--set", "unit=3"], ["no setting 'unit', did you mean 'units'?"]),
            (["run", "slot_filling", "--set", "units"], ["--set must be followed by KEY=VALUE, got 'units'"]),
            (["run", "slot_filling", "--set", "units=[1"], ["the value of units cannot be read"]),
            (["run", "slot_filling", "--set", "units=0"], ["units must be greater than or equal to 1, got 0"]),
            (["run", "slot_filling", "--set", "units=many"], ["units must be a valid integer", "'many'"]),
            (["run", "slot_filling", "--set", "encoder=lstn"], ["encoder must be 'simple', 'lstm'", "'lstn'"]),
            (["run", "slot_filling", "--set", "units=3", "--set", "units=4"], ["units is given twice: 3 and 4"]),
            (["run", "slot_filling", "--epochs", "3", "--set", "epochs=3"], ["epochs is given twice"]),
            (["run", "slot_filling", "--epoch", "3"], ["no such option: --epoch", "--epochs"]),
            (["run", "slot_filling", "--epochs", "three"], ["--epochs", "integer"]),
            (["run", "slot_filling", "--epochs", "0"], ["epochs must be greater than or equal to 1"]),
            (["run", "slot_filling", "--learning_rate", "nan"], ["learning_rate must be"]),
            (["run", "slot_filling", "--strategy", "mirored"], ["strategy must be 'auto'", "'mirored'"]),
            (["run", "slot_filling", "--config", "none.yaml"], ["there is no config file none.yaml"]),
            (["run", "slot_filling", "--init_from", "none"], ["none is not a run directory"]),
            (["run"], ["missing argument 'task'"]),
            (["runn"], ["no such command 'runn'"]),
            (["predict", "none", "fly"], ["none is not a run directory: it has no config.yaml"]),
            (["evaluate", "none"], ["none is not a run directory"]),
            (["export", "none"], ["none is not a run directory"]),
            (["report", "none"], ["none is not a run directory"]),
        ],
    )
    def test_a_mistake_is_named(
        self,
        command: Commands,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        arguments: list[str],
        parts: list[str],
    ) -> None:
        monkeypatch.chdir(tmp_path)
        command(*arguments).refused(*parts)
        assert not list(tmp_path.iterdir())

    def test_an_unknown_split(self, command: Commands, tiny_run: Path) -> None:
        before = contents(tiny_run)
        command("evaluate", tiny_run, "--split", "tset").refused("no split 'tset', did you mean 'test'?")
        assert contents(tiny_run) == before

    def test_a_config_file_with_an_unknown_key(self, command: Commands, tmp_path: Path) -> None:
        path = tmp_path / "mine.yaml"
        path.write_text("drop_out: 0.1\n", encoding="utf-8")
        command("run", "slot_filling", "--config", path).refused(
            f"{path}: there is no setting", "did you mean 'dropout'?"
        )


class TestRunDirectory:
    """A folder in which the run cannot begin or go on is left as it is."""

    @pytest.fixture
    def unfinished(self, one_device_run: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(one_device_run, tmp_path / "run"))

    def test_a_finished_run_is_kept(self, command: Commands, tiny_run: Path) -> None:
        before = contents(tiny_run)
        for verb in ("run", "train"):
            command(verb, "slot_filling", "--config", TINY, "--limit", 400, "--run_dir", tiny_run).refused(
                f"{tiny_run} holds a finished run", "choose another --run_dir", "--fresh"
            )
        assert contents(tiny_run) == before

    def test_other_settings_are_named(self, command: Commands, unfinished: Path) -> None:
        before = contents(unfinished)
        flags = (*SMALL, *NO_DROPOUT, "--set", "units=8", "--seed", 3)
        command("train", "slot_filling", *flags, "--run_dir", unfinished).refused(
            "holds an unfinished run with other settings (units was 16, now 8; seed was 0, now 3)", "--fresh"
        )
        assert contents(unfinished) == before

    def test_fewer_epochs_are_other_settings(self, command: Commands, unfinished: Path) -> None:
        flags = (*(flag if flag != 2 else 1 for flag in SMALL), *NO_DROPOUT, "--run_dir", unfinished)
        command("train", "slot_filling", *flags).refused("epochs was 2, now 1")

    @pytest.mark.parametrize("fresh", [[], ["--fresh"]])
    def test_a_run_of_another_task_is_kept(self, command: Commands, unfinished: Path, fresh: list[str]) -> None:
        path = unfinished / "config.yaml"
        path.write_text(
            path.read_text(encoding="utf-8").replace("task: slot_filling", "task: parsing"), encoding="utf-8"
        )
        before = contents(unfinished)
        command("train", "slot_filling", *SMALL, *NO_DROPOUT, *fresh, "--run_dir", unfinished).refused("'parsing'")
        assert contents(unfinished) == before

    @pytest.mark.parametrize("text", ["task: [", "- 1", "", "units: 3", "\xff"])
    def test_settings_that_cannot_be_read(self, command: Commands, unfinished: Path, text: str) -> None:
        (unfinished / "config.yaml").write_bytes(text.encode("latin-1"))
        before = contents(unfinished)
        sentence = f"{unfinished / 'config.yaml'} cannot be read as the settings of a run"
        command("train", "slot_filling", *SMALL, "--run_dir", unfinished).refused(sentence)
        command("predict", unfinished, "fly").refused(sentence)
        assert contents(unfinished) == before

    def test_settings_with_a_bad_value(self, command: Commands, unfinished: Path) -> None:
        path = unfinished / "config.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("units: 16", "units: -1"), encoding="utf-8")
        command("predict", unfinished, "fly").refused("units must be greater than or equal to 1, got -1")

    def test_a_run_that_never_trained_holds_nobody_up(self, command: Commands, tmp_path: Path) -> None:
        flags = ("train", "slot_filling", "--dataset", write_corpus(tmp_path / "mine"), "--run_dir", tmp_path / "run")
        command(*flags, "--set", "embeddings=none.txt").refused("no file of word vectors")
        command(*flags, "--set", "max_tokens=1").refused("no training example is usable")
        outcome = command(*flags, "--config", TINY, "--epochs", 1)
        assert outcome.status == 0, outcome.err

    def test_states_without_settings_are_not_taken_up(self, command: Commands, unfinished: Path) -> None:
        (unfinished / "config.yaml").unlink()
        before = contents(unfinished)
        command("train", "slot_filling", *SMALL, *NO_DROPOUT, "--run_dir", unfinished).refused(
            "without its config.yaml"
        )
        assert contents(unfinished) == before

    def test_what_is_no_run_is_not_deleted(self, command: Commands, tmp_path: Path) -> None:
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "mine.txt").write_text("mine", encoding="utf-8")
        command("train", "slot_filling", *SMALL, "--set", "embeddings=none.txt", "--run_dir", tmp_path).refused(
            "none.txt"
        )
        assert (tmp_path / "logs" / "mine.txt").read_text(encoding="utf-8") == "mine"

    def test_a_run_cannot_start_from_itself(self, tiny_run: Path, command: Commands, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(tiny_run, tmp_path / "run"))
        before = {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()}
        flags = (*SMALL, "--run_dir", run_dir, "--init_from", run_dir, "--fresh")
        command("train", "slot_filling", *flags).refused("init_from must name another run")
        assert {path: path.read_bytes() for path in run_dir.rglob("*") if path.is_file()} == before

    def test_two_processes_do_not_write_one_run(self, command: Commands, tmp_path: Path) -> None:
        run_dir = tmp_path / "run"
        run_dir.mkdir()
        with RunDirectory(run_dir).locked():
            command("train", "slot_filling", *SMALL, "--run_dir", run_dir).refused("another process is writing")
        assert command("train", "slot_filling", *SMALL, "--epochs", 1, "--run_dir", run_dir).status == 0

    def test_an_old_setting_is_named_and_fresh_overwrites_it(
        self, tiny_run: Path, command: Commands, tmp_path: Path
    ) -> None:
        run_dir = Path(shutil.copytree(tiny_run, tmp_path / "run"))
        with (run_dir / "config.yaml").open("a", encoding="utf-8") as file:
            file.write("old_units: 3\n")
        command("predict", run_dir, "fly").refused("there is no setting 'old_units', did you mean 'units'?")
        flags = (*SMALL, "--epochs", 1, "--run_dir", run_dir, "--fresh")
        assert command("train", "slot_filling", *flags).status == 0

    def test_a_file_in_its_place(self, command: Commands, tmp_path: Path) -> None:
        (tmp_path / "run").write_text("mine", encoding="utf-8")
        for run_dir in (tmp_path / "run", tmp_path / "run" / "deeper"):
            command("train", "slot_filling", *SMALL, "--run_dir", run_dir).refused(f"{run_dir} cannot be written to")
        assert (tmp_path / "run").read_text(encoding="utf-8") == "mine"


class TestDamage:
    def test_the_last_good_state_is_used(self, command: Commands, one_device_run: Path, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(one_device_run, tmp_path / "run"))
        (run_dir / "checkpoints" / "finished.json").unlink()
        damaged = run_dir / "checkpoints" / "state-00002.npz"
        damaged.write_bytes(damaged.read_bytes()[:-100])
        outcome = command("train", "slot_filling", *SMALL, *NO_DROPOUT, "--run_dir", run_dir)
        assert outcome.status == 0
        assert f"{damaged} is damaged and is left aside" in outcome.err
        assert "resumed after epoch 1" in outcome.err
        same_run(run_dir, one_device_run)

    def test_no_state_is_good(self, command: Commands, one_device_run: Path, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(one_device_run, tmp_path / "run"))
        (run_dir / "checkpoints" / "finished.json").unlink()
        for path in (run_dir / "checkpoints").glob("state-*.npz"):
            path.write_bytes(b"")
        command("train", "slot_filling", *SMALL, *NO_DROPOUT, "--run_dir", run_dir).refused("no state in", "--fresh")

    @pytest.mark.parametrize("damage", ["cut", "text", "empty"])
    def test_the_best_weights_are_damaged(
        self, command: Commands, one_device_run: Path, tmp_path: Path, damage: str
    ) -> None:
        run_dir = Path(shutil.copytree(one_device_run, tmp_path / "run"))
        best = run_dir / "checkpoints" / "best.keras"
        best.write_bytes({"cut": best.read_bytes()[:-500], "text": b"weights" * 100, "empty": b""}[damage])
        command("export", run_dir).refused(f"{best} is damaged", "--fresh")
        assert not (run_dir / "export").exists()

    def test_there_are_no_best_weights(self, command: Commands, one_device_run: Path, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(one_device_run, tmp_path / "run"))
        (run_dir / "checkpoints" / "best.keras").unlink()
        command("export", run_dir).refused("has no checkpoints/best.keras; train it first")

    def test_the_metrics_are_damaged(self, command: Commands, tiny_run: Path, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(tiny_run, tmp_path / "run"))
        (run_dir / "metrics.json").write_text("{", encoding="utf-8")
        command("report", run_dir).refused(f"{run_dir / 'metrics.json'} is not valid JSON")

    def test_the_export_is_damaged(self, command: Commands, tiny_run: Path, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(tiny_run, tmp_path / "run"))
        (run_dir / "export" / "1" / "saved_model.pb").write_bytes(b"no graph")
        command("predict", run_dir, "fly").refused("damaged", "seqloom export")


def test_a_full_disk_loses_nothing(one_device_run: Path, command: Commands, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the state is the first file that does not fit."""
    run_dir = tmp_path / "run"
    size = (one_device_run / "checkpoints" / "state-00001.npz").stat().st_size
    flags = ("train", "slot_filling", *SMALL, *NO_DROPOUT, "--run_dir", run_dir)
    with files_up_to(size - 1):
        command(*flags).refused("there is no space left to write", "run the same command again to go on")
    assert not list(run_dir.rglob(".*")), "temporary files were left"
    assert command(*flags).status == 0
    same_run(run_dir, one_device_run)


@contextlib.contextmanager
def files_up_to(size: int) -> Iterator[None]:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_loss_that_is_no_number_ends_the_training(command: Commands, tmp_path: Path) -> None:
    flags = (*SMALL, "--learning_rate", "1e20", "--set", "clipping=none", "--set", "optimizer=nesterov")
    outcome = command("train", "slot_filling", *flags, "--run_dir", tmp_path / "run")
    outcome.refused("the loss became", "at step", "lower learning_rate", "clipping=global_norm")
    step = int(outcome.err.rpartition("at step ")[2].partition(";")[0])
    assert 1 <= step <= 20
    assert not (tmp_path / "run" / "checkpoints" / "finished.json").exists()
