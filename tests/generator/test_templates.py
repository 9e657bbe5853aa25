"""The laws of the templates: what a stub is, and where a tag may stand."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path

import pytest

from tkgen.answers import DEPENDENCY_IMPORTS, Answers, package_name
from tkgen.catalog import DEFAULT_LANGUAGE, SAMPLE, Catalog, names_of, sample_folder
from tkgen.render import render
from tkgen.skeleton import SKELETON, STUB_LINE
from tkgen.tidy import format_code, tidy

IMPORT_OF_THE_PACKAGE = re.compile(
    r"\s*(from|import) \{\{ cookiecutter\.package \}\}(\.\w+)*( |$).*"
)
NAMED_TEXT = {"README.md", "COMMANDS.md", "pyproject.toml"}
NAME_TAG = re.compile(r"\{\{ cookiecutter\.(project_slug|package) \}\}")


def text_files(folder: Path) -> list[Path]:
    """Return the files under a folder, but for compiled Python and sample data."""
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in {".pyc", ".jsonl"}
    ]


def combinations(catalog: Catalog) -> Iterator[dict[str, str]]:
    """Yield each choice of task, model and options that can be generated."""
    for task, model in product(catalog.names("task"), catalog.names("model")):
        slots = catalog.slots_for(task)
        names = [[option.name for option in slot.options_for(task)] for slot in slots]
        for options in product(*names):
            chosen = dict(zip((slot.name for slot in slots), options, strict=True))
            sample = {SAMPLE: sample_folder(DEFAULT_LANGUAGE)}
            yield {"task": task, "model": model} | chosen | sample


def test_every_stub_is_one_include(catalog: Catalog) -> None:
    """Every file of the skeleton is one include line; README.md has one a part."""
    skeleton = catalog.templates_dir / SKELETON
    for path in text_files(skeleton):
        lines = path.read_text().splitlines()
        assert all(STUB_LINE.fullmatch(line) for line in lines), path
        if "README.md" not in path.name:
            assert len(lines) == 1, path


def test_a_file_varies_on_one_axis(catalog: Catalog) -> None:
    """A stub names one axis, README.md excepted, and lies under that axis' folder."""
    axes = {"common": "common", "tasks/{task}": "task", "encoders/{model}": "model"}
    axes |= {f"options/{x.name}/{{{x.name}}}": "option" for x in catalog.slots}
    for file in catalog.files:
        if file.path == "README.md":
            assert file.axis == "common"
            continue
        (source,) = file.sources
        source = source.replace(f"tasks/{file.task}/", "tasks/{task}/")
        prefix = next(prefix for prefix in axes if source.startswith(f"{prefix}/"))
        assert file.axis == axes[prefix], file.path
        assert file.axis in ("task", "option") or not file.task, file.path


def test_every_included_source_exists(catalog: Catalog) -> None:
    """Each stub finds its content for every task, model and option."""
    for choices in combinations(catalog):
        for file in catalog.files_for(choices["task"]):
            for source in file.sources_for(choices):
                assert catalog.content_path(source).is_file(), source


def test_every_content_file_is_included(catalog: Catalog) -> None:
    """No content lies around unused: each file is some project's, or a card."""
    used = {
        source
        for choices in combinations(catalog)
        for file in catalog.files_for(choices["task"])
        for source in file.sources_for(choices)
    }
    content = catalog.templates_dir / "templates"
    present = {path.relative_to(content).as_posix() for path in text_files(content)}
    assert {
        path for path in present if not path.endswith(("card.toml", "slot.toml"))
    } <= used


def test_tags_stand_only_where_a_name_is_filled_in(catalog: Catalog) -> None:
    """Python holds the package's name on import lines and no other tag at all."""
    for path in text_files(catalog.templates_dir / "templates"):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            place = f"{path}:{number}: {line}"
            assert "{%" not in line and "{#" not in line, place
            if "{{" in line and path.suffix == ".py":
                assert IMPORT_OF_THE_PACKAGE.fullmatch(line), place
            elif "{{" in line:
                assert path.name in NAMED_TEXT, place
                assert "{{" not in NAME_TAG.sub("", line), place


def test_sample_data_holds_no_tag(catalog: Catalog) -> None:
    """Sample data is copied, and cookiecutter would render it to the same bytes."""
    for path in catalog.templates_dir.glob("templates/tasks/*/data*/*"):
        data = path.read_bytes()
        tags = (b"{{", b"# {%", b"# {#", b"\r")
        assert not any(tag in data for tag in tags), path


def test_cookiecutter_json_equals_the_catalog(catalog: Catalog) -> None:
    """The choices of cookiecutter's prompts are the names of the cards."""
    settings = json.loads((catalog.templates_dir / "cookiecutter.json").read_text())
    assert tuple(settings["task"]) == catalog.names("task")
    assert tuple(settings["model"]) == catalog.names("model")
    for slot in catalog.slots:
        assert settings[slot.name] == [option.name for option in slot.options]
    assert tuple(settings["language"]) == catalog.languages


