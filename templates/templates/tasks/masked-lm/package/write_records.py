"""Tokenize texts into TFRecord files, with several processes and little memory.

    python -m PACKAGE.write_records --files a.txt b.jsonl --output-dir rows \\
        --vocabulary DIR --processes 8
    python train.py --train-files rows/manifest.json

Documents are read in a stream and dealt out in blocks; the rows of a block are made
of its documents alone. The files do not depend on the number of processes. The folder
is whole or absent; manifest.json says what is in each file.
"""

import concurrent.futures
import hashlib
import json
import multiprocessing
import os
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

# What takes long to import is imported where it is used: each process reads this file.
from .atomic import atomically
from .errors import ArgumentParser, UserError, run_command

if TYPE_CHECKING:
    from .config import TrainConfig
    from .documents import Example

BLOCK = 500  # documents that are tokenized together, and find their other parts there
VOCABULARY_DOCUMENTS = 200_000  # the first so many train a vocabulary
SETTINGS = ("max_length", "sentence_order", "short_seq_prob", "mask_unit", "seed")
SETTINGS += ("text_lines", "vocabulary", "vocab_size")


def main(arguments: Sequence[str]) -> None:
    """Read the flags, write the files, and say what was written."""
    from .config import TrainConfig
    from .runs import add_options

    parser = ArgumentParser("write_records", __doc__)
    parser.add_argument("--files", nargs="+", required=True, help="texts and JSONL")
    parser.add_argument("--output-dir", required=True, help="a new folder")
    parser.add_argument("--shards", type=int, default=8, help="TFRecord files")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--copies", type=int, default=1, help="times that each document makes rows"
    )
    add_options(parser, TrainConfig, SETTINGS)
    options = vars(parser.parse_args(arguments))
    settings = {name: options[name] for name in SETTINGS if name in options}
    folder = Path(options["output_dir"])
    if folder.exists():
        raise UserError(
            f"{folder} is already there",
            "rows are never overwritten",
            "remove it, or give another --output-dir",
            exit_code=3,
        )
    with atomically(folder) as unfinished:
        unfinished.mkdir()
        rows = write_folder(unfinished, options, TrainConfig(**settings))
    print(f"{rows:,} rows in {options['shards']} files in {folder}")
    print(f"next: python train.py --train-files {folder}/manifest.json")


def write_folder(folder: Path, options: dict[str, Any], config: "TrainConfig") -> int:
    """Write vocabulary, files and manifest; return the number of rows."""
    import dataclasses

    from .dataset import settle
    from .tfrecords import FORMAT
    from .tfrecords import SETTINGS as KEPT
    from .vocabularies import make_tokenizer

    first = list(islice(read_all(options["files"], config), VOCABULARY_DOCUMENTS))
    tokenizer = make_tokenizer(
        config.vocabulary, config.vocab_size, (example.text for example in first)
    )
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    config = dataclasses.replace(settle(config, first), cache_dir="")
    del first
    blocks = make_blocks(read_all(options["files"], config), options["copies"])
    values = dataclasses.asdict(config)
    # Not the class itself: with it, each process would load TensorFlow.
    plain = SimpleNamespace(**values)
    jobs = ((folder / "tokenizer.json", plain, number, b) for number, b in blocks)
    files = write_shards(
        folder, map_in_order(make_rows, jobs, options["processes"]), options["shards"]
    )
    rows = sum(file["rows"] for file in files)
    content = {
        "format": FORMAT,
        "rows": rows,
        "settings": {name: values[name] for name in KEPT},
        "made_with": {
            **{name: values[name] for name in SETTINGS},
            "files": options["files"],
            "copies": options["copies"],
        },
        "files": files,
    }
    text = json.dumps(content, indent=2) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return rows


def read_all(files: Sequence[str], config: "TrainConfig") -> Iterator["Example"]:
    """Yield the documents of all files that hold text."""
    from .documents import read_documents

    texts = (read_documents(Path(path), config.text_lines) for path in files)
    return (example for example in chain(*texts) if not example.problem)


def make_blocks(
    examples: Iterator["Example"], copies: int
) -> Iterator[tuple[int, list["Example"]]]:
    """Yield blocks of documents, each `copies` times under other numbers.

    None is smaller than BLOCK but an only one: the last takes in what is left over.
    """
    number, block = 0, list(islice(examples, BLOCK))
    while block:
        following = list(islice(examples, BLOCK))
        if 0 < len(following) < BLOCK:
            block, following = block + following, []
        for _ in range(copies):
            yield number, block
            number += 1
        block = following


def map_in_order(function: Any, jobs: Iterator, processes: int) -> Iterator:
    """Yield the results of a function for each job, in their order.

    No more jobs are taken than the processes have at hand, so little is in memory.
    """
    # A process that TensorFlow runs in must not be forked.
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(processes, context) as pool:
        waiting = deque(pool.submit(function, j) for j in islice(jobs, 2 * processes))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(function, job) for job in islice(jobs, 1))


def make_rows(job: tuple[Path, SimpleNamespace, int, list["Example"]]) -> list[dict]:
    """Return the rows of a block: what is written of each, as lists of numbers."""
    from .features import build_features, row_ids
    from .packing import pack
    from .tokenizer import load_tokenizer

    path, config, number, examples = job
    tokenizer = load_tokenizer(path)
    features = build_features(examples, tokenizer, config)
    packing = pack(features, config, row_ids(tokenizer).mask, number)
    rows = []
    for (a, b, c, d), order in zip(packing.places, packing.order, strict=True):
        parts = [slice(a, b), slice(c, d)]
        tokens, starts = (
            [number for part in parts for number in array[part].tolist()]
            for array in (features.input_ids, features.starts_word.astype("int32"))
        )
        rows.append(
            {
                "tokens": tokens,
                "starts_word": starts,
                "first_length": [int(b - a)],
                "order": [int(order)],
            }
        )
    return rows


def write_shards(
    folder: Path, blocks: Iterator[list[dict]], shards: int
) -> list[dict[str, Any]]:
    """Write the rows in turn into so many files; return what is in each."""
    import tensorflow as tf

    names = [f"rows-{n:05d}-of-{shards:05d}.tfrecord" for n in range(shards)]
    writers = [tf.io.TFRecordWriter(str(folder / name)) for name in names]
    count = 0
    for count, row in enumerate(chain.from_iterable(blocks), start=1):
        features = {
            name: tf.train.Feature(int64_list=tf.train.Int64List(value=values))
            for name, values in row.items()
        }
        example = tf.train.Example(features=tf.train.Features(feature=features))
        writers[(count - 1) % shards].write(example.SerializeToString())
        if count % 10_000 == 0:
            print(f"{count:,} rows", file=sys.stderr)
    for writer in writers:
        writer.close()
    files = []
    for number, name in enumerate(names):
        with (folder / name).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        rows = (count - number + shards - 1) // shards
        size = (folder / name).stat().st_size
        files.append({"name": name, "rows": rows, "bytes": size, "sha256": digest})
    return files


if __name__ == "__main__":
    run_command(main)
