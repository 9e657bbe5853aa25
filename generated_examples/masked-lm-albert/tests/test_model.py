"""The heads: computed again in NumPy, tied to the table, with the right loss."""

import keras
import numpy as np
import pytest

import reference
import released
from masked_lm_albert.checkpoints import (
    model_variables,
)
from masked_lm_albert.config import TrainConfig
from masked_lm_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from masked_lm_albert.model import (
    IGNORED,
    build_model,
    compile_model,
)

SIZES = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "max_position_embeddings": 16,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    **released.SIZES,
}


def make_model(**settings):
    """Return a small compiled model with large weights."""
    return make_both(**settings)[1]


def make_both(**settings):
    """Return the encoder too, of which the model is made."""
    encoder = build_encoder(EncoderConfig(**{**SIZES, **settings}))
    model = build_model(encoder, TrainConfig())
    reference.randomize(model_variables(model), seed=1, scale=0.3)
    compile_model(model, keras.optimizers.Adam(1e-2), TrainConfig())
    model.optimizer.build(model.trainable_variables)
    return encoder, model


def make_batch():
    """Return two rows of different lengths with their targets."""
    random = np.random.default_rng(0)
    ids = random.integers(1, 50, (2, 12)).astype("int32")
    mask = np.ones((2, 12), "int32")
    mask[1, 7:] = 0
    inputs = {
        "input_ids": ids,
        "segment_ids": (np.arange(12) > 4).astype("int32") * mask,
        "attention_mask": mask,
        "masked_positions": np.array([[2, 3, 10], [5, 0, 0]], "int32"),
    }
    mlm = np.array([[7, 49, 0], [21, IGNORED, IGNORED]], "int32")
    return inputs, {"mlm": mlm, "order": np.array([1, 0], "int32")}


def log_softmax(logits):
    """Return log-probabilities along the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu"])
def test_logits(activation):
    """The logits are those of the formulas, with the encoder's activation."""
    encoder, model = make_both(hidden_act=activation, layer_norm_eps=1e-2)
    inputs, _ = make_batch()
    layer = {key: np.array(v, "float64") for key, v in model_variables(model).items()}
    hidden = encoder({name: inputs[name] for name in encoder.input})["sequence_output"]
    hidden = np.asarray(hidden, "float64")
    picked = np.take_along_axis(hidden, inputs["masked_positions"][..., None], axis=1)
    x = picked @ layer["mlm_transform/kernel"] + layer["mlm_transform/bias"]
    x = reference.ACTIVATIONS[activation](x)
    x = x - x.mean(-1, keepdims=True)
    x = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-2)
    x = x * layer["mlm_layer_norm/gamma"] + layer["mlm_layer_norm/beta"]
    expected = x @ layer["embeddings_token/embeddings"].T + layer["mlm_bias/beta"]
    outputs = model.predict_on_batch(inputs)
    np.testing.assert_allclose(outputs["mlm"], expected, atol=1e-4)
    first = np.tanh(hidden[:, 0] @ layer["pooler/kernel"] + layer["pooler/bias"])
    head = "sentence_order_head"
    expected = first @ layer[f"{head}/kernel"] + layer[f"{head}/bias"]
    np.testing.assert_allclose(outputs["order"], expected, atol=1e-4)


def test_table_is_shared():
    """A change of one token's vector changes the token's score, and nothing is copied.

    Only the table and the bias have an entry for each token.
    """
    model = make_model()
    inputs, _ = make_batch()
    inputs["input_ids"] %= 40  # token 45 does not occur
    before = model.predict_on_batch(inputs)["mlm"]
    table = model.get_layer("embeddings_token").embeddings
    changed = np.array(table)
    changed[45] *= 3
    table.assign(changed)
    after = model.predict_on_batch(inputs)["mlm"]
    bias = np.array(model.get_layer("mlm_bias").weights[0])[45]
    np.testing.assert_allclose(
        after[..., 45] - bias, 3 * (before[..., 45] - bias), atol=1e-4
    )
    np.testing.assert_allclose(
        np.delete(after, 45, -1), np.delete(before, 45, -1), atol=1e-5
    )
    sized = [key for key, v in model_variables(model).items() if v.shape[0] == 50]
    assert sized == ["embeddings_token/embeddings", "mlm_bias/beta"]


def test_bias_learns_from_zero():
    """The bias begins with zeros and is trained."""
    model = build_model(build_encoder(EncoderConfig(**SIZES)), TrainConfig())
    (bias,) = model.get_layer("mlm_bias").weights
    assert np.all(np.array(bias) == 0)
    compile_model(model, keras.optimizers.SGD(1.0), TrainConfig())
    model.train_on_batch(*make_batch())
    assert np.abs(np.array(bias)).max() > 1e-3


def test_loss():
    """The loss is the mean over real targets of each task, and padding is none."""
    model = make_model()
    inputs, targets = make_batch()
    outputs = model.predict_on_batch(inputs)
    words, order = log_softmax(outputs["mlm"]), log_softmax(outputs["order"])
    chosen = [words[0, 0, 7], words[0, 1, 49], words[0, 2, 0], words[1, 0, 21]]
    expected = -np.mean(chosen) - np.mean([order[0, 1], order[1, 0]])
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    targets["order"][:] = IGNORED  # rows of one part
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(found, -np.mean(chosen), rtol=1e-5)


def test_mixed_precision():
    """Logits are float32 where the encoder computes in bfloat16."""
    keras.config.set_dtype_policy("mixed_bfloat16")
    outputs = make_model().predict_on_batch(make_batch()[0])
    assert {array.dtype.name for array in outputs.values()} == {"float32"}


def test_a_step_makes_no_variables():
    """All are there once the model is compiled: else it is traced twice."""
    model = make_model()
    made = len(model.metrics_variables)
    model.test_on_batch(*make_batch())
    assert len(model.metrics_variables) == made == 6  # of each mean, total and count


def test_learns():
    """A few steps bring the loss down; without an order to learn, its head stays."""
    model = make_model()
    inputs, targets = make_batch()
    alone = {**targets, "order": np.full_like(targets["order"], IGNORED)}
    head = model.get_layer("sentence_order_head")
    query = next(each for each in model.layers if each.name.endswith("_query"))
    before = np.array(head.kernel), np.array(query.kernel)
    losses = [model.train_on_batch(inputs, alone)[0] for _ in range(9)]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
    np.testing.assert_array_equal(before[0], head.kernel)
    first = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    for _ in range(60):
        model.train_on_batch(inputs, targets)
    last = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    assert last < first / 4
    assert not np.array_equal(before[0], head.kernel)
    assert not np.array_equal(before[1], query.kernel)
