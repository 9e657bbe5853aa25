"""Search of a file of texts by the meaning of a query.

    python -m PACKAGE.embed --input texts.txt --output vectors.npy
    python -m PACKAGE.search --texts texts.txt --vectors vectors.npy --query "…"

Compares the query's vector with every one in the file, so what is found is exact;
the file of vectors may be larger than memory.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from . import runs
from .config import TrainConfig
from .embed import embed_texts, read_texts
from .errors import ArgumentParser, UserError, run_command

CHUNK = 65536  # vectors that are in memory at a time


def nearest(query: np.ndarray, vectors: np.ndarray, count: int) -> list[tuple]:
    """Return (cosine, row) of the nearest vectors, best first; ties by row.

    `query` is (hidden,), `vectors` (texts, hidden), perhaps on disk. A vector of
    zeros has the cosine 0.
    """
    query = query.astype("float32") / max(float(np.linalg.norm(query)), 1e-12)
    scores, rows = np.empty(0, "float32"), np.empty(0, "int64")
    for first in range(0, len(vectors), CHUNK):
        chunk = np.asarray(vectors[first : first + CHUNK], "float32")
        lengths = np.maximum(np.linalg.norm(chunk, axis=1), 1e-12)
        scores = np.append(scores, chunk @ query / lengths)
        rows = np.append(rows, np.arange(first, first + len(chunk)))
        kept = np.lexsort((rows, -scores))[:count]
        scores, rows = scores[kept], rows[kept]
    return [(float(s), int(r)) for s, r in zip(scores, rows, strict=True)]


def load_vectors(path: Path) -> np.ndarray:
    """Open a file of vectors without reading it; raise UserError where it is none."""
    try:
        vectors = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"cannot read the vectors {path}", str(error), "write it with embed"
        ) from error
    if vectors.ndim != 2:
        raise UserError(
            f"{path} holds no vectors",
            f"its shape is {vectors.shape}, not (texts, hidden)",
            "write it with embed",
        )
    return vectors


def find_texts(path: Path, field: str, rows: Sequence[int], count: int) -> list[str]:
    """Return the texts of some rows; raise UserError where the file has not `count`."""
    found, total = {}, 0
    for total, text in enumerate(read_texts(path, field), start=1):
        if total - 1 in rows:
            found[total - 1] = text
    if total != count:
        raise UserError(
            f"{path} is not what the vectors were made of",
            f"it has {total} texts, and there are {count} vectors",
            "embed the file again",
        )
    return [found[row] for row in rows]


def main(arguments: Sequence[str]) -> None:
    """Embed the query, search, print."""
    parser = ArgumentParser("search", __doc__)
    parser.add_argument("--model-dir", default="", help="run folder; default: newest")
    parser.add_argument("--vectors", required=True, help=".npy file that embed wrote")
    parser.add_argument("--texts", required=True, help="the file they were made of")
    parser.add_argument("--query", required=True, nargs="+", help="what to look for")
    parser.add_argument("--top-k", type=int, default=5, help="texts for each query")
    parser.add_argument("--field", default="sentence", help="field of a JSONL line")
    options = parser.parse_args(arguments)
    vectors = load_vectors(Path(options.vectors))
    run = runs.load_run(options.model_dir, TrainConfig)
    queries = embed_texts(run.model, options.query, run.tokenizer, run.config)
    if queries.shape[1] != vectors.shape[1]:
        raise UserError(
            f"{options.vectors} is of another model",
            f"its vectors have {vectors.shape[1]} dimensions, not {queries.shape[1]}",
            "give the --model-dir that it was written with",
        )
    found = [nearest(query, vectors, options.top_k) for query in queries]
    rows = sorted({row for each in found for _, row in each})
    texts = find_texts(Path(options.texts), options.field, rows, len(vectors))
    by_row = dict(zip(rows, texts, strict=True))
    for query, each in zip(options.query, found, strict=True):
        print(query)
        for score, row in each:
            print(f"  {score:.3f}  {row + 1}: {by_row[row]}")


if __name__ == "__main__":
    run_command(main)
