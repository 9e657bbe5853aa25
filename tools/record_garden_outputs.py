"""Record checkpoints and outputs of TensorFlow's model garden, for tests/project.

    pip install tensorflow tf_keras
    pip install --no-deps tf-models-official==2.20.0 gin-config
    python tools/record_garden_outputs.py tests/project

writes garden_NAME_tiny/ for its encoders: an object-based checkpoint with the names
that tf.train.Checkpoint gives the variables, a config, and what the encoder computes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
from official.nlp.modeling import networks

SIZES = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
}
# In these settings the garden's classes call sizes otherwise.
COMMON = {
    "vocab_size": 40,
    "hidden_size": 12,
    "num_layers": 2,
    "num_attention_heads": 2,
    "max_sequence_length": 20,
    "type_vocab_size": 2,
    "dict_outputs": True,
}


def make_encoders() -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return the encoders with the config that belongs to each."""
    albert = {**COMMON, "intermediate_size": 20}
    bert = {**COMMON, "inner_dim": 20}
    encoders = {
        "albert": networks.AlbertEncoder(embedding_width=5, **albert),
        "albert_wide": networks.AlbertEncoder(embedding_width=12, **albert),
        "bert": networks.BertEncoder(**bert),
        "bert_v2": networks.BertEncoderV2(**bert),
    }
    widths = {"albert": {"embedding_size": 5}, "albert_wide": {"embedding_size": 12}}
    return {
        name: (encoder, {**SIZES, **widths.get(name, {})})
        for name, encoder in encoders.items()
    }


def make_inputs() -> dict[str, np.ndarray]:
    """Return rows of different lengths, padded, with two segments."""
    mask = (np.arange(15) < np.array([[15], [9], [3]])).astype("int32")
    ids = np.random.default_rng(0).integers(1, 40, mask.shape) * mask
    segments = (np.arange(15) > 4) * mask
    return {
        "input_ids": ids.astype("int32"),
        "segment_ids": segments.astype("int32"),
        "attention_mask": mask,
    }


def record(encoder: Any, config: dict[str, Any], folder: Path) -> None:
    """Give an encoder random weights, write it and its outputs."""
    inputs = make_inputs()
    given = {
        "input_word_ids": inputs["input_ids"],
        "input_mask": inputs["attention_mask"],
        "input_type_ids": inputs["segment_ids"],
    }
    encoder(given)
    random = np.random.default_rng(7)
    for variable in encoder.weights:
        values = random.normal(0, 0.3, variable.shape)
        variable.assign(values + ("gamma" in variable.name))
    found = encoder(given)
    folder.mkdir(exist_ok=True)
    path = tf.train.Checkpoint(encoder=encoder).write(str(folder / "model.ckpt"))
    assert path == str(folder / "model.ckpt")
    outputs = {
        "sequence_output": np.asarray(found["sequence_output"]),
        "pooled_output": np.asarray(found["pooled_output"]),
        "all_encoder_layers": np.stack(found["encoder_outputs"], 1),
    }
    np.savez_compressed(folder / "expected.npz", **inputs, **outputs)
    text = json.dumps(config, indent=2) + "\n"
    (folder / "config.json").write_text(text, "utf-8")


if __name__ == "__main__":
    for name, (made, sizes) in make_encoders().items():
        record(made, sizes, Path(sys.argv[1]) / f"garden_{name}_tiny")
