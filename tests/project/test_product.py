"""Every task with every model and option: each project trains, is scored and exported.

What a project does with its defaults is tested task by task in other modules. Here all
the others of one task run in one process, with a model of one layer and a few examples.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tkgen.catalog import load_catalog

from .conftest import SIZES, make_project, run, write_data

CATALOG = load_catalog()
SMALL = {**SIZES, "num_hidden_layers": 1}
TRAIN = ["--epochs=1", "--cache-dir=", "--vocab-size=150"]
# Loads what the runs have left, in a process that cannot import the projects.
LOAD = """
import json, sys
import keras
import tensorflow as tf
for name in json.load(open(sys.argv[1])):
    model = keras.saving.load_model(f"{name}/run/model.keras")
    outputs = tf.saved_model.load(f"{name}/run/export/saved-model/saved_model")
    names = outputs.signatures["serving_default"].structured_outputs
    modules = {type(layer).__module__.split(".")[0] for layer in model.layers}
    print(json.dumps([name, sorted(modules), sorted(model.output), sorted(names)]))
"""


def options_of(task: str) -> list[str]:
    """Return the options of a task that are not what it comes with."""
    slots = CATALOG.slots_for(task)
    return [card.name for slot in slots for card in slot.options_for(task)[1:]]


PRODUCT = pytest.mark.parametrize(
    ("task", "model", "option"),
    [
        (task, model, option)
        for task in CATALOG.names("task")
        for model in CATALOG.names("model")
        for option in options_of(task)
    ],
)


@dataclass(frozen=True)
class Runs:
    """Where each project of a task has its run, and what a strange process loads."""

    folders: dict[tuple[str, str], Path]
    loaded: dict[str, list[list[str]]]


def commands_for(project: Path, folder: Path, option: str) -> list[list[str]]:
    """Write a few examples into a folder, and return what is typed there."""
    folder.mkdir()
    flags = [*write_data(project, folder, train=16, validation=4), *TRAIN]
    (folder / "sizes.json").write_text(json.dumps(SMALL), "utf-8")
    (folder / "large.json").write_text(json.dumps({**SMALL, "hidden_size": 24}))
    commands = [["project", str(project)], ["cd", str(folder)]]
    if option == "distillation":
        large = ["--encoder-config=large.json", "--output-dir=teacher"]
        commands.append(["train.py", *flags, *large])
        flags += ["--teacher=teacher", "--vocabulary=teacher/tokenizer.json"]
    return [
        *commands,
        ["train.py", *flags, "--output-dir=run"],
        ["evaluate.py", "--model-dir=run", "--files=validation.jsonl"],
        ["export.py", "--model-dir=run"],
    ]


def run_all(task: str, new_folder: Callable[[str], Path]) -> Runs:
    """Generate all projects of a task, and run the commands of each."""
    commands, folders = [], {}
    place = new_folder("runs")
    for model in CATALOG.names("model"):
        for option in options_of(task):
            project = make_project(new_folder("new"), task, model, option)
            folders[model, option] = folder = place / f"{model}-{option}"
            commands += commands_for(project, folder, option)
    (place / "commands.json").write_text(json.dumps(commands), "utf-8")
    script = Path(__file__).with_name("run_commands.py")
    run([script, place, "commands.json", "outputs.json"], place)
    empty = new_folder("empty")
    (empty / "paths.json").write_text(json.dumps(list(map(str, folders.values()))))
    lines = run(["-I", "-c", LOAD, "paths.json"], empty).stdout.splitlines()
    return Runs(folders, {name: rest for name, *rest in map(json.loads, lines)})


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Runs]:
    """A function that returns the runs of a task, which are made once."""
    return functools.cache(lambda task: run_all(task, tmp_path_factory.mktemp))


@PRODUCT
def test_run_is_whole(
    runs: Callable[[str], Runs], task: str, model: str, option: str
) -> None:
    """There is a model, its scores, and a prediction for each example."""
    folder = runs(task).folders[model, option] / "run"
    scores = json.loads((folder / "evaluation/metrics.json").read_text())
    lines = (folder / "evaluation/predictions.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == scores["total"] == 4
    with (folder / "history.csv").open(encoding="utf-8") as file:
        losses = [float(row["loss"]) for row in csv.DictReader(file)]
    assert len(losses) == 1 and 0 < losses[0] < 1000


@PRODUCT
def test_what_is_kept_loads_alone(
    runs: Callable[[str], Runs], task: str, model: str, option: str
) -> None:
    """Neither the model nor the export needs code of the project, or any of ours."""
    found = runs(task)
    modules, outputs, served = found.loaded[str(found.folders[model, option])]
    assert modules == ["keras"]
    assert outputs and served
