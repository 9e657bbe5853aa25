"""Projects that label words: from files to a model, and from a model to its exports."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import make_project, run, write_data
from .test_commands import run_alone

TASK = "token-classification"
HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
# What a project is made of, by the name of its fixture's parameter.
KINDS = {"softmax": ("bert", "softmax"), "crf": ("albert", "crf")}
ALONE = """
import sys
import numpy as np
import keras
import tensorflow as tf
inputs = dict(np.load("inputs.npz"))
model = keras.saving.load_model("run/model.keras")
outputs = model.predict_on_batch(inputs)
loaded = tf.saved_model.load(sys.argv[1] + "/saved_model")
call = loaded.signatures["serving_default"]
served = call(**{name: tf.constant(array) for name, array in inputs.items()})
assert not [name for name in sys.modules if "token_classification" in name]
assert np.abs(served["logits"] - outputs["logits"]).max() < 1e-5
print(served["labels"].numpy().tolist())
"""
# Run in a process of its own, since TensorFlow and torch do not share one.
AUTO_CLASSES = """
import json
from transformers import AutoModelForTokenClassification, AutoTokenizer
model, report = AutoModelForTokenClassification.from_pretrained(
    "written", output_loading_info=True
)
assert not report["missing_keys"] and not report["unexpected_keys"], report
labels = json.load(open("run/settings.json"))["labels"]
assert [model.config.id2label[number] for number in range(len(labels))] == labels
assert AutoTokenizer.from_pretrained("written")
print(type(model).__name__)
"""
COLUMNS = """\
Ada I-person
King I-person
met O
Ada I-person
Byron B-person
. O

Nothing O
"""


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module", params=KINDS)
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    """A project, and a folder in which `run` is a run on a few lines."""
    model, option = KINDS[request.param]
    project = make_project(tmp_path_factory.mktemp("new"), TASK, model, option)
    folder = tmp_path_factory.mktemp(option)
    flags = write_data(project, folder, train=24, validation=6)
    run([project / "train.py", *flags, "--epochs=1", "--output-dir=run"], folder)
    return project, folder


def test_the_model_needs_no_project(trained: tuple[Path, Path]) -> None:
    """`model.keras` loads alone, a CRF too; the SavedModel decodes as predict.py does.

    Word positions are given as a server would give them, by hand.
    """
    project, folder = trained
    export = [
        project / "export.py",
        "--model-dir=run",
        "--check",
        "--output-dir=served",
    ]
    assert "largest difference" in run(export, folder).stdout
    predict = [project / "predict.py", "--model-dir=run", "--input=validation.jsonl"]
    run([*predict, "--output=out.jsonl"], folder)
    prediction = read_lines(folder / "out.jsonl")[0]
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "run/tokenizer.json"))
    ids, positions = [tokenizer.token_to_id("[CLS]")], []
    for word in prediction["tokens"]:
        positions.append(len(ids))
        ids += tokenizer.encode(word, add_special_tokens=False).ids
    ids.append(tokenizer.token_to_id("[SEP]"))
    row = np.array([ids], "int32")
    inputs = {"input_ids": row, "segment_ids": 0 * row, "attention_mask": 0 * row + 1}
    inputs["word_positions"] = np.array([[*positions, 0, 0]], "int32")
    np.savez(folder / "inputs.npz", **inputs)
    (labels,) = json.loads(run_alone(ALONE, folder / "served", folder))
    settings = json.loads((folder / "run/settings.json").read_text("utf-8"))
    assert labels[-2:] == [-1, -1]
    assert [settings["labels"][x] for x in labels[:-2]] == prediction["labels"]


@pytest.mark.skipif(not HAS_TORCH, reason="torch or transformers is not installed")
def test_transformers_loads_the_export(trained: tuple[Path, Path]) -> None:
    """Auto classes load the folder whole, with the same logits; a CRF is refused."""
    project, folder = trained
    export = [project / "export.py", "--model-dir=run", "--check"]
    export += ["--format=huggingface", "--output-dir=written"]
    if folder.name.startswith("crf"):
        done = run(export, folder, check=2)
        assert "transformers has no model with this head" in done.stderr
        assert "--format saved-model" in done.stderr
        assert not (folder / "written").exists()
        return
    assert "largest difference" in run(export, folder).stdout
    done = run(["-c", AUTO_CLASSES], folder)
    assert done.stdout.strip() == "BertForTokenClassification"


def test_learns_from_the_sample(tmp_path: Path) -> None:
    """Three epochs are enough to find many entities whose names are new."""
    project = make_project(tmp_path, TASK, "bert", "crf")
    output = run(["train.py", "--epochs=3"], project).stdout
    assert "entities in IOB2: place" in output
    output = run(["evaluate.py"], project).stdout
    folder = project / "runs/001/evaluation"
    scores = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert scores["f1"] > 25 and scores["total"] == 300
    assert set(scores["per_type"]) == {"person", "place", "organization", "date"}
    assert len(read_lines(folder / "predictions.jsonl")) == 300
    assert "sentences have an error" in (folder / "errors.html").read_text("utf-8")
    text = "Otto Kvale lives in\u00a0 Elmford-on-Sea."
    assert text in run(["predict.py", "--text", text], project).stdout
    run(["predict.py", "--text", text, "--output=one.jsonl"], project)
    assert read_lines(project / "one.jsonl")[0]["tokens"][:2] == ["Otto", "Kvale"]
    shutil.rmtree(project)


def test_columns_of_iob1_and_parts_of_speech(
    tagging_project: Path, tmp_path: Path
) -> None:
    """Labels come from the files; IOB1 is learned as IOB2, other labels as they are."""
    (tmp_path / "train.conll").write_text(COLUMNS, "utf-8")
    write_data(tagging_project, tmp_path, train=1, validation=1)
    flags = ["--train-files=train.conll", "--validation-files=train.conll"]
    flags += ["--encoder-config=sizes.json", "--epochs=1"]
    command = [tagging_project / "train.py", *flags, "--output-dir=run"]
    output = run(command, tmp_path).stdout
    assert "2 sentences, 7 words" in output and "3 entities in IOB1" in output
    settings = json.loads((tmp_path / "run/settings.json").read_text("utf-8"))
    assert settings["labels"] == ["O", "B-person", "I-person"]
    tags = COLUMNS.replace("I-person", "PROPN").replace("B-person", "VERB")
    (tmp_path / "train.conll").write_text(tags, "utf-8")
    command = [tagging_project / "train.py", *flags, "--output-dir=pos"]
    assert "labels: PROPN 3, O 3, VERB 1" in run(command, tmp_path).stdout
    settings = json.loads((tmp_path / "pos/settings.json").read_text("utf-8"))
    assert settings["labels"] == ["O", "PROPN", "VERB"]
    scores = json.loads((tmp_path / "pos/metrics.json").read_text("utf-8"))
    assert scores["f1"] == scores["accuracy"] and scores["rules"] == "each word"


def test_bad_settings(tagging_project: Path, tmp_path: Path) -> None:
    """A scheme that the files do not have stops the command before it trains."""
    flags = write_data(tagging_project, tmp_path, train=4, validation=2)
    command = [tagging_project / "train.py", *flags, "--scheme=bmes"]
    done = run(command, tmp_path, check=2)
    assert "is none of BMES" in done.stderr and "train.jsonl:" in done.stderr
