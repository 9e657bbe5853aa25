"""Checkpoints: where they lie, which file of a folder counts, the report of a load."""

import dataclasses
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from . import weight_names
from .checkpoint_formats import (
    Hdf5Checkpoint,
    SafetensorsCheckpoint,
    ShardedCheckpoint,
    TensorFlowCheckpoint,
    TorchCheckpoint,
)
from .downloads import fetch_checkpoint
from .errors import UserError
from .spelling import Entry
from .variables import as_held, as_tensor, holds

# A variable's name, the variable, and the entry of the file that belongs there.
Found = tuple[str, keras.Variable, Entry]
# Each copies memory, and has one array of the file beside the model.
THREADS = 2


class Checkpoint(Protocol):
    """Weights in a file: the names and shapes in it, and one array at a time."""

    shapes: Mapping[str, tuple[int, ...]]

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`; the caller may keep it and write to it."""


# A folder's weights: the first of these that is there. Safetensors need no unpickling.
FILES: dict[str, Callable[[Path], Checkpoint]] = {
    "model.safetensors": SafetensorsCheckpoint,
    "model.safetensors.index.json": ShardedCheckpoint,
    "pytorch_model.bin": TorchCheckpoint,
    "pytorch_model.bin.index.json": ShardedCheckpoint,
    "tf_model.h5": Hdf5Checkpoint,
}
SUFFIXES: dict[str, Callable[[Path], Checkpoint]] = {
    ".safetensors": SafetensorsCheckpoint,
    ".json": ShardedCheckpoint,
    ".bin": TorchCheckpoint,
    ".pt": TorchCheckpoint,
    ".pth": TorchCheckpoint,
    ".h5": Hdf5Checkpoint,
}


def find_checkpoint(name_or_path: str | Path) -> Path:
    """Return the path of a checkpoint given by path or by name; paths come first.

    A name may lead to a download: see downloads.py. Raises UserError where there is
    no such checkpoint.
    """
    path = Path(name_or_path)
    if path.exists() or Path(f"{path}.index").exists():
        return path
    return fetch_checkpoint(str(name_or_path))


def open_checkpoint(path: Path) -> Checkpoint:
    """Return a reader for a checkpoint folder, file or TensorFlow prefix.

    Raises UserError where the format is unknown or the choice is not clear.
    """
    if Path(f"{path}.index").exists():
        return TensorFlowCheckpoint(path)
    if not path.is_dir():
        if path.suffix == ".index":
            return TensorFlowCheckpoint(path.with_suffix(""))
        if path.suffix in SUFFIXES:
            return SUFFIXES[path.suffix](path)
    for name, reader in FILES.items():
        if (path / name).exists():
            return reader(path / name)
    found = sorted(path.glob("*.index"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise UserError(
            f"no weights to choose in {path}",
            f"looked for {', '.join(FILES)} and one *.index file; found: {names}",
            "give the folder of one checkpoint, or the path without .index",
        )
    return TensorFlowCheckpoint(found[0].with_suffix(""))


def find_config(path: Path) -> Path:
    """Return the JSON file of the encoder's sizes that belongs to a checkpoint."""
    folder = path if path.is_dir() else path.parent
    found = [folder / "config.json"] if (folder / "config.json").exists() else []
    found = found or sorted(folder.glob("*_config.json"))
    found = [file for file in found if "hidden_size" in _read_json(file)] or found
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise UserError(
            f"no encoder config to choose in {folder}",
            f"looked for config.json or one *_config.json; found: {names}",
            "put the checkpoint's config.json or bert_config.json beside its weights",
        )
    return found[0]


def _read_json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the config's own reader reports what is wrong
    return values if isinstance(values, dict) else {}


@dataclasses.dataclass(frozen=True)
class LoadReport:
    """What a load did: names of variables of the model, and of entries of the file."""

    loaded: tuple[str, ...]
    random: tuple[str, ...]
    unused: tuple[str, ...]
    warning: str = ""  # what looks wrong though everything fits
    filled: tuple[str, ...] = ()  # has no entry: the value that is then meant
    spare: tuple[str, ...] = ()  # out of `unused`: copies, and other tasks' heads

    def __str__(self) -> str:
        """Return one line that names what an owner should look at."""
        text = f"loaded {len(self.loaded)} variables"
        if self.filled:
            text += f"; set as the file implies: {', '.join(self.filled)}"
        if self.random:
            text += f"; random: {', '.join(self.random)}"
        if self.spare:
            text += f"; not needed: {len(self.spare)} (copies, heads of other tasks)"
        strange = [name for name in self.unused if name not in set(self.spare)]
        if strange:
            rest = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
            text += f"; not used: {', '.join(strange[:3])}{rest}"
        return text + (f"\nwarning: {self.warning}" if self.warning else "")

    def details(self) -> str:
        """Return every name, one a line."""
        groups = {
            "loaded": self.loaded,
            "set as the file implies": self.filled,
            "random": self.random,
            "not used": self.unused,
        }
        return "\n".join(
            f"{group}: {name}" for group, names in groups.items() for name in names
        )


def model_variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Return the weights by `layer/variable`, such as `layer_0_query/kernel`."""
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in model.layers
        for variable in layer.weights
    }


def assign_variable(
    variable: keras.Variable, key: str, name: str, array: np.ndarray
) -> None:
    """Copy one array of a file into the model, and see that it has arrived.

    Raises UserError that names the variable, the entry and both shapes where those
    differ.
    """
    check_shape(variable, key, name, array)
    hand_over(variable, key, name, as_held(array, variable.dtype))


def check_shape(
    variable: keras.Variable, key: str, name: str, array: np.ndarray
) -> None:
    """Raise UserError where an array of a file is not as large as its variable."""
    if tuple(variable.shape) != array.shape:
        raise UserError(
            f"the checkpoint does not fit: {name}",
            f"its shape is {array.shape}, but {key} wants {tuple(variable.shape)}",
            "use the config that belongs to the weights, or skip that part",
        )


def hand_over(
    variable: keras.Variable, key: str, name: str, values: np.ndarray | None
) -> None:
    """Give a variable what `as_held` returned, and see that it has arrived.

    Raises UserError where the variable would hold other values than the file.
    """
    if values is not None:
        variable.assign(as_tensor(values))
    if values is None or not holds(variable, values):
        raise UserError(
            f"{key} does not hold what the file has in {name}",
            "the values were changed on their way into the model",
            "this should not happen: compare the two, and report it",
        )


def check_fits(
    variable: keras.Variable, key: str, name: str, array: np.ndarray
) -> None:
    """Raise UserError where an array has another shape than its variable, heads too."""
    layer, wanted = key.rpartition("/")[0], tuple(variable.shape)
    if layer in weight_names.HEADS and array.shape != wanted:
        raise UserError(
            f"the checkpoint's head does not fit: {name}",
            f"its shape is {array.shape}, but {key} wants {wanted}: it was trained for "
            "another task or other labels",
            "for a random head: python train.py --skip head, or in code "
            'load_pretrained(…, skip=("head",))',
        )
    check_shape(variable, key, name, array)


def copy_entries(checkpoint: Checkpoint, found: Sequence[Found]) -> None:
    """Copy entries of a file into their variables, and see that they have arrived."""
    reading = threading.Lock()  # not every reader can serve two threads

    def copy(item: Found) -> np.ndarray | None:
        key, variable, entry = item
        with reading:
            array = checkpoint.read(entry.name)
        array = entry.convert(array, variable.shape)
        check_fits(variable, key, entry.name, array)
        return as_held(array, variable.dtype)

    def size(item: Found) -> int:
        return math.prod(checkpoint.shapes[item[2].name])

    # Largest first: once the model is nearly full, only small ones lie beside it.
    found = sorted(found, key=size, reverse=True)
    with ThreadPoolExecutor(THREADS) as pool:
        for item, values in zip(found, pool.map(copy, found), strict=True):
            key, variable, entry = item
            hand_over(variable, key, entry.name, values)
