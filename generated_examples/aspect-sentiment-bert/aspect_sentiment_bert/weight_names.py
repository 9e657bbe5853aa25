"""BERT's names in checkpoints: where each style of file keeps each layer."""

import dataclasses
from typing import Any

import keras

from .encoder import EncoderConfig
from .spelling import OBJECT_PARTS, TASK_HEADS

MODEL = "bert"

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
# The same in TensorFlow 2's model garden, whose first encoder has numbered layers.
OBJECTS = {
    "embeddings_token": "layer_with_weights-0 or _embedding_layer",
    "embeddings_position": "layer_with_weights-1 or _position_embedding_layer",
    "embeddings_segment": "layer_with_weights-2 or _type_embedding_layer",
    "embeddings_layer_norm": "layer_with_weights-3 or _embedding_norm_layer",
}
# The same for a task's layers: spelling.py has those named alike for every model.
HEADS = {
    **TASK_HEADS,
    "mlm_transform": {
        "google": "cls/predictions/transform/dense",
        "torch": "cls.predictions.transform.dense",
        "keras": "mlm___cls/predictions/transform/dense",
    },
    "mlm_layer_norm": {
        "google": "cls/predictions/transform/LayerNorm",
        "torch": "cls.predictions.transform.LayerNorm",
        "keras": "mlm___cls/predictions/transform/LayerNorm",
    },
    "mlm_bias": {
        "google": "cls/predictions/output_",
        "torch": "cls.predictions",
        "keras": "mlm___cls/predictions",
    },
    "sentence_order_head": {
        "google": "cls/seq_relationship/output_",
        "torch": "cls.seq_relationship",
        "keras": "nsp___cls/seq_relationship",
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
    """Return a layer's places in a checkpoint of TensorFlow 2's model garden."""
    if layer == "pooler":
        return f"layer_with_weights-{depth + 4} or _pooler_layer"
    if layer in PLACES_OF_PARTS:
        return OBJECTS.get(layer, "none")
    number, part = layer.removeprefix("layer_").split("_", 1)
    place = OBJECT_PARTS[part]
    numbered = f"layer_with_weights-{int(number) + 4}/{place}"
    return f"{numbered} or _transformer_layers/{number}/{place}"


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
