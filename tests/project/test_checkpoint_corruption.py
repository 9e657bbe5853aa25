"""Damaged checkpoints end in a clear error or in arrays of the shapes they tell.

A flipped bit within the numbers of a tensor cannot be noticed in every format, so
values are not compared. Damage is drawn from a seed: a failure repeats.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest
from safetensors.numpy import save_file

from .conftest import Load

GOOGLE = Path(__file__).parent / "google_bert_tiny"
CASES = 100  # for each format
SHAPES = {"encoder.layer.0.query.weight": (8, 4), "pooler.bias": (8,), "scalar": ()}
# The files of each format, the first of them the one that a reader is given.
FORMATS = {
    "SafetensorsCheckpoint": ["model.safetensors"],
    "TorchCheckpoint zip": ["zip.bin"],
    "TorchCheckpoint legacy": ["legacy.bin"],
    "ShardedCheckpoint": ["m.index.json", "model.safetensors", "zip.bin"],
    "Hdf5Checkpoint": ["model.h5"],
    "TensorFlowCheckpoint": [
        "bert_model.ckpt",
        "bert_model.ckpt.index",
        "bert_model.ckpt.data-00000-of-00001",
    ],
}


def load_test_module(project: Path, name: str) -> ModuleType:
    """Return a module of the project's tests."""
    path = project / f"tests/{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def good(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good file of each format."""
    folder = tmp_path_factory.mktemp("good")
    random = np.random.default_rng(0)
    arrays = {
        name: np.asarray(random.normal(size=shape), "float32")
        for name, shape in SHAPES.items()
    }
    save_file(arrays, folder / "model.safetensors")
    with h5py.File(folder / "model.h5", "w") as file:
        for name, array in arrays.items():
            file[f"bert/{name.replace('.', '/')}:0"] = array
    writer = load_test_module(project, "torch_writer")
    tensors, storages = {}, {}
    for key, (name, array) in enumerate(arrays.items()):
        strides = tuple(stride // 4 for stride in array.strides)
        place = (0, array.shape, strides)
        tensors[name] = writer.tensor("FloatStorage", str(key), array.size, *place)
        storages[str(key)] = array.ravel()
    writer.write_zip(folder / "zip.bin", tensors, storages)
    writer.write_legacy(folder / "legacy.bin", tensors, storages)
    places = dict(zip(SHAPES, ["zip.bin", "model.safetensors", "zip.bin"], strict=True))
    (folder / "m.index.json").write_text(json.dumps({"weight_map": places}), "utf-8")
    for path in GOOGLE.glob("bert_*"):
        shutil.copy(path, folder)
    return folder


def flip(content: bytearray, random: np.random.Generator) -> None:
    """Flip up to four bits, mostly near an end, where headers and indexes are."""
    for _ in range(random.integers(1, 5)):
        span = min(len(content), int(random.choice([200, 1000, len(content)])))
        start = int(random.choice([0, len(content) - span]))
        content[start + random.integers(span)] ^= 1 << random.integers(8)


def cut(content: bytearray, random: np.random.Generator) -> None:
    """Keep the first bytes."""
    del content[random.integers(len(content)) :]


def empty(content: bytearray, random: np.random.Generator) -> None:
    """Keep nothing."""
    content.clear()


def lengthen(content: bytearray, random: np.random.Generator) -> None:
    """Put bytes in."""
    start = random.integers(len(content) + 1)
    content[start:start] = random.bytes(random.integers(1, 20))


def overwrite(content: bytearray, random: np.random.Generator) -> None:
    """Replace some bytes by the same number of others, often by the greatest ones."""
    length = int(min(random.integers(1, 9), len(content)))
    start = int(random.integers(len(content) - length + 1))
    new = b"\xff" * length if random.integers(2) else random.bytes(length)
    content[start : start + length] = new


def reshape(content: bytearray, random: np.random.Generator) -> None:
    """Change a number that is written as text, as sizes in JSON are."""
    digits = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    if digits:
        content[random.choice(digits)] = ord(str(random.integers(10)))


DAMAGES = [flip, flip, flip, flip, cut, cut, empty, lengthen, overwrite, reshape]


def damage(folder: Path, names: list[str], random: np.random.Generator) -> str:
    """Damage one of the files, or give it another name; return what was done."""
    files = [folder / name for name in names if (folder / name).is_file()]
    path = files[random.integers(len(files))]
    if random.integers(30) == 0:
        path.rename(folder / "renamed")
        return f"{path.name} renamed"
    if random.integers(30) == 0:
        others = sorted(folder.iterdir())
        other = others[random.integers(len(others))]
        path.write_bytes(other.read_bytes())
        return f"{path.name} replaced by {other.name}"
    change: Callable[..., None] = DAMAGES[random.integers(len(DAMAGES))]
    content = bytearray(path.read_bytes())
    change(content, random)
    path.write_bytes(content)
    return f"{path.name}: {change.__name__}"


def read_all(reader: Any, path: Path) -> None:
    """Read every entry and compare the shape with what the reader said."""
    checkpoint = reader(path)
    for name, shape in checkpoint.shapes.items():
        array = checkpoint.read(name)
        assert type(array) is np.ndarray and array.shape == shape, name


@pytest.mark.parametrize("name", FORMATS)
def test_damaged_weights(load: Load, good: Path, tmp_path: Path, name: str) -> None:
    """No damage to a file of weights raises anything but a UserError."""
    reader = getattr(load("checkpoint_formats"), name.split()[0])
    user_error = load("errors").UserError
    files = FORMATS[name]
    read_all(reader, good / files[0])
    refused = 0
    for case in range(CASES):
        folder = tmp_path / str(case)
        shutil.copytree(good, folder)
        done = damage(folder, files, np.random.default_rng(case))
        try:
            read_all(reader, folder / files[0])
        except user_error as error:
            assert error.why and error.remedy and str(folder) in error.what, done
            refused += 1
        except BaseException as error:
            pytest.fail(f"case {case}, {done}: {error!r}")
        shutil.rmtree(folder)
    assert refused >= CASES // 4  # the damage does reach what is looked at


def test_damaged_config(load: Load, tmp_path: Path) -> None:
    """A damaged config gives a UserError, or an encoder that holds the weights."""
    path = tmp_path / "bert_config.json"
    for weights in GOOGLE.glob("bert_model.*"):
        shutil.copy(weights, tmp_path)
    expected = load("weights").from_pretrained(GOOGLE).get_weights()
    refused = 0
    for case in range(CASES):
        shutil.copy(GOOGLE / "bert_config.json", path)
        done = damage(tmp_path, [path.name], np.random.default_rng(case))
        try:
            encoder = load("weights").from_pretrained(tmp_path)
            for one, other in zip(encoder.get_weights(), expected, strict=False):
                assert one.shape == other.shape
        except load("errors").UserError as error:
            assert error.why and error.remedy, done
            refused += 1
        except BaseException as error:
            pytest.fail(f"case {case}, {done}: {error!r}")
        (tmp_path / "renamed").unlink(missing_ok=True)
    assert refused >= CASES // 4
