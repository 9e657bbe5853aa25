"""Texts to vectors, chunk by chunk: neither texts nor vectors need fit in memory."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import keras
import numpy as np
from tokenizers import Tokenizer

from .batching import evaluation_plan
from .config import ExtractConfig
from .dataset import Text, chunks
from .features import Row, collate, encode

CHUNK_BYTES = 128 * 2**20  # of vectors that are in memory at a time
CHUNK_TEXTS = 8192  # at the most: enough to find batches of similar length


class Chunk(NamedTuple):
    """Some texts in the input's order, as rows of tokens and as vectors."""

    texts: list[Text]
    rows: list[Row]
    vectors: Sequence[np.ndarray]  # float32: (width,) each, or (tokens, width)


def extract(
    model: keras.Model,
    texts: Iterable[Text],
    tokenizer: Tokenizer,
    config: ExtractConfig,
) -> Iterator[Chunk]:
    """Yield the vectors of texts in their order, reading no more than a chunk ahead.

    `model` has the output `vectors`; see model.py. What a vector is does not depend on
    the other texts of its batch: padding takes no part.
    """
    shape = model.output["vectors"].shape
    size = chunk_size(shape[-1], config, per_token=len(shape) == 3)
    for chunk in chunks(texts, size):
        rows = encode(chunk, tokenizer, config.max_length)
        yield Chunk(chunk, rows, run_model(model, rows, config))


def progress_bar(count: int) -> keras.utils.Progbar:
    """Return a bar for so many texts, which shows on a terminal alone."""
    return keras.utils.Progbar(count, verbose=int(sys.stdout.isatty()))


def chunk_size(width: int, config: ExtractConfig, per_token: bool) -> int:
    """Return how many texts are read at a time: a batch at least."""
    vectors = config.max_length if per_token else 1
    fitting = CHUNK_BYTES // (4 * width * vectors)
    return max(config.batch_size, min(CHUNK_TEXTS, fitting))


def run_model(
    model: keras.Model, rows: Sequence[Row], config: ExtractConfig
) -> list[np.ndarray]:
    """Return each row's vector, or the vectors of its tokens, without padding."""
    lengths = np.array([len(row.input_ids) for row in rows])
    vectors: list[np.ndarray] = [np.empty(0)] * len(rows)
    for batch in evaluation_plan(lengths, config.batch_size):
        inputs = collate([rows[index] for index in batch], config.max_length)
        outputs = model.predict_on_batch(inputs)["vectors"]
        for index, output in zip(batch, outputs, strict=True):
            # Copied: a part of the batch would keep all of it in memory.
            vectors[index] = (
                output[: lengths[index]].copy() if output.ndim == 2 else output
            )
    return vectors
