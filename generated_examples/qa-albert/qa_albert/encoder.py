"""ALBERT as one functional graph of stock Keras layers.

ALBERT (Lan et al., 2019, https://arxiv.org/abs/1909.11942) is BERT with two savings:
narrow embeddings that one matrix widens, and layers that share their weights:

    hidden = widen(LayerNorm(token + position + segment))
    for each layer:
        for each inner layer of the layer's group:
            hidden = LayerNorm(hidden + attention(hidden))
            hidden = LayerNorm(hidden + feed_forward(hidden))

Here is the whole; transformer.py has the parts. Everything is a stock layer or a
`keras.ops` function, so a saved model loads anywhere with `keras.saving.load_model`
and without this file.
"""

import dataclasses
from typing import ClassVar

import keras
from keras import ops

from .encoder_config import BaseEncoderConfig
from .errors import UserError
from .transformer import (
    Layer,
    dense,
    embed,
    first_token,
    last_layers,
    make_inputs,
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

    @property
    def size(self) -> int:
        """Return the number of weights in tables and matrices."""
        rows = self.vocab_size + self.max_position_embeddings + self.hidden_size
        blocks = self.num_hidden_groups * self.inner_group_num
        return rows * self.embedding_size + blocks * self.block_size

    def group_of(self, layer: int) -> int:
        """Return the group whose weights a layer uses."""
        depth = self.grouped_layers or self.num_hidden_layers
        if self.google_groups:
            return int(layer / depth * self.num_hidden_groups)
        return int(layer / (depth / self.num_hidden_groups))


def shared_layers(config: EncoderConfig) -> dict[int, list[Layer]]:
    """Make each group's inner layers, once."""
    used = {config.group_of(index) for index in range(config.num_hidden_layers)}
    return {
        group: [
            transformer_layer(config, f"group_{group}_inner_{inner}")
            for inner in range(config.inner_group_num)
        ]
        for group in sorted(used)
    }


def build_encoder(
    config: EncoderConfig,
    *,
    return_states: bool = False,
    return_attention_weights: bool = False,
    concatenate_layers: int = 0,
) -> keras.Model:
    """Build ALBERT with random weights.

    Inputs, a dict of int32 `(batch, length)`, length up to
    `max_position_embeddings`: `input_ids`; `segment_ids`, 0 for the first text and
    1 for the second; `attention_mask`, 1 for a token and 0 for padding.

    Outputs, a dict: `sequence_output` (batch, length, hidden) and `pooled_output`
    (batch, hidden); where asked for `hidden_states` (batch, layers, length,
    hidden), the output of each layer; `attention_weights` (batch, layers · inner
    layers, heads, length, length); `last_layers_output` (batch, length, n · hidden),
    the last `concatenate_layers` side by side.

    The attribute `config` is this function's; a model that was saved has none.
    """
    inputs = make_inputs(config)
    # (batch, 1, 1, length): the same keys are hidden from every head and query.
    mask = ops.expand_dims(inputs["attention_mask"], axis=(1, 2))
    hidden = embed(inputs, config.embedding_size, config)
    hidden = dense(config.hidden_size, config, "embeddings_projection")(hidden)
    groups = shared_layers(config)
    states, attention_weights = [], []
    for index in range(config.num_hidden_layers):
        for inner_layer in groups[config.group_of(index)]:
            hidden, weights = inner_layer(hidden, mask)
            attention_weights.append(weights)
        states.append(hidden)
    outputs = {"sequence_output": hidden, "pooled_output": first_token(hidden, config)}
    if return_states:
        outputs["hidden_states"] = ops.stack(states, axis=1)
    if return_attention_weights:
        outputs["attention_weights"] = ops.stack(attention_weights, axis=1)
    if concatenate_layers:
        outputs["last_layers_output"] = last_layers(states, concatenate_layers)
    encoder = keras.Model(inputs, outputs, name="albert")
    encoder.config = config  # for heads that go on as the encoder does
    return encoder
