"""The owner's tests of feature extraction pass, and notice defects put in."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest

from .conftest import make_project, run
from .test_owner_tests import Defect, make_copy

DEFECTS = {
    "mean pooling takes padding for tokens": Defect(
        "model.py",
        "ops.sum(hidden * mask, axis=1)",
        "ops.sum(hidden, axis=1)",
        "test_model.py::test_pooled_vectors",
    ),
    "max pooling takes padding for tokens": Defect(
        "model.py",
        "ops.max(ops.where(mask > 0, hidden, -1e9), axis=1)",
        "ops.max(hidden, axis=1)",
        "test_model.py::test_pooled_vectors",
    ),
    "poolings stand in another order": Defect(
        "model.py",
        "for name in config.pooling\n",
        "for name in sorted(config.pooling)\n",
        "test_model.py::test_pooled_vectors",
    ),
    "nsp is the vector of [CLS]": Defect(
        "model.py",
        'pooled = ops.cast(encoder.output["pooled_output"], full_precision())',
        "pooled = hidden[:, 0]",
        "test_model.py::test_pooled_vectors",
    ),
    "layer 0 is the first layer": Defect(
        "encoder.py",
        "states, attention_weights = [hidden], []",
        "states, attention_weights = [], []",
        "test_encoder.py::test_chosen_layers_side_by_side",
    ),
    "a range begins after the embeddings": Defect(
        "selection.py",
        "range(depth + 1)[first:stop]",
        "range(1, depth + 1)[first:stop]",
        "test_selection.py",
    ),
    "vectors come in the order of batches": Defect(
        "extraction.py",
        "zip(batch, outputs, strict=True)",
        "zip(sorted(batch), outputs, strict=True)",
        "test_extraction.py::test_neighbours_do_not_matter",
    ),
    "padding is written as tokens": Defect(
        "extraction.py",
        "output[: lengths[index]].copy()",
        "output.copy()",
        "test_extraction.py::test_neighbours_do_not_matter",
    ),
    "more is read than a chunk": Defect(
        "dataset.py",
        "        if len(chunk) == size or characters >= CHUNK_CHARACTERS:\n",
        "        if len(chunk) > size or characters >= CHUNK_CHARACTERS:\n",
        "test_dataset.py::test_chunks_of_an_endless_stream",
    ),
    "a pair is of one segment": Defect(
        "features.py",
        "segments += [1] * (kept[1] + 1)",
        "segments += [0] * (kept[1] + 1)",
        "test_extraction.py::test_rows",
    ),
    "offsets begin anew in each chunk": Defect(
        "writers.py",
        "offsets = total + np.cumsum(",
        "offsets = np.cumsum(",
        "test_writers.py::test_npz_of_tokens",
    ),
    "heads count from 0": Defect(
        "attention_maps.py",
        "chosen[index - 1]",
        "chosen[index % count]",
        "test_attention_maps.py::test_choose",
    ),
}
# The files that vary with the task, and what is tried with its model.
TESTS = ("attention_maps", "dataset", "encoder", "extraction", "model")
TESTS += ("selection", "writers")
CONTROLS = {"bert": TESTS, "albert": ("attention_maps", "encoder", "model")}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each model and each defect."""
    copies = tmp_path_factory.mktemp("copies").resolve()
    jobs: dict[str, list[str]] = {}
    cases: dict[str, Defect | None] = {**dict.fromkeys(CONTROLS), **DEFECTS}
    projects = {
        model: make_project(copies, "feature-extraction", model) for model in CONTROLS
    }
    for number, (name, defect) in enumerate(cases.items()):
        model = "bert" if defect else name
        make_copy(projects[model], copies / str(number), defect)
        files = [f"test_{each}.py" for each in CONTROLS[model]]
        chosen = [defect.tests] if defect else files
        jobs[str(number)] = [f"tests/{test}" for test in chosen]
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip(cases, report.values(), strict=True))


@pytest.mark.parametrize("model", CONTROLS)
def test_unchanged_projects_pass(
    results: dict[str, dict[str, object]], model: str
) -> None:
    """Without a defect the owner's tests pass, none of them skipped."""
    assert results[model]["code"] == 0, results[model]["output"]
    if importlib.util.find_spec("matplotlib"):
        assert "skipped" not in str(results[model]["output"]).splitlines()[-1]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    assert "AssertionError" in output or "\nE       assert " in output, output
    assert "ImportError" not in output and "SyntaxError" not in output, output
