"""Options: one is chosen in each slot that a task has, and files follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tkgen.answers import resolve_answers
from tkgen.catalog import Catalog
from tkgen.create import create_project
from tkgen.errors import OptionError, UnknownNameError

from .conftest import TINY_FILES

HEAD = "{{ 'head.py' if cookiecutter.task == 'ner' else '' }}"
CARD = 'kind = "{}"\nname = "{}"\ntitle = "T"\nsummary = "a summary"\nrank = {}\n'
FILES = {
    "cookiecutter.json": TINY_FILES["cookiecutter.json"].replace(
        '"model"', '"head": ["softmax", "crf"], "method": ["plain", "fgm"], "model"'
    ),
    "templates/tasks/ner/card.toml": CARD.format("task", "ner", 1),
    "templates/tasks/ner/model.py": '"""A head of its own."""\n',
    "templates/tasks/ner/train.jsonl": "{}\n",
    "templates/options/head/slot.toml": 'name = "head"\ntitle = "head"\n'
    'tasks = ["ner"]\n',
    "templates/options/head/softmax/card.toml": CARD.format("option", "softmax", 0),
    "templates/options/head/crf/card.toml": CARD.format("option", "crf", 1),
    "templates/options/head/softmax/head.py": '"""Softmax."""\n',
    "templates/options/head/crf/head.py": '"""A field."""\n',
    "templates/options/method/slot.toml": 'name = "method"\ntitle = "training"\n',
    "templates/options/method/plain/card.toml": CARD.format("option", "plain", 0),
    "templates/options/method/fgm/card.toml": CARD.format("option", "fgm", 1)
    + 'not_for = ["qa"]\n',
    "templates/options/method/plain/method.py": '"""Plainly."""\n',
    "templates/options/method/fgm/method.py": '"""Twice."""\n',
    "{{cookiecutter.project_slug}}/method.py": '# {% include "options/method/" ~ '
    'cookiecutter.method ~ "/method.py" %}\n',
    f"{{{{cookiecutter.project_slug}}}}/{HEAD}": '# {% include "options/head/" ~ '
    'cookiecutter.head ~ "/head.py" %}\n',
}

Tiny = Callable[[Mapping[str, str]], Catalog]


@pytest.fixture
def catalog(tiny: Tiny) -> Catalog:
    """Templates with a slot that one of two tasks has."""
    return tiny(FILES)


def create(catalog: Catalog, folder: Path, task: str, *options: str) -> Path:
    """Write a project and return its folder."""
    answers = resolve_answers(catalog, task, "bert", "x", options)
    create_project(catalog, answers, folder)
    return folder / "x"


def test_the_default_stands_where_nothing_is_chosen(
    catalog: Catalog, tmp_path: Path
) -> None:
    """The slot's first option is taken, and written down."""
    project = create(catalog, tmp_path / "out", "ner")
    assert (project / "head.py").read_text() == '"""Softmax."""\n'
    assert 'head = "softmax"' in (project / ".tkgen/answers.toml").read_text()


def test_an_option_replaces_the_default(catalog: Catalog, tmp_path: Path) -> None:
    """The chosen option's file is the project's."""
    project = create(catalog, tmp_path / "out", "ner", "crf")
    assert (project / "head.py").read_text() == '"""A field."""\n'
    assert 'head = "crf"' in (project / ".tkgen/answers.toml").read_text()


def test_a_task_without_the_slot_has_neither(catalog: Catalog, tmp_path: Path) -> None:
    """No file and no answer of a slot that the task does not have."""
    project = create(catalog, tmp_path / "out", "qa")
    assert not (project / "head.py").exists()
    assert "head" not in (project / ".tkgen/answers.toml").read_text()


def test_a_slot_without_tasks_is_one_of_all(catalog: Catalog, tmp_path: Path) -> None:
    """Its default stands in every project."""
    for task in ("ner", "qa"):
        project = create(catalog, tmp_path / task, task)
        assert (project / "method.py").read_text() == '"""Plainly."""\n'
        assert 'method = "plain"' in (project / ".tkgen/answers.toml").read_text()


def test_a_slot_of_all_tasks_but_one(tiny: Tiny) -> None:
    """A task in `not_for` has neither the slot nor its options."""
    slot = 'name = "method"\ntitle = "training"\nnot_for = ["qa"]\n'
    catalog = tiny({**FILES, "templates/options/method/slot.toml": slot})
    assert [slot.name for slot in catalog.slots_for("qa")] == []
    assert [slot.name for slot in catalog.slots_for("ner")] == ["head", "method"]
    with pytest.raises(OptionError, match="qa has no option 'plain'"):
        resolve_answers(catalog, "qa", "bert", "x", ["plain"])


def test_one_option_of_each_slot(catalog: Catalog, tmp_path: Path) -> None:
    """Two options of different slots stand side by side, in either order."""
    for number, options in enumerate((("crf", "fgm"), ("fgm", "crf"))):
        project = create(catalog, tmp_path / str(number), "ner", *options)
        assert (project / "head.py").read_text() == '"""A field."""\n'
        assert (project / "method.py").read_text() == '"""Twice."""\n'
        answers = (project / ".tkgen/answers.toml").read_text()
        assert 'head = "crf"' in answers and 'method = "fgm"' in answers


def test_an_option_that_is_not_for_a_task(catalog: Catalog) -> None:
    """The error says which tasks have it, and the list of a task leaves it out."""
    with pytest.raises(OptionError, match="qa has no option 'fgm'") as error:
        resolve_answers(catalog, "qa", "bert", "x", ["fgm"])
    assert "it belongs to ner" in str(error.value)
    (slot,) = catalog.slots_for("qa")
    assert [option.name for option in slot.options_for("qa")] == ["plain"]
    both = [option.name for option in slot.options_for("ner")]
    assert both == ["plain", "fgm"]


def test_wrong_options_are_refused(catalog: Catalog) -> None:
    """An unknown option, one of another task, and two of one slot are errors."""
    with pytest.raises(UnknownNameError, match="no option is called 'crv'"):
        resolve_answers(catalog, "ner", "bert", "x", ["crv"])
    with pytest.raises(OptionError, match="qa has no option 'crf'"):
        resolve_answers(catalog, "qa", "bert", "x", ["crf"])
    with pytest.raises(OptionError, match="exclude each other"):
        resolve_answers(catalog, "ner", "bert", "x", ["crf", "softmax"])
    answers = resolve_answers(catalog, "ner", "bert", "x", ["crf", "crf"])
    assert answers.choices["head"] == "crf"
