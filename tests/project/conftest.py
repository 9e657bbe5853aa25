"""What the tests of generated projects share: a project, and ways to run it."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ABSENT = Path(__file__).with_name("absent")  # what projects shall not find
QUIET = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
SIZES = {
    "vocab_size": 0,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}

Done = subprocess.CompletedProcess[str]
Load = Callable[[str], ModuleType]


def environment(extra: Mapping[str, str] = {}) -> dict[str, str]:
    """Return this process' environment for a quiet run without accelerators."""
    paths = filter(None, [str(ABSENT), os.environ.get("PYTHONPATH")])
    path = {"PYTHONPATH": os.pathsep.join(paths)}
    return {**os.environ, **path, **QUIET, **extra}


def run(arguments: Sequence[str | Path], cwd: Path, check: int | None = 0) -> Done:
    """Run this interpreter; fail with the output where the exit code is another."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if check is not None and done.returncode != check:
        command = " ".join(map(str, arguments))
        pytest.fail(
            f"{command}: exit code {done.returncode}, not {check}\n"
            f"{done.stdout}\n{done.stderr}"
        )
    return done


def make_project(
    folder: Path,
    task: str = "qa",
    model: str = "bert",
    option: str = "",
    language: str = "",
) -> Path:
    """Generate a project into a folder and return its path.

    `option` may be several, with a space between them.
    """
    choice = ["--task", task, "--model", model]
    choice += [word for name in option.split() for word in ("--with", name)]
    choice += ["--language", language] if language else []
    subprocess.run(
        [sys.executable, "-m", "tkgen", "new", *choice, "--no-input"],
        cwd=folder,
        env=environment({"PYTHONPATH": str(REPOSITORY)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    return folder / f"{task}-{model}"


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated project; tests read it and do not write into it."""
    return make_project(tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="session")
def albert_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated project with ALBERT; tests read it and do not write into it."""
    return make_project(tmp_path_factory.mktemp("generated"), model="albert")


@pytest.fixture(scope="session")
def embedding_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project for sentence embedding; tests read it and do not write into it."""
    folder = tmp_path_factory.mktemp("generated")
    return make_project(folder, "sentence-embedding")


@pytest.fixture(scope="session")
def tagging_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated project of token classification; tests do not write into it."""
    return make_project(
        tmp_path_factory.mktemp("generated"), task="token-classification"
    )


def make_load(project: Path) -> Load:
    """Return a function that imports a module of a project's package by its name."""
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    if str(project) not in sys.path:
        sys.path.insert(0, str(project))
    package = project.name.replace("-", "_")
    return lambda name: importlib.import_module(f"{package}.{name}")


@pytest.fixture(scope="session")
def load(project: Path) -> Load:
    """A function that imports a module of the generated package by its name."""
    return make_load(project)


@pytest.fixture(scope="session")
def embedding(embedding_project: Path) -> Load:
    """The same for the project for sentence embedding."""
    return make_load(embedding_project)


@pytest.fixture(scope="session")
def load_tagging(tagging_project: Path) -> Load:
    """The same for token classification."""
    return make_load(tagging_project)


@pytest.fixture(scope="session")
def loads(project: Path, albert_project: Path) -> dict[str, Load]:
    """The same for each model."""
    return {"bert": make_load(project), "albert": make_load(albert_project)}


def write_data(project: Path, folder: Path, train: int, validation: int) -> list[str]:
    """Write the first lines of the sample, and return flags for a run of seconds."""
    for name, count in (("train", train), ("validation", validation)):
        lines = (project / f"data/{name}.jsonl").read_text("utf-8").split("\n")
        (folder / f"{name}.jsonl").write_text("\n".join(lines[:count]) + "\n", "utf-8")
    (folder / "sizes.json").write_text(json.dumps(SIZES), "utf-8")
    return [
        "--train-files=train.jsonl",
        "--validation-files=validation.jsonl",
        "--encoder-config=sizes.json",
        "--batch-size=8",
    ]


@pytest.fixture(scope="session")
def trained(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `run` is a run of a very small model on a few lines."""
    folder = tmp_path_factory.mktemp("trained")
    flags = write_data(project, folder, train=16, validation=6)
    run([project / "train.py", *flags, "--epochs=1", "--output-dir=run"], folder)
    return folder
