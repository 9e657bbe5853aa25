"""Which names a project can have."""

from __future__ import annotations

import json

import pytest

from tkgen.answers import check_name, package_name, resolve_answers
from tkgen.catalog import Catalog
from tkgen.errors import InvalidNameError, UnknownNameError
from tkgen.render import make_context

PATH_ATTACKS = {
    "": "empty",
    ".": "out of the output folder",
    "..": "out of the output folder",
    "../x": "out of the output folder",
    "../../etc": "out of the output folder",
    "x/../../y": "out of the output folder",
    "..\\x": "out of the output folder",
    "x\\..\\y": "out of the output folder",
    "/tmp/x": "absolute path",
    "/": "absolute path",
    "//server/share": "absolute path",
    "\\\\server\\share": "absolute path",
    "\\x": "absolute path",
    "~/x": "absolute path",
    "~root": "absolute path",
    "C:\\x": "drive letter",
    "c:x": "drive letter",
    "x/y": "a path, not a name",
    "x\\y": "a path, not a name",
    "./x": "a path, not a name",
    "x\0y": "NUL",
    "x.": "ends with a dot or a space",
    "x ": "ends with a dot or a space",
    "...": "ends with a dot or a space",
    "con": "Windows",
    "CON": "Windows",
    "nul": "Windows",
    "nul.txt": "Windows",
    "com1": "Windows",
    "LPT9": "Windows",
}

NOT_A_NAME = [
    " x",
    "x y",
    "-x",
    "_x",
    "x-",
    "x_",
    "x--y",
    "x-_y",
    "1x",
    "x.y",
    "x\ny",
    "x\n",
    "x;rm",
    "$(x)",
    "{{x}}",
    "{{ cookiecutter.task }}",
    "{% x %}",
    "naïve",
    "ｘ",
    "項目",
    "x\u202ey",
    "x" * 51,
    "x" * 10_000,
]

CLASHES = {
    "class": "keyword",
    "Class": "keyword",
    "match": "keyword",
    "lambda": "keyword",
    "None": "constant|keyword",
    "json": "standard library",
    "JSON": "standard library",
    "test": "standard library",
    "asyncio": "standard library",
    "train": "of the project itself",
    "evaluate": "of the project itself",
    "predict": "of the project itself",
    "export": "of the project itself",
    "tests": "of the project itself",
    "data": "of the project itself",
    "runs": "of the project itself",
    "tensorflow": "library",
    "TensorFlow": "library",
    "keras": "library",
    "numpy": "library",
    "tokenizers": "library",
    "safetensors": "library",
    "matplotlib": "library",
    "tensorboard": "library",
    "ml-dtypes": "library",
    "h5py": "library",
    "pytest": "library",
    "ruff": "library",
    "black": "library",
    "tkgen": "library",
    "jax": "library",
    "torch": "library",
    "transformers": "library",
    "click": "installed",
    "rich": "installed",
    "markupsafe": "installed",
}


@pytest.mark.parametrize(("name", "reason"), PATH_ATTACKS.items())
def test_path_tricks_are_refused_by_their_name(
    catalog: Catalog, name: str, reason: str
) -> None:
    """A name that is a path or a device is refused, and the message says which."""
    with pytest.raises(InvalidNameError, match=reason) as caught:
        check_name(catalog, name)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", NOT_A_NAME)
def test_what_is_no_name_is_refused(catalog: Catalog, name: str) -> None:
    """Anything but letters, digits and single separators is refused on three lines."""
    with pytest.raises(InvalidNameError) as caught:
        check_name(catalog, name)
    lines = str(caught.value).splitlines()
    assert [line.split(":")[0].strip() for line in lines] == ["error", "why", "fix"]
    assert len(lines[0]) < 120


@pytest.mark.parametrize(("name", "reason"), CLASHES.items())
def test_clashing_packages_are_refused(
    catalog: Catalog, name: str, reason: str
) -> None:
    """A package that would hide something, or be hidden, is refused with the reason."""
    with pytest.raises(InvalidNameError, match=reason):
        check_name(catalog, name)


@pytest.mark.parametrize(
    "name", ["qa-bert", "x", "MyQA", "a_b-c", "q2", "x" * 50, "reading-helper-2"]
)
def test_good_names_are_taken_as_they_are(catalog: Catalog, name: str) -> None:
    """A good name is the folder's name, and its package can be imported."""
    answers = resolve_answers(catalog, "qa", "bert", name)
    assert answers.project_slug == name
    assert answers.package.isidentifier()


def test_a_package_in_the_working_directory_is_no_clash(
    catalog: Catalog,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Only what is installed counts, not a folder that happens to lie around."""
    folder = tmp_path_factory.mktemp("cwd")
    (folder / "reading_helper").mkdir()
    (folder / "reading_helper" / "__init__.py").write_text("raise SystemExit(1)")
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    check_name(catalog, "reading-helper")


def test_aliases_and_the_default_name(catalog: Catalog) -> None:
    """An alias stands for its name, in the project's default name too."""
    answers = resolve_answers(catalog, "question-answering", "bert")
    assert (answers.task, answers.project_slug) == ("qa", "qa-bert")
    assert answers.package == "qa_bert"


@pytest.mark.parametrize("typed", ["qaa", "QA", "question-anwsering", "mcr"])
def test_an_unknown_task_gets_the_nearest_match(catalog: Catalog, typed: str) -> None:
    """A misspelled task is named, with what was probably meant and the whole list."""
    with pytest.raises(UnknownNameError, match="did you mean '") as caught:
        resolve_answers(catalog, typed, "bert")
    assert caught.value.exit_code == 2
    assert "question-answering, mrc" in str(caught.value)


@pytest.mark.parametrize("slug", ["qa-bert", "MyQA", "a_b-C2"])
def test_cookiecutter_derives_the_same_package(catalog: Catalog, slug: str) -> None:
    """The package expression of cookiecutter.json equals package_name."""
    from cookiecutter.environment import StrictEnvironment

    settings = json.loads((catalog.templates_dir / "cookiecutter.json").read_text())
    context = {"cookiecutter": {"project_slug": slug, "task": "t", "model": "m"}}
    environment = StrictEnvironment(context=context)
    rendered = environment.from_string(settings["package"]).render(**context)
    assert rendered == package_name(slug)
    default = environment.from_string(settings["project_slug"]).render(**context)
    assert default == "t-m"


def test_the_context_holds_the_answers_and_the_settings(catalog: Catalog) -> None:
    """cookiecutter gets our answers, and Jinja's options from cookiecutter.json."""
    context = make_context(catalog, resolve_answers(catalog, "mrc", "bert", "x"))
    assert (context["task"], context["package"]) == ("qa", "x")
    assert context["_jinja2_env_vars"]["block_start_string"] == "# {%"
