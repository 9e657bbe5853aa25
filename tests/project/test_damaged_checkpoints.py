"""A damaged checkpoint is refused, or gives exactly the weights that it held.

Damage goes through `from_pretrained`, as a user's file does, and every weight of the
result is compared. What no program can notice is a changed number: safetensors, HDF5
as Keras writes it and the older layout of torch.save have no checksums. There the
tensors whose bytes were hit may differ, by those bytes only; in HDF5 also one whose
address was hit, if it then lies outside of the others. A TensorFlow checkpoint and the
newer layout of torch.save have checksums, and nothing is let through.
"""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from .conftest import Load
from .test_checkpoint_corruption import damage, load_test_module

CASES = 90  # for each of the six formats
MEMORY = 200 << 10  # KiB that the cases of a format may add
SIZES = {
    "vocab_size": 12,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 6,
    "max_position_embeddings": 5,
}
Arrays = dict[str, np.ndarray]


class Names:
    """What files call our variables, and how they have matrices."""

    def __init__(self, project: Path) -> None:
        self.released = load_test_module(project, "released")
        self.writer = load_test_module(project, "torch_writer")

    def torch(self, weights: Arrays) -> Arrays:
        """Return the arrays as Hugging Face's files have them."""
        return {
            f"bert.{self.released.hugging_face_name(key)}": np.ascontiguousarray(
                array.T if key.endswith("kernel") else array
            )
            for key, array in weights.items()
        }

    def google(self, weights: Arrays) -> Arrays:
        """Return the arrays as TensorFlow checkpoints of Google have them."""
        return {self.released.google_name(key): each for key, each in weights.items()}

    def keras(self, weights: Arrays) -> Arrays:
        """Return the arrays as `tf_model.h5` has them."""
        arrays = {}
        for name, array in self.google(weights).items():
            name = name.replace("layer_0", "layer_._0")
            last = {"word": "/weight", "ition": "/embeddings", "type": "/embeddings"}
            ends = [e for part, e in last.items() if f"{part}_embeddings" in name]
            arrays[f"bert/tf_bert_model/{name}{''.join(ends)}:0"] = array
        return arrays


def write_safetensors(folder: Path, weights: Arrays, names: Names) -> None:
    """Write model.safetensors."""
    save_file(names.torch(weights), folder / "model.safetensors")


def write_torch(folder: Path, weights: Arrays, names: Names) -> None:
    """Write pytorch_model.bin in the layout with checksums."""
    names.writer.write_zip(folder / "pytorch_model.bin", *storages(weights, names))


def write_legacy(folder: Path, weights: Arrays, names: Names) -> None:
    """Write pytorch_model.bin in the older layout."""
    names.writer.write_legacy(folder / "pytorch_model.bin", *storages(weights, names))


def storages(weights: Arrays, names: Names) -> tuple[dict[str, object], Arrays]:
    """Return tensors and storages as torch_writer takes them."""
    tensors, numbers = {}, {}
    for key, (name, array) in enumerate(names.torch(weights).items()):
        strides = tuple(stride // array.itemsize for stride in array.strides)
        place = (0, array.shape, strides)
        tensors[name] = names.writer.tensor(
            "FloatStorage", str(key), array.size, *place
        )
        numbers[str(key)] = array.ravel()
    return tensors, numbers


def write_sharded(folder: Path, weights: Arrays, names: Names) -> None:
    """Write two files of safetensors and their index."""
    arrays = sorted(names.torch(weights).items())
    places = {}
    for number in range(2):
        part = dict(arrays[number::2])
        file = f"model-{number + 1}-of-2.safetensors"
        save_file(part, folder / file)
        places |= dict.fromkeys(part, file)
    index = json.dumps({"metadata": {"total_size": 1}, "weight_map": places})
    (folder / "model.safetensors.index.json").write_text(index, "utf-8")


def write_hdf5(folder: Path, weights: Arrays, names: Names) -> None:
    """Write tf_model.h5."""
    with h5py.File(folder / "tf_model.h5", "w") as file:
        for name, array in names.keras(weights).items():
            file[name] = array


def write_tensorflow(folder: Path, weights: Arrays, names: Names) -> None:
    """Write a TensorFlow checkpoint."""
    arrays = names.google(weights)
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(array) for array in arrays.values()],
    )


