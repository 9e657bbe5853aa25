"""Vectors of texts; as a command, a file of texts to a NumPy file of vectors.

    python -m PACKAGE.embed --input texts.txt --output vectors.npy
    python -m PACKAGE.embed --model-dir runs/one --input in.jsonl --output vectors.npy

The input is text, one a line, or JSONL with a field "sentence" (or --field). Blank
lines do not count; row n of the output is the vector of the text that comes n-th. The
file may be larger than memory: texts are read and vectors written piece by piece.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import keras
import numpy as np
from tokenizers import Tokenizer

from . import runs
from .atomic import atomically
from .batching import evaluation_plan, pad_rows
from .errors import ArgumentParser, UserError, run_command
from .features import encode
from .method import TrainConfig
from .text_files import json_objects, plain_lines, read_lines

WANTED = "text in UTF-8, one a line, or JSONL"
CHUNK = 8192  # texts that are in memory at a time
BATCH = 64  # texts that go through the model at a time


def embed_texts(
    model: keras.Model,
    texts: Sequence[str],
    tokenizer: Tokenizer,
    config: TrainConfig,
    *,
    progress: bool = False,
) -> np.ndarray:
    """Return the vectors of texts, float32 (texts, hidden), in their order.

    A text longer than `max_length` tokens is cut.
    """
    rows = encode(texts, tokenizer, config.max_length)
    lengths = np.array([len(row) for row in rows])
    vectors = np.empty((len(rows), model.output["embedding"].shape[-1]), "float32")
    plan = evaluation_plan(lengths, BATCH)
    bar = keras.utils.Progbar(len(plan), verbose=int(progress and sys.stdout.isatty()))
    for step, batch in enumerate(plan, start=1):
        inputs = pad_rows([rows[i] for i in batch], limit=config.max_length)
        inputs["segment_ids"] = np.zeros_like(inputs["input_ids"])
        vectors[batch] = model.predict_on_batch(inputs)["embedding"]
        bar.update(step)
    return vectors


def read_texts(path: Path, field: str = "sentence") -> Iterator[str]:
    """Yield the texts of a file, one a line; of JSONL, a field of each line.

    Raises UserError with file and line for what cannot be read.
    """
    lines = read_lines(path, WANTED)
    if path.suffix.lower() not in (".jsonl", ".json"):
        lines = plain_lines(lines, str(path))
        yield from (line.strip() for _, line in lines if line.strip())
        return
    for place, record in json_objects(lines, str(path), bad_text):
        value = record.get(field)
        if not isinstance(value, str):
            why = f'"{field}" is missing, or no text'
            raise UserError(f"{place}: not a text", why, "name it with --field")
        yield value


def bad_text(source: str, why: str) -> UserError:
    """Return the error for a line that holds no text."""
    return UserError(f"{source}: not a text", why, f"give {WANTED}")


def chunks(texts: Iterable[str], size: int = CHUNK) -> Iterator[list[str]]:
    """Yield lists of so many texts."""
    texts = iter(texts)
    while chunk := list(islice(texts, size)):
        yield chunk


def write_vectors(run: runs.Run, path: Path, field: str, output: Path) -> int:
    """Write a file's vectors as float32 (texts, hidden); return how many.

    The output is whole or absent. Raises UserError for a file without texts.
    """
    count = sum(1 for _ in read_texts(path, field))  # a bad line shows before the work
    if not count:
        raise UserError(f"no texts in {path}", "the file is empty", "give another file")
    width = run.model.output["embedding"].shape[-1]
    bar = keras.utils.Progbar(count, verbose=int(sys.stdout.isatty()))
    done = 0
    header = {"descr": "<f4", "fortran_order": False, "shape": (count, width)}
    with atomically(output) as unfinished, unfinished.open("wb") as file:
        # Not through a memory map: there a full disk kills the process.
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in chunks(read_texts(path, field)):
            found = embed_texts(run.model, chunk, run.tokenizer, run.config)
            file.write(found.astype("<f4", copy=False).tobytes())
            done += len(chunk)
            bar.update(done)
    return count


def main(arguments: Sequence[str]) -> None:
    """Read, embed, write."""
    parser = ArgumentParser("embed", __doc__)
    parser.add_argument("--model-dir", default="", help="run folder; default: newest")
    parser.add_argument("--input", required=True, help="file of texts")
    parser.add_argument("--output", required=True, help=".npy file to write")
    parser.add_argument("--field", default="sentence", help="field of a JSONL line")
    options = parser.parse_args(arguments)
    output = Path(options.output)
    if output.suffix != ".npy":
        raise UserError(
            f"cannot write {output}", "vectors go to a .npy file", f"{output}.npy"
        )
    run = runs.load_run(options.model_dir, TrainConfig)
    count = write_vectors(run, Path(options.input), options.field, output)
    print(f"{count} vectors in {output}")


if __name__ == "__main__":
    run_command(main)
