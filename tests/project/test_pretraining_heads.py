"""The pretraining heads give the log-probabilities of the code that they come from."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Load, make_load, make_project, run

HERE = Path(__file__).parent
TOLERANCE = 1e-5
MODELS = ["bert", "albert"]
INPUTS = ("input_ids", "segment_ids", "attention_mask")
HEADS = {"mlm_transform", "mlm_layer_norm", "mlm_bias", "sentence_order_head"}
SIZES = {
    "vocab_size": 61,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 32,
}
# What a head could get wrong: the activation, an epsilon, a width of its own.
VARIANTS = {
    "bert": [
        {"hidden_act": "gelu", "layer_norm_eps": 1e-12},
        {"hidden_act": "gelu_new", "layer_norm_eps": 1e-2},
        {"hidden_act": "relu", "layer_norm_eps": 1e-5},
    ],
    "albert": [
        {"hidden_act": "gelu_new", "embedding_size": 16},
        {"hidden_act": "gelu", "embedding_size": 8, "layer_norm_eps": 1e-2},
        {"hidden_act": "relu", "embedding_size": 24, "num_hidden_groups": 2},
    ],
}
needs_torch = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "transformers")),
    reason="torch or transformers is not installed",
)
# Run in a process of its own, since TensorFlow and torch do not share one.
MAKE = """
import json, sys
import numpy as np, torch, transformers
for number, (model, values) in enumerate(json.load(open("configs.json"))):
    config = transformers.AutoConfig.for_model(model, **values)
    torch.manual_seed(number)
    network = transformers.AutoModelForPreTraining.from_config(config).eval()
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            parameter.normal_(1.0 if name.endswith("LayerNorm.weight") else 0.0, 0.2)
    network.save_pretrained(str(number))
