"""The optimizer, its schedule, and which layers train."""

from pathlib import Path

import keras
import numpy as np
import pytest

import train
from token_classification_bert_crf import (
    dataset,
    optimization,
)
from token_classification_bert_crf.config import TrainConfig
from token_classification_bert_crf.encoder import (
    EncoderConfig,
    build_encoder,
)
from token_classification_bert_crf.errors import UserError
from token_classification_bert_crf.model import build_model

DATA = Path(train.__file__).parent / "data"


def small_model():
    """Return a small model of the task."""
    examples = dataset.load_examples(DATA / "train.jsonl")
    config = dataset.settle(TrainConfig(), examples)
    sizes = {**vars(EncoderConfig.small(40)), "num_hidden_layers": 1}
    return build_model(build_encoder(EncoderConfig(**sizes)), config)


@pytest.mark.parametrize("name", ["adamw", "lamb"])
def test_decay_leaves_out_biases_and_layer_norms(name):
    """With a gradient of zero, matrices and tables shrink and nothing else moves."""
    model = small_model()
    config = TrainConfig(
        optimizer=name, weight_decay=0.5, learning_rate=0.1, warmup_ratio=0.0
    )
    optimizer = optimization.make_optimizer(config, total_steps=10)
    variables = model.trainable_variables
    for variable in variables:
        variable.assign(np.ones(variable.shape))
    optimizer.apply([keras.ops.zeros_like(v) for v in variables], variables)
    for variable in variables:
        value = float(np.max(variable))
        exempt = variable.name in ("bias", "gamma", "beta")
        assert value == (1.0 if exempt else pytest.approx(0.95)), variable.path


def test_unknown_optimizer():
    """The error names those that there are."""
    with pytest.raises(UserError, match="unknown optimizer") as error:
        optimization.make_optimizer(TrainConfig(optimizer="sgd"), total_steps=10)
    assert "adamw" in error.value.remedy


@pytest.mark.parametrize("accumulation", [1, 4])
def test_schedule(accumulation):
    """The rate rises to its peak, then falls to 0 at the last batch of the run."""
    config = TrainConfig(
        learning_rate=1.0, warmup_ratio=0.25, gradient_accumulation=accumulation
    )
    optimizer = optimization.make_optimizer(config, total_steps=40)
    variable = keras.Variable(np.zeros(2, "float32"))
    rates = []
    for _ in range(40):
        rates.append(float(optimizer.learning_rate))
        optimizer.apply([keras.ops.zeros(2)], [variable])
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[25] == pytest.approx(0.5)
    assert float(optimizer.learning_rate) == 0.0


def test_freezing():
    """Prefixes end at an underscore; what they name does not train, the rest does."""
    model = small_model()
    query = next(each.name for each in model.layers if each.name.endswith("_query"))
    frozen = optimization.freeze_layers(model, ["embeddings", query])
    assert "embeddings_token" in frozen and query in frozen
    assert all(not model.get_layer(name).trainable for name in frozen)
    assert model.get_layer(query.replace("_query", "_key")).trainable
    with pytest.raises(UserError, match="embeddings_tok"):
        optimization.freeze_layers(small_model(), ["embeddings_tok"])


@pytest.mark.parametrize("clip_norm", [0.0, 1.0])
@pytest.mark.parametrize("name", ["adamw", "lamb"])
def test_a_token_that_comes_twice(name, clip_norm):
    """Looking rows up changes a table as multiplying it by one-hot vectors does."""
    tf = pytest.importorskip("tensorflow")  # its gradients alone are lists of rows
    config = TrainConfig(optimizer=name, learning_rate=0.1, clip_norm=clip_norm)
    tokens = np.array([2, 0, 2, 2])
    factors = np.arange(12, dtype="float32").reshape(4, 3)
    found = []
    for look_up in (
        lambda table: keras.ops.take(table, tokens, axis=0),
        lambda table: keras.ops.one_hot(tokens, 5) @ table,
    ):
        table = keras.Variable(np.ones((5, 3), "float32"))
        other = keras.Variable(np.ones(3, "float32"))
        optimizer = optimization.make_optimizer(config, total_steps=10)
        for sign in (1.0, -0.7):
            with tf.GradientTape() as tape:
                loss = keras.ops.sum(sign * factors * look_up(table) * other)
            slopes = tape.gradient(loss, [table.value, other.value])
            optimizer.apply(slopes, [table, other])
        found.append((np.array(table), np.array(other)))
    for rows, whole in zip(*found, strict=True):
        np.testing.assert_allclose(rows, whole, rtol=1e-5)
