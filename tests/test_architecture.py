"""The rules of the house: who may import whom, what is packed, and what every module says of itself."""

from __future__ import annotations

import ast
import configparser
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

import seqloom
from seqloom.pipelines.config import load_config
from seqloom.pipelines.registry import TASKS
from seqloom.pipelines.run import config_class
from seqloom.pipelines.study import load_study_config

ROOT = Path(__file__).parent.parent
PARTS = ("layers", "datasets", "pipelines")
SOURCES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
MODULES = [
    "seqloom",
    *(
        module.name
        for part in PARTS
        for module in pkgutil.walk_packages(
            importlib.import_module(f"seqloom.{part}").__path__, prefix=f"seqloom.{part}."
        )
    ),
    *(f"seqloom.{part}" for part in PARTS),
]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> Iterator[str]:
    """The modules of the package that a file imports, from the root of the package: `layers.crf`."""
    package = path.relative_to(ROOT).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            names = [node.module] if node.module else [alias.name for alias in node.names]
            for name in names:
                yield ".".join([*base, name])
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] != "seqloom", f"{path} imports {name}: inside the package, be relative"


@pytest.mark.parametrize("path", SOURCES, ids=module_name)
def test_dependencies_point_one_way(path: Path) -> None:
    own = module_name(path).split(".")
    for name in imported(path):
        other = name.split(".")
        if own[0] in ("layers", "datasets"):
            assert other[0] == own[0], f"{path} imports {name}"
        in_task = own[0] == "pipelines" and len(own) > 1 and own[1] in TASKS
        if other[0] == "pipelines" and len(other) > 1 and other[1] in TASKS:
            assert in_task and own[1] == other[1], f"{path} imports {name}"  # noqa: PT018


def test_the_rules_are_looked_at() -> None:
    """The walk above sees imports at all."""
    seen = {name for path in SOURCES for name in imported(path)}
    assert {"layers.crf", "datasets.tagged_sentence", "pipelines.config", "_version"} <= seen


@pytest.mark.parametrize("task", TASKS)
def test_every_task_folder_has_the_same_files(task: str) -> None:
    names = {path.name for path in (ROOT / "pipelines" / task).iterdir()}
    assert {"config.py", "task.py", "README.md", "configs"} <= names
    own = {"section.py", "sections"} if TASKS[task].study else {"data.py", "model.py", "serving.py", "evaluation.py"}
    assert own <= names
    assert (ROOT / "pipelines" / task / "configs" / "tiny.yaml").is_file()


def test_the_list_of_packages_is_the_tree() -> None:
    options = configuration()
    folders = {path.parent.relative_to(ROOT) for path in SOURCES if path.name == "__init__.py"}
    expected = {"seqloom", *(".".join(("seqloom", *folder.parts)) for folder in folders)}
    assert set(options["options"]["packages"].split()) == expected


def test_the_package_data_is_the_tree() -> None:
    """Every file of a package that is no Python is packed, and every pattern packs something."""
    patterns = {
        package: value.split() for package, value in configuration()["options.package_data"].items() if value.strip()
    }
    unused = {(package, pattern) for package, names in patterns.items() for pattern in names}
    for part in PARTS:
        for path in (ROOT / part).rglob("*"):
            if path.is_dir() or path.suffix in (".py", ".pyc"):
                continue
            folder = next(parent for parent in path.parents if (parent / "__init__.py").is_file())
            package = ".".join(("seqloom", *folder.relative_to(ROOT).parts))
            name = path.relative_to(folder).as_posix()
            packed = {(package, pattern) for pattern in patterns.get(package, []) if fnmatch(name, pattern)}
            assert packed, f"{path} is in no package_data of {package}"
            unused -= packed
    assert not unused


def configuration() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@pytest.mark.parametrize("name", MODULES)
def test_everything_public_says_what_it_is(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__doc__, name
    for title, item in vars(module).items():
        public = not title.startswith("_") and (inspect.isclass(item) or inspect.isfunction(item))
        if not public or item.__module__ != name:
            continue
        assert item.__doc__, f"{name}.{title} has no docstring"
        for method, function in vars(item).items() if inspect.isclass(item) else ():
            inherited = any(hasattr(base, method) for base in item.__mro__[1:])
            if not inherited and not method.startswith("_") and inspect.isfunction(function):
                assert function.__doc__, f"{name}.{title}.{method} has no docstring"


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples() -> None:
    """Doctests are found: a walk over nothing would pass, too."""
    finder = doctest.DocTestFinder()
    assert sum(bool(test.examples) for name in MODULES for test in finder.find(importlib.import_module(name))) > 20


@pytest.mark.parametrize(
    ("task", "path"), [(task, path) for task in TASKS for path in sorted((ROOT / "pipelines" / task).glob("configs/*"))]
)
def test_every_config_file_loads_and_says_what_each_line_means(task: str, path: Path) -> None:
    entry = TASKS[task]
    assert path.suffix == ".yaml"
    if entry.study:
        load_study_config(entry, [path])
    else:
        load_config(entry, config_class(entry), [path])
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        assert not line.strip() or "#" in line, f"{path}, line {number} has no comment"


def test_nothing_is_left_to_do() -> None:
    word = "TO" + "DO"
    kinds = ("*.py", "*.md", "*.yaml", "*.cfg", "*.toml", "*.j2")
    folders = [ROOT / name for name in (*PARTS, "tests", "benchmarks")]
    files = [path for kind in kinds for path in (*ROOT.glob(kind), *(each for f in folders for each in f.rglob(kind)))]
    assert len(files) > 60
    assert not [path for path in files if word in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("module", ["seqloom", "seqloom.pipelines.cli", "seqloom.pipelines.registry"])
def test_importing_it_imports_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; assert not {{'tensorflow', 'keras', 'numpy', 'pydantic'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_public_face_is_small() -> None:
    assert seqloom.__all__ == ["__version__", "load", "run"]
