"""Projects that classify: the four commands, each kind of labels, exports, heads."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import SIZES, make_project, run
from .test_commands import LOAD_MODEL, LOAD_SAVED_MODEL, make_inputs, run_alone

TASK = "sequence-classification"
HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers"))
NEEDS_TORCH = pytest.mark.skipif(
    not HAS_TORCH, reason="torch or transformers is not installed"
)
WORDS = ("red", "blue", "green", "old", "new", "big", "small", "house", "car", "tree")


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A generated project with each model; tests do not write into them."""
    folder = tmp_path_factory.mktemp("generated")
    return {model: make_project(folder, TASK, model) for model in ("bert", "albert")}


def run_all(project: Path, folder: Path, *commands: list[str]) -> list[str]:
    """Run commands of a project one after another; return what each printed."""
    (folder / "commands.json").write_text(json.dumps(commands), "utf-8")
    script = Path(__file__).with_name("run_commands.py")
    run([script, project, "commands.json", "outputs.json"], folder)
    return read_json(folder / "outputs.json")


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def sample(
    projects: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A project whose commands were run with its sample, and what they printed.

    They are train.py, evaluate.py, predict.py (alone, with a text, with a file) and
    export.py.
    """
    project = tmp_path_factory.mktemp("sample") / projects["albert"].name
    shutil.copytree(projects["albert"], project)
    output = run(["train.py"], project).stdout
    lines = ['{"text": "A"}', '{"text": "B", "label": "unknown"}']
    (project / "in.jsonl").write_text("\n".join(lines), "utf-8")
    outputs = run_all(
        project,
        project,
        ["evaluate.py"],
        ["predict.py"],
        ["predict.py", "--text", "My bin is full."],
        ["predict.py", "--input", "in.jsonl", "--n-best", "2"],
        ["export.py", "--check"],
    )
    return project, [output, *outputs]


def test_training_on_the_sample(sample: tuple[Path, list[str]]) -> None:
    """The run says what it found, and keeps labels and kind in its settings."""
    project, (output, *_) = sample
    assert "kind single: 8 labels" in output
    assert "0 of 2080 texts (0.0%) lose their end" in output
    settings = read_json(project / "runs/001/settings.json")
    assert settings["kind"] == "single"
    assert settings["labels"] == sorted(settings["labels"])
    assert len(settings["labels"]) == 8
    header = (project / "runs/001/history.csv").read_text("utf-8").split("\n")[0]
    assert {"val_score", "val_accuracy", "val_macro_f1"} <= {*header.split(",")}


def test_evaluating_the_sample(sample: tuple[Path, list[str]]) -> None:
    """A small random model is far better than chance, 12.5, on new messages."""
    project, (_, output, *_) = sample
    folder = project / "runs/001/evaluation"
    scores = read_json(folder / "metrics.json")
    assert scores["total"] == 240
    assert scores["accuracy"] > 45
    assert f'"accuracy": {scores["accuracy"]}' in output and "per_class" not in output
    lines = (folder / "predictions.jsonl").read_text("utf-8").splitlines()
    gold = (project / "data/test.jsonl").read_text("utf-8").splitlines()
    pairs = [
        (json.loads(one), json.loads(other))
        for one, other in zip(lines, gold, strict=True)
    ]
    right = sum(one["label"] == other["label"] for one, other in pairs)
    assert scores["accuracy"] == pytest.approx(100 * right / 240)
    with (folder / "confusion.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert sum(int(rows[i][i]) for i in range(1, 9)) == right
    for name in ("errors.html", "confusion.png"):
        assert name in output and (folder / name).stat().st_size > 1000


def test_predicting_with_the_sample(sample: tuple[Path, list[str]]) -> None:
    """Five messages are shown; --text takes a text; n best scores are kept."""
    _, (_, _, shown, text, short, _) = sample
    assert shown.count("text: ") == shown.count("expected: ") == 5
    assert text.startswith("text:     My bin is full.\nlabel: ")
    assert [len(json.loads(line)["scores"]) for line in short.splitlines()] == [2, 2]


def test_exporting_the_sample(sample: tuple[Path, list[str]]) -> None:
    """A SavedModel gives logits and probabilities; model.keras needs no project."""
    project, (*_, output) = sample
    assert float(output.split()[-1]) < 1e-4
    make_inputs(5, 19, project)
    exported = project / "runs/001/export/saved-model/saved_model"
    lines = run_alone(LOAD_SAVED_MODEL, exported, project).splitlines()
    names = ("logits", "probabilities")
    assert {f"output {name} float32 [None, 8]" for name in names} <= {*lines}
    with np.load(project / "outputs.npz") as outputs:
        served = dict(outputs)
    sums = served["probabilities"].sum(axis=1)
    np.testing.assert_allclose(sums, 1.0, rtol=1e-5)
    code = LOAD_MODEL.replace("qa_bert", "sequence_classification_albert")
    run_alone(code, project / "runs/001/model.keras", project)
    with np.load(project / "outputs.npz") as outputs:
        assert set(outputs) == {"logits"}
        np.testing.assert_allclose(outputs["logits"], served["logits"], atol=1e-4)


def write_table(path: Path, kind: str, count: int, seed: int) -> None:
    """Write a CSV or TSV file of pairs whose labels depend on their words."""
    random = np.random.default_rng(seed)
    separator = "\t" if path.suffix == ".tsv" else ","
    lines = [separator.join(["premise", "hypothesis", "target"])]
    for _ in range(count):
        first, second = random.choice(WORDS, 3), random.choice(WORDS, 2)
        shared = sorted({*first} & {*second})
        target = {
            "single": "shared" if shared else "different",
            "multi": ";".join(sorted({*first} & {"red", "blue", "old"})),
            "regression": f"{len(shared) * 1.5:.1f}",
        }[kind]
        lines.append(separator.join([" ".join(first), " ".join(second), target]))
    path.write_text("\n".join(lines) + "\n", "utf-8")


KINDS = {"single": "bert", "multi": "albert", "regression": "bert"}


def table_commands(kind: str, folder: Path) -> list[list[str]]:
    """Write tables of pairs and return commands that use them."""
    suffix = ".tsv" if kind == "regression" else ".csv"
    for seed, (name, count) in enumerate({"train": 48, "dev": 16}.items()):
        write_table(folder / f"{name}{suffix}", kind, count, seed)
    (folder / "sizes.json").write_text(json.dumps(SIZES), "utf-8")
    flags = ["--train-files", f"train{suffix}", "--label-column=target"]
    flags += ["--validation-files", f"dev{suffix}", "--encoder-config=sizes.json"]
    if kind == "multi":
        flags += ["--kind=multi", "--label-separator=;"]
    if kind != "regression":
        flags += ["--class-weights=balanced"]
    run_dir, texts = "--model-dir=run", ["--text", "red house tree", "red car"]
    formats = ["saved-model", "google-checkpoint"] + ["huggingface"] * HAS_TORCH
    return [
        ["cd", str(folder)],
        ["train.py", *flags, "--epochs=2", "--output-dir=run"],
        ["evaluate.py", run_dir, "--files", f"dev{suffix}"],
        ["predict.py", run_dir, "--input", f"dev{suffix}", "--show"],
        ["predict.py", run_dir, *texts],
        *(["export.py", run_dir, "--check", f"--format={name}"] for name in formats),
    ]


@pytest.fixture(scope="module")
def table_runs(
    projects: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Path, list[str]]]:
    """For each kind a folder with a run on tables, and what the commands printed."""
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in KINDS}
    runs = {}
    for model, project in projects.items():
        kinds = [kind for kind in KINDS if KINDS[kind] == model]
        lists = [table_commands(kind, folders[kind]) for kind in kinds]
        outputs = run_all(project, folders[kinds[0]], *chain(*lists))
        for kind, commands in zip(kinds, lists, strict=True):
            _, *printed = (outputs.pop(0) for _ in commands)
            runs[kind] = (folders[kind], printed)
    return runs


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_on_tables(
    table_runs: dict[str, tuple[Path, list[str]]], kind: str
) -> None:
    """Columns and labels of the training serve evaluation, prediction and export."""
    folder, (trained, _, shown, pair, *exports) = table_runs[kind]
    assert f"kind {kind}: " in trained and "48 pairs" in trained
    settings = read_json(folder / "run/settings.json")
    assert settings["kind"] == kind
    labels = {"single": ["different", "shared"], "multi": ["blue", "old", "red"]}
    assert settings["labels"] == labels.get(kind, [])
    assert (settings["threshold"] is not None) == (kind == "multi")
    weights = [float(each.partition("=")[2]) for each in settings["class_weights"]]
    assert len(weights) == len(labels.get(kind, [])) and all(weights)
    scores = read_json(folder / "run/evaluation/metrics.json")
    assert scores == read_json(folder / "run/metrics.json")
    monitors = {"single": "accuracy", "multi": "micro_f1", "regression": "spearman"}
    assert scores["score"] == scores[monitors[kind]]
    assert shown.count("pair: ") == shown.count("expected: ") == 16
    assert "pair:     red car" in pair
    assert all(float(output.split()[-1]) < 1e-4 for output in exports)


def test_a_head_of_other_labels_can_be_skipped(
    projects: dict[str, Path],
    table_runs: dict[str, tuple[Path, list[str]]],
    tmp_path: Path,
) -> None:
    """A checkpoint of two labels is refused for numbers, and taken without its head."""
    exported = table_runs["single"][0] / "run/export/google-checkpoint"
    file = table_runs["regression"][0] / "dev.tsv"
    flags = [f"--pretrained={exported}", "--epochs=0", "--label-column=target"]
    flags += [f"--train-files={file}", f"--validation-files={file}", "--max-length=40"]
    script = projects["bert"] / "train.py"
    refused = run([script, *flags], tmp_path, check=2).stderr
    assert "head does not fit" in refused and "train.py --skip head" in refused
    assert not list((tmp_path / "runs").glob("*/settings.json"))
    unknown = run([script, *flags, "--skip", "tail"], tmp_path, check=2).stderr
    assert 'cannot skip "tail"' in unknown and "pooler, head" in unknown
    printed = run([script, *flags, "--skip", "head"], tmp_path).stdout
    assert "random: classifier/kernel, classifier/bias" in printed


# Run in a process of its own, since TensorFlow and torch do not share one.
AUTO_CLASSES = """
import json, sys
from transformers import AutoModelForSequenceClassification
found = []
for folder in sys.argv[1:]:
    model, report = AutoModelForSequenceClassification.from_pretrained(
        folder, output_loading_info=True
    )
    assert not report["missing_keys"] and not report["unexpected_keys"], report
    config = model.config
    values = [config.problem_type, list(config.id2label.values()), model.dropout.p]
    found.append([type(model).__name__, *values])
print(json.dumps(found))
"""


@NEEDS_TORCH
def test_transformers_loads_the_export(
    table_runs: dict[str, tuple[Path, list[str]]],
) -> None:
    """The Auto class knows the labels and their kind; --check compared the logits."""
    folders = [table_runs[kind][0] / "run/export/huggingface" for kind in KINDS]
    output = run(["-c", AUTO_CLASSES, *folders], folders[0]).stdout
    found = json.loads(output.strip().splitlines()[-1])
    problems = ["single_label_classification", "multi_label_classification"]
    for row, kind in zip(found, KINDS, strict=True):
        name, problem, labels, dropout = row
        assert name == f"{KINDS[kind].capitalize()}ForSequenceClassification"
        assert problem == dict(zip(KINDS, [*problems, "regression"], strict=True))[kind]
        settings = read_json(table_runs[kind][0] / "run/settings.json")
        assert labels == (settings["labels"] or ["LABEL_0"])
        assert dropout == pytest.approx(0.1)


TORCH_CLASSIFIER = """
import json, sys
import numpy as np
import torch
from itertools import chain
from pathlib import Path
from transformers import BertConfig, BertForSequenceClassification
torch.manual_seed(3)
config = BertConfig(
    vocab_size=60, hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
    intermediate_size=32, max_position_embeddings=40, initializer_range=0.4,
    id2label={0: "zebra", 1: "ape", 2: "mouse"},
    label2id={"zebra": 0, "ape": 1, "mouse": 2},
)
model = BertForSequenceClassification(config).eval()
model.classifier.bias.data = torch.tensor([0.3, -0.2, 0.1])
model.save_pretrained("tuned")
words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *sys.argv[1].split()]
words += [f"[unused{i}]" for i in range(60 - len(words))]
Path("tuned/vocab.txt").write_text("\\n".join(words) + "\\n")
texts = [json.loads(line)["sequence"] for line in open("data.jsonl")]
rows = []
for text in texts:
    ids = [2, *(words.index(word) for word in text.split()), 3]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids])).logits
    rows.append(torch.softmax(logits.double(), -1)[0].numpy())
