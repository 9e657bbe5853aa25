"""Projects that find aspects and opinions: commands, both languages, exports."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import REPOSITORY, make_project, run, write_data
from .test_bad_inputs import assert_error
from .test_commands import run_alone

TASK = "aspect-sentiment"
SAMPLE = REPOSITORY / "templates/templates/tasks" / TASK
HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
CHINESE = {
    "--aspect-question": "文中评价了哪些方面？",
    "--opinion-question": "文中怎样评价{aspect}？",
    "--implicit-name": "整体",
}
# What a server does with a SavedModel: both questions about one text, by hand.
SERVER = """
import json
import sys
import numpy as np
import keras
import tensorflow as tf
from tokenizers import Tokenizer
folder = sys.argv[1]
settings = json.load(open(f"{folder}/settings.json"))
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
call = tf.saved_model.load(f"{folder}/saved_model").signatures["serving_default"]
model = keras.saving.load_model("run/model.keras")
cls, sep = (tokenizer.token_to_id(name) for name in ("[CLS]", "[SEP]"))
text = json.load(open("text.json"))
encoding = tokenizer.encode(text, add_special_tokens=False)


def ask(question, about):
    ids = tokenizer.encode(question, add_special_tokens=False).ids
    head = [cls, *ids, sep]
    segments = [0] * len(head)
    for start, end in encoding.offsets:
        segments.append(int(not (about and about[0] <= start and end <= about[1])))
    row = np.array([[*head, *encoding.ids, sep]], "int32")
    inputs = {"input_ids": row, "segment_ids": np.array([[*segments, 1]], "int32")}
    inputs["attention_mask"] = row * 0 + 1
    served = {k: v.numpy()[0] for k, v in call(**map_to_tensors(inputs)).items()}
    logits = model.predict_on_batch(inputs)["logits"][0]
    assert np.abs(1 / (1 + np.exp(-logits[:, 0])) - served["start"]).max() < 1e-5
    return len(head), served


def map_to_tensors(inputs):
    return {name: tf.constant(array) for name, array in inputs.items()}


def spans(begin, served, threshold):
    for first in np.flatnonzero(served["span_score"] >= threshold):
        last = served["span_end"][first]
        yield int(first), encoding.offsets[first - begin][0], encoding.offsets[
            last - begin
        ][1]


begin, served = ask(settings["aspect_question"], None)
found = [place for _, *place in spans(begin, served, settings["aspect_threshold"])]
if served["implicit"] >= settings["aspect_threshold"]:
    found.append(None)
triplets = []
for place in found:
    name = text[place[0] : place[1]] if place else settings["implicit_name"]
    question = settings["opinion_question"].replace("{aspect}", name)
    begin, served = ask(question, place)
    for token, start, end in spans(begin, served, settings["opinion_threshold"]):
        polarity = settings["polarities"][int(served["polarity"][token].argmax())]
        triplets.append([place, [start, end], polarity])
assert not [name for name in sys.modules if "aspect_sentiment" in name]
print(json.dumps(triplets))
"""
# Run in a process of its own, since TensorFlow and torch do not share one.
AUTO_CLASS = """
import json
from transformers import AutoModelForTokenClassification
model, report = AutoModelForTokenClassification.from_pretrained(
    "written", output_loading_info=True
)
assert not report["missing_keys"] and not report["unexpected_keys"], report
names = json.load(open("run/settings.json"))["polarities"]
labels = model.config.id2label
assert [labels[number] for number in range(len(labels))] == ["START", "END", *names]
print(type(model).__name__)
"""


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Return the records of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def run_all(project: Path, folder: Path, *commands: list[str]) -> list[str]:
    """Run commands of a project one after another; return what each printed."""
    (folder / "commands.json").write_text(json.dumps(commands), "utf-8")
    script = Path(__file__).with_name("run_commands.py")
    run([script, project, "commands.json", "outputs.json"], folder)
    return json.loads((folder / "outputs.json").read_text("utf-8"))


def triplets_of(prediction: dict[str, Any]) -> list[list[Any]]:
    """Return a prediction's triplets as lists of places and the polarity."""
    found = []
    for each in prediction["triplets"]:
        aspect = [each["aspect_start"], each["aspect_end"]]
        opinion = [each["opinion_start"], each["opinion_end"]]
        place = None if each["aspect"] is None else aspect
        found.append([place, opinion, each["polarity"]])
    return sorted(found, key=str)


