"""The two layouts of PyTorch's weight files, read without PyTorch.

`pytorch_model.bin` is a pickle, which could run any code. Here it can name tensors
and nothing else. A tensor is a part of a storage, a row of numbers of one type; the
pickle says where each lies, and a storage is read when one of its tensors is.

A damaged file makes these classes raise anything; TorchCheckpoint in
checkpoint_formats.py tells the user. The layouts are described in
torch/serialization.py: `_save` writes the zip of torch 1.6 and later, `_legacy_save`
what was there before.
"""

import io
import math
import mmap
import pickle
import pickletools
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .errors import UserError

# torch's storage types and NumPy's; bfloat16 is the upper half of a float32.
_DTYPES = {
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "u2",
    "DoubleStorage": "f8",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_BYTE_ORDERS = {b"little": "<", b"big": ">"}
_LEGACY_HEADER = [0x1950A86A20F9469CFC6C, 1001]  # magic number, version


class Storage(NamedTuple):
    """A row of numbers in the file."""

    kind: str  # a key of _DTYPES
    key: str  # its name in the file
    length: int  # in elements

    @property
    def nbytes(self) -> int:
        """Its size in the file."""
        return self.length * np.dtype(_DTYPES[self.kind]).itemsize


class Tensor(NamedTuple):
    """Where the numbers of a tensor lie in its storage."""

    storage: Storage
    offset: int  # in elements, as are the strides
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _TensorUnpickler(pickle.Unpickler):
    """Makes Tensor objects out of a pickle, and runs nothing that it names."""

    def __init__(self, file: Any, path: Path) -> None:
        super().__init__(file, encoding="utf-8")  # names written by Python 2
        self._path = path
        self.storages: dict[str, Storage] = {}
        # A pickle can set attributes of these functions, so they are made anew.
        self._functions = {
            "_rebuild_tensor": lambda *arguments: _checked_tensor(*arguments[:4]),
            "_rebuild_tensor_v2": lambda *arguments: _checked_tensor(*arguments[:4]),
            "_rebuild_parameter": lambda tensor, *_: tensor,
        }

    def find_class(self, module: str, name: str) -> Any:
        """Return what stands for a global name; every name not known is refused."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in self._functions:
            return self._functions[name]
        if module in ("torch", "torch.storage") and name in _DTYPES:
            return name  # used in persistent_load; a text cannot be called
        raise UserError(
            f"refused to read {self._path}",
            f"the file wants to run code: {module}.{name}",
            "weights hold tensors only: save a state_dict, or use model.safetensors",
        )

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage of `("storage", type, key, device, length)`."""
        word, kind, key, _, length, *view = pid
        if word != "storage" or kind not in _DTYPES or any(view):
            raise ValueError("it holds something else than whole storages")
        if type(key) is not str or type(length) is not int or length < 0:
            raise ValueError("a storage has a wrong key or length")
        storage = Storage(kind, key, length)
        if self.storages.setdefault(key, storage) != storage:
            raise ValueError("a storage has two lengths or types")
        return storage


def _checked_tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> Tensor:
    """Return a tensor whose elements all lie in its storage."""
    shape, strides = tuple(shape), tuple(strides)
    whole = all(type(n) is int and n >= 0 for n in (offset, *shape, *strides))
    if not whole or not isinstance(storage, Storage) or len(shape) != len(strides):
        raise ValueError("a tensor has a wrong offset, shape or stride")
    steps = ((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if 0 not in shape and offset + sum(steps) >= storage.length:
        raise ValueError("a tensor reaches over the end of its storage")
    return Tensor(storage, offset, shape, strides)


def _unpickle(file: Any, path: Path) -> tuple[Any, dict[str, Storage]]:
    """Return the next object of a file, and the storages that it names by their key."""
    start = file.tell()
    for opcode, argument, position in pickletools.genops(file):
        # The unpickler allocates a memo for the highest number, which may be 2**32;
        # an honest file numbers its objects, and each takes a byte or more.
        if opcode.name in ("PUT", "LONG_BINPUT") and argument > position:
            raise ValueError("its pickle is damaged: a number is too high")
    file.seek(start)
    unpickler = _TensorUnpickler(file, path)
    return unpickler.load(), unpickler.storages


class ZipFile:
    """A file of torch 1.6 or later: `NAME/data.pkl`, and `NAME/data/KEY` a storage."""

    def __init__(self, path: Path) -> None:
        self._archive, self._size = zipfile.ZipFile(path), path.stat().st_size
        names = self._archive.namelist()
        pickles = [name for name in names if name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ValueError("a zip file, but not one that torch.save wrote")
        self._folder = pickles[0].removesuffix("data.pkl")
        order = b"little"
        if f"{self._folder}byteorder" in names:
            order = self._read("byteorder")
        if order not in _BYTE_ORDERS:
            raise ValueError("its byte order is neither little nor big")
        self._order = _BYTE_ORDERS[order]
        self.content, _ = _unpickle(io.BytesIO(self._read("data.pkl")), path)

    def _read(self, name: str) -> bytes:
        """Return a member, whose checksum zipfile compares; torch compresses none."""
        member = self._archive.getinfo(self._folder + name)
        stored = member.compress_type == zipfile.ZIP_STORED
        if not stored or member.file_size > self._size:
            raise ValueError(f"{name} is compressed, or larger than the file")
        if member.compress_size != member.file_size:
            raise ValueError(f"{name} has two sizes")
        return self._archive.read(member)

    def read_storage(self, storage: Storage) -> np.ndarray:
        """Return all numbers of a storage."""
        content = self._read(f"data/{storage.key}")
        if len(content) != storage.nbytes:
            raise ValueError(f"storage {storage.key} has another length")
        return np.frombuffer(content, self._order + _DTYPES[storage.kind])


class LegacyFile:
    """A file of torch before 1.6: five pickles, then the storages one by one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with (
            path.open("rb") as file,
            # A read past its end gives what there is; a file would allocate first.
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            header = [_unpickle(content, path)[0] for _ in _LEGACY_HEADER]
            if header != _LEGACY_HEADER:
                raise ValueError("not a file that torch.save wrote")
            _unpickle(content, path)  # sizes of C types on the machine that wrote it
            self.content, storages = _unpickle(content, path)
            keys, _ = _unpickle(content, path)
            self._starts: dict[str, int] = {}
            for key in keys:
                storage = storages.pop(key)
                length = int.from_bytes(content.read(8), "little", signed=True)
                if length != storage.length:
                    raise ValueError(f"storage {key} has another length")
                self._starts[key] = content.tell()
                if content.tell() + storage.nbytes > len(content):
                    raise ValueError(f"the file ends in storage {key}")
                content.seek(storage.nbytes, io.SEEK_CUR)
        if storages:
            raise ValueError("its list of storages is not complete")

    def read_storage(self, storage: Storage) -> np.ndarray:
        """Return all numbers of a storage; they are little-endian on every machine."""
        with self._path.open("rb") as file:
            file.seek(self._starts[storage.key])
            content = file.read(storage.nbytes)
        if len(content) != storage.nbytes:
            raise ValueError(f"the file ends in storage {storage.key}")
        return np.frombuffer(content, "<" + _DTYPES[storage.kind])


def open_torch_file(path: Path) -> ZipFile | LegacyFile:
    """Return the reader for a file that torch.save wrote."""
    with path.open("rb") as file:
        return (ZipFile if file.read(4) == b"PK\x03\x04" else LegacyFile)(path)


def read_tensor(file: ZipFile | LegacyFile, tensor: Tensor) -> np.ndarray:
    """Return a tensor as an array, which may not be writable; bfloat16 as float32."""
    if math.prod(tensor.shape) > tensor.storage.length:
        raise ValueError("a tensor is larger than its storage")
    reach = 0
    for stride, size in sorted(zip(tensor.strides, tensor.shape, strict=True)):
        if size > 1 and stride <= reach:
            raise ValueError("elements of a tensor overlap")
        reach += (size - 1) * stride
    numbers = file.read_storage(tensor.storage)
    native = numbers.dtype.newbyteorder("=")
    if 0 in tensor.shape:
        array = np.zeros(tensor.shape, native)
    else:
        strides = [stride * native.itemsize for stride in tensor.strides]
        part = np.lib.stride_tricks.as_strided(
            numbers[tensor.offset :], tensor.shape, strides, writeable=False
        )
        array = part.astype(native, order="C", copy=False)
    if tensor.storage.kind != "BFloat16Storage":
        return array
    return np.asarray(np.left_shift(array, 16, dtype="uint32")).view("float32")


def find_tensors(content: Any) -> dict[str, Tensor]:
    """Return the tensors by their names, from the top or from one level below."""
    found: list[Any] = [content]
    if isinstance(content, dict):
        found += [content.get("state_dict"), content.get("model")]
    for group in found:
        items = group.items() if isinstance(group, dict) else ()
        tensors = {name: item for name, item in items if isinstance(item, Tensor)}
        if tensors and all(isinstance(name, str) for name in tensors):
            return tensors
    raise ValueError("there is no dictionary of tensors in it")