def test_a_sample_is_whole_in_each_language(catalog: Catalog) -> None:
    """A sample in another language has the files of the first, and no other."""
    languages = {card.name: card.languages for card in catalog.tasks}
    assert languages["qa"] == ("en", "zh") and languages["masked-lm"] == ("en",)
    others = {"model": "bert", **catalog.defaults()}
    for card in catalog.tasks:
        for language in card.languages:
            source = f"tasks/{card.name}/{sample_folder(language)}"
            names = {path.name for path in catalog.content_path(source).iterdir()}
            wanted = {
                Path(each).name
                for file in catalog.files_for(card.name)
                for each in file.sources_for({"task": card.name} | others)
                if file.path.startswith("data/")
            }
            assert names == wanted, source


def test_cards_are_complete_and_unambiguous(catalog: Catalog) -> None:
    """A card's folder has its name, and no name or alias stands for two things."""
    for kind, folder in {"task": "tasks", "model": "encoders"}.items():
        names = [name for card in catalog.cards(kind) for name in names_of(card)]
        assert len(names) == len(set(names)), names
        for card in catalog.cards(kind):
            assert card.kind == kind
            path = catalog.templates_dir / "templates" / folder / card.name
            assert (path / "card.toml").is_file()


def test_the_example_line_of_a_card_is_a_line_of_data(catalog: Catalog) -> None:
    """The example that `tkgen show` prints is JSON with fields that the card names."""
    for card in catalog.tasks:
        assert card.data is not None, card.name
        fields = {field.partition(":")[0] for field in card.data.fields}
        assert set(json.loads(card.data.example)) <= fields


def test_every_file_has_one_line_on_what_it_is(catalog: Catalog) -> None:
    """The tree that `tkgen new` prints says of each file what it is for."""
    for choices in combinations(catalog):
        for file in catalog.files_for(choices["task"]):
            assert catalog.describe(file, choices), file.path


@pytest.mark.parametrize("slug", ["x", "qa-bert", "x" * 50])
def test_generated_python_is_formatted(
    catalog: Catalog, tmp_path: Path, slug: str
) -> None:
    """Whatever the length of the name, black has nothing left to do.

    Only what brings a new content file is rendered: none depends on another.
    """
    seen: set[str] = set()
    for number, choices in enumerate(combinations(catalog)):
        task, model = choices["task"], choices["model"]
        files = catalog.files_for(task)
        sources = {each for file in files for each in file.sources_for(choices)}
        if sources <= seen:
            continue
        seen |= sources
        slots = [slot.name for slot in catalog.slots_for(task)]
        chosen = tuple((slot, choices[slot]) for slot in slots)
        answers = Answers(task, model, slug, package_name(slug), chosen)
        (tmp_path / str(number)).mkdir()
        project = render(catalog, answers, tmp_path / str(number))
        tidy(catalog, answers, project)
        for file in catalog.files_for(task):
            source, *_ = file.sources_for(choices)
            named = "{{" in catalog.content_path(source).read_text("utf-8")
            # The others are the same whatever the name.
            if file.path.endswith(".py") and (named or slug == "qa-bert"):
                path = project / file.path_for(answers.package)
                code = path.read_text("utf-8")
                assert format_code(code, path.name) == code, path


def test_a_task_without_training_has_no_training_files(catalog: Catalog) -> None:
    """What one task leaves out, the others have; no path has two files."""
    training = {"train.py", "evaluate.py", "predict.py", "data/train.jsonl"}
    training |= {
        f"{{{{cookiecutter.package}}}}/{x}.py" for x in ("training", "metrics")
    }
    for task in catalog.names("task"):
        paths = [file.path for file in catalog.files_for(task)]
        assert len(paths) == len(set(paths)), task
        left = training - set(paths)
        assert left == (training if task == "feature-extraction" else set()), task


def test_first_commands_name_scripts_of_the_project(catalog: Catalog) -> None:
    """What `tkgen new` says to type first can be typed."""
    for task in catalog.names("task"):
        commands = catalog.first_commands(task)
        paths = {file.path for file in catalog.files_for(task)}
        assert commands and {command.split()[1] for command in commands} <= paths


def test_every_dependency_of_a_project_is_a_refused_name(
    catalog: Catalog, tmp_path: Path, answers: Answers
) -> None:
    """No project can be named like a library that it installs."""
    project = render(catalog, answers, tmp_path)
    table = tomllib.loads((project / "pyproject.toml").read_text()).get("project", {})
    extras = table.get("optional-dependencies", {}).values()
    for requirement in chain(table.get("dependencies", []), *extras):
        name = re.split(r"[^\w.-]", requirement)[0].lower().replace("-", "_")
        imported = {"scikit_learn": "sklearn", "pyyaml": "yaml"}.get(name, name)
        assert imported in DEPENDENCY_IMPORTS, requirement
