"""A trained model as a checkpoint that other programs load.

`huggingface` is a folder for transformers' Auto classes, `google-checkpoint` a
TensorFlow checkpoint in Google's layout. Names come from the same tables that the
weights are read by, so what is written can be loaded here again.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
from tokenizers import Tokenizer, processors

from . import weight_names
from .checkpoints import model_variables
from .encoder import EncoderConfig
from .errors import UserError
from .model import (
    HUGGING_FACE_TASK,
    build_model,
    encoder_options,
    hugging_face_config,
    hugging_face_files,
    hugging_face_model,
)
from .runs import Run
from .spelling import Spelling
from .weights import from_pretrained, load_pretrained

# The prefix of the encoder's names in each style.
PREFIXES = {"torch": f"{weight_names.MODEL}.", "google": "bert/"}


def write_hugging_face(run: Run, folder: Path) -> None:
    """Write config.json, model.safetensors and the tokenizer's files.

    Raises UserError where transformers has no such model.
    """
    config = encoder_config(run)
    if not HUGGING_FACE_TASK:
        raise UserError(
            "transformers has no model with this head",
            "a folder for it could hold only part of the network",
            "export a SavedModel: --format saved-model",
        )
    model = hugging_face_model(run.model, run.config)
    head = hugging_face_config(run.config)
    write_folder(model, config, run.tokenizer, HUGGING_FACE_TASK, folder)
    path = folder / "config.json"
    write_json(path, json.loads(path.read_text(encoding="utf-8")) | head)
    for name, content in hugging_face_files(model, config, run.config).items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)


def write_folder(
    model: keras.Model,
    config: EncoderConfig,
    tokenizer: Tokenizer,
    task: str,
    folder: Path,
) -> None:
    """Write a model, or an encoder, as a Hugging Face folder.

    `task` ends the name of transformers' class: "Model" for an encoder alone.
    """
    from safetensors.numpy import save_file

    ids = (tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>"))
    values = {
        "architectures": [weight_names.MODEL.capitalize() + task],
        "model_type": weight_names.MODEL,
        **weight_names.release_config(config, "torch"),
        "pad_token_id": next((index for index in ids if index is not None), 0),
    }
    arrays = named_arrays(model, config, "torch")
    save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", values)
    with_special_tokens(tokenizer).save(str(folder / "tokenizer.json"))
    settings = tokenizer_settings(tokenizer, config)
    write_json(folder / "tokenizer_config.json", settings)


def write_google_checkpoint(run: Run, folder: Path) -> None:
    """Write model.ckpt.*, its config, and vocab.txt where it is WordPiece."""
    import tensorflow as tf

    config = encoder_config(run)
    arrays = named_arrays(run.model, config, "google")
    tf.raw_ops.SaveV2(
        prefix=str(folder / "model.ckpt"),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(array) for array in arrays.values()],
    )
    values = weight_names.release_config(config, "google")
    write_json(folder / f"{weight_names.MODEL}_config.json", values)
    ids = run.tokenizer.get_vocab()
    if "[UNK]" in ids:
        lines = [token for token, _ in sorted(ids.items(), key=lambda pair: pair[1])]
        (folder / "vocab.txt").write_bytes("".join(f"{x}\n" for x in lines).encode())


def load_again(run: Run, folder: Path) -> keras.Model:
    """Return a model made from the checkpoint."""
    encoder = from_pretrained(folder, **encoder_options(run.config))
    model = build_model(encoder, run.config)
    load_pretrained(model, folder)
    return model


def named_arrays(
    model: keras.Model, config: EncoderConfig, style: str
) -> dict[str, np.ndarray]:
    """Return the model's weights in float32 under a style's names."""
    spelling = Spelling(
        style,
        PREFIXES[style],
        config.num_hidden_layers,
        weight_names.PLACES[style],
        weight_names.HEADS,
        weight_names.MODEL,
    )
    arrays = {}
    for key, variable in model_variables(model).items():
        layer, _, part = key.rpartition("/")
        entries = spelling.entries(layer, part)
        if not entries:
            raise UserError(
                f"{key} has no name in such a checkpoint",
                "weight_names.py does not know the layer",
                "add it to HEADS there",
            )
        array = keras.ops.convert_to_numpy(variable).astype("float32")
        array = array.T if entries[0].transposed else array
        arrays[entries[0].name] = np.ascontiguousarray(array)
    return arrays


def encoder_config(run: Run) -> EncoderConfig:
    """Return the encoder's sizes of a run, if other programs can have them."""
    config = EncoderConfig.from_json(run.folder / "encoder_config.json")
    if config.num_tasks:
        raise UserError(
            "this encoder has task embeddings",
            "neither transformers nor Google's code knows them",
            "train without num_tasks",
        )
    return config


def with_special_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer that puts [CLS] and [SEP] around texts, as others expect.

    This project does that itself, and a vocabulary alone says nothing of it.
    """
    ids = {name: tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]")}
    if tokenizer.post_processor is not None or None in ids.values():
        return tokenizer
    tokenizer = Tokenizer.from_str(tokenizer.to_str())
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=list(ids.items()),
    )
    return tokenizer


def tokenizer_settings(tokenizer: Tokenizer, config: EncoderConfig) -> dict[str, Any]:
    """Return what transformers wants to know beside tokenizer.json."""
    ids = tokenizer.get_vocab()
    names = {
        "pad_token": ("[PAD]", "<pad>"),
        "unk_token": ("[UNK]", "<unk>"),
        "cls_token": ("[CLS]",),
        "sep_token": ("[SEP]",),
        "mask_token": ("[MASK]",),
    }
    found = {
        field: next((name for name in choices if name in ids), None)
        for field, choices in names.items()
    }
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": config.max_position_embeddings,
        **{field: name for field, name in found.items() if name},
    }


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file to be read by people too."""
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
