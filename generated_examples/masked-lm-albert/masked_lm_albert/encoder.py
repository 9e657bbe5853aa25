"""ALBERT as one functional graph of stock Keras layers.

ALBERT (Lan et al., 2019, https://arxiv.org/abs/1909.11942) is BERT with two savings:
narrow embeddings that one matrix widens, and layers that share their weights:

    hidden = widen(LayerNorm(token + position + segment))
    for each layer:
        for each inner layer of the layer's group:
            hidden = LayerNorm(hidden + attention(hidden))
            hidden = LayerNorm(hidden + feed_forward(hidden))

The first Chinese ALBERTs, brightmart's albert_zh, differ in two places, which two
settings stand for: `wide_embeddings` (embed_wide below) and `ln_type` (pre_norm_layer).

Here is the whole; transformer.py has the parts. Everything is a stock layer or a
`keras.ops` function, so a saved model loads anywhere with `keras.saving.load_model`
and without this file.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import keras
from keras import layers, ops

from .encoder_config import BaseEncoderConfig
from .errors import UserError
from .transformer import (
    Layer,
    Tensor,
    attention,
    dense,
    embed,
    feed_forward,
    first_token,
    initializer,
    layer_norm,
    make_inputs,
    side_by_side,
    table,
    transformer_layer,
)


@dataclasses.dataclass(frozen=True)
class EncoderConfig(BaseEncoderConfig):
    """Sizes of ALBERT; encoder_config.py has the fields it shares with BERT."""

    model_type: ClassVar[str] = "albert"
    # What the released weights were made with: the task beside masked words, and how
    # many words were masked side by side at the most.
    sentence_order: ClassVar[str] = "sop"
    max_ngram: ClassVar[int] = 3

    hidden_act: str = "gelu_new"  # Google's code computes GELU with tanh
    hidden_dropout_prob: float = 0.0  # as in ALBERT v2: it never overfitted
    attention_probs_dropout_prob: float = 0.0
    embedding_size: int = 128
    num_hidden_groups: int = 1  # sets of weights; layers are dealt out among them
    inner_group_num: int = 1  # layers that a group runs one after the other
    # Google's formula rounds otherwise for a few depths, such as 22 layers in 22
    # groups; set when one of its checkpoints is loaded.
    google_groups: bool = False
    grouped_layers: int = 0  # depth that groups were dealt out for; 0: all layers
    # Set when a checkpoint in albert_zh's own layout is loaded: token vectors are
    # widened before, not after, those of position and segment are added.
    wide_embeddings: bool = False
    ln_type: str = "postln"  # "preln": LayerNorm before attention and feed-forward

    def __post_init__(self) -> None:
        """Check the fields that BERT does not have."""
        super().__post_init__()
        depth = self.grouped_layers or self.num_hidden_layers
        if self.num_hidden_groups > depth:
            raise UserError(
                f"{self.num_hidden_groups} groups for {depth} layers",
                "each group of shared weights serves one layer at the least",
                "correct num_hidden_groups or num_hidden_layers in the config",
            )
        if self.ln_type not in ("postln", "preln"):
            raise UserError(
                f"the encoder's ln_type is {self.ln_type!r}",
                'LayerNorm comes after a block, "postln", or before it, "preln"',
                "correct the field in the encoder's config",
            )

    @property
    def size(self) -> int:
        """Return the number of weights in tables and matrices."""
        width = self.hidden_size if self.wide_embeddings else self.embedding_size
        rows = self.vocab_size + self.hidden_size
        tables = rows * self.embedding_size + self.max_position_embeddings * width
        blocks = self.num_hidden_groups * self.inner_group_num
        return tables + blocks * self.block_size

    def group_of(self, layer: int) -> int:
        """Return the group whose weights a layer uses."""
        depth = self.grouped_layers or self.num_hidden_layers
        if self.google_groups:
            return int(layer / depth * self.num_hidden_groups)
        return int(layer / (depth / self.num_hidden_groups))


def embed_and_widen(inputs: dict[str, Tensor], config: EncoderConfig) -> Tensor:
    """Return narrow embeddings, widened by one matrix: (batch, length, hidden)."""
    if config.wide_embeddings:
        return embed_wide(inputs, config)
    hidden = embed(inputs, config.embedding_size, config)
    return dense(config.hidden_size, config, "embeddings_projection")(hidden)


def embed_wide(inputs: dict[str, Tensor], config: EncoderConfig) -> Tensor:
    """Widen the token vectors, then add tables as wide as the rest, and normalize.

    The other way round in ALBERT. The matrix has no bias: (batch, length, hidden).
    """
    tokens = table("token", config.vocab_size, config.embedding_size, config)
    widen = layers.Dense(
        config.hidden_size,
        use_bias=False,
        kernel_initializer=initializer(config),
        name="embeddings_projection",
    )
    return embed(inputs, config.hidden_size, config, widen(tokens(inputs["input_ids"])))


def pre_norm_layer(config: EncoderConfig, name: str) -> Layer:
    """Make a layer like `transformer_layer` with LayerNorm in front of its blocks.

    So in albert_zh with `ln_type` "preln". What is added up is never normalized: after
    the last layer comes no LayerNorm either.
    """
    attend = attention(config, name)
    attention_norm = layer_norm(config, f"{name}_attention_layer_norm")
    expand = feed_forward(config, name)
    output_norm = layer_norm(config, f"{name}_output_layer_norm")

    def apply(hidden: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        attended, weights = attend(attention_norm(hidden), mask)
        hidden = hidden + attended
        return hidden + expand(output_norm(hidden)), weights

    return apply


def shared_layers(config: EncoderConfig) -> dict[int, list[Layer]]:
    """Make each group's inner layers, once."""
    make_layer = pre_norm_layer if config.ln_type == "preln" else transformer_layer
    used = {config.group_of(index) for index in range(config.num_hidden_layers)}
    return {
        group: [
            make_layer(config, f"group_{group}_inner_{inner}")
            for inner in range(config.inner_group_num)
        ]
        for group in sorted(used)
    }


