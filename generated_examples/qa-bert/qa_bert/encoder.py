"""BERT as one functional graph of stock Keras layers.

BERT (Devlin et al., 2018, https://arxiv.org/abs/1810.04805) reads a sequence of
word pieces and gives each of them a vector that depends on all the others:

    embeddings = LayerNorm(token + position + segment)
    for each layer:
        hidden = LayerNorm(hidden + attention(hidden))
        hidden = LayerNorm(hidden + feed_forward(hidden))

Everything is a stock layer or a `keras.ops` function, so a saved model loads
anywhere with `keras.saving.load_model` and without this file.
"""

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from .errors import UserError


@dataclasses.dataclass(frozen=True)
class EncoderConfig:
    """Sizes of the encoder, under the names of the checkpoints' own JSON files.

    Defaults are BERT's where a file may leave a field out; sizes have none.
    """

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12  # not Keras' 1e-3: rows of small variance differ

    def __post_init__(self) -> None:
        """Check what Keras would report only deep inside the graph."""
        if self.hidden_size % self.num_attention_heads:
            raise UserError(
                f"hidden_size {self.hidden_size} cannot be split into "
                f"{self.num_attention_heads} attention heads",
                "each head takes an equal share of the hidden size",
                "correct hidden_size or num_attention_heads in the encoder's config",
            )
        if self.hidden_act not in ACTIVATIONS:
            raise UserError(
                f'unknown hidden_act "{self.hidden_act}"',
                f"this encoder knows {', '.join(ACTIVATIONS)}",
                "correct the config, or add the function to ACTIVATIONS in encoder.py",
            )

    @classmethod
    def small(cls, vocab_size: int) -> "EncoderConfig":
        """Return sizes that train from random weights in minutes on a laptop."""
        return cls(vocab_size, 128, 2, 4, 512)

    @classmethod
    def from_json(cls, path: str | Path, **overrides: Any) -> "EncoderConfig":
        """Read a checkpoint's `config.json` or `bert_config.json`.

        Unknown fields are ignored; `overrides` replace fields of the file. Raises
        UserError for a file that cannot be read or lacks a size.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(
                f"cannot read the encoder's config {path}",
                str(error),
                "give the config.json or bert_config.json of the checkpoint",
            ) from error
        names = {field.name for field in dataclasses.fields(cls)}
        values = {**values, **overrides} if isinstance(values, dict) else overrides
        values = {name: value for name, value in values.items() if name in names}
        try:
            return cls(**values)
        except TypeError as error:
            raise UserError(
                f"the config {path} does not describe a BERT encoder",
                str(error).replace(f"{cls.__name__}.__init__() ", ""),
                "add the field to the file, or give the config of a BERT checkpoint",
            ) from error

    def to_json(self) -> str:
        """Return the config as JSON text that `from_json` and others read."""
        return json.dumps({"model_type": "bert", **dataclasses.asdict(self)}, indent=2)


def gelu(hidden):
    """Return the exact GELU, x Φ(x), of BERT's released weights.

    Spelled with erf: `keras.ops.gelu` is the tanh form by default, off by up to 5e-4,
    and TensorFlow's own op does not survive conversion to ONNX.
    """
    return 0.5 * hidden * (1.0 + ops.erf(hidden / math.sqrt(2.0)))


def gelu_tanh(hidden):
    """Return the tanh approximation of GELU, "gelu_new" in many configs."""
    cubic = hidden + 0.044715 * hidden * hidden * hidden
    return 0.5 * hidden * (1.0 + ops.tanh(math.sqrt(2.0 / math.pi) * cubic))


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": gelu_tanh,
    "gelu_pytorch_tanh": gelu_tanh,
    "relu": ops.relu,
    "silu": ops.silu,
    "swish": ops.silu,
    "tanh": ops.tanh,
}


def build_encoder(
    config: EncoderConfig,
    *,
    return_states: bool = False,
    return_attention_weights: bool = False,
) -> keras.Model:
    """Build BERT with random weights.

    Inputs, a dict of int32 `(batch, length)`, length up to
    `max_position_embeddings`: `input_ids`; `segment_ids`, 0 for the first text and
    1 for the second; `attention_mask`, 1 for a token and 0 for padding.

    Outputs, a dict: `sequence_output` (batch, length, hidden) and `pooled_output`
    (batch, hidden); where asked for `hidden_states` (batch, layers, length,
    hidden), the output of each layer, and `attention_weights` (batch, layers,
    heads, length, length).
    """
    names = ("input_ids", "segment_ids", "attention_mask")
    inputs = {name: keras.Input((None,), dtype="int32", name=name) for name in names}
    # (batch, 1, 1, length): the same keys are hidden from every head and query.
    mask = ops.expand_dims(inputs["attention_mask"], axis=(1, 2))
    hidden = embed(inputs["input_ids"], inputs["segment_ids"], config)
    states, attention_weights = [], []
    for index in range(config.num_hidden_layers):
        hidden, weights = transformer_layer(hidden, mask, config, f"layer_{index}")
        states.append(hidden)
        attention_weights.append(weights)
    pooler = dense(config.hidden_size, config, "pooler", activation="tanh")
    outputs = {
        "sequence_output": hidden,
        # The first token, [CLS], stands for the whole sequence.
        "pooled_output": pooler(ops.take(hidden, 0, axis=1)),
    }
    if return_states:
        outputs["hidden_states"] = ops.stack(states, axis=1)
    if return_attention_weights:
        outputs["attention_weights"] = ops.stack(attention_weights, axis=1)
    return keras.Model(inputs, outputs, name="bert")


def embed(input_ids, segment_ids, config: EncoderConfig):
    """Return the sum of three learned tables, normalized: (batch, length, hidden)."""
    # 0, 1, 2, … along each row; a running sum works while the length is unknown.
    positions = ops.cumsum(ops.ones_like(input_ids), axis=1) - 1
    tables = (
        ("token", config.vocab_size, input_ids),
        ("position", config.max_position_embeddings, positions),
        ("segment", config.type_vocab_size, segment_ids),
    )
    vectors = [
        layers.Embedding(
            rows, config.hidden_size, initializer(config), name=f"embeddings_{name}"
        )(indices)
        for name, rows, indices in tables
    ]
    hidden = layers.Add(name="embeddings_add")(vectors)
    hidden = layer_norm(config, "embeddings_layer_norm")(hidden)
    return dropout(config.hidden_dropout_prob, "embeddings_dropout")(hidden)


def transformer_layer(hidden, mask, config: EncoderConfig, name: str):
    """Return one layer's output (batch, length, hidden) and its attention weights."""
    attended, weights = attention(hidden, mask, config, name)
    hidden = layers.Add(name=f"{name}_attention_add")([hidden, attended])
    hidden = layer_norm(config, f"{name}_attention_layer_norm")(hidden)

    expanded = dense(config.intermediate_size, config, f"{name}_intermediate")(hidden)
    expanded = ACTIVATIONS[config.hidden_act](expanded)
    output = dense(config.hidden_size, config, f"{name}_output")(expanded)
    output = dropout(config.hidden_dropout_prob, f"{name}_output_dropout")(output)
    output = layers.Add(name=f"{name}_output_add")([hidden, output])
    return layer_norm(config, f"{name}_output_layer_norm")(output), weights


