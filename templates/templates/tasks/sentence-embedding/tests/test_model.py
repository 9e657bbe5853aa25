"""From tokens to a vector, and the losses: against formulas in plain NumPy."""

import keras
import numpy as np
import pytest

from {{ cookiecutter.package }} import losses
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
    serving_model,
)

POOLINGS = ("cls", "pooler", "mean", "max", "first-last")


def make_encoder(**sizes):
    """Return a small encoder with large weights, so that its vectors differ."""
    config = EncoderConfig.small(vocab_size=50)
    values = {**vars(config), "hidden_size": 32, "num_hidden_layers": 3}
    values |= {"hidden_dropout_prob": 0.0, "initializer_range": 0.3, **sizes}
    return build_encoder(EncoderConfig(**values), return_states=True)


def make_inputs():
    """Return four rows of different lengths."""
    ids = np.random.default_rng(0).integers(1, 50, (4, 12)).astype("int32")
    lengths = np.array([12, 7, 3, 1])[:, None]
    mask = (np.arange(12) < lengths).astype("int32")
    return {
        "input_ids": ids * mask,
        "segment_ids": np.zeros_like(ids),
        "attention_mask": mask,
    }


def compute(model, inputs):
    """Return a model's outputs without compiling it, which would take longer."""
    return {name: np.asarray(array) for name, array in model(inputs).items()}


def expected_vectors(outputs, mask, pooling):
    """Return what a pooling gives, row by row, from the encoder's outputs."""
    rows = []
    for row, length in enumerate(mask.sum(axis=1)):
        layers = outputs["hidden_states"][row, :, :length]
        rows.append(
            {
                "cls": layers[-1][0],
                "pooler": outputs["pooled_output"][row],
                "mean": layers[-1].mean(axis=0),
                "max": layers[-1].max(axis=0),
                "first-last": ((layers[0] + layers[-1]) / 2).mean(axis=0),
            }[pooling]
        )
    return np.stack(rows)


def test_pooling():
    """Each pooling takes the tokens that it should, and no padding."""
    encoder, inputs = make_encoder(), make_inputs()
    longer = {name: np.pad(array, ((0, 0), (0, 9))) for name, array in inputs.items()}
    outputs = compute(encoder, inputs)
    mask = inputs["attention_mask"]
    expected = {each: expected_vectors(outputs, mask, each) for each in POOLINGS}
    for pooling in POOLINGS:
        model = build_model(encoder, TrainConfig(pooling=pooling, normalize=False))
        assert list(model.output) == ["embedding"]
        for given in (inputs, longer):
            found = compute(model, given)["embedding"]
            np.testing.assert_allclose(found, expected[pooling], atol=1e-5)
        for other in POOLINGS:  # one in place of another would be noticed
            difference = np.abs(expected[other][0] - expected[pooling][0]).max()
            assert other == pooling or difference > 1e-2


def test_vectors_of_length_one():
    """With `normalize`, the default, vectors keep their direction alone."""
    encoder, inputs = make_encoder(), make_inputs()
    plain = build_model(encoder, TrainConfig(normalize=False))
    plain = compute(plain, inputs)["embedding"]
    found = compute(build_model(encoder, TrainConfig()), inputs)["embedding"]
    lengths = np.linalg.norm(plain, axis=1, keepdims=True)
    assert np.abs(lengths - 1).min() > 0.1
    np.testing.assert_allclose(found, plain / lengths, atol=1e-5)


def test_head():
    """SimCSE's layer is tanh(W x + b), for training only or for all."""
    encoder, inputs = make_encoder(), make_inputs()
    settings = {"pooling": "cls", "normalize": False}
    plain = compute(build_model(encoder, TrainConfig(**settings)), inputs)
    for mlp in ("train", "always"):
        config = TrainConfig(mlp=mlp, **settings)
        model = build_model(encoder, config)
        kernel, bias = model.get_layer("mlp").weights
        bias.assign(np.linspace(-1, 1, 32))
        outputs = compute(model, inputs)
        projected = np.tanh(plain["embedding"] @ kernel.numpy() + bias.numpy())
        seen = outputs["projected"] if mlp == "train" else outputs["embedding"]
        np.testing.assert_allclose(seen, projected, atol=1e-5)
        served = serving_model(model, config)
        assert list(served.output) == ["embedding"]
        vectors = compute(served, inputs)["embedding"]
        expected = plain["embedding"] if mlp == "train" else projected
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_unknown_pooling():
    """A pooling that is not there is an error that names those that are."""
    with pytest.raises(UserError, match="sum"):
        build_model(make_encoder(), TrainConfig(pooling="sum"))


def official_loss(z1, z2, z3, temperature, weight):
    """Return the loss of `cl_forward` in SimCSE's models.py, for three blocks.

    Cosines divided by the temperature; the weight is then added on the diagonal of
    the block of hard negatives; cross-entropy with labels 0, 1, 2, …
    """

    def cosine(one, other):
        one = one / np.linalg.norm(one, axis=1, keepdims=True)
        other = other / np.linalg.norm(other, axis=1, keepdims=True)
        return one @ other.T

    logits = cosine(z1, z2) / temperature
    if z3 is not None:
        negatives = cosine(z1, z3) / temperature + weight * np.eye(len(z1))
        logits = np.concatenate([logits, negatives], axis=1)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(np.diag(log_probabilities))


