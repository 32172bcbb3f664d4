"""The commands `index` and `search`. Light to import: what they need is loaded when they run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

RunDir = Annotated[Path, typer.Argument(help="Folder of a run of spoken term search.", show_default=False)]


def index(
    run_dir: RunDir,
    paths: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Recordings, and folders of them.", show_default=False)
    ],
    approximate: Annotated[
        bool, typer.Option("--approximate", help="A new index looks only where the nearest are likely to be.")
    ] = False,
) -> None:
    """Add recordings to what a run of spoken term search can find."""
    from . import searching

    raise typer.Exit(searching.index(run_dir, paths, approximate))


def search(
    run_dir: RunDir,
    query: Annotated[Path, typer.Argument(metavar="QUERY.wav", help="A recording of the term.", show_default=False)],
    top: Annotated[int, typer.Option(min=1, help="How many hits.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON line for each hit.")] = False,
) -> None:
    """Find where a term occurs in the recordings that were indexed."""
    from . import searching

    searching.search(run_dir, query, top, as_json)
