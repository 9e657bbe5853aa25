"""Exports of a trained model, and the proof that an export gives the same outputs.

A format is a function that writes a model into a folder, and a runner in serving.py
that runs what was written.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import keras
import numpy as np

from . import checkpoint_writers, serving
from .atomic import atomically
from .errors import UserError
from .model import hugging_face_model, serving_model
from .runs import Run

# What travels with a SavedModel, which is of no use without its vocabulary.
COMPANIONS = ("tokenizer.json", "settings.json", "encoder_config.json")
# Batch and length of the inputs an export is checked with: one row, and padding.
CHECK_SHAPES = ((1, 8), (3, 40))


def export_saved_model(run: Run, folder: Path) -> None:
    """Write a TensorFlow SavedModel; signature `serving_default`, free shapes."""
    if keras.config.backend() != "tensorflow":
        raise UserError(
            "a SavedModel needs the TensorFlow backend",
            f"this process runs Keras on {keras.config.backend()}",
            "KERAS_BACKEND=tensorflow python export.py",
        )
    model = serving_model(run.model, run.config)
    model.export(folder / "saved_model", format="tf_saved_model", verbose=False)
    for companion in COMPANIONS:
        shutil.copy(run.folder / companion, folder)


FORMATS: dict[str, Callable[[Run, Path], None]] = {
    "saved-model": export_saved_model,
    "huggingface": checkpoint_writers.write_hugging_face,
    "google-checkpoint": checkpoint_writers.write_google_checkpoint,
}


def export_run(run: Run, name: str, folder: Path) -> None:
    """Export a run's model and what belongs to it; the folder is whole or absent.

    Raises UserError where the folder is there already.
    """
    if folder.exists():
        raise UserError(
            f"{folder} is already there",
            "an export is never overwritten",
            "remove it, or give another --output-dir",
            exit_code=3,
        )
    with atomically(folder) as unfinished:
        unfinished.mkdir()
        FORMATS[name](run, unfinished)


def check_export(run: Run, name: str, folder: Path, tolerance: float = 1e-4) -> float:
    """Run an export in a fresh process; return the largest difference to Keras.

    Raises UserError where it does not run or differs by more than `tolerance`.
    """
    largest = 0.0
    model = run.model
    if name == "saved-model":
        model = serving_model(model, run.config)
    if name == "huggingface":
        model = hugging_face_model(model, run.config)
    batches = [check_inputs(run, *shape) for shape in CHECK_SHAPES]
    if name in serving.RUNNERS:
        found = run_in_fresh_process(name, folder, batches)
    else:
        again = checkpoint_writers.load_again(run, folder)
        found = [again(inputs) for inputs in batches]
    for inputs, outputs in zip(batches, found, strict=True):
        # Called, not predicted with, which is traced for each shape.
        expected = model(inputs)
        real = inputs["attention_mask"].astype(bool)
        for key, array in expected.items():
            difference = np.abs(np.asarray(array) - np.asarray(outputs[key]))
            # transformers' heads do not hide padding; of all else each place counts.
            per_token = len(array.shape) > 1 and model.output[key].shape[1] is None
            if name == "huggingface" and per_token:
                difference = difference[real]
            largest = max(largest, float(np.max(difference)))
    if not largest <= tolerance:
        raise UserError(
            f"the export in {folder} differs from the model by {largest:.1e}",
            f"more than {tolerance:.0e} is not rounding",
            "do not deploy it; try another version of the export's libraries",
        )
    return largest


def check_inputs(run: Run, batch: int, length: int) -> dict[str, np.ndarray]:
    """Return random inputs whose rows have different lengths."""
    random = np.random.default_rng(0)
    vocab_size = run.tokenizer.get_vocab_size()
    lengths = np.linspace(length, length // 2, batch).astype(int)[:, None]
    mask = (np.arange(length) < lengths).astype("int32")
    ids = random.integers(0, vocab_size, (batch, length)).astype("int32")
    segments = (np.arange(length) >= length // 4).astype("int32") * mask
    known = {
        "input_ids": ids * mask,
        "segment_ids": segments,
        "attention_mask": mask,
        "task_ids": np.zeros((batch, 1), "int32"),
        # All positions, which is what transformers' models give the outputs of.
        "masked_positions": np.tile(np.arange(length, dtype="int32"), (batch, 1)),
        "word_positions": np.tile(np.arange(length, dtype="int32"), (batch, 1)),
    }
    return {name: known[name] for name in run.model.input}


def run_in_fresh_process(
    name: str, folder: Path, batches: Sequence[dict[str, np.ndarray]]
) -> list[dict[str, np.ndarray]]:
    """Run serving.py, which knows nothing of Keras, on an export."""
    with tempfile.TemporaryDirectory() as scratch:
        files = [Path(scratch, f"{n}.npz") for n in range(len(batches))]
        for file, inputs in zip(files, batches, strict=True):
            np.savez(file, **inputs)
        command = [sys.executable, serving.__file__, name, folder, *files]
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise UserError(
                f"the export in {folder} does not run",
                (done.stderr.strip().splitlines() or ["no message"])[-1],
                "see the whole message: " + " ".join(map(str, command[:4])),
            )
        return [read_arrays(file.with_suffix(".outputs.npz")) for file in files]


def read_arrays(file: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a .npz file."""
    with np.load(file) as arrays:
        return dict(arrays)
