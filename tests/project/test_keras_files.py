"""`tf_model.h5` of transformers 4 gives its models' outputs, heads included."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from .conftest import REPOSITORY, Load

sys.path.insert(0, str(REPOSITORY / "tools"))
import record_keras_outputs as record

HERE = Path(__file__).parent
TOLERANCE = 1e-5
RECORDED = dict(np.load(HERE / "keras_outputs.npz"))
CASES = json.loads(RECORDED["cases"].tobytes())


class Bias(layers.Layer):  # type: ignore[misc]
    """A number for each token of the vocabulary, added to logits of zero."""

    def __init__(self, rows: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.bias = self.add_weight(shape=(rows,), name="bias")

    def call(self, hidden: Any) -> Any:
        """Return the bias for each place."""
        return hidden[..., :1] * 0 + self.bias


def build(load: Load, config: Any, task: str) -> keras.Model:
    """Build the encoder with the heads that transformers has for a task."""
    encoder = load("encoder").build_encoder(config)
    tokens, text = (encoder.output[f"{n}_output"] for n in ("sequence", "pooled"))
    outputs = {"last_hidden_state": tokens}
    if task == "QuestionAnswering":
        outputs["logits"] = layers.Dense(2, name="qa_head")(tokens)
    elif task == "SequenceClassification":
        outputs["logits"] = layers.Dense(3, name="classifier")(text)
    elif task == "TokenClassification":
        outputs["logits"] = layers.Dense(3, name="classifier")(tokens)
    else:
        width = getattr(config, "embedding_size", config.hidden_size)
        gelu = load("transformer").ACTIVATIONS["gelu"]
        hidden = gelu(layers.Dense(width, name="mlm_transform")(tokens))
        norm = layers.LayerNormalization(epsilon=1e-12, name="mlm_layer_norm")
        outputs["transformed"] = norm(hidden)
        bias = Bias(config.vocab_size, name="mlm_bias")
        outputs["bias"] = bias(outputs["transformed"])
        outputs["pairs"] = layers.Dense(2, name="sentence_order_head")(text)
    return keras.Model(encoder.input, outputs)


def write(case: dict[str, Any], folder: Path) -> None:
    """Write a case's `tf_model.h5` and config.json."""
    weights = record.make_weights(case["shapes"])
    with h5py.File(folder / "tf_model.h5", "w") as file:
        for path in case["paths"]:  # the group of a layer, then the variable's name
            file[path] = weights[path.partition("/")[2]]
    (folder / "config.json").write_text(json.dumps(case["config"]), "utf-8")


@pytest.mark.parametrize("number", range(len(CASES)))
def test_outputs(loads: dict[str, Load], tmp_path: Path, number: int) -> None:
    """Encoder and heads compute what the model computed that wrote the file."""
    case = CASES[number]
    load, task = loads[case["config"]["model_type"]], case["task"]
    write(case, tmp_path)
    model = build(load, load("weights").load_config(tmp_path), task)
    report = load("weights").load_pretrained(model, tmp_path)
    assert report.random == ()
    assert set(report.unused) == set(report.spare)  # copies
    inputs = record.make_inputs()
    found = {name: np.asarray(array) for name, array in model(inputs).items()}
    if task == "QuestionAnswering":
        found["start_logits"], found["end_logits"] = np.moveaxis(found["logits"], 2, 0)
    elif task == "PreTraining":
        table = np.asarray(model.get_layer("embeddings_token").embeddings)
        found["prediction_logits"] = found["transformed"] @ table.T + found["bias"]
        found["seq_relationship_logits"] = found["sop_logits"] = found["pairs"]
    real = inputs["attention_mask"].astype(bool)
    names = [name for name in RECORDED if name.startswith(f"{number}/")]
    assert len(names) >= 2
    for name in names:
        one, other = found[name.partition("/")[2]], RECORDED[name]
        assert one.shape == other.shape, name
        if one.shape[:2] == real.shape:
            one, other = one[real], other[real]
        assert np.abs(one - other).max() <= TOLERANCE, name


def test_heads_of_another_task_are_left(loads: dict[str, Load], tmp_path: Path) -> None:
    """From a pretraining file into a QA model: the head is random, nothing alarms."""
    for model_type in ("bert", "albert"):
        (case,) = (
            case
            for case in CASES
            if case["task"] == "PreTraining"
            and case["config"]["model_type"] == model_type
        )
        write(case, tmp_path)
        load = loads[model_type]
        config = load("weights").load_config(tmp_path)
        model = build(load, config, "QuestionAnswering")
        report = load("weights").load_pretrained(model, tmp_path)
        assert report.random == ("qa_head/kernel", "qa_head/bias")
        assert len(report.spare) >= 12 and "not used" not in str(report)
