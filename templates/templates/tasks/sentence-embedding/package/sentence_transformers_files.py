"""The files that make a Hugging Face folder one for sentence-transformers.

`modules.json` lists the steps from tokens to vector, and each step but the first has
a folder with its settings. Written as older versions read them too.
"""

import json
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .config import TrainConfig
from .encoder import EncoderConfig
from .errors import UserError

# Our poolings, and the mode of its module Pooling; other modules do the rest.
MODES = {"cls": "cls", "pooler": "cls", "max": "max"}
MODES |= {name: "mean" for name in ("mean", "first-last", "auto")}
# Older settings of the module Pooling: a switch for each mode.
SWITCHES = {
    "cls": "pooling_mode_cls_token",
    "mean": "pooling_mode_mean_tokens",
    "max": "pooling_mode_max_tokens",
    "mean by root of length": "pooling_mode_mean_sqrt_len_tokens",
}


def module_files(
    model: keras.Model, encoder_config: EncoderConfig, config: TrainConfig
) -> dict[str, bytes]:
    """Return the files by their path in the folder."""
    width = int(model.output["embedding"].shape[-1])
    mode = MODES[config.pooling]
    switches = {switch: name == mode for name, switch in SWITCHES.items()}
    steps: list[tuple[str, dict[str, Any], dict[str, np.ndarray]]] = []
    if config.pooling == "first-last":
        steps.append(first_last_step(width, encoder_config))
    steps.append(("Pooling", {"word_embedding_dimension": width, **switches}, {}))
    if config.pooling == "pooler":
        steps.append(dense_step(model, "pooler", width))
    if config.mlp == "always":
        steps.append(dense_step(model, "mlp", width))
    if config.normalize:
        steps.append(("Normalize", {}, {}))
    modules = [module(0, "Transformer", "")]
    limits = {"max_seq_length": config.max_length, "do_lower_case": False}
    files = {"sentence_bert_config.json": to_json(limits)}
    for number, (kind, settings, weights) in enumerate(steps, start=1):
        folder = f"{number}_{kind}"
        modules.append(module(number, kind, folder))
        files[f"{folder}/config.json"] = to_json(settings)
        if weights:
            files[f"{folder}/model.safetensors"] = to_safetensors(weights)
    return {"modules.json": to_json(modules), **files}


def module(number: int, kind: str, path: str) -> dict[str, Any]:
    """Return a line of modules.json."""
    kind = f"sentence_transformers.models.{kind}"
    return {"idx": number, "name": str(number), "path": path, "type": kind}


def dense_step(model: keras.Model, name: str, width: int):
    """Return a tanh layer as a module."""
    weights = map(keras.ops.convert_to_numpy, model.get_layer(name).weights)
    kernel, bias = (array.astype("float32") for array in weights)
    settings = {
        "in_features": width,
        "out_features": width,
        "bias": True,
        "activation_function": "torch.nn.modules.activation.Tanh",
    }
    weights = {"linear.weight": np.ascontiguousarray(kernel.T), "linear.bias": bias}
    return "Dense", settings, weights


def first_last_step(width: int, config: EncoderConfig):
    """Return the average of the first and the last layer as a module."""
    # transformers counts ALBERT's inner layers, and the embeddings as layer 0.
    count = config.num_hidden_layers * getattr(config, "inner_group_num", 1)
    settings = {"word_embedding_dimension": width, "layer_start": 1}
    settings["num_hidden_layers"] = count
    weights = np.zeros(count, "float32")
    weights[0] += 1
    weights[-1] += 1
    return "WeightedLayerPooling", settings, {"layer_weights": weights}


def encoder_settings(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json needs for the modules."""
    return {"output_hidden_states": True} if config.pooling == "first-last" else {}


def read_pooling(folder: Path) -> str | None:
    """Return the pooling of a sentence-transformers folder, None for another folder.

    Raises UserError where it has a pooling or a further step that is not known here.
    """
    if not (folder / "modules.json").exists():
        return None
    try:
        modules = read_json(folder / "modules.json")
        paths = {each["type"].rpartition(".")[2]: each["path"] for each in modules}
        values = read_json(folder / paths.pop("Pooling") / "config.json")
        switched_on = [key for key, value in values.items() if value is True]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"cannot read the pooling that belongs to {folder}",
            f"modules.json or what it names is not as expected: {error!r}",
            "give --pooling",
        ) from error
    found = [name for name, switch in SWITCHES.items() if switch in switched_on]
    mode = values.get("pooling_mode", " and ".join(found))
    steps = paths.keys() - {"Transformer", "Normalize"}
    if steps or mode not in ("cls", "mean", "max"):
        raise UserError(
            f"{folder} makes its vectors in a way that is not read",
            f"modules.json has pooling {mode or 'unknown'}"
            + "".join(f", then {step}" for step in sorted(steps)),
            "choose with --pooling from cls, pooler, mean, max, first-last",
        )
    return mode


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def to_json(values: Any) -> bytes:
    """Return JSON to be read by people too."""
    return (json.dumps(values, indent=2) + "\n").encode()


def to_safetensors(arrays: dict[str, np.ndarray]) -> bytes:
    """Return a safetensors file."""
    from safetensors.numpy import save

    return save(arrays, metadata={"format": "pt"})
