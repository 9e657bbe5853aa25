"""Rows written beforehand: the same for any number of processes, read in a stream."""

import hashlib
import json

import numpy as np
import pytest

from masked_lm_albert import write_records
from masked_lm_albert.config import TrainConfig
from masked_lm_albert.dataset import (
    describe,
    load_examples,
    make_dataset,
    settle,
)
from masked_lm_albert.errors import UserError
from masked_lm_albert.masking import IGNORED
from masked_lm_albert.tokenizer import (
    load_tokenizer,
    train_tokenizer,
)

COUNT = 60


@pytest.fixture
def flags(tmp_path, monkeypatch):
    """Return flags that write some short documents, in small blocks."""
    monkeypatch.setattr(write_records, "BLOCK", 8)
    lines = [
        f"The keeper of lamp {n} climbs at dusk.\nHe counts {n} steps.\n"
        for n in range(COUNT)
    ]
    (tmp_path / "texts.txt").write_text("\n".join(lines), encoding="utf-8")
    return ["--files=texts.txt", "--max-length=20", "--shards=3", "--seed=5"]


def write(flags, folder, processes=1):
    """Write the rows and return the manifest's content."""
    flags = [*flags, "--vocab-size=90", f"--processes={processes}"]
    write_records.main([*flags, "--output-dir", folder])
    with open(f"{folder}/manifest.json", encoding="utf-8") as file:
        return json.load(file)


def originals(folder, config):
    """Return the unmasked rows of an epoch of a stream, sorted."""
    (example,) = load_examples(f"{folder}/manifest.json")
    batches = make_dataset([example], load_tokenizer(folder), config, training=True)
    rows = []
    for inputs, targets in batches.as_numpy_iterator():
        ids = inputs["input_ids"].copy()
        places = inputs["masked_positions"]
        for row, (columns, tokens) in enumerate(
            zip(places, targets["mlm"], strict=True)
        ):
            real = tokens != IGNORED
            ids[row, columns[real]] = tokens[real]
        rows += [tuple(row[row > 0].tolist()) for row in ids]
    return sorted(rows)


def test_processes_do_not_matter(flags):
    """The files have the same bytes, and the rows and hashes of the manifest."""
    one, two = write(flags, "one"), write(flags, "two", processes=2)
    assert one["files"] == two["files"] and len(one["files"]) == 3
    assert one["rows"] == sum(file["rows"] for file in one["files"]) >= COUNT
    for file in one["files"]:
        for folder in ("one", "two"):
            with open(f"{folder}/{file['name']}", "rb") as data:
                content = data.read()
            assert hashlib.sha256(content).hexdigest() == file["sha256"]
            assert len(content) == file["bytes"]


def test_stream(flags):
    """Each epoch gives every row once, masked anew; a resumed run sees the same."""
    manifest = write(flags, "rows")
    (example,) = load_examples("rows/manifest.json")
    assert f"{manifest['rows']} rows in 3 files" in describe([example])
    config = settle(TrainConfig(batch_size=2, epochs=2), [example])
    assert config.max_length == 20 and config.vocabulary == "rows/tokenizer.json"
    tokenizer = load_tokenizer("rows")
    batches = make_dataset([example], tokenizer, config, training=True)
    steps = manifest["rows"] // 2
    assert int(batches.cardinality()) == 2 * steps
    found = list(batches.as_numpy_iterator())
    assert len(found) == 2 * steps
    first, second = (
        [i["input_ids"].tobytes() for i, _ in part]
        for part in (found[:steps], found[steps:])
    )
    assert not set(first) & set(second)
    inputs, targets = found[0]
    assert inputs["input_ids"].shape == inputs["attention_mask"].shape
    assert targets["order"].shape == (2,) and targets["mlm"].dtype == "int32"
    again = make_dataset([example], tokenizer, config, training=True).skip(5)
    for (inputs, targets), (same, equal) in zip(
        found[5:], again.as_numpy_iterator(), strict=True
    ):
        np.testing.assert_array_equal(inputs["input_ids"], same["input_ids"])
        np.testing.assert_array_equal(targets["mlm"], equal["mlm"])


def test_rows_are_whole(flags):
    """With all masks taken back, an epoch has the rows of the file, each once."""
    manifest = write(flags, "rows")
    (example,) = load_examples("rows/manifest.json")
    config = settle(TrainConfig(batch_size=1, epochs=1), [example])
    rows = originals("rows", config)
    assert len(rows) == manifest["rows"]
    tokenizer = load_tokenizer("rows")
    ids = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    assert all(row[0] == ids[0] and row[-1] == ids[1] for row in rows)
    assert all(row.count(ids[1]) == 2 and len(row) <= 20 for row in rows)
    texts = tokenizer.decode_batch([list(row) for row in rows])
    assert all("lamp" in text or "steps" in text or "counts" in text for text in texts)
    write([*flags, "--copies=2"], "twice")
    assert len(originals("twice", config)) > 1.8 * len(rows)


def test_refusals(flags, tmp_path):
    """A folder that is there, a damaged file, another vocabulary, mixed files."""
    write(flags, "rows")
    with pytest.raises(UserError, match="already there"):
        write(flags, "rows")
    (example,) = load_examples("rows/manifest.json")
    config = settle(TrainConfig(batch_size=2), [example])
    other = train_tokenizer(["other words"], vocab_size=40)
    with pytest.raises(UserError, match="another vocabulary"):
        make_dataset([example], other, config, training=True)
    with pytest.raises(UserError, match="together with other files"):
        settle(TrainConfig(), [example, *load_examples("texts.txt")])
    with pytest.raises(UserError, match="there is no text"):
        make_dataset([example], load_tokenizer("rows"), config, training=False)
    with pytest.raises(UserError, match="fewer than a batch"):
        large = settle(TrainConfig(batch_size=1000), [example])
        make_dataset([example], load_tokenizer("rows"), large, training=True)
    with open(next(tmp_path.glob("rows/*.tfrecord")), "ab") as file:
        file.write(b"x")
    with pytest.raises(UserError, match="bytes, not as it says"):
        describe([example])


def test_nothing_is_left_of_a_failed_run(flags, tmp_path):
    """An error in a text leaves no folder behind."""
    (tmp_path / "bad.txt").write_bytes("café".encode("latin-1"))
    with pytest.raises(UserError, match="not UTF-8"):
        write([*flags, "--files", "texts.txt", "bad.txt"], "rows")
    assert {path.name for path in tmp_path.iterdir()} == {"texts.txt", "bad.txt"}
