"""Weights from checkpoints into an encoder, or into a task's whole model.

    encoder = from_pretrained("path/of/a/checkpoint")

Which entry of a file belongs to which layer is said in weight_names.py, how a file
is read in checkpoint_formats.py.
"""

import dataclasses
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from . import weight_names
from .checkpoints import (
    Checkpoint,
    LoadReport,
    copy_entries,
    find_checkpoint,
    find_config,
    model_variables,
    open_checkpoint,
)
from .encoder import EncoderConfig, build_encoder
from .errors import UserError
from .spelling import PARTS, Entry, Spelling, find_spelling
from .variables import LateValues

# What `skip` takes, and the layers that then keep their random weights.
SKIPPABLE = {
    "token_embedding": ("embeddings_token",),
    "position_embedding": ("embeddings_position",),
    "segment_embedding": ("embeddings_segment",),
    "embedding_layer_norm": ("embeddings_layer_norm",),
    "pooler": ("pooler",),
    "head": tuple(weight_names.HEADS),  # a task's last layers
}
# Layers that many files lack; without an entry they stay random.
OPTIONAL = ("pooler", "embeddings_task", *weight_names.HEADS)


class CheckpointAdapter:
    """How a kind of checkpoint becomes an encoder; subclass it for other files.

    Override `adapt_config` where sizes are kept in another way, and `adapt_weights`
    where the weights are.
    """

    def adapt_config(self, path: Path) -> EncoderConfig:
        """Return the encoder's sizes for the checkpoint at `path`."""
        config = EncoderConfig.from_json(find_config(path))
        checkpoint = open_checkpoint(path)
        style = spelling_of(checkpoint, path).style
        stored = sum(math.prod(shape) for shape in checkpoint.shapes.values())
        if config.size > 2 * stored:  # before so much memory is asked for
            raise UserError(
                f"the config of {path} is not that of its weights",
                f"it describes {config.size:,} weights, the file has {stored:,}",
                "put the config that belongs to the weights beside them",
            )
        return weight_names.adapt_config(config, style)

    def adapt_weights(
        self,
        encoder: keras.Model,
        config: EncoderConfig,
        path: Path,
        skip: Sequence[str] = (),
    ) -> LoadReport:
        """Copy the weights into the encoder and report what was done.

        `encoder` may be a task's model; its head is loaded where the file has it.
        Raises UserError where an entry is missing or has another shape. Pooler and head
        may be missing as a whole: they stay random.
        """
        checkpoint = open_checkpoint(path)
        spelling = spelling_of(checkpoint, path)
        found, random, filled = [], [], []
        for key, variable in model_variables(encoder).items():
            layer, _, part = key.rpartition("/")
            entries = [] if layer in skip else spelling.entries(layer, part)
            entry = next((e for e in entries if e.name in checkpoint.shapes), None)
            if entry:
                found.append((key, variable, entry))
                continue
            lacking = layer not in skip and has_layer(checkpoint, spelling, layer)
            if layer in skip or (layer in OPTIONAL and not lacking):
                random.append(key)
            elif not lacking and weight_names.fill_missing(variable, key, config):
                filled.append(key)
            else:
                raise missing_entry(checkpoint, entries, key)
        copy_entries(checkpoint, found)
        unused = sorted(set(checkpoint.shapes) - {entry.name for _, _, entry in found})
        return LoadReport(
            tuple(key for key, _, _ in found),
            tuple(random),
            tuple(unused),
            weight_names.doubts(config),
            filled=tuple(filled),
            spare=tuple(spelling.spare(unused)),
        )


def spelling_of(checkpoint: Checkpoint, path: Path) -> Spelling:
    """Return how a file spells its names; raise UserError where it is not known."""
    found = find_spelling(
        checkpoint.shapes, weight_names.PLACES, weight_names.HEADS, weight_names.MODEL
    )
    if found is None:
        examples = ", ".join(sorted(checkpoint.shapes)[:3]) or "nothing"
        raise UserError(
            f"{path} is not a checkpoint of {weight_names.MODEL}",
            "it has no table of token embeddings under a known name; its "
            f"{len(checkpoint.shapes)} entries are {examples}, …",
            "give a checkpoint of that model, or write a CheckpointAdapter",
        )
    return found


def has_layer(checkpoint: Checkpoint, spelling: Spelling, layer: str) -> bool:
    """Return whether a file has any variable of a layer."""
    entries = (spelling.entries(layer, part) for part in PARTS)
    return any(entry.name in checkpoint.shapes for each in entries for entry in each)


def missing_entry(
    checkpoint: Checkpoint, entries: Sequence[Entry], key: str
) -> UserError:
    """Return the error for a file that lacks what a layer needs."""
    examples = ", ".join(sorted(checkpoint.shapes)[:3]) or "nothing"
    wanted = " or ".join(entry.name for entry in entries) or "such an entry"
    return UserError(
        f"the checkpoint has no {wanted}",
        f"{key} needs it; the file has {len(checkpoint.shapes)} entries, "
        f"such as {examples}",
        f"use a checkpoint of {weight_names.MODEL} with the config that belongs to "
        "it, or an adapter",
    )


def load_pretrained(
    encoder: keras.Model,
    checkpoint: str | Path,
    *,
    skip: Sequence[str] = (),
    adapter: CheckpointAdapter | None = None,
) -> LoadReport:
    """Copy a checkpoint's weights into an encoder or a task's model.

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
    layers = [layer for part in skip for layer in SKIPPABLE[part]]
    config = adapter.adapt_config(path)
    skipped = {"skip": layers} if layers else {}  # an adapter need not know it
    return adapter.adapt_weights(encoder, config, path, **skipped)


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
    concatenate_layers: int | Sequence[int] = 0,
    skip: Sequence[str] = (),
    adapter: CheckpointAdapter | None = None,
    **config_overrides: Any,
) -> keras.Model:
    """Build an encoder with a checkpoint's sizes and weights.

    `config_overrides` replace fields of its config: `num_hidden_layers=4` takes
    the lowest four layers, `hidden_dropout_prob=0.0` switches dropout off. What stays
    random, or looks wrong, is printed; `load_pretrained` returns the whole report.
    """
    config = load_config(checkpoint, adapter=adapter, **config_overrides)
    with LateValues():
        encoder = build_encoder(
            config,
            return_states=return_states,
            return_attention_weights=return_attention_weights,
            concatenate_layers=concatenate_layers,
        )
        report = load_pretrained(encoder, checkpoint, skip=skip, adapter=adapter)
    if report.warning or (report.random and not skip):
        print(f"{checkpoint}: {report}", file=sys.stderr)
    return encoder
