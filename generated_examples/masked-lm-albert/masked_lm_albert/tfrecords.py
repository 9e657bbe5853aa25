"""Rows that were tokenized beforehand: TFRecord files and the manifest of them.

For texts larger than memory. `write_records.py` writes them; training reads them in a
stream and masks the rows as it goes, anew in each epoch.
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from .batching import make_ahead
from .config import TrainConfig
from .errors import UserError
from .features import Features, RowIds, row_ids
from .masking import MaskedRows
from .packing import Packing
from .tokenizer import load_tokenizer

if TYPE_CHECKING:
    import tensorflow as tf

FORMAT = "rows of masked-lm, 1"  # change the number with what a row holds
SETTINGS = ("max_length", "sentence_order", "mask_unit", "short_seq_prob")
INPUTS = ("input_ids", "segment_ids", "attention_mask", "masked_positions")
SHUFFLED = 20_000  # rows among which the order is mixed; files are mixed besides


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What is in a folder of TFRecord files."""

    path: Path
    files: tuple[dict[str, Any], ...]  # name, rows, bytes, sha256
    settings: dict[str, Any]

    @property
    def rows(self) -> int:
        """Return how many rows there are in all files."""
        return sum(file["rows"] for file in self.files)

    def settle(self, config: TrainConfig) -> TrainConfig:
        """Return the settings with those that the rows were made with."""
        return dataclasses.replace(
            config,
            **self.settings,
            vocabulary=str(self.path.parent / "tokenizer.json"),
        )


def is_manifest(path: Path) -> bool:
    """Return whether a file is a manifest by its name."""
    return path.name.endswith("manifest.json")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest and see that its files are there, whole.

    Raises UserError where they are not.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f'its format is "{content["format"]}"')
        settings = {name: content["settings"][name] for name in SETTINGS}
        manifest = Manifest(path, tuple(content["files"]), settings)
        for file in manifest.files:
            size = (path.parent / file["name"]).stat().st_size
            if size != file["bytes"]:
                raise ValueError(f"{file['name']} has {size} bytes, not as it says")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"cannot use the manifest {path}",
            str(error),
            f"write the rows again: python -m {__package__}.write_records",
        ) from error
    return manifest


def record_batches(
    manifest: Manifest, tokenizer: Tokenizer, config: TrainConfig
) -> "tf.data.Dataset":
    """Return the batches of all epochs, `(inputs, targets)`, read in a stream.

    The order and the masks follow from the seed and the number of the step, so that a
    resumed run goes on with the same batches.
    """
    import tensorflow as tf

    check_vocabulary(manifest, tokenizer)
    steps = manifest.rows // config.batch_size
    if not steps:
        raise UserError(
            f"{manifest.rows} rows are fewer than a batch of {config.batch_size}",
            "a stream is read in whole batches",
            "lower --batch-size, or write more rows",
        )
    ids = row_ids(tokenizer)
    names = ("tokens", "starts_word", "first_length", "order")
    spec = {name: tf.io.RaggedFeature(tf.int64) for name in names}

    def masked(step: tf.Tensor, serialized: tf.Tensor) -> tuple[dict, dict]:
        parsed = tf.io.parse_example(serialized, spec)
        flat = [parsed[name].values for name in names]
        flat.append(parsed["tokens"].row_splits)
        outputs = tf.numpy_function(
            lambda step, *arrays: masked_batch(int(step), arrays, ids, config),
            [step, *flat],
            [tf.int32] * 6,
        )
        for index, array in enumerate(outputs):
            array.set_shape([None] if index == 5 else [None, None])
        targets = {"mlm": outputs[4], "order": outputs[5]}
        return dict(zip(INPUTS, outputs[:4], strict=True)), targets

    total = steps * config.epochs
    batches = all_records(manifest, config, steps).take(total).enumerate().map(masked)
    batches = batches.apply(tf.data.experimental.assert_cardinality(total))
    return make_ahead(batches)


def all_records(
    manifest: Manifest, config: TrainConfig, steps: int
) -> "tf.data.Dataset":
    """Return the batches of records of all epochs, `steps` of each."""
    epochs = range(max(1, config.epochs))
    parts = [epoch_records(manifest, config, epoch).take(steps) for epoch in epochs]
    batches = parts[0]
    for part in parts[1:]:
        batches = batches.concatenate(part)
    return batches


def check_vocabulary(manifest: Manifest, tokenizer: Tokenizer) -> None:
    """Raise UserError where the rows were made with another vocabulary."""
    written = load_tokenizer(manifest.path.parent / "tokenizer.json")
    if written.get_vocab() != tokenizer.get_vocab():
        raise UserError(
            "the rows were made with another vocabulary than that of the weights",
            f"{manifest.path.parent / 'tokenizer.json'} has other tokens",
            "write them again with --vocabulary and the checkpoint's folder",
        )


def epoch_records(
    manifest: Manifest, config: TrainConfig, epoch: int
) -> "tf.data.Dataset":
    """Return batches of serialized rows of one epoch, in an order of its own."""
    import tensorflow as tf

    random = np.random.default_rng([config.seed, epoch])
    order = random.permutation(len(manifest.files))
    paths = [str(manifest.path.parent / manifest.files[i]["name"]) for i in order]
    rows = tf.data.Dataset.from_tensor_slices(paths).interleave(
        tf.data.TFRecordDataset, cycle_length=4
    )
    seed = int(random.integers(2**31))
    rows = rows.shuffle(SHUFFLED, seed, reshuffle_each_iteration=False)
    return rows.batch(config.batch_size, drop_remainder=True)


def masked_batch(
    step: int, arrays: Sequence[np.ndarray], ids: RowIds, config: TrainConfig
) -> list[np.ndarray]:
    """Return inputs in the order of INPUTS, and targets, of one batch of rows."""
    tokens, starts_word, first_length, order, splits = arrays
    none = np.zeros(1, "int64")
    features = Features(tokens.astype("int32"), starts_word.astype(bool), none, none)
    middle = splits[:-1] + first_length
    places = np.stack([splits[:-1], middle, middle, splits[1:]], axis=1)
    packing = Packing(places, order.astype("int32"))
    rows = MaskedRows(features, packing, ids, config, (config.seed, step))
    inputs, targets = rows.collate(np.arange(len(order)))
    return [*(inputs[name] for name in INPUTS), targets["mlm"], targets["order"]]
