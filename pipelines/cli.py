"""The command line. Importing it imports neither TensorFlow nor the tasks: a command does, when it needs them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from .._version import __version__
from .console import show_log
from .errors import Interrupted, UserError
from .interruption import interruptible
from .native_log import quiet_native_log
from .registry import TASKS

app = typer.Typer(
    name="seqloom",
    help="Sequence tasks end to end: from raw files to a trained, honestly scored, exported recurrent model.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Task = Annotated[str, typer.Argument(help=f"One of: {', '.join(TASKS)}.", show_default=False)]
RunDir = Annotated[Path, typer.Argument(help="Folder of a run.", show_default=False)]
Dataset = Annotated[str | None, typer.Option("--dataset", help="A registered data set, or a folder of your own.")]
DataDir = Annotated[
    Path | None, typer.Option("--data_dir", "--data-dir", help="Folder with the corpora. [env: SEQLOOM_DATA_DIR]")
]


@app.command("list")
def list_tasks(
    task: Annotated[str | None, typer.Argument(help="Show this task's data sets and settings.")] = None,
    dataset: Dataset = None,
    data_dir: DataDir = None,
) -> None:
    """Show the tasks, a task's data sets and settings, or the counts of a data set."""
    from . import listing

    listing.show(task, dataset, str(data_dir) if data_dir else None)


@app.command("run", help="Train, export, evaluate and report. The same command again resumes an unfinished run.")
@app.command("train", help="Train only. The same command again resumes; `run` with the same flags does the rest.")
def run_or_train(
    context: typer.Context,
    task: Task,
    dataset: Dataset = None,
    data_dir: DataDir = None,
    run_dir: Annotated[
        Path | None, typer.Option("--run_dir", "--run-dir", help="Where to write. [default: runs/TASK/DATASET]")
    ] = None,
    config: Annotated[list[Path] | None, typer.Option(help="YAML file with settings; later files win.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Any setting of the task; `seqloom list TASK` shows them."),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of weights, dropout, data order and splits.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Run seeds 0 to N-1 and aggregate them.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training data.")] = None,
    batch_size: Annotated[
        int | None, typer.Option("--batch_size", "--batch-size", help="Rows at median length, over all replicas.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning_rate", "--learning-rate", help="Peak learning rate.")
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Train on the first N training examples.")] = None,
    init_from: Annotated[
        Path | None, typer.Option("--init_from", "--init-from", help="Run directory to take first weights from.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Overwrite what is in the run directory.")] = False,
    strategy: Annotated[
        str | None, typer.Option(help="auto, one_device, mirrored or multi_worker. [default: auto]")
    ] = None,
    mixed_precision: Annotated[
        str | None,
        typer.Option("--mixed_precision", "--mixed-precision", help="float32, mixed_bfloat16 or mixed_float16."),
    ] = None,
) -> None:
    """`run` and `train` have the same flags; which of the two was typed decides how far it goes."""
    named = {
        "dataset": dataset, "data_dir": str(data_dir) if data_dir else None, "seed": seed, "epochs": epochs,
        "batch_size": batch_size, "learning_rate": learning_rate, "limit": limit, "strategy": strategy,
        "init_from": str(init_from) if init_from else None, "mixed_precision": mixed_precision,
    }  # fmt: skip
    from . import commands, listing, running

    settings = commands.command_line_settings({k: v for k, v in named.items() if v is not None}, set_ or [])
    if seeds is not None and "seed" in settings:
        raise UserError("--seed and --seeds exclude each other")
    quick = context.info_name == "train"
    results = running.run(task, settings, config or [], run_dir, seeds, fresh, training_only=quick)
    if results is not None:
        listing.print_results(results)


@app.command()
def evaluate(
    run_dir: RunDir,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    dataset: Dataset = None,
) -> None:
    """Score the exported model, on its own test split or elsewhere."""
    from . import commands, listing

    listing.print_results(commands.evaluate(run_dir, split, dataset))


@app.command()
def predict(
    run_dir: RunDir,
    inputs: Annotated[
        list[str] | None, typer.Argument(metavar="[INPUT]...", help="Inputs; lines on standard input if none.")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say what each word contributed.")] = False,
) -> None:
    """Answer inputs with the exported model, one JSON line each."""
    from . import commands

    raise typer.Exit(commands.predict(run_dir, inputs, explain))


@app.command()
def export(
    run_dir: RunDir,
    format: Annotated[str, typer.Option(help="saved_model.")] = "saved_model",
    output: Annotated[Path | None, typer.Option(help="Folder to write to. [default: RUN_DIR/export]")] = None,
) -> None:
    """Write the best weights as a SavedModel: raw input in, decoded output out."""
    from . import commands

    print(commands.export(run_dir, format, output))


@app.command()
def report(
    run_dirs: Annotated[list[Path], typer.Argument(metavar="RUN_DIR...", help="One run, or several to compare.")],
    output: Annotated[Path | None, typer.Option(help="Page of a comparison. [default: comparison.html]")] = None,
) -> None:
    """Write the page of one run, or a comparison of several."""
    from . import commands

    print(commands.report(run_dirs, output))


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def launch(
    arguments: Annotated[list[str], typer.Argument(metavar="-- run TASK ...", help="The command of every worker.")],
    workers: Annotated[int, typer.Option(min=1, help="How many processes.")] = 2,
) -> None:
    """Train in several processes on this machine."""
    from . import commands, launching

    raise typer.Exit(launching.launch(commands.launched(arguments), workers))


for entry in TASKS.values():
    for name, function in entry.verb_functions().items():
        app.command(name)(function)


@app.command()
def doctor() -> None:
    """Show versions, devices, processor features, and the folders that are used."""
    from . import listing

    listing.show_doctor()


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Sequence tasks end to end: from raw files to a trained, honestly scored, exported recurrent model."""
    if version:
        print(f"seqloom {__version__}")
        raise typer.Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command line and returns the exit status: 0, 2 for what the user can mend, 130 when interrupted.

    Args:
        arguments: what follows `seqloom`; what was typed if not given.
    """
    _prepare_process()
    with quiet_native_log() if arguments is None else contextlib.nullcontext():
        return _run(list(sys.argv[1:] if arguments is None else arguments))


def _run(arguments: list[str]) -> int:
    from ..datasets.corpus import DataError

    try:
        with interruptible():
            status = app(args=arguments or ["--help"], prog_name="seqloom", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except typer.TyperException as error:
        message = error.format_message().strip().removesuffix(".")
        return _fail(f"{message[0].lower()}{message[1:]}", 2)
    except (UserError, DataError) as error:
        return _fail(str(error), 2)
    except (Interrupted, KeyboardInterrupt, typer.Abort) as error:
        return _fail(str(error) or "interrupted", 130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _fail(message: str, status: int) -> int:
    print(f"seqloom: {message}", file=sys.stderr)
    return status


def _prepare_process() -> None:
    """Quiet logs of TensorFlow, our own lines on standard error, and SIGTERM handled like Ctrl-C."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    show_log()
    with contextlib.suppress(ValueError):  # not the main thread: the handler is somebody else's
        signal.signal(signal.SIGTERM, signal.default_int_handler)
