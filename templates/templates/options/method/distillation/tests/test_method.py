"""Distillation: each part of the loss by hand, and teachers that do not fit."""

import json

import keras
import numpy as np
import pytest

import samples
from {{ cookiecutter.package }} import (
    method,
    runs,
)
from {{ cookiecutter.package }}.encoder import (
    EncoderConfig,
    build_encoder,
)
from {{ cookiecutter.package }}.errors import UserError
from {{ cookiecutter.package }}.model import (
    compile_model,
    divergence,
)

SMALL = {"num_hidden_layers": 2}
LARGE = {"hidden_size": 48, "num_hidden_layers": 4}


@pytest.fixture(scope="module")
def sample():
    """A batch of the sample."""
    return samples.load_batch(method.TrainConfig)


def write_run(folder, sample, **sizes):
    """Write the run of a teacher, which has random weights, and return its model."""
    config, tokenizer, *_ = sample
    teacher = samples.small_model(config, tokenizer, **sizes)
    folder.mkdir()
    runs.save_model(teacher, folder / "model.keras")
    runs.save_settings(config, folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return teacher


def make(sample, tmp_path, *, large=True, optimizer=None, **settings):
    """Return the student, what is fitted, the teacher, and the settings."""
    config, tokenizer, *_ = sample
    teacher = write_run(tmp_path / "teacher", sample, **(LARGE if large else SMALL))
    (tmp_path / "student").mkdir()
    tokenizer.save(str(tmp_path / "student/tokenizer.json"))
    given = {"teacher": str(tmp_path / "teacher"), **settings}
    given |= {"output_dir": str(tmp_path / "student")}
    config = method.TrainConfig(**{**vars(config), **given})
    student = samples.small_model(config, tokenizer, dropout=False, **SMALL)
    optimizer = optimizer or keras.optimizers.SGD(0.1)
    return student, method.make_trainer(student, optimizer, config), teacher, config


def losses(sample, trainer):
    """Return the loss of a batch, and all outputs that it is made of."""
    inputs, targets = sample[2:]
    outputs = trainer(inputs, training=True)
    loss = float(trainer.compute_loss(inputs, targets, outputs))
    return loss, {name: np.asarray(each) for name, each in outputs.items()}


def task_loss(sample, config, outputs):
    """Return the task's own loss of some outputs."""
    plain = samples.small_model(config, sample[1])
    compile_model(plain, keras.optimizers.SGD(), config)
    return float(plain.compute_loss(*sample[2:], {n: outputs[n] for n in plain.output}))


def insides(model, sample):
    """Return states, scores and embeddings of a batch, and the model's outputs."""
    return {
        name: np.asarray(each)
        for name, each in method.add_insides(model)(sample[2]).items()
    }


def test_predictions_are_compared(sample, tmp_path):
    """Task and teacher in their parts, with the temperature."""
    settings = {"distillation_alpha": 0.3, "distillation_temperature": 4.0}
    student, trainer, teacher, config = make(sample, tmp_path, **settings)
    found, outputs = losses(sample, trainer)
    expected = teacher(sample[2], training=False)
    apart = float(divergence(sample[3], expected, outputs, config, 4.0))
    assert apart > 1e-4
    expected = 0.3 * task_loss(sample, config, outputs) + 0.7 * apart
    assert found == pytest.approx(expected, rel=1e-5)
    assert set(outputs) == set(student.output)


def test_states_are_those_of_the_encoder(sample):
    """What add_insides finds is what the encoder itself can give."""
    config, tokenizer, inputs, _ = sample
    model = samples.small_model(config, tokenizer, dropout=False, num_hidden_layers=3)
    sizes = {**samples.SIZES, "num_hidden_layers": 3}
    sizes = EncoderConfig(tokenizer.get_vocab_size(), **sizes)
    encoder = build_encoder(sizes, return_states=True, return_attention_weights=True)
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    for layer in encoder.layers:
        if layer.weights and layer.name != "pooler":
            layer.set_weights(weights[layer.name])
    expected = encoder({name: inputs[name] for name in encoder.input})
    found = insides(model, sample)
    states = np.asarray(expected["hidden_states"])
    np.testing.assert_allclose(found["states"], states, rtol=0, atol=1e-5)
    keys = (1 - inputs["attention_mask"])[:, None, None, None] * -1e9
    weights = keras.ops.softmax(found["scores"] + keys)
    attention = np.asarray(expected["attention_weights"])
    np.testing.assert_allclose(weights, attention, rtol=0, atol=1e-5)
    assert found["scores"].shape[1] == 3


def mean_square(differences, real):
    """Return the mean of what is real, in a loop over rows."""
    pairs = zip(differences, real, strict=True)
    parts = [np.square(each[row > 0], dtype="float64").ravel() for each, row in pairs]
    return np.concatenate(parts).mean()


def test_states_and_attention_are_compared(sample, tmp_path):
    """Each layer with the teacher's at the same depth; padding takes no part."""
    settings = {"hidden_state_weight": 2.0, "attention_weight": 3.0}
    settings |= {"distillation_alpha": 1.0}
    student, trainer, teacher, config = make(sample, tmp_path, **settings)
    found, outputs = losses(sample, trainer)
    own, taught = insides(student, sample), insides(teacher, sample)
    real = sample[2]["attention_mask"]
    assert 0 in real  # there is padding
    matrix = {
        name: trainer.get_layer(f"{name}_to_teacher").get_weights()[0]
        for name in ("embeddings", "states")
    }
    embeddings = own["embeddings"] @ matrix["embeddings"]
    states = mean_square(embeddings - taught["embeddings"], real)
    scores = 0.0
    pairs = real[:, :, None] * real[:, None, :]
    for layer, other in ((0, 1), (1, 3)):  # of two and of four layers
        widened = own["states"][:, layer] @ matrix["states"]
        states += mean_square(widened - taught["states"][:, other], real)
        heads = own["scores"][:, layer] - taught["scores"][:, other]
        scores += mean_square(np.moveaxis(heads, 1, -1), pairs)
    expected = task_loss(sample, config, outputs) + 2.0 * states + 3.0 * scores
    assert min(states, scores) > 1e-4
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_student_like_its_teacher_has_nothing_to_learn_from_it(sample, tmp_path):
    """With the same weights all that remains is the task's part of the loss."""
    settings = {"hidden_state_weight": 1.0, "attention_weight": 1.0}
    settings |= {"distillation_alpha": 0.25}
    _, trainer, _, config = make(sample, tmp_path, large=False, **settings)
    found, outputs = losses(sample, trainer)
    expected = 0.25 * task_loss(sample, config, outputs)
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_only_the_student_learns(sample, tmp_path):
    """The teacher stays, the student comes nearer; what is saved is the student."""
    student, trainer, teacher, _ = make(
        sample,
        tmp_path,
        optimizer=keras.optimizers.Adam(3e-3),
        distillation_alpha=0.0,
        hidden_state_weight=1.0,
        attention_weight=1.0,
    )
    expected = teacher(sample[2], training=False)
    before = samples.weights_of(student)
    file = (tmp_path / "teacher/model.keras").read_bytes()
    first = insides(student, sample)["states"]
    steps = [samples.learn(trainer, *sample[2:]) for _ in range(25)]
    assert steps[-1] < 0.7 * steps[0]
    after = samples.weights_of(student)
    assert sum((after[path] != weight).any() for path, weight in before.items()) > 9
    taught = trainer.teach(sample[2])
    for name, each in expected.items():
        np.testing.assert_array_equal(taught[name], each)
    assert (tmp_path / "teacher/model.keras").read_bytes() == file
    assert (insides(student, sample)["states"] != first).any()
    runs.save_model(student, tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert set(loaded.output) == set(student.output)
    assert loaded.count_params() == student.count_params()
    assert trainer.count_params() > student.count_params()  # the matrices


def test_teachers_that_do_not_fit(sample, tmp_path):
    """Another vocabulary, other labels, other heads, too few positions, no run."""
    with pytest.raises(UserError, match="is no teacher"):
        make(sample, tmp_path, teacher=str(tmp_path / "nowhere"))
    (tmp_path / "positions").mkdir()
    with pytest.raises(UserError, match="too long for the teacher"):
        make(sample, tmp_path / "positions", max_length=4096)
    (tmp_path / "heads").mkdir()
    small = {**LARGE, "num_attention_heads": 4}
    (tmp_path / "four").mkdir()
    write_run(tmp_path / "four/run", sample, **small)
    with pytest.raises(UserError, match="2 attention heads, the teacher 4"):
        make(
            sample,
            tmp_path / "heads",
            teacher=str(tmp_path / "four/run"),
            attention_weight=1.0,
        )
    for name, field in (("tokens", "tokenizer.json"), ("labels", "settings.json")):
        (tmp_path / name).mkdir()
        run = tmp_path / name / "run"
        write_run(run, sample, **LARGE)
        values = json.loads((run / field).read_text())
        if name == "labels":
            values["labels"] = ["a label", "and another"]
        else:
            values["model"]["vocab"].popitem()
        (run / field).write_text(json.dumps(values))
        match = "another task" if name == "labels" else "another vocabulary"
        with pytest.raises(UserError, match=match):
            make(sample, tmp_path / name, teacher=str(run))


def test_without_a_teacher(sample, capsys):
    """The model itself is trained, as a teacher is, and the output says so."""
    config, tokenizer, *_ = sample
    model = samples.small_model(config, tokenizer)
    assert method.make_trainer(model, keras.optimizers.SGD(), config) is model
    assert "no teacher" in capsys.readouterr().out