def attention(hidden, mask, config: EncoderConfig, name: str):
    """Return multi-head self-attention (batch, length, hidden) and its weights."""
    heads = config.num_attention_heads
    head_size = config.hidden_size // heads

    def split_heads(part: str):
        vectors = dense(config.hidden_size, config, f"{name}_{part}")(hidden)
        vectors = layers.Reshape((-1, heads, head_size))(vectors)
        return ops.transpose(vectors, (0, 2, 1, 3))  # (batch, heads, length, head_size)

    query, key, value = split_heads("query"), split_heads("key"), split_heads("value")
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / math.sqrt(head_size)
    # (batch, heads, query length, key length); float32 also under mixed precision.
    softmax = layers.Softmax(dtype=full_precision(), name=f"{name}_attention_softmax")
    weights = softmax(scores, mask=mask)
    rate = config.attention_probs_dropout_prob
    dropped = dropout(rate, f"{name}_attention_weights_dropout")(weights)
    mixed = ops.transpose(ops.matmul(dropped, value), (0, 2, 1, 3))
    mixed = layers.Reshape((-1, config.hidden_size))(mixed)
    output = dense(config.hidden_size, config, f"{name}_attention_output")(mixed)
    rate = config.hidden_dropout_prob
    return dropout(rate, f"{name}_attention_output_dropout")(output), weights


def dense(units: int, config: EncoderConfig, name: str, activation: str | None = None):
    """Return a Dense layer with BERT's initialization."""
    return layers.Dense(
        units, activation, kernel_initializer=initializer(config), name=name
    )


def layer_norm(config: EncoderConfig, name: str):
    """Return a LayerNormalization layer; Keras computes it in float32 at least."""
    return layers.LayerNormalization(epsilon=config.layer_norm_eps, name=name)


def dropout(rate: float, name: str):
    """Return a Dropout layer; it does nothing outside training."""
    return layers.Dropout(rate, name=name)


def initializer(config: EncoderConfig):
    """Return the normal distribution cut at two standard deviations, as in BERT."""
    return keras.initializers.TruncatedNormal(stddev=config.initializer_range)


def full_precision() -> str:
    """Return the dtype of the variables: float32 also under mixed precision."""
    return keras.config.dtype_policy().variable_dtype
