"""The encoder in plain NumPy and float64: what it must compute, step by step.

Written from the paper and from the formulas of Google's modeling.py, not from the
Keras graph, so that a mistake there does not come back here.
"""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=["float64"])


def randomize(variables, seed, scale=0.4):
    """Give a model's variables large random weights, and return them by their names.

    Small ones hide mistakes; and with factors around 0 in its normalizations, in the
    place of 1, a model forgets what it was given.
    """
    random = np.random.default_rng(seed)
    weights = {}
    for key, variable in variables.items():
        weights[key] = random.normal(0, scale, variable.shape) + key.endswith("gamma")
        variable.assign(weights[key])
    return weights


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


class Encoder:
    """The layers of an encoder with these weights, applied by name."""

    def __init__(self, weights, config):
        self.weights = {key: np.asarray(v, "float64") for key, v in weights.items()}
        self.config = config

    def dense(self, x, name):
        """Return x W + b."""
        return x @ self.weights[f"{name}/kernel"] + self.weights[f"{name}/bias"]

    def normalize(self, x, name):
        """Return x with mean 0 and variance 1 along the last axis, scaled."""
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred**2).mean(axis=-1, keepdims=True)
        scaled = centred / np.sqrt(variance + self.config.layer_norm_eps)
        return scaled * self.weights[f"{name}/gamma"] + self.weights[f"{name}/beta"]

    def heads(self, x, name):
        """Return a projection as (batch, heads, length, head_size)."""
        batch, length, _ = x.shape
        parts = (batch, length, self.config.num_attention_heads, -1)
        return self.dense(x, name).reshape(parts).transpose(0, 2, 1, 3)

    def block(self, hidden, name, hidden_keys):
        """Return one layer's output."""
        parts = (self.heads(hidden, f"{name}_{p}") for p in ("query", "key", "value"))
        mixed = attention(*parts, hidden_keys)
        mixed = mixed.transpose(0, 2, 1, 3).reshape(hidden.shape)
        attended = hidden + self.dense(mixed, f"{name}_attention_output")
        hidden = self.normalize(attended, f"{name}_attention_layer_norm")
        activation = ACTIVATIONS[self.config.hidden_act]
        inner = activation(self.dense(hidden, f"{name}_intermediate"))
        hidden = hidden + self.dense(inner, f"{name}_output")
        return self.normalize(hidden, f"{name}_output_layer_norm")


def forward(weights, config, inputs, layers):
    """Return `embeddings`, `layer_0` …, `sequence_output` and `pooled_output`.

    `layers` has for each layer the names of the blocks that it runs in turn.
    """
    encoder = Encoder(weights, config)
    hidden = embedding_sum(encoder.weights, inputs)
    hidden = encoder.normalize(hidden, "embeddings_layer_norm")
    outputs = {"embeddings": hidden}
    if "embeddings_projection/kernel" in weights:
        hidden = encoder.dense(hidden, "embeddings_projection")
    hidden_keys = (inputs["attention_mask"] == 0)[:, None, None, :]
    for index, names in enumerate(layers):
        for name in names:
            hidden = encoder.block(hidden, name, hidden_keys)
        outputs[f"layer_{index}"] = hidden
    outputs["sequence_output"] = hidden
    outputs["pooled_output"] = np.tanh(encoder.dense(hidden[:, 0], "pooler"))
    return outputs
