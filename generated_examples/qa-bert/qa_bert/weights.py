"""BERT's weights from checkpoints: which entry of a file belongs to which layer."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from .checkpoints import (
    Checkpoint,
    LoadReport,
    assign_variable,
    encoder_variables,
    find_checkpoint,
    find_config,
    open_checkpoint,
    unused_entries,
)
from .encoder import EncoderConfig, build_encoder
from .errors import UserError

# Our layer -> its place in the files; Google and Hugging Face differ in spelling only.
PARTS = {
    "embeddings_token": "embeddings/word_embeddings",
    "embeddings_position": "embeddings/position_embeddings",
    "embeddings_segment": "embeddings/token_type_embeddings",
    "embeddings_layer_norm": "embeddings/LayerNorm",
    "pooler": "pooler/dense",
}
LAYER_PARTS = {
    "query": "attention/self/query",
    "key": "attention/self/key",
    "value": "attention/self/value",
    "attention_output": "attention/output/dense",
    "attention_layer_norm": "attention/output/LayerNorm",
    "intermediate": "intermediate/dense",
    "output": "output/dense",
    "output_layer_norm": "output/LayerNorm",
}
# What `skip` takes, and the layer that then keeps its random weights.
SKIPPABLE = {
    "token_embedding": "embeddings_token",
    "position_embedding": "embeddings_position",
    "segment_embedding": "embeddings_segment",
    "embedding_layer_norm": "embeddings_layer_norm",
    "pooler": "pooler",
}


class CheckpointAdapter:
    """How a kind of checkpoint becomes an encoder; subclass it for other files.

    Override `adapt_config` where sizes are kept in another way, and `adapt_weights`
    where the weights are.
    """

    def adapt_config(self, path: Path) -> EncoderConfig:
        """Return the encoder's sizes for the checkpoint at `path`."""
        return EncoderConfig.from_json(find_config(path))

    def adapt_weights(
        self,
        encoder: keras.Model,
        config: EncoderConfig,
        path: Path,
        skip: Sequence[str] = (),
    ) -> LoadReport:
        """Copy the weights into the encoder and report what was done.

        Raises UserError where an entry is missing or has another shape. A pooler
        alone may be missing: many files come without, and it stays random.
        """
        checkpoint = open_checkpoint(path)
        used, random = {}, []
        for key, variable in encoder_variables(encoder).items():
            layer = key.split("/")[0]
            name, transposed = find_entry(checkpoint, key)
            if layer in skip or (layer == "pooler" and name not in checkpoint.shapes):
                random.append(key)
                continue
            if name not in checkpoint.shapes:
                raise missing_entry(checkpoint, name, key)
            array = checkpoint.read(name)
            assign_variable(variable, key, name, array.T if transposed else array)
            used[key] = name
        unused = unused_entries(checkpoint, used.values())
        return LoadReport(tuple(used), tuple(random), unused)


def find_entry(checkpoint: Checkpoint, key: str) -> tuple[str, bool]:
    """Return the name in the file for `layer/variable`, and whether to transpose.

    Google's files name like `bert/encoder/layer_0/output/dense/kernel`; Hugging
    Face's like `bert.encoder.layer.0.output.dense.weight`, transposed, with or
    without `bert.`, and with `gamma`, `beta` for LayerNorm in old ones.
    """
    layer, variable = key.split("/")
    if layer in PARTS:
        place, number = PARTS[layer], ""
    else:
        number, part = layer.removeprefix("layer_").split("_", 1)
        place = f"encoder/layer_{number}/{LAYER_PARTS[part]}"
    google = f"bert/{place}" + ("" if variable == "embeddings" else f"/{variable}")
    if google in checkpoint.shapes:
        return google, False
    place = place.replace(f"layer_{number}/", f"layer.{number}/").replace("/", ".")
    torch_names = {"embeddings": "weight", "kernel": "weight", "gamma": "weight"}
    modern = f"{place}.{torch_names.get(variable, 'bias')}"
    for name in (modern, f"{place}.{variable}"):
        for prefixed in (f"bert.{name}", name):
            if prefixed in checkpoint.shapes:
                return prefixed, variable == "kernel"
    is_google = any(name.startswith("bert/") for name in checkpoint.shapes)
    return (google if is_google else modern), variable == "kernel"


def missing_entry(checkpoint: Checkpoint, name: str, key: str) -> UserError:
    """Return the error for a file that lacks what a layer needs."""
    examples = ", ".join(sorted(checkpoint.shapes)[:3]) or "nothing"
    return UserError(
        f"the checkpoint has no {name}",
        f"{key} needs it; the file has {len(checkpoint.shapes)} entries, "
        f"such as {examples}",
        "use a BERT checkpoint with the config that belongs to it, or an adapter",
    )


def load_pretrained(
    encoder: keras.Model,
    checkpoint: str | Path,
    *,
    skip: Sequence[str] = (),
    adapter: CheckpointAdapter | None = None,
) -> LoadReport:
    """Copy a checkpoint's weights into an encoder that is already built.

    `checkpoint` is a folder, a file, a TensorFlow prefix or a short name. `skip`
    names parts that stay random, out of SKIPPABLE. Raises UserError where the file
    does not fit.
    """
    for part in skip:
        if part not in SKIPPABLE:
            raise UserError(
                f'cannot skip "{part}"',
                "there is no part of that name",
                f"choose from {', '.join(SKIPPABLE)}",
            )
    adapter = adapter or CheckpointAdapter()
    path = find_checkpoint(checkpoint)
    layers = [SKIPPABLE[part] for part in skip]
    return adapter.adapt_weights(encoder, adapter.adapt_config(path), path, layers)


def load_config(
    checkpoint: str | Path,
    *,
    adapter: CheckpointAdapter | None = None,
    **config_overrides: Any,
) -> EncoderConfig:
    """Return the encoder's sizes of a checkpoint, with some fields replaced."""
    adapter = adapter or CheckpointAdapter()
    config = adapter.adapt_config(find_checkpoint(checkpoint))
    names = [field.name for field in dataclasses.fields(config)]
    for name in config_overrides:
        if name not in names:
            raise UserError(
                f'the encoder has no setting "{name}"',
                "config_overrides replace fields of EncoderConfig",
                f"choose from {', '.join(names)}",
            )
    return dataclasses.replace(config, **config_overrides)


def from_pretrained(
    checkpoint: str | Path,
    *,
    return_states: bool = False,
    return_attention_weights: bool = False,
    skip: Sequence[str] = (),
    adapter: CheckpointAdapter | None = None,
    **config_overrides: Any,
) -> keras.Model:
    """Build an encoder with a checkpoint's sizes and weights.

    `config_overrides` replace fields of its config: `num_hidden_layers=4` takes
    the lowest four layers, `hidden_dropout_prob=0.0` switches dropout off.
    """
    config = load_config(checkpoint, adapter=adapter, **config_overrides)
    encoder = build_encoder(
        config,
        return_states=return_states,
        return_attention_weights=return_attention_weights,
    )
    load_pretrained(encoder, checkpoint, skip=skip, adapter=adapter)
    return encoder
