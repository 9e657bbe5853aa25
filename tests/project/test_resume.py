"""A run that is killed and resumed ends with the weights of one that was not."""

from __future__ import annotations

import csv
import json
import random
import re
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from .conftest import Load, environment, run, write_data

# Kills come this many new states after the start, and a random moment later. The
# first comes while TensorFlow starts or the data is read.
NEW_STATES = (0, 1, 3, 2, 4)
SEED = 20180611


def steps_of(folder: Path) -> list[int]:
    """Return the steps of the state folders of a run."""
    return sorted(int(path.name.removeprefix("state-")) for path in states(folder))


def states(folder: Path) -> list[Path]:
    """Return the folders that count as states of a run."""
    return list(folder.glob("state-*"))


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    """Return all arrays of an HDF5 file by their path in it."""
    arrays = {}

    def visit(name: str, node: h5py.Dataset | h5py.Group) -> None:
        if isinstance(node, h5py.Dataset):
            arrays[name] = node[()]

    with h5py.File(path) as file:
        file.visititems(visit)
    return arrays


def model_arrays(path: Path, scratch: Path) -> dict[str, np.ndarray]:
    """Return all arrays of a `.keras` file."""
    with zipfile.ZipFile(path) as archive:
        return arrays_of(Path(archive.extract("model.weights.h5", scratch)))


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    """Check that two sets of arrays are equal bit for bit."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, name)


def scores_of(folder: Path) -> list[dict[str, str]]:
    """Return the scores of each epoch; the loss of a cut one is that of its rest."""
    with open(folder / "history.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        {name: value for name, value in row.items() if "loss" not in name}
        for row in rows
    ]


def assert_nothing_half_written(folder: Path) -> None:
    """Check what a killed run left: each file under its final name is whole."""
    if not folder.exists():
        return
    for path in folder.glob("*.json"):
        if not path.name.startswith("unfinished-"):
            json.loads(path.read_text("utf-8"))
    model = folder / "model.keras"
    if model.exists():
        assert zipfile.is_zipfile(model)
        with zipfile.ZipFile(model) as archive:
            assert archive.testzip() is None
    # A state that was being removed may lack files, but never the newest one.
    for state in sorted(states(folder))[-1:]:
        progress = json.loads((state / "progress.json").read_text("utf-8"))
        assert progress["step"] == int(state.name.removeprefix("state-"))
        assert arrays_of(state / "state.weights.h5")


def start_and_kill(
    command: list[str], cwd: Path, folder: Path, new_states: int, delay: float
) -> bool:
    """Kill a training run at a moment; return whether it was among its steps.

    The moment is `delay` seconds after `new_states` states were newly saved.
    """
    before = max(steps_of(folder), default=0)
    seen: set[int] = set()
    with open(cwd / "killed.log", "a", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while len(seen) < new_states and process.poll() is None:
            seen |= {step for step in steps_of(folder) if step > before}
            time.sleep(0.01)
        time.sleep(delay)
        ended_by_itself = process.poll() is not None
        process.kill()
        process.wait()
    output = (cwd / "killed.log").read_text("utf-8")
    assert not ended_by_itself, f"the run ended before it was killed:\n{output}"
    assert process.returncode == -signal.SIGKILL
    return max(steps_of(folder), default=0) > before


@pytest.fixture
def flags(project: Path, tmp_path: Path) -> list[str]:
    """Flags for a run of about a hundred steps with very small sizes."""
    flags = write_data(project, tmp_path, train=160, validation=4)
    return [*flags, "--epochs=3", "--save-steps=3"]


def kill_and_resume(train: Path, flags: list[str], cwd: Path) -> Iterator[bool]:
    """Kill a run again and again, then let it end; yield where each kill came."""
    moments = random.Random(SEED)
    folder = cwd / "cut"
    fresh = [sys.executable, str(train), *flags, "--output-dir=cut"]
    resumed = [sys.executable, str(train), "--resume", "--output-dir=cut"]
    for new_states in NEW_STATES:
        command = resumed if (folder / "settings.json").exists() else fresh
        delay = moments.uniform(0.0, 0.6 if new_states else 8.0)
        yield start_and_kill(command, cwd, folder, new_states, delay)
        assert_nothing_half_written(folder)
    started = (folder / "settings.json").exists()
    run((resumed if started else fresh)[1:], cwd)


def test_killed_run_ends_with_the_same_weights(
    project: Path, flags: list[str], tmp_path: Path
) -> None:
    """Five kills with SIGKILL change no weight, no optimizer slot, no score."""
    train = project / "train.py"
    done = run([train, *flags, "--output-dir=whole"], tmp_path)
    total = int(re.search(r"(\d+) steps of", done.stdout)[1])  # type: ignore[index]
    within = list(kill_and_resume(train, flags, tmp_path))
    assert len(within) == 5
    assert sum(within) >= 3, (tmp_path / "killed.log").read_text("utf-8")
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert steps_of(cut) == steps_of(whole) == [total]
    expected, found = (
        arrays_of(states(folder)[0] / "state.weights.h5") for folder in (whole, cut)
    )
    assert any(name.startswith("optimizer/") for name in expected)
    assert_same(found, expected)
    for number, folder in enumerate((whole, cut)):
        (tmp_path / str(number)).mkdir()
        assert not list(folder.glob("unfinished-*")), number
    assert_same(
        model_arrays(cut / "model.keras", tmp_path / "0"),
        model_arrays(whole / "model.keras", tmp_path / "1"),
    )
    for name in ("metrics.json", "tokenizer.json"):
        assert (cut / name).read_text("utf-8") == (whole / name).read_text("utf-8")
    assert scores_of(cut) == scores_of(whole)


def test_an_unfinished_first_file_does_not_block_the_folder(
    load: Load, tmp_path: Path
) -> None:
    """A kill while the settings are written leaves a folder that can be used."""
    runs, config = load("runs"), load("config").TrainConfig
    (tmp_path / "unfinished-settings.json").mkdir()
    half = tmp_path / "unfinished-settings.json/settings.json"
    half.write_text('{"train_files": [')
    settings, resume = runs.parse_settings(
        config, ["--output-dir", str(tmp_path), "--epochs", "7"], ""
    )
    assert (settings.epochs, resume) == (7, False)


def test_a_run_without_states_starts_again(
    project: Path, trained: Path, tmp_path: Path
) -> None:
    """A kill before the first state loses the steps, but the run can be resumed."""
    for name in ("train.jsonl", "validation.jsonl", "sizes.json"):
        (tmp_path / name).write_bytes((trained / name).read_bytes())
    folder = tmp_path / "run"
    folder.mkdir()
    settings = (trained / "run/settings.json").read_bytes()
    (folder / "settings.json").write_bytes(settings)
    last = states(trained / "run")[0].name
    for name in (last, "encoder_config.json", "model.keras"):
        (folder / f"unfinished-{name}").mkdir()
        (folder / f"unfinished-{name}/half").write_bytes(b"{")
    run([project / "train.py", "--resume", "--output-dir=run"], tmp_path)
    assert not list(folder.glob("unfinished-*"))
    expected, found = (
        arrays_of(states(each)[0] / "state.weights.h5")
        for each in (trained / "run", folder)
    )
    assert_same(found, expected)


def test_the_same_texts_give_the_same_vocabulary(load: Load) -> None:
    """Two trained vocabularies are equal: a run that starts again is the same run."""
    train_tokenizer = load("tokenizer").train_tokenizer
    texts = [
        f"{'abcdefghij'[i % 10]}{i} won{i % 7}der the{i % 3} same" for i in range(90)
    ]
    first, second = (train_tokenizer(texts).to_str() for _ in range(2))
    assert first == second
