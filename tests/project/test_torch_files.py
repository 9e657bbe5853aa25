"""Files that torch.save wrote are read without torch to the same arrays."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Load, run

# torch and TensorFlow do not live well in one process: torch writes in another.
WRITE = """
from collections import OrderedDict

import numpy as np
import torch

torch.manual_seed(0)
matrix = torch.randn(3, 4)
weights = OrderedDict(
    float32=matrix,
    transposed=matrix.t(),
    part=matrix[1:, 2:],
    float16=torch.randn(5).half(),
    bfloat16=torch.randn(2, 3).bfloat16(),
    float64=torch.randn(2).double(),
    int64=torch.tensor([1 << 40, -1]),
    int8=torch.tensor([-3], dtype=torch.int8),
    bool=torch.tensor([True, False]),
    parameter=torch.nn.Parameter(torch.randn(2, 2)),
    position_ids=torch.arange(6).expand((1, -1)),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
)
half = (torch.float16, torch.bfloat16)
np.savez(
    "expected.npz",
    **{
        name: (tensor.float() if tensor.dtype in half else tensor).detach().numpy()
        for name, tensor in weights.items()
    },
)
for name, is_zip in (("zip.bin", True), ("legacy.bin", False)):
    torch.save(weights, name, _use_new_zipfile_serialization=is_zip)
model = torch.nn.Linear(2, 3)
torch.save({"epoch": 3, "state_dict": model.state_dict()}, "nested.bin")
torch.save(model, "model.bin")
torch.save({"a": torch.zeros(1).expand(10**9)}, "expanded.bin")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that torch wrote, and the arrays that are in them."""
    if importlib.util.find_spec("torch") is None:  # importorskip would import it
        pytest.skip("torch, whose files are compared, is not installed")
    folder = tmp_path_factory.mktemp("torch")
    run(["-c", WRITE], folder)
    return folder


def open_torch(load: Load, path: Path) -> Any:
    """Return the generated project's reader for a file of torch."""
    return load("checkpoint_formats").TorchCheckpoint(path)


@pytest.mark.parametrize("name", ["zip.bin", "legacy.bin"])
def test_arrays_of_torch(load: Load, files: Path, name: str) -> None:
    """Every array of both layouts equals torch's in type, shape and value."""
    with np.load(files / "expected.npz") as expected:
        arrays = dict(expected)
    checkpoint = open_torch(load, files / name)
    assert checkpoint.shapes == {name: array.shape for name, array in arrays.items()}
    for entry, array in arrays.items():
        found = checkpoint.read(entry)
        assert found.dtype == array.dtype, entry
        np.testing.assert_array_equal(found, array, entry, strict=True)


def test_state_dict_within_a_dictionary(load: Load, files: Path) -> None:
    """The tensors of a training script's dictionary are found."""
    checkpoint = open_torch(load, files / "nested.bin")
    assert checkpoint.shapes == {"weight": (3, 2), "bias": (3,)}


def test_pickled_model_is_refused(load: Load, files: Path) -> None:
    """A model saved whole names classes, which are not looked up."""
    with pytest.raises(load("errors").UserError, match=r"wants to run code: torch\.nn"):
        open_torch(load, files / "model.bin")


def test_repeated_number_is_not_spread(load: Load, files: Path) -> None:
    """A tensor of one number a billion times over takes no gigabytes."""
    checkpoint = open_torch(load, files / "expanded.bin")
    assert checkpoint.shapes == {"a": (10**9,)}
    with pytest.raises(load("errors").UserError, match="larger than its storage"):
        checkpoint.read("a")


def test_no_other_framework_is_imported(project: Path, files: Path) -> None:
    """The module works where neither TensorFlow nor torch has been imported."""
    code = (
        "import sys; from pathlib import Path; "
        "from qa_bert.checkpoint_formats import TorchCheckpoint; "
        f"TorchCheckpoint(Path({str(files / 'zip.bin')!r})).read('float32'); "
        "assert not {'tensorflow', 'torch', 'h5py'} & set(sys.modules)"
    )
    run(["-c", code], project)
