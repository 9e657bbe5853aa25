"""The tests that a project's owner keeps pass, and fail where a defect is put in."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from .conftest import run


class Defect(NamedTuple):
    """One edit of a package file, and the owner tests that must notice it."""

    file: str
    old: str
    new: str
    tests: str


DEFECTS = {
    "layer norm epsilon is Keras' default": Defect(
        "transformer.py",
        "LayerNormalization(epsilon=config.layer_norm_eps, name=name)",
        "LayerNormalization(name=name)",
        "test_encoder.py",
    ),
    "gelu is the tanh form": Defect(
        "transformer.py", '"gelu": gelu,', '"gelu": gelu_tanh,', "test_encoder.py"
    ),
    "gelu_new is the erf form": Defect(
        "transformer.py",
        '"gelu_new": gelu_tanh,',
        '"gelu_new": gelu,',
        "test_encoder.py",
    ),
    "the attention mask is ignored": Defect(
        "transformer.py",
        "math.sqrt(head_size), mask=mask)",
        "math.sqrt(head_size))",
        "test_encoder.py",
    ),
    "question and context swap segments": Defect(
        "features.py",
        "in_context = positions >= self",
        "in_context = positions < self",
        "test_dataset.py",
    ),
    "an answer starts one token early": Defect(
        "features.py",
        "        return first, last\n",
        "        return max(0, first - 1), last\n",
        "test_dataset.py",
    ),
    "an answer starts one token late": Defect(
        "features.py",
        "        return first, last\n",
        "        return first + 1, max(first + 1, last)\n",
        "test_dataset.py",
    ),
    "an answer ends one token early": Defect(
        "features.py",
        "        return first, last\n",
        "        return first, max(first, last - 1)\n",
        "test_dataset.py",
    ),
    "an answer ends one token late": Defect(
        "features.py",
        "        return first, last\n",
        "        return first, min(last + 1, len(offsets) - 1)\n",
        "test_dataset.py",
    ),
    "decay excludes what Hugging Face calls LayerNorm": Defect(
        "optimization.py",
        'var_names=["bias", "gamma", "beta"]',
        'var_names=["LayerNorm"]',
        "test_training.py::test_decay_leaves_out_biases_and_layer_norms",
    ),
    "the loss takes logits for probabilities": Defect(
        "model.py", "from_logits=True)", "from_logits=False)", "test_model.py"
    ),
    "square kernels are not transposed": Defect(
        "spelling.py",
        "        if self.transposed:\n",
        "        if self.transposed and len({*array.shape}) == 2:\n",
        "test_weights.py",
    ),
    "special tokens in a text are special": Defect(
        "tokenizer.py",
        "encode_special_tokens = True",
        "encode_special_tokens = False",
        "test_tokenizer.py",
    ),
}
# Runs without a defect, before and after the others: what one leaves behind in the
# process does not make the next one fail.
CONTROLS = ("control before", "control after")


def make_copy(project: Path, folder: Path, defect: Defect | None) -> None:
    """Copy a project with one edit in its package; the rest is linked to."""
    folder.mkdir()
    package = project.name.replace("-", "_")
    for path in project.iterdir():
        if path.name in (package, "tests"):
            shutil.copytree(path, folder / path.name)
        elif path.name != ".tkgen":
            os.symlink(path, folder / path.name)
    if defect:
        path = folder / package / defect.file
        text = path.read_text("utf-8")
        assert text.count(defect.old) == 1, f"{defect.file} has changed: {defect.old}"
        path.write_text(text.replace(defect.old, defect.new), "utf-8")


@pytest.fixture(scope="module")
def results(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each defect and each control."""
    copies = tmp_path_factory.mktemp("copies").resolve()
    everything = sorted({defect.tests for defect in DEFECTS.values()})
    cases = {CONTROLS[0]: None, **DEFECTS, CONTROLS[1]: None}
    jobs = {}
    for number, defect in enumerate(cases.values()):
        make_copy(project, copies / str(number), defect)
        tests = [defect.tests] if defect else everything
        jobs[str(number)] = [f"tests/{test}" for test in tests]
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip(cases, report.values(), strict=True))


@pytest.mark.parametrize("model", ["bert", "albert"])
def test_the_owners_tests_pass(
    project: Path, albert_project: Path, tmp_path: Path, model: str
) -> None:
    """`pytest` in a new project passes."""
    source = {"bert": project, "albert": albert_project}[model]
    shutil.copytree(source, tmp_path / "copy")
    done = run(["-m", "pytest", "-q", "-p", "no:cacheprovider"], tmp_path / "copy")
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("name", CONTROLS)
def test_unchanged_copies_pass(
    results: dict[str, dict[str, object]], name: str
) -> None:
    """Without a defect the same tests pass in the same process."""
    assert results[name]["code"] == 0, results[name]["output"]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    assert "AssertionError" in output or "\nE       assert " in output, output
    assert "ImportError" not in output and "SyntaxError" not in output, output
