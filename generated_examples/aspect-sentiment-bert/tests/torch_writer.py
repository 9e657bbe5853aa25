"""Files of torch.save, written by hand: reading them needs no torch, so no test does.

`write_legacy` and `write_zip` make the two layouts out of a dictionary of `tensor`s
and the storages that these name.
"""

import io
import pickle
import sys
import types
import zipfile
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest

NUMBERS = np.arange(6, dtype="float32")
MATRIX = NUMBERS.reshape(2, 3)
STORAGES = [f"{kind}Storage" for kind in ("Float", "Half", "BFloat16", "Long", "Bool")]


class StorageReference(NamedTuple):
    """What a pickle holds in place of a storage."""

    kind: str
    key: str
    length: int


class Call:
    """An object that the pickle makes by a call."""

    def __init__(self, function, *arguments):
        self.called = (function, arguments)

    def __reduce__(self):
        return self.called


def build_fake_torch():
    """Return modules with the names that torch's pickles refer to."""
    modules = {name: types.ModuleType(name) for name in ("torch", "torch._utils")}
    names = [("torch", kind) for kind in STORAGES]
    for function in ("tensor", "tensor_v2", "parameter"):
        names.append(("torch._utils", f"_rebuild_{function}"))
    for module, name in names:
        setattr(modules[module], name, type(name, (), {"__module__": module}))
    return modules


FAKE = build_fake_torch()


def tensor(kind, key, length, offset, shape, strides, rebuild="_rebuild_tensor_v2"):
    """Return what pickles like a tensor in a storage."""
    arguments = [StorageReference(kind, key, length), offset, shape, strides]
    if rebuild == "_rebuild_tensor_v2":
        arguments += [False, OrderedDict()]
    return Call(getattr(FAKE["torch._utils"], rebuild), *arguments)


def parameter(inner):
    """Return what pickles like an nn.Parameter."""
    rebuild = FAKE["torch._utils"]._rebuild_parameter
    return Call(rebuild, inner, True, OrderedDict())


def dump(content, view=()):
    """Return a pickle as torch writes it; `view` ends a storage's description."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, item):
            if not isinstance(item, StorageReference):
                return None
            kind = getattr(FAKE["torch"], item.kind)
            return ("storage", kind, item.key, "cpu", item.length, *view)

    file = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        for name, module in FAKE.items():
            patch.setitem(sys.modules, name, module)
        Pickler(file, protocol=2).dump(content)
    return file.getvalue()


def write_legacy(path, content, storages):
    """Write the layout of torch before 1.6."""
    parts = [dump(0x1950A86A20F9469CFC6C), dump(1001), dump({"little_endian": True})]
    parts += [dump(content, view=(None,)), dump(list(storages))]
    for array in storages.values():
        parts += [len(array).to_bytes(8, "little"), array.tobytes()]
    path.write_bytes(b"".join(parts))


def write_zip(path, content, storages, order="little", compress=zipfile.ZIP_STORED):
    """Write the layout of torch 1.6 and later."""
    with zipfile.ZipFile(path, "w", compress) as archive:
        archive.writestr("model/data.pkl", dump(content))
        archive.writestr("model/byteorder", order)
        for key, array in storages.items():
            if order == "big":
                array = array.astype(array.dtype.newbyteorder(">"))
            archive.writestr(f"model/data/{key}", array.tobytes())


def assert_holds(checkpoint, arrays):
    """Check names, shapes, types and values of all entries."""
    shapes = {name: array.shape for name, array in arrays.items()}
    assert dict(checkpoint.shapes) == shapes
    for name, array in arrays.items():
        found = checkpoint.read(name)
        assert type(found) is np.ndarray
        assert found.dtype == array.dtype and found.shape == array.shape, name
        np.testing.assert_array_equal(found, array, name)
