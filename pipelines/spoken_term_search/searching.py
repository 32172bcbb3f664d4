"""What the commands `index` and `search` do: the export makes vectors, the index in the run directory finds them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ...datasets.corpus import DataError
from ..audio import waveform_request
from ..errors import UserError
from ..run import Run
from .archive.addition import Added
from .archive.files import ArchiveSettings
from .archive.index import ArchiveIndex, Hit
from .archive.windows import voiced_stretches
from .config import Config

TASK = "spoken_term_search"


def index(run_dir: Path, paths: Sequence[Path], approximate: bool = False) -> int:
    """Adds recordings to the index of a run, and says what became of them; returns 2 if any could not be read."""
    run, config = _open(run_dir, "index")
    folder, digest = run.directory.index, model_digest(run)
    if ArchiveIndex.exists(folder):
        archive = ArchiveIndex.open(folder, digest)
        if approximate and archive.settings.kind != "approximate":
            raise UserError(f"the index in {folder} is exact; remove that folder to make an approximate one")
    else:
        kind = "approximate" if approximate else "exact"
        archive = ArchiveIndex.create(folder, digest, archive_settings(config, kind))
    added = archive.add(paths, lambda samples: embed(run, samples))
    for path, reason in added.broken.items():
        print(f"skipped {path}: {reason}", file=sys.stderr)
    print(_summary(added))
    print(f"the index has {len(archive):,} stretches of {len(archive.files):,} recordings: {folder}")
    return 2 if added.broken else 0


def search(run_dir: Path, query: Path, top: int, as_json: bool) -> None:
    """Prints the hits of a query, best first."""
    run, _ = _open(run_dir, "search")
    if not ArchiveIndex.exists(run.directory.index):
        raise UserError(
            f"{run.directory.path} has no index yet; `seqloom index {run_dir} FOLDER` puts recordings into one"
        )
    archive = ArchiveIndex.open(run.directory.index, model_digest(run))
    hits = archive.search(query_vector(run, query), top)
    if as_json:
        for hit in hits:
            print(json.dumps({**dataclasses.asdict(hit), "file": str(hit.file)}, ensure_ascii=False))
    else:
        _print_table(hits)


def query_vector(run: Run, query: Path) -> np.ndarray:
    """The vector of a recording, float32 `(d,)`.

    Raises:
        DataError: if it cannot be read, is silent, or is shorter than one frame.
    """
    request = run.pipeline.request_from_argument(str(query))
    config = run.config
    assert isinstance(config, Config)
    if len(request["waveform"]) < config.sampling_rate * config.window_ms / 1000:
        raise DataError(f"{query} is shorter than one window of {config.window_ms:g} ms")
    (answer,) = run.answer([request])
    if answer["error"]:
        raise DataError(f"{query}: {answer['error']}")
    if not len(voiced_stretches(request["waveform"], config.sampling_rate)):
        raise DataError(f"{query} is silent: nothing in it is above -80 dB of full scale")
    return np.array(answer["embedding"], np.float32)


def embed(run: Run, samples: Sequence[np.ndarray]) -> np.ndarray:
    """The vectors of stretches of sound, float32 `(stretches, d)`; zeros for those that have none.

    Args:
        run: with an export.
        samples: float32 arrays `(samples,)` at the sampling rate of the run.
    """
    answers = run.answer([waveform_request(each) for each in samples])
    return np.array([answer["embedding"] for answer in answers], np.float32)


def model_digest(run: Run) -> str:
    """What tells the vectors of an export from those of another one: weights, settings and whitening."""
    total = hashlib.sha256()
    variables = run.directory.saved_model / "variables"
    parts = [*sorted(variables.glob("variables.data-*")), run.directory.config, run.directory.tuning]
    for part in parts:
        total.update(part.read_bytes() if part.is_file() else b"")
    return total.hexdigest()[:16]


def archive_settings(config: Config, kind: str) -> ArchiveSettings:
    """How recordings are cut and searched."""
    return ArchiveSettings(config.sampling_rate, tuple(config.window_seconds), config.window_hop, kind)  # type: ignore[arg-type]


def _open(run_dir: Path, command: str) -> tuple[Run, Config]:
    run = Run.open(run_dir)
    if run.entry.name != TASK:
        raise UserError(f"{command} needs a run of {TASK}, and {run_dir} holds one of {run.entry.name}")
    if not (run.directory.saved_model / "saved_model.pb").is_file():
        raise UserError(f"there is no export in {run.directory.saved_model}; `seqloom export {run_dir}` writes one")
    assert isinstance(run.config, Config)
    return run, run.config


def _summary(added: Added) -> str:
    minutes, seconds = divmod(round(added.seconds), 60)
    found = [f"{added.indexed:,} recordings of {minutes} min {seconds} s indexed as {added.windows:,} stretches"]
    for count, what in (
        (added.known, "known before"),
        (added.silent, "silent"),
        (len(added.broken), "skipped"),
        (added.left_out, "stretches without a vector"),
    ):
        if count:
            found.append(f"{count:,} {what}")
    found += [f"{count:,} {what}" for what, count in added.passed_over.items()]
    return ", ".join(found)


def _print_table(hits: Sequence[Hit]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("", "score", "start", "end", "file"):
        table.add_column(title, justify="left" if title == "file" else "right", overflow="fold")
    for rank, hit in enumerate(hits, start=1):
        table.add_row(str(rank), f"{hit.score:.3f}", f"{hit.start:.2f} s", f"{hit.end:.2f} s", Text(str(hit.file)))
    Console().print(table)
