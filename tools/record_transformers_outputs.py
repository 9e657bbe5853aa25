"""Record what transformers and torch compute with random BERT and ALBERT models.

    python tools/record_transformers_outputs.py     # the file that the tests read
    python tools/record_transformers_outputs.py FILE.npz --folders DIR

The models are a grid of configurations: activations, epsilons, groups, inner groups,
type vocabularies, odd head sizes. Weights come from NumPy by the case's number, so the
record holds names, shapes and outputs only. --folders also saves each model as
safetensors, as sharded safetensors and as pytorch_model.bin. TensorFlow and torch do
not share a process, so tests compare with the file, or run this script.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

OUTPUT = Path(__file__).parents[1] / "tests/project/transformers_outputs.npz"
SIZES = {
    "vocab_size": 50,
    "hidden_size": 12,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "max_position_embeddings": 11,
    "type_vocab_size": 2,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-12,
    "initializer_range": 0.02,
}
# What differs from SIZES in each case.
BERT: list[dict[str, Any]] = [
    {},
    {"hidden_act": "gelu_new"},
    {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-5},
    {"hidden_act": "relu", "type_vocab_size": 1},
    {"hidden_act": "silu", "layer_norm_eps": 1e-3},
    {"hidden_act": "tanh", "type_vocab_size": 5},
    {"num_attention_heads": 4, "num_hidden_layers": 4},
    {"num_attention_heads": 12, "hidden_act": "swish"},
    {"hidden_size": 21, "num_attention_heads": 3},
    {"num_attention_heads": 1, "intermediate_size": 7, "num_hidden_layers": 1},
]
ALBERT: list[dict[str, Any]] = [
    {"embedding_size": 5},
    {"embedding_size": 12},
    {"embedding_size": 5, "hidden_act": "gelu_new", "layer_norm_eps": 1e-5},
    {"embedding_size": 5, "hidden_act": "relu", "num_hidden_layers": 5},
    {"embedding_size": 4, "num_hidden_layers": 4, "num_hidden_groups": 2},
    {"embedding_size": 4, "num_hidden_layers": 5, "num_hidden_groups": 2},
    {"embedding_size": 4, "num_hidden_layers": 3, "num_hidden_groups": 3},
    {"embedding_size": 4, "inner_group_num": 2},
    {
        "embedding_size": 9,
        "num_hidden_layers": 6,
        "num_hidden_groups": 2,
        "inner_group_num": 3,
        "hidden_size": 15,
        "num_attention_heads": 3,
        "type_vocab_size": 4,
        "hidden_act": "tanh",
    },
]
CASES = [{"model_type": "bert", **SIZES, **each} for each in BERT]
CASES += [{"model_type": "albert", **SIZES, **each} for each in ALBERT]


def make_weights(case: int, shapes: dict[str, list[int]]) -> dict[str, np.ndarray]:
    """Return the random weights of a case; LayerNorms lie around 1."""
    random = np.random.default_rng(case)
    weights = {}
    for name in sorted(shapes):
        array = random.normal(0, 0.25, shapes[name])
        around_one = "norm.weight" in name.lower()
        weights[name] = (array + around_one).astype("float32")
    return weights


def make_inputs(config: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return three rows of 11, 7 and 3 tokens in one padded batch."""
    random = np.random.default_rng(7)
    mask = (np.arange(11) < np.array([[11], [7], [3]])).astype("int32")
    ids = random.integers(0, config["vocab_size"], mask.shape).astype("int32")
    segments = random.integers(0, config["type_vocab_size"], mask.shape)
    return {
        "input_ids": ids,
        "segment_ids": segments.astype("int32"),
        "attention_mask": mask,
    }


def compute(
    case: int, config: dict[str, Any], folders: Path | None
) -> tuple[dict[str, list[int]], dict[str, np.ndarray]]:
    """Return names and shapes of a case's weights, and the model's outputs."""
    import torch
    from transformers import AutoModel
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    settings = {name: value for name, value in config.items() if name != "model_type"}
    settings |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    made = CONFIG_MAPPING[config["model_type"]](**settings)
    model = AutoModel.from_config(made, attn_implementation="eager").eval()
    state = {
        name: tensor
        for name, tensor in model.state_dict().items()
        if tensor.is_floating_point()
    }
    shapes = {name: list(tensor.shape) for name, tensor in state.items()}
    weights = make_weights(case, shapes)
    model.load_state_dict(
        {name: torch.from_numpy(array) for name, array in weights.items()}, strict=False
    )
    if folders:
        save(model, folders / str(case))
    inputs = {
        name: torch.from_numpy(a).long() for name, a in make_inputs(config).items()
    }
    inputs["token_type_ids"] = inputs.pop("segment_ids")
    with torch.inference_mode():
        found = model(**inputs, output_hidden_states=True, output_attentions=True)
    return shapes, {
        "sequence_output": found.last_hidden_state.numpy(),
        "pooled_output": found.pooler_output.numpy(),
        "hidden_states": np.stack([s.numpy() for s in found.hidden_states[1:]], 1),
        "attention_weights": np.stack([a.numpy() for a in found.attentions], 1),
    }


def save(model: Any, folder: Path) -> None:
    """Save a model in each of Hugging Face's file formats."""
    import torch

    model.save_pretrained(folder / "safetensors")
    model.save_pretrained(folder / "sharded", max_shard_size="8KB")
    model.config.save_pretrained(folder / "bin")
    torch.save(model.state_dict(), folder / "bin" / "pytorch_model.bin")
    model.config.save_pretrained(folder / "legacy")
    torch.save(
        model.state_dict(),
        folder / "legacy" / "pytorch_model.bin",
        _use_new_zipfile_serialization=False,
    )


def main() -> None:
    """Compute all cases and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", nargs="?", type=Path, default=OUTPUT)
    parser.add_argument("--folders", type=Path)
    options = parser.parse_args()
    arrays: dict[str, np.ndarray] = {}
    cases = []
    for number, config in enumerate(CASES):
        shapes, outputs = compute(number, config, options.folders)
        cases.append({"config": config, "shapes": shapes})
        arrays |= {f"{number}/{name}": array for name, array in outputs.items()}
    text = json.dumps(cases)
    arrays["cases"] = np.frombuffer(text.encode(), "uint8")
    np.savez_compressed(options.output, **arrays)


if __name__ == "__main__":
    main()
