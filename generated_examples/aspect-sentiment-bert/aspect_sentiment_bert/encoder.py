"""BERT as one functional graph of stock Keras layers.

BERT (Devlin et al., 2018, https://arxiv.org/abs/1810.04805) reads a sequence of
word pieces and gives each of them a vector that depends on all the others:

    embeddings = LayerNorm(token + position + segment)
    for each layer:
        hidden = LayerNorm(hidden + attention(hidden))
        hidden = LayerNorm(hidden + feed_forward(hidden))

Here is the whole; transformer.py has the parts. Everything is a stock layer or a
`keras.ops` function, so a saved model loads anywhere with `keras.saving.load_model`
and without this file.
"""

import dataclasses
from collections.abc import Sequence
from typing import ClassVar

import keras
from keras import ops

from .encoder_config import BaseEncoderConfig
from .transformer import (
    embed,
    first_token,
    make_inputs,
    side_by_side,
    transformer_layer,
)


@dataclasses.dataclass(frozen=True)
class EncoderConfig(BaseEncoderConfig):
    """Sizes of BERT; encoder_config.py has the fields."""

    model_type: ClassVar[str] = "bert"
    # What the released weights were made with: the task beside masked words, and how
    # many words were masked side by side at the most.
    sentence_order: ClassVar[str] = "nsp"
    max_ngram: ClassVar[int] = 1

    @property
    def size(self) -> int:
        """Return the number of weights in tables and matrices."""
        rows = self.vocab_size + self.max_position_embeddings
        return rows * self.hidden_size + self.num_hidden_layers * self.block_size


def build_encoder(
    config: EncoderConfig,
    *,
    return_states: bool = False,
    return_attention_weights: bool = False,
    concatenate_layers: int | Sequence[int] = 0,
) -> keras.Model:
    """Build BERT with random weights.

    Inputs, a dict of int32 `(batch, length)`, length up to
    `max_position_embeddings`: `input_ids`; `segment_ids`, 0 for the first text and
    1 for the second; `attention_mask`, 1 for a token and 0 for padding.

    Outputs, a dict: `sequence_output` (batch, length, hidden) and `pooled_output`
    (batch, hidden); where asked for `hidden_states` (batch, layers, length,
    hidden), the output of each layer; `attention_weights` (batch, layers, heads,
    length, length); `last_layers_output` (batch, length, n · hidden), the last
    `concatenate_layers` side by side, or those numbered so, 0 the embeddings.

    The attribute `config` is this function's; a model that was saved has none.
    """
    inputs = make_inputs(config)
    # (batch, 1, 1, length): the same keys are hidden from every head and query.
    mask = ops.expand_dims(inputs["attention_mask"], axis=(1, 2))
    hidden = embed(inputs, config.hidden_size, config)
    states, attention_weights = [hidden], []
    for index in range(config.num_hidden_layers):
        hidden, weights = transformer_layer(config, f"layer_{index}")(hidden, mask)
        states.append(hidden)
        attention_weights.append(weights)
    outputs = {"sequence_output": hidden, "pooled_output": first_token(hidden, config)}
    if return_states:
        outputs["hidden_states"] = ops.stack(states[1:], axis=1)
    if return_attention_weights:
        outputs["attention_weights"] = ops.stack(attention_weights, axis=1)
    if concatenate_layers:
        outputs["last_layers_output"] = side_by_side(states, concatenate_layers)
    encoder = keras.Model(inputs, outputs, name="bert")
    encoder.config = config  # for heads that go on as the encoder does
    return encoder
