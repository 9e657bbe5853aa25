"""Averaged weights: the recursion by hand, what is kept, and what a state holds."""

import keras
import numpy as np
import pytest

import samples
from {{ cookiecutter.package }} import (
    method,
    runs,
)
from {{ cookiecutter.package }}.errors import UserError


@pytest.fixture(scope="module")
def sample():
    """A batch of the sample."""
    return samples.load_batch(method.TrainConfig, ema_momentum=0.25)


def make(sample):
    """Return the model, what is fitted, and a batch."""
    config, tokenizer, *batch = sample
    model = samples.small_model(config, tokenizer)
    trainer = method.make_trainer(model, keras.optimizers.SGD(0.1), config)
    return model, trainer, batch


def test_the_model_gets_the_average(sample):
    """Three batches, and the recursion in NumPy; the momentum is low in the first."""
    model, trainer, batch = make(sample)
    expected = samples.weights_of(model)
    for path, weight in samples.weights_of(trainer).items():
        np.testing.assert_array_equal(weight, expected[path])
    for batches in (1, 2, 3):
        trainer.train_on_batch(*batch)
        momentum = min(0.25, (1 + batches) / (10 + batches))
        for path, weight in samples.weights_of(trainer).items():
            expected[path] += (1 - momentum) * (weight - expected[path])
    found, weights = samples.weights_of(model), samples.weights_of(trainer)
    moved = 0
    for path, average in expected.items():
        np.testing.assert_allclose(found[path], average, rtol=0, atol=1e-6)
        moved += np.abs(weights[path] - average).max() > 1e-4
    assert moved > 10


def test_training_goes_on_from_the_weights(sample):
    """The averages change nothing of the training itself."""
    config, tokenizer, *batch = sample
    _, trainer, _ = make(sample)
    plain = samples.small_model(config, tokenizer, dropout=False)
    for layer in trainer.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    method.compile_model(plain, keras.optimizers.SGD(0.1), config)
    for _ in range(2):
        trainer.train_on_batch(*batch)
        plain.train_on_batch(*batch)
    expected = samples.weights_of(plain)
    for path, weight in samples.weights_of(trainer).items():
        np.testing.assert_allclose(weight, expected[path], rtol=0, atol=1e-6)


def test_the_average_is_saved_and_loads_without_the_project(sample, tmp_path):
    """The file has the averages, and layers of Keras alone."""
    model, trainer, batch = make(sample)
    trainer.train_on_batch(*batch)
    runs.save_model(model, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert type(loaded).__module__.startswith("keras.")
    for found, average in zip(loaded.weights, model.weights, strict=True):
        np.testing.assert_array_equal(found, average)


def test_a_state_holds_weights_and_averages(sample, tmp_path):
    """Both are as they were in a trainer that takes the state."""
    model, trainer, batch = make(sample)
    trainer.train_on_batch(*batch)
    trainer.save_weights(tmp_path / "state.weights.h5")
    other, other_trainer, _ = make(sample)
    other_trainer.load_weights(tmp_path / "state.weights.h5")
    for each, found in ((model, other), (trainer, other_trainer)):
        expected = samples.weights_of(each)
        for path, weight in samples.weights_of(found).items():
            np.testing.assert_array_equal(weight, expected[path])
    averages = samples.weights_of(model)
    assert any((averages[path] != weight).any() for path, weight in expected.items())


def test_frozen_layers_stay(sample):
    """What does not train in the model does not train in the copy, nor in the average."""
    config, tokenizer, *batch = sample
    model = samples.small_model(config, tokenizer)
    frozen = model.get_layer("embeddings_token")
    frozen.trainable = False
    before = samples.weights_of(model)
    trainer = method.make_trainer(model, keras.optimizers.SGD(0.1), config)
    trainer.train_on_batch(*batch)
    path = frozen.embeddings.path
    for found in (samples.weights_of(model), samples.weights_of(trainer)):
        np.testing.assert_array_equal(found[path], before[path])
        assert sum((found[each] != before[each]).any() for each in before) > 5


def test_wrong_momentum(sample):
    """An average that keeps all of itself would never move."""
    config, tokenizer, *_ = sample
    config = method.TrainConfig(**{**vars(config), "ema_momentum": 1.0})
    with pytest.raises(UserError, match="ema_momentum"):
        method.make_trainer(None, keras.optimizers.SGD(), config)