@pytest.fixture(scope="module", params=["bert", "albert"])
def trained(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, list[str]]:
    """A model's name, a folder with a run on a few lines, and what was printed."""
    project = make_project(tmp_path_factory.mktemp("new"), TASK, request.param)
    folder = tmp_path_factory.mktemp(request.param)
    flags = write_data(project, folder, train=24, validation=6)
    model = "--model-dir=run"
    export = ["export.py", model, "--check"]
    commands = [
        ["train.py", *flags, "--epochs=2", "--output-dir=run"],
        ["evaluate.py", model, "--files=validation.jsonl"],
        ["predict.py", model, "--input=validation.jsonl", "--output=out.jsonl"],
        ["predict.py", model, "--text", "The soup was cold."],
        [*export, "--output-dir=served"],
    ]
    if HAS_TORCH:
        commands.append([*export, "--format=huggingface", "--output-dir=written"])
    return request.param, folder, run_all(project, folder, *commands)


def test_the_commands(trained: tuple[str, Path, list[str]]) -> None:
    """Train, evaluate, predict and export work, and say what they did."""
    _, folder, (training, evaluation, _, shown, export, *_) = trained
    assert "train.jsonl: 24 texts (median" in training
    assert "kind triplets: polarities negative, neutral, positive" in training
    assert "0 (0.0%) with a text of several rows, 0 that lose their end" in training
    assert "triplet_f1" in evaluation
    scores = json.loads((folder / "run/evaluation/metrics.json").read_text("utf-8"))
    assert scores["monitor"] == "triplet_f1" and scores["total"] == 6
    assert scores["score"] == scores["triplet_f1"]
    predictions = read_lines(folder / "out.jsonl")
    texts = [each["text"] for each in read_lines(folder / "validation.jsonl")]
    for text, prediction in zip(texts, predictions, strict=True):
        assert set(prediction) == {"id", "aspects", "triplets"}
        for span in prediction["aspects"]:
            if span["text"] is not None:
                assert text[span["start"] : span["end"]] == span["text"]
    assert "text:     The soup was cold." in shown and "found: " in shown
    assert "largest difference" in export