def build_encoder(
    config: EncoderConfig,
    *,
    return_states: bool = False,
    return_attention_weights: bool = False,
    concatenate_layers: int | Sequence[int] = 0,
) -> keras.Model:
    """Build ALBERT with random weights.

    Inputs, a dict of int32 `(batch, length)`, length up to
    `max_position_embeddings`: `input_ids`; `segment_ids`, 0 for the first text and
    1 for the second; `attention_mask`, 1 for a token and 0 for padding.

    Outputs, a dict: `sequence_output` (batch, length, hidden), `pooled_output` (batch,
    hidden); where asked for `hidden_states` (batch, layers, length, hidden), of each
    layer; `attention_weights` (batch, layers · inner layers, heads, length, length);
    `last_layers_output` (batch, length, n · hidden), the last n or those numbered so, 0
    the embeddings. The attribute `config` is this function's; a saved model has none.
    """
    inputs = make_inputs(config)
    # (batch, 1, 1, length): the same keys are hidden from every head and query.
    mask = ops.expand_dims(inputs["attention_mask"], axis=(1, 2))
    hidden = embed_and_widen(inputs, config)
    groups = shared_layers(config)
    states, attention_weights = [hidden], []
    for index in range(config.num_hidden_layers):
        for inner_layer in groups[config.group_of(index)]:
            hidden, weights = inner_layer(hidden, mask)
            attention_weights.append(weights)
        states.append(hidden)
    outputs = {"sequence_output": hidden, "pooled_output": first_token(hidden, config)}
    if return_states:
        outputs["hidden_states"] = ops.stack(states[1:], axis=1)
    if return_attention_weights:
        outputs["attention_weights"] = ops.stack(attention_weights, axis=1)
    if concatenate_layers:
        outputs["last_layers_output"] = side_by_side(states, concatenate_layers)
    encoder = keras.Model(inputs, outputs, name="albert")
    encoder.config = config  # for heads that go on as the encoder does
    return encoder
