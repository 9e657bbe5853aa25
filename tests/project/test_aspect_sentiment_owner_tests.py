"""The owner's tests of a project for aspects pass, and notice defects put in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import make_project, run
from .test_owner_tests import Defect, make_copy

# Runs without a defect, before and after the others.
CONTROLS = ("control before", "control after")

DEFECTS = {
    "equal words at two places are the same aspect": Defect(
        "features.py",
        "columns[first : last + 1, 1] = 0",
        "pass",
        "test_dataset.py::test_segments_point_at_the_aspect",
    ),
    "unknown opinions are taught as none": Defect(
        "features.py",
        "    if question.spans is not None:\n",
        "    if question.spans is not True:\n",
        "test_dataset.py::test_what_the_data_do_not_say_has_no_target",
    ),
    "a part of the text denies the implicit aspect": Defect(
        "features.py",
        "question.implicit if whole or not question.implicit else UNKNOWN",
        "question.implicit if whole else 0",
        "test_dataset.py",
    ),
    "implicit aspects are dropped in silence": Defect(
        "answers.py",
        "    if scores.implicit >= threshold:\n",
        "    if scores.implicit > 1:\n",
        "test_decoding.py::test_both_steps",
    ),
    "unknown targets count as nothing there": Defect(
        "model.py",
        "ops.cast(spans >= 0, logits.dtype)",
        "ops.ones_like(losses)",
        "test_model.py::test_loss_is_minus_the_log_of_the_probability",
    ),
    "an end belongs to any start before it": Defect(
        "span_search.py",
        "        between += none_ends[lasts] - none_ends[first]\n",
        "",
        "test_span_search.py::test_search_equals_trying_everything",
    ),
    "spans overlap": Defect(
        "span_search.py",
        "            taken[first : last + 1] = True\n",
        "            taken[first] = True\n",
        "test_span_search.py::test_search_equals_trying_everything",
    ),
    "a served span may begin in the question": Defect(
        "model.py",
        "search(start * shown, end * shown, threshold, *sizes)",
        "search(start, end, threshold, *sizes)",
        "test_model.py::test_the_text_is_found_without_segments",
    ),
    "served spans overlap": Defect(
        "served_spans.py",
        "ops.where(ops.logical_or(before, behind), left, 0.0)",
        "ops.where(ops.expand_dims(ops.equal(place, first), -1), 0.0, left)",
        "test_model.py::test_served_spans_are_those_of_the_search",
    ),
    "opinions count whatever the aspect": Defect(
        "metrics.py",
        '"triplet": {(aspect, place(each)',
        '"triplet": {(None, place(each)',
        "test_metrics.py::test_items",
    ),
    "the first place of a word is guessed": Defect(
        "aspects.py",
        "        if count != 1:\n",
        "        if count < 1:\n",
        "test_aspects.py::test_report",
    ),
}
# The task's tests, and the common ones that depend on the task.
TESTS = (
    "aspect_files",
    "aspects",
    "dataset",
    "decoding",
    "metrics",
    "model",
    "span_search",
    "training",
)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, object]]:
    """Exit code and output of the owner tests for each defect and each control."""
    project = make_project(tmp_path_factory.mktemp("new"), "aspect-sentiment")
    copies = tmp_path_factory.mktemp("copies").resolve()
    cases = {CONTROLS[0]: None, **DEFECTS, CONTROLS[1]: None}
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
    """Without a defect the same tests pass in the same process, none skipped."""
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