@pytest.mark.skipif(not HAS_TORCH, reason="torch or transformers is not installed")
def test_transformers_loads_the_export(trained: tuple[str, Path, list[str]]) -> None:
    """The Auto class loads the folder whole; export.py has compared the logits."""
    model, folder, (*_, written) = trained
    assert "largest difference" in written
    name = {"bert": "Bert", "albert": "Albert"}[model]
    done = run(["-c", AUTO_CLASS], folder)
    assert done.stdout.strip() == f"{name}ForTokenClassification"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which train.py ran on the sample."""
    project = make_project(tmp_path_factory.mktemp("sample"), TASK)
    run(["train.py", "--epochs=3"], project)
    return project


def test_learns_from_the_sample(sample: Path) -> None:
    """Three epochs from random weights find many triplets, some of unknown words."""
    scores = json.loads((sample / "runs/001/metrics.json").read_text("utf-8"))
    assert scores["triplet_f1"] > 35 and scores["aspect_f1"] > 70, scores
    run(["evaluate.py"], sample)
    folder = sample / "runs/001/evaluation"
    scores = json.loads((folder / "metrics.json").read_text("utf-8"))
    assert scores["triplet_f1"] > 10 and scores["total"] == 200, scores
    assert "are wrong" in (folder / "errors.html").read_text("utf-8")


def test_a_server_finds_the_same(sample: Path, tmp_path: Path) -> None:
    """A SavedModel alone gives the triplets of predict.py, and needs no project."""
    text = "The soup was cold, but the waiter was friendly and quick. Never again."
    shutil.copytree(sample / "runs/001", tmp_path / "run")
    commands = [
        ["predict.py", "--model-dir=run", "--text", text, "--output=out.jsonl"],
        ["export.py", "--model-dir=run", "--output-dir=served"],
    ]
    run_all(sample, tmp_path, *commands)
    (prediction,) = read_lines(tmp_path / "out.jsonl")
    assert len(prediction["triplets"]) > 1
    (tmp_path / "text.json").write_text(json.dumps(text), "utf-8")
    served = json.loads(run_alone(SERVER, tmp_path / "served", tmp_path))
    assert sorted(served, key=str) == triplets_of(prediction)


def test_chinese(tmp_path: Path) -> None:
    """Texts and questions in Chinese: a new vocabulary knows them, places are right."""
    project = make_project(tmp_path, TASK)
    shutil.rmtree(project / "data")
    shutil.copytree(SAMPLE / "data-zh", project / "data")
    flags = [f"{name}={words}" for name, words in CHINESE.items()]
    text = "鱼很新鲜，但是服务员很冷淡。"
    _, shown, _ = run_all(
        project,
        project,
        ["train.py", *flags, "--epochs=2"],
        ["predict.py", "--text", text],
        ["predict.py", "--input=data/test.jsonl", "--output=out.jsonl"],
    )
    assert f"text:     {text}" in shown
    vocabulary = (project / "runs/001/tokenizer.json").read_text("utf-8")
    letters = set(json.loads(vocabulary)["model"]["vocab"])
    words = "".join(CHINESE.values()).replace("{aspect}", "")
    assert set(words) <= letters, set(words) - letters
    texts = [each["text"] for each in read_lines(project / "data/test.jsonl")]
    found = 0
    for text, prediction in zip(texts, read_lines(project / "out.jsonl"), strict=True):
        for each in prediction["triplets"]:
            place = slice(each["opinion_start"], each["opinion_end"])
            assert text[place] == each["opinion"]
            found += 1
    assert found > 0
    settings = json.loads((project / "runs/001/settings.json").read_text("utf-8"))
    assert settings["implicit_name"] == "整体"


BAD_LINE = '{"text": "The soup was cold.", "aspects": [{"text": "soup"}]}'


def test_bad_inputs(sample: Path, tmp_path: Path) -> None:
    """A bad line, another encoding and a bad question stop the command by name.

    The other kinds of bad lines are in the project's own tests.
    """
    good = (SAMPLE / "data/validation.jsonl").read_text("utf-8").split("\n")[0]
    (tmp_path / "bad.jsonl").write_text(f"{good}\n{BAD_LINE}\n", "utf-8")
    command = [sample / "train.py", "--output-dir=run", "--validation-files=bad.jsonl"]
    done = run([*command, "--train-files=bad.jsonl"], tmp_path, check=None)
    assert_error(done, "bad.jsonl:2", 'no "polarity"', '"polarity": "negative"')
    (tmp_path / "gb.jsonl").write_bytes('{"text": "汤是凉的"}'.encode("gb18030"))
    done = run([*command, "--train-files=gb.jsonl"], tmp_path, check=None)
    assert_error(done, "gb.jsonl", "line 1 is not UTF-8", "GB18030", "iconv")
    (tmp_path / "good.jsonl").write_text(good, "utf-8")
    flags = ["--train-files=good.jsonl", "--opinion-question=How is it?"]
    done = run([*command, *flags], tmp_path, check=None)
    assert_error(done, "How is it?", "{aspect}")
    assert not (tmp_path / "run").exists()
