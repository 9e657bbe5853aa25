"""How an exported model is run: without Keras and without this project.

    python serving.py saved-model EXPORT_FOLDER inputs.npz outputs.npz

Also an example to begin a server with.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]


def load_saved_model(folder: Path) -> Callable[[Arrays], Arrays]:
    """Return a function from inputs to outputs, int32 (batch, length) each."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(folder / "saved_model"))
    signature = loaded.signatures["serving_default"]

    def call(inputs: Arrays) -> Arrays:
        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        return {name: output.numpy() for name, output in signature(**tensors).items()}

    call.loaded = loaded  # TensorFlow drops the variables with the object
    return call


def load_hugging_face(folder: Path) -> Callable[[Arrays], Arrays]:
    """Return the same for a Hugging Face folder; needs transformers and torch."""
    import torch
    import transformers

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = getattr(transformers, config["architectures"][0]).from_pretrained(folder)

    def call(inputs: Arrays) -> Arrays:
        tensors = {name: torch.from_numpy(a).long() for name, a in inputs.items()}
        tensors["token_type_ids"] = tensors.pop("segment_ids")
        with torch.inference_mode():
            outputs = model.eval()(**tensors)
        return {
            name.removesuffix("_logits"): tensor.numpy()
            for name, tensor in outputs.items()
        }

    return call


RUNNERS = {"saved-model": load_saved_model, "huggingface": load_hugging_face}

if __name__ == "__main__":
    name, folder, given, taken = sys.argv[1:]
    with np.load(given) as arrays:
        np.savez(taken, **RUNNERS[name](Path(folder))(dict(arrays)))
