"""Both layouts of torch.save give the arrays in them, and run no code."""

import os
import pickle
import zipfile
from collections import OrderedDict

import ml_dtypes
import numpy as np
import pytest

from aspect_sentiment_bert.checkpoint_formats import (
    TorchCheckpoint,
)
from aspect_sentiment_bert.errors import UserError
from torch_writer import (
    MATRIX,
    NUMBERS,
    Call,
    assert_holds,
    parameter,
    tensor,
    write_legacy,
    write_zip,
)

WRITERS = pytest.mark.parametrize("write", [write_legacy, write_zip])


def write_everything(write, path, **options):
    """Write tensors of many kinds and return the arrays that they are."""
    storages = {
        "0": NUMBERS,
        "1": np.array([0.5, -2], "<f2"),
        "2": np.array([1.5, -3e38, np.inf], ml_dtypes.bfloat16),
        "3": np.array([1 << 40, -1], "<i8"),
        "4": np.array([True, False]),
        "5": np.zeros(0, "<f4"),
    }
    content = OrderedDict(
        whole=tensor("FloatStorage", "0", 6, 0, (2, 3), (3, 1)),
        transposed=tensor("FloatStorage", "0", 6, 0, (3, 2), (1, 3)),
        part=parameter(tensor("FloatStorage", "0", 6, 4, (2,), (1,))),
        scalar=tensor("FloatStorage", "0", 6, 5, (), (), "_rebuild_tensor"),
        half=tensor("HalfStorage", "1", 2, 0, (2,), (1,)),
        brain=tensor("BFloat16Storage", "2", 3, 0, (1, 3), (3, 1)),
        brain_scalar=tensor("BFloat16Storage", "2", 3, 0, (), ()),
        long=tensor("LongStorage", "3", 2, 0, (2,), (1,)),
        truth=tensor("BoolStorage", "4", 2, 0, (2,), (1,)),
        empty=tensor("FloatStorage", "5", 0, 0, (0, 3), (3, 1)),
    )
    write(path, content, storages, **options)
    return {
        "whole": MATRIX,
        "transposed": MATRIX.T,
        "part": NUMBERS[4:],
        "scalar": NUMBERS[5].reshape(()),
        "half": np.array([0.5, -2], "float32"),
        "brain": storages["2"].astype("float32").reshape(1, 3),
        "brain_scalar": np.array(1.5, "float32"),
        "long": storages["3"],
        "truth": storages["4"],
        "empty": np.zeros((0, 3), "float32"),
    }


@WRITERS
def test_torch(tmp_path, write):
    """Tensors of each type arrive; strides, offsets and shared storages count."""
    arrays = write_everything(write, tmp_path / "pytorch_model.bin")
    checkpoint = TorchCheckpoint(tmp_path / "pytorch_model.bin")
    assert checkpoint.names_style == "torch"
    assert_holds(checkpoint, arrays)


def test_torch_of_a_big_endian_machine(tmp_path):
    """The byte order that the zip names is respected."""
    arrays = write_everything(write_zip, tmp_path / "model.bin", order="big")
    assert_holds(TorchCheckpoint(tmp_path / "model.bin"), arrays)


@WRITERS
@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_torch_dictionary_within_another(tmp_path, write, key):
    """What training scripts save beside the weights is left out."""
    weights = {"a": tensor("FloatStorage", "0", 6, 0, (6,), (1,)), "count": 3}
    write(tmp_path / "model.bin", {"epoch": 2, key: weights}, {"0": NUMBERS})
    assert_holds(TorchCheckpoint(tmp_path / "model.bin"), {"a": NUMBERS})


@WRITERS
def test_torch_runs_no_code(tmp_path, write):
    """A call in the pickle is refused by its name and does not happen."""
    marker = tmp_path / "marker"
    command = Call(os.mkdir, str(marker))
    write(tmp_path / "model.bin", {"a": command}, {})
    with pytest.raises(UserError, match=r"wants to run code: \w+\.mkdir"):
        TorchCheckpoint(tmp_path / "model.bin")
    (tmp_path / "model.bin").write_bytes(pickle.dumps(command))
    with pytest.raises(UserError, match=r"wants to run code: \w+\.mkdir"):
        TorchCheckpoint(tmp_path / "model.bin")
    assert not marker.exists()


@WRITERS
@pytest.mark.parametrize(
    "place",
    [
        (0, (7,), (1,)),
        (1, (6,), (1,)),
        (0, (2,), (6,)),
        (0, (2,), (-1,)),
        (-1, (2,), (1,)),
        (0, (-2,), (1,)),
        (0, (2,), (1 << 62,)),
        (0, (1 << 40,), (0,)),
        (0, (3,), (0,)),
        (0, (2, 2), (1, 1)),
        (0, (0, 1 << 70), (1, 1)),
        (0, (2, 3), (1,)),
        (0, 6, 1),
        (0.0, (2,), (1,)),
    ],
)
def test_torch_stays_within_a_storage(tmp_path, write, place):
    """A tensor that reaches out of its storage, or overlaps itself, is an error."""
    content = {"a": tensor("FloatStorage", "0", 6, *place)}
    write(tmp_path / "model.bin", content, {"0": NUMBERS})
    with pytest.raises(UserError, match=r"model\.bin"):
        TorchCheckpoint(tmp_path / "model.bin").read("a")


@WRITERS
def test_torch_storage_of_another_length(tmp_path, write):
    """A storage shorter than the pickle says, or absent, is an error."""
    content = {"a": tensor("FloatStorage", "0", 6, 0, (6,), (1,))}
    for storages in ({"0": NUMBERS[:5]}, {"1": NUMBERS}, {}):
        write(tmp_path / "model.bin", content, storages)
        with pytest.raises(UserError, match=r"model\.bin"):
            TorchCheckpoint(tmp_path / "model.bin").read("a")


def test_torch_allocates_no_more_than_the_file(tmp_path):
    """Compressed members and high numbers in the pickle are refused."""
    content = {"a": tensor("FloatStorage", "0", 6, 0, (6,), (1,))}
    path = tmp_path / "model.bin"
    write_zip(path, content, {"0": NUMBERS}, compress=zipfile.ZIP_DEFLATED)
    with pytest.raises(UserError, match="compressed"):
        TorchCheckpoint(path)
    path.write_bytes(b"\x80\x02K\x01r\xff\xff\xff\x7f.")  # memo entry 2**31
    with pytest.raises(UserError, match="number is too high"):
        TorchCheckpoint(path)
