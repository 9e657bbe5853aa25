"""Files hold each vector, in order, and are whole or absent."""

import json

import numpy as np
import pytest

from feature_extraction_albert import writers
from feature_extraction_albert.dataset import Text
from feature_extraction_albert.errors import UserError
from feature_extraction_albert.extraction import Chunk
from feature_extraction_albert.features import Row
from feature_extraction_albert.tokenizer import (
    train_tokenizer,
)

TOKENIZER = train_tokenizer(["a b c"], vocab_size=40)
LENGTHS = (3, 2, 5, 4, 2)
IDS = ("x", "yy", "zürich", "", "e")


def make_chunks(per_token):
    """Yield chunks of 3 and 2 texts, whose numbers have all digits."""
    random = np.random.default_rng(0)
    for first, last in ((0, 3), (3, 5)):
        texts = [Text(name, "a") for name in IDS[first:last]]
        lengths = LENGTHS[first:last]
        rows = [
            Row(np.arange(n, dtype="int32"), np.zeros(n, "int32"), False, False)
            for n in lengths
        ]
        shapes = [(n, 6) if per_token else (6,) for n in lengths]
        scale = 10.0 ** random.integers(-30, 30)
        vectors = [(random.normal(size=s) * scale).astype("float32") for s in shapes]
        yield Chunk(texts, rows, vectors)


def written(path, per_token):
    """Write the chunks, and return all vectors and rows that were written."""
    chunks = list(writers.write(path, make_chunks(per_token), 6, TOKENIZER))
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    vectors = [vector for chunk in chunks for vector in chunk.vectors]
    return vectors, [row for chunk in chunks for row in chunk.rows]


def test_npy(tmp_path):
    """Rows in order, and the file can be mapped into memory."""
    vectors, _ = written(tmp_path / "new" / "out.npy", per_token=False)
    found = np.load(tmp_path / "new" / "out.npy", mmap_mode="r")
    assert found.dtype == np.float32 and isinstance(found, np.memmap)
    np.testing.assert_array_equal(found, np.stack(vectors))


def test_npz(tmp_path):
    """Ids and vectors; the same arrays give the same bytes."""
    path = tmp_path / "out.npz"
    vectors, _ = written(path, per_token=False)
    with np.load(path) as arrays:
        assert sorted(arrays) == ["ids", "vectors"]
        assert tuple(arrays["ids"]) == IDS
        np.testing.assert_array_equal(arrays["vectors"], np.stack(vectors))
    first = path.read_bytes()
    written(path, per_token=False)
    assert path.read_bytes() == first


def test_npz_of_tokens(tmp_path):
    """Offsets cut one array into the texts' tokens."""
    path = tmp_path / "out.npz"
    vectors, rows = written(path, per_token=True)
    with np.load(path) as arrays:
        assert sorted(arrays) == ["ids", "input_ids", "offsets", "vectors"]
        offsets = arrays["offsets"]
        assert offsets.tolist() == [0, 3, 5, 10, 14, 16]
        for n, (vector, row) in enumerate(zip(vectors, rows, strict=True)):
            part = slice(offsets[n], offsets[n + 1])
            np.testing.assert_array_equal(arrays["vectors"][part], vector)
            np.testing.assert_array_equal(arrays["input_ids"][part], row.input_ids)


@pytest.mark.parametrize("per_token", [False, True])
def test_jsonl(tmp_path, per_token):
    """A line a text; the numbers are the same float32 again."""
    path = tmp_path / "out.jsonl"
    vectors, rows = written(path, per_token)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 5 and "zürich" in lines[2]
    for name, vector, row, line in zip(IDS, vectors, rows, lines, strict=True):
        record = json.loads(line)
        key = "vectors" if per_token else "vector"
        assert record["id"] == name
        np.testing.assert_array_equal(np.array(record[key], "float32"), vector)
        if per_token:
            tokens = [TOKENIZER.id_to_token(index) for index in row.input_ids]
            assert record["tokens"] == tokens


@pytest.mark.parametrize("name", ["out.npy", "out.npz", "out.jsonl"])
def test_nothing_is_left_of_what_failed(tmp_path, name):
    """An error, or a reader that goes away, leaves the old file as it was."""
    path = tmp_path / name
    path.write_text("old")

    def broken():
        yield next(make_chunks(False))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(writers.write(path, broken(), 6, TOKENIZER))
    stopped = writers.write(path, make_chunks(False), 6, TOKENIZER)
    next(stopped)
    assert len(list(tmp_path.iterdir())) == 2
    stopped.close()
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.read_text() == "old"


def test_outputs_that_cannot_be(tmp_path):
    """Another suffix, tokens without offsets, and a folder that is a file."""
    with pytest.raises(UserError, match="none of .npz"):
        writers.check_output(tmp_path / "out.csv", per_token=False)
    with pytest.raises(UserError, match="which tokens"):
        writers.check_output(tmp_path / "out.npy", per_token=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write"):
        list(writers.write(tmp_path / "file/out.npy", [], 1, TOKENIZER))
