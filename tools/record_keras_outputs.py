"""Record names in `tf_model.h5`, and what such models compute, for tests/project.

    pip install tensorflow tf_keras h5py transformers==4.46.3
    python tools/record_keras_outputs.py        # tests/project/keras_outputs.npz

transformers 5 has no TensorFlow models any more, and files that older ones wrote are
still about. Weights come from NumPy by the name of the variable, so the record holds
paths, shapes and outputs only.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

OUTPUT = Path(__file__).parents[1] / "tests/project/keras_outputs.npz"
SIZES = {
    "vocab_size": 30,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 11,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
}
CONFIGS = {"bert": SIZES, "albert": {**SIZES, "embedding_size": 5}}
TASKS = {
    "QuestionAnswering": 2,
    "SequenceClassification": 3,
    "TokenClassification": 3,
    "PreTraining": 2,
}


def make_weights(shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    """Return random weights by the names of the variables; LayerNorms lie around 1."""
    weights = {}
    for name, shape in shapes.items():
        random = np.random.default_rng(zlib.crc32(name.encode()))
        array = random.normal(0, 0.25, shape) + ("gamma" in name)
        weights[name] = array.astype("float32")
    return weights


def make_inputs() -> dict[str, np.ndarray]:
    """Return two rows of tokens, the second one padded, with two segments."""
    mask = (np.arange(9) < np.array([[9], [6]])).astype("int32")
    ids = np.random.default_rng(0).integers(1, SIZES["vocab_size"], mask.shape)
    segments = (np.arange(9) > 3) * mask
    return {
        "input_ids": (ids * mask).astype("int32"),
        "segment_ids": segments.astype("int32"),
        "attention_mask": mask,
    }


def paths_in(path: Path) -> list[str]:
    """Return the paths of all datasets in an HDF5 file."""
    import h5py

    paths: list[str] = []

    def note(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            paths.append(place)

    with h5py.File(path) as file:
        file.visititems(note)
    return paths


def record(model_type: str, task: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return a case's config, shapes and paths in the file, and its outputs."""
    import transformers

    prefix = {"bert": "Bert", "albert": "Albert"}[model_type]
    config = getattr(transformers, f"{prefix}Config")(**CONFIGS[model_type])
    config.num_labels = TASKS[task]
    model = getattr(transformers, f"TF{prefix}For{task}")(config)
    inputs = make_inputs()
    given = {**inputs, "token_type_ids": inputs["segment_ids"]}
    del given["segment_ids"]
    model(given)
    shapes = {each.name: list(map(int, each.shape)) for each in model.weights}
    weights = make_weights(shapes)
    for variable in model.weights:
        variable.assign(weights[variable.name])
    found = model(given, output_hidden_states=True)
    outputs = {n: np.asarray(a) for n, a in found.items() if n != "hidden_states"}
    outputs["last_hidden_state"] = np.asarray(found["hidden_states"][-1])
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        paths = paths_in(Path(folder) / "tf_model.h5")
    config = {**CONFIGS[model_type], "model_type": model_type}
    return {"task": task, "config": config, "shapes": shapes, "paths": paths}, outputs


def main() -> None:
    """Write the record."""
    os.environ.update(TF_USE_LEGACY_KERAS="1", CUDA_VISIBLE_DEVICES="-1", USE_TF="1")
    cases, arrays = [], {}
    for model_type in CONFIGS:
        for task in TASKS:
            case, outputs = record(model_type, task)
            for name, array in outputs.items():
                arrays[f"{len(cases)}/{name}"] = array
            cases.append(case)
    arrays["cases"] = np.frombuffer(json.dumps(cases).encode(), "uint8")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
    print(f"{path}: {path.stat().st_size:,} bytes, {len(cases)} models")


if __name__ == "__main__":
    main()
