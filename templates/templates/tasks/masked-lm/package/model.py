"""The pretraining heads on the encoder, BERT's and ALBERT's, and their loss."""

from typing import Any

import keras
from keras import layers, ops

from .config import TrainConfig
from .encoder import EncoderConfig
from .transformer import ACTIVATIONS, Tensor, dense, full_precision, layer_norm

HUGGING_FACE_TASK = "ForPreTraining"  # transformers' name of the same heads
# A target that does not count: padding among the masked positions, or no second part.
IGNORED = -1


def encoder_options(config: TrainConfig) -> dict[str, Any]:
    """Return what `build_encoder` is asked for beside its last layer: nothing."""
    return {}


def build_model(encoder: keras.Model, config: TrainConfig) -> keras.Model:
    """Return a model that scores tokens for masked positions, and the order of parts.

    Inputs are the encoder's and `masked_positions` (batch, n), int32: places in the
    row, 0 where a row has fewer. Outputs are logits, float32: `mlm` (batch, n, vocab)
    and `order` (batch, 2), where 1 means that the second part does not follow the
    first: it is another's (BERT), or the two are swapped (ALBERT).
    """
    positions = keras.Input((None,), dtype="int32", name="masked_positions")
    hidden = pick(encoder.output["sequence_output"], positions)
    logits = token_logits(hidden, encoder)
    order = layers.Dense(
        2,
        kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
        dtype=full_precision(),
        name="sentence_order_head",
    )(encoder.output["pooled_output"])
    outputs = {
        "mlm": layers.Identity(name="mlm", dtype=logits.dtype)(logits),
        "order": layers.Identity(name="order", dtype=order.dtype)(order),
    }
    inputs = {**encoder.input, "masked_positions": positions}
    return keras.Model(inputs, outputs, name="masked_lm")


def pick(hidden: Tensor, positions: Tensor) -> Tensor:
    """Return the vectors at some positions of each row: (batch, n, hidden).

    A matrix of zeros and ones picks them: exact, and four times as fast as
    `keras.ops.take_along_axis` with its gradient.
    """
    places = ops.cumsum(ops.ones_like(hidden[:, :, 0], dtype="int32"), axis=1) - 1
    chosen = ops.equal(ops.expand_dims(positions, 2), ops.expand_dims(places, 1))
    return ops.matmul(ops.cast(chosen, hidden.dtype), hidden)


def token_logits(hidden: Tensor, encoder: keras.Model) -> Tensor:
    """Return a score for each token of the vocabulary: (batch, n, vocab).

    The table of token embeddings is the output's matrix too: one variable.
    """
    table = encoder.get_layer("embeddings_token")
    transformed = dense(table.output_dim, encoder.config, "mlm_transform")(hidden)
    transformed = ACTIVATIONS[encoder.config.hidden_act](transformed)
    transformed = layer_norm(encoder.config, "mlm_layer_norm")(transformed)
    logits = table(transformed, reverse=True)
    # Stock Keras has no layer that is a bias alone. Of zeros, this one gives its beta.
    bias = layers.LayerNormalization(
        scale=False, dtype=full_precision(), name="mlm_bias"
    )
    return logits + bias(ops.zeros_like(logits[:1, :1]))


def compile_model(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: TrainConfig
) -> None:
    """Give the model its loss: both cross-entropies, each a mean over what counts.

    The outputs are logits, so `from_logits` must be said: Keras assumes
    probabilities and would train on nonsense without a word.
    """
    model.compile(
        optimizer,
        loss={
            name: keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, ignore_class=IGNORED
            )
            for name in ("mlm", "order")
        },
        # XLA would compile anew for each length; JAX has no other way to be fast.
        jit_compile=keras.config.backend() == "jax",
    )
    # Makes the losses' means, or TensorFlow would trace the first step twice.
    model.compute_loss(
        y={"mlm": ops.zeros((1, 1), "int32"), "order": ops.zeros((1,), "int32")},
        y_pred={"mlm": ops.zeros((1, 1, 2)), "order": ops.zeros((1, 2))},
        training=False,
    )


def serving_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return the model as it is served: its caller says which positions to fill."""
    return model


def hugging_face_model(model: keras.Model, config: TrainConfig) -> keras.Model:
    """Return what a Hugging Face folder holds: all of the model."""
    return model


def hugging_face_config(config: TrainConfig) -> dict[str, Any]:
    """Return what transformers' config.json says of the head."""
    return {}


def hugging_face_files(
    model: keras.Model, encoder_config: EncoderConfig, config: TrainConfig
) -> dict[str, bytes]:
    """Return further files of such a folder by their path in it; here none."""
    return {}
