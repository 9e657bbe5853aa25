"""What is written as a checkpoint is loaded again with the same outputs."""

import dataclasses
import json

import numpy as np
import pytest

import reference
import released
from aspect_sentiment_bert import (
    checkpoint_writers,
    exporting,
    runs,
)
from aspect_sentiment_bert.checkpoints import (
    model_variables,
    open_checkpoint,
)
from aspect_sentiment_bert.config import TrainConfig
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.model import (
    HUGGING_FACE_TASK,
    build_model,
)
from aspect_sentiment_bert.tokenizer import (
    load_tokenizer,
    train_tokenizer,
)
from aspect_sentiment_bert.weight_names import HEADS
from aspect_sentiment_bert.weights import (
    load_config,
    load_pretrained,
)

# Without the first where transformers has no model with this project's head.
FORMATS = ("huggingface", "google-checkpoint")[not HUGGING_FACE_TASK :]


@pytest.fixture
def run(tmp_path):
    """A run folder with a small model of the task, its weights far from their start."""
    tokenizer = train_tokenizer(["the cat sat on the mat"] * 3, vocab_size=40)
    config = EncoderConfig(
        tokenizer.get_vocab_size(), 8, 3, 2, 12, hidden_act="relu", **released.SIZES
    )
    model = build_model(build_encoder(config), TrainConfig())
    reference.randomize(model_variables(model), seed=3)
    folder = tmp_path / "run"
    runs.save_settings(TrainConfig(), folder)
    runs.write_text(folder / "encoder_config.json", config.to_json())
    runs.write_text(folder / "tokenizer.json", tokenizer.to_str())
    runs.save_model(model, folder / "model.keras")
    return runs.load_run(folder, TrainConfig)


@pytest.mark.parametrize("name", FORMATS)
def test_round_trip(run, tmp_path, name):
    """All weights, the head's too, come back equal, with the same sizes."""
    folder = tmp_path / "written"
    exporting.export_run(run, name, folder)
    config = load_config(folder)
    model = build_model(build_encoder(config), TrainConfig())
    report = load_pretrained(model, folder)
    assert report.random == report.unused == ()
    assert len(report.loaded) == len(model.weights)
    expected = model_variables(run.model)
    for key, variable in model_variables(model).items():
        np.testing.assert_array_equal(np.asarray(variable), np.asarray(expected[key]))
    ids = load_tokenizer(folder).encode("the cat sat", add_special_tokens=False).ids
    assert ids == run.tokenizer.encode("the cat sat").ids


def test_special_tokens_are_put_around_texts(run, tmp_path):
    """transformers' tokenizer does what features.py does here."""
    tokenizer = checkpoint_writers.with_special_tokens(run.tokenizer)
    if HUGGING_FACE_TASK:
        exporting.export_run(run, "huggingface", tmp_path / "written")
        tokenizer = load_tokenizer(tmp_path / "written")
    pair = tokenizer.encode("the cat", "the mat")
    assert pair.tokens == ["[CLS]", "the", "cat", "[SEP]", "the", "mat", "[SEP]"]
    assert pair.type_ids == [0, 0, 0, 0, 1, 1, 1]


def test_google_checkpoint_is_checked(run, tmp_path):
    """--check loads it again and finds the outputs of the model."""
    folder = tmp_path / "written"
    exporting.export_run(run, "google-checkpoint", folder)
    assert exporting.check_export(run, "google-checkpoint", folder) < 1e-6
    variables = list(model_variables(run.model).values())
    for variable in (variables[0], variables[-1]):
        written = np.asarray(variable)
        variable.assign(-written)
        with pytest.raises(UserError, match="differs from the model"):
            exporting.check_export(run, "google-checkpoint", folder)
        variable.assign(written)


@pytest.mark.parametrize("name", FORMATS)
def test_names_are_those_of_released_files(run, tmp_path, name):
    """Each variable of the encoder has the name that released files give it."""
    folder = tmp_path / "written"
    exporting.export_run(run, name, folder)
    names = set(open_checkpoint(folder).shapes)
    for key in model_variables(run.model):
        if key.split("/")[0] in HEADS:
            continue
        if name == "huggingface":
            assert f"{released.MODEL}.{released.hugging_face_name(key)}" in names
        else:
            assert released.google_name(key) in names


def test_what_cannot_be_said_is_refused(run, tmp_path):
    """Task embeddings have no name in such files."""
    path = run.folder / "encoder_config.json"
    config = dataclasses.replace(EncoderConfig.from_json(path), num_tasks=2)
    path.write_text(config.to_json())
    with pytest.raises(UserError, match="task embeddings"):
        exporting.export_run(run, "huggingface", tmp_path / "written")
    assert not (tmp_path / "written").exists()


def test_config_names_the_class(run, tmp_path):
    """transformers finds its class of the model and the task in config.json.

    Where it has no such class, the export is refused.
    """
    if not HUGGING_FACE_TASK:
        with pytest.raises(UserError, match="transformers has no model"):
            exporting.export_run(run, "huggingface", tmp_path / "written")
        return
    exporting.export_run(run, "huggingface", tmp_path / "written")
    config = json.loads((tmp_path / "written/config.json").read_text())
    (architecture,) = config["architectures"]
    assert architecture.lower().startswith(released.MODEL)
    assert config["model_type"] == released.MODEL
