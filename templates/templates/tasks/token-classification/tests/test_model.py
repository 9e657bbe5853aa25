"""The classifier: words by their first pieces, padding aside, its own rate."""

import keras
import numpy as np
import pytest

from {{ cookiecutter.package }} import (
    head,
    optimization,
)
from {{ cookiecutter.package }}.checkpoints import (
    model_variables,
)
from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.encoder import (
    EncoderConfig,
    build_encoder,
)
from {{ cookiecutter.package }}.errors import UserError
from {{ cookiecutter.package }}.model import (
    build_model,
    compile_model,
    divergence,
    encoder_options,
    hugging_face_config,
    serving_model,
)

CONFIG = TrainConfig(labels=("O", "B-x", "I-x"), classifier_dropout=0.0)


def make_model(config=CONFIG):
    """Return a small model whose dropout is off, and its encoder."""
    small = EncoderConfig.small(vocab_size=50)
    values = {**vars(small), "hidden_dropout_prob": 0.0, "initializer_range": 0.2}
    values |= {"attention_probs_dropout_prob": 0.0, "num_hidden_layers": 1}
    encoder = build_encoder(EncoderConfig(**values), **encoder_options(config))
    return build_model(encoder, config), encoder


def make_batch():
    """Return two rows of different lengths, and the labels of their words."""
    ids = np.random.default_rng(0).integers(1, 50, (2, 12)).astype("int32")
    mask = np.ones((2, 12), "int32")
    mask[1, 7:] = 0
    inputs = {"input_ids": ids * mask, "attention_mask": mask}
    inputs["segment_ids"] = np.zeros_like(ids)
    inputs["word_positions"] = np.array([[1, 2, 5, 9], [1, 4, 0, 0]], "int32")
    labels = np.array([[1, 2, 0, 1], [0, 1, -1, -1]], "int32")
    return inputs, {"logits": labels}


def test_words_are_classified_at_their_first_pieces():
    """A word's scores are the classifier's of the vector where it begins."""
    model, encoder = make_model()
    inputs, _ = make_batch()
    found = model.predict_on_batch(inputs)["logits"]
    positions = inputs.pop("word_positions")
    hidden = np.asarray(encoder.predict_on_batch(inputs)["sequence_output"])
    kernel, bias = model.get_layer("classifier").get_weights()
    assert found.shape == (2, 4, 3)
    for row, word in np.argwhere(positions > 0):
        expected = hidden[row, positions[row, word]] @ kernel + bias
        np.testing.assert_allclose(found[row, word], expected, atol=1e-5)


def test_last_layers_side_by_side():
    """With two layers the classifier sees the last but one, then the last."""
    config = TrainConfig(**{**vars(CONFIG), "last_layers": 2})
    model, encoder = make_model(config)
    inputs, _ = make_batch()
    found = model.predict_on_batch(inputs)["logits"]
    positions = inputs.pop("word_positions")
    outputs = encoder.predict_on_batch(inputs)
    kernel, bias = model.get_layer("classifier").get_weights()
    assert kernel.shape == (2 * 128, 3)
    last = np.asarray(outputs["sequence_output"])[0, positions[0, 2]]
    both = np.asarray(outputs["last_layers_output"])[0, positions[0, 2]]
    np.testing.assert_allclose(both[128:], last, atol=1e-6)
    np.testing.assert_allclose(found[0, 2], both @ kernel + bias, atol=1e-5)
    with pytest.raises(UserError, match="2 layers"):
        hugging_face_config(config)


def test_padding_takes_no_part():
    """More padding, of pieces and of words, changes neither scores nor loss."""
    model, _ = make_model()
    compile_model(model, keras.optimizers.SGD(0.0), CONFIG)
    inputs, targets = make_batch()
    expected = model.predict_on_batch(inputs)["logits"]
    loss = model.evaluate(inputs, targets, verbose=0)
    longer = {name: np.pad(array, ((0, 0), (0, 9))) for name, array in inputs.items()}
    padded = np.pad(targets["logits"], ((0, 0), (0, 9)), constant_values=-1)
    found = model.predict_on_batch(longer)["logits"]
    np.testing.assert_allclose(found[:, :4], expected, atol=1e-5)
    again = model.evaluate(longer, {"logits": padded}, verbose=0)
    assert again == pytest.approx(loss, rel=1e-5)


def test_learns():
    """A few steps on one batch bring the loss down and change the encoder."""
    model, _ = make_model()
    compile_model(model, optimization.AdamW(learning_rate=1e-3), CONFIG)
    model.optimizer.build(model.trainable_variables)  # or a step is traced twice
    inputs, targets = make_batch()
    query = next(each for each in model.layers if each.name.endswith("_query"))
    before = np.array(query.kernel)
    first = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    for _ in range(30):
        model.train_on_batch(inputs, targets)
    last = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    assert last < first / 4
    assert not np.array_equal(before, query.kernel)


def test_the_head_has_its_own_rate():
    """A factor of 5 makes the head's first step 5 times as long, no other layer's."""
    inputs, targets = make_batch()
    steps = {}
    for factor in (1.0, 5.0):
        keras.utils.set_random_seed(3)
        config = TrainConfig(**{**vars(CONFIG), "head_learning_rate": factor})
        model, _ = make_model(config)
        compile_model(model, optimization.AdamW(learning_rate=1e-4), config)
        before = {key: np.array(v) for key, v in model_variables(model).items()}
        model.train_on_batch(inputs, targets)
        steps[factor] = {
            key: np.abs(np.asarray(variable) - before[key]).max()
            for key, variable in model_variables(model).items()
        }
    heads = {key for key in steps[1.0] if key.split("/")[0] in head.LAYERS}
    assert heads
    for key, step in steps[1.0].items():
        factor = 5.0 if key in heads else 1.0
        assert steps[5.0][key] == pytest.approx(factor * step, rel=0.02), key


def test_export_names_the_labels():
    """What is served holds a label for each word, -1 for padding."""
    model, _ = make_model()
    inputs, _ = make_batch()
    labels = serving_model(model, CONFIG).predict_on_batch(inputs)["labels"]
    assert labels.shape == (2, 4) and labels[1, 2:].tolist() == [-1, -1]
    assert labels[inputs["word_positions"] > 0].min() >= 0


def test_divergence():
    """KL of the words in NumPy, with a temperature; padding takes no part."""
    random = np.random.default_rng(3)
    expected, found = (random.normal(0, 3, (2, 4, 3)).astype("float32") for _ in "ab")
    _, targets = make_batch()
    words = []
    for place in np.argwhere(targets["logits"] >= 0):
        p, q = (x[tuple(place)].astype("float64") / 2 for x in (expected, found))
        p, q = (np.exp(x) / np.exp(x).sum() for x in (p, q))
        words.append(4 * np.sum(p * np.log(p / q)))
    assert len(words) == 6
    outputs = {"logits": expected}, {"logits": found}
    apart = divergence(targets, *outputs, CONFIG, temperature=2.0)
    assert float(apart) == pytest.approx(np.mean(words), rel=1e-5)
    expected[1, 2:] = 9.0
    assert float(divergence(targets, *outputs, CONFIG, 2.0)) == float(apart)
