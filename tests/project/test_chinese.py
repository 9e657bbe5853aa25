"""Projects with a Chinese sample: tokens, scores, and a checkpoint's vocabulary."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from .conftest import SIZES, make_project, run

TEXTS = {
    "qa": ["校长是谁？", "云田小学现有九十名学生，校长是何晓军。"],
    "sequence-classification": ["可以开发票吗？"],
    "token-classification": ["何晓军1987年离开云田镇。"],
}
HANZI = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Of each task a project that has learned from its sample for a few steps.

    The last run of the project for QA begins with the encoder of the one that
    classifies, from the folder for transformers.
    """
    folder = tmp_path_factory.mktemp("chinese")
    projects = {
        task: make_project(folder, task, language="zh") for task in sorted(TEXTS)[::-1]
    }
    script = Path(__file__).with_name("run_commands.py")
    for task, project in projects.items():
        (project / "sizes.json").write_text(json.dumps(SIZES), "utf-8")
        train = ["train.py", "--max-train-examples=64", "--epochs=1"]
        commands = [
            [*train, "--encoder-config=sizes.json"],
            ["evaluate.py"],
            ["predict.py", "--text", *TEXTS[task]],
        ]
        if task == "sequence-classification":
            commands += [["export.py", "--format=huggingface", "--output-dir=written"]]
        if task == "qa":
            written = projects["sequence-classification"] / "written"
            commands += [[*train, f"--pretrained={written}", "--max-length=128"]]
        (project / "commands.json").write_text(json.dumps(commands), "utf-8")
        run([script, project, "commands.json", "outputs.json"], project)
    return projects


@pytest.mark.parametrize("task", TEXTS)
def test_a_character_is_a_token(runs: dict[str, Path], task: str) -> None:
    """The vocabulary trained on the sample has its characters, and no longer words."""
    tokenizer = Tokenizer.from_file(str(runs[task] / "runs/001/tokenizer.json"))
    vocabulary = [token.removeprefix("##") for token in tokenizer.get_vocab()]
    assert not [token for token in vocabulary if len(token) > 1 and HANZI.search(token)]
    with (runs[task] / "data/train.jsonl").open(encoding="utf-8") as file:
        record = json.loads(next(file))  # it is among those that were learned from
    text = next(record[key] for key in ("context", "sequence", "text") if key in record)
    encoding = tokenizer.encode(text, add_special_tokens=False)
    assert "[UNK]" not in encoding.tokens and len(text) > 8
    found = [token for token in encoding.tokens if HANZI.search(token)]
    assert found == HANZI.findall(text)


@pytest.mark.parametrize("task", TEXTS)
def test_the_sample_is_scored(runs: dict[str, Path], task: str) -> None:
    """All of the test file counts; answers are scored by CMRC's rules."""
    path = runs[task] / "runs/001/evaluation/metrics.json"
    scores = json.loads(path.read_text("utf-8"))
    assert scores["total"] == 150
    if task == "qa":
        assert scores["rules"] == "cmrc"
        path = path.with_name("predictions.jsonl")
        predictions = [
            json.loads(line) for line in path.read_text("utf-8").splitlines()
        ]
        records = (runs[task] / "data/test.jsonl").read_text("utf-8").splitlines()
        for prediction, record in zip(
            predictions, map(json.loads, records), strict=True
        ):
            assert prediction["answer"] in record["context"]


def test_a_text_is_answered(runs: dict[str, Path]) -> None:
    """predict.py takes Chinese texts and prints them as they are."""
    outputs = {
        task: json.loads((project / "outputs.json").read_text("utf-8"))[2]
        for task, project in runs.items()
    }
    assert "校长是谁？" in outputs["qa"]
    assert any(
        label in outputs["sequence-classification"] for label in ("发票", "物流")
    )
    assert "何" in outputs["token-classification"]


def test_the_vocabulary_beside_the_weights_is_used(runs: dict[str, Path]) -> None:
    """With a checkpoint the tokens are its own, not those of the sample."""
    written = runs["sequence-classification"] / "written"
    theirs = Tokenizer.from_file(str(written / "tokenizer.json")).get_vocab()
    sample, loaded = (
        Tokenizer.from_file(str(runs["qa"] / f"runs/{name}/tokenizer.json")).get_vocab()
        for name in ("001", "002")
    )
    assert loaded == theirs != sample
    assert "退" in loaded and "退" not in sample
    report = (runs["qa"] / "runs/002/weights.txt").read_text("utf-8")
    assert "embeddings_token/embeddings" in report
