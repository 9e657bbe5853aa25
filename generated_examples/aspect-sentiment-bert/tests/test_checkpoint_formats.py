"""Weight files of every format give the arrays in them, or one clear error."""

import json

import h5py
import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

from aspect_sentiment_bert.checkpoint_formats import (
    Hdf5Checkpoint,
    SafetensorsCheckpoint,
    ShardedCheckpoint,
    TensorFlowCheckpoint,
    TorchCheckpoint,
)
from aspect_sentiment_bert.errors import UserError
from torch_writer import (
    MATRIX,
    NUMBERS,
    assert_holds,
    tensor,
    write_legacy,
    write_zip,
)


def test_safetensors(tmp_path):
    """Each type arrives, the 16-bit floats as float32."""
    brain = np.array([1.5, -2], ml_dtypes.bfloat16)
    arrays = {"a": MATRIX, "half": np.ones(2, "float16"), "brain": brain}
    arrays |= {"long": np.array([1 << 40]), "double": MATRIX.astype("float64")}
    arrays |= {"empty": np.zeros((0, 3), "float32"), "scalar": np.array(3, "float32")}
    save_file(arrays, tmp_path / "model.safetensors")
    arrays["half"] = arrays["half"].astype("float32")
    arrays["brain"] = brain.astype("float32")
    checkpoint = SafetensorsCheckpoint(tmp_path / "model.safetensors")
    assert checkpoint.names_style == "torch"
    assert_holds(checkpoint, arrays)


def write_sharded(folder):
    """Write an index over a safetensors file and a file of torch."""
    save_file({"a": MATRIX, "b": NUMBERS}, folder / "model-1.safetensors")
    content = {"c": tensor("FloatStorage", "0", 6, 0, (6,), (1,))}
    write_zip(folder / "model-2.bin", content, {"0": NUMBERS})
    places = {"a": "model-1.safetensors", "b": "model-1.safetensors"}
    places["c"] = "model-2.bin"
    index = {"metadata": {"total_size": 72}, "weight_map": places}
    (folder / "model.index.json").write_text(json.dumps(index))
    return index


def test_sharded(tmp_path):
    """Entries come out of the file that the index names."""
    write_sharded(tmp_path)
    checkpoint = ShardedCheckpoint(tmp_path / "model.index.json")
    assert checkpoint.names_style == "torch"
    assert_holds(checkpoint, {"a": MATRIX, "b": NUMBERS, "c": NUMBERS})


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [
        ("a", "absent.safetensors", r"a is in absent\.safetensors, .* no such file"),
        ("a", "../model-1.safetensors", r"a is in '\.\./model-1\.safetensors'"),
        ("a", "/etc/x.safetensors", r"a is in '/etc/x\.safetensors'"),
        ("a", "model.index.json", "a is in 'model.index.json'"),
        ("a", 3, "a is in 3"),
        ("d", "model-2.bin", r"d is not in model-2\.bin"),
    ],
)
def test_sharded_entry_in_a_wrong_place(tmp_path, name, place, message):
    """The error names the entry and the file where the index places it."""
    folder = tmp_path / "folder"
    folder.mkdir()
    index = write_sharded(folder)
    (tmp_path / "model-1.safetensors").write_bytes(b"")
    index["weight_map"][name] = place
    (folder / "model.index.json").write_text(json.dumps(index))
    with pytest.raises(UserError, match=message):
        ShardedCheckpoint(folder / "model.index.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"weight_map": {}}', "\xff"])
def test_sharded_index_that_is_none(tmp_path, text):
    """An index that is not JSON, or lists no entry, is named."""
    (tmp_path / "model.index.json").write_text(text, "latin-1")
    with pytest.raises(UserError, match=r"model\.index\.json"):
        ShardedCheckpoint(tmp_path / "model.index.json")


def write_tensorflow(prefix, arrays):
    """Write a TensorFlow checkpoint with these names."""
    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(array) for array in arrays.values()],
    )


def test_tensorflow_names(tmp_path):
    """Variables keep their names, with a hub module's prefix; slots are left out."""
    weights = {
        "bert/pooler/dense/kernel": MATRIX,
        "module/bert/pooler/dense/bias": NUMBERS,
        "empty": np.zeros((0, 3), "float32"),
        "half": np.ones(2, "float16"),
        "step": np.array(7),
    }
    state = {"bert/pooler/dense/kernel/adam_m": MATRIX, "global_step": np.int64(7)}
    texts = {"texts": np.array([b"a", b""])}
    write_tensorflow(tmp_path / "model.ckpt", weights | state | texts)
    weights["half"] = np.ones(2, "float32")
    weights["texts"] = np.array([b"a", b""], object)
    checkpoint = TensorFlowCheckpoint(tmp_path / "model.ckpt")
    assert checkpoint.names_style == "google"
    assert_holds(checkpoint, weights)


