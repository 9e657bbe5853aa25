"""Readers of weight files: a class for each format, with names as in the file.

A reader knows a file format, not a model. It has `shapes` (every entry but the
state of an optimizer, found without reading arrays), `read` for one array, and
`names_style`, which says how entries are named and kernels are laid out: "google",
"torch" or "keras". float16 and bfloat16 arrays come as float32.

Whatever a damaged file makes a library raise becomes a UserError, and no header is
believed that tells of more data than the file can hold.
"""

import contextlib
import glob
import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from .errors import UserError
from .torch_files import find_tensors, open_torch_file, read_tensor


def damaged_file(path: Path, error: Exception | str) -> UserError:
    """Return the error for a checkpoint file that cannot be read."""
    message = str(error).strip() or type(error).__name__
    if isinstance(error, LookupError | TypeError | AttributeError):
        message = f"{type(error).__name__}: {message}"  # else it is "'name'" alone
    return UserError(
        f"cannot read the checkpoint {path}",
        message.splitlines()[0],
        "the file may be cut short or of another format: get it again, compare sizes",
    )


@contextlib.contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Turn whatever is raised while a file is read into a UserError about the file.

    What libraries raise on damaged bytes has no common class.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        raise damaged_file(path, error) from error


def widen(array: np.ndarray) -> np.ndarray:
    """Return float16 and bfloat16 as float32, and any other array as it is."""
    if array.dtype.name in ("float16", "bfloat16"):
        return array.astype("float32")
    return array


class SafetensorsCheckpoint:
    """A Hugging Face `model.safetensors` file: a header in JSON, then the numbers."""

    names_style = "torch"
    _DTYPES: ClassVar = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}

    def __init__(self, path: Path) -> None:
        from safetensors import safe_open

        self._path = path
        with damage_reported(path):
            # Checks the header, and that the file is as long as the header says.
            self._file: Any = safe_open(str(path), framework="numpy")
            with path.open("rb") as file:
                self._start = 8 + int.from_bytes(file.read(8), "little")
                self._header = json.loads(file.read(self._start - 8))
        self._header.pop("__metadata__", None)
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: tuple(entry["shape"]) for name, entry in self._header.items()
        }

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        with damage_reported(self._path):  # also of a dtype that NumPy lacks
            entry, shape = self._header[name], self.shapes[name]
            dtype = self._DTYPES.get(entry["dtype"])
            if dtype is None or 0 in shape:
                return widen(self._file.get_tensor(name))
            # Mapped for this array alone: safetensors would keep all that was read.
            place = self._start + entry["data_offsets"][0]
            return widen(np.asarray(np.memmap(self._path, dtype, "r", place, shape)))


class TorchCheckpoint:
    """A `pytorch_model.bin`: a dictionary of tensors that torch.save wrote.

    The dictionary may also be the `state_dict` or `model` of another one. What is
    no tensor is left out. Raises UserError where the file wants to run code.
    """

    names_style = "torch"

    def __init__(self, path: Path) -> None:
        self._path = path
        with damage_reported(path):
            self._file = open_torch_file(path)
            self._tensors = find_tensors(self._file.content)
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: tensor.shape for name, tensor in self._tensors.items()
        }

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        with damage_reported(self._path):
            return widen(read_tensor(self._file, self._tensors[name]))


class ShardedCheckpoint:
    """Several files of weights and `*.index.json`, which says what is in which."""

    names_style = "torch"

    def __init__(self, index: Path) -> None:
        self._shards: dict[str, SafetensorsCheckpoint | TorchCheckpoint] = {}
        self._places = read_weight_map(index)
        shapes: dict[str, tuple[int, ...]] = {}
        for name, file in self._places.items():
            if file not in self._shards:
                is_safe = file.endswith(".safetensors")
                reader = SafetensorsCheckpoint if is_safe else TorchCheckpoint
                self._shards[file] = reader(index.parent / file)
            if name not in self._shards[file].shapes:
                raise damaged_file(index, f"{name} is not in {file}")
            shapes[name] = self._shards[file].shapes[name]
        self.shapes: Mapping[str, tuple[int, ...]] = shapes

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        return self._shards[self._places[name]].read(name)


def read_weight_map(index: Path) -> dict[str, str]:
    """Return the file's name for each entry; all are in the folder of the index."""
    with damage_reported(index):
        content = json.loads(index.read_text(encoding="utf-8"))
        places = content.get("weight_map") if isinstance(content, dict) else None
        if not isinstance(places, dict) or not places:
            raise ValueError('it has no "weight_map"')
        for name, file in places.items():
            # A path could lead to any file of this machine.
            plain = isinstance(file, str) and not {"/", "\\", "\0"} & set(file)
            if not plain or not file.endswith((".safetensors", ".bin")):
                raise ValueError(f"{name} is in {file!r}: no weights' file beside it")
            if not (index.parent / file).is_file():
                raise ValueError(f"{name} is in {file}, and there is no such file")
    return places


class TensorFlowCheckpoint:
    """A TensorFlow checkpoint, `NAME.index` beside `NAME.data-…`; Google's format.

    Names are like `bert/pooler/dense/kernel`; in object-based checkpoints, which
    tf.train.Checkpoint and Keras write, like `model/…/.ATTRIBUTES/VARIABLE_VALUE`.
    """

    names_style = "google"

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
        with damage_reported(prefix):
            data = prefix.parent.glob(f"{glob.escape(prefix.name)}.data-*")
            self._size = sum(file.stat().st_size for file in data)
            self._reader = tf.train.load_checkpoint(str(prefix))
            self.shapes: Mapping[str, tuple[int, ...]] = {
                name: tuple(shape)
                for name, shape in self._reader.get_variable_to_shape_map().items()
                if not is_training_state(name)
            }

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        with damage_reported(self._prefix):
            # TensorFlow allocates what the index says; elements take a byte or more.
            if math.prod(self.shapes[name]) > self._size:
                raise ValueError(f"the data files are too short for {name}")
            return widen(np.asarray(self._reader.get_tensor(name)))


# Last parts of the names that optimizers give their slots and counters.
_SLOTS = ("adam_m", "adam_v", "lamb_m", "lamb_v", "Adam", "Adam_1", "global_step")
_SLOTS += ("AdamWeightDecayOptimizer", "AdamWeightDecayOptimizer_1")
_SLOTS += ("beta1_power", "beta2_power")
_ATTRIBUTE = "/.ATTRIBUTES/"


def is_training_state(name: str) -> bool:
    """Return whether an entry of a TensorFlow checkpoint is no weight of the model."""
    if name == "_CHECKPOINTABLE_OBJECT_GRAPH" or "/.OPTIMIZER_SLOT/" in name:
        return True
    if _ATTRIBUTE in name:
        return name.split("/")[0] in ("optimizer", "save_counter")
    return name.split("/")[-1] in _SLOTS


class Hdf5Checkpoint:
    """An HDF5 file: Hugging Face's `tf_model.h5`, or weights that Keras saved.

    Names are paths of datasets without `:0`, kernels are in Keras' orientation.
    """

    names_style = "keras"

    def __init__(self, path: Path) -> None:
        from . import hdf5_files

        self._path, self._files = path, hdf5_files
        with damage_reported(path):
            found = hdf5_files.find_arrays(path)
        self._places = {place.removesuffix(":0"): place for place in found}
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: found[place] for name, place in self._places.items()
        }

    def read(self, name: str) -> np.ndarray:
        """Return the array called `name`."""
        with damage_reported(self._path):
            return widen(self._files.read_array(self._path, self._places[name]))
