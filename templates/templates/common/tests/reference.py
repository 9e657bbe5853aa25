"""The encoder in plain NumPy and float64: what it must compute, step by step.

Written from the paper and from the formulas of Google's modeling.py, not from the
Keras graph, so that a mistake there does not come back here.
"""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=["float64"])


def gelu(x):
    """Return x Φ(x)."""
    return x * 0.5 * (1 + erf(x / math.sqrt(2)))


def gelu_new(x):
    """Return the tanh approximation of GELU."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": gelu_new,
    "relu": lambda x: np.maximum(x, 0),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
}


def attention(query, key, value, hidden_keys):
    """Return softmax(q k / √d) v for `(batch, heads, length, head_size)` arrays."""
    scores = query @ key.transpose(0, 1, 3, 2) / math.sqrt(query.shape[-1])
    scores = np.where(hidden_keys, -np.inf, scores)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    return scores @ value


def embedding_sum(weights, inputs):
    """Return the three tables' rows added up, (batch, length, hidden)."""
    token, segment, position = (
        weights[f"embeddings_{name}/embeddings"]
        for name in ("token", "segment", "position")
    )
    ids = inputs["input_ids"]
    return token[ids] + segment[inputs["segment_ids"]] + position[None, : ids.shape[1]]


def forward(weights, config, inputs, layers):
    """Return `embeddings`, `layer_0` …, `sequence_output` and `pooled_output`.

    `layers` has for each layer the names of the blocks that it runs in turn.
    """
    weights = {key: np.asarray(value, "float64") for key, value in weights.items()}

    def dense(x, name):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    def normalize(x, name):
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(variance + config.layer_norm_eps)
        return scaled * weights[f"{name}/gamma"] + weights[f"{name}/beta"]

    def heads(x, name):
        batch, length, _ = x.shape
        split = dense(x, name).reshape(batch, length, config.num_attention_heads, -1)
        return split.transpose(0, 2, 1, 3)

    hidden = normalize(embedding_sum(weights, inputs), "embeddings_layer_norm")
    outputs = {"embeddings": hidden}
    if "embeddings_projection/kernel" in weights:
        hidden = dense(hidden, "embeddings_projection")
    hidden_keys = (inputs["attention_mask"] == 0)[:, None, None, :]

    def block(hidden, name):
        query, key = heads(hidden, f"{name}_query"), heads(hidden, f"{name}_key")
        value = heads(hidden, f"{name}_value")
        mixed = attention(query, key, value, hidden_keys)
        mixed = mixed.transpose(0, 2, 1, 3).reshape(hidden.shape)
        attended = hidden + dense(mixed, f"{name}_attention_output")
        hidden = normalize(attended, f"{name}_attention_layer_norm")
        inner = ACTIVATIONS[config.hidden_act](dense(hidden, f"{name}_intermediate"))
        hidden = hidden + dense(inner, f"{name}_output")
        return normalize(hidden, f"{name}_output_layer_norm")

    for index, names in enumerate(layers):
        for name in names:
            hidden = block(hidden, name)
        outputs[f"layer_{index}"] = hidden
    outputs["sequence_output"] = hidden
    outputs["pooled_output"] = np.tanh(dense(hidden[:, 0], "pooler"))
    return outputs
