"""Vectors into files that are written piece by piece, and are whole or absent.

.npy     the vectors, float32 (texts, width): row n is that of the n-th text
.npz     `ids` and `vectors`; for tokens also `offsets` and `input_ids`: the tokens of
         text n are the rows offsets[n] to offsets[n + 1]
.jsonl   a line for each text: `id` and `vector`, or `tokens` and `vectors`
"""

import json
import os
import shutil
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from tokenizers import Tokenizer

from .atomic import atomically
from .errors import UserError
from .extraction import Chunk

SUFFIXES = (".npz", ".npy", ".jsonl")


def check_output(path: Path, per_token: bool) -> None:
    """Raise UserError where such vectors cannot be written to a file of that name."""
    if path.suffix not in SUFFIXES:
        raise UserError(
            f"cannot write {path}",
            f"its name ends in none of {', '.join(SUFFIXES)}",
            f"for example {path.with_suffix('.npz')}",
        )
    if path.suffix == ".npy" and per_token:
        raise UserError(
            f"cannot write {path}",
            "one array does not say which tokens belong to which text",
            f"for example {path.with_suffix('.npz')}",
        )


def write(
    path: Path, found: Iterable[Chunk], id_width: int, tokenizer: Tokenizer
) -> Iterator[Chunk]:
    """Write chunks to a file and pass them on; it is there after the last one.

    `id_width` is the length of the longest id. Raises UserError where the folder cannot
    be written.
    """
    with atomically(path) as whole:
        if path.suffix == ".jsonl":
            yield from write_lines(whole, found, tokenizer)
            return
        arrays = whole.with_name("arrays")
        arrays.mkdir()
        yield from write_arrays(arrays, found, id_width)
        if path.suffix == ".npy":
            os.replace(arrays / "vectors.npy", whole)
        else:
            pack(whole, sorted(arrays.glob("*.npy")))


def write_lines(
    path: Path, found: Iterable[Chunk], tokenizer: Tokenizer
) -> Iterator[Chunk]:
    """Write a line for each text."""
    with path.open("w", encoding="utf-8") as file:
        for chunk in found:
            print_lines(file, chunk, tokenizer)
            yield chunk


def print_lines(file: TextIO, chunk: Chunk, tokenizer: Tokenizer) -> None:
    """Print a line of JSON for each text of a chunk."""
    for text, row, vector in zip(*chunk, strict=True):
        record: dict[str, Any] = {"id": text.id}
        if vector.ndim == 2:
            ids = row.input_ids.tolist()
            record["tokens"] = [tokenizer.id_to_token(index) for index in ids]
        start = json.dumps(record, ensure_ascii=False).removesuffix("}")
        if vector.ndim == 1:
            values = f'"vector": {numbers(vector)}'
        else:
            values = f'"vectors": [{", ".join(map(numbers, vector))}]'
        file.write(f"{start}, {values}" + "}\n")


def numbers(vector: np.ndarray) -> str:
    """Return a list in JSON, each number the shortest that means the same float32."""
    return f"[{', '.join(vector.astype(str).tolist())}]"


def write_arrays(
    folder: Path, found: Iterable[Chunk], id_width: int
) -> Iterator[Chunk]:
    """Write ids.npy, vectors.npy and, for tokens, offsets.npy and input_ids.npy."""
    arrays: dict[str, ArrayFile] = {}
    total = 0
    try:
        for chunk in found:
            per_token = chunk.vectors[0].ndim == 2
            join = np.concatenate if per_token else np.stack
            parts: dict[str, Any] = {
                "ids": np.array([x.id for x in chunk.texts], f"U{max(1, id_width)}"),
                "vectors": join(chunk.vectors),
            }
            if per_token:
                lengths = [len(row.input_ids) for row in chunk.rows]
                offsets = total + np.cumsum(lengths, dtype="int64")
                parts["input_ids"] = np.concatenate([x.input_ids for x in chunk.rows])
                parts["offsets"] = offsets if total else np.append(0, offsets)
                total = int(offsets[-1])
            for name, part in parts.items():
                if name not in arrays:
                    arrays[name] = ArrayFile(folder / f"{name}.npy", part)
                arrays[name].append(part)
            yield chunk
    finally:
        for array in arrays.values():
            array.close()


class ArrayFile:
    """A .npy file that grows by rows; its header is put right when it is closed."""

    def __init__(self, path: Path, example: np.ndarray) -> None:
        self.file = path.open("wb")
        self.dtype, self.shape, self.rows = example.dtype, example.shape[1:], 0
        self.write_header()

    def write_header(self) -> None:
        """Write the header; NumPy leaves room in it for any number of rows."""
        header = {
            "descr": np.lib.format.dtype_to_descr(self.dtype),
            "fortran_order": False,
            "shape": (self.rows, *self.shape),
        }
        np.lib.format.write_array_header_1_0(self.file, header)

    def append(self, rows: np.ndarray) -> None:
        """Add rows at the end."""
        self.file.write(rows.astype(self.dtype, copy=False).tobytes())
        self.rows += len(rows)

    def close(self) -> None:
        """Say in the header how many rows there are."""
        self.file.seek(0)
        self.write_header()
        self.file.close()


def pack(path: Path, parts: Iterable[Path]) -> None:
    """Put arrays into an .npz file; the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for part in parts:
            entry = zipfile.ZipInfo(part.name)
            whole = archive.open(entry, "w", force_zip64=True)
            with part.open("rb") as source, whole as target:
                shutil.copyfileobj(source, target, 2**20)