WRITERS: dict[str, Callable[[Path, Arrays, Names], None]] = {
    "safetensors": write_safetensors,
    "torch": write_torch,
    "torch legacy": write_legacy,
    "sharded": write_sharded,
    "hdf5": write_hdf5,
    "tensorflow": write_tensorflow,
}
WITHOUT_CHECKSUMS = ("safetensors", "torch legacy", "sharded", "hdf5")


def numbers_in(good: bytes, bad: bytes, array: np.ndarray, key: str) -> np.ndarray:
    """Return what a damaged file holds where the good one held the array."""
    turned = array.T if key.endswith("kernel") else array
    for each in (array, np.ascontiguousarray(turned)):
        start = good.find(each.tobytes())
        if start < 0:
            continue
        # In HDF5 an array's address stands behind these two bytes.
        place = good.find(b"\x03\x01" + start.to_bytes(8, "little"))
        if place >= 0:
            start = int.from_bytes(bad[place + 2 : place + 10], "little")
        if start + each.nbytes <= len(bad):
            found = np.frombuffer(bad, "<f4", each.size, start).reshape(each.shape)
            return found if each is array else found.T
    return array


def variables(load: Load, encoder: keras.Model) -> Arrays:
    """Return the encoder's weights by our names."""
    found = load("checkpoints").model_variables(encoder)
    return {key: np.asarray(variable) for key, variable in found.items()}


def same(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two arrays hold the same bits."""
    return one.shape == other.shape and one.tobytes() == other.tobytes()


def excused(name: str, good: Path, bad: Path, weights: Arrays) -> Arrays:
    """Return the variables that may differ, with the numbers that they may then have.

    Those are the bytes that now stand in the tensor's place, in one file without
    checksums that is as long as before.
    """
    for path in sorted(good.iterdir()):
        other = bad / path.name
        before = path.read_bytes()
        after = other.read_bytes() if other.is_file() else b""
        if before != after:
            if name not in WITHOUT_CHECKSUMS or len(before) != len(after):
                return {}
            return {
                key: numbers_in(before, after, array, key)
                for key, array in weights.items()
            }
    return {}


@pytest.mark.parametrize("name", WRITERS)
def test_refused_or_right(load: Load, project: Path, tmp_path: Path, name: str) -> None:
    """No damage gives another model than the file's without an error."""
    random = np.random.default_rng(0)
    config = load("encoder").EncoderConfig(**SIZES)
    shapes = variables(load, load("encoder").build_encoder(config))
    weights = {
        key: random.normal(size=array.shape).astype("float32")
        for key, array in shapes.items()
    }
    good = tmp_path / "good"
    good.mkdir()
    WRITERS[name](good, weights, Names(project))
    files = [path.name for path in good.iterdir()]
    (good / "config.json").write_text(config.to_json(), "utf-8")
    from_pretrained = load("weights").from_pretrained
    assert all(
        np.array_equal(array, weights[key])
        for key, array in variables(load, from_pretrained(good)).items()
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused, wrong = 0, []
    for case in range(CASES):
        bad = tmp_path / "bad"
        shutil.copytree(good, bad)
        done = f"case {case}: {damage(bad, files, np.random.default_rng(case))}"
        try:
            found = variables(load, from_pretrained(bad))
        except load("errors").UserError as error:
            assert error.what and error.why and error.remedy, done
            refused += 1
        except BaseException as error:
            wrong.append(f"{done}: {error!r}")
        else:
            other = excused(name, good, bad, weights)
            differ = [
                key
                for key, array in weights.items()
                if not same(found[key], array)
                and not (key in other and same(found[key], other[key]))
            ]
            if differ:
                wrong.append(f"{done}: {differ}")
        shutil.rmtree(bad)
    assert wrong == []
    assert refused >= CASES // 4  # the damage does reach what is looked at
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < MEMORY
