"""R-Drop: the loss of two passes by its formula, and passes that come to agree."""

import keras
import numpy as np
import pytest

import samples
from {{ cookiecutter.package }} import method
from {{ cookiecutter.package }}.errors import UserError
from {{ cookiecutter.package }}.model import (
    compile_model,
    divergence,
)


@pytest.fixture(scope="module")
def sample():
    """A batch of the sample."""
    return samples.load_batch(method.TrainConfig, r_drop_alpha=3.0)


def make(sample, *, dropout=True, learning_rate=0.0):
    """Return the model, what is fitted, and a plain model with the same weights."""
    config, tokenizer, *_ = sample
    model = samples.small_model(config, tokenizer, dropout=dropout)
    optimizer = keras.optimizers.SGD(learning_rate)
    trainer = method.make_trainer(model, optimizer, config)
    plain = samples.small_model(config, tokenizer, dropout=dropout)
    compile_model(plain, keras.optimizers.SGD(learning_rate), config)
    return model, trainer, plain


def seeds(model):
    """Return the random states of the model's layers, and their values."""
    found = [v for v in model.non_trainable_variables if "seed" in v.name]
    return found, [np.array(each) for each in found]


def test_the_loss_is_that_of_two_passes(sample):
    """Both passes are drawn again from the same seeds, and put into the formula."""
    config, _, inputs, targets = sample
    model, trainer, plain = make(sample)
    for weight in (*model.weights, *plain.weights):
        weight.assign(3.0 * weight)  # so that the passes differ much
    first = model(inputs, training=True)
    states, values = seeds(model)
    assert values
    found = float(trainer.compute_loss(inputs, targets, first))
    for state, value in zip(states, values, strict=True):
        state.assign(value)
    second = model(inputs, training=True)
    there = float(divergence(targets, first, second, config))
    back = float(divergence(targets, second, first, config))
    losses = [
        float(plain.compute_loss(inputs, targets, each)) for each in (first, second)
    ]
    expected = sum(losses) / 2 + 3.0 * (there + back) / 2
    assert abs(there - back) > 1e-4 * expected  # the directions can be told apart
    assert found == pytest.approx(expected, rel=1e-5)


def test_without_dropout_it_is_the_plain_loss(sample):
    """One update gives the same loss and the same weights."""
    _, trainer, plain = make(sample, dropout=False, learning_rate=0.1)
    losses = [samples.learn(each, *sample[2:]) for each in (trainer, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)
    expected = samples.weights_of(plain)
    for path, weight in samples.weights_of(trainer).items():
        np.testing.assert_allclose(weight, expected[path], rtol=0, atol=2e-6)


def test_passes_come_to_agree(sample):
    """After some updates for agreement alone, two passes are nearer to each other."""
    config, tokenizer, inputs, targets = sample
    config = method.TrainConfig(**{**vars(config), "r_drop_alpha": 100.0})
    model = samples.small_model(config, tokenizer)
    trainer = method.make_trainer(model, keras.optimizers.Adam(1e-3), config)

    def apart():
        passes = [model(inputs, training=True) for _ in range(8)]
        return np.mean(
            [float(divergence(targets, a, b, config)) for a in passes for b in passes]
        )

    before = apart()
    for _ in range(15):
        trainer.train_on_batch(inputs, targets)
    assert apart() < before / 2


def test_evaluation_needs_one_pass(sample):
    """Outside training the loss is the task's."""
    _, trainer, plain = make(sample)
    losses = [
        each.test_on_batch(*sample[2:], return_dict=True)["loss"]
        for each in (trainer, plain)
    ]
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=1e-6)


def test_negative_weight(sample):
    """The passes are not to be driven apart."""
    config = method.TrainConfig(**{**vars(sample[0]), "r_drop_alpha": -1.0})
    with pytest.raises(UserError, match="r_drop_alpha"):
        method.make_trainer(None, keras.optimizers.SGD(), config)
