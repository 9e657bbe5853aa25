"""The head: named logits, the right loss, and padding that takes no part."""

import keras
import numpy as np

from qa_albert.config import TrainConfig
from qa_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from qa_albert.model import (
    build_model,
    compile_model,
    divergence,
)


def make_model():
    """Return a small compiled model whose dropout is off."""
    config = EncoderConfig.small(vocab_size=50)
    values = {**vars(config), "hidden_dropout_prob": 0.0, "initializer_range": 0.2}
    encoder = build_encoder(EncoderConfig(**{**values, "num_hidden_layers": 1}))
    model = build_model(encoder, TrainConfig())
    compile_model(model, keras.optimizers.Adam(1e-3), TrainConfig())
    model.optimizer.build(model.trainable_variables)  # or a step is traced twice
    return model


def make_batch():
    """Return two rows of different lengths with their targets."""
    ids = np.random.default_rng(0).integers(1, 50, (2, 12)).astype("int32")
    mask = np.ones((2, 12), "int32")
    mask[1, 7:] = 0
    segments = (np.arange(12) > 4).astype("int32") * mask
    inputs = {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}
    return inputs, {"start": np.array([6, 5]), "end": np.array([8, 6])}


def compute(model, inputs):
    """Return a model's outputs without a trace, which would take longer."""
    return {name: np.asarray(array) for name, array in model(inputs).items()}


def log_softmax(logits):
    """Return log-probabilities along the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


def test_loss_is_cross_entropy_of_logits():
    """The loss equals the mean of both cross-entropies over the real tokens."""
    model = make_model()
    inputs, targets = make_batch()
    outputs = compute(model, inputs)
    expected = []
    for row, length in enumerate((12, 7)):
        for name in ("start", "end"):
            log_probabilities = log_softmax(outputs[name][row, :length])
            expected.append(-log_probabilities[targets[name][row]])
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    np.testing.assert_allclose(found, np.mean(expected), rtol=1e-5)


def test_padding_takes_no_part():
    """Scores do not depend on padding, and padding is never chosen."""
    model = make_model()
    inputs, _ = make_batch()
    expected = compute(model, inputs)
    longer = {name: np.pad(array, ((0, 0), (0, 9))) for name, array in inputs.items()}
    found = compute(model, longer)
    for name in ("start", "end"):
        np.testing.assert_allclose(found[name][1, :7], expected[name][1, :7], atol=1e-5)
        assert found[name][1, 7:].max() < -5000


def test_a_step_makes_no_variables():
    """All are there once the model is compiled: else it is traced twice."""
    model = make_model()
    made = len(model.metrics_variables)
    model.test_on_batch(*make_batch())
    assert len(model.metrics_variables) == made == 6  # of each mean, total and count


def test_learns():
    """A few steps on one batch bring the loss down and change the encoder."""
    model = make_model()
    inputs, targets = make_batch()
    query = next(each for each in model.layers if each.name.endswith("_query"))
    before = np.array(query.kernel)
    first = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    for _ in range(30):
        model.train_on_batch(inputs, targets)
    last = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    assert last < first / 4
    assert not np.array_equal(before, query.kernel)


def test_divergence():
    """KL of start and end in NumPy, with a temperature; padding takes no part."""
    random = np.random.default_rng(3)
    names, real = ("start", "end"), np.array([6, 4])
    expected, found = ({n: random.normal(0, 3, (2, 6)) for n in names} for _ in "ab")
    total = 0.0
    for name in names:
        for row, count in enumerate(real):
            p, q = (log_softmax(x[name][row, :count] / 2.0) for x in (expected, found))
            total += 4.0 * np.sum(np.exp(p) * (p - q)) / 4  # two rows, two names
            for outputs in (expected, found):
                outputs[name][row, count:] -= 1e4
    as_float = [
        {n: a.astype("float32") for n, a in x.items()} for x in (expected, found)
    ]
    apart = divergence(None, *as_float, TrainConfig(), temperature=2.0)
    np.testing.assert_allclose(float(apart), total, rtol=1e-5)
    same = divergence(None, as_float[0], as_float[0], TrainConfig())
    assert float(same) == 0.0
