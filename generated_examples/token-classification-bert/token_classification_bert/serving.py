"""How an exported model is run: without Keras and without this project.

    python serving.py saved-model EXPORT_FOLDER a.npz b.npz

Each file of inputs, `a.npz`, gets its outputs beside it, in `a.outputs.npz`.
Also an example to begin a server with.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

Arrays = dict[str, np.ndarray]
# transformers' names -> this project's.
HUGGING_FACE_INPUTS = {
    "input_ids": "input_ids",
    "token_type_ids": "segment_ids",
    "attention_mask": "attention_mask",
}
# Without "_logits"; what is not here is called the same.
HUGGING_FACE_OUTPUTS = {
    "prediction": "mlm",
    "seq_relationship": "order",
    "sop": "order",
}


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
    if (folder / "modules.json").exists():
        return load_sentence_transformers(folder)
    import torch
    import transformers

    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = getattr(transformers, config["architectures"][0]).from_pretrained(folder)

    def call(inputs: Arrays) -> Arrays:
        tensors = {
            name: torch.from_numpy(inputs[ours]).long()
            for name, ours in HUGGING_FACE_INPUTS.items()
        }
        with torch.inference_mode():
            outputs = model.eval()(**tensors)
        names = {name: name.removesuffix("_logits") for name in outputs}
        return {
            HUGGING_FACE_OUTPUTS.get(ours, ours): outputs[name].numpy()
            for name, ours in names.items()
        }

    return call


def load_sentence_transformers(folder: Path) -> Callable[[Arrays], Arrays]:
    """Return the same for a folder with modules.json; needs sentence-transformers."""
    import sentence_transformers
    import torch

    model = sentence_transformers.SentenceTransformer(str(folder), device="cpu").eval()

    def call(inputs: Arrays) -> Arrays:
        tensors = {name: torch.from_numpy(a).long() for name, a in inputs.items()}
        tensors["token_type_ids"] = tensors.pop("segment_ids")
        with torch.inference_mode():
            return {"embedding": model(tensors)["sentence_embedding"].numpy()}

    return call


RUNNERS = {"saved-model": load_saved_model, "huggingface": load_hugging_face}

if __name__ == "__main__":
    name, folder, *files = sys.argv[1:]
    run = RUNNERS[name](Path(folder))
    for file in map(Path, files):
        with np.load(file) as arrays:
            np.savez(file.with_suffix(".outputs.npz"), **run(dict(arrays)))