def blocks(count, negatives, seed=0):
    """Return three blocks of vectors, and the targets of their rows."""
    random = np.random.default_rng(seed)
    parts = random.normal(size=(2 + negatives, count, 8)).astype("float32")
    roles = np.repeat(np.arange(2 + negatives), count)
    numbers = np.tile(np.arange(count), 2 + negatives)
    targets = np.stack([roles, numbers, np.zeros(len(roles))], axis=1)
    return parts, targets.astype("float32")


@pytest.mark.parametrize("temperature", [0.05, 1.0])
@pytest.mark.parametrize("weight", [0.0, 0.7])
@pytest.mark.parametrize("negatives", [False, True])
def test_contrastive_loss(temperature, weight, negatives):
    """The loss is SimCSE's, with and without hard negatives, in any order of rows."""
    parts, targets = blocks(5, negatives)
    expected = official_loss(*parts, *[None] * (not negatives), temperature, weight)
    loss = losses.contrastive_loss(temperature, weight)
    rows = parts.reshape(-1, 8)
    found = float(loss(keras.ops.array(targets), keras.ops.array(rows)))
    assert found == pytest.approx(expected, rel=1e-5)
    order = np.random.default_rng(1).permutation(len(rows))
    found = loss(keras.ops.array(targets[order]), keras.ops.array(rows[order]))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_examples_without_a_negative():
    """Where a negative is missing, its column is not there for anybody."""
    parts, targets = blocks(4, negatives=True)
    kept = np.array([True] * 8 + [True, False, True, False])
    one, other, third = parts
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (one, other, third)]
    logits = np.concatenate([unit[0] @ unit[1].T, unit[0] @ unit[2][[0, 2]].T], axis=1)
    logits = logits / 0.05
    logits[0, 4] += 0.7
    logits[2, 5] += 0.7
    total = np.log(np.exp(logits).sum(axis=1))
    expected = np.mean(total - logits[np.arange(4), np.arange(4)])
    rows = parts.reshape(-1, 8)[kept]
    loss = losses.contrastive_loss(0.05, 0.7)
    found = float(loss(keras.ops.array(targets[kept]), keras.ops.array(rows)))
    assert found == pytest.approx(expected, rel=1e-5)


def test_regression_loss():
    """The loss is the mean squared difference of cosines and scores."""
    parts, targets = blocks(3, negatives=False)
    scores = np.array([0.0, 0.5, 1.0])
    targets[:3, 2] = scores
    cosines = [
        a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        for a, b in zip(*parts, strict=True)
    ]
    expected = np.mean((np.array(cosines) - scores) ** 2)
    rows = keras.ops.array(parts.reshape(-1, 8))
    found = float(losses.regression_loss(keras.ops.array(targets), rows))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("objective", "mlp"), [("supervised", "none"), ("unsupervised", "train")]
)
def test_fit_sees_the_loss(objective, mlp):
    """What Keras reports is the loss of the right output, not a mean over rows."""
    config = TrainConfig(objective=objective, pooling="cls", mlp=mlp)
    model = build_model(make_encoder(num_hidden_layers=1), config)
    compile_model(model, keras.optimizers.Adam(1e-3), config)
    model.optimizer.build(model.trainable_variables)  # or a step is traced twice
    inputs = make_inputs()
    targets = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 1, 0]], "float32")
    outputs = compute(model, inputs)
    vectors = outputs["projected" if mlp == "train" else "embedding"]
    expected = official_loss(vectors[:2], vectors[2:], None, 0.05, 0.0)
    found = model.evaluate(inputs, targets, verbose=0, return_dict=True)["loss"]
    assert found == pytest.approx(expected, rel=1e-4)
    query = next(each for each in model.layers if each.name.endswith("_query"))
    before = query.kernel.numpy()
    history = [float(model.train_on_batch(inputs, targets)) for _ in range(20)]
    assert history[-1] < history[0] / 2
    assert not np.array_equal(before, query.kernel.numpy())


def test_dropout_makes_two_views():
    """A sentence that stands twice in a training batch gets two different vectors."""
    model = build_model(make_encoder(hidden_dropout_prob=0.1), TrainConfig())
    inputs = {name: array[[0, 0]] for name, array in make_inputs().items()}
    one, other = np.array(model(inputs, training=True)["embedding"])
    assert 0.01 < np.abs(one - other).max() < 1.0
    one, other = np.array(model(inputs, training=False)["embedding"])
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_divergence():
    """The cosines of each two rows are compared, whatever the vectors' size."""
    random = np.random.default_rng(3)
    expected, found = random.normal(0, 1, (4, 5)), random.normal(0, 1, (4, 3))
    squares = []
    for one in range(4):
        for other in range(4):
            cosine = [
                x[one] @ x[other] / np.linalg.norm(x[one]) / np.linalg.norm(x[other])
                for x in (expected, found)
            ]
            squares.append((cosine[0] - cosine[1]) ** 2)
    outputs = [{"embedding": x.astype("float32")} for x in (expected, found)]
    apart = divergence(None, *outputs, TrainConfig())
    assert float(apart) == pytest.approx(np.mean(squares), rel=1e-5)
