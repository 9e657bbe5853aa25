"""Record a short training of small classifiers by transformers and torch.

    python tools/record_torch_training.py     # the file that the tests read

A random BERT and a random ALBERT learn from random batches for some steps, without
dropout, with torch's AdamW, clipping and a schedule written out here. The weights and
batches come from NumPy by seeds, so the record holds names, shapes, each step's loss
and norm of the gradients, and the logits of one more batch before and after.

The steps are those of generated projects, which differ from torch's habits in two
things: the first step has a rate, and Keras adds AdamW's epsilon to the root of the
second moment before that is corrected for its bias.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from record_transformers_outputs import SIZES, make_weights

OUTPUT = Path(__file__).parents[1] / "tests/project/torch_training.npz"
LABELS, STEPS, BATCH = 3, 20, 4
SETTINGS = {
    "learning_rate": 0.002,
    "weight_decay": 0.05,
    "clip_norm": 2.0,
    "warmup_ratio": 0.25,
}
EPSILON, BETA_2 = 1e-6, 0.999
ARCHITECTURES = {
    "bert": "BertForSequenceClassification",
    "albert": "AlbertForSequenceClassification",
}
CASES = [
    {"model_type": "bert", **SIZES},
    {"model_type": "albert", "embedding_size": 5, **SIZES},
]


def make_batches() -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Return inputs and labels of each step and of a last batch, which is a test.

    Some tokens come several times in a batch, and rows end in padding, whose token 0
    comes nowhere else: transformers never changes its vector.
    """
    random = np.random.default_rng(3)
    batches = []
    for _ in range(STEPS + 1):
        lengths = random.integers(4, 12, (BATCH, 1))
        mask = (np.arange(11) < lengths).astype("int32")
        ids = random.integers(1, SIZES["vocab_size"] // 3, mask.shape) * mask
        segments = random.integers(0, 2, mask.shape) * mask
        inputs = {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}
        inputs = {name: array.astype("int32") for name, array in inputs.items()}
        batches.append((inputs, random.integers(0, LABELS, BATCH).astype("int32")))
    return batches


def rate_factor(step: int) -> float:
    """Return the share of the peak rate that a step has, counted from 0."""
    warmup = round(STEPS * SETTINGS["warmup_ratio"])
    return min((step + 1) / warmup, (STEPS - step) / (STEPS - warmup), 1.0)


def make_optimizer(model: Any) -> Any:
    """Return torch's AdamW, without decay of biases and LayerNorms."""
    import torch

    groups: list[list[Any]] = [[], []]
    for name, parameter in model.named_parameters():
        exempt = name.endswith("bias") or "norm" in name.lower()
        groups[int(exempt)].append(parameter)
    decays = (SETTINGS["weight_decay"], 0.0)
    return torch.optim.AdamW(
        [{"params": g, "weight_decay": d} for g, d in zip(groups, decays, strict=True)],
        lr=SETTINGS["learning_rate"],
    )


def compute(
    case: int, config: dict[str, Any]
) -> tuple[dict[str, list[int]], dict[str, np.ndarray]]:
    """Return names and shapes of a case's weights, and what its training gives."""
    import torch
    import transformers

    settings = {name: value for name, value in config.items() if name != "model_type"}
    settings |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    settings["classifier_dropout_prob"] = 0.0  # ALBERT's; BERT's is that of hidden
    model_class = getattr(transformers, ARCHITECTURES[config["model_type"]])
    made = model_class.config_class(**settings, num_labels=LABELS)
    model = model_class(made).train()
    shapes = {
        name: list(parameter.shape) for name, parameter in model.named_parameters()
    }
    arrays = make_weights(case, shapes)
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    model.load_state_dict(state, strict=False)
    optimizer = make_optimizer(model)
    *batches, (test, _) = make_batches()
    found: dict[str, list[Any]] = {"losses": [], "norms": []}
    before = logits_of(model, test)
    for step, (inputs, labels) in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = SETTINGS["learning_rate"] * rate_factor(step)
            group["eps"] = EPSILON / (1 - BETA_2 ** (step + 1)) ** 0.5
        optimizer.zero_grad()
        loss = model(**as_torch(inputs), labels=torch.from_numpy(labels).long()).loss
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), SETTINGS["clip_norm"])
        optimizer.step()
        found["losses"].append(loss.item())
        found["norms"].append(norm.item())
    logits = {"before": before, "after": logits_of(model, test)}
    return shapes, {**{n: np.array(v) for n, v in found.items()}, **logits}


def as_torch(inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """Return inputs under transformers' names."""
    import torch

    names = {"segment_ids": "token_type_ids"}
    return {names.get(n, n): torch.from_numpy(a).long() for n, a in inputs.items()}


def logits_of(model: Any, inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return a model's logits, (batch, labels)."""
    import torch

    with torch.inference_mode():
        return np.asarray(model(**as_torch(inputs)).logits.numpy())


def main() -> None:
    """Train all cases and write the record."""
    arrays: dict[str, np.ndarray] = {}
    cases = []
    for number, config in enumerate(CASES):
        shapes, outputs = compute(number, config)
        cases.append({"config": config, "shapes": shapes})
        arrays |= {f"{number}/{name}": array for name, array in outputs.items()}
    arrays["cases"] = np.frombuffer(json.dumps(cases).encode(), "uint8")
    np.savez_compressed(OUTPUT, **arrays)


if __name__ == "__main__":
    main()
