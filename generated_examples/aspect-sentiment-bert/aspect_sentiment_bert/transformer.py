"""The Transformer layer of BERT and ALBERT, from stock Keras layers and ops.

    hidden = LayerNorm(hidden + attention(hidden))
    hidden = LayerNorm(hidden + feed_forward(hidden))

Each function here makes Keras layers once and returns a function that applies them.
To apply it again is to share the weights: BERT applies each once, ALBERT often.
"""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

if TYPE_CHECKING:
    from .encoder_config import BaseEncoderConfig as Config

Tensor = Any  # a KerasTensor while the graph is built
# From hidden states and mask to hidden states and attention weights.
Layer = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


def gelu(hidden: Tensor) -> Tensor:
    """Return the exact GELU, x Φ(x), of BERT's released weights.

    Spelled with erf: `keras.ops.gelu` is the tanh form by default, off by up to 5e-4,
    and TensorFlow's own op does not survive conversion to ONNX.
    """
    return 0.5 * hidden * (1.0 + ops.erf(hidden / math.sqrt(2.0)))


def gelu_tanh(hidden: Tensor) -> Tensor:
    """Return the tanh approximation of GELU, "gelu_new" in many configs."""
    cubic = hidden + 0.044715 * hidden * hidden * hidden
    return 0.5 * hidden * (1.0 + ops.tanh(math.sqrt(2.0 / math.pi) * cubic))


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "relu": ops.relu,
    "silu": ops.silu,
    "swish": ops.silu,
    "tanh": ops.tanh,
}


