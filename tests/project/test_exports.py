"""What export.py writes is loaded by the programs that it is meant for."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

from .conftest import run, write_data

# Run in a process of its own, since TensorFlow and torch do not share one.
AUTO_CLASSES = """
import json, sys
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering, AutoTokenizer
model, report = AutoModelForQuestionAnswering.from_pretrained(
    "written", output_loading_info=True
)
assert not report["missing_keys"] and not report["unexpected_keys"], report
tokenizer = AutoTokenizer.from_pretrained("written")
text = "Who founded the observatory in 1871?"
expected = Tokenizer.from_file("written/tokenizer.json").encode(text).ids
assert tokenizer(text)["input_ids"] == expected
bare = tokenizer(text, add_special_tokens=False)["input_ids"]
assert expected == [tokenizer.cls_token_id, *bare, tokenizer.sep_token_id]
print(type(model).__name__)
"""


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "transformers")),
    reason="torch or transformers is not installed",
)
@pytest.mark.parametrize("model", ["bert", "albert"])
def test_transformers_loads_the_export(
    project: Path, albert_project: Path, tmp_path: Path, model: str
) -> None:
    """Auto classes load the folder whole, and give the logits of the Keras model."""
    source = {"bert": project, "albert": albert_project}[model]
    flags = write_data(source, tmp_path, train=8, validation=4)
    run([source / "train.py", *flags, "--epochs=1", "--output-dir=run"], tmp_path)
    export = [source / "export.py", "--model-dir=run", "--check"]
    export += ["--format=huggingface", "--output-dir=written"]
    done = run(export, tmp_path)
    assert "largest difference" in done.stdout
    done = run(["-c", AUTO_CLASSES], tmp_path)
    assert done.stdout.strip().lower() == f"{model}forquestionanswering"


def test_google_checkpoint_serves_as_pretrained(trained: Path, project: Path) -> None:
    """An export to Google's layout is a checkpoint to begin another training with."""
    export = [project / "export.py", "--model-dir=run", "--check"]
    export += ["--format=google-checkpoint", "--output-dir=google"]
    done = run(export, trained)
    assert float(done.stdout.split()[-1]) < 1e-6
    flags = ["--train-files=train.jsonl", "--validation-files=validation.jsonl"]
    flags += ["--epochs=0", "--output-dir=second", "--pretrained=google"]
    done = run([project / "train.py", *flags], trained)
    assert "loaded" in done.stdout and "random" not in done.stdout
    first, second = (trained / name / "metrics.json" for name in ("run", "second"))
    assert first.read_text("utf-8") == second.read_text("utf-8")
    shutil.rmtree(trained / "second")