"""
COMPUTE = """
import sys
import numpy as np, torch, transformers
inputs = dict(np.load("inputs.npz"))
for folder in sys.argv[1:]:
    network, report = transformers.AutoModelForPreTraining.from_pretrained(
        folder, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    with torch.inference_mode():
        mlm, order = network.eval()(
            torch.from_numpy(inputs["input_ids"]).long(),
            token_type_ids=torch.from_numpy(inputs["segment_ids"]).long(),
            attention_mask=torch.from_numpy(inputs["attention_mask"]).long(),
        ).to_tuple()
    np.savez(f"{folder}/outputs.npz", mlm=mlm.numpy(), order=order.numpy())
"""


@pytest.fixture(scope="module")
def loads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Load]:
    """A function that imports a module of the generated package, for each model."""
    folder = tmp_path_factory.mktemp("heads")
    return {
        model: make_load(make_project(folder, "masked-lm", model)) for model in MODELS
    }


def build(load: Load, folder: Path, **settings: object) -> Any:
    """Return the task's model with all weights of a checkpoint, its heads' too."""
    encoder = load("weights").from_pretrained(folder, **settings)
    model = load("model").build_model(encoder, load("config").TrainConfig())
    report = load("weights").load_pretrained(model, folder)
    assert report.random == ()
    loaded = {key.split("/")[0] for key in report.loaded}
    assert loaded > HEADS
    return model


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Return log-probabilities along the last axis, in float64."""
    shifted = logits.astype("float64") - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def google_differences(load: Load, model: str, **settings: object) -> dict[str, float]:
    """Return the largest difference of each log-probability to Google's graph."""
    folder = HERE / f"google_{model}_tiny"
    expected = dict(np.load(folder / "expected.npz"))
    inputs = {name: expected[name] for name in INPUTS}
    inputs["masked_positions"] = expected["masked_lm_positions"]
    outputs = build(load, folder, **settings).predict_on_batch(inputs)
    names = {"mlm": "masked_lm_log_probs", "order": "next_sentence_or_order_log_probs"}
    return {
        name: float(np.abs(log_softmax(outputs[name]) - expected[recorded]).max())
        for name, recorded in names.items()
    }


@pytest.mark.parametrize("model", MODELS)
def test_google_checkpoint(loads: dict[str, Load], model: str) -> None:
    """Masked words and order have the log-probabilities of Google's graph."""
    settings = {"hidden_act": "gelu_new"} if model == "bert" else {}
    differences = google_differences(loads[model], model, **settings)
    assert {n: d for n, d in differences.items() if not d <= TOLERANCE} == {}


def make_inputs() -> dict[str, np.ndarray]:
    """Return rows of different lengths with all positions asked for."""
    random = np.random.default_rng(0)
    mask = (np.arange(20) < np.array([20, 13, 6])[:, None]).astype("int32")
    return {
        "input_ids": random.integers(0, 61, (3, 20)).astype("int32") * mask,
        "segment_ids": (np.arange(20) > 8).astype("int32") * mask,
        "attention_mask": mask,
        "masked_positions": np.tile(np.arange(20, dtype="int32"), (3, 1)),
    }


def assert_equal_outputs(
    found: dict[str, np.ndarray], expected: dict[str, np.ndarray]
) -> None:
    """Compare log-probabilities, those of words where there are words."""
    real = make_inputs()["attention_mask"].astype(bool)
    for name, rows in (("mlm", real), ("order", slice(None))):
        one, other = (log_softmax(each[name][rows]) for each in (found, expected))
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= TOLERANCE, name


@needs_torch
def test_transformers_both_ways(loads: dict[str, Load], tmp_path: Path) -> None:
    """transformers' folders load here, ours load there, with equal outputs."""
    cases = [(m, {**SIZES, **each}) for m in MODELS for each in VARIANTS[m]]
    (tmp_path / "configs.json").write_text(json.dumps(cases), "utf-8")
    inputs = make_inputs()
    np.savez(tmp_path / "inputs.npz", **inputs)
    run(["-c", MAKE], tmp_path)
    outputs = {}
    for number, (name, _) in enumerate(cases):
        load, folder = loads[name], tmp_path / str(number)
        model = build(load, folder)
        outputs[number] = model.predict_on_batch(inputs)
        random = np.random.default_rng(number)
        for variable in model.weights:  # others than those that came from there
            variable.assign(variable + random.normal(0, 0.1, variable.shape))
        outputs[f"{number}-back"] = model.predict_on_batch(inputs)
        (tmp_path / f"{number}-back").mkdir()
        load("checkpoint_writers").write_folder(
            model,
            load("weights").load_config(folder),
            make_tokenizer(load),
            load("model").HUGGING_FACE_TASK,
            tmp_path / f"{number}-back",
        )
    run(["-c", COMPUTE, *map(str, outputs)], tmp_path)
    for name, found in outputs.items():
        with np.load(tmp_path / str(name) / "outputs.npz") as expected:
            assert_equal_outputs(found, dict(expected))
    assert len(outputs) == 12


def make_tokenizer(load: Load) -> Any:
    """Return a tokenizer of 61 tokens."""
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    names += [f"w{number}" for number in range(56)]
    vocabulary = {name: index for index, name in enumerate(names)}
    return load("tokenizer").wordpiece_tokenizer(vocabulary, lowercase=True)


@pytest.mark.parametrize("model", MODELS)
def test_google_layout_and_back(
    loads: dict[str, Load], tmp_path: Path, model: str
) -> None:
    """A checkpoint that we write in Google's layout has every weight of the model."""
    load = loads[model]
    config = load("encoder").EncoderConfig(**SIZES)
    settings = load("config").TrainConfig()
    written = load("model").build_model(load("encoder").build_encoder(config), settings)
    random = np.random.default_rng(0)
    for variable in written.weights:
        variable.assign(random.normal(0, 1, variable.shape))
    (tmp_path / "encoder_config.json").write_text(config.to_json(), "utf-8")
    (tmp_path / "google").mkdir()
    load("checkpoint_writers").write_google_checkpoint(
        load("runs").Run(tmp_path, written, make_tokenizer(load), settings),
        tmp_path / "google",
    )
    read = build(load, tmp_path / "google")
    variables = load("checkpoints").model_variables
    expected, found = variables(written), variables(read)
    assert found.keys() == expected.keys()
    for key, variable in expected.items():
        np.testing.assert_array_equal(np.asarray(found[key]), np.asarray(variable), key)
