"""ALBERT's names in checkpoints: where each style of file keeps each layer."""

import dataclasses
from typing import Any

import keras
import numpy as np

from .encoder import EncoderConfig
from .errors import UserError
from .spelling import OBJECT_PARTS, TASK_HEADS

MODEL = "albert"

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
# Our layer -> its place in brightmart's albert_zh, which has one shared layer.
BRIGHTMART = {
    "embeddings_projection": "embeddings/word_embeddings_2",
    "query": "attention/self/query",
    "key": "attention/self/key",
    "value": "attention/self/value",
    "attention_output": "attention/output/dense",
    "attention_layer_norm": "attention/output/LayerNorm",
    "intermediate": "intermediate/dense",
    "output": "output/dense",
    "output_layer_norm": "output/LayerNorm",
}
# The same in TensorFlow 2's model garden, which numbers them. A file with embeddings as
# wide as the rest has no projection, and what comes behind it has the number before.
OBJECTS = {
    "embeddings_token": "layer_with_weights-0",
    "embeddings_position": "layer_with_weights-1",
    "embeddings_segment": "layer_with_weights-2",
    "embeddings_layer_norm": "layer_with_weights-3",
    "embeddings_projection": "layer_with_weights-4",
    "pooler": "layer_with_weights-6 or layer_with_weights-5",
}
# The same for a task's layers: spelling.py has those named alike for every model.
HEADS = {
    **TASK_HEADS,
    "mlm_transform": {
        "google": "cls/predictions/transform/dense",
        "torch": "predictions.dense",
        "keras": "predictions/dense",
    },
    "mlm_layer_norm": {
        "google": "cls/predictions/transform/LayerNorm",
        "torch": "predictions.LayerNorm",
        "keras": "predictions/LayerNorm",
    },
    "mlm_bias": {
        "google": "cls/predictions/output_",
        "torch": "predictions",
        "keras": "predictions/decoder",  # there predictions/bias is never used
    },
    "sentence_order_head": {
        "google": "cls/seq_relationship/output_",
        "torch": "sop_classifier.classifier",
        "keras": "sop_classifier/classifier",
    },
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


def brightmart_place(layer: str, depth: int = 0) -> str:
    """Return a layer's place in a checkpoint of albert_zh, without `bert/`."""
    if layer in PLACES_OF_PARTS:
        return BRIGHTMART.get(layer) or google_place(layer)
    group, inner, part = split_layer(layer)
    shared = "layer_shared" if group == inner == "0" else f"layer_{group}_{inner}"
    return f"encoder/{shared}/{BRIGHTMART[part]}"


def object_place(layer: str, depth: int) -> str:
    """Return a layer's places in a checkpoint of TensorFlow 2's model garden."""
    if depth != 1:
        return "none"  # not one shared layer: another model's file
    if layer in PLACES_OF_PARTS:
        return OBJECTS.get(layer, "none")
    group, inner, part = split_layer(layer)
    if group != "0" or inner != "0":
        return "none"
    place = OBJECT_PARTS[part]
    return f"layer_with_weights-5/{place} or layer_with_weights-4/{place}"


# brightmart's comes before Google's: its names are those and some more.
PLACES = {
    "brightmart": brightmart_place,
    "google": google_place,
    "torch": torch_place,
    "keras": keras_place,
    "objects": object_place,
}


def adapt_config(config: EncoderConfig, style: str) -> EncoderConfig:
    """Return the config as a file of that style means it.

    Google's code computes "gelu" with tanh, and so do albert_zh and the model garden;
    Hugging Face says "gelu_new" where it means tanh. Google rounds in its own way when
    it deals layers out to groups. Groups stay as they are dealt out here also for an
    encoder of fewer layers. Where LayerNorm stands, and how token vectors are widened,
    is albert_zh's affair alone: other code has one way and does not look for `ln_type`.
    """
    activation = config.hidden_act
    if style in ("google", "brightmart", "objects") and activation == "gelu":
        activation = "gelu_new"
    config = dataclasses.replace(
        config,
        hidden_act=activation,
        grouped_layers=config.num_hidden_layers,
        wide_embeddings=style == "brightmart",
    )
    if style in ("brightmart", "objects"):
        config = dataclasses.replace(config, num_hidden_groups=1, inner_group_num=1)
    if style == "brightmart":
        return config
    google_groups = config.google_groups or style == "google"
    return dataclasses.replace(config, ln_type="postln", google_groups=google_groups)


def release_config(config: EncoderConfig, style: str) -> dict[str, Any]:
    """Return the config's fields as a file of that style has them.

    Raises UserError where the style cannot say what the encoder is.
    """
    if config.wide_embeddings or config.ln_type != "postln":
        raise UserError(
            "an encoder of albert_zh's own kind cannot be written in this format",
            "it has no way to say that token vectors are widened before positions and "
            "segments are added, or that LayerNorm comes first",
            "choose a --format that holds any graph: saved-model, onnx or litert",
        )
    values = dataclasses.asdict(config)
    ours = ("num_tasks", "google_groups", "grouped_layers", "wide_embeddings")
    for name in (*ours, "ln_type"):
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
    if layer != "embeddings_projection" or not same_width or config.wide_embeddings:
        return False
    size = config.hidden_size
    variable.assign(np.eye(size) if part == "kernel" else np.zeros(size))
    return True


def doubts(config: EncoderConfig) -> str:
    """Return what looks wrong in a config though its weights fit.

    All layers share their weights, so a wrong depth loads without an error; a public
    copy of albert_tiny_zh says 1 layer instead of 4. So does a wrong `ln_type`.
    """
    if config.wide_embeddings and config.hidden_size == 2048:
        return (
            f'ln_type is "{config.ln_type}", and albert_zh has published both "preln" '
            'and "postln" for xlarge: the weights fit either, so compare results'
        )
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
