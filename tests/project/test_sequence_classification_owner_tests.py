"""The owner's tests of a classifying project pass, and notice defects put in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import make_project, run
from .test_owner_tests import Defect, make_copy

# Runs without a defect, before and after the others.
CONTROLS = ("control before", "control after")

DEFECTS = {
    "labels are shifted by one": Defect(
        "dataset.py",
        "for number, name in enumerate(config.labels)}",
        "for number, name in enumerate(config.labels, 1)}",
        "test_dataset.py::test_targets",
    ),
    "the texts of a pair swap segments": Defect(
        "features.py",
        "in_second = positions >= self",
        "in_second = positions < self",
        "test_dataset.py::test_pairs_have_two_segments",
    ),
    "a pair has one segment": Defect(
        "features.py",
        'inputs["attention_mask"] * in_second.astype("int32")',
        'inputs["attention_mask"] * 0',
        "test_dataset.py::test_pairs_have_two_segments",
    ),
    "always the second text is cut": Defect(
        "features.py",
        "truncate_pair(len(first), len(second), room)",
        "min(len(first), room), max(0, room - len(first))",
        "test_dataset.py::test_the_longer_text_is_cut",
    ),
    "rows keep their texts' order, labels do not": Defect(
        "dataset.py",
        '{"logits": targets[rows]}',
        '{"logits": targets[np.sort(rows)]}',
        "test_dataset.py::test_each_text_has_its_own_label",
    ),
    "an unbalanced quote swallows lines": Defect(
        "records.py", ", strict=True), 1", "), 1", "test_records.py"
    ),
    "the loss takes logits for probabilities": Defect(
        "model.py",
        "SparseCategoricalCrossentropy(from_logits=True)",
        "SparseCategoricalCrossentropy()",
        "test_model.py::test_loss_is_that_of_logits",
    ),
    "class weights are forgotten": Defect(
        "model.py",
        "loss = weighted_crossentropy(weights) if weights else loss",
        "loss = loss",
        "test_model.py::test_class_weights",
    ),
    "the classifier is on [CLS] without the pooler": Defect(
        "model.py",
        'pooled = encoder.output["pooled_output"]',
        'pooled = ops.take(encoder.output["sequence_output"], 0, axis=1)',
        "test_model.py::test_head_is_on_the_pooler",
    ),
    "no dropout before the classifier": Defect(
        "model.py",
        "classifier(dropout(pooled))",
        "classifier(pooled)",
        "test_model.py::test_head_is_on_the_pooler",
    ),
    "several labels are served as one": Defect(
        "model.py",
        'ops.sigmoid if config.kind == "multi" else ops.softmax',
        "ops.softmax",
        "test_model.py::test_served_outputs",
    ),
    "predictions come in the order of the batches": Defect(
        "decoding.py",
        "logits[rows] = ",
        "logits[np.sort(rows)] = ",
        "test_decoding.py::test_one_label",
    ),
    "macro F1 leaves out absent classes": Defect(
        "metrics.py",
        'each["f1"] for each in classes.values()',
        'each["f1"] for each in classes.values() if each["support"]',
        "test_metrics.py",
    ),
    "equal values have different ranks": Defect(
        "metrics.py",
        "(last - (counts - 1) / 2)[place]",
        "last[place]",
        "test_metrics.py",
    ),
}
# The task's tests, and the common ones of training.
TESTS = ("dataset", "decoding", "metrics", "model", "records", "training")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each defect and each control."""
    project = make_project(tmp_path_factory.mktemp("new"), "sequence-classification")
    copies = tmp_path_factory.mktemp("copies").resolve()
    cases = {CONTROLS[0]: None, **DEFECTS, CONTROLS[1]: None}
    # What was seen to pass before is what can fail with a defect, and afterwards.
    tests = {CONTROLS[0]: [f"test_{name}.py" for name in TESTS]}
    tests[CONTROLS[1]] = sorted({defect.tests for defect in DEFECTS.values()})
    jobs = {}
    for number, (name, defect) in enumerate(cases.items()):
        make_copy(project, copies / str(number), defect)
        chosen = [defect.tests] if defect else tests[name]
        jobs[str(number)] = [f"tests/{test}" for test in chosen]
    (copies / "jobs.json").write_text(json.dumps(jobs), "utf-8")
    script = Path(__file__).with_name("run_owner_tests.py")
    run([script, copies / "jobs.json", copies / "report.json"], copies)
    report = json.loads((copies / "report.json").read_text("utf-8"))
    return dict(zip(cases, report.values(), strict=True))


@pytest.mark.parametrize("name", CONTROLS)
def test_unchanged_copies_pass(
    results: dict[str, dict[str, object]], name: str
) -> None:
    """Without a defect the same tests pass in the same process."""
    assert results[name]["code"] == 0, results[name]["output"]
    assert "skipped" not in str(results[name]["output"]).splitlines()[-1]


@pytest.mark.parametrize("name", DEFECTS)
def test_defects_are_noticed(results: dict[str, dict[str, object]], name: str) -> None:
    """With a defect, an assertion of the owner's tests fails."""
    output = str(results[name]["output"])
    assert results[name]["code"] == 1, f"not noticed: {output}"
    assert "1 failed" in output
    signs = ("AssertionError", "\nE       assert ", "DID NOT RAISE")
    assert any(sign in output for sign in signs), output
    assert "ImportError" not in output and "SyntaxError" not in output, output