def test_tensorflow_objects(tmp_path):
    """Of an object-based checkpoint the variables are left, under their paths."""
    tf.train.Checkpoint(model=tf.Module(), kernel=tf.Variable(MATRIX)).save(
        str(tmp_path / "objects")
    )
    value = "/.ATTRIBUTES/VARIABLE_VALUE"
    checkpoint = TensorFlowCheckpoint(tmp_path / "objects-1")
    assert_holds(checkpoint, {f"kernel{value}": MATRIX})
    slot = "/.OPTIMIZER_SLOT/optimizer/m"
    arrays = {f"model/a{name}{value}": NUMBERS for name in ("", slot)}
    arrays[f"optimizer/iter{value}"] = np.int64(3)
    write_tensorflow(tmp_path / "slots", arrays)
    checkpoint = TensorFlowCheckpoint(tmp_path / "slots")
    assert_holds(checkpoint, {f"model/a{value}": NUMBERS})


def test_hdf5(tmp_path):
    """Datasets arrive under their paths without `:0`; the optimizer is left out."""
    with h5py.File(tmp_path / "tf_model.h5", "w") as file:
        file["tf_bert_model/bert/pooler/dense/kernel:0"] = MATRIX
        file["bert/half"] = np.ones(2, "float16")
        file["scalar"] = np.float32(3)
        file["empty"] = np.zeros((0, 3), "float32")
        file["optimizer_weights/m:0"] = NUMBERS
        file["nothing"] = h5py.Empty("f4")
    checkpoint = Hdf5Checkpoint(tmp_path / "tf_model.h5")
    assert checkpoint.names_style == "keras"
    arrays = {
        "tf_bert_model/bert/pooler/dense/kernel": MATRIX,
        "bert/half": np.ones(2, "float32"),
        "scalar": np.array(3, "float32"),
        "empty": np.zeros((0, 3), "float32"),
    }
    assert_holds(checkpoint, arrays)


def test_hdf5_that_holds_less_than_it_says(tmp_path):
    """A dataset never written, or kept in another file, is not read."""
    (tmp_path / "secret").write_bytes(bytes(24))
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.create_dataset("huge", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))
        external = [(str(tmp_path / "secret"), 0, 24)]
        file.create_dataset("external", (6,), "f4", external=external)
    checkpoint = Hdf5Checkpoint(tmp_path / "model.h5")
    with pytest.raises(UserError, match="huge is larger than the file"):
        checkpoint.read("huge")
    with pytest.raises(UserError, match="external is in another file"):
        checkpoint.read("external")


def write_hdf5(path, old, new):
    """Write two arrays, and replace bytes of the file's description of them."""
    with h5py.File(path, "w") as file:
        file["a"], file["b"] = NUMBERS, NUMBERS + 1
        places = [file[name].id.get_offset().to_bytes(8, "little") for name in "ab"]
    old, new = places if old == "address" else [old, new]
    content = path.read_bytes()
    assert content.count(old) >= 1
    path.write_bytes(content.replace(old, new, 1))


def test_hdf5_with_two_arrays_in_one_place(tmp_path):
    """A damaged address would give one array the numbers of another."""
    write_hdf5(tmp_path / "model.h5", "address", "")
    with pytest.raises(UserError, match="two arrays lie in one place"):
        Hdf5Checkpoint(tmp_path / "model.h5")


# A float in HDF5: version and class, bits that give byte order and sign, its size.
FLOAT = b"\x11\x20\x1f\x00\x04\x00\x00\x00"


@pytest.mark.parametrize("place", [1, 2, 4])
def test_hdf5_with_another_kind_of_number(tmp_path, place):
    """A bit flipped there would change every number of an array."""
    other = bytearray(FLOAT)
    other[place] ^= 1
    write_hdf5(tmp_path / "model.h5", FLOAT, bytes(other))
    with pytest.raises(UserError, match=r"model\.h5"):
        Hdf5Checkpoint(tmp_path / "model.h5").read("a")


FORMATS = pytest.mark.parametrize(
    ("file", "reader"),
    [
        ("model.safetensors", SafetensorsCheckpoint),
        ("legacy.bin", TorchCheckpoint),
        ("zip.bin", TorchCheckpoint),
        ("model.h5", Hdf5Checkpoint),
        ("model.ckpt.index", TensorFlowCheckpoint),
        ("model.ckpt.data-00000-of-00001", TensorFlowCheckpoint),
    ],
)


@FORMATS
@pytest.mark.parametrize("kept", [0, 3, 0.5, 0.9, None])
def test_file_that_is_cut(tmp_path, file, reader, kept):
    """A file that is empty, cut short or absent gives an error with its name."""
    content = {"a": tensor("FloatStorage", "0", 6, 0, (6,), (1,))}
    save_file({"a": NUMBERS}, tmp_path / "model.safetensors")
    write_legacy(tmp_path / "legacy.bin", content, {"0": NUMBERS})
    write_zip(tmp_path / "zip.bin", content, {"0": NUMBERS})
    write_tensorflow(tmp_path / "model.ckpt", {"a": NUMBERS})
    with h5py.File(tmp_path / "model.h5", "w") as h5:
        h5["a"] = NUMBERS
    path = tmp_path / file
    whole = path.read_bytes()
    if kept is None:
        path.unlink()
    else:
        length = kept if isinstance(kept, int) else int(len(whole) * kept)
        path.write_bytes(whole[:length])
    if reader is TensorFlowCheckpoint:
        path = tmp_path / "model.ckpt"
    with pytest.raises(UserError, match=path.name):
        reader(path).read("a")
