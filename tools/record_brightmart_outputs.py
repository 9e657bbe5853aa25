"""Record checkpoints and outputs of albert_zh's own code, for tests/project.

    git clone https://github.com/brightmart/albert_zh
    git -C albert_zh checkout 52149e8
    pip install tensorflow tf_keras
    python tools/record_brightmart_outputs.py albert_zh tests/project

writes brightmart_albert_tiny_postln/ and …_preln/: a checkpoint with the names that
modeling.py gives its variables, the config, and what its graph computes. The code is
of TensorFlow 1: of what is gone since, it needs `tf.contrib.layers.layer_norm`, whose
documented formula stands in for it below.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # tf.layers.dense is not in Keras 3
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf

COMMIT = "52149e8"
CONFIG = {
    "vocab_size": 40,
    "embedding_size": 6,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
}
v1 = tf.compat.v1


def layer_norm(inputs, begin_norm_axis, begin_params_axis, scope=None):
    """Stand in for tf.contrib's function: epsilon 1e-12, names `beta` and `gamma`."""
    assert begin_norm_axis == begin_params_axis == -1
    width = inputs.shape[-1]
    with v1.variable_scope(scope, "LayerNorm", [inputs]):
        beta = v1.get_variable("beta", width, initializer=v1.zeros_initializer())
        gamma = v1.get_variable("gamma", width, initializer=v1.ones_initializer())
    mean, variance = tf.nn.moments(inputs, [-1], keepdims=True)
    return tf.nn.batch_normalization(inputs, mean, variance, beta, gamma, 1e-12)


def load_modeling(clone: Path) -> types.ModuleType:
    """Import modeling.py of the clone as if this were TensorFlow 1."""
    head = ["git", "-C", str(clone), "rev-parse", "HEAD"]
    found = subprocess.run(head, capture_output=True, text=True, check=True).stdout
    if not found.startswith(COMMIT):
        sys.exit(f"{clone} is at {found.strip()}, not at {COMMIT}")
    v1.contrib = types.SimpleNamespace(
        layers=types.SimpleNamespace(layer_norm=layer_norm)
    )
    sys.modules["tensorflow"] = v1
    sys.path.insert(0, str(clone))
    import modeling

    return modeling


def record(modeling: types.ModuleType, ln_type: str, folder: Path) -> None:
    """Write a checkpoint with random weights and the outputs of its graph."""
    random = np.random.default_rng(11)
    lengths = np.array([[15], [9], [3]])
    mask = (np.arange(15) < lengths).astype("int32")
    inputs = {
        "input_ids": random.integers(1, CONFIG["vocab_size"], mask.shape) * mask,
        "segment_ids": (np.arange(15) >= lengths // 2) * mask,
        "attention_mask": mask,
    }
    inputs = {name: array.astype("int32") for name, array in inputs.items()}
    config = {**CONFIG, "ln_type": ln_type}
    with tf.Graph().as_default(), v1.Session() as session:
        model = modeling.BertModel(
            modeling.BertConfig.from_dict(config),
            False,
            tf.constant(inputs["input_ids"]),
            tf.constant(inputs["attention_mask"]),
            tf.constant(inputs["segment_ids"]),
        )
        for variable in v1.trainable_variables():
            values = random.normal(0, 0.3, variable.shape)
            variable.load(values + ("gamma" in variable.name), session)
        outputs = {
            "sequence_output": model.get_sequence_output(),
            "pooled_output": model.get_pooled_output(),
            "all_encoder_layers": tf.stack(model.get_all_encoder_layers(), 1),
        }
        found = session.run(outputs)
        folder.mkdir(exist_ok=True)
        v1.train.Saver().save(
            session, str(folder / "albert_model.ckpt"), write_meta_graph=False
        )
    (folder / "checkpoint").unlink()
    np.savez_compressed(folder / "expected.npz", **inputs, **found)
    text = json.dumps(config, indent=2) + "\n"
    (folder / "albert_config.json").write_text(text, "utf-8")


if __name__ == "__main__":
    code = load_modeling(Path(sys.argv[1]))
    for kind in ("postln", "preln"):
        record(code, kind, Path(sys.argv[2]) / f"brightmart_albert_tiny_{kind}")