def transformer_layer(config: "Config", name: str) -> Layer:
    """Make one layer: hidden states (batch, length, hidden) in and out.

    The mask, (batch, 1, 1, length), is 1 for tokens and 0 for padding. The second
    result are the attention weights, (batch, heads, length, length).
    """
    attend = attention(config, name)
    attention_norm = layer_norm(config, f"{name}_attention_layer_norm")
    expand = feed_forward(config, name)
    output_norm = layer_norm(config, f"{name}_output_layer_norm")

    def apply(hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        attended, weights = attend(hidden, mask)
        hidden = attention_norm(hidden + attended)
        return output_norm(hidden + expand(hidden)), weights

    return apply


def feed_forward(config: "Config", name: str) -> Callable[[Tensor], Tensor]:
    """Make two Dense layers, wide and back: (batch, length, hidden) in and out."""
    intermediate = dense(config.intermediate_size, config, f"{name}_intermediate")
    activation = ACTIVATIONS[config.hidden_act]
    output = dense(config.hidden_size, config, f"{name}_output")
    output_dropout = dropout(config.hidden_dropout_prob, f"{name}_output_dropout")

    def apply(hidden: Tensor) -> Tensor:
        expanded = activation(intermediate(hidden))  # (batch, length, intermediate)
        return output_dropout(output(expanded))

    return apply


def attention(config: "Config", name: str) -> Layer:
    """Make multi-head self-attention, (batch, length, hidden) in and out."""
    heads, width = config.num_attention_heads, config.hidden_size
    head_size = width // heads
    parts = {
        part: dense(width, config, f"{name}_{part}")
        for part in ("query", "key", "value")
    }
    # Computed in float32 also under mixed precision.
    softmax = layers.Softmax(dtype=full_precision(), name=f"{name}_attention_softmax")
    weights_dropout = dropout(
        config.attention_probs_dropout_prob, f"{name}_attention_weights_dropout"
    )
    output = dense(width, config, f"{name}_attention_output")
    output_dropout = dropout(
        config.hidden_dropout_prob, f"{name}_attention_output_dropout"
    )
    split, join = layers.Reshape((-1, heads, head_size)), layers.Reshape((-1, width))

    def split_heads(part: str, hidden: Tensor) -> Tensor:
        vectors = split(parts[part](hidden))  # (batch, length, heads, head_size)
        return ops.transpose(vectors, (0, 2, 1, 3))  # (batch, heads, length, head_size)

    def apply(hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        query, key = split_heads("query", hidden), split_heads("key", hidden)
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        # (batch, heads, query length, key length)
        weights = softmax(scores / math.sqrt(head_size), mask=mask)
        mixed = ops.matmul(weights_dropout(weights), split_heads("value", hidden))
        mixed = ops.transpose(mixed, (0, 2, 1, 3))
        return output_dropout(output(join(mixed))), weights

    return apply


def make_inputs(config: "Config") -> dict[str, Tensor]:
    """Return the encoder's inputs by name, int32 (batch, length)."""
    shapes = {name: (None,) for name in ("input_ids", "segment_ids", "attention_mask")}
    if config.num_tasks:
        shapes["task_ids"] = (1,)
    return {
        name: keras.Input(shape, dtype="int32", name=name)
        for name, shape in shapes.items()
    }


def embed(
    inputs: dict[str, Tensor],
    width: int,
    config: "Config",
    tokens: Tensor | None = None,
) -> Tensor:
    """Return the sum of learned tables' rows, normalized: (batch, length, width).

    `tokens` takes the place of the tokens' rows where those are made in another way.
    """
    ids = inputs["input_ids"]
    if tokens is None:
        tokens = table("token", config.vocab_size, width, config)(ids)
    # 0, 1, 2, … along each row; a running sum works while the length is unknown.
    positions = ops.cumsum(ops.ones_like(ids), axis=1) - 1
    tables = [
        ("position", config.max_position_embeddings, positions),
        ("segment", config.type_vocab_size, inputs["segment_ids"]),
    ]
    if config.num_tasks:
        tables.append(("task", config.num_tasks, inputs["task_ids"]))
    hidden = tokens
    for name, rows, indices in tables:
        hidden = hidden + table(name, rows, width, config)(indices)
    hidden = layer_norm(config, "embeddings_layer_norm")(hidden)
    return dropout(config.hidden_dropout_prob, "embeddings_dropout")(hidden)


def table(name: str, rows: int, width: int, config: "Config") -> layers.Embedding:
    """Return a learned table, a vector for each index: int32 in, (…, width) out.

    That of tokens can be applied in reverse, `layer(vectors, reverse=True)`: it then
    scores each token for each vector, in full precision, with the same weights.
    """
    settings = {"embeddings_initializer": initializer(config)}
    settings["name"] = f"embeddings_{name}"
    if name != "token":
        return layers.Embedding(rows, width, **settings)
    return layers.ReversibleEmbedding(
        rows, width, reverse_dtype=full_precision(), **settings
    )


def first_token(hidden: Tensor, config: "Config") -> Tensor:
    """Return the vector of the first token, [CLS], for the whole text.

    It goes through one more layer, "pooler": (batch, hidden).
    """
    pooler = dense(config.hidden_size, config, "pooler", activation="tanh")
    return pooler(ops.take(hidden, 0, axis=1))


def side_by_side(states: list[Tensor], chosen: int | Sequence[int]) -> Tensor:
    """Return the last so many layers, or those with the numbers given, as one tensor.

    `states` are the embeddings and each layer's output, so number 0 is the embeddings
    and -1 the last layer: (batch, length, layers · hidden), in the order given.
    """
    if isinstance(chosen, int):
        chosen = range(-chosen, 0)
    parts = [states[number] for number in chosen]
    return layers.Concatenate(axis=-1)(parts) if len(parts) > 1 else parts[0]


def dense(
    units: int, config: "Config", name: str, activation: str | None = None
) -> layers.Dense:
    """Return a Dense layer with BERT's initialization."""
    return layers.Dense(
        units, activation, kernel_initializer=initializer(config), name=name
    )


def layer_norm(config: "Config", name: str) -> layers.LayerNormalization:
    """Return a LayerNormalization layer; Keras computes it in float32 at least."""
    return layers.LayerNormalization(epsilon=config.layer_norm_eps, name=name)


def dropout(rate: float, name: str) -> layers.Dropout:
    """Return a Dropout layer; it does nothing outside training."""
    return layers.Dropout(rate, name=name)


def initializer(config: "Config") -> keras.initializers.Initializer:
    """Return the normal distribution cut at two standard deviations, as in BERT."""
    return keras.initializers.TruncatedNormal(stddev=config.initializer_range)


def full_precision() -> str:
    """Return the dtype of the variables: float32 also under mixed precision."""
    return keras.config.dtype_policy().variable_dtype
