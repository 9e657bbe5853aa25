"""Adversarial training: one update by hand, and a table that is what it was."""

import keras
import numpy as np
import pytest

import samples
from {{ cookiecutter.package }} import method

tf = pytest.importorskip("tensorflow")
RATE = 0.1


@pytest.fixture(scope="module")
def sample():
    """A batch of the sample, and a push that matters."""
    return samples.load_batch(method.TrainConfig, fgm_epsilon=2.0)


def make(sample, optimizer, *, dropout=False):
    """Return a model and what is fitted."""
    config, tokenizer, *_ = sample
    model = samples.small_model(config, tokenizer, dropout=dropout)
    return model, method.make_trainer(model, optimizer, config)


def slopes(model, inputs, targets):
    """Return the loss' gradient by each weight, by its path."""
    with tf.GradientTape() as tape:
        loss = model.compute_loss(inputs, targets, model(inputs, training=True))
    found = tape.gradient(loss, [weight.value for weight in model.trainable_weights])
    paths = [weight.path for weight in model.trainable_weights]
    return {
        path: 0.0 if slope is None else tf.convert_to_tensor(slope).numpy()
        for path, slope in zip(paths, found, strict=True)
    }


def expected_step(sample):
    """Return all weights after one update with the gradients of both passes."""
    config, tokenizer, inputs, targets = sample
    model = samples.small_model(config, tokenizer, dropout=False)
    method.compile_model(model, keras.optimizers.SGD(RATE), config)
    before, clean = samples.weights_of(model), slopes(model, inputs, targets)
    table = model.get_layer("embeddings_token").embeddings
    slope = clean[table.path]
    length = np.sqrt(np.sum(np.square(slope, dtype="float64")))
    table.assign(before[table.path] + config.fgm_epsilon * slope / length)
    pushed = slopes(model, inputs, targets)
    both = {path: before[path] - RATE * (clean[path] + pushed[path]) for path in clean}
    twice = {path: before[path] - RATE * 2 * clean[path] for path in clean}
    return both, twice


def test_one_update_by_hand(sample):
    """The gradients at the table and at the pushed table are added up."""
    expected, twice = expected_step(sample)
    _, trainer = make(sample, keras.optimizers.SGD(RATE))
    trainer.train_on_batch(*sample[2:])
    found, other = samples.weights_of(trainer), 0
    for path, weight in expected.items():
        np.testing.assert_allclose(found[path], weight, rtol=0, atol=2e-6, err_msg=path)
        other += np.abs(found[path] - twice[path]).max() > 1e-4
    assert other > 5  # it is not the clean gradient twice


@pytest.mark.parametrize("frozen", [False, True])
def test_the_table_is_restored(sample, frozen):
    """Without a learning rate every weight stays what it was, bit for bit."""
    config, tokenizer, *batch = sample
    model = samples.small_model(config, tokenizer)
    model.get_layer("embeddings_token").trainable = not frozen
    trainer = method.make_trainer(model, keras.optimizers.SGD(0.0), config)
    before = samples.weights_of(model)
    trainer.train_on_batch(*batch)
    for path, weight in samples.weights_of(model).items():
        np.testing.assert_array_equal(weight, before[path], path)


def test_the_loss_shown_is_that_of_the_batch_as_it_is(sample):
    """And not of the pushed one, which is higher."""
    config, tokenizer, *batch = sample
    plain = samples.small_model(config, tokenizer, dropout=False)
    method.compile_model(plain, keras.optimizers.SGD(RATE), config)
    _, trainer = make(sample, keras.optimizers.SGD(RATE))
    expected = plain.train_on_batch(*batch, return_dict=True)["loss"]
    found = trainer.train_on_batch(*batch, return_dict=True)["loss"]
    assert float(found) == pytest.approx(float(expected), rel=1e-5)


def test_updates_of_several_batches(sample):
    """With gradient accumulation the weights move in every second batch only."""
    _, trainer = make(sample, keras.optimizers.SGD(RATE, gradient_accumulation_steps=2))
    before = samples.weights_of(trainer)
    trainer.train_on_batch(*sample[2:])
    for path, weight in samples.weights_of(trainer).items():
        np.testing.assert_array_equal(weight, before[path], path)
    trainer.train_on_batch(*sample[2:])
    expected, _ = expected_step(sample)  # the mean of two equal sums
    for path, weight in samples.weights_of(trainer).items():
        if path in expected:
            np.testing.assert_allclose(weight, expected[path], rtol=0, atol=2e-6)
