"""A training of generated code is that of transformers and torch, step by step."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pytest

from .conftest import REPOSITORY, make_load, make_project
from .test_parity import read_cases, write_folder

sys.path.insert(0, str(REPOSITORY / "tools"))
import record_torch_training as record

CASES = read_cases(Path(__file__).with_name("torch_training.npz"))


def train(project: Path, folder: Path) -> dict[str, np.ndarray]:
    """Train from a folder's weights; return what is recorded of torch, but norms."""
    load = make_load(project)
    config = load("config").TrainConfig(**record.SETTINGS, classifier_dropout=0.0)
    config = dataclasses.replace(
        config, kind="single", labels=[str(n) for n in range(record.LABELS)]
    )
    sizes = dataclasses.replace(
        load("weights").load_config(folder),
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model = load("model").build_model(load("encoder").build_encoder(sizes), config)
    load("weights").load_pretrained(model, folder)
    optimizer = load("optimization").make_optimizer(config, record.STEPS)
    trainer = load("method").make_trainer(model, optimizer, config)
    *batches, (test, _) = record.make_batches()
    before = model.predict_on_batch(test)["logits"]
    losses = []
    for inputs, labels in batches:
        trainer.reset_metrics()
        losses.append(float(trainer.train_on_batch(inputs, {"logits": labels})))
    after = model.predict_on_batch(test)["logits"]
    return {"losses": np.array(losses), "before": before, "after": after}


def test_the_record_tries_what_can_go_wrong() -> None:
    """Some gradients are clipped and some are not; the steps change the logits."""
    assert len(CASES) == len(record.CASES)
    for case in CASES:
        norms = case["outputs"]["norms"]
        assert norms.min() < record.SETTINGS["clip_norm"] < norms.max()
        change = case["outputs"]["after"] - case["outputs"]["before"]
        assert np.abs(change).max() > 0.1


@pytest.mark.parametrize("number", range(len(record.CASES)))
def test_training_is_that_of_torch(number: int, tmp_path: Path) -> None:
    """Each step's loss and the last logits are torch's."""
    case = CASES[number]
    folder = write_folder(case, tmp_path / "weights")
    model = case["config"]["model_type"]
    project = make_project(tmp_path, "sequence-classification", model)
    found = train(project, folder)
    for name, array in found.items():
        np.testing.assert_allclose(
            array, case["outputs"][name], atol=1e-5, err_msg=name
        )