np.save("expected.npy", rows)
"""


@NEEDS_TORCH
def test_a_trained_classifier_is_loaded(
    projects: dict[str, Path], tmp_path: Path
) -> None:
    """A classifier of transformers gives the same probabilities of the same labels."""
    random, labels = np.random.default_rng(0), ("ape", "mouse", "zebra")
    lines = [
        {"sequence": " ".join(random.choice(WORDS, n % 5 + 1)), "label": labels[n % 3]}
        for n in range(9)
    ]
    text = "\n".join(map(json.dumps, lines)) + "\n"
    (tmp_path / "data.jsonl").write_text(text, "utf-8")
    run(["-c", TORCH_CLASSIFIER, " ".join(WORDS)], tmp_path)
    flags = ["--train-files=data.jsonl", "--validation-files=data.jsonl"]
    flags += ["--pretrained=tuned", "--epochs=0", "--max-length=40"]
    _, output = run_all(
        projects["bert"],
        tmp_path,
        ["train.py", *flags, "--output-dir=run"],
        ["predict.py", "--model-dir=run", "--input=data.jsonl"],
    )
    settings = read_json(tmp_path / "run/settings.json")
    assert settings["labels"] == ["zebra", "ape", "mouse"]
    report = (tmp_path / "run/weights.txt").read_text("utf-8").splitlines()
    assert "loaded: classifier/kernel" in report and "loaded: classifier/bias" in report
    found = [json.loads(line) for line in output.splitlines()]
    names = settings["labels"]
    probabilities = [[each["scores"][name] for name in names] for each in found]
    expected = np.load(tmp_path / "expected.npy")
    assert np.ptp(expected) > 0.2
    np.testing.assert_allclose(probabilities, expected, atol=1e-5)
